//! One version: its overview.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use modelry_core::Result;
use modelry_core::artifact_path::ArtifactPath;
use modelry_core::formats::mlmodel::Mlmodel;
use modelry_core::formats::{Facts, FileKind};
use modelry_core::ids::{ModelId, ProjectId};
use modelry_core::version::stage::Stage;
use modelry_db::Tx;
use modelry_server::App;
use modelry_server::access::Granted;
use modelry_server::extract::Path;
use modelry_server::facts::read;
use modelry_store::candidates::{self, Candidate, LatestMetric, Logged};
use modelry_store::files::{self, File, Found, list_all};
use modelry_store::keys::Keys;
use modelry_store::versions::{self, Details, ModelVersion, Record};

use super::files::{VersionFiles, client_uri};
use super::model::{stage, standing, state};
use super::package::package;
use super::{About, can_write, creator_name, version_href};
use crate::answer::{Answer, Page, Shown, sentence};
use crate::format;
use crate::links;
use crate::markdown::Markdown;
use crate::pages::candidate::candidate_href;
use crate::pages::facts;
use crate::pages::model_tree::{Amount, MOST_COUNTED};
use crate::pages::shown::summary;
use crate::parts::Snippet;
use crate::shell::Crumb;
use crate::views::Pair;
use crate::views::artifacts::download;
use crate::views::facts::FileFacts;
use crate::views::models::version::{FileLink, Metric, Origin, StageOption, Tab, VersionHead, VersionPage};
use crate::views::models::{Address, Usage, use_model};
use crate::visit::{Visit, href};

/// How many files are looked into on the overview, of each kind.
const MOST_LOOKED_INTO: usize = 3;

/// How many files the overview lists.
const MOST_LISTED: i64 = 10;

/// Metadata that clients set by themselves starts with this.
const CLIENT_PREFIX: &str = "mlflow.";

/// A version with what every part of its page shows.
pub(super) struct Seen {
    /// The model.
    pub(super) about: About,
    /// The version.
    pub(super) version: ModelVersion,
    details: Details,
    owner: Option<String>,
}

impl Seen {
    /// Reads a version. Fails with `NotFound`.
    pub(super) fn read(tx: &mut Tx<'_>, project: ProjectId, id: ModelId, number: i64) -> Result<Self> {
        let about = About::read(tx, project, id)?;
        let version = about.version(tx, project, number)?;
        let details = versions::details(tx, project, &[version.id])?.remove(&version.id);
        Ok(Self {
            owner: creator_name(tx, version.creator_id)?,
            details: details.unwrap_or_default(),
            about,
            version,
        })
    }

    /// The aliases that point at it.
    pub(super) fn aliases(&self) -> &[String] {
        &self.details.aliases
    }

    /// What stands above every part of the version's page.
    pub(super) fn head(&self, granted: &Granted, visit: &Visit, tab: Tab) -> VersionHead {
        let version = &self.version;
        VersionHead {
            model: version.model.clone(),
            model_href: self.about.href(granted),
            version: version.version.to_string(),
            number: version.number,
            href: version_href(granted, version),
            state: state(version),
            standing: standing(version),
            stage: stage(version),
            aliases: self.details.aliases.clone(),
            created: visit.moment(version.created_at),
            owner: self.owner.clone(),
            can_write: can_write(granted),
            tab,
        }
    }
}

/// What is said of a version.
pub(crate) async fn show_version(
    State(app): State<App>,
    granted: Granted,
    visit: Visit,
    Shown(Path((_, id, number))): Shown<Path<(String, i64, i64)>>,
) -> Answer<Page<VersionPage>> {
    Ok(Page(version_page(&app, &granted, &visit, (ModelId(id), number)).await?))
}

/// A file that is looked into.
pub(super) struct Promising {
    pub(super) path: String,
    pub(super) kind: FileKind,
    found: Found,
}

impl Promising {
    /// The first files of a version that are of a known format: the description of the model, then weights, then
    /// pickles.
    pub(super) fn read_all(tx: &mut Tx<'_>, project: ProjectId, version: &ModelVersion) -> Result<Vec<Self>> {
        let Some(files) = VersionFiles::of(project, version)? else { return Ok(Vec::new()) };
        let top = files.inside(None)?;
        let below = top.as_ref().map_or(0, |dir| dir.as_str().len() + 1);
        let listed = list_all(tx, files.tree, top.as_ref(), None, MOST_COUNTED)?;
        let mut promising = Vec::new();
        for kinds in [&[FileKind::Mlmodel][..], &[FileKind::Safetensors, FileKind::Gguf], &[FileKind::Pickle]]
        {
            let of_kind = |path: &str| FileKind::of(path).filter(|kind| kinds.contains(kind));
            let mut of_kinds: Vec<_> =
                listed.iter().filter_map(|file| Some((of_kind(&file.path)?, &file.path))).collect();
            of_kinds.sort_by_key(|(_, path)| path.matches('/').count());
            for (kind, path) in of_kinds.into_iter().take(MOST_LOOKED_INTO) {
                let at: ArtifactPath = path.parse()?;
                if let Some(found) = files::find(tx, files.tree, &at)? {
                    promising.push(Self { path: path[below..].to_owned(), kind, found });
                }
            }
        }
        Ok(promising)
    }

    /// Whether it is the description of a model by MLflow's clients.
    pub(super) fn is_mlmodel(&self) -> bool {
        self.kind == FileKind::Mlmodel
    }

    /// Reads what the file says of itself.
    pub(super) async fn facts(&self, app: &App) -> Result<Facts> {
        read(app, self.kind, &self.found).await
    }
}

/// What a version's signature is, where its files say it.
pub(super) async fn mlmodel_of(app: &App, files: &[Promising]) -> Result<Option<Mlmodel>> {
    let Some(file) = files.iter().find(|file| file.is_mlmodel()) else { return Ok(None) };
    Ok(Some(facts::read_mlmodel(app, &file.found).await?))
}

/// What the overview reads at once.
struct Overview {
    seen: Seen,
    amount: Amount,
    first: Vec<File>,
    files: Vec<Promising>,
    candidate: Option<Candidate>,
    logged: Logged,
    record: Option<Record>,
    warning: Option<String>,
    other_aliases: Vec<String>,
}

impl Overview {
    fn read(
        tx: &mut Tx<'_>,
        (project, keys): (ProjectId, &Keys),
        (id, number): (ModelId, i64),
    ) -> Result<Self> {
        let seen = Seen::read(tx, project, id, number)?;
        let version = &seen.version;
        let (amount, first) = match VersionFiles::of(project, version)? {
            Some(files) => (files.amount(tx, None)?, files.first(tx, MOST_LISTED)?),
            None => (Amount::default(), Vec::new()),
        };
        let (candidate, logged) = match version.candidate_id {
            Some(id) => (
                candidates::find(tx, project, id)?,
                candidates::logged(tx, keys, project, &[id])?.remove(&id).unwrap_or_default(),
            ),
            None => (None, Logged::default()),
        };
        let aliases = versions::aliases(tx, project, &[id])?.remove(&id).unwrap_or_default();
        let elsewhere = aliases.into_iter().filter(|alias| alias.version != version.id);
        Ok(Self {
            amount,
            first,
            files: Promising::read_all(tx, project, version)?,
            record: versions::record(tx, project, version.id)?,
            warning: versions::check_step(tx, project, version)?,
            candidate,
            logged,
            other_aliases: elsewhere.map(|alias| alias.name).collect(),
            seen,
        })
    }
}

/// The overview of a version.
pub(super) async fn version_page(
    app: &App,
    granted: &Granted,
    visit: &Visit,
    which: (ModelId, i64),
) -> Result<VersionPage> {
    let (project, keys) = (granted.project(), app.keys.clone());
    let read = app.db.read(move |tx| Overview::read(tx, (project, &keys), which)).await?;
    let facts = file_facts(app, granted, &read).await?;
    let kind = if read.files.iter().any(Promising::is_mlmodel) { Usage::Load } else { Usage::Download };
    let Overview { seen, amount, first, candidate, logged, record, warning, other_aliases, .. } = read;
    let version = &seen.version;
    let package = package(app, granted, version, amount).await?;
    Ok(VersionPage {
        shell: seen.about.shell(granted, visit, vec![Crumb::here(version.label())]),
        head: seen.head(granted, visit, Tab::Overview),
        problem: None,
        standing_reason: version.warning.clone(),
        warning: warning.map(|warning| sentence(&warning)),
        changed_since: record.map(|record| changed_since(&record, &logged)).unwrap_or_default(),
        description: Markdown::render(&version.description),
        amount: summary(amount),
        has_files: amount.files > 0,
        package,
        files: first.into_iter().map(|file| file_link(granted, version, file)).collect(),
        facts,
        metrics: logged.metrics.iter().map(metric).collect(),
        params: logged.params.iter().map(|(key, value)| pair(key, value)).collect(),
        candidate_metadata: own_metadata(&logged),
        origin: origin(granted, version, candidate),
        stages: Stage::ALL
            .map(|stage| StageOption { name: stage.as_str(), is_chosen: stage == version.stage })
            .into(),
        other_aliases,
        usage: usage(version, &seen.details.aliases, (amount, kind)),
        metadata: seen.details.metadata.iter().map(|(key, value)| pair(key, value)).collect(),
    })
}

async fn file_facts(app: &App, granted: &Granted, read: &Overview) -> Result<Vec<FileFacts>> {
    let artifacts = format!("{}/artifacts", version_href(granted, &read.seen.version));
    let mut views = Vec::with_capacity(read.files.len());
    for file in &read.files {
        let href = links::below(&artifacts, &file.path);
        // Keys and tensors have room on the page of the file.
        views.push(FileFacts {
            keys: Vec::new(),
            tensors: Vec::new(),
            note: None,
            ..facts::view(&file.path, &href, file.facts(app).await?)
        });
    }
    Ok(views)
}

fn file_link(granted: &Granted, version: &ModelVersion, file: File) -> FileLink {
    let artifacts = format!("{}/artifacts", version_href(granted, version));
    FileLink {
        href: links::below(&artifacts, &file.path),
        size: format::bytes(file.size_bytes),
        path: file.path,
    }
}

fn metric(metric: &LatestMetric) -> Metric {
    Metric { key: metric.key.to_string(), value: metric.value.into(), step: metric.step }
}

fn pair(key: &str, value: &str) -> Pair {
    Pair { key: key.to_owned(), value: value.to_owned() }
}

fn own_metadata(logged: &Logged) -> Vec<Pair> {
    let own = logged.metadata.iter().filter(|(key, _)| !key.starts_with(CLIENT_PREFIX));
    own.map(|(key, value)| pair(key, value)).collect()
}

fn origin(granted: &Granted, version: &ModelVersion, candidate: Option<Candidate>) -> Origin {
    let logged_model = version.logged_model_eid.clone().map(|eid| {
        let page = links::below(&format!("{}/-/ml/logged_models", href(granted)), &eid);
        (eid, page)
    });
    Origin {
        run_id: version.run_eid.clone(),
        candidate: candidate.map(|candidate| (candidate.name, candidate_href(granted, candidate.id))),
        logged_model,
        source: version.source.clone(),
    }
}

fn usage(version: &ModelVersion, aliases: &[String], (amount, kind): (Amount, Usage)) -> Vec<Snippet> {
    if amount.files == 0 {
        return Vec::new();
    }
    let mut addresses = vec![("just this version", Address::exact(&version.model, &version.version))];
    if !version.is_draft() {
        let compatible = Address::compatible(&version.model, &version.version);
        addresses.push(("this one, or a later one that is compatible", compatible));
    }
    if let Some(alias) = aliases.first() {
        addresses.push(("whatever the alias points at", Address::alias(&version.model, alias)));
    }
    let mut snippets = vec![use_model(kind, &addresses)];
    if kind == Usage::Load {
        snippets.push(download(&client_uri(version, None)));
    }
    snippets
}

/// What a run holds by now in another way than when its version was published: key, then, now.
fn changed_since(record: &Record, logged: &Logged) -> Vec<[String; 3]> {
    let metrics = logged.metrics.iter().map(|metric| (metric.key.to_string(), metric.value.to_string()));
    let params = logged.params.iter().map(|(key, value)| (key.to_string(), value.clone()));
    [(&record.metrics, metrics.collect()), (&record.params, params.collect::<BTreeMap<_, _>>())]
        .into_iter()
        .flat_map(|(then, now)| {
            let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
            let changed = keys.into_iter().filter(|key| then.get(*key) != now.get(*key));
            let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "–".to_owned());
            changed.map(|key| [key.clone(), text(then.get(key)), text(now.get(key))]).collect::<Vec<_>>()
        })
        .collect()
}
