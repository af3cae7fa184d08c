//! Routes that are about models or about experiments: which right they ask for follows what they name.

use axum::http::Method;
use modelry_core::policy::{Doing, Role};
use modelry_server::naming::Naming;
use modelry_server::router;
use modelry_server::table::Guard;
use serde_json::json;

use crate::scene::Scene;

const MODELS: &str = "to write models and versions";
const EXPERIMENTS: &str = "to write experiments and candidates";

#[tokio::test]
async fn what_a_write_asks_for_follows_what_its_path_names() {
    let scene = Scene::new().await;
    let guest = scene.server.user("guest").await;
    scene.server.member(scene.project, &guest, Role::Guest).await;
    let artifacts = "ml/mlflow/api/2.0/mlflow-artifacts/artifacts";
    let parts = "ml/mlflow/ajax-api/2.0/mlflow-artifacts/mpu";
    let run = "0/0190163d8694739c9a2c1f0d3b8b3a4e/artifacts";
    let version = "versions/1000001/artifacts";
    for (method, path, expected) in [
        (Method::PUT, "packages/ml_models/1000001/files/a".to_owned(), MODELS),
        (Method::PUT, "packages/ml_models/candidate:1/files/a".to_owned(), EXPERIMENTS),
        (Method::DELETE, "packages/ml_models/1000001".to_owned(), MODELS),
        (Method::DELETE, "packages/ml_models/candidate:1".to_owned(), EXPERIMENTS),
        (Method::PUT, format!("{artifacts}/{version}/a"), MODELS),
        (Method::PUT, format!("{artifacts}/%76ersions/1000001/artifacts/a"), MODELS),
        (Method::PUT, format!("{artifacts}/{run}/a"), EXPERIMENTS),
        (Method::DELETE, format!("{artifacts}/{version}/a"), MODELS),
        (Method::DELETE, format!("{artifacts}/{run}/a"), EXPERIMENTS),
        (Method::POST, format!("{parts}/create/{version}"), MODELS),
        (Method::POST, format!("{parts}/complete/{run}"), EXPERIMENTS),
    ] {
        let answer =
            guest.json(method, &format!("/api/v4/projects/{}/{path}", scene.project), &json!({})).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        assert!(answer.text().contains(expected), "{path}: {}", answer.text());
    }
    scene.server.finish().await;
}

#[tokio::test]
async fn every_route_whose_path_names_either_is_guarded_by_what_it_names() {
    let scene = Scene::new().await;
    let (_, routes) = router::api(scene.server.app());
    let mut seen = 0;
    for route in &routes {
        let named = [
            ("/packages/ml_models/{package}", Naming::Package),
            ("/mlflow-artifacts/artifacts/{*path}", Naming::Artifact),
            ("/mlflow-artifacts/mpu/create/{*path}", Naming::Artifact),
            ("/mlflow-artifacts/mpu/complete/{*path}", Naming::Artifact),
            ("/mlflow-artifacts/mpu/abort/{*path}", Naming::Artifact),
        ];
        let Some((_, naming)) = named.iter().find(|(part, _)| route.path.contains(part)) else { continue };
        let doing = if route.method == Method::GET { Doing::Reading } else { Doing::Writing };
        assert_eq!(route.guard, Guard::Named(*naming, doing), "{} {}", route.method, route.path);
        seen += 1;
    }
    assert_eq!(seen, 17);
    scene.server.finish().await;
}

#[tokio::test]
async fn what_is_in_the_bin_is_guarded_by_its_kind() {
    let scene = Scene::new().await;
    let (_, routes) = router::api(scene.server.app());
    let list = routes.iter().find(|route| route.path.ends_with("/bin/{kind}")).expect("the bin is listed");
    assert_eq!(list.guard, Guard::Named(Naming::InBin, Doing::Reading));
    scene.server.finish().await;
}

#[tokio::test]
async fn an_upload_is_guarded_by_what_it_is_for_once_that_is_read() {
    let scene = Scene::new().await;
    let (_, routes) = router::api(scene.server.app());
    let uploads = routes.iter().filter(|route| route.path.contains("/uploads"));
    let guards: Vec<Guard> = uploads.map(|route| route.guard).collect();
    assert_eq!(guards, [Guard::Either(Doing::Writing); 4]);
    scene.server.finish().await;
}
