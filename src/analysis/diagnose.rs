//! Findings of the analysis as diagnostics.
//!
//! In: answers. Out: a [`Diagnostic`] for each that is a mistake, with its event as a line to paste.
//! Invariant: a diagnostic stands for one answer, and no answer that was not decided becomes one.

use super::{Analysis, Answer, Grade, Question};
use crate::diagnostic::{Code, Diagnostic, codes};

/// The findings of an analysis, in its order: what `laneway check` shows of it.
#[must_use]
pub fn diagnose(analysis: &Analysis) -> Vec<Diagnostic> {
    analysis.findings().filter_map(diagnostic).collect()
}

fn diagnostic(answer: &Answer) -> Option<Diagnostic> {
    let code = code(answer.question)?;
    let message = match answer.grade {
        Grade::NotConfirmed => format!("{} ({})", answer.message, answer.grade.as_str()),
        _ => answer.message.clone(),
    };
    let diagnostic = Diagnostic::new(code, answer.span, message);
    Some(match &answer.witness {
        Some(witness) => diagnostic.help(format!("an event, to paste:\n{}", witness.line())),
        None => diagnostic.help(advice(answer.question)),
    })
}

/// The code of a question whose answers are mistakes.
fn code(question: Question) -> Option<Code> {
    match question {
        Question::Dead => Some(codes::NEVER_MET),
        Question::Shadowed => Some(codes::HIDDEN_LANE),
        Question::Conflict => Some(codes::LANES_CONTRADICT),
        Question::Promise => Some(codes::PROMISE_BROKEN),
        Question::Unreachable => Some(codes::CHANGES_NOTHING),
        Question::Adjusts => Some(codes::ADJUSTS_DIFFER),
        Question::Gap | Question::Unsure | Question::NeverPrimary | Question::Overlap => None,
    }
}

/// What to do where no event shows a finding.
fn advice(question: Question) -> &'static str {
    match question {
        Question::Dead => "remove it, or mend the test that cannot hold",
        Question::Unreachable => "remove it, or mend what already says so",
        _ => "no event alone shows it: a measure has to count others before",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_a_code_of_its_own_and_no_report_has_one() {
        let mut known: Vec<Code> = Question::FINDINGS.into_iter().filter_map(code).collect();
        known.dedup();
        assert_eq!(known.len(), Question::FINDINGS.len());
        for question in Question::ALL {
            assert_eq!(
                code(question).is_some(),
                question.is_finding(),
                "{question}"
            );
        }
    }

    #[test]
    fn what_is_not_confirmed_says_so_and_what_is_not_decided_is_not_told() {
        let answer = |grade| Answer {
            question: Question::Conflict,
            about: Vec::new(),
            span: crate::span::Span::default(),
            message: "they may meet".to_owned(),
            grade,
            witness: None,
        };
        let answers = [Grade::NotConfirmed, Grade::NotDecided]
            .map(answer)
            .to_vec();
        let told = diagnose(&Analysis { answers });
        let messages: Vec<&str> = told.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(messages, ["they may meet (possible, not confirmed)"]);
    }
}
