use modelry_testkit::both;

use super::*;
use crate::search::candidates::along::tests::{seed, with_step};

both! {
    async fn in_two_halves_the_same_is_found_as_in_one(db: Db) {
        seed(&db).await;
        for order in [
            "metrics.loss DESC", "metrics.coarse ASC", "start_time ASC", "run_name DESC, metrics.cost ASC", "status DESC",
        ] {
            for filter in ["metrics.acc > 0.5", "metrics.size >= 7 AND status = 'RUNNING'", "metrics.size > 98"] {
                let (mut start, mut pages) = (None, 0);
                loop {
                    let behind = start.clone();
                    let found = db.read(move |tx| {
                        with_step(tx, (filter, order), behind.as_ref(), |tx, step| {
                            let Driver::Gathered(gathered) = step.driver else { return Ok(None) };
                            let halves = step.query_halves(tx, gathered, Reach::All)?;
                            Ok(Some((halves, step.query(tx, Reach::All)?)))
                        })
                    });
                    let (halves, whole) = found.await.expect("the search can be made").expect("the condition drives");
                    assert_eq!(halves, whole, "{filter} by {order} behind {start:?}");
                    pages += 1;
                    if whole.len() < 5 {
                        break;
                    }
                    start = whole.last().cloned();
                }
                assert_eq!(pages > 1, filter != "metrics.size > 98", "{filter} by {order}");
            }
        }
    }
}
