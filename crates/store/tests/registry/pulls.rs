//! Who fetched files of versions.

use modelry_core::Kind;
use modelry_core::ids::{TokenId, UserId, VersionId};
use modelry_core::lineage::{Direction, Door, Pull};
use modelry_core::time::Timestamp;
use modelry_db::Db;
use modelry_store::lineage::Look;
use modelry_store::pulls::{self, Count, PullKey, Puller};
use modelry_testkit::both;

use crate::given::{NOW, PROJECT, churn, published, write};
use crate::lineage::{LOOK, edges, found};

const TOKEN: Puller = Puller::Token(TokenId(3), UserId(2));

async fn record(db: &Db, number: i64, puller: Puller, door: Door, (first, last, files): (i64, i64, i64)) {
    let key = PullKey { project: PROJECT, version: VersionId(1_000_000 + number), puller, door };
    let count = Count { first_at: Timestamp(first), last_at: Timestamp(last), files };
    write(db, move |tx| pulls::record(tx, &key, &count)).await;
}

async fn two_versions(db: &Db) {
    churn(db).await;
    published(db, 1, "1.0.0").await;
    published(db, 2, "1.1.0").await;
}

both! {
    async fn a_version_is_pulled_by_tokens_users_and_others(db: Db) {
        two_versions(&db).await;
        for puller in [TOKEN, Puller::User(UserId(2)), Puller::Anonymous] {
            record(&db, 1, puller, Door::Mlflow, (1, 1, 1)).await;
        }
        let expected = ["user:anonymous", "user:2", "token:3"].map(|puller| format!("version:1000001 pulled_by {puller}"));
        assert_eq!(edges(&db, LOOK, "version:1000001", Direction::Down).await, expected);
        for (puller, edge) in [("user:anonymous", &expected[0]), ("user:2", &expected[1]), ("token:3", &expected[2])] {
            assert_eq!(edges(&db, LOOK, puller, Direction::Up).await, [edge.as_str()], "{puller}");
        }
    }

    async fn a_token_pulled_all_the_versions_that_it_fetched(db: Db) {
        two_versions(&db).await;
        record(&db, 2, TOKEN, Door::Api, (1, 1, 1)).await;
        record(&db, 1, TOKEN, Door::Api, (1, 1, 1)).await;
        let expected = ["version:1000001 pulled_by token:3", "version:1000002 pulled_by token:3"];
        assert_eq!(edges(&db, LOOK, "token:3", Direction::Up).await, expected);
    }

    async fn each_door_is_an_edge_of_its_own(db: Db) {
        two_versions(&db).await;
        record(&db, 1, TOKEN, Door::Packages, (1, 2, 3)).await;
        record(&db, 1, TOKEN, Door::Mlflow, (4, 5, 6)).await;
        let edges = found(&db, LOOK, "version:1000001", Direction::Down).await;
        let pull = |door, first, last, files| {
            Some(Pull { door, first_at: Timestamp(first), last_at: Timestamp(last), files })
        };
        let expected = [pull(Door::Mlflow, 4, 5, 6), pull(Door::Packages, 1, 2, 3)];
        assert_eq!(edges.iter().map(|edge| edge.pull).collect::<Vec<_>>(), expected);
    }

    async fn what_is_recorded_is_added_to_what_was(db: Db) {
        two_versions(&db).await;
        record(&db, 1, TOKEN, Door::Api, (10, 20, 1)).await;
        record(&db, 1, TOKEN, Door::Api, (15, 30, 2)).await;
        record(&db, 1, TOKEN, Door::Api, (5, 6, 4)).await;
        let edges = found(&db, LOOK, "token:3", Direction::Up).await;
        let expected = Pull { door: Door::Api, first_at: Timestamp(5), last_at: Timestamp(30), files: 7 };
        assert_eq!(edges[0].pull, Some(expected));
    }

    async fn who_pulled_is_seen_only_by_who_may_see_it(db: Db) {
        two_versions(&db).await;
        record(&db, 1, TOKEN, Door::Api, (NOW.0, NOW.0, 1)).await;
        let look = Look { sees_pullers: false, ..LOOK };
        assert!(edges(&db, look, "version:1000001", Direction::Down).await.is_empty());
        let token = "token:3".parse().expect("a node's name");
        let refused = db.read(move |tx| modelry_store::lineage::find(tx, look, &token)).await;
        assert_eq!(refused.expect_err("it is hidden").kind(), Kind::NotFound);
    }
}
