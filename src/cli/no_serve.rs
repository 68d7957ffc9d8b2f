//! `laneway serve` and `laneway access` of a program that was built without the service.

use super::shell::{Answer, Failure, Shell};

/// Of the service, which is not in this build
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What would be served
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _any: Vec<String>,
}

pub(super) fn run(_: &Args, _: &mut Shell) -> Result<Answer, Failure> {
    let message = "this program was built without the feature `server`";
    Err(Failure::Unusable(message.to_owned()))
}
