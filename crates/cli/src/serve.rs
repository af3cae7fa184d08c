//! `modelry serve`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use modelry_server::App;
use modelry_store::projects;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ServeOptions;
use crate::config::Config;
use crate::data_folder::{self, DataFolder};
use crate::{control, first_start, logs};

/// How long requests under way may take to end when the server is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the server until it is asked to stop.
pub(crate) fn run(options: &ServeOptions) -> Result<()> {
    let config = options.given.clone().resolve(options.config.as_deref())?;
    logs::start(config.log_format);
    let folder = data_folder::require(DataFolder::take(&config.data)?, &config.data)?;
    let chosen =
        first_start::Chosen { password: options.root_password.clone(), token: options.root_token.clone() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&folder, config, chosen))
}

async fn serve(folder: &DataFolder, config: Config, chosen: first_start::Chosen) -> Result<()> {
    let listener = TcpListener::bind(config.address)
        .await
        .with_context(|| format!("cannot listen on {}", config.address))?;
    // With port 0 the system chooses one: what is printed must name it.
    let config = Config { address: listener.local_addr()?, ..config };
    let app = folder.open(&config).await?;
    let made = first_start::run(&app, chosen).await?;
    control::listen(folder, app.clone(), config.base_url())?;
    print_start(folder, &config, &app, made.as_ref()).await?;
    tracing::info!(address = %config.address, "listening");
    let mut tasks = modelry_server::background::start(&app);
    let router = modelry_web::router(&app);
    let stop = stop_signal()?;
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let stop = Box::pin(async move {
        stop.await;
        stopping.send_replace(true);
    });
    tokio::select! {
        outcome = modelry_listen::serve(listener, router, stop) => outcome?,
        () = async {
            let _ = stopped.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(GRACE).await;
        } => tracing::warn!("some requests did not end in time and were cut off"),
    }
    tasks.abort_all();
    if let Err(error) = modelry_server::background::write_counts(&app).await {
        tracing::warn!(%error, "what was counted in the last minute could not be written down");
    }
    app.db.close().await;
    println!("Modelry has stopped.");
    Ok(())
}

fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn print_start(
    folder: &DataFolder,
    config: &Config,
    app: &App,
    made: Option<&first_start::Made>,
) -> Result<()> {
    let holds = if made.is_some() {
        "new, empty".to_owned()
    } else {
        let totals = app.db.read(projects::totals).await?;
        format!("{}, {}", count(totals.projects, "project"), count(totals.candidates, "candidate"))
    };
    println!("Modelry {} is ready at {}", env!("CARGO_PKG_VERSION"), config.base_url());
    println!("Data folder: {} ({holds})", folder.path().display());
    println!();
    if let Some(made) = made {
        println!("{}", made.text(&config.base_url()));
    }
    println!(
        "`modelry token` prints a new token and `modelry login-link` a new sign-in link at any time, for whoever"
    );
    println!("can read the data folder (name another one with --data).");
    Ok(())
}

fn count(number: i64, what: &str) -> String {
    let plus = if number >= projects::TOTALS_END { "+" } else { "" };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number}{plus} {what}{plural}")
}
