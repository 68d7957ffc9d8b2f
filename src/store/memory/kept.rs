//! What a service keeps beside escalations, in the maps.
//!
//! In: entries and attempts. Out: the same, by key or the latest first. Invariant: an attempt is of a notice
//! that is there, and stays while the notice waits. Knows not whether its changes are kept.

use super::transaction::MemoryTransaction;
use super::{Sending, Waiting};
use crate::clock::Timestamp;
use crate::escalation::audit::whole_micros;
use crate::store::kept::{Attempt, AttemptOutcome, AttemptQuery, Entry, EntryKind};
use crate::store::transaction::StoreError;

impl MemoryTransaction<'_> {
    /// Whole microseconds, as every store keeps them.
    pub(super) fn keep_entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        entry.is_kept()?;
        let kept = Entry {
            until: entry.until.map(whole_micros),
            ..entry.clone()
        };
        let key = (kept.kind, kept.key.clone());
        self.state.entries.set(key, Some(kept));
        Ok(())
    }

    /// All of a kind and an owner, by key.
    pub(super) fn entries_of(
        &self,
        kind: EntryKind,
        owner: Option<&str>,
    ) -> impl Iterator<Item = &Entry> {
        let entries = self.state.entries.range((kind, String::new())..);
        let of_kind = entries.take_while(move |((of, _), _)| *of == kind);
        let kept = of_kind.map(|(_, entry)| entry);
        kept.filter(move |it| owner.is_none_or(|owner| it.owner == owner))
    }

    pub(super) fn forget_entries(
        &mut self,
        keys: impl Iterator<Item = (EntryKind, String)>,
    ) -> u64 {
        let mut gone = 0;
        for key in keys {
            self.state.entries.set(key, None);
            gone += 1;
        }
        gone
    }

    pub(super) fn forget_old_entries(&mut self, until: Timestamp, limit: u32) -> u64 {
        let ended = self.state.entries.iter();
        let ended = ended.filter_map(|(key, it)| Some((it.until?, key.clone())));
        let mut ended: Vec<_> = ended.filter(|(its, _)| *its < until).collect();
        ended.sort();
        let keys = ended.into_iter().take(limit as usize).map(|(_, key)| key);
        self.forget_entries(keys)
    }

    fn posted(&self, notice: &str) -> Option<&Waiting> {
        let seq = self.state.posted.get(notice)?;
        self.state.outbox.get(seq)
    }

    pub(super) fn keep_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        attempt.is_kept()?;
        let posted = self.posted(&attempt.notice);
        if posted.is_none_or(|it| it.escalation != attempt.escalation) {
            return Ok(());
        }
        let kept = Attempt {
            at: whole_micros(attempt.at),
            took_micros: attempt.took().unsigned_abs(),
            ..attempt.clone()
        };
        self.state.attempt += 1;
        self.state.attempts.set(self.state.attempt, Some(kept));
        Ok(())
    }

    pub(super) fn attempts_of(&self, query: &AttemptQuery) -> Vec<(u64, Attempt)> {
        let behind = query.behind.unwrap_or(u64::MAX);
        let latest = self.state.attempts.range(..behind).rev();
        let latest = latest.filter(|(_, it)| {
            let escalation = query.escalation.as_ref();
            escalation.is_none_or(|its| it.escalation == *its)
                && query.outcome.is_none_or(|its| it.outcome == its)
        });
        let latest = latest.map(|(position, it)| (*position, it.clone()));
        latest.take(query.limit as usize).collect()
    }

    pub(super) fn takers_of(&self, notice: &str) -> Vec<String> {
        let Some(posted) = self.posted(notice) else {
            return Vec::new();
        };
        let since = self.state.attempts.range(posted.attempts_before + 1..);
        let taken =
            since.filter(|(_, it)| it.notice == notice && it.outcome == AttemptOutcome::Sent);
        taken.map(|(_, it)| it.channel.clone()).collect()
    }

    pub(super) fn forget_old_attempts(&mut self, before: Timestamp, limit: u32) -> u64 {
        let waits = |notice: &str| {
            let posted = self.posted(notice);
            posted.is_some_and(|it| it.state == Sending::Waiting)
        };
        let attempts = self.state.attempts.iter();
        let old = attempts.filter(|(_, it)| it.at < before && !waits(&it.notice));
        let mut old: Vec<_> = old.map(|(position, it)| (it.at, *position)).collect();
        old.sort_unstable();
        old.truncate(limit as usize);
        for (_, position) in &old {
            self.state.attempts.set(*position, None);
        }
        old.len() as u64
    }

    /// Of an escalation that is erased.
    pub(super) fn forget_attempts(&mut self, escalation: &str) {
        let attempts = self.state.attempts.iter();
        let of = attempts.filter(|(_, it)| it.escalation == escalation);
        let of: Vec<u64> = of.map(|(position, _)| *position).collect();
        for position in of {
            self.state.attempts.set(position, None);
        }
    }

    pub(super) fn post_again(&mut self, id: &str, at: Timestamp) -> bool {
        let over = self.posted(id).cloned();
        let Some(it) = over.filter(|it| it.state != Sending::Waiting) else {
            return false;
        };
        let Some(seq) = self.state.posted.get(id).copied() else {
            return false;
        };
        let mut latest = self.state.attempts.iter().rev();
        let latest = latest.find(|(_, attempt)| attempt.notice == id);
        let again = Waiting {
            state: Sending::Waiting,
            merge: None,
            attempts: 0,
            not_before: at,
            attempts_before: latest.map_or(0, |(position, _)| *position),
            ..it
        };
        self.state.outbox.set(seq, Some(again));
        true
    }
}
