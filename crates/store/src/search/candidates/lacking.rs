//! The phase of an order in which those stand that lack what it is by.
//!
//! No index has them. They stand in the order of their start, so that they are found on the way where they are many. Where
//! they are few, or none, all candidates would be looked at for each page. So it is found out once who they are, and kept
//! among the [`Findings`](super::Findings); from then on only those candidates are looked at that came afterwards.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use modelry_core::Result;
use modelry_core::ids::CandidateId;
use modelry_core::search::entity::CandidateAttribute;
use modelry_db::{Numbers, Tx};

use super::Search;
use super::driver::{self, Driver, Gathered, candidates_by};
use super::findings::{About, Lacking};
use super::order::{Phase, Place, Source};
use super::statement::{Reach, Step};
use crate::search::binds::Binds;
use crate::search::keyset::{self, SortValue, Term};
use crate::{purge, stamps};

/// So many candidates are looked at for some that lack the key, before it is found out who they are.
const TRIED: usize = 1_000;

/// If those are one part of so many of a page, a page is full soon enough. When one part of a list was added to it, it is
/// found out who of all in it still lacks the key.
const PARTS: usize = 8;

/// How many are listed at most.
const MOST: usize = 10_000;

impl Step<'_> {
    /// The first candidates of the phase.
    pub(super) fn lacking(self, tx: &mut Tx<'_>) -> Result<Vec<Place>> {
        match About::of(&self) {
            Some(about) => Lacks { step: self, about, most: MOST }.first(tx),
            None => self.query(tx, Reach::All),
        }
    }
}

impl About {
    /// What those lack that a step is about, if an index has those that do not.
    fn of(step: &Step<'_>) -> Option<Self> {
        let sorting = step.search.sorting;
        let key = match sorting.keys.first()?.source {
            Source::Logged(key) => Some(key),
            Source::Attribute(CandidateAttribute::EndTime) => None,
            Source::Attribute(_) | Source::Nothing => return None,
        };
        let (project, experiment) = (step.search.project, step.experiment.id);
        Some(Self { project, experiment, key, newest_first: sorting.newest_first })
    }
}

/// A step through the phase, and what those lack that are in it.
struct Lacks<'q> {
    step: Step<'q>,
    about: About,
    /// How many are listed at most.
    most: usize,
}

impl Lacks<'_> {
    fn first(&self, tx: &mut Tx<'_>) -> Result<Vec<Place>> {
        let step = self.step;
        let mut known = None;
        if let Some(before) = step.search.lists.get(&self.about) {
            known = self.caught_up(tx, before)?;
        } else {
            let Some(end) = self.ahead(tx, TRIED)? else { return step.query(tx, Reach::All) };
            if self.is_by_one_key() {
                let found = self.first_until(tx, &end)?;
                if found.len() == step.wanted {
                    return Ok(found);
                }
                if found.len() * PARTS >= step.wanted {
                    return step.query(tx, Reach::All);
                }
            }
        }
        if known.is_none() {
            known = self.found_out(tx)?;
        }
        match known {
            Some(known) => self.of_known(tx, &known),
            None => step.query(tx, Reach::All),
        }
    }

    fn is_by_one_key(&self) -> bool {
        self.step.search.sorting.keys.len() == 1
    }

    /// What is found of those that come before `end`.
    fn first_until(&self, tx: &mut Tx<'_>, end: &Place) -> Result<Vec<Place>> {
        let sorting = self.step.search.sorting;
        let before = self.step.before.filter(|before| sorting.compare(before, end).is_lt()).unwrap_or(end);
        Step { before: Some(before), ..self.step }.query(tx, Reach::All)
    }

    /// The place of the candidate so many behind the start, whatever it is like. Reads an index only.
    fn ahead(&self, tx: &mut Tx<'_>, candidates: usize) -> Result<Option<Place>> {
        let mut binds = Binds::default();
        let (project, experiment) =
            (binds.add(self.step.search.project.0), binds.add(self.step.experiment.id.0));
        let terms = self.terms();
        let start = self.step.start().filter(|_| self.is_by_one_key());
        let behind = start.map_or(String::new(), |start| {
            let values = [SortValue::Integer(start.start_time), SortValue::Integer(start.id.0)];
            format!(" AND {}", keyset::behind(&mut binds, &terms, &values))
        });
        let candidates = binds.add(i64::try_from(candidates).unwrap_or(i64::MAX));
        let text = format!(
            "SELECT c.start_time, c.id FROM candidates c
             WHERE c.project_id = {project} AND c.experiment_id = {experiment}{behind}
             ORDER BY {} LIMIT 1 OFFSET {candidates}",
            keyset::order_by(&terms)
        );
        let found = tx.query_opt(&text, &binds.as_params(), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.map(|found| self.place(found)))
    }

    /// The start and the number, in their direction.
    fn terms(&self) -> [Term; 2] {
        let descending = self.step.search.sorting.newest_first;
        ["c.start_time", "c.id"].map(|sql| Term { sql: sql.to_owned(), descending })
    }

    fn place(&self, (start_time, id): (i64, i64)) -> Place {
        let keys =
            self.step.search.sorting.keys.iter().map(|key| (Phase::Missing.rank(), key.source.blank()));
        Place { keys: keys.collect(), start_time, id: CandidateId(id) }
    }

    /// Finds out who lacks the key, and keeps it.
    fn found_out(&self, tx: &mut Tx<'_>) -> Result<Option<Arc<Lacking>>> {
        if purge::is_under_way(tx, self.about.project)? {
            // What is left of candidates that are gone would be counted with what the others logged.
            return Ok(None);
        }
        let horizon = stamps::horizon(tx, self.about.project, self.about.experiment)?;
        let all = driver::count_all(tx, self.step.search, self.step.experiment, i64::MAX)?;
        let lacking = all - driver::count_first(tx, self.step.search, self.step.experiment)?;
        let lacking = usize::try_from(lacking).unwrap_or(0).min(self.most + 1);
        let candidates = if lacking == 0 { Vec::new() } else { self.list(tx, Among::Start, lacking)? };
        let lacking = Lacking { horizon, candidates, frontier: None, added: 0 };
        Ok(Some(self.keep(lacking)))
    }

    /// Adds those to a list that came after it was made, and keeps it; answers `None` where they are too many.
    fn caught_up(&self, tx: &mut Tx<'_>, known: &Arc<Lacking>) -> Result<Option<Arc<Lacking>>> {
        let horizon = stamps::horizon(tx, self.about.project, self.about.experiment)?;
        let mut new = self.list(tx, Among::Stamp(known.horizon), self.most + 1)?;
        if new.len() > self.most {
            return Ok(None);
        }
        if new.is_empty() && horizon == known.horizon {
            return Ok(Some(known.clone()));
        }
        let mut candidates = known.candidates.clone();
        candidates.append(&mut new);
        candidates.sort_unstable_by_key(|candidate| self.rank(*candidate));
        candidates.dedup();
        let mut added = known.added + candidates.len() - known.candidates.len();
        if added > self.most / PARTS {
            let numbers = candidates.iter().map(|(_, id)| *id).collect();
            candidates = self.list(tx, Among::These(Numbers(numbers)), usize::MAX)?;
            candidates.sort_unstable_by_key(|candidate| self.rank(*candidate));
            added = 0;
        }
        let lacking = Lacking { horizon, candidates, frontier: known.frontier, added };
        Ok(Some(self.keep(lacking)))
    }

    /// Keeps a list, of which nothing stands behind its frontier, nor too much ahead of it.
    fn keep(&self, mut lacking: Lacking) -> Arc<Lacking> {
        if let Some(frontier) = lacking.frontier {
            lacking.candidates.retain(|candidate| self.rank(*candidate) <= self.rank(frontier));
        }
        if lacking.candidates.len() > self.most {
            lacking.candidates.truncate(self.most);
            lacking.frontier = lacking.candidates.last().copied();
        }
        let lacking = Arc::new(lacking);
        self.step.search.findings.keep(self.about, lacking.clone());
        lacking
    }

    /// What rises along the order of the phase.
    fn rank(&self, (start_time, id): (i64, i64)) -> (i64, i64) {
        // `!` turns the order round, and knows no overflow.
        if self.step.search.sorting.newest_first { (!start_time, !id) } else { (start_time, id) }
    }

    /// The start and the number of those that lack the key.
    fn list(&self, tx: &mut Tx<'_>, among: Among, most: usize) -> Result<Vec<(i64, i64)>> {
        let (text, binds) = self.list_statement(among, most);
        tx.query(&text, &binds.as_params(), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn list_statement(&self, among: Among, most: usize) -> (String, Binds) {
        let mut binds = Binds::default();
        let (engine, project) = (self.step.search.engine, binds.add(self.step.search.project.0));
        let (from, walk, order) = match among {
            Among::Start => {
                let candidates = candidates_by(engine, CandidateAttribute::StartTime);
                let walk = format!("c.experiment_id = {}", binds.add(self.step.experiment.id.0));
                (candidates, walk, format!(" ORDER BY {}", keyset::order_by(&self.terms())))
            }
            Among::Stamp(stamp) => {
                let experiment = binds.add(self.step.experiment.id.0);
                let walk = format!("c.experiment_id = {experiment} AND c.stamp >= {}", binds.add(stamp));
                (driver::candidates_by_stamp(engine), walk, String::new())
            }
            Among::These(numbers) => {
                let numbers = Numbers::rows(engine, &binds.add(numbers));
                (
                    format!("({numbers}) f CROSS JOIN candidates c"),
                    "c.id = f.number".to_owned(),
                    String::new(),
                )
            }
        };
        let lacks = match self.about.key {
            Some(key) => key.lacked(&mut binds, &project, "c.id"),
            None => "c.end_time IS NULL".to_owned(),
        };
        let most = binds.add(i64::try_from(most).unwrap_or(i64::MAX));
        let text = format!(
            "SELECT c.start_time, c.id FROM {from} WHERE c.project_id = {project} AND {walk} AND {lacks}{order}
             LIMIT {most}"
        );
        (text, binds)
    }

    /// The first candidates of the phase, now that it is known who lacks the key.
    fn of_known(&self, tx: &mut Tx<'_>, known: &Lacking) -> Result<Vec<Place>> {
        if !self.is_by_one_key() {
            // They are put in order by what they have.
            return match known.frontier {
                None => self.among(tx, &known.candidates, self.step.wanted),
                Some(_) => self.step.query(tx, Reach::All),
            };
        }
        let rank = |place: &Place| self.rank((place.start_time, place.id.0));
        let mut rest = known.candidates.as_slice();
        if let Some(before) = self.step.before {
            rest = &rest[..rest.partition_point(|candidate| self.rank(*candidate) < rank(before))];
        }
        if let Some(start) = self.step.start() {
            rest = &rest[rest.partition_point(|candidate| self.rank(*candidate) <= rank(start))..];
        }
        let (mut found, mut next) = (Vec::new(), self.step.wanted);
        while found.len() < self.step.wanted && !rest.is_empty() {
            let (some, others) = rest.split_at(next.min(rest.len()));
            found.append(&mut self.among(tx, some, self.step.wanted - found.len())?);
            (rest, next) = (others, next * 2);
        }
        let Some(frontier) = known.frontier.filter(|_| found.len() < self.step.wanted) else {
            return Ok(found);
        };
        let frontier = self.place(frontier);
        let start = self.step.start().filter(|start| rank(start) > rank(&frontier)).unwrap_or(&frontier);
        let search = Search { start: Some(start), ..self.step.search.clone() };
        let behind = Step { search: &search, wanted: self.step.wanted - found.len(), ..self.step };
        found.append(&mut behind.query(tx, Reach::All)?);
        Ok(found)
    }

    /// What is found among these.
    fn among(&self, tx: &mut Tx<'_>, candidates: &[(i64, i64)], wanted: usize) -> Result<Vec<Place>> {
        let mut numbers: Vec<i64> = candidates.iter().map(|(_, id)| *id).collect();
        numbers.sort_unstable();
        let driver = Driver::Gathered(Gathered { condition: None, numbers: &Numbers(numbers) });
        Step { driver, wanted, ..self.step }.query(tx, Reach::All)
    }
}

/// Among whom those are looked for that lack the key.
enum Among {
    /// All of the experiment, along the start.
    Start,
    /// Those of it with this stamp or a greater one.
    Stamp(i64),
    These(Numbers),
}
