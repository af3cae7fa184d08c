//! The native API, sign-in and the table of callers, through the real routes.

mod bin;
mod callers;
mod candidate_search;
mod lineage;
mod members;
mod named;
mod openapi;
mod packages;
mod projects;
mod registry;
mod scene;
mod series;
mod sign_in;
mod tokens;
mod tracking;
mod uploads;
mod users;

use modelry_testkit::server::Answer;

/// The status and the `type` of a problem, as one line.
fn problem(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text());
    assert_eq!(body["status"], answer.status.as_u16(), "{body}");
    format!("{} {}", answer.status.as_u16(), body["type"].as_str().unwrap_or_default())
}
