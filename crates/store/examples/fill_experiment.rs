//! Fills an experiment with candidates whose data follows from their place in the row: 10 metrics, 10 params and 3
//! metadata each; one in a hundred failed. It writes through the functions that the server writes through, many candidates
//! to a transaction, so what it leaves is what the same calls over HTTP would leave. Meanwhile most indexes are away, and
//! each is made at once at the end. `bench/grow` runs it while no server is running.
//!
//! ```text
//! fill_experiment <SQLite file | PostgreSQL URL> <project> <experiment> <first> <end>
//! ```

use std::env;
use std::process::ExitCode;
use std::sync::Arc;

use modelry_core::ids::{CandidateId, Eid, ExperimentId, KeyId, ProjectId};
use modelry_core::points::Point;
use modelry_core::points::tail::PointsByKey;
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::{Db, Engine, PostgresOptions, SqliteOptions, Tx};
use modelry_store::candidates::{self, Changes, Entry, NewCandidate};
use modelry_store::ids::{Ids, Series};
use modelry_store::keys::Keys;
use modelry_store::metrics::{self, Tails};
use tokio::task::JoinSet;

const USAGE: &str =
    "usage: fill_experiment <SQLite file | PostgreSQL URL> <project> <experiment> <first> <end>";

/// Candidates in one transaction: with the rows of their data, less than the 1,000 that one may touch.
const AT_ONCE: i64 = 25;

/// Transactions under way at a time; SQLite commits them together.
const UNDER_WAY: usize = 8;

/// When the first candidate started; each further one starts a second later.
const START: i64 = 1_700_000_000_000;

/// How many values each param has, but for the last, which has one of its own for each candidate.
const PARAM_VALUES: [u64; 9] = [2, 20, 20, 100, 100, 1_000, 1_000, 10_000, 10_000];

#[tokio::main]
async fn main() -> ExitCode {
    match run(env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.message());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<()> {
    let [place, numbers @ ..] = arguments.as_slice() else { return Err(Error::invalid(USAGE)) };
    let numbers = numbers.iter().map(|text| text.parse::<i64>()).collect::<std::result::Result<Vec<_>, _>>();
    let Ok([project, experiment, first, end]) = numbers.as_deref() else {
        return Err(Error::invalid(USAGE));
    };
    let db = open(place).await?;
    let ids = Ids::new(db.clone());
    let target = Target::new(&db, &ids, ProjectId(*project), ExperimentId(*experiment)).await?;
    let indexes = db.write(drop_indexes).await?;
    fill(&db, &ids, &Arc::new(target), (*first, *end)).await?;
    for index in indexes {
        db.write(move |tx| tx.execute(&index, &[])).await?;
    }
    db.close().await;
    Ok(())
}

async fn open(place: &str) -> Result<Db> {
    if place.contains('=') || place.contains("://") {
        return Db::open_postgres(PostgresOptions::new(place)).await;
    }
    Db::open_sqlite(SqliteOptions::new(place))
}

/// Drops the indexes of what is filled, but for those that say what is there once and the one from which a candidate takes
/// its stamp, and answers what makes them again.
fn drop_indexes(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    const TABLES: &str = "('candidates', 'params', 'metadata', 'metric_latest')";
    let list = match tx.engine() {
        Engine::Sqlite => {
            format!(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name IN {TABLES} AND sql IS NOT NULL"
            )
        }
        Engine::Postgres => format!(
            "SELECT CAST(indexname AS TEXT), indexdef FROM pg_indexes
             WHERE schemaname = current_schema() AND tablename IN {TABLES}"
        ),
    };
    let indexes = tx.query(&list, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    let may_go = |name: &str, sql: &str| sql.starts_with("CREATE INDEX") && name != "candidates_by_stamp";
    let indexes: Vec<_> = indexes.into_iter().filter(|(name, sql)| may_go(name, sql)).collect();
    for (name, _) in &indexes {
        tx.execute(&format!("DROP INDEX {name}"), &[])?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}

/// Where candidates go, and the numbers of their keys.
struct Target {
    project: ProjectId,
    experiment: ExperimentId,
    metrics: Vec<KeyId>,
    params: Vec<(KeyId, String)>,
    metadata: Vec<(KeyId, String)>,
    tails: Tails,
}

impl Target {
    async fn new(db: &Db, ids: &Ids, project: ProjectId, experiment: ExperimentId) -> Result<Self> {
        let keys = Keys::default();
        let metrics: Vec<String> = (0..10).map(|number| format!("m{number}")).collect();
        let params: Vec<String> = (0..10).map(|number| format!("p{number}")).collect();
        let metadata = ["team", "host", "commit", "mlflow.runName"].map(str::to_owned).to_vec();
        let number = async |names: &[String]| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            keys.intern(db, ids, project, &names).await
        };
        Ok(Self {
            project,
            experiment,
            metrics: number(&metrics).await?,
            params: number(&params).await?.into_iter().zip(params).collect(),
            metadata: number(&metadata).await?.into_iter().zip(metadata).collect(),
            tails: Tails::default(),
        })
    }
}

/// A candidate with all that is written of it.
struct Candidate {
    new: NewCandidate,
    tail_row: i64,
    points: PointsByKey,
    params: Vec<Entry>,
    metadata: Vec<Entry>,
    status: CandidateStatus,
}

async fn fill(db: &Db, ids: &Ids, target: &Arc<Target>, (first, end): (i64, i64)) -> Result<()> {
    let mut under_way = JoinSet::new();
    let mut next = first;
    while next < end || !under_way.is_empty() {
        if next < end && under_way.len() < UNDER_WAY {
            let mut some = Vec::new();
            for number in next..end.min(next + AT_ONCE) {
                let id = CandidateId(ids.next(target.project, Series::Candidate).await?);
                some.push(candidate(target, ids, number, id));
            }
            next += AT_ONCE;
            let (db, target) = (db.clone(), target.clone());
            under_way.spawn(async move {
                db.append(move |tx| some.iter().try_for_each(|one| insert(tx, &target, one))).await
            });
        } else if let Some(done) = under_way.join_next().await {
            done.expect("no task panics")?;
        }
    }
    Ok(())
}

/// The candidate at this place in the row.
fn candidate(target: &Target, ids: &Ids, number: i64, id: CandidateId) -> Candidate {
    let mut chance = Chance(number.cast_unsigned());
    let start = Timestamp(START + number * 1_000);
    let mut eid = [0; 10];
    eid[..8].copy_from_slice(&chance.next().to_be_bytes());
    let name = format!("run-{number}");
    let points = points(target, &mut chance, start);
    let params = params(target, &mut chance);
    let metadata = [
        format!("team-{}", chance.below(10)),
        format!("host-{}", chance.below(100)),
        chance.hex(),
        name.clone(),
    ];
    let metadata = target.metadata.iter().zip(metadata);
    Candidate {
        new: NewCandidate {
            id,
            eid: Eid::new(start, eid),
            experiment_id: target.experiment,
            name,
            user_name: "bench".to_owned(),
            creator_id: None,
            start_time: start.ms(),
            created_at: start,
        },
        tail_row: ids.append_id(start, 0),
        points,
        params,
        metadata: metadata
            .map(|((key, name), value)| Entry { key: *key, name: name.clone(), value })
            .collect(),
        status: if number % 100 == 7 { CandidateStatus::Failed } else { CandidateStatus::Finished },
    }
}

/// A point of each metric. The last metric falls as the one before it rises, so that the two have no high values in common;
/// and the one before those is above 0.9 only where the last one is in its lower half.
fn points(target: &Target, chance: &mut Chance, at: Timestamp) -> PointsByKey {
    let mut values: Vec<f64> = target.metrics.iter().map(|_| chance.fraction()).collect();
    if let [.., spread, before, last] = values.as_mut_slice() {
        *last = 1.0 - *before;
        if *last >= 0.5 {
            *spread *= 0.9;
        }
    }
    let point = |value| vec![Point::new(at.ms(), 1, value)];
    target.metrics.iter().copied().zip(values.into_iter().map(point)).collect()
}

fn params(target: &Target, chance: &mut Chance) -> Vec<Entry> {
    let counts = PARAM_VALUES.into_iter().map(Some).chain([None]);
    let entry = |((key, name), count): (&(KeyId, String), Option<u64>)| {
        let value = match count {
            Some(count) => chance.below(count).to_string(),
            None => chance.hex(),
        };
        Entry { key: *key, name: name.clone(), value }
    };
    target.params.iter().zip(counts).map(entry).collect()
}

/// Writes what `runs/create`, `runs/log-batch` and `runs/update` write.
fn insert(tx: &mut Tx<'_>, target: &Target, candidate: &Candidate) -> Result<()> {
    let (project, eid) = (target.project, &candidate.new.eid);
    let place = candidates::insert(tx, project, &candidate.new)?.place(project);
    candidates::log_params(tx, place, eid, &candidate.params)?;
    metrics::append(tx, &target.tails, place, candidate.tail_row, &candidate.points)?;
    candidates::set_metadata(tx, place, &candidate.metadata)?;
    let changes = Changes {
        status: Some(candidate.status),
        end_time: Some(candidate.new.start_time + 500),
        ..Changes::default()
    };
    candidates::update(tx, project, eid, &changes)?;
    Ok(())
}

/// Numbers that look random and follow from a seed (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 up to 1.
    fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).expect("32 bits are left");
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    fn hex(&mut self) -> String {
        format!("{:016x}", self.next())
    }
}
