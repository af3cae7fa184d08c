use modelry_core::policy::Scope;
use modelry_core::time::Timestamp;
use modelry_db::Db;
use modelry_store::tokens::{self, Presented};
use modelry_store::users;
use modelry_testkit::both;

use crate::given::{self, NOW, hash, read, write};

async fn presented(db: &Db, byte: u8, at: Timestamp) -> Option<Presented> {
    read(db, move |tx| tokens::find_by_hash(tx, &hash(byte), at)).await
}

async fn last_used(db: &Db, user: modelry_core::ids::UserId) -> Option<Timestamp> {
    read(db, move |tx| tokens::list(tx, user, None, 1)).await[0].last_used_at
}

both! {
    async fn a_token_gives_its_owner_and_scope(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::token(&db, ann, 7, None).await;
        match presented(&db, 7, NOW).await {
            Some(Presented::Active(grant)) => assert_eq!((grant.user.id, grant.scope), (ann, Scope::Api)),
            other => panic!("{other:?}"),
        }
    }
}

both! {
    async fn an_unknown_token_gives_nothing(db: Db) {
        given::user(&db, 1, "ann").await;
        assert_eq!(presented(&db, 7, NOW).await, None);
    }
}

both! {
    async fn a_token_works_until_the_moment_it_expires(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::token(&db, ann, 7, Some(NOW.plus_ms(10))).await;
        assert!(matches!(presented(&db, 7, NOW.plus_ms(9)).await, Some(Presented::Active(_))));
        assert_eq!(presented(&db, 7, NOW.plus_ms(10)).await, Some(Presented::Expired));
    }
}

both! {
    async fn a_revoked_token_is_said_to_be_revoked_and_leaves_the_list(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let token = given::token(&db, ann, 7, None).await;
        assert!(write(&db, move |tx| tokens::revoke(tx, ann, token, NOW)).await);
        assert_eq!(presented(&db, 7, NOW).await, Some(Presented::Revoked));
        assert_eq!(read(&db, move |tx| tokens::list(tx, ann, None, 10)).await, []);
    }
}

both! {
    async fn a_token_is_revoked_once(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let token = given::token(&db, ann, 7, None).await;
        write(&db, move |tx| tokens::revoke(tx, ann, token, NOW)).await;
        assert!(!write(&db, move |tx| tokens::revoke(tx, ann, token, NOW)).await);
    }
}

both! {
    async fn a_user_cannot_revoke_the_token_of_another(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let bob = given::user(&db, 2, "bob").await;
        let token = given::token(&db, ann, 7, None).await;
        assert!(!write(&db, move |tx| tokens::revoke(tx, bob, token, NOW)).await);
        assert!(matches!(presented(&db, 7, NOW).await, Some(Presented::Active(_))));
    }
}

both! {
    async fn the_token_of_a_blocked_user_is_said_to_be_that(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::token(&db, ann, 7, None).await;
        write(&db, move |tx| users::set_blocked(tx, ann, Some(NOW))).await;
        assert_eq!(presented(&db, 7, NOW).await, Some(Presented::Blocked));
    }
}

both! {
    async fn the_list_of_tokens_shows_the_owners_newest_first(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let bob = given::user(&db, 2, "bob").await;
        for byte in [1, 2, 4] {
            given::token(&db, ann, byte, None).await;
        }
        given::token(&db, bob, 3, None).await;
        let pages = read(&db, move |tx| {
            let first = tokens::list(tx, ann, None, 2)?;
            let rest = tokens::list(tx, ann, first.last().map(|token| token.id), 2)?;
            Ok([first, rest].map(|page| page.iter().map(|token| token.id.0).collect::<Vec<_>>()))
        });
        assert_eq!(pages.await, [vec![4, 2], vec![1]]);
    }
}

both! {
    async fn a_use_is_noted_at_most_once_a_minute(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let token = given::token(&db, ann, 7, None).await;
        assert_eq!(last_used(&db, ann).await, None);
        write(&db, move |tx| tokens::touch(tx, token, NOW)).await;
        write(&db, move |tx| tokens::touch(tx, token, NOW.plus_ms(59_999))).await;
        assert_eq!(last_used(&db, ann).await, Some(NOW));
        write(&db, move |tx| tokens::touch(tx, token, NOW.plus_ms(60_000))).await;
        assert_eq!(last_used(&db, ann).await, Some(NOW.plus_ms(60_000)));
    }
}
