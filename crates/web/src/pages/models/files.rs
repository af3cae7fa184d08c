//! The files of a version.

use axum::extract::State;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_store::files::{File, Tree, list_all};
use modelry_store::versions::{self, ModelVersion};

use super::version::Seen;
use super::{can_write, stored_path, version_href};
use crate::answer::{Answer, Page, Shown};
use crate::links;
use crate::pages::artifacts::{proxy_href, shown_entry};
use crate::pages::model_tree::{Amount, Item, amount, list_items, sort};
use crate::pages::shown::{Directory, Origin, ToShow, below_owner};
use crate::pages::tree::{Branches, Directories, branches};
use crate::parts::Snippet;
use crate::shell::Crumb;
use crate::views::models::files::{UploadForm, VersionFilesPage};
use crate::views::models::version::Tab;
use crate::visit::Visit;

/// The files of a version: below a directory of a tree.
pub(super) struct VersionFiles {
    pub(super) tree: Tree,
    dir: Option<ArtifactPath>,
}

impl VersionFiles {
    /// Where they are; `None` for a draft without a candidate.
    pub(super) fn of(project: ProjectId, version: &ModelVersion) -> Result<Option<Self>> {
        Ok(versions::place(project, version)?.map(|(tree, dir)| Self { tree, dir }))
    }

    /// Where in the tree a path of the version is; `None` is all of its files.
    pub(super) fn inside(&self, path: Option<&ArtifactPath>) -> Result<Option<ArtifactPath>> {
        match (&self.dir, path) {
            (Some(dir), Some(path)) => dir.join(path).map(Some),
            (dir, path) => Ok(path.or(dir.as_ref()).cloned()),
        }
    }

    /// Up to `limit` of them, by their paths below the version.
    pub(super) fn first(&self, tx: &mut Tx<'_>, limit: i64) -> Result<Vec<File>> {
        let below = self.dir.as_ref().map_or(0, |dir| dir.as_str().len() + 1);
        let mut found = list_all(tx, self.tree, self.dir.as_ref(), None, limit)?;
        for file in &mut found {
            file.path.drain(..below);
        }
        Ok(found)
    }

    /// How much they are.
    pub(super) fn amount(&self, tx: &mut Tx<'_>, path: Option<&ArtifactPath>) -> Result<Amount> {
        amount(tx, self.tree, self.inside(path)?.as_ref())
    }
}

impl Directories for VersionFiles {
    fn list(&self, tx: &mut Tx<'_>, dir: Option<&ArtifactPath>) -> Result<(Vec<Item>, bool)> {
        let (mut items, is_cut) = list_items(tx, self.tree, self.inside(dir)?.as_ref())?;
        sort(&mut items);
        Ok((items, is_cut))
    }
}

/// The files, none of them opened.
pub(crate) async fn show_top(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Shown<Path<(String, i64, i64)>>,
) -> Answer<Page<VersionFilesPage>> {
    Ok(Page(files_page(&app, &granted, &visit, (ModelId(id), number), None).await?))
}

/// The files, one of them or a directory shown.
pub(crate) async fn show_file(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number, path))): Shown<Path<(String, i64, i64, String)>>,
) -> Answer<Page<VersionFilesPage>> {
    let path = ArtifactPath::parse_dir(Some(&path))?;
    Ok(Page(files_page(&app, &granted, &visit, (ModelId(id), number), path).await?))
}

async fn files_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    (id, number): (ModelId, i64),
    path: Option<ArtifactPath>,
) -> Result<VersionFilesPage> {
    let (project, granted_href) = (granted.project(), super::model_href(granted, id));
    let read = app.db.read(move |tx| {
        let seen = Seen::read(tx, project, id, number)?;
        let href = format!("{granted_href}/versions/{number}/artifacts");
        let Some(files) = VersionFiles::of(project, &seen.version)? else {
            return Ok((nothing(&seen.version), Branches::default(), seen));
        };
        let to_show = to_show(tx, &files, &seen.version, path.as_ref())?;
        let branches = branches(tx, &files, &href, path.as_ref())?;
        Ok((to_show, branches, seen))
    });
    let (to_show, branches, seen) = read.await?;
    let is_draft = seen.version.is_draft();
    let upload = (is_draft && can_write(granted)).then(|| upload_form(granted, &seen.version));
    let shown = shown_entry((app, granted, visit), to_show, is_draft).await?;
    let way = vec![
        Crumb::link(seen.version.label(), version_href(granted, &seen.version)),
        Crumb::here("Artifacts"),
    ];
    Ok(VersionFilesPage {
        shell: seen.about.shell(granted, visit, way),
        head: seen.head(granted, visit, Tab::Artifacts),
        tree: branches.entries,
        tree_note: branches.note,
        shown,
        upload,
    })
}

/// How a client names a file of the version, or all of them.
pub(super) fn client_uri(version: &ModelVersion, path: Option<&ArtifactPath>) -> String {
    let below = path.map(|path| format!("/{path}")).unwrap_or_default();
    format!("models:/{}/{}{below}", version.model, version.version)
}

fn nothing(version: &ModelVersion) -> ToShow {
    ToShow::Directory(Directory {
        title: "All files".to_owned(),
        amount: Amount::default(),
        client_uri: client_uri(version, None),
    })
}

fn to_show(
    tx: &mut Tx<'_>,
    files: &VersionFiles,
    version: &ModelVersion,
    path: Option<&ArtifactPath>,
) -> Result<ToShow> {
    let amount = files.amount(tx, path)?;
    let Some(path) = path else {
        return Ok(ToShow::Directory(Directory {
            title: "All files".to_owned(),
            amount,
            client_uri: client_uri(version, None),
        }));
    };
    let inside = files.inside(Some(path))?;
    let inside = inside.ok_or_else(|| Error::internal("a path below a directory is a path"))?;
    let origin = Origin {
        client_uri: client_uri(version, Some(path)),
        stored_path: format!("{}/{path}", stored_path(version.id)),
    };
    below_owner(tx, files.tree, &inside, origin, amount)
}

fn upload_form(granted: &Granted, version: &ModelVersion) -> UploadForm {
    let run = version.run_eid.clone().unwrap_or_default();
    let below = version.draft_dir.as_ref();
    let below = below.map(|dir| format!(", {}", serde_json::Value::from(dir.as_str()))).unwrap_or_default();
    let code = format!(
        "from mlflow import MlflowClient\n\nclient = MlflowClient()\n\
         client.log_artifacts(\"{run}\", \"path/to/files\"{below})\n"
    );
    UploadForm {
        href: links::below(&proxy_href(granted), &stored_path(version.id)),
        from_client: Snippet { label: "Log files to its run".to_owned(), code },
    }
}
