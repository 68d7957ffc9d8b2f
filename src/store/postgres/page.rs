//! Pages of escalations.
//!
//! In: a [`Query`]. Out: one statement with its values, and summaries from its rows.
//! Invariant: what a person typed is a value, never a part of the statement.
//! Knows no rule of the lifecycle.

use postgres::Row;
use postgres::types::{ToSql, Type};

use super::load::word;
use super::rows::number;
use super::transaction::instant;
use crate::decision::Urgency;
use crate::escalation::time::micros;
use crate::escalation::{Outcome, Principal};
use crate::store::narrow::{Filter, Narrow};
use crate::store::{Order, Query, StoreError, Summary, TENANT};

/// A statement in the making.
#[derive(Default)]
pub(super) struct Page {
    pub(super) sql: String,
    values: Vec<Box<dyn ToSql + Sync>>,
    types: Vec<Type>,
}

const SELECT: &str = "SELECT id, lane, urgency, requester, opened, state, ended, \
    coalesce((SELECT by_silence FROM resolutions r \
      WHERE r.tenant = e.tenant AND r.escalation = e.id), 0), \
    due, respond_by, first_viewed, \
    ARRAY(SELECT team FROM sign_offs s \
      WHERE s.tenant = e.tenant AND s.escalation = e.id ORDER BY n), \
    joined, late_votes, undelivered, erased, digest \
    FROM escalations e WHERE tenant = ";

/// The pending escalations of each filter, by an index of its own.
const OF_REQUESTER: &str =
    "SELECT id FROM escalations WHERE tenant = $1 AND state = 'pending' AND requester = $2";
const OF_LANE: &str =
    "SELECT id FROM escalations WHERE tenant = $1 AND state = 'pending' AND lane = $2";
const OF_URGENCY: &str =
    "SELECT id FROM escalations WHERE tenant = $1 AND state = 'pending' AND urgency = $2";
const OF_TEAM: &str =
    "SELECT escalation FROM sign_offs WHERE tenant = $1 AND state = 'waiting' AND team = $2";
const OF_PERSON: &str =
    "SELECT escalation FROM seats WHERE tenant = $1 AND until IS NULL AND person = $2";

fn text_by(filter: Filter) -> &'static str {
    match filter {
        Filter::Requester => OF_REQUESTER,
        Filter::Lane => OF_LANE,
        Filter::Urgency => OF_URGENCY,
        Filter::Team => OF_TEAM,
        Filter::Person => OF_PERSON,
    }
}

impl Page {
    /// How many a filter leaves, at most so many.
    pub(super) fn count(few: Narrow<'_>, most: u32) -> Self {
        let mut page = Self::default();
        page.text(TENANT);
        page.text(few.value);
        page.sql = format!("SELECT count(*) FROM ({} LIMIT ", text_by(few.by));
        page.number(i64::from(most));
        page.sql += ") f";
        page
    }

    /// The statement of a query.
    pub(super) fn of(query: &Query, few: Option<Narrow<'_>>) -> Self {
        let mut page = Self::default();
        match few {
            None => {
                page.sql = SELECT.to_owned();
                page.text(TENANT);
            }
            Some(few) => {
                page.text(TENANT);
                page.text(few.value);
                // Materialized: it is read first, and as a whole.
                page.sql = format!("WITH f AS MATERIALIZED ({}) {SELECT}$1", text_by(few.by));
                page.sql += " AND id IN (SELECT * FROM f)";
            }
        }
        let is_due = query.order == Order::Due;
        match query.pending {
            Some(true) => page.sql += " AND state = 'pending'",
            Some(false) => page.sql += " AND state <> 'pending'",
            None => {}
        }
        // Only what is pending has an order of what is due.
        if is_due && query.pending != Some(true) {
            page.sql += " AND state = 'pending'";
        }
        if is_due {
            // The index has only these, and does not follow it from the cursor.
            page.sql += " AND due IS NOT NULL";
        }
        if let Some(outcome) = query.outcome {
            page.and_text("state = ", outcome.as_str());
        }
        if let Some(lane) = &query.lane {
            page.and_text("lane = ", lane);
        }
        if let Some(urgency) = query.urgency {
            page.and_text("urgency = ", urgency.as_str());
        }
        if let Some(requester) = &query.requester {
            page.and_text("requester = ", requester.as_str());
        }
        if let Some(team) = &query.team {
            page.sql += " AND EXISTS (SELECT 1 FROM sign_offs s WHERE s.tenant = e.tenant \
                AND s.escalation = e.id AND s.state = 'waiting' AND s.team = ";
            page.text(team);
            page.sql += ")";
        }
        if let Some(person) = &query.person {
            page.sql += " AND EXISTS (SELECT 1 FROM seats t JOIN sign_offs s \
                ON s.tenant = t.tenant AND s.escalation = t.escalation AND s.n = t.sign_off \
                WHERE t.tenant = e.tenant AND t.escalation = e.id AND t.until IS NULL \
                AND s.state = 'waiting' AND t.person = ";
            page.text(person.as_str());
            page.sql += ")";
        }
        if let Some(since) = query.since {
            page.and_number("opened >= ", micros(since));
        }
        if let Some(before) = query.before {
            page.and_number("opened < ", micros(before));
        }
        if let Some(behind) = &query.behind {
            page.sql += match is_due {
                true => " AND (due, id) > (",
                false => " AND (opened, id) < (",
            };
            page.number(micros(behind.at));
            page.sql += ", ";
            page.text(&behind.id);
            page.sql += ")";
        }
        page.sql += match is_due {
            true => " ORDER BY due, id LIMIT ",
            false => " ORDER BY opened DESC, id DESC LIMIT ",
        };
        page.number(i64::from(query.limit));
        page
    }

    /// Its values, with their types.
    pub(super) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        let values = self.values.iter().map(|value| &**value);
        values.zip(self.types.iter().cloned()).collect()
    }

    fn and_text(&mut self, test: &str, value: &str) {
        self.sql += " AND ";
        self.sql += test;
        self.text(value);
    }

    fn and_number(&mut self, test: &str, value: i64) {
        self.sql += " AND ";
        self.sql += test;
        self.number(value);
    }

    fn text(&mut self, value: &str) {
        self.value(Box::new(value.to_owned()), Type::TEXT);
    }

    fn number(&mut self, value: i64) {
        self.value(Box::new(value), Type::INT8);
    }

    fn value(&mut self, value: Box<dyn ToSql + Sync>, as_a: Type) {
        self.values.push(value);
        self.types.push(as_a);
        self.sql += &format!("${}", self.values.len());
    }
}

/// Reads a row of a page.
pub(super) fn summary(row: &Row) -> Result<Summary, StoreError> {
    let state: String = row.get(5);
    let outcome = match state.as_str() {
        "pending" => None,
        ended => Some(word(ended, Outcome::from_word)?),
    };
    let optional = |column: usize| row.get::<_, Option<i64>>(column).map(instant);
    Ok(Summary {
        id: row.get(0),
        lane: row.get(1),
        urgency: word(row.get(2), Urgency::from_word)?,
        digest: row.get(16),
        requester: principal(row.get(3))?,
        opened: instant(row.get(4)),
        outcome,
        ended: optional(6),
        by_silence: row.get::<_, i64>(7) == 1,
        due: optional(8),
        respond_by: optional(9),
        first_viewed: optional(10),
        teams: row.get(11),
        joined: number(row, 12)?,
        late_votes: number(row, 13)?,
        undelivered: number(row, 14)?,
        is_erased: row.get::<_, i64>(15) != 0,
    })
}

fn principal(name: &str) -> Result<Principal, StoreError> {
    serde_json::from_value(serde_json::Value::from(name))
        .map_err(|error| StoreError::corrupt(format!("a name cannot be read: {error}")))
}
