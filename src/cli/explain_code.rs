//! `laneway explain-code`: the page of a diagnostic code, or the list of all codes.
//!
//! In: a code in any case. Out: why it exists, a wrong and a right example.

use std::io::Write;

use clap::ValueEnum;
use serde::Serialize;

use super::output::Paint;
use super::shell::{Answer, Failure, Shell};
use crate::diagnostic::{Code, Severity, codes, nearest};

/// Explain a code of a finding, or list all codes
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code, such as E0307; without it all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// For a program
    Json,
}

/// A code in JSON; the page only where one code was asked for.
#[derive(Serialize)]
struct Entry {
    code: &'static str,
    severity: Severity,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
}

impl Entry {
    fn new(code: Code, page: Option<&'static str>) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity(),
            title: code.title(),
            page,
        }
    }
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    match (&args.code, args.format) {
        (None, Format::Text) => {
            for code in codes::ALL {
                let name = shell.paint.bold(code.as_str());
                writeln!(shell.out, "{name}  {}", code.title())?;
            }
        }
        (None, Format::Json) => {
            let all: Vec<Entry> = codes::ALL.iter().map(|c| Entry::new(*c, None)).collect();
            shell.json(&all)?;
        }
        (Some(text), format) => {
            let code = find(text)?;
            match format {
                Format::Text => shell
                    .out
                    .write_all(plain(code.page(), shell.paint).as_bytes())?,
                Format::Json => shell.json(&Entry::new(code, Some(code.page())))?,
            }
        }
    }
    Ok(Answer::Fine)
}

fn find(text: &str) -> Result<Code, Failure> {
    Code::find(text.trim()).ok_or_else(|| {
        let upper = text.trim().to_uppercase();
        let known = codes::ALL.iter().map(|code| code.as_str());
        let hint = match nearest(&upper, known) {
            Some(near) => format!("the nearest is `{near}`"),
            None => "`laneway explain-code` lists all".to_owned(),
        };
        let text: String = text.escape_debug().collect();
        Failure::Unusable(format!("no code `{text}`; {hint}"))
    })
}

/// A page of the reference as a terminal shows it: headings in bold, examples indented, the marks
/// of Markdown gone.
fn plain(page: &str, paint: Paint) -> String {
    let mut text = String::with_capacity(page.len());
    let mut in_example = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_example = !in_example;
            continue;
        }
        match line.strip_prefix('#') {
            _ if in_example && line.is_empty() => {}
            _ if in_example => text.extend(["    ", line]),
            Some(rest) => text.push_str(&paint.bold(rest.trim_start_matches('#').trim())),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loses_its_marks_and_keeps_its_examples() {
        let page = "# E1: a title\n\nWhy.\n\n```lane\n# a comment\nlane x {\n\n}\n```\n";
        assert_eq!(
            plain(page, Paint::new(false)),
            "E1: a title\n\nWhy.\n\n    # a comment\n    lane x {\n\n    }\n"
        );
    }

    #[test]
    fn an_unknown_code_is_a_failure_that_names_the_nearest() {
        let message = find("e03077").unwrap_err().to_string();
        assert_eq!(message, "no code `e03077`; the nearest is `E0307`");
        assert!(find("hello").unwrap_err().to_string().contains("lists all"));
        assert_eq!(find("w0801").unwrap().as_str(), "W0801");
    }
}
