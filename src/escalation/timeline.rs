//! What would become of an escalation: who is told what and when, and how it ends.
//!
//! In: an opening, and what people say at which instants. Out: every moment until the end, by the rules
//! themselves.
//! Invariant: nothing is stored; each step comes at its own instant, as if a desk had looked just then.

use super::command::{Actor, Command, Refusal, Role};
use super::effect::{Notice, Record};
use super::opening::{Counts, Opening, open};
use super::people::Directory;
use super::policy::Policy;
use super::principal::Principal;
use super::state::Escalation;
use super::{Context, apply};
use crate::clock::Timestamp;

/// Something that someone says at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub command: Command,
}

/// One instant of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// Who said something, where it was not time alone.
    pub by: Option<Principal>,
    /// What happened.
    pub records: Vec<Record>,
    /// What was sent.
    pub notices: Vec<Notice>,
    /// Why what was said was refused.
    pub refusal: Option<Refusal>,
}

/// What became of an escalation.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The instants at which something happened, in order.
    pub moments: Vec<Moment>,
    /// As it is behind the last of them.
    pub end: Escalation,
}

/// Steps of a timeline: a plan has at most so many, whatever a matrix says.
const MOMENTS: usize = 100_000;

impl Timeline {
    /// Opens it at an instant, and lets time pass until nothing is due any more. What is said comes in the
    /// order of its instants; what is said later than the last due instant is still said.
    #[must_use]
    pub fn of(
        opening: &Opening<'_>,
        opened: Timestamp,
        directory: &Directory,
        policy: &Policy,
        said: &[Said],
    ) -> Self {
        let context = |now| Context {
            now,
            is_confirmed: true,
            directory,
            policy,
        };
        let first = open(opening, Counts::default(), context(opened));
        let mut timeline = Self {
            moments: vec![Moment {
                at: opened,
                by: None,
                records: first.records,
                notices: first.notices,
                refusal: None,
            }],
            end: first.after,
        };
        let mut said: Vec<&Said> = said.iter().collect();
        said.sort_by_key(|said| said.at);
        let mut said = said.into_iter().peekable();
        let engine = Actor {
            principal: opening.requester.clone(),
            role: Role::Engine,
            operator: None,
        };
        while timeline.moments.len() < MOMENTS {
            let due = timeline.end.due();
            let next = said.peek().map(|said| said.at);
            match (due, next) {
                // At one instant time passes first (rule 4).
                (Some(due), next) if next.is_none_or(|next| due <= next) => {
                    timeline.pass(due, None, &Command::Tick, &engine, context(due));
                }
                (_, Some(_)) => {
                    let Some(said) = said.next() else { break };
                    let at = said.at.max(opened);
                    let by = Some(said.actor.principal.clone());
                    timeline.pass(at, by, &said.command, &said.actor, context(at));
                }
                (None, None) => break,
                (Some(_), None) => {}
            }
        }
        timeline
    }

    fn pass(
        &mut self,
        at: Timestamp,
        by: Option<Principal>,
        command: &Command,
        actor: &Actor,
        context: Context<'_>,
    ) {
        let applied = apply(&self.end, command, actor, context);
        self.end = applied.after;
        self.moments.push(Moment {
            at,
            by,
            records: applied.records,
            notices: applied.notices,
            refusal: applied.answer.err(),
        });
    }
}
