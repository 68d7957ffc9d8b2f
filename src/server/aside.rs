//! A store that is asked from among the requests.
//!
//! In: units of work, also from threads that drive many requests. Out: the same work, done beside them.
//! Invariant: who waits for a database holds no other request up, and never drives one runtime from within
//! another.
//! Knows nothing of the work.

use std::sync::Arc;

use crate::store::{Store, StoreError, Work};

/// A store whose work may wait for something beyond this process.
#[derive(Debug)]
pub(super) struct Aside(Arc<dyn Store>);

/// The store as requests ask it. A file's work is done by threads of its own.
pub(super) fn aside(store: Arc<dyn Store>) -> Arc<dyn Store> {
    match store.kind() {
        "postgres" => Arc::new(Aside(store)),
        _ => store,
    }
}

impl Store for Aside {
    fn write(&self, work: Work) -> Result<(), StoreError> {
        tokio::task::block_in_place(|| self.0.write(work))
    }

    fn read(&self, work: Work) -> Result<(), StoreError> {
        tokio::task::block_in_place(|| self.0.read(work))
    }

    fn kind(&self) -> &'static str {
        self.0.kind()
    }
}
