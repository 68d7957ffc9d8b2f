//! The opening: from a decision to an escalation (rules 1, 3, 9, 12 and 13).
//!
//! In: an escalate decision with its matrix, who asked, how much is open. Out: the escalation, its
//! first record and notices.
//! Invariant: all that it will ever need of the matrix and the directory is in it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::apply::{Applied, Context, Telling, Work, raw};
use super::command::Reply;
use super::effect::{About, RecordKind};
use super::people::Directory;
use super::plan::{Occasion, Plan};
use super::principal::Principal;
use super::state::{Cause, Escalation, Outcome, Pinned, SignOff};
use super::stricter::Demands;
use super::time::stored;
use crate::decision::{AttachedLane, Decision, State, Urgency};
use crate::event::digest::of_text;
use crate::matrix::Matrix;

/// What is to be opened.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// The id, unique in the store.
    pub id: String,
    /// The decision; its verdict is `escalate`.
    pub decision: &'a Decision,
    /// The matrix that decided.
    pub matrix: &'a Matrix,
    /// Whether the event could be read.
    pub is_readable: bool,
    /// Who asked, as it was authenticated.
    pub requester: Principal,
    /// Who asks as that requester on a local command line that permits it.
    pub operator: Option<Principal>,
    /// The agent on whose behalf, where the requester names one.
    pub agent: Option<Principal>,
    /// The idempotency key.
    pub key: String,
    /// Whether the event asks for an action, and does not only report one.
    pub asks: bool,
    /// The evidence packet as JSON.
    pub packet: String,
}

/// How many escalations are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of the requester.
    pub of_requester: u64,
    /// Of the requester, lane and group.
    pub of_flood: u64,
}

/// Opens an escalation.
#[must_use]
pub fn open(opening: &Opening<'_>, counts: Counts, context: Context<'_>) -> Applied {
    let pinned = Arc::new(opening.pinned(&context));
    let occasion = Occasion {
        opened: pinned.opened,
        cap: pinned.cap,
        is_readable: pinned.is_readable,
    };
    let plans = plans(
        opening.decision,
        opening.matrix,
        context.directory,
        occasion,
    );
    let it = Escalation {
        last: pinned.opened,
        round: 1,
        digest: pinned.digest.clone(),
        is_readable: pinned.is_readable,
        sign_offs: plans
            .into_iter()
            .map(|plan| SignOff::of(Arc::new(plan)))
            .collect(),
        votes: Vec::new(),
        resolution: None,
        grant: None,
        joined: 0,
        first_viewed: None,
        released: None,
        undelivered: 0,
        late_votes: 0,
        pinned,
    };
    let mut work = Work::new(it, context);
    work.record_text(RecordKind::Opened, opening.record(&work.it));
    // Rule 13: stored at once as denied by the engine.
    if counts.of_requester >= u64::from(context.policy.open_per_requester) {
        work.resolve(Outcome::Denied, None, Cause::Flood);
        return work.end(Ok(Reply::Done));
    }
    for position in 0..work.it.sign_offs.len() {
        let plan = work
            .it
            .sign_offs
            .get(position)
            .map(|it| Arc::clone(&it.plan));
        if let Some(roster) = plan.as_ref().and_then(|plan| plan.rosters.get(&plan.team)) {
            work.seat(position, &roster.first);
        }
    }
    let all: Vec<usize> = (0..work.it.sign_offs.len()).collect();
    let telling = Telling {
        id: "asked",
        again: false,
        merges: counts.of_flood >= u64::from(context.policy.open_per_group),
    };
    work.tell(&all, telling);
    // Rule 11: what the caller is asked to do meanwhile.
    for action in &opening.decision.also {
        work.tell_caller(
            &format!("also/{action}"),
            None,
            About::Action(action.clone()),
        );
    }
    work.stay_satisfiable();
    if work.it.is_pending() {
        work.find_reachable();
        work.stay_satisfiable();
    }
    // Nothing is demanded by a decision without sign-offs: that is no approval.
    if work.it.sign_offs.is_empty() {
        let lane = work.it.pinned.lane.clone();
        work.resolve(Outcome::Denied, None, Cause::UnsatisfiableQuorum(lane));
    }
    work.end(Ok(Reply::Done))
}

/// The sign-offs that a changed event demands, of what could not be read before (rule 2): their time
/// starts now, and ends by the cap of the escalation.
#[must_use]
pub fn added_plans(
    decision: &Decision,
    matrix: &Matrix,
    directory: &Directory,
    escalation: &Escalation,
    now: crate::clock::Timestamp,
) -> Vec<Plan> {
    let occasion = Occasion {
        opened: stored(now),
        cap: escalation.pinned.cap,
        is_readable: true,
    };
    plans(decision, matrix, directory, occasion)
}

fn plans(
    decision: &Decision,
    matrix: &Matrix,
    directory: &Directory,
    occasion: Occasion,
) -> Vec<Plan> {
    let lanes = decision.lanes.iter();
    lanes
        .filter_map(|lane| Plan::of(lane, matrix, directory, occasion))
        .collect()
}

/// Why joining is asked for: equal for decisions whose lanes all have `group by`, and equal values
/// there; absent where one has none, or a value is missing.
#[must_use]
pub fn group_of(decision: &Decision) -> Option<String> {
    let mut lanes: Vec<&AttachedLane> = decision.lanes.iter().collect();
    lanes.sort_by(|one, other| one.lane.cmp(&other.lane));
    let is_whole =
        |lane: &&AttachedLane| !lane.group.is_empty() && lane.group.values().all(Option::is_some);
    if lanes.is_empty() || !lanes.iter().all(is_whole) {
        return None;
    }
    let words: Vec<Value> = lanes
        .iter()
        .map(|lane| json!([lane.lane, lane.state == State::Unsure, lane.group]))
        .collect();
    Some(digest(&json!([decision.matrix.digest, words])))
}

fn digest(words: &Value) -> String {
    of_text(&words.to_string())
}

impl Opening<'_> {
    fn pinned(&self, context: &Context<'_>) -> Pinned {
        let opened = stored(context.now);
        let longest = context.policy.longest.to_chrono();
        let primary = self.decision.lanes.first();
        Pinned {
            id: self.id.clone(),
            opened,
            cap: opened.checked_add_signed(longest).unwrap_or(opened),
            requester: self.requester.clone(),
            agent: self.agent.clone(),
            excluded: self.excluded(context.directory),
            key: self.key.clone(),
            digest: self.decision.action_digest.clone(),
            matrix: self.decision.matrix.digest.clone(),
            lane: self.decision.by.clone(),
            urgency: primary.map_or(Urgency::High, |lane| lane.urgency),
            holds: self.decision.meanwhile,
            is_readable: self.is_readable,
            asks: self.asks,
            group: group_of(self.decision),
            flood: self.flood(),
            demands: Demands::of(self.decision, self.matrix),
        }
    }

    /// Equal for those whose notices merge in a flood: of one requester, lane and group (rule 13).
    #[must_use]
    pub fn flood(&self) -> String {
        let primary = self.decision.lanes.first();
        let group = primary.map(|lane| json!([lane.lane, lane.group]));
        digest(&json!([self.requester, self.decision.by, group]))
    }

    /// Rule 3: the requester, the agent, and those whose agents they are.
    fn excluded(&self, directory: &Directory) -> Vec<Principal> {
        let mut excluded = vec![self.requester.clone()];
        excluded.extend(self.agent.clone());
        let owners: Vec<Principal> = excluded
            .iter()
            .flat_map(|agent| directory.owners_of(agent).iter().cloned())
            .collect();
        excluded.extend(owners);
        excluded.sort();
        excluded.dedup();
        excluded
    }

    fn record(&self, it: &Escalation) -> String {
        // The sentence of the decision is in the packet, without what is redacted.
        let by = super::apply::by(&super::Actor {
            operator: self.operator.clone(),
            ..super::Actor::new(self.requester.clone())
        });
        let said = json!({
            "requester": it.pinned.requester, "agent": it.pinned.agent, "key": it.pinned.key,
            "lane": it.pinned.lane, "digest": it.pinned.digest, "matrix": it.pinned.matrix,
            "by": by,
        });
        let said = said.to_string();
        let said = said.trim_end_matches('}');
        format!(r#"{said},"evidence":{}}}"#, raw(&self.packet))
    }
}
