//! cedar-policy: authorization policies over principal, action, resource and a context.
//!
//! Each lane is a `permit` of its own. The routing key stands in the scope, where Cedar's users put
//! it: the tool is the action, the tenant the resource, the workflow the principal; all else is in
//! the context. Numbers are whole, in the smallest unit of their field: its decimals have no plain
//! comparison. The answer names every policy that is satisfied.

use cedar_policy::{
    Authorizer, Context, Entities, EntityId, EntityTypeName, EntityUid, Policy, PolicyId,
    PolicySet, Request, RestrictedExpression,
};

use super::{Peer, infix, quoted, words};
use crate::hand::{Call, NONE};
use crate::workload::{Cond, Event, Lane, NUMBERS, Test, Text, Word};

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    nobody: Entities,
    types: [EntityTypeName; 3],
}

/// Attributes are plain names.
fn name(path: &str) -> String {
    path.replace('.', "_")
}

fn test(test: &Test) -> String {
    match test {
        Test::Is(field, text) => format!("context.{} == \"{text}\"", name(field.path())),
        Test::In(field, texts) => {
            let texts = quoted(texts.iter().map(String::as_str), ", ");
            format!("[{texts}].contains(context.{})", name(field.path()))
        }
        Test::StartsWith(field, text) => format!("context.{} like \"{text}*\"", name(field.path())),
        Test::Contains(field, text) => format!("context.{} like \"*{text}*\"", name(field.path())),
        Test::WordIs(field, word) => {
            let word = quoted(words(*field, &[*word]), "");
            format!("context.{} == {word}", field.path())
        }
        Test::WordIn(field, several) => {
            let several = quoted(words(*field, several), ", ");
            format!("[{several}].contains(context.{})", field.path())
        }
        Test::Above(field, bound) => format!("context.{} > {bound}", field.path()),
        Test::Below(field, bound) => format!("context.{} < {bound}", field.path()),
        Test::OtherTenant => "context.tenant_source != context.tenant_target".to_owned(),
    }
}

fn policy(lane: &Lane) -> String {
    let key = match &lane.when {
        Cond::All(parts) => match parts.first() {
            Some(Cond::Test(Test::Is(field, text))) => Some((*field, text.as_str())),
            _ => None,
        },
        _ => None,
    };
    let scope = match key {
        Some((Text::Tool, text)) => format!("principal, action == Action::\"{text}\", resource"),
        Some((Text::Workflow, text)) => {
            format!("principal == Workflow::\"{text}\", action, resource")
        }
        Some((Text::Source, text)) => format!("principal, action, resource == Tenant::\"{text}\""),
        _ => "principal, action, resource".to_owned(),
    };
    let keyed = scope.contains("::");
    let rest = match &lane.when {
        Cond::All(parts) if keyed => Cond::All(parts[1..].to_vec()),
        other => other.clone(),
    };
    let when = infix(&rest, " && ", " || ", &test);
    format!("permit({scope}) when {{ {when} }};")
}

impl Cedar {
    fn request(&self, call: &Call<'_>) -> Request {
        let text = |name: &str, text: &str| {
            let value = RestrictedExpression::new_string(text.to_owned());
            (name.to_owned(), value)
        };
        let mut pairs = vec![
            text("agent", call.agent),
            text("tool", call.tool),
            text("workflow", call.workflow),
            text("tenant_source", call.tenant.source),
            text("tenant_target", call.tenant.target),
            text("resource", call.resource),
            text("message", call.message),
            text("role", Word::Role.words()[call.role as usize]),
            text(
                "sentiment",
                Word::Sentiment.words()[call.sentiment as usize],
            ),
            text("region", Word::Region.words()[call.region as usize]),
        ];
        let numbers = [call.amount, call.confidence, call.attempts, call.tokens];
        for (field, number) in NUMBERS.iter().zip(numbers) {
            let unit = 10f64.powi(field.places() as i32);
            let whole = RestrictedExpression::new_long((number * unit).round() as i64);
            pairs.push((field.path().to_owned(), whole));
        }
        let [workflow, tool, tenant] = &self.types;
        let entity = |sort: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(sort.clone(), EntityId::new(id))
        };
        let request = Request::new(
            entity(workflow, call.workflow),
            entity(tool, call.tool),
            entity(tenant, call.tenant.source),
            Context::from_pairs(pairs).expect("a context"),
            None,
        );
        request.expect("without a schema any request is one")
    }
}

impl Peer for Cedar {
    type Prepared = Request;
    const NAME: &'static str = "cedar-policy";

    fn new(lanes: &[Lane]) -> Self {
        let policies = lanes.iter().enumerate().map(|(number, lane)| {
            let text = policy(lane);
            let id = PolicyId::new(number.to_string());
            Policy::parse(Some(id), &text).unwrap_or_else(|error| panic!("{error}: {text}"))
        });
        let sort = |name: &str| name.parse::<EntityTypeName>().expect("a name");
        Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_policies(policies).expect("the ids are distinct"),
            nobody: Entities::empty(),
            types: [sort("Workflow"), sort("Action"), sort("Tenant")],
        }
    }

    fn prepare(&self, event: &Event, _: &str) -> Request {
        self.request(&Call::of(event))
    }

    fn first(&mut self, event: &Request) -> u32 {
        let answer = self
            .authorizer
            .is_authorized(event, &self.policies, &self.nobody);
        assert_eq!(answer.diagnostics().errors().count(), 0);
        let lanes = answer.diagnostics().reason().map(|id| {
            let id: &str = id.as_ref();
            id.parse().expect("a number")
        });
        lanes.min().unwrap_or(NONE)
    }

    fn first_json(&mut self, json: &str) -> u32 {
        let call: Call<'_> = serde_json::from_str(json).expect("an event");
        let request = self.request(&call);
        self.first(&request)
    }
}
