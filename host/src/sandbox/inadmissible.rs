//! Why a module is refused: what is wrong with it, and how to mend it, in words for its author.

use std::fmt;

use super::admission::{ADAPTING, CONTRACT_VERSION, FILTERING, NORMALIZATION};
use super::call::Forfeit;
use super::excess::Excess;
use crate::lead::SchemaFaults;

/// How many names of imports or exports are quoted.
const QUOTED_MAX: usize = 8;

/// Why a module is refused: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inadmissible {
    /// Larger than a module may be, in bytes.
    TooLarge { bytes: usize, max: usize },
    /// Not WebAssembly; what it looks like instead.
    NotWasm(&'static str),
    /// A core module that was not made a component, with what it imports.
    CoreModule(Vec<String>),
    /// Cut off or changed on its way.
    Damaged(String),
    /// Not valid, or of a feature of WebAssembly that is switched off.
    Invalid(String),
    /// It wants something from outside.
    Imports(Vec<String>),
    /// It begins with more memory than it may have, in bytes.
    Memory { bytes: u64, max: usize },
    /// It has more of something than a module may.
    Excess { of: Excess, found: usize },
    /// It was built for another version of the contract.
    OtherVersion(String),
    /// It is of no world of the contract.
    OtherWorld(Vec<String>),
    /// It is of several worlds at once.
    BothWorlds,
    /// It exports the right names with other types.
    OtherTypes(String),
    /// It cannot be kept as it is after `configure`.
    NotKeepable(String),
    /// Compiling it took more time than it may.
    CompileTime { seconds_max: u64 },
    /// Compiling it took more memory than it may.
    CompileMemory { megabytes_max: u64 },
    /// The compiler gave up on it.
    Compiler(String),
    /// The compiler could not be started. Not the module's fault.
    NoCompiler(String),
    /// It is not signed, and must be.
    Unsigned,
    /// Its signature is none, of another key or of other bytes.
    WronglySigned(String),
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
            Self::NotWasm(_) => "not-wasm",
            Self::CoreModule(_) => "core-module",
            Self::Damaged(_) => "damaged",
            Self::Invalid(_) => "invalid",
            Self::Imports(_) => "imports",
            Self::Memory { .. } => "memory",
            Self::Excess { of, .. } => of.code(),
            Self::OtherVersion(_) => "other-version",
            Self::OtherWorld(_) => "other-world",
            Self::BothWorlds => "both-worlds",
            Self::OtherTypes(_) => "other-types",
            Self::NotKeepable(_) => "not-keepable",
            Self::CompileTime { .. } => "compile-time",
            Self::CompileMemory { .. } => "compile-memory",
            Self::Compiler(_) => "compiler-failed",
            Self::NoCompiler(_) => "no-compiler",
            Self::Unsigned => "unsigned",
            Self::WronglySigned(_) => "wrongly-signed",
            Self::Silent(_) => "silent",
            Self::Schema(_) => "schema",
            Self::Description(_) => "description",
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
    pub(super) fn mistyped(error: wasmtime::Error) -> Self {
        Self::OtherTypes(error.root_cause().to_string())
    }

    /// Says whether the module is at fault; if not, the same module may be taken later.
    pub const fn is_the_modules_fault(&self) -> bool {
        !matches!(self, Self::NoCompiler(_))
    }
}

impl std::error::Error for Inadmissible {}

impl fmt::Display for Inadmissible {
    #[expect(clippy::too_many_lines, reason = "one message after the other, and nothing else")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, max } => write!(
                f,
                "the module has {bytes} bytes, and at most {max} are possible: build it with `gavel module build`, \
                 which optimises for size, and move large tables into the settings"
            ),
            Self::NotWasm(looks) => write!(
                f,
                "this is not WebAssembly, {looks}: upload the .wasm file that `gavel module build` writes"
            ),
            Self::CoreModule(imports) => {
                f.write_str("this is a core module, not a component: build it with `gavel module build`, which wraps it")?;
                if imports.is_empty() { Ok(()) } else { show_imports(f, "; it also", imports) }
            }
            Self::Damaged(fault) => write!(
                f,
                "the module is damaged: {fault}; send the bytes of the file as they are, as `curl --data-binary @FILE` \
                 does and `curl -d @FILE` does not"
            ),
            Self::Invalid(fault) => write!(
                f,
                "the module is not valid here: {fault}; build it with `gavel module build`, which uses only what the \
                 sandbox has"
            ),
            Self::Imports(imports) => {
                show_imports(f, "a module gets nothing from outside, but this one", imports)
            }
            Self::Memory { bytes, max } => write!(
                f,
                "the module begins with {bytes} bytes of memory, and at most {max} are possible: make its static \
                 arrays smaller"
            ),
            Self::Excess { of, found } => write!(
                f,
                "{} {found} {}, and at most {} are possible: {}",
                of.begin(),
                of.unit(),
                of.max(),
                of.advice()
            ),
            Self::OtherVersion(found) => show_other_version(f, found),
            Self::OtherWorld(found) => {
                let found = match found.as_slice() {
                    [] => "nothing".to_owned(),
                    found => quoted(found),
                };
                write!(
                    f,
                    "the module is no filter, normalizer or adapter: it exports {found}, and a filter exports \
                     `{FILTERING}`, a normalizer `{NORMALIZATION}`, an adapter `{ADAPTING}`; end it with \
                     `guest_sdk::export_filter!`, `guest_sdk::export_normalizer!` or `guest_sdk::export_adapter!`"
                )
            }
            Self::BothWorlds => f.write_str(
                "the module is of several worlds at once: make one module for each of them",
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
            Self::CompileTime { seconds_max } => write!(
                f,
                "compiling the module took more than {seconds_max} s: split its largest functions, leave out \
                 dependencies, and make generated code a table"
            ),
            Self::CompileMemory { megabytes_max } => write!(
                f,
                "compiling the module took more than {megabytes_max} MB: split its largest functions, leave out \
                 dependencies, and make generated code a table"
            ),
            Self::Compiler(fault) => write!(
                f,
                "the compiler gave up on the module ({fault}): build it with `gavel module build` from plain code; \
                 what it does not take is most often one huge or generated function"
            ),
            Self::NoCompiler(fault) => write!(
                f,
                "the module could not be compiled on this machine at this moment ({fault}); nothing is known against \
                 it, so try again"
            ),
            Self::Unsigned => f.write_str(
                "the module is not signed, and this exchange takes only signed ones: sign it with `minisign -Sm FILE`, \
                 and send the signature along with the header `X-Gavel-Signature: $(base64 -w0 FILE.minisig)`",
            ),
            Self::WronglySigned(fault) => write!(
                f,
                "the module's signature is refused: {fault}; the header is `X-Gavel-Signature: $(base64 -w0 \
                 FILE.minisig)`"
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
    let mut quoted: Vec<_> =
        names.iter().take(QUOTED_MAX).map(|name| format!("`{name}`")).collect();
    if let Some(more) = names.len().checked_sub(QUOTED_MAX).filter(|more| *more > 0) {
        quoted.push(format!("and {more} more"));
    }
    quoted.join(", ")
}

fn show_other_version(f: &mut fmt::Formatter<'_>, found: &str) -> fmt::Result {
    let (interface, version) = found.split_once('@').unwrap_or((found, "no version"));
    let known = [FILTERING, NORMALIZATION, ADAPTING]
        .iter()
        .any(|name| name.split('@').next() == Some(interface));
    if known {
        write!(
            f,
            "the module was built against version {version} of the contract (`{found}`), and this exchange serves \
             version {CONTRACT_VERSION}: build it with the guest-sdk of this exchange, or upload it to one that \
             serves {version}"
        )
    } else {
        write!(
            f,
            "the module exports `{found}`, which version {CONTRACT_VERSION} of the contract does not have: a filter \
             exports `{FILTERING}`, a normalizer `{NORMALIZATION}`, an adapter `{ADAPTING}`; build it with the guest-sdk \
             of this exchange"
        )
    }
}

/// Why somebody imports what begins so, and what to do instead.
const REASONS: [(&str, &str); 12] = [
    ("wasi:random/", "randomness comes with `getrandom`, `rand` or `HashMap`: use `BTreeMap`"),
    ("wasi:clocks/", "a clock comes with `std::time` or `chrono`: take `received-on`"),
    ("wasi:filesystem/", "files come with `std::fs`: put tables into the code or the settings"),
    ("wasi:sockets/", "the network is out of reach: the exchange asks remote buyers itself"),
    ("wasi:http/", "the network is out of reach: the exchange asks remote buyers itself"),
    (
        "wasi:cli/",
        "a terminal and an environment come with `println!`, `std::env` and `std::process`: leave them out",
    ),
    (
        "wasi_snapshot_preview1",
        "it was built for a WASI target, where the standard library brings these along",
    ),
    (
        "wasi_unstable",
        "it was built for a WASI target, where the standard library brings these along",
    ),
    (
        "__wbindgen",
        "`wasm-bindgen` expects a browser: switch off the feature `js`, `wasm-bindgen` or `wasmbind` of what brings it, often `getrandom`, `uuid` or `chrono`",
    ),
    (
        "wbg",
        "`wasm-bindgen` expects a browser: switch off the feature `js`, `wasm-bindgen` or `wasmbind` of what brings it, often `getrandom`, `uuid` or `chrono`",
    ),
    (
        "env",
        "`env` holds what C code declares and nobody defines: link what defines it, and no JavaScript glue",
    ),
    (
        "gavel:rules/",
        "what the contract names is exported, never imported: build it with the guest-sdk of this exchange",
    ),
];

fn show_imports(f: &mut fmt::Formatter<'_>, begin: &str, imports: &[String]) -> fmt::Result {
    write!(f, "{begin} imports {}", quoted(imports))?;
    let mut said = None;
    for (prefix, reason) in REASONS {
        if said != Some(reason) && imports.iter().any(|import| import.starts_with(prefix)) {
            write!(f, "; {reason}")?;
            said = Some(reason);
        }
    }
    if imports.iter().any(|import| import.starts_with("wasi")) {
        f.write_str("; build it for wasm32-unknown-unknown and not for wasm32-wasip2, as `gavel module build` does")
    } else if said.is_none() {
        f.write_str("; leave out the dependency that wants it")
    } else {
        Ok(())
    }
}
