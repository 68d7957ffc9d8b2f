//! Plots, as pictures that need no script and no style of their own.
//!
//! In: numbers with their names. Out: SVG whose colours come from the style sheet by class.
//! Invariant: each number is in the picture as a text or a title too, and colour alone tells nothing: the page
//! shows a table beside it.
//! Knows nothing of what is counted.

use maud::{Markup, html};

use super::text::plain;

/// Colours that the style sheet has.
pub(super) const COLOURS: usize = 7;

/// Units of the picture from its left to its right.
const WIDTH: u64 = 640;

/// Units of a row of bars.
const ROW: u64 = 26;

/// Where bars begin and end.
const BARS: (u64, u64) = (190, 500);

/// Units of columns from the ground to the top.
const HIGH: u64 = 160;

/// Where columns begin.
const LEFT: u64 = 40;

/// Units of a name below a column.
const NAMES: u64 = 80;

/// Characters of a name beside a bar.
const NAME: usize = 26;

/// A row of bars, one behind the other.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    /// The length of each, in the order of the colours.
    pub(super) parts: Vec<u64>,
    /// What stands behind them.
    pub(super) says: String,
}

/// A column, its parts one on the other.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The height of each, in the order of the colours.
    pub(super) parts: Vec<u64>,
}

/// What the colours mean.
pub(super) fn legend(names: &[String]) -> Markup {
    html! {
        ul.legend {
            @for (n, name) in names.iter().enumerate() {
                li {
                    svg viewBox="0 0 10 10" aria-hidden="true" {
                        rect class=(colour(n)) width="10" height="10" {}
                    }
                    " " (plain(name))
                }
            }
        }
    }
}

/// Rows of bars.
pub(super) fn bars(title: &str, bars: &[Bar]) -> Markup {
    if bars.is_empty() {
        return html! { p.empty { "There is nothing to plot yet." } };
    }
    let longest = bars.iter().map(|bar| bar.parts.iter().sum::<u64>()).max();
    let scale = Scale {
        most: longest.unwrap_or(0),
        units: BARS.1 - BARS.0,
    };
    let high = ROW * bars.len() as u64;
    picture(
        title,
        "bars",
        high,
        &html! {
            @for (n, bar) in bars.iter().enumerate() {
                @let y = ROW * n as u64;
                text x="0" y=(y + 17) { (short(&bar.name)) }
                @for (colour_of, (from, to)) in spans(&bar.parts).enumerate() {
                    @let (from, to) = (scale.units_of(from), scale.units_of(to));
                    rect class=(colour(colour_of)) x=(BARS.0 + from) y=(y + 5) width=(to - from) height="16" {}
                }
                text x=(BARS.0 + scale.units_of(bar.parts.iter().sum::<u64>()) + 6) y=(y + 17) { (plain(&bar.says)) }
            }
        },
    )
}

/// Columns from left to right.
pub(super) fn columns(title: &str, columns: &[Column]) -> Markup {
    let highest = columns.iter().map(|it| it.parts.iter().sum::<u64>()).max();
    let scale = Scale {
        most: highest.unwrap_or(0),
        units: HIGH,
    };
    let many = (columns.len() as u64).max(1);
    let step = ((WIDTH - LEFT) / many).max(1);
    let ground = HIGH + 10;
    // Names that do not stand in each other.
    let every = NAMES / step + 1;
    picture(
        title,
        "latest",
        ground + 24,
        &html! {
            text x="0" y="20" { (scale.most) }
            line class="axis" x1=(LEFT) y1="10" x2=(WIDTH) y2="10" {}
            line class="axis" x1=(LEFT) y1=(ground) x2=(WIDTH) y2=(ground) {}
            @for (n, column) in columns.iter().enumerate() {
                @let x = LEFT + step * n as u64;
                g {
                    title { (plain(&column.name)) ": " (column.parts.iter().sum::<u64>()) }
                    @for (colour_of, (from, to)) in spans(&column.parts).enumerate() {
                        @let (from, to) = (scale.units_of(from), scale.units_of(to));
                        rect class=(colour(colour_of)) x=(x) y=(ground - to) width=(step.saturating_sub(2).max(1))
                            height=(to - from) {}
                    }
                }
                // What does not fit in before the end is in the table.
                @if (n as u64).is_multiple_of(every) && x + NAMES <= WIDTH { text x=(x) y=(ground + 18) { (plain(&column.name)) } }
            }
        },
    )
}

fn picture(title: &str, class: &str, high: u64, content: &Markup) -> Markup {
    html! {
        // Wide pictures are moved with the keyboard too.
        div class={ "scroll " (class) } tabindex="0" role="region" aria-label=(title) {
            svg.plot role="img" aria-label=(title) viewBox={ "0 0 " (WIDTH) " " (high.max(1)) } { (content) }
        }
    }
}

/// How many units stand for a number.
#[derive(Debug, Clone, Copy)]
struct Scale {
    most: u64,
    units: u64,
}

impl Scale {
    fn units_of(self, number: u64) -> u64 {
        match self.most {
            0 => 0,
            most => {
                let units = u128::from(number) * u128::from(self.units) / u128::from(most);
                u64::try_from(units).unwrap_or(self.units)
            }
        }
    }
}

/// From where to where each part goes.
fn spans(parts: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    parts.iter().scan(0, |at: &mut u64, part| {
        let from = *at;
        *at = at.saturating_add(*part);
        Some((from, *at))
    })
}

fn colour(n: usize) -> String {
    format!("s{}", n.min(COLOURS - 1))
}

fn short(name: &str) -> String {
    let name = plain(name);
    if name.chars().count() <= NAME {
        return name;
    }
    let cut: String = name.chars().take(NAME - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_fill_the_whole() {
        assert_eq!(
            spans(&[2, 0, 3]).collect::<Vec<_>>(),
            [(0, 2), (2, 2), (2, 5)]
        );
        let scale = Scale {
            most: 5,
            units: 100,
        };
        assert_eq!((scale.units_of(5), scale.units_of(2)), (100, 40));
        assert_eq!(Scale { most: 0, units: 9 }.units_of(0), 0);
        assert_eq!(
            Scale {
                most: u64::MAX,
                units: 9
            }
            .units_of(u64::MAX),
            9
        );
    }

    #[test]
    fn every_number_is_written_and_every_name_escaped() {
        let bar = Bar {
            name: "<b>".to_owned(),
            parts: vec![1, 2],
            says: "3 of 4".to_owned(),
        };
        let picture = bars("How many", &[bar]).into_string();
        assert!(
            picture.contains("&lt;b&gt;") && picture.contains("3 of 4"),
            "{picture}"
        );
        assert!(!picture.contains("style="), "{picture}");
        let column = Column {
            name: "2026-11-20".to_owned(),
            parts: vec![7],
        };
        let picture = columns("By day", &[column]).into_string();
        assert!(picture.contains("2026-11-20: 7"), "{picture}");
        // Nothing to show is a picture too.
        assert!(columns("By day", &[]).into_string().contains("<svg"));
    }
}
