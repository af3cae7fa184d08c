use modelry_db::Db;
use modelry_testkit::both;

use super::*;
use crate::search::candidates::along::tests::{experiment, seed, with_search};

/// What a page of five of a search goes by.
async fn way(db: &Db, filter: &'static str, order: &'static str) -> String {
    let way = db.read(move |tx| {
        with_search(tx, (filter, order), None, |tx, search| {
            Ok(match choose(tx, search, &experiment(), 5)?.way {
                Way::Order => "order".to_owned(),
                Way::Experiment => "experiment".to_owned(),
                Way::Attribute(attribute) => format!("{attribute:?}"),
                Way::Range(Range::Logged(logged)) => format!("gathered by key {}", logged.key.id.0),
                Way::Range(Range::Attribute(attribute, _)) => format!("gathered by {attribute:?}"),
            })
        })
    });
    way.await.expect("the way can be chosen")
}

both! {
    async fn what_few_satisfy_drives_unless_the_order_fills_the_page_sooner(db: Db) {
        seed(&db).await;
        for (filter, order, expected) in [
            ("metrics.tenth > 0.5", "metrics.loss ASC", "gathered by key 6"),
            // Every second one, so that ten steps are enough.
            ("metrics.acc > 0.5", "metrics.loss ASC", "order"),
            ("metrics.acc > 0.5 AND status = 'FAILED'", "metrics.loss ASC", "gathered by Status"),
            ("metrics.tenth > 0.5 AND status = 'FAILED'", "metrics.loss ASC", "gathered by key 6"),
            ("end_time > 0 AND run_name = 'name 1'", "metrics.loss ASC", "gathered by Name"),
            ("run_id = 'a'", "metrics.loss ASC", "Eid"),
            // It bounds the walk of the order.
            ("metrics.loss < 3", "metrics.loss ASC", "order"),
            ("status = 'FAILED'", "status ASC", "order"),
        ] {
            assert_eq!(way(&db, filter, order).await, expected, "{filter} by {order}");
        }
    }

    async fn those_of_one_value_of_an_attribute_have_the_order_of_the_start(db: Db) {
        seed(&db).await;
        for (filter, expected) in [
            ("status = 'FAILED'", "Status"),
            ("run_name = 'name 1' AND metrics.acc > 0.5", "Name"),
            ("metrics.acc > 0.5 AND user_id = ''", "UserId"),
            ("status IN ('SCHEDULED', 'KILLED')", "gathered by Status"),
        ] {
            assert_eq!(way(&db, filter, "start_time DESC").await, expected, "{filter}");
        }
    }
}
