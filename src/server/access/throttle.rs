//! Slows down who guesses.
//!
//! In: names and addresses for which something was wrong. Out: how long to wait.
//! Invariant: the right password waits as the wrong one does, or it would be known by that; nobody is
//! locked out for longer than a quarter of an hour.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock;

/// Mistakes that cost nothing.
const FREE: u32 = 5;

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Names and addresses that are remembered; beyond it the oldest are forgotten.
const REMEMBERED: usize = 100_000;

/// Who made mistakes.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    wrong: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Throttle {
    /// How long to wait still, in seconds.
    pub(super) fn wait(&self, who: &str) -> Option<u32> {
        let wrong = lock(&self.wrong);
        let (times, last) = wrong.get(who)?;
        let left = pause(*times).checked_sub(last.elapsed())?;
        u32::try_from(left.as_secs()).ok()?.checked_add(1)
    }

    /// Something was wrong.
    pub(super) fn wrong(&self, who: &str) {
        let mut wrong = lock(&self.wrong);
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, (_, last)| last.elapsed() < LONGEST);
        }
        let entry = wrong.entry(who.to_owned());
        let (times, last) = entry.or_insert((0, Instant::now()));
        if last.elapsed() > LONGEST {
            *times = 0;
        }
        *times = times.saturating_add(1);
        *last = Instant::now();
    }

    /// All was right.
    pub(super) fn right(&self, who: &str) {
        lock(&self.wrong).remove(who);
    }
}

/// After five mistakes a second, and twice as long after each more.
fn pause(times: u32) -> Duration {
    match times.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(20)).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_longer_each_time_and_others_do_not() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            assert_eq!(throttle.wait("ann"), None);
            throttle.wrong("ann");
        }
        assert_eq!(throttle.wait("ann"), Some(1));
        for _ in 0..5 {
            throttle.wrong("ann");
        }
        assert!(throttle.wait("ann").unwrap() > 30);
        assert_eq!(throttle.wait("bob"), None);
        throttle.right("ann");
        assert_eq!(throttle.wait("ann"), None);
        assert_eq!(pause(1_000), LONGEST);
    }
}
