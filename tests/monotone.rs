//! What is learned never turns a sure answer round, over generated matrices: a further field of an
//! event changes unsure only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use laneway::clock::Timestamp;
use laneway::event::read;
use laneway::limits::Limits;
use laneway::reference::{History, Reference, Standing, Times};

#[path = "support/events.rs"]
mod events;
#[path = "support/generate.rs"]
mod generate;

use events::Events;
use generate::Plan;

#[test]
fn a_field_that_is_added_changes_unsure_only() {
    let plan = Plan {
        presence: false,
        ..Plan::default()
    };
    let (mut pairs, mut learned, mut sure) = (0, 0, 0);
    for seed in 5_000..5_400 {
        let matrix = generate::matrix(seed, &plan).matrix();
        let mut source = Events::new(&matrix, seed);
        let reference = Reference::new(&matrix);
        // The windows stay as they are: both events are decided on one history.
        let mut history = History::new(&matrix);
        for _ in 0..10 {
            let (_, event) = source.event();
            let times = Times::of(&event);
            let _ = reference.decide_and_record(&event, &mut history, times);
        }
        for _ in 0..20 {
            let Some((less, more, field)) = source.pair() else {
                continue;
            };
            let parsed = |json: &str| {
                read(
                    json.as_bytes(),
                    &matrix.schema,
                    &Limits::default(),
                    Timestamp::UNIX_EPOCH,
                )
                .unwrap_or_else(|e| panic!("{json}: {:?}", e.problems))
            };
            let (less, more) = (parsed(&less), parsed(&more));
            let kind = matrix.kind(less.kind).unwrap();
            assert!(less.get(kind, field).is_none() && more.get(kind, field).is_some());
            pairs += 1;
            let times = Times::of(&less);
            assert_eq!(times, Times::of(&more));
            for lane in &matrix.lanes {
                let before = reference.standing(lane, &less, &history, times);
                let after = reference.standing(lane, &more, &history, times);
                if before == Standing::Unsure {
                    learned += usize::from(after != before);
                } else {
                    sure += usize::from(before == Standing::Fired);
                    assert_eq!(
                        before,
                        after,
                        "seed {seed}, lane {}, field {}: {less:?}",
                        lane.name,
                        matrix.schema.path(field)
                    );
                }
            }
        }
    }
    assert!(
        pairs > 3_000 && learned > 200 && sure > 500,
        "{pairs} {learned} {sure}"
    );
}
