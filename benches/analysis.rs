//! What the analysis takes, over 5, 500 and 5,000 lanes as operations teams write them, and 500 without any order: from
//! the checked matrix to the answers, the spaces of all kinds included. What is found is asserted before anything is
//! timed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly; criterion's macros write undocumented functions"
)]

#[path = "support/analysis.rs"]
mod matrices;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use laneway::analysis::{Analysis, Diff, Engine, Grade, Question, ask, diff};
use laneway::check::{Options, check_text};
use laneway::matrix::Matrix;

const SEED: u64 = 7;

fn checked(text: &str) -> Arc<Matrix> {
    let loaded = check_text("bench.lane", text, &Options::default());
    loaded.matrix.unwrap()
}

fn asked(matrix: &Arc<Matrix>, questions: &[Question]) -> Analysis {
    ask(matrix, questions, Engine::Either, &|| {
        let start = std::time::Instant::now();
        Box::new(move || start.elapsed() > Duration::from_secs(60))
    })
}

fn compared(old: &Arc<Matrix>, new: &Arc<Matrix>) -> Diff {
    diff(old, new, &|| {
        let start = std::time::Instant::now();
        Box::new(move || start.elapsed() > Duration::from_secs(60))
    })
}

/// How many answers of each grade.
fn graded(analysis: &Analysis) -> [usize; 4] {
    let of = |grade: Grade| {
        let answers = analysis.answers.iter();
        answers.filter(|it| it.grade == grade).count()
    };
    [
        of(Grade::Proved),
        of(Grade::Confirmed),
        of(Grade::NotConfirmed),
        of(Grade::NotDecided),
    ]
}

const ASKED: [(&str, &[Question]); 7] = [
    ("dead", &[Question::Dead]),
    ("conflicts", &[Question::Conflict]),
    ("dead_and_conflicts", &[Question::Dead, Question::Conflict]),
    ("shadowed", &[Question::Shadowed]),
    ("promises", &[Question::Promise]),
    ("findings", &Question::FINDINGS),
    ("all", &Question::ALL),
];

fn questions(c: &mut Criterion) {
    // What only has to run is run on few lanes.
    let is_timed = std::env::args().any(|arg| arg == "--bench");
    for (name, lanes) in [
        ("realistic", 5),
        ("realistic", 500),
        ("realistic", 5_000),
        ("random", 500),
    ] {
        if !is_timed && lanes == 5_000 {
            continue;
        }
        let text = match name {
            "realistic" => matrices::realistic(lanes, SEED),
            _ => matrices::random(lanes, SEED),
        };
        let matrix = checked(&text);
        let mut group = c.benchmark_group(format!("analysis/{name}"));
        group.sample_size(10);
        for (question, questions) in ASKED {
            // Of thousands of lanes without order nearly all contradict each other.
            if lanes == 5_000 && question == "all" {
                continue;
            }
            let answers = asked(&matrix, questions);
            println!(
                "{name} {lanes} {question}: proved, confirmed, not confirmed, not decided: {:?}",
                graded(&answers)
            );
            let expected = graded(&answers);
            group.bench_function(BenchmarkId::new(question, lanes), |b| {
                b.iter(|| {
                    let answers = asked(black_box(&matrix), questions);
                    assert_eq!(graded(&answers), expected);
                });
            });
        }
        let edited = checked(&matrices::edited(&text, 5, SEED));
        let changes = compared(&matrix, &edited);
        println!(
            "{name} {lanes} diff: {} regions, whole: {}, {:?}",
            changes.changed.len(),
            changes.is_whole,
            changes.notes
        );
        group.bench_function(BenchmarkId::new("diff", lanes), |b| {
            b.iter(|| {
                let again = compared(black_box(&matrix), &edited);
                assert_eq!(again.changed.len(), changes.changed.len());
            });
        });
        if lanes == 500 {
            group.bench_function(BenchmarkId::new("check_with_findings", lanes), |b| {
                b.iter(|| asked(&checked(black_box(&text)), &Question::FINDINGS));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, questions);
criterion_main!(benches);
