//! What goes on without a request: steps that are due, notices, the house, news.
//!
//! In: the clock, the store. Out: what the desk does.
//! Invariant: what fails is said, and tried again; nothing that fails stops the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::app::App;
use super::live::News;
use crate::clock::format_timestamp;
use crate::desk::DeskError;
use crate::store::read;

/// Escalations of one transaction of steps.
const STEPS: u32 = 200;

/// Threads that step what is due, where several can write at once: what one writes costs the database far more
/// than it costs the thread.
const STEPPERS: usize = 2;

/// Notices of one round: few, so that all of them are sent within the time that a sender has for them, also
/// where nothing answers.
const NOTICES: u32 = 4;

/// Rows of the audit that are read at once for news.
const ROWS: u32 = 1_000;

/// Between two looks for news: what another server did is seen after so long.
const NEWS: Duration = Duration::from_millis(200);

/// Between two looks for what is due.
const DUE: Duration = Duration::from_millis(250);

/// Threads that send: one that waits for a slow receiver holds no other up.
const SENDERS: usize = 4;

/// Between two snapshots of the windows of measures.
const SNAPSHOT: Duration = Duration::from_secs(300);

/// Threads that end when this is told to.
#[derive(Debug)]
pub(super) struct Tending {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Tending {
    /// Begins.
    pub(super) fn begin(app: &Arc<App>) -> std::io::Result<Self> {
        let mut tending = Self {
            is_over: Arc::default(),
            threads: Vec::new(),
        };
        // Each takes what no other has. In a file one writes at a time.
        let steppers = match app.desk.store().kind() {
            "postgres" => STEPPERS,
            _ => 1,
        };
        for n in 0..steppers {
            tending.again(&format!("due-{n}"), app, DUE, due)?;
        }
        for n in 0..SENDERS {
            tending.again(&format!("send-{n}"), app, DUE, send)?;
        }
        tending.again("house", app, Duration::from_secs(1), house)?;
        let mut seen = None;
        tending.again("news", app, NEWS, move |app| news(app, &mut seen))?;
        tending.again("disk", app, Duration::from_secs(1), |app| {
            app.watch_disk();
            Ok(false)
        })?;
        let mut kept = Instant::now();
        tending.again("windows", app, Duration::from_secs(1), move |app| {
            if kept.elapsed() >= SNAPSHOT {
                keep_windows(app);
                kept = Instant::now();
            }
            Ok(false)
        })?;
        tending.again("log", app, Duration::from_millis(250), |app| {
            if let Some(Ok(log)) = app.log().as_deref()
                && let Some(why) = log.end()
            {
                tracing::error!("{why}");
            }
            Ok(false)
        })?;
        Ok(tending)
    }

    /// Does something again and again; at once where it says that there is more.
    fn again(
        &mut self,
        name: &str,
        app: &Arc<App>,
        pause: Duration,
        mut what: impl FnMut(&App) -> Result<bool, DeskError> + Send + 'static,
    ) -> std::io::Result<()> {
        let (app, is_over) = (Arc::clone(app), Arc::clone(&self.is_over));
        let of = name.to_owned();
        let run = move || {
            while !is_over.load(Ordering::Relaxed) {
                match what(&app) {
                    Ok(true) => continue,
                    Ok(false) => app.failed(&of, None),
                    Err(error) => {
                        tracing::error!("{of}: {error}");
                        app.failed(&of, Some(error.to_string()));
                    }
                }
                std::thread::park_timeout(pause);
            }
        };
        let builder = std::thread::Builder::new().name(format!("laneway-{name}"));
        self.threads.push(builder.spawn(run)?);
        Ok(())
    }

    /// Ends, when what has begun is done.
    pub(super) fn end(self, app: &App) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread ended by a panic");
            }
        }
        keep_windows(app);
        if let Some(Ok(log)) = app.log().as_deref() {
            log.end();
        }
    }
}

fn due(app: &App) -> Result<bool, DeskError> {
    let stepped = app.desk.run_due(STEPS)?;
    for (id, why) in &stepped.failed {
        tracing::error!("escalation {id} cannot be touched: {why}");
    }
    Ok(stepped.escalations >= STEPS as usize && stepped.failed.is_empty())
}

fn send(app: &App) -> Result<bool, DeskError> {
    let notifier = app.notifier();
    let sent = app.desk.send(&*notifier, NOTICES)?;
    Ok(sent.sent + sent.retried + sent.failed >= NOTICES as usize)
}

fn house(app: &App) -> Result<bool, DeskError> {
    let kept = app.desk.keep_house()?;
    for (id, why) in &kept.failed {
        tracing::error!("escalation {id} cannot be erased: {why}");
    }
    Ok(false)
}

/// Tells what happened behind the last row that was seen, by whichever server.
fn news(app: &App, seen: &mut Option<u64>) -> Result<bool, DeskError> {
    let store = app.desk.store().as_ref();
    let Some(behind) = *seen else {
        let last = read(store, |transaction| {
            let last = transaction.last_checkpoint()?;
            Ok(transaction.behind(last.map_or(0, |last| last.seq))?.seq)
        })?;
        *seen = Some(last);
        return Ok(true);
    };
    let rows = read(store, move |transaction| transaction.rows(behind, ROWS))?;
    for (row, _) in &rows {
        *seen = Some(row.seq);
        app.live.tell(News {
            seq: row.seq,
            at: format_timestamp(row.at),
            escalation: row.escalation.clone(),
            what: row.kind.clone(),
        });
    }
    Ok(rows.len() >= ROWS as usize)
}

fn keep_windows(app: &App) {
    if let Some(deciding) = app.deciding()
        && let Err(error) = deciding.router.keep()
    {
        tracing::error!("the windows of measures cannot be kept: {error}");
    }
}
