//! Where clauses are filed: from the value of a field to the lanes that are looked at.
//!
//! In: the index of a kind. Out: for each field the values with their clauses; for a clause its
//! places.
//! Invariant: every clause of the program is in one place that is shown, or counted where a list is
//! cut.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Formatter};

use super::Page;
use super::fields::value;
use super::list::counted;
use crate::program::index::Range;
use crate::program::phrases::Phrases;
use crate::program::test::Op;
use crate::schema::Field;
use crate::slots::{Absent, FieldLayout};
use crate::value::quote;

/// The places of the clauses of a kind.
pub(super) struct Filings {
    /// By the first clause.
    places: BTreeMap<u32, Filing>,
    groups: Vec<Group>,
}

/// The clauses that are filed under one value.
pub(super) struct Filing {
    /// The field and what it must be; empty where all events get there.
    words: String,
    range: Range,
}

/// The clauses that are filed under the values of one field.
struct Group {
    words: String,
    missing: Option<String>,
    /// How many of them an event that has the field looks at, at most.
    most: usize,
    filings: Vec<Range>,
}

impl Filing {
    fn count(&self) -> usize {
        (self.range.end - self.range.start) as usize
    }
}

impl Filings {
    pub(super) fn of(page: Page<'_>) -> Self {
        let mut filings = Self {
            places: BTreeMap::new(),
            groups: Vec::new(),
        };
        let index = &page.kind.index;
        if index.always.start < index.always.end {
            filings.places.insert(
                index.always.start,
                Filing {
                    words: String::new(),
                    range: index.always,
                },
            );
        }
        filings.words(page);
        for by in &index.symbols {
            let most = longest(by.ranges.iter().copied());
            let symbols = page
                .field(by.slot)
                .and_then(|(_, laid)| laid.symbols.as_ref());
            let texts = symbols.into_iter().flat_map(|symbols| symbols.texts());
            // Most texts of tests have no clause that is filed under them.
            let filed = texts
                .zip(&by.ranges)
                .filter(|(_, range)| range.start < range.end);
            filings.texts(page, by.slot, ("text", "is"), most, (filed, by.all));
        }
        for by in &index.texts {
            let most = longest(by.ranges.iter().copied());
            let texts = by.texts.texts().zip(&by.ranges);
            filings.texts(page, by.slot, ("text", "is"), most, (texts, by.all));
        }
        for by in &index.prefixes {
            let lengths: Vec<String> = by.lengths.iter().map(u32::to_string).collect();
            let sort = format!("beginning of {} bytes", page.few(&lengths, ", "));
            // A text has one beginning of each length.
            let of_length = |length: u32| {
                let texts = by.texts.texts().zip(&by.ranges);
                let texts = texts.filter(move |(text, _)| text.len() == length as usize);
                longest(texts.map(|(_, range)| *range))
            };
            let most = by.lengths.iter().map(|length| of_length(*length)).sum();
            let texts = by.texts.texts().zip(&by.ranges);
            filings.texts(page, by.slot, (&sort, "starts with"), most, (texts, by.all));
        }
        filings.thresholds(page);
        filings.phrases(page);
        filings
    }

    fn words(&mut self, page: Page<'_>) {
        for by in &page.kind.index.words {
            let Some((field, laid)) = page.field(by.slot) else {
                continue;
            };
            let words = (0..).zip(&by.ranges).filter_map(|(cell, range)| {
                let words = format!("{} is {}", field.path, value(field, laid, cell));
                (range.start < range.end).then_some((words, *range))
            });
            let words: Vec<(String, Range)> = words.collect();
            let title = format!("{}  word, {}", field.path, of_all(words.len(), by.all));
            let most = longest(words.iter().map(|(_, range)| *range));
            self.group(title, missing(page, field, laid, by.all), most, words);
        }
    }

    fn texts<'t>(
        &mut self,
        page: Page<'_>,
        slot: u16,
        (sort, op): (&str, &str),
        most: usize,
        (texts, all): (impl Iterator<Item = (&'t str, &'t Range)>, Range),
    ) {
        let Some((field, laid)) = page.field(slot) else {
            return;
        };
        let path = &field.path;
        let words = texts.map(|(text, range)| (format!("{path} {op} {}", quote(text)), *range));
        let words: Vec<(String, Range)> = words.collect();
        let title = format!("{path}  {sort}, {}", of_all(words.len(), all));
        self.group(title, missing(page, field, laid, all), most, words);
    }

    /// A bound of its own is the place of each clause that is filed under a threshold.
    fn thresholds(&mut self, page: Page<'_>) {
        for by in &page.kind.index.thresholds {
            let mut words: Vec<(String, Range)> = Vec::new();
            let mut last = None;
            for (at, least) in (by.range.start..).zip(by.bounds.iter().copied()) {
                match words.last_mut().filter(|_| last == Some(least)) {
                    Some((_, range)) => range.end = at + 1,
                    None => {
                        let range = Range {
                            start: at,
                            end: at + 1,
                        };
                        words.push((page.bound(by.column, least), range));
                    }
                }
                last = Some(least);
            }
            let Some((field, laid)) = page.of_column(by.column) else {
                continue;
            };
            let up = by.column.is_multiple_of(2);
            let side = if up { "lower" } else { "upper" };
            let all = of_all(words.len(), by.range);
            let title = format!(
                "{}  {side} bound, {all}, as far as its value reaches",
                field.path
            );
            // It may reach all of them.
            let most = (by.range.end - by.range.start) as usize;
            self.group(title, missing(page, field, laid, by.range), most, words);
        }
    }

    fn phrases(&mut self, page: Page<'_>) {
        for by in page.kind.phrases.iter().filter(|by| by.is_filed()) {
            if by.are_few() {
                self.few_phrases(page, by);
                continue;
            }
            let filed = by.tests.iter().zip(&by.ranges);
            let filed = filed.filter(|(_, range)| range.start < range.end);
            let texts: Vec<(&str, &Range)> = filed
                .filter_map(
                    |(test, range)| match &page.kind.tests.get(*test as usize)?.op {
                        Op::Contains(phrase) => {
                            Some((std::str::from_utf8(phrase.needle()).ok()?, range))
                        }
                        _ => None,
                    },
                )
                .collect();
            // A text may have all of them.
            let most = (by.all.end - by.all.start) as usize;
            let sort = ("one search for all phrases", "contains");
            self.texts(page, by.slot, sort, most, (texts.into_iter(), by.all));
        }
    }

    /// One search says whether the clauses are looked at.
    fn few_phrases(&mut self, page: Page<'_>, by: &Phrases) {
        let Some((field, laid)) = page.field(by.slot) else {
            return;
        };
        let any = format!("{} contains one of {} phrases", field.path, by.tests.len());
        let clauses = (by.all.end - by.all.start) as usize;
        let title = format!(
            "{}  one search for any phrase, {}",
            field.path,
            of_all(1, by.all)
        );
        let missing = missing(page, field, laid, by.all);
        self.group(title, missing, clauses, vec![(any, by.all)]);
    }

    fn group(
        &mut self,
        words: String,
        missing: Option<String>,
        most: usize,
        filings: Vec<(String, Range)>,
    ) {
        let mut group = Group {
            words,
            missing,
            most,
            filings: Vec::with_capacity(filings.len()),
        };
        for (words, range) in filings {
            group.filings.push(range);
            self.places.insert(range.start, Filing { words, range });
        }
        self.groups.push(group);
    }

    /// Where a clause is filed, in words.
    pub(super) fn place(&self, clause: u32) -> String {
        let Some((_, filing)) = self.places.range(..=clause).next_back() else {
            return String::new();
        };
        match filing.words.as_str() {
            "" => "for every event".to_owned(),
            words => match filing.count() {
                1 => format!("where {words}"),
                count => format!("where {words} ({count} clauses)"),
            },
        }
    }

    /// The value of a field under which the most clauses are filed.
    fn longest(&self, group: &Group) -> Option<&Filing> {
        let filings = group.filings.iter();
        let filings = filings.filter_map(|range| self.places.get(&range.start));
        // The first of several.
        filings.reduce(|longest, filing| {
            let is_longer = filing.count() > longest.count();
            if is_longer { filing } else { longest }
        })
    }
}

impl<'p> Page<'p> {
    /// Whether every event is held against every clause.
    pub(super) fn is_straight(self) -> bool {
        let mut phrases = self.kind.phrases.iter();
        self.kind.index.is_straight() && !phrases.any(|phrases| phrases.is_filed())
    }

    pub(super) fn clauses(self, range: Range) -> &'p [crate::program::clause::Clause] {
        let range = range.start as usize..range.end as usize;
        self.kind.clauses.get(range).unwrap_or_default()
    }

    /// How many clauses an event that lacks no field looks at, at most.
    pub(super) fn longest(self, filings: &Filings) -> usize {
        filings.groups.iter().map(|group| group.most).sum()
    }

    /// The index, field by field.
    pub(super) fn filings(self, f: &mut Formatter<'_>, filings: &Filings) -> fmt::Result {
        if self.is_straight() {
            return Ok(());
        }
        let always = self.kind.index.always;
        let count = (always.end - always.start) as usize;
        writeln!(f, "\n  index: where each clause is filed")?;
        writeln!(f, "    every event  {}", counted(count, "clause"))?;
        for group in &filings.groups {
            writeln!(f, "    {}", group.words)?;
            if let Some(longest) = filings.longest(group) {
                let (count, words) = (longest.count(), &longest.words);
                writeln!(f, "      the most, {count}, where {words}")?;
            }
            if let Some(missing) = &group.missing {
                writeln!(f, "      {missing}")?;
            }
            self.list(f, "        ", &group.filings, |f, range| {
                let Some(filing) = filings.places.get(&range.start) else {
                    return Ok(());
                };
                let mut seen = HashSet::new();
                let clauses = self.clauses(filing.range).iter();
                let titles = clauses.filter(|clause| seen.insert(clause.entry));
                let titles = titles.filter_map(|clause| {
                    let entry = self.kind.entries.get(clause.entry as usize)?;
                    Some(self.title(entry.what))
                });
                let titles: Vec<String> = titles.collect();
                writeln!(f, "        {}: {}", filing.words, self.few(&titles, ", "))
            })?;
        }
        Ok(())
    }
}

fn longest(ranges: impl Iterator<Item = Range>) -> usize {
    let counts = ranges.map(|range| (range.end - range.start) as usize);
    counts.max().unwrap_or(0)
}

fn of_all(values: usize, all: Range) -> String {
    let clauses = (all.end - all.start) as usize;
    let clauses = counted(clauses, "clause");
    format!("{clauses} under {}", counted(values, "value"))
}

fn missing(page: Page<'_>, field: &Field, laid: &FieldLayout, all: Range) -> Option<String> {
    let is_optional = matches!(laid.absent, Absent::Optional { .. });
    let count = (all.end - all.start) as usize;
    let which = match count {
        1 => "its clause".to_owned(),
        count => format!("all {count}"),
    };
    // With one list for everything there is nothing to tell apart.
    let tells = is_optional && !page.is_straight();
    tells.then(|| format!("an event without {} is held against {which}", field.path))
}
