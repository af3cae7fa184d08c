//! What tests search: 48 candidates in four experiments of project 1, with ties, NaN, gaps and long texts.

use std::collections::BTreeMap;

use modelry_core::Result;
use modelry_core::ids::{CandidateId, DatasetId, Eid, ExperimentId, KeyId, ProjectId};
use modelry_core::points::Point;
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_db::{Db, Tx};
use modelry_store::candidates::{self, Changes, Entry, NewCandidate};
use modelry_store::datasets::{self, CONTEXT_TAG, Dataset, NewInput};
use modelry_store::experiments::{self, Experiment};
use modelry_store::ids::Ids;
use modelry_store::keys::Keys;
use modelry_store::metrics::{self, Tails};

/// The time of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// The project of every test.
pub(crate) const PROJECT: ProjectId = ProjectId(1);

/// The experiments: 1 keeps its artifacts elsewhere, 2 is deleted, 3 is empty.
pub(crate) const EXPERIMENTS: [ExperimentId; 4] =
    [ExperimentId(0), ExperimentId(1), ExperimentId(2), ExperimentId(3)];

/// The one that is deleted.
pub(crate) const DELETED: ExperimentId = ExperimentId(2);

/// How many candidates there are.
pub(crate) const COUNT: i64 = 48;

/// All names of metrics, params and metadata, which are the keys 1, 2, ... in this order.
const KEYS: [&str; 5] = ["loss", "acc", "lr", "optimizer", "team"];

/// One candidate, as the reference knows it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) number: i64,
    pub(crate) experiment: ExperimentId,
    pub(crate) name: String,
    pub(crate) user: &'static str,
    pub(crate) status: CandidateStatus,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    pub(crate) deleted: bool,
    pub(crate) metrics: BTreeMap<&'static str, f64>,
    pub(crate) params: BTreeMap<&'static str, String>,
    pub(crate) metadata: BTreeMap<&'static str, String>,
    /// Name, digest and context.
    pub(crate) datasets: Vec<(&'static str, &'static str, Option<&'static str>)>,
}

impl Run {
    /// Its public id.
    pub(crate) fn eid(&self) -> String {
        // Backwards, so that the order by it is not that of the numbers.
        let (copy, first) = ((self.number - 1) / COUNT, (self.number - 1) % COUNT + 1);
        format!("{copy:012}{:020x}", 1_000 - first)
    }
}

/// A sequence of numbers that looks random and is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> usize {
        // Knuth's MMIX constants; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).expect("24 bits")
    }

    fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.roll() % values.len()].clone()
    }

    /// Some of `keys`, each with one of `values`.
    fn some<T: Clone>(&mut self, keys: &[&'static str], values: &[T]) -> BTreeMap<&'static str, T> {
        let mut chosen = BTreeMap::new();
        for key in keys {
            if !self.roll().is_multiple_of(4) {
                chosen.insert(*key, self.pick(values));
            }
        }
        chosen
    }
}

/// The candidates.
pub(crate) fn runs() -> Vec<Run> {
    let mut dice = Dice(7);
    (1..=COUNT).map(|number| run(&mut dice, number)).collect()
}

fn run(dice: &mut Dice, number: i64) -> Run {
    use CandidateStatus::{Failed, Finished, Killed, Running, Scheduled};
    let prefix = "long ".repeat(25) + "end";
    let texts = ["", "0.1", "0.01", "10", "9", "adam", "Adam", "a_b", "axb", "50%", r"a\b", "Ärger", "ärger"];
    let mut texts = texts.map(str::to_owned).to_vec();
    texts.extend(["", "1", "2"].map(|end| format!("{prefix}{end}")));
    let numbers = [f64::NAN, f64::NAN, -1.5, 0.0, 0.25, 0.25, 7.0, f64::MAX, f64::MIN];
    let dataset = ("iris", "d1", Some("training"));
    let datasets =
        [vec![], vec![dataset], vec![("iris", "d2", None)], vec![dataset, ("wine", "d1", Some("eval"))]];
    Run {
        number,
        experiment: dice.pick(&EXPERIMENTS[..3]),
        name: dice.pick(&["brave-owl-1", "Brave-owl-2", "calm_fox", "calmxfox"]).to_owned(),
        user: dice.pick(&["ada", "bob", ""]),
        status: dice.pick(&[Running, Scheduled, Finished, Finished, Failed, Killed]),
        start: dice.pick(&[0, 1_000, 1_000, 2_000, 3_000]),
        end: dice.pick(&[None, Some(0), Some(2_000), Some(5_000)]),
        deleted: dice.roll().is_multiple_of(5),
        metrics: dice.some(&["loss", "acc"], &numbers),
        params: dice.some(&["lr", "optimizer"], &texts),
        metadata: dice.some(&["team", "lr"], &texts),
        datasets: dice.pick(&datasets),
    }
}

/// Writes the experiments and the candidates.
pub(crate) async fn seed(db: &Db) -> Vec<Run> {
    let (keys, ids) = (Keys::default(), Ids::new(db.clone()));
    let keys = keys.intern(db, &ids, PROJECT, &KEYS).await.expect("keys can be made");
    write(db, |tx| {
        experiments::insert_default(tx, PROJECT, NOW)?;
        experiment(tx, ExperimentId(1), Some("team/vision"))?;
        experiment(tx, DELETED, None)?;
        experiment(tx, ExperimentId(3), None)
    })
    .await;
    let runs = runs();
    let rows = runs.clone();
    write(db, move |tx| {
        rows.iter().try_for_each(|run| insert(tx, &keys, run))?;
        experiments::delete(tx, PROJECT, DELETED, NOW)
    })
    .await;
    runs
}

/// Inserts an experiment.
pub(crate) fn experiment(tx: &mut Tx<'_>, id: ExperimentId, location: Option<&str>) -> Result<()> {
    let experiment = Experiment {
        id,
        name: format!("experiment {id}"),
        artifact_location: location.map(str::to_owned),
        creator_id: None,
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    };
    experiments::insert(tx, PROJECT, &experiment, &[])
}

fn insert(tx: &mut Tx<'_>, keys: &[KeyId], run: &Run) -> Result<()> {
    let eid: Eid = run.eid().parse()?;
    let new = NewCandidate {
        id: CandidateId(run.number),
        eid: eid.clone(),
        experiment_id: run.experiment,
        name: run.name.clone(),
        user_name: run.user.to_owned(),
        creator_id: None,
        start_time: run.start,
        created_at: NOW,
    };
    let place = candidates::insert(tx, PROJECT, &new)?.place(PROJECT);
    let changes = Changes { status: Some(run.status), end_time: run.end, name: None };
    candidates::update(tx, PROJECT, &eid, &changes)?;
    candidates::log_params(tx, place, &eid, &entries(keys, &run.params))?;
    candidates::set_metadata(tx, place, &entries(keys, &run.metadata))?;
    let points = run.metrics.iter().map(|(name, value)| (key(keys, name), vec![Point::new(0, 0, *value)]));
    metrics::append(tx, &Tails::default(), place, run.number, &points.collect())?;
    let inputs: Vec<NewInput> = run.datasets.iter().map(|dataset| input(run, *dataset)).collect();
    datasets::log_inputs(tx, place, &inputs, &[])?;
    if run.deleted {
        candidates::delete(tx, PROJECT, &eid, NOW)?;
    }
    Ok(())
}

fn key(keys: &[KeyId], name: &str) -> KeyId {
    keys[KEYS.iter().position(|key| *key == name).expect("a known key")]
}

fn entries(keys: &[KeyId], texts: &BTreeMap<&'static str, String>) -> Vec<Entry> {
    let entry = |(name, value): (&&'static str, &String)| Entry {
        key: key(keys, name),
        name: (*name).to_owned(),
        value: value.clone(),
    };
    texts.iter().map(entry).collect()
}

fn input(run: &Run, (name, digest, context): (&str, &str, Option<&str>)) -> NewInput {
    NewInput {
        // Datasets are known by experiment, name and digest, so only the first use's number counts.
        id: DatasetId(run.number * 10 + i64::from(name == "wine")),
        dataset: Dataset {
            name: name.to_owned(),
            digest: digest.to_owned(),
            source_type: "local".to_owned(),
            source: "{}".to_owned(),
            schema: None,
            profile: None,
        },
        tags: context.map(|context| (CONTEXT_TAG.to_owned(), context.to_owned())).into_iter().collect(),
    }
}

/// Runs a write that has to succeed.
pub(crate) async fn write<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.write(work).await.expect("the write succeeds")
}

/// Runs a read that has to succeed.
pub(crate) async fn read<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.read(work).await.expect("the read succeeds")
}
