//! What somebody writes by hand who wants it exact: of each agent its calls in order, running
//! totals, the ids that were seen, and how many calls each tenant has.
//!
//! A late call is put in its place, and its own window is counted anew. What is too late is dropped:
//! afterwards nobody knows that it is missing.
//! All three measures share one window, which an engine cannot take for granted of its measures.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::Counter;
use crate::windows::call::{Answer, Bounds, Call, LATENESS, WINDOW};

pub struct Exact {
    bounds: Bounds,
    agents: HashMap<String, Agent>,
    newest: i64,
}

#[derive(Default)]
struct Agent {
    /// In order of time, as far back as a late call may ask.
    calls: VecDeque<Entry>,
    ids: HashSet<Rc<str>>,
    /// The end of the window that the totals are of, and the place of its first call.
    until: i64,
    first: usize,
    cents: u64,
    tenants: HashMap<Rc<str>, u32>,
}

#[derive(Clone)]
pub struct Entry {
    id: Rc<str>,
    tenant: Rc<str>,
    cents: u32,
    at: i64,
}

/// A call; nothing in it yet.
#[derive(Default)]
pub struct Prepared {
    agent: String,
    entry: Option<Entry>,
}

impl Exact {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            agents: HashMap::new(),
            newest: i64::MIN,
        }
    }
}

impl Counter for Exact {
    const NAME: &'static str = "by hand, exact";
    const LESS: &'static str = "what is too late is lost silently";
    const IS_PEER: bool = false;
    type Prepared = Prepared;

    fn prepare(&self, call: &Call, into: &mut Prepared) {
        into.agent.clone_from(&call.agent);
        into.entry = Some(Entry {
            id: Rc::from(call.id.as_str()),
            tenant: Rc::from(call.tenant.as_str()),
            cents: call.cents,
            at: call.at,
        });
    }

    fn observe(&mut self, call: &mut Prepared) -> Answer {
        let entry = call.entry.take().expect("it is prepared");
        let at = entry.at;
        self.newest = self.newest.max(at);
        let agent = match self.agents.get_mut(&call.agent) {
            Some(agent) => agent,
            None => self.agents.entry(call.agent.clone()).or_default(),
        };
        let is_new = !agent.ids.contains(&entry.id);
        if at < self.newest - LATENESS {
            return agent.answer_at(at, is_new.then_some(&entry), &self.bounds);
        }
        if at < agent.until {
            if is_new {
                agent.insert(entry);
            }
            return agent.answer_at(at, None, &self.bounds);
        }
        agent.slide(at);
        if is_new {
            agent.add(&entry);
            agent.ids.insert(Rc::clone(&entry.id));
            agent.calls.push_back(entry);
        }
        agent.forget(self.newest - LATENESS - WINDOW);
        let calls = agent.calls.len() - agent.first;
        self.bounds
            .exceeded(calls, agent.cents, agent.tenants.len())
    }
}

impl Agent {
    fn add(&mut self, entry: &Entry) {
        self.cents += u64::from(entry.cents);
        *self.tenants.entry(Rc::clone(&entry.tenant)).or_default() += 1;
    }

    /// Moves the window that the totals are of.
    fn slide(&mut self, until: i64) {
        self.until = until;
        while let Some(entry) = self.calls.get(self.first) {
            if entry.at > until - WINDOW {
                break;
            }
            self.first += 1;
            self.cents -= u64::from(entry.cents);
            if let Some(left) = self.tenants.get_mut(&entry.tenant) {
                *left -= 1;
                if *left == 0 {
                    self.tenants.remove(&entry.tenant);
                }
            }
        }
    }

    /// Puts a late call in its place.
    fn insert(&mut self, entry: Entry) {
        let place = self.calls.partition_point(|other| other.at <= entry.at);
        match entry.at > self.until - WINDOW {
            true => self.add(&entry),
            false => self.first += 1,
        }
        self.ids.insert(Rc::clone(&entry.id));
        self.calls.insert(place, entry);
    }

    /// Lets go of what no call can reach any more: it lies before the window of the totals.
    fn forget(&mut self, until: i64) {
        while let Some(entry) = self.calls.front()
            && entry.at <= until
        {
            self.ids.remove(&entry.id);
            self.calls.pop_front();
            self.first -= 1;
        }
    }

    /// Of a window that ends before the one of the totals.
    fn answer_at(&self, at: i64, besides: Option<&Entry>, bounds: &Bounds) -> Answer {
        let start = self.calls.partition_point(|entry| entry.at <= at - WINDOW);
        let end = self.calls.partition_point(|entry| entry.at <= at);
        let inside = self.calls.range(start..end).chain(besides);
        let (mut calls, mut cents, mut tenants) = (0, 0, HashSet::new());
        for entry in inside {
            calls += 1;
            cents += u64::from(entry.cents);
            tenants.insert(&entry.tenant);
        }
        bounds.exceeded(calls, cents, tenants.len())
    }
}
