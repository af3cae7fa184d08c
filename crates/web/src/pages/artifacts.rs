//! A candidate's files with one of them shown, and the way to a logged model by its id.

use axum::extract::State;
use axum::response::Redirect;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::formats::FileKind;
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::ids::{CandidateId, LoggedModelEid};
use modelry_core::{Error, Result};
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_store::candidates;
use modelry_store::files::Found;
use modelry_store::logged_models::{self, Deleted};

use super::candidate::{Seen, candidate_href};
use super::facts::{self, read_range};
use super::model_tree::{Files, MODELS};
use super::preview::{self, Looks, Part};
use super::shown::{Origin, ToShow, directory_view, model_view, to_show};
use super::tree::{Branches, branches};
use crate::answer::{Answer, Page, Shown};
use crate::format;
use crate::links;
use crate::views::artifacts::{ArtifactsPage, FileView, Follow, Shown as ShownEntry, download};
use crate::views::candidate::Tab;
use crate::visit::Visit;

/// The files of a candidate, none of them opened.
pub(crate) async fn show_top(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
) -> Answer<Page<ArtifactsPage>> {
    Ok(Page(artifacts_page(&app, &granted, &visit, CandidateId(id), None).await?))
}

/// The files of a candidate, one of them or a directory shown.
pub(crate) async fn show_artifact(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, path))): Shown<Path<(String, i64, String)>>,
) -> Answer<Page<ArtifactsPage>> {
    let path = ArtifactPath::parse_dir(Some(&path))?;
    Ok(Page(artifacts_page(&app, &granted, &visit, CandidateId(id), path).await?))
}

/// Leads from the id of a logged model to its files.
pub(crate) async fn find_logged_model(
    State(app): State<App>,
    granted: Granted,
    Shown(Path((_, eid))): Shown<Path<(String, String)>>,
) -> Answer<Redirect> {
    let project = granted.project();
    let eid: LoggedModelEid = eid.parse()?;
    let read = app.db.read(move |tx| {
        let model = logged_models::get(tx, project, &eid, Deleted::Hidden)?;
        let source = match &model.source_eid {
            Some(source) => candidates::find_by_eid(tx, project, source)?,
            None => None,
        };
        let candidate = source.ok_or_else(|| Error::not_found("no candidate made this model"))?;
        let files = Files::of(tx, project, &candidate)?;
        let name = files.name_of(&model.eid).unwrap_or(&model.name).to_owned();
        Ok((candidate.id, name))
    });
    let (candidate, name) = read.await?;
    let artifacts = artifacts_href(&granted, candidate);
    Ok(Redirect::to(&links::below(&artifacts, &format!("{MODELS}/{name}"))))
}

/// What the page reads at once.
struct Read {
    seen: Seen,
    branches: Branches,
    to_show: ToShow,
}

async fn artifacts_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: CandidateId,
    path: Option<ArtifactPath>,
) -> Result<ArtifactsPage> {
    let project = granted.project();
    let href = artifacts_href(granted, id);
    let read = app.db.read(move |tx| {
        let seen = Seen::read(tx, project, id)?;
        let files = Files::of(tx, project, &seen.candidate)?;
        let to_show = to_show(tx, &files, &seen.candidate, path.as_ref())?;
        let branches = branches(tx, &files, &href, path.as_ref())?;
        Ok(Read { seen, branches, to_show })
    });
    let Read { seen, branches, to_show } = read.await?;
    let head = seen.head(granted, visit, Tab::Artifacts);
    let shown = shown_entry((app, granted, visit), to_show, head.status.is_live()).await?;
    Ok(ArtifactsPage {
        shell: seen.shell(granted, visit),
        head,
        tree: branches.entries,
        tree_note: branches.note,
        shown,
    })
}

/// Reads what is to be shown. What lives may still grow.
pub(super) async fn shown_entry(
    (app, granted, visit): (&App, &Granted, &Visit),
    to_show: ToShow,
    is_live: bool,
) -> Result<ShownEntry> {
    Ok(match to_show {
        ToShow::Directory(directory) => ShownEntry::Directory(directory_view(directory)),
        ToShow::Model(model) => {
            let mlmodel = match &model.mlmodel {
                Some(file) => facts::read_mlmodel(app, file).await?,
                None => Mlmodel::default(),
            };
            ShownEntry::Model(Box::new(model_view(visit, model, &mlmodel)))
        }
        ToShow::File(file, origin) => {
            let file = file_view(app, granted, &file, &origin, is_live).await?;
            ShownEntry::File(Box::new(file))
        }
    })
}

fn artifacts_href(granted: &Granted, id: CandidateId) -> String {
    format!("{}/artifacts", candidate_href(granted, id))
}

async fn file_view(
    app: &App,
    granted: &Granted,
    file: &Found,
    origin: &Origin,
    is_live: bool,
) -> Result<FileView> {
    let size_bytes = file.file.size_bytes;
    let name = file.file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let href = bytes_href(granted, origin);
    let made = match Looks::of(&name) {
        Looks::Picture => preview::picture(href.clone(), size_bytes),
        looks => {
            let range = looks.range(size_bytes);
            let bytes = read_range(app, file, range.clone()).await?;
            preview::make(looks, &Part { range, size_bytes, bytes })
        }
    };
    let facts = match FileKind::of(&name) {
        Some(kind) => Some(facts::view(&name, "", modelry_server::facts::read(app, kind, file).await?)),
        None => None,
    };
    let follow =
        (is_live && made.is_text_to_the_end).then(|| Follow { href: href.clone(), seen_bytes: size_bytes });
    Ok(FileView {
        name,
        size: format::bytes(size_bytes),
        note: made.note,
        download_href: href,
        follow,
        preview: made.preview,
        facts,
        fetch: download(&origin.client_uri),
    })
}

/// Where the bytes of a file are: the artifact proxy answers them as a download, never as a page.
fn bytes_href(granted: &Granted, origin: &Origin) -> String {
    links::below(&proxy_href(granted), &origin.stored_path)
}

/// The artifact proxy of the project.
pub(super) fn proxy_href(granted: &Granted) -> String {
    format!("/api/v4/projects/{}/ml/mlflow/api/2.0/mlflow-artifacts/artifacts", granted.project())
}
