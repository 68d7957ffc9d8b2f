//! Findings about a matrix text: what is wrong, where, and how to mend it.
//!
//! In: codes, spans and messages from every stage up to the check. Out: [`Diagnostic`]s in memory
//! and [`Located`] ones for people and tools, with files, lines and columns.
//! Invariant: every diagnostic carries one of the codes of [`codes`], and each code has a page.
//! Knows nothing of the language and prints nothing.

use serde::Serialize;

use crate::limits::{FINDINGS, NEAR_CHARS, NEAR_COMPARISONS};
use crate::span::{Sources, Span};

pub mod codes;

pub use codes::Code;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something to know; nothing is wrong.
    Note,
    /// The matrix loads, and probably does not do what its author wants.
    Warning,
    /// The matrix does not load.
    Error,
}

impl Severity {
    /// The word that messages show.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A further place that explains a diagnostic ("first defined here").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What it has to do with the finding; may be empty.
    pub message: String,
}

/// One replacement of a [`Fix`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The text to replace; an empty span inserts.
    pub span: Span,
    /// What to put there.
    pub replacement: String,
}

/// A way to mend a finding that a machine can apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the fix does, for a person to choose it.
    pub title: String,
    /// The edits, which do not overlap.
    pub edits: Vec<Edit>,
    /// Whether the fix only says in the right form what the author surely meant. `check --fix`
    /// applies these and no others.
    pub safe: bool,
}

/// One finding about a matrix text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// What is wrong, in the author's words: lower case, no full stop.
    pub message: String,
    /// The exact place.
    pub span: Span,
    /// What stands under the place; may be empty.
    pub caption: String,
    /// Further places.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The fix, where there is one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding without labels, help or fix.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span,
            caption: String::new(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Adds the words that stand under the place.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// Adds a further place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a fix that surely says what the author meant.
    #[must_use]
    pub fn safe_fix(
        self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        self.with_fix(title, span, replacement, true)
    }

    /// Adds a fix that is a guess: shown, never applied unasked.
    #[must_use]
    pub fn guess(
        self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        self.with_fix(title, span, replacement, false)
    }

    fn with_fix(
        mut self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
        safe: bool,
    ) -> Self {
        self.fix = Some(Fix {
            title: title.into(),
            edits: vec![Edit {
                span,
                replacement: replacement.into(),
            }],
            safe,
        });
        self
    }

    /// How bad it is; the code says so.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The finding with its places as files, lines and columns.
    #[must_use]
    pub fn locate(&self, sources: &Sources) -> Located {
        Located {
            code: self.code.as_str(),
            severity: self.severity(),
            message: self.message.clone(),
            place: Place::new(self.span, sources),
            caption: self.caption.clone(),
            labels: self
                .labels
                .iter()
                .map(|label| LocatedLabel {
                    message: label.message.clone(),
                    place: Place::new(label.span, sources),
                })
                .collect(),
            help: self.help.clone(),
            fix: self.fix.as_ref().map(|fix| LocatedFix {
                title: fix.title.clone(),
                safe: fix.safe,
                edits: fix
                    .edits
                    .iter()
                    .map(|edit| LocatedEdit {
                        place: Place::new(edit.span, sources),
                        replacement: edit.replacement.clone(),
                    })
                    .collect(),
            }),
        }
    }
}

/// A place as people and tools name it: lines and columns from 1, columns in characters; the end
/// is the position behind the last character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
}

impl Place {
    /// The place of a span.
    #[must_use]
    pub fn new(span: Span, sources: &Sources) -> Self {
        let (start, end) = (sources.start(span), sources.end(span));
        Self {
            file: sources.name(span).to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// A [`Diagnostic`] with its places resolved: what `laneway check --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Located {
    /// The stable code, such as `E0307`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What stands under the place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// Further places.
    pub labels: Vec<LocatedLabel>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The fix, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<LocatedFix>,
}

/// A [`Label`] with its place resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocatedLabel {
    /// What it has to do with the finding.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

/// A [`Fix`] with its places resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocatedFix {
    /// What the fix does.
    pub title: String,
    /// Whether `check --fix` applies it.
    pub safe: bool,
    /// The edits.
    pub edits: Vec<LocatedEdit>,
}

/// An [`Edit`] with its place resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocatedEdit {
    /// What to replace.
    #[serde(flatten)]
    pub place: Place,
    /// What to put there.
    pub replacement: String,
}

/// The findings of one run, in the order in which they are shown.
///
/// Of each severity at most [`FINDINGS`] are kept and the rest is counted, so that a text of many
/// mistakes takes no more memory than one that people could mend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// How many there were of notes, warnings and errors.
    seen: [usize; 3],
    dropped: usize,
}

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if let Some(seen) = self.seen.get_mut(diagnostic.severity() as usize) {
            *seen += 1;
            if *seen > FINDINGS {
                self.dropped += 1;
                return;
            }
        }
        self.list.push(diagnostic);
    }

    /// Adds several.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Diagnostic>) {
        more.into_iter().for_each(|finding| self.push(finding));
    }

    /// Adds what another look found, for which [`FINDINGS`] are kept as well: many of one are no reason to hide
    /// those of the other.
    pub fn append(&mut self, more: Self) {
        self.list.extend(more.list);
        self.dropped += more.dropped;
        for (seen, more) in self.seen.iter_mut().zip(more.seen) {
            *seen += more;
        }
    }

    /// Sorts by file, place and code, and drops exact repetitions. That there are more is said last.
    pub fn finish(&mut self) {
        let key = |d: &Diagnostic| (d.code == codes::MORE_FINDINGS, d.span, d.code);
        self.list
            .sort_by(|a, b| (key(a), &a.message).cmp(&(key(b), &b.message)));
        self.list.dedup();
    }

    /// Whether the matrix cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many of one severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|d| d.severity() == severity).count()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Takes back what was added after the first `len` findings.
    pub fn split_off(&mut self, len: usize) -> Vec<Diagnostic> {
        let taken = self.list.split_off(len.min(self.list.len()));
        for finding in &taken {
            if let Some(seen) = self.seen.get_mut(finding.severity() as usize) {
                *seen = seen.saturating_sub(1);
            }
        }
        taken
    }

    /// Takes out the findings of one code.
    pub fn remove(&mut self, code: Code) {
        let before = self.list.len();
        self.list.retain(|finding| finding.code != code);
        if let Some(seen) = self.seen.get_mut(code.severity() as usize) {
            *seen = seen.saturating_sub(before - self.list.len());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many were not kept.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// The name among `known` that is nearest to `word`, if one is near enough to be a slip of it.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().take(NEAR_CHARS + 1).count();
    if letters > NEAR_CHARS {
        return None;
    }
    // A third of the letters may be wrong: `ownr` finds `owner`, `x` finds nothing.
    let allowed = (letters / 3).clamp(1, 4);
    known
        .into_iter()
        // PERF: a name of another length is no slip; most names are not compared at all.
        .filter(|name| {
            let others = name.chars().take(letters + allowed + 1).count();
            others.abs_diff(letters) <= allowed
        })
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// [`nearest`] within a bound: a text of many unknown names gets suggestions for the first ones.
#[derive(Debug)]
pub struct Suggestions {
    left: std::cell::Cell<usize>,
}

impl Default for Suggestions {
    fn default() -> Self {
        let left = std::cell::Cell::new(NEAR_COMPARISONS);
        Self { left }
    }
}

impl Suggestions {
    /// Whether another suggestion among so many names may be looked for.
    #[must_use]
    pub fn may_compare(&self, names: usize) -> bool {
        let left = self.left.get().checked_sub(names);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_and_not_any_name() {
        assert_eq!(nearest("ownr", ["urgency", "owner"]), Some("owner"));
        assert_eq!(nearest("x", ["on", "by"]), None);
        assert_eq!(
            nearest("confidense", ["confidence", "amount"]),
            Some("confidence")
        );
    }
}
