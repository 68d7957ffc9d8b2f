//! The rows of an escalation, as JSON has them on the way to the database and back.
//!
//! In: parts of an escalation. Out: one struct for each table, a field for each column.
//! Invariant: names of fields are names of columns; a yes is 1 and a no is 0.
//! Knows no statement.

use postgres::Row;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::escalation::Principal;
use crate::escalation::audit::{Checkpoint, Digest, Payload, Row as AuditRow, Salt};
use crate::escalation::time::{as_micros, as_optional_micros, from_micros};
use crate::store::StoreError;

/// A count, or a position, from its column.
pub(super) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, StoreError> {
    let number: i64 = row
        .try_get(column)
        .map_err(|error| StoreError::corrupt(error.to_string()))?;
    of_range(number)
}

fn of_range<T: TryFrom<i64>>(number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::corrupt(format!("`{number}` is out of range")))
}

pub(super) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    let bytes = bytes.try_into();
    bytes
        .map(Digest)
        .map_err(|_| StoreError::corrupt("a digest has another length"))
}

fn salt(bytes: &[u8]) -> Result<Salt, StoreError> {
    let bytes = bytes.try_into();
    bytes
        .map(Salt)
        .map_err(|_| StoreError::corrupt("a salt has another length"))
}

/// A row of the audit with its payload.
pub(super) fn audit(row: &Row) -> Result<(AuditRow, Payload), StoreError> {
    let kept = AuditRow {
        seq: number(row, 0)?,
        tenant: row.get(1),
        escalation: row.get(2),
        n: number(row, 3)?,
        at: from_micros(row.get(4)),
        kind: row.get(5),
        payload: digest(row.get(6))?,
        previous: digest(row.get(7))?,
        hash: digest(row.get(8))?,
    };
    let text = |column: usize| row.get::<_, Option<String>>(column);
    let sealed = row.get::<_, Option<&[u8]>>(9);
    let payload = match (sealed, text(10), row.get::<_, Option<i64>>(11)) {
        (Some(sealed), Some(body), None) => Payload::Kept {
            salt: salt(sealed)?,
            body,
        },
        (None, None, Some(at)) => Payload::Erased {
            at: from_micros(at),
            by: text(12).unwrap_or_default(),
            why: text(13).unwrap_or_default(),
        },
        _ => Payload::Missing,
    };
    Ok((kept, payload))
}

/// A checkpoint of the audit.
pub(super) fn checkpoint(row: &Row) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        n: number(row, 0)?,
        seq: number(row, 1)?,
        rows: number(row, 2)?,
        chains: number(row, 3)?,
        root: digest(row.get(4))?,
        previous: digest(row.get(5))?,
        hash: digest(row.get(6))?,
        at: from_micros(row.get(7)),
    })
}

/// What of an escalation changes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EscalationRow {
    pub(super) round: u32,
    pub(super) digest: String,
    pub(super) readable: u8,
    pub(super) state: String,
    #[serde(with = "as_micros")]
    pub(super) last: Timestamp,
    #[serde(with = "as_optional_micros")]
    pub(super) due: Option<Timestamp>,
    #[serde(with = "as_optional_micros")]
    pub(super) respond_by: Option<Timestamp>,
    #[serde(with = "as_optional_micros")]
    pub(super) ended: Option<Timestamp>,
    pub(super) joined: u32,
    #[serde(with = "as_optional_micros")]
    pub(super) first_viewed: Option<Timestamp>,
    #[serde(with = "as_optional_micros")]
    pub(super) released: Option<Timestamp>,
    pub(super) undelivered: u32,
    pub(super) late_votes: u32,
}

/// What of it never does: written once.
#[derive(Debug, Serialize)]
pub(super) struct PinnedRow<'e> {
    #[serde(with = "as_micros")]
    pub(super) opened: Timestamp,
    #[serde(with = "as_micros")]
    pub(super) cap: Timestamp,
    pub(super) requester: &'e Principal,
    pub(super) key: &'e str,
    pub(super) digest0: &'e str,
    pub(super) matrix: &'e str,
    pub(super) lane: &'e str,
    pub(super) urgency: crate::decision::Urgency,
    pub(super) flood: &'e str,
    pub(super) group_key: Option<&'e str>,
    pub(super) asks: u8,
    pub(super) readable0: u8,
    pub(super) pinned: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SignOffRow {
    pub(super) n: u32,
    pub(super) lane: String,
    #[serde(with = "as_micros")]
    pub(super) cap: Timestamp,
    #[serde(with = "as_micros")]
    pub(super) ends_at: Timestamp,
    /// Absent where the database has it already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) plan: Option<String>,
    pub(super) state: String,
    pub(super) team: String,
    pub(super) quorum: u32,
    pub(super) next: u32,
    pub(super) hurried: u32,
    pub(super) shift: u64,
    #[serde(with = "as_optional_micros")]
    pub(super) due: Option<Timestamp>,
    #[serde(with = "as_micros")]
    pub(super) deadline: Timestamp,
    pub(super) allows: u8,
    #[serde(with = "as_optional_micros")]
    pub(super) decided: Option<Timestamp>,
}

/// The plan of a sign-off whose names are numbers.
#[derive(Debug, Serialize)]
pub(super) struct PlanRow {
    pub(super) n: u32,
    pub(super) plan: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SeatRow {
    pub(super) sign_off: u32,
    pub(super) n: u32,
    pub(super) person: Principal,
    pub(super) via: Option<String>,
    pub(super) for_whom: Option<Principal>,
    #[serde(with = "as_micros")]
    pub(super) since: Timestamp,
    #[serde(with = "as_optional_micros")]
    pub(super) until: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct VoteRow {
    pub(super) n: u32,
    pub(super) round: u32,
    pub(super) person: Principal,
    pub(super) kind: String,
    #[serde(with = "as_micros")]
    pub(super) at: Timestamp,
    pub(super) digest: String,
    pub(super) operator: Option<Principal>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ResolutionRow {
    pub(super) outcome: String,
    pub(super) end_how: Option<String>,
    #[serde(with = "as_micros")]
    pub(super) at: Timestamp,
    pub(super) cause: String,
    pub(super) by_silence: u8,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GrantRow {
    pub(super) state: String,
    pub(super) digest: String,
    #[serde(with = "as_micros")]
    pub(super) lapses: Timestamp,
    pub(super) consume_key: Option<String>,
    #[serde(with = "as_optional_micros")]
    pub(super) ended: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
pub(super) struct NoticeRow<'e> {
    pub(super) id: &'e str,
    pub(super) notice: String,
    pub(super) merge: Option<&'e str>,
    #[serde(with = "as_micros")]
    pub(super) at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(super) struct RequestRow {
    pub(super) requester: Principal,
    pub(super) key: String,
    pub(super) digest: String,
    pub(super) escalation: String,
    pub(super) joined: u8,
    #[serde(with = "as_micros")]
    pub(super) at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::of_range;
    use crate::store::StoreErrorKind;

    #[test]
    fn a_number_out_of_range_is_an_error_and_no_other_number() {
        assert_eq!(of_range::<u32>(7), Ok(7));
        let too_small = of_range::<u64>(-1).unwrap_err();
        let too_large = of_range::<u32>(1 << 32).unwrap_err();
        for error in [too_small, too_large] {
            assert_eq!(error.kind, StoreErrorKind::Corrupt);
        }
    }
}
