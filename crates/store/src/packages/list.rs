//! The list of packages: versions and candidates, each by falling numbers, merged by when they were made.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;

use modelry_core::ids::{ExperimentId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::{CANDIDATE_COLUMNS, CANDIDATE_FROM, FoundCandidate, Package, read_candidate};
use crate::versions::{self, ModelVersion};
use crate::{models, sql};

/// Rows that are read at a time.
const BATCH: i64 = 50;

/// Packages that one page looks at, so that a search that hardly anything fits does not read for long.
pub const MOST_LOOKED_AT: usize = 2_000;

/// One of the two kinds of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a version.
    Version,
    /// Of a candidate.
    Candidate,
}

/// Which packages to list.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only these; both where it is `None`.
    pub kind: Option<Kind>,
    /// Only those whose name contains this, in any case.
    pub part: String,
}

/// A place in the list: the last version and the last candidate before it, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    version: i64,
    candidate: i64,
}

impl Position {
    /// Where the list starts.
    pub const START: Self = Self { version: i64::MAX, candidate: i64::MAX };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.candidate)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('.').and_then(|(version, candidate)| {
            Some(Self { version: version.parse().ok()?, candidate: candidate.parse().ok()? })
        });
        numbers.ok_or_else(|| Error::invalid(format!("`after` is what a `Link` says, not `{text}`")))
    }
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// The packages, the newest first.
    pub packages: Vec<Package>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Position>,
}

/// Up to `limit` packages after a place, the newest first.
///
/// There may be fewer of them, and still a next page: a page looks at [`MOST_LOOKED_AT`] at most.
pub fn list(
    tx: &mut Tx<'_>,
    project: ProjectId,
    wanted: &Wanted,
    after: Position,
    limit: usize,
) -> Result<Listing> {
    let part = wanted.part.to_lowercase();
    let mut versions = Stream::new(wanted.kind != Some(Kind::Candidate), after.version);
    let mut candidates = Stream::new(wanted.kind != Some(Kind::Version), after.candidate);
    let mut packages = Vec::new();
    for _ in 0..MOST_LOOKED_AT {
        versions.fill(|before| read_versions(tx, project, before))?;
        candidates.fill(|before| read_candidates(tx, project, before))?;
        let newest = match (versions.head(), candidates.head()) {
            (None, None) => return Ok(Listing { packages, next: None }),
            (version, candidate) if version >= candidate => &mut versions,
            _ => &mut candidates,
        };
        if packages.len() == limit {
            break;
        }
        packages.extend(newest.take().filter(|package| package.name.to_lowercase().contains(&part)));
    }
    let next = Position { version: versions.before, candidate: candidates.before };
    Ok(Listing { packages, next: Some(next) })
}

/// What lies at a number: a package, or nothing that counts as one any more.
struct Looked {
    number: i64,
    package: Option<Package>,
}

/// Packages of one kind, by falling numbers.
struct Stream {
    rows: VecDeque<Looked>,
    /// The number of the one that was taken last.
    before: i64,
    has_more: bool,
}

impl Stream {
    fn new(is_wanted: bool, before: i64) -> Self {
        Self { rows: VecDeque::new(), before, has_more: is_wanted }
    }

    /// Sees to it that there is a first row, if there is any.
    fn fill(&mut self, read: impl FnOnce(i64) -> Result<Vec<Looked>>) -> Result<()> {
        if self.rows.is_empty() && self.has_more {
            self.rows = read(self.before)?.into();
            self.has_more = i64::try_from(self.rows.len()).is_ok_and(|rows| rows == BATCH);
        }
        Ok(())
    }

    /// When the first one was made; what is no package goes first, to be out of the way.
    fn head(&self) -> Option<Timestamp> {
        let first = self.rows.front()?;
        Some(first.package.as_ref().map_or(Timestamp(i64::MAX), |package| package.created_at))
    }

    fn take(&mut self) -> Option<Package> {
        let first = self.rows.pop_front()?;
        self.before = first.number;
        first.package
    }
}

fn read_versions(tx: &mut Tx<'_>, project: ProjectId, before: i64) -> Result<Vec<Looked>> {
    tx.query(&versions_below(), &[&project.0, &before, &BATCH], |row| {
        let version: ModelVersion = versions::read_row(row)?;
        let is_package: bool = row.get(versions::COLUMN_COUNT)?;
        let number = version.id.0;
        Ok(Looked { number, package: is_package.then(|| Package::of_version(version)) })
    })
}

/// The versions of a project below a number, and whether each of them is a package.
fn versions_below() -> String {
    let (columns, from) = (versions::COLUMNS, versions::FROM);
    format!(
        "SELECT {columns}, v.deleted_at IS NULL AND m.deleted_at IS NULL AND NOT m.is_prompt {from}
            AND v.project_id = $1 AND v.id < $2
          ORDER BY v.id DESC
          LIMIT $3"
    )
}

/// The numbers of candidates that have files, below a number: each is found behind the one before, so that no file but
/// the first of each is read.
const OWNERS_BELOW: &str = "WITH RECURSIVE owners (id, place) AS (
        SELECT max(owner_id), CAST(1 AS BIGINT) FROM files WHERE project_id = $1 AND owner = 1 AND owner_id < $2
        UNION ALL
        SELECT (SELECT max(f.owner_id) FROM files f
                 WHERE f.project_id = $1 AND f.owner = 1 AND f.owner_id < o.id), o.place + 1
          FROM owners o WHERE o.id IS NOT NULL AND o.place < $3)
     SELECT id FROM owners WHERE id IS NOT NULL ORDER BY id DESC";

fn read_candidates(tx: &mut Tx<'_>, project: ProjectId, before: i64) -> Result<Vec<Looked>> {
    let owners: Vec<i64> = tx.query(OWNERS_BELOW, &[&project.0, &before, &BATCH], |row| row.get(0))?;
    let mut found = find_candidates(tx, project, &owners)?;
    let mut models: HashMap<ExperimentId, Option<String>> = HashMap::new();
    let mut rows = Vec::with_capacity(owners.len());
    for number in owners {
        let candidate = found.remove(&number).filter(|candidate| candidate.is_active);
        let package = match candidate {
            Some(candidate) => {
                let experiment = candidate.experiment_id;
                let model = match models.entry(experiment) {
                    Entry::Occupied(known) => known.get().clone(),
                    Entry::Vacant(free) => {
                        free.insert(models::of_experiment(tx, project, experiment)?).clone()
                    }
                };
                Some(candidate.package(model))
            }
            None => None,
        };
        rows.push(Looked { number, package });
    }
    Ok(rows)
}

fn find_candidates(
    tx: &mut Tx<'_>,
    project: ProjectId,
    numbers: &[i64],
) -> Result<HashMap<i64, FoundCandidate>> {
    let mut found = HashMap::with_capacity(numbers.len());
    for chunk in sql::padded(numbers) {
        let places = sql::placeholders(2, chunk.len());
        tx.query_each(
            &format!(
                "SELECT {CANDIDATE_COLUMNS} {CANDIDATE_FROM} AND c.project_id = $1 AND c.id IN ({places})"
            ),
            &sql::bind(&[&project.0], &chunk),
            |row| {
                let candidate = read_candidate(row)?;
                found.insert(candidate.id.0, candidate);
                Ok(())
            },
        )?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use modelry_testkit::{Schema, sqlite};

    use super::*;

    /// SQLite's plan for a statement on project, number and limit.
    async fn plan(statement: String) -> String {
        let database = sqlite(Schema::Product).await;
        let db = database.db();
        let steps = db.read(move |tx| {
            tx.query(&format!("EXPLAIN QUERY PLAN {statement}"), &[&1_i64, &9_i64, &BATCH], |row| {
                row.get::<String>(3)
            })
        });
        let steps = steps.await.expect("the statement has a plan").join("\n");
        database.finish().await;
        steps
    }

    #[tokio::test]
    async fn versions_are_walked_by_falling_numbers() {
        insta::assert_snapshot!(plan(versions_below()).await, @r"
    SEARCH v USING PRIMARY KEY (project_id=? AND id<?)
    SEARCH m USING PRIMARY KEY (project_id=? AND id=?)
    ");
    }

    #[tokio::test]
    async fn candidates_with_files_are_found_one_behind_the_other() {
        insta::assert_snapshot!(plan(OWNERS_BELOW.to_owned()).await, @r"
    CO-ROUTINE owners
    SETUP
    SEARCH files USING PRIMARY KEY (project_id=? AND owner=? AND owner_id<?)
    RECURSIVE STEP
    SCAN o
    CORRELATED SCALAR SUBQUERY 2
    SEARCH f USING PRIMARY KEY (project_id=? AND owner=? AND owner_id<?)
    SCAN owners
    USE TEMP B-TREE FOR ORDER BY
    ");
    }

    #[test]
    fn a_position_reads_back() {
        for position in [Position::START, Position { version: 1_000_007, candidate: 3 }] {
            assert_eq!(position.to_string().parse::<Position>().expect("a position"), position);
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in ["", "1", "1.", ".1", "a.b", "1.2.3"] {
            let refused = text.parse::<Position>().expect_err(text);
            assert!(refused.message().contains("`after` is what a `Link` says"), "{text}");
        }
    }
}
