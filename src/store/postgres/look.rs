//! Statistics of the tables, by which the server plans.
//!
//! In: a moment at which there is time. Out: tables that the server has looked at, where they grew much.
//! Invariant: a young database is never planned for as an empty one for longer than a second or two.
//! Knows nothing of what is in the tables.

use super::transaction::PostgresTransaction;
use crate::store::StoreError;

/// A row where the escalations are more than twice those that the server last looked at, and no other server
/// of ours is looking. Its own look (autovacuum) comes each minute, and later where there is much to do.
const GREW: &str = "SELECT 1 FROM pg_class c \
    WHERE c.oid = 'escalations'::regclass \
    AND pg_stat_get_mod_since_analyze(c.oid) > 500 + greatest(c.reltuples, 0) \
    AND pg_try_advisory_xact_lock(1818324583, 3)";

/// What somebody else has locked, to vacuum it or to index it, is looked at another time: nobody waits for it.
const LOOK: &str = "ANALYZE (SKIP_LOCKED) \
    escalations, sign_offs, seats, votes, requests, outbox, audit, payloads";

impl PostgresTransaction<'_> {
    /// Looks, where the escalations have doubled. Whether it did.
    pub(super) fn look_where_grown(&mut self) -> Result<bool, StoreError> {
        let grew = self.query(GREW, &[])?;
        if grew.is_empty() {
            return Ok(false);
        }
        self.query(LOOK, &[])?;
        Ok(true)
    }
}
