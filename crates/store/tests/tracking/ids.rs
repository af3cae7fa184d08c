use std::collections::BTreeSet;
use std::sync::Arc;

use modelry_core::ids::{CandidateId, ProjectId};
use modelry_core::time::Timestamp;
use modelry_db::Engine;
use modelry_store::candidates;
use modelry_store::ids::{Ids, Series};
use modelry_testkit::both;
use tokio::task::JoinSet;

use crate::given::{self, NOW, PROJECT, new_candidate, write};

both! {
    async fn no_number_is_given_twice_however_many_ask_at_once(db: Db) {
        // Only PostgreSQL is written by several processes.
        let processes = if db.engine() == Engine::Postgres { 3 } else { 1 };
        let mut askers = JoinSet::new();
        for _ in 0..processes {
            let ids = Arc::new(Ids::new(db.clone()));
            for _ in 0..8 {
                let ids = ids.clone();
                askers.spawn(async move {
                    let mut given = Vec::new();
                    for _ in 0..50 {
                        given.push(ids.next(PROJECT, Series::Candidate).await.expect("a number"));
                    }
                    given
                });
            }
        }
        let given: Vec<i64> = askers.join_all().await.concat();
        let distinct: BTreeSet<i64> = given.iter().copied().collect();
        assert_eq!(distinct.len(), given.len());
        assert_eq!(distinct.first(), Some(&1));
    }

    async fn numbers_go_on_behind_the_highest_after_a_restart(db: Db) {
        given::experiments(&db).await;
        let id = Ids::new(db.clone()).next(PROJECT, Series::Candidate).await.expect("a number");
        write(&db, move |tx| candidates::insert(tx, PROJECT, &new_candidate(CandidateId(id)))).await;
        let next = Ids::new(db.clone()).next(PROJECT, Series::Candidate).await.expect("a number");
        assert!(next > id, "{next} after {id}");
    }

    async fn series_and_projects_count_apart(db: Db) {
        let ids = Ids::new(db.clone());
        let mut given = Vec::new();
        for (project, series) in [(1, Series::Candidate), (1, Series::Candidate), (1, Series::Experiment), (2, Series::Candidate)] {
            given.push(ids.next(ProjectId(project), series).await.expect("a number"));
        }
        assert_eq!(given, [1, 2, 1, 1]);
    }

    async fn ids_of_appended_rows_rise_even_when_the_clock_does_not(db: Db) {
        let ids = Ids::new(db.clone());
        let earlier = Timestamp(NOW.ms() - 60_000);
        let given: Vec<i64> =
            [NOW, NOW, earlier, NOW].iter().map(|now| ids.append_id(*now, u32::MAX)).collect();
        assert!(given.windows(2).all(|pair| pair[0] < pair[1]), "{given:?}");
    }
}
