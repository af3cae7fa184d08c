use insta::assert_json_snapshot;
use modelry_core::ids::ProjectId;
use modelry_core::policy::{Role, Visibility};
use modelry_testkit::server::{Actor, TestServer};
use serde_json::json;

use crate::problem;

/// Ann owns a private project, Bob maintains it, Cid is a stranger.
struct Scene {
    server: TestServer,
    project: ProjectId,
    ann: Actor,
    bob: Actor,
    cid: Actor,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::sqlite().await;
        let (ann, bob, cid) = (server.user("ann").await, server.user("bob").await, server.user("cid").await);
        let project = server.project(&ann, "Churn", Visibility::Private).await;
        server.member(project, &bob, Role::Maintainer).await;
        Self { server, project, ann, bob, cid }
    }

    fn members(&self) -> String {
        format!("/api/v4/projects/{}/members", self.project)
    }

    fn member(&self, actor: &Actor) -> String {
        format!("{}/{}", self.members(), actor.user())
    }
}

#[tokio::test]
async fn a_member_is_added_by_name_and_sees_the_project_at_once() {
    let scene = Scene::new().await;
    let project = format!("/api/v4/projects/{}", scene.project);
    assert_eq!(problem(&scene.cid.get(&project).await), "404 not-found");
    let added = scene.bob.post(&scene.members(), &json!({"username": "CID", "role": "reporter"})).await;
    assert_eq!(added.status, 201);
    assert_json_snapshot!(added.json(), @r#"
    {
      "access_level": 20,
      "created_at": 1700000000000,
      "id": 3,
      "name": "cid",
      "role": "reporter",
      "username": "cid"
    }
    "#);
    scene.cid.get(&project).await.expect_json();
    scene.server.finish().await;
}

#[tokio::test]
async fn a_role_is_read_as_word_and_as_gitlabs_number() {
    let scene = Scene::new().await;
    let body = json!({"user_id": scene.cid.user(), "access_level": 30});
    let added = scene.bob.post(&scene.members(), &body).await;
    assert_eq!(added.expect_json()["role"], "developer");
    for (role, word) in [(json!(15), "planner"), (json!("guest"), "guest"), (json!("Reporter"), "reporter")] {
        let changed = scene.bob.put(&scene.member(&scene.cid), &json!({"role": role})).await;
        assert_eq!(changed.expect_json()["role"], word);
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn what_names_no_user_or_no_role_is_refused() {
    let scene = Scene::new().await;
    for (body, expected) in [
        (json!({"role": "guest"}), "400 invalid"),
        (json!({"username": "cid", "user_id": 3, "role": "guest"}), "400 invalid"),
        (json!({"username": "cid"}), "400 invalid"),
        (json!({"username": "cid", "role": "boss"}), "400 invalid"),
        (json!({"username": "cid", "role": 31}), "400 invalid"),
        (json!({"username": "cid", "role": -10}), "400 invalid"),
        (json!({"username": "nobody", "role": "guest"}), "404 not-found"),
        (json!({"user_id": 99, "role": "guest"}), "404 not-found"),
        (json!({"username": "ann", "role": "guest"}), "409 already-exists"),
    ] {
        assert_eq!(problem(&scene.bob.post(&scene.members(), &body).await), expected, "{body}");
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn nobody_gives_or_takes_a_role_above_their_own() {
    let scene = Scene::new().await;
    let add = json!({"username": "cid", "role": "owner"});
    assert_eq!(problem(&scene.bob.post(&scene.members(), &add).await), "403 forbidden");
    let promote = json!({"role": "owner"});
    assert_eq!(problem(&scene.bob.put(&scene.member(&scene.bob), &promote).await), "403 forbidden");
    let demote = json!({"role": "guest"});
    assert_eq!(problem(&scene.bob.put(&scene.member(&scene.ann), &demote).await), "403 forbidden");
    assert_eq!(problem(&scene.bob.delete(&scene.member(&scene.ann)).await), "403 forbidden");
    scene.server.finish().await;
}

#[tokio::test]
async fn the_last_owner_can_neither_step_down_nor_leave() {
    let scene = Scene::new().await;
    let path = scene.member(&scene.ann);
    assert_eq!(problem(&scene.ann.put(&path, &json!({"role": "guest"})).await), "409 conflict");
    assert_eq!(problem(&scene.ann.delete(&path).await), "409 conflict");
    scene.server.finish().await;
}

#[tokio::test]
async fn a_removed_member_is_a_stranger_at_once() {
    let scene = Scene::new().await;
    scene.bob.get(&scene.members()).await.expect_json();
    assert_eq!(scene.ann.delete(&scene.member(&scene.bob)).await.status, 204);
    assert_eq!(problem(&scene.bob.get(&scene.members()).await), "404 not-found");
    assert_eq!(problem(&scene.ann.delete(&scene.member(&scene.bob)).await), "404 not-found");
    scene.server.finish().await;
}

#[tokio::test]
async fn the_list_of_members_is_paged() {
    let scene = Scene::new().await;
    let first = scene.bob.get(&format!("{}?per_page=1", scene.members())).await;
    assert_eq!(first.expect_json()[0]["username"], "ann");
    let next = format!("{}?per_page=1&after=1", scene.members());
    assert_eq!(first.header("link"), format!("<http://modelry.test{next}>; rel=\"next\""));
    let last = scene.bob.get(&next).await;
    assert_eq!((last.expect_json()[0]["username"].as_str(), last.header("link")), (Some("bob"), ""));
    scene.server.finish().await;
}
