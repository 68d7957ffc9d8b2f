//! How fast `laneway replay` sums up a stream, against what cannot be saved: parsing the same bytes
//! into a typed struct with the fastest JSON crate, on the same threads, with the same blocks.
//!
//! `cargo bench --bench replay` prints a table in Markdown. The answers are asserted before anything
//! is timed; rows are the median of alternating runs. The last rows are the program itself on a file:
//! with its start, loading the matrix, reading, and the summary as JSON.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark may fail loudly, and prints its result"
)]

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use laneway::check::{Options, check_text};
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::limits::Limits;
use laneway::parallel;
use laneway::program::Program;
use laneway::replay::{Place, Replay, Summary, Tally, Worker};
use serde::Deserialize;

const EVENTS: usize = 400_000;
const RUNS: usize = 7;
const BLOCK: usize = 1 << 18;

const MATRIX: &str = r#"matrix "Replaying" {
  edition 1
  timezone "UTC"
  otherwise allow
  unreadable deny
}

event tool_call {
  agent: text
  role: one of support_agent, operations_agent, finance_agent
  workflow: text
  action: one of lookup, draft_note, send_email, refund, credit, pay_invoice
  customer: text optional
  tenant.source: text
  tenant.target: text
  confidence: number 0 to 1
  sentiment: one of calm, upset, hostile optional
  message: text ignoring case optional
  amount: money USD 0 to 1000000
  attempts: whole number 0 to 1000 optional
  opened: timestamp optional
  urgent: yes/no optional
}

team desk {
  first person "a@acme.example"
  backup group "b"
}
"#;

/// Five lanes as operations teams write them.
const LANES: [(&str, &str); 5] = [
    (
        "customer_risk",
        "any of {\n    confidence < 0.08\n    sentiment is hostile if present and action is send_email\n    message contains \"lawyer\" if present\n  }",
    ),
    (
        "big_money",
        "action in (refund, credit, pay_invoice) and amount > 4500 USD",
    ),
    ("other_tenant", "tenant.source differs from tenant.target"),
    ("too_often", "attempts > 960 and role is not support_agent"),
    ("stale_case", "opened older than 30d and urgent is yes"),
];

fn matrix() -> String {
    let mut text = MATRIX.to_owned();
    for (name, when) in LANES {
        let _ = write!(
            text,
            "\nlane {name} {{\n  about \"{name}\"\n  on tool_call\n  when {when}\n  owner desk\n  urgency high\n  respond within 30m\n  meanwhile hold item\n  operator \"Look.\"\n  evidence {{\n    required trigger\n  }}\n  timeout {{\n    after 30m deny\n  }}\n}}\n"
        );
    }
    text
}

/// Events of 14 fields and about 510 bytes; two fields lack in a tenth of them.
fn stream() -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut bytes = Vec::new();
    for n in 0..EVENTS {
        let role = ["support_agent", "operations_agent", "finance_agent"][rng.usize(0..3)];
        let actions = [
            "lookup",
            "draft_note",
            "send_email",
            "refund",
            "credit",
            "pay_invoice",
        ];
        let action = actions[rng.usize(0..6)];
        let sentiment = ["calm", "upset", "hostile"][rng.usize(0..3)];
        let target = if rng.usize(0..50) == 0 {
            "globex"
        } else {
            "acme-europe"
        };
        let second = n * 604_800 / EVENTS;
        let (day, hour, minute) = (16 + second / 86_400, second / 3_600 % 24, second / 60 % 60);
        let optional = match rng.usize(0..10) {
            0 => String::new(),
            _ => format!(
                r#""attempts":{},"opened":"2026-11-{:02}T08:31:07Z","#,
                rng.u32(0..1_000),
                rng.u32(1..16)
            ),
        };
        let (confidence, cents, late) = (rng.u32(0..10_000), rng.u32(0..500_000), rng.bool());
        let message = "I was charged twice for my order and nobody has answered my mails since last week, please look at it";
        let json = format!(
            r#"{{"kind":"tool_call","id":"0192f0c1-7b3a-7cc0-98c4-{n:012x}","at":"2026-11-{day:02}T{hour:02}:{minute:02}:{:02}Z","agent":"support-agent-{}","role":"{role}","workflow":"refunds-and-credits","action":"{action}","customer":"cus_9s6XKzkNRiz{:04}","tenant":{{"source":"acme-europe","target":"{target}"}},"confidence":0.{confidence:04},"sentiment":"{sentiment}","message":"{message}","amount":{}.{:02},{optional}"urgent":{late},"trace":"4bf92f3577b34da6"}}"#,
            second % 60,
            n % 40,
            n % 7_919,
            cents / 100,
            cents % 100,
        );
        bytes.extend(json.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "the fields are what is read")]
struct Typed<'a> {
    kind: &'a str,
    id: &'a str,
    at: &'a str,
    agent: &'a str,
    role: Role,
    workflow: &'a str,
    action: Action,
    customer: Option<&'a str>,
    #[serde(borrow)]
    tenant: Tenant<'a>,
    confidence: f64,
    sentiment: Option<Sentiment>,
    message: Option<&'a str>,
    amount: f64,
    attempts: Option<i64>,
    opened: Option<&'a str>,
    urgent: Option<bool>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "the fields are what is read")]
struct Tenant<'a> {
    source: &'a str,
    target: &'a str,
}

#[derive(Deserialize)]
enum Role {
    #[serde(rename = "support_agent")]
    Support,
    #[serde(rename = "operations_agent")]
    Operations,
    #[serde(rename = "finance_agent")]
    Finance,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Lookup,
    DraftNote,
    SendEmail,
    Refund,
    Credit,
    PayInvoice,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sentiment {
    Calm,
    Upset,
    Hostile,
}

/// Blocks of whole lines, each with the number of its first.
fn blocks(bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut blocks = Vec::new();
    let (mut rest, mut line) = (bytes, 1);
    while !rest.is_empty() {
        let most = rest.len().min(BLOCK);
        let end = memchr::memrchr(b'\n', &rest[..most]).unwrap() + 1;
        blocks.push((line, &rest[..end]));
        line += memchr::memchr_iter(b'\n', &rest[..end]).count() as u64;
        rest = &rest[end..];
    }
    blocks
}

/// Takes blocks on so many threads; each has a state that is handed in at its end.
fn over<S: Send, R: Send>(
    blocks: &[(u64, &[u8])],
    threads: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, u64, &[u8]) + Sync,
    end: impl Fn(S) -> R + Sync,
) -> Vec<R> {
    struct Held<'a, S, R, F: Fn(S) -> R>(Option<S>, &'a F, &'a Mutex<Vec<R>>);
    impl<S, R, F: Fn(S) -> R> Drop for Held<'_, S, R, F> {
        fn drop(&mut self) {
            let state = self.0.take().unwrap();
            self.2.lock().unwrap().push((self.1)(state));
        }
    }
    let ends = Mutex::new(Vec::new());
    let mut all = blocks.iter();
    parallel::stream::<_, _, _, ()>(
        threads,
        || Ok(all.next()),
        || Held(Some(state()), &end, &ends),
        |held, (first, block)| {
            let state = held.0.as_mut().unwrap();
            let mut start = 0;
            for (number, at) in (*first..).zip(memchr::memchr_iter(b'\n', block)) {
                work(state, number, &block[start..at]);
                start = at + 1;
            }
        },
        |()| Ok(ControlFlow::Continue(())),
    )
    .unwrap();
    ends.into_inner().unwrap()
}

fn replayed(
    program: &Program,
    against: Option<&Program>,
    blocks: &[(u64, &[u8])],
    threads: usize,
) -> Summary {
    let limits = Limits::default();
    let replay = Replay::new(program, against, &limits, Timestamp::UNIX_EPOCH);
    let event = |worker: &mut Worker<'_>, line, bytes: &[u8]| {
        let place = Place { file: 0, line };
        assert!(worker.event(place, bytes).is_none());
    };
    let tallies = over(blocks, threads, || replay.worker(), event, Worker::finish);
    let sum = |mut all: Tally, tally| {
        all.merge(tally);
        all
    };
    replay.summary(tallies.into_iter().reduce(sum).unwrap(), 1)
}

/// How many events there are and what they sum up to, so that nothing is left out.
fn typed<'a, T>(
    blocks: &'a [(u64, &'a [u8])],
    threads: usize,
    parse: impl Fn(&[u8]) -> T + Sync,
) -> (u64, f64)
where
    T: Into<f64>,
{
    let parse = |sum: &mut (u64, f64), _, bytes: &[u8]| {
        sum.0 += 1;
        sum.1 += parse(bytes).into();
    };
    let sums = over(blocks, threads, || (0, 0.0), parse, |sum| sum);
    sums.into_iter()
        .fold((0, 0.0), |all, sum| (all.0 + sum.0, all.1 + sum.1))
}

fn sonic(bytes: &[u8]) -> f64 {
    sonic_rs::from_slice::<Typed<'_>>(bytes).unwrap().amount
}

fn serde(bytes: &[u8]) -> f64 {
    serde_json::from_slice::<Typed<'_>>(bytes).unwrap().amount
}

fn main() {
    let bytes = stream();
    let blocks = blocks(&bytes);
    let loaded = check_text("matrix.lane", &matrix(), &Options::default());
    let program = compile(&loaded.matrix.unwrap());
    let threads = parallel::cores();
    let summary = replayed(&program, None, &blocks, threads);
    assert_answers(&summary, &blocks, threads);
    // `cargo test --benches` wants to know that the answers are right.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let shares = summary.verdicts.escalate as f64 / EVENTS as f64 * 100.0;
    println!(
        "{EVENTS} events, {} bytes each, 14 fields, 5 lanes, {shares:.0} % escalate; median of {RUNS} alternating runs\n",
        bytes.len() / EVENTS
    );
    println!(
        "| threads | row | ns an event and thread | MB/s | of sonic-rs |\n|--:|---|--:|--:|--:|"
    );
    for threads in std::iter::once(1).chain((threads > 1).then_some(threads)) {
        let rows: [(&str, &dyn Fn()); 4] = [
            ("sonic-rs into a typed struct", &|| {
                typed(&blocks, threads, sonic);
            }),
            ("serde_json into a typed struct", &|| {
                typed(&blocks, threads, serde);
            }),
            ("summary", &|| {
                drop(replayed(&program, None, &blocks, threads))
            }),
            ("summary with --against", &|| {
                drop(replayed(&program, Some(&program), &blocks, threads))
            }),
        ];
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
        for _ in 0..RUNS {
            for ((_, run), times) in rows.iter().zip(&mut times) {
                let start = Instant::now();
                run();
                times.push(start.elapsed().as_secs_f64());
            }
        }
        let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
        for ((name, _), median) in rows.iter().zip(&medians) {
            row(threads, name, *median, bytes.len(), medians[0] / median);
        }
    }
    program_on_a_file(&bytes, &blocks, threads);
}

/// The program as a person runs it, with everything.
fn program_on_a_file(bytes: &[u8], blocks: &[(u64, &[u8])], threads: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (matrix_file, events) = (folder.path().join("m.lane"), folder.path().join("events"));
    std::fs::write(&matrix_file, matrix()).unwrap();
    std::fs::write(&events, bytes).unwrap();
    let (mut program, mut parse) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let start = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
        command
            .arg("replay")
            .args([&matrix_file, &events])
            .arg("--format=json");
        assert!(command.output().unwrap().status.success());
        program.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        typed(blocks, threads, sonic);
        parse.push(start.elapsed().as_secs_f64());
    }
    let (program, parse) = (median(&mut program), median(&mut parse));
    row(
        threads,
        "`laneway replay` on the file",
        program,
        bytes.len(),
        parse / program,
    );
}

fn assert_answers(summary: &Summary, blocks: &[(u64, &[u8])], threads: usize) {
    assert_eq!(summary.events, EVENTS as u64);
    assert_eq!(
        summary.unreadable.part.events, 0,
        "{:?}",
        summary.unreadable
    );
    assert_eq!(
        summary.lanes.len(),
        LANES.len(),
        "{:?}",
        summary.never_attached
    );
    assert!(summary.unsure.part.events > 0);
    let (sonic, serde) = (typed(blocks, threads, sonic), typed(blocks, threads, serde));
    assert_eq!((sonic.0, serde.0), (summary.events, summary.events));
    assert!((sonic.1 - serde.1).abs() < 1.0, "{sonic:?} {serde:?}");
}

fn row(threads: usize, name: &str, seconds: f64, bytes: usize, ratio: f64) {
    let each = seconds / EVENTS as f64 * 1e9 * threads as f64;
    let speed = bytes as f64 / seconds / 1e6;
    println!(
        "| {threads} | {name} | {each:.0} | {speed:.0} | {:.0} % |",
        ratio * 100.0
    );
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
