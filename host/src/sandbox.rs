//! The fenced yard: the only place for wasmtime.
//!
//! A module is a pure function. It imports nothing, and every call runs in an instance of its own that is thrown away
//! afterwards, so nothing of one lead reaches the next and every call can be repeated. Fuel decides how long a call may
//! take, the same on every machine; the wall clock only catches what fuel cannot. Whatever a module does, the worst that
//! comes out is a [`Forfeit`].
//!
//! Everything here blocks. Callers in async code go through `spawn_blocking`.

use std::time::Duration;

use wasmtime::Engine;

use crate::ids::Digest;

mod admission;
mod bindings;
mod call;
mod engine;
mod filter;
mod normalizer;
mod snapshot;
mod survey;

pub use admission::{Inadmissible, world};
pub use call::Forfeit;
pub use engine::SandboxError;
pub use filter::{ConfigureError, ConfiguredFilter, Evaluated, Filter, Need, Verdict};
pub use normalizer::{
    DIALECTS_MAX, Dialect, Envelope, Normalized, Normalizer, Outcome, Refusal, RefusalCode,
    Rendered, SourceVerdict, Stage, Submission, Syntax,
};

/// The largest module, in bytes. A filter of the SDK has about a hundred thousand.
pub const MODULE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The largest function in a module, in bytes: compiling takes more than linear time in it.
pub const FUNCTION_BYTES_MAX: usize = 512 * 1024;
/// The most functions in a module.
pub const FUNCTIONS_MAX: usize = 20_000;
/// The most memory that any call has, in bytes.
pub const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a normalizer may spend on one submission: about 50 ms of one core.
const NORMALIZER_FUEL: u64 = 100_000_000;
const NORMALIZER_MEMORY_BYTES: usize = 32 * 1024 * 1024;
const NORMALIZER_WALL: Duration = Duration::from_millis(500);
/// A lead of the largest submission, several times over.
const NORMALIZER_OUTPUT_BYTES: usize = 1024 * 1024;

/// What a filter may spend on one lead before the first campaign: about 1 ms of one core.
const FILTER_FUEL: u64 = 2_000_000;
/// What it may spend on each campaign besides: some hundred times what a list of ZIP codes takes.
const FILTER_FUEL_PER_SLOT: u64 = 200_000;
const FILTER_MEMORY_BYTES: usize = MEMORY_BYTES_MAX;
const FILTER_WALL: Duration = Duration::from_millis(100);
const FILTER_OUTPUT_BYTES: usize = 256 * 1024;

/// What a filter may spend on the settings of all its campaigns: about a second of one core.
const CONFIGURE_FUEL: u64 = 2_000_000_000;
const CONFIGURE_WALL: Duration = Duration::from_secs(5);

/// What a module may spend on saying what it is.
const DESCRIBE_FUEL: u64 = 20_000_000;
const DESCRIBE_WALL: Duration = Duration::from_millis(500);

/// What one call may use.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// WebAssembly operations, roughly: the same number on every machine.
    pub fuel: u64,
    /// All linear memory together, in bytes.
    pub memory_bytes: usize,
    /// Time on the clock. It only catches what fuel does not, and is coarse.
    pub wall: Duration,
    /// What the call may return, in bytes.
    pub output_bytes: usize,
}

/// What modules may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A normalizer's call for one submission or answer.
    pub normalizer: CallLimits,
    /// A filter's call for one lead.
    pub filter: CallLimits,
    /// Fuel for each campaign that a filter judges, beside its call's.
    pub filter_fuel_per_slot: u64,
    /// A filter's preparation for the settings of all its campaigns.
    pub configure: CallLimits,
    /// A module's description of itself.
    pub describe: CallLimits,
    /// The size of a module.
    pub module_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let filter = CallLimits {
            fuel: FILTER_FUEL,
            memory_bytes: FILTER_MEMORY_BYTES,
            wall: FILTER_WALL,
            output_bytes: FILTER_OUTPUT_BYTES,
        };
        let normalizer = CallLimits {
            fuel: NORMALIZER_FUEL,
            memory_bytes: NORMALIZER_MEMORY_BYTES,
            wall: NORMALIZER_WALL,
            output_bytes: NORMALIZER_OUTPUT_BYTES,
        };
        Self {
            normalizer,
            filter,
            filter_fuel_per_slot: FILTER_FUEL_PER_SLOT,
            configure: CallLimits { fuel: CONFIGURE_FUEL, wall: CONFIGURE_WALL, ..filter },
            describe: CallLimits { fuel: DESCRIBE_FUEL, wall: DESCRIBE_WALL, ..normalizer },
            module_bytes_max: MODULE_BYTES_MAX,
        }
    }
}

/// Where modules run. One for the whole process; a clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct Sandbox {
    engine: Engine,
    limits: Limits,
}

/// A module that may be called.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// Makes leads of one vertical from any source's bytes.
    Normalizer(Normalizer),
    /// Decides for a buyer's campaigns.
    Filter(Filter),
}

impl Admitted {
    /// Returns the digest of the module's bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Normalizer(normalizer) => normalizer.digest(),
            Self::Filter(filter) => filter.digest(),
        }
    }

    /// Returns the name of the world that the module is of.
    pub const fn world(&self) -> &'static str {
        match self {
            Self::Normalizer(_) => "normalizer",
            Self::Filter(_) => "filter",
        }
    }
}

impl Sandbox {
    /// Opens the sandbox and starts the thread that ends calls which outstay their time.
    pub fn open(limits: &Limits) -> Result<Self, SandboxError> {
        Ok(Self { engine: engine::open()?, limits: *limits })
    }

    /// Returns what calls may use unless they are told otherwise.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Checks a module, compiles it and asks what it is. Takes some 100 ms.
    pub fn admit(&self, wasm: &[u8]) -> Result<Admitted, Inadmissible> {
        admission::admit(&self.engine, &self.limits, wasm)
    }
}
