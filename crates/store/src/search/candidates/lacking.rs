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
use super::driver::{self, Driver, FEW, Gathered, candidates_by};
use super::findings::{About, Lacking};
use super::order::{Phase, Place, Source};
use super::statement::{Reach, Step};
use crate::search::binds::Binds;
use crate::search::keyset::{self, SortValue, Term};
use crate::{purge, sql, stamps};

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
        let listed = step.search.known.lists.get(&self.about);
        if listed.is_none() || step.before.is_some() {
            let Some(end) = self.ahead(tx, TRIED)? else { return step.query(tx, Reach::All) };
            if self.is_by_one_key() {
                let is_over =
                    step.before.is_some_and(|before| step.search.sorting.compare(before, &end).is_le());
                let until = if is_over { step.before } else { Some(&end) };
                let found = Step { before: until, ..step }.query(tx, Reach::All)?;
                if is_over || found.len() == step.wanted {
                    return Ok(found);
                }
                if listed.is_none() && found.len() * PARTS >= step.wanted.min(TRIED) {
                    return step.query(tx, Reach::All);
                }
            }
        }
        let mut known = None;
        if let Some(listed) = listed {
            known = self.caught_up(tx, listed)?;
        }
        if known.is_none() {
            known = self.found_out(tx)?;
        }
        let Some(known) = known else { return step.query(tx, Reach::All) };
        self.of_known(tx, known)
    }

    fn is_by_one_key(&self) -> bool {
        self.step.search.sorting.keys.len() == 1
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
        if horizon < known.horizon || self.count_since(tx, known.horizon)? > FEW {
            // It is another server than before, or quicker to find out anew.
            return Ok(None);
        }
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
            candidates = self.still(tx, &candidates)?;
            added = 0;
        }
        let lacking = Lacking { horizon, candidates, frontier: known.frontier, added };
        Ok(Some(self.keep(lacking)))
    }

    /// How many came since, whether or not they lack the key, counted up to one more than [`FEW`].
    fn count_since(&self, tx: &mut Tx<'_>, stamp: i64) -> Result<i64> {
        let mut binds = Binds::default();
        let rows = format!(
            "{} WHERE c.project_id = {} AND c.experiment_id = {} AND c.stamp >= {}",
            driver::candidates_by_stamp(self.step.search.engine),
            binds.add(self.about.project.0),
            binds.add(self.about.experiment.0),
            binds.add(stamp),
        );
        driver::capped_count(tx, binds, &rows, FEW + 1)
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
        self.step.search.known.findings.keep(self.about, lacking.clone());
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
                let experiment = binds.add(self.step.experiment.id.0);
                let walk = format!("c.project_id = {project} AND c.experiment_id = {experiment}");
                (candidates, walk, format!(" ORDER BY {}", keyset::order_by(&self.terms())))
            }
            Among::Stamp(stamp) => {
                let experiment = binds.add(self.step.experiment.id.0);
                let stamp = binds.add(stamp);
                let walk = format!(
                    "c.project_id = {project} AND c.experiment_id = {experiment} AND c.stamp >= {stamp}"
                );
                (driver::candidates_by_stamp(engine), walk, String::new())
            }
            Among::These(numbers) => {
                let numbers = Numbers::rows(engine, &binds.add(numbers));
                let probe = format!("c.project_id = {project} AND c.id = f.number");
                let (candidate, condition) = sql::look_up(engine, ("candidates", "c"), probe);
                (format!("({numbers}) f CROSS JOIN {candidate}"), condition, String::new())
            }
        };
        let lacks = match self.about.key {
            Some(key) => key.lacked(&mut binds, &project, "c.id"),
            None => "c.end_time IS NULL".to_owned(),
        };
        let most = binds.add(i64::try_from(most).unwrap_or(i64::MAX));
        let text =
            format!("SELECT c.start_time, c.id FROM {from} WHERE {walk} AND {lacks}{order} LIMIT {most}");
        (text, binds)
    }

    /// The list without those that have the key by now, if they are many. If there may be more behind it, it is found out
    /// anew who lacks the key.
    fn renewed(&self, tx: &mut Tx<'_>, known: &Lacking) -> Result<Option<Arc<Lacking>>> {
        let candidates = self.still(tx, &known.candidates)?;
        if (known.candidates.len() - candidates.len()) * PARTS < known.candidates.len() {
            // They are in the bin.
            return Ok(None);
        }
        match known.frontier {
            Some(_) => self.found_out(tx),
            None => Ok(Some(self.keep(Lacking { candidates, frontier: None, added: 0, ..*known }))),
        }
    }

    /// Those of a list that lack the key.
    fn still(&self, tx: &mut Tx<'_>, candidates: &[(i64, i64)]) -> Result<Vec<(i64, i64)>> {
        let numbers = candidates.iter().map(|(_, id)| *id).collect();
        let mut still = self.list(tx, Among::These(Numbers(numbers)), usize::MAX)?;
        still.sort_unstable_by_key(|candidate| self.rank(*candidate));
        Ok(still)
    }

    /// The first candidates of the phase, now that it is known who lacks the key.
    fn of_known(&self, tx: &mut Tx<'_>, mut known: Arc<Lacking>) -> Result<Vec<Place>> {
        if !self.is_by_one_key() {
            // They are put in order by what they have.
            return match known.frontier {
                None => self.among(tx, &known.candidates, self.step.wanted),
                Some(_) => self.step.query(tx, Reach::All),
            };
        }
        let (mut found, looked_at) = self.of_list(tx, &known)?;
        let is_about_all = self.step.search.plan.conditions.is_empty();
        if is_about_all
            && looked_at > (found.len() + 1) * PARTS
            && let Some(renewed) = self.renewed(tx, &known)?
        {
            known = renewed;
            found = self.of_list(tx, &known)?.0;
        }
        let Some(frontier) = known.frontier.filter(|_| found.len() < self.step.wanted) else {
            return Ok(found);
        };
        let (frontier, rank) =
            (self.place(frontier), |place: &Place| self.rank((place.start_time, place.id.0)));
        let start = self.step.start().filter(|start| rank(start) > rank(&frontier)).unwrap_or(&frontier);
        let search = Search { start: Some(start), ..self.step.search.clone() };
        let behind = Step { search: &search, wanted: self.step.wanted - found.len(), ..self.step };
        found.append(&mut behind.query(tx, Reach::All)?);
        Ok(found)
    }

    /// What is found among those of a list, and how many of these were looked at.
    fn of_list(&self, tx: &mut Tx<'_>, known: &Lacking) -> Result<(Vec<Place>, usize)> {
        let rank = |place: &Place| self.rank((place.start_time, place.id.0));
        let mut rest = known.candidates.as_slice();
        if let Some(before) = self.step.before {
            rest = &rest[..rest.partition_point(|candidate| self.rank(*candidate) < rank(before))];
        }
        if let Some(start) = self.step.start() {
            rest = &rest[rest.partition_point(|candidate| self.rank(*candidate) <= rank(start))..];
        }
        let (mut found, mut looked_at, mut next) = (Vec::new(), 0, self.step.wanted);
        while found.len() < self.step.wanted && !rest.is_empty() {
            let (some, others) = rest.split_at(next.min(rest.len()));
            found.append(&mut self.among(tx, some, self.step.wanted - found.len())?);
            looked_at += some.len();
            (rest, next) = (others, next * 2);
        }
        Ok((found, looked_at))
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
