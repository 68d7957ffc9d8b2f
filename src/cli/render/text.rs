//! Findings for a person: the message, the lines it is about, what to do.

use std::borrow::Cow;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::count;
use super::excerpt::{self, Excerpt};
use crate::cli::output::Paint;
use crate::diagnostic::{Diagnostic, Diagnostics, Edit, Fix, Severity, codes};
use crate::files::acts_on_terminal;
use crate::span::Sources;

/// Writes the findings; those that only list the ways out of strictness come last, a line each.
pub(super) fn write(
    out: &mut impl Write,
    paint: Paint,
    all: &Diagnostics,
    sources: &Sources,
) -> io::Result<()> {
    let (ways_out, rest): (Vec<_>, Vec<_>) = all
        .iter()
        .partition(|finding| finding.code == codes::OPT_OUT);
    list(out, paint, rest, sources)?;
    if !ways_out.is_empty() {
        let word = paint.bold(&format!("note[{}]", codes::OPT_OUT));
        let number = count(ways_out.len(), "way");
        writeln!(
            out,
            "{word}: {number} out of the strict reading of missing values"
        )?;
        for finding in ways_out {
            let (name, line) = (sources.name(finding.span), sources.start(finding.span).line);
            let (name, message) = (clean(name), clean(&finding.message));
            writeln!(out, "  {name}:{line}: {message}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes findings in full, with an empty line behind each.
pub(super) fn list<'a>(
    out: &mut impl Write,
    paint: Paint,
    some: impl IntoIterator<Item = &'a Diagnostic>,
    sources: &Sources,
) -> io::Result<()> {
    let renderer = if paint.is_on() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    for finding in some {
        let groups = groups(finding, sources);
        writeln!(out, "{}\n", renderer.render(&groups))?;
    }
    Ok(())
}

/// A finding in the renderer's terms: what is wrong, and the fix as a second part.
fn groups<'a>(finding: &'a Diagnostic, sources: &'a Sources) -> Vec<Group<'a>> {
    let level = match finding.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(clean(&finding.message));
    let mut first = Group::with_title(title.id(finding.code.as_str()));
    if has_place(finding) {
        for part in excerpt::cut(sources, marks(finding)) {
            first = annotated(first, part);
        }
    }
    if let Some(help) = &finding.help {
        first = first.element(Level::HELP.message(clean(help)));
    }
    let fix = finding.fix.as_ref().map(|fix| suggestion(fix, sources));
    std::iter::once(first).chain(fix).collect()
}

/// Whether a finding is about a place; some are about the whole matrix.
fn has_place(finding: &Diagnostic) -> bool {
    ![codes::EXAMPLES_NOT_RUN, codes::MORE_FINDINGS].contains(&finding.code)
}

/// The places of a finding with their words; the primary one comes first.
fn marks(finding: &Diagnostic) -> Vec<(crate::span::Span, (AnnotationKind, &str))> {
    let primary = (AnnotationKind::Primary, finding.caption.as_str());
    let labels = finding.labels.iter();
    let labels = labels.map(|l| (l.span, (AnnotationKind::Context, l.message.as_str())));
    std::iter::once((finding.span, primary))
        .chain(labels)
        .collect()
}

fn annotated<'a>(group: Group<'a>, part: Excerpt<'a, (AnnotationKind, &'a str)>) -> Group<'a> {
    let name = clean(part.name);
    let Some(text) = part.text else {
        let origin = Origin::path(name).line(part.first_line);
        return group.element(origin.char_column(part.column));
    };
    let marks = part.marks.into_iter().map(|mark| {
        let (kind, words) = mark.what;
        let words = (!words.is_empty()).then(|| clean(words));
        kind.span(mark.range).label(words)
    });
    let snippet = Snippet::source(text).path(name).line_start(part.first_line);
    group.element(snippet.annotations(marks))
}

/// The fix as a part of its own, with the lines as they would be where they can be shown.
fn suggestion<'a>(fix: &'a Fix, sources: &'a Sources) -> Group<'a> {
    let group = Group::with_title(Level::HELP.secondary_title(clean(&fix.title)));
    let edits = fix.edits.iter().map(|edit| (edit.span, edit));
    let parts = excerpt::cut(sources, edits);
    if parts
        .iter()
        .any(|part| part.text.is_none() || !is_whole(part))
    {
        return group;
    }
    parts.into_iter().fold(group, |group, part| {
        let (name, first_line) = (clean(part.name), part.first_line);
        let patches = part
            .marks
            .into_iter()
            .map(|mark| Patch::new(mark.range, clean(&mark.what.replacement)));
        let snippet = Snippet::source(part.text.unwrap_or_default())
            .path(name)
            .line_start(first_line);
        group.element(snippet.patches(patches))
    })
}

/// Whether each edit is in the excerpt as it is, none cut short and none over another.
fn is_whole(part: &Excerpt<'_, &Edit>) -> bool {
    let whole = |mark: &excerpt::Mark<&Edit>| mark.range.len() == mark.what.span.range().len();
    let apart = |pair: &[excerpt::Mark<&Edit>]| match pair {
        [a, b] => a.range.end <= b.range.start && a.range != b.range,
        _ => true,
    };
    part.marks.iter().all(whole) && part.marks.windows(2).all(apart)
}

/// The text without characters that would act on the terminal; line breaks and tabs stay.
fn clean(text: &str) -> Cow<'_, str> {
    let acts = |c: char| acts_on_terminal(c) && c != '\n' && c != '\t';
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) {
            cleaned.extend(c.escape_unicode());
        } else {
            cleaned.push(c);
        }
    }
    Cow::Owned(cleaned)
}
