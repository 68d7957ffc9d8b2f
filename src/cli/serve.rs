//! `laneway serve`: the service.
//!
//! In: a matrix, `laneway.toml`, the environment. Out: answers over HTTP until it is told to end.
//! Invariant: it listens on this machine alone unless it is told otherwise; what it prints of secrets is the
//! one link by which it is set up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::shell::{Answer, Failure, Shell};
use crate::files::config::Store;
use crate::server::{App, Started, serve};

/// Run the service: decisions, escalations and answers over HTTP, and the dashboard
///
/// It listens on 127.0.0.1:8750 unless laneway.toml says otherwise, and keeps everything in a file beside the
/// matrix. With `--demo` everybody on this machine is whoever they say.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The matrix: a file, or a folder with one
    #[arg(value_name = "MATRIX")]
    matrix: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where escalations are stored: a file, or the URL of a PostgreSQL database
    #[arg(long, value_name = "PLACE")]
    store: Option<String>,
    /// A service to try: a store for demonstrations, signing in without passwords, an escalation to answer
    #[arg(long)]
    demo: bool,
    /// Write the log as JSON
    #[arg(long)]
    log_json: bool,
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    logs(args.log_json);
    let store = args.store.as_deref().map(Store::parse).transpose();
    let store = store.map_err(|error| Failure::Unusable(error.to_string()))?;
    let started = Started {
        matrix: args.matrix.clone(),
        config: shell.config_path(),
        store,
        listen: args.listen,
        demo: args.demo,
    };
    let unusable = |error: crate::server::StartError| Failure::Unusable(error.to_string());
    let app = Arc::new(App::start(started).map_err(unusable)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("laneway-http")
        .build()
        .map_err(|error| Failure::Unusable(format!("the service cannot begin: {error}")))?;
    runtime.block_on(async {
        let serving = serve(Arc::clone(&app)).await.map_err(unusable)?;
        for line in app
            .greeting()
            .map_err(|problem| Failure::Unusable(problem.detail().to_owned()))?
        {
            shell.tell(&line);
        }
        let reloading = reload_on_signal(Arc::clone(&app));
        let done = serving.until(told_to_end()).await.map_err(unusable);
        reloading.abort();
        done
    })?;
    Ok(Answer::Fine)
}

fn logs(is_json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("LANEWAY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second service in one process logs where the first one does.
    let _ = match is_json {
        true => builder.json().try_init(),
        false => builder.with_target(false).try_init(),
    };
}

/// Becomes ready by SIGTERM or SIGINT.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = term.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals it ends with its process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Reads the matrix again by SIGHUP.
fn reload_on_signal(app: Arc<App>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut hup) = signal(SignalKind::hangup()) else {
                return;
            };
            while hup.recv().await.is_some() {
                let app = Arc::clone(&app);
                let read = tokio::task::spawn_blocking(move || app.reload(None)).await;
                match read {
                    Ok(Ok(_)) => {}
                    Ok(Err(why)) => tracing::error!("{why}; the last good matrix decides"),
                    Err(error) => tracing::error!("the matrix was not read: {error}"),
                }
            }
        }
        #[cfg(not(unix))]
        drop(app);
    })
}
