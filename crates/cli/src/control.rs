//! How a command reaches the data: through the running server's socket in the data folder, or by opening the folder when
//! no server holds it. Whoever can read the folder may do both.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use modelry_server::App;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream as AsyncUnixStream};

use crate::admin::{self, Answer, Request};
use crate::args::Folder;
use crate::config::{Config, Given};
use crate::data_folder::DataFolder;

const SOCKET: &str = "control.sock";

/// The longest command, in bytes.
const LONGEST: u64 = 64 << 10;

/// What comes back for a command: how far it is, any number of times, and then how it ended.
#[derive(Serialize, Deserialize)]
enum Reply {
    Working(String),
    Done(String),
    /// It was done, and what was looked for is not as it should be.
    Found(String),
    Failed(String),
}

/// Runs a command and prints what it answers. Fails the process where something is not as it should be.
pub(crate) fn run(folder: &Folder, request: Request) -> Result<ExitCode> {
    let config = Given::of_folder(folder).resolve(folder.config.as_deref())?;
    if !config.data.exists() {
        return Err(anyhow!("there is no data folder {}: name it with --data", config.data.display()));
    }
    let answer = match DataFolder::take(&config.data)? {
        Some(held) => run_here(&held, &config, request)?,
        None => ask_server(&config.data, &request)?,
    };
    println!("{}", answer.text);
    Ok(if answer.is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows how far a command is, in one line of a terminal that is written over again.
fn show(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}

fn run_here(held: &DataFolder, config: &Config, request: Request) -> Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = held.open(config).await?;
        let answer = admin::run(&app, &config.base_url(), request, &|text| show(&text)).await;
        show("");
        app.db.close().await;
        answer
    })
}

fn ask_server(data: &Path, request: &Request) -> Result<Answer> {
    let folder = std::fs::File::open(data)?;
    let mut stream = UnixStream::connect(socket_path(&folder)).context(
        "the data folder is in use by a modelry process that does not answer commands; it may be starting or stopping",
    )?;
    serde_json::to_writer(&mut stream, request)?;
    stream.write_all(b"\n")?;
    let ended = |text, is_fine| {
        show("");
        Ok(Answer { text, is_fine })
    };
    for line in BufReader::new(stream).lines() {
        match serde_json::from_str(&line?).context("the server's answer is not readable")? {
            Reply::Working(text) => show(&text),
            Reply::Done(text) => return ended(text, true),
            Reply::Found(text) => return ended(text, false),
            Reply::Failed(text) => return Err(anyhow!(text)),
        }
    }
    Err(anyhow!("the server ended before it answered"))
}

/// A path of the socket that is short enough for the kernel however deep the folder is.
fn socket_path(folder: &std::fs::File) -> PathBuf {
    format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()).into()
}

/// Answers commands for as long as the server runs. Is called inside the runtime.
pub(crate) fn listen(folder: &DataFolder, app: App, base_url: String) -> Result<()> {
    let file = std::fs::File::open(folder.path())?;
    let path = socket_path(&file);
    // The folder is held, so a socket that is there was left by a process that is gone.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).context("cannot open the control socket in the data folder")?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    tokio::spawn(async move {
        let _folder = file;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (app, base_url) = (app.clone(), base_url.clone());
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &app, &base_url).await {
                            tracing::warn!(%error, "a command on the control socket was cut off");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket failed");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    });
    Ok(())
}

async fn answer(stream: AsyncUnixStream, app: &App, base_url: &str) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(LONGEST)).read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line) {
        Ok(request) => work(&mut write, app, base_url, request).await?,
        Err(_) => {
            Reply::Failed("the running server does not know this command; is it of another version?".into())
        }
    };
    send(&mut write, &reply).await
}

/// Runs a command and tells how far it is. Ends it where nobody listens any more.
async fn work(write: &mut OwnedWriteHalf, app: &App, base_url: &str, request: Request) -> Result<Reply> {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |text| drop(tell.send(text));
    let mut work = std::pin::pin!(admin::run(app, base_url, request, &tell));
    loop {
        tokio::select! {
            Some(text) = told.recv() => send(write, &Reply::Working(text)).await?,
            outcome = &mut work => return Ok(match outcome {
                Ok(Answer { text, is_fine: true }) => Reply::Done(text),
                Ok(Answer { text, is_fine: false }) => Reply::Found(text),
                Err(error) => Reply::Failed(format!("{error:#}")),
            }),
        }
    }
}

async fn send(write: &mut OwnedWriteHalf, reply: &Reply) -> Result<()> {
    let mut text = serde_json::to_vec(reply)?;
    text.push(b'\n');
    Ok(write.write_all(&text).await?)
}
