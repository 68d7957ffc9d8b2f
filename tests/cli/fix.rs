//! `laneway check --fix`.

use std::fs;

use serde_json::Value;

use crate::run::{Folder, PEOPLE, SOUND, sound, with};

#[test]
fn safe_fixes_are_applied_and_the_rest_is_shown() {
    let folder = with("amount > 100 USD", "amount > 1_00 USD");
    let ran = folder.run(&["check", "matrix.lane", "--fix"]);
    assert_eq!(folder.text("matrix.lane"), SOUND);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("no findings in matrix.lane"), "{ran:?}");
    assert!(
        ran.err.starts_with("fixed matrix.lane:19:17: E0211: "),
        "{}",
        ran.err
    );
    assert!(
        ran.err.ends_with("1 fix applied in 1 file\n"),
        "{}",
        ran.err
    );
    assert_eq!(folder.names(), ["matrix.lane", "people.lane"]);
}

#[test]
fn fixes_reach_imports_and_marks_of_other_systems() {
    let folder = Folder::with(&[
        ("matrix.lane", &format!("\u{feff}{SOUND}")),
        ("people.lane", &PEOPLE.replace('\n', "\r\n")),
    ]);
    let ran = folder.run(&["check", "matrix.lane"]);
    assert!(ran.out.contains("2 warnings in matrix.lane"), "{}", ran.out);
    let ran = folder.run(&["check", "matrix.lane", "--fix"]);
    assert!(
        ran.err.ends_with("2 fixes applied in 2 files\n"),
        "{}",
        ran.err
    );
    assert_eq!(folder.text("matrix.lane"), SOUND);
    assert_eq!(folder.text("people.lane"), PEOPLE);
}

#[test]
fn a_guess_is_shown_and_never_applied() {
    let folder = with("  owner finance\n", "  ownr finance\n");
    let before = folder.text("matrix.lane");
    let ran = folder.run(&["check", "matrix.lane", "--fix"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (1, "0 fixes applied in 0 files\n")
    );
    assert!(ran.out.contains("help: write `owner`"), "{}", ran.out);
    assert_eq!(folder.text("matrix.lane"), before);
}

#[test]
fn a_fix_with_an_edit_a_line_is_not_printed_for_tools() {
    let folder = sound();
    folder.write("long.lane", "# a comment\r\n".repeat(1_500));
    let check = |format| folder.run(&["check", "long.lane", "--format", format]);
    let (json, sarif) = (check("json").json(), check("sarif").json());
    let of = |all: &Value, key: &str| {
        let mut all = all.as_array().unwrap().iter();
        all.find(|one| one[key] == "W0826").unwrap().clone()
    };
    assert!(of(&json, "code")["fix"].is_null());
    assert!(of(&sarif["runs"][0]["results"], "ruleId")["fixes"].is_null());
    assert!(check("text").out.lines().count() < 100);
    folder.run(&["check", "long.lane", "--fix"]);
    assert_eq!(folder.text("long.lane"), "# a comment\n".repeat(1_500));
}

#[test]
fn nothing_to_fix_writes_nothing() {
    let folder = sound();
    let before = fs::metadata(folder.path("matrix.lane"))
        .unwrap()
        .modified()
        .unwrap();
    let ran = folder.run(&["check", "matrix.lane", "--fix"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (0, "0 fixes applied in 0 files\n")
    );
    let after = fs::metadata(folder.path("matrix.lane"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(before, after);
}

#[test]
fn standard_input_is_never_written() {
    let ran = sound().run_with(&["check", "-", "--fix"], SOUND.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(
        ran.err.contains("standard input cannot be written"),
        "{}",
        ran.err
    );
}

#[cfg(unix)]
#[test]
fn a_read_only_file_stays_as_it_is() {
    let folder = with("amount > 100 USD", "amount > 1_00 USD");
    let path = folder.path("matrix.lane");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let before = folder.text("matrix.lane");
    let ran = folder.run(&["check", "matrix.lane", "--fix"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.err.contains("cannot be written: the file is read-only"),
        "{}",
        ran.err
    );
    assert_eq!(folder.text("matrix.lane"), before);
}
