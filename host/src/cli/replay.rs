//! `gavel replay`.

use super::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, _json: bool) -> Result<(), Failure> {
    Err(Failure::could_not_run("not yet"))
}
