//! Earlier decisions of the same subject, and what a subject is.
//!
//! In: a matrix and an event, or the values of a `group by`. Out: subjects; summaries of decisions.
//! Invariant: two events that have the same values at the same paths have the same subject, whatever
//! their kind and whichever lane attached to them.
//! Knows nothing of where the history is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::clock::Timestamp;
use crate::clock::rfc3339 as instant;
use crate::event::{Event, Json};
use crate::limits::EVENT_SUBJECTS;
use crate::matrix::Matrix;
use crate::schema::FieldId;
use crate::value::Value;

/// An earlier decision on the same subject, in short. It has no sentence, so that it says nothing of the
/// values of that event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryEntry {
    /// When its event was received.
    #[serde(with = "instant")]
    pub at: Timestamp,
    /// The event's id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// The lane or rule that named the decision, `otherwise` or `unreadable`.
    pub by: String,
    /// How its escalation ended, where there was one and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
}

/// Whom or what decisions are about: some fields with their values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Vec<(String, String)>);

impl Subject {
    /// The subject of fields by their paths; nothing without any. The order does not matter, nor how a
    /// number is written.
    #[must_use]
    pub fn of<P: Into<String>>(fields: impl IntoIterator<Item = (P, Json)>) -> Option<Self> {
        let fields = fields.into_iter();
        let fields = fields.map(|(path, value)| (path.into(), value.canonical()));
        let mut fields: Vec<(String, String)> = fields.collect();
        fields.sort_unstable();
        fields.dedup();
        (!fields.is_empty()).then_some(Self(fields))
    }

    /// The subject of an attached lane, by its `group by`; nothing where a value is missing.
    #[must_use]
    pub fn of_group(group: &BTreeMap<String, Option<Value>>) -> Option<Self> {
        let fields = group.iter().map(|(path, value)| {
            let value = value.as_ref()?;
            Some((path.as_str(), Json::from_value(value)))
        });
        Self::of(fields.collect::<Option<Vec<_>>>()?)
    }

    /// Bytes that no other subject has.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in self.0.iter().flat_map(|(path, value)| [path, value]) {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }
}

/// What the events of a matrix are filed under: each different `group by` of its lanes.
///
/// An event is filed under all of them whose fields it has, and not only under that of the lane that
/// attached: what was allowed is part of the history of a customer too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subjects(Vec<Vec<FieldId>>);

impl Subjects {
    /// Of a matrix; the first [`EVENT_SUBJECTS`] in file order.
    #[must_use]
    pub fn of(matrix: &Matrix) -> Self {
        let mut known = BTreeSet::new();
        let mut all = Vec::new();
        for lane in &matrix.lanes {
            let mut fields = lane.group_by.clone();
            fields.sort_unstable_by_key(|field| field.0);
            let ids: Vec<u32> = fields.iter().map(|field| field.0).collect();
            if !fields.is_empty() && all.len() < EVENT_SUBJECTS && known.insert(ids) {
                all.push(fields);
            }
        }
        Self(all)
    }

    /// The subjects of an event, which is of that matrix.
    #[must_use]
    pub fn of_event(&self, matrix: &Matrix, event: &Event) -> Vec<Subject> {
        let Some(kind) = matrix.kind(event.kind) else {
            return Vec::new();
        };
        let subjects = self.0.iter().filter_map(|fields| {
            let fields = fields.iter().map(|field| {
                let value = event.get(kind, *field)?;
                Some((matrix.schema.path(*field), Json::from_value(value)))
            });
            Subject::of(fields.collect::<Option<Vec<_>>>()?)
        });
        subjects.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    #[test]
    fn a_subject_is_its_values_and_not_their_order() {
        let ab = Subject::of([("a", text("1")), ("b", text("2"))]).unwrap();
        assert_eq!(
            ab,
            Subject::of([("b", text("2")), ("a", text("1"))]).unwrap()
        );
        assert_ne!(
            ab,
            Subject::of([("a", text("2")), ("b", text("1"))]).unwrap()
        );
        let number = |digits: &str| Subject::of([("a", Json::Number(digits.to_owned()))]);
        assert_eq!(number("10.0"), number("1e1"));
        assert_ne!(number("1"), Subject::of([("a", text("1"))]));
        assert_eq!(Subject::of(Vec::<(&str, Json)>::new()), None);
    }

    /// No value can be chosen that makes the bytes of another subject.
    #[test]
    fn no_two_subjects_share_their_bytes() {
        let one = Subject::of([("a", text("x")), ("b", text("y"))]).unwrap();
        let other = Subject::of([("a", text("x\"b\"y"))]).unwrap();
        assert_ne!(one.bytes(), other.bytes());
        let split = |path: &str, value: &str| Subject::of([(path, text(value))]).unwrap().bytes();
        assert_ne!(split("ab", "c"), split("a", "bc"));
    }

    #[test]
    fn a_group_with_a_missing_value_is_no_subject() {
        let mut group = BTreeMap::from([("customer".to_owned(), Some(Value::Whole(7)))]);
        assert!(Subject::of_group(&group).is_some());
        group.insert("region".to_owned(), None);
        assert_eq!(Subject::of_group(&group), None);
    }
}
