//! Laneway: the lanes as the text of a matrix, checked and compiled; events as typed slots and as
//! JSON bytes.

use std::sync::Arc;

use cpu_time::ThreadTime;

use laneway::check::{Loaded, Options, check_text};
use laneway::clock::Timestamp;
use laneway::compile::compile;
use laneway::matrix::Matrix;
use laneway::program::{By, Outcome, Program, Scratch};
use laneway::slots::{Place, Slots};
use laneway::{Limits, Router};
use rust_decimal::Decimal;

use crate::hand::NONE;
use crate::measure::{Row, median};
use crate::memory::{Bytes, counted};
use crate::workload::{Event, Lane, NUMBERS, Number, Presence, TEXTS, WORDS, matrix};

pub const NAME: &str = "Laneway";

pub struct Laneway {
    pub program: Arc<Program>,
    places: Places,
}

/// What it takes to get from a text to a program.
pub struct Cost {
    pub text_bytes: usize,
    /// From the text to a checked matrix and its program.
    pub text_to_program: f64,
    pub text_to_program_bytes: Bytes,
    /// From the checked matrix to the program.
    pub compile: f64,
    pub program: Bytes,
}

struct Places {
    texts: Vec<Place>,
    words: Vec<Place>,
    numbers: Vec<Place>,
}

fn load(text: &str) -> Arc<Matrix> {
    let limits = Limits {
        file_bytes: 256 << 20,
        matrix_bytes: 256 << 20,
        ..Limits::default()
    };
    let options = Options {
        limits,
        today: None,
    };
    let Loaded {
        matrix,
        diagnostics,
        ..
    } = check_text("workload.lane", text, &options);
    let first = diagnostics
        .iter()
        .find(|found| found.severity() == laneway::Severity::Error);
    matrix.unwrap_or_else(|| panic!("the workload does not check: {first:?}"))
}

impl Laneway {
    pub fn new(lanes: &[Lane], presence: Presence) -> Self {
        let loaded = load(&matrix(lanes, presence));
        let program = Arc::new(compile(&loaded));
        let place = |path: &str| {
            let place = program.layout.place(&loaded.schema, "tool_call", path);
            place.expect("the field is declared")
        };
        let places = Places {
            texts: TEXTS.iter().map(|field| place(field.path())).collect(),
            words: WORDS.iter().map(|field| place(field.path())).collect(),
            numbers: NUMBERS.iter().map(|field| place(field.path())).collect(),
        };
        Self { program, places }
    }

    /// Medians of several runs; what is on the heap is counted in one more.
    pub fn cost(lanes: &[Lane], runs: usize) -> Cost {
        let text = matrix(lanes, Presence::Required);
        let mut whole = Vec::new();
        let mut compiling = Vec::new();
        for _ in 0..runs {
            let start = ThreadTime::now();
            let loaded = load(&text);
            let checked = start.elapsed();
            let program = compile(&loaded);
            let end = start.elapsed();
            whole.push(end.as_secs_f64());
            compiling.push((end - checked).as_secs_f64());
            drop(program);
        }
        let (loaded, checking) = counted(|| load(&text));
        let (program, bytes) = counted(|| compile(&loaded));
        drop(program);
        Cost {
            text_bytes: text.len(),
            text_to_program: median(&mut whole),
            text_to_program_bytes: Bytes {
                left: checking.left + bytes.left,
                peak: checking.peak.max(checking.left + bytes.peak),
            },
            compile: median(&mut compiling),
            program: bytes,
        }
    }

    /// An event from typed code.
    pub fn slots(&self, event: &Event) -> Slots {
        let layout = &self.program.layout;
        let mut slots = Slots::default();
        let kind = self.program.matrix.schema.kind_named("tool_call");
        let kind = kind.expect("the kind is declared").id;
        let at = Timestamp::from_timestamp(event.at, 0).expect("the instant is of this century");
        slots
            .begin(layout, kind, at)
            .expect("a cell holds the instant");
        for (field, place) in TEXTS.iter().zip(&self.places.texts) {
            slots
                .set(layout, *place, event.text(*field))
                .expect("a text");
        }
        for (field, place) in WORDS.iter().zip(&self.places.words) {
            if let Some(word) = event.word(*field) {
                let word = field.words()[usize::from(word)];
                slots.set(layout, *place, word).expect("a word of the set");
            }
        }
        for (field, place) in NUMBERS.iter().zip(&self.places.numbers) {
            let Some(value) = event.number(*field) else {
                continue;
            };
            let set = match field {
                Number::Attempts | Number::Tokens => slots.set(layout, *place, value),
                _ => slots.set(layout, *place, Decimal::new(value, field.places())),
            };
            set.expect("a number in its range");
        }
        slots.complete(layout).expect("every required field is set");
        slots
    }

    /// Typed event to primary lane.
    pub fn typed<'a>(&'a self, events: &'a [Slots], expected: &'a [u32]) -> Row<'a> {
        let mut scratch = Scratch::default();
        Row::new(NAME, expected, move |at| {
            let outcome = self.program.outcome(&events[at], &[], &[], &mut scratch);
            lane(outcome.expect("the program decides this kind"))
        })
    }

    /// Typed event to all lanes, joined: ids of lanes and of the tests that are their reasons.
    pub fn joined<'a>(&'a self, events: &'a [Slots], expected: &'a [u32]) -> Row<'a> {
        let mut scratch = Scratch::default();
        Row::new(NAME, expected, move |at| {
            let joined = self
                .program
                .attachments(&events[at], &[], &[], &mut scratch);
            let joined = joined.expect("the program decides this kind");
            for hit in joined.hits {
                std::hint::black_box(joined.tests(hit).count());
            }
            lane(joined.outcome)
        })
    }

    /// A router that decides by this program's matrix.
    pub fn router(&self) -> Router {
        Router::new(Arc::clone(&self.program.matrix))
    }
}

/// JSON bytes to primary lane.
pub fn json<'a>(router: &'a Router, events: &'a [String], expected: &'a [u32]) -> Row<'a> {
    let mut session = router.session();
    let now = Timestamp::UNIX_EPOCH;
    Row::new(NAME, expected, move |at| {
        lane(session.outcome_json(events[at].as_bytes(), now))
    })
}

fn lane(outcome: Outcome) -> u32 {
    match outcome.by {
        By::Lane(lane) => lane.0,
        By::Otherwise => NONE,
        By::Rule(_) | By::Unreadable => NONE - 1,
    }
}
