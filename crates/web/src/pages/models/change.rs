//! What may be changed of a version: whether it is published, aliases, stage, advice, description.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::names::{AliasName, check_length};
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_server::registry::mover;
use modelry_store::versions::{self, Advice, ModelVersion};
use serde::Deserialize;

use super::version::{Seen, version_page};
use super::{About, model_href, read_description, version_href};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::pages::sign_in::ButtonForm;
use crate::pages::typed_wrong;
use crate::shell::Crumb;
use crate::views::models::form::VersionFormPage;
use crate::visit::Visit;

/// Characters of a warning.
const WARNING: usize = 1_000;

/// The project's, the model's and the version's place in an address.
type Place = Shown<Path<(String, i64, i64)>>;

/// What a form about an alias sends.
#[derive(Deserialize)]
pub(crate) struct AliasForm {
    alias: String,
    #[serde(default)]
    reason: String,
}

/// What the form for a stage sends.
#[derive(Deserialize)]
pub(crate) struct StageForm {
    stage: String,
}

/// What the form for a warning sends.
#[derive(Deserialize)]
pub(crate) struct AdviceForm {
    advice: String,
    warning: String,
}

impl AdviceForm {
    fn read(&self) -> Result<(Advice, String)> {
        let warning = self.warning.trim().to_owned();
        check_length("warning", &warning, WARNING)?;
        let advice = match self.advice.as_str() {
            "fine" => return Ok((Advice::Fine, String::new())),
            "deprecated" => Advice::Deprecated,
            "yanked" => Advice::Yanked,
            other => {
                return Err(Error::invalid(format!("`{other}` is none of fine, deprecated and yanked")));
            }
        };
        Ok((advice, warning))
    }
}

/// What the form for a description sends.
#[derive(Deserialize)]
pub(crate) struct DescriptionForm {
    description: String,
}

/// Who changes which version.
struct Change<'a> {
    app: &'a App,
    granted: &'a Granted,
    visit: &'a Visit,
    model: ModelId,
    number: i64,
}

impl Change<'_> {
    /// Does it, and shows the version again, with why not where it is refused.
    async fn make<F>(self, work: F) -> Answer<Response>
    where
        F: Fn(&mut Tx<'_>, ProjectId, ModelVersion) -> Result<()> + Send + 'static,
    {
        let (project, model, number) = (self.granted.project(), self.model, self.number);
        let done = self.app.db.write(move |tx| {
            let version = About::read(tx, project, model)?.version(tx, project, number)?;
            work(tx, project, version)
        });
        match done.await {
            Ok(()) => {
                let page = format!("{}/versions/{number}", model_href(self.granted, model));
                Ok(Redirect::to(&page).into_response())
            }
            Err(error) => self.refuse(error).await,
        }
    }

    async fn refuse(self, error: Error) -> Answer<Response> {
        let problem = typed_wrong(error)?;
        let mut page = version_page(self.app, self.granted, self.visit, (self.model, self.number)).await?;
        page.problem = Some(problem);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
    }
}

/// Fixes the files of a draft.
pub(crate) async fn publish(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    let now = app.clock.now();
    let change = Change { app: &app, granted: &granted, visit: &visit, model: ModelId(id), number };
    change.make(move |tx, project, version| versions::publish(tx, project, version, now).map(drop)).await
}

/// Points an alias at the version.
pub(crate) async fn set_alias(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
    Form(form): Form<AliasForm>,
) -> Answer<Response> {
    let change = Change { app: &app, granted: &granted, visit: &visit, model: ModelId(id), number };
    let alias = form.alias.trim().trim_start_matches('@').parse::<AliasName>();
    match alias.and_then(|alias| Ok((alias, mover(&app, &granted, form.reason.trim().to_owned())?))) {
        Ok((alias, mover)) => {
            let work = move |tx: &mut Tx<'_>, project, version: ModelVersion| {
                versions::set_alias(tx, project, &version, alias.as_str(), &mover)
            };
            change.make(work).await
        }
        Err(error) => change.refuse(error).await,
    }
}

/// Removes an alias, if it still points at the version.
pub(crate) async fn delete_alias(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
    Form(form): Form<AliasForm>,
) -> Answer<Response> {
    let (mover, model) = (mover(&app, &granted, form.reason.trim().to_owned())?, ModelId(id));
    let change = Change { app: &app, granted: &granted, visit: &visit, model, number };
    let work = move |tx: &mut Tx<'_>, project, version: ModelVersion| {
        let aliases = versions::aliases(tx, project, &[model])?.remove(&model).unwrap_or_default();
        let is_here = aliases.iter().any(|alias| alias.name == form.alias && alias.version == version.id);
        if !is_here {
            return Ok(());
        }
        let About { model, .. } = About::read(tx, project, model)?;
        versions::delete_alias(tx, project, &model, &form.alias, &mover).map(drop)
    };
    change.make(work).await
}

/// Moves the version to a stage.
pub(crate) async fn set_stage(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
    Form(form): Form<StageForm>,
) -> Answer<Response> {
    let now = app.clock.now();
    let change = Change { app: &app, granted: &granted, visit: &visit, model: ModelId(id), number };
    match form.stage.parse::<Stage>() {
        Ok(stage) => {
            let work = move |tx: &mut Tx<'_>, project, version| {
                versions::set_stage(tx, project, version, (stage, false), now).map(drop)
            };
            change.make(work).await
        }
        Err(error) => change.refuse(error).await,
    }
}

/// Deprecates the version, yanks it, or takes either back.
pub(crate) async fn set_advice(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
    Form(form): Form<AdviceForm>,
) -> Answer<Response> {
    let now = app.clock.now();
    let change = Change { app: &app, granted: &granted, visit: &visit, model: ModelId(id), number };
    match form.read() {
        Ok((advice, warning)) => {
            let work = move |tx: &mut Tx<'_>, project, version| {
                versions::set_advice(tx, project, version, (advice, &warning), now).map(drop)
            };
            change.make(work).await
        }
        Err(error) => change.refuse(error).await,
    }
}

/// The form for what is said of the version.
pub(crate) async fn edit_description(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
) -> Answer<Page<VersionFormPage>> {
    let project = granted.project();
    let seen = app.db.read(move |tx| Seen::read(tx, project, ModelId(id), number)).await?;
    let href = version_href(&granted, &seen.version);
    let label = seen.version.label();
    let way = vec![Crumb::link(label.clone(), href.clone()), Crumb::here("Edit")];
    Ok(Page(VersionFormPage {
        shell: seen.about.shell(&granted, &visit, way),
        action: format!("{href}/edit"),
        cancel_href: href,
        title: format!("Edit {} {label}", seen.version.model),
        version: None,
        description: seen.version.description,
        problem: None,
    }))
}

/// Sets what is said of the version.
pub(crate) async fn set_description(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Place,
    Form(form): Form<DescriptionForm>,
) -> Answer<Response> {
    let now = app.clock.now();
    let change = Change { app: &app, granted: &granted, visit: &visit, model: ModelId(id), number };
    match read_description(&form.description) {
        Ok(text) => {
            let work = move |tx: &mut Tx<'_>, project, version| {
                versions::set_description(tx, project, version, &text, now).map(drop)
            };
            change.make(work).await
        }
        Err(error) => change.refuse(error).await,
    }
}
