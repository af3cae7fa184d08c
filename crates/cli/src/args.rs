//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::admin::{CreateUser, Fsck, LoginLink, NewToken};
use crate::client;
use crate::config::Given;

/// A self-hosted model registry and experiment tracker. MLflow clients point at a project and work.
#[derive(Debug, Parser)]
#[command(name = "modelry", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Box<ServeOptions>),
    /// Make a token for a user and print it; the server may be running or not
    Token(FolderAnd<NewToken>),
    /// Make a one-time sign-in link and print it; the server may be running or not
    LoginLink(FolderAnd<LoginLink>),
    /// Administer users
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Check the database's integrity; the server may be running or not
    Check(Folder),
    /// Look at the bytes of all files: are they those that were stored? The server may be running or not
    Fsck(FolderAnd<Fsck>),
    #[command(flatten)]
    Client(client::Command),
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user and print a one-time sign-in link
    Create(FolderAnd<CreateUser>),
}

/// Where the settings come from: flags over `MODELRY_*` variables over the file.
#[derive(Debug, ClapArgs)]
pub(crate) struct ServeOptions {
    /// A TOML file with settings, named like the flags with `_` for `-`
    #[arg(long, env = "MODELRY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) given: Given,
    /// The password of the user root, set on the first start only
    #[arg(long, env = "MODELRY_ROOT_PASSWORD", hide_env_values = true, hide = true)]
    pub(crate) root_password: Option<String>,
    /// The first token of the user root, set on the first start only
    #[arg(long, env = "MODELRY_ROOT_TOKEN", hide_env_values = true, hide = true)]
    pub(crate) root_token: Option<String>,
}

/// Which server or database a command is for.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Folder {
    /// The data folder
    #[arg(long, env = "MODELRY_DATA", value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// The settings that the server is started with, for its data folder, database and public URL
    #[arg(long, env = "MODELRY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The PostgreSQL database, if the server uses one
    #[arg(long, env = "MODELRY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// The address that links start with
    #[arg(long, env = "MODELRY_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
}

/// A command with the folder that it is for.
#[derive(Debug, ClapArgs)]
pub(crate) struct FolderAnd<T: ClapArgs> {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) request: T,
}
