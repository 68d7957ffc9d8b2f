//! The log: what comes back, what ends, what is lost.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;

use super::*;
use crate::decision::recorded::{Recorded, RecordedDecision};
use crate::decision::{EventRef, Subjects, Verdict};
use crate::event::Json;
use crate::limits::{LOG_HISTORY_BYTES, LOG_LINE_BYTES};
use crate::reference::tests::text::{lane, matrix, noon};
use crate::router::Router;

mod disk;
mod lines;
mod search;

fn router() -> Router {
    Router::new(matrix(&lane("large", "when n > 5\ngroup by user")))
}

fn event(id: u64, n: u64) -> Vec<u8> {
    format!(
        r#"{{"kind":"call","id":"e-{id}","n":{n},"user":"u{}"}}"#,
        id % 3
    )
    .into_bytes()
}

fn open(folder: &Path, settings: Settings) -> DecisionLog {
    DecisionLog::open(folder, settings, noon()).unwrap()
}

/// Logs an event of each number, a second apart.
fn log(log: &DecisionLog, ids: impl Iterator<Item = u64>, n: u64) {
    let router = router();
    for id in ids {
        let now = noon() + TimeDelta::seconds(i64::try_from(id).unwrap());
        let json = event(id, n);
        let decision = router.decide_json(&json, now);
        log.append(&Entry::new(now, &json, &decision));
    }
}

/// All lines of all files.
fn text(folder: &Path) -> String {
    let files = files(folder).unwrap();
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.collect::<Vec<_>>().join("\n").replace("\n\n", "\n")
}

fn ids(folder: &Path) -> Vec<String> {
    let text = text(folder);
    let lines = text.lines().map(|line| {
        let line = Recorded::read(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        match line.decision.event {
            EventRef::Id(id) => id,
            other => panic!("{other:?}"),
        }
    });
    lines.collect()
}

fn named(ids: impl Iterator<Item = u64>) -> Vec<String> {
    ids.map(|id| format!("e-{id}")).collect()
}

#[test]
fn what_is_logged_comes_back_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 0..5, 9);
    decisions.flush();
    assert_eq!(ids(folder.path()), named(0..5));
    drop(decisions);
    // And it goes on where it ended.
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 5..7, 9);
    drop(decisions);
    assert_eq!(ids(folder.path()), named(0..7));
    assert_eq!(files(folder.path()).unwrap().len(), 1);
}

#[test]
fn a_line_waits_for_a_flush_or_for_one_a_second_later() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 0..1, 9);
    assert_eq!(text(folder.path()), "");
    log(&decisions, 1..2, 9);
    assert_eq!(ids(folder.path()), named(0..2));
    log(&decisions, 2..3, 9);
    assert_eq!(ids(folder.path()), named(0..2));
    decisions.flush();
    assert_eq!(ids(folder.path()), named(0..3));
}

#[test]
fn a_line_that_a_crash_cut_off_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    assert_eq!(decisions.cut(), 0);
    log(&decisions, 0..4, 9);
    drop(decisions);
    let path = files(folder.path()).unwrap().remove(0);
    let whole = fs::read(&path).unwrap();
    let third = whole.len() / 4 * 3;
    for (end, left) in [(whole.len() - 1, 3), (third + 2, 3), (third - 2, 2), (5, 0)] {
        fs::write(&path, &whole[..end]).unwrap();
        let decisions = open(folder.path(), Settings::default());
        assert_eq!(decisions.cut(), 1, "{end}");
        log(&decisions, 9..10, 9);
        drop(decisions);
        assert_eq!(ids(folder.path()), named((0..left).chain([9])), "{end}");
    }
    // After a loss of power there may be nothing where something was written.
    fs::write(&path, [&whole[..], &[0; 200_000]].concat()).unwrap();
    assert_eq!(open(folder.path(), Settings::default()).cut(), 1);
    assert_eq!(ids(folder.path()), named(0..4));
}

#[test]
fn the_file_before_the_last_may_have_been_cut_off_too() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        rotate_bytes: 1,
        ..Settings::default()
    };
    let decisions = open(folder.path(), settings.clone());
    log(&decisions, 0..3, 9);
    drop(decisions);
    let paths = files(folder.path()).unwrap();
    assert_eq!(paths.len(), 3);
    for path in &paths[1..] {
        let whole = fs::read(path).unwrap();
        fs::write(path, &whole[..whole.len() - 1]).unwrap();
    }
    let decisions = open(folder.path(), settings);
    assert_eq!(decisions.cut(), 2);
    drop(decisions);
    let left = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let lines: Vec<usize> = left.map(|text| text.lines().count()).collect();
    assert_eq!(lines, [1, 0, 0]);
}

#[test]
fn files_end_by_size_and_the_oldest_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let one = {
        let decisions = open(folder.path(), Settings::default());
        log(&decisions, 10..11, 9);
        drop(decisions);
        let path = files(folder.path()).unwrap().remove(0);
        let bytes = fs::metadata(&path).unwrap().len();
        fs::remove_file(path).unwrap();
        bytes
    };
    let settings = Settings {
        rotate_bytes: 3 * one,
        keep_files: 3,
        ..Settings::default()
    };
    let decisions = open(folder.path(), settings.clone());
    log(&decisions, 10..32, 9);
    drop(decisions);
    let names = files(folder.path()).unwrap();
    let names: Vec<_> = names.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(
        names,
        [
            "decisions-2026-01-07-000006.ndjson",
            "decisions-2026-01-07-000007.ndjson",
            "decisions-2026-01-07-000008.ndjson"
        ]
    );
    assert_eq!(ids(folder.path()), named(25..32));
    // One that is too long for any file has one alone.
    let tiny = Settings {
        rotate_bytes: 0,
        ..settings
    };
    let decisions = open(folder.path(), tiny);
    log(&decisions, 40..43, 9);
    drop(decisions);
    assert_eq!(ids(folder.path()), named(40..43));
    assert_eq!(files(folder.path()).unwrap().len(), 3);
}

#[test]
fn files_end_with_the_day_and_keep_their_order_when_the_clock_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let day = 24 * 3_600;
    log(
        &decisions,
        [0, 13 * 3_600 - 1, 13 * 3_600, day * 3, day, day * 4].into_iter(),
        9,
    );
    drop(decisions);
    let names = files(folder.path()).unwrap();
    let names: Vec<_> = names
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap()[10..20].to_owned())
        .collect();
    assert_eq!(
        names,
        ["2026-01-07", "2026-01-08", "2026-01-10", "2026-01-11"]
    );
    let order = [0, 13 * 3_600 - 1, 13 * 3_600, day * 3, day, day * 4];
    assert_eq!(ids(folder.path()), named(order.into_iter()));
    // Opened by a clock that is behind, it goes on where it was.
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 1..2, 9);
    drop(decisions);
    assert_eq!(ids(folder.path()).last().unwrap(), "e-1");
    assert_eq!(files(folder.path()).unwrap().len(), 4);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    log(&decisions, 0..2, 9);
    let mut seen = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn another_process_does_not_get_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let error = DecisionLog::open(folder.path(), Settings::default(), noon()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    drop(decisions);
    open(folder.path(), Settings::default());
}

#[test]
fn a_sample_is_the_same_events_every_time_and_all_that_people_decide() {
    let settings = |sample| Settings {
        sample,
        ..Settings::default()
    };
    let logged = |sample, n| {
        let folder = tempfile::tempdir().unwrap();
        let decisions = open(folder.path(), settings(sample));
        log(&decisions, 0..2_000, n);
        drop(decisions);
        let text = text(folder.path());
        let shares: Vec<f64> = text
            .lines()
            .map(|line| Recorded::read(line.as_bytes()).unwrap().share)
            .collect();
        (ids(folder.path()), shares)
    };
    let (some, shares) = logged(Sample::Share(0.25), 1);
    assert!((430..570).contains(&some.len()), "{}", some.len());
    assert!(shares.iter().all(|share| *share == 0.25));
    assert_eq!(logged(Sample::Share(0.25), 1).0, some);
    // The same in every version: a change of the hash would change the sample.
    assert_eq!(some[..4], ["e-0", "e-5", "e-13", "e-15"]);
    let (more, _) = logged(Sample::Share(0.5), 1);
    assert!(some.iter().all(|id| more.contains(id)));
    for sample in [Sample::Share(0.0), Sample::Escalations, Sample::Share(0.25)] {
        let (all, shares) = logged(sample, 9);
        assert_eq!(all.len(), 2_000);
        assert!(shares.iter().all(|share| *share == 1.0));
    }
    assert_eq!(logged(Sample::Share(0.0), 1).0.len(), 0);
    assert_eq!(logged(Sample::Escalations, 1).0.len(), 0);
    assert_eq!(logged(Sample::Share(1.0), 1).0.len(), 2_000);
}

#[test]
fn settings_are_read_and_a_wrong_sample_is_named() {
    let read = |json: &str| serde_json::from_str::<Settings>(json);
    let sample = |json: &str| read(&format!("{{\"sample\": {json}}}")).map(|s| s.sample);
    assert_eq!(read("{}").unwrap(), Settings::default());
    assert_eq!(sample("\"all\"").unwrap(), Sample::All);
    assert_eq!(sample("\"escalations\"").unwrap(), Sample::Escalations);
    assert_eq!(sample("0.1").unwrap(), Sample::Share(0.1));
    assert_eq!(sample("1").unwrap(), Sample::Share(1.0));
    for wrong in ["1.1", "-0.1", "\"some\"", "true"] {
        let error = sample(wrong).unwrap_err().to_string();
        assert!(error.contains("`escalations`, or a share"), "{error}");
    }
    assert!(read("{\"keep\": 1}").is_err());
    let back = |sample| {
        serde_json::to_string(&sample)
            .unwrap()
            .replace('"', "")
            .parse()
    };
    for sample in [Sample::All, Sample::Escalations, Sample::Share(0.25)] {
        assert_eq!(back(sample), Ok(sample));
    }
}

#[test]
fn the_history_of_a_subject_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let router = router();
    let matrix = router.matrix();
    let subjects = Subjects::of(&matrix);
    let of_user = |user: &str| Subject::of([("user", Json::Text(user.to_owned()))]).unwrap();
    let decisions = open(folder.path(), Settings::default());
    for id in 0..6 {
        let json = event(id, id * 2);
        let now = noon() + TimeDelta::seconds(i64::try_from(id).unwrap());
        let event = crate::event::read(&json, &matrix.schema, router.limits(), now).unwrap();
        let decision = router.decide(&event, now);
        let subjects = subjects.of_event(&matrix, &event);
        decisions.append(&Entry {
            subjects: &subjects,
            ..Entry::new(now, &json, &decision)
        });
    }
    let now = noon() + TimeDelta::seconds(9);
    let before = decisions.recent(&of_user("u1"), 10, now);
    let seen: Vec<_> = before
        .iter()
        .map(|e| (e.event.as_deref(), e.verdict))
        .collect();
    let expected = [
        (Some("e-4"), Verdict::Escalate),
        (Some("e-1"), Verdict::Allow),
    ];
    assert_eq!(seen, expected);
    assert_eq!(decisions.recent(&of_user("u9"), 10, now), []);
    drop(decisions);
    let decisions = open(folder.path(), Settings::default());
    assert_eq!(decisions.recent(&of_user("u1"), 10, now), before);
    assert_eq!(decisions.recent(&of_user("u1"), 1, now), before[..1]);
    // Whom a line is about is not in its subjects.
    let line = text(folder.path());
    let line = Recorded::read(line.lines().next().unwrap().as_bytes()).unwrap();
    assert_eq!(line.subjects.len(), 1);
    drop(decisions);
    fs::remove_file(folder.path().join(SECRET)).unwrap();
    let decisions = open(folder.path(), Settings::default());
    assert_eq!(decisions.recent(&of_user("u1"), 10, now), []);
}

#[test]
fn the_history_is_read_from_the_end_of_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    let user = Subject::of([("user", Json::Text("u".to_owned()))]).unwrap();
    let subjects = [user.clone()];
    let router = router();
    let text = "x".repeat((1 << 20) - 1_000);
    let each = 1 << 20;
    for id in 0..LOG_HISTORY_BYTES / each + 5 {
        let json = format!(r#"{{"kind":"call","id":"e-{id}","evidence":{{"t":"{text}"}}}}"#);
        let decision = router.decide_json(json.as_bytes(), noon());
        decisions.append(&Entry {
            subjects: &subjects,
            ..Entry::new(noon(), json.as_bytes(), &decision)
        });
    }
    drop(decisions);
    let decisions = open(folder.path(), Settings::default());
    let known = decisions.recent(&user, 100, noon());
    assert!((29..=32).contains(&known.len()), "{}", known.len());
    assert_eq!(known[0].event.as_deref(), Some("e-36"));
}

#[test]
fn several_threads_write_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        rotate_bytes: 20_000,
        ..Settings::default()
    };
    let decisions = open(folder.path(), settings);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let decisions = &decisions;
            scope.spawn(move || log(decisions, thread * 100..thread * 100 + 100, 9));
        }
    });
    assert_eq!(decisions.lost(), 0);
    drop(decisions);
    let mut all = ids(folder.path());
    let mut expected = named(0..400);
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
    assert!(files(folder.path()).unwrap().len() > 5);
}

#[test]
fn what_a_thread_logs_stays_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let decisions = open(folder.path(), Settings::default());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (decisions, router) = (&decisions, router());
            scope.spawn(move || {
                // All of one instant, so that nothing is old and many go together.
                for id in thread * 1_000..thread * 1_000 + 500 {
                    let json = event(id, 9);
                    let decision = router.decide_json(&json, noon());
                    decisions.append(&Entry::new(noon(), &json, &decision));
                }
            });
        }
    });
    decisions.flush();
    let all = ids(folder.path());
    assert_eq!(all.len(), 2_000);
    for thread in 0..4 {
        let its = named(thread * 1_000..thread * 1_000 + 500);
        let logged = all.iter().filter(|id| its.contains(id));
        assert!(logged.eq(its.iter()), "{thread}");
    }
}

#[test]
fn a_replay_of_the_log_decides_as_then() {
    use crate::replay::{Place, Replay};
    let folder = tempfile::tempdir().unwrap();
    let rules = lane("large", "when count of call by user over 10m > 2");
    let router = Router::new(matrix(&rules));
    let decisions = open(folder.path(), Settings::default());
    for id in 0..12 {
        // The event's own time is not trusted: only the instant of receipt counts.
        let json = format!(
            r#"{{"kind":"call","id":"e-{id}","at":"2020-01-01T0{}:00:00Z"}}"#,
            id % 10
        );
        let now = noon() + TimeDelta::minutes(id * if id < 6 { 1 } else { 20 });
        let decision = router.decide_json(json.as_bytes(), now);
        decisions.append(&Entry::new(now, json.as_bytes(), &decision));
    }
    drop(decisions);
    let changed = |rules: &str| {
        let program = crate::compile::compile(&matrix(rules));
        let limits = crate::limits::Limits::default();
        let replay = Replay::new(&program, None, &limits, noon());
        let (mut worker, mut in_order) = (replay.worker(), replay.in_order());
        for (line, text) in (1..).zip(text(folder.path()).lines()) {
            if let Some(waiting) = worker.event(Place { file: 0, line }, text.as_bytes()) {
                in_order.event(&waiting);
            }
        }
        let mut tally = worker.finish();
        tally.merge(in_order.finish());
        replay.summary(tally, 1)
    };
    let same = changed(&rules);
    assert_eq!(same.verdicts.escalate, 4);
    let log = same.log.unwrap();
    assert_eq!((log.decisions, log.changed.events), (12, 0));
    let log = changed(&rules.replace("> 2", "> 3")).log.unwrap();
    assert_eq!(log.changed.events, 1);
    assert_eq!(log.changes[0].examples[0].event.as_deref(), Some("e-2"));
}
