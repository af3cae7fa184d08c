//! Which project of which server a command is for, and with which token.

use modelry_core::address::segment;
use modelry_core::{Error, Result};

use crate::login::Login;

/// The part of an MLflow tracking URI that the project's number or path follows.
const API: &str = "/api/v4/projects/";

/// What the command line and the environment say.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The server's address, or that of a project on it.
    pub url: Option<String>,
    /// The project's full path or number.
    pub project: Option<String>,
    /// The token.
    pub token: Option<String>,
}

/// A project on a server, and the token that is sent there and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The server's address, without a slash at the end.
    pub(crate) server: String,
    /// The project's full path or number.
    pub(crate) project: String,
    /// The token; without one, what anybody may see.
    pub(crate) token: Option<String>,
}

impl Place {
    /// What is given, filled from what `login` remembers.
    ///
    /// A remembered token and project are for the server that they were stored with: they are left out where another
    /// one is given. Fails with `Invalid` where no server or no project is known.
    pub fn resolve(given: Given, login: Option<Login>) -> Result<Self> {
        let (server, project) = match (&given.url, &given.project) {
            (Some(url), project) => split(url, project.as_deref())?,
            (None, project) => (None, project.clone()),
        };
        let remembered = login.filter(|login| server.as_ref().is_none_or(|server| *server == login.url));
        let login = remembered.unwrap_or_default();
        let server = server.unwrap_or(login.url);
        if server.is_empty() {
            return Err(Error::invalid(
                "no server is known: store one with `modelry login URL`, or name it with --url or MODELRY_URL",
            ));
        }
        let project = project.unwrap_or(login.project);
        if project.is_empty() {
            return Err(Error::invalid(format!(
                "no project of {server} is known: name it with --project, such as --project root/playground"
            )));
        }
        let token = given.token.or(login.token).map(check_token).transpose()?;
        Ok(Self { server, project, token })
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What is stored of it.
    pub fn into_login(self) -> Login {
        Login { url: self.server, project: self.project, token: self.token }
    }

    /// The address of the project in the native API.
    pub(crate) fn api(&self) -> String {
        format!("{}{API}{}", self.server, segment(&self.project))
    }
}

/// The server in `url`, and the project: the given one, or the path of `url`, or what a tracking URI names.
fn split(url: &str, project: Option<&str>) -> Result<(Option<String>, Option<String>)> {
    let url = url.trim().trim_end_matches('/');
    let malformed = || {
        Error::invalid(format!(
            "`{url}` is no address of a server: it has the form https://host or https://host/namespace/project"
        ))
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['?', '#', '@', '"', '\\']);
    if !["http", "https"].contains(&scheme) || !is_plain || rest.is_empty() || rest.starts_with('/') {
        return Err(malformed());
    }
    if let Some((server, below)) = url.split_once(API) {
        let named = below.split('/').next().unwrap_or_default().replace("%2F", "/");
        return Ok((Some(server.to_owned()), Some(project.map_or(named, str::to_owned))));
    }
    // With a project of its own, the whole address is the server's: it may lie below a path.
    let slash = rest.find('/').filter(|_| project.is_none());
    let (host, path) = slash.map_or((rest, None), |at| (&rest[..at], Some(rest[at + 1..].to_owned())));
    Ok((Some(format!("{scheme}://{host}")), project.map(str::to_owned).or(path)))
}

/// Fails with `Invalid` where the token would not fit into a header.
fn check_token(token: String) -> Result<String> {
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token {
        Ok(token)
    } else {
        Err(Error::invalid("the token is empty or has a character that no token has"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login {
            url: "https://models.example.org".to_owned(),
            project: "root/playground".to_owned(),
            token: Some("mdl-stored".to_owned()),
        }
    }

    fn resolved(url: Option<&str>, project: Option<&str>) -> Result<Place> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Place::resolve(Given { url: own(url), project: own(project), token: None }, Some(login()))
    }

    #[test]
    fn what_is_remembered_is_enough() {
        let place = resolved(None, None).unwrap();
        assert_eq!(place.api(), "https://models.example.org/api/v4/projects/root%2Fplayground");
        assert_eq!(place.token.as_deref(), Some("mdl-stored"));
    }

    #[test]
    fn a_stored_token_is_not_for_another_server() {
        let place = resolved(Some("https://evil.example/root/playground"), None).unwrap();
        assert_eq!(place.token, None);
    }

    #[test]
    fn a_stored_token_is_for_other_projects_of_its_server() {
        let place = resolved(Some("https://models.example.org/"), Some("ann/churn")).unwrap();
        assert_eq!((place.project.as_str(), place.token.as_deref()), ("ann/churn", Some("mdl-stored")));
    }

    #[test]
    fn an_address_names_its_project_by_path_or_as_a_tracking_uri() {
        for (url, project, expected) in [
            ("http://h:1/a/b/", None, ("http://h:1", "a/b")),
            ("http://h/api/v4/projects/7/ml/mlflow", None, ("http://h", "7")),
            ("http://h/api/v4/projects/a%2Fb/ml/mlflow", None, ("http://h", "a/b")),
            ("http://h/modelry", Some("a/b"), ("http://h/modelry", "a/b")),
        ] {
            let place = resolved(Some(url), project).unwrap();
            assert_eq!((place.server.as_str(), place.project.as_str()), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in
            ["models.example.org", "ftp://h/a/b", "https://", "https:///a", "https://u@h/a", "https://h/a?b"]
        {
            assert!(resolved(Some(url), None).is_err(), "{url}");
        }
    }

    #[test]
    fn a_missing_project_is_asked_for() {
        let error = resolved(Some("https://elsewhere.example"), None).unwrap_err();
        assert!(error.message().starts_with("no project of https://elsewhere.example is known"), "{error}");
    }

    #[test]
    fn a_token_with_a_line_end_is_refused() {
        let given = Given { token: Some("a\nb".to_owned()), ..Given::default() };
        assert!(Place::resolve(given, Some(login())).is_err());
    }
}
