//! Asking for a token.

use std::io::{self, IsTerminal as _};
use std::process::Command;

use anyhow::{Context as _, Result};

/// Reads a token: a line of standard input, asked for and not shown where that is a terminal.
pub(super) fn read() -> Result<String> {
    let is_asked = io::stdin().is_terminal();
    if is_asked {
        eprint!("Token: ");
        echo(false);
    }
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    if is_asked {
        echo(true);
        eprintln!();
    }
    read.context("cannot read a token from standard input")?;
    Ok(line.trim().to_owned())
}

/// Switches whether the terminal shows what is typed. Where that cannot be done, it is shown.
fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).status();
}
