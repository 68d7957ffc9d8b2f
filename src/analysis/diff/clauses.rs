//! What a lane or a rule says beside its trigger, clause by clause.
//!
//! In: two of them that have one name. Out: what one says and the other does not, in the language's own words.
//! Must not know which events that concerns.

use crate::matrix::{Effect, Lane, Matrix, Rule, Step, StepAction, Terms, Unsure};
use crate::syntax::print::evidence_text;
use crate::value::quote;

/// A clause: its keyword, and all of it.
pub(super) type Clause = (&'static str, String);

/// All clauses of a lane but what it is about, its trigger and its examples. One that it does not have is not among
/// them.
pub(super) fn of_lane(matrix: &Matrix, lane: &Lane) -> Vec<Clause> {
    let unsure = match &lane.unsure {
        Unsure::Escalate => None,
        Unsure::Deny => Some("deny".to_owned()),
        Unsure::Skip(reason) => Some(format!("skip because {}", quote(reason))),
    };
    let trial = lane.trial.map(|trial| match trial.until {
        None => String::new(),
        Some(until) => format!("until {}", until.with_timezone(&matrix.zone).date_naive()),
    });
    let also = lane.also.iter().map(|action| matrix.action_name(*action));
    let fields = lane.group_by.iter().map(|field| matrix.schema.path(*field));
    let own = [
        ("unsure", unsure),
        ("trial", trial),
        ("group by", listed(fields)),
        ("also", listed(also)),
        ("operator", lane.operator.as_deref().map(quote)),
        ("reversible", lane.reversible.as_deref().map(quote)),
    ];
    let own = own.into_iter();
    let own = own.filter_map(|(keyword, words)| Some((keyword, words?)));
    of_terms(matrix, &lane.terms)
        .into_iter()
        .chain(own)
        .collect()
}

/// What terms say: of a lane, or of what `otherwise` and `unreadable` ask.
pub(super) fn of_terms(matrix: &Matrix, terms: &Terms) -> Vec<Clause> {
    let holds = format!("{} {}", terms.hold.as_str(), terms.scope.as_str());
    let within = matrix.within_text(terms.respond);
    let evidence = terms.evidence.iter().map(|need| {
        let how = match need.required {
            true => "required",
            false => "optional",
        };
        format!("{how} {}", evidence_text(&need.item))
    });
    let steps = terms.steps.iter().map(|step| step_text(matrix, step));
    let block = |words: Option<String>| format!("{{ {} }}", words.unwrap_or_default());
    vec![
        ("owner", matrix.team_name(terms.owner).to_owned()),
        ("urgency", terms.urgency.as_str().to_owned()),
        ("respond", format!("within {within}")),
        ("meanwhile", holds),
        ("evidence", block(listed(evidence))),
        ("timeout", block(listed(steps))),
    ]
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
        Some(format!("`{}`", format!("{keyword} {words}").trim_end()))
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
