//! Examples of lanes and scenarios, run.
//!
//! In: a matrix and one of its cases. Out: what came of it, and whether that was expected.
//! Invariant: an example evaluates its lane and the rules only, unless it names another decider; a
//! scenario evaluates the whole matrix. Running one example costs nothing for the lanes beside it.
//! Must not know where cases come from, nor how findings look.

use std::collections::HashSet;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::decision::{Decision, State, Verdict};
use crate::diagnostic::{Diagnostic, codes};
use crate::event::{Event, Unreadable};
use crate::matrix::{Before, Case, ConditionId, Expect, Expr, ExprKind, Lane, Matrix, MeasureId};
use crate::reference::{Coverage, Explanation, History, Reference, Standing, Times};

/// What came of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether it is what the case expects.
    pub passed: bool,
    /// What the case expects, in its own words.
    pub expected: String,
    /// What came, in such words: `deny by no_table_drops`, `no match`.
    pub came: String,
    /// Of a case that failed one sentence: what was expected, what came, and why.
    pub message: String,
    /// How the example's lane stands; absent for a scenario, for an example that names another
    /// decider, and for an event that cannot be read.
    pub standing: Option<Standing>,
    /// The whole decision.
    pub decision: Decision,
}

/// Runs a case.
#[must_use]
pub fn run(matrix: &Matrix, case: &Case) -> Outcome {
    let setting = Setting::of(matrix, case);
    let (standing, decision) = setting.decide(case);
    let met = setting.meets(case, standing, &decision);
    let came = came(
        standing.filter(|_| setting.subject(case).is_some()),
        &decision,
    );
    let mut outcome = Outcome {
        passed: met && setting.unready.is_none(),
        expected: case.expect.to_string(),
        came,
        message: String::new(),
        standing,
        decision,
    };
    if !outcome.passed {
        outcome.message = setting.message(case, &outcome);
    }
    outcome
}

/// Runs every example and scenario of a matrix, and says what is wrong with those that fail.
#[must_use]
pub fn check_examples(matrix: &Matrix) -> Vec<Diagnostic> {
    let examples = matrix.lanes.iter().flat_map(|lane| &lane.examples);
    let failed = examples.chain(&matrix.scenarios).filter_map(|case| {
        let outcome = run(matrix, case);
        (!outcome.passed)
            .then(|| Diagnostic::new(codes::EXAMPLE_FAILED, case.span, outcome.message))
    });
    failed.collect()
}

/// Runs a case and adds what it showed of the matrix.
pub fn observe(matrix: &Matrix, case: &Case, seen: &mut Coverage) {
    let setting = Setting::of(matrix, case);
    if let Ok(event) = &setting.event {
        let times = Times::of(event);
        let reference = setting.reference;
        reference.observe(event, &setting.history, times, seen);
    }
}

/// Whether a condition of the matrix is surely true of a case's event.
pub(crate) fn surely(matrix: &Matrix, case: &Case, condition: &Expr) -> bool {
    let setting = Setting::of(matrix, case);
    let event = setting.event.as_ref();
    event.is_ok_and(|event| {
        let times = Times::of(event);
        let reference = setting.reference;
        reference.surely(condition, event, &setting.history, times)
    })
}

/// Explains a case; `None` where its event cannot be read.
#[must_use]
pub fn explain(matrix: &Matrix, case: &Case) -> Option<Explanation> {
    Setting::of(matrix, case).explain()
}

/// A case made ready: its event, what happened before, and the evaluator of what it speaks of.
struct Setting<'m> {
    reference: Reference<'m>,
    /// The lane that the case speaks of.
    lane: Option<&'m Lane>,
    event: Result<Event, Box<Unreadable>>,
    history: History,
    /// The earlier event, where it cannot be read.
    unready: Option<Box<Unreadable>>,
}

impl<'m> Setting<'m> {
    fn of(matrix: &'m Matrix, case: &Case) -> Self {
        let lane = case.lane.and_then(|id| matrix.lane(id));
        let lane = lane.filter(|lane| !names_another(matrix, &case.expect, lane));
        let whole = Reference::new(matrix);
        let values = &case.record.values;
        let mut setting = Self {
            reference: lane.map_or(whole, |lane| whole.only(lane.id)),
            lane,
            event: Event::from_record(&matrix.schema, case.record.kind, values, case.at, None),
            history: History::of(Arc::from([])),
            unready: None,
        };
        if let Some(before) = &case.before {
            setting.history = match lane {
                Some(lane) => History::of(measures_beside(matrix, lane)),
                None => History::new(matrix),
            };
            setting.unready = setting.happen(matrix, before, case.at).err();
        }
        setting
    }

    /// Records the earlier events, each with its final values.
    fn happen(
        &mut self,
        matrix: &Matrix,
        before: &Before,
        at: Timestamp,
    ) -> Result<(), Box<Unreadable>> {
        let Before { record, .. } = before;
        for instant in instants(before, at) {
            let event =
                Event::from_record(&matrix.schema, record.kind, &record.values, instant, None)?;
            let adjusted = self.reference.final_event(&event, &self.history);
            self.history.record(matrix, &adjusted.unwrap_or(event));
        }
        Ok(())
    }

    fn decide(&self, case: &Case) -> (Option<Standing>, Decision) {
        let event = match &self.event {
            Err(unreadable) => {
                let decision = self.reference.decide_unreadable(unreadable, case.at);
                return (None, decision);
            }
            Ok(event) => event,
        };
        let times = Times::of(event);
        let settled = self.reference.settle(event, &self.history, times);
        let standing = self.lane.map(|lane| {
            let event = settled.event(event);
            self.reference.standing(lane, event, &self.history, times)
        });
        (standing, settled.decision)
    }

    /// Whether what came is what the case expects.
    fn meets(&self, case: &Case, standing: Option<Standing>, decision: &Decision) -> bool {
        let primary = decision.lanes.first();
        match (&case.expect, self.subject(case)) {
            (Expect::Unreadable, _) => decision.by == "unreadable",
            (Expect::NoMatch, Some(_)) => {
                matches!(standing, Some(Standing::Silent | Standing::NotConsidered))
            }
            (Expect::NoMatch, None) => primary.is_none(),
            (Expect::Unsure, Some(_)) => standing == Some(Standing::Unsure),
            (Expect::Unsure, None) => primary.is_some_and(|lane| lane.state == State::Unsure),
            (Expect::Verdict(Verdict::Escalate, by), Some(lane)) => {
                standing == Some(Standing::Fired)
                    && (lane.is_on_trial(case.at) || is_verdict(Verdict::Escalate, by, decision))
            }
            (Expect::Verdict(verdict, by), _) => is_verdict(*verdict, by, decision),
        }
    }

    /// The lane, where what the case expects is about it and not about the decision only.
    fn subject(&self, case: &Case) -> Option<&'m Lane> {
        let lane = self.lane?;
        let is_own = |by: &Option<String>| by.as_ref().is_none_or(|by| *by == lane.name);
        let about_lane = match &case.expect {
            Expect::NoMatch | Expect::Unsure => true,
            Expect::Verdict(Verdict::Escalate, by) => is_own(by),
            Expect::Verdict(..) | Expect::Unreadable => false,
        };
        about_lane.then_some(lane)
    }

    fn explain(&self) -> Option<Explanation> {
        let event = self.event.as_ref().ok()?;
        let times = Times::of(event);
        Some(self.reference.explain(event, &self.history, times))
    }

    /// One sentence on what is not as it should be.
    fn message(&self, case: &Case, outcome: &Outcome) -> String {
        let Outcome { expected, came, .. } = outcome;
        if let Some(unready) = &self.unready {
            let problems = unready.problems.iter().map(|p| p.message.as_str());
            let problems = problems.collect::<Vec<_>>().join("; ");
            return format!("the earlier events cannot be read: {problems}");
        }
        let of_lane = match (self.subject(case), outcome.standing) {
            // The lane did its part; something else decided.
            (_, None | Some(Standing::Fired)) | (None, _) => None,
            (Some(lane), Some(_)) => self.explain().and_then(|e| e.why_not(&lane.name)),
        };
        let why = of_lane.unwrap_or_else(|| outcome.decision.reason.clone());
        format!("expected `{expected}`, got `{came}`: {why}")
    }
}

/// Whether a case names a lane that is not its own. The rules are evaluated in any case.
fn names_another(matrix: &Matrix, expect: &Expect, lane: &Lane) -> bool {
    matches!(expect, Expect::Verdict(_, Some(by)) if *by != lane.name && matrix.lane_named(by).is_some())
}

fn is_verdict(verdict: Verdict, by: &Option<String>, decision: &Decision) -> bool {
    decision.verdict == verdict && by.as_ref().is_none_or(|by| *by == decision.by)
}

/// What came, in the words of an expectation: of the lane that it is about, else of the decision.
fn came(of_lane: Option<Standing>, decision: &Decision) -> String {
    match of_lane {
        Some(Standing::Silent | Standing::NotConsidered) => "no match".to_owned(),
        Some(Standing::Unsure) => "unsure".to_owned(),
        Some(Standing::Fired) | None => {
            format!("{} by {}", decision.verdict.as_str(), decision.by)
        }
    }
}

/// The instants of the earlier events, the oldest first: spread evenly and strictly inside.
fn instants(before: &Before, at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let over = i128::from(before.over.as_millis()) * 1_000_000;
    let parts = i128::from(before.count) + 1;
    (1..parts).rev().map(move |part| {
        let nanoseconds = i64::try_from(over * part / parts).unwrap_or(i64::MAX);
        let earlier = chrono::TimeDelta::nanoseconds(nanoseconds);
        at.checked_sub_signed(earlier).unwrap_or(at)
    })
}

/// The measures of a lane and of the rules.
fn measures_beside(matrix: &Matrix, lane: &Lane) -> Arc<[MeasureId]> {
    let mut measures = Measures {
        matrix,
        found: Vec::new(),
        opened: HashSet::new(),
    };
    measures.gather(&lane.when);
    if let Some(unless) = &lane.unless {
        measures.gather(unless);
    }
    for rule in &matrix.rules {
        measures.gather(&rule.when);
    }
    Arc::from(measures.found)
}

struct Measures<'m> {
    matrix: &'m Matrix,
    found: Vec<MeasureId>,
    opened: HashSet<ConditionId>,
}

impl Measures<'_> {
    fn gather(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::All(parts)
            | ExprKind::Any(parts)
            | ExprKind::None(parts)
            | ExprKind::AtLeast(_, parts) => parts.iter().for_each(|part| self.gather(part)),
            ExprKind::Not(inner) => self.gather(inner),
            ExprKind::Condition(id) => {
                if self.opened.insert(*id)
                    && let Some(condition) = self.matrix.condition(*id)
                {
                    self.gather(&condition.expr);
                }
            }
            ExprKind::Test(_) => {}
            ExprKind::Measure(test) => {
                if !self.found.contains(&test.measure) {
                    self.found.push(test.measure);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::tests::text::{lane, matrix, matrix_with};

    const SAMPLES: &str = "sample plain is call {\n  n = 1, user = \"u1\", result = ok, mood = calm\n}\n\
                           sample bad is call {\n  n = 7, user = \"u1\", result = error, mood = calm\n}\n";

    /// What becomes of the examples of the first lane, then of the scenarios: nothing where they
    /// pass, else the message.
    fn messages(matrix: &Matrix) -> Vec<String> {
        let examples = matrix.lanes.iter().flat_map(|lane| &lane.examples);
        let outcomes = examples
            .chain(&matrix.scenarios)
            .map(|case| run(matrix, case));
        outcomes
            .map(|outcome| {
                assert_eq!(outcome.passed, outcome.message.is_empty());
                outcome.message
            })
            .collect()
    }

    fn of(items: &str) -> Vec<String> {
        messages(&matrix(&format!("{SAMPLES}{items}")))
    }

    #[test]
    fn an_example_speaks_of_its_lane() {
        let clauses = |when: &str| {
            lane(
                "a",
                &format!(
                    "when {when}\n\
                     example \"fires\" plain -> escalate\n\
                     example \"named\" plain -> escalate by a\n\
                     example \"silent\" plain -> no match\n\
                     example \"unsure\" plain -> unsure\n\
                     example \"allowed\" plain -> allow"
                ),
            )
        };
        let fired = "lane `a` fired: `n > 0` saw 1";
        assert_eq!(
            of(&clauses("n > 0")),
            [
                String::new(),
                String::new(),
                format!("expected `no match`, got `escalate by a`: {fired}"),
                format!("expected `unsure`, got `escalate by a`: {fired}"),
                format!("expected `allow`, got `escalate by a`: {fired}"),
            ]
        );
        let silent = "got `no match`: lane `a` is silent: `n > 1` saw 1";
        assert_eq!(
            of(&clauses("n > 1")),
            [
                format!("expected `escalate`, {silent}"),
                format!("expected `escalate by a`, {silent}"),
                String::new(),
                format!("expected `unsure`, {silent}"),
                String::new(),
            ]
        );
        let unsure = "lane `a` is unsure: `alias` is missing";
        assert_eq!(
            of(&clauses("alias is \"x\"")),
            [
                format!("expected `escalate`, got `unsure`: {unsure}"),
                format!("expected `escalate by a`, got `unsure`: {unsure}"),
                format!("expected `no match`, got `unsure`: {unsure}"),
                String::new(),
                "expected `allow`, got `escalate by a`: could not rule out lane `a`: `alias` is missing"
                    .to_owned(),
            ]
        );
    }

    #[test]
    fn an_example_sees_its_lane_and_the_rules_only() {
        let items = "always deny ninety on call when n > 90\n".to_owned()
            + &lane(
                "a",
                "when n > 50\n\
                 example \"other fires\" plain -> no match\n\
                 example \"other is not seen\" plain -> allow by otherwise\n\
                 example \"other is named\" plain -> escalate by b\n\
                 example \"rule\" plain with { n = 91 } -> deny by ninety\n\
                 example \"rule wins\" plain with { n = 91 } -> escalate",
            )
            + &lane("b", "when n > 0")
            + "scenario \"all\" plain -> escalate by b\n\
               scenario \"not that\" plain -> escalate by a\n";
        assert_eq!(
            of(&items),
            [
                "",
                "",
                "",
                "",
                "expected `escalate`, got `deny by ninety`: rule `ninety` applies: `n > 90` saw 91",
                "",
                "expected `escalate by a`, got `escalate by b`: lane `b` fired: `n > 0` saw 1",
            ]
        );
    }

    #[test]
    fn an_example_may_name_a_rule_or_the_engine() {
        let rule = "always deny moody on call when mood is upset\n";
        let a = |examples: &str| rule.to_owned() + &lane("a", &format!("when n > 50\n{examples}"));
        let examples = "example \"by rule\" plain without mood -> escalate by moody\n\
                        example \"by lane\" plain without mood with { n = 51 } -> escalate by a\n\
                        example \"too large\" plain with { n = 5000 } -> unreadable\n\
                        example \"by engine\" plain with { n = 5000 } -> escalate by unreadable\n\
                        example \"readable\" plain -> unreadable";
        let examples = examples.replace(
            "plain without mood with { n = 51 }",
            "plain with { n = 51 } without mood",
        );
        assert_eq!(
            of(&a(&examples)),
            [
                "",
                "",
                "",
                "",
                "expected `unreadable`, got `allow by otherwise`: no lane and no rule applies",
            ]
        );
        let otherwise = lane(
            "a",
            "when n > 50\nexample \"else\" plain -> escalate by otherwise",
        );
        let clauses = "otherwise escalate to ops\n  unreadable deny";
        let matrix = matrix_with(clauses, &format!("{SAMPLES}{otherwise}"));
        assert_eq!(messages(&matrix), [""]);
    }

    #[test]
    fn earlier_events_lie_strictly_inside() {
        let clauses = "when count of call where result is error by user over 10m > 3\n\
                       example \"four\" plain after 4 of bad over 10m -> escalate\n\
                       example \"three\" plain after 3 of bad over 10m -> no match\n\
                       example \"three and itself\" bad after 3 of bad over 10m -> escalate\n\
                       example \"of others\" bad after 4 of bad with { user = \"u2\" } over 10m -> no match\n\
                       example \"too long ago\" plain after 4 of bad over 20m -> no match\n\
                       example \"twenty minutes\" plain after 8 of bad over 20m -> escalate\n\
                       example \"none\" bad -> no match";
        assert_eq!(of(&lane("a", clauses)), [""; 7]);
        let before = Before {
            count: 4,
            record: matrix(SAMPLES).samples[0].record.clone(),
            over: crate::clock::Duration::from_minutes(10),
        };
        let now = Timestamp::UNIX_EPOCH;
        let ago: Vec<_> = instants(&before, now)
            .map(|at| (now - at).num_seconds())
            .collect();
        assert_eq!(ago, [480, 360, 240, 120]);
    }

    #[test]
    fn earlier_events_are_adjusted_as_they_would_be() {
        let items = "adjust cap on call when n > 10 set n = 10\n".to_owned()
            + &lane(
                "a",
                // 61, or 31 once each is adjusted.
                "when sum n of call by user over 10m > 45\n\
                 example \"adjusted\" plain after 3 of bad with { n = 20 } over 10m -> no match\n\
                 example \"enough\" plain with { n = 16 } after 3 of bad with { n = 20 } over 10m -> escalate",
            );
        assert_eq!(of(&items), [""; 2]);
    }

    #[test]
    fn a_lane_on_trial_only_has_to_fire() {
        let clauses = "when n > 0\ntrial\nexample \"fires\" plain -> escalate\nexample \"not\" plain -> no match";
        assert_eq!(
            of(&lane("a", clauses)),
            [
                "",
                "expected `no match`, got `allow by otherwise`: no lane and no rule applies"
            ]
        );
    }

    #[test]
    fn a_case_can_be_observed_and_explained() {
        let matrix = matrix(&format!(
            "{SAMPLES}{}{}",
            lane("a", "when n > 0\nexample \"fires\" plain -> escalate"),
            lane("b", "when n > 0")
        ));
        let case = &matrix.lanes[0].examples[0];
        let mut seen = Coverage::default();
        observe(&matrix, case, &mut seen);
        assert_eq!(seen.lane(matrix.lanes[0].id).fired, 1);
        assert_eq!(seen.lanes.len(), 1);
        let explanation = explain(&matrix, case).unwrap();
        assert_eq!(explanation.lanes.len(), 1);
    }
}
