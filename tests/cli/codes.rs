//! `laneway explain-code`, `completions` and `man`.

use crate::run::Folder;

#[test]
fn a_code_is_explained_in_any_case() {
    let folder = Folder::new();
    let ran = folder.run(&["explain-code", "e0208"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out
            .starts_with("E0208: `and` and `or` mixed without parentheses\n"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("```"), "{}", ran.out);
    let ran = folder.run(&["explain-code", "E0208", "--format", "json"]);
    assert_eq!(ran.json()["severity"], "error");
}

#[test]
fn an_unknown_code_names_the_nearest() {
    let ran = Folder::new().run(&["explain-code", "E02088"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "error: no code `E02088`; the nearest is `E0208`\n");
}

#[test]
fn without_a_code_all_are_listed() {
    let folder = Folder::new();
    let ran = folder.run(&["explain-code"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.out.lines().count(),
        laneway::diagnostic::codes::ALL.len()
    );
    assert!(
        ran.out.contains("W0802  an urgent lane without a backup\n"),
        "{}",
        ran.out
    );
    let listed = folder.run(&["explain-code", "--format", "json"]);
    assert_eq!(listed.codes().len(), laneway::diagnostic::codes::ALL.len());
}

#[test]
fn completions_and_pages_know_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = folder.run(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("explain-code"), "{shell}");
    }
    assert_eq!(folder.run(&["man", "pages"]).code, 0);
    let page = folder.text("pages/laneway-check.1");
    assert!(page.contains("deny\\-warnings"), "{page}");
    assert!(
        folder
            .text("pages/laneway.1")
            .contains("laneway\\-check(1)")
    );
    assert!(folder.run(&["man"]).out.contains("deny\\-warnings"));
}
