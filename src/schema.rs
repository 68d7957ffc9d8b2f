//! The declared event kinds and their fields.
//!
//! In: built by the check. Out: read by everything that handles events.
//! Invariant: the first field of every kind is `at`; a path has one [`FieldId`] in all kinds; no
//! two fields of a kind lie at one place of the JSON, nor one inside another.
//! Knows no lanes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use crate::span::Span;
use crate::value::{Type, Value};

mod export;

pub use export::json_schema;

/// An event kind of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u32);

/// A field's path, the same in every kind that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

impl FieldId {
    /// `at`, the instant of the event: a timestamp field of every kind.
    pub const AT: Self = Self(0);
}

/// What the absence of a field means.
#[derive(Debug, Clone, PartialEq)]
pub enum Presence {
    /// The event is unreadable.
    Required,
    /// Tests on it are unknown.
    Optional,
    /// It has this value.
    Default(Value),
}

/// A declared field.
#[derive(Debug, Clone)]
pub struct Field {
    /// The id of its path.
    pub id: FieldId,
    /// The path in the language, such as `tenant.source`.
    pub path: Arc<str>,
    /// The member names from the event's root to it in JSON.
    pub json: Vec<Arc<str>>,
    /// Its type.
    pub ty: Type,
    /// What its absence means.
    pub presence: Presence,
    /// Where it is declared.
    pub span: Span,
}

impl Field {
    /// Whether an event can lack it.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        matches!(self.presence, Presence::Optional)
    }
}

/// A declared kind of event.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Its id.
    pub id: KindId,
    /// Its name in the language.
    pub name: Arc<str>,
    /// Its name in JSON, where it differs.
    pub source: Option<Arc<str>>,
    /// Its fields in slot order; the first is `at`.
    pub fields: Vec<Field>,
    slots: HashMap<FieldId, usize>,
}

impl Kind {
    /// A kind of these fields; `at` is put before them.
    #[must_use]
    pub fn new(
        id: KindId,
        name: Arc<str>,
        source: Option<Arc<str>>,
        declared: Vec<Field>,
        span: Span,
    ) -> Self {
        let at = Field {
            id: FieldId::AT,
            path: Arc::from("at"),
            json: vec![Arc::from("at")],
            ty: Type::Timestamp,
            presence: Presence::Required,
            span,
        };
        let mut fields = vec![at];
        fields.extend(declared);
        let slots = fields
            .iter()
            .enumerate()
            .map(|(slot, field)| (field.id, slot))
            .collect();
        Self {
            id,
            name,
            source,
            fields,
            slots,
        }
    }

    /// The slot of a field in this kind's events.
    #[must_use]
    pub fn slot(&self, field: FieldId) -> Option<usize> {
        self.slots.get(&field).copied()
    }

    /// A field of this kind.
    #[must_use]
    pub fn field(&self, field: FieldId) -> Option<&Field> {
        self.fields.get(self.slot(field)?)
    }

    /// Whether two kinds, of two schemas, have the same name and the same fields.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let number = |kind: &Self| {
            let mut hasher = DefaultHasher::new();
            kind.hash_fields(&mut hasher);
            hasher.finish()
        };
        number(self) == number(other)
    }

    fn hash_fields(&self, hasher: &mut DefaultHasher) {
        (&self.name, &self.source, self.fields.len()).hash(hasher);
        for field in &self.fields {
            (&field.path, &field.json, &field.ty).hash(hasher);
            match &field.presence {
                Presence::Required => 0.hash(hasher),
                Presence::Optional => 1.hash(hasher),
                Presence::Default(value) => (2, value).hash(hasher),
            }
        }
    }

    /// The name that an event's JSON gives: the source name where there is one.
    #[must_use]
    pub fn json_name(&self) -> &str {
        self.source.as_ref().unwrap_or(&self.name)
    }
}

/// All kinds of a matrix.
#[derive(Debug, Clone)]
pub struct Schema {
    paths: Vec<Arc<str>>,
    kinds: Vec<Kind>,
    fields: HashMap<Arc<str>, FieldId>,
    by_json_name: HashMap<Arc<str>, KindId>,
    fingerprint: OnceLock<u64>,
}

impl Default for Schema {
    fn default() -> Self {
        let at: Arc<str> = Arc::from("at");
        Self {
            paths: vec![at.clone()],
            kinds: Vec::new(),
            fields: HashMap::from([(at, FieldId::AT)]),
            by_json_name: HashMap::new(),
            fingerprint: OnceLock::new(),
        }
    }
}

impl Schema {
    /// The id of a path, made if it is new.
    pub fn intern(&mut self, path: &str) -> FieldId {
        if let Some(id) = self.fields.get(path) {
            return *id;
        }
        self.fingerprint = OnceLock::new();
        let id = FieldId(u32::try_from(self.paths.len()).unwrap_or(u32::MAX));
        let path: Arc<str> = Arc::from(path);
        self.paths.push(path.clone());
        self.fields.insert(path, id);
        id
    }

    /// Adds a kind; its id is the number of kinds before it. An event may give the kind's name or
    /// its source name.
    pub fn add(&mut self, kind: Kind) -> KindId {
        self.fingerprint = OnceLock::new();
        let id = kind.id;
        self.by_json_name.insert(kind.name.clone(), id);
        if let Some(source) = &kind.source {
            self.by_json_name.insert(source.clone(), id);
        }
        self.kinds.push(kind);
        id
    }

    /// A number that schemas share whose kinds and fields are the same and have the same ids: an
    /// event that was read by one can be decided by the other.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.paths.hash(&mut hasher);
            for kind in &self.kinds {
                kind.hash_fields(&mut hasher);
            }
            hasher.finish()
        })
    }

    /// The id that the next kind gets.
    #[must_use]
    pub fn next_kind(&self) -> KindId {
        KindId(u32::try_from(self.kinds.len()).unwrap_or(u32::MAX))
    }

    /// A kind by its id.
    #[must_use]
    pub fn kind(&self, id: KindId) -> Option<&Kind> {
        self.kinds.get(id.0 as usize)
    }

    /// All kinds, in order of declaration.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The kind that an event's JSON names, by its name or its source name.
    #[must_use]
    pub fn kind_named(&self, name: &str) -> Option<&Kind> {
        self.kind(*self.by_json_name.get(name)?)
    }

    /// The id of a path that some kind has.
    #[must_use]
    pub fn field_id(&self, path: &str) -> Option<FieldId> {
        self.fields.get(path).copied()
    }

    /// The path of a field.
    #[must_use]
    pub fn path(&self, id: FieldId) -> &str {
        self.paths.get(id.0 as usize).map_or("", |p| p)
    }
}
