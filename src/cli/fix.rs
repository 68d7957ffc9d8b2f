//! Applies the safe fixes of a matrix's findings to its files.
//!
//! In: a root on disk. Out: mended files, and a line for each fix on standard error.
//! Invariant: a file is written only if it still holds the text that was checked; a fix is applied
//! whole or not at all; standard input is never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use super::render::count;
use super::shell::{Failure, Shell};
use crate::check::{Loaded, Options};
use crate::diagnostic::{Diagnostic, Edit, Fix};
use crate::files::{Root, replace, shown};
use crate::span::{FileId, Source, Sources};

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
    edits: BTreeMap<FileId, Vec<&'a Edit>>,
    paths: BTreeMap<FileId, PathBuf>,
}

impl<'a> Round<'a> {
    fn choose(root: &Root, loaded: &'a Loaded, refused: &mut BTreeSet<String>) -> Self {
        let mut round = Self {
            chosen: Vec::new(),
            edits: BTreeMap::new(),
            paths: BTreeMap::new(),
        };
        for (id, source) in loaded.sources.iter() {
            if let Some(path) = root.path_of(source.name()) {
                if fs::read(&path).is_ok_and(|bytes| bytes == source.text().as_bytes()) {
                    round.paths.insert(id, path);
                } else {
                    refused.insert(source.name().to_owned());
                }
            }
        }
        for finding in &loaded.diagnostics {
            match &finding.fix {
                Some(fix) if fix.safe && round.fits(fix) => {
                    round.chosen.push(finding);
                    for edit in &fix.edits {
                        let file = edit.span.file;
                        round.edits.entry(file).or_default().push(edit);
                    }
                }
                _ => {}
            }
        }
        round
    }

    /// Whether all edits of a fix can be made beside those that are chosen.
    fn fits(&self, fix: &Fix) -> bool {
        let free = |edit: &Edit| {
            let file = edit.span.file;
            let chosen = self.edits.get(&file).into_iter().flatten();
            let mut others = chosen.map(|edit| edit.span.range());
            self.paths.contains_key(&file) && !others.any(|other| clash(&other, &edit.span.range()))
        };
        let mut own = fix.edits.iter().enumerate();
        let apart = own.all(|(n, edit)| {
            let rest = fix.edits.iter().skip(n + 1);
            rest.filter(|other| other.span.file == edit.span.file)
                .all(|other| !clash(&other.span.range(), &edit.span.range()))
        });
        !fix.edits.is_empty() && apart && fix.edits.iter().all(free)
    }

    /// The mended texts.
    fn texts(&self, sources: &Sources) -> Vec<(PathBuf, String)> {
        let files = self.edits.iter();
        let files = files.filter_map(|(file, edits)| {
            let source = sources.get(*file)?;
            Some((self.paths.get(file)?.clone(), edited(source, edits)?))
        });
        files.collect()
    }
}

/// Whether two edits touch the same text, or would stand at the same place in an order that nobody
/// gave.
fn clash(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start == b.start || a.start < b.end && b.start < a.end
}

/// The text after the edits; nothing if one does not fit the text.
fn edited(source: &Source, edits: &[&Edit]) -> Option<String> {
    let text = source.text();
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.span);
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
    use super::*;
    use crate::span::Span;

    fn edit(range: Range<usize>, replacement: &str) -> Edit {
        Edit {
            span: Span::new(FileId(0), range),
            replacement: replacement.to_owned(),
        }
    }

    #[test]
    fn edits_are_made_in_the_order_of_the_text() {
        let source = Source::new("a", "a && b || c");
        let (or, and, end) = (edit(7..9, "or"), edit(2..4, "and"), edit(11..11, "\n"));
        let mended = edited(&source, &[&or, &end, &and]);
        assert_eq!(mended.as_deref(), Some("a and b or c\n"));
        assert_eq!(edited(&source, &[&edit(5..99, "")]), None);
    }

    #[test]
    fn two_edits_at_one_place_clash() {
        assert!(clash(&(3..3), &(3..3)));
        assert!(clash(&(2..4), &(3..9)));
        assert!(clash(&(2..9), &(3..3)));
        assert!(!clash(&(2..4), &(4..4)));
        assert!(!clash(&(2..4), &(4..5)));
    }
}
