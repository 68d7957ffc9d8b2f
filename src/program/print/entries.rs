//! The order of decisions, and each lane and rule with its clauses.
//!
//! In: entries, ranks, clauses. Out: for each lane its line, its ranks, and for each way in which
//! it can hold where the clause is filed and how each test of it is asked.
//! Invariant: every lane and rule that can decide an event of the kind is shown or counted.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

use super::filed::Filings;
use super::{Page, What};
use crate::program::clause::Clause;
use crate::program::node::{Node, NodeId};
use crate::program::test::Test;
use crate::program::{By, Entry, Rank};

impl<'p> Page<'p> {
    /// What each rank stands for.
    pub(super) fn order(self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  order of decisions: the first that holds names it")?;
        let rows: Vec<[String; 3]> = (0u32..)
            .zip(&self.kind.outcomes)
            .map(|(rank, ranked)| {
                let entry = ranked.entry;
                let entry = entry.and_then(|at| self.kind.entries.get(at as usize));
                let by = match ranked.outcome.by {
                    By::Lane(id) => self.title(What::Lane(id)),
                    By::Rule(id) => self.title(What::Rule(id)),
                    By::Otherwise => "otherwise".to_owned(),
                    By::Unreadable => "unreadable".to_owned(),
                };
                let state = entry.map_or("", |entry| state(entry, Rank(rank)));
                let verdict = ranked.outcome.verdict.as_str().to_owned();
                [format!("r{rank}"), verdict, format!("{by}{state}")]
            })
            .collect();
        self.table(f, "    ", &rows)
    }

    /// The lanes and rules with their clauses.
    pub(super) fn entries(self, f: &mut Formatter<'_>, filings: &Filings) -> fmt::Result {
        let mut clauses: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, clause) in (0u32..).zip(&self.kind.clauses) {
            clauses.entry(clause.entry).or_default().push(at);
        }
        writeln!(
            f,
            "\n  lanes and rules, with the ways in which each can hold"
        )?;
        let entries = (0u32..).zip(&self.kind.entries);
        let entries: Vec<(u32, &Entry)> = entries
            .filter(|(_, entry)| self.is_shown(entry.what))
            .collect();
        self.list(f, "    ", &entries, |f, (number, entry)| {
            let own = clauses.get(number).map_or(&[][..], Vec::as_slice);
            self.entry(f, entry, own, filings)
        })
    }

    fn entry(
        self,
        f: &mut Formatter<'_>,
        entry: &Entry,
        clauses: &[u32],
        filings: &Filings,
    ) -> fmt::Result {
        let what = entry.what;
        write!(f, "    {}  {}  ", self.title(what), self.line_of(what))?;
        let rank = |rank: Rank| match rank {
            Rank::NONE => "decides nothing".to_owned(),
            Rank(rank) => format!("r{rank}"),
        };
        let (fired, unsure) = (rank(entry.fired), rank(entry.unsure));
        write!(
            f,
            "fires: {fired}, unsure: {unsure}, trigger {}",
            self.name(entry.trigger)
        )?;
        writeln!(f, "{}", if entry.trial { ", trial" } else { "" })?;
        // A clause that is filed under several values is one way.
        let mut ways: BTreeMap<&[NodeId], Vec<u32>> = BTreeMap::new();
        let mut order = Vec::new();
        for at in clauses {
            let tests = self.kind.sources.get(*at as usize);
            let tests = tests.map_or(&[][..], |tests| self.kind.literals(*tests));
            let ats = ways.entry(tests).or_default();
            if ats.is_empty() {
                order.push(tests);
            }
            ats.push(*at);
        }
        if order.is_empty() {
            return writeln!(f, "      it can never hold");
        }
        let numbered: Vec<(usize, &[NodeId])> = (1..).zip(order).collect();
        self.list(f, "      ", &numbered, |f, (number, tests)| {
            let ats = ways.get(tests).map_or(&[][..], Vec::as_slice);
            self.way(f, *number, tests, ats, filings)
        })
    }

    fn way(
        self,
        f: &mut Formatter<'_>,
        number: usize,
        tests: &[NodeId],
        ats: &[u32],
        filings: &Filings,
    ) -> fmt::Result {
        let places: Vec<String> = ats.iter().map(|at| filings.place(*at)).collect();
        writeln!(
            f,
            "      {number}. looked at {}",
            self.few(&places, ", or ")
        )?;
        let first = ats.first().copied().unwrap_or(u32::MAX);
        let clause = self.kind.clauses.get(first as usize);
        let (Some(clause), Some(mask)) = (clause, self.kind.masks.get(first as usize)) else {
            return Ok(());
        };
        let rows: Vec<[String; 3]> = tests
            .iter()
            .map(|id| {
                let by = self.by_what(clause, *mask, *id);
                [self.name(*id), self.inside(*id), by]
            })
            .collect();
        self.table(f, "           ", &rows)?;
        for (what, words) in [
            ("bits let pass ", self.passes(*mask)),
            ("columns let pass ", self.reaches(clause)),
            ("unsure without ", self.optional(clause.unknown)),
        ] {
            if !words.is_empty() {
                let joiner = if what.starts_with("bits") { "; " } else { ", " };
                writeln!(f, "         {what}{}", self.few(&words, joiner))?;
            }
        }
        if clause.traits().ask {
            writeln!(
                f,
                "         if nothing speaks against it the whole trigger is asked"
            )?;
        }
        Ok(())
    }

    /// The bounds of a clause in words.
    fn reaches(self, clause: &Clause) -> Vec<String> {
        let bounds = clause.columns.iter().zip(clause.bounds);
        let words = bounds.filter_map(|(entry, least)| {
            self.of_column(*entry)?;
            Some(self.bound(*entry, least))
        });
        words.collect()
    }

    /// What of a clause sees to a test.
    fn by_what(self, clause: &Clause, mask: u64, id: NodeId) -> String {
        let rest = self.kind.rest.get(clause.rest());
        let mut by = Vec::new();
        if let Some(Node::Test { test, .. }) = self.kind.nodes.get(id)
            && let Some(test) = self.kind.tests.get(test as usize)
        {
            by.extend(self.numbers(clause, mask, test));
        }
        if rest.is_some_and(|rest| rest.contains(&id)) {
            by.push("asked");
        }
        match by.is_empty() {
            true => "by the index".to_owned(),
            false => by.join(", "),
        }
    }

    /// Whether the clause has numbers about the field of a test.
    fn numbers(self, clause: &Clause, mask: u64, test: &Test) -> Vec<&'static str> {
        let Some((_, laid)) = self.field(test.slot) else {
            return Vec::new();
        };
        let mut by = Vec::new();
        if laid.small.is_some_and(|small| small.mask & mask != 0) {
            by.push("by its bits");
        }
        let has = |column: u8| clause.columns.iter().any(|entry| entry / 2 == column);
        if laid.column.is_some_and(has) {
            by.push("by its column");
        }
        by
    }
}

/// In which state an entry has a rank.
fn state(entry: &Entry, rank: Rank) -> &'static str {
    match (entry.fired == rank, entry.unsure == rank) {
        (true, true) => ", fired or unsure",
        (true, false) => ", fired",
        _ => ", unsure",
    }
}
