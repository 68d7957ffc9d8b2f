//! `laneway access`: who is let in to the service: tokens, links for people.
//!
//! In: the store of the service, also while it runs. Out: a token or a link, shown once.
//! Invariant: what is printed of a secret is printed to standard output alone, and never again.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::escalations::{Common, Format, Trouble, end, json as print, open_beside};
use super::shell::{Answer, Failure, Shell};
use crate::clock::{Duration, Timestamp, format_timestamp};
use crate::desk::Desk;
use crate::escalation::Principal;
use crate::server::{Access, LinkFor, Problem, Scope, Token};

/// Let services and people in to the service: tokens, and links by which people set a password
///
/// It works on the store of the service, also while that runs; who may write the store may let anybody in.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The store: a file, or the URL of a database; without it that of laneway.toml
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<String>,
    /// The matrix beside which laneway.toml lies, where it is not in this folder
    #[arg(long, global = true, value_name = "MATRIX")]
    matrix: Option<PathBuf>,
    /// How to print the result
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token, and print it: it is not to be had again
    Token {
        /// Whose: a service, an agent or a person
        #[arg(value_name = "NAME")]
        name: String,
        /// What it is for: decide, answer, audit, operate, admin, metrics
        #[arg(
            long = "for",
            value_name = "SCOPE",
            value_delimiter = ',',
            default_value = "decide"
        )]
        scopes: Vec<Scope>,
        /// For how long it is good, such as 90d; without it until it is revoked
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        lasts: Option<Duration>,
    },
    /// List tokens, without their secrets
    Tokens {},
    /// Make a new token for an old one, which is good for a while longer
    Rotate {
        /// The id of the old one
        #[arg(value_name = "ID")]
        id: String,
        /// For how long the old one is good still
        #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
        grace: Duration,
    },
    /// Take a token back, at once
    Revoke {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Make a link by which a person sets a password: it works once, within a day
    Link {
        /// Who
        #[arg(value_name = "PERSON")]
        person: String,
        /// Let them in as an admin
        #[arg(long)]
        admin: bool,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args, shell: &mut Shell) -> Result<Answer, Failure> {
    let done = command(args, shell);
    end(done, args.format, shell)
}

fn command(args: &Args, shell: &mut Shell) -> Result<(), Trouble> {
    let common = Common::of_store(args.store.clone(), args.format);
    let desk = open_beside(args.matrix.as_deref(), &common, shell)?;
    let access = Access::new(std::sync::Arc::clone(desk.store()));
    let now = desk.now()?.at;
    match &args.command {
        Command::Token {
            name,
            scopes,
            lasts,
        } => {
            let owner = owner(name, scopes, &desk)?;
            let until = lasts.map(|lasts| now + lasts.to_chrono());
            let scopes = scopes.iter().copied().collect();
            let made = access.make_token(&owner, scopes, until, BY, now);
            let made = made.map_err(|problem| trouble(&problem))?;
            say(&made.id, &made.text, args.format, shell)
        }
        Command::Rotate { id, grace } => {
            let until = now + grace.to_chrono();
            let made = access.rotate_token(id, until, BY, now);
            let made = made.map_err(|problem| trouble(&problem))?;
            say(&made.id, &made.text, args.format, shell)
        }
        Command::Revoke { id } => {
            let was = access
                .revoke_token(id)
                .map_err(|problem| trouble(&problem))?;
            if !was {
                let message = format!("there is no token `{id}`");
                return Err(Trouble::unusable("not_found", message));
            }
            match args.format {
                Format::Json => print(&json!({ "id": id, "revoked": true }), &mut shell.out),
                Format::Text => Ok(writeln!(shell.out, "revoked {id}")?),
            }
        }
        Command::Tokens {} => list(&access, now, args.format, shell),
        Command::Link { person, admin } => {
            let person = Principal::parse(person)?;
            let what = LinkFor {
                person: Some(person.to_string()),
                admin: *admin,
            };
            let link = access
                .make_link(&what, now)
                .map_err(|problem| trouble(&problem))?;
            let path = format!("/setup/{link}");
            match args.format {
                Format::Json => print(&json!({ "person": person, "path": path }), &mut shell.out),
                Format::Text => Ok(writeln!(
                    shell.out,
                    "{path}\nbehind the address of the service; it works once, within a day, for {person}"
                )?),
            }
        }
    }
}

/// Who made a token, in its record.
const BY: &str = "the command line";

/// Whose a token is to be. An agent answers nothing, and what asks is no person who answers.
fn owner(name: &str, scopes: &[Scope], desk: &Desk) -> Result<Principal, Trouble> {
    let owner = Principal::parse(name)?;
    let settings = desk.settings();
    let answers = scopes
        .iter()
        .any(|scope| *scope != Scope::Decide && *scope != Scope::Metrics);
    if answers && settings.directory.is_agent(&owner) {
        let message = format!("`{owner}` is an agent: its tokens are for `decide` alone");
        return Err(Trouble::refused("agent", message));
    }
    Ok(owner)
}

fn say(id: &str, text: &str, format: Format, shell: &mut Shell) -> Result<(), Trouble> {
    match format {
        Format::Json => print(&json!({ "id": id, "token": text }), &mut shell.out),
        Format::Text => {
            writeln!(shell.out, "{text}")?;
            shell.tell(&format!("its id is {id}; the token is not to be had again"));
            Ok(())
        }
    }
}

fn list(access: &Access, now: Timestamp, format: Format, shell: &mut Shell) -> Result<(), Trouble> {
    let mut tokens = access.tokens().map_err(|problem| trouble(&problem))?;
    tokens.sort_by(|one, other| (&one.owner, one.made).cmp(&(&other.owner, other.made)));
    if format == Format::Json {
        let tokens: Vec<_> = tokens.iter().map(data).collect();
        return print(&json!({ "tokens": tokens }), &mut shell.out);
    }
    if tokens.is_empty() {
        writeln!(shell.out, "nothing")?;
    }
    for token in &tokens {
        let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        let until = match token.until {
            None => String::new(),
            Some(until) if until <= now => ", over".to_owned(),
            Some(until) => format!(", until {}", format_timestamp(until)),
        };
        let (id, owner, scopes) = (&token.id, &token.owner, scopes.join(","));
        writeln!(shell.out, "{id}  {owner}  for {scopes}{until}")?;
    }
    Ok(())
}

fn data(token: &Token) -> serde_json::Value {
    json!({
        "id": token.id,
        "owner": token.owner,
        "scopes": token.scopes,
        "made": format_timestamp(token.made),
        "by": token.by,
        "until": token.until.map(format_timestamp),
    })
}

fn trouble(problem: &Problem) -> Trouble {
    Trouble::unusable(problem.code(), problem.detail())
}
