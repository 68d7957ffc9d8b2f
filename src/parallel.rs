//! Work on all cores that keeps its order.
//!
//! In: pieces of work in an order. Out: their results in the same order.
//! Invariant: at most a bounded number of pieces is held at a time, however long the stream; a
//! result is handed over only when all before it were.
//! Must not know what the work is.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Pieces for each worker that are read and not yet handed over: the one at hand, and enough that
/// it waits neither for the reader nor for a slower neighbour.
const AHEAD: usize = 4;

/// How many threads can work at once here.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The results of one piece of work for each item, in their order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = cores();
    if workers == 1 || items.len() < 2 * workers {
        return items.iter().map(work).collect();
    }
    let share = items.len().div_ceil(workers);
    let work = &work;
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>()))
            .collect();
        let done = parts.into_iter().zip(items.chunks(share));
        // A worker that panicked left its share undone: this thread tries it, and panics itself if
        // it must.
        done.flat_map(|(part, items)| {
            part.join()
                .unwrap_or_else(|_| items.iter().map(work).collect())
        })
        .collect()
    })
}

/// A stream of pieces that workers work on, each with a state of its own, and whose results are
/// taken in the order of the pieces, on this thread. `read` gives the next piece, on a thread of its
/// own; `take` may stop it all.
///
/// # Errors
/// What `read` and `take` give.
pub fn stream<T, S, R, E>(
    workers: usize,
    read: impl FnMut() -> Result<Option<T>, E> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<ControlFlow<()>, E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
    E: Send,
{
    let workers = workers.max(1);
    let (state, work) = (&state, &work);
    thread::scope(|scope| {
        // INVARIANT: a piece is read only with a permit, which comes back when its result was handed
        // over. Without it the results behind a slow piece would pile up.
        let (permits, returned) = sync_channel(workers * AHEAD);
        let (pieces, waiting) = sync_channel(workers * AHEAD);
        // Dropped with the last worker, so that the reader never waits for nobody.
        let waiting = Arc::new(Mutex::new(waiting));
        let (done, results) = sync_channel(workers * AHEAD);
        let ended = done.clone();
        scope.spawn(move || feed(read, &permits, &pieces, &ended));
        for _ in 0..workers {
            let done: SyncSender<Done<R, E>> = done.clone();
            let waiting = Arc::clone(&waiting);
            scope.spawn(move || {
                let mut state = state();
                while let Some((number, piece)) = next(&waiting) {
                    let result = work(&mut state, piece);
                    if done.send(Done::Piece(number, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((done, waiting));
        in_order(&results, &returned, &mut take)
    })
}

enum Done<R, E> {
    Piece(u64, R),
    Failed(E),
}

/// Reads pieces until there are none, or nobody wants them any more.
fn feed<T, R, E>(
    mut read: impl FnMut() -> Result<Option<T>, E>,
    permits: &SyncSender<()>,
    pieces: &SyncSender<(u64, T)>,
    done: &SyncSender<Done<R, E>>,
) {
    for number in 0u64.. {
        if permits.send(()).is_err() {
            return;
        }
        match read() {
            Ok(Some(piece)) => {
                if pieces.send((number, piece)).is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                let _ = done.send(Done::Failed(error));
                return;
            }
        }
    }
}

/// The next piece; none when the stream has ended.
fn next<T>(waiting: &Mutex<Receiver<(u64, T)>>) -> Option<(u64, T)> {
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.recv().ok()
}

/// Hands results over in their order; those that came too soon wait.
fn in_order<R, E>(
    results: &Receiver<Done<R, E>>,
    returned: &Receiver<()>,
    take: &mut impl FnMut(R) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let mut early = BTreeMap::new();
    let mut wanted = 0u64;
    let mut failed = None;
    for done in results {
        match done {
            Done::Piece(number, result) => {
                early.insert(number, result);
            }
            // What was read before it is still handed over.
            Done::Failed(error) => failed = Some(error),
        }
        while let Some(result) = early.remove(&wanted) {
            wanted += 1;
            let _ = returned.try_recv();
            if take(result)?.is_break() {
                return Ok(());
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_keep_their_order() {
        let items: Vec<u64> = (0..10_000).collect();
        assert_eq!(
            map(&items, |n| n * 2),
            items.iter().map(|n| n * 2).collect::<Vec<_>>()
        );
        let mut source = items.iter().copied();
        let mut taken = Vec::new();
        let ended: Result<(), ()> = stream(
            3,
            || Ok(source.next()),
            || 0u64,
            |seen, n| {
                *seen += 1;
                if n % 7 == 0 {
                    thread::yield_now();
                }
                (n, *seen)
            },
            |(n, _)| {
                taken.push(n);
                Ok(ControlFlow::Continue(()))
            },
        );
        assert!(ended.is_ok());
        assert_eq!(taken, items);
    }

    /// One slow piece must not let all behind it be worked on: their results would be held.
    #[test]
    fn no_more_is_held_than_was_said() {
        let (mut read, mut next) = (0usize, 0usize);
        let taken = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let ended: Result<(), ()> = stream(
            3,
            || {
                let held = read - taken.load(Ordering::SeqCst);
                most.fetch_max(held, Ordering::SeqCst);
                read += 1;
                Ok((read <= 500).then_some(read - 1))
            },
            || (),
            |(), n| {
                if n % 50 == 0 {
                    thread::sleep(std::time::Duration::from_millis(5));
                }
                n
            },
            |n| {
                assert_eq!(n, next);
                next += 1;
                taken.store(next, Ordering::SeqCst);
                Ok(ControlFlow::Continue(()))
            },
        );
        assert_eq!((ended, next), (Ok(()), 500));
        let most = most.into_inner();
        assert!((3..=3 * AHEAD + 1).contains(&most), "{most}");
    }

    #[test]
    fn it_stops_when_told_and_when_reading_fails() {
        let mut next = 0;
        let mut taken = 0;
        let ended: Result<(), &str> = stream(
            2,
            || {
                next += 1;
                if next > 100 {
                    Err("cut")
                } else {
                    Ok(Some(next))
                }
            },
            || (),
            |(), n: i32| n,
            |n| {
                taken = n;
                Ok(ControlFlow::Continue(()))
            },
        );
        assert_eq!((ended, taken), (Err("cut"), 100));
        let mut next = 0;
        let ended: Result<(), &str> = stream(
            2,
            || {
                next += 1;
                Ok(Some(next))
            },
            || (),
            |(), n: i32| n,
            |n| {
                Ok(match n {
                    50 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                })
            },
        );
        assert_eq!(ended, Ok(()));
    }
}
