//! Which modules may be called, and what to say about the others.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};

use super::call::{Fence, Forfeit};
use super::survey::{Other, Survey, survey};
use super::{Admitted, FUNCTION_BYTES_MAX, FUNCTIONS_MAX, Filter, Limits, Normalizer};
use crate::lead::SchemaFaults;

/// What a filter exports.
pub(super) const FILTERING: &str = "gavel:rules/filtering@1.0.0";
/// What a normalizer exports.
pub(super) const NORMALIZATION: &str = "gavel:rules/normalization@1.0.0";
/// What every version of the contract begins with.
const CONTRACT: &str = "gavel:rules/";

/// Why a module is refused: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inadmissible {
    /// Larger than a module may be, in bytes.
    TooLarge { bytes: usize, max: usize },
    /// Not WebAssembly.
    NotWasm,
    /// A core module that was not made a component.
    CoreModule,
    /// Not valid, or of a feature of WebAssembly that is switched off.
    Invalid(String),
    /// It wants something from outside.
    Imports(Vec<String>),
    /// It begins with more memory than it may have, in bytes.
    Memory { bytes: u64, max: usize },
    /// It has more functions than a module may.
    Functions { functions: usize, max: usize },
    /// It has a function that is larger than it may be, in bytes.
    FunctionTooLarge { bytes: usize, max: usize },
    /// It was built for another version of the contract.
    OtherVersion(String),
    /// It is neither a filter nor a normalizer.
    OtherWorld(Vec<String>),
    /// It is both a filter and a normalizer.
    BothWorlds,
    /// It exports the right names with other types.
    OtherTypes(String),
    /// It cannot be kept as it is after `configure`.
    NotKeepable(String),
    /// It does not say what it is.
    Silent(Forfeit),
    /// Its schema contradicts itself.
    Schema(SchemaFaults),
    /// What it says of itself breaks the contract.
    Description(String),
}

impl Inadmissible {
    /// Returns the word for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::NotWasm => "not-wasm",
            Self::CoreModule => "core-module",
            Self::Invalid(_) => "invalid",
            Self::Imports(_) => "imports",
            Self::Memory { .. } => "memory",
            Self::Functions { .. } => "functions",
            Self::FunctionTooLarge { .. } => "function-too-large",
            Self::OtherVersion(_) => "other-version",
            Self::OtherWorld(_) => "other-world",
            Self::BothWorlds => "both-worlds",
            Self::OtherTypes(_) => "other-types",
            Self::NotKeepable(_) => "not-keepable",
            Self::Silent(_) => "silent",
            Self::Schema(_) => "schema",
            Self::Description(_) => "description",
        }
    }
}

impl std::error::Error for Inadmissible {}

impl fmt::Display for Inadmissible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, max } => write!(
                f,
                "the module has {bytes} bytes, and at most {max} are possible: build it with `gavel module build`, \
                 which optimises for size, and move large tables into the settings"
            ),
            Self::NotWasm => f.write_str(
                "this is not WebAssembly: upload the .wasm file that `gavel module build` writes",
            ),
            Self::CoreModule => f.write_str(
                "this is a core module, not a component: build it with `gavel module build`, which wraps it",
            ),
            Self::Invalid(fault) => write!(
                f,
                "the module is not valid here: {fault}; build it with `gavel module build`, which uses only what the \
                 sandbox has"
            ),
            Self::Imports(imports) => show_imports(f, imports),
            Self::Memory { bytes, max } => write!(
                f,
                "the module begins with {bytes} bytes of memory, and at most {max} are possible: make its static \
                 arrays smaller"
            ),
            Self::Functions { functions, max } => write!(
                f,
                "the module has {functions} functions, and at most {max} are possible: leave out dependencies"
            ),
            Self::FunctionTooLarge { bytes, max } => write!(
                f,
                "one function has {bytes} bytes, and at most {max} are possible: make a long `match` or generated code \
                 a table"
            ),
            Self::OtherVersion(found) => write!(
                f,
                "the module was built for `{found}`, and this exchange speaks `{FILTERING}` and `{NORMALIZATION}`: \
                 build it with the guest-sdk of this exchange"
            ),
            Self::OtherWorld(found) => {
                let found = match found.as_slice() {
                    [] => "nothing".to_owned(),
                    found => quoted(found),
                };
                write!(
                    f,
                    "the module is neither a filter nor a normalizer: it exports {found}; end it with \
                     `guest_sdk::export_filter!` or `guest_sdk::export_normalizer!`"
                )
            }
            Self::BothWorlds => f.write_str(
                "the module is a filter and a normalizer at once: make two modules of it",
            ),
            Self::OtherTypes(fault) => write!(
                f,
                "the module's exports have other types than the contract: {fault}; build it with the guest-sdk of \
                 this exchange"
            ),
            Self::NotKeepable(fault) => write!(
                f,
                "the module cannot be kept as `configure` leaves it: {fault}; build it with the guest-sdk, which \
                 avoids that"
            ),
            Self::Silent(forfeit) => write!(
                f,
                "the module was asked what it is, and {forfeit}: `describe` must return at once and the same always"
            ),
            Self::Schema(faults) => write!(f, "the module's schema is refused: {faults}"),
            Self::Description(fault) => write!(f, "the module's description is refused: {fault}"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn show_imports(f: &mut fmt::Formatter<'_>, imports: &[String]) -> fmt::Result {
    write!(f, "a module gets nothing from outside, but this one imports {}", quoted(imports))?;
    let reasons = [
        ("wasi:random/", "randomness comes with `getrandom`, `rand` or `HashMap`: use `BTreeMap`"),
        ("wasi:clocks/", "a clock comes with `std::time` or `chrono`: take `received-on`"),
        ("wasi:filesystem/", "files come with `std::fs`: put tables into the code or the settings"),
        ("wasi:sockets/", "the network is out of reach: the exchange asks remote buyers itself"),
        ("wasi:http/", "the network is out of reach: the exchange asks remote buyers itself"),
    ];
    for (prefix, reason) in reasons {
        if imports.iter().any(|import| import.starts_with(prefix)) {
            write!(f, "; {reason}")?;
        }
    }
    if imports.iter().any(|import| import.starts_with("wasi:")) {
        f.write_str("; build it for wasm32-unknown-unknown and not for wasm32-wasip2, as `gavel module build` does")
    } else {
        f.write_str("; leave out the dependency that wants it")
    }
}

/// Returns the world of a component, `filter` or `normalizer`, by what can be seen without compiling it.
pub fn world(wasm: &[u8]) -> Result<&'static str, Inadmissible> {
    Ok(match check(&look(wasm)?)? {
        World::Filter => "filter",
        World::Normalizer => "normalizer",
    })
}

/// Checks a module, compiles it and asks what it is.
pub(super) fn admit(
    engine: &Engine,
    limits: &Limits,
    wasm: &[u8],
) -> Result<Admitted, Inadmissible> {
    if wasm.len() > limits.module_bytes_max {
        return Err(Inadmissible::TooLarge { bytes: wasm.len(), max: limits.module_bytes_max });
    }
    let survey = look(wasm)?;
    let world = check(&survey)?;
    let max = match world {
        World::Filter => limits.filter.memory_bytes,
        World::Normalizer => limits.normalizer.memory_bytes,
    };
    if survey.memory_bytes > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(Inadmissible::Memory { bytes: survey.memory_bytes, max });
    }
    match world {
        World::Filter if survey.wide_global => {
            Err(Inadmissible::NotKeepable("it has a mutable global of 128 bits".to_owned()))
        }
        World::Filter => Filter::admit(engine, limits, wasm).map(Admitted::Filter),
        World::Normalizer => Normalizer::admit(engine, limits, wasm).map(Admitted::Normalizer),
    }
}

fn look(wasm: &[u8]) -> Result<Survey, Inadmissible> {
    survey(wasm).map_err(|other| match other {
        Other::NotWasm => Inadmissible::NotWasm,
        Other::CoreModule => Inadmissible::CoreModule,
        Other::Damaged(fault) => Inadmissible::Invalid(fault),
    })
}

#[derive(Clone, Copy)]
enum World {
    Filter,
    Normalizer,
}

fn check(survey: &Survey) -> Result<World, Inadmissible> {
    if !survey.imports.is_empty() {
        return Err(Inadmissible::Imports(survey.imports.clone()));
    }
    if survey.functions > FUNCTIONS_MAX {
        let (functions, max) = (survey.functions, FUNCTIONS_MAX);
        return Err(Inadmissible::Functions { functions, max });
    }
    if survey.function_bytes > FUNCTION_BYTES_MAX {
        let (bytes, max) = (survey.function_bytes, FUNCTION_BYTES_MAX);
        return Err(Inadmissible::FunctionTooLarge { bytes, max });
    }
    let exports = |name: &str| survey.exports.iter().any(|export| export == name);
    match (exports(FILTERING), exports(NORMALIZATION)) {
        (true, true) => Err(Inadmissible::BothWorlds),
        (true, false) => Ok(World::Filter),
        (false, true) => Ok(World::Normalizer),
        (false, false) => {
            let other = survey.exports.iter().find(|export| export.starts_with(CONTRACT));
            Err(match other {
                Some(found) => Inadmissible::OtherVersion(found.clone()),
                None => Inadmissible::OtherWorld(survey.exports.clone()),
            })
        }
    }
}

/// Compiles a component that gets nothing from outside.
pub(super) fn compile(engine: &Engine, wasm: &[u8]) -> Result<InstancePre<Fence>, Inadmissible> {
    let invalid = |error: wasmtime::Error| Inadmissible::Invalid(error.root_cause().to_string());
    let component = Component::new(engine, wasm).map_err(invalid)?;
    Linker::new(engine).instantiate_pre(&component).map_err(invalid)
}

/// Returns a text unless it is longer than this, in bytes.
pub(super) fn capped(what: &str, text: String, bytes_max: usize) -> Result<String, Inadmissible> {
    if text.len() <= bytes_max {
        return Ok(text);
    }
    let bytes = text.len();
    Err(Inadmissible::Description(format!(
        "{what} has {bytes} bytes, and at most {bytes_max} are possible"
    )))
}
