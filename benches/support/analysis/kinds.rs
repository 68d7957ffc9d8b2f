//! The kinds of events of the matrices, with their fields.

use std::fmt::Write as _;

/// A kind of event. Its first field is an enum that says what is done.
pub struct Kind {
    pub name: &'static str,
    pub fields: &'static [Field],
    /// A test of how much came before.
    pub measure: &'static str,
}

pub struct Field {
    pub path: &'static str,
    pub sort: Sort,
    pub is_optional: bool,
}

#[derive(Clone, Copy)]
pub enum Sort {
    Words(&'static [&'static str]),
    Text,
    /// Up to so many dollars.
    Money(u64),
    /// From 0 to 1.
    Number(&'static str),
    Whole(u64),
    Flag,
    /// Texts, of which tests name these.
    List(&'static [&'static str]),
}

const fn field(path: &'static str, sort: Sort) -> Field {
    Field {
        path,
        sort,
        is_optional: false,
    }
}

const fn optional(path: &'static str, sort: Sort) -> Field {
    Field {
        path,
        sort,
        is_optional: true,
    }
}

/// What is bad: much of it, or little.
const HIGH: &str = "high";
const LOW: &str = "low";

const REGIONS: &[&str] = &[
    "eu_west", "eu_north", "eu_south", "us_east", "us_west", "us_south", "ap_south", "ap_north",
    "sa_east", "af_south", "me_south", "ca_east",
];

pub static KINDS: [Kind; 5] = [
    Kind {
        name: "tool_call",
        fields: &[
            field(
                "action",
                Sort::Words(&[
                    "lookup",
                    "draft_note",
                    "send_email",
                    "send_chat",
                    "refund",
                    "credit",
                    "apply_discount",
                    "cancel_subscription",
                    "update_record",
                    "change_billing_status",
                    "pay_invoice",
                    "export_data",
                    "restart_job",
                    "change_config",
                    "grant_permission",
                    "delete_record",
                    "merge_accounts",
                    "schedule_call",
                    "publish_page",
                    "rotate_key",
                ]),
            ),
            field("tenant.source", Sort::Text),
            field("workflow", Sort::Text),
            field("amount", Sort::Money(10_000)),
            field("attempts", Sort::Whole(100)),
            field(
                "role",
                Sort::Words(&[
                    "support_agent",
                    "operations_agent",
                    "finance_agent",
                    "audit_agent",
                    "sales_agent",
                    "research_agent",
                ]),
            ),
            field(
                "procedure",
                Sort::Words(&["found", "conflicting", "absent", "not_needed"]),
            ),
            optional("confidence", Sort::Number(LOW)),
            optional("sentiment", Sort::Words(&["calm", "upset", "hostile"])),
            optional("discount.percent", Sort::Whole(100)),
            field(
                "permissions",
                Sort::List(&["\"admin\"", "\"owner\"", "\"billing\"", "\"export\""]),
            ),
            optional("injection.flagged", Sort::Flag),
        ],
        measure: "count of tool_call where role is finance_agent by workflow over 10m > 20",
    },
    Kind {
        name: "payout",
        fields: &[
            field(
                "method",
                Sort::Words(&[
                    "card",
                    "sepa",
                    "wire",
                    "cheque",
                    "cash",
                    "wallet",
                    "crypto",
                    "voucher",
                    "direct_debit",
                    "standing_order",
                    "instant",
                    "internal",
                ]),
            ),
            field("merchant", Sort::Text),
            field("amount", Sort::Money(1_000_000)),
            field("fee", Sort::Money(1_000)),
            field("age_days", Sort::Whole(3_000)),
            field(
                "country",
                Sort::Words(&[
                    "de", "fr", "nl", "be", "es", "it", "pl", "cz", "at", "ch", "dk", "se", "ee",
                    "fi", "pt", "gr", "ie", "uk", "us", "ca", "mx", "br", "ar", "za", "ng", "hu",
                    "cn", "jp", "sg", "au",
                ]),
            ),
            optional("risk", Sort::Number(HIGH)),
            optional("disputes", Sort::Whole(200)),
            optional("is_new_account", Sort::Flag),
            field(
                "flags",
                Sort::List(&[
                    "\"sanctions\"",
                    "\"velocity\"",
                    "\"mismatch\"",
                    "\"manual\"",
                ]),
            ),
        ],
        measure: "sum amount of payout by merchant over 1d > 500000 USD",
    },
    Kind {
        name: "data_export",
        fields: &[
            field(
                "dataset",
                Sort::Words(&[
                    "customers",
                    "orders",
                    "invoices",
                    "tickets",
                    "salaries",
                    "health",
                    "logs",
                    "models",
                    "contracts",
                    "leads",
                    "sessions",
                    "prices",
                    "suppliers",
                    "audits",
                    "backups",
                ]),
            ),
            field("tenant.source", Sort::Text),
            field("target", Sort::Text),
            field("rows", Sort::Whole(10_000_000)),
            field("region", Sort::Words(REGIONS)),
            field(
                "purpose",
                Sort::Words(&["report", "migration", "training", "request", "debugging"]),
            ),
            optional("masked", Sort::Flag),
            optional("sensitivity", Sort::Number(HIGH)),
            field(
                "columns",
                Sort::List(&["\"email\"", "\"iban\"", "\"birthday\"", "\"address\""]),
            ),
        ],
        measure: "count of data_export by target over 1h > 10",
    },
    Kind {
        name: "workflow_health",
        fields: &[
            field(
                "signal",
                Sort::Words(&[
                    "heartbeat",
                    "retry",
                    "timeout",
                    "failure",
                    "backoff",
                    "restart",
                    "stall",
                    "overrun",
                    "drift",
                    "rollback",
                ]),
            ),
            field("workflow", Sort::Text),
            field("backlog", Sort::Whole(100_000)),
            field("region", Sort::Words(REGIONS)),
            optional("dead_letters", Sort::Whole(10_000)),
            optional("error_rate", Sort::Number(HIGH)),
            optional("token_days", Sort::Whole(400)),
            field("is_paused", Sort::Flag),
            field(
                "tier",
                Sort::Words(&["critical_path", "core", "batch", "sandbox"]),
            ),
        ],
        measure: "count of workflow_health where signal is retry by workflow over 10m > 3",
    },
    Kind {
        name: "account_change",
        fields: &[
            field(
                "change",
                Sort::Words(&[
                    "email",
                    "password",
                    "address",
                    "iban",
                    "limit",
                    "owner",
                    "plan",
                    "role",
                    "close",
                    "reopen",
                    "merge",
                    "mfa_off",
                    "api_key",
                    "webhook",
                    "tax_number",
                    "language",
                ]),
            ),
            field("account", Sort::Text),
            field(
                "channel",
                Sort::Words(&["web", "app", "phone", "chat", "api", "branch"]),
            ),
            field("balance", Sort::Money(100_000)),
            field("age_days", Sort::Whole(3_000)),
            optional("score", Sort::Number(LOW)),
            optional("verified", Sort::Flag),
            optional("country", Sort::Words(REGIONS)),
            field(
                "labels",
                Sort::List(&["\"vip\"", "\"watch\"", "\"minor\"", "\"staff\""]),
            ),
        ],
        measure: "distinct channel of account_change by account over 1d > 2",
    },
];

impl Kind {
    pub fn texts(&self) -> impl Iterator<Item = &'static Field> {
        self.fields
            .iter()
            .filter(|it| matches!(it.sort, Sort::Text))
    }

    /// A field with an amount that every event has.
    pub fn required_number(&self) -> &'static Field {
        let mut numbers = self.fields.iter().filter(|it| !it.is_optional);
        let found = numbers.find(|it| matches!(it.sort, Sort::Money(_) | Sort::Whole(_)));
        found.unwrap_or(&self.fields[0])
    }

    /// The `event` block.
    pub fn write(&self, text: &mut String) {
        let _ = writeln!(text, "event {} {{", self.name);
        for field in self.fields {
            let sort = match field.sort {
                Sort::Words(words) => format!("one of {}", words.join(", ")),
                Sort::Text => "text".to_owned(),
                Sort::Money(most) => format!("money USD 0 to {most}"),
                Sort::Number(_) => "number 0 to 1".to_owned(),
                Sort::Whole(most) => format!("whole number 0 to {most}"),
                Sort::Flag => "yes/no".to_owned(),
                Sort::List(_) => "list of text default ()".to_owned(),
            };
            let optional = if field.is_optional { " optional" } else { "" };
            let _ = writeln!(text, "  {}: {sort}{optional}", field.path);
        }
        text.push_str("}\n\n");
    }
}

impl Field {
    /// What its names begin with.
    pub fn stem(&self) -> &'static str {
        self.path.split('.').next().unwrap_or(self.path)
    }

    pub fn is_bad_when_high(&self) -> bool {
        !matches!(self.sort, Sort::Number(LOW))
    }

    /// A low and a high amount.
    pub fn bounds(&self) -> (String, String) {
        match self.sort {
            Sort::Money(most) => (format!("{} USD", most / 5), format!("{} USD", most / 2)),
            Sort::Whole(most) => ((most / 5).to_string(), (most / 2).to_string()),
            _ => ("0.2".to_owned(), "0.5".to_owned()),
        }
    }
}
