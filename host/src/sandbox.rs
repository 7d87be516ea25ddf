//! The fenced yard: the only place for wasmtime.
//!
//! A module is a pure function. It imports nothing, and every call runs in an instance of its own that is thrown away
//! afterwards, so nothing of one lead reaches the next and every call can be repeated. Fuel decides how long a call may
//! take, the same on every machine; the wall clock only catches what fuel cannot. Whatever a module does, the worst that
//! comes out is a [`Forfeit`].
//!
//! Everything here blocks. Callers in async code go through `spawn_blocking`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::ids::Digest;

mod adapter;
mod admission;
mod bindings;
mod cache;
mod call;
mod compiler;
mod engine;
mod excess;
mod filter;
mod inadmissible;
mod limits;
mod lines;
mod normalizer;
mod original;
mod prune;
mod signature;
mod snapshot;
mod survey;
mod unset;
mod worker;

use cache::Cache;
use call::Fence;

pub use adapter::{
    Adapter, AdapterModule, Ask, BODY_BYTES_MAX, HANDLE_BYTES_MAX, HEADER_NAME_BYTES_MAX,
    HEADER_VALUE_BYTES_MAX, HEADERS_MAX, HttpRequest, HttpResponse, Method, PATH_BYTES_MAX,
    PingOffer, PingReply, PostOffer, PostReply, REPLY_BYTES_MAX, Said, Taken, frame,
    is_kept_header,
};
pub use admission::world;
pub use call::Forfeit;
pub use compiler::{Compiler, Purpose, WORKER_COMMAND};
pub use engine::{SandboxError, TABLE_ELEMENTS_MAX};
pub use excess::Excess;
pub use filter::{Apart, ConfiguredFilter, Evaluated, Filter, Verdict};
pub use inadmissible::Inadmissible;
pub use limits::{
    CallLimits, CompileLimits, FUEL_MAX, FUEL_PER_SLOT_MAX, FilterLimits, LimitFault, Limits,
    MEMORY_BYTES_MAX, MODULE_BYTES_MAX, OUTPUT_BYTES_MAX, WALL_MAX,
};
pub use lines::{LINES_SECTION, Lines};
pub use normalizer::{
    DIALECTS_MAX, Dialect, Envelope, Normalized, Normalizer, Outcome, Refusal, RefusalCode,
    Rendered, SourceVerdict, Stage, Submission, Syntax,
};
pub use signature::ModuleKeys;
pub use unset::{ConfigureError, Need};
pub use worker::{WorkerError, compile_worker};

/// Where modules run. One for the whole process; a clone is a handle to the same.
#[derive(Clone, Debug)]
pub struct Sandbox {
    engine: Engine,
    limits: Limits,
    compiler: Compiler,
    purpose: Purpose,
    cache: Option<Arc<Cache>>,
}

/// A module that may be called.
#[derive(Clone, Debug)]
pub enum Admitted {
    /// Makes leads of one vertical from any source's bytes.
    Normalizer(Normalizer),
    /// Decides for a buyer's campaigns.
    Filter(Filter),
    /// Speaks the dialect of a buyer's system.
    Adapter(AdapterModule),
}

impl Admitted {
    /// Returns the digest of the module's bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Normalizer(normalizer) => normalizer.digest(),
            Self::Filter(filter) => filter.digest(),
            Self::Adapter(adapter) => adapter.digest(),
        }
    }

    /// Returns the name of the world that the module is of.
    pub const fn world(&self) -> &'static str {
        match self {
            Self::Normalizer(_) => "normalizer",
            Self::Filter(_) => "filter",
            Self::Adapter(_) => "adapter",
        }
    }
}

impl Sandbox {
    /// Opens the sandbox and starts the thread that ends calls which outstay their time. No limit is above its ceiling,
    /// whatever is asked for. Modules are compiled in this process and kept in memory, until it is told otherwise.
    ///
    /// # Errors
    ///
    /// If the machine lacks something that wasmtime needs.
    pub fn open(limits: &Limits) -> Result<Self, SandboxError> {
        let (engine, limits) = (engine::open()?, limits.capped());
        let (compiler, purpose) = (Compiler::InProcess, Purpose::default());
        Ok(Self { engine, limits, compiler, purpose, cache: None })
    }

    /// Returns what calls may use unless they are told otherwise.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Compiles modules there from now on.
    #[must_use]
    pub fn with_compiler(self, compiler: Compiler) -> Self {
        Self { compiler, ..self }
    }

    /// Returns a handle to the same sandbox that compiles for this purpose.
    #[must_use]
    pub fn compiling_to(&self, purpose: Purpose) -> Self {
        Self { purpose, ..self.clone() }
    }

    /// Keeps compiled code in an exchange's directory, which must be this process's alone, and takes from there what
    /// an earlier process compiled.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written.
    pub fn with_cache(self, data: &Path) -> io::Result<Self> {
        let cache = Cache::open(data, &self.engine)?;
        Ok(Self { cache: Some(Arc::new(cache)), ..self })
    }

    /// Takes compiled code from an exchange's directory, which may be another process's, and changes nothing there.
    #[must_use]
    pub fn reading_cache(self, data: &Path) -> Self {
        let cache = Cache::open_to_read(data, &self.engine).map(Arc::new);
        Self { cache, ..self }
    }

    /// Checks a module, compiles it and asks what it is. Takes some 100 ms, or 5 if the compiled code is at hand.
    ///
    /// # Errors
    ///
    /// What is wrong with the module, and how to mend it.
    pub fn admit(&self, wasm: &[u8]) -> Result<Admitted, Inadmissible> {
        admission::admit(self, wasm)
    }

    /// Returns a component ready to be instantiated; it gets nothing from outside.
    fn compile(&self, wasm: &[u8]) -> Result<InstancePre<Fence>, Inadmissible> {
        let invalid =
            |error: wasmtime::Error| Inadmissible::Invalid(error.root_cause().to_string());
        let component = self.component(wasm)?;
        Linker::new(&self.engine).instantiate_pre(&component).map_err(invalid)
    }

    fn component(&self, wasm: &[u8]) -> Result<Component, Inadmissible> {
        let digest = Digest::of(wasm);
        if let Some(component) =
            self.cache.as_ref().and_then(|cache| cache.load(&self.engine, digest))
        {
            metrics::counter!("gavel_module_cache_hits_total").increment(1);
            return Ok(component);
        }
        let began = Instant::now();
        let code =
            self.compiler.compile(&self.engine, (&self.limits.compile, self.purpose), wasm)?;
        metrics::counter!("gavel_module_compiles_total").increment(1);
        metrics::histogram!("gavel_module_compile_seconds").record(began.elapsed());
        if let Some(cache) = &self.cache {
            match cache.keep(&self.engine, digest, &code) {
                Ok(component) => return Ok(component),
                Err(error) => tracing::warn!(%error, "compiled code cannot be kept on the disk"),
            }
        }
        cache::take(&self.engine, &code)
            .map_err(|error| Inadmissible::Compiler(error.root_cause().to_string()))
    }
}
