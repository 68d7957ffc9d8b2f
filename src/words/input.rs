//! The input that the votes of a round are about, laid out so that two can be compared line by line.
//!
//! In: an escalation as the desk shows it, or an event. Out: text.
//! Invariant: two events with one digest are one text: members stand in one order, and what an event names
//! itself by is left out.

use crate::desk::Shown;
use crate::escalation::RecordKind;
use crate::event::Json;

/// The input that the votes are about now: that of the last change, else as it was asked for. Nothing
/// where it was erased.
#[must_use]
pub fn current(shown: &Shown) -> Option<Json> {
    #[derive(serde::Deserialize)]
    struct Amended {
        input: Json,
    }
    let rows = shown.history.iter().rev();
    let mut amended = rows.filter(|it| it.row.kind == RecordKind::Amended.as_str());
    match amended.next() {
        Some(it) => Some(serde_json::from_str::<Amended>(it.body()?).ok()?.input),
        None => original(shown),
    }
}

/// The input as it was asked for.
#[must_use]
pub fn original(shown: &Shown) -> Option<Json> {
    let packet = shown.packet.as_ref()?;
    packet.event().or_else(|| packet.action.clone())
}

/// An event as text, of its action alone.
#[must_use]
pub fn laid_out(event: &Json) -> String {
    // A JSON value is always written.
    let mut text = serde_json::to_string_pretty(&in_order(event, true)).unwrap_or_default();
    text.push('\n');
    text
}

fn in_order(json: &Json, is_whole: bool) -> Json {
    match json {
        Json::Object(members) => {
            // What an event names itself by is no part of the action.
            let members = members.iter().filter(|(name, _)| {
                !is_whole || !matches!(name.as_str(), "id" | "at" | "time" | "evidence")
            });
            let members = members.map(|(name, value)| (name.clone(), in_order(value, false)));
            let mut members: Vec<_> = members.collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(members)
        }
        Json::List(items) => Json::List(items.iter().map(|item| in_order(item, false)).collect()),
        json => json.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn text(event: &str) -> String {
        laid_out(&Json::parse(event.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn the_order_of_members_and_the_name_of_an_event_make_no_difference() {
        let one = text(r#"{"id": "a", "b": {"y": 1.50, "id": "kept"}, "a": [2, 1]}"#);
        let other = text(r#"{"a": [2, 1], "at": "2026-11-20", "b": {"id": "kept", "y": 1.50}}"#);
        assert_eq!(one, other);
        assert!(one.contains("kept") && one.contains("1.50"), "{one}");
        assert_ne!(
            one,
            text(r#"{"a": [1, 2], "b": {"id": "kept", "y": 1.50}}"#)
        );
    }
}
