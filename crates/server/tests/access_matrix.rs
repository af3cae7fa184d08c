//! Who may use which route: every route of the API's table is asked by everybody, and the answers are published.
//!
//! A new route makes this test fail until its row has been looked at.

use std::fmt::Write as _;

use modelry_core::ids::ProjectId;
use modelry_core::policy::{Role, Scope, Visibility};
use modelry_server::router;
use modelry_server::table::Route;
use modelry_testkit::server::{Actor, Answer, TestServer};
use serde_json::json;

/// Everybody who asks, with the heading of their column.
struct Cast {
    owner: Actor,
    actors: Vec<(String, Actor)>,
}

impl Cast {
    async fn new(server: &TestServer) -> Self {
        let owner = server.user("owner").await;
        let mut actors = vec![
            ("anonymous".to_owned(), server.anonymous()),
            ("stranger".to_owned(), server.user("stranger").await),
        ];
        for role in Role::ALL {
            let is_owner = *role == Role::Owner;
            let actor = if is_owner { owner.clone() } else { server.user(role.as_str()).await };
            actors.push((role.to_string(), actor));
        }
        actors.push(("read_api".to_owned(), server.token(owner.user(), Scope::ReadApi).await));
        actors.push(("administrator".to_owned(), server.administrator("administrator").await));
        Self { owner, actors }
    }

    /// A project of the owner, with a member in every other role.
    async fn project(&self, server: &TestServer, visibility: Visibility) -> ProjectId {
        let project = server.project(&self.owner, visibility.as_str(), visibility).await;
        for role in Role::ALL.iter().filter(|role| **role != Role::Owner) {
            let (_, actor) =
                self.actors.iter().find(|(name, _)| *name == role.as_str()).expect("all roles play");
            server.member(project, actor, *role).await;
        }
        project
    }
}

/// What a route's guard said. A request that got past it asks for nothing, so nothing comes of it.
fn verdict(answer: &Answer) -> &'static str {
    match answer.status.as_u16() {
        401 => "401",
        403 => "403",
        404 if answer.text().contains("project not found") => "404",
        500 => panic!("{}: {}", answer.status, answer.text()),
        _ => "yes",
    }
}

/// The route's path with something in the place of each parameter.
fn fill(path: &str, project: ProjectId) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{project}" => project.to_string(),
        parameter if parameter.starts_with('{') => "0".to_owned(),
        fixed => fixed.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn row(cast: &Cast, route: &Route, project: ProjectId) -> String {
    let path = fill(&route.path, project);
    let mut row = String::new();
    for (_, actor) in &cast.actors {
        let answer = actor.json(route.method.clone(), &path, &json!({})).await;
        write!(row, "{:<14}", verdict(&answer)).expect("a string takes all");
    }
    let path = route.path.replace("/api/v4/projects/{project}/ml/mlflow", "…/ml/mlflow");
    format!("{row}{} {path}\n", route.method)
}

fn heading(cast: &Cast) -> String {
    let names = cast.actors.iter().map(|(name, _)| format!("{name:<14}"));
    format!("{}\n", names.collect::<String>().trim_end())
}

#[tokio::test]
async fn everybody_may_do_what_the_published_table_says_and_no_more() {
    let server = TestServer::sqlite().await;
    let cast = Cast::new(&server).await;
    let (_, routes) = router::api(server.app());
    let (of_projects, of_the_instance): (Vec<_>, Vec<_>) =
        routes.iter().partition(|route| route.guard.is_of_project());

    let mut table = format!("the instance\n{}", heading(&cast));
    for route in of_the_instance {
        table.push_str(&row(&cast, route, ProjectId(0)).await);
    }
    for visibility in Visibility::ALL {
        let project = cast.project(&server, *visibility).await;
        write!(table, "\na project that is {visibility}\n{}", heading(&cast)).expect("a string takes all");
        for route in &of_projects {
            table.push_str(&row(&cast, route, project).await);
        }
    }
    insta::assert_snapshot!(table);
    server.finish().await;
}
