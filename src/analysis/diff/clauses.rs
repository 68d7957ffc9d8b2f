//! What a lane or a rule says beside its trigger, clause by clause.
//!
//! In: two of them that have one name. Out: what one says and the other does not, in the language's own words.
//! Must not know which events that concerns.

use crate::clock::format_timestamp;
use crate::matrix::{Effect, Lane, Matrix, Rule, Step, StepAction, Terms, Unsure};
use crate::syntax::print::evidence_text;
use crate::value::quote;

/// A clause: its keyword, and all of it.
pub(super) type Clause = (&'static str, String);

/// All clauses of a lane but its trigger and its examples. One that it does not have is not among them.
pub(super) fn of_lane(matrix: &Matrix, lane: &Lane) -> Vec<Clause> {
    let mut all = Vec::new();
    let mut say = |keyword: &'static str, words: Option<String>| {
        all.extend(words.map(|words| (keyword, words)));
    };
    say(
        "unsure",
        match &lane.unsure {
            Unsure::Escalate => None,
            Unsure::Deny => Some("deny".to_owned()),
            Unsure::Skip(reason) => Some(format!("skip because {}", quote(reason))),
        },
    );
    say(
        "trial",
        lane.trial.map(|trial| match trial.until {
            None => "for ever".to_owned(),
            Some(until) => format!("until {}", format_timestamp(until)),
        }),
    );
    let terms = &lane.terms;
    say("owner", Some(owner(matrix, terms)));
    say("urgency", Some(terms.urgency.as_str().to_owned()));
    say(
        "respond",
        Some(format!("within {}", matrix.within_text(terms.respond))),
    );
    let holds = format!("{} {}", terms.hold.as_str(), terms.scope.as_str());
    say("meanwhile", Some(holds));
    let also = lane.also.iter().map(|action| matrix.action_name(*action));
    say("also", listed(also));
    let fields = lane.group_by.iter().map(|field| matrix.schema.path(*field));
    say("group by", listed(fields));
    let evidence = terms.evidence.iter().map(|need| {
        let how = if need.required {
            "required"
        } else {
            "optional"
        };
        format!("{how} {}", evidence_text(&need.item))
    });
    say("evidence", listed(evidence));
    let steps = terms.steps.iter().map(|step| step_text(matrix, step));
    say("timeout", listed(steps));
    say("operator", lane.operator.as_deref().map(quote));
    say("reversible", lane.reversible.as_deref().map(quote));
    all
}

/// What a rule does.
pub(super) fn of_rule(matrix: &Matrix, rule: &Rule) -> Vec<Clause> {
    let mut all = vec![match &rule.effect {
        Effect::Adjust(sets) => {
            let sets = sets.iter();
            let sets =
                sets.map(|(field, value)| format!("{} = {value}", matrix.schema.path(*field)));
            ("set", listed(sets).unwrap_or_default())
        }
        other => ("always", other.as_str().to_owned()),
    }];
    all.extend(
        rule.because
            .as_deref()
            .map(|because| ("because", quote(because))),
    );
    all
}

/// What differs between the clauses of two: `meanwhile park item` was, `meanwhile deny item` is.
pub(super) fn differences(old: &[Clause], new: &[Clause]) -> Option<String> {
    let of = |clauses: &[Clause], keyword: &str| -> Option<String> {
        let mut clauses = clauses.iter();
        let (_, words) = clauses.find(|(own, _)| *own == keyword)?;
        Some(format!("`{keyword} {words}`"))
    };
    let mut keywords: Vec<&str> = old.iter().map(|(keyword, _)| *keyword).collect();
    for (keyword, _) in new {
        if !keywords.contains(keyword) {
            keywords.push(keyword);
        }
    }
    let differ =
        keywords
            .into_iter()
            .filter_map(|keyword| match (of(old, keyword), of(new, keyword)) {
                (Some(was), Some(is)) if was != is => Some(format!("{was} is now {is}")),
                (Some(was), None) => Some(format!("{was} is gone")),
                (None, Some(is)) => Some(format!("{is} is new")),
                _ => None,
            });
    listed_by(differ, "; ")
}

fn owner(matrix: &Matrix, terms: &Terms) -> String {
    let name = matrix.team_name(terms.owner);
    match matrix.team(terms.owner).map_or(1, |team| team.quorum) {
        0 | 1 => name.to_owned(),
        many => format!("{name}, of whom {many} approve"),
    }
}

/// `after 2h allow because "small"`.
fn step_text(matrix: &Matrix, step: &Step) -> String {
    let when = if step.every { "every" } else { "after" };
    let does = match &step.action {
        StepAction::NotifyBackup => "notify backup".to_owned(),
        StepAction::Notify(team) => format!("notify {}", matrix.team_name(*team)),
        StepAction::Route(team) => format!("route to {}", matrix.team_name(*team)),
        StepAction::Run(action) => format!("run {}", matrix.action_name(*action)),
        StepAction::Deny => "deny".to_owned(),
        StepAction::Expire => "expire".to_owned(),
        StepAction::Allow(because) => format!("allow because {}", quote(because)),
    };
    format!("{when} {} {does}", matrix.within_text(step.at))
}

fn listed(words: impl Iterator<Item = impl Into<String>>) -> Option<String> {
    listed_by(words, ", ")
}

fn listed_by(words: impl Iterator<Item = impl Into<String>>, between: &str) -> Option<String> {
    let words: Vec<String> = words.map(Into::into).collect();
    (!words.is_empty()).then(|| words.join(between))
}
