//! Which version comes next.

use std::fmt;
use std::str::FromStr;

use super::{MAX_NUMBER, Version, quoted};
use crate::{Error, Result};

/// How far a version is from the one before it. The greater step promises less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A safe automatic update.
    Patch,
    /// More than before, and compatible with it.
    Minor,
    /// Breaks what used the one before.
    Major,
}

impl Step {
    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

impl FromStr for Step {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let step = [Self::Major, Self::Minor, Self::Patch].into_iter().find(|step| step.as_str() == text);
        step.ok_or_else(|| {
            Error::invalid(format!(
                "{} is no step between versions: it is major, minor or patch",
                quoted(text)
            ))
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Versions to take next, the best first, each greater than the one before; it ends where no number is left.
///
/// For a caller that asks for each one whether it is taken. See [`next`] for the rules.
#[derive(Clone, Debug)]
pub struct Proposals {
    upcoming: Option<Version>,
    step: Step,
}

impl Proposals {
    /// Proposals for a model whose versions are at most `greatest`, and whose stable ones at most `greatest_stable`.
    pub fn new(wish: Option<Step>, greatest_stable: Option<&Version>, greatest: Option<&Version>) -> Self {
        let step = wish.unwrap_or(Step::Patch);
        let upcoming = match (greatest_stable, greatest) {
            (Some(stable), _) => bumped(stable, step),
            (None, Some(prerelease)) => announced(prerelease, step),
            (None, None) => Some(Version::first()),
        };
        Self { upcoming, step }
    }
}

impl Iterator for Proposals {
    type Item = Version;

    fn next(&mut self) -> Option<Version> {
        let proposal = self.upcoming.take()?;
        self.upcoming = bumped(&proposal, self.step);
        Some(proposal)
    }
}

/// The version that comes next.
///
/// `wish` is the step that was asked for, `patch` where none was:
///
/// * That step from the greatest stable version.
/// * Only prereleases so far: the release that the greatest of them announces, where that release is such a step or a
///   greater one (`1.1.0-rc.1` announces a minor and a patch step, but no major one), else that step from the release.
/// * Nothing yet: `1.0.0`.
///
/// A version that `is_taken` is passed over by the same step, again and again. Fails with
/// [`Kind::Conflict`](crate::Kind::Conflict) where the number to raise is the greatest there is.
pub fn next(
    wish: Option<Step>,
    greatest_stable: Option<&Version>,
    greatest: Option<&Version>,
    is_taken: impl Fn(&Version) -> bool,
) -> Result<Version> {
    let mut proposals = Proposals::new(wish, greatest_stable, greatest);
    let step = proposals.step;
    proposals.find(|version| !is_taken(version)).ok_or_else(|| exhausted(step))
}

/// The error for a caller of [`Proposals`] that has come to their end.
pub fn exhausted(step: Step) -> Error {
    Error::conflict(format!("no version is left: the {step} number cannot be greater than {MAX_NUMBER}"))
}

/// The step that the numbers of `to` claim over `from`, or `None` when its release is not the greater one.
pub fn declared_step(from: &Version, to: &Version) -> Option<Step> {
    let steps = [
        (Step::Major, from.major(), to.major()),
        (Step::Minor, from.minor(), to.minor()),
        (Step::Patch, from.patch(), to.patch()),
    ];
    let (step, before, after) = steps.into_iter().find(|(_, before, after)| before != after)?;
    (after > before).then_some(step)
}

/// The release that is `step` from the release of `version`, if its number is not too great.
fn bumped(version: &Version, step: Step) -> Option<Version> {
    let raised = |number: u64| number.checked_add(1).filter(|number| *number <= MAX_NUMBER);
    let (major, minor, patch) = match step {
        Step::Major => (raised(version.major())?, 0, 0),
        Step::Minor => (version.major(), raised(version.minor())?, 0),
        Step::Patch => (version.major(), version.minor(), raised(version.patch())?),
    };
    Some(Version(semver::Version::new(major, minor, patch)))
}

/// The release that `prerelease` announces, or the one that is `step` from it where the announced one is less of a step.
fn announced(prerelease: &Version, step: Step) -> Option<Version> {
    let announced_step = match (prerelease.minor(), prerelease.patch()) {
        (0, 0) => Step::Major,
        (_, 0) => Step::Minor,
        _ => Step::Patch,
    };
    if announced_step >= step { Some(prerelease.release()) } else { bumped(prerelease, step) }
}
