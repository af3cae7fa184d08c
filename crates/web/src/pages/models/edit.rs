//! What may be changed of a model: its name and its card.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::ModelId;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_store::models;

use super::list::ModelForm;
use super::{About, model_href, read_description};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::typed_wrong;
use crate::shell::Crumb;
use crate::views::models::form::ModelFormPage;
use crate::visit::Visit;

/// The form for a model's name and card.
pub(crate) async fn edit_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
) -> Answer<Page<ModelFormPage>> {
    let project = granted.project();
    let about = app.db.read(move |tx| About::read(tx, project, ModelId(id))).await?;
    let form = ModelForm { name: about.model.name.clone(), description: about.model.description.clone() };
    Ok(Page(form_page(&granted, &visit, &about, form, None)))
}

/// Changes a model's name and card, or shows the form again.
pub(crate) async fn change_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(form): Form<ModelForm>,
) -> Answer<Response> {
    let (project, id) = (granted.project(), ModelId(id));
    let about = app.db.read(move |tx| About::read(tx, project, id)).await?;
    let error = match change(&app, &granted, id, &form).await {
        Ok(()) => return Ok(Redirect::to(&model_href(&granted, id)).into_response()),
        Err(error) => error,
    };
    let problem = typed_wrong(error)?;
    let page = form_page(&granted, &visit, &about, form, Some(problem));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn change(app: &App, granted: &Granted, id: ModelId, form: &ModelForm) -> Result<()> {
    let (project, now) = (granted.project(), app.clock.now());
    let name = form.name.trim().parse()?;
    let description = read_description(&form.description)?;
    let changed = app.db.write(move |tx| {
        let About { model, .. } = About::read(tx, project, id)?;
        let model = models::rename(tx, project, &model.name, &name, now)?;
        models::set_description(tx, project, &model.name, &description, now).map(drop)
    });
    changed.await
}

fn form_page(
    granted: &Granted,
    visit: &Visit,
    about: &About,
    form: ModelForm,
    problem: Option<String>,
) -> ModelFormPage {
    let href = about.href(granted);
    ModelFormPage {
        shell: about.shell(granted, visit, vec![Crumb::here("Edit")]),
        action: format!("{href}/edit"),
        cancel_href: href,
        is_edit: true,
        name: form.name,
        description: form.description,
        problem,
    }
}
