//! A project's general settings.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use modelry_core::Result;
use modelry_core::policy::Visibility;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::accounts::projects as accounts;
use modelry_store::projects::{self, Change, Project};
use serde::Deserialize;

use super::typed_wrong;
use crate::answer::{Answer, Page};
use crate::form::Form;
use crate::shell::{Crumb, Section};
use crate::views::projects::ProjectForm;
use crate::views::settings::SettingsPage;
use crate::visit::{Visit, href};

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct ChangeForm {
    name: String,
    description: String,
    visibility: String,
    /// A box that is not checked is not sent.
    refuses_wrong_steps: Option<String>,
}

/// The settings as they are.
pub(crate) async fn show_settings(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
) -> Answer<Page<SettingsPage>> {
    let id = granted.project();
    let project = app.db.read(move |tx| projects::get(tx, id)).await?;
    Ok(Page(settings_page(&visit, &granted, project)))
}

/// Changes the settings, and shows them again with what became of it.
pub(crate) async fn change_settings(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Form(form): Form<ChangeForm>,
) -> Answer<Response> {
    let changed = match change(&form) {
        Ok(change) => accounts::update(&app, &granted, change).await,
        Err(error) => Err(error),
    };
    let error = match changed {
        Ok(project) => {
            let mut page = settings_page(&visit, &granted, project);
            page.shell.notice = Some("The settings are saved.".to_owned());
            return Ok(Page(page).into_response());
        }
        Err(error) => error,
    };
    let problem = typed_wrong(error)?;
    let id = granted.project();
    let project = app.db.read(move |tx| projects::get(tx, id)).await?;
    let mut page = settings_page(&visit, &granted, project);
    page.form.visibility = form.visibility.parse().unwrap_or(Visibility::Private);
    page.refuses_wrong_steps = form.refuses_wrong_steps.is_some();
    page.form.name = form.name;
    page.form.description = form.description;
    page.problem = Some(problem);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

fn change(form: &ChangeForm) -> Result<Change> {
    Ok(Change {
        name: Some(form.name.parse()?),
        description: Some(form.description.trim().to_owned()),
        visibility: Some(form.visibility.parse()?),
        refuses_wrong_steps: Some(form.refuses_wrong_steps.is_some()),
    })
}

fn settings_page(visit: &Visit, granted: &Granted, project: Project) -> SettingsPage {
    let way = vec![Crumb::here("General settings")];
    SettingsPage {
        shell: visit.project_shell(granted, &project.name, Section::General, way),
        action: format!("{}/edit", href(granted)),
        full_path: project.full_path,
        number: project.id.0,
        refuses_wrong_steps: project.refuses_wrong_steps,
        form: ProjectForm {
            name: project.name,
            path: project.path,
            description: project.description,
            visibility: project.visibility,
        },
        problem: None,
    }
}
