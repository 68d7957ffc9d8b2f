//! The shape of what came over time, for formats to draw.
//!
//! In: buckets. Out: fewer buckets where there is no room for all, and bars in eighths.

use crate::replay::summary::{Bucket, Verdicts};

/// Bars from one eighth to eight.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// At most so many buckets: as many neighbours as needed are one.
pub(super) fn joined(buckets: &[Bucket], most: usize) -> Vec<Bucket> {
    let together = buckets.len().div_ceil(most.max(1)).max(1);
    let chunks = buckets.chunks(together);
    chunks
        .filter_map(|chunk| {
            let mut sum = Verdicts::default();
            for bucket in chunk {
                sum.allow += bucket.verdicts.allow;
                sum.adjust += bucket.verdicts.adjust;
                sum.escalate += bucket.verdicts.escalate;
                sum.deny += bucket.verdicts.deny;
            }
            Some(Bucket {
                from: chunk.first()?.from.clone(),
                verdicts: sum,
            })
        })
        .collect()
}

/// One bar a number, the largest one full; what is not nothing is not shown as nothing.
pub(super) fn sparkline(numbers: &[u64]) -> String {
    let most = numbers.iter().copied().max().unwrap_or(0);
    let bars = numbers.iter().map(|number| match number {
        0 => ' ',
        _ => {
            let eighths = (u128::from(*number) * 8).div_ceil(u128::from(most));
            let at = usize::try_from(eighths).unwrap_or(8).clamp(1, 8) - 1;
            BARS.get(at).copied().unwrap_or('█')
        }
    });
    bars.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_eighths_of_the_largest() {
        assert_eq!(sparkline(&[0, 1, 4, 8, 1_000, 500]), " ▁▁▁█▄");
        assert_eq!(sparkline(&[u64::MAX, 1]), "█▁");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn neighbours_are_joined_where_there_is_no_room() {
        let buckets: Vec<Bucket> = (0..7)
            .map(|n| Bucket {
                from: n.to_string(),
                verdicts: Verdicts {
                    allow: 1,
                    ..Verdicts::default()
                },
            })
            .collect();
        let shown = |most| {
            let joined = joined(&buckets, most);
            let joined = joined.iter();
            joined
                .map(|b| format!("{}:{}", b.from, b.verdicts.total()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(shown(7), "0:1 1:1 2:1 3:1 4:1 5:1 6:1");
        assert_eq!(shown(3), "0:3 3:3 6:1");
        assert_eq!(shown(0), "0:7");
    }
}
