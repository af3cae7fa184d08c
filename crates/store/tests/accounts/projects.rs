use modelry_core::Kind;
use modelry_core::ids::{NamespaceId, ProjectId, UserId};
use modelry_core::policy::{Action, Role, Scope, Standing, Visibility, decide};
use modelry_db::Db;
use modelry_store::projects::{self, Change, NewProject, Totals, Viewer};
use modelry_store::{experiments, members};
use modelry_testkit::both;

use crate::given::{self, NOW, read, refused, write};

async fn visible(db: &Db, viewer: Viewer, search: Option<&'static str>) -> Vec<String> {
    let listed = read(db, move |tx| projects::list_visible(tx, viewer, search, None, 100)).await;
    listed.into_iter().map(|project| project.path).collect()
}

both! {
    async fn a_project_is_found_by_number_and_by_path_in_any_case(db: Db) {
        let ann = given::user(&db, 1, "Ann").await;
        let made = given::project(&db, 5, ann, "Churn", Visibility::Internal).await;
        assert_eq!(made.full_path, "Ann/Churn");
        assert_eq!(read(&db, |tx| projects::find(tx, ProjectId(5))).await.as_ref(), Some(&made));
        assert_eq!(read(&db, |tx| projects::find_by_full_path(tx, "aNN/cHURN")).await, Some(made));
    }
}

both! {
    async fn the_creator_of_a_project_is_its_owner(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::project(&db, 5, ann, "churn", Visibility::Private).await;
        let role = read(&db, move |tx| members::role_of(tx, ProjectId(5), ann)).await;
        assert_eq!(role, Some(Role::Owner));
    }
}

both! {
    async fn a_project_has_the_default_experiment_from_the_start(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::project(&db, 5, ann, "churn", Visibility::Private).await;
        let found = read(&db, |tx| experiments::find(tx, ProjectId(5), experiments::DEFAULT)).await;
        assert_eq!(found.map(|experiment| experiment.name).as_deref(), Some("Default"));
    }
}

both! {
    async fn a_path_is_given_once_in_a_namespace_whatever_its_case(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let bob = given::user(&db, 2, "bob").await;
        given::project(&db, 5, ann, "churn", Visibility::Private).await;
        let again = given::new_project(6, ann, "CHURN", Visibility::Private);
        assert_eq!(refused(&db, move |tx| projects::insert(tx, &again)).await, Kind::Exists);
        given::project(&db, 7, bob, "churn", Visibility::Private).await;
    }
}

both! {
    async fn a_project_needs_a_namespace(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let new = given::new_project(5, ann, "churn", Visibility::Private);
        let homeless = NewProject { namespace: NamespaceId(9), ..new };
        assert_eq!(refused(&db, move |tx| projects::insert(tx, &homeless)).await, Kind::NotFound);
    }
}

both! {
    async fn the_list_shows_exactly_what_the_policy_lets_one_see(db: Db) {
        let owner = given::user(&db, 1, "ann").await;
        let guest = given::user(&db, 2, "bob").await;
        let stranger = given::user(&db, 3, "cid").await;
        for (number, visibility) in (5..).zip(Visibility::ALL) {
            let id = given::project(&db, number, owner, visibility.as_str(), *visibility).await.id;
            write(&db, move |tx| members::set(tx, id, guest, Role::Guest, NOW)).await;
        }
        let nobody =
            Standing { user: None, admin: false, role: None, scope: Scope::Api, visibility: Visibility::Private };
        let user = |id: UserId, role| Standing { user: Some(id), role, ..nobody };
        for (viewer, standing) in [
            (Viewer::Anonymous, nobody),
            (Viewer::User(stranger), user(stranger, None)),
            (Viewer::User(guest), user(guest, Some(Role::Guest))),
            (Viewer::User(owner), user(owner, Some(Role::Owner))),
            (Viewer::Administrator, Standing { admin: true, ..user(stranger, None) }),
        ] {
            let allowed = Visibility::ALL.iter().rev().filter(|visibility| {
                let standing = Standing { visibility: **visibility, ..standing };
                decide(ProjectId(5), standing, Action::ReadProject).is_ok()
            });
            let allowed: Vec<&str> = allowed.map(|visibility| visibility.as_str()).collect();
            assert_eq!(visible(&db, viewer, None).await, allowed, "{viewer:?}");
        }
    }
}

both! {
    async fn the_list_goes_on_after_the_last_project_shown(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        for (id, path) in [(5, "one"), (6, "two"), (7, "three")] {
            given::project(&db, id, ann, path, Visibility::Private).await;
        }
        let pages = read(&db, move |tx| {
            let first = projects::list_visible(tx, Viewer::User(ann), None, None, 2)?;
            let after = first.last().map(|project| project.id);
            let rest = projects::list_visible(tx, Viewer::User(ann), None, after, 2)?;
            Ok([first, rest].map(|page| page.into_iter().map(|project| project.path).collect::<Vec<_>>()))
        });
        assert_eq!(pages.await, [vec!["three", "two"], vec!["one"]]);
    }
}

both! {
    async fn a_search_looks_into_names_and_paths_in_any_case(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::project(&db, 5, ann, "churn", Visibility::Private).await;
        given::project(&db, 6, ann, "fraud_2", Visibility::Private).await;
        assert_eq!(visible(&db, Viewer::User(ann), Some("nAME of CH")).await, ["churn"]);
        assert_eq!(visible(&db, Viewer::User(ann), Some("NN/FRA")).await, ["fraud_2"]);
    }
}

both! {
    async fn a_search_takes_every_character_as_itself(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        given::project(&db, 5, ann, "fraudx2", Visibility::Private).await;
        given::project(&db, 6, ann, "fraud_2", Visibility::Private).await;
        assert_eq!(visible(&db, Viewer::User(ann), Some("d_2")).await, ["fraud_2"]);
        assert!(visible(&db, Viewer::User(ann), Some("%")).await.is_empty());
        assert!(visible(&db, Viewer::User(ann), Some("\\")).await.is_empty());
    }
}

both! {
    async fn an_update_changes_what_it_names_and_nothing_else(db: Db) {
        let ann = given::user(&db, 1, "ann").await;
        let before = given::project(&db, 5, ann, "churn", Visibility::Private).await;
        let later = NOW.plus_ms(5);
        let change = Change { visibility: Some(Visibility::Public), ..Change::default() };
        let after = write(&db, move |tx| projects::update(tx, ProjectId(5), &change, later)).await;
        let expected =
            projects::Project { visibility: Visibility::Public, updated_at: later, ..before };
        assert_eq!(after, expected);
    }
}

both! {
    async fn totals_count_projects_and_experiments(db: Db) {
        assert_eq!(read(&db, projects::totals).await, Totals::default());
        let ann = given::user(&db, 1, "ann").await;
        given::project(&db, 5, ann, "churn", Visibility::Private).await;
        given::project(&db, 6, ann, "fraud", Visibility::Private).await;
        let totals = read(&db, projects::totals).await;
        assert_eq!(totals, Totals { projects: 2, experiments: 2, candidates: 0 });
    }
}
