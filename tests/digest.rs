//! The action digest against vectors that another implementation made.
//!
//! The digests and canonical texts of the vectors were computed in another language from the rules
//! in the documentation of `laneway::event::digest`, so a mistake here cannot agree with itself.

use laneway::clock::Timestamp;
use laneway::event::{Json, UnreadableBody, read};
use laneway::limits::Limits;
use laneway::schema::{Kind, Schema};
use laneway::span::Span;

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    event: String,
    canonical: Option<String>,
    digest: String,
}

/// A schema with the kind `tool_call`, also named `com.acme.tool.call`, without fields.
fn declared() -> Schema {
    let mut schema = Schema::default();
    let id = schema.next_kind();
    let source = Some("com.acme.tool.call".into());
    schema.add(Kind::new(
        id,
        "tool_call".into(),
        source,
        Vec::new(),
        Span::default(),
    ));
    schema
}

#[test]
fn every_vector_has_its_canonical_text_and_digest() {
    let text = include_str!("data/action_digest.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    assert!(vectors.len() >= 20);
    // What the schema knows makes no difference: readable or not, the digest is the same.
    let mut readable = 0;
    for schema in [declared(), Schema::default()] {
        for Vector {
            name,
            event,
            canonical,
            digest,
        } in &vectors
        {
            let now = Timestamp::UNIX_EPOCH;
            match read(event.as_bytes(), &schema, &Limits::default(), now) {
                Ok(event) => {
                    readable += 1;
                    assert_eq!(Some(event.body().canonical()), *canonical, "{name}");
                    assert_eq!(event.action_digest(), *digest, "{name}");
                }
                Err(unreadable) => {
                    let text = match &unreadable.body {
                        UnreadableBody::Json(json) => Some(json.canonical()),
                        UnreadableBody::Bytes(_) => None,
                    };
                    assert_eq!(text, *canonical, "{name}");
                    assert_eq!(unreadable.action_digest(), *digest, "{name}");
                }
            }
        }
    }
    assert!(readable >= 20, "{readable}");
}

#[test]
fn a_canonical_text_is_its_own_canonical_text() {
    let text = include_str!("data/action_digest.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    for text in vectors.into_iter().filter_map(|vector| vector.canonical) {
        let json = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(json.canonical(), text);
    }
}
