use modelry_core::Kind;

use super::*;

fn read(source: &str) -> Reference {
    Reference::read(source).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// The message by which a source is refused.
fn refused(source: &str) -> String {
    match Reference::read(source) {
        Ok(reference) => panic!("{source:?} is read as {reference:?}"),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Invalid, "{source:?}: {error}");
            error.message().to_owned()
        }
    }
}

fn path(text: &str) -> ArtifactPath {
    text.parse().expect("a path")
}

#[test]
fn nothing_and_a_version_in_its_place_are_no_source() {
    for source in ["", "1.2.0", "0.1.0-rc.1+build", "mlflow-artifacts:/"] {
        assert_eq!(read(source), Reference::Nothing, "{source}");
    }
}

#[test]
fn a_run_is_named_with_or_without_a_part_of_its_artifacts() {
    let run = |dir| Reference::Run { eid: "abc".to_owned(), dir };
    for (source, expected) in [
        ("runs:/abc", run(None)),
        ("runs:/abc/", run(None)),
        ("runs:abc", run(None)),
        ("RUNS:/abc", run(None)),
        ("runs:/abc/model", run(Some(path("model")))),
        ("runs:/abc/a/b c/d%20e", run(Some(path("a/b c/d%20e")))),
        ("runs:/abc/..a/b..", run(Some(path("..a/b..")))),
    ] {
        assert_eq!(read(source), expected, "{source}");
    }
    for source in ["runs:/", "runs:", "runs://profile@host/abc/model"] {
        assert!(refused(source).ends_with("it names no run"), "{source}");
    }
}

#[test]
fn a_logged_model_is_told_from_a_version_of_a_model() {
    let eid = format!("m-{}", "0".repeat(32));
    let logged = Reference::LoggedModel(eid.parse().expect("a public id"));
    assert_eq!(read(&format!("models:/{eid}")), logged);
    let version = |model: &str, selector| Reference::Version { model: model.to_owned(), selector };
    for (source, expected) in [
        ("models:/churn/3", version("churn", Selector::Number(3))),
        ("models:/churn/1.2.0", version("churn", Selector::Exact("1.2.0".parse().expect("a version")))),
        ("models:/my model@latest", version("my model", Selector::Latest)),
        ("models:/a@b/3", version("a@b", Selector::Number(3))),
        ("models:/churn@champion", version("churn", Selector::after_at("champion").expect("an alias"))),
    ] {
        assert_eq!(read(source), expected, "{source}");
    }
    for source in ["models:/", "models:/churn", "models:/churn/", "models:/churn@", "models://churn/x y"] {
        refused(source);
    }
}

#[test]
fn an_artifact_of_this_server_has_no_host() {
    assert_eq!(read("mlflow-artifacts:/0/abc/artifacts"), Reference::Artifacts(path("0/abc/artifacts")));
    for source in
        ["mlflow-artifacts://host/0/abc/artifacts", "mlflow-artifacts:///0/abc", "mlflow-artifacts:////x"]
    {
        assert_eq!(read(source), Reference::Outside, "{source}");
    }
}

#[test]
fn what_is_elsewhere_is_outside() {
    for source in [
        "s3://bucket/model",
        "S3://bucket/a%20b",
        "gs://bucket/100%",
        "dbfs:/models/1",
        "http://elsewhere.example/model?version=1#a",
        "https://user@elsewhere.example:8443/model",
        "custom+store://x/y",
    ] {
        assert_eq!(read(source), Reference::Outside, "{source}");
    }
}

#[test]
fn a_path_of_a_local_disk_is_refused_however_it_is_written() {
    for source in [
        "/etc/passwd",
        "etc/passwd",
        "./model",
        "~/model",
        "v1.2.0",
        " ",
        "file:/etc",
        "file:///etc",
        "file://localhost/etc",
        "FILE:///etc",
        "File:etc",
        " file:///etc",
        "%66ile:///etc",
        "fi%6ce:///etc",
        "file%3A///etc",
        "%2Fetc%2Fpasswd",
        "C:/models",
        "c:\\models",
        "\\\\host\\share",
        "\\\\?\\C:\\models",
        "s3:bucket/model",
        ":/etc",
        "/a:b/c",
        "1s3://bucket",
    ] {
        assert!(refused(source).contains("a path of a local disk is no source here"), "{source}");
    }
}

#[test]
fn a_source_that_climbs_is_refused_in_every_encoding() {
    for climb in [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "%252e%252e",
        "%25252e%25252E",
        "a%2f..%2fb",
        "a%5c..%5cb",
        "a\\..\\b",
        "a%255c%252e%252e",
        "%c0%ae%c0%ae",
        "%c0%2e%c0%2e",
        "%e0%80%ae%e0%80%ae",
    ] {
        for scheme in ["runs:/abc", "models:/m", "mlflow-artifacts:/0", "s3://bucket", "https://h", "dbfs:"] {
            let source = format!("{scheme}/{climb}/x");
            let message = refused(&source);
            assert!(
                message.contains("contains `..`") || message.contains("not UTF-8"),
                "{source}: {message}"
            );
        }
    }
    for source in ["s3://bucket/x?path=a/../b", "s3://bucket/x#../b", "s3://..", "http://h/x?..", ".."] {
        refused(source);
    }
}

#[test]
fn control_characters_are_refused_in_every_encoding() {
    for source in
        ["s3://b/a\0b", "s3://b/a%00b", "s3://b/a%2500b", "s3://b/a\nb", "s3://b/%0d%0ax", "runs:/a/b\t"]
    {
        assert!(refused(source).ends_with("it contains a control character"), "{source:?}");
    }
}

#[test]
fn a_source_has_a_length() {
    let source = format!("s3://{}", "a".repeat(SOURCE - 5));
    assert_eq!(read(&source), Reference::Outside);
    refused(&format!("{source}a"));
}
