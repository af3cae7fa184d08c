//! `modelry`: the server, the commands that administer it, and those that speak to one.

mod admin;
mod args;
mod client;
mod config;
mod control;
mod data_folder;
mod first_start;
mod logs;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};

/// A request makes and frees hundreds of small things, many of them on another thread than made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.command {
        Command::Serve(options) => serve::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Token(options) => control::run(&options.folder, admin::Request::Token(options.request)),
        Command::LoginLink(options) => {
            control::run(&options.folder, admin::Request::LoginLink(options.request))
        }
        Command::User { command: args::UserCommand::Create(options) } => {
            control::run(&options.folder, admin::Request::CreateUser(options.request))
        }
        Command::Check(options) => control::run(&options, admin::Request::Check),
        Command::Fsck(options) => control::run(&options.folder, admin::Request::Fsck(options.request)),
        Command::Client(command) => return client::run(command),
    };
    outcome.unwrap_or_else(|error| fail(&error, 1))
}

/// Says what went wrong; `code` is what the process ends with.
fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("modelry: {error:#}");
    ExitCode::from(code)
}
