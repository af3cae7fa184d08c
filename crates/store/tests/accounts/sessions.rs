use modelry_core::digest::Sha256;
use modelry_core::ids::UserId;
use modelry_core::time::Timestamp;
use modelry_db::Db;
use modelry_store::sessions::{self, NewSession};
use modelry_store::{settings, users};
use modelry_testkit::both;

use crate::given::{self, NOW, hash, read, write};

async fn sign_in(db: &Db, user: UserId, hash: Sha256, at: Timestamp) {
    let new = NewSession { hash, user, created_at: at, expires_at: at.plus_ms(1_000) };
    write(db, move |tx| sessions::insert(tx, &new)).await;
}

async fn signed_in(db: &Db, hash: Sha256, at: Timestamp) -> Option<UserId> {
    read(db, move |tx| sessions::find(tx, &hash, at)).await.map(|session| session.user.id)
}

both! {
    async fn a_session_lasts_until_it_expires(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        sign_in(&db, ann, hash(1), NOW).await;
        assert_eq!(signed_in(&db, hash(1), NOW.plus_ms(999)).await, Some(ann));
        assert_eq!(signed_in(&db, hash(1), NOW.plus_ms(1_000)).await, None);
    }
}

both! {
    async fn a_blocked_user_is_signed_out(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        sign_in(&db, ann, hash(1), NOW).await;
        write(&db, move |tx| users::set_blocked(tx, ann, Some(NOW))).await;
        assert_eq!(signed_in(&db, hash(1), NOW).await, None);
    }
}

both! {
    async fn signing_out_ends_the_session(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        sign_in(&db, ann, hash(1), NOW).await;
        assert!(write(&db, |tx| sessions::delete(tx, &hash(1))).await);
        assert_eq!(signed_in(&db, hash(1), NOW).await, None);
        assert!(!write(&db, |tx| sessions::delete(tx, &hash(1))).await);
    }
}

both! {
    async fn all_sessions_of_a_user_end_but_the_one_that_asks(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let bob = given::user(&db, 2, "bob").await;
        for byte in [1, 2, 3] {
            sign_in(&db, ann, hash(byte), NOW).await;
        }
        sign_in(&db, bob, hash(4), NOW).await;
        let ended = write(&db, move |tx| sessions::delete_all_of_user(tx, ann, Some(&hash(2)))).await;
        assert_eq!(ended, 2);
        assert_eq!(signed_in(&db, hash(2), NOW).await, Some(ann));
        assert_eq!(signed_in(&db, hash(4), NOW).await, Some(bob));
        assert_eq!(write(&db, move |tx| sessions::delete_all_of_user(tx, ann, None)).await, 1);
    }
}

both! {
    async fn one_sign_in_too_many_ends_the_oldest_session(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let numbered = |n: i64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            Sha256(bytes)
        };
        for n in 0..=sessions::PER_USER {
            sign_in(&db, ann, numbered(n), NOW.plus_ms(n)).await;
        }
        let at = NOW.plus_ms(sessions::PER_USER);
        assert_eq!(signed_in(&db, numbered(0), at).await, None);
        assert_eq!(signed_in(&db, numbered(1), at).await, Some(ann));
        assert_eq!(signed_in(&db, numbered(sessions::PER_USER), at).await, Some(ann));
    }
}

both! {
    async fn pruning_deletes_only_what_is_over_and_no_more_than_asked(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        for byte in [1, 2, 3] {
            sign_in(&db, ann, hash(byte), NOW).await;
        }
        sign_in(&db, ann, hash(4), NOW.plus_ms(500)).await;
        let at = NOW.plus_ms(1_000);
        assert_eq!(write(&db, move |tx| sessions::prune(tx, at, 2)).await, 2);
        assert_eq!(write(&db, move |tx| sessions::prune(tx, at, 2)).await, 1);
        assert_eq!(signed_in(&db, hash(4), at).await, Some(ann));
    }
}

both! {
    async fn a_sign_in_link_works_once(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        write(&db, move |tx| sessions::insert_link(tx, &hash(1), ann, NOW.plus_ms(10))).await;
        let first = write(&db, |tx| sessions::take_link(tx, &hash(1), NOW)).await;
        assert_eq!(first.map(|user| user.id), Some(ann));
        assert_eq!(write(&db, |tx| sessions::take_link(tx, &hash(1), NOW)).await, None);
    }
}

both! {
    async fn an_expired_sign_in_link_does_not_work(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        write(&db, move |tx| sessions::insert_link(tx, &hash(1), ann, NOW.plus_ms(10))).await;
        assert_eq!(write(&db, |tx| sessions::take_link(tx, &hash(1), NOW.plus_ms(10))).await, None);
    }
}

both! {
    async fn a_sign_in_link_lets_no_blocked_user_in(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        write(&db, move |tx| sessions::insert_link(tx, &hash(1), ann, NOW.plus_ms(10))).await;
        write(&db, move |tx| users::set_blocked(tx, ann, Some(NOW))).await;
        assert_eq!(write(&db, |tx| sessions::take_link(tx, &hash(1), NOW)).await, None);
    }
}

both! {
    async fn links_that_are_over_are_pruned(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        write(&db, move |tx| sessions::insert_link(tx, &hash(1), ann, NOW)).await;
        write(&db, move |tx| sessions::insert_link(tx, &hash(2), ann, NOW.plus_ms(1))).await;
        assert_eq!(write(&db, |tx| sessions::prune_links(tx, NOW, 10)).await, 1);
        assert!(write(&db, |tx| sessions::take_link(tx, &hash(2), NOW)).await.is_some());
    }
}

both! {
    async fn a_setting_keeps_what_was_set_last(db: Db) {
        assert_eq!(read(&db, |tx| settings::find(tx, settings::INITIALISED_AT)).await, None);
        write(&db, |tx| settings::set(tx, settings::INITIALISED_AT, "1")).await;
        write(&db, |tx| settings::set(tx, settings::INITIALISED_AT, "2")).await;
        assert_eq!(read(&db, |tx| settings::find(tx, settings::INITIALISED_AT)).await.as_deref(), Some("2"));
    }
}
