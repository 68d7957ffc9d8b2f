//! The checked matrix as data.
//!
//! In: a matrix. Out: JSON with names instead of ids, and each expression both as a tree and with
//! its line.

use serde_json::{Map, Value as Json, json};

use crate::clock::format_timestamp;
use crate::matrix::{
    Case, Claim, Contact, Effect, Evidence, Expr, ExprKind, Lane, Matrix, Otherwise, Step,
    StepAction, Team, Terms, Unsure,
};
use crate::schema::{Field, Kind, KindId, Presence};

/// A whole matrix.
pub(super) fn matrix(matrix: &Matrix) -> Json {
    let data = Data { matrix };
    json!({
        "matrix": {"name": matrix.name, "digest": matrix.digest},
        "edition": matrix.edition,
        "timezone": matrix.zone.name(),
        "otherwise": match &matrix.otherwise {
            Otherwise::Allow => json!("allow"),
            Otherwise::Deny => json!("deny"),
            Otherwise::Escalate(terms) => json!({"escalate": data.terms(terms)}),
        },
        "unreadable": match &matrix.unreadable {
            None => json!("deny"),
            Some(terms) => json!({"escalate": data.terms(terms)}),
        },
        "events": list(matrix.schema.kinds(), kind),
        "calendars": list(&matrix.calendars, |c| {
            json!({"name": c.name(), "timezone": c.zone().name()})
        }),
        "actions": list(&matrix.actions, |a| json!({"name": a.name, "about": a.about})),
        "teams": list(&matrix.teams, team),
        "conditions": data.conditions(),
        "rules": data.rules(),
        "lanes": list(&matrix.lanes, |l| lane(matrix, l)),
        "promises": data.promises(),
        "samples": list(&matrix.samples, |s| json!(s.name)),
        "scenarios": list(&matrix.scenarios, |case| data.case(case)),
    })
}

/// One lane.
pub(super) fn lane(matrix: &Matrix, lane: &Lane) -> Json {
    let data = Data { matrix };
    let mut all = Map::new();
    let mut put = |key: &str, value: Json| {
        if !value.is_null() {
            all.insert(key.to_owned(), value);
        }
    };
    put("lane", json!(lane.name));
    put("line", json!(matrix.sources.start(lane.head).line));
    put("about", json!(lane.about));
    put("on", data.kinds(&lane.on));
    put("when", data.expr(&lane.when));
    put(
        "unless",
        lane.unless.as_ref().map_or(Json::Null, |e| data.expr(e)),
    );
    put(
        "unsure",
        match &lane.unsure {
            Unsure::Escalate => json!("escalate"),
            Unsure::Deny => json!("deny"),
            Unsure::Skip(why) => json!({"skip": why}),
        },
    );
    if let Some(trial) = lane.trial {
        put("trial", json!({"until": trial.until.map(format_timestamp)}));
    }
    if !lane.group_by.is_empty() {
        put(
            "group_by",
            list(&lane.group_by, |id| json!(matrix.schema.path(*id))),
        );
    }
    if let Json::Object(terms) = data.terms(&lane.terms) {
        for (key, value) in terms {
            put(&key, value);
        }
    }
    put(
        "also",
        list(&lane.also, |id| json!(matrix.action_name(*id))),
    );
    put("operator", json!(lane.operator));
    put("reversible", json!(lane.reversible));
    put("examples", list(&lane.examples, |case| data.case(case)));
    Json::Object(all)
}

struct Data<'m> {
    matrix: &'m Matrix,
}

impl Data<'_> {
    fn kinds(&self, kinds: &[KindId]) -> Json {
        let kinds = kinds.iter().filter_map(|id| self.matrix.kind(*id));
        Json::Array(kinds.map(|kind| json!(*kind.name)).collect())
    }

    fn terms(&self, terms: &Terms) -> Json {
        let evidence = |required: bool| {
            let some = terms.evidence.iter();
            let some = some.filter(|need| need.required == required);
            Json::Array(some.map(|need| evidence_name(&need.item)).collect())
        };
        json!({
            "owner": self.matrix.team_name(terms.owner),
            "urgency": terms.urgency.as_str(),
            "respond_within": self.matrix.within_text(terms.respond),
            "meanwhile": {"hold": terms.hold.as_str(), "scope": terms.scope.as_str()},
            "evidence": {"required": evidence(true), "optional": evidence(false)},
            "timeout": list(&terms.steps, |step| self.step(step)),
        })
    }

    fn step(&self, step: &Step) -> Json {
        let team = |id| Some(self.matrix.team_name(id).to_owned());
        let (action, to) = match &step.action {
            StepAction::NotifyBackup => ("notify", Some("backup".to_owned())),
            StepAction::Notify(id) => ("notify", team(*id)),
            StepAction::Route(id) => ("route", team(*id)),
            StepAction::Run(id) => ("run", Some(self.matrix.action_name(*id).to_owned())),
            StepAction::Deny => ("deny", None),
            StepAction::Expire => ("expire", None),
            StepAction::Allow(why) => ("allow", Some(why.clone())),
        };
        let when = if step.every { "every" } else { "after" };
        let mut all = Map::new();
        all.insert(when.to_owned(), json!(self.matrix.within_text(step.at)));
        all.insert("do".to_owned(), json!(action));
        if let Some(to) = to {
            all.insert("to".to_owned(), json!(to));
        }
        Json::Object(all)
    }

    fn expr(&self, expr: &Expr) -> Json {
        let parts = |parts: &[Expr]| list(parts, |part| self.expr(part));
        let line = self.matrix.sources.start(expr.span).line;
        match &expr.kind {
            ExprKind::All(all) => json!({"all of": parts(all)}),
            ExprKind::Any(all) => json!({"any of": parts(all)}),
            ExprKind::None(all) => json!({"none of": parts(all)}),
            ExprKind::AtLeast(n, all) => json!({"at least": n, "of": parts(all)}),
            ExprKind::Not(inner) => json!({"not": self.expr(inner)}),
            ExprKind::Condition(id) => {
                let name = self.matrix.condition(*id).map(|c| c.name.as_str());
                json!({"condition": name, "line": line})
            }
            ExprKind::Test(test) => json!({
                "test": test.text,
                "field": self.matrix.schema.path(test.field),
                "if_present": test.if_present,
                "line": line,
            }),
            ExprKind::Measure(test) => json!({"measure": test.text, "line": line}),
        }
    }

    /// Each condition once, however many sets of kinds use it.
    fn conditions(&self) -> Json {
        let mut all: Vec<(&str, Json)> = Vec::new();
        for condition in &self.matrix.conditions {
            if !all.iter().any(|(name, _)| *name == condition.name) {
                all.push((&condition.name, self.expr(&condition.expr)));
            }
        }
        let all = all.into_iter();
        Json::Array(
            all.map(|(name, means)| json!({"name": name, "means": means}))
                .collect(),
        )
    }

    fn rules(&self) -> Json {
        list(&self.matrix.rules, |rule| {
            let mut data = json!({
                "rule": rule.name,
                "does": rule.effect.as_str(),
                "line": self.matrix.sources.start(rule.head).line,
                "on": self.kinds(&rule.on),
                "when": self.expr(&rule.when),
            });
            if let (Effect::Adjust(sets), Some(data)) = (&rule.effect, data.as_object_mut()) {
                let sets = sets.iter().map(|(id, value)| {
                    let path = self.matrix.schema.path(*id).to_owned();
                    (path, json!(value.to_string()))
                });
                data.insert("set".to_owned(), Json::Object(sets.collect()));
            }
            if let (Some(because), Some(data)) = (&rule.because, data.as_object_mut()) {
                data.insert("because".to_owned(), json!(because));
            }
            data
        })
    }

    fn promises(&self) -> Json {
        list(&self.matrix.promises, |promise| {
            json!({
                "promise": promise.title,
                "on": self.kinds(&promise.on),
                "when": self.expr(&promise.when),
                "claim": match promise.claim {
                    Claim::Reaches(team) => json!({"reaches": self.matrix.team_name(team)}),
                    Claim::Never(verdict) => json!({"never": verdict.as_str()}),
                },
            })
        })
    }

    fn case(&self, case: &Case) -> Json {
        json!({
            "title": case.title,
            "expect": case.expect.to_string(),
            "line": self.matrix.sources.start(case.span).line,
        })
    }
}

fn list<T>(items: &[T], of: impl FnMut(&T) -> Json) -> Json {
    Json::Array(items.iter().map(of).collect())
}

fn kind(kind: &Kind) -> Json {
    json!({
        "event": *kind.name,
        "from": kind.json_name(),
        "fields": list(&kind.fields, field),
    })
}

fn field(field: &Field) -> Json {
    let mut data = json!({
        "path": *field.path,
        "json": list(&field.json, |name| json!(**name)),
        "type": field.ty.to_string(),
    });
    if let Some(data) = data.as_object_mut() {
        match &field.presence {
            Presence::Required => data.insert("required".to_owned(), json!(true)),
            Presence::Optional => data.insert("optional".to_owned(), json!(true)),
            Presence::Default(value) => data.insert("default".to_owned(), json!(value.to_string())),
        };
    }
    data
}

fn team(team: &Team) -> Json {
    json!({
        "team": team.name,
        "first": list(&team.first, contact),
        "backup": list(&team.backup, contact),
        "quorum": team.quorum,
        "of": team.of,
    })
}

fn contact(contact: &Contact) -> Json {
    let sort = if contact.group { "group" } else { "person" };
    json!({ sort: contact.name })
}

fn evidence_name(item: &Evidence) -> Json {
    json!(match item {
        Evidence::Input => "input".to_owned(),
        Evidence::Action => "action".to_owned(),
        Evidence::Trigger => "trigger".to_owned(),
        Evidence::Context => "context".to_owned(),
        Evidence::Links => "links".to_owned(),
        Evidence::History(None) => "history".to_owned(),
        Evidence::History(Some(n)) => format!("history last {n}"),
        Evidence::Label(label) => label.clone(),
    })
}
