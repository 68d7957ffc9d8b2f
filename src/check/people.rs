//! Teams and calendars.
//!
//! In: `team` and `calendar` items. Out: their checked forms, one for each item in order.

use chrono::NaiveDate;

use super::build::Checker;
use super::names::Sort;
use crate::calendar::{Calendar, CalendarError, Hours};
use crate::diagnostic::{Diagnostic, codes};
use crate::matrix::{Contact, Team, TeamId};
use crate::span::{Span, Spanned};
use crate::syntax::ast::{self, CalendarClause, Name, TeamClause};

impl<'a> Checker<'a> {
    pub(super) fn team_id(&mut self, name: &Name) -> Option<TeamId> {
        let index = self.names.find(Sort::Team, name, &mut self.out)?;
        Some(TeamId(u32::try_from(index).unwrap_or(u32::MAX)))
    }

    pub(super) fn teams(&mut self, teams: &[&'a ast::Team]) {
        for team in teams {
            let built = self.team(team);
            if !team.broken.is_empty() {
                let id = TeamId(u32::try_from(self.teams.len()).unwrap_or(u32::MAX));
                self.teams_in_part.insert(id);
            }
            self.teams.push(built);
        }
    }

    fn team(&mut self, item: &'a ast::Team) -> Team {
        let mut team = Team {
            name: item.name.node.clone(),
            first: Vec::new(),
            backup: Vec::new(),
            quorum: 1,
            of: None,
            span: item.name.span,
        };
        let mut seen = Vec::new();
        let mut contacts: Vec<&Spanned<Contact>> = Vec::new();
        let mut quorum = None;
        for clause in &item.clauses {
            let keyword = match &clause.node {
                TeamClause::First(_) => "first",
                TeamClause::Backup(_) => "backup",
                TeamClause::Quorum { .. } => "quorum",
            };
            if !self.first_of_its_kind(&mut seen, keyword, clause.span) {
                continue;
            }
            match &clause.node {
                TeamClause::First(list) => {
                    team.first = list.iter().map(|contact| contact.node.clone()).collect();
                    self.contacts(&mut contacts, list);
                }
                TeamClause::Backup(list) => {
                    team.backup = list.iter().map(|contact| contact.node.clone()).collect();
                    // The same contact as first and backup is a lint of its own.
                    self.contacts(&mut Vec::new(), list);
                }
                TeamClause::Quorum { needed, of } => quorum = Some((needed, of)),
            }
        }
        if team.first.is_empty() && !item.broken.iter().any(|b| b == "first") {
            self.out.push(
                Diagnostic::new(
                    codes::TEAM_WITHOUT_FIRST,
                    item.name.span,
                    format!("the team `{}` has no first contact", item.name.node),
                )
                .help("add a line such as `first person \"maria@acme.example\"`"),
            );
        }
        if let Some((needed, of)) = quorum {
            self.quorum(&mut team, needed, of, item.broken.is_empty());
        }
        team
    }

    fn contacts(&mut self, seen: &mut Vec<&'a Spanned<Contact>>, list: &'a [Spanned<Contact>]) {
        for contact in list {
            if let Some(first) = seen.iter().find(|first| first.node == contact.node) {
                self.out.push(
                    Diagnostic::new(
                        codes::CONTACT_TWICE,
                        contact.span,
                        format!("`{}` is named twice", contact.node.name),
                    )
                    .label(first.span, "here already"),
                );
            }
            seen.push(contact);
        }
    }

    fn quorum(
        &mut self,
        team: &mut Team,
        needed: &Spanned<i64>,
        of: &Spanned<i64>,
        complete: bool,
    ) {
        let span = needed.span.to(of.span);
        if needed.node < 1 || of.node < needed.node {
            self.out.push(
                Diagnostic::new(
                    codes::BAD_QUORUM,
                    span,
                    format!("{} of {} is no quorum", needed.node, of.node),
                )
                .help("a quorum is `M of N` with M at least 1 and at most N"),
            );
            return;
        }
        let count = |list: &[Contact]| {
            let groups = list.iter().filter(|contact| contact.group).count();
            (list.len() - groups, groups)
        };
        let (first, first_groups) = count(&team.first);
        let (backup, backup_groups) = count(&team.backup);
        let people = first + backup;
        let reachable = first_groups + backup_groups > 0
            || usize::try_from(of.node).is_ok_and(|of| people >= of);
        if !reachable && complete {
            self.out.push(
                Diagnostic::new(
                    codes::QUORUM_UNREACHABLE,
                    span,
                    format!(
                        "the team names {people} {}, and the quorum is of {}",
                        if people == 1 { "person" } else { "people" },
                        of.node
                    ),
                )
                .help("name more people, or a group, whose members are counted when it matters"),
            );
            return;
        }
        team.quorum = u32::try_from(needed.node).unwrap_or(u32::MAX);
        team.of = u32::try_from(of.node).ok();
    }

    pub(super) fn calendars(&mut self, calendars: &[&'a ast::Calendar]) {
        for calendar in calendars {
            let built = self.calendar(calendar);
            self.calendars.push(built);
        }
    }

    fn calendar(&mut self, item: &'a ast::Calendar) -> Option<Calendar> {
        let before = self.out.len();
        let mut zone = self.zone;
        let mut hours: Vec<(Hours, Span)> = Vec::new();
        let mut exceptions: Vec<((NaiveDate, NaiveDate), Span)> = Vec::new();
        let mut seen = Vec::new();
        for clause in &item.clauses {
            match &clause.node {
                CalendarClause::Timezone(name) => {
                    if self.first_of_its_kind(&mut seen, "timezone", clause.span)
                        && let Some(own) = self.zone_named(name)
                    {
                        zone = own;
                    }
                }
                CalendarClause::Hours {
                    from,
                    to,
                    open,
                    close,
                } => {
                    let line = Hours {
                        from: *from,
                        to: *to,
                        open: open.node,
                        close: close.node,
                    };
                    hours.push((line, clause.span));
                }
                CalendarClause::Except { from, to } => {
                    let last = to.as_ref().unwrap_or(from);
                    exceptions.push(((from.node, last.node), clause.span));
                }
            }
        }
        // Line by line, so that every mistake is found and not only the first.
        for (line, span) in &hours {
            if let Err(error) = Calendar::new("", zone, std::slice::from_ref(line), &[]) {
                self.calendar_error(&error, *span);
            }
        }
        for (dates, span) in &exceptions {
            if dates.1 < dates.0 {
                self.calendar_error(&CalendarError::BackwardException { index: 0 }, *span);
            }
        }
        if self.out.len() > before || !item.broken.is_empty() {
            return None;
        }
        let lines: Vec<Hours> = hours.into_iter().map(|(line, _)| line).collect();
        let dates: Vec<_> = exceptions.iter().map(|(dates, _)| *dates).collect();
        match Calendar::new(&item.name.node, zone, &lines, &dates) {
            Ok(calendar) => Some(calendar),
            Err(error) => {
                self.calendar_error(&error, item.name.span);
                None
            }
        }
    }

    fn calendar_error(&mut self, error: &CalendarError, span: Span) {
        let (code, help) = match error {
            CalendarError::EmptyHours { .. }
            | CalendarError::LateOpen { .. }
            | CalendarError::LateClose { .. } => (
                codes::BAD_HOURS,
                "hours are such as `mon to fri 09:00 to 18:00`; an end before the start runs past midnight",
            ),
            CalendarError::BackwardException { .. } => (
                codes::EXCEPT_REVERSED,
                "an exception goes from its first day to its last: `except 2026-12-24 to 2026-12-26`",
            ),
            CalendarError::LongException { .. } => (
                codes::CALENDAR_NEVER_OPEN,
                "shorten the exceptions, or remove the calendar and what waits for it",
            ),
            _ => (
                codes::CALENDAR_NEVER_OPEN,
                "add hours such as `mon to fri 09:00 to 18:00`",
            ),
        };
        self.out
            .push(Diagnostic::new(code, span, error.to_string()).help(help));
    }
}
