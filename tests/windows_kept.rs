//! Windows over a restart: what a store must do (one suite for every store), restarts at any point
//! against windows that were never restarted, damage to every part of what is kept, and a process that
//! is killed at random points.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use fastrand::Rng;
use laneway::check::{Options, check_text};
use laneway::clock::{Timestamp, parse_timestamp};
use laneway::measure::{Counts, Keeper, Kept, Opened, Receipt, Source, Sources};
use laneway::router::Settings;
use laneway::store::{Durability, FileStore};
use laneway::{Matrix, Router};

fn matrix(measures: &[&str]) -> Arc<Matrix> {
    matrix_of(measures, "user: text\n  team: text")
}

fn matrix_of(measures: &[&str], fields: &str) -> Arc<Matrix> {
    let mut text = format!(
        r#"matrix "Kept" {{
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}}
event call {{
  {fields}
  amount: money USD 0 to 1000000
  note: text optional
}}
team ops {{
  first person "o@acme.example"
  backup group "g"
}}
"#,
    );
    for (number, measure) in measures.iter().enumerate() {
        text.push_str(&format!(
            "lane l{number} {{\n  on call\n  when {measure}\n  group by user\n  owner ops\n  \
             urgency normal\n  respond within 30m\n  meanwhile hold item\n  \
             evidence {{\n    required trigger\n  }}\n  timeout {{\n    after 2h deny\n  }}\n}}\n"
        ));
    }
    let loaded = check_text("m.lane", &text, &Options::default());
    loaded.into_matrix().unwrap()
}

/// Every one attaches to every event, with the window that it saw.
const MEASURES: [&str; 4] = [
    "count of call by user over 10m is not 9999",
    "sum amount of call by user, team over 10m is not 0.001 USD",
    "distinct team of call by user over 10m is not 9999",
    "count of call where note is \"x\" over 10m is not 9999",
];

fn start() -> Timestamp {
    parse_timestamp("2026-01-05T06:00:00Z").unwrap()
}

fn open(matrix: &Arc<Matrix>, keeper: Arc<dyn Keeper>, now: Timestamp) -> (Router, Opened) {
    Router::open(matrix.clone(), Settings::default(), keeper, now).unwrap()
}

fn call(rng: &mut Rng, n: usize) -> String {
    let (user, team) = (rng.usize(0..4), rng.usize(0..3));
    let id = match rng.u8(..) {
        0..200 => format!(r#""id": "e-{n}", "#),
        200..230 => format!(r#""id": "e-{}", "#, n / 2),
        _ => String::new(),
    };
    let note = *rng
        .choice(&["", r#", "note": "x""#, r#", "note": "y""#])
        .unwrap();
    let amount = *rng.choice(&["1", "0.5", "999999.99"]).unwrap();
    format!(
        r#"{{"kind": "call", {id}"user": "u{user}", "team": "t{team}", "amount": {amount}{note}}}"#
    )
}

fn step(rng: &mut Rng, now: Timestamp) -> Timestamp {
    let millis = match rng.u8(..) {
        0..200 => rng.i64(0..20_000),
        200..240 => -rng.i64(0..90_000),
        240..250 => -rng.i64(0..240_000),
        250..254 => rng.i64(0..900_000),
        // The clock jumps, and back.
        254 => 3_650 * 86_400_000,
        _ => -3_650 * 86_400_000,
    };
    now + TimeDelta::milliseconds(millis)
}

// ---- the suite

/// A folder or memory that a store can be opened on again and again.
trait Place {
    fn open(&self) -> Arc<dyn Keeper>;
    fn lose_logs(&self);
}

struct Folder(tempfile::TempDir);

impl Place for Folder {
    fn open(&self) -> Arc<dyn Keeper> {
        Arc::new(FileStore::open(self.0.path(), Durability::Process).unwrap())
    }

    fn lose_logs(&self) {
        for file in std::fs::read_dir(self.0.path()).unwrap() {
            let file = file.unwrap();
            if file.file_name().to_str().unwrap().starts_with("log") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    }
}

/// The least that a store can be, to try the suite itself with.
#[derive(Debug, Default, Clone)]
struct Memory(Arc<Mutex<Stored>>);

#[derive(Debug, Default)]
struct Stored {
    snapshot: Option<(u64, Vec<u8>)>,
    logs: Vec<(u64, Vec<u8>)>,
    is_lossy: bool,
    /// From here on nothing can be written.
    is_full: bool,
}

impl Place for Memory {
    fn open(&self) -> Arc<dyn Keeper> {
        Arc::new(self.clone())
    }

    fn lose_logs(&self) {
        self.0.lock().unwrap().logs.clear();
    }
}

impl Keeper for Memory {
    fn load(&self) -> io::Result<Option<Kept>> {
        let stored = self.0.lock().unwrap();
        if stored.logs.is_empty() && stored.snapshot.is_none() {
            return Ok(None);
        }
        Ok(Some(Kept {
            snapshot: stored.snapshot.as_ref().map(|(_, bytes)| bytes.clone()),
            logs: stored.logs.clone(),
            is_lossy: stored.is_lossy,
        }))
    }

    fn begin(&self, position: u64, head: &[u8]) -> io::Result<()> {
        let mut stored = self.0.lock().unwrap();
        stored.logs.retain(|(start, _)| *start != position);
        stored.logs.push((position, head.to_vec()));
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stored = self.0.lock().unwrap();
        if stored.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        stored.logs.last_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }

    fn snapshot(&self, position: u64, pieces: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let bytes: Vec<u8> = pieces.flatten().collect();
        let mut stored = self.0.lock().unwrap();
        stored.snapshot = Some((position, bytes));
        stored.logs.retain(|(start, _)| *start >= position);
        Ok(())
    }

    fn lose(&self) {
        self.0.lock().unwrap().is_lossy = true;
    }

    fn mend(&self) -> io::Result<()> {
        self.0.lock().unwrap().is_lossy = false;
        Ok(())
    }
}

fn suite(make: impl Fn() -> Box<dyn Place>) {
    a_new_store_holds_nothing(&*make());
    a_log_comes_back(&*make());
    a_snapshot_takes_the_place_of_logs(&*make());
    a_loss_is_not_forgotten(&*make());
    for seed in 0..12 {
        a_restart_loses_nothing(&*make(), seed);
        what_one_window_is_asked_may_change(&*make(), seed);
    }
    a_measure_that_is_new_is_warming(&*make());
    a_measure_that_came_by_a_swap_is_warming(&*make());
    a_log_that_is_missing_is_a_loss_once(&*make());
    what_was_not_counted_before_is_not_taken_for_nothing(&make);
}

fn a_new_store_holds_nothing(place: &dyn Place) {
    assert!(place.open().load().unwrap().is_none());
    let (_, opened) = open(&matrix(&MEASURES), place.open(), start());
    assert_eq!(opened, Opened::New);
}

fn a_log_comes_back(place: &dyn Place) {
    let keeper = place.open();
    keeper.begin(0, b"head").unwrap();
    keeper.append(b" and").unwrap();
    keeper.append(b" tail").unwrap();
    drop(keeper);
    let kept = place.open().load().unwrap().unwrap();
    assert_eq!(kept.logs, [(0, b"head and tail".to_vec())]);
    assert!(kept.snapshot.is_none() && !kept.is_lossy);
}

fn a_snapshot_takes_the_place_of_logs(place: &dyn Place) {
    let keeper = place.open();
    keeper.begin(0, b"old").unwrap();
    keeper.begin(3, b"new").unwrap();
    let pieces = [b"one".to_vec(), b"two".to_vec()];
    keeper.snapshot(3, &mut pieces.into_iter()).unwrap();
    keeper.append(b"er").unwrap();
    drop(keeper);
    let kept = place.open().load().unwrap().unwrap();
    assert_eq!(kept.snapshot.as_deref(), Some(&b"onetwo"[..]));
    assert_eq!(kept.logs, [(3, b"newer".to_vec())]);
    assert!(!kept.is_lossy);
}

fn a_loss_is_not_forgotten(place: &dyn Place) {
    let keeper = place.open();
    keeper.begin(0, b"x").unwrap();
    keeper.lose();
    drop(keeper);
    let keeper = place.open();
    assert!(keeper.load().unwrap().unwrap().is_lossy);
    keeper.mend().unwrap();
    drop(keeper);
    assert!(!place.open().load().unwrap().unwrap().is_lossy);
}

/// A router that is opened again and again decides as one that never was.
fn a_restart_loses_nothing(place: &dyn Place, seed: u64) {
    let matrix = matrix(&MEASURES);
    let mut rng = Rng::with_seed(seed);
    let steady = Router::new(matrix.clone());
    let (mut router, opened) = open(&matrix, place.open(), start());
    assert_eq!(opened, Opened::New);
    let mut now = start();
    for n in 0..400 {
        now = step(&mut rng, now);
        let json = call(&mut rng, n);
        let wanted = steady.decide_json(json.as_bytes(), now);
        if rng.bool() {
            let decided = router.decide_json(json.as_bytes(), now);
            assert_eq!(decided, wanted, "seed {seed}: event {n}");
        } else {
            let outcome = router.session().outcome_json(json.as_bytes(), now);
            assert_eq!(outcome.name(&matrix), wanted.by, "seed {seed}: event {n}");
        }
        router = shaken(&mut rng, router, place, now);
    }
}

/// Now and then a snapshot, or a restart.
fn shaken(rng: &mut Rng, router: Router, place: &dyn Place, now: Timestamp) -> Router {
    match rng.u8(..) {
        0..10 => router.keep().unwrap(),
        10..20 => {
            let matrix = router.matrix();
            drop(router);
            let (router, opened) = open(&matrix, place.open(), now);
            assert_eq!(opened, Opened::Whole, "{now}");
            return router;
        }
        _ => {}
    }
    router
}

/// Several functions of one window, which are kept together.
const TOGETHER: [&str; 5] = [
    "count of call by user over 10m is not 9999",
    "sum amount of call by user over 10m is not 0.001 USD",
    "distinct team of call by user over 10m is not 9999",
    "distinct amount of call by user over 10m is not 9999",
    "count of call by user over 11m is not 9999",
];

/// Whatever a matrix asks of a window, and another one after it, a swap and a restart are alike, with
/// a snapshot in between or without.
fn what_one_window_is_asked_may_change(place: &dyn Place, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let some = |rng: &mut Rng| {
        let mut some = TOGETHER.to_vec();
        rng.shuffle(&mut some);
        matrix(&some[..rng.usize(1..=TOGETHER.len())])
    };
    let mut matrix = some(&mut rng);
    let steady = Router::new(matrix.clone());
    let (mut router, _) = open(&matrix, place.open(), start());
    let (mut now, mut newest) = (start(), start());
    for n in 0..300 {
        // How far time was is known by what is counted alone, which may be nothing that is kept: so
        // nothing comes too late here.
        now = match step(&mut rng, now) {
            next if (next - now).num_days() == 0 => next.max(newest - TimeDelta::seconds(50)),
            _ => now,
        };
        newest = newest.max(now);
        let json = call(&mut rng, n);
        let wanted = steady.decide_json(json.as_bytes(), now);
        let decided = router.decide_json(json.as_bytes(), now);
        assert_eq!(decided, wanted, "seed {seed}: event {n}");
        if rng.u8(..) < 30 {
            matrix = some(&mut rng);
            steady.swap(matrix.clone(), now);
            if rng.bool() {
                router.swap(matrix.clone(), now);
            } else {
                drop(router);
                (router, _) = open(&matrix, place.open(), now);
            }
        }
        router = shaken(&mut rng, router, place, now);
    }
}

fn value(router: &Router, json: &str, now: Timestamp, lane: usize) -> (String, bool) {
    let decision = router.dry_run_json(json.as_bytes(), now);
    let name = format!("l{lane}");
    let lane = decision
        .lanes
        .iter()
        .find(|lane| lane.lane == name)
        .unwrap();
    let window = lane.because[0].window.as_ref().unwrap();
    (window.value.clone(), window.partial.is_some())
}

const CALL: &str = r#"{"kind": "call", "user": "u", "team": "t", "amount": 2}"#;

fn a_measure_that_is_new_is_warming(place: &dyn Place) {
    let (one, both) = (matrix(&MEASURES[..1]), matrix(&MEASURES[..2]));
    let (router, _) = open(&one, place.open(), start());
    let _ = router.decide_json(CALL.as_bytes(), start());
    drop(router);
    let minute = |n: i64| start() + TimeDelta::minutes(n);
    let (router, opened) = open(&both, place.open(), minute(1));
    assert_eq!(opened, Opened::Warming);
    assert_eq!(value(&router, CALL, minute(1), 0), ("2".to_owned(), false));
    assert_eq!(
        value(&router, CALL, minute(1), 1),
        ("at least 2 USD".to_owned(), true)
    );
    let _ = router.decide_json(CALL.as_bytes(), minute(2));
    drop(router);
    // It is known from here on, and still warming.
    let (router, opened) = open(&both, place.open(), minute(3));
    assert_eq!(opened, Opened::Whole);
    assert_eq!(
        value(&router, CALL, minute(3), 1),
        ("at least 4 USD".to_owned(), true)
    );
    assert_eq!(
        value(&router, CALL, minute(12), 1),
        ("2 USD".to_owned(), false)
    );
}

/// What a swap brought, or brought back, is no whole window after a restart, with a snapshot or without.
fn a_measure_that_came_by_a_swap_is_warming(place: &dyn Place) {
    let (one, both) = (matrix(&MEASURES[..1]), matrix(&MEASURES[..2]));
    let minute = |n: i64| start() + TimeDelta::minutes(n);
    let (router, _) = open(&both, place.open(), start());
    router.swap(one.clone(), minute(0));
    let _ = router.decide_json(CALL.as_bytes(), minute(1));
    router.keep().unwrap();
    drop(router);
    // The snapshot has nothing of the second one, and the log only its name.
    let (router, opened) = open(&both, place.open(), minute(2));
    assert_eq!(opened, Opened::Warming);
    drop(router);
    let (router, _) = open(&one, place.open(), minute(20));
    let _ = router.decide_json(CALL.as_bytes(), minute(20));
    router.swap(both.clone(), minute(21));
    let _ = router.decide_json(CALL.as_bytes(), minute(22));
    drop(router);
    let (router, _) = open(&both, place.open(), minute(23));
    let seen = value(&router, CALL, minute(23), 1);
    assert_eq!(seen, ("at least 4 USD".to_owned(), true));
    assert_eq!(value(&router, CALL, minute(32), 1).0, "2 USD");
}

fn a_log_that_is_missing_is_a_loss_once(place: &dyn Place) {
    let matrix = matrix(&MEASURES[..1]);
    let minute = |n: i64| start() + TimeDelta::minutes(n);
    let (router, _) = open(&matrix, place.open(), start());
    let _ = router.decide_json(CALL.as_bytes(), start());
    router.keep().unwrap();
    let _ = router.decide_json(CALL.as_bytes(), start());
    drop(router);
    place.lose_logs();
    let (router, opened) = open(&matrix, place.open(), minute(1));
    assert_eq!(opened, Opened::Warming);
    assert_eq!(
        value(&router, CALL, minute(1), 0),
        ("at least 2".to_owned(), true)
    );
    let _ = router.decide_json(CALL.as_bytes(), minute(2));
    drop(router);
    let (router, opened) = open(&matrix, place.open(), minute(13));
    assert_eq!(opened, Opened::Whole);
    assert_eq!(
        value(&router, CALL, minute(11), 0),
        ("at least 2".to_owned(), true)
    );
    assert_eq!(value(&router, CALL, minute(13), 0), ("1".to_owned(), false));
}

/// An operator counts more than before, or waits longer, or a default changes: what was let go of, or
/// never counted, makes lower bounds.
fn what_was_not_counted_before_is_not_taken_for_nothing(make: &dyn Fn() -> Box<dyn Place>) {
    let minutes = laneway::Duration::from_minutes;
    let settings = |lateness: u64, denied: bool| Settings {
        sources: Sources::default()
            .with("clock", Source::trusted().with_lateness(minutes(lateness))),
        counts: Counts {
            denied,
            ..Counts::default()
        },
        ..Settings::default()
    };
    let at = |minute: i64| start() + TimeDelta::minutes(minute);
    let stamped = |minute: i64| {
        let stamp = laneway::clock::format_timestamp(at(minute));
        CALL.replace("\"kind\"", &format!("\"at\": \"{stamp}\", \"kind\""))
    };
    let one = matrix(&MEASURES[..1]);
    let open = |place: &dyn Place, lateness: u64, denied: bool, minute: i64| {
        Router::open(
            one.clone(),
            settings(lateness, denied),
            place.open(),
            at(minute),
        )
        .unwrap()
    };

    // Five at the beginning, one forty minutes later, by which they are let go of.
    let place = make();
    let (router, _) = open(&*place, 2, true, 0);
    let receipt = |router: &Router, minute: i64| Receipt::of(router.source("clock"), at(minute));
    for _ in 0..5 {
        let _ = router.decide_json(stamped(0).as_bytes(), receipt(&router, 0));
    }
    let _ = router.decide_json(stamped(40).as_bytes(), receipt(&router, 40));
    router.keep().unwrap();
    drop(router);
    let (router, _) = open(&*place, 60, true, 41);
    let decision = router.dry_run_json(stamped(5).as_bytes(), receipt(&router, 41));
    let window = decision.lanes[0].because[0].window.as_ref().unwrap();
    assert!(window.partial.is_some(), "{window:?}");

    let place = make();
    let (router, _) = open(&*place, 2, false, 0);
    let _ = router.decide_json(CALL.as_bytes(), at(0));
    drop(router);
    let (_, opened) = open(&*place, 2, true, 1);
    assert_eq!(opened, Opened::Warming);

    let place = make();
    let text = |default: &str| {
        let fields = format!("user: text\n  team: text default \"{default}\"");
        matrix_of(&["count of call by team over 10m is not 9999"], &fields)
    };
    let (router, _) = Router::open(text("a"), settings(2, true), place.open(), at(0)).unwrap();
    let _ = router.decide_json(CALL.as_bytes(), at(0));
    drop(router);
    let (_, opened) = Router::open(text("b"), settings(2, true), place.open(), at(1)).unwrap();
    assert_eq!(opened, Opened::Warming);
}

#[test]
fn files_are_a_store() {
    suite(|| Box::new(Folder(tempfile::tempdir().unwrap())));
}

#[test]
fn memory_is_a_store() {
    suite(|| Box::new(Memory::default()));
}

// ---- what goes wrong

#[test]
fn one_process_has_a_folder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::open(folder.path(), Durability::Machine).unwrap();
    let second = FileStore::open(folder.path(), Durability::Process).unwrap_err();
    assert!(
        second.to_string().contains("in use by another process"),
        "{second}"
    );
    drop(store);
    FileStore::open(folder.path(), Durability::Process).unwrap();
}

#[cfg(unix)]
/// A run of the machine that ended while the store was open may have lost what was not on the disk. It
/// is not forgotten by a process that ends while it opens the store.
#[cfg(target_os = "linux")]
#[test]
fn a_power_loss_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = || FileStore::open(folder.path(), Durability::Process).unwrap();
    let (router, _) = open(&matrix(&MEASURES), Arc::new(store()), start());
    let _ = router.decide_json(CALL.as_bytes(), start());
    drop(router);
    let run = |id: &str| std::fs::write(folder.path().join("boot"), id).unwrap();
    run("another run");
    assert!(store().load().unwrap().unwrap().is_lossy);
    run(std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap()
        .trim());
    assert!(store().load().unwrap().unwrap().is_lossy);
    let (_, opened) = open(&matrix(&MEASURES), Arc::new(store()), start());
    assert_eq!(opened, Opened::Warming);
    // The snapshot that was made then is whole.
    assert!(!store().load().unwrap().unwrap().is_lossy);
}

#[test]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let keeper = Arc::new(FileStore::open(folder.path(), Durability::Process).unwrap());
    let (router, _) = open(&matrix(&MEASURES), keeper, start());
    router.keep().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
    }
}

#[test]
fn what_cannot_be_kept_is_said_and_mended_by_a_snapshot() {
    let place = Memory::default();
    let matrix = matrix(&MEASURES[..1]);
    let (router, _) = open(&matrix, place.open(), start());
    let _ = router.decide_json(CALL.as_bytes(), start());
    assert!(!router.is_lossy());
    place.0.lock().unwrap().is_full = true;
    let _ = router.decide_json(CALL.as_bytes(), start());
    assert!(router.is_lossy());
    // In this process nothing is lost.
    assert_eq!(value(&router, CALL, start(), 0), ("3".to_owned(), false));
    let (after, opened) = open(
        &matrix,
        Memory(Arc::new(Mutex::new(copy(&place)))).open(),
        start(),
    );
    assert_eq!(opened, Opened::Warming);
    assert_eq!(
        value(&after, CALL, start(), 0),
        ("at least 2".to_owned(), true)
    );
    place.0.lock().unwrap().is_full = false;
    router.keep().unwrap();
    assert!(!router.is_lossy());
    drop(router);
    let (router, opened) = open(&matrix, place.open(), start());
    assert_eq!(opened, Opened::Whole);
    assert_eq!(value(&router, CALL, start(), 0), ("3".to_owned(), false));
}

fn copy(place: &Memory) -> Stored {
    let stored = place.0.lock().unwrap();
    Stored {
        snapshot: stored.snapshot.clone(),
        logs: stored.logs.clone(),
        is_lossy: stored.is_lossy,
        is_full: false,
    }
}

/// Whatever byte is changed or cut away: no window is below the truth without being a lower bound.
#[test]
fn damage_never_passes_for_the_truth() {
    let place = Memory::default();
    let matrix = matrix(&MEASURES[..1]);
    let (router, _) = open(&matrix, place.open(), start());
    for n in 0..6 {
        if n == 3 {
            router.keep().unwrap();
        }
        let json = CALL.replace("\"kind\"", &format!("\"id\": \"e-{n}\", \"kind\""));
        let _ = router.decide_json(json.as_bytes(), start());
    }
    let whole = copy(&place);
    drop(router);
    let mut rng = Rng::with_seed(7);
    let (mut warming, mut torn) = (0, 0);
    for _ in 0..600 {
        let mut stored = Stored {
            snapshot: whole.snapshot.clone(),
            logs: whole.logs.clone(),
            ..Stored::default()
        };
        let bytes = match (rng.bool(), &mut stored.snapshot) {
            (true, Some((_, bytes))) => bytes,
            _ => &mut stored.logs.last_mut().unwrap().1,
        };
        let at = rng.usize(0..bytes.len());
        let is_cut = rng.bool();
        match is_cut {
            true => bytes.truncate(at),
            false => bytes[at] ^= 1 << rng.u8(0..8),
        }
        let snapshot_is_whole = stored.snapshot == whole.snapshot;
        let place = Memory(Arc::new(Mutex::new(stored)));
        let (router, opened) = open(&matrix, place.open(), start());
        let (known, partial) = value(&router, CALL, start(), 0);
        if opened == Opened::Warming {
            assert!(partial, "{known}");
            warming += 1;
        } else if known != "7" {
            // A torn end: as if the process had ended there, before it gave an answer.
            assert!(is_cut && snapshot_is_whole, "{known}");
            torn += 1;
        }
    }
    assert!(warming > 200 && torn > 50, "{warming} {torn}");
}

// ---- a process that is killed

const CHILD: &str = "LANEWAY_TEST_CHILD";

/// Decides without end, and says each decision that was given.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else {
        return;
    };
    let matrix = matrix(&MEASURES[..1]);
    let keeper = FileStore::open(Path::new(&folder), Durability::Process).unwrap();
    let (router, opened) = open(&matrix, Arc::new(keeper), start());
    assert_ne!(opened, Opened::Warming);
    let mut out = io::stdout().lock();
    writeln!(out, "\nopen").unwrap();
    for n in 0..100_000 {
        // Without an id: what is counted twice would show.
        let _ = router.decide_json(CALL.as_bytes(), start());
        writeln!(out, "decided").unwrap();
        out.flush().unwrap();
        if n % 50 == 49 {
            router.keep().unwrap();
        }
    }
}

#[test]
fn a_process_that_is_killed_loses_nothing() {
    let times = match std::env::var_os("LANEWAY_LONG") {
        Some(_) => 200,
        None => 10,
    };
    let matrix = matrix(&MEASURES[..1]);
    let mut rng = Rng::with_seed(11);
    let folder = tempfile::tempdir().unwrap();
    let (mut decided, mut counted) = (0usize, 0usize);
    for time in 0..times {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let wanted = rng.usize(0..120);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let mut is_open = false;
        for line in lines.by_ref() {
            let line = line.unwrap();
            is_open |= line == "open";
            seen += usize::from(line == "decided");
            if is_open && seen >= wanted {
                break;
            }
        }
        // At any point of what it does then.
        std::thread::sleep(std::time::Duration::from_micros(rng.u64(0..3_000)));
        child.kill().unwrap();
        seen += lines
            .map_while(Result::ok)
            .filter(|line| line == "decided")
            .count();
        child.wait().unwrap();
        assert!(is_open, "the child did not start: time {time}");
        decided += seen;

        let keeper = FileStore::open(folder.path(), Durability::Process).unwrap();
        let (router, opened) = open(&matrix, Arc::new(keeper), start());
        let (known, partial) = value(&router, CALL, start(), 0);
        assert_eq!((opened, partial), (Opened::Whole, false), "time {time}");
        let now: usize = known.parse::<usize>().unwrap() - 1;
        // One more may have been counted each time whose decision was not given any more.
        assert!(
            now >= counted + seen && now <= counted + seen + 1,
            "time {time}: {known}"
        );
        counted = now;
        if counted > 8_000 {
            // Before the window is full.
            drop(router);
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
            (decided, counted) = (0, 0);
        }
    }
    assert!(counted >= decided, "{counted} {decided}");
}
