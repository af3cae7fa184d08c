//! What tests start from: an empty project 1, in which everything happens at [`NOW`] unless the test says otherwise.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::checksums::Checksums;
use modelry_core::digest::Sha256;
use modelry_core::ids::{
    BlobId, CandidateId, ExperimentId, KeyId, LoggedModelEid, LoggedModelId, ModelId, ProjectId, VersionId,
};
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_core::version::selector::Selector;
use modelry_core::{Error, Result};
use modelry_db::{Db, Tx};
use modelry_store::blobs::{self, NewBlob};
use modelry_store::candidates::{self, Candidate, NewCandidate};
use modelry_store::experiments::{self, Experiment};
use modelry_store::files::{self, NewFile, Owner, Tree};
use modelry_store::logged_models::{self, LoggedModel, NewLoggedModel};
use modelry_store::models::{self, Model, ModelKind, NewModel};
use modelry_store::versions::{self, ModelVersion, Mover, NewVersion, OwnCandidate, Source};

/// The time of every test.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// After [`NOW`].
pub(crate) const LATER: Timestamp = Timestamp(NOW.0 + 5);

/// The project of every test.
pub(crate) const PROJECT: ProjectId = ProjectId(1);

/// The first candidate that is made for a version; tests make candidates of lower numbers.
const FIRST_OWN_CANDIDATE: i64 = 1_000;

/// An experiment that is not inserted yet.
pub(crate) fn new_experiment(number: i64, name: &str) -> Experiment {
    Experiment {
        id: ExperimentId(number),
        name: name.to_owned(),
        artifact_location: None,
        creator_id: None,
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    }
}

/// Inserts an experiment.
pub(crate) async fn experiment(db: &Db, number: i64, name: &str) {
    let experiment = new_experiment(number, name);
    write(db, move |tx| experiments::insert(tx, PROJECT, &experiment, &[])).await;
}

/// A model that is not inserted yet; the experiment that is made for it has the same number.
pub(crate) fn new_model(number: i64, name: &str) -> NewModel {
    NewModel {
        id: ModelId(number),
        name: name.parse().expect("a name"),
        description: String::new(),
        kind: ModelKind::Model,
        experiment_id: ExperimentId(number),
        metadata: Vec::new(),
        creator_id: None,
        created_at: NOW,
    }
}

/// A prompt that is not inserted yet.
pub(crate) fn new_prompt(number: i64, name: &str) -> NewModel {
    NewModel { kind: ModelKind::Prompt, ..new_model(number, name) }
}

/// Inserts a model.
pub(crate) async fn insert_model(db: &Db, new: NewModel) -> Model {
    write(db, move |tx| models::insert(tx, PROJECT, &new)).await
}

/// Inserts the model `churn`, of number 1.
pub(crate) async fn churn(db: &Db) -> Model {
    insert_model(db, new_model(1, "churn")).await
}

/// The active model of this name.
pub(crate) async fn find_model(db: &Db, name: &str) -> Option<Model> {
    let name = name.to_owned();
    read(db, move |tx| models::find_by_name(tx, PROJECT, &name)).await
}

/// A version of `churn` that is not made yet. The candidate that may be made for it has its number and a thousand.
pub(crate) fn new_version(number: i64) -> NewVersion {
    let own = FIRST_OWN_CANDIDATE + number;
    NewVersion {
        id: VersionId(1_000_000 + number),
        model: "churn".to_owned(),
        description: String::new(),
        source: String::new(),
        run_eid: None,
        run_link: String::new(),
        logged_model_eid: None,
        metadata: Vec::new(),
        wish: None,
        own_candidate: OwnCandidate {
            id: CandidateId(own),
            eid: eid(own).parse().expect("a public id"),
            user_name: "ann".to_owned(),
            run_name_key: KeyId(1),
        },
        creator_id: None,
        created_at: NOW,
    }
}

/// As [`new_version`], wishing for a semantic version.
pub(crate) fn wishing(number: i64, version: &str) -> NewVersion {
    NewVersion { metadata: pairs(&[("modelry.version", version)]), ..new_version(number) }
}

/// Makes a version.
pub(crate) async fn register(db: &Db, new: NewVersion, source: Source) -> ModelVersion {
    write(db, move |tx| versions::register(tx, PROJECT, &new, &source)).await
}

/// Makes a draft of `churn` that wishes for this version.
pub(crate) async fn draft(db: &Db, number: i64, version: &str) -> ModelVersion {
    register(db, wishing(number, version), Source::Nothing).await
}

/// Makes a published version of `churn` that wishes for this version; its files are outside.
pub(crate) async fn published(db: &Db, number: i64, version: &str) -> ModelVersion {
    register(db, wishing(number, version), Source::Outside).await
}

/// Makes published versions of `churn`, with the numbers 1, 2, ... in this order.
pub(crate) async fn all_published(db: &Db, versions: &[&str]) {
    for (number, version) in (1..).zip(versions) {
        published(db, number, version).await;
    }
}

/// Puts a version into the bin.
pub(crate) async fn delete(db: &Db, version: &ModelVersion) {
    let version = version.clone();
    // Past the ids that tests give their own moves.
    let mover = mover(100 + version.number);
    write(db, move |tx| versions::delete(tx, PROJECT, &version, &mover)).await;
}

/// Who moves aliases, with this id in their history.
pub(crate) fn mover(append_id: i64) -> Mover {
    Mover { append_id, user: None, reason: String::new(), may_move_protected: true, now: LATER }
}

/// What `churn` answers to `text` behind the slash of `models:/churn/...`.
pub(crate) async fn after_slash(db: &Db, text: &str) -> Result<ModelVersion> {
    resolve(db, Selector::after_slash(text).expect("a selector")).await
}

/// What `churn` answers to `text` behind the at sign of `models:/churn@...`.
pub(crate) async fn after_at(db: &Db, text: &str) -> Result<ModelVersion> {
    resolve(db, Selector::after_at(text).expect("a selector")).await
}

async fn resolve(db: &Db, selector: Selector) -> Result<ModelVersion> {
    db.read(move |tx| {
        let model = models::get_by_name(tx, PROJECT, "churn")?;
        versions::resolve(tx, PROJECT, &model, &selector)
    })
    .await
}

/// The public id of the candidate of this number.
pub(crate) fn eid(number: i64) -> String {
    format!("{number:032x}")
}

/// The public id of the logged model of this number.
pub(crate) fn model_eid(number: i64) -> LoggedModelEid {
    format!("m-{number:032x}").parse().expect("a public id")
}

/// A candidate of the experiment 1, which is that of `churn`, that is not inserted yet.
pub(crate) fn new_candidate(number: i64) -> NewCandidate {
    NewCandidate {
        id: CandidateId(number),
        eid: eid(number).parse().expect("a public id"),
        experiment_id: ExperimentId(1),
        name: format!("candidate {number}"),
        user_name: String::new(),
        creator_id: None,
        start_time: NOW.ms(),
        created_at: NOW,
    }
}

/// Inserts a candidate into the experiment 1.
pub(crate) async fn candidate(db: &Db, number: i64) -> Candidate {
    let new = new_candidate(number);
    write(db, move |tx| candidates::insert(tx, PROJECT, &new)).await
}

/// Inserts a logged model into the experiment 1 that this candidate made.
pub(crate) async fn logged_model(
    db: &Db,
    number: i64,
    source: Option<i64>,
    metadata: &[(&str, &str)],
) -> LoggedModel {
    let new = NewLoggedModel {
        id: LoggedModelId(number),
        eid: model_eid(number),
        experiment_id: ExperimentId(1),
        name: "model".parse().expect("a name"),
        model_type: String::new(),
        source_eid: source.map(eid),
        creator_id: None,
        params: Vec::new(),
        metadata: pairs(metadata),
        created_at: NOW,
    };
    write(db, move |tx| logged_models::insert(tx, PROJECT, &new)).await
}

/// The artifacts of the candidate of this number.
pub(crate) fn of_candidate(number: i64) -> Tree {
    Tree { project: PROJECT, owner: Owner::Candidate(CandidateId(number)) }
}

/// The files of the logged model of this number.
pub(crate) fn of_logged_model(number: i64) -> Tree {
    Tree { project: PROJECT, owner: Owner::LoggedModel(LoggedModelId(number)) }
}

/// The files of a published version.
pub(crate) fn of_version(version: &ModelVersion) -> Tree {
    Tree { project: PROJECT, owner: Owner::Version(version.id) }
}

/// The source of a version: what lies below `dir` of a tree, or all of it.
pub(crate) fn files_below(tree: Tree, dir: Option<&str>) -> Source {
    Source::Files(tree, dir.map(path))
}

pub(crate) fn path(text: &str) -> ArtifactPath {
    text.parse().expect("a path")
}

/// Puts a file into a tree; files of the same `content` share a blob, which has its number.
pub(crate) async fn put(db: &Db, tree: Tree, at: &str, content: u8) {
    let path = path(at);
    let new = NewBlob {
        id: BlobId(i64::from(content)),
        sha256: Sha256([content; 32]),
        checksums: Checksums::from_bytes(&[content; 4]).expect("one"),
        size_bytes: 100 + u64::from(content),
        store_key: StoreKey::new([content; 16]),
        created_at: NOW,
    };
    write(db, move |tx| {
        let blob = blobs::insert_or_share(tx, &new)?.id();
        let file = NewFile { path: path.clone(), blob, size_bytes: new.size_bytes, modified_at: NOW };
        files::put(tx, tree, &file)
    })
    .await;
}

/// Puts the same file into the trees of many candidates.
pub(crate) async fn put_in_all(db: &Db, numbers: &[i64]) {
    let path = path("a");
    for some in numbers.chunks(500) {
        put(db, of_candidate(some[0]), "a", 1).await;
        let (path, some) = (path.clone(), some.to_vec());
        write(db, move |tx| {
            for number in &some {
                let file = NewFile { path: path.clone(), blob: BlobId(1), size_bytes: 101, modified_at: NOW };
                files::put(tx, of_candidate(*number), &file)?;
            }
            Ok(())
        })
        .await;
    }
}

/// Deletes the file, or up to 100 files of the directory, at a path.
pub(crate) async fn delete_files(db: &Db, tree: Tree, at: &str) {
    let path = path(at);
    write(db, move |tx| files::delete(tx, tree, Some(&path), 100, LATER)).await;
}

/// The files of a tree: path and content.
pub(crate) async fn contents(db: &Db, tree: Tree) -> Vec<(String, u8)> {
    read(db, move |tx| {
        files::list_all(tx, tree, None, None, 1_000)?
            .into_iter()
            .map(|file| {
                let found = files::find(tx, tree, &file.path.parse()?)?.expect("a listed file is there");
                let digest = found.sha256.expect("uploads are hashed");
                Ok((file.path, digest.0[0]))
            })
            .collect()
    })
    .await
}

/// How many files of the project refer to each blob, as it is counted; checked against the files themselves.
pub(crate) async fn references(db: &Db) -> Vec<(i64, i64)> {
    let counts = |sql: &'static str| {
        read(db, move |tx| tx.query(sql, &[&PROJECT.0], |row| Ok((row.get(0)?, row.get(1)?))))
    };
    let counted: Vec<(i64, i64)> =
        counts("SELECT blob_id, files FROM project_blobs WHERE project_id = $1 ORDER BY blob_id").await;
    let there =
        counts("SELECT blob_id, count(*) FROM files WHERE project_id = $1 GROUP BY blob_id ORDER BY blob_id")
            .await;
    assert_eq!(counted, there, "the references are counted as they are");
    counted
}

/// Owned pairs.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Runs a write that has to succeed.
pub(crate) async fn write<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.write(work).await.expect("the write succeeds")
}

/// Runs a write that has to fail, and answers how it did.
pub(crate) async fn refused<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> Error {
    match db.write(work).await {
        Ok(_) => panic!("the write was to be refused"),
        Err(error) => error,
    }
}

/// As [`refused`], for the making of a version.
pub(crate) async fn refused_version(db: &Db, new: NewVersion, source: Source) -> Error {
    refused(db, move |tx| versions::register(tx, PROJECT, &new, &source)).await
}

/// Runs a read that has to succeed.
pub(crate) async fn read<T: Send + 'static>(
    db: &Db,
    work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> T {
    db.read(work).await.expect("the read succeeds")
}
