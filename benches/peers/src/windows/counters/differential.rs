//! differential-dataflow: each call is put in at its instant and taken out ten minutes later; the
//! measures are kept by a dataflow of distinct ids, one count with a sum, and a count of distinct
//! tenants. Before each answer the dataflow is run up to the call.
//!
//! It takes changes of the future too, but goes over all of them at each step: they wait in a queue
//! of ours. Its input goes forward only: a late call is put in when it comes, and taken out in time. An
//! id that comes again stays until its last delivery is taken out.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;
use std::time::Instant;

use differential_dataflow::input::{Input, InputSession};
use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use timely::WorkerConfig;
use timely::communication::Allocator;
use timely::communication::allocator::thread::Thread;
use timely::dataflow::ProbeHandle;
use timely::worker::Worker;

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, WINDOW};

pub struct Differential {
    bounds: Bounds,
    worker: Worker,
    input: InputSession<u64, Record, isize>,
    probe: ProbeHandle<u64>,
    /// When calls are taken out, the earliest first.
    ends: BinaryHeap<Reverse<(u64, Record)>>,
    totals: Totals,
}

#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
struct Record {
    agent: String,
    id: String,
    tenant: String,
    cents: u32,
}

/// Of each agent what stands in its window: calls, cents, tenants.
type Totals = Rc<RefCell<HashMap<String, [isize; 3]>>>;

#[derive(Default)]
pub struct Prepared {
    agent: String,
    record: Option<Record>,
    at: u64,
}

impl Differential {
    pub fn new(bounds: Bounds) -> Self {
        let allocator = Allocator::Thread(Thread::default());
        let mut worker = Worker::new(WorkerConfig::default(), allocator, Some(Instant::now()));
        let totals = Totals::default();
        let probe = ProbeHandle::new();
        let input = worker.dataflow(|scope| {
            let (input, calls) = scope.new_collection::<Record, isize>();
            let calls = calls.distinct_total();
            let (spent, told) = (Rc::clone(&totals), Rc::clone(&totals));
            calls
                .clone()
                .explode(|call| Some((call.agent, (1, call.cents as isize))))
                .count_total()
                .inspect(move |((agent, (calls, cents)), _, times)| {
                    change(&spent, agent, [*calls, *cents, 0], *times);
                })
                .probe_with(&probe);
            calls
                .map(|call| (call.agent, call.tenant))
                .distinct_total()
                .map(|(agent, _)| agent)
                .count_total()
                .inspect(move |((agent, tenants), _, times)| {
                    change(&told, agent, [0, 0, *tenants], *times);
                })
                .probe_with(&probe);
            input
        });
        Self {
            bounds,
            worker,
            input,
            probe,
            ends: BinaryHeap::new(),
            totals,
        }
    }

    /// Takes out what has left the window, and puts a call in.
    fn put(&mut self, record: Record, at: u64) {
        while let Some(Reverse((end, _))) = self.ends.peek()
            && *end <= at
        {
            if let Some(Reverse((end, record))) = self.ends.pop() {
                self.advance(end);
                self.input.remove(record);
            }
        }
        self.advance(at);
        self.input.insert(record.clone());
        let end = at + WINDOW.unsigned_abs();
        self.ends.push(Reverse((end, record)));
    }

    fn advance(&mut self, at: u64) {
        if *self.input.time() < at {
            self.input.advance_to(at);
        }
    }

    /// Runs the dataflow up to what was put in.
    fn step(&mut self) {
        let next = self.input.time() + 1;
        self.input.advance_to(next);
        self.input.flush();
        let probe = &self.probe;
        self.worker.step_while(|| probe.less_than(&next));
    }
}

/// A total that is gone comes with a minus, a new one with a plus.
fn change(totals: &Totals, agent: &str, by: [isize; 3], times: isize) {
    let mut totals = totals.borrow_mut();
    let total = match totals.get_mut(agent) {
        Some(total) => total,
        None => totals.entry(agent.to_owned()).or_default(),
    };
    for (total, by) in total.iter_mut().zip(by) {
        *total += by * times;
    }
}

fn record(call: &Call) -> Record {
    Record {
        agent: call.agent.clone(),
        id: call.id.clone(),
        tenant: call.tenant.clone(),
        cents: call.cents,
    }
}

impl Counter for Differential {
    const NAME: &'static str = "differential-dataflow";
    const LESS: &'static str =
        "late calls count when they come; an id that comes again stays for longer";
    const SLOW: bool = true;
    const MOST: usize = 1_000_000;
    type Prepared = Prepared;

    fn prepare(&self, call: &Call, into: &mut Prepared) {
        into.agent.clone_from(&call.agent);
        into.record = Some(record(call));
        into.at = call.at.unsigned_abs();
    }

    fn observe(&mut self, call: &mut Prepared) -> Answer {
        let record = call.record.take().expect("it is prepared");
        self.put(record, call.at);
        self.step();
        let totals = self.totals.borrow();
        let [calls, cents, tenants] = totals.get(&call.agent).copied().unwrap_or_default();
        let [calls, tenants] = [calls.unsigned_abs(), tenants.unsigned_abs()];
        self.bounds
            .exceeded(calls, cents.unsigned_abs() as u64, tenants)
    }

    fn fill(&mut self, calls: &[Call]) {
        for call in calls {
            self.put(record(call), call.at.unsigned_abs());
        }
        self.step();
    }
}
