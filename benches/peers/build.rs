//! Writes the lanes of the workload as Rust source: one function of straight-line ifs for each
//! number of lanes, as somebody would write who has no engine.
//!
//! In: the workload. Out: `straight.rs`, which `hand/straight.rs` takes in.

#[allow(dead_code, reason = "only lanes are needed here")]
#[path = "../support/workload.rs"]
mod workload;

use std::fmt::Write as _;

use workload::{Cond, Lane, Number, Test, Text, Word, Workload};

/// Numbers of lanes that are written out. More take the compiler too long.
const SIZES: [usize; 4] = [5, 50, 500, 5_000];
/// Of the workload; main has the same one.
const SEED: u64 = 20_261_120;
/// Lanes of one function: the compiler slows down on longer ones.
const CHUNK: usize = 250;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../support");
    let mut phrases: Vec<String> = Vec::new();
    let mut source = String::new();
    for size in SIZES {
        if size == 5_000 && std::env::var_os("CARGO_FEATURE_STRAIGHT_5000").is_none() {
            continue;
        }
        let lanes = Workload::new(size, SEED).lanes;
        functions(&mut source, size, &lanes, &mut phrases);
    }
    let _ = writeln!(
        source,
        "pub const PHRASES: [&str; {}] = {phrases:?};",
        phrases.len()
    );
    let folder = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(format!("{folder}/straight.rs"), source).expect("the folder can be written");
}

fn functions(source: &mut String, size: usize, lanes: &[Lane], phrases: &mut Vec<String>) {
    let mut calls = String::new();
    for (number, chunk) in lanes.chunks(CHUNK).enumerate() {
        let _ = writeln!(
            source,
            "#[inline(never)]\nfn chunk_{size}_{number}(c: &Call<'_>, n: &Needles) -> u32 {{"
        );
        for (at, lane) in chunk.iter().enumerate() {
            let condition = cond(&lane.when, phrases);
            let _ = writeln!(
                source,
                "if {condition} {{ return {}; }}",
                number * CHUNK + at
            );
        }
        source.push_str("NONE\n}\n");
        let _ = writeln!(
            calls,
            "let lane = chunk_{size}_{number}(c, n); if lane != NONE {{ return lane; }}"
        );
    }
    let _ = writeln!(
        source,
        "pub fn straight_{size}(c: &Call<'_>, n: &Needles) -> u32 {{ {calls} NONE }}"
    );
}

fn cond(of: &Cond, phrases: &mut Vec<String>) -> String {
    match of {
        Cond::Test(of) => test(of, phrases),
        Cond::All(parts) => {
            // What is quick stands first, as one would write it.
            let mut parts: Vec<&Cond> = parts.iter().collect();
            parts.sort_by_key(|part| cost(part));
            let parts: Vec<String> = parts.iter().map(|part| cond(part, phrases)).collect();
            format!("({})", parts.join(" && "))
        }
        Cond::Any(parts) => {
            let mut parts: Vec<&Cond> = parts.iter().collect();
            parts.sort_by_key(|part| cost(part));
            let parts: Vec<String> = parts.iter().map(|part| cond(part, phrases)).collect();
            format!("({})", parts.join(" || "))
        }
    }
}

fn cost(of: &Cond) -> u32 {
    match of {
        Cond::Test(Test::Is(..)) => 0,
        Cond::Test(Test::Above(..) | Test::Below(..)) => 1,
        Cond::Test(Test::WordIs(..) | Test::WordIn(..)) => 2,
        Cond::Test(Test::StartsWith(..)) => 3,
        Cond::Test(Test::In(..) | Test::OtherTenant) => 4,
        Cond::All(parts) | Cond::Any(parts) => parts.iter().map(cost).max().unwrap_or(0).max(5),
        Cond::Test(Test::Contains(..)) => 9,
    }
}

fn test(of: &Test, phrases: &mut Vec<String>) -> String {
    match of {
        Test::Is(field, text) => format!("c.{} == {text:?}", text_field(*field)),
        Test::In(field, texts) => {
            let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
            format!("matches!(c.{}, {})", text_field(*field), texts.join(" | "))
        }
        Test::StartsWith(field, text) => format!("c.{}.starts_with({text:?})", text_field(*field)),
        Test::Contains(field, text) => {
            assert_eq!(
                *field,
                Text::Message,
                "needles are looked for in messages only"
            );
            let known = phrases.iter().position(|phrase| phrase == text);
            let number = known.unwrap_or_else(|| {
                phrases.push(text.clone());
                phrases.len() - 1
            });
            format!("n.has({number}, c.message)")
        }
        Test::WordIs(field, word) => format!("c.{} as u8 == {word}", word_field(*field)),
        Test::WordIn(field, words) => {
            let mask = words.iter().fold(0u32, |mask, word| mask | 1 << word);
            format!("{mask} >> (c.{} as u32) & 1 != 0", word_field(*field))
        }
        Test::Above(field, bound) => {
            format!("c.{} > {:?}", number_field(*field), field.float(*bound))
        }
        Test::Below(field, bound) => {
            format!("c.{} < {:?}", number_field(*field), field.float(*bound))
        }
        Test::OtherTenant => "c.tenant.source != c.tenant.target".to_owned(),
    }
}

/// As `Call` has them.
fn text_field(field: Text) -> &'static str {
    field.path()
}

fn word_field(field: Word) -> &'static str {
    field.path()
}

fn number_field(field: Number) -> &'static str {
    field.path()
}
