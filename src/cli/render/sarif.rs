//! Findings as SARIF 2.1.0 (OASIS), which code scanning services read.
//!
//! Every code is a rule of the tool, so that a result can name its rule by index.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::located;
use crate::diagnostic::{
    Code, Diagnostics, Located, LocatedEdit, LocatedFix, Place, Severity, codes,
};
use crate::span::Sources;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn write(out: &mut impl Write, all: &Diagnostics, sources: &Sources) -> io::Result<()> {
    let results: Vec<Value> = all.iter().map(|d| result(&located(d, sources))).collect();
    let rules: Vec<Value> = codes::ALL.iter().map(|code| rule(*code)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "laneway",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": code.title()},
        "help": {"text": code.page(), "markdown": code.page()},
        "defaultConfiguration": {"level": code.severity().as_str()},
    })
}

fn result(finding: &Located) -> Value {
    let index = codes::ALL.iter().position(|c| c.as_str() == finding.code);
    let text = match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": Severity::as_str(finding.severity),
        "message": {"text": text},
        "locations": [location(&finding.place)],
    });
    if let Some(object) = result.as_object_mut() {
        if !finding.labels.is_empty() {
            let labels = (0..).zip(&finding.labels);
            let related = labels.map(|(id, label): (usize, _)| {
                let mut at = location(&label.place);
                if let Some(at) = at.as_object_mut() {
                    at.insert("id".to_owned(), json!(id));
                    at.insert("message".to_owned(), json!({"text": label.message}));
                }
                at
            });
            object.insert("relatedLocations".to_owned(), related.collect());
        }
        if let Some(fix) = &finding.fix {
            object.insert("fixes".to_owned(), json!([self::fix(fix)]));
        }
    }
    result
}

fn location(place: &Place) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&place.file)},
        "region": region(place),
    }})
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

/// A fix; the edits of one file are one change.
fn fix(fix: &LocatedFix) -> Value {
    let mut files: Vec<(&str, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let file = edit.place.file.as_str();
        match files.iter_mut().find(|(name, _)| *name == file) {
            Some((_, edits)) => edits.push(replacement(edit)),
            None => files.push((file, vec![replacement(edit)])),
        }
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(file, edits)| json!({"artifactLocation": {"uri": uri(file)}, "replacements": edits}))
        .collect();
    json!({"description": {"text": fix.title}, "artifactChanges": changes})
}

fn replacement(edit: &LocatedEdit) -> Value {
    json!({
        "deletedRegion": region(&edit.place),
        "insertedContent": {"text": edit.replacement},
    })
}

/// The name as a URI reference (RFC 3986): relative names stay relative.
fn uri(name: &str) -> String {
    let mut uri = String::with_capacity(name.len());
    if Path::new(name).is_absolute() {
        uri.push_str("file://");
    }
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::span::{Source, Span};

    #[test]
    fn a_name_becomes_a_uri() {
        assert_eq!(uri("a b/ü:%.lane"), "a%20b/%C3%BC%3A%25.lane");
        assert_eq!(uri("/srv/a.lane"), "file:///srv/a.lane");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }

    #[test]
    fn a_result_names_its_rule_its_places_and_its_fix() {
        let mut sources = Sources::default();
        let file = sources.add(Source::new("ä.lane", "é a && b\n"));
        let at = Span::new(file, 5..7);
        let mut all = Diagnostics::default();
        all.push(
            Diagnostic::new(codes::FOREIGN_OPERATOR, at, "no `&&` here")
                .label(Span::new(file, 0..2), "in this condition")
                .safe_fix("write `and`", at, "and"),
        );
        let mut out = Vec::new();
        write(&mut out, &all, &sources).unwrap();
        let log: Value = serde_json::from_slice(&out).unwrap();
        let run = &log["runs"][0];
        let result = &run["results"][0];
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], "E0214");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(
            *region,
            json!({"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 7})
        );
        assert_eq!(
            result["relatedLocations"][0]["message"]["text"],
            "in this condition"
        );
        let change = &result["fixes"][0]["artifactChanges"][0];
        assert_eq!(change["artifactLocation"]["uri"], "%C3%A4.lane");
        assert_eq!(change["replacements"][0]["insertedContent"]["text"], "and");
        assert_eq!(change["replacements"][0]["deletedRegion"], *region);
    }
}
