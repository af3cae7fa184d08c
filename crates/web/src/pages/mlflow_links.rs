//! The page behind the links that MLflow clients print.

use axum::extract::State;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_store::projects;

use crate::answer::{Answer, Page};
use crate::views::mlflow_links::MlflowLinksPage;
use crate::visit::{Visit, href};

/// Leads on to the page that the part of the address after `#` means.
pub(crate) async fn show_mlflow_links(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
) -> Answer<Page<MlflowLinksPage>> {
    let id = granted.project();
    let project = app.db.read(move |tx| projects::get(tx, id)).await?;
    Ok(Page(MlflowLinksPage {
        shell: visit.shell(&project.name),
        project: project.name,
        project_href: href(&granted),
    }))
}
