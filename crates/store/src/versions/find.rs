//! Which version? The one answer for every protocol.

#[cfg(test)]
mod plans;

use std::collections::HashMap;

use modelry_core::ids::{ProjectId, VersionId};
use modelry_core::version::requirement::{PrecedenceRange, Requirement};
use modelry_core::version::selector::{Selector, Target};
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::{Param, Tx};

use super::{COLUMNS, FROM, ModelVersion, aliases, not_found, read_row};
use crate::models::Model;
use crate::sql;

/// Rows that a requirement reads at first: the greatest in its range mostly matches.
const FIRST_ROWS: i64 = 1;
/// Rows that it reads at a time from then on, past prereleases of other releases.
const MORE_ROWS: i64 = 100;

/// Models whose versions are asked for a sequence number that is to be no more than named in a message.
const MODELS_ASKED: i64 = 200;

/// Releases of which there are only prereleases, and which are stepped over at once, each by a look-up. Where there are
/// more of them, row by row.
pub(super) const SKIPPED_RELEASES: usize = 16;

/// How many versions a message names where none matches.
const NEAREST: i64 = 3;

/// The version of a model that `selector` asks for.
///
/// Fails with `NotFound` when there is none; for a requirement the message names the greatest versions there are.
pub fn resolve(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    selector: &Selector,
) -> Result<ModelVersion> {
    match selector {
        Selector::Number(number) => get_target(tx, project, model, &Target::Number(*number)),
        Selector::Exact(version) => get_target(tx, project, model, &Target::Exact(version.clone())),
        Selector::Latest => latest(tx, project, model),
        Selector::Requirement(requirement) => by_requirement(tx, project, model, requirement),
        Selector::Stage(stage) => in_stage(tx, project, model, *stage),
        Selector::Alias(alias) => match aliases::target(tx, project, model.id, alias.as_str())? {
            Some(id) => {
                find_by_id(tx, project, id)?.ok_or_else(|| Error::internal("an alias points nowhere"))
            }
            None => match Stage::of_alias(alias) {
                Some(stage) => in_stage(tx, project, model, stage),
                None => Err(Error::not_found(format!("Registered model alias {alias} not found."))),
            },
        },
    }
}

/// The version of a model that a write names. Fails with `NotFound` when there is none.
pub fn get_target(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    target: &Target,
) -> Result<ModelVersion> {
    let found = find_target(tx, project, model, target)?;
    found.ok_or_else(|| not_found(&model.name, target))
}

/// As [`get_target`], where there need not be one.
pub(crate) fn find_target(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    target: &Target,
) -> Result<Option<ModelVersion>> {
    match target {
        Target::Number(number) => one_of(tx, project, model, "AND v.number = $3", "", &[number]),
        Target::Exact(version) => {
            one_of(tx, project, model, "AND v.version = $3", "", &[&version.to_string()])
        }
    }
}

/// The version of this number, unless it or its model is in the bin.
pub fn find_by_id(tx: &mut Tx<'_>, project: ProjectId, id: VersionId) -> Result<Option<ModelVersion>> {
    tx.query_opt(
        &format!(
            "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.id = $2
                AND v.deleted_at IS NULL AND m.deleted_at IS NULL"
        ),
        &[&project.0, &id.0],
        read_row,
    )
}

/// The greatest stable version; with none, the greatest prerelease; with nothing published, the greatest draft that
/// has files.
fn latest(tx: &mut Tx<'_>, project: ProjectId, model: &Model) -> Result<ModelVersion> {
    if let Some(found) = greatest_stable(tx, project, model, PrecedenceRange::default())? {
        return Ok(found);
    }
    let choices = [
        "AND v.published_at IS NOT NULL AND v.yanked_at IS NULL",
        "AND v.published_at IS NULL AND v.yanked_at IS NULL AND EXISTS (SELECT 1 FROM files f
                      WHERE f.project_id = v.project_id AND f.owner = 1 AND f.owner_id = v.candidate_id
                        AND (v.draft_dir IS NULL OR f.path = v.draft_dir
                             OR (f.path > v.draft_dir || '/' AND f.path < v.draft_dir || '0')))",
    ];
    for condition in choices {
        if let Some(found) = one_of(tx, project, model, condition, GREATEST_FIRST, &[])? {
            return Ok(found);
        }
    }
    Err(Error::not_found(format!("model {} has no version yet that has files", model.name)))
}

fn by_requirement(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    requirement: &Requirement,
) -> Result<ModelVersion> {
    let mut range = requirement.range();
    let (mut rows, conditions) = if requirement.names_prerelease() {
        (FIRST_ROWS, ON_OFFER)
    } else {
        match greatest_stable(tx, project, model, range.clone())? {
            Some(found) if requirement.matches(&found.version) => return Ok(found),
            Some(found) => range.to = Some(found.version.precedence()),
            None => return Err(no_match(tx, project, model, requirement)?),
        }
        (MORE_ROWS, STABLE_ON_OFFER)
    };
    loop {
        let found = greatest_in(tx, project, model, (conditions, &range), rows)?;
        let last = found.last().map(|last| last.version.precedence());
        let is_end = i64::try_from(found.len()).is_ok_and(|found| found < rows);
        if let Some(found) = found.into_iter().find(|found| requirement.matches(&found.version)) {
            return Ok(found);
        }
        if is_end {
            return Err(no_match(tx, project, model, requirement)?);
        }
        // What has the precedence of the last one matches no more than that does.
        range.to = last;
        rows = MORE_ROWS;
    }
}

/// The greatest stable version of a model in a range that ranges find. All prereleases of a release that are greater are
/// stepped over at once: there may be one for every night.
fn greatest_stable(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    mut range: PrecedenceRange,
) -> Result<Option<ModelVersion>> {
    for _ in 0..SKIPPED_RELEASES {
        match greatest_in(tx, project, model, (ON_OFFER, &range), 1)?.pop() {
            Some(found) if found.version.is_prerelease() => range.to = Some(found.version.release_start()),
            found => return Ok(found),
        }
    }
    Ok(greatest_in(tx, project, model, (STABLE_ON_OFFER, &range), 1)?.pop())
}

/// Up to `limit` of a model's versions in a range that satisfy `conditions`, the greatest first.
fn greatest_in(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    (conditions, range): (&str, &PrecedenceRange),
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    let mut conditions = conditions.to_owned();
    let mut params: Vec<&dyn Param> = vec![&project.0, &model.id.0];
    for (sign, bound) in [(">=", &range.from), ("<", &range.to)] {
        if let Some(bound) = bound {
            params.push(bound);
            conditions = format!("{conditions} AND v.precedence {sign} ${}", params.len());
        }
    }
    params.push(&limit);
    let sql = format!("{} LIMIT ${}", select(&conditions, GREATEST_FIRST), params.len());
    tx.query(&sql, &params, read_row)
}

fn no_match(tx: &mut Tx<'_>, project: ProjectId, model: &Model, requirement: &Requirement) -> Result<Error> {
    let nearest = tx.query(
        &format!("{} LIMIT {NEAREST}", select(ON_OFFER, GREATEST_FIRST)),
        &[&project.0, &model.id.0],
        |row| Ok(read_row(row)?.version.to_string()),
    )?;
    let there_are = match nearest.as_slice() {
        [] => "it has no published version".to_owned(),
        versions => format!("its greatest are {}", versions.join(", ")),
    };
    Ok(Error::not_found(format!("no version of model {} matches {requirement}: {there_are}", model.name)))
}

fn in_stage(tx: &mut Tx<'_>, project: ProjectId, model: &Model, stage: Stage) -> Result<ModelVersion> {
    let found = by_stage(tx, project, model, stage)?;
    found.ok_or_else(|| {
        Error::not_found(format!("model {} has no published version in the stage {stage}", model.name))
    })
}

/// The greatest published version of a model in a stage.
pub fn by_stage(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    stage: Stage,
) -> Result<Option<ModelVersion>> {
    let condition = format!("AND v.stage = $3 {ON_OFFER}");
    one_of(tx, project, model, &condition, GREATEST_FIRST, &[&stage.as_str()])
}

/// The last made version of this sequence number, of whatever model. Only the models that were made last are asked, as no
/// index has numbers without their model.
pub fn newest_numbered(tx: &mut Tx<'_>, project: ProjectId, number: i64) -> Result<Option<ModelVersion>> {
    tx.query_opt(&of_models_numbered(), &[&project.0, &number, &MODELS_ASKED], read_row)
}

/// Looks the number `$2` up in each of the `$3` last models of the project `$1`.
fn of_models_numbered() -> String {
    format!(
        "SELECT {COLUMNS}
           FROM (SELECT project_id, id, name FROM models
                  WHERE project_id = $1 AND deleted_at IS NULL
                  ORDER BY id DESC LIMIT $3) m
          CROSS JOIN versions v
          WHERE v.project_id = $1 AND v.model_id = m.id AND v.number = $2 AND v.deleted_at IS NULL
          ORDER BY v.id DESC LIMIT 1"
    )
}

/// The greatest published version of the same model that comes before `version` by SemVer.
pub fn predecessor(
    tx: &mut Tx<'_>,
    project: ProjectId,
    version: &ModelVersion,
) -> Result<Option<ModelVersion>> {
    let conditions = "AND v.precedence < $3 AND v.published_at IS NOT NULL";
    tx.query_opt(
        &select(conditions, GREATEST_FIRST),
        &[&project.0, &version.model_id.0, &version.version.precedence()],
        read_row,
    )
}

/// Up to `limit` versions of a model, the last made first, those below sequence number `before`.
pub fn list_newest(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ModelVersion>> {
    let sql = format!("{} LIMIT $4", select("AND v.number < $3", "ORDER BY v.number DESC"));
    tx.query(&sql, &[&project.0, &model.id.0, &before.unwrap_or(i64::MAX), &limit], read_row)
}

/// Which versions, by model and number, were made from each of these logged models.
pub fn of_logged_models(
    tx: &mut Tx<'_>,
    project: ProjectId,
    eids: &[String],
) -> Result<HashMap<String, Vec<(String, i64)>>> {
    let mut all: HashMap<String, Vec<(String, i64)>> = HashMap::new();
    for eids in eids.chunks(100) {
        let places = sql::placeholders(2, eids.len());
        let mut params: Vec<&dyn Param> = vec![&project.0];
        params.extend(eids.iter().map(|eid| eid as &dyn Param));
        tx.query_each(
            &format!(
                "SELECT v.logged_model_eid, m.name, v.number {FROM}
                    AND v.project_id = $1
                    AND v.id IN (SELECT i.id FROM versions i
                                  WHERE i.project_id = $1 AND i.logged_model_eid IN ({places}))
                    AND v.deleted_at IS NULL AND m.deleted_at IS NULL
                  ORDER BY v.id"
            ),
            &params,
            |row| {
                all.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
                Ok(())
            },
        )?;
    }
    Ok(all)
}

/// What ranges and stages find.
const ON_OFFER: &str = "AND v.published_at IS NOT NULL AND v.yanked_at IS NULL";

/// As [`ON_OFFER`], without prereleases.
const STABLE_ON_OFFER: &str =
    "AND v.published_at IS NOT NULL AND v.yanked_at IS NULL AND NOT v.is_prerelease";

/// Greatest by SemVer's precedence, and of equal ones the last made.
const GREATEST_FIRST: &str = "ORDER BY v.precedence DESC, v.number DESC";

fn select(conditions: &str, order: &str) -> String {
    format!(
        "SELECT {COLUMNS} {FROM} AND v.project_id = $1 AND v.model_id = $2 AND v.deleted_at IS NULL
         {conditions} {order}"
    )
}

/// The first of a model's versions; `conditions` may use `$3` and on for `params`.
fn one_of(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    conditions: &str,
    order: &str,
    params: &[&dyn Param],
) -> Result<Option<ModelVersion>> {
    let mut all: Vec<&dyn Param> = vec![&project.0, &model.id.0];
    all.extend(params);
    // Said outright, because PostgreSQL would send the other rows, too, and plan for all of them.
    tx.query_opt(&format!("{} LIMIT 1", select(conditions, order)), &all, read_row)
}
