//! One visit to a page: who comes, from where, and how they want to see it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use modelry_core::policy::Action;
use modelry_core::time::Timestamp;
use modelry_server::App;
use modelry_server::access::{Caller, Granted};
use modelry_server::extract::base_url;

use crate::format::Moment;
use crate::shell::{Crumb, ProjectNav, Section, Shell, Theme, Viewer};

/// The address that the browser shows, as a path with its query.
#[derive(Clone, Debug)]
pub(crate) struct Here(pub(crate) String);

impl Here {
    /// The address that `uri` asks for.
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(uri.path_and_query().map_or("/", |whole| whole.as_str()).to_owned())
    }
}

/// What every page needs to know of the request it answers.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Who comes.
    pub(crate) caller: Caller,
    /// Now.
    pub(crate) now: Timestamp,
    /// What addresses for clients start with.
    pub(crate) base_url: String,
    here: Here,
    theme: Theme,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let here = parts.extensions.get::<Here>().cloned().unwrap_or_else(|| Here::of(&parts.uri));
        Ok(Self {
            caller: Caller::from_request_parts(parts, app).await?,
            now: app.clock.now(),
            base_url: base_url(app, &parts.headers),
            here,
            theme: theme(&parts.headers),
        })
    }
}

impl Visit {
    /// The surroundings of a page that belongs to no project.
    pub(crate) fn shell(&self, title: &str) -> Shell {
        let user = self.caller.0.as_ref().map(|identity| Viewer {
            username: identity.username.clone(),
            is_admin: identity.admin,
            csrf: identity.csrf_token.clone().unwrap_or_default(),
        });
        Shell {
            title: title.to_owned(),
            theme: self.theme,
            user,
            project: None,
            crumbs: vec![Crumb::here(title)],
            notice: None,
            here: self.here.0.clone(),
        }
    }

    /// The surroundings of a page of the project called `name`; `way` leads from the project's page to this one.
    pub(crate) fn project_shell(
        &self,
        granted: &Granted,
        name: &str,
        section: Section,
        way: Vec<Crumb>,
    ) -> Shell {
        let href = href(granted);
        let mut crumbs = vec![Crumb::link(name, href.clone())];
        crumbs.extend(way);
        let last = crumbs.last().map_or(name, |crumb| crumb.label.as_str());
        let title = if last == name { name.to_owned() } else { format!("{last} · {name}") };
        let project = ProjectNav {
            name: name.to_owned(),
            href,
            section,
            can_manage: granted.access.also(Action::ManageSettings),
            can_see_members: granted.access.also(Action::ReadMembers),
        };
        Shell { project: Some(project), crumbs, ..self.shell(&title) }
    }

    /// `at`, seen from now.
    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        Moment::new(at, self.now)
    }

    /// Whether somebody is signed in.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.caller.user().is_some()
    }

    /// The address that MLflow clients of the project are given.
    pub(crate) fn tracking_uri(&self, project: modelry_core::ids::ProjectId) -> String {
        format!("{}/api/v4/projects/{project}/ml/mlflow", self.base_url)
    }
}

/// `/:full_path`, the page of the project.
pub(crate) fn href(granted: &Granted) -> String {
    format!("/{}", granted.full_path)
}

/// The colour scheme that the reader's browser keeps.
pub(crate) fn theme(headers: &HeaderMap) -> Theme {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(Theme::COOKIE)?.strip_prefix('='))
        .map(Theme::from_cookie)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_theme_is_read_from_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=b; modelry_theme=dark; c=d"));
        assert_eq!(theme(&headers), Theme::Dark);
        headers.insert(COOKIE, HeaderValue::from_static("modelry_theme2=dark"));
        assert_eq!(theme(&headers), Theme::System);
    }
}
