//! The lifecycle of an escalation: what it demands, who may answer, how it ends.
//!
//! In: an [`Escalation`], a [`Command`] and the instant. Out: the escalation after it, an answer or a
//! [`Refusal`], the [`Record`]s of the audit and the [`Notice`]s that leave through the outbox.
//! Invariant: one end, never left again; an approval has the votes of each sign-off, in time, or a
//! pinned `allow` step; a waiting sign-off has a deadline. Rule numbers are those of the lifecycle in
//! `grammar/lifecycle.md`.
//! Knows no store, reads no clock, sends nothing.

mod apply;
pub mod audit;
mod command;
mod effect;
pub mod invariants;
mod opening;
pub mod packet;
pub mod people;
mod plan;
pub mod policy;
pub mod principal;
mod state;
pub mod time;
pub mod timeline;

pub use crate::decision::stricter::{self, Demand, Demands, Stricter, stricter};
pub use apply::{Applied, Context, apply};
pub use command::{Actor, Amendment, Command, Refusal, Reply, Role, Standing, VoteOf};
pub use effect::{About, Notice, Recipient, Record, RecordKind};
pub use opening::{Counts, Opening, added_plans, group_of, open};
pub use people::Directory;
pub use plan::{Asked, Does, Plan, PlannedStep, Roster};
pub use policy::Policy;
pub use principal::{Principal, PrincipalError};
pub use state::{
    Cause, End, Escalation, Grant, GrantState, Outcome, Pinned, Resolution, Seat, SignOff,
    SignOffState, Vote, VoteKind,
};
