//! Why a command on escalations did not do its work, and how that is said.
//!
//! In: what the desk, the store or the files answered. Out: a message on standard error, with
//! `--format json` an object on standard output, and an exit code.
//! Invariant: a refusal is 1; what cannot be used, found or stored is 2.

use std::io::{self, Write};

use serde_json::json;

use super::Format;
use crate::cli::shell::{Answer, Failure, Shell};
use crate::desk::DeskError;
use crate::engine::EngineError;
use crate::escalation::{PrincipalError, Refusal};
use crate::files::FilesError;
use crate::files::config::ConfigError;
use crate::store::{StoreError, StoreErrorKind};

/// Why a command did not do its work.
#[derive(Debug)]
pub(in crate::cli) enum Trouble {
    /// The desk did not do it.
    Desk(DeskError),
    /// This command line refuses it.
    Refused(&'static str, String),
    /// What was given cannot be used.
    Unusable(&'static str, String),
    /// As for every other command.
    Failure(Failure),
}

impl Trouble {
    pub(in crate::cli) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(code, message.into())
    }

    pub(in crate::cli) fn unusable(code: &'static str, message: impl Into<String>) -> Self {
        Self::Unusable(code, message.into())
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Desk(error) => error.code(),
            Self::Refused(code, _) | Self::Unusable(code, _) => code,
            Self::Failure(_) => "unusable",
        }
    }

    pub(in crate::cli) fn message(&self) -> String {
        match self {
            Self::Desk(DeskError::Refused(refusal)) => match hint(refusal) {
                Some(hint) => format!("{refusal}; {hint}"),
                None => refusal.to_string(),
            },
            Self::Desk(error) => error.to_string(),
            Self::Refused(_, message) | Self::Unusable(_, message) => message.clone(),
            Self::Failure(failure) => failure.to_string(),
        }
    }

    /// Whether the rules refuse it, and nothing is broken.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(..) => true,
            Self::Desk(DeskError::Store(error)) => error.kind == StoreErrorKind::Refused,
            Self::Desk(error) => matches!(
                error,
                DeskError::Refused(_)
                    | DeskError::Conflict { .. }
                    | DeskError::Evidence(_)
                    | DeskError::NotJson(_)
                    | DeskError::Erased
            ),
            Self::Unusable(..) | Self::Failure(_) => false,
        }
    }
}

/// What the person may do next, where the reason alone does not say it.
fn hint(refusal: &Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::NotEligible(_) => "`laneway escalations show` says who is",
        Refusal::Changed { .. } => "look at it with `laneway escalations show` before you vote",
        Refusal::NoReason => "give one with `--reason`",
        Refusal::WhichLane(_) => "give it with `--lane`",
        Refusal::OtherAction { .. } => "the permission stays, for what was approved",
        Refusal::Lapsed(_) => "the action is to be asked for anew",
        Refusal::Involved(_) => "someone else has to answer",
        _ => return None,
    })
}

/// Ends a command: says what was in its way, and gives the exit code.
pub(in crate::cli) fn end(
    done: Result<(), Trouble>,
    format: Format,
    shell: &mut Shell,
) -> Result<Answer, Failure> {
    let trouble = match done {
        Ok(()) => return Ok(Answer::Fine),
        Err(Trouble::Failure(Failure::Closed)) => return Err(Failure::Closed),
        Err(trouble) => trouble,
    };
    if format == Format::Json {
        let error = json!({ "error": { "code": trouble.code(), "message": trouble.message() } });
        writeln!(shell.out, "{error}")?;
    }
    if trouble.is_refusal() {
        let word = shell.error_paint.bad("refused");
        shell.tell(&format!("{word}: {}", trouble.message()));
        return Ok(Answer::Findings);
    }
    match trouble {
        Trouble::Failure(failure) => Err(failure),
        trouble => Err(Failure::Unusable(trouble.message())),
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => DeskError::from(error).into(),
            error => Self::unusable(error.code(), error.to_string()),
        }
    }
}

impl From<DeskError> for Trouble {
    fn from(error: DeskError) -> Self {
        Self::Desk(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Desk(DeskError::Store(error))
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Failure(error.into())
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<FilesError> for Trouble {
    fn from(error: FilesError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<PrincipalError> for Trouble {
    fn from(error: PrincipalError) -> Self {
        Self::unusable("name", error.to_string())
    }
}
