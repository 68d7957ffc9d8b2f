//! The top-level items.

use crate::span::Spanned;
use crate::syntax::ast::{
    AdjustAssignment, CalendarClause, Claim, Cond, Condition, Event, Fallback, Field, Item,
    ItemKind, MatrixClause, Name, Otherwise, Presence, Promise, Rule, RuleEffect, TeamClause,
};

use super::writer::Writer;

impl Writer<'_> {
    pub(super) fn item(&mut self, item: &Item) {
        self.begin(item.span);
        match &item.node {
            ItemKind::Matrix(matrix) => {
                self.put("matrix ");
                self.string(&matrix.title);
                self.block(matrix.title.span, &matrix.clauses, |w, clause| {
                    w.matrix_clause(&clause.node);
                });
            }
            ItemKind::Import(path) => {
                self.put("import ");
                self.string(path);
            }
            ItemKind::Calendar(calendar) => {
                self.named("calendar ", &calendar.name);
                self.block(calendar.name.span, &calendar.clauses, |w, clause| {
                    w.calendar_clause(&clause.node);
                });
            }
            ItemKind::Event(event) => self.event(event),
            ItemKind::Action(action) => {
                self.named("action ", &action.name);
                self.put(" ");
                self.string(&action.about);
            }
            ItemKind::Sample(sample) => {
                self.named("sample ", &sample.name);
                self.named(" is ", &sample.kind);
                self.record(&sample.kind, &sample.record, true);
            }
            ItemKind::Team(team) => {
                self.named("team ", &team.name);
                self.block(team.name.span, &team.clauses, |w, clause| {
                    w.team_clause(&clause.node);
                });
            }
            ItemKind::List(list) => {
                self.named("list ", &list.name);
                self.put(" is ");
                self.list(&list.values, |w, value| w.value(&value.node, value.span));
            }
            ItemKind::Condition(condition) => self.condition(condition),
            ItemKind::Rule(rule) => self.rule(rule),
            ItemKind::Promise(promise) => self.promise(promise),
            ItemKind::Scenario(example) => self.example("scenario ", example),
            ItemKind::Lane(lane) => {
                self.named("lane ", &lane.name);
                self.block(lane.name.span, &lane.clauses, |w, clause| {
                    w.clause(clause);
                });
            }
            ItemKind::Broken(_) => self.verbatim(item.span),
        }
    }

    fn matrix_clause(&mut self, clause: &MatrixClause) {
        match clause {
            MatrixClause::Edition(edition) => self.put(&format!("edition {}", edition.node)),
            MatrixClause::Timezone(zone) => self.timezone(zone),
            MatrixClause::Otherwise(otherwise) => {
                self.put("otherwise ");
                self.otherwise(otherwise);
            }
            MatrixClause::Unreadable(otherwise) => {
                self.put("unreadable ");
                self.otherwise(otherwise);
            }
        }
    }

    fn timezone(&mut self, zone: &Spanned<String>) {
        self.put("timezone ");
        self.string(zone);
    }

    fn otherwise(&mut self, otherwise: &Otherwise) {
        match otherwise {
            Otherwise::Allow => self.put("allow"),
            Otherwise::Deny => self.put("deny"),
            Otherwise::Escalate(Fallback { team, clauses, .. }) => {
                self.named("escalate to ", team);
                if let Some(clauses) = clauses {
                    self.block(team.span, clauses, |w, clause| w.clause(clause));
                }
            }
        }
    }

    fn calendar_clause(&mut self, clause: &CalendarClause) {
        match clause {
            CalendarClause::Timezone(zone) => self.timezone(zone),
            CalendarClause::Hours {
                from,
                to,
                open,
                close,
            } => {
                self.put(from.as_str());
                if let Some(to) = to {
                    self.put(&format!(" to {}", to.as_str()));
                }
                self.put(&format!(" {} to {}", hours(open.node), hours(close.node)));
            }
            CalendarClause::Except { from, to } => {
                self.put("except ");
                self.date(from.node);
                if let Some(to) = to {
                    self.put(" to ");
                    self.date(to.node);
                }
            }
        }
    }

    fn event(&mut self, event: &Event) {
        self.named("event ", &event.name);
        if let Some(source) = &event.source {
            self.put(" from ");
            self.string(source);
        }
        let head = event.source.as_ref().unwrap_or(&event.name);
        self.block(head.span, &event.fields, |w, field| w.field(&field.node));
    }

    fn field(&mut self, field: &Field) {
        self.name(&field.path);
        for (i, source) in field.source.iter().enumerate() {
            self.put(if i == 0 { " from " } else { "." });
            self.string(source);
        }
        self.put(": ");
        self.field_type(&field.ty.node);
        match &field.presence {
            Presence::Required => {}
            Presence::Optional => self.put(" optional"),
            Presence::Default(literal) => {
                self.put(" default ");
                self.literal(literal);
            }
        }
    }

    fn team_clause(&mut self, clause: &TeamClause) {
        match clause {
            TeamClause::First(contacts) => {
                self.put("first ");
                self.list(contacts, |w, contact| w.contact(&contact.node));
            }
            TeamClause::Backup(contacts) => {
                self.put("backup ");
                self.list(contacts, |w, contact| w.contact(&contact.node));
            }
            TeamClause::Quorum { needed, of } => {
                self.put(&format!("quorum {} of {}", needed.node, of.node));
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        self.named("condition ", &condition.name);
        self.put(" means ");
        self.cond(&condition.cond.node, condition.cond.span);
    }

    fn rule(&mut self, rule: &Rule) {
        self.put(match rule.effect {
            RuleEffect::Allow => "always allow ",
            RuleEffect::Deny => "always deny ",
            RuleEffect::Adjust(_) => "adjust ",
        });
        self.name(&rule.name);
        self.on_when(&rule.on, &rule.when);
        if let RuleEffect::Adjust(changes) = &rule.effect {
            self.put(" set ");
            self.list(changes, |w, change| w.change(&change.node));
        }
        if let Some(reason) = &rule.because {
            self.because(reason);
        }
    }

    fn change(&mut self, change: &AdjustAssignment) {
        self.name(&change.path);
        self.put(" = ");
        self.value(&change.value.node, change.value.span);
    }

    fn promise(&mut self, promise: &Promise) {
        self.put("promise ");
        self.string(&promise.title);
        self.on_when(&promise.on, &promise.when);
        match &promise.claim {
            Claim::Reaches(team) => self.named(" reaches ", team),
            Claim::Never(verdict) => self.put(&format!(" never {}", verdict.node.as_str())),
        }
    }

    fn on_when(&mut self, on: &[Name], when: &Spanned<Cond>) {
        self.put(" on ");
        self.names(on);
        self.put(" when ");
        self.cond(&when.node, when.span);
    }
}

/// Minutes from midnight as a clock shows them.
fn hours(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
