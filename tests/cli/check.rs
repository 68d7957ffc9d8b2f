//! `laneway check`: exit codes, forms, and which files a matrix may have.

use crate::run::{Folder, PEOPLE, SOUND, sound, with};

/// A line that the grammar refuses.
const BROKEN: (&str, &str) = ("amount > 100 USD", "amount > 100 USD &&");

#[test]
fn a_sound_matrix_has_no_findings() {
    let ran = sound().run(&["check", "matrix.lane"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (
            0,
            "no findings in matrix.lane (1 lane, 2 examples run)\n",
            ""
        )
    );
}

#[test]
fn errors_give_1_and_warnings_only_when_denied() {
    let ran = with(BROKEN.0, BROKEN.1).run(&["check", "matrix.lane"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.ends_with("1 error, 1 note in matrix.lane\n"),
        "{}",
        ran.out
    );
    let warned = Folder::with(&[
        ("matrix.lane", &format!("\u{feff}{SOUND}")),
        ("people.lane", PEOPLE),
    ]);
    let ran = warned.run(&["check", "matrix.lane"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("1 warning in matrix.lane"), "{ran:?}");
    let ran = warned.run(&["check", "--deny-warnings", "matrix.lane"]);
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_failed_example_is_an_error_and_none_runs_in_a_broken_matrix() {
    let wrong = with("small -> no match", "small -> escalate");
    let ran = wrong.run(&["check", "matrix.lane", "--format", "json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.codes().contains(&"E0701".to_owned()), "{ran:?}");
    let ran = wrong.run(&["check", "matrix.lane", "--no-examples"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("(1 lane, examples not run)"), "{ran:?}");
    let ran = with(BROKEN.0, BROKEN.1).run(&["check", "matrix.lane"]);
    let note = "note[N0901]: 2 examples did not run, because the matrix has errors\n";
    assert!(ran.out.contains(note), "{}", ran.out);
}

#[test]
fn json_has_every_place_from_one() {
    let ran = with(BROKEN.0, BROKEN.1).run(&["check", "matrix.lane", "--format", "json"]);
    let all = ran.json();
    let first = &all[0];
    for key in [
        "code",
        "severity",
        "message",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "labels",
    ] {
        assert!(!first[key].is_null(), "{key} in {first}");
    }
    assert_eq!(
        (first["file"].as_str(), first["line"].as_u64()),
        (Some("matrix.lane"), Some(19))
    );
    let sound = sound().run(&["check", "matrix.lane", "--format", "json"]);
    assert_eq!(sound.out, "[]\n");
}

#[test]
fn sarif_and_github_name_file_and_line() {
    let broken = with(BROKEN.0, BROKEN.1);
    let ran = broken.run(&["check", "matrix.lane", "--format", "sarif"]);
    let log = ran.json();
    assert_eq!((ran.code, log["version"].as_str()), (1, Some("2.1.0")));
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "matrix.lane");
    assert_eq!(place["region"]["startLine"], 19);
    let ran = broken.run(&["check", "matrix.lane", "--format", "github"]);
    let first = ran.out.lines().next().unwrap();
    assert!(
        first.starts_with("::error file=matrix.lane,line=19,col="),
        "{first}"
    );
}

#[test]
fn a_folder_stands_for_the_file_with_the_matrix_block() {
    let folder = Folder::with(&[("ops/acme.lane", SOUND), ("ops/people.lane", PEOPLE)]);
    let ran = folder.run(&["check", "ops"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("no findings in ops/acme.lane"), "{ran:?}");
    folder.write("ops/.acme.lane", SOUND);
    folder.write("ops/deeper/acme.lane", SOUND);
    assert_eq!(folder.run(&["check", "ops"]).code, 0);
    folder.write("ops/second.lane", SOUND);
    let ran = folder.run(&["check", "ops"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(
        ran.err,
        "error: several files in `ops` have a `matrix` block, name one of them: `acme.lane`, `second.lane`\n"
    );
    folder.write("none/people.lane", PEOPLE);
    let ran = folder.run(&["check", "none"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "error: no `*.lane` file in `none` has a `matrix` block\n"
    );
}

#[test]
fn the_current_folder_and_standard_input_are_matrices_too() {
    let ran = sound().run(&["check", "."]);
    assert!(
        ran.out.starts_with("no findings in matrix.lane "),
        "{ran:?}"
    );
    let whole = SOUND.replace("import \"people.lane\"\n", PEOPLE);
    let ran = Folder::new().run_with(&["check", "-"], whole.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("no findings in <stdin> "), "{ran:?}");
    // Not even beside an import that is there.
    let ran = sound().run_with(&["check", "-", "--format", "json"], SOUND.as_bytes());
    assert_eq!((ran.code, &ran.codes()[0]), (1, &"E0110".to_owned()));
}

#[test]
fn a_finding_in_an_import_names_the_import_as_the_person_would() {
    let folder = Folder::with(&[
        ("ops/matrix.lane", SOUND),
        ("ops/people.lane", &PEOPLE.replace("first", "frist")),
    ]);
    let ran = folder.run(&["check", "ops/matrix.lane", "--format", "json"]);
    assert_eq!(ran.json()[0]["file"], "ops/people.lane", "{ran:?}");
    let outside = folder.path("ops").canonicalize().unwrap();
    let root = outside.join("matrix.lane");
    let ran = folder.run(&["check", root.to_str().unwrap(), "--format", "json"]);
    assert_eq!(
        ran.json()[0]["file"],
        outside.join("people.lane").to_str().unwrap()
    );
}

#[test]
fn what_does_not_exist_is_unusable() {
    let folder = sound();
    for args in [
        &["check", "nothing.lane"][..],
        &["check"],
        &["check", "matrix.lane", "--now", "yesterday"],
        &["check", "matrix.lane", "--config", "nothing.toml"],
        &["chekc", "matrix.lane"],
    ] {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(ran.err.starts_with("error: "), "{ran:?}");
    }
    let ran = folder.run(&["check", "nothing.lane"]);
    assert_eq!(ran.err, "error: `nothing.lane` does not exist\n");
}

#[test]
fn the_configuration_sets_bounds_and_says_where_it_is_wrong() {
    let folder = sound();
    folder.write("laneway.toml", "[limits]\nfile_bytes = 100\n");
    let ran = folder.run(&["check", "matrix.lane", "--format", "json"]);
    assert_eq!((ran.code, ran.codes()), (1, vec!["E0101".to_owned()]));
    folder.write("other.toml", "[limits]\nlanes = 10\n");
    let ran = folder.run(&["check", "matrix.lane", "--config", "other.toml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    folder.write("laneway.toml", "[limits]\n\nfile_byte = 100\n");
    let ran = folder.run(&["check", "matrix.lane"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .starts_with("error: laneway.toml:3:1: unknown field `file_byte`"),
        "{}",
        ran.err
    );
    // The one beside the matrix comes before the one where the program runs.
    folder.write("ops/matrix.lane", SOUND);
    folder.write("ops/people.lane", PEOPLE);
    folder.write("ops/laneway.toml", "");
    assert_eq!(folder.run(&["check", "ops"]).code, 0);
}

#[test]
fn colour_is_for_terminals_and_for_who_asks() {
    let broken = with(BROKEN.0, BROKEN.1);
    assert!(!broken.run(&["check", "matrix.lane"]).out.contains('\u{1b}'));
    let ran = broken.run(&["--color", "always", "check", "matrix.lane"]);
    assert!(ran.out.contains("\u{1b}["), "{ran:?}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = sound();
    let many = "lane x {\n  wrong line\n}\n".repeat(3_000);
    folder.write("many.lane", many);
    for format in ["text", "json", "sarif", "github"] {
        // The answer stays: a pipe must not pass a broken matrix.
        let ended = folder.run_closed(&["check", "many.lane", "--format", format]);
        assert_eq!(ended, (Some(1), String::new()), "{format}");
    }
    assert_eq!(
        folder.run_closed(&["check", "matrix.lane"]),
        (Some(0), String::new())
    );
    // More than is buffered, so that the work itself meets the closed pipe.
    folder.write(
        "ugly.lane",
        PEOPLE.replace("  first", "     first").repeat(2_000),
    );
    assert_eq!(
        folder.run_closed(&["fmt", "--diff", "ugly.lane"]),
        (Some(0), String::new())
    );
    assert_eq!(
        folder.run_closed(&["explain-code"]),
        (Some(0), String::new())
    );
    assert_eq!(
        folder.run_closed(&["completions", "bash"]),
        (Some(0), String::new())
    );
    assert_eq!(folder.run_closed(&["man"]), (Some(0), String::new()));
}
