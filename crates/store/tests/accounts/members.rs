use modelry_core::Kind;
use modelry_core::ids::{ProjectId, UserId};
use modelry_core::policy::{Role, Visibility};
use modelry_db::Db;
use modelry_store::members;
use modelry_testkit::both;

use crate::given::{self, NOW, read, refused, write};

const CHURN: ProjectId = ProjectId(5);

/// Ann owns the project, Bob exists.
async fn ann_and_bob(db: &Db) -> (UserId, UserId) {
    let ann = given::user(db, 1, "ann").await;
    let bob = given::user(db, 2, "bob").await;
    given::project(db, CHURN.0, ann, "churn", Visibility::Private).await;
    (ann, bob)
}

async fn role_of(db: &Db, user: UserId) -> Option<Role> {
    read(db, move |tx| members::role_of(tx, CHURN, user)).await
}

both! {
    async fn a_member_gets_a_role_and_then_another(db: Db) {
        let (_, bob) = ann_and_bob(&db).await;
        assert_eq!(role_of(&db, bob).await, None);
        write(&db, move |tx| members::set(tx, CHURN, bob, Role::Reporter, NOW)).await;
        assert_eq!(role_of(&db, bob).await, Some(Role::Reporter));
        write(&db, move |tx| members::set(tx, CHURN, bob, Role::Guest, NOW)).await;
        assert_eq!(role_of(&db, bob).await, Some(Role::Guest));
    }
}

both! {
    async fn nobody_cannot_become_a_member(db: Db) {
        ann_and_bob(&db).await;
        let kind = refused(&db, |tx| members::set(tx, CHURN, UserId(9), Role::Guest, NOW)).await;
        assert_eq!(kind, Kind::NotFound);
    }
}

both! {
    async fn the_last_owner_keeps_the_role(db: Db) {
        let (ann, bob) = ann_and_bob(&db).await;
        write(&db, move |tx| members::set(tx, CHURN, bob, Role::Maintainer, NOW)).await;
        let kind = refused(&db, move |tx| members::set(tx, CHURN, ann, Role::Maintainer, NOW)).await;
        assert_eq!(kind, Kind::Conflict);
        assert_eq!(refused(&db, move |tx| members::delete(tx, CHURN, ann)).await, Kind::Conflict);
    }
}

both! {
    async fn the_last_owner_may_be_made_owner_again(db: Db) {
        let (ann, _) = ann_and_bob(&db).await;
        write(&db, move |tx| members::set(tx, CHURN, ann, Role::Owner, NOW)).await;
        assert_eq!(role_of(&db, ann).await, Some(Role::Owner));
    }
}

both! {
    async fn an_owner_may_go_when_there_is_another(db: Db) {
        let (ann, bob) = ann_and_bob(&db).await;
        write(&db, move |tx| members::set(tx, CHURN, bob, Role::Owner, NOW)).await;
        assert!(write(&db, move |tx| members::delete(tx, CHURN, ann)).await);
        assert_eq!(role_of(&db, ann).await, None);
    }
}

both! {
    async fn who_is_no_member_cannot_be_removed(db: Db) {
        let (_, bob) = ann_and_bob(&db).await;
        assert!(!write(&db, move |tx| members::delete(tx, CHURN, bob)).await);
    }
}

both! {
    async fn the_list_names_the_members_page_by_page(db: Db) {
        let (_, bob) = ann_and_bob(&db).await;
        write(&db, move |tx| members::set(tx, CHURN, bob, Role::Planner, NOW)).await;
        let pages = read(&db, |tx| {
            let first = members::list(tx, CHURN, None, 1)?;
            let rest = members::list(tx, CHURN, first.last().map(|member| member.user), 1)?;
            Ok([first, rest].concat().into_iter().map(|m| (m.username, m.name, m.role)).collect::<Vec<_>>())
        });
        assert_eq!(
            pages.await,
            [
                ("ann".to_owned(), "Name of ann".to_owned(), Role::Owner),
                ("bob".to_owned(), "Name of bob".to_owned(), Role::Planner),
            ]
        );
    }
}
