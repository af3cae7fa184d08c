//! The commands that speak to a server: what is asked for goes to `modelry-client`, what comes back is printed.

mod args;
mod token;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use modelry_client::login::Login;
use modelry_client::name::Wish;
use modelry_client::place::{Given, Place};
use modelry_client::progress::Shown;
use modelry_client::push::{self, End, Others, UnknownModel};
use modelry_client::{Api, diff, login, pull};
use modelry_core::Kind;
use modelry_server::clock::Clock;
use serde::Serialize;

use crate::fail;

pub(crate) use args::Command;
use args::Where;

/// What a process ends with whose comparison found a difference, and with one that found none, as of `diff`.
const DIFFERENT: u8 = 1;
const NOT_COMPARED: u8 = 2;

/// Runs a command, and answers what the process ends with.
pub(crate) fn run(command: Command) -> ExitCode {
    let failed = if matches!(command, Command::Diff(_)) { NOT_COMPARED } else { 1 };
    let outcome = match command {
        Command::Login(options) => log_in(options),
        Command::Models(options) => {
            let listed =
                api(&options.place).and_then(|api| Ok(modelry_client::models(&api, &options.search)?));
            listed.map(|listed| print(options.place.json, &listed.items, &listed.table()))
        }
        Command::Versions(options) => {
            let listed =
                api(&options.place).and_then(|api| Ok(modelry_client::versions(&api, &options.model)?));
            listed.map(|listed| print(options.place.json, &listed.items, &listed.table()))
        }
        Command::Push(options) => run_push(&options),
        Command::Pull(options) => run_pull(&options),
        Command::Diff(options) => run_diff(&options),
    };
    outcome.unwrap_or_else(|error| fail(&error, failed))
}

fn log_in(options: args::Login) -> Result<ExitCode> {
    let token = match options.token {
        Some(token) => token,
        None => token::read()?,
    };
    let given = Given { url: Some(options.address), project: options.project, token: Some(token) };
    let place = Place::resolve(given, None)?;
    let found = login::check(&Api::new(place.clone()))?;
    let file = login_file()?;
    let stored = Login { project: found.project.clone(), ..place.into_login() };
    stored.write(&file)?;
    let text = format!("logged in to {} on {}; stored in {}", found.project, found.url, file.display());
    Ok(print(options.json, &found, &text))
}

fn run_push(options: &args::Push) -> Result<ExitCode> {
    let wish = match (&options.target.version, &options.bump) {
        (Some(_), Some(_)) => bail!("say either a version or --bump"),
        (Some(version), None) => Wish::Exactly(version.clone()),
        (None, Some(step)) => Wish::Bump(*step),
        (None, None) => Wish::Next,
    };
    let push = push::Push {
        dir: &options.dir,
        target: options.target.clone(),
        wish,
        unknown_model: if options.no_create { UnknownModel::Refused } else { UnknownModel::Made },
        end: if options.draft { End::Draft } else { End::Published },
        others: if options.prune { Others::Deleted } else { Others::Refused },
        cache: &folder("XDG_CACHE_HOME", ".cache")?,
        now: Clock::System.now(),
        shown: shown(&options.place),
    };
    let pushed = push::push(&api(&options.place)?, &push).map_err(|error| hinted(error, "sent"))?;
    for note in &pushed.notes {
        eprintln!("modelry: {note}");
    }
    Ok(print(options.place.json, &pushed, &pushed.text()))
}

fn run_pull(options: &args::Pull) -> Result<ExitCode> {
    let api = api(&options.place)?;
    let pulled = pull::pull(&api, &options.version, &options.dir, shown(&options.place))
        .map_err(|error| hinted(error, "received"))?;
    if let Some(warning) = &pulled.warning {
        eprintln!("modelry: {warning}");
    }
    Ok(print(options.place.json, &pulled, &pulled.text()))
}

fn run_diff(options: &args::Diff) -> Result<ExitCode> {
    let found = diff::diff(&api(&options.place)?, &options.before, &options.after)?;
    print(options.place.json, &found, &found.text());
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

/// A failure that may pass, with what to do then.
fn hinted(error: modelry_core::Error, moved: &str) -> anyhow::Error {
    match error.kind() {
        Kind::Unavailable => {
            anyhow!("{error}\nWhat was {moved} is kept: the same command goes on from there.")
        }
        _ => error.into(),
    }
}

fn api(place: &Where) -> Result<Api> {
    let given = Given { url: place.url.clone(), project: place.project.clone(), token: place.token.clone() };
    let login = Login::read(&login_file()?)?;
    Ok(Api::new(Place::resolve(given, login)?))
}

/// Nothing moves where a program reads.
fn shown(place: &Where) -> Shown {
    if std::io::stderr().is_terminal() && !place.json { Shown::Terminal } else { Shown::Nowhere }
}

/// Prints it; that nobody reads any more is no failure.
fn print(json: bool, value: &impl Serialize, text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let _ = if json {
        serde_json::to_string_pretty(value).map_err(Into::into).and_then(|json| writeln!(out, "{json}"))
    } else {
        writeln!(out, "{text}")
    };
    ExitCode::SUCCESS
}

fn login_file() -> Result<PathBuf> {
    Ok(folder("XDG_CONFIG_HOME", ".config")?.join("login.toml"))
}

/// Modelry's folder in the one that `variable` names, or in `below` of the user's own.
fn folder(variable: &str, below: &str) -> Result<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variables are the desktop's, the same for all programs"
    )]
    let named = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(below));
    let base = named.filter(|path| path.is_absolute()).or_else(home);
    Ok(base.with_context(|| format!("there is no home folder: set {variable}"))?.join("modelry"))
}
