//! An event from its JSON: flat, or in a CloudEvents 1.0 envelope.
//!
//! In: bytes or a tree, the schema, the bounds, the instant of receipt. Out: an [`Event`], or an
//! [`Unreadable`] with every problem.
//! Invariant: an event with a problem of its own is never readable; every slot of a readable one
//! holds a value of its type, or nothing where its field is optional.
//! Must not know who sent the event, or what it will be tested for.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use crate::clock::{Timestamp, parse_timestamp};
use crate::event::problems::{Problems, glimpse, name, seen};
use crate::event::{Event, Json, ProblemCode, Unreadable, UnreadableBody, digest, near, typed};
use crate::limits::{EVENT_ID_BYTES, Limits};
use crate::schema::{Field, FieldId, Kind, Presence, Schema};
use crate::value::Value;

/// Reads an event from bytes.
///
/// # Errors
/// When it cannot be decided on its fields, with everything that is wrong with it.
pub fn read(
    bytes: &[u8],
    schema: &Schema,
    limits: &Limits,
    received: Timestamp,
) -> Result<Event, Box<Unreadable>> {
    let mut problems = Problems::default();
    if bytes.len() > limits.event_total_bytes {
        problems.too_large(bytes.len(), limits.event_total_bytes);
        return Err(opaque(bytes, problems, received));
    }
    let parsed = super::parse::parse(bytes, limits.event_depth, &mut problems);
    let Some(tree) = parsed.tree else {
        return Err(opaque(bytes, problems, received));
    };
    let evidence = match is_envelope(&tree) {
        true => parsed.data_evidence_bytes,
        false => parsed.evidence_bytes,
    };
    let rest = bytes.len().saturating_sub(evidence);
    if rest > limits.event_bytes {
        too_large_without_evidence(rest, limits, &mut problems);
    }
    let inexact = (!parsed.exact).then(|| digest::of_bytes(bytes));
    Reading {
        schema,
        received,
        ambiguous: parsed.ambiguous,
        problems,
    }
    .tree(tree, inexact)
}

/// Reads an event from anything that serde can write, by the same rules as from bytes. A float that
/// is not finite is written as `null` by serde, which means missing.
///
/// # Errors
/// When it cannot be written as JSON, or be read as an event.
pub fn read_serde(
    event: &impl Serialize,
    schema: &Schema,
    limits: &Limits,
    received: Timestamp,
) -> Result<Event, Box<Unreadable>> {
    match serde_json::to_vec(event) {
        Ok(bytes) => read(&bytes, schema, limits, received),
        Err(error) => {
            let mut problems = Problems::default();
            let error = super::problems::cut(&error.to_string(), 2 * crate::limits::SHOWN_CHARS);
            let message = format!("cannot be written as JSON: {error}");
            problems.add(ProblemCode::NotJson, message);
            Err(opaque(b"", problems, received))
        }
    }
}

/// Reads an event from a tree that was built in code; its bytes are those of its canonical text.
pub(super) fn read_tree(
    tree: Json,
    schema: &Schema,
    limits: &Limits,
    received: Timestamp,
) -> Result<Event, Box<Unreadable>> {
    let mut problems = Problems::default();
    super::parse::vet(&tree, limits.event_depth, &mut problems);
    if !problems.is_empty() {
        // A tree that is too deep is not walked by anything that recurses.
        return Err(opaque(b"", problems, received));
    }
    let total = digest::length(&tree);
    if total > limits.event_total_bytes {
        problems.too_large(total, limits.event_total_bytes);
    }
    let rest = total - tree.member("evidence").map_or(0, digest::length);
    if rest > limits.event_bytes {
        too_large_without_evidence(rest, limits, &mut problems);
    }
    Reading {
        schema,
        received,
        ambiguous: HashSet::new(),
        problems,
    }
    .tree(tree, None)
}

fn too_large_without_evidence(bytes: usize, limits: &Limits, problems: &mut Problems) {
    problems.add(
        ProblemCode::TooLarge,
        format!(
            "the event has {bytes} bytes without its evidence; it may have {}",
            limits.event_bytes
        ),
    );
}

impl Unreadable {
    /// An event that has more bytes than may be read, of which only the number and the SHA-256 are
    /// known. The same comes of [`read`] with all its bytes.
    #[must_use]
    pub fn too_large(
        bytes: u64,
        digest: [u8; 32],
        limits: &Limits,
        received: Timestamp,
    ) -> Box<Self> {
        let mut problems = Problems::default();
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        problems.too_large(bytes, limits.event_total_bytes);
        Box::new(Self {
            id: None,
            kind: None,
            at: received,
            problems: problems.finish(),
            body: UnreadableBody::Bytes(digest),
            evidence: None,
        })
    }
}

/// An event of which nothing is known but its bytes.
fn opaque(bytes: &[u8], problems: Problems, received: Timestamp) -> Box<Unreadable> {
    Box::new(Unreadable {
        id: None,
        kind: None,
        at: received,
        problems: problems.finish(),
        body: UnreadableBody::Bytes(digest::of_bytes(bytes)),
        evidence: None,
    })
}

/// Whether it is a CloudEvents envelope; `null` is the same as no member.
#[must_use]
pub fn is_envelope(tree: &Json) -> bool {
    let has = |name| tree.member(name).is_some_and(|json| *json != Json::Null);
    has("specversion") && !has("kind")
}

/// The members that the two forms of an event reserve.
struct Form {
    kind: &'static str,
    at: &'static str,
    data: &'static str,
    reserved: &'static [&'static str],
}

const FLAT: Form = Form {
    kind: "kind",
    at: "at",
    data: "",
    reserved: &["kind", "id", "at", "evidence"],
};

const ENVELOPE: Form = Form {
    kind: "type",
    at: "time",
    data: "data",
    reserved: &["evidence"],
};

/// One event on its way.
struct Reading<'s> {
    schema: &'s Schema,
    received: Timestamp,
    ambiguous: HashSet<String>,
    problems: Problems,
}

impl<'s> Reading<'s> {
    /// `inexact` is the hash of the bytes where the tree is not all that they say.
    fn tree(mut self, mut tree: Json, inexact: Option<[u8; 32]>) -> Result<Event, Box<Unreadable>> {
        let envelope = is_envelope(&tree);
        let form = if envelope { ENVELOPE } else { FLAT };
        if !matches!(tree, Json::Object(_)) {
            let message = format!("an event is an object, and this is {}", seen(&tree));
            self.problems.add(ProblemCode::NotAnObject, message);
            return Err(self.unreadable(Head::default(), tree, inexact));
        }
        let id = tree.take("id").and_then(|json| self.id(json));
        let at = tree.take(form.at).map(|json| self.at(&json, form.at));
        let evidence = match envelope {
            true => self.data(&mut tree),
            false => tree.take("evidence"),
        };
        let kind = self.kind(&tree, &form);
        let head = Head {
            id: id.filter(|_| !self.ambiguous.contains("id")),
            at: at
                .unwrap_or(Some(self.received))
                .filter(|_| !self.ambiguous.contains(form.at)),
            evidence: evidence.and_then(|json| self.evidence(json)),
            kind: kind.map(|kind| kind.id),
        };
        let Some(kind) = kind else {
            return Err(self.unreadable(head, tree, inexact));
        };
        let empty = Json::Object(Vec::new());
        let root = match envelope {
            true => tree.member(form.data).unwrap_or(&empty),
            false => &tree,
        };
        let read = self.fields(kind, root, head.at, &form);
        if self.problems.is_fatal() || inexact.is_some() {
            return Err(self.unreadable(head, tree, inexact));
        }
        Ok(Event {
            kind: kind.id,
            id: head.id,
            schema: self.schema.fingerprint(),
            slots: read.slots,
            defaulted: read.defaulted,
            body: Arc::new(tree),
            envelope,
            evidence: head.evidence,
            problems: self.problems.finish(),
        })
    }

    fn unreadable(self, head: Head, body: Json, inexact: Option<[u8; 32]>) -> Box<Unreadable> {
        Box::new(Unreadable {
            id: head.id,
            kind: head.kind,
            at: head.at.unwrap_or(self.received),
            problems: self.problems.finish(),
            body: match inexact {
                Some(digest) => UnreadableBody::Bytes(digest),
                None => UnreadableBody::Json(Arc::new(body)),
            },
            evidence: head.evidence,
        })
    }

    fn id(&mut self, json: Json) -> Option<Arc<str>> {
        let message = match &json {
            Json::Text(id) if id.is_empty() => "`id` is empty".to_owned(),
            Json::Text(id) if id.len() > EVENT_ID_BYTES => {
                format!("`id` has {} bytes; it may have {EVENT_ID_BYTES}", id.len())
            }
            Json::Text(id) => return Some(Arc::from(id.as_str())),
            json => format!("`id` is {}; it must be text", seen(json)),
        };
        self.problems.of(ProblemCode::BadId, "id", message);
        None
    }

    fn at(&mut self, json: &Json, member: &str) -> Option<Timestamp> {
        if let Json::Text(text) = json
            && let Some(at) = parse_timestamp(text)
        {
            return Some(at);
        }
        let message = format!(
            "`{member}` is {}; it must be a timestamp with an offset, such as 2026-11-20T10:00:00Z",
            seen(json)
        );
        self.problems.of(ProblemCode::BadAt, member, message);
        None
    }

    /// Checks the envelope and takes the evidence out of its data.
    fn data(&mut self, tree: &mut Json) -> Option<Json> {
        if let Some(version) = tree.member("specversion")
            && *version != Json::Text("1.0".to_owned())
        {
            let message = format!(
                "`specversion` is {}; CloudEvents 1.0 is read",
                glimpse(version)
            );
            self.problems
                .of(ProblemCode::UnknownValue, "specversion", message);
        }
        if tree.member("data_base64").is_some_and(|d| *d != Json::Null) {
            let message = "`data_base64` holds bytes; the fields must be in `data`";
            self.problems
                .of(ProblemCode::WrongType, "data_base64", message);
        }
        let Json::Object(members) = tree else {
            return None;
        };
        let (_, data) = members.iter_mut().find(|(name, _)| name == "data")?;
        if !matches!(data, Json::Object(_) | Json::Null) {
            let message = format!("`data` is {}; it must be an object", seen(data));
            self.problems.of(ProblemCode::WrongType, "data", message);
        }
        data.take("evidence")
    }

    fn evidence(&mut self, json: Json) -> Option<Arc<Json>> {
        if matches!(json, Json::Object(_)) {
            return Some(Arc::new(json));
        }
        let message = format!("`evidence` is {}; it must be an object", seen(&json));
        self.problems
            .of(ProblemCode::BadEvidence, "evidence", message);
        None
    }

    fn kind(&mut self, tree: &Json, form: &Form) -> Option<&'s Kind> {
        let (code, message) = match tree.member(form.kind) {
            None | Some(Json::Null) => (
                ProblemCode::KindMissing,
                format!("`{}` is missing: no kind of event is named", form.kind),
            ),
            Some(Json::Text(_)) if self.ambiguous.contains(form.kind) => return None,
            Some(Json::Text(kind)) => match self.schema.kind_named(kind) {
                Some(kind) => return Some(kind),
                None => (ProblemCode::UnknownKind, self.unknown_kind(kind)),
            },
            Some(json) => (
                ProblemCode::WrongType,
                format!("`{}` is {}; it must be text", form.kind, seen(json)),
            ),
        };
        self.problems.of(code, form.kind, message);
        None
    }

    fn unknown_kind(&self, kind: &str) -> String {
        let kinds = self.schema.kinds().iter();
        let known = kinds.flat_map(|kind| [Some(&*kind.name), kind.source.as_deref()]);
        let hint = typed::near_word(kind, known.flatten())
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("no event kind {} is declared{hint}", name(kind))
    }

    fn fields(&mut self, kind: &Kind, root: &Json, at: Option<Timestamp>, form: &Form) -> Fields {
        let mut slots = Vec::with_capacity(kind.fields.len());
        let mut defaulted = Vec::new();
        let mut absent: Vec<&Field> = Vec::new();
        for field in &kind.fields {
            if field.id == FieldId::AT {
                slots.push(at.map(Value::Timestamp));
                continue;
            }
            let given = self.find(field, root);
            let others = near::other_places(kind, field, root);
            let value = match (given, others.first()) {
                (Ok(Some(_)), Some(other)) => {
                    let message = format!("`{}` is given twice: also by {other}", field.path);
                    self.problems
                        .of(ProblemCode::DuplicateMember, &field.path, message);
                    None
                }
                (Ok(Some(json)), None) => typed::read(field, json, &mut self.problems),
                (Ok(None), _) => {
                    absent.push(field);
                    match &field.presence {
                        Presence::Default(value) => {
                            defaulted.push(field.id);
                            Some(value.clone())
                        }
                        Presence::Required | Presence::Optional => None,
                    }
                }
                (Err(()), _) => None,
            };
            slots.push(value);
        }
        self.absent(kind, root, &absent, form);
        Fields { slots, defaulted }
    }

    /// The JSON at a field's place; `null` is missing. An error where the way there is blocked.
    fn find<'a>(&mut self, field: &Field, root: &'a Json) -> Result<Option<&'a Json>, ()> {
        let mut json = root;
        for (depth, segment) in field.json.iter().enumerate() {
            match json {
                Json::Null => return Ok(None),
                Json::Object(_) => match json.member(segment) {
                    Some(inner) => json = inner,
                    None => return Ok(None),
                },
                // The root of an envelope is no object: said once, of `data`.
                _ if depth == 0 => return Err(()),
                other => {
                    let way: Vec<_> = field.json.iter().take(depth).map(|s| &**s).collect();
                    let message = format!(
                        "`{}` cannot be read: `{}` is {}, no object",
                        field.path,
                        way.join("."),
                        seen(other)
                    );
                    self.problems
                        .of(ProblemCode::WrongType, &field.path, message);
                    return Err(());
                }
            }
        }
        Ok(Some(json).filter(|json| **json != Json::Null))
    }

    /// Says what is missing, and which members may be meant for it.
    fn absent(&mut self, kind: &Kind, root: &Json, absent: &[&Field], form: &Form) {
        if absent.is_empty() {
            return;
        }
        let mut hints: Vec<Option<String>> = absent
            .iter()
            .map(|field| near::other_places(kind, field, root).into_iter().next())
            .collect();
        for stray in near::strays(kind, root, form.reserved) {
            let Some(field) = near::meant(&stray, absent) else {
                continue;
            };
            let index = absent.iter().position(|f| f.id == field.id);
            if let Some(hint) = index.and_then(|i| hints.get_mut(i))
                && hint.is_none()
            {
                *hint = Some(name(&stray));
            }
        }
        for (field, hint) in absent.iter().zip(hints) {
            let path = &field.path;
            let place = field.json.iter().map(|s| name(s)).collect::<Vec<_>>();
            let place = place.join(" > ");
            match (&field.presence, hint) {
                (Presence::Required, None) => {
                    let message = format!("`{path}` is missing");
                    self.problems.of(ProblemCode::FieldMissing, path, message);
                }
                (Presence::Required, Some(stray)) => {
                    let message = format!(
                        "`{path}` is missing; the event has {stray}, and it is read from {place}"
                    );
                    self.problems.of(ProblemCode::FieldMissing, path, message);
                }
                (_, Some(stray)) => {
                    let message = format!(
                        "{stray} is not declared; `{path}` is absent and is read from {place}"
                    );
                    self.problems.of(ProblemCode::NearMiss, path, message);
                }
                (_, None) => {}
            }
        }
    }
}

/// What an event says of itself, as far as it could be read.
#[derive(Default)]
struct Head {
    id: Option<Arc<str>>,
    kind: Option<crate::schema::KindId>,
    at: Option<Timestamp>,
    evidence: Option<Arc<Json>>,
}

/// The fields of a kind, read.
struct Fields {
    slots: Vec<Option<Value>>,
    defaulted: Vec<FieldId>,
}
