//! Lists of escalations.
//!
//! In: a [`Query`]. Out: a page of [`Summary`]s. Invariant: a page is read by an index, from its cursor on,
//! or from a filter that few match; pages that follow each other miss nothing that was there and show
//! nothing twice.
//! Knows no view.

use rusqlite::{Row, ToSql, params, params_from_iter};

use super::columns::Columns;
use super::transaction::SqliteTransaction;
use crate::decision::Urgency;
use crate::escalation::Outcome;
use crate::escalation::time::micros;
#[cfg(test)]
use crate::store::narrow::filters;
use crate::store::narrow::{Filter, Narrow, fewest};
use crate::store::transaction::{Order, Query, StoreError, Summary};

const COLUMNS: &str = "SELECT e.id, e.lane, e.urgency, e.requester, e.opened, e.state, e.ended,
    coalesce((SELECT r.by_silence FROM resolutions AS r
        WHERE r.tenant = e.tenant AND r.escalation = e.id), 0),
    e.due, e.respond_by, e.first_viewed, e.joined, e.late_votes, e.undelivered, e.erased, e.digest FROM ";
const TEAMS: &str = "SELECT team FROM sign_offs WHERE tenant = ?1 AND escalation = ?2 ORDER BY n";

/// The pending escalations of each filter, by an index of its own.
const OF_REQUESTER: &str = "SELECT id FROM escalations INDEXED BY escalations_pending_of_requester
    WHERE tenant = ? AND requester = ? AND state = 'pending'";
const OF_LANE: &str = "SELECT id FROM escalations INDEXED BY escalations_pending_of_lane
    WHERE tenant = ? AND lane = ? AND state = 'pending'";
const OF_URGENCY: &str = "SELECT id FROM escalations INDEXED BY escalations_pending_of_urgency
    WHERE tenant = ? AND urgency = ? AND state = 'pending'";
const OF_TEAM: &str = "SELECT escalation AS id FROM sign_offs INDEXED BY sign_offs_waiting_of_team
    WHERE tenant = ? AND team = ? AND state = 'waiting'";
const OF_PERSON: &str = "SELECT escalation AS id FROM seats INDEXED BY seats_of_person
    WHERE tenant = ? AND person = ? AND until IS NULL";

fn text_by(filter: Filter) -> &'static str {
    match filter {
        Filter::Requester => OF_REQUESTER,
        Filter::Lane => OF_LANE,
        Filter::Urgency => OF_URGENCY,
        Filter::Team => OF_TEAM,
        Filter::Person => OF_PERSON,
    }
}

fn count_by(filter: Filter) -> String {
    format!("SELECT count(*) FROM ({} LIMIT ?)", text_by(filter))
}

/// The text of a statement with its values.
struct Statement<'q> {
    text: String,
    values: Vec<Box<dyn ToSql + 'q>>,
}

impl<'q> Statement<'q> {
    fn also(&mut self, condition: &str, values: impl IntoIterator<Item = Box<dyn ToSql + 'q>>) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.values.extend(values);
    }

    fn also_if<T: ToSql + 'q>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            let value: Box<dyn ToSql + 'q> = Box::new(value);
            self.also(condition, [value]);
        }
    }
}

fn statement<'q>(query: &'q Query, few: Option<Narrow<'q>>, tenant: &'q str) -> Statement<'q> {
    let mut it = Statement {
        text: COLUMNS.to_owned(),
        values: vec![Box::new(tenant)],
    };
    match few {
        None => it.text.push_str("escalations AS e WHERE e.tenant = ?"),
        Some(few) => {
            // A cross join is done in the order of its writing.
            it.text.push_str("(SELECT DISTINCT id FROM (");
            it.text.push_str(text_by(few.by));
            it.text
                .push_str(")) AS f CROSS JOIN escalations AS e ON e.id = f.id AND e.tenant = ?");
            it.values
                .extend([Box::new(few.value) as Box<dyn ToSql + 'q>, Box::new(tenant)]);
        }
    }
    let by_due = query.order == Order::Due;
    match query.pending {
        Some(false) => it.also("e.state <> 'pending'", []),
        Some(true) => it.also("e.state = 'pending'", []),
        None if by_due => it.also("e.state = 'pending'", []),
        None => {}
    }
    if by_due {
        it.also("e.due IS NOT NULL", []);
        if query.pending == Some(false) {
            it.also("e.state = 'pending'", []);
        }
    }
    it.also_if("e.state = ?", query.outcome.map(Outcome::as_str));
    it.also_if("e.lane = ?", query.lane.as_deref());
    it.also_if("e.urgency = ?", query.urgency.map(Urgency::as_str));
    let requester = query.requester.as_ref();
    it.also_if("e.requester = ?", requester.map(|who| who.as_str()));
    it.also_if("e.opened >= ?", query.since.map(micros));
    it.also_if("e.opened < ?", query.before.map(micros));
    it.also_if(
        "EXISTS (SELECT 1 FROM sign_offs AS s WHERE s.tenant = e.tenant AND s.escalation = e.id
            AND s.state = 'waiting' AND s.team = ?)",
        query.team.as_deref(),
    );
    it.also_if(
        "EXISTS (SELECT 1 FROM sign_offs AS s JOIN seats AS p ON p.tenant = s.tenant
            AND p.escalation = s.escalation AND p.sign_off = s.n
            WHERE s.tenant = e.tenant AND s.escalation = e.id AND s.state = 'waiting'
            AND p.person = ? AND p.until IS NULL)",
        query.person.as_ref().map(|who| who.as_str()),
    );
    if let Some(behind) = &query.behind {
        let condition = match by_due {
            true => "(e.due, e.id) > (?, ?)",
            false => "(e.opened, e.id) < (?, ?)",
        };
        let at: Box<dyn ToSql + 'q> = Box::new(micros(behind.at));
        it.also(condition, [at, Box::new(behind.id.as_str())]);
    }
    it.text.push_str(match by_due {
        true => " ORDER BY e.due, e.id LIMIT ?",
        false => " ORDER BY e.opened DESC, e.id DESC LIMIT ?",
    });
    it.values.push(Box::new(query.limit));
    it
}

impl SqliteTransaction<'_> {
    pub(super) fn list(&self, query: &Query) -> Result<Vec<Summary>, StoreError> {
        let few = fewest(query, |few, most| {
            let values = params![self.tenant(), few.value, most];
            Ok(self.one(&count_by(few.by), values)?.unwrap_or(0))
        })?;
        let statement = statement(query, few, self.tenant());
        let values = params_from_iter(&statement.values);
        let mut page = self.select(&statement.text, values, summary)?;
        for it in &mut page {
            let teams = self.select(TEAMS, [self.tenant(), &it.id], |row| Ok(row.get(0)?))?;
            it.teams = teams;
        }
        Ok(page)
    }
}

fn summary(row: &Row<'_>) -> Result<Summary, StoreError> {
    let row = Columns(row);
    let state: String = row.get(5)?;
    let outcome = (state != "pending").then(|| row.word(5, Outcome::from_word));
    Ok(Summary {
        id: row.get(0)?,
        lane: row.get(1)?,
        urgency: row.word(2, Urgency::from_word)?,
        digest: row.get(15)?,
        requester: row.principal(3)?,
        opened: row.instant(4)?,
        outcome: outcome.transpose()?,
        ended: row.instant_if(6)?,
        by_silence: row.get(7)?,
        due: row.instant_if(8)?,
        respond_by: row.instant_if(9)?,
        first_viewed: row.instant_if(10)?,
        teams: Vec::new(),
        joined: row.number(11)?,
        late_votes: row.number(12)?,
        undelivered: row.number(13)?,
        is_erased: row.get(14)?,
    })
}

/// The text of each kind of list, for the test that looks at how it is read.
#[cfg(test)]
pub(super) fn text_of(query: &Query) -> String {
    statement(query, None, "main").text
}

/// The same where few match a filter, for each of its filters, with the count of those.
#[cfg(test)]
pub(super) fn texts_of_few(query: &Query) -> Vec<String> {
    let texts = filters(query).flat_map(|few| {
        let list = statement(query, Some(few), "main").text;
        [list, count_by(few.by)]
    });
    texts.collect()
}
