//! What tests of a project's routes start from.

use std::cell::RefCell;
use std::collections::BTreeSet;

use axum::http::Method;
use modelry_core::ids::ProjectId;
use modelry_core::policy::{Role, Visibility};
use modelry_server::v4;
use modelry_testkit::server::{Actor, Answer, TestServer};
use serde_json::{Value, json};

/// Ann owns a project, Bob is a Reporter in it. What they call is written down by the route's path.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) project: ProjectId,
    pub(crate) ann: Actor,
    pub(crate) bob: Actor,
    pub(crate) called: RefCell<BTreeSet<String>>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let server = TestServer::sqlite().await;
        let (ann, bob) = (server.user("ann").await, server.user("bob").await);
        let project = server.project(&ann, "Churn", Visibility::Private).await;
        server.member(project, &bob, Role::Reporter).await;
        Self { server, project, ann, bob, called: RefCell::default() }
    }

    /// A call below the project, where `route` has `{names}` for the parts in `names`.
    pub(crate) async fn call(
        &self,
        actor: &Actor,
        method: Method,
        route: &str,
        names: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let path = self.path(&method, route, names);
        actor.json(method, &path, body).await
    }

    /// The path that a route has with these names, which is written down as called.
    fn path(&self, method: &Method, route: &str, names: &[(&str, &str)]) -> String {
        let route_path = route.split('?').next().unwrap_or_default();
        self.called
            .borrow_mut()
            .insert(format!("{} /api/v4/projects/{{project}}{route_path}", method.as_str().to_lowercase()));
        let mut path = format!("/api/v4/projects/{}{route}", self.project);
        for (name, value) in names {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        path
    }

    /// A `GET` by Bob that has to be a success, as [`Scene::call`].
    pub(crate) async fn get(&self, route: &str, names: &[(&str, &str)]) -> Value {
        self.call(&self.bob, Method::GET, route, names, &Value::Null).await.expect_json()
    }

    /// Makes the draft 1.2.0 of a new model `churn`, as if without a call, and answers its number in the project.
    pub(crate) async fn draft(&self) -> String {
        self.model("churn").await;
        let (route, body) = ("/models/{model}/versions", json!({"version": "1.2.0"}));
        let draft = self.call(&self.bob, Method::POST, route, &[("model", "churn")], &body).await;
        self.called.borrow_mut().clear();
        draft.expect_json()["id"].to_string()
    }

    pub(crate) async fn model(&self, name: &str) {
        let made = self.call(&self.bob, Method::POST, "/models", &[], &json!({"name": name})).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }

    /// An upload, as [`Scene::call`].
    pub(crate) async fn upload(&self, route: &str, names: &[(&str, &str)], bytes: &'static str) -> Answer {
        let path = self.path(&Method::PUT, route, names);
        self.bob.send(self.bob.request(Method::PUT, &path), bytes).await
    }

    /// Makes a version with a file, published, and answers it.
    pub(crate) async fn version(&self, model: &str, body: Value) -> Value {
        let made =
            self.call(&self.bob, Method::POST, "/models/{model}/versions", &[("model", model)], &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        if made["state"] == "published" {
            return made;
        }
        let number = made["number"].to_string();
        let names = [("model", model), ("version", number.as_str()), ("path", "w.txt")];
        let route = "/models/{model}/versions/{version}/files/{path}";
        assert_eq!(self.upload(route, &names, "weights").await.status, 201);
        self.called.borrow_mut().retain(|called| !called.ends_with(route));
        let body = json!({"state": "published"});
        self.call(&self.bob, Method::PATCH, "/models/{model}/versions/{version}", &names, &body)
            .await
            .expect_json()
    }

    pub(crate) async fn alias(&self, actor: &Actor, alias: &str, body: Value) -> Answer {
        let names = [("model", "churn"), ("alias", alias)];
        self.call(actor, Method::PUT, "/models/{model}/aliases/{alias}", &names, &body).await
    }

    pub(crate) async fn history(&self, alias: &str) -> Vec<(Value, Value, Value)> {
        let names = [("model", "churn"), ("alias", alias)];
        let route = "/models/{model}/aliases/{alias}/history";
        let moves = self.call(&self.bob, Method::GET, route, &names, &Value::Null).await.expect_json();
        let moves = moves.as_array().expect("a list").iter();
        moves.map(|one| (one["from"].clone(), one["to"].clone(), one["reason"].clone())).collect()
    }
}

/// The operations that the description has under a tag.
pub(crate) fn described(tag: &str) -> BTreeSet<String> {
    let document = serde_json::to_value(v4::description()).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = BTreeSet::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation["tags"][0] == tag {
                operations.insert(format!("{method} {path}"));
            }
        }
    }
    operations
}
