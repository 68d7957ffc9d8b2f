//! After a restore: what was lost since the backup must not be relied upon.
//!
//! In: a store as it was some time ago. Out: the same, in a new epoch: permissions are taken back, and those who
//! are asked are told again.
//! Invariant: a permission that may have been used since the backup is not used again.

use std::collections::BTreeSet;

use super::due::engine;
use super::{Desk, DeskError};
use crate::escalation::{Command, GrantState};
use crate::store::{AttemptQuery, Cursor, Order, Query, Summary, read, write};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// The number of the epoch that begins.
    pub epoch: u64,
    /// Permissions that were taken back.
    pub revoked: u64,
    /// Notices that are sent again.
    pub told: u64,
}

/// Escalations that are looked at together.
const PAGE: u32 = 500;

impl Desk {
    /// Begins a new epoch, behind a restore.
    ///
    /// # Errors
    /// When the store fails; to begin again is safe.
    pub fn restored(&self) -> Result<Restored, DeskError> {
        let mut done = Restored::default();
        // First what is dangerous.
        self.each(Some(false), |desk, it| {
            let grant = desk.show(&it.id)?.escalation.grant;
            if grant.is_some_and(|grant| grant.state == GrantState::Live) {
                let reason = Some("the store was restored from a backup".to_owned());
                desk.act(&it.id, Command::Revoke { reason }, engine())?;
                done.revoked += 1;
            }
            Ok(())
        })?;
        self.each(Some(true), |desk, it| {
            done.told += desk.tell_again(&it.id)?;
            Ok(())
        })?;
        done.epoch = write(self.inner.store.as_ref(), |transaction| {
            let last = transaction.setting("epoch")?;
            let next = last.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
            transaction.put_setting("epoch", &next.to_string())?;
            Ok(next)
        })?;
        Ok(done)
    }

    /// Sends what was sent of a pending escalation again. How many notices.
    fn tell_again(&self, id: &str) -> Result<u64, DeskError> {
        let it = self.show(id)?.escalation;
        let asked = it.sign_offs.iter().flat_map(|sign_off| sign_off.seated());
        let mut notices: BTreeSet<String> = asked
            .map(|seat| format!("{id}/asked/{}", seat.person))
            .collect();
        let of = id.to_owned();
        let tried = read(self.inner.store.as_ref(), move |transaction| {
            transaction.attempts(&AttemptQuery {
                escalation: Some(of.clone()),
                limit: PAGE,
                ..AttemptQuery::default()
            })
        })?;
        notices.extend(tried.into_iter().map(|(_, attempt)| attempt.notice));
        let at = self.now()?.at;
        Ok(write(self.inner.store.as_ref(), move |transaction| {
            let mut told = 0;
            for notice in &notices {
                told += u64::from(transaction.redeliver(notice, at)?);
            }
            Ok(told)
        })?)
    }

    fn each(
        &self,
        pending: Option<bool>,
        mut what: impl FnMut(&Self, &Summary) -> Result<(), DeskError>,
    ) -> Result<(), DeskError> {
        let mut behind = None;
        loop {
            let page = self.page(Query {
                pending,
                order: Order::Newest,
                behind,
                limit: PAGE,
                ..Query::default()
            })?;
            for it in &page {
                what(self, it)?;
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => {
                    behind = Some(Cursor::behind(last, Order::Newest));
                }
                _ => return Ok(()),
            }
        }
    }
}
