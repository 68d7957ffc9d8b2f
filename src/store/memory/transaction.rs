//! A transaction on the maps.
//!
//! In: what a unit of work asks for. Out: values. Invariant: what a schema refuses is refused here: keys that
//! are taken, chains that do not follow, states that break the rules.
//! Knows not whether its changes are kept.

use std::collections::BTreeSet;

use super::{AuditRow, Kept, Sending, State, Waiting, of, page};
use crate::clock::Timestamp;
use crate::escalation::audit::{Checkpoint, Head, Payload, Row, whole_micros};
use crate::escalation::invariants::broken;
use crate::escalation::{Counts, Escalation, GrantState, Notice, Principal, RecordKind};
use crate::limits::NOTICE_TRIES_UNTOLD;
use crate::store::erasure::numbered;
use crate::store::kept::{Attempt, AttemptQuery, Entry, EntryKind};
use crate::store::transaction::{
    Behind, Delivery, NewRow, Outbox, Posted, Query, Request, StoreError, StoreErrorKind, Stored,
    Summary, TENANT, Tombstone, Transaction, Writing,
};

pub(super) struct MemoryTransaction<'s> {
    pub(super) state: &'s mut State,
    pub(super) clock: &'s (dyn Fn() -> Timestamp + Send + Sync),
}

fn refused(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Refused, message)
}

/// Whole microseconds, as every store keeps them.
fn request_of(request: &Request) -> Request {
    Request {
        at: whole_micros(request.at),
        ..request.clone()
    }
}

impl MemoryTransaction<'_> {
    fn head(&self, id: &str) -> Head {
        let last = of(&self.state.chains, id).next_back();
        let last = last.and_then(|seq| self.state.audit.get(seq));
        last.map_or_else(|| Head::start(TENANT, id), |last| last.row.head())
    }

    fn is_followed(
        &self,
        before: Option<&Escalation>,
        after: &Escalation,
    ) -> Result<(), StoreError> {
        let id = &after.pinned.id;
        let there = self.state.escalations.get(id).map(|kept| &kept.escalation);
        if before != there {
            return Err(refused("the escalation is not as it was locked"));
        }
        if before.is_none() && !self.state.matrices.contains_key(&after.pinned.matrix) {
            return Err(refused("the matrix of the escalation is not kept"));
        }
        if before.is_none()
            && let Some(group) = &after.pinned.group
            && self.pending_of(group).is_some()
        {
            return Err(refused("one escalation of a group is pending already"));
        }
        match broken(before, after).first() {
            Some(wrong) => Err(refused(wrong.clone())),
            None => Ok(()),
        }
    }

    fn pending(&self) -> impl Iterator<Item = &Escalation> {
        let all = self.state.escalations.values();
        all.map(|kept| &kept.escalation)
            .filter(|it| it.is_pending())
    }

    fn pending_of(&self, group: &str) -> Option<String> {
        let found = self
            .pending()
            .find(|it| it.pinned.group.as_deref() == Some(group));
        found.map(|it| it.pinned.id.clone())
    }

    fn append(&mut self, id: &str, new: &NewRow) -> Result<(), StoreError> {
        let head = self.head(id);
        let row = &new.row;
        let follows = row.tenant == TENANT
            && row.escalation == id
            && row.n == head.n + 1
            && row.previous == head.hash;
        if !follows {
            return Err(refused("a row of the audit follows the last of its chain"));
        }
        let last = self.state.audit.last_key_value();
        let seq = last.map_or(0, |(seq, _)| *seq) + 1;
        let row = Row { seq, ..row.clone() };
        self.state.chains.set((id.to_owned(), row.n), Some(seq));
        let payload = Ok((new.salt, new.body.clone()));
        self.state.audit.set(seq, Some(AuditRow { row, payload }));
        Ok(())
    }

    fn post(&mut self, id: &str, notice: &Notice) {
        if self.state.posted.contains_key(&notice.id) {
            return;
        }
        let mut outbox = self.state.outbox.iter();
        // What was taken gets no further count: its taker has read it.
        let merged = outbox.find(|(_, it)| {
            notice.merge.is_some()
                && it.merge == notice.merge
                && it.state == Sending::Waiting
                && it.attempts == 0
        });
        if let Some((seq, it)) = merged.map(|(seq, it)| (*seq, it.clone())) {
            let count = it.count.saturating_add(1);
            self.state.outbox.set(seq, Some(Waiting { count, ..it }));
            return;
        }
        let last = self.state.outbox.last_key_value();
        let seq = last.map_or(0, |(seq, _)| *seq) + 1;
        self.state.posted.set(notice.id.clone(), Some(seq));
        let waiting = Waiting {
            notice: notice.clone(),
            escalation: id.to_owned(),
            merge: notice.merge.clone(),
            state: Sending::Waiting,
            count: 1,
            attempts: 0,
            not_before: notice.at,
            attempts_before: 0,
        };
        self.state.outbox.set(seq, Some(waiting));
    }

    /// Removes notices from the outbox, at most so many.
    fn unpost(&mut self, limit: u32, which: impl Fn(&Waiting) -> bool) -> u64 {
        let outbox = self.state.outbox.iter().filter(|(_, it)| which(it));
        let gone = outbox.map(|(seq, it)| (*seq, it.notice.id.clone()));
        let gone: Vec<_> = gone.take(limit as usize).collect();
        for (seq, id) in &gone {
            self.state.outbox.set(*seq, None);
            self.state.posted.set(id.clone(), None);
        }
        gone.len() as u64
    }

    /// Whether something was written behind its erasure, but that it was erased.
    fn is_written_to(&self, id: &str) -> bool {
        let mut rows = of(&self.state.chains, id).filter_map(|seq| self.state.audit.get(seq));
        rows.any(|it| it.payload.is_ok() && it.row.kind != RecordKind::Erased.as_str())
    }

    fn payload_of(it: &AuditRow) -> (Row, Payload) {
        let payload = match it.payload.clone() {
            Ok((salt, body)) => Payload::Kept { salt, body },
            Err(Tombstone { at, by, why }) => Payload::Erased { at, by, why },
        };
        (it.row.clone(), payload)
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn wall(&mut self) -> Result<Timestamp, StoreError> {
        Ok((self.clock)())
    }

    fn lock(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        self.get(id)
    }

    fn get(&mut self, id: &str) -> Result<Option<Stored>, StoreError> {
        let head = self.head(id);
        let kept = self.state.escalations.get(id);
        Ok(kept.map(|kept| Stored {
            escalation: kept.escalation.clone(),
            n: head.n,
            head: head.hash,
        }))
    }

    fn put(&mut self, writing: &Writing<'_>) -> Result<(), StoreError> {
        let after = writing.after;
        let id = &after.pinned.id;
        self.is_followed(writing.before, after)?;
        let is_erased = self
            .state
            .escalations
            .get(id)
            .is_some_and(|it| it.is_erased);
        let kept = Kept {
            escalation: after.clone(),
            is_erased,
        };
        self.state.escalations.set(id.clone(), Some(kept));
        for row in writing.rows {
            self.append(id, row)?;
        }
        for notice in writing.notices {
            self.post(id, notice);
        }
        Ok(())
    }

    fn request(&mut self, requester: &Principal, key: &str) -> Result<Option<Request>, StoreError> {
        let key = (requester.as_str().to_owned(), key.to_owned());
        Ok(self.state.requests.get(&key).cloned())
    }

    fn put_request(&mut self, request: &Request) -> Result<(), StoreError> {
        let key = (request.requester.as_str().to_owned(), request.key.clone());
        if self.state.requests.contains_key(&key) {
            return Err(refused("the key of the request is taken"));
        }
        if !self.state.escalations.contains_key(&request.escalation) {
            return Err(refused("a request of an escalation that is not there"));
        }
        self.state.requests.set(key, Some(request_of(request)));
        Ok(())
    }

    fn drop_request(&mut self, requester: &Principal, key: &str) -> Result<bool, StoreError> {
        let key = (requester.as_str().to_owned(), key.to_owned());
        let Some(request) = self.state.requests.get(&key) else {
            return Ok(false);
        };
        let kept = self.state.escalations.get(&request.escalation);
        if kept.is_some_and(|kept| kept.escalation.is_pending()) {
            return Err(refused("a request stays while its escalation is pending"));
        }
        self.state.requests.set(key, None);
        Ok(true)
    }

    fn drop_requests(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let is_old = |request: &Request| {
            let kept = self.state.escalations.get(&request.escalation);
            let end = kept.and_then(|kept| kept.escalation.resolution.as_ref());
            end.is_some_and(|end| end.at < ended_before)
        };
        let requests = self.state.requests.iter();
        let old = requests.filter(|(_, request)| is_old(request));
        let old: Vec<_> = old
            .map(|(key, _)| key.clone())
            .take(limit as usize)
            .collect();
        let dropped = old.len() as u64;
        for key in old {
            self.state.requests.set(key, None);
        }
        Ok(dropped)
    }

    fn drop_notices(&mut self, ended_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let escalations = self.state.escalations.values();
        let old = escalations.filter_map(|kept| {
            let end = kept.escalation.resolution.as_ref()?;
            (end.at < ended_before).then(|| kept.escalation.pinned.id.clone())
        });
        let old: BTreeSet<String> = old.collect();
        Ok(self.unpost(limit, |it| {
            it.state != Sending::Waiting && old.contains(&it.escalation)
        }))
    }

    fn group(&mut self, group: &str) -> Result<Option<String>, StoreError> {
        Ok(self.pending_of(group))
    }

    fn counts(&mut self, requester: &Principal, flood: &str) -> Result<Counts, StoreError> {
        let of_requester = self
            .pending()
            .filter(|it| it.pinned.requester == *requester);
        let of_flood = self.pending().filter(|it| it.pinned.flood == flood);
        Ok(Counts {
            of_requester: of_requester.count() as u64,
            of_flood: of_flood.count() as u64,
        })
    }

    fn due(&mut self, now: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let all = self.state.escalations.values().map(|kept| &kept.escalation);
        let due = all.filter_map(|it| Some((it.due()?, it.pinned.id.clone())));
        let mut due: Vec<_> = due.filter(|(due, _)| *due <= now).collect();
        due.sort();
        Ok(due
            .into_iter()
            .take(limit as usize)
            .map(|(_, id)| id)
            .collect())
    }

    fn page(&mut self, query: &Query) -> Result<Vec<Summary>, StoreError> {
        Ok(page::page(query, self.state.escalations.values()))
    }

    fn history(&mut self, id: &str) -> Result<Vec<(Row, Payload)>, StoreError> {
        let seqs = of(&self.state.chains, id);
        let rows = seqs.filter_map(|seq| self.state.audit.get(seq));
        Ok(rows.map(Self::payload_of).collect())
    }

    fn put_matrix(&mut self, digest: &str, source: &str) -> Result<(), StoreError> {
        if !self.state.matrices.contains_key(digest) {
            let source = Some(source.to_owned());
            self.state.matrices.set(digest.to_owned(), source);
        }
        Ok(())
    }

    fn matrix(&mut self, digest: &str) -> Result<Option<String>, StoreError> {
        Ok(self.state.matrices.get(digest).cloned())
    }

    fn take_notices(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Posted>, StoreError> {
        let outbox = self.state.outbox.iter();
        let mut to_send: Vec<(Timestamp, u64)> = outbox
            .filter(|(_, it)| it.state == Sending::Waiting && it.not_before <= now)
            .map(|(seq, it)| (it.not_before, *seq))
            .collect();
        to_send.sort_unstable();
        let mut taken = Vec::new();
        for (_, seq) in to_send.into_iter().take(limit as usize) {
            let Some(it) = self.state.outbox.get(&seq).cloned() else {
                continue;
            };
            taken.push(Posted {
                notice: it.notice.clone(),
                escalation: it.escalation.clone(),
                count: it.count,
                attempts: it.attempts,
                taken: Vec::new(),
            });
            let leased = Waiting {
                not_before: until,
                attempts: it.attempts.saturating_add(1),
                ..it
            };
            self.state.outbox.set(seq, Some(leased));
        }
        Ok(taken)
    }

    fn note_delivery(&mut self, id: &str, delivery: &Delivery) -> Result<(), StoreError> {
        let seq = self.state.posted.get(id).copied();
        let found = seq.and_then(|seq| Some((seq, self.state.outbox.get(&seq)?.clone())));
        let Some((seq, it)) = found.filter(|(_, it)| it.state == Sending::Waiting) else {
            return Ok(());
        };
        let (state, not_before) = match delivery {
            Delivery::Sent(at) => (Sending::Sent, *at),
            Delivery::Retry(at, _) => (Sending::Waiting, *at),
            Delivery::Failed(at, _) => (Sending::Failed, *at),
        };
        let noted = Waiting {
            state,
            not_before,
            ..it
        };
        self.state.outbox.set(seq, Some(noted));
        Ok(())
    }

    fn all_failed(&mut self, step: &str) -> Result<bool, StoreError> {
        let outbox = self.state.outbox.values();
        let mut of_step = outbox
            .filter(|it| {
                it.notice
                    .id
                    .rsplit_once('/')
                    .is_some_and(|(id, _)| id == step)
            })
            .peekable();
        let is_untold = |it: &Waiting| match it.state {
            Sending::Failed => true,
            Sending::Waiting => {
                it.attempts >= NOTICE_TRIES_UNTOLD && self.takers_of(&it.notice.id).is_empty()
            }
            Sending::Sent => false,
        };
        Ok(of_step.peek().is_some() && of_step.all(is_untold))
    }

    fn outbox(&mut self) -> Result<Outbox, StoreError> {
        let count = |state: Sending| {
            let all = self.state.outbox.values();
            all.filter(|it| it.state == state).count() as u64
        };
        Ok(Outbox {
            waiting: count(Sending::Waiting),
            failed: count(Sending::Failed),
        })
    }

    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        let last = self.state.checkpoints.last_key_value();
        Ok(last.map(|(_, checkpoint)| checkpoint.clone()))
    }

    fn checkpoints(&mut self) -> Result<Vec<Checkpoint>, StoreError> {
        Ok(self.state.checkpoints.values().cloned().collect())
    }

    fn behind(&mut self, seq: u64) -> Result<Behind, StoreError> {
        let mut behind = Behind {
            seq,
            ..Behind::default()
        };
        let mut heads = std::collections::BTreeMap::new();
        for (seq, it) in self.state.audit.range(seq.saturating_add(1)..) {
            behind.rows += 1;
            behind.seq = *seq;
            heads.insert(it.row.escalation.clone(), it.row.head());
        }
        behind.heads = heads.into_values().collect();
        Ok(behind)
    }

    fn put_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let last = self.last_checkpoint()?;
        let n = last.as_ref().map_or(0, |last| last.n);
        let hash = last.map(|last| last.hash).unwrap_or_default();
        if checkpoint.n != n + 1 || checkpoint.previous != hash {
            return Err(refused("a checkpoint follows the last one"));
        }
        let checkpoint = checkpoint.clone();
        self.state.checkpoints.set(checkpoint.n, Some(checkpoint));
        Ok(())
    }

    fn rows(&mut self, behind: u64, limit: u32) -> Result<Vec<(Row, Payload)>, StoreError> {
        let rows = self.state.audit.range(behind.saturating_add(1)..);
        let rows = rows.take(limit as usize).map(|(_, it)| it);
        Ok(rows.map(Self::payload_of).collect())
    }

    fn erase(&mut self, id: &str, tombstone: &Tombstone) -> Result<(), StoreError> {
        let Some(mut kept) = self.state.escalations.get(id).cloned() else {
            return Err(refused(format!("there is no escalation `{id}`")));
        };
        let it = &mut kept.escalation;
        let live = it
            .grant
            .as_ref()
            .is_some_and(|grant| grant.state == GrantState::Live);
        if it.is_pending() || live {
            return Err(refused(
                "only what has ended and has no live grant is erased, for ever",
            ));
        }
        if !kept.is_erased {
            *it = numbered(it)?;
            kept.is_erased = true;
            self.state.escalations.set(id.to_owned(), Some(kept));
        }
        self.unpost(u32::MAX, |it| it.escalation == id);
        self.forget_attempts(id);
        let seqs: Vec<u64> = of(&self.state.chains, id).copied().collect();
        for seq in seqs {
            let row = self.state.audit.get(&seq);
            if let Some(AuditRow {
                row,
                payload: Ok(_),
            }) = row.cloned()
            {
                let payload = Err(Tombstone {
                    at: whole_micros(tombstone.at),
                    ..tombstone.clone()
                });
                self.state.audit.set(seq, Some(AuditRow { row, payload }));
            }
        }
        Ok(())
    }

    fn ended(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        let all = self.state.escalations.values().filter(|kept| {
            let it = &kept.escalation;
            it.due().is_none() && (!kept.is_erased || self.is_written_to(&it.pinned.id))
        });
        let ended = all.filter_map(|kept| {
            let end = kept.escalation.resolution.as_ref()?;
            Some((end.at, kept.escalation.pinned.id.clone()))
        });
        let mut ended: Vec<_> = ended.filter(|(at, _)| *at < before).collect();
        ended.sort();
        Ok(ended
            .into_iter()
            .take(limit as usize)
            .map(|(_, id)| id)
            .collect())
    }

    fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.state.settings.get(name).cloned())
    }

    fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.state
            .settings
            .set(name.to_owned(), Some(value.to_owned()));
        Ok(())
    }

    fn entry(&mut self, kind: EntryKind, key: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.state.entries.get(&(kind, key.to_owned())).cloned())
    }

    fn put_entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.keep_entry(entry)
    }

    fn drop_entry(&mut self, kind: EntryKind, key: &str) -> Result<bool, StoreError> {
        let key = (kind, key.to_owned());
        let is_there = self.state.entries.contains_key(&key);
        self.state.entries.set(key, None);
        Ok(is_there)
    }

    fn entries(
        &mut self,
        kind: EntryKind,
        owner: Option<&str>,
        behind: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let kept = self.entries_of(kind, owner);
        let kept = kept.filter(|it| behind.is_none_or(|behind| &*it.key > behind));
        Ok(kept.take(limit as usize).cloned().collect())
    }

    fn drop_entries_of(&mut self, kind: EntryKind, owner: &str) -> Result<u64, StoreError> {
        let kept = self.entries_of(kind, Some(owner));
        let keys = kept.map(|it| it.key.clone()).collect::<Vec<_>>();
        Ok(self.forget_entries(keys.into_iter().map(|key| (kind, key))))
    }

    fn drop_entries(&mut self, until: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.forget_old_entries(until, limit))
    }

    fn put_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        self.keep_attempt(attempt)
    }

    fn attempts(&mut self, query: &AttemptQuery) -> Result<Vec<(u64, Attempt)>, StoreError> {
        Ok(self.attempts_of(query))
    }

    fn taken_by(&mut self, notice: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.takers_of(notice))
    }

    fn drop_attempts(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.forget_old_attempts(before, limit))
    }

    fn redeliver(&mut self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.post_again(id, at))
    }
}
