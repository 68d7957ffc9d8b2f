//! Input that no honest person writes: nothing of it may panic, hang, or leave the folder.

use crate::run::{Folder, PEOPLE, SOUND, sound};

fn codes(folder: &Folder) -> Vec<String> {
    let ran = folder.run(&["check", "matrix.lane", "--format", "json"]);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert_eq!(ran.code, 1, "{ran:?}");
    ran.codes()
}

#[test]
fn bytes_that_are_no_text_have_their_codes() {
    for (bytes, code) in [
        (&b"lane \xff\xfe {\n}\n"[..], "E0103"),
        (b"lane a {\n  about \"\0\"\n}\n", "E0104"),
        (b"lane a {\n  about \"\x1b[31m\"\n}\n", "E0104"),
        ("lane a {\n  about \"\u{202e}\"\n}\n".as_bytes(), "E0105"),
        (b"", "E0301"),
    ] {
        let folder = Folder::new();
        folder.write("matrix.lane", bytes);
        assert!(codes(&folder).contains(&code.to_owned()), "{code}");
        let ran = folder.run(&["check", "matrix.lane"]);
        assert!(
            !ran.out.contains(['\0', '\u{1b}', '\u{202e}']),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_byte_order_mark_and_cr_lf_are_only_warned_of() {
    let folder = Folder::with(&[
        (
            "matrix.lane",
            &format!("\u{feff}{}", SOUND.replace('\n', "\r\n")),
        ),
        ("people.lane", PEOPLE),
    ]);
    let ran = folder.run(&["check", "matrix.lane", "--format", "json"]);
    assert_eq!(
        (ran.code, ran.codes()),
        (0, vec!["W0825".to_owned(), "W0826".to_owned()])
    );
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn deep_and_wide_text_ends() {
    let folder = Folder::new();
    let deep = format!(
        "lane a {{\n  when {}x{}\n}}\n",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    folder.write("matrix.lane", deep);
    assert!(codes(&folder).contains(&"E0106".to_owned()));
    folder.write("matrix.lane", "x ".repeat(1 << 20));
    codes(&folder);
    folder.write("matrix.lane", "}{".repeat(1 << 18));
    codes(&folder);
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;
    use crate::run::with;

    #[test]
    fn an_import_does_not_leave_the_folder() {
        let folder = Folder::with(&[
            ("ops/matrix.lane", SOUND),
            ("secret.lane", PEOPLE),
            ("other/people.lane", PEOPLE),
        ]);
        let check = |folder: &Folder| {
            let ran = folder.run(&["check", "ops/matrix.lane", "--format", "json"]);
            (ran.code, ran.codes().first().cloned().unwrap_or_default())
        };
        assert_eq!(check(&folder), (1, "E0110".to_owned()));
        symlink("../secret.lane", folder.path("ops/people.lane")).unwrap();
        assert_eq!(check(&folder), (1, "E0111".to_owned()));
        let text = SOUND.replace("people.lane", "sub/people.lane");
        folder.write("ops/matrix.lane", text);
        symlink("../other", folder.path("ops/sub")).unwrap();
        assert_eq!(check(&folder), (1, "E0111".to_owned()));
        folder.write(
            "ops/matrix.lane",
            SOUND.replace("people.lane", "../secret.lane"),
        );
        assert_eq!(check(&folder), (1, "E0111".to_owned()));
    }

    #[test]
    fn links_inside_the_folder_are_fine() {
        let folder = Folder::with(&[("real/matrix.lane", SOUND), ("real/data/p.lane", PEOPLE)]);
        symlink("data/p.lane", folder.path("real/people.lane")).unwrap();
        symlink("real/matrix.lane", folder.path("link.lane")).unwrap();
        symlink("real", folder.path("folder")).unwrap();
        for path in ["link.lane", "folder", "folder/matrix.lane"] {
            let ran = folder.run(&["check", path]);
            assert_eq!(ran.code, 0, "{path}: {ran:?}");
        }
        symlink("loop.lane", folder.path("loop.lane")).unwrap();
        assert_eq!(folder.run(&["check", "loop.lane"]).code, 2);
    }

    #[test]
    fn a_pipe_or_a_device_is_not_waited_for() {
        let folder = sound();
        let made = Command::new("mkfifo")
            .arg(folder.path("pipe.lane"))
            .status();
        assert!(made.unwrap().success());
        let ran = folder.run(&["check", "pipe.lane"]);
        assert_eq!(ran.code, 2);
        assert_eq!(
            ran.err,
            "error: `pipe.lane` is neither a file nor a folder\n"
        );
        assert_eq!(folder.run(&["check", "/dev/zero"]).code, 2);
        assert_eq!(folder.run(&["fmt", "pipe.lane"]).code, 2);
        assert_eq!(
            folder
                .run(&["check", "matrix.lane", "--config", "pipe.lane"])
                .code,
            2
        );
        let folder = with("people.lane", "pipe.lane");
        let made = Command::new("mkfifo")
            .arg(folder.path("pipe.lane"))
            .status();
        assert!(made.unwrap().success());
        assert_eq!(codes(&folder)[0], "E0110");
    }

    #[test]
    fn a_name_does_not_act_on_the_terminal() {
        let folder = Folder::new();
        folder.write("a\u{1b}[31m\n.lane", "lane x {\n  wrong\n}\n");
        for args in [
            &["check", "a\u{1b}[31m\n.lane"][..],
            &["fmt", "."],
            &["check", "b\u{1b}[31m.lane"],
        ] {
            let ran = folder.run(args);
            assert!(ran.code > 0);
            assert!(
                !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
                "{ran:?}"
            );
            assert!(
                !format!("{}{}", ran.out, ran.err).contains("a\\u{1b}[31m\n"),
                "{ran:?}"
            );
        }
    }
}
