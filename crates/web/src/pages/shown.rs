//! What stands beside the tree of artifacts: what the database knows of it, before any byte is read.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::status::LoggedModelStatus;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_store::candidates::Candidate;
use modelry_store::files::{self, Found, Tree};
use modelry_store::logged_models::LoggedModel;

use super::facts::{self, MLMODEL};
use super::model_tree::{Amount, Files, Target};
use crate::format;
use crate::views::artifacts::{DirectoryView, ModelView, download, load_model};
use crate::visit::Visit;

/// The scheme of addresses that clients are told.
const SCHEME: &str = "mlflow-artifacts:/";

/// What is to be shown.
pub(super) enum ToShow {
    /// A directory.
    Directory(Directory),
    /// A directory that is a model.
    Model(Model),
    /// A file, and where it comes from.
    File(Box<Found>, Origin),
}

/// Where files come from, in the words of clients.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// `runs:/...` or `models:/m-...`, which clients take.
    pub(super) client_uri: String,
    /// The path below `mlflow-artifacts:/`.
    pub(super) stored_path: String,
}

/// A directory.
pub(super) struct Directory {
    /// Its path, or a word for the top.
    pub(super) title: String,
    /// How much it holds.
    pub(super) amount: Amount,
    /// `runs:/...` or `models:/...`, which clients take.
    pub(super) client_uri: String,
}

/// A directory that is a model.
pub(super) struct Model {
    /// The file in which the client describes it.
    pub(super) mlmodel: Option<Found>,
    name: String,
    client_uri: String,
    amount: Amount,
    state: Option<LoggedModelStatus>,
    created_at: Option<Timestamp>,
}

/// Finds what `path` names; `None` is the top. Fails with `NotFound`.
pub(super) fn to_show(
    tx: &mut Tx<'_>,
    files: &Files,
    candidate: &Candidate,
    path: Option<&ArtifactPath>,
) -> Result<ToShow> {
    let amount = files.amount(tx, path)?;
    match files.target(path)? {
        Target::Mixed => Ok(ToShow::Directory(Directory {
            title: path.map_or_else(|| "All artifacts".to_owned(), ToString::to_string),
            amount,
            client_uri: run_uri(candidate, None),
        })),
        Target::Model(model, None) => {
            Ok(ToShow::Model(logged_model(tx, files.tree_of(model), model, amount)?))
        }
        Target::Model(model, Some(below)) => {
            let origin = Origin {
                client_uri: format!("models:/{}/{below}", model.eid),
                stored_path: stored_path(&model.artifact_uri(), &below),
            };
            below_owner(tx, files.tree_of(model), &below, origin, amount)
        }
        Target::Own(path) => {
            let origin = Origin {
                client_uri: run_uri(candidate, Some(&path)),
                stored_path: stored_path(&candidate.artifact_uri(), &path),
            };
            below_owner(tx, files.own(), &path, origin, amount)
        }
    }
}

/// What the page says of a directory.
pub(super) fn directory_view(directory: Directory) -> DirectoryView {
    DirectoryView {
        title: directory.title,
        summary: summary(directory.amount),
        download: download(&directory.client_uri),
    }
}

/// What the page says of a model.
pub(super) fn model_view(visit: &Visit, model: Model, description: &Mlmodel) -> ModelView {
    ModelView {
        name: model.name,
        state: model.state.map(state_word),
        load: load_model(&model.client_uri),
        uri: model.client_uri,
        flavours: facts::flavours(description),
        signature: facts::signature(description),
        size: size(model.amount),
        files: counted_files(model.amount),
        created: model.created_at.map(|at| visit.moment(at)),
    }
}

fn logged_model(tx: &mut Tx<'_>, tree: Tree, model: &LoggedModel, amount: Amount) -> Result<Model> {
    Ok(Model {
        mlmodel: files::find(tx, tree, &MLMODEL.parse()?)?,
        name: model.name.clone(),
        client_uri: format!("models:/{}", model.eid),
        amount,
        state: Some(model.status),
        created_at: Some(model.created_at),
    })
}

/// A file, a directory, or, where a client of version 2 logged one, a model.
pub(super) fn below_owner(
    tx: &mut Tx<'_>,
    tree: Tree,
    path: &ArtifactPath,
    origin: Origin,
    amount: Amount,
) -> Result<ToShow> {
    if let Some(file) = files::find(tx, tree, path)? {
        return Ok(ToShow::File(Box::new(file), origin));
    }
    if amount.files == 0 {
        return Err(Error::not_found(format!("there is no artifact `{path}`")));
    }
    let mlmodel = files::find(tx, tree, &path.join(&MLMODEL.parse()?)?)?;
    if mlmodel.is_none() {
        let title = path.to_string();
        return Ok(ToShow::Directory(Directory { title, amount, client_uri: origin.client_uri }));
    }
    Ok(ToShow::Model(Model {
        created_at: mlmodel.as_ref().map(|found| found.file.modified_at),
        mlmodel,
        name: path.file_name().to_owned(),
        client_uri: origin.client_uri,
        amount,
        state: None,
    }))
}

fn run_uri(candidate: &Candidate, path: Option<&ArtifactPath>) -> String {
    let path = path.map_or("", ArtifactPath::as_str);
    format!("runs:/{}/{path}", candidate.eid)
}

fn stored_path(artifact_uri: &str, path: &ArtifactPath) -> String {
    format!("{}/{path}", artifact_uri.strip_prefix(SCHEME).unwrap_or(artifact_uri))
}

/// `12 files, 4.2 MB`.
pub(super) fn summary(amount: Amount) -> String {
    format!("{}, {}", counted_files(amount), size(amount))
}

fn counted_files(amount: Amount) -> String {
    let more = if amount.is_cut { "at least " } else { "" };
    format!("{more}{}", format::counted(amount.files.into(), "file"))
}

fn size(amount: Amount) -> String {
    let more = if amount.is_cut { "at least " } else { "" };
    format!("{more}{}", format::bytes(amount.size_bytes))
}

fn state_word(status: LoggedModelStatus) -> &'static str {
    match status {
        LoggedModelStatus::Pending => "Being uploaded",
        LoggedModelStatus::Ready => "Ready",
        LoggedModelStatus::Failed => "Upload failed",
    }
}
