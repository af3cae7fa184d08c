//! Archives of files that change while they are sent.

use axum::http::Method;
use futures_util::StreamExt as _;
use modelry_core::ids::CandidateId;
use modelry_server::transfer::{self, Format};
use modelry_store::files::{Owner, Tree};

use crate::given::Given;

/// Reads a zip archive of the run's files; once its first piece is there, `meanwhile` happens. Answers whether it came to
/// its end.
async fn is_whole(given: &Given, meanwhile: Option<(Method, &str)>) -> bool {
    let app = given.server.app();
    let tree = Tree { project: given.project, owner: Owner::Candidate(CandidateId(1)) };
    let contents = transfer::contents(app, tree, None).await.expect("the files can be counted");
    let answer = transfer::archive(app, (tree, None), contents, ("run", Format::Zip)).expect("an answer");
    let mut pieces = answer.into_body().into_data_stream();
    pieces.next().await.expect("a first piece").expect("the first piece is read");
    if let Some((method, path)) = meanwhile {
        let request = given.actor.request(method, &given.run_file(path));
        assert!(given.actor.send(request, "new").await.status.is_success());
    }
    pieces.all(|piece| async move { piece.is_ok() }).await
}

#[tokio::test]
async fn a_zip_archive_breaks_off_when_files_come_or_go_meanwhile() {
    let given = Given::new().await;
    for path in ["a.txt", "b.txt"] {
        assert_eq!(given.put(&given.run_file(path), "text").await.status, 200);
    }
    assert!(is_whole(&given, None).await);
    assert!(!is_whole(&given, Some((Method::PUT, "c.txt"))).await);
    assert!(!is_whole(&given, Some((Method::DELETE, "c.txt"))).await);
    assert!(!is_whole(&given, Some((Method::PUT, "a.txt"))).await);
    given.finish().await;
}
