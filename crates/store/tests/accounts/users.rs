use modelry_core::Kind;
use modelry_core::ids::UserId;
use modelry_store::{namespaces, users};
use modelry_testkit::both;

use crate::given::{self, NOW, read, refused, write};

both! {
    async fn a_user_is_found_by_username_in_any_case(db: Db) {
        let ann = given::user(&db, 1, "Ann").await;
        let found = read(&db, |tx| users::find_by_username(tx, "aNN")).await.expect("found");
        assert_eq!((found.id, found.username.as_str()), (ann, "Ann"));
    }
}

both! {
    async fn a_username_is_given_once_whatever_its_case(db: Db) {
        given::user(&db, 1, "ann").await;
        let kind = refused(&db, |tx| users::insert(tx, &given::new_user(2, "ANN"))).await;
        assert_eq!(kind, Kind::Exists);
    }
}

both! {
    async fn a_refused_user_leaves_nothing_behind(db: Db) {
        given::user(&db, 1, "ann").await;
        refused(&db, |tx| users::insert(tx, &given::new_user(2, "ann"))).await;
        let left = read(&db, |tx| {
            Ok((users::find(tx, UserId(2))?, namespaces::find_of_user(tx, UserId(2))?))
        });
        assert_eq!(left.await, (None, None));
    }
}

both! {
    async fn a_user_gets_a_namespace_of_the_same_path(db: Db) {
        let ann = given::user(&db, 1, "Ann").await;
        let namespace = read(&db, move |tx| namespaces::find_of_user(tx, ann)).await.expect("a namespace");
        assert_eq!((namespace.full_path.as_str(), namespace.user), ("Ann", Some(ann)));
    }
}

both! {
    async fn a_new_password_replaces_the_old_one(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        write(&db, move |tx| users::set_password(tx, ann, "new hash")).await;
        let credentials = read(&db, |tx| users::find_credentials(tx, "Ann")).await.expect("found");
        assert_eq!(credentials.password_hash.as_deref(), Some("new hash"));
    }
}

both! {
    async fn the_list_of_users_goes_on_after_the_last_one_shown(db: Db) {
        for (id, username) in [(1, "ann"), (2, "bob"), (3, "cid")] {
            given::user(&db, id, username).await;
        }
        let pages = read(&db, |tx| {
            let first = users::list(tx, None, 2)?;
            let rest = users::list(tx, first.last().map(|user| user.id), 2)?;
            Ok([first, rest].map(|page| page.into_iter().map(|user| user.username).collect::<Vec<_>>()))
        });
        assert_eq!(pages.await, [vec!["ann", "bob"], vec!["cid"]]);
    }
}

both! {
    async fn the_last_administrator_stays_one(db: Db) {
        let root = given::administrator(&db, 1, "ann").await;
        given::user(&db, 2, "bob").await;
        assert_eq!(refused(&db, move |tx| users::set_admin(tx, root, false)).await, Kind::Conflict);
    }
}

both! {
    async fn the_last_administrator_cannot_be_blocked(db: Db) {
        let root = given::administrator(&db, 1, "ann").await;
        let other = given::administrator(&db, 2, "bob").await;
        write(&db, move |tx| users::set_blocked(tx, other, Some(NOW))).await;
        assert_eq!(refused(&db, move |tx| users::set_blocked(tx, root, Some(NOW))).await, Kind::Conflict);
    }
}

both! {
    async fn an_administrator_may_step_down_when_there_is_another(db: Db) {
        let root = given::administrator(&db, 1, "ann").await;
        given::administrator(&db, 2, "bob").await;
        write(&db, move |tx| users::set_admin(tx, root, false)).await;
        assert!(!read(&db, move |tx| users::get(tx, root)).await.admin);
    }
}

both! {
    async fn a_blocked_user_can_be_let_in_again(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        write(&db, move |tx| users::set_blocked(tx, ann, Some(NOW))).await;
        assert_eq!(read(&db, move |tx| users::get(tx, ann)).await.blocked_at, Some(NOW));
        write(&db, move |tx| users::set_blocked(tx, ann, None)).await;
        assert_eq!(read(&db, move |tx| users::get(tx, ann)).await.blocked_at, None);
    }
}

both! {
    async fn what_is_changed_on_an_unknown_user_is_not_found(db: Db) {
        given::administrator(&db, 1, "ann").await;
        let nobody = UserId(9);
        assert_eq!(refused(&db, move |tx| users::set_name(tx, nobody, "x")).await, Kind::NotFound);
        assert_eq!(refused(&db, move |tx| users::set_password(tx, nobody, "x")).await, Kind::NotFound);
        assert_eq!(refused(&db, move |tx| users::set_admin(tx, nobody, true)).await, Kind::NotFound);
        assert_eq!(refused(&db, move |tx| users::set_blocked(tx, nobody, Some(NOW))).await, Kind::NotFound);
    }
}
