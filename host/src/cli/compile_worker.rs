//! `gavel compile-worker`: the program as a compiler of one module, run by itself and by nobody else.

use super::Failure;
use crate::sandbox::compile_worker;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address space that it may use, in bytes.
    #[arg(long)]
    memory_bytes: u64,
    /// The time on the CPU that it may use, in seconds.
    #[arg(long)]
    cpu_seconds: u64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    compile_worker(args.memory_bytes, args.cpu_seconds)
        .map_err(|error| Failure { code: error.exit_code(), ..Failure::because(&error) })
}
