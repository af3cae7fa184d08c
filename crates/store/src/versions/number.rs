//! Which semantic version does a new version get?

use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::version::Version;
use modelry_core::version::bump::{Proposals, Step, exhausted};
use modelry_core::version::requirement::Requirement;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::find::SKIPPED_RELEASES;
use crate::models::Model;

/// What is wished for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Just this version.
    Exactly(Version),
    /// This version where it is free, else the next patch.
    Rather(Version),
    /// The next version by this step, or by the least where there is none.
    Next(Option<Step>),
}

impl Wish {
    /// The same wish, for something that is only near: it gives way where the version is taken.
    pub(super) fn gently(self) -> Self {
        match self {
            Self::Exactly(version) => Self::Rather(version),
            other => other,
        }
    }
}

/// Behind the bytes of every precedence.
const BEHIND_ALL: [u8; 1] = [u8::MAX];

/// How many patches in a row are asked for whether they are taken.
const NEXT_FEW: usize = 16;

/// The version that a new version of `model` gets.
///
/// Fails with `Exists` when just this version is wished for and is taken, or was published once.
pub(super) fn choose(tx: &mut Tx<'_>, project: ProjectId, model: &Model, wish: &Wish) -> Result<Version> {
    let proposals = match wish {
        Wish::Exactly(version) if is_taken(tx, project, model.id, version)? => {
            let free = first_free_after(tx, project, model.id, version)?;
            return Err(Error::exists(format!(
                "version {version} of model {} exists already, or did: a version that was published once is not \
                 given again. The next free one is {free}",
                model.name
            )));
        }
        Wish::Exactly(version) => return Ok(version.clone()),
        Wish::Rather(version) if !is_taken(tx, project, model.id, version)? => return Ok(version.clone()),
        Wish::Rather(version) => return first_free_after(tx, project, model.id, version),
        Wish::Next(step) => {
            let (stable, any) = greatest(tx, project, model.id)?;
            Proposals::new(*step, stable.as_ref(), any.as_ref())
        }
    };
    first_free(tx, project, model.id, proposals)
}

fn first_free(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    proposals: impl Iterator<Item = Version>,
) -> Result<Version> {
    for version in proposals {
        if !is_taken(tx, project, model, &version)? {
            return Ok(version);
        }
    }
    Err(exhausted(Step::Patch))
}

/// The first patch after `version` that is free. Where the next few are taken it is the one after the greatest of its
/// minor release, so that thousands of patches are not asked for one by one.
fn first_free_after(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    version: &Version,
) -> Result<Version> {
    let after = |version: &Version| Proposals::new(None, Some(&version.release()), None);
    for next in after(version).take(NEXT_FEW) {
        if !is_taken(tx, project, model, &next)? {
            return Ok(next);
        }
    }
    let minor: Requirement = format!("~{}", version.release()).parse()?;
    let range = minor.range();
    let greatest = tx.query_opt(
        "SELECT version FROM versions
         WHERE project_id = $1 AND model_id = $2 AND deleted_at IS NULL AND precedence >= $3 AND precedence < $4
         ORDER BY precedence DESC, number DESC
         LIMIT 1",
        &[&project.0, &model.0, &range.from.unwrap_or_default(), &range.to.unwrap_or_default()],
        |row| row.get::<String>(0)?.parse::<Version>(),
    )?;
    first_free(tx, project, model, after(&greatest.unwrap_or_else(|| version.clone())))
}

/// The next patch that is free, for messages.
pub(super) fn next_free(tx: &mut Tx<'_>, project: ProjectId, model: ModelId) -> Result<Version> {
    let (stable, any) = greatest(tx, project, model)?;
    first_free(tx, project, model, Proposals::new(None, stable.as_ref(), any.as_ref()))
}

/// The greatest stable version, and the greatest of all. Prereleases between the two are stepped over as the resolver does.
fn greatest(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
) -> Result<(Option<Version>, Option<Version>)> {
    let any = greatest_below(tx, project, model, (&BEHIND_ALL, ""))?;
    let mut stable = any.clone();
    for _ in 0..SKIPPED_RELEASES {
        match &stable {
            Some(found) if found.is_prerelease() => {
                stable = greatest_below(tx, project, model, (&found.release_start(), ""))?;
            }
            Some(_) | None => return Ok((stable, any)),
        }
    }
    Ok((greatest_below(tx, project, model, (&BEHIND_ALL, "AND NOT is_prerelease"))?, any))
}

fn greatest_below(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    (bound, condition): (&[u8], &str),
) -> Result<Option<Version>> {
    tx.query_opt(
        &format!(
            "SELECT version FROM versions
             WHERE project_id = $1 AND model_id = $2 AND deleted_at IS NULL AND precedence < $3 {condition}
             ORDER BY precedence DESC, number DESC
             LIMIT 1"
        ),
        &[&project.0, &model.0, &bound],
        |row| row.get::<String>(0)?.parse(),
    )
}

fn is_taken(tx: &mut Tx<'_>, project: ProjectId, model: ModelId, version: &Version) -> Result<bool> {
    tx.query_one(
        "SELECT EXISTS (SELECT 1 FROM versions
                         WHERE project_id = $1 AND model_id = $2 AND version = $3 AND deleted_at IS NULL)
             OR EXISTS (SELECT 1 FROM published_versions
                         WHERE project_id = $1 AND model_id = $2 AND version = $3)",
        &[&project.0, &model.0, &version.to_string()],
        |row| row.get(0),
    )
}

/// Whether a version of the model was published as `version`, even one that is in the bin by now.
pub(super) fn was_published(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: ModelId,
    version: &Version,
) -> Result<bool> {
    tx.query_one(
        "SELECT EXISTS (SELECT 1 FROM published_versions
                         WHERE project_id = $1 AND model_id = $2 AND version = $3)",
        &[&project.0, &model.0, &version.to_string()],
        |row| row.get(0),
    )
}
