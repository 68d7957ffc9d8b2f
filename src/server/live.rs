//! Who waits for news of an escalation.
//!
//! In: what happened, in the order of the audit. Out: waiters are woken, streams told.
//! Invariant: it only wakes; what is true is read from the store. Whoever waits looks again from time to
//! time also without news, so that what another server did is seen even where the news of it is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::{Notify, broadcast};

/// News that a slow stream may be behind by; beyond it, it is told that it missed some.
const BEHIND: usize = 1_024;

/// Something happened to an escalation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct News {
    /// The position in the audit.
    pub seq: u64,
    /// When, in RFC 3339.
    pub at: String,
    /// To which.
    pub escalation: String,
    /// What: the kind of the audit's row.
    pub what: String,
}

/// Who waits for what.
#[derive(Debug)]
pub(super) struct Live {
    waiting: Mutex<HashMap<String, Waiting>>,
    news: broadcast::Sender<Arc<News>>,
}

#[derive(Debug)]
struct Waiting {
    bell: Arc<Notify>,
    many: usize,
}

/// Waits for one escalation while it is held.
#[derive(Debug)]
pub(super) struct Ear<'l> {
    live: &'l Live,
    id: String,
    bell: Arc<Notify>,
}

impl Live {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            news: broadcast::channel(BEHIND).0,
        }
    }

    /// Begins to listen for an escalation. What happens from now on is heard.
    pub(super) fn listen(&self, id: &str) -> Ear<'_> {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = all.entry(id.to_owned()).or_insert_with(|| Waiting {
            bell: Arc::default(),
            many: 0,
        });
        waiting.many += 1;
        Ear {
            live: self,
            id: id.to_owned(),
            bell: Arc::clone(&waiting.bell),
        }
    }

    /// All news from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    /// Something happened to an escalation.
    pub(super) fn tell(&self, news: News) {
        self.ring(&news.escalation);
        // Nobody may be following.
        let _ = self.news.send(Arc::new(news));
    }

    /// Wakes who waits for an escalation.
    pub(super) fn ring(&self, id: &str) {
        let all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = all.get(id) {
            waiting.bell.notify_waiters();
        }
    }

    /// How many escalations are waited for.
    pub(super) fn waited_for(&self) -> usize {
        let all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.len()
    }
}

impl Ear<'_> {
    /// Becomes ready with the next news. It counts from when it is made, so make it before looking.
    pub(super) fn heard(&self) -> impl Future<Output = ()> + Send + '_ {
        let mut heard = Box::pin(self.bell.notified());
        heard.as_mut().enable();
        heard
    }
}

impl Drop for Ear<'_> {
    fn drop(&mut self) {
        let mut all = self
            .live
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = all.get_mut(&self.id) {
            waiting.many -= 1;
            if waiting.many == 0 {
                all.remove(&self.id);
            }
        }
    }
}
