//! The table of an experiment's candidates.

use axum::http::StatusCode;
use serde_json::json;

use crate::site::Site;
use crate::tracking::{logged, names};

const PAGE: &str = "/-/ml/experiments/0";

/// The words of the headings, groups apart.
fn headings(html: &str) -> Vec<&str> {
    let cells = html.split(r#"<th scope="col""#).skip(1).filter_map(|cell| cell.split("</th>").next());
    cells
        .map(|cell| cell.trim_end_matches("</a>").trim_end_matches("</span>"))
        .filter_map(|cell| cell.rsplit('>').next())
        .collect()
}

/// The cells of the first row behind those that every candidate has.
fn first_cells(html: &str) -> Vec<String> {
    let row =
        html.split("<tr data-candidate=").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row");
    let cells = row.split("<td").skip(6).filter_map(|cell| cell.split_once('>'));
    cells.map(|(_, cell)| text(cell.trim_end().trim_end_matches("</td>"))).collect()
}

/// What is left of HTML without its tags.
fn text(html: &str) -> String {
    let mut parts = html.split('<');
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    std::iter::once(first).chain(rest).collect()
}

#[tokio::test]
async fn an_experiment_shows_its_candidates_newest_first_and_sorts_by_a_link() {
    let site = Site::new().await;
    for (name, loss) in [("a", 0.5), ("b", 0.1), ("c", 0.9)] {
        logged(&site, name, loss).await;
    }
    let page = "/-/ml/experiments/0";
    let html = site.page(page).await.text();
    assert_eq!(names(&html), ["c", "b", "a"]);
    let heading = "order_by=metrics.val%2Floss%20DESC";
    assert!(html.contains(heading), "the heading of a metric is a link");
    assert_eq!(names(&site.page(&format!("{page}?{heading}")).await.text()), ["c", "a", "b"]);
    let ascending = site.page(&format!("{page}?order_by=metrics.val%2Floss%20ASC")).await.text();
    assert_eq!(names(&ascending), ["b", "a", "c"]);
    assert!(ascending.contains(r#"aria-sort="ascending""#));
}

#[tokio::test]
async fn a_filter_is_mlflows_and_more() {
    let site = Site::new().await;
    for (name, loss) in [("a", 0.5), ("b", 0.1), ("c", 0.9)] {
        logged(&site, name, loss).await;
    }
    let filter = "params.depth%20%3D%20'a'%20OR%20metrics.%60val%2Floss%60%20%3E%200.8";
    let html = site.page(&format!("/-/ml/experiments/0?filter={filter}")).await.text();
    assert_eq!(names(&html), ["c", "a"]);
}

#[tokio::test]
async fn a_filter_that_is_wrong_is_shown_with_its_place() {
    let site = Site::new().await;
    let answer = site.page("/-/ml/experiments/0?filter=params.a%20~%20'b'").await;
    assert_eq!(answer.status, StatusCode::OK);
    let html = answer.text();
    assert!(html.contains("at column 10"), "{html}");
    assert!(html.contains("params.a ~ &#39;b&#39;\n         ^</pre>"));
}

#[tokio::test]
async fn a_long_list_goes_on_by_a_link() {
    let site = Site::new().await;
    for number in 0..101 {
        site.run(&format!("run {number}")).await;
    }
    let first = site.page("/-/ml/experiments/0").await.text();
    assert_eq!(names(&first).len(), 100);
    let (_, pager) = first.split_once(r#"<nav class="pager""#).expect("there is a next page");
    let (_, rest) = pager.split_once(r#"href=""#).expect("it is a link");
    let (next, _) = rest.split_once('"').expect("the address ends");
    assert_eq!(names(&site.ann.get(next).await.text()), ["run 0"]);
}

#[tokio::test]
async fn columns_are_those_that_the_address_asks_for() {
    let site = Site::new().await;
    logged(&site, "a", 0.25).await;
    let columns =
        "column=metadata.team&column=max(metrics.%60val/loss%60)&column=metrics.val/loss&column=params.none";
    let html = site.page(&format!("{PAGE}?{columns}")).await.text();
    let chosen = &headings(&html)[6..];
    assert_eq!(chosen, ["max(val/loss)", "val/loss", "none", "team"]);
    assert_eq!(first_cells(&html), ["1", "0.25", "–", "growth"]);
    assert!(html.contains(r#"value="max(metrics.val/loss)" checked"#));
}

#[tokio::test]
async fn without_a_wish_the_first_metrics_and_parameters_are_columns() {
    let site = Site::new().await;
    logged(&site, "a", 0.25).await;
    let html = site.page(PAGE).await.text();
    assert_eq!(&headings(&html)[6..], ["val/loss", "depth"]);
    assert!(!html.contains(r#"value="tags.team" checked"#));
    assert!(html.contains(r#"value="tags.team""#), "metadata can be chosen");
}

#[tokio::test]
async fn a_column_that_is_none_is_refused() {
    let site = Site::new().await;
    let answer = site.page(&format!("{PAGE}?column=loss")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("Invalid column name"), "{}", answer.text());
}

#[tokio::test]
async fn the_table_is_asked_for_again_only_while_a_candidate_runs() {
    let site = Site::new().await;
    let run = logged(&site, "a", 0.25).await;
    let running = site.page(&format!("{PAGE}?filter=params.depth%20%3D%20'a'")).await.text();
    let again = "/-/ml/experiments/0/table?filter=params.depth%20%3D%20%27a%27";
    assert!(running.contains(&format!(r#"data-refresh="/ann/churn{again}""#)), "{running}");
    let part = site.page(again).await.text();
    assert_eq!(names(&part), ["a"]);
    assert!(part.trim_start().starts_with(r#"<div id="candidates""#), "{part}");
    site.call("runs/update", json!({"run_id": run, "status": "FINISHED"})).await;
    assert!(!site.page(again).await.text().contains("data-refresh"));
}

#[tokio::test]
async fn candidates_are_chosen_for_comparison_without_scripts() {
    let site = Site::new().await;
    logged(&site, "a", 0.25).await;
    let html = site.page(PAGE).await.text();
    assert!(html.contains(r#"action="/ann/churn/-/ml/experiments/0/compare" id="compare""#));
    assert!(html.contains(r#"form="compare" name="candidate" value="1" aria-label="Compare a""#));
}

#[tokio::test]
async fn the_export_has_the_filter_the_order_and_the_columns_of_the_page() {
    let site = Site::new().await;
    for (name, loss) in [("a", 0.5), ("b", 0.1), ("c", 0.9)] {
        logged(&site, name, loss).await;
    }
    let query = "filter=metrics.%60val%2Floss%60%20%3E%200.2&order_by=metrics.val%2Floss&column=params.depth";
    let html = site.page(&format!("{PAGE}?{query}")).await.text();
    let exports: Vec<String> = html
        .split("href=\"")
        .filter_map(|rest| rest.split_once('"'))
        .map(|(href, _)| href.replace("&#38;", "&"))
        .filter(|href| href.contains("candidates.csv"))
        .collect();
    let [shown, all] = &exports[..] else { panic!("two exports: {exports:?}") };
    let shown = site.ann.get(shown).await.text();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "iid,run_id,name,status,user,start_time,end_time,params.depth");
    assert_eq!([lines[1].ends_with(",a"), lines[2].ends_with(",c"), lines.len() == 3], [true; 3], "{shown}");
    let all = site.ann.get(all).await.text();
    assert!(
        all.lines().next().is_some_and(|header| header.contains("metrics.val/loss,params.depth,tags.")),
        "{all}"
    );
}

#[tokio::test]
async fn the_candidates_of_an_experiment_in_the_bin_are_shown_and_exported() {
    let site = Site::new().await;
    let made = site.call("experiments/create", json!({"name": "gone"})).await;
    let experiment = made["experiment_id"].as_str().expect("a number").to_owned();
    site.call("runs/create", json!({"experiment_id": experiment, "run_name": "a"})).await;
    site.call("experiments/delete", json!({"experiment_id": experiment})).await;
    assert_eq!(names(&site.page(&format!("/-/ml/experiments/{experiment}")).await.text()), ["a"]);
    let csv =
        format!("/api/v4/projects/{}/experiments/{experiment}/candidates.csv?column=name", site.project);
    assert_eq!(site.ann.get(&csv).await.text().lines().count(), 2);
}
