//! The list of models, and new ones.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::Result;
use modelry_core::ids::ModelId;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Query;
use modelry_server::registry::new_model;
use modelry_store::models::{self, Model, ModelKind, Summary};
use modelry_store::projects;
use serde::Deserialize;

use super::{bin, can_write, list_href, model_href, read_description, version_link};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::{ROWS_TO_READ, page, shown_count, start, typed_wrong};
use crate::shell::{Crumb, Section};
use crate::views::connect::Connect;
use crate::views::models::form::ModelFormPage;
use crate::views::models::list::{ModelRow, ModelsPage};
use crate::views::models::register;
use crate::visit::Visit;

/// What the list's address says.
#[derive(Default, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    search: String,
    #[serde(default)]
    page_token: String,
}

/// What the form for a model sends.
#[derive(Deserialize)]
pub(crate) struct ModelForm {
    pub(super) name: String,
    pub(super) description: String,
}

/// The models whose names contain what is searched for, the newest first.
pub(crate) async fn list_models(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Query(query)): Shown<Query<ListQuery>>,
) -> Answer<Page<ModelsPage>> {
    Ok(Page(models_page(&app, &granted, &visit, query).await?))
}

async fn models_page(app: &App, granted: &Granted, visit: &Visit, query: ListQuery) -> Result<ModelsPage> {
    let before: Option<ModelId> = start(&query.page_token)?;
    let (id, search, can_write) = (granted.project(), query.search.clone(), can_write(granted));
    let read = app.db.read(move |tx| {
        let in_bin = if can_write { bin::count_models(tx, id)? } else { 0 };
        let found = models::list_summaries(tx, id, &search, before, ROWS_TO_READ)?;
        Ok((projects::get(tx, id)?, found, in_bin))
    });
    let (project, mut found, in_bin) = read.await?;
    let href = list_href(granted);
    let pager = page(&mut found, &href, &[("search", &query.search)], &query.page_token, |row| row.model.id);
    let way = vec![Crumb::here("Model registry")];
    Ok(ModelsPage {
        shell: visit.project_shell(granted, &project.name, Section::Models, way),
        href,
        can_write,
        search: query.search,
        models: found.into_iter().map(|summary| row(granted, visit, summary)).collect(),
        pager,
        in_bin,
        register: register("my-model"),
        connect: Connect::without_token(&visit.tracking_uri(id), visit.is_signed_in()),
    })
}

/// One model of a list.
pub(in crate::pages) fn row(granted: &Granted, visit: &Visit, summary: Summary) -> ModelRow {
    ModelRow {
        href: model_href(granted, summary.model.id),
        latest: summary.latest.map(|version| version_link(granted, &version)),
        versions: shown_count(summary.versions),
        owner: summary.creator,
        changed: visit.moment(summary.model.updated_at),
        name: summary.model.name,
    }
}

/// The empty form for a new model.
pub(crate) async fn show_form(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
) -> Answer<Page<ModelFormPage>> {
    let form = ModelForm { name: String::new(), description: String::new() };
    Ok(Page(form_page(&app, &granted, &visit, form, None).await?))
}

/// Makes a model and goes to it, or shows the form again.
pub(crate) async fn create_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Form(form): Form<ModelForm>,
) -> Answer<Response> {
    let error = match insert(&app, &granted, &form).await {
        Ok(model) => return Ok(Redirect::to(&model_href(&granted, model.id)).into_response()),
        Err(error) => error,
    };
    let problem = typed_wrong(error)?;
    let page = form_page(&app, &granted, &visit, form, Some(problem)).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
}

async fn insert(app: &App, granted: &Granted, form: &ModelForm) -> Result<Model> {
    let (project, name) = (granted.project(), form.name.trim().parse()?);
    let description = read_description(&form.description)?;
    let new = new_model(app, granted, (name, ModelKind::Model), description, Vec::new()).await?;
    app.db.write(move |tx| models::insert(tx, project, &new)).await
}

async fn form_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    form: ModelForm,
    problem: Option<String>,
) -> Result<ModelFormPage> {
    let id = granted.project();
    let project = app.db.read(move |tx| projects::get(tx, id)).await?;
    let list = list_href(granted);
    let way = vec![Crumb::link("Model registry", &list), Crumb::here("New model")];
    Ok(ModelFormPage {
        shell: visit.project_shell(granted, &project.name, Section::Models, way),
        action: list.clone(),
        cancel_href: list,
        is_edit: false,
        name: form.name,
        description: form.description,
        problem,
    })
}
