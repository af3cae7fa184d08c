//! The command line of the commands that speak to a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use modelry_client::name::{Target, Wanted};
use modelry_core::names::ModelName;
use modelry_core::version::bump::Step;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store a server, a project and a token for the commands below
    Login(Login),
    /// List the models of the project
    Models(Models),
    /// List the versions of a model
    Versions(Versions),
    /// Make a version of the files in a folder
    Push(Push),
    /// Bring the files of a version into a folder
    Pull(Pull),
    /// Compare the files of two versions; exits with 1 where they differ, with 2 where that is not known
    Diff(Diff),
}

/// Which project, and with which token; what is not said is what `modelry login` stored.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The address of the server, or of a project on it
    #[arg(long, env = "MODELRY_URL", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The project's full path or number
    #[arg(long, env = "MODELRY_PROJECT", value_name = "PATH")]
    pub(crate) project: Option<String>,
    /// The token
    #[arg(long, env = "MODELRY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The address of the project, such as `https://models.example.org/root/playground`, or of the server with
    /// --project. The token is asked for, or read from standard input
    pub(crate) address: String,
    /// The project's full path or number
    #[arg(long, value_name = "PATH")]
    pub(crate) project: Option<String>,
    /// The token
    #[arg(long, env = "MODELRY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Models {
    /// A part of the name, in any case
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) search: String,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// The model
    pub(crate) model: ModelName,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The folder
    pub(crate) dir: PathBuf,
    /// The model, or `model:1.2.0` for just this version
    pub(crate) target: Target,
    /// Which part of the version rises: `major`, `minor` or `patch`
    #[arg(long, value_name = "STEP")]
    pub(crate) bump: Option<Step>,
    /// Do not publish the version
    #[arg(long)]
    pub(crate) draft: bool,
    /// Delete what a draft that was there has and the folder does not
    #[arg(long)]
    pub(crate) prune: bool,
    /// Fail where there is no such model, instead of making it
    #[arg(long)]
    pub(crate) no_create: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The version: `model`, `model@^1`, `model@champion`, `model@3`, `model:1.2.0`
    pub(crate) version: Wanted,
    /// The folder
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The first version, as for `pull`
    pub(crate) before: Wanted,
    /// The second version, as for `pull`
    pub(crate) after: Wanted,
    #[command(flatten)]
    pub(crate) place: Where,
}
