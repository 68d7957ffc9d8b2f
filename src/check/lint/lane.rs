//! What one lane lacks or does against its own purpose.

use super::clause_span;
use crate::check::build::Checker;
use crate::clock::Timestamp;
use crate::diagnostic::{Diagnostic, codes};
use crate::matrix::{Evidence, Expect, Lane, Scope, StepAction, Trial, Urgency, Verdict};
use crate::span::Span;
use crate::syntax::ast::{self, Clause};

impl Checker<'_> {
    pub(super) fn lint_lane(&mut self, item: &ast::Lane, lane: &Lane) {
        self.lint_words(lane);
        self.lint_owner(item, lane);
        self.lint_hold(item, lane);
        self.lint_steps(lane);
        self.lint_trial(item, lane);
        if lane.group_by.is_empty()
            && (self.has_measure(&lane.when)
                || lane.unless.as_ref().is_some_and(|u| self.has_measure(u)))
        {
            self.warn(
                codes::MEASURE_WITHOUT_GROUP,
                lane.head,
                format!("`{}` tests a measure and has no `group by`", lane.name),
                "once the measure is exceeded every further event opens an escalation of its own; group them by the measure's key",
            );
        }
        if item
            .clauses
            .iter()
            .all(|clause| !matches!(clause.node, Clause::Unsure(_)))
        {
            self.lint_unsure(item, lane);
        }
    }

    /// What people need to work with a lane, and what shows that it does what it should.
    fn lint_words(&mut self, lane: &Lane) {
        let name = &lane.name;
        let fires = |expect: &Expect| matches!(expect, Expect::Verdict(Verdict::Escalate, _));
        let quiet = |expect: &Expect| {
            matches!(
                expect,
                Expect::NoMatch | Expect::Verdict(Verdict::Allow | Verdict::Adjust, _)
            )
        };
        if lane.operator.is_none() {
            self.warn(
                codes::NO_OPERATOR,
                lane.head,
                format!("`{name}` does not tell its owner what to do"),
                "add a line such as `operator \"Read the draft, then send, edit or reject it.\"`",
            );
        }
        if lane.about.is_none() {
            self.warn(
                codes::NO_ABOUT,
                lane.head,
                format!("`{name}` does not say what it is about"),
                "add a line such as `about \"Uncertain outbound communication\"`",
            );
        }
        if !lane.examples.iter().any(|case| fires(&case.expect)) {
            self.warn(
                codes::NO_FIRING_EXAMPLE,
                lane.head,
                format!("`{name}` has no example that fires"),
                "add a line such as `example \"angry customer\" SAMPLE with { ... } -> escalate`",
            );
        }
        if !lane.examples.iter().any(|case| quiet(&case.expect)) {
            self.warn(
                codes::NO_QUIET_EXAMPLE,
                lane.head,
                format!("`{name}` has no example that does not fire"),
                "add a line such as `example \"all calm\" SAMPLE -> no match`",
            );
        }
        let has = |item: &Evidence| lane.terms.evidence.iter().any(|need| need.item == *item);
        let lacking: Vec<&str> = [
            (Evidence::Input, "input"),
            (Evidence::Action, "action"),
            (Evidence::Trigger, "trigger"),
        ]
        .iter()
        .filter(|(item, _)| !has(item))
        .map(|(_, word)| *word)
        .collect();
        if !lacking.is_empty() {
            self.warn(
                codes::EVIDENCE_THIN,
                lane.head,
                format!(
                    "the evidence of `{name}` lacks {}",
                    crate::check::names::list(&lacking)
                ),
                "an owner decides well with the input, the action and the trigger before them",
            );
        }
    }

    fn lint_owner(&mut self, item: &ast::Lane, lane: &Lane) {
        let Some(team) = self.teams.get(lane.terms.owner.index()) else {
            return;
        };
        let in_part = self.teams_in_part.contains(&lane.terms.owner);
        if lane.terms.urgency < Urgency::High || in_part {
            return;
        }
        let span = clause_span(item, |clause| matches!(clause, Clause::Owner(_)));
        let urgency = lane.terms.urgency.as_str();
        let found = if team.backup.is_empty() {
            Diagnostic::new(
                codes::NO_BACKUP,
                span,
                format!(
                    "`{}` is of urgency `{urgency}`, and its owner has no backup",
                    lane.name
                ),
            )
            .help("name who is asked when nobody answers: `backup person \"...\"` in the team")
        } else if team
            .backup
            .iter()
            .all(|contact| team.first.contains(contact))
        {
            Diagnostic::new(
                codes::BACKUP_IS_FIRST,
                span,
                format!("the backup of `{}` is who was asked first", team.name),
            )
            .help("a backup is somebody else")
        } else {
            return;
        };
        let declared = team.span;
        self.out.push(found.label(declared, "the team"));
    }

    fn lint_hold(&mut self, item: &ast::Lane, lane: &Lane) {
        let span = clause_span(item, |clause| matches!(clause, Clause::Meanwhile { .. }));
        let terms = &lane.terms;
        if terms.scope >= Scope::Workflow && !self.has_measure(&lane.when) {
            self.warn(
                codes::WIDE_SCOPE,
                span,
                format!("a single event holds the whole {}", terms.scope.as_str()),
                "a wide hold is for what a measure sees over time; hold the `item`, or test a measure",
            );
        }
        let end = terms.steps.last();
        if let Some(end) =
            end.filter(|end| terms.hold.is_running() && end.action == StepAction::Deny)
        {
            self.out.push(
                Diagnostic::new(
                    codes::RUNS_UNTIL_DENIED,
                    span,
                    format!(
                        "`{}` lets the action run, and silence denies it afterwards",
                        terms.hold.as_str()
                    ),
                )
                .label(end.span, "too late for what ran")
                .help("hold the action with `park`, `hold` or `block`, or end in `expire`"),
            );
        }
    }

    fn lint_steps(&mut self, lane: &Lane) {
        let quorum_of =
            |id: crate::matrix::TeamId| self.teams.get(id.index()).map_or(1, |team| team.quorum);
        let mut quorum = quorum_of(lane.terms.owner);
        let mut found = Vec::new();
        for step in &lane.terms.steps {
            match &step.action {
                StepAction::Allow(_) => found.push(
                    Diagnostic::new(codes::TIMEOUT_ALLOWS, step.span, format!("silence allows what `{}` asks about", lane.name))
                        .help("this is legal here, and every decision made so is reported as such; be sure that it is meant"),
                ),
                StepAction::Route(team) => {
                    let next = quorum_of(*team);
                    if next < quorum {
                        found.push(
                            Diagnostic::new(
                                codes::SMALLER_QUORUM,
                                step.span,
                                format!("who waits needs {next} instead of {quorum} people"),
                            )
                            .help("route to a team with at least as large a quorum"),
                        );
                    }
                    quorum = next;
                }
                _ => {}
            }
        }
        self.out.extend(found);
    }

    fn lint_trial(&mut self, item: &ast::Lane, lane: &Lane) {
        let Some(Trial { until: Some(until) }) = lane.trial else {
            return;
        };
        let today: Option<Timestamp> = self
            .options
            .today
            .map(|day| crate::calendar::start_of_day(self.zone, day));
        if today.is_some_and(|today| until <= today) {
            let span = clause_span(item, |clause| matches!(clause, Clause::Trial(_)));
            self.warn(
                codes::TRIAL_OVER,
                span,
                format!(
                    "the trial of `{}` is over, and the lane takes effect",
                    lane.name
                ),
                "remove the line, or give it a later date",
            );
        }
    }

    /// Whether an event without optional fields, on which no test of a required field holds, leaves
    /// the lane unsure: then nearly every event does.
    fn lint_unsure(&mut self, item: &ast::Lane, lane: &Lane) {
        let mut fields: Vec<String> = Vec::new();
        if !self.leaves_unsure(lane, &mut fields) {
            return;
        }
        let span: Span = clause_span(item, |clause| matches!(clause, Clause::When(_)));
        let line_end = self.sources.text(span).find('\n').unwrap_or(usize::MAX);
        let end = span
            .start
            .saturating_add(u32::try_from(line_end).unwrap_or(u32::MAX))
            .min(span.end);
        let names: Vec<&str> = fields.iter().map(String::as_str).collect();
        let first = names.first().copied().unwrap_or("");
        self.warn(
            codes::OFTEN_UNSURE,
            Span { end, ..span },
            format!("an event without {} leaves `{}` unsure, which escalates", crate::check::names::list(&names), lane.name),
            &format!("write `{first} is present and ...`, end the test in `if present`, or say `unsure escalate` if it is meant"),
        );
    }
}
