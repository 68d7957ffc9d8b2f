//! What two matrices demand, in words that can be compared.
//!
//! In: two matrices. Out: numbers that are equal where both demand the same.
//! Invariant: names of teams, actions and calendars count by what they stand for in their matrix.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::found::{As, Found};
use super::summary::Strictness;
use crate::decision::{Holds, State, Verdict};
use crate::matrix::{
    Effect, Lane, LaneId, Matrix, Otherwise, RuleId, StepAction, TeamId, Terms, Within,
};
use crate::program::By;

/// A demand of a sign-off or an effect of a rule, the same number for the same in both matrices.
type Number = u32;

/// What a sign-off is.
#[derive(Debug, Clone, Copy, Default)]
struct SignOff {
    /// Who must agree by when: what makes one stricter.
    demand: Number,
    /// All that follows from it.
    terms: Number,
}

/// One of two matrices.
#[derive(Debug, Default)]
struct Part {
    lanes: Vec<SignOff>,
    lane_names: Vec<Number>,
    rule_names: Vec<Number>,
    /// What each adjust sets.
    sets: Vec<Vec<Number>>,
    otherwise: SignOff,
    unreadable: SignOff,
}

/// Both matrices.
#[derive(Debug)]
pub(super) struct Catalogue {
    old: Part,
    new: Part,
}

/// What is compared of two decisions. Buffers.
#[derive(Debug, Default)]
pub(super) struct Compared {
    demands: [Vec<Number>; 2],
    terms: [Vec<Number>; 2],
}

/// How a decision differs from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Difference {
    pub(super) strictness: Strictness,
    /// What differs under one verdict: a bit for each of [`WORDS`].
    what: u8,
}

/// What can differ under one verdict.
const WORDS: [&str; 7] = [
    "another sign-off",
    "a sign-off less",
    "a larger hold",
    "a smaller hold",
    "other terms",
    "other values",
    "decided by another",
];

impl Difference {
    const NEW_SIGN_OFF: u8 = 1;
    const LESS_SIGN_OFF: u8 = 1 << 1;
    const LARGER_HOLD: u8 = 1 << 2;
    const SMALLER_HOLD: u8 = 1 << 3;
    const TERMS: u8 = 1 << 4;
    const VALUES: u8 = 1 << 5;
    const NAME: u8 = 1 << 6;

    fn of(strictness: Strictness, what: u8) -> Self {
        Self { strictness, what }
    }

    /// What differs under one verdict, in words.
    pub(super) fn words(self) -> Vec<&'static str> {
        let bits = (0..).zip(WORDS);
        let bits = bits.filter(|(bit, _)| self.what >> bit & 1 == 1);
        bits.map(|(_, word)| word).collect()
    }
}

/// A bit where something is so.
fn bit(bit: u8, is_so: bool) -> u8 {
    if is_so { bit } else { 0 }
}

/// Numbers for texts.
#[derive(Default)]
struct Numbers(HashMap<String, Number>);

impl Numbers {
    fn of(&mut self, text: String) -> Number {
        let next = Number::try_from(self.0.len()).unwrap_or(Number::MAX);
        *self.0.entry(text).or_insert(next)
    }
}

impl Catalogue {
    pub(super) fn of(old: &Matrix, new: &Matrix) -> Self {
        let mut numbers = Numbers::default();
        Self {
            old: Part::of(old, &mut numbers),
            new: Part::of(new, &mut numbers),
        }
    }

    /// How a new decision differs from an old one; nothing where it does not.
    #[inline]
    pub(super) fn compare(
        &self,
        old: &Found,
        new: &Found,
        compared: &mut Compared,
    ) -> Option<Difference> {
        match rank(new.verdict).cmp(&rank(old.verdict)) {
            std::cmp::Ordering::Greater => {
                return Some(Difference::of(Strictness::Stricter, 0));
            }
            std::cmp::Ordering::Less => return Some(Difference::of(Strictness::Looser, 0)),
            std::cmp::Ordering::Equal => {}
        }
        let renamed = self.old.name(old.by) != self.new.name(new.by);
        let renamed = bit(Difference::NAME, renamed);
        let difference = match old.verdict {
            Verdict::Escalate => self.escalations(old, new, compared, renamed),
            Verdict::Adjust => {
                let [before, after] = &mut compared.terms;
                self.old.sets(old, before);
                self.new.sets(new, after);
                let values = bit(Difference::VALUES, before != after);
                Difference::of(Strictness::Equal, renamed | values)
            }
            Verdict::Allow | Verdict::Deny => Difference::of(Strictness::Equal, renamed),
        };
        (difference.what != 0).then_some(difference)
    }

    fn escalations(
        &self,
        old: &Found,
        new: &Found,
        compared: &mut Compared,
        renamed: u8,
    ) -> Difference {
        let [old_demands, new_demands] = &mut compared.demands;
        let [old_terms, new_terms] = &mut compared.terms;
        self.old.sign_offs(old, old_demands, old_terms);
        self.new.sign_offs(new, new_demands, new_terms);
        let (before, after) = (old.meanwhile, new.meanwhile);
        let lacks = |some: &[Number], other: &[Number]| {
            let mut some = some.iter();
            some.any(|demand| other.binary_search(demand).is_err())
        };
        let stricter = bit(Difference::NEW_SIGN_OFF, lacks(new_demands, old_demands))
            | bit(Difference::LARGER_HOLD, is_larger(after, before));
        let looser = bit(Difference::LESS_SIGN_OFF, lacks(old_demands, new_demands))
            | bit(Difference::SMALLER_HOLD, is_larger(before, after));
        let strictness = match (stricter != 0, looser != 0) {
            (true, true) => Strictness::Mixed,
            (true, false) => Strictness::Stricter,
            (false, true) => Strictness::Looser,
            (false, false) => Strictness::Equal,
        };
        let terms = old_terms != new_terms && strictness == Strictness::Equal;
        let what = stricter | looser | renamed | bit(Difference::TERMS, terms);
        Difference::of(strictness, what)
    }
}

/// Design, "Stricter": deny, escalate, adjust, allow.
pub(super) fn rank(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Adjust => 1,
        Verdict::Escalate => 2,
        Verdict::Deny => 3,
    }
}

/// Whether holds are stricter than others in some scope.
fn is_larger(some: Holds, other: Holds) -> bool {
    some.item > other.item || some.workflow > other.workflow || some.system > other.system
}

impl Part {
    fn of(matrix: &Matrix, numbers: &mut Numbers) -> Self {
        let words = Words { matrix };
        let mut sign_off = |terms: &Terms, lane: Option<&Lane>| SignOff {
            demand: numbers.of(words.demand(terms)),
            terms: numbers.of(words.all(terms, lane)),
        };
        let lanes = matrix.lanes.iter();
        let lanes = lanes.map(|lane| sign_off(&lane.terms, Some(lane)));
        let lanes = lanes.collect();
        let otherwise = match &matrix.otherwise {
            Otherwise::Escalate(terms) => sign_off(terms, None),
            Otherwise::Allow | Otherwise::Deny => SignOff::default(),
        };
        let unreadable = matrix.unreadable.as_ref();
        let unreadable = unreadable.map(|terms| sign_off(terms, None));
        let mut name = |name: &String| numbers.of(format!("name {name}"));
        let lane_names = matrix.lanes.iter().map(|lane| name(&lane.name)).collect();
        let rule_names = matrix.rules.iter().map(|rule| name(&rule.name)).collect();
        let sets = matrix.rules.iter().map(|rule| match &rule.effect {
            Effect::Adjust(changes) => {
                let changes = changes.iter();
                let set = changes.map(|(field, value)| {
                    let path = matrix.schema.path(*field);
                    numbers.of(format!("set {path} = {value}"))
                });
                set.collect()
            }
            Effect::Allow | Effect::Deny => Vec::new(),
        });
        Self {
            sets: sets.collect(),
            lanes,
            lane_names,
            rule_names,
            otherwise,
            unreadable: unreadable.unwrap_or_default(),
        }
    }

    /// What stands for the name of what decides.
    fn name(&self, by: By) -> Option<(u8, Number)> {
        match by {
            By::Otherwise => Some((0, 0)),
            By::Unreadable => Some((1, 0)),
            By::Lane(LaneId(id)) => Some((2, *self.lane_names.get(id as usize)?)),
            By::Rule(RuleId(id)) => Some((2, *self.rule_names.get(id as usize)?)),
        }
    }

    /// The sign-offs of an escalation, sorted.
    fn sign_offs(&self, found: &Found, demands: &mut Vec<Number>, terms: &mut Vec<Number>) {
        demands.clear();
        terms.clear();
        let lanes = found.lanes.iter();
        let lanes = lanes.filter(|(.., how)| *how == As::Attached);
        let lanes = lanes.filter_map(|(id, ..)| self.lanes.get(id.index()));
        let unreadable = found.asks_unreadable.then_some(&self.unreadable);
        let otherwise = (found.by == By::Otherwise).then_some(&self.otherwise);
        for sign_off in lanes.chain(unreadable).chain(otherwise) {
            demands.push(sign_off.demand);
            terms.push(sign_off.terms);
        }
        sort(demands);
        sort(terms);
    }

    /// What the adjusts set, sorted.
    fn sets(&self, found: &Found, sets: &mut Vec<Number>) {
        sets.clear();
        for (id, state) in &found.rules {
            if *state == State::Fired {
                sets.extend(self.sets.get(id.index()).into_iter().flatten());
            }
        }
        sort(sets);
    }
}

fn sort(numbers: &mut Vec<Number>) {
    numbers.sort_unstable();
    numbers.dedup();
}

/// The words of one matrix.
struct Words<'m> {
    matrix: &'m Matrix,
}

impl Words<'_> {
    /// Who must agree by when.
    fn demand(&self, terms: &Terms) -> String {
        let mut words = format!("demand {}", self.people(terms.owner));
        let _ = write!(words, " within {}", self.within(terms.respond));
        for step in &terms.steps {
            let word = if step.every { "every" } else { "after" };
            let _ = write!(words, "; {word} {} ", self.within(step.at));
            words += &match &step.action {
                StepAction::NotifyBackup => "notify backup".to_owned(),
                StepAction::Notify(team) => format!("notify {}", self.people(*team)),
                StepAction::Route(team) => format!("route to {}", self.people(*team)),
                StepAction::Run(action) => format!("run {}", self.matrix.action_name(*action)),
                StepAction::Deny => "deny".to_owned(),
                StepAction::Expire => "expire".to_owned(),
                StepAction::Allow(why) => format!("allow {why:?}"),
            };
        }
        words
    }

    /// All that a sign-off says.
    fn all(&self, terms: &Terms, lane: Option<&Lane>) -> String {
        let mut words = self.demand(terms);
        let owner = self.matrix.team_name(terms.owner);
        let (urgency, hold, scope) = (terms.urgency, terms.hold, terms.scope);
        let evidence = &terms.evidence;
        let _ = write!(
            words,
            "\n{owner} {urgency:?} {hold:?} {scope:?} {evidence:?}"
        );
        if let Some(lane) = lane {
            let also = lane.also.iter();
            let also: Vec<&str> = also.map(|id| self.matrix.action_name(*id)).collect();
            let group = lane.group_by.iter();
            let group: Vec<&str> = group.map(|id| self.matrix.schema.path(*id)).collect();
            let _ = write!(words, " {also:?} {group:?} {:?}", lane.operator);
        }
        words
    }

    fn people(&self, id: TeamId) -> String {
        let Some(team) = self.matrix.team(id) else {
            return String::new();
        };
        let (first, backup) = (&team.first, &team.backup);
        format!("{first:?} {backup:?} {} of {:?}", team.quorum, team.of)
    }

    /// A span; of a calendar with its hours, since they make the deadline.
    fn within(&self, within: Within) -> String {
        let calendar = within.of.and_then(|id| self.matrix.calendar(id));
        match calendar {
            None => within.length.to_string(),
            Some(calendar) => format!("{} of {calendar:?}", within.length),
        }
    }
}
