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
use crate::matrix::{ActionId, CalendarId, EvidenceNeed, Step, StepAction, TeamId, Terms, Within};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, Clause, Evidence, Hold, Scope, TimeSpan, Urgency};

/// The steps of a timeout as far as they can be read, and whether that is all.
struct Steps {
    list: Vec<Step>,
    sound: bool,
    /// Whether the calendars of all steps are known.
    timed: bool,
}

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
    /// Whether this is `escalate to`, in which every clause has a default.
    pub is_fallback: bool,
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
            is_fallback: true,
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
            None => Steps {
                list: self.default_steps(owner_id),
                sound: true,
                // A lane always has its own, which may be one that cannot be read.
                timed: given.is_fallback && !given.broken.iter().any(|b| b == "timeout"),
            },
        };
        if let (Some(respond), Some(span), true) = (respond, given.respond, steps.timed) {
            self.respond_in_time(respond, &steps.list, span);
        }
        Some(Terms {
            owner: owner_id?,
            urgency,
            respond: respond?,
            hold,
            scope,
            evidence: evidence?,
            steps: steps.sound.then_some(steps.list)?,
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
    ) -> Steps {
        let mut steps = Steps {
            list: Vec::new(),
            sound: block.broken.is_empty(),
            timed: true,
        };
        for step in &block.steps {
            let (built, sound) = self.step(step, given, urgency, owner);
            let in_order = self.follows(&steps.list, &built, step, block.broken.is_empty());
            steps.sound &= sound && in_order;
            steps.timed &= step.node.span.of.is_some() == built.at.of.is_some();
            if in_order {
                steps.list.push(built);
            }
        }
        let ends = |step: &Spanned<ast::Step>| {
            matches!(
                step.node.action,
                ast::StepAction::Deny | ast::StepAction::Expire | ast::StepAction::Allow(_)
            )
        };
        if block.broken.is_empty() && !block.steps.iter().any(ends) {
            let keyword = Span {
                end: span.start + 7,
                ..span
            };
            self.out.push(
                Diagnostic::new(codes::NO_END, keyword, "this timeout never ends")
                    .help("end it with a step such as `after 4h deny`, `after 4h expire`, or `allow because \"...\"` on a reversible lane"),
            );
            steps.sound = false;
        }
        steps
    }

    /// A step, and whether nothing is wrong with it. One that is wrong keeps its place among the
    /// others, so that it hides no mistake of theirs; who or what it names may stand for nothing.
    fn step(
        &mut self,
        step: &'a Spanned<ast::Step>,
        given: &Given<'a>,
        urgency: Urgency,
        owner: Option<TeamId>,
    ) -> (Step, bool) {
        const NO_TEAM: TeamId = TeamId(u32::MAX);
        let written = &step.node;
        let at = self.within(&written.span);
        let mut sound = at.is_some();
        let action = match &written.action {
            ast::StepAction::NotifyBackup => {
                sound &= self.has_backup(owner, step.span);
                StepAction::NotifyBackup
            }
            ast::StepAction::Notify(team) => {
                let team = self.team_id(team);
                sound &= team.is_some();
                StepAction::Notify(team.unwrap_or(NO_TEAM))
            }
            ast::StepAction::Route(team) => {
                let team = self.team_id(team);
                sound &= team.is_some();
                StepAction::Route(team.unwrap_or(NO_TEAM))
            }
            ast::StepAction::Run(action) => {
                let action = self.action_id(action);
                sound &= action.is_some();
                StepAction::Run(action.unwrap_or(ActionId(u32::MAX)))
            }
            ast::StepAction::Deny => StepAction::Deny,
            ast::StepAction::Expire => StepAction::Expire,
            ast::StepAction::Allow(because) => {
                sound &= self.may_allow(step.span, given, urgency);
                StepAction::Allow(because.node.clone())
            }
        };
        let length = &written.span.length;
        if length.node > limits::TIMEOUT {
            self.out.push(
                Diagnostic::new(
                    codes::TIMEOUT_TOO_LONG,
                    length.span,
                    format!("no escalation stays open longer than {}", limits::TIMEOUT),
                )
                .help("end the timeout earlier"),
            );
            sound = false;
        }
        let built = Step {
            every: written.every,
            at: at.unwrap_or(Within {
                length: length.node,
                of: None,
            }),
            action,
            span: step.span,
        };
        (built, sound)
    }

    /// Whether the team has a backup; a team that is not known is a finding of its own.
    fn has_backup(&mut self, owner: Option<TeamId>, span: Span) -> bool {
        let Some(team) = owner.and_then(|owner| self.teams.get(owner.index())) else {
            return true;
        };
        if !team.backup.is_empty() {
            return true;
        }
        // The backup may stand on the line that could not be read.
        if owner.is_some_and(|owner| self.teams_in_part.contains(&owner)) {
            return true;
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
        false
    }

    fn may_allow(&mut self, span: Span, given: &Given<'_>, urgency: Urgency) -> bool {
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
        // A lane without an urgency is told so; a fallback without one is of urgency `high`.
        let urgent = match given.urgency {
            Some(_) => urgency > Urgency::Normal,
            None => given.is_fallback && !given.broken.iter().any(|b| b == "urgency"),
        };
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
        reversible && !urgent
    }

    /// Whether a step may follow the ones before it, which are all of them if that is complete.
    fn follows(
        &mut self,
        before: &[Step],
        step: &Step,
        written: &Spanned<ast::Step>,
        complete: bool,
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
            .last()
            .and_then(|step| step.at.of.map(|of| (of, step.span)));
        let unknown = written.node.span.of.is_some() && step.at.of.is_none();
        if let Some((of, span)) = calendar
            && step.at.of != Some(of)
            && !unknown
        {
            let name = self
                .calendars
                .get(of.index())
                .and_then(Option::as_ref)
                .map_or("", |c| c.name());
            let time = &written.node.span;
            let place = time
                .of
                .as_ref()
                .map_or(time.length.span, |of| time.length.span.to(of.span));
            self.out.push(
                Diagnostic::new(
                    codes::STEP_CALENDAR,
                    place,
                    format!("this step counts other time than the one before it, which counts open time of `{name}`"),
                )
                .label(span, "counted in open time")
                .help("counted otherwise it may come before that step, such as over a weekend")
                .guess(format!("write `{} of {name}`", step.at.length), place, format!("{} of {name}", step.at.length)),
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
            if !repeats && complete {
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
        let Some(end) = steps.last().filter(|step| step.action.is_end()) else {
            return;
        };
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
