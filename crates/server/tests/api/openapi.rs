use std::collections::BTreeSet;

use modelry_server::{router, v4};
use modelry_testkit::server::TestServer;

/// Whether a route belongs to the native API, which is described, and not to the protocol below it.
fn is_native(path: &str) -> bool {
    path.starts_with("/api/v4/") && !path.contains("/ml/mlflow")
}

#[tokio::test]
async fn every_native_route_is_described_and_nothing_else() {
    let server = TestServer::sqlite().await;
    let (_, routes) = router::api(server.app());
    let native = routes.iter().filter(|route| is_native(&route.path));
    let routes: BTreeSet<String> = native
        .map(|route| format!("{} {}", route.method.as_str().to_lowercase(), route.path.replace("{*", "{")))
        .collect();
    let document = serde_json::to_value(v4::description()).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let described: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(described, routes);
    server.finish().await;
}

#[test]
fn every_response_is_described_as_openapi_demands() {
    let document = serde_json::to_value(v4::description()).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                assert!(response["description"].is_string(), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn the_description_is_as_published() {
    let server = TestServer::sqlite().await;
    let answer = server.anonymous().get("/api/openapi.json").await;
    insta::assert_json_snapshot!(answer.expect_json());
    server.finish().await;
}
