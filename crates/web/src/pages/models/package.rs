//! What the page of a version says of its files as a package.

use modelry_core::ids::ProjectId;
use modelry_core::{Kind, Result};
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::transfer::{self, Format};
use modelry_store::versions::ModelVersion;

use super::files::VersionFiles;
use crate::links;
use crate::pages::model_tree::Amount;
use crate::views::models::version::{Archive, PackageBrief};
use crate::visit::href;

/// The package of a version whose files are so many.
pub(super) async fn package(
    app: &App,
    granted: &Granted,
    version: &ModelVersion,
    amount: Amount,
) -> Result<PackageBrief> {
    let project = granted.project();
    let list = format!("{}/-/packages", href(granted));
    Ok(PackageBrief {
        list_href: links::with_query(&list, [("type", "version"), ("search", version.model.as_str())]),
        id: version.id.to_string(),
        archives: match amount.files {
            0 => Vec::new(),
            _ => [Format::Tar, Format::Zip].map(|format| archive(project, version, format)).into(),
        },
        digest: digest(app, project, version, amount).await?,
    })
}

fn archive(project: ProjectId, version: &ModelVersion, format: Format) -> Archive {
    let (model, exact) = (links::segment(&version.model), links::segment(&version.version.to_string()));
    let extension = format.extension();
    Archive {
        extension,
        href: format!("/api/v4/projects/{project}/models/{model}/versions/{exact}/archive.{extension}"),
    }
}

/// The digest of the manifest of a published version, where it is told without reading on and on: of not too many files,
/// all of which are hashed.
async fn digest(
    app: &App,
    project: ProjectId,
    version: &ModelVersion,
    amount: Amount,
) -> Result<Option<String>> {
    if version.is_draft() || amount.files == 0 || amount.is_cut {
        return Ok(None);
    }
    let Some(files) = VersionFiles::of(project, version)? else { return Ok(None) };
    match transfer::contents(app, files.tree, files.inside(None)?).await {
        Ok(contents) => Ok(Some(contents.manifest_sha256.to_string())),
        Err(error) if error.kind() == Kind::Conflict => Ok(None),
        Err(error) => Err(error),
    }
}
