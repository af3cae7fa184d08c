//! The package registry.

use axum::extract::State;
use modelry_core::Result;
use modelry_core::ids::ProjectId;
use modelry_core::policy::{Access, Action};
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Query;
use modelry_store::files::Totals;
use modelry_store::packages::{self, Content, Kind, Package, Position, Wanted};
use modelry_store::projects;
use serde::Deserialize;

use super::candidate::candidate_href;
use super::models::model::state;
use super::models::{self, can_write, version_href};
use super::{PAGE_ROWS, shown_count};
use crate::answer::{Answer, Page, Shown};
use crate::format;
use crate::links;
use crate::parts::Pager;
use crate::shell::{Crumb, Section};
use crate::views::ViewChoice;
use crate::views::packages::{PackageRow, PackagesPage, upload};
use crate::visit::{Visit, href};

/// What the list's address says.
#[derive(Deserialize)]
pub(crate) struct PackagesQuery {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    search: String,
    #[serde(default)]
    after: String,
}

impl PackagesQuery {
    /// What is asked for, as far as the reader may see it.
    fn wanted(&self, access: Access) -> Result<Wanted> {
        let asked: Option<Kind> = if self.kind.is_empty() { None } else { Some(self.kind.parse()?) };
        let kind = match asked {
            Some(Kind::Candidate) => access.require(Action::ReadExperiments).map(|()| asked)?,
            None if !access.also(Action::ReadExperiments) => Some(Kind::Version),
            Some(Kind::Version) | None => asked,
        };
        Ok(Wanted { kind, part: self.search.clone() })
    }

    fn position(&self) -> Result<Position> {
        if self.after.is_empty() { Ok(Position::START) } else { self.after.parse() }
    }

    /// The list that starts at `after`.
    fn link(&self, list: &str, after: &str) -> String {
        links::with_query(list, [("type", self.kind.as_str()), ("search", &self.search), ("after", after)])
    }
}

/// A package with what the list shows of it.
struct Listed {
    package: Package,
    totals: Totals,
    creator: Option<String>,
}

impl Listed {
    fn read(tx: &mut Tx<'_>, project: ProjectId, package: Package) -> Result<Self> {
        Ok(Self { totals: package.totals(tx, project)?, creator: package.creator(tx)?, package })
    }
}

/// The packages, the newest first.
pub(crate) async fn list_packages(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Query(query)): Shown<Query<PackagesQuery>>,
) -> Answer<Page<PackagesPage>> {
    let (project, wanted, after) = (granted.project(), query.wanted(granted.access)?, query.position()?);
    let read = app.db.read(move |tx| {
        let listing = packages::list(tx, project, &wanted, after, PAGE_ROWS)?;
        let listed = listing.packages.into_iter().map(|package| Listed::read(tx, project, package));
        let listed = listed.collect::<Result<Vec<_>>>()?;
        Ok((projects::get(tx, project)?.name, listed, listing.next))
    });
    let (name, listed, next) = read.await?;
    let list = format!("{}/-/packages", href(&granted));
    let way = vec![Crumb::here("Package registry")];
    Ok(Page(PackagesPage {
        shell: visit.project_shell(&granted, &name, Section::Packages, way),
        kinds: kinds(&list, &query),
        packages: listed.into_iter().map(|listed| row(&granted, &visit, listed)).collect(),
        pager: Pager {
            first: (!query.after.is_empty()).then(|| query.link(&list, "")),
            next: next.map(|next| query.link(&list, &next.to_string())),
        },
        new_model_href: can_write(&granted).then(|| format!("{}/new", models::list_href(&granted))),
        upload: upload(&visit.base_url, project.0, &href(&granted)),
        href: list,
        search: query.search,
        kind: query.kind,
    }))
}

fn kinds(list: &str, query: &PackagesQuery) -> Vec<ViewChoice> {
    let choice = |(label, value)| ViewChoice {
        label,
        value,
        href: links::with_query(list, [("type", value), ("search", query.search.as_str())]),
        is_chosen: query.kind == value,
    };
    [("All", ""), ("Versions", "version"), ("Candidates", "candidate")].map(choice).into()
}

fn row(granted: &Granted, visit: &Visit, Listed { package, totals, creator }: Listed) -> PackageRow {
    let (owner, state) = match &package.content {
        Content::Version(version) => (version_href(granted, version), Some(state(version))),
        Content::Candidate(candidate) => (candidate_href(granted, candidate.id), None),
    };
    PackageRow {
        name: package.name,
        version: package.version,
        href: format!("{owner}/artifacts"),
        state,
        files: shown_count(totals.files).into(),
        size: format::bytes(totals.size_bytes),
        created: visit.moment(package.created_at),
        creator,
    }
}
