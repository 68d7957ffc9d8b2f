//! Field paths in the scope of some kinds.
//!
//! In: a path and the kinds in which it is tested. Out: its id and type.
//! Invariant: a tested field exists with one type in every kind of its scope.

use super::build::Checker;
use super::names::{Sort, list};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::schema::{Field, FieldId, KindId};
use crate::syntax::ast::{Name, Path};
use crate::value::Type;

/// Where a trigger is read: its kinds, and whether it is the filter of a measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// The kinds that could be resolved.
    pub kinds: Vec<KindId>,
    /// Whether all could: only then is an unknown field surely one.
    pub complete: bool,
    /// Whether this is the `where` of a measure, in which no measure may stand.
    pub in_measure: bool,
}

/// A field as its scope has it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub id: FieldId,
    /// Its type in the first kind; the others have the same, but perhaps other ranges.
    pub ty: Type,
    /// Whether it can be missing in some kind.
    pub optional: bool,
}

impl Checker<'_> {
    /// The scope of an `on`.
    pub(super) fn scope(&mut self, on: &[Name]) -> Scope {
        self.no_repetition(on);
        let mut kinds: Vec<KindId> = Vec::new();
        let mut complete = true;
        for name in on {
            match self.names.find(Sort::Kind, name, &mut self.out) {
                Some(index) => {
                    let id = KindId(u32::try_from(index).unwrap_or(u32::MAX));
                    complete &= !self.kinds_in_part.contains(&id);
                    if !kinds.contains(&id) {
                        kinds.push(id);
                    }
                }
                None => complete = false,
            }
        }
        Scope {
            kinds,
            complete,
            in_measure: false,
        }
    }

    /// A field that every kind of the scope has, with one type.
    pub(super) fn field(&mut self, scope: &Scope, path: &Path) -> Option<Found> {
        let id = self.schema.field_id(&path.node);
        let field_in = |kind: &KindId| {
            let kind = self.schema.kind(*kind)?;
            let field = id.and_then(|id| kind.field(id));
            Some((kind, field))
        };
        let fields: Vec<_> = scope.kinds.iter().filter_map(field_in).collect();
        let having: Vec<(&crate::schema::Kind, &Field)> = fields
            .iter()
            .filter_map(|(kind, field)| field.map(|field| (*kind, field)))
            .collect();
        let Some((first_kind, first)) = having.first().copied() else {
            if scope.complete && !scope.kinds.is_empty() {
                let found = self.unknown_field(scope, path);
                self.out.push(found);
            }
            return None;
        };
        if having.len() < fields.len() {
            if scope.complete {
                let lacking: Vec<&str> = fields
                    .iter()
                    .filter(|(_, f)| f.is_none())
                    .map(|(k, _)| &*k.name)
                    .collect();
                let found = Diagnostic::new(
                    codes::FIELD_NOT_IN_EVERY_KIND,
                    path.span,
                    format!("`{}` does not exist in {}", path.node, list(&lacking)),
                )
                .label(first.span, format!("it exists in `{}`", first_kind.name))
                .help("declare it there as `optional`, or write a lane for each kind");
                self.out.push(found);
            }
            return None;
        }
        let other = having
            .iter()
            .find(|(_, field)| !field.ty.same_sort(&first.ty));
        if let Some((kind, field)) = other {
            let found = Diagnostic::new(
                codes::FIELD_TYPES_DIFFER,
                path.span,
                format!(
                    "`{}` is `{}` in `{}` and `{}` in `{}`",
                    path.node, first.ty, first_kind.name, field.ty, kind.name
                ),
            )
            .label(first.span, "declared here")
            .label(field.span, "and here");
            self.out.push(found);
            return None;
        }
        Some(Found {
            id: first.id,
            ty: first.ty.clone(),
            optional: having.iter().any(|(_, field)| field.is_optional()),
        })
    }

    /// Whether the scope has a field of this path, without a finding.
    pub(super) fn is_field(&self, scope: &Scope, path: &str) -> bool {
        let id = self.schema.field_id(path);
        let kinds = scope
            .kinds
            .iter()
            .filter_map(|kind| self.schema.kind(*kind));
        kinds
            .into_iter()
            .any(|kind| id.is_some_and(|id| kind.field(id).is_some()))
    }

    fn unknown_field(&self, scope: &Scope, path: &Path) -> Diagnostic {
        let kinds: Vec<_> = scope
            .kinds
            .iter()
            .filter_map(|kind| self.schema.kind(*kind))
            .collect();
        let names: Vec<&str> = kinds.iter().map(|kind| &*kind.name).collect();
        let found = Diagnostic::new(
            codes::UNKNOWN_FIELD,
            path.span,
            format!("{} has no field `{}`", list(&names), path.node),
        );
        let count = kinds.iter().map(|kind| kind.fields.len()).sum();
        let comparable = self.names.may_compare(count);
        let known: Vec<&str> = kinds
            .iter()
            .filter(|_| comparable)
            .flat_map(|kind| kind.fields.iter().map(|f| &*f.path))
            .collect();
        if let Some(near) = nearest(&path.node, known.iter().copied()) {
            return found.help(format!("did you mean `{near}`?")).guess(
                format!("write `{near}`"),
                path.span,
                near,
            );
        }
        let inside = format!("{}.", path.node);
        if let Some(inner) = known.iter().find(|known| known.starts_with(&inside)) {
            return found.help(format!(
                "`{}` is no field itself; there is `{inner}`",
                path.node
            ));
        }
        found.help(format!(
            "declare it with a line such as `{}: text optional` in `event {}`",
            path.node,
            names.first().unwrap_or(&"")
        ))
    }
}
