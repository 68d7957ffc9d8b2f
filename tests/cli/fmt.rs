//! `laneway fmt`.

use crate::run::{Folder, PEOPLE};

/// [`PEOPLE`] as somebody might type it.
const UGLY: &str = "team finance {\n      first   person \"ada@acme.example\"\n\n\n  backup person \"ben@acme.example\"}\n";

#[test]
fn files_are_written_in_place_and_twice_changes_nothing() {
    let folder = Folder::with(&[
        ("a.lane", UGLY),
        ("sub/b.lane", UGLY),
        ("c.txt", UGLY),
        (".d.lane", UGLY),
    ]);
    let ran = folder.run(&["fmt"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    let mut told: Vec<&str> = ran.err.lines().collect();
    told.sort_unstable();
    assert_eq!(told, ["formatted a.lane", "formatted sub/b.lane"]);
    let text = folder.text("a.lane");
    assert_ne!(text, UGLY);
    assert_eq!(
        (folder.text("c.txt"), folder.text(".d.lane")),
        (UGLY.to_owned(), UGLY.to_owned())
    );
    let ran = folder.run(&["fmt", "a.lane", "sub"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(folder.text("a.lane"), text);
}

#[test]
fn check_lists_what_would_change_and_writes_nothing() {
    let folder = Folder::with(&[("ugly.lane", UGLY), ("fine.lane", PEOPLE)]);
    let ran = folder.run(&["fmt", "--check", "fine.lane", "ugly.lane"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "ugly.lane\n"), "{ran:?}");
    assert_eq!(folder.text("ugly.lane"), UGLY);
    assert_eq!(folder.run(&["fmt", "--check", "fine.lane"]).code, 0);
    let ran = folder.run(&["fmt", "--check", "--format", "json", "."]);
    assert_eq!(ran.code, 1);
    let statuses: Vec<_> = ran
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(statuses, ["unchanged", "would_change"]);
}

#[test]
fn diff_shows_what_would_change() {
    let folder = Folder::with(&[("ugly.lane", UGLY)]);
    let ran = folder.run(&["fmt", "--diff", "ugly.lane"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(folder.text("ugly.lane"), UGLY);
    insta::assert_snapshot!(ran.out);
    assert_eq!(
        folder.run(&["fmt", "--diff", "--check", "ugly.lane"]).code,
        1
    );
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = Folder::new();
    let ran = folder.run_with(&["fmt", "-"], PEOPLE.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (0, PEOPLE));
    let ran = folder.run_with(&["fmt", "-"], UGLY.as_bytes());
    assert_eq!(ran.code, 0);
    assert!(
        ran.out.contains("\n  first person \"ada@acme.example\"\n"),
        "{}",
        ran.out
    );
    let ran = folder.run_with(&["fmt", "-", "--check"], UGLY.as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (1, "<stdin>\n"));
}

#[test]
fn a_file_with_errors_is_shown_and_left_alone() {
    let broken = "team finance {\n   frist person \"a\"\n}\n";
    let folder = Folder::with(&[("broken.lane", broken), ("ugly.lane", UGLY)]);
    let ran = folder.run(&["fmt", "."]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(folder.text("broken.lane"), broken);
    assert_ne!(folder.text("ugly.lane"), UGLY);
    assert!(ran.err.contains("--> broken.lane:2:4"), "{}", ran.err);
    assert!(
        ran.err.contains("broken.lane is left alone: 1 error"),
        "{}",
        ran.err
    );
    let ran = folder.run(&["fmt", "nothing.lane"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("`nothing.lane` cannot be read"),
        "{}",
        ran.err
    );
}

#[test]
fn marks_of_other_systems_go() {
    let text = format!("\u{feff}{}", PEOPLE.replace('\n', "\r\n"));
    let folder = Folder::with(&[("a.lane", &text)]);
    assert_eq!(folder.run(&["fmt", "a.lane"]).code, 0);
    assert_eq!(folder.text("a.lane"), PEOPLE);
}
