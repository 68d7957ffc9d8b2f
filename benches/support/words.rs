//! The words that lanes and events are made of.
//!
//! In: a number. Out: the name with that number, of the length that such names have.
//! Invariant: two numbers have two names.

const NOUNS: [&str; 20] = [
    "refund",
    "invoice",
    "mailbox",
    "ticket",
    "payout",
    "ledger",
    "customer",
    "contract",
    "export",
    "credential",
    "webhook",
    "discount",
    "shipment",
    "database",
    "calendar",
    "campaign",
    "job",
    "report",
    "subscription",
    "secret",
];
const VERBS: [&str; 15] = [
    "create", "update", "delete", "send", "approve", "read", "list", "merge", "restart", "cancel",
    "share", "grant", "revoke", "archive", "restore",
];
const FLOWS: [&str; 16] = [
    "refunds-and-credits",
    "month-end-close",
    "inbox-triage",
    "order-sync",
    "stock-sync",
    "onboarding",
    "offboarding",
    "contract-renewal",
    "fraud-review",
    "price-update",
    "lead-scoring",
    "data-retention",
    "incident-response",
    "vendor-payments",
    "chargebacks",
    "account-recovery",
];
const COMPANIES: [&str; 16] = [
    "acme",
    "globex",
    "umbrella",
    "initech",
    "hooli",
    "stark",
    "wayne",
    "wonka",
    "cyberdyne",
    "tyrell",
    "soylent",
    "oscorp",
    "massive",
    "vandelay",
    "dunder",
    "sterling",
];

/// The parts of a company that a resource lies in.
pub const AREAS: [&str; 8] = [
    "/billing/",
    "/support/",
    "/identity/",
    "/warehouse/",
    "/marketing/",
    "/legal/",
    "/platform/",
    "/analytics/",
];
pub const PARTS: [&str; 5] = ["records/", "drafts/", "exports/", "settings/", "archive/"];

/// What kinds of agents there are; each has eight.
pub const AGENTS: [&str; 5] = ["support-", "finance-", "platform-", "sales-", "night-"];

/// What a message may say, and lanes look for.
pub const PHRASES: [&str; 24] = [
    "speak to a lawyer",
    "legal action",
    "chargeback",
    "wire transfer",
    "cancel my contract",
    "data protection",
    "gift card",
    "new bank account",
    "reset the password",
    "ignore previous",
    "urgent payment",
    "delete everything",
    "press release",
    "go to the media",
    "personal data",
    "double charged",
    "confidential",
    "safety recall",
    "regulator",
    "out of office",
    "board meeting",
    "crypto wallet",
    "test account",
    "final notice",
];

/// What messages are filled with. No two of these make a phrase.
pub const FILLER: [&str; 32] = [
    "the", "order", "arrived", "late", "and", "nobody", "answered", "since", "Monday", "please",
    "look", "at", "it", "again", "we", "expected", "an", "update", "on", "this", "by", "now",
    "thanks", "for", "your", "help", "with", "last", "delivery", "still", "waiting", "here",
];

pub fn tool(number: usize) -> String {
    let noun = NOUNS[number % NOUNS.len()];
    let verb = VERBS[number / NOUNS.len() % VERBS.len()];
    match number / (NOUNS.len() * VERBS.len()) {
        0 => format!("{noun}.{verb}"),
        version => format!("{noun}.{verb}_v{}", version + 1),
    }
}

pub fn workflow(number: usize) -> String {
    let flow = FLOWS[number % FLOWS.len()];
    match number / FLOWS.len() {
        0 => flow.to_owned(),
        branch => format!("{flow}-{branch}"),
    }
}

pub fn tenant(number: usize) -> String {
    let company = COMPANIES[number % COMPANIES.len()];
    format!("{company}-{:03}", number / COMPANIES.len())
}

pub fn agent(number: usize) -> String {
    let kind = AGENTS[number % AGENTS.len()];
    format!("{kind}agent-{}", number / AGENTS.len() % 8)
}
