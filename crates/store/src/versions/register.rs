//! Making a version.

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::{
    CandidateId, Eid, KeyId, LoggedModelEid, LoggedModelId, ProjectId, UserId, VersionId,
};
use modelry_core::status::CandidateStatus;
use modelry_core::time::Timestamp;
use modelry_core::version::Version;
use modelry_core::version::stage::Stage;
use modelry_core::{Error, Result};
use modelry_db::Tx;

use super::number::{self, Wish};
use super::publish::{note_published, place};
use super::{ModelVersion, change};
use crate::candidates::{self, Candidate, Changes, Entry, NewCandidate};
use crate::files::{self, Owner, Tree};
use crate::logged_models::{self, Deleted, LoggedModel};
use crate::models::{self, Model, ModelKind};
use crate::sql;

/// Metadata that wishes for a version: the first that is there counts.
const EXACT_WISHES: [&str; 2] = ["gitlab.version", "modelry.version"];
/// Metadata that wishes for the part of the version that rises.
const STEP_WISH: &str = "modelry.bump";

/// The metadata of a candidate that says the same as its name.
const RUN_NAME: &str = "mlflow.runName";

/// What [`register`] needs to know.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// A fresh number.
    pub id: VersionId,
    /// The model's name.
    pub model: String,
    /// What its maker says of it.
    pub description: String,
    /// Where its files come from, as it was sent, or empty.
    pub source: String,
    /// The run that it was made in, as it was sent; it need not exist.
    pub run_eid: Option<String>,
    /// A link to the run, as it was sent, or empty.
    pub run_link: String,
    /// The public id of the logged model it is made from, as it was sent; it need not exist.
    pub logged_model_eid: Option<String>,
    /// The semantic version that is wished for, where metadata does not say it.
    pub wish: Option<Wish>,
    /// Metadata to start with.
    pub metadata: Vec<(String, String)>,
    /// The candidate to make, should it have none.
    pub own_candidate: OwnCandidate,
    /// Who makes it.
    pub creator_id: Option<UserId>,
    /// Now.
    pub created_at: Timestamp,
}

/// What is drawn for a candidate that a version may need.
#[derive(Clone, Debug)]
pub struct OwnCandidate {
    /// A fresh number.
    pub id: CandidateId,
    /// Its public id.
    pub eid: Eid,
    /// The user's name.
    pub user_name: String,
    /// The key of the metadata `mlflow.runName`.
    pub run_name_key: KeyId,
}

/// Where the files of a new version are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Nowhere yet.
    Nothing,
    /// Outside of this server.
    Outside,
    /// Below a directory of a tree of the project, or the file there.
    Files(Tree, Option<ArtifactPath>),
    /// Those of this version, which the new one is a copy of.
    Copy(Box<ModelVersion>),
}

impl Source {
    /// Whether a version of this source is published even without files here.
    fn is_published(&self) -> bool {
        match self {
            Self::Nothing | Self::Files(..) => false,
            Self::Outside => true,
            Self::Copy(original) => !original.is_draft(),
        }
    }

    /// Where the original of a copy has its files, should they be outside of this server.
    fn location(&self) -> Option<String> {
        match self {
            Self::Copy(original) if !original.is_draft() => {
                Some(original.location.as_ref().unwrap_or(&original.source).clone())
            }
            Self::Nothing | Self::Outside | Self::Files(..) | Self::Copy(_) => None,
        }
    }

    /// Whose files they are.
    fn owner(&self) -> Option<Owner> {
        match self {
            Self::Nothing | Self::Outside | Self::Files(Tree { owner: Owner::Project, .. }, _) => None,
            Self::Files(tree, _) => Some(tree.owner),
            Self::Copy(original) => Some(Owner::Version(original.id)),
        }
    }

    /// The text of the source, where it names nothing of this project that lineage knows. A semantic version in its
    /// place, as GitLab's guide has it, and what a prompt's client sends there, names nothing at all.
    fn external<'t>(&self, text: &'t str, kind: ModelKind) -> Option<&'t str> {
        let names_something =
            kind == ModelKind::Model && !text.is_empty() && text.parse::<Version>().is_err();
        let is_external = match self {
            Self::Nothing | Self::Outside => true,
            Self::Files(tree, _) => tree.owner == Owner::Project,
            Self::Copy(_) => false,
        };
        (is_external && names_something).then_some(text)
    }

    /// The logged model whose files they are.
    fn logged_model(&self) -> Option<LoggedModelId> {
        match self {
            Self::Files(Tree { owner: Owner::LoggedModel(id), .. }, _) => Some(*id),
            Self::Nothing | Self::Outside | Self::Files(..) | Self::Copy(_) => None,
        }
    }
}

/// Makes a version of a model, or of a prompt.
///
/// Its files are those of the source at this moment. Without any it is a draft, and what is logged to its run are its
/// files. Fails with `NotFound` when there is no such model, and with `Exists` when a version is wished for that is
/// taken.
pub fn register(
    tx: &mut Tx<'_>,
    project: ProjectId,
    new: &NewVersion,
    source: &Source,
) -> Result<ModelVersion> {
    let model = models::get_by_name(tx, project, &new.model)?;
    let origin = Origin::find(tx, project, new, source)?;
    let wish = origin.wish(tx, project, new, source)?;
    let version = number::choose(tx, project, &model, &wish)?;
    let has_files = take_files(tx, project, new.id, source)?;
    let is_published = has_files || source.is_published() || model.kind == ModelKind::Prompt;
    let origin = match model.kind {
        ModelKind::Model if origin.run_eid.is_none() => {
            Origin { run_eid: Some(new.own_candidate.eid.to_string()), ..origin }.with(make_candidate(
                tx,
                project,
                &model,
                &version,
                is_published,
                new,
            )?)
        }
        _ => origin,
    };
    let made = ModelVersion {
        id: new.id,
        model_id: model.id,
        model: model.name.clone(),
        number: next_number(tx, project, &model, new.created_at)?,
        version,
        stage: Stage::None,
        description: new.description.clone(),
        source: new.source.clone(),
        location: if has_files { None } else { source.location() },
        draft_dir: if is_published { None } else { origin.draft_dir(source) },
        run_eid: origin.run_eid,
        candidate_id: origin.candidate.map(|candidate| candidate.id),
        run_link: new.run_link.clone(),
        logged_model_eid: new.logged_model_eid.clone().or(origin.logged_model.map(|model| model.eid)),
        creator_id: new.creator_id,
        created_at: new.created_at,
        updated_at: new.created_at,
        published_at: is_published.then_some(new.created_at),
        deprecated_at: None,
        yanked_at: None,
        warning: String::new(),
        deleted_at: None,
    };
    insert(tx, project, &made, source.owner(), source.external(&new.source, model.kind))?;
    for (name, value) in &new.metadata {
        change::write_metadata(tx, project, made.id, name, value)?;
    }
    if is_published && model.kind == ModelKind::Model {
        note_published(tx, project, &made)?;
    }
    Ok(made)
}

/// Gives the version its files; answers whether there are any.
fn take_files(tx: &mut Tx<'_>, project: ProjectId, id: VersionId, source: &Source) -> Result<bool> {
    let own = Tree { project, owner: Owner::Version(id) };
    let from = match source {
        Source::Nothing | Source::Outside => None,
        Source::Files(tree, dir) => Some((*tree, dir.clone())),
        Source::Copy(original) => place(project, original)?,
    };
    match from {
        Some((tree, dir)) => Ok(files::snapshot(tx, tree, dir.as_ref(), own)? > 0),
        None => Ok(false),
    }
}

/// What a version is made from, as far as the project knows it.
struct Origin {
    run_eid: Option<String>,
    candidate: Option<Candidate>,
    logged_model: Option<LoggedModel>,
}

impl Origin {
    fn find(tx: &mut Tx<'_>, project: ProjectId, new: &NewVersion, source: &Source) -> Result<Self> {
        let eid = new.logged_model_eid.as_ref().and_then(|eid| eid.parse::<LoggedModelEid>().ok());
        let logged_model = match (eid, source.logged_model()) {
            (Some(eid), _) => logged_models::find(tx, project, &eid, Deleted::Hidden)?,
            (None, Some(id)) => logged_models::find_by_id(tx, project, id)?,
            (None, None) => None,
        };
        let sent = new.run_eid.clone();
        let run_eid = sent.or_else(|| logged_model.as_ref().and_then(|model| model.source_eid.clone()));
        let candidate = match (&run_eid, source) {
            (Some(eid), _) => candidates::find_by_eid(tx, project, eid)?,
            (None, Source::Files(Tree { owner: Owner::Candidate(id), .. }, _)) => {
                candidates::list(tx, project, &[*id])?.pop()
            }
            (None, _) => None,
        };
        let run_eid = run_eid.or_else(|| candidate.as_ref().map(|candidate| candidate.eid.clone()));
        Ok(Self { run_eid, candidate, logged_model })
    }

    fn with(self, candidate: Candidate) -> Self {
        Self { candidate: Some(candidate), ..self }
    }

    /// The version that is wished for: on the version itself, else on the logged model, else on the candidate. A wish
    /// that is only inherited gives way where the version is taken; metadata that came along with a copy is none.
    fn wish(&self, tx: &mut Tx<'_>, project: ProjectId, new: &NewVersion, source: &Source) -> Result<Wish> {
        if let Some(wish) = &new.wish {
            return Ok(wish.clone());
        }
        if let Source::Copy(original) = source {
            return Ok(Wish::Rather(original.version.clone()));
        }
        if let Some(wish) = wish_in(&new.metadata)? {
            return Ok(wish);
        }
        if let Some(model) = &self.logged_model {
            let details = logged_models::details(tx, project, &[model.id])?.remove(&model.id);
            if let Some(wish) = wish_in(&details.unwrap_or_default().metadata)? {
                return Ok(wish.gently());
            }
        }
        let of_candidate = match &self.candidate {
            Some(candidate) => wish_in(&wishes_of_candidate(tx, project, candidate.id)?)?,
            None => None,
        };
        Ok(of_candidate.map_or(Wish::Next(None), Wish::gently))
    }

    /// Where the files of a draft will be among the artifacts of its candidate.
    fn draft_dir(&self, source: &Source) -> Option<String> {
        let candidate = self.candidate.as_ref()?.id;
        match source {
            Source::Files(tree, Some(dir)) if tree.owner == Owner::Candidate(candidate) => {
                Some(dir.to_string())
            }
            Source::Copy(original) if original.candidate_id == Some(candidate) => original.draft_dir.clone(),
            Source::Nothing | Source::Outside | Source::Files(..) | Source::Copy(_) => None,
        }
    }
}

/// The wish that metadata makes. Fails with `Invalid` where it names no version or no step.
fn wish_in(metadata: &[(String, String)]) -> Result<Option<Wish>> {
    let value = |wanted: &str| metadata.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    if let Some(version) = EXACT_WISHES.into_iter().find_map(value) {
        return version.parse().map(|version| Some(Wish::Exactly(version)));
    }
    value(STEP_WISH).map(|step| step.parse().map(|step| Wish::Next(Some(step)))).transpose()
}

fn wishes_of_candidate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    candidate: CandidateId,
) -> Result<Vec<(String, String)>> {
    let [first, second] = EXACT_WISHES;
    tx.query(
        "SELECT k.name, d.value FROM keys k CROSS JOIN metadata d
         WHERE k.project_id = $1 AND k.name IN ($3, $4, $5)
           AND d.project_id = k.project_id AND d.candidate_id = $2 AND d.key_id = k.id",
        &[&project.0, &candidate.0, &first, &second, &STEP_WISH],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Makes the candidate of a version that has none. That of a draft is under way: what is logged to it becomes the
/// version, and its end publishes it.
fn make_candidate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    model: &Model,
    version: &Version,
    is_published: bool,
    new: &NewVersion,
) -> Result<Candidate> {
    let own = &new.own_candidate;
    let experiment_id =
        model.experiment_id.ok_or_else(|| Error::internal("a model has a default experiment"))?;
    let candidate = NewCandidate {
        id: own.id,
        eid: own.eid.clone(),
        experiment_id,
        name: format!("{} {version}", model.name),
        user_name: own.user_name.clone(),
        creator_id: new.creator_id,
        start_time: new.created_at.ms(),
        created_at: new.created_at,
    };
    let candidate = candidates::insert(tx, project, &candidate)?;
    let name = Entry { key: own.run_name_key, name: RUN_NAME.into(), value: candidate.name.clone() };
    candidates::set_metadata(tx, candidate.place(project), &[name])?;
    if !is_published {
        return Ok(candidate);
    }
    let status = Some(CandidateStatus::Finished);
    let ended = Changes { status, end_time: Some(new.created_at.ms()), name: None };
    candidates::update(tx, project, &own.eid, &ended)
}

fn next_number(tx: &mut Tx<'_>, project: ProjectId, model: &Model, now: Timestamp) -> Result<i64> {
    tx.query_one(
        "UPDATE models SET last_number = last_number + 1, updated_at = $3 WHERE project_id = $1 AND id = $2
         RETURNING last_number",
        &[&project.0, &model.id.0, &now.0],
        |row| row.get(0),
    )
}

fn insert(
    tx: &mut Tx<'_>,
    project: ProjectId,
    made: &ModelVersion,
    source_owner: Option<Owner>,
    external_source: Option<&str>,
) -> Result<()> {
    let source_owner = source_owner.map(Owner::columns);
    tx.execute(
        "INSERT INTO versions
            (project_id, id, model_id, number, version, precedence, is_prerelease, stage, description, source,
             run_eid, candidate_id, draft_dir, run_link, logged_model_eid, creator_id, created_at, updated_at,
             published_at, deprecated_at, yanked_at, warning, deleted_at, location, source_owner, source_owner_id,
             external_source, external_source_sort)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18, NULL, NULL, $19,
                 NULL, $20, $21, $22, $23, $24)",
        &[
            &project.0,
            &made.id.0,
            &made.model_id.0,
            &made.number,
            &made.version.to_string(),
            &made.version.precedence(),
            &made.version.is_prerelease(),
            &made.stage.as_str(),
            &made.description,
            &made.source,
            &made.run_eid,
            &made.candidate_id.map(|id| id.0),
            &made.draft_dir,
            &made.run_link,
            &made.logged_model_eid,
            &made.creator_id.map(|user| user.0),
            &made.created_at.0,
            &made.published_at.map(|time| time.0),
            &made.warning,
            &made.location,
            &source_owner.map(|(owner, _)| owner),
            &source_owner.map(|(_, id)| id),
            &external_source,
            &external_source.map(sql::sort_prefix),
        ],
    )?;
    Ok(())
}
