//! A service that asks before it acts: every refund goes through the matrix first.
//!
//! Run it with `cargo run --example refund_service`.

use std::error::Error;

use laneway::{Decision, EventBuilder, Router, Timestamp, Verdict};
use rust_decimal::Decimal;

/// What the service was asked to pay.
struct Refund {
    id: &'static str,
    customer: &'static str,
    reason: &'static str,
    cents: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let router = Router::new(laneway::open("matrices/refund-guard")?);
    let now: Timestamp = "2026-11-20T10:00:00Z".parse()?;
    let asked = [
        Refund {
            id: "r-1",
            customer: "c-1",
            reason: "defective",
            cents: 3_890,
        },
        Refund {
            id: "r-2",
            customer: "c-2",
            reason: "goodwill",
            cents: 6_000,
        },
        Refund {
            id: "r-3",
            customer: "c-3",
            reason: "late",
            cents: 900_000,
        },
    ];
    for refund in &asked {
        let decision = decide(&router, refund, now)?;
        act(refund, &decision);
    }
    Ok(())
}

/// The refund as an event, decided. An event that cannot be read is an error here: the service
/// builds it, so that would be a mistake of the service.
fn decide(router: &Router, refund: &Refund, now: Timestamp) -> Result<Decision, Box<dyn Error>> {
    let event = EventBuilder::new(&router.matrix().schema, "refund")
        .id(refund.id)
        .set("customer", refund.customer)
        .set("reason", refund.reason)
        .set("amount", Decimal::new(refund.cents, 2))
        .set("method", "original")
        .build(now)
        .map_err(|unreadable| format!("{:?}", unreadable.problems))?;
    Ok(router.decide(&event, now))
}

/// Only allow and adjust pay; everything else waits for people, or is refused.
#[expect(clippy::print_stdout, reason = "an example talks to its reader")]
fn act(refund: &Refund, decision: &Decision) {
    match decision.verdict {
        Verdict::Allow => println!("{}: paid", refund.id),
        Verdict::Adjust => println!("{}: paid as changed: {:?}", refund.id, decision.adjusted),
        Verdict::Escalate => println!(
            "{}: waits for {} ({})",
            refund.id,
            decision.owner.as_deref().unwrap_or("its owner"),
            decision.reason
        ),
        Verdict::Deny => println!("{}: refused ({})", refund.id, decision.reason),
    }
}
