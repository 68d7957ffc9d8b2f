//! The root file and what it imports.
//!
//! In: a [`Reader`]. Out: the trees of all files, and the order of their items: an import stands
//! where its line stands.
//! Invariant: no path leaves the root's folder; each file is read once; no cycle.

use std::collections::HashMap;

use super::{ReadError, Reader};
use crate::diagnostic::{Diagnostic, Diagnostics, codes};
use crate::limits::Limits;
use crate::span::{FileId, Source, Sources, Span, Spanned};
use crate::syntax::ast::{Ast, ItemKind};
use crate::syntax::parse;

/// All texts of a matrix.
pub(super) struct Files {
    pub sources: Sources,
    pub asts: Vec<Ast>,
    /// Each item as (file, position in its file), in the order of the matrix.
    pub order: Vec<(usize, usize)>,
    pub diagnostics: Diagnostics,
    /// Whether a file could not be read: then an unknown name may be one of its names.
    pub incomplete: bool,
}

pub(super) fn read(reader: &dyn Reader, root: &str, limits: &Limits) -> Files {
    let mut loader = Loader {
        reader,
        limits,
        files: Files {
            sources: Sources::default(),
            asts: Vec::new(),
            order: Vec::new(),
            diagnostics: Diagnostics::default(),
            incomplete: false,
        },
        known: HashMap::new(),
        bytes: 0,
    };
    loader.load(root, None, &mut Vec::new());
    loader.files
}

struct Loader<'a> {
    reader: &'a dyn Reader,
    limits: &'a Limits,
    files: Files,
    known: HashMap<String, FileId>,
    bytes: usize,
}

/// Where an import stands; the root has none.
type Import<'a> = Option<&'a Spanned<String>>;

impl Loader<'_> {
    fn load(&mut self, path: &str, import: Import<'_>, open: &mut Vec<String>) {
        let Some(text) = self.text(path, import) else {
            self.files.incomplete = true;
            return;
        };
        let name = self.reader.display(path);
        let id = self.files.sources.add(Source::new(name, text));
        self.known.insert(path.to_owned(), id);
        let text = self.files.sources.get(id).map_or("", Source::text);
        let parsed = parse(id, text, self.limits);
        self.files.diagnostics.extend(parsed.diagnostics);
        let imports: Vec<_> = parsed
            .ast
            .items
            .iter()
            .map(|item| match &item.node {
                ItemKind::Import(path) => Some(path.clone()),
                _ => None,
            })
            .collect();
        let file = self.files.asts.len();
        self.files.asts.push(parsed.ast);
        open.push(path.to_owned());
        for (n, import) in imports.into_iter().enumerate() {
            match import {
                Some(import) => self.import(path, &import, open),
                None => self.files.order.push((file, n)),
            }
        }
        open.pop();
    }

    fn import(&mut self, from: &str, import: &Spanned<String>, open: &mut Vec<String>) {
        let Some(path) = resolve(from, &import.node) else {
            self.complain(
                codes::IMPORT_OUTSIDE,
                import,
                "leaves the folder of the root file",
            );
            self.files.incomplete = true;
            return;
        };
        if open.contains(&path) {
            let chain: Vec<String> = open
                .iter()
                .chain([&path])
                .map(|p| format!("`{p}`"))
                .collect();
            self.files.diagnostics.push(
                Diagnostic::new(
                    codes::IMPORT_CYCLE,
                    import.span,
                    "this import closes a cycle",
                )
                .help(format!("the cycle is {}", chain.join(" imports "))),
            );
            return;
        }
        // A file that two files import is read once, where it stands first.
        if !self.known.contains_key(&path) {
            self.load(&path, Some(import), open);
        }
    }

    fn complain(&mut self, code: crate::diagnostic::Code, import: &Spanned<String>, what: &str) {
        let message = format!("the import of `{}` {what}", import.node);
        self.files
            .diagnostics
            .push(Diagnostic::new(code, import.span, message));
    }

    /// Reads a file within the limits.
    fn text(&mut self, path: &str, import: Import<'_>) -> Option<String> {
        // The root's own finding has no place yet: it gets an empty file to stand in.
        let at = import.map(|import| import.span);
        if self.known.len() >= self.limits.files {
            let most = self.limits.files;
            self.fail(
                path,
                at,
                codes::TOO_MANY_FILES,
                format!("`{path}` is one file too many: a matrix has at most {most}"),
            );
            return None;
        }
        let bytes = match self.reader.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let (code, what) = match &error {
                    ReadError::Outside => (
                        codes::IMPORT_OUTSIDE,
                        "leaves the folder of the root file".to_owned(),
                    ),
                    ReadError::TooLarge { bytes } => {
                        (codes::FILE_TOO_LARGE, self.too_large(*bytes))
                    }
                    other => (codes::FILE_UNREADABLE, format!("cannot be read: {other}")),
                };
                self.fail(path, at, code, format!("`{path}` {what}"));
                return None;
            }
        };
        if bytes.len() > self.limits.file_bytes {
            let what = self.too_large(bytes.len() as u64);
            self.fail(path, at, codes::FILE_TOO_LARGE, format!("`{path}` {what}"));
            return None;
        }
        self.bytes += bytes.len();
        if self.bytes > self.limits.matrix_bytes {
            let most = self.limits.matrix_bytes;
            let message = format!("with `{path}` the files have more than {most} bytes together");
            self.fail(path, at, codes::MATRIX_TOO_LARGE, message);
            return None;
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let line = error
                    .as_bytes()
                    .iter()
                    .take(offset)
                    .filter(|b| **b == b'\n')
                    .count()
                    + 1;
                let message = format!("`{path}` is not UTF-8 in line {line} (byte {offset})");
                self.fail(path, at, codes::NOT_UTF8, message);
                None
            }
        }
    }

    fn too_large(&self, bytes: u64) -> String {
        format!(
            "has {bytes} bytes; a file has at most {}",
            self.limits.file_bytes
        )
    }

    fn fail(
        &mut self,
        path: &str,
        at: Option<Span>,
        code: crate::diagnostic::Code,
        message: String,
    ) {
        let span = at.unwrap_or_else(|| {
            let name = self.reader.display(path);
            let id = self.files.sources.add(Source::new(name, ""));
            Span::new(id, 0..0)
        });
        self.files
            .diagnostics
            .push(Diagnostic::new(code, span, message));
    }
}

/// An import's path from the root's folder; `None` when it is absolute or leaves the folder.
fn resolve(from: &str, import: &str) -> Option<String> {
    if import.starts_with('/')
        || import.contains('\\')
        || import.contains('\0')
        || import.get(1..2) == Some(":")
    {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn imports_stay_inside() {
        assert_eq!(resolve("a.lane", "b.lane").as_deref(), Some("b.lane"));
        assert_eq!(resolve("x/a.lane", "../b.lane").as_deref(), Some("b.lane"));
        assert_eq!(resolve("x/a.lane", "../../b.lane"), None);
        assert_eq!(resolve("a.lane", "/etc/passwd"), None);
        assert_eq!(resolve("a.lane", "x/../../b.lane"), None);
        assert_eq!(resolve("a.lane", "c:/b.lane"), None);
    }
}
