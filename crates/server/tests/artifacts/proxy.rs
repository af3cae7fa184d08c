use axum::http::{Method, StatusCode};
use modelry_core::ids::BlobId;
use modelry_core::policy::Role;
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_store::blobs::{self, NewBlob};
use modelry_store::files::{self, NewFile, Owner, Tree};
use serde_json::json;

use crate::given::Given;

#[tokio::test]
async fn a_file_comes_back_by_either_door() {
    let given = Given::new().await;
    let bytes: Vec<u8> = (0..=255).collect();

    let put = given.put(&given.run_file("data/all.bin"), bytes.clone()).await;

    assert_eq!((put.status, put.text().as_str()), (StatusCode::OK, ""));
    for door in ["api", "ajax-api"] {
        let path = format!("{door}/2.0/mlflow-artifacts/artifacts/0/{}/artifacts/data/all.bin", given.run);
        let got = given.get(&given.url(&path)).await;
        assert_eq!((got.status, got.body.as_ref()), (StatusCode::OK, bytes.as_slice()), "{door}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_directory_is_listed_by_names() {
    let given = Given::new().await;
    for (path, bytes) in
        [("model/MLmodel", "12345"), ("model/data/a", "1"), ("empty", ""), ("model.txt", "12")]
    {
        given.put(&given.run_file(path), bytes).await.expect_json();
    }
    let root = format!("0/{}/artifacts", given.run);

    assert_eq!(
        given.list(&root).await,
        json!({"files": [
            {"path": "empty", "is_dir": false},
            {"path": "model.txt", "is_dir": false, "file_size": 2},
            {"path": "model", "is_dir": true},
        ]})
    );
    assert_eq!(
        given.list(&format!("{root}/model")).await,
        json!({"files": [{"path": "MLmodel", "is_dir": false, "file_size": 5}, {"path": "data", "is_dir": true}]})
    );
    given.finish().await;
}

#[tokio::test]
async fn what_is_no_directory_lists_nothing() {
    let given = Given::new().await;
    given.put(&given.run_file("model/MLmodel"), "12345").await.expect_json();
    let root = format!("0/{}/artifacts", given.run);

    for path in
        [format!("{root}/model/MLmodel"), format!("{root}/missing"), "0".into(), String::new(), ".".into()]
    {
        assert_eq!(given.list(&path).await, json!({}), "{path}");
    }
    given.finish().await;
}

#[tokio::test]
async fn a_directory_of_thousands_is_listed_whole() {
    let given = Given::new().await;
    let tree = Tree { project: given.project, owner: Owner::Project };
    let insert = given.server.app().db.write(move |tx| {
        let blob = NewBlob {
            id: BlobId(1),
            sha256: modelry_core::digest::Sha256([1; 32]),
            checksums: modelry_core::checksums::Checksums::default(),
            size_bytes: 1,
            store_key: StoreKey::new([1; 16]),
            created_at: Timestamp(0),
        };
        blobs::insert_or_share(tx, &blob)?;
        for number in 0..2_500 {
            let path = format!("many/{number:04}").parse()?;
            files::put(tx, tree, &NewFile { path, blob: blob.id, size_bytes: 1, modified_at: Timestamp(0) })?;
        }
        Ok(())
    });
    insert.await.expect("files");

    let listed = given.list("many").await;

    let names: Vec<&str> = listed["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (0..2_500).map(|number| format!("{number:04}")).collect();
    assert_eq!(names, expected);
    given.finish().await;
}

#[tokio::test]
async fn a_run_in_a_chosen_location_has_its_files_there() {
    let given = Given::new().await;
    let experiment = given.new_experiment("mlflow-artifacts:/team/7/files").await;
    let run = given.new_run(&experiment).await;
    let root = format!("team/7/files/{run}/artifacts");

    given.put(&given.file(&format!("{root}/a")), "bytes").await.expect_json();

    let of_run =
        given.get(&given.url(&format!("api/2.0/mlflow/artifacts/list?run_id={run}"))).await.expect_json();
    assert_eq!(of_run["root_uri"], format!("mlflow-artifacts:/{root}"));
    assert_eq!(of_run["files"], json!([{"path": "a", "is_dir": false, "file_size": 5}]));
    given.finish().await;
}

#[tokio::test]
async fn a_location_inside_a_runs_files_belongs_to_its_own_runs() {
    let given = Given::new().await;
    let inside = format!("0/{}/artifacts/sub", given.run);
    let experiment = given.new_experiment(&format!("mlflow-artifacts:/{inside}")).await;
    let run = given.new_run(&experiment).await;

    given.put(&given.file(&format!("{inside}/{run}/artifacts/a")), "inner").await.expect_json();
    given.put(&given.file(&format!("{inside}/b")), "outer").await.expect_json();

    let list = |run: &str| given.url(&format!("api/2.0/mlflow/artifacts/list?run_id={run}&path="));
    assert_eq!(given.get(&list(&run)).await.json()["files"][0]["path"], "a");
    assert_eq!(given.get(&list(&given.run)).await.json()["files"], json!([{"path": "sub", "is_dir": true}]));
    given.finish().await;
}

#[tokio::test]
async fn an_address_of_nobody_is_not_found() {
    let given = Given::new().await;
    let (run, model) = (&given.run, &given.model);
    let unknown = "0190a0000000700080000000000000ff";
    for (path, message) in [
        (format!("0/{unknown}/artifacts/a"), format!("Run with id={unknown} not found")),
        (format!("1/{run}/artifacts/a"), format!("Run with id={run} not found")),
        (
            format!("0/models/m-{unknown}/artifacts/a"),
            format!("Logged model with ID 'm-{unknown}' not found."),
        ),
        (format!("9/models/{model}/artifacts/a"), format!("Logged model with ID '{model}' not found.")),
    ] {
        let expected = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": message});
        let list = given.url(&format!("api/2.0/mlflow-artifacts/artifacts?path={path}"));
        for answer in [
            given.put(&given.file(&path), "bytes").await,
            given.get(&given.file(&path)).await,
            given.actor.delete(&given.file(&path)).await,
            given.get(&list).await,
        ] {
            assert_eq!((answer.status, answer.json()), (StatusCode::NOT_FOUND, expected.clone()), "{path}");
        }
    }
    assert_eq!(given.blobs().await, 0);
    given.finish().await;
}

#[tokio::test]
async fn files_elsewhere_belong_to_the_project() {
    let given = Given::new().await;
    let trace = "0/traces/tr-0190a0000000700080000000000000ff/artifacts/traces.json";

    given.put(&given.file(trace), "{}").await.expect_json();

    assert_eq!(given.get(&given.file(trace)).await.text(), "{}");
    assert_eq!(given.list("0").await, json!({"files": [{"path": "traces", "is_dir": true}]}));
    given.finish().await;
}

#[tokio::test]
async fn another_project_does_not_see_the_files() {
    let given = Given::new().await;
    given.put(&given.file("loose/a"), "bytes").await.expect_json();
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    let other = given.server.project(&given.actor, "Other", modelry_core::policy::Visibility::Private).await;

    for path in ["loose/a".to_owned(), format!("0/{}/artifacts/a", given.run)] {
        let url = format!("/api/v4/projects/{other}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts/{path}");
        assert_eq!(given.get(&url).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    given.finish().await;
}

#[tokio::test]
async fn who_reads_may_not_write() {
    let given = Given::new().await;
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    let guest = given.server.user("bob").await;
    given.server.member(given.project, &guest, Role::Guest).await;
    let url = given.run_file("a");

    assert_eq!(guest.get(&url).await.text(), "bytes");
    assert_eq!(guest.delete(&url).await.status, StatusCode::FORBIDDEN);
    assert_eq!(guest.send(guest.request(Method::PUT, &url), "other").await.status, StatusCode::FORBIDDEN);
    assert_eq!(given.get(&url).await.text(), "bytes");
    given.finish().await;
}

#[tokio::test]
async fn a_file_is_deleted_once_and_for_all() {
    let given = Given::new().await;
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    given.put(&given.run_file("a.txt"), "bytes").await.expect_json();

    for _ in 0..2 {
        assert_eq!(given.actor.delete(&given.run_file("a")).await.expect_json(), json!({}));
    }

    assert_eq!(given.get(&given.run_file("a")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(given.get(&given.run_file("a.txt")).await.status, StatusCode::OK);
    given.finish().await;
}

#[tokio::test]
async fn a_directory_is_deleted_with_all_below_it() {
    let given = Given::new().await;
    for number in 0..450 {
        given
            .put(&given.run_file(&format!("dir/sub{}/{number}", number % 3)), "same bytes")
            .await
            .expect_json();
    }
    given.put(&given.run_file("dir-2"), "bytes").await.expect_json();

    given.actor.delete(&given.run_file("dir")).await.expect_json();

    let root = format!("0/{}/artifacts", given.run);
    assert_eq!(
        given.list(&root).await,
        json!({"files": [{"path": "dir-2", "is_dir": false, "file_size": 5}]})
    );
    given.finish().await;
}

#[tokio::test]
async fn deleting_a_runs_address_deletes_its_files_and_no_others() {
    let given = Given::new().await;
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    let of_model = given.file(&format!("0/models/{}/artifacts/a", given.model));
    given.put(&of_model, "bytes").await.expect_json();

    // Above an owner's address there is nothing of the owner.
    given.actor.delete(&given.file("0")).await.expect_json();
    assert_eq!(given.get(&given.run_file("a")).await.status, StatusCode::OK);

    given.actor.delete(&given.file(&format!("0/{}/artifacts", given.run))).await.expect_json();
    assert_eq!(given.get(&given.run_file("a")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(given.get(&of_model).await.status, StatusCode::OK);
    given.finish().await;
}

#[tokio::test]
async fn what_lies_in_the_bin_keeps_its_files() {
    let given = Given::new().await;
    given.put(&given.run_file("a"), "bytes").await.expect_json();
    let delete = given.url("api/2.0/mlflow/runs/delete");

    given.actor.post(&delete, &json!({"run_id": given.run})).await.expect_json();

    assert_eq!(given.get(&given.run_file("a")).await.text(), "bytes");
    given.finish().await;
}

#[tokio::test]
async fn presigned_downloads_are_not_offered() {
    let given = Given::new().await;

    let answer = given.get(&given.url("api/2.0/mlflow-artifacts/presigned/0/x")).await;

    assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(answer.json()["error_code"], "NOT_IMPLEMENTED");
    given.finish().await;
}
