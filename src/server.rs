//! The service: decisions, escalations and answers over HTTP, and the pages of the dashboard.
//!
//! In: a matrix, `laneway.toml`, requests. Out: answers, and what a desk carries on meanwhile.
//! Invariant: who acts is known from the transport and never from a body (rule 3); nothing is open to
//! whom nobody let in; any failure is answered by `block` (rule 16).
//! Knows no rule of the lifecycle, and no other face.

mod access;
mod api;
mod app;
mod aside;
mod body;
mod caller;
mod demo;
mod extract;
mod findings;
mod listen;
mod live;
mod metrics;
mod openapi;
mod openid;
mod pages;
mod problem;
mod reload;
mod routes;
mod telemetry;
mod tend;

pub use access::{Access, LinkFor, Scope, Scopes, Session, Token, TokenMade};
pub use app::{App, StartError, Started};
pub use listen::{Serving, is_usable, serve};
pub use problem::Problem;
pub use routes::{Route, routes};
