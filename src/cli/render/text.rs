//! Findings for a person: the message, the lines it is about, what to do.

use std::borrow::Cow;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::count;
use super::excerpt::{self, Excerpt};
use crate::cli::output::Paint;
use crate::diagnostic::{Diagnostic, Diagnostics, Edit, Fix, Severity, codes};
use crate::files::{acts_on_terminal, shown};
use crate::span::Sources;

/// Edits of a fix that are drawn. A fix may have one for each line of a file.
const EDITS_SHOWN: usize = 8;

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
            let (name, message) = (shown(name.as_ref()), clean(&finding.message));
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
    let name = shown(part.name.as_ref());
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
    if fix.edits.len() > EDITS_SHOWN {
        return group;
    }
    let edits = fix.edits.iter().map(|edit| (edit.span, edit));
    let parts = excerpt::cut(sources, edits);
    if parts
        .iter()
        .any(|part| part.text.is_none() || !is_whole(part))
    {
        return group;
    }
    parts.into_iter().fold(group, |group, part| {
        let (name, first_line) = (shown(part.name.as_ref()), part.first_line);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::codes::Code;
    use crate::span::{FileId, Source, Span};

    /// The findings as they are printed without colour.
    fn printed(findings: Vec<Diagnostic>, sources: &Sources) -> String {
        let mut all = Diagnostics::default();
        all.extend(findings);
        let mut out = Vec::new();
        write(&mut out, Paint::new(false), &all, sources).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn one_file(name: &str, text: &str) -> (Sources, FileId) {
        let mut sources = Sources::default();
        let file = sources.add(Source::new(name, text));
        (sources, file)
    }

    #[test]
    fn a_finding_shows_its_lines_its_labels_its_help_and_its_fix() {
        let (mut sources, file) = one_file(
            "agents.lane",
            "team ops {\n\tfirst person \"é\"\n}\n\nlane a {\n  ownr ops\n}\n",
        );
        let people = sources.add(Source::new("people.lane", "team ops {\n}\n"));
        let at = Span::new(file, 44..48);
        let finding = Diagnostic::new(codes::UNKNOWN_CLAUSE, at, "no clause `ownr` in a lane")
            .caption("did you mean `owner`?")
            .label(Span::new(file, 0..8), "this team")
            .label(Span::new(people, 5..8), "and this one")
            .help("a lane has an `owner`")
            .safe_fix("write `owner`", at, "owner");
        insta::assert_snapshot!(printed(vec![finding], &sources), @r"
        error[E0203]: no clause `ownr` in a lane
         --> agents.lane:6:3
          |
        1 | team ops {
          | -------- this team
        ...
        6 |   ownr ops
          |   ^^^^ did you mean `owner`?
          |
         ::: people.lane:1:6
          |
        1 | team ops {
          |      --- and this one
          |
          = help: a lane has an `owner`
        help: write `owner`
          |
        6 |   owner ops
          |      +
");
    }

    #[test]
    fn ways_out_take_a_line_each_and_notes_on_the_whole_have_no_place() {
        let (sources, file) = one_file("a.lane", "one\ntwo\n");
        let way = |at| Diagnostic::new(codes::OPT_OUT, Span::new(file, at), "`x` may be missing");
        let whole = Diagnostic::new(codes::MORE_FINDINGS, Span::default(), "7 more findings");
        insta::assert_snapshot!(printed(vec![way(0..1), way(4..7), whole], &sources), @r"
        note[N0902]: 7 more findings

        note[N0903]: 2 ways out of the strict reading of missing values
          a.lane:1: `x` may be missing
          a.lane:2: `x` may be missing
");
    }

    #[test]
    fn nothing_of_a_matrix_or_a_name_acts_on_the_terminal() {
        let evil = "a\u{1b}[31m\u{9b}31m\u{202e}\u{2067}\u{200f}\u{7f}\r\u{85}b\u{0}c";
        let (sources, file) = one_file(evil, &format!("{evil}\n"));
        let at = Span::new(file, 0..1);
        let finding = Diagnostic::new(codes::SYNTAX, at, evil)
            .caption(evil)
            .help(evil)
            .label(at, evil)
            .safe_fix(evil, at, evil);
        let way_out = Diagnostic::new(codes::OPT_OUT, at, evil);
        let printed = printed(vec![finding, way_out], &sources);
        let acts = |c: &char| acts_on_terminal(*c) && *c != '\n';
        assert_eq!(printed.chars().find(acts), None, "{printed:?}");
    }

    #[test]
    fn a_file_of_one_endless_line_is_named_and_not_drawn() {
        let (sources, file) = one_file("a.lane", &"x".repeat(1 << 20));
        let at = Span::new(file, 70_000..70_001);
        let finding = Diagnostic::new(codes::SYNTAX, at, "wrong").guess("write less", at, "");
        insta::assert_snapshot!(printed(vec![finding], &sources), @r"
        error[E0201]: wrong
        --> a.lane:1:70001
         |
        help: write less
");
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\n"),
            Just("\r\n"),
            Just("\t"),
            Just(" "),
            Just("word "),
            Just("é"),
            Just("\u{1f468}\u{200d}\u{1f469}"),
            Just("\u{202e}"),
            Just("\0"),
            Just("\u{feff}"),
            Just("\u{301}"),
            Just("漢"),
            Just("\r"),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever the text and wherever the spans are, also beyond its end: nothing panics.
        #[test]
        fn any_finding_can_be_shown(
            texts in [text(), text()],
            spans in prop::collection::vec((0u32..3, 0u32..120, 0u32..120), 1..5),
            edits in prop::collection::vec((0u32..2, 0u32..120, 0u32..20, text()), 0..4),
            message in text(),
        ) {
            let mut sources = Sources::default();
            for text in &texts {
                sources.add(Source::new(message.as_str(), text.as_str()));
            }
            let span = |(file, start, end)| Span { file: FileId(file), start, end };
            let mut spans = spans.into_iter().map(span);
            let code: Code = codes::SYNTAX;
            let mut finding = Diagnostic::new(code, spans.next().unwrap(), message.as_str()).caption(message.as_str());
            finding = spans.fold(finding, |finding, span| finding.label(span, message.as_str()));
            let edits: Vec<Edit> = edits
                .into_iter()
                .map(|(file, start, more, replacement)| Edit { span: span((file, start, start + more)), replacement })
                .collect();
            finding.fix = Some(Fix { title: message.clone(), edits, safe: false });
            finding.help = Some(message);
            printed(vec![finding], &sources);
        }
    }
}
