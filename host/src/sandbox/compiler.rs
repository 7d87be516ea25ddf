//! Compiling a module without risk to the exchange: in a process of its own, that may be killed.
//!
//! Compiling is the one thing that an upload makes the exchange do with native code and no fuel. There are components of
//! a few kilobytes that take minutes and gigabytes, and shapes on which the compiler gives up with a panic. So the
//! program runs itself once more for each compilation, as `gavel compile-worker`: the component goes in on standard
//! input, the compiled code comes back on standard output, and whatever happens to that process happens to nobody else.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

use super::inadmissible::Inadmissible;
use super::limits::CompileLimits;

/// The command by which the program compiles one module.
pub const WORKER_COMMAND: &str = "compile-worker";
/// The exit code of a worker that got something it cannot compile.
pub(super) const NOT_VALID: u8 = 1;

/// How many modules are compiled at once; more wait. Each may take a whole [`CompileLimits`].
const WORKERS_MAX: usize = 4;
/// How many of them are compiled only to look at them: the other turns are kept for what serves.
const LOOKS_MAX: usize = 2;
/// The most compiled code that is taken from a worker, in bytes: a module of the largest size has a quarter of it.
const ARTIFACT_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// The one variable that a worker has: its allocator reserves address space in small parts, not a gigabyte at once.
const ARENA: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "32MiB");
/// In what the kernel counts a process's time on the CPU: the same on every machine that it tells it on.
const TICKS_PER_SECOND: u64 = 100;
/// What is read of a worker's complaints, in bytes.
const COMPLAINT_BYTES_MAX: u64 = 4_096;

/// What a module is compiled for. Whoever uploads waits for uploads, and nobody who serves waits for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To look at it: an upload, a comparison, a schema.
    #[default]
    Look,
    /// To serve with it: some turns are for this alone.
    Serve,
}

/// Where modules are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// In this process, without limits: for benches, for tests, and for programs that have no [`WORKER_COMMAND`], where
    /// every module is one's own.
    InProcess,
    /// In a process of its own for each module, with limits: for whoever takes modules from others.
    Child {
        /// The program that has [`WORKER_COMMAND`]: this one, or `gavel` of the same build.
        program: PathBuf,
    },
}

impl Compiler {
    /// Compiles in child processes of the running program, which must have [`WORKER_COMMAND`].
    pub fn this_program() -> Self {
        // The kernel's name for it stays right when the file is replaced while it runs.
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { Ok(running) } else { std::env::current_exe() };
        program.map_or(Self::InProcess, |program| Self::Child { program })
    }

    /// Compiles a component.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        (limits, purpose): (&CompileLimits, Purpose),
        wasm: &[u8],
    ) -> Result<Vec<u8>, Inadmissible> {
        match self {
            Self::InProcess => engine
                .precompile_component(wasm)
                .map_err(|error| Inadmissible::Invalid(error.root_cause().to_string())),
            Self::Child { program } => {
                let _turn = Turn::wait(purpose);
                let mut command = Command::new(program);
                command.arg(WORKER_COMMAND);
                command.args(["--memory-bytes", &limits.memory_bytes.to_string()]);
                command.args(["--cpu-seconds", &limits.cpu.as_secs().to_string()]);
                command.env_clear().env(ARENA.0, ARENA.1).current_dir("/");
                let ended = run(command, limits, wasm);
                let ended = ended.map_err(|error| Inadmissible::NoCompiler(error.to_string()))?;
                ended.artifact(limits)
            }
        }
    }
}

/// How many compile at this moment.
#[derive(Debug)]
struct Working {
    all: usize,
    looks: usize,
}

impl Working {
    const fn has_room(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Look => self.all < WORKERS_MAX && self.looks < LOOKS_MAX,
            Purpose::Serve => self.all < WORKERS_MAX,
        }
    }

    const fn begin(&mut self, purpose: Purpose) {
        self.all = self.all.saturating_add(1);
        if matches!(purpose, Purpose::Look) {
            self.looks = self.looks.saturating_add(1);
        }
    }

    const fn end(&mut self, purpose: Purpose) {
        self.all = self.all.saturating_sub(1);
        if matches!(purpose, Purpose::Look) {
            self.looks = self.looks.saturating_sub(1);
        }
    }
}

static WORKING: Mutex<Working> = Mutex::new(Working { all: 0, looks: 0 });
static DONE: Condvar = Condvar::new();

/// The right to have a worker.
struct Turn(Purpose);

impl Turn {
    fn wait(purpose: Purpose) -> Self {
        let working = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
        let free = DONE.wait_while(working, |working| !working.has_room(purpose));
        free.unwrap_or_else(PoisonError::into_inner).begin(purpose);
        Self(purpose)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        WORKING.lock().unwrap_or_else(PoisonError::into_inner).end(self.0);
        // Not all who wait may have this turn.
        DONE.notify_all();
    }
}

/// What a worker left.
struct Ended {
    /// `None` if it was killed because of the clock.
    status: Option<ExitStatus>,
    /// The time on the CPU that it had taken when it was killed, if that is known.
    worked: Option<Duration>,
    output: Vec<u8>,
    complaint: String,
}

fn run(mut command: Command, limits: &CompileLimits, wasm: &[u8]) -> io::Result<Ended> {
    let piped = || Stdio::piped();
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn()?;
    let (input, output, complaints) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let (done, finished) = mpsc::channel();
        scope.spawn(move || {
            // One that has ended early says itself why it did not want the rest.
            input.map(|mut input| input.write_all(wasm));
        });
        scope.spawn(move || {
            let output = read(output, ARTIFACT_BYTES_MAX);
            let complaint = read(complaints, COMPLAINT_BYTES_MAX);
            // The receiver waits, or it has killed the worker and wants nothing more.
            let _ = done.send((output, complaint));
        });
        let read = finished.recv_timeout(limits.wall);
        let (status, worked) = match &read {
            Ok(_) => (Some(child.wait()?), None),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let worked = worked(child.id());
                kill(&mut child)?;
                (None, worked)
            }
        };
        let (output, complaint) = read.unwrap_or_default();
        let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
        Ok(Ended { status, worked, output, complaint })
    })
}

/// Returns the time on the CPU that a process has taken, if the kernel tells it.
fn worked(process: u32) -> Option<Duration> {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name comes before this and may hold anything.
    let (_, told) = told.rsplit_once(')')?;
    let ticks = told.split_whitespace().skip(11).take(2);
    let ticks: Option<u64> = ticks.map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks?.saturating_mul(1_000 / TICKS_PER_SECOND)))
}

fn kill(child: &mut Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

fn read(pipe: Option<impl Read>, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What broke the pipe shows in how the worker ended.
    let _ = pipe.map(|pipe| pipe.take(bytes_max).read_to_end(&mut bytes));
    bytes
}

impl Ended {
    fn artifact(self, limits: &CompileLimits) -> Result<Vec<u8>, Inadmissible> {
        let too_long = || Inadmissible::CompileTime { seconds_max: limits.cpu.as_secs() };
        let Some(status) = self.status else {
            if self.worked.is_some_and(|worked| worked.saturating_mul(2) < limits.cpu) {
                let why = "the machine is too busy with other work".to_owned();
                return Err(Inadmissible::NoCompiler(why));
            }
            return Err(Inadmissible::CompileTime { seconds_max: limits.wall.as_secs() });
        };
        if status.success() && !self.output.is_empty() {
            return Ok(self.output);
        }
        let output = String::from_utf8_lossy(&self.output);
        // In this order: the allocator, cranelift, the kernel, and the kernel where a thread wants its stack.
        let out_of_memory =
            ["memory allocation of", "out-of-memory error", "os error 12", "os error 11"];
        if [&output, self.complaint.as_str()]
            .iter()
            .any(|said| out_of_memory.iter().any(|words| said.contains(words)))
        {
            let megabytes_max = limits.memory_bytes / (1024 * 1024);
            return Err(Inadmissible::CompileMemory { megabytes_max });
        }
        match (status.code(), status.signal()) {
            (Some(code), _) if code == i32::from(NOT_VALID) => {
                Err(Inadmissible::Invalid(output.trim().to_owned()))
            }
            (_, Some(signal)) if signal == rustix::process::Signal::XCPU.as_raw() => {
                Err(too_long())
            }
            // Where there is something to quote, its first lines say where the compiler gave up.
            _ if self.complaint.is_empty() => Err(Inadmissible::Compiler(status.to_string())),
            _ => {
                let said = self.complaint.lines().take(2).collect::<Vec<_>>().join(" ");
                Err(Inadmissible::Compiler(format!("{status}: {said}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_turns_are_for_what_serves_alone() {
        let mut working = Working { all: 0, looks: 0 };
        let mut looks = 0;
        while working.has_room(Purpose::Look) {
            working.begin(Purpose::Look);
            looks += 1;
        }
        assert_eq!(looks, LOOKS_MAX);
        assert!(working.has_room(Purpose::Serve));
        for _ in LOOKS_MAX..WORKERS_MAX {
            working.begin(Purpose::Serve);
        }
        assert!(!working.has_room(Purpose::Serve) && !working.has_room(Purpose::Look));
        working.end(Purpose::Serve);
        assert!(working.has_room(Purpose::Serve) && !working.has_room(Purpose::Look));
    }

    #[test]
    fn what_had_no_cpu_is_not_refused_for_its_time() {
        let limits = crate::sandbox::Limits::default().compile;
        let killed = |worked| {
            let ended =
                Ended { status: None, worked, output: Vec::new(), complaint: String::new() };
            ended.artifact(&limits).unwrap_err().code()
        };
        assert_eq!(killed(Some(Duration::from_secs(1))), "no-compiler");
        assert_eq!(killed(Some(limits.cpu)), "compile-time");
        assert_eq!(killed(None), "compile-time");
        assert!(worked(std::process::id()).is_some());
    }
}
