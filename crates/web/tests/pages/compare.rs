//! Candidates beside each other.

use axum::http::StatusCode;
use modelry_core::policy::Visibility;
use serde_json::json;

use crate::site::Site;

/// Three candidates: the first two differ in `depth` and `loss`, the third has no metric, and all have `seed`.
async fn three(site: &Site) {
    for (name, depth, loss) in [("a", "5", Some(0.5)), ("b", "6", Some(0.25)), ("c", "6", None)] {
        let run = site.run(name).await;
        let metric = |value: f64| json!({"key": "loss", "value": value, "step": 1, "timestamp": 7});
        let metrics: Vec<_> = loss.into_iter().flat_map(|loss| [metric(loss), metric(loss + 1.0)]).collect();
        let params = json!([{"key": "depth", "value": depth}, {"key": "seed", "value": "1"}]);
        let tags = json!([{"key": "team", "value": "growth"}]);
        site.call(
            "runs/log-batch",
            json!({"run_id": run, "metrics": metrics, "params": params, "tags": tags}),
        )
        .await;
    }
}

async fn compare(site: &Site, query: &str) -> String {
    let answer = site.page(&format!("/-/ml/experiments/0/compare?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.text()
}

/// The rows of all tables: their keys, with a star where candidates differ.
fn rows(html: &str) -> Vec<String> {
    let keys = html.split("<tr").skip(1).filter_map(|row| {
        let (head, rest) = row.split_once(r#"<th scope="row">"#)?;
        let star = if head.contains("changed") { "*" } else { "" };
        Some(format!("{}{star}", rest.split('<').next()?))
    });
    let fixed = ["Status", "Started", "Duration", "Experiment"];
    keys.filter(|key| !fixed.contains(&key.as_str())).collect()
}

#[tokio::test]
async fn candidates_stand_beside_each_other_in_the_order_of_the_address() {
    let site = Site::new().await;
    three(&site).await;
    let html = compare(&site, "candidate=2&candidate=1&candidate=2").await;
    assert_eq!(rows(&html), ["loss*", "depth*", "seed", "mlflow.runName*", "team"]);
    let lines: Vec<&str> =
        html.split(r#"data-line=""#).skip(1).filter_map(|item| item.split('"').next()).collect();
    assert_eq!(lines, ["2", "1"]);
    let row = html.split(r#"<th scope="row">loss"#).nth(1).and_then(|rest| rest.split("</tr>").next());
    let cells: Vec<&str> =
        row.expect("a row").split(r#"title=""#).skip(1).filter_map(|cell| cell.split('"').next()).collect();
    assert_eq!(cells, ["1.25", "0.25", "1.25", "1.5", "0.5", "1.5"], "last, least and greatest of each");
}

#[tokio::test]
async fn what_is_the_same_is_left_out_on_demand() {
    let site = Site::new().await;
    three(&site).await;
    let html = compare(&site, "candidate=1&candidate=2").await;
    let link =
        r#"href="/ann/churn/-/ml/experiments/0/compare?candidate=1&#38;candidate=2&#38;only=differences""#;
    assert!(html.contains(link), "{html}");
    let differences = compare(&site, "candidate=1&candidate=2&only=differences").await;
    assert_eq!(rows(&differences), ["loss*", "depth*", "mlflow.runName*"]);
    assert!(
        differences.contains(r#"<input type="hidden" name="only" value="differences">"#),
        "charts keep it"
    );
    assert!(compare(&site, "candidate=2&candidate=3&only=differences").await.contains("No differences."));
}

#[tokio::test]
async fn links_to_the_same_page_keep_how_charts_are_seen() {
    let site = Site::new().await;
    three(&site).await;
    let html = compare(&site, "candidate=1&candidate=2&x=time&smoothing=0.5&hidden=2").await;
    for link in ["candidate=1&#38;candidate=2&#38;only=differences", "candidate=1"] {
        let kept = format!(r#"compare?{link}&#38;x=time&#38;smoothing=0.5&#38;hidden=2""#);
        assert!(html.contains(&kept), "{html}");
    }
}

#[tokio::test]
async fn a_candidate_can_be_left_out_by_a_link() {
    let site = Site::new().await;
    three(&site).await;
    let html = compare(&site, "candidate=1&candidate=2&candidate=3&only=differences").await;
    assert!(
        html.contains(
            r#"compare?candidate=1&#38;candidate=3&#38;only=differences" aria-label="Leave b out""#
        ),
        "{html}"
    );
}

#[tokio::test]
async fn a_candidate_of_another_project_is_not_compared() {
    let site = Site::new().await;
    three(&site).await;
    site.server.project(&site.ann, "Other", Visibility::Private).await;
    for page in
        ["/ann/other/-/ml/experiments/0/compare?candidate=1", "/ann/other/-/ml/picture?candidate=1&key=loss"]
    {
        assert_eq!(site.ann.get(page).await.status, StatusCode::NOT_FOUND, "{page}");
    }
    assert_eq!(
        site.page("/-/ml/experiments/0/compare?candidate=1&candidate=99").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn none_and_too_many_candidates_are_refused_with_words() {
    let site = Site::new().await;
    three(&site).await;
    let none = site.page("/-/ml/experiments/0/compare").await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.text().contains("Choose candidates to compare"), "{}", none.text());
    let many: Vec<String> = (1..=21).map(|number| format!("candidate={number}")).collect();
    let refused = site.page(&format!("/-/ml/experiments/0/compare?{}", many.join("&"))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text().contains("At most 20 candidates can be compared at once"), "{}", refused.text());
}
