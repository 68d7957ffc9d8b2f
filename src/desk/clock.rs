//! Which time it is, and whether that is to be trusted (rule 4).
//!
//! In: readings of the wall clock, and of one that only runs on. Out: a [`Reading`].
//! Invariant: time never goes back. After a jump nothing times out until two readings that agree, 30 s
//! apart, or an operator confirm it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::escalation::time::{as_micros, stored};
use crate::limits::{CLOCK_AGREES_AFTER, CLOCK_GAP};

/// The clocks of a machine.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock.
    fn wall(&self) -> Timestamp;

    /// How long it runs, by a clock that no one sets.
    fn elapsed(&self) -> Duration;

    /// Which run of the machine `elapsed` counts from; nothing where it counts from the start of this
    /// process.
    fn boot(&self) -> Option<String>;
}

/// The clocks of this machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    boot: Option<(String, Duration)>,
}

impl SystemClock {
    /// Reads them for the first time.
    #[must_use]
    pub fn new() -> Self {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        let up = std::fs::read_to_string("/proc/uptime");
        let boot = id.ok().zip(up.ok()).and_then(|(id, up)| {
            let seconds: f64 = up.split_whitespace().next()?.parse().ok()?;
            let up = Duration::try_from_secs_f64(seconds).ok()?;
            Some((id.trim().to_owned(), up))
        });
        Self {
            start: Instant::now(),
            boot,
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn elapsed(&self) -> Duration {
        let up = self.boot.as_ref().map_or(Duration::ZERO, |(_, up)| *up);
        up + self.start.elapsed()
    }

    fn boot(&self) -> Option<String> {
        self.boot.as_ref().map(|(id, _)| id.clone())
    }
}

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The instant to judge by.
    pub at: Timestamp,
    /// Whether anything may time out by it.
    pub is_confirmed: bool,
}

/// The last confirmed reading, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The wall clock; stored time never goes back behind it.
    #[serde(with = "as_micros")]
    pub at: Timestamp,
    /// Which run of the machine.
    pub boot: Option<String>,
    /// How long it ran then, in milliseconds.
    pub elapsed: u64,
}

/// What is suspect about the clock, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Suspicion {
    /// What the wall clock says.
    #[serde(with = "as_micros")]
    pub wall: Timestamp,
    /// What it should say; the instant that is judged by meanwhile.
    #[serde(with = "as_micros")]
    pub expected: Timestamp,
}

/// Judges readings of the wall clock.
#[derive(Debug)]
pub struct Watch {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How far the wall clock may be from where it should be.
    tolerance: TimeDelta,
    /// A confirmed reading, with the other clock beside it; absent until there is one.
    anchor: Option<(Timestamp, Duration)>,
    /// The first of the readings that have to agree.
    candidate: Option<(Timestamp, Duration)>,
    /// No reading is earlier.
    high: Option<Timestamp>,
    suspicion: Option<Suspicion>,
}

impl Watch {
    /// Watches a clock, from what a store knows of it.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        tolerance: crate::clock::Duration,
        mark: Option<&Mark>,
    ) -> Self {
        let mut state = State {
            tolerance: tolerance.to_chrono(),
            ..State::default()
        };
        match mark {
            // Nothing is known, so nothing contradicts.
            None => state.anchor = Some((clock.wall(), clock.elapsed())),
            Some(mark) => {
                state.high = Some(mark.at);
                if mark.boot.is_some() && mark.boot == clock.boot() {
                    state.anchor = Some((mark.at, Duration::from_millis(mark.elapsed)));
                } else if (clock.wall() - mark.at).abs() <= CLOCK_GAP.to_chrono() {
                    state.anchor = Some((clock.wall(), clock.elapsed()));
                }
            }
        }
        Self {
            clock,
            state: Mutex::new(state),
        }
    }

    /// Another tolerance from now on.
    pub fn tolerate(&self, tolerance: crate::clock::Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tolerance = tolerance.to_chrono();
    }

    /// The clock that is watched.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Judges a reading of the wall clock.
    #[must_use]
    pub fn judge(&self, wall: Timestamp) -> Reading {
        let (wall, elapsed) = (stored(wall), self.clock.elapsed());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let tolerance = state.tolerance;
        let expected = state.anchor.map(|anchor| run_on(anchor, elapsed));
        if expected.is_some_and(|expected| (wall - expected).abs() <= tolerance) {
            return state.confirm(wall, elapsed);
        }
        let agrees = state
            .candidate
            .filter(|candidate| (wall - run_on(*candidate, elapsed)).abs() <= tolerance);
        match agrees {
            Some((_, since)) if elapsed.saturating_sub(since) >= CLOCK_AGREES_AFTER => {
                return state.confirm(wall, elapsed);
            }
            Some(_) => {}
            None => state.candidate = Some((wall, elapsed)),
        }
        // Votes are judged by where the clock should be. Where nothing says where that is, after a
        // restart, the later one counts: no vote is in time that may be late.
        let at = expected.unwrap_or(wall);
        let at = state.high.map_or(at, |high| high.max(at));
        state.suspicion = Some(Suspicion { wall, expected: at });
        Reading {
            at,
            is_confirmed: false,
        }
    }

    /// An operator says that the clock is right.
    pub fn confirm(&self, wall: Timestamp) -> Reading {
        let elapsed = self.clock.elapsed();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.confirm(stored(wall), elapsed)
    }

    /// What is suspect now.
    #[must_use]
    pub fn suspicion(&self) -> Option<Suspicion> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.suspicion
    }

    /// The last confirmed reading.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, elapsed) = state.anchor?;
        let high = state.high?;
        Some(Mark {
            at: high.max(at),
            boot: self.clock.boot(),
            elapsed: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl State {
    fn confirm(&mut self, wall: Timestamp, elapsed: Duration) -> Reading {
        let at = self.high.map_or(wall, |high| high.max(wall));
        *self = Self {
            anchor: Some((wall, elapsed)),
            candidate: None,
            high: Some(at),
            suspicion: None,
            ..*self
        };
        Reading {
            at,
            is_confirmed: true,
        }
    }
}

fn run_on((wall, since): (Timestamp, Duration), now: Duration) -> Timestamp {
    let gone = TimeDelta::from_std(now.saturating_sub(since)).unwrap_or(TimeDelta::MAX);
    wall.checked_add_signed(gone).unwrap_or(wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Hands(Mutex<(i64, u64)>);

    impl Hands {
        fn set(&self, wall: i64, elapsed: u64) {
            *self.0.lock().unwrap() = (wall, elapsed);
        }
    }

    impl Clock for Hands {
        fn wall(&self) -> Timestamp {
            Timestamp::from_timestamp(self.0.lock().unwrap().0, 0).unwrap()
        }
        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.lock().unwrap().1)
        }
        fn boot(&self) -> Option<String> {
            Some("one".to_owned())
        }
    }

    fn watch(mark: Option<&Mark>, wall: i64, elapsed: u64) -> (Arc<Hands>, Watch) {
        let hands = Arc::new(Hands::default());
        hands.set(wall, elapsed);
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        let watch = Watch::new(clock, crate::clock::Duration::from_millis(30_000), mark);
        (hands, watch)
    }

    fn read(hands: &Hands, watch: &Watch, wall: i64, elapsed: u64) -> (i64, bool) {
        hands.set(wall, elapsed);
        let reading = watch.judge(hands.wall());
        (reading.at.timestamp(), reading.is_confirmed)
    }

    #[test]
    fn a_clock_that_runs_on_is_confirmed() {
        let (hands, watch) = watch(None, 1_000, 0);
        assert_eq!(read(&hands, &watch, 1_000, 0), (1_000, true));
        assert_eq!(read(&hands, &watch, 1_110, 100), (1_110, true));
        assert_eq!(watch.suspicion(), None);
    }

    #[test]
    fn a_jump_ahead_stops_time_outs_until_two_readings_agree() {
        let (hands, watch) = watch(None, 1_000, 0);
        assert_eq!(read(&hands, &watch, 1_000, 0), (1_000, true));
        assert_eq!(read(&hands, &watch, 9_010, 10), (1_010, false));
        assert_eq!(read(&hands, &watch, 9_039, 39), (1_039, false));
        assert!(watch.suspicion().is_some());
        assert_eq!(read(&hands, &watch, 9_040, 40), (9_040, true));
        assert_eq!(watch.suspicion(), None);
    }

    #[test]
    fn readings_that_do_not_agree_start_anew() {
        let (hands, watch) = watch(None, 1_000, 0);
        let _ = read(&hands, &watch, 1_000, 0);
        assert_eq!(read(&hands, &watch, 9_010, 10), (1_010, false));
        assert_eq!(read(&hands, &watch, 5_050, 50), (1_050, false));
        assert_eq!(read(&hands, &watch, 5_079, 79), (1_079, false));
        assert_eq!(read(&hands, &watch, 5_080, 80), (5_080, true));
    }

    #[test]
    fn a_clock_that_comes_back_was_never_away() {
        let (hands, watch) = watch(None, 1_000, 0);
        let _ = read(&hands, &watch, 1_000, 0);
        assert_eq!(read(&hands, &watch, 9_010, 10), (1_010, false));
        assert_eq!(read(&hands, &watch, 1_020, 20), (1_020, true));
    }

    #[test]
    fn time_never_goes_back() {
        let (hands, watch) = watch(None, 5_000, 0);
        assert_eq!(read(&hands, &watch, 5_000, 0), (5_000, true));
        assert_eq!(read(&hands, &watch, 1_010, 10), (5_010, false));
        assert_eq!(read(&hands, &watch, 1_041, 41), (5_000, true));
        assert_eq!(read(&hands, &watch, 5_100, 4_100), (5_100, true));
    }

    #[test]
    fn a_restart_in_one_run_of_the_machine_goes_on_with_its_clock() {
        let mark = |boot: &str| Mark {
            at: Timestamp::from_timestamp(1_000, 0).unwrap(),
            boot: Some(boot.to_owned()),
            elapsed: 100_000,
        };
        // Ten hours later, by both clocks.
        let (hands, same) = watch(Some(&mark("one")), 37_000, 36_100);
        assert_eq!(read(&hands, &same, 37_000, 36_100), (37_000, true));
        // The wall clock alone jumped.
        let (hands, jumped) = watch(Some(&mark("one")), 37_000, 110);
        assert_eq!(read(&hands, &jumped, 37_000, 110), (1_010, false));
        // Another run: a short while is believed, a long one not, and votes are judged by the later.
        let (hands, short) = watch(Some(&mark("other")), 1_200, 5);
        assert_eq!(read(&hands, &short, 1_200, 5), (1_200, true));
        let (hands, long) = watch(Some(&mark("other")), 37_000, 5);
        assert_eq!(read(&hands, &long, 37_000, 5), (37_000, false));
        assert_eq!(read(&hands, &long, 37_030, 35), (37_030, true));
    }

    #[test]
    fn an_operator_confirms() {
        let (hands, watch) = watch(None, 1_000, 0);
        let _ = read(&hands, &watch, 1_000, 0);
        assert_eq!(read(&hands, &watch, 9_010, 10), (1_010, false));
        assert!(watch.confirm(hands.wall()).is_confirmed);
        assert_eq!(read(&hands, &watch, 9_011, 11), (9_011, true));
    }
}
