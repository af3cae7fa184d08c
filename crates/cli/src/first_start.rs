//! The first start: the user `root`, the project `root/playground`, and what somebody needs to begin.

use anyhow::{Result, bail};
use modelry_core::ids::{NamespaceId, ProjectId, TokenId, UserId};
use modelry_core::policy::{Scope, Visibility};
use modelry_server::{App, secrets};
use modelry_store::ids::Series;
use modelry_store::{projects, sessions, settings, tokens, users};

use crate::admin::{LINK_TTL_MS, login_link};

/// What the operator chose for the first start.
pub(crate) struct Chosen {
    /// The password of `root`.
    pub(crate) password: Option<String>,
    /// The first token of `root`.
    pub(crate) token: Option<String>,
}

/// What the first start made, to be printed once.
pub(crate) struct Made {
    link_secret: String,
    project: ProjectId,
    /// The token's text, or none where the operator chose and so knows it.
    token: Option<String>,
}

/// Makes what every instance starts with, once: a later start answers `None`.
pub(crate) async fn run(app: &App, chosen: Chosen) -> Result<Option<Made>> {
    let done = app.db.read(|tx| settings::find(tx, settings::INITIALISED_AT)).await?;
    if done.is_some() {
        return Ok(None);
    }
    if let Some(token) = &chosen.token
        && (token.len() < 20 || token.contains(char::is_whitespace))
    {
        bail!("MODELRY_ROOT_TOKEN is too weak: it needs at least 20 characters and no white space");
    }
    let now = app.clock.now();
    let token_text = chosen.token.clone().unwrap_or_else(|| secrets::new_token(&app.random));
    let link_secret = secrets::new_secret(&app.random);
    let password_hash = match &chosen.password {
        Some(password) => Some(app.passwords.hash(password, app.random.bytes()).await?),
        None => None,
    };
    let user = users::NewUser {
        id: UserId(app.ids.next_global(Series::User).await?),
        namespace: NamespaceId(app.ids.next_global(Series::Namespace).await?),
        username: "root".parse()?,
        name: "Administrator".to_owned(),
        password_hash,
        admin: true,
        created_at: now,
    };
    let project = projects::NewProject {
        id: ProjectId(app.ids.next_global(Series::Project).await?),
        namespace: user.namespace,
        path: "playground".parse()?,
        name: "Playground".parse()?,
        description: "A project to try things out in.".to_owned(),
        visibility: Visibility::Private,
        creator: user.id,
        created_at: now,
    };
    let token = tokens::NewToken {
        id: TokenId(app.ids.next_global(Series::Token).await?),
        user: user.id,
        name: "first start".to_owned(),
        hash: secrets::hash(&token_text),
        scope: Scope::Api,
        created_at: now,
        expires_at: None,
    };
    let made = Made { link_secret: link_secret.clone(), project: project.id, token: Some(token_text) };
    let link = secrets::hash(&link_secret);
    let first = app
        .db
        .write(move |tx| {
            if settings::find(tx, settings::INITIALISED_AT)?.is_some() {
                return Ok(false);
            }
            users::insert(tx, &user)?;
            projects::insert(tx, &project)?;
            tokens::insert(tx, &token)?;
            sessions::insert_link(tx, &link, user.id, now.plus_ms(LINK_TTL_MS))?;
            settings::set(tx, settings::INITIALISED_AT, &now.ms().to_string())?;
            Ok(true)
        })
        .await?;
    let token = made.token.filter(|_| chosen.token.is_none());
    Ok(first.then_some(Made { token, ..made }))
}

impl Made {
    /// What is printed once.
    pub(crate) fn text(&self, base_url: &str) -> String {
        let link = login_link(base_url, &self.link_secret);
        let uri = format!("{base_url}/api/v4/projects/{}/ml/mlflow", self.project);
        let (shell, python) = match &self.token {
            Some(token) => (token.clone(), format!("\"{token}\"")),
            None => ("$MODELRY_ROOT_TOKEN".to_owned(), "os.environ[\"MODELRY_ROOT_TOKEN\"]".to_owned()),
        };
        format!(
            "First start: made the user root and the project root/playground.\n\
             \n\
             Sign in once with this link (it works for 24 hours):\n  {link}\n\
             \n\
             Point MLflow clients at the project. In a shell:\n  \
             export MLFLOW_TRACKING_URI={uri}\n  \
             export MLFLOW_TRACKING_TOKEN={shell}\n\
             \n\
             or in Python, for notebooks:\n  \
             import os\n  \
             os.environ[\"MLFLOW_TRACKING_URI\"] = \"{uri}\"\n  \
             os.environ[\"MLFLOW_TRACKING_TOKEN\"] = {python}\n\
             \n\
             The token is not shown again.\n"
        )
    }
}
