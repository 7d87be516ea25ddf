//! One call: a store with its fence, and what is left when a module breaks it.

use wasmtime::{
    Engine, FrameInfo, PoolConcurrencyLimitError, ResourceLimiter, Store, Trap, WasmBacktrace,
};

use super::engine::{TABLE_ELEMENTS_MAX, TICK};
use super::limits::CallLimits;
use super::lines::Lines;

/// What is shown of a function's name, in bytes: that of a generic one may be very long.
const NAME_BYTES_MAX: usize = 160;
/// Ticks that a call gets beyond its time: the clock stands anywhere between two ticks when the call begins, and its
/// thread may be late.
const SPARE_TICKS: u64 = 2;

/// Why a call brought nothing. The module's fault, save for [`Forfeit::NoRoom`]; the exchange goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forfeit {
    /// It took more operations than it may.
    #[error("it used up its fuel")]
    OutOfFuel,
    /// It took more time than it may. Not deterministic: a record must keep it.
    #[error("it used up its time")]
    OutOfTime,
    /// It asked for more memory than it may.
    #[error("it used up its memory")]
    OutOfMemory,
    /// It failed: a panic in Rust ends as `unreachable`.
    #[error("it trapped: {0}")]
    Trapped(String),
    /// It returned something that the contract does not allow.
    #[error("its answer breaks the contract: {0}")]
    BadOutput(String),
    /// Too many calls run at this moment. Not the module's fault.
    #[error("the sandbox has no room for another call")]
    NoRoom,
}

impl Forfeit {
    /// Says whether the module fails so on every machine and every day.
    pub const fn is_of_the_module(&self) -> bool {
        !matches!(self, Self::OutOfTime | Self::NoRoom)
    }

    /// Returns the word for records and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfFuel => "out-of-fuel",
            Self::OutOfTime => "out-of-time",
            Self::OutOfMemory => "out-of-memory",
            Self::Trapped(_) => "trapped",
            Self::BadOutput(_) => "bad-output",
            Self::NoRoom => "no-room",
        }
    }
}

/// What a store's memory may grow to.
#[derive(Debug)]
pub(super) struct Fence {
    memory_bytes_left: usize,
    memory_refused: bool,
}

impl ResourceLimiter for Fence {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match self.memory_bytes_left.checked_sub(desired.saturating_sub(current)) {
            Some(left) => self.memory_bytes_left = left,
            None => self.memory_refused = true,
        }
        Ok(!self.memory_refused)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

/// Returns a store in which one call can run.
pub(super) fn store(engine: &Engine, limits: &CallLimits) -> Result<Store<Fence>, Forfeit> {
    let fence = Fence { memory_bytes_left: limits.memory_bytes, memory_refused: false };
    let mut store = Store::new(engine, fence);
    store.limiter(|fence| fence);
    store.set_fuel(limits.fuel).map_err(|error| Forfeit::Trapped(error.to_string()))?;
    let ticks = limits.wall.as_millis().div_ceil(TICK.as_millis());
    store.set_epoch_deadline(u64::try_from(ticks).unwrap_or(u64::MAX / 2) + SPARE_TICKS);
    store.set_hostcall_fuel(limits.output_bytes);
    Ok(store)
}

/// Returns the fuel that the call in this store has used, and the memory that it has, in bytes.
pub(super) fn spent(store: &Store<Fence>, limits: &CallLimits) -> (u64, u64) {
    let fuel = limits.fuel.saturating_sub(store.get_fuel().unwrap_or_default());
    let memory = limits.memory_bytes.saturating_sub(store.data().memory_bytes_left);
    (fuel, u64::try_from(memory).unwrap_or(u64::MAX))
}

/// Says what a failed call means.
pub(super) fn forfeit(store: &Store<Fence>, error: &wasmtime::Error, lines: &Lines) -> Forfeit {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Forfeit::OutOfFuel,
        Some(Trap::Interrupt) => Forfeit::OutOfTime,
        _ if store.data().memory_refused => Forfeit::OutOfMemory,
        Some(trap) => {
            let trap = trap.to_string();
            let trap = trap.strip_prefix("wasm trap: ").unwrap_or(&trap);
            let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], |b| b.frames());
            let what = panicked(frames).unwrap_or(trap);
            Forfeit::Trapped(match culprit(frames, lines) {
                Some(place) => format!("{what} {place}"),
                None => what.to_owned(),
            })
        }
        None if error.is::<PoolConcurrencyLimitError>() => Forfeit::NoRoom,
        None => Forfeit::BadOutput(error.root_cause().to_string()),
    }
}

/// What Rust's own functions are called for that end in a trap. The first that is found in a name counts.
const PANICS: [(&str, &str); 14] = [
    ("panic_bounds_check", "panicked (an index is out of bounds)"),
    ("slice_index_fail", "panicked (the range of a slice is out of bounds)"),
    ("slice::index::", "panicked (the range of a slice is out of bounds)"),
    ("slice_error_fail", "panicked (the range of a text is out of bounds or within a character)"),
    ("option::unwrap_failed", "panicked (`unwrap` of a `None`)"),
    ("option::expect_failed", "panicked (`expect` of a `None`)"),
    ("result::unwrap_failed", "panicked (`unwrap` or `expect` of an `Err`)"),
    ("panic_const_div_by_zero", "panicked (a division by zero)"),
    ("panic_const_rem_by_zero", "panicked (a division by zero)"),
    ("_overflow", "panicked (a number overflowed)"),
    ("panic_already_", "panicked (a `RefCell` is borrowed twice)"),
    ("handle_alloc_error", "panicked (its memory is full)"),
    ("panicking::assert_failed", "panicked (an assertion does not hold)"),
    ("panicking::panic", "panicked"),
];

/// Says why a module of Rust trapped, as far as the names of what it called tell.
fn panicked(frames: &[FrameInfo]) -> Option<&'static str> {
    let names: Vec<String> = frames.iter().filter_map(name).collect();
    let found = |part: &str| names.iter().any(|name| name.contains(part) && is_library(name));
    PANICS.iter().find(|(part, _)| found(part)).map(|(_, what)| *what)
}

/// Returns the innermost place that is the author's own: the line if the module says it, else the function's name.
fn culprit(frames: &[FrameInfo], lines: &Lines) -> Option<String> {
    let line = frames.iter().find_map(|frame| {
        let offset = u32::try_from(frame.func_offset()?).ok()?;
        lines.find(frame.func_index(), offset)
    });
    if let Some((file, line, within)) = line {
        return Some(format!("at {file}:{line} in {}", without_hashes(within)));
    }
    let names = frames.iter().filter_map(name);
    names.into_iter().find(|name| !is_library(name)).map(|name| format!("in {}", shown(&name)))
}

fn name(frame: &FrameInfo) -> Option<String> {
    let name = format!("{:#}", rustc_demangle::demangle(frame.func_name()?));
    Some(without_hashes(&name))
}

/// Returns what is shown of a name, which is whatever the module says.
fn shown(name: &str) -> String {
    let cut = name.get(..name.floor_char_boundary(NAME_BYTES_MAX)).unwrap_or_default();
    let end = if cut.len() < name.len() { "…" } else { "" };
    format!("{}{end}", cut.replace(char::is_control, "?"))
}

/// Says whether a function is of the libraries that every module of Rust has.
fn is_library(name: &str) -> bool {
    let libraries =
        ["core::", "alloc::", "std::", "__rust", "_rust", "rust_", "guest_sdk::", "abort"];
    let name = name.trim_start_matches(['<', '&']);
    libraries.iter().any(|library| name.starts_with(library))
}

/// Removes what rustc adds to a name to make it unique: `[0123456789abcdef]` behind a crate, `::h0123456789abcdef` at
/// the end.
fn without_hashes(name: &str) -> String {
    let is_hash = |text: &str| text.len() >= 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if is_hash(hash) => name,
        _ => name,
    };
    let mut parts = name.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if is_hash(hash) => plain.push_str(rest),
            _ => {
                plain.push('[');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_its_author_wrote_it() {
        for (name, shown) in [
            ("recurses::deeper::h5cf4f07a4e5b83c5", "recurses::deeper"),
            (
                "std[a543996e6e7dbf1e]::panicking::panic_with_hook",
                "std::panicking::panic_with_hook",
            ),
            ("<[u8] as traps::Trap>::call", "<[u8] as traps::Trap>::call"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_hashes(name), shown);
        }
    }

    #[test]
    fn a_name_is_shown_on_one_line_and_not_at_any_length() {
        assert_eq!(shown("zips::judge"), "zips::judge");
        assert_eq!(shown("zips\n\u{1b}[31m\u{0}"), "zips??[31m?");
        let long = shown(&"é".repeat(1_000));
        assert_eq!(long, format!("{}…", "é".repeat(NAME_BYTES_MAX / 2)));
    }
}
