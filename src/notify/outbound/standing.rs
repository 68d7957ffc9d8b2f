//! Where something stands that is told over the network.
//!
//! In: what came of telling it. Out: whether it is asked now.
//! Invariant: what said that it is gone is asked no more, and what does not answer not for a while: one
//! receiver that hangs must not hold up what others are told. Both are said until it answers again.
//! Lives in this process: a start or a reload asks again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::notify::NotifyError;

/// For how long what did not answer is left alone.
const REST: Duration = Duration::from_secs(15);

/// The longest that a receiver may ask for.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// How something answered.
#[derive(Debug, Default)]
pub(super) struct Standing(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Fine,
    Resting {
        until: Instant,
        why: String,
    },
    Gone,
}

/// What the one who said 410 is told from then on.
const GONE: &str = "it answered 410, so it is told nothing more until the service starts again or \
                    reads its configuration anew";

impl Standing {
    /// Whether it is asked now.
    pub(super) fn ask(&self, now: Instant) -> Result<(), NotifyError> {
        match &*self.state() {
            State::Gone => Err(NotifyError::Never(GONE.to_owned())),
            State::Resting { until, why } if now < *until => Err(NotifyError::Later(format!(
                "not asked, since a moment ago: {why}"
            ))),
            State::Resting { .. } | State::Fine => Ok(()),
        }
    }

    /// It took something.
    pub(super) fn took(&self) {
        let mut state = self.state();
        // Two may be under way at once: what is gone stays so.
        if !matches!(*state, State::Gone) {
            *state = State::Fine;
        }
    }

    /// It says that it is gone.
    pub(super) fn is_gone(&self) -> NotifyError {
        *self.state() = State::Gone;
        NotifyError::Never(GONE.to_owned())
    }

    /// It did not answer, or asks for a rest.
    pub(super) fn rests(&self, now: Instant, rest: Option<Duration>, why: &str) {
        let mut state = self.state();
        if !matches!(*state, State::Gone) {
            let rest = rest.unwrap_or(REST).min(LONGEST_REST);
            *state = State::Resting {
                until: now + rest,
                why: why.to_owned(),
            };
        }
    }

    /// What is wrong with it.
    pub(super) fn trouble(&self) -> Option<String> {
        match &*self.state() {
            State::Fine => None,
            State::Resting { why, .. } => Some(why.clone()),
            State::Gone => Some(GONE.to_owned()),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_answer_rests_and_is_asked_again() {
        let (standing, now) = (Standing::default(), Instant::now());
        assert_eq!(standing.ask(now), Ok(()));
        standing.rests(now, None, "it is deaf");
        let resting = standing.ask(now + REST - Duration::from_millis(1));
        assert!(matches!(resting, Err(NotifyError::Later(why)) if why.contains("it is deaf")));
        assert_eq!(standing.ask(now + REST), Ok(()));
        assert_eq!(standing.trouble().as_deref(), Some("it is deaf"));
        standing.took();
        assert_eq!((standing.ask(now), standing.trouble()), (Ok(()), None));
    }

    #[test]
    fn a_rest_that_is_asked_for_has_an_end() {
        let (standing, now) = (Standing::default(), Instant::now());
        standing.rests(now, Some(Duration::from_secs(60)), "busy");
        assert!(standing.ask(now + Duration::from_secs(59)).is_err());
        assert_eq!(standing.ask(now + Duration::from_secs(60)), Ok(()));
        standing.rests(now, Some(Duration::from_secs(u64::MAX)), "busy");
        assert_eq!(standing.ask(now + LONGEST_REST), Ok(()));
    }

    #[test]
    fn what_is_gone_stays_so() {
        let (standing, now) = (Standing::default(), Instant::now());
        let gone = standing.is_gone();
        standing.took();
        standing.rests(now, None, "late");
        assert_eq!(standing.ask(now + LONGEST_REST), Err(gone));
        assert_eq!(standing.trouble().as_deref(), Some(GONE));
    }
}
