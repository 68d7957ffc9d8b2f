//! Completes what a check found: runs the examples, or notes that they did not run, and bounds the
//! findings.
//!
//! In: a [`Loaded`] as the check gives it. Out: the same, ready to be shown.
//! Invariant: what is cut never turns a broken matrix into a sound one.

use crate::cases::check_examples;
use crate::check::Loaded;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, codes};
use crate::limits;
use crate::span::{FileId, Span};

/// The findings with those of the examples, if they are asked for and can run.
pub(super) fn finish(mut loaded: Loaded, run_examples: bool) -> Loaded {
    if run_examples {
        match &loaded.matrix {
            Some(matrix) if !loaded.diagnostics.has_errors() => {
                loaded.diagnostics.extend(check_examples(matrix));
                loaded.diagnostics.finish();
            }
            _ if loaded.examples > 0 => loaded.diagnostics.push(not_run(loaded.examples)),
            _ => {}
        }
    }
    loaded.diagnostics = bounded(loaded.diagnostics, limits::FINDINGS);
    loaded
}

/// The note that examples did not run. It speaks of the whole matrix, so its place is the start.
fn not_run(examples: usize) -> Diagnostic {
    let subject = if examples == 1 {
        "1 example".to_owned()
    } else {
        format!("{examples} examples")
    };
    let message = format!("{subject} did not run, because the matrix has errors");
    Diagnostic::new(codes::EXAMPLES_NOT_RUN, Span::new(FileId(0), 0..0), message)
}

/// At most `most` findings, in their order; errors are kept before warnings, and those before
/// notes, so that what is cut never turns a broken matrix into a sound one.
fn bounded(all: Diagnostics, most: usize) -> Diagnostics {
    // A file with too many mistakes is not read for more: then their number is not known.
    let is_cut = |finding: &Diagnostic| finding.code == codes::MORE_FINDINGS;
    let cut = all.iter().any(is_cut);
    if all.len() + all.dropped() <= most && !cut {
        return all;
    }
    let known = all.iter().filter(|finding| !is_cut(finding)).count();
    let more = known.saturating_sub(most) + all.dropped();
    let mut room = most;
    let mut quota = |severity| {
        let count = all.count(severity).min(room);
        room -= count;
        (severity, count)
    };
    let mut quotas = [Severity::Error, Severity::Warning, Severity::Note].map(&mut quota);
    let mut kept = Diagnostics::default();
    let all = all.into_iter().filter(|finding| !is_cut(finding));
    kept.extend(all.filter(|finding| {
        let quota = quotas.iter_mut().find(|(s, _)| *s == finding.severity());
        match quota {
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }));
    let message = if cut {
        "the other findings are neither looked for nor shown, there are too many".to_owned()
    } else {
        format!("{more} more findings are not shown")
    };
    kept.push(Diagnostic::new(
        codes::MORE_FINDINGS,
        Span::new(FileId(0), 0..0),
        message,
    ));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(codes: &[codes::Code]) -> Diagnostics {
        let mut all = Diagnostics::default();
        all.extend((0..).zip(codes).map(|(at, code)| {
            Diagnostic::new(*code, Span::new(FileId(0), at..at), format!("{at}"))
        }));
        all
    }

    #[test]
    fn a_cut_list_keeps_the_errors() {
        let all = [
            codes::NO_BACKUP,
            codes::NO_ABOUT,
            codes::SYNTAX,
            codes::OPT_OUT,
        ];
        assert_eq!(bounded(findings(&all), 4).len(), 4);
        let cut = bounded(findings(&all), 2);
        let shown: Vec<_> = cut.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(shown, ["W0802", "E0201", "N0902"]);
        assert!(
            cut.iter()
                .any(|d| d.message == "2 more findings are not shown")
        );
    }
}
