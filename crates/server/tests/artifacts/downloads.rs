use axum::body::Body;
use axum::http::{Method, StatusCode};
use modelry_testkit::server::Answer;

use crate::given::Given;

/// The SHA-256 of `0123456789`.
const ETAG: &str = "\"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\"";
const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

/// A run with the file `digits.txt`.
async fn digits() -> Given {
    let given = Given::new().await;
    given.put(&given.run_file("digits.txt"), "0123456789").await.expect_json();
    given
}

async fn get_with(given: &Given, headers: &[(&str, &str)]) -> Answer {
    let mut request = given.actor.request(Method::GET, &given.run_file("digits.txt"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    given.actor.send(request, Body::empty()).await
}

#[tokio::test]
async fn a_download_says_what_it_is() {
    let given = digits().await;

    let got = get_with(&given, &[]).await;

    assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "0123456789"));
    for (name, value) in [
        ("content-length", "10"),
        ("content-type", "text/plain; charset=utf-8"),
        ("content-disposition", "attachment; filename=\"digits.txt\""),
        ("etag", ETAG),
        ("last-modified", MODIFIED),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    given.finish().await;
}

#[tokio::test]
async fn head_says_the_same_without_the_bytes() {
    let given = digits().await;
    let request = given.actor.request(Method::HEAD, &given.run_file("digits.txt"));

    let head = given.actor.send(request, Body::empty()).await;

    let got = get_with(&given, &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers, got.headers);
    given.finish().await;
}

#[tokio::test]
async fn head_asks_for_no_part() {
    let given = digits().await;
    let request =
        given.actor.request(Method::HEAD, &given.run_file("digits.txt")).header("Range", "bytes=0-1");
    let head = given.actor.send(request, Body::empty()).await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, "10"));
    given.finish().await;
}

#[tokio::test]
async fn a_range_is_a_part() {
    let given = digits().await;
    for (range, bytes, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let got = get_with(&given, &[("Range", range)]).await;
        assert_eq!((got.status, got.text().as_str()), (StatusCode::PARTIAL_CONTENT, bytes), "{range}");
        assert_eq!(got.header("content-range"), content_range);
        assert_eq!(got.header("content-length"), bytes.len().to_string());
    }
    given.finish().await;
}

#[tokio::test]
async fn a_range_beyond_the_end_says_how_long_the_file_is() {
    let given = digits().await;
    let got = get_with(&given, &[("Range", "bytes=10-")]).await;
    assert_eq!((got.status, got.body.len()), (StatusCode::RANGE_NOT_SATISFIABLE, 0));
    assert_eq!(got.header("content-range"), "bytes */10");
    given.finish().await;
}

#[tokio::test]
async fn a_range_of_what_has_changed_is_the_whole() {
    let given = digits().await;
    for (condition, status) in [
        (ETAG, StatusCode::PARTIAL_CONTENT),
        (MODIFIED, StatusCode::PARTIAL_CONTENT),
        ("\"other\"", StatusCode::OK),
    ] {
        let got = get_with(&given, &[("Range", "bytes=0-1"), ("If-Range", condition)]).await;
        assert_eq!(got.status, status, "{condition}");
    }
    given.finish().await;
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let given = digits().await;
    for (name, value) in [("If-None-Match", ETAG), ("If-Modified-Since", MODIFIED)] {
        let got = get_with(&given, &[(name, value)]).await;
        assert_eq!((got.status, got.body.len()), (StatusCode::NOT_MODIFIED, 0), "{name}");
        assert_eq!(got.header("etag"), ETAG);
    }
    given.finish().await;
}

#[tokio::test]
async fn a_page_is_an_attachment_and_no_page() {
    let given = Given::new().await;
    given.put(&given.run_file("page.html"), "<script>alert(1)</script>").await.expect_json();

    let got = given.get(&given.run_file("page.html")).await;

    assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(got.header("content-disposition"), "attachment; filename=\"page.html\"");
    given.finish().await;
}

#[tokio::test]
async fn a_name_beyond_ascii_reaches_the_client() {
    let given = Given::new().await;
    given.put(&given.run_file("gr%C3%B6%C3%9Fe.bin"), "1").await.expect_json();
    let got = given.get(&given.run_file("gr%C3%B6%C3%9Fe.bin")).await;
    assert_eq!(
        got.header("content-disposition"),
        "attachment; filename=\"gr__e.bin\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.bin"
    );
    given.finish().await;
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let given = Given::new().await;
    given.put(&given.run_file("empty"), "").await.expect_json();
    let got = given.get(&given.run_file("empty")).await;
    assert_eq!((got.status, got.header("content-length"), got.body.len()), (StatusCode::OK, "0", 0));
    given.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let given = digits().await;
    let got = given.get(&given.run_file("missing")).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(got.json()["error_code"], "RESOURCE_DOES_NOT_EXIST");
    given.finish().await;
}

#[tokio::test]
async fn a_directory_is_not_downloaded() {
    let given = Given::new().await;
    given.put(&given.run_file("dir/a"), "1").await.expect_json();
    for path in ["dir", ""] {
        let address = given.run_file(path);
        let got = given.get(address.trim_end_matches('/')).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(got.json()["error_code"], "INVALID_PARAMETER_VALUE");
    }
    given.finish().await;
}
