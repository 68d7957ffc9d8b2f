//! Matrices made by hand, for properties of expressions and windows that no text is needed for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::{Duration, Timestamp, parse_timestamp};
use crate::event::Event;
use crate::matrix::{
    Comparison, Condition, ConditionId, Expr, ExprKind, Hold, Lane, LaneId, Matrix, Otherwise,
    Scope, Team, TeamId, Terms, Test, TestOp, Unsure, Urgency, Within,
};
use crate::schema::{Field, FieldId, Kind, KindId, Presence, Schema};
use crate::span::{Sources, Span};
use crate::value::{Type, Value};

pub const KIND: KindId = KindId(0);

pub fn at(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

/// A matrix of one kind `e` with these fields, a team, and nothing else.
pub fn matrix(fields: &[(&str, Type, Presence)]) -> Matrix {
    let span = Span::default();
    let mut schema = Schema::default();
    let declared = fields.iter().map(|(path, ty, presence)| Field {
        id: schema.intern(path),
        path: Arc::from(*path),
        json: path.split('.').map(Arc::from).collect(),
        ty: ty.clone(),
        presence: presence.clone(),
        span,
    });
    let declared = declared.collect();
    schema.add(Kind::new(KIND, Arc::from("e"), None, declared, span));
    let team = Team {
        name: "owners".to_owned(),
        first: Vec::new(),
        backup: Vec::new(),
        quorum: 1,
        of: None,
        span,
    };
    Matrix {
        name: "made by hand".to_owned(),
        edition: 1,
        zone: chrono_tz::UTC,
        otherwise: Otherwise::Allow,
        unreadable: None,
        schema,
        calendars: Vec::new(),
        actions: Vec::new(),
        teams: vec![team],
        conditions: Vec::new(),
        measures: Vec::new(),
        rules: Vec::new(),
        lanes: Vec::new(),
        promises: Vec::new(),
        samples: Vec::new(),
        scenarios: Vec::new(),
        sources: Arc::new(Sources::default()),
        digest: String::new(),
    }
}

pub fn expr(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

pub fn test(field: FieldId, op: TestOp) -> Expr {
    expr(ExprKind::Test(Arc::new(Test {
        field,
        op,
        if_present: false,
        text: String::new(),
    })))
}

pub fn is_yes(field: FieldId) -> Expr {
    test(field, TestOp::Compare(Comparison::Is, Value::Bool(true)))
}

pub fn condition(matrix: &mut Matrix, expr: Expr) -> ConditionId {
    let id = ConditionId(u32::try_from(matrix.conditions.len()).unwrap());
    let name = format!("c{}", id.0);
    matrix.conditions.push(Condition { name, expr });
    id
}

pub fn lane(matrix: &mut Matrix, when: Expr, unless: Option<Expr>) -> LaneId {
    let id = LaneId(u32::try_from(matrix.lanes.len()).unwrap());
    matrix.lanes.push(Lane {
        id,
        name: format!("lane{}", id.0),
        head: Span::default(),
        about: None,
        on: vec![KIND],
        when,
        unless,
        unsure: Unsure::Escalate,
        trial: None,
        group_by: Vec::new(),
        terms: Terms {
            owner: TeamId(0),
            urgency: Urgency::Normal,
            respond: Within {
                length: Duration::from_minutes(30),
                of: None,
            },
            hold: Hold::Hold,
            scope: Scope::Item,
            evidence: Vec::new(),
            steps: Vec::new(),
        },
        also: Vec::new(),
        operator: None,
        reversible: None,
        examples: Vec::new(),
    });
    id
}

pub fn event(matrix: &Matrix, values: &[(FieldId, Value)], at: Timestamp) -> Event {
    event_with_id(matrix, values, at, None)
}

pub fn event_with_id(
    matrix: &Matrix,
    values: &[(FieldId, Value)],
    at: Timestamp,
    id: Option<&str>,
) -> Event {
    let values: BTreeMap<_, _> = values.iter().cloned().collect();
    Event::from_record(&matrix.schema, KIND, &values, at, id).unwrap()
}
