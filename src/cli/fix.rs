//! Applies the safe fixes of a matrix's findings to its files.
//!
//! In: a root on disk. Out: mended files, and a line for each fix on standard error.
//! Invariant: a file is written only if it still holds the text that was checked; a fix is applied
//! whole or not at all; standard input is never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::render::count;
use super::shell::{Failure, Shell};
use crate::check::{Loaded, Options};
use crate::diagnostic::{Diagnostic, Edit, Fix};
use crate::files::{Root, read, replace, shown};
use crate::span::{FileId, Source, Sources, Span};

/// Rounds of check and fix. One fix may make room for another; two that undo each other must end.
const ROUNDS: usize = 10;

/// Applies all safe fixes, again until none is left.
pub(super) fn apply(root: &Root, options: &Options, shell: &Shell) -> Result<(), Failure> {
    if root.folder().is_none() {
        let message = "`--fix` needs a file: standard input cannot be written";
        return Err(Failure::Unusable(message.to_owned()));
    }
    let mut fixes = 0;
    let mut files = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for _ in 0..ROUNDS {
        let loaded = root.load(options, false);
        let round = Round::choose(root, &loaded, &mut refused);
        if round.chosen.is_empty() {
            break;
        }
        for (path, text) in round.texts(&loaded.sources) {
            replace(&path, text.as_bytes()).map_err(|e| {
                Failure::Unusable(format!("`{}` cannot be written: {e}", shown(&path)))
            })?;
            files.insert(path);
        }
        fixes += round.chosen.len();
        for finding in &round.chosen {
            shell.tell(&told(finding, &loaded.sources));
        }
    }
    for name in refused {
        let name = shown(name.as_ref());
        shell.tell(&format!("left alone: `{name}` is not what was checked"));
    }
    let (fixes, files) = (
        count(fixes, "fix").replace("fixs", "fixes"),
        count(files.len(), "file"),
    );
    shell.tell(&format!("{fixes} applied in {files}"));
    Ok(())
}

/// `agents.lane:3:5: E0214: write `and``
fn told(finding: &Diagnostic, sources: &Sources) -> String {
    let start = sources.start(finding.span);
    let name = shown(sources.name(finding.span).as_ref());
    let title = finding.fix.as_ref().map_or("", |fix| fix.title.as_str());
    let title: String = title.chars().filter(|c| !c.is_control()).collect();
    let (line, column) = (start.line, start.column);
    format!("fixed {name}:{line}:{column}: {}: {title}", finding.code)
}

/// The fixes of one round, which do not overlap.
struct Round<'a> {
    chosen: Vec<&'a Diagnostic>,
    /// The edits by place: a fix may have one for each line of a file.
    edits: BTreeMap<(FileId, u32), &'a Edit>,
    paths: BTreeMap<FileId, PathBuf>,
}

impl<'a> Round<'a> {
    fn choose(root: &Root, loaded: &'a Loaded, refused: &mut BTreeSet<String>) -> Self {
        let mut round = Self {
            chosen: Vec::new(),
            edits: BTreeMap::new(),
            paths: paths(root, &loaded.sources, refused),
        };
        for finding in &loaded.diagnostics {
            if let Some(fix) = &finding.fix
                && fix.safe
                && round.take(fix)
            {
                round.chosen.push(finding);
            }
        }
        round
    }

    /// Adds a fix if all its edits can be made beside those that are chosen and each other.
    fn take(&mut self, fix: &'a Fix) -> bool {
        for (taken, edit) in fix.edits.iter().enumerate() {
            if self.is_free(edit.span) {
                self.edits.insert((edit.span.file, edit.span.start), edit);
            } else {
                for edit in fix.edits.iter().take(taken) {
                    self.edits.remove(&(edit.span.file, edit.span.start));
                }
                return false;
            }
        }
        !fix.edits.is_empty()
    }

    /// Whether nothing chosen touches that text, or stands at its start in an order nobody gave.
    fn is_free(&self, span: Span) -> bool {
        let (file, start) = (span.file, span.start);
        let before = self.edits.range((file, 0)..(file, start)).next_back();
        let after = self.edits.range((file, start)..=(file, u32::MAX)).next();
        let behind = before.is_none_or(|(_, edit)| edit.span.end <= start);
        let ahead = after.is_none_or(|((_, next), _)| *next > start && *next >= span.end);
        self.paths.contains_key(&file) && behind && ahead
    }

    /// The mended texts.
    fn texts(&self, sources: &Sources) -> Vec<(PathBuf, String)> {
        let files = self.paths.iter().filter_map(|(file, path)| {
            let edits = self.edits.range((*file, 0)..=(*file, u32::MAX));
            let mut edits = edits.map(|(_, edit)| *edit).peekable();
            edits.peek()?;
            Some((path.clone(), edited(sources.get(*file)?, edits)?))
        });
        files.collect()
    }
}

/// The files that may be written: those on disk that still hold the text that was checked.
fn paths(
    root: &Root,
    sources: &Sources,
    refused: &mut BTreeSet<String>,
) -> BTreeMap<FileId, PathBuf> {
    let mut paths = BTreeMap::new();
    for (id, source) in sources.iter() {
        let Some(path) = root.path_of(source.name()) else {
            continue;
        };
        let text = source.text().as_bytes();
        if read(&path, text.len() as u64).is_ok_and(|bytes| bytes == text) {
            paths.insert(id, path);
        } else {
            refused.insert(source.name().to_owned());
        }
    }
    paths
}

/// The text after the edits, which are in order; nothing if one does not fit the text.
fn edited<'a>(source: &Source, edits: impl Iterator<Item = &'a Edit>) -> Option<String> {
    let text = source.text();
    let mut mended = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let range = edit.span.range();
        mended.push_str(text.get(at..range.start)?);
        mended.push_str(&edit.replacement);
        at = range.end;
    }
    mended.push_str(text.get(at..)?);
    Some(mended)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn fix(edits: &[(Range<usize>, &str)]) -> Fix {
        let edit = |(range, replacement): &(Range<usize>, &str)| Edit {
            span: Span::new(FileId(0), range.clone()),
            replacement: (*replacement).to_owned(),
        };
        Fix {
            title: String::new(),
            edits: edits.iter().map(edit).collect(),
            safe: true,
        }
    }

    fn mended(text: &str, fixes: &[Fix]) -> Option<String> {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("a", text));
        let mut round = Round {
            chosen: Vec::new(),
            edits: BTreeMap::new(),
            paths: BTreeMap::from([(file, PathBuf::new())]),
        };
        for fix in fixes {
            round.take(fix);
        }
        round.texts(&sources).pop().map(|(_, text)| text)
    }

    #[test]
    fn edits_are_made_in_the_order_of_the_text() {
        let both = fix(&[(7..9, "or"), (2..4, "and")]);
        let end = fix(&[(11..11, "\n")]);
        let text = mended("a && b || c", &[end, both]);
        assert_eq!(text.as_deref(), Some("a and b or c\n"));
        assert_eq!(mended("a && b", &[fix(&[(5..99, "")])]), None);
    }

    #[test]
    fn a_fix_that_clashes_waits_as_a_whole() {
        let first = fix(&[(2..4, "X")]);
        for clash in [2..2, 3..9, 0..3, 3..3, 2..4] {
            let second = fix(&[(9..10, "Y"), (clash, "Z")]);
            let text = mended("0123456789", &[first.clone(), second]);
            assert_eq!(text.as_deref(), Some("01X456789"));
        }
        let beside = fix(&[(4..4, "Y"), (0..2, "Z")]);
        assert_eq!(
            mended("0123456789", &[first, beside]).as_deref(),
            Some("ZXY456789")
        );
    }
}
