//! `laneway new`.

use crate::run::Folder;

#[test]
fn a_new_matrix_checks_and_its_commands_are_its_own() {
    let folder = Folder::new();
    let ran = folder.run(&["new", "ops/acme"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert_eq!(
        ran.out,
        "wrote 4 files to ops/acme\n\nnext:\n  laneway check ops/acme\n  laneway decide ops/acme ops/acme/events.ndjson\n  laneway test ops/acme\n"
    );
    let ran = folder.run(&["check", "ops/acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains(" in ops/acme/matrix.lane (5 lanes, "),
        "{ran:?}"
    );
    let readme = folder.text("ops/acme/README.md");
    assert!(readme.contains("laneway check ops/acme\n"), "{readme}");
    assert!(!readme.contains("matrices/"), "{readme}");
}

#[test]
fn nothing_is_written_over() {
    let folder = Folder::with(&[("people.lane", "# ours\n")]);
    let ran = folder.run(&["new"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(
        ran.err,
        "error: `.` already has `people.lane`; nothing was written\n"
    );
    assert_eq!(folder.names(), ["people.lane"]);
    assert_eq!(folder.text("people.lane"), "# ours\n");
    let ran = folder.run(&["new", "people.lane"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}
