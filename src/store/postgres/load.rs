//! An escalation from its rows.
//!
//! In: the JSON of `laneway_stored` or `laneway_lock`. Out: [`Stored`].
//! Invariant: what is not understood is an error, and never left out.
//! Knows no statement.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::rows::{
    EscalationRow, GrantRow, RequestRow, ResolutionRow, SeatRow, SignOffRow, VoteRow,
};
use crate::clock::{Duration, Timestamp};
use crate::escalation::audit::Digest;
use crate::escalation::time::from_micros;
use crate::escalation::{
    End, Escalation, Grant, GrantState, Outcome, Pinned, Resolution, Seat, SignOff, SignOffState,
    Vote, VoteKind,
};
use crate::store::{Request, StoreError, Stored};

#[derive(Debug, Deserialize)]
struct Parts {
    escalation: Whole,
    sign_offs: Vec<SignOffRow>,
    seats: Vec<SeatRow>,
    votes: Vec<VoteRow>,
    resolution: Option<ResolutionRow>,
    grant: Option<GrantRow>,
    end: Option<ChainEnd>,
}

#[derive(Debug, Deserialize)]
struct Whole {
    pinned: String,
    #[serde(flatten)]
    row: EscalationRow,
}

/// The end of the audit chain.
#[derive(Debug, Deserialize)]
struct ChainEnd {
    n: u64,
    hash: Digest,
}

/// Reads JSON of the database.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("a row cannot be read: {error}")))
}

/// Reads an escalation that was locked, and the time that was read behind the lock.
pub(super) fn locked(text: &str) -> Result<(Timestamp, Stored), StoreError> {
    let (now, parts): (i64, Parts) = json(text)?;
    Ok((from_micros(now), put_together(parts)?))
}

/// Reads an escalation.
pub(super) fn stored(text: &str) -> Result<Stored, StoreError> {
    put_together(json(text)?)
}

fn put_together(parts: Parts) -> Result<Stored, StoreError> {
    let row = parts.escalation.row;
    let pinned: Pinned = json(&parts.escalation.pinned)?;
    let mut sign_offs = Vec::with_capacity(parts.sign_offs.len());
    for (position, sign_off) in parts.sign_offs.into_iter().enumerate() {
        in_order(position, sign_off.n)?;
        sign_offs.push(self::sign_off(sign_off)?);
    }
    for row in parts.seats {
        let sign_off = sign_offs.get_mut(row.sign_off as usize);
        let sign_off: &mut SignOff =
            sign_off.ok_or_else(|| StoreError::corrupt("a seat of no sign-off"))?;
        in_order(sign_off.seats.len(), row.n)?;
        sign_off.seats.push(Seat {
            person: row.person,
            via: row.via,
            for_whom: row.for_whom,
            since: row.since,
            until: row.until,
        });
    }
    let mut votes = Vec::with_capacity(parts.votes.len());
    for (position, vote) in parts.votes.into_iter().enumerate() {
        in_order(position, vote.n)?;
        votes.push(self::vote(vote)?);
    }
    let resolution = parts.resolution.map(resolution).transpose()?;
    let state = resolution
        .as_ref()
        .map_or("pending", |it| it.outcome.as_str());
    if state != row.state {
        return Err(StoreError::corrupt(
            "the state of an escalation is not that of its resolution",
        ));
    }
    let end = parts
        .end
        .ok_or_else(|| StoreError::corrupt("an escalation without an audit"))?;
    Ok(Stored {
        escalation: Escalation {
            pinned: Arc::new(pinned),
            last: row.last,
            round: row.round,
            digest: row.digest,
            is_readable: row.readable == 1,
            sign_offs,
            votes,
            resolution,
            grant: parts.grant.map(grant).transpose()?,
            joined: row.joined,
            first_viewed: row.first_viewed,
            released: row.released,
            undelivered: row.undelivered,
            late_votes: row.late_votes,
        },
        n: end.n,
        head: end.hash,
    })
}

/// Reads a request.
pub(super) fn request(text: &str) -> Result<Request, StoreError> {
    let row: RequestRow = json(text)?;
    Ok(Request {
        requester: row.requester,
        key: row.key,
        digest: row.digest,
        escalation: row.escalation,
        joined: row.joined == 1,
        at: row.at,
    })
}

fn sign_off(row: SignOffRow) -> Result<SignOff, StoreError> {
    let plan = row
        .plan
        .ok_or_else(|| StoreError::corrupt("a sign-off without a plan"))?;
    Ok(SignOff {
        plan: Arc::new(json(&plan)?),
        state: word(&row.state, SignOffState::from_word)?,
        team: row.team,
        quorum: row.quorum,
        next: row.next,
        hurried: row.hurried,
        shift: Duration::from_millis(row.shift),
        seats: Vec::new(),
        decided: row.decided,
    })
}

fn vote(row: VoteRow) -> Result<Vote, StoreError> {
    Ok(Vote {
        round: row.round,
        person: row.person,
        kind: word(&row.kind, VoteKind::from_word)?,
        at: row.at,
        digest: row.digest,
        operator: row.operator,
    })
}

fn resolution(row: ResolutionRow) -> Result<Resolution, StoreError> {
    let end = row.end_how.as_deref();
    Ok(Resolution {
        outcome: word(&row.outcome, Outcome::from_word)?,
        end: end.map(|end| word(end, End::from_word)).transpose()?,
        at: row.at,
        cause: json(&row.cause)?,
        by_silence: row.by_silence == 1,
    })
}

fn grant(row: GrantRow) -> Result<Grant, StoreError> {
    Ok(Grant {
        state: word(&row.state, GrantState::from_word)?,
        digest: row.digest,
        lapses: row.lapses,
        consume_key: row.consume_key,
        ended: row.ended,
    })
}

/// A word of the lifecycle.
pub(super) fn word<T>(word: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
    read(word).ok_or_else(|| StoreError::corrupt(format!("`{word}` is no word of this program")))
}

fn in_order(position: usize, n: u32) -> Result<(), StoreError> {
    match usize::try_from(n) == Ok(position) {
        true => Ok(()),
        false => Err(StoreError::corrupt("a row of an escalation is missing")),
    }
}
