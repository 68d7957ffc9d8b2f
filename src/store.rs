//! Where state outlives the process.
//!
//! In: what the engine and the desk have to keep. Out: the same, after a restart.
//! Invariant: nothing is taken for kept that is not; what may be missing is said to be.
//! Knows no matrix and decides nothing.

mod attempt;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod changes;
pub mod decisions;
mod erasure;
mod error;
pub(crate) mod file;
mod kept;
mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod narrow;
#[cfg(feature = "postgres")]
mod postgres;
mod respond;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

pub use decisions::DecisionLog;
pub use file::{Durability, FileStore};
pub(crate) use kept::bounded;
pub use kept::{Attempt, AttemptOutcome, AttemptQuery, Entry, EntryKind};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore, backup};
pub use transaction::{
    Behind, Cursor, Delivery, Known, NewRow, Order, Outbox, Posted, Query, Request, Store,
    StoreError, StoreErrorKind, Stored, Summary, TENANT, Tombstone, Transaction, Work, Writing,
    read, write,
};
