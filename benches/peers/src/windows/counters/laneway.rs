//! Laneway: one lane for each measure. For the answers whole decisions on JSON, for the times
//! outcomes on typed slots; the former are held against the latter.

use std::fmt::Write as _;

use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, format_timestamp};
use laneway::measure::{Receipt, Source};
use laneway::slots::{Place, Slots};
use laneway::{Limits, Router, Session, State, Verdict};
use rust_decimal::Decimal;

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, Said};

/// The matrix.
fn text(bounds: Bounds) -> String {
    let mut text = String::from(
        r#"matrix "Windows" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}
event call {
  agent: text
  tenant: text
  amount: money USD 0 to 1000000
}
team desk {
  first person "a@acme.example"
  backup group "b"
}
"#,
    );
    let Bounds {
        calls,
        cents,
        tenants,
    } = bounds;
    let measures = [
        format!("count of call by agent over 10m > {calls}"),
        format!(
            "sum amount of call by agent over 10m > {} USD",
            dollars(cents)
        ),
        format!("distinct tenant of call by agent over 10m > {tenants}"),
    ];
    for (name, measure) in LANES.iter().zip(measures) {
        let _ = writeln!(
            text,
            "lane {name} {{\n  on call\n  when {measure}\n  owner desk\n  urgency high\n  \
             respond within 30m\n  meanwhile hold item\n  evidence {{\n    required trigger\n  }}\n  \
             timeout {{\n    after 30m deny\n  }}\n}}"
        );
    }
    text
}

/// One for each measure, in the order of `MEASURES`.
const LANES: [&str; 3] = ["many_calls", "much_spent", "many_tenants"];

fn dollars(cents: u32) -> Decimal {
    Decimal::new(i64::from(cents), 2)
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).expect("of this century")
}

/// A router with room for every agent.
pub fn router(bounds: Bounds) -> Router {
    let limits = Limits {
        window_events: 20_000,
        window_keys: 2_000_000,
        ..Limits::default()
    };
    let options = Options {
        limits: limits.clone(),
        ..Options::default()
    };
    let loaded = check_text("windows.lane", &text(bounds), &options);
    let matrix = loaded.into_matrix().expect("the matrix checks");
    Router::new(matrix).with_limits(limits)
}

/// Outcomes on typed slots.
pub struct Laneway<'r> {
    session: Session<'r>,
    layout: Filling,
}

/// Where the fields of a call stand.
struct Filling {
    program: std::sync::Arc<laneway::program::Program>,
    places: [Place; 3],
}

#[derive(Default)]
pub struct Prepared {
    slots: Slots,
    received: Timestamp,
}

impl<'r> Laneway<'r> {
    pub fn new(router: &'r Router) -> Self {
        let program = router.program();
        let schema = &program.matrix.schema;
        let place = |path| program.layout.place(schema, "call", path);
        let places = ["agent", "tenant", "amount"].map(|path| place(path).expect("it is declared"));
        Self {
            session: router.session(),
            layout: Filling { program, places },
        }
    }

    /// Whether any measure is exceeded.
    fn verdict(&mut self, call: &Prepared) -> Verdict {
        let receipt = Receipt::of(Source::trusted(), call.received);
        let outcome = self.session.outcome(&call.slots, receipt);
        outcome.expect("the program decides it").verdict
    }
}

impl Filling {
    fn fill(&self, call: &Call, slots: &mut Slots) {
        let layout = &self.program.layout;
        let kind = self.program.matrix.schema.kind_named("call");
        let kind = kind.expect("it is declared").id;
        let [agent, tenant, amount] = self.places;
        slots
            .begin(layout, kind, instant(call.at))
            .and_then(|()| slots.set(layout, agent, call.agent.as_str()))
            .and_then(|()| slots.set(layout, tenant, call.tenant.as_str()))
            .and_then(|()| slots.set(layout, amount, dollars(call.cents)))
            .and_then(|()| slots.set_id(&call.id))
            .and_then(|()| slots.complete(layout))
            .expect("slots hold a call");
    }
}

impl Counter for Laneway<'_> {
    const NAME: &'static str = "Laneway";
    const LESS: &'static str = "nothing";
    const IS_PEER: bool = false;
    type Prepared = Prepared;

    fn prepare(&self, call: &Call, into: &mut Prepared) {
        self.layout.fill(call, &mut into.slots);
        into.received = instant(call.received);
    }

    /// Of an outcome the first lane is known: where none fires, no measure is exceeded.
    fn observe(&mut self, call: &mut Prepared) -> Answer {
        match self.verdict(call) {
            Verdict::Allow => [Said::No; 3],
            _ => [Said::Yes; 3],
        }
    }
}

/// Whole decisions on JSON, and outcomes on slots beside them.
pub struct Decisions<'r> {
    router: &'r Router,
    beside: Laneway<'r>,
}

impl<'r> Decisions<'r> {
    /// Each router counts for itself.
    pub fn new(router: &'r Router, beside: &'r Router) -> Self {
        Self {
            router,
            beside: Laneway::new(beside),
        }
    }
}

impl Counter for Decisions<'_> {
    const NAME: &'static str = Laneway::NAME;
    const LESS: &'static str = Laneway::LESS;
    const IS_PEER: bool = false;
    type Prepared = (String, Prepared);

    fn prepare(&self, call: &Call, into: &mut Self::Prepared) {
        let (json, beside) = into;
        json.clear();
        let _ = write!(
            json,
            r#"{{"kind":"call","id":"{}","at":"{}","agent":"{}","tenant":"{}","amount":{}}}"#,
            call.id,
            format_timestamp(instant(call.at)),
            call.agent,
            call.tenant,
            dollars(call.cents),
        );
        self.beside.prepare(call, beside);
    }

    fn observe(&mut self, call: &mut Self::Prepared) -> Answer {
        let (json, beside) = call;
        let receipt = Receipt::of(Source::trusted(), beside.received);
        let decision = self.router.decide_json(json.as_bytes(), receipt);
        assert!(decision.by != "unreadable", "{json}");
        assert_eq!(self.beside.verdict(beside), decision.verdict, "{json}");
        LANES.map(|name| {
            let lane = decision.lanes.iter().find(|lane| lane.lane == name);
            match lane.map(|lane| lane.state) {
                None => Said::No,
                Some(State::Fired) => Said::Yes,
                Some(State::Unsure) => Said::Unsure,
            }
        })
    }
}
