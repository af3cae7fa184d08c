//! Which part of a project a request is about, where its route is about either: the action that it needs follows what it
//! names.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::VersionId;
use modelry_core::policy::Feature;

/// What the address of a model version among the artifacts starts with; its number follows.
const VERSIONS: &str = "versions";

/// What of a candidate stands in front of its number in the name of a package.
const CANDIDATE: &str = "candidate:";

/// The part of a path that says what a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `{package}`: a version's number, or `candidate:` and a number.
    Package,
    /// `{kind}`: what the bin calls its things.
    InBin,
    /// `{*path}`: the address of an artifact.
    Artifact,
}

impl Naming {
    /// What a request is about whose path has these parameters. What names nothing is about either, and nobody finds it.
    pub(crate) fn feature<'p>(self, params: impl IntoIterator<Item = (&'p str, &'p str)>) -> Feature {
        let wanted = match self {
            Self::Package => "package",
            Self::InBin => "kind",
            Self::Artifact => "path",
        };
        let value = params.into_iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
        match self {
            Self::Package => of_package(value),
            Self::InBin => of_kind(value),
            Self::Artifact => of_artifact(value.parse().ok().as_ref()),
        }
    }
}

/// Whose package it is, by its name.
pub(crate) fn of_package(name: &str) -> Feature {
    if name.starts_with(CANDIDATE) { Feature::Experiments } else { Feature::Models }
}

/// What a kind of things in the bin belongs to.
pub(crate) fn of_kind(kind: &str) -> Feature {
    match kind {
        "models" | "versions" => Feature::Models,
        _ => Feature::Experiments,
    }
}

/// What an artifact belongs to, by its address; `None` is the top of those without an owner.
pub(crate) fn of_artifact(path: Option<&ArtifactPath>) -> Feature {
    match path {
        Some(path) if version_in(path).is_some() => Feature::Models,
        Some(_) | None => Feature::Experiments,
    }
}

/// The model version at or below whose address an artifact is, whether there is one or not.
pub(crate) fn version_in(path: &ArtifactPath) -> Option<VersionId> {
    let mut segments = path.segments();
    if segments.next() != Some(VERSIONS) {
        return None;
    }
    segments.next()?.parse().ok().map(VersionId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(naming: Naming, name: &str, value: &str) -> Feature {
        naming.feature([("project", "1"), (name, value)])
    }

    #[test]
    fn a_package_is_of_a_candidate_where_it_says_so() {
        assert_eq!(feature(Naming::Package, "package", "candidate:7"), Feature::Experiments);
        assert_eq!(feature(Naming::Package, "package", "1000001"), Feature::Models);
    }

    #[test]
    fn the_bin_has_things_of_both() {
        for (kind, expected) in [
            ("models", Feature::Models),
            ("versions", Feature::Models),
            ("experiments", Feature::Experiments),
            ("candidates", Feature::Experiments),
            ("logged_models", Feature::Experiments),
        ] {
            assert_eq!(feature(Naming::InBin, "kind", kind), expected, "{kind}");
        }
    }

    #[test]
    fn an_artifact_is_of_a_version_where_its_address_is_one() {
        for (path, expected) in [
            ("versions/1000001/artifacts/MLmodel", Feature::Models),
            ("versions/1000001/artifacts", Feature::Models),
            ("versions/1000001", Feature::Models),
            ("versions/1.0.0/artifacts/MLmodel", Feature::Experiments),
            ("versions", Feature::Experiments),
            ("0/versions/1000001/artifacts/MLmodel", Feature::Experiments),
            ("0/0190163d8694739c9a2c1f0d3b8b3a4e/artifacts/model/MLmodel", Feature::Experiments),
            ("../versions/1000001/artifacts/MLmodel", Feature::Experiments),
        ] {
            assert_eq!(feature(Naming::Artifact, "path", path), expected, "{path}");
        }
    }
}
