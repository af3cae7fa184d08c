//! The bin: what of models and versions was deleted, taking it out again, and removing it for good.
//!
//! It has a page of its own because what is freed takes a look at every file: no other page waits for that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use modelry_core::ids::{ModelId, ProjectId, VersionId};
use modelry_core::policy::Action;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Result};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::{Path, Query};
use modelry_server::purge::{self, BIN_DAYS, BIN_MS};
use modelry_store::models::{self, Model, ModelKind};
use modelry_store::projects;
use modelry_store::purge::{Thing, frees};
use modelry_store::versions::{self, ModelVersion};
use serde::Deserialize;

use super::{About, list_href, model_href};
use crate::answer::{Answer, Page, Shown};
use crate::form::Form;
use crate::format;
use crate::pages::sign_in::ButtonForm;
use crate::pages::{ROWS_TO_READ, page, start, typed_wrong};
use crate::shell::{Crumb, Section, Shell};
use crate::views::models::bin::{BinPage, Deleted};
use crate::visit::Visit;

/// How many things a link to the bin counts; where there are more, there is no need to know how many.
const COUNTED: i64 = 100;

const DAY_MS: i64 = BIN_MS / BIN_DAYS;

/// What the address of a bin's page says.
#[derive(Deserialize)]
pub(crate) struct BinQuery {
    #[serde(default)]
    page_token: String,
}

/// Whose bin it is.
#[derive(Clone, Copy)]
enum Bin {
    /// That of the project's models.
    Models,
    /// That of the versions of a model.
    Versions(ModelId),
}

impl Bin {
    /// What forms about the thing of this number post below.
    fn href_of(self, granted: &Granted, number: i64) -> String {
        match self {
            Self::Models => model_href(granted, ModelId(number)),
            Self::Versions(model) => format!("{}/versions/{number}", model_href(granted, model)),
        }
    }

    /// The address of its page.
    fn href(self, granted: &Granted) -> String {
        match self {
            Self::Models => format!("{}/bin", list_href(granted)),
            Self::Versions(model) => format!("{}/versions/bin", model_href(granted, model)),
        }
    }

    /// Up to `limit` things in it, the last deleted first, those behind `after`.
    fn list(
        self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        after: Option<(Timestamp, i64)>,
        limit: i64,
    ) -> Result<Vec<Found>> {
        match self {
            Self::Models => {
                let found = models::list_deleted(tx, project, after, limit)?;
                Ok(found.into_iter().map(Found::of_model).collect())
            }
            Self::Versions(model) => {
                let found = versions::list_deleted(tx, project, model, after, limit)?;
                Ok(found.iter().map(Found::of_version).collect())
            }
        }
    }

    fn find(self, tx: &mut Tx<'_>, project: ProjectId, number: i64) -> Result<Option<Found>> {
        match self {
            Self::Models => {
                let found = models::find(tx, project, ModelId(number))?;
                let found =
                    found.filter(|model| model.deleted_at.is_some() && model.kind == ModelKind::Model);
                Ok(found.map(Found::of_model))
            }
            Self::Versions(model) => {
                let found = versions::find_deleted(tx, project, model, number)?;
                Ok(found.as_ref().map(Found::of_version))
            }
        }
    }

    /// What the page's address calls by this number. Fails with `NotFound`.
    fn get(self, tx: &mut Tx<'_>, project: ProjectId, number: i64) -> Result<Found> {
        if let Self::Versions(model) = self {
            About::read(tx, project, model)?;
        }
        self.find(tx, project, number)?
            .ok_or_else(|| Error::not_found(format!("nothing with the number {number} is in the bin")))
    }
}

/// Something in the bin.
struct Found {
    thing: Thing,
    /// What its address calls it.
    number: i64,
    label: String,
    deleted_at: Timestamp,
}

impl Found {
    fn of_model(model: Model) -> Self {
        Self {
            thing: Thing::Model(model.id),
            number: model.id.0,
            deleted_at: model.deleted_at.unwrap_or(model.updated_at),
            label: model.name,
        }
    }

    fn of_version(version: &ModelVersion) -> Self {
        Self {
            thing: Thing::Version(version.id),
            number: version.number,
            label: version.label(),
            deleted_at: version.deleted_at.unwrap_or(version.updated_at),
        }
    }
}

/// How many models are in the bin, up to a hundred.
pub(super) fn count_models(tx: &mut Tx<'_>, project: ProjectId) -> Result<usize> {
    Ok(models::list_deleted(tx, project, None, COUNTED)?.len())
}

/// How many versions of a model are in the bin, up to a hundred.
pub(super) fn count_versions(tx: &mut Tx<'_>, project: ProjectId, model: ModelId) -> Result<usize> {
    Ok(versions::list_deleted(tx, project, model, None, COUNTED)?.len())
}

/// The models in the bin.
pub(crate) async fn show_models(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Query(query)): Shown<Query<BinQuery>>,
) -> Answer<Page<BinPage>> {
    Ok(Page(bin_page(&app, &granted, &visit, Bin::Models, &query.page_token).await?))
}

/// The versions of a model in the bin.
pub(crate) async fn show_versions(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, model))): Shown<Path<(String, i64)>>,
    Shown(Query(query)): Shown<Query<BinQuery>>,
) -> Answer<Page<BinPage>> {
    Ok(Page(bin_page(&app, &granted, &visit, Bin::Versions(ModelId(model)), &query.page_token).await?))
}

/// Takes a model out of the bin and goes to it, or says why not.
pub(crate) async fn restore_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    restore(&app, &granted, &visit, (Bin::Models, id)).await
}

/// Takes a version out of the bin and goes to it, or says why not.
pub(crate) async fn restore_version(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, model, number))): Shown<Path<(String, i64, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Response> {
    restore(&app, &granted, &visit, (Bin::Versions(ModelId(model)), number)).await
}

/// Removes a model in the bin for good, and says what this freed.
pub(crate) async fn purge_model(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id))): Shown<Path<(String, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Page<BinPage>> {
    remove(&app, &granted, &visit, (Bin::Models, id)).await
}

/// Removes a version in the bin for good, and says what this freed.
pub(crate) async fn purge_version(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, model, number))): Shown<Path<(String, i64, i64)>>,
    Form(ButtonForm {}): Form<ButtonForm>,
) -> Answer<Page<BinPage>> {
    remove(&app, &granted, &visit, (Bin::Versions(ModelId(model)), number)).await
}

async fn restore(app: &App, granted: &Granted, visit: &Visit, (bin, number): (Bin, i64)) -> Answer<Response> {
    let (project, now) = (granted.project(), app.clock.now());
    let restored = app.db.write(move |tx| {
        let id = bin.get(tx, project, number)?.thing.id();
        match bin {
            Bin::Models => models::restore(tx, project, ModelId(id), now).map(drop),
            Bin::Versions(_) => versions::restore(tx, project, VersionId(id), now).map(drop),
        }
    });
    match restored.await {
        Ok(()) => Ok(Redirect::to(&bin.href_of(granted, number)).into_response()),
        Err(error) => {
            let problem = Some(typed_wrong(error)?);
            let page = BinPage { problem, ..bin_page(app, granted, visit, bin, "").await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
        }
    }
}

async fn remove(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    (bin, number): (Bin, i64),
) -> Answer<Page<BinPage>> {
    let project = granted.project();
    let found = app.db.read(move |tx| bin.get(tx, project, number)).await?;
    let freed = purge::now(app, project, found.thing).await?;
    let mut page = bin_page(app, granted, visit, bin, "").await?;
    page.shell.notice = Some(format!("{} is removed for good. This freed {}.", found.label, amount(freed)));
    Ok(Page(page))
}

async fn bin_page(app: &App, granted: &Granted, visit: &Visit, bin: Bin, token: &str) -> Result<BinPage> {
    let (project, after) = (granted.project(), start(token)?.map(|(at, number)| (Timestamp(at), number)));
    let (href, from) = (bin.href(granted), token.to_owned());
    let read = app.db.read(move |tx| {
        let (name, about) = match bin {
            Bin::Models => (projects::get(tx, project)?.name, None),
            Bin::Versions(model) => {
                let about = About::read(tx, project, model)?;
                (about.project.clone(), Some(about))
            }
        };
        let mut found = bin.list(tx, project, after, ROWS_TO_READ)?;
        let pager = page(&mut found, &href, &[], &from, |last| (last.deleted_at.ms(), last.number));
        let with_bytes = found.into_iter().map(|found| Ok((frees(tx, project, found.thing)?, found)));
        Ok((name, about, with_bytes.collect::<Result<Vec<_>>>()?, pager))
    });
    let (project_name, about, found, pager) = read.await?;
    let (shell, of, back_href) = match &about {
        None => (of_models(granted, visit, &project_name), "models".to_owned(), list_href(granted)),
        Some(about) => {
            let versions = format!("{}?tab=versions", about.href(granted));
            let way = vec![Crumb::link("Versions", versions.clone()), Crumb::here("In the bin")];
            (about.shell(granted, visit, way), format!("versions of {}", about.model.name), versions)
        }
    };
    let row = |(bytes, found): (u64, Found)| row(granted, visit, bin, bytes, found);
    Ok(BinPage {
        shell,
        of,
        days: BIN_DAYS,
        back_href,
        problem: None,
        rows: found.into_iter().map(row).collect(),
        pager,
        can_purge: granted.access.also(Action::Purge),
    })
}

fn of_models(granted: &Granted, visit: &Visit, project: &str) -> Shell {
    let way = vec![Crumb::link("Model registry", list_href(granted)), Crumb::here("In the bin")];
    visit.project_shell(granted, project, Section::Models, way)
}

fn row(granted: &Granted, visit: &Visit, bin: Bin, bytes: u64, found: Found) -> Deleted {
    Deleted {
        deleted: visit.moment(found.deleted_at),
        left: days_left(found.deleted_at, visit.now),
        frees: amount(bytes),
        href: bin.href_of(granted, found.number),
        label: found.label,
    }
}

/// So many bytes, as what is freed.
fn amount(bytes: u64) -> String {
    if bytes == 0 { "nothing".to_owned() } else { format::bytes(bytes) }
}

/// How many days something stays in the bin, the last one begun counted as a whole one.
fn days_left(deleted_at: Timestamp, now: Timestamp) -> String {
    let left_ms = deleted_at.plus_ms(BIN_MS).ms().saturating_sub(now.ms()).max(0);
    let days = (left_ms + DAY_MS - 1) / DAY_MS;
    format::counted(days.unsigned_abs(), "day")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_has_begun_counts_as_a_whole_one() {
        let left = |days: i64, ms: i64| days_left(Timestamp(1_000), Timestamp(1_000 + days * DAY_MS + ms));
        assert_eq!([left(0, 0), left(0, 1), left(1, 0), left(6, 1)], ["7 days", "7 days", "6 days", "1 day"]);
        assert_eq!(left(8, 0), "0 days");
    }
}
