//! A database from before rows repeated the start of their candidate.

use modelry_core::ids::{CandidateId, ExperimentId};
use modelry_store::MIGRATIONS;
use modelry_store::search::candidates::{Known, Query, page};
use modelry_testkit::both_empty;

use crate::candidates::query;
use crate::given::{PROJECT, read, write};

/// The migrations before `0007_orders`.
const BEFORE: usize = 6;

/// Three candidates that started in the order 3, 1, 2 and have the same metric, param and metadata.
const ROWS: [&str; 5] = [
    "INSERT INTO experiments (project_id, id, name, created_at, updated_at) VALUES (1, 0, 'Default', 0, 0)",
    "INSERT INTO keys (project_id, id, name) VALUES (1, 1, 'same')",
    "INSERT INTO candidates
        (project_id, id, experiment_id, eid, name, user_name, status, start_time, created_at)
     VALUES (1, 1, 0, 'a', 'a', '', 1, 20, 0), (1, 2, 0, 'b', 'b', '', 1, 30, 0), (1, 3, 0, 'c', 'c', '', 1, 10, 0)",
    "INSERT INTO metric_latest (project_id, candidate_id, key_id, experiment_id, rank, value, step, recorded_at)
     VALUES (1, 1, 1, 0, 0, 0.5, 0, 0), (1, 2, 1, 0, 0, 0.5, 0, 0), (1, 3, 1, 0, 0, 0.5, 0, 0)",
    "INSERT INTO params (project_id, candidate_id, key_id, experiment_id, sort, value)
     VALUES (1, 1, 1, 0, 'x', 'x'), (1, 2, 1, 0, 'x', 'x'), (1, 3, 1, 0, 'x', 'x')",
];

both_empty! {
    async fn candidates_from_before_stand_in_the_order_of_their_start(db: Db) {
        db.migrate(&MIGRATIONS[..BEFORE]).await.expect("the older schema can be made");
        write(&db, |tx| {
            ROWS.iter().try_for_each(|row| tx.execute(row, &[]).map(drop))?;
            let metadata = ROWS[4].replace("params", "metadata");
            tx.execute(&metadata, &[]).map(drop)
        })
        .await;
        db.migrate(MIGRATIONS).await.expect("the schema can be brought up to date");
        for order in ["metrics.same", "metrics.same DESC", "params.same", "tags.same DESC"] {
            let newest = Query { experiments: vec![ExperimentId(0)], limit: 3, ..query("", &[order]) };
            let found = read(&db, move |tx| page(tx, &Known::default(), PROJECT, &newest)).await.candidates;
            assert_eq!(found, [2, 1, 3].map(CandidateId), "{order}");
        }
    }
}
