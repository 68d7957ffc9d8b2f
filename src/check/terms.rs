//! What a sign-off demands: of a lane, of `otherwise` and of `unreadable`.
//!
//! In: clauses. Out: [`Terms`].
//! Invariant: every timeout ends, its steps grow, and an approval from silence is only ever one
//! that the author wrote for a lane that is not urgent, with a reason and a way back.

use super::build::Checker;
use super::names::Sort;
use crate::clock::Duration;
use crate::diagnostic::{Diagnostic, codes};
use crate::limits;
use crate::matrix::{CalendarId, EvidenceNeed, Step, StepAction, TeamId, Terms, Within};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, Clause, Evidence, Hold, Scope, TimeSpan, Urgency};

/// The clauses of terms as they were given; what is missing is missing.
#[derive(Default)]
pub(super) struct Given<'a> {
    pub owner: Option<&'a ast::Name>,
    pub urgency: Option<&'a Spanned<Urgency>>,
    pub respond: Option<&'a TimeSpan>,
    pub meanwhile: Option<(&'a Spanned<Hold>, &'a Spanned<Scope>)>,
    pub evidence: Option<&'a ast::EvidenceBlock>,
    pub timeout: Option<(&'a ast::TimeoutBlock, Span)>,
    pub reversible: bool,
    /// Clauses that could not be read.
    pub broken: &'a [String],
}

impl<'a> Given<'a> {
    /// Takes a clause of terms; false for any other.
    pub fn take(&mut self, clause: &'a Spanned<Clause>) -> bool {
        match &clause.node {
            Clause::Owner(name) => self.owner = Some(name),
            Clause::Urgency(urgency) => self.urgency = Some(urgency),
            Clause::Respond(span) => self.respond = Some(span),
            Clause::Meanwhile { hold, scope } => self.meanwhile = Some((hold, scope)),
            Clause::Evidence(block) => self.evidence = Some(block),
            Clause::Timeout(block) => self.timeout = Some((block, clause.span)),
            _ => return false,
        }
        true
    }
}

impl<'a> Checker<'a> {
    /// `escalate to TEAM { ... }`: what is not given is as design says.
    pub(super) fn fallback(&mut self, fallback: &'a ast::Fallback) -> Option<Terms> {
        let mut given = Given {
            owner: Some(&fallback.team),
            broken: &fallback.broken,
            ..Given::default()
        };
        let mut seen = Vec::new();
        for clause in fallback.clauses.iter().flatten() {
            if self.first_of_its_kind(&mut seen, clause.node.keyword(), clause.span) {
                given.take(clause);
            }
        }
        self.terms(&given)
    }

    /// The terms; a clause that is missing gets the default of a fallback, which a lane never
    /// needs: there it is an error of its own.
    pub(super) fn terms(&mut self, given: &Given<'a>) -> Option<Terms> {
        let owner = given.owner.map(|name| self.team_id(name));
        let urgency = given.urgency.map_or(Urgency::High, |urgency| urgency.node);
        let respond = match given.respond {
            Some(span) => self.within(span),
            None => Some(Within {
                length: Duration::from_minutes(60),
                of: None,
            }),
        };
        let (hold, scope) = given
            .meanwhile
            .map_or((Hold::Block, Scope::Item), |(hold, scope)| {
                (hold.node, scope.node)
            });
        if let Some((word, _)) = given.meanwhile
            && urgency == Urgency::Critical
            && hold.is_running()
        {
            self.out.push(
                Diagnostic::new(
                    codes::CRITICAL_RUNS_ON,
                    word.span,
                    format!(
                        "`{}` lets the action run, and the lane is critical",
                        hold.as_str()
                    ),
                )
                .help("a critical lane holds with `park`, `hold`, `block` or `deny`"),
            );
        }
        let evidence = match given.evidence {
            Some(block) => {
                let needs = self.evidence(block);
                block.broken.is_empty().then_some(needs)
            }
            None => Some(default_evidence()),
        };
        let owner_id = owner.flatten();
        let steps = match given.timeout {
            Some((block, span)) => self.steps(block, span, given, urgency, owner_id),
            None => Some(self.default_steps(owner_id)),
        };
        if let (Some(respond), Some(steps), Some(span)) = (respond, &steps, given.respond) {
            self.respond_in_time(respond, steps, span);
        }
        Some(Terms {
            owner: owner_id?,
            urgency,
            respond: respond?,
            hold,
            scope,
            evidence: evidence?,
            steps: steps?,
        })
    }

    pub(super) fn within(&mut self, span: &TimeSpan) -> Option<Within> {
        let of = match &span.of {
            Some(name) => {
                let index = self.names.find(Sort::Calendar, name, &mut self.out)?;
                Some(CalendarId(u32::try_from(index).unwrap_or(u32::MAX)))
            }
            None => None,
        };
        Some(Within {
            length: span.length.node,
            of,
        })
    }

    fn evidence(&mut self, block: &'a ast::EvidenceBlock) -> Vec<EvidenceNeed> {
        let mut needs: Vec<EvidenceNeed> = Vec::new();
        let mut seen: Vec<(&Evidence, Span)> = Vec::new();
        for line in &block.lines {
            for item in &line.node.items {
                let same = |a: &Evidence, b: &Evidence| {
                    a == b || matches!((a, b), (Evidence::History(_), Evidence::History(_)))
                };
                if let Some((_, first)) = seen.iter().find(|(seen, _)| same(seen, &item.node)) {
                    let text = crate::syntax::print::evidence_text(&item.node);
                    self.out.push(
                        Diagnostic::new(
                            codes::NAMED_TWICE,
                            item.span,
                            format!("`{text}` is asked for twice"),
                        )
                        .label(*first, "here already"),
                    );
                    continue;
                }
                seen.push((&item.node, item.span));
                needs.push(EvidenceNeed {
                    required: line.node.required,
                    item: item.node.clone(),
                });
            }
        }
        needs
    }

    /// After 1h notify backup (if there is one), after 4h deny.
    fn default_steps(&self, owner: Option<TeamId>) -> Vec<Step> {
        let step = |hours: u64, action| Step {
            every: false,
            at: Within {
                length: Duration::from_minutes(60 * hours),
                of: None,
            },
            action,
            span: Span::default(),
        };
        let backup = owner
            .and_then(|id| self.teams.get(id.index()))
            .is_some_and(|team| !team.backup.is_empty());
        let mut steps = Vec::new();
        if backup {
            steps.push(step(1, StepAction::NotifyBackup));
        }
        steps.push(step(4, StepAction::Deny));
        steps
    }

    fn steps(
        &mut self,
        block: &'a ast::TimeoutBlock,
        span: Span,
        given: &Given<'a>,
        urgency: Urgency,
        owner: Option<TeamId>,
    ) -> Option<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        let mut all = block.broken.is_empty();
        for step in &block.steps {
            let built = self.step(step, given, urgency, owner);
            match built {
                Some(built) => {
                    let in_order = self.follows(&steps, all, &built, step);
                    if in_order {
                        steps.push(built);
                    } else {
                        all = false;
                    }
                }
                None => all = false,
            }
        }
        if all && !steps.last().is_some_and(|step| step.action.is_end()) {
            let keyword = Span {
                end: span.start + 7,
                ..span
            };
            self.out.push(
                Diagnostic::new(codes::NO_END, keyword, "this timeout never ends")
                    .help("end it with a step such as `after 4h deny`, `after 4h expire`, or `allow because \"...\"` on a reversible lane"),
            );
            return None;
        }
        all.then_some(steps)
    }

    fn step(
        &mut self,
        step: &'a Spanned<ast::Step>,
        given: &Given<'a>,
        urgency: Urgency,
        owner: Option<TeamId>,
    ) -> Option<Step> {
        let written = &step.node;
        let at = self.within(&written.span);
        let action = match &written.action {
            ast::StepAction::NotifyBackup => {
                self.has_backup(owner, step.span)?;
                Some(StepAction::NotifyBackup)
            }
            ast::StepAction::Notify(team) => self.team_id(team).map(StepAction::Notify),
            ast::StepAction::Route(team) => self.team_id(team).map(StepAction::Route),
            ast::StepAction::Run(action) => self.action_id(action).map(StepAction::Run),
            ast::StepAction::Deny => Some(StepAction::Deny),
            ast::StepAction::Expire => Some(StepAction::Expire),
            ast::StepAction::Allow(because) => {
                self.may_allow(step.span, given, urgency)?;
                Some(StepAction::Allow(because.node.clone()))
            }
        };
        if written.span.length.node > limits::TIMEOUT {
            self.out.push(
                Diagnostic::new(
                    codes::TIMEOUT_TOO_LONG,
                    written.span.length.span,
                    format!("no escalation stays open longer than {}", limits::TIMEOUT),
                )
                .help("end the timeout earlier"),
            );
            return None;
        }
        Some(Step {
            every: written.every,
            at: at?,
            action: action?,
            span: step.span,
        })
    }

    fn has_backup(&mut self, owner: Option<TeamId>, span: Span) -> Option<()> {
        let owner = owner?;
        let team = self.teams.get(owner.index())?;
        if !team.backup.is_empty() {
            return Some(());
        }
        if self.teams_in_part.contains(&owner) {
            return None;
        }
        self.out.push(
            Diagnostic::new(
                codes::NO_BACKUP_TO_NOTIFY,
                span,
                format!("the team `{}` has no backup to notify", team.name),
            )
            .label(team.span, "declared here")
            .help("add a line such as `backup person \"jon@acme.example\"` to the team, or notify another team"),
        );
        None
    }

    fn may_allow(&mut self, span: Span, given: &Given<'_>, urgency: Urgency) -> Option<()> {
        let reversible = given.reversible || given.broken.iter().any(|b| b == "reversible");
        if !reversible {
            self.out.push(
                Diagnostic::new(
                    codes::ALLOW_NOT_REVERSIBLE,
                    span,
                    "silence may only allow what can be taken back",
                )
                .help("say how it is taken back with `reversible \"...\"` in the lane, or end in `deny` or `expire`"),
            );
        }
        // An urgency that is missing or could not be read is a finding of its own.
        let urgent = given.urgency.is_some() && urgency > Urgency::Normal;
        if urgent {
            self.out.push(
                Diagnostic::new(
                    codes::ALLOW_TOO_URGENT,
                    span,
                    format!(
                        "silence may not allow on a lane of urgency `{}`",
                        urgency.as_str()
                    ),
                )
                .help("only a lane of urgency `normal` or `low` may end in `allow`"),
            );
        }
        (reversible && !urgent).then_some(())
    }

    /// Whether a step may follow the ones before it; `all` of which could be read, or not.
    fn follows(
        &mut self,
        before: &[Step],
        all: bool,
        step: &Step,
        written: &Spanned<ast::Step>,
    ) -> bool {
        if before.last().is_some_and(|last| last.action.is_end()) {
            self.out.push(
                Diagnostic::new(
                    codes::STEP_AFTER_END,
                    written.span,
                    "this step comes after the end",
                )
                .label(
                    before.last().map_or(written.span, |s| s.span),
                    "the timeout ends here",
                ),
            );
            return false;
        }
        let calendar = before
            .iter()
            .rev()
            .find_map(|step| step.at.of.map(|of| (of, step.span)));
        if let Some((of, span)) = calendar
            && step.at.of != Some(of)
        {
            let name = self
                .calendars
                .get(of.index())
                .and_then(Option::as_ref)
                .map_or("", |c| c.name());
            self.out.push(
                Diagnostic::new(
                    codes::STEP_CALENDAR,
                    written.node.span.length.span,
                    format!("this step counts other time than the one before it, which counts open time of `{name}`"),
                )
                .label(span, "counted in open time")
                .help(format!("write `{} of {name}`: else it may come before that step over a weekend", step.at.length)),
            );
            return false;
        }
        if step.every {
            let repeats = before.last().is_some_and(|last| {
                matches!(
                    last.action,
                    StepAction::Notify(_) | StepAction::NotifyBackup
                ) && !last.every
            });
            if !repeats {
                if !all {
                    // The step that it repeats may be the one that could not be read.
                    return false;
                }
                self.out.push(
                    Diagnostic::new(
                        codes::NOTHING_TO_REPEAT,
                        written.span,
                        "`every` repeats the `notify` step before it, and there is none",
                    )
                    .help("put a step such as `after 30m notify backup` before it"),
                );
                return false;
            }
        }
        let last = before.iter().rev().find(|step| !step.every);
        let bound = last.map_or(Duration::default(), |last| last.at.length);
        let grows = if step.every {
            step.at.length.as_millis() > 0
        } else {
            step.at.length > bound
        };
        if !grows {
            let what = match last {
                Some(last) if !step.every => format!(
                    "this step is not later than the one before it, at {}",
                    last.at.length
                ),
                _ => "a step comes some time after the opening".to_owned(),
            };
            let mut found = Diagnostic::new(
                codes::STEPS_NOT_GROWING,
                written.node.span.length.span,
                what,
            )
            .help("every step counts from the opening of the escalation");
            if let Some(last) = last {
                found = found.label(last.span, "the step before");
            }
            self.out.push(found);
        }
        grows
    }

    fn respond_in_time(&mut self, respond: Within, steps: &[Step], span: &TimeSpan) {
        let Some(end) = steps.last() else { return };
        let comparable = respond.of.is_none() || respond.of == end.at.of;
        if comparable && respond.length <= end.at.length {
            return;
        }
        let place = span
            .of
            .as_ref()
            .map_or(span.length.span, |of| span.length.span.to(of.span));
        let message = if comparable {
            format!(
                "an answer is expected within {}, after the end at {}",
                respond.length, end.at.length
            )
        } else {
            "an answer is expected in open time, and the end does not wait for it".to_owned()
        };
        self.out.push(
            Diagnostic::new(codes::RESPOND_TOO_LATE, place, message)
                .label(end.span, "the end")
                .help("`respond within` marks an escalation overdue, which can only be before its end"),
        );
    }
}

fn default_evidence() -> Vec<EvidenceNeed> {
    let need = |item| EvidenceNeed {
        required: true,
        item,
    };
    vec![need(Evidence::Input), need(Evidence::Trigger)]
}
