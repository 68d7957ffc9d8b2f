//! Edits of a matrix, of the sort that a review sees.
//!
//! In: a text that this generator made. Out: the text with some edits, which checks without errors as well.

use fastrand::Rng;

#[derive(Debug, Clone, Copy)]
enum Edit {
    MovedThreshold,
    DroppedValue,
    TurnedOperator,
    OtherHold,
    RemovedLane,
}

const EDITS: [Edit; 5] = [
    Edit::MovedThreshold,
    Edit::DroppedValue,
    Edit::TurnedOperator,
    Edit::OtherHold,
    Edit::RemovedLane,
];

/// The text with so many edits of its lanes; five are one of each sort.
pub fn edited(text: &str, edits: usize, seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut sorts = EDITS;
    rng.shuffle(&mut sorts);
    for number in 0..edits {
        let sort = sorts[number % sorts.len()];
        edit(&mut lines, sort, &mut rng);
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Makes one edit, at a line where it can be made.
fn edit(lines: &mut Vec<String>, sort: Edit, rng: &mut Rng) {
    let made: Vec<(usize, String)> = match sort {
        Edit::RemovedLane => return remove(lines, rng),
        Edit::OtherHold => at(lines, |line| {
            let hold = line.strip_prefix("  meanwhile ")?;
            let (hold, scope) = hold.split_once(' ')?;
            let others = ["park", "hold", "block", "deny"];
            let others: Vec<&str> = others.into_iter().filter(|it| *it != hold).collect();
            let other = others[rng.usize(..others.len())];
            Some(format!("  meanwhile {other} {scope}"))
        }),
        Edit::MovedThreshold => at(lines, |line| moved(trigger(line)?, rng.bool())),
        Edit::DroppedValue => at(lines, |line| dropped(trigger(line)?)),
        Edit::TurnedOperator => at(lines, |line| turned(trigger(line)?)),
    };
    if !made.is_empty() {
        let (line, new) = &made[rng.usize(..made.len())];
        lines[*line].clone_from(new);
    }
}

fn at(lines: &[String], mut edit: impl FnMut(&str) -> Option<String>) -> Vec<(usize, String)> {
    let lines = lines.iter().enumerate();
    lines
        .filter_map(|(number, line)| Some((number, edit(line)?)))
        .collect()
}

/// A line of a lane that says when.
fn trigger(line: &str) -> Option<&str> {
    let is_trigger = line.starts_with("  when ") || line.starts_with("  unless ");
    is_trigger.then_some(line)
}

/// The first threshold a tenth higher or lower.
fn moved(line: &str, up: bool) -> Option<String> {
    let sign = line.find(['<', '>'])?;
    let start = sign + line[sign..].find(|c: char| c.is_ascii_digit())?;
    let rest = &line[start..];
    let length = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let number = &rest[..length];
    let places = number.split_once('.').map_or(0, |(_, digits)| digits.len());
    let whole: u64 = number.replace('.', "").parse().ok()?;
    let by = (whole / 10).max(1);
    let whole = if up { whole + by } else { whole - by };
    let unit = 10u64.pow(u32::try_from(places).ok()?);
    let number = match places {
        0 => whole.to_string(),
        _ => format!("{}.{:0places$}", whole / unit, whole % unit),
    };
    Some(format!("{}{number}{}", &line[..start], &rest[length..]))
}

/// The first set of three or more without its last value.
fn dropped(line: &str) -> Option<String> {
    let mut from = 0;
    while let Some(found) = line[from..].find(" in (") {
        let start = from + found + " in (".len();
        let end = start + line[start..].find(')')?;
        let values: Vec<&str> = line[start..end].split(", ").collect();
        if let [kept @ .., _] = &values[..]
            && kept.len() >= 2
        {
            let kept = kept.join(", ");
            return Some(format!("{}{kept}{}", &line[..start], &line[end..]));
        }
        from = end;
    }
    None
}

/// The first comparison turned round.
fn turned(line: &str) -> Option<String> {
    let turns = [
        (" >= ", " < "),
        (" <= ", " > "),
        (" > ", " <= "),
        (" < ", " >= "),
        (" is not ", " is "),
        (" is ", " is not "),
        (" not in ", " in "),
        (" in ", " not in "),
    ];
    let (old, new) = turns.into_iter().find(|(old, _)| line.contains(old))?;
    Some(line.replacen(old, new, 1))
}

fn remove(lines: &mut Vec<String>, rng: &mut Rng) {
    let heads: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("lane "))
        .collect();
    if heads.len() < 2 {
        return;
    }
    let head = heads[rng.usize(..heads.len())];
    let length = lines[head..].iter().position(|line| line == "}");
    if let Some(length) = length {
        // The empty line behind it goes as well.
        let end = (head + length + 2).min(lines.len());
        lines.drain(head..end);
    }
}
