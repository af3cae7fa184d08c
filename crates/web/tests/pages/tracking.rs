//! What clients log is what pages show.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::site::Site;

const ATTACK: &str = "<img src=x onerror=alert(1)>";

/// Logs a metric of two steps, a parameter and metadata to a candidate, and answers its run id.
pub(crate) async fn logged(site: &Site, name: &str, loss: f64) -> String {
    let run = site.run(name).await;
    let metric = |step: i64, value: f64| json!({"key": "val/loss", "value": value, "step": step, "timestamp": 1_000 + step});
    let batch = json!({
        "run_id": run,
        "metrics": [metric(0, 1.0), metric(1, loss)],
        "params": [{"key": "depth", "value": name}],
        "tags": [{"key": "team", "value": "growth"}, {"key": "mlflow.source.name", "value": "train.py"}],
    });
    site.call("runs/log-batch", batch).await;
    run
}

/// The names in the table of candidates, from top to bottom.
pub(crate) fn names(html: &str) -> Vec<&str> {
    let rows = html.split(r#"<th scope="row"><a href=""#).skip(1);
    rows.filter_map(|row| row.split_once('>')?.1.split('<').next()).collect()
}

#[tokio::test]
async fn a_project_in_which_nothing_was_done_shows_how_to_begin() {
    let site = Site::new().await;
    let empty = site.page("/-/ml/experiments").await.text();
    assert!(empty.contains("Get started with model experiments"));
    let uri =
        format!("export MLFLOW_TRACKING_URI=http://modelry.test/api/v4/projects/{}/ml/mlflow", site.project);
    assert!(empty.contains(&uri), "{empty}");
    site.run("a").await;
    assert!(site.page("/-/ml/experiments").await.text().contains("/ann/churn/-/ml/experiments/0"));
}

#[tokio::test]
async fn a_candidate_shows_latest_least_and_greatest() {
    let site = Site::new().await;
    let run = logged(&site, "a", 0.25).await;
    let html = site.page("/-/ml/candidates/1").await.text();
    assert!(html.contains(&run));
    let cells = [r#"title="0.25">0.25"#, r#"title="0.25">0.25"#, r#"title="1">1"#, "1"];
    let row = html.split(">val/loss</a>").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row");
    let mut rest = row;
    for cell in cells {
        let at = rest.find(cell).unwrap_or_else(|| panic!("{cell} in {row}"));
        rest = &rest[at + cell.len()..];
    }
}

#[tokio::test]
async fn the_run_id_leads_to_the_candidate() {
    let site = Site::new().await;
    let run = site.run("a").await;
    let answer = site.page(&format!("/-/ml/runs/{run}")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/ann/churn/-/ml/candidates/1");
    assert_eq!(site.page("/-/ml/runs/unknown").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_link_that_clients_print_is_a_page_of_the_project() {
    let site = Site::new().await;
    for slash in ["", "/"] {
        let answer = site.ann.get(&format!("/api/v4/projects/{}/ml/mlflow{slash}", site.project)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text().contains(r#"data-project="/ann/churn""#));
    }
}

#[tokio::test]
async fn a_candidate_has_a_chart_of_each_metric() {
    let site = Site::new().await;
    let run = site.run("a").await;
    let body = json!({"run_id": run, "key": "a b", "value": 0.5, "step": 0, "timestamp": 7});
    site.call("runs/log-metric", body).await;
    let charts = site.page("/-/ml/candidates/1?tab=charts&x=metric:a%20b&smoothing=0.7").await.text();
    assert!(
        charts.contains(&format!(r#"data-series="/api/v4/projects/{}/series""#, site.project)),
        "{charts}"
    );
    assert!(charts.contains(r#"data-chart="a b""#) && charts.contains(r#"data-line="1""#));
    assert!(charts.contains(r#"<option value="metric:a b" selected>"#) && charts.contains(r#"value="0.7""#));
    assert!(charts.contains(r#"<img src="/ann/churn/-/ml/picture?candidate=1&#38;key=a%20b""#), "{charts}");
}

#[tokio::test]
async fn a_metric_is_a_picture_for_readers_without_scripts() {
    let site = Site::new().await;
    logged(&site, "a", 0.25).await;
    logged(&site, "b", 0.625).await;
    let answer = site.page("/-/ml/picture?candidate=1&candidate=2&key=val%2Floss").await;
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    for line in ["0.0,24.0 480.0,176.0", "0.0,24.0 480.0,100.0"] {
        assert!(answer.text().contains(&format!(r#"<polyline points="{line}""#)), "{}", answer.text());
    }
}

#[tokio::test]
async fn metadata_of_the_client_is_folded_away() {
    let site = Site::new().await;
    logged(&site, "a", 0.25).await;
    let html = site.page("/-/ml/candidates/1?tab=metadata").await.text();
    let fold = html.find("Set by the client").expect("a fold");
    assert!(html.find("growth").expect("metadata") < fold);
    assert!(html.find("train.py").expect("the client's") > fold);
}

#[tokio::test]
async fn artifacts_are_a_tree_with_a_preview() {
    let site = Site::new().await;
    let run = site.run("a").await;
    site.put(&format!("0/{run}/artifacts/report/a%20b.csv"), b"x,y\n1,<b>\n").await;
    site.put(&format!("0/{run}/artifacts/train.log"), b"line one\n").await;
    let top = site.page("/-/ml/candidates/1/artifacts").await.text();
    assert!(top.contains("2 files, 19 B"), "{top}");
    assert!(!top.contains("a b.csv"), "a directory that is not on the way is closed");
    let csv = site.page("/-/ml/candidates/1/artifacts/report/a%20b.csv").await.text();
    assert!(csv.contains("<td>&#60;b&#62;</td>"));
    let bytes = format!(
        "/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/report/a%20b.csv",
        site.project
    );
    assert!(csv.contains(&format!(r#"href="{bytes}" download"#)), "{csv}");
    assert_eq!(site.ann.get(&bytes).await.text(), "x,y\n1,<b>\n");
    let log = site.page("/-/ml/candidates/1/artifacts/train.log").await.text();
    assert!(log.contains(r#"data-seen="9""#), "a running candidate's log is followed");
    assert_eq!(site.page("/-/ml/candidates/1/artifacts/nothing").await.status, StatusCode::NOT_FOUND);
}

/// Makes a logged model with a description of itself, and answers its id.
async fn model(site: &Site, run: &str, name: &str) -> String {
    let body = json!({"experiment_id": "0", "name": name, "source_run_id": run});
    let made: Value = site.call("logged-models", body).await;
    let id = made["model"]["info"]["model_id"].as_str().expect("a model has an id").to_owned();
    let mlmodel = b"flavors:\n  sklearn:\n    code: null\nsignature:\n  inputs: '[{\"type\": \"double\", \"name\": \"age\"}]'\n";
    site.put(&format!("0/models/{id}/artifacts/MLmodel"), mlmodel).await;
    id
}

#[tokio::test]
async fn a_logged_model_stands_in_the_tree_of_its_candidate() {
    let site = Site::new().await;
    let run = site.run("a").await;
    let id = model(&site, &run, "forest").await;
    let found = site.page(&format!("/-/ml/logged_models/{id}")).await;
    assert_eq!(found.header("location"), "/ann/churn/-/ml/candidates/1/artifacts/models/forest");
    let html = site.page("/-/ml/candidates/1/artifacts/models/forest").await.text();
    for text in
        [&*format!("models:/{id}"), "<span class=\"tag\">sklearn</span>", "<th scope=\"row\">age</th>"]
    {
        assert!(html.contains(text), "{text} in {html}");
    }
    let file = site.page("/-/ml/candidates/1/artifacts/models/forest/MLmodel").await.text();
    assert!(file.contains("code: null"));
}

#[tokio::test]
async fn two_models_of_one_name_are_told_apart() {
    let site = Site::new().await;
    let run = site.run("a").await;
    model(&site, &run, "forest").await;
    let second = model(&site, &run, "forest").await;
    let found = site.page(&format!("/-/ml/logged_models/{second}")).await;
    let location = found.header("location").to_owned();
    assert_ne!(location, "/ann/churn/-/ml/candidates/1/artifacts/models/forest");
    assert!(site.ann.get(&location).await.text().contains(&format!("models:/{second}")));
}

#[tokio::test]
async fn a_directory_that_is_a_model_is_shown_as_one() {
    let site = Site::new().await;
    let run = site.run("a").await;
    site.put(&format!("0/{run}/artifacts/model/MLmodel"), b"flavors:\n  sklearn:\n    code: null\n").await;
    let html = site.page("/-/ml/candidates/1/artifacts/model").await.text();
    assert!(html.contains(&format!("runs:/{run}/model")));
    assert!(html.contains("<span class=\"tag\">sklearn</span>"));
}

#[tokio::test]
async fn what_a_client_logs_is_never_markup() {
    let site = Site::new().await;
    let run = logged(&site, ATTACK, 0.5).await;
    site.call("runs/set-tag", json!({"run_id": run, "key": "mlflow.note.content", "value": ATTACK})).await;
    site.put(&format!("0/{run}/artifacts/page.html"), ATTACK.as_bytes()).await;
    for page in
        ["experiments/0", "candidates/1", "candidates/1?tab=metadata", "candidates/1/artifacts/page.html"]
    {
        let html = site.page(&format!("/-/ml/{page}")).await.text();
        assert!(html.contains("&#60;img src=x"), "{page} does not show it");
        assert!(!html.contains("<img src=x"), "{page} runs it");
    }
}

#[tokio::test]
async fn a_deleted_candidate_says_so() {
    let site = Site::new().await;
    let run = site.run("a").await;
    site.call("runs/delete", json!({"run_id": run})).await;
    assert!(
        site.page("/-/ml/candidates/1").await.text().contains(r#"<span class="tag tag-bad">Deleted</span>"#)
    );
    assert_eq!(names(&site.page("/-/ml/experiments/0").await.text()), [""; 0]);
}
