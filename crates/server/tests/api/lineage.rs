//! Lineage through the native API, of what was made through all of them.

use axum::body::Body;
use axum::http::Method;
use axum::http::header::{COOKIE, RANGE};
use modelry_core::ids::ProjectId;
use modelry_core::policy::{Role, Scope, Visibility};
use modelry_server::access::SESSION_COOKIE;
use modelry_server::accounts::Authority;
use modelry_server::accounts::sign_in;
use modelry_server::accounts::users::{self, Draft};
use modelry_testkit::server::{Actor, Answer, START, TestServer};
use serde_json::{Value, json};

use crate::problem;

/// Ann, whose token has the number 1, owns a project with a candidate that used a dataset, was made version 1.0.0 of the
/// model `churn`, and knows its commit.
struct Scene {
    server: TestServer,
    project: ProjectId,
    ann: Actor,
    /// The public id of the candidate, whose number is 1.
    run: String,
}

/// The names of what a scene starts with, upstream first.
const CHAIN: [&str; 4] = ["source:customers.csv", "dataset:1", "candidate:1", "version:1000001"];

impl Scene {
    async fn new(visibility: Visibility) -> Self {
        let server = TestServer::sqlite().await;
        let ann = server.user("ann").await;
        let project = server.project(&ann, "Churn", visibility).await;
        let mut scene = Self { server, project, ann, run: String::new() };
        scene.run = scene.candidate(&json!([{"key": "mlflow.source.git.commit", "value": "4c50ebb0"}])).await;
        scene.use_dataset(&scene.run).await;
        let file = scene.native(&format!("packages/ml_models/candidate:1/files/{}", "model/weights.txt"));
        assert_eq!(scene.ann.send(scene.ann.request(Method::PUT, &file), "weights").await.status, 201);
        scene.ann.post(&scene.native("models"), &json!({"name": "churn"})).await.expect_json();
        let version = json!({"run_id": scene.run, "path": "model"});
        scene.ann.post(&scene.native("models/churn/versions"), &version).await.expect_json();
        scene
    }

    fn native(&self, path: &str) -> String {
        format!("/api/v4/projects/{}/{path}", self.project)
    }

    fn mlflow(&self, path: &str) -> String {
        self.native(&format!("ml/mlflow/api/2.0/{path}"))
    }

    /// Makes a candidate in the experiment 0 and answers its public id.
    async fn candidate(&self, tags: &Value) -> String {
        let new = json!({"experiment_id": "0", "tags": tags});
        let made = self.ann.post(&self.mlflow("mlflow/runs/create"), &new).await.expect_json();
        made["run"]["info"]["run_id"].as_str().expect("a public id").to_owned()
    }

    async fn use_dataset(&self, run: &str) {
        let dataset = json!({
            "name": "customers", "digest": "d1", "source_type": "local", "source": "{\"uri\": \"customers.csv\"}",
        });
        let body = json!({"run_id": run, "datasets": [{"dataset": dataset}]});
        self.ann.post(&self.mlflow("mlflow/runs/log-inputs"), &body).await.expect_json();
    }

    async fn ask(&self, actor: &Actor, query: &str) -> Answer {
        actor.get(&self.native(&format!("lineage?{query}"))).await
    }

    /// The edges of a lineage, as `upstream relation downstream`.
    async fn edges(&self, query: &str) -> Vec<String> {
        edges(&self.ask(&self.ann, query).await.expect_json())
    }

    /// Who fetched files of version 1.0.0, through which doors, how many: as Ann is told.
    async fn pulls(&self) -> Vec<String> {
        let query = "node=version:churn/1.0.0&direction=down&depth=1";
        let lineage = self.ask(&self.ann, query).await.expect_json();
        let edges = lineage["edges"].as_array().expect("a list").iter();
        let line = |edge: &Value| {
            format!("{} {} {}", edge["downstream"], edge["pull"]["door"], edge["pull"]["files"])
        };
        edges.map(line).map(|line| line.replace('"', "")).collect()
    }
}

fn edges(lineage: &Value) -> Vec<String> {
    let edges = lineage["edges"].as_array().expect("a list").iter();
    let line = |edge: &Value| format!("{} {} {}", edge["upstream"], edge["relation"], edge["downstream"]);
    edges.map(line).map(|line| line.replace('"', "")).collect()
}

/// The addresses of version 1.0.0's file, by door.
const FILES: [(&str, &str); 3] = [
    ("api", "models/churn/versions/1.0.0/files/weights.txt"),
    ("packages", "packages/ml_models/1000001/files/weights.txt"),
    ("mlflow", "ml/mlflow/api/2.0/mlflow-artifacts/artifacts/versions/1000001/artifacts/weights.txt"),
];

#[tokio::test]
async fn lineage_goes_from_a_dataset_to_a_pull_and_back() {
    let scene = Scene::new(Visibility::Private).await;
    scene.ann.get(&scene.native(FILES[0].1)).await;
    let down = scene.edges("node=source:customers.csv&direction=down&depth=10").await;
    let chain = [
        "source:customers.csv used dataset:1",
        "dataset:1 used candidate:1",
        "candidate:1 registered_as version:1000001",
        "version:1000001 pulled_by token:1",
    ];
    assert_eq!(down, chain);
    let up = scene.edges("node=token:1&direction=up&depth=10").await;
    assert_eq!(up, [chain[3], chain[2], chain[1], "commit:4c50ebb0 used candidate:1", chain[0]]);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_walk_from_the_middle_goes_one_way_only() {
    let scene = Scene::new(Visibility::Private).await;
    let down = scene.edges(&format!("node=candidate:{}&direction=down", scene.run)).await;
    assert_eq!(down, ["candidate:1 registered_as version:1000001"]);
    scene.server.finish().await;
}

#[tokio::test]
async fn nodes_are_told_once_with_their_names_numbers_and_state() {
    let scene = Scene::new(Visibility::Private).await;
    let deleted = scene.ann.delete(&scene.native("models/churn/versions/1.0.0")).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    let lineage = scene.ask(&scene.ann, "node=candidate:1&direction=down").await.expect_json();
    let version = json!({
        "id": "version:1000001", "kind": "version", "label": "churn 1.0.0 (#1)", "number": 1_000_001, "eid": null,
        "name": "churn", "version": "1.0.0", "deleted": true,
    });
    assert_eq!(lineage["nodes"][1], version);
    assert_eq!(
        (&lineage["nodes"][0]["eid"], &lineage["nodes"][0]["deleted"]),
        (&json!(scene.run), &json!(false))
    );
    assert_eq!(lineage["nodes"].as_array().map(Vec::len), Some(2));
    scene.server.finish().await;
}

#[tokio::test]
async fn depth_bounds_how_far_away_things_are() {
    let scene = Scene::new(Visibility::Private).await;
    for (query, ends) in [("&depth=1", 1), ("&depth=2", 2), ("", 3), ("&depth=10", 3)] {
        let edges = scene.edges(&format!("node={}&direction=down{query}", CHAIN[0])).await;
        assert_eq!(edges.len(), ends, "{query}: {edges:?}");
        assert!(edges[ends - 1].ends_with(CHAIN[ends]), "{query}: {edges:?}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn pages_have_all_edges_once_and_the_nodes_that_they_join() {
    let scene = Scene::new(Visibility::Private).await;
    for _ in 0..4 {
        let run = scene.candidate(&json!([])).await;
        scene.use_dataset(&run).await;
    }
    let query = "node=source:customers.csv&direction=down";
    let whole = scene.edges(query).await;
    assert_eq!(whole.len(), 7);
    let (mut path, mut paged) = (scene.native(&format!("lineage?{query}&per_page=3")), Vec::new());
    loop {
        let answer = scene.ann.get(&path).await;
        let lineage = answer.expect_json();
        let page = edges(&lineage);
        assert!(!page.is_empty() && page.len() <= 3, "{page:?}");
        let nodes: Vec<&str> = lineage["nodes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|node| node["id"].as_str())
            .collect();
        assert_eq!(nodes[0], "source:customers.csv");
        let ends = page.iter().flat_map(|edge| edge.split(' ')).filter(|word| word.contains(':'));
        assert!(ends.clone().all(|end| nodes.contains(&end)), "{lineage}");
        paged.extend(page.iter().cloned());
        let link = answer.header("link").to_owned();
        let Some(next) =
            link.strip_prefix("<http://modelry.test").and_then(|link| link.strip_suffix(">; rel=\"next\""))
        else {
            assert_eq!((link.as_str(), &lineage["truncated"]), ("", &json!(false)));
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(paged, whole);
    scene.server.finish().await;
}

#[tokio::test]
async fn a_circle_of_candidates_is_told_once() {
    let scene = Scene::new(Visibility::Private).await;
    let inner = scene.candidate(&json!([{"key": "mlflow.parentRunId", "value": scene.run}])).await;
    let tag = json!({"run_id": scene.run, "key": "mlflow.parentRunId", "value": inner});
    scene.ann.post(&scene.mlflow("mlflow/runs/set-tag"), &tag).await.expect_json();
    let edges = scene.edges(&format!("node=candidate:{inner}&direction=down&depth=10")).await;
    // A number was drawn for the version, which needed no candidate of its own.
    let expected = [
        "candidate:3 child_of candidate:1",
        "candidate:1 registered_as version:1000001",
        "candidate:1 child_of candidate:3",
    ];
    assert_eq!(edges, expected);
    scene.server.finish().await;
}

#[tokio::test]
async fn more_edges_than_a_walk_follows_are_cut_off_and_it_says_so() {
    let scene = Scene::new(Visibility::Private).await;
    let project = scene.project.0;
    let insert = scene.server.app().db.write(move |tx| {
        for candidate in 2..=10_001_i64 {
            tx.execute(
                "INSERT INTO candidate_datasets (project_id, candidate_id, dataset_id, tags) VALUES ($1, $2, 1, '{}')",
                &[&project, &candidate],
            )?;
        }
        Ok(())
    });
    insert.await.expect("the rows can be made");
    let query = "node=dataset:1&direction=down&depth=1&per_page=10";
    let end = scene.ask(&scene.ann, &format!("{query}&after=9990")).await;
    let lineage = end.expect_json();
    assert_eq!((edges(&lineage).len(), &lineage["truncated"], end.header("link")), (10, &json!(true), ""));
    let before = scene.ask(&scene.ann, &format!("{query}&after=9989")).await;
    assert_eq!(before.expect_json()["truncated"], false);
    assert!(before.header("link").contains("after=9999"), "{}", before.header("link"));
    scene.server.finish().await;
}

#[tokio::test]
async fn a_node_that_is_not_there_is_not_found() {
    let scene = Scene::new(Visibility::Private).await;
    for node in
        ["dataset:9", "candidate:9", "version:churn/9.0.0", "version:9", "commit:9", "source:9", "token:9"]
    {
        let answer = scene.ask(&scene.ann, &format!("node={node}&direction=up")).await;
        assert_eq!(problem(&answer), "404 not-found", "{node}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_question_that_is_none_is_told_what_is_one() {
    let scene = Scene::new(Visibility::Private).await;
    for (query, message) in [
        ("direction=up", "node"),
        ("node=churn&direction=up", "say `dataset:<number>`, `candidate:<number or run id>`"),
        ("node=run:1&direction=up", "`version:<model>/<version>`, `commit:<hash>`"),
        ("node=version:churn/%5E1&direction=up", "does not name one version"),
        ("node=dataset:1", "direction"),
        ("node=dataset:1&direction=sideways", "`direction` is `up` or `down`, not `sideways`"),
        ("node=dataset:1&direction=up&depth=0", "`depth` is 0: it has to be 1 to 10"),
        ("node=dataset:1&direction=up&depth=11", "`depth` is 11"),
        ("node=dataset:1&direction=up&per_page=101", "`per_page` is 101"),
        ("node=dataset:1&direction=up&after=x", "the query string does not fit"),
    ] {
        let answer = scene.ask(&scene.ann, query).await;
        assert_eq!(problem(&answer), "400 invalid", "{query}");
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(message), "{query}: {detail}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn a_token_that_reads_is_enough_and_a_stranger_finds_no_project() {
    let scene = Scene::new(Visibility::Private).await;
    let query = format!("node={}&direction=up", CHAIN[3]);
    let reader = scene.server.token(scene.ann.user(), Scope::ReadApi).await;
    assert_eq!(edges(&scene.ask(&reader, &query).await.expect_json()).len(), 4);
    let stranger = scene.server.user("eve").await;
    assert_eq!(problem(&scene.ask(&stranger, &query).await), "404 not-found");
    scene.server.finish().await;
}

#[tokio::test]
async fn who_fetched_files_is_told_to_members_and_nobody_else() {
    let scene = Scene::new(Visibility::Public).await;
    scene.ann.get(&scene.native(FILES[0].1)).await;
    let (guest, visitor) = (scene.server.user("gus").await, scene.server.user("vic").await);
    scene.server.member(scene.project, &guest, Role::Guest).await;
    let query = "node=version:churn/1&direction=down";
    assert_eq!(edges(&scene.ask(&guest, query).await.expect_json()).len(), 1);
    for actor in [&visitor, &scene.server.anonymous()] {
        assert!(edges(&scene.ask(actor, query).await.expect_json()).is_empty());
        assert_eq!(problem(&scene.ask(actor, "node=token:1&direction=up").await), "404 not-found");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn each_door_counts_the_files_that_are_fetched_through_it() {
    let scene = Scene::new(Visibility::Public).await;
    for (_, path) in FILES {
        assert_eq!(scene.ann.get(&scene.native(path)).await.text(), "weights");
    }
    let archive = scene.ann.get(&scene.native("models/churn/versions/1/archive.tar")).await;
    assert_eq!(archive.status, 200);
    scene.server.anonymous().get(&scene.native(FILES[1].1)).await;
    let expected = ["user:anonymous packages 1", "token:1 mlflow 1", "token:1 packages 1", "token:1 api 2"];
    assert_eq!(scene.pulls().await, expected);
    scene.server.finish().await;
}

#[tokio::test]
async fn what_a_page_links_to_is_fetched_by_the_user_of_the_session() {
    let scene = Scene::new(Visibility::Internal).await;
    let app = scene.server.app();
    let draft = Draft {
        username: "bob".parse().expect("a username"),
        name: None,
        password: Some("correct horse".to_owned()),
        admin: false,
    };
    let bob = users::create(app, &Authority::Operator, draft).await.expect("made").id;
    let session = sign_in::by_password(app, "bob", "correct horse", None).await.expect("signed in").secret;
    let nobody = scene.server.anonymous();
    let request = nobody.request(Method::GET, &scene.native(FILES[2].1));
    let fetched =
        nobody.send(request.header(COOKIE, format!("{SESSION_COOKIE}={session}")), Body::empty()).await;
    assert_eq!(fetched.text(), "weights");
    assert_eq!(scene.pulls().await, [format!("user:{bob} pages 1")]);
    scene.server.finish().await;
}

#[tokio::test]
async fn only_a_download_from_its_first_byte_on_counts() {
    let scene = Scene::new(Visibility::Private).await;
    for (_, path) in FILES {
        let request = || scene.ann.request(Method::GET, &scene.native(path));
        let etag = scene.ann.send(scene.ann.request(Method::HEAD, &scene.native(path)), Body::empty()).await;
        scene.ann.send(request().header(RANGE, "bytes=3-"), Body::empty()).await;
        scene.ann.send(request().header(RANGE, "bytes=99-"), Body::empty()).await;
        scene.ann.send(request().header("if-none-match", etag.header("etag")), Body::empty()).await;
    }
    scene
        .ann
        .send(scene.ann.request(Method::HEAD, &scene.native("models/churn/versions/1/archive.tar")), "")
        .await;
    scene.ann.get(&scene.native("models/churn/versions/1/manifest")).await.expect_json();
    assert!(scene.pulls().await.is_empty());
    let start = scene.ann.request(Method::GET, &scene.native(FILES[0].1)).header(RANGE, "bytes=0-2");
    assert_eq!(scene.ann.send(start, Body::empty()).await.text(), "wei");
    assert_eq!(scene.pulls().await, ["token:1 api 1"]);
    scene.server.finish().await;
}

#[tokio::test]
async fn files_of_drafts_are_not_pulled() {
    let scene = Scene::new(Visibility::Private).await;
    let made = scene.ann.post(&scene.native("models/churn/versions"), &json!({})).await.expect_json();
    let file = scene.native(&format!("packages/ml_models/{}/files/a.txt", made["id"]));
    assert_eq!(scene.ann.send(scene.ann.request(Method::PUT, &file), "a").await.status, 201);
    assert_eq!(scene.ann.get(&file).await.text(), "a");
    let edges = scene.edges(&format!("node=version:{}&direction=down", made["id"])).await;
    assert!(edges.is_empty(), "{edges:?}");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_pull_is_told_with_its_first_and_last_time() {
    let scene = Scene::new(Visibility::Private).await;
    for later_ms in [0, 5_000] {
        scene.server.app().clock.set(START.plus_ms(later_ms));
        scene.ann.get(&scene.native(FILES[0].1)).await;
        // Once written, more is added to it.
        scene.pulls().await;
    }
    let query = "node=version:churn/1&direction=down";
    let lineage = scene.ask(&scene.ann, query).await.expect_json();
    let (first, last) = (START.ms(), START.plus_ms(5_000).ms());
    let expected = json!({"door": "api", "first_at": first, "last_at": last, "files": 2});
    assert_eq!(lineage["edges"][0]["pull"], expected);
    assert_eq!(lineage["nodes"][1]["label"], "token 1 of ann");
    scene.server.finish().await;
}

#[tokio::test]
async fn what_cannot_be_written_down_is_kept_for_the_next_time() {
    let scene = Scene::new(Visibility::Private).await;
    let rename = async |sql: &'static str| {
        let renamed = scene.server.app().db.write(move |tx| tx.execute(sql, &[]).map(drop));
        renamed.await.expect("a table can be renamed");
    };
    scene.ann.get(&scene.native(FILES[0].1)).await;
    rename("ALTER TABLE pulls RENAME TO away").await;
    assert!(scene.server.app().pulls.write().await.is_err());
    rename("ALTER TABLE away RENAME TO pulls").await;
    assert_eq!(scene.pulls().await, ["token:1 api 1"]);
    scene.server.finish().await;
}
