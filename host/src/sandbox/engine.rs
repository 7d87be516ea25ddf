//! How wasmtime is set up: deterministic, small, and ready for a fresh instance per call.

use std::io;
use std::thread;
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OperatorCost,
    PoolingAllocationConfig, VariableOperatorCost, WasmBacktraceDetails, WasmFeatures,
};

use super::limits::MEMORY_BYTES_MAX;

/// How often the clock that ends overlong calls moves.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// The native stack that a call may use, in bytes. A blocking thread has twice that.
const STACK_BYTES: usize = 1024 * 1024;
/// How many instances can be alive at one time. Each reserves 4 GiB of address space, which some machines do not give;
/// then the next smaller pool is tried. A call is quickest in a slot where its module ran before: with fewer slots than
/// modules each call maps another module's memory, which takes as long again as the call.
const POOL_SLOTS: [u32; 4] = [4_000, 1_000, 250, 50];
/// What the pool resets in place after a call, in bytes, rather than giving it back to the kernel: the stack, data and
/// static region of a module that the SDK made.
const RESIDENT_BYTES: usize = 128 * 1024;
/// The same for a module's function table, in bytes.
const TABLE_RESIDENT_BYTES: usize = 8 * 1024;
/// The most functions that a module may call through pointers.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Fuel for each page of memory that a module asks for: about what the kernel's work is worth.
const MEMORY_GROW_FUEL: u8 = 250;

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The machine lacks something that wasmtime needs.
    #[error("wasmtime cannot be set up on this machine: {0}")]
    Engine(String),
    /// The thread that moves the clock cannot be started.
    #[error("the sandbox's clock cannot be started")]
    Clock(#[source] io::Error),
}

/// Returns an engine with a running clock, with the largest pool that the machine gives.
pub(super) fn open() -> Result<Engine, SandboxError> {
    let pooled = POOL_SLOTS.iter().find_map(|&slots| {
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
        Engine::new(&config).ok()
    });
    let engine = match pooled {
        Some(engine) => engine,
        None => {
            let engine = Engine::new(&config());
            let engine = engine.map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
            tracing::warn!("no address space for a pool of instances: every call will be slower");
            engine
        }
    };
    let clock = engine.weak();
    let thread = thread::Builder::new().name("sandbox-clock".to_owned());
    thread.spawn(move || run_clock(&clock)).map_err(SandboxError::Clock)?;
    Ok(engine)
}

/// Returns an engine that compiles as the others do, on one thread, and in which nothing is ever run.
pub(super) fn compiling() -> Result<Engine, SandboxError> {
    let mut config = config();
    config.parallel_compilation(false);
    Engine::new(&config).map_err(|error| SandboxError::Engine(format!("{error:#}")))
}

/// Moves the clock until the engine is gone.
fn run_clock(engine: &EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        thread::sleep(TICK);
    }
}

fn config() -> Config {
    let variable = VariableOperatorCost {
        memory_grow_per_page: MEMORY_GROW_FUEL,
        ..VariableOperatorCost::new()
    };
    // What no module needs, or what could make two runs differ.
    let features = WasmFeatures::THREADS
        | WasmFeatures::SHARED_EVERYTHING_THREADS
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::GC
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::LEGACY_EXCEPTIONS
        | WasmFeatures::MEMORY64
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::STACK_SWITCHING;
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_features(features, false)
        // On by default, and three times the price of a call.
        .concurrency_support(false)
        .consume_fuel(true)
        .operator_cost(OperatorCost { variable, ..OperatorCost::new() })
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .max_wasm_stack(STACK_BYTES)
        .memory_init_cow(true)
        // Never touched unless a call traps: it says where.
        .generate_address_map(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false);
    config
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(4))
        .total_memories(slots)
        .total_tables(slots.saturating_mul(2))
        .max_memory_size(MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_unused_warm_slots(slots)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(TABLE_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}
