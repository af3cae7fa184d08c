//! New versions: drafts that are made here, and how any version is made from a page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::ModelId;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_server::registry::new_version;
use modelry_store::models;
use modelry_store::versions::{self, NewVersion, Source, Wish};
use serde::Deserialize;

use super::{About, read_description, version_href};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::typed_wrong;
use crate::shell::Crumb;
use crate::views::models::form::{VersionField, VersionFormPage};
use crate::visit::Visit;

/// What the form for a new version sends.
#[derive(Default, Deserialize)]
pub(crate) struct VersionForm {
    version: String,
    description: String,
}

/// The semantic version that was typed; nothing is no wish. Fails with `Invalid` where it is none.
pub(super) fn read_wish(typed: &str) -> Result<Option<Wish>> {
    let typed = typed.trim();
    if typed.is_empty() { Ok(None) } else { typed.parse().map(|version| Some(Wish::Exactly(version))) }
}

/// The empty form for a new version.
pub(crate) async fn show_form(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
) -> Answer<Page<VersionFormPage>> {
    Ok(Page(form_page(&app, &granted, &visit, ModelId(id), (VersionForm::default(), None)).await?))
}

/// Makes a draft and goes to where its files are added, or shows the form again.
pub(crate) async fn create(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(form): Form<VersionForm>,
) -> Answer<Response> {
    let error = match register(&app, &granted, ModelId(id), &form).await {
        Ok(made) => {
            let files = format!("{}/artifacts", version_href(&granted, &made));
            return Ok(Redirect::to(&files).into_response());
        }
        Err(error) => error,
    };
    let problem = typed_wrong(error)?;
    let page = form_page(&app, &granted, &visit, ModelId(id), (form, Some(problem))).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn register(
    app: &App,
    granted: &Granted,
    id: ModelId,
    form: &VersionForm,
) -> Result<versions::ModelVersion> {
    let (project, wish) = (granted.project(), read_wish(&form.version)?);
    let description = read_description(&form.description)?;
    let new = NewVersion { wish, description, ..new_version(app, granted, String::new()).await? };
    let made = app.db.write(move |tx| {
        let About { model, .. } = About::read(tx, project, id)?;
        let new = NewVersion { model: model.name, ..new.clone() };
        versions::register(tx, project, &new, &Source::Nothing)
    });
    made.await
}

async fn form_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    id: ModelId,
    (form, problem): (VersionForm, Option<String>),
) -> Result<VersionFormPage> {
    let project = granted.project();
    let read = app.db.read(move |tx| {
        let about = About::read(tx, project, id)?;
        let next = versions::next_version(tx, project, id)?;
        Ok((models::find_latest(tx, project, &about.model)?, next, about))
    });
    let (latest, next, about) = read.await?;
    let href = about.href(granted);
    Ok(VersionFormPage {
        shell: about.shell(granted, visit, vec![Crumb::here("New version")]),
        action: format!("{href}/versions"),
        cancel_href: href,
        title: format!("New version of {}", about.model.name),
        version: Some(VersionField {
            typed: form.version,
            next: next.to_string(),
            latest: latest.map(|latest| latest.label()),
        }),
        description: form.description,
        problem,
    })
}
