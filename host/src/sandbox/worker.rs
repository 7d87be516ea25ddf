//! The inside of a compile worker: a process that takes one component, compiles it, and ends.
//!
//! It ties its own hands before it reads the first byte: it can open no file and no socket, write no file, leave no core,
//! and use only so much memory and time. Nothing of the exchange is in it: no environment, no descriptor but its three.

use std::io::{self, Read, Write};
use std::thread;

use rustix::process::{Resource, Rlimit, nice, setrlimit};

use super::compiler::NOT_VALID;
use super::engine;

/// How much the worker stands back for the exchange's own threads.
const NICE: i32 = 5;
/// The stack of the compiler, in bytes: it recurses into what it compiles.
const STACK_BYTES: usize = 32 * 1024 * 1024;
/// The descriptors that a worker keeps: its standard streams.
const DESCRIPTORS: u64 = 3;

/// Why a worker ends without compiled code.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The component cannot be compiled. What was said about it has been written to standard output.
    #[error("the component is not valid")]
    NotValid,
    /// A limit cannot be set, so nothing was read.
    #[error("the limits of the worker cannot be set")]
    Limits(#[source] io::Error),
    /// The worker cannot hear or speak.
    #[error("the component or its code does not come through")]
    Pipe(#[source] io::Error),
    /// The compiler panicked, and has said so.
    #[error("the compiler gave up")]
    Compiler,
    /// The engine cannot be set up.
    #[error("{0}")]
    Engine(String),
}

impl WorkerError {
    /// Returns the exit code by which the process that asked knows what happened.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotValid => NOT_VALID,
            Self::Limits(_) | Self::Pipe(_) | Self::Compiler | Self::Engine(_) => 3,
        }
    }
}

/// Compiles the component on standard input, and writes its code to standard output.
///
/// # Errors
///
/// If the component cannot be compiled or the limits cannot be set. A limit that is passed ends the process.
pub fn compile_worker(memory_bytes: u64, cpu_seconds: u64) -> Result<(), WorkerError> {
    tie_hands(memory_bytes, cpu_seconds).map_err(WorkerError::Limits)?;
    // The stack of the first thread grows as it likes until the limit is met, and then there is no word of why.
    let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn(compile);
    let worker = worker.map_err(WorkerError::Limits)?;
    worker.join().map_err(|_| WorkerError::Compiler)?
}

fn compile() -> Result<(), WorkerError> {
    let mut wasm = Vec::new();
    io::stdin().lock().read_to_end(&mut wasm).map_err(WorkerError::Pipe)?;
    let engine = engine::compiling().map_err(|error| WorkerError::Engine(error.to_string()))?;
    let compiled = engine.precompile_component(&wasm);
    let (said, ended) = match &compiled {
        Ok(code) => (code.as_slice(), Ok(())),
        Err(error) => (&*error.root_cause().to_string().into_bytes(), Err(WorkerError::NotValid)),
    };
    let mut output = io::stdout().lock();
    output.write_all(said).and_then(|()| output.flush()).map_err(WorkerError::Pipe)?;
    ended
}

fn tie_hands(memory_bytes: u64, cpu_seconds: u64) -> io::Result<()> {
    close_inherited()?;
    let limit = |resource, soft: u64, hard: u64| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
    };
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nofile, DESCRIPTORS, DESCRIPTORS)?;
    limit(Resource::As, memory_bytes, memory_bytes)?;
    // The first ends it with a signal that says why, the second in any case.
    limit(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1))?;
    nice(NICE)?;
    Ok(())
}

/// Closes whatever a careless parent left open beyond the standard streams.
fn close_inherited() -> io::Result<()> {
    let entries = std::fs::read_dir("/dev/fd")?;
    let numbers: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in numbers.into_iter().filter(|number| *number > 2) {
        #[expect(
            unsafe_code,
            reason = "the process has just begun: nothing in it owns a descriptor beyond its streams, and the one that \
                      listed these is closed already, so that closing it again does nothing"
        )]
        // SAFETY: no object of this process refers to any of these descriptors.
        unsafe {
            rustix::io::close(descriptor);
        }
    }
    Ok(())
}
