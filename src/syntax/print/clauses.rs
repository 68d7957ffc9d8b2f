//! The clauses of lanes and of fallbacks, and examples.

use crate::span::Spanned;
use crate::syntax::ast::{
    Assignment, Clause, EvidenceLine, Example, Expect, History, Name, Record, Step, StepAction,
    Unsure,
};

use super::writer::{Writer, flat};

impl Writer<'_> {
    pub(super) fn clause(&mut self, clause: &Spanned<Clause>) {
        if let Clause::Example(example) = &clause.node {
            return self.example("example ", example);
        }
        self.put(clause.node.keyword());
        match &clause.node {
            Clause::About(text) | Clause::Operator(text) | Clause::Reversible(text) => {
                self.put(" ");
                self.string(text);
            }
            Clause::On(names) | Clause::GroupBy(names) | Clause::Also(names) => {
                self.put(" ");
                self.names(names);
            }
            Clause::When(cond) | Clause::Unless(cond) => {
                self.put(" ");
                self.cond(&cond.node, cond.span);
            }
            Clause::Unsure(unsure) => self.unsure(unsure),
            Clause::Trial(None) => {}
            Clause::Trial(Some(until)) => {
                self.put(" until ");
                self.date(until.node);
            }
            Clause::Owner(team) => {
                self.put(" ");
                self.name(team);
            }
            Clause::Urgency(urgency) => self.put(&format!(" {}", urgency.node.as_str())),
            Clause::Respond(span) => {
                self.put(" ");
                self.time_span(span);
            }
            Clause::Meanwhile { hold, scope } => {
                self.put(&format!(" {} {}", hold.node.as_str(), scope.node.as_str()));
            }
            Clause::Evidence(block) => {
                self.block(clause.span.at_start(), &block.lines, |w, line| {
                    w.evidence_line(&line.node);
                });
            }
            Clause::Timeout(block) => {
                self.block(clause.span.at_start(), &block.steps, |w, step| {
                    w.step(&step.node);
                });
            }
            Clause::Example(_) => {}
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.put(if step.every { "every " } else { "after " });
        self.time_span(&step.span);
        match &step.action {
            StepAction::NotifyBackup => self.put(" notify backup"),
            StepAction::Notify(team) => self.named(" notify ", team),
            StepAction::Route(team) => self.named(" route to ", team),
            StepAction::Run(action) => self.named(" run ", action),
            StepAction::Deny => self.put(" deny"),
            StepAction::Expire => self.put(" expire"),
            StepAction::Allow(reason) => {
                self.put(" allow");
                self.because(reason);
            }
        }
    }

    /// An example or a scenario. A record that makes its line too long is opened, and so is the
    /// other one.
    pub(super) fn example(&mut self, keyword: &str, example: &Example) {
        let one_line = flat(|w| w.example_body(keyword, example, false));
        let is_open = self.is_too_long(&one_line);
        self.example_body(keyword, example, is_open);
    }

    pub(super) fn expect(&mut self, expect: &Expect) {
        match expect {
            Expect::Verdict(verdict, by) => {
                self.put(verdict.as_str());
                if let Some(by) = by {
                    self.named(" by ", by);
                }
            }
            Expect::NoMatch => self.put("no match"),
            Expect::Unsure => self.put("unsure"),
            Expect::Unreadable => self.put("unreadable"),
        }
    }

    /// The record of a sample or of an example, opened or within the line. `head` stands before
    /// its brace.
    pub(super) fn record(&mut self, head: &Name, record: &Record, is_open: bool) {
        if is_open {
            self.block(head.span, &record.fields, |w, field| {
                w.assignment(&field.node);
            });
        } else {
            self.flat_block(&record.fields, |w, field| w.assignment(&field.node));
        }
    }

    fn assignment(&mut self, assignment: &Assignment) {
        self.name(&assignment.path);
        self.put(" = ");
        self.literal(&assignment.value);
    }

    fn example_body(&mut self, keyword: &str, example: &Example, is_open: bool) {
        self.put(keyword);
        self.string(&example.title);
        self.named(" ", &example.sample);
        self.with(&example.sample, example.with.as_ref(), is_open);
        if !example.without.is_empty() {
            self.put(" without ");
            self.names(&example.without);
        }
        if let Some(at) = &example.at {
            self.put(" at ");
            self.put(&crate::clock::format_written(at.node));
        }
        if let Some(history) = &example.after {
            self.history(history, is_open);
        }
        self.put(" -> ");
        self.expect(&example.expect.node);
    }

    fn history(&mut self, history: &History, is_open: bool) {
        self.put(&format!(" after {} of ", history.count.node));
        self.name(&history.sample);
        self.with(&history.sample, history.with.as_ref(), is_open);
        self.put(&format!(" over {}", history.over.node));
    }

    fn with(&mut self, sample: &Name, record: Option<&Record>, is_open: bool) {
        if let Some(record) = record {
            self.put(" with");
            let is_open = is_open && !record.fields.is_empty();
            self.record(sample, record, is_open);
        }
    }

    fn unsure(&mut self, unsure: &Unsure) {
        match unsure {
            Unsure::Escalate => self.put(" escalate"),
            Unsure::Deny => self.put(" deny"),
            Unsure::Skip(reason) => {
                self.put(" skip");
                self.because(reason);
            }
        }
    }

    fn evidence_line(&mut self, line: &EvidenceLine) {
        let word = if line.required {
            "required "
        } else {
            "optional "
        };
        self.put(word);
        self.list(&line.items, |w, item| w.evidence(&item.node));
    }
}
