//! `gavel module build` for a folder of C: clang, the headers of the kit, and the contract's types, which a compiler of C
//! does not embed.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmparser::{Parser, Payload};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::build::STACK_BYTES;
use crate::cli::Failure;
use crate::sandbox::MEMORY_BYTES_MAX;

/// What an author includes.
const HEADERS: [(&str, &str); 3] = [
    (
        "gavel_filter.h",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../guest-sdk/c/gavel_filter.h")),
    ),
    (
        "gavel_frame.h",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../guest-sdk/c/gavel_frame.h")),
    ),
    (
        "gavel_json.h",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../guest-sdk/c/gavel_json.h")),
    ),
];

/// The worlds: what the exports of one begin with, its name, and its contract.
const WORLDS: [(&str, &str, &str); 3] = [
    (
        "gavel:rules/filtering@",
        "filter",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/v1/filter.wit")),
    ),
    (
        "gavel:rules/normalization@",
        "normalizer",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/v1/normalizer.wit")),
    ),
    (
        "gavel:rules/adapting@",
        "adapter",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/v1/adapter.wit")),
    ),
];

/// How C is compiled. Nothing of a system is there to link with, and memory is copied by instructions rather than calls.
const COMPILER_FLAGS: [&str; 10] = [
    "--target=wasm32",
    "-std=c11",
    "-O2",
    "-ffreestanding",
    "-nostdlib",
    "-mbulk-memory",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Wl,--no-entry,--stack-first,--gc-sections",
];

/// What to do where clang or its linker is missing.
const INSTALL: &str = "a module in C needs clang and its linker: on Debian or Ubuntu `apt-get install clang lld`, on \
                       Fedora `dnf install clang lld`, on a Mac `brew install llvm lld`; CLANG names another clang";

/// A folder of C that becomes a module of its name.
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) path: PathBuf,
    sources: Vec<PathBuf>,
}

/// Returns the folders of C at this path: itself, or those in it. A folder with a `Cargo.toml` is a crate.
pub(super) fn folders(path: &Path) -> Vec<Folder> {
    let Ok(path) = path.canonicalize() else { return Vec::new() };
    let entries = fs::read_dir(&path).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.push(path);
    paths.sort();
    paths.into_iter().filter_map(folder).collect()
}

fn folder(path: PathBuf) -> Option<Folder> {
    let name = path.file_name()?.to_str()?.to_owned();
    let entries = fs::read_dir(&path).ok()?.flatten().map(|entry| entry.path());
    let mut sources: Vec<_> =
        entries.filter(|file| file.extension().is_some_and(|ending| ending == "c")).collect();
    sources.sort();
    let is_module = !sources.is_empty() && !path.join("Cargo.toml").exists();
    is_module.then_some(Folder { name, path, sources })
}

/// Compiles a folder to a core module that carries its contract.
pub(super) fn compile(folder: &Folder) -> Result<Vec<u8>, Failure> {
    let scratch = tempfile::tempdir()
        .map_err(|error| Failure::could_not_run(format!("no temporary folder: {error}")))?;
    let unwritable =
        |error| Failure::could_not_run(format!("cannot write a temporary file: {error}"));
    for (name, text) in HEADERS {
        fs::write(scratch.path().join(name), text).map_err(unwritable)?;
    }
    let core = scratch.path().join("core.wasm");
    run_clang(folder, scratch.path(), &core)?;
    let core = super::read(&core)?;
    with_contract(&folder.name, core)
}

fn run_clang(folder: &Folder, headers: &Path, core: &Path) -> Result<(), Failure> {
    let mut clang = Command::new(env::var_os("CLANG").unwrap_or_else(|| "clang".into()));
    clang.args(COMPILER_FLAGS);
    clang.arg(format!("-Wl,-z,stack-size={STACK_BYTES},--max-memory={MEMORY_BYTES_MAX}"));
    // The author's own headers come first, the kit's wherever they are not found there.
    clang.arg("-I").arg(&folder.path).arg("-isystem").arg(headers);
    clang.arg("-o").arg(core).args(&folder.sources);
    let output = clang.output().map_err(|error| {
        let clang = clang.get_program().display();
        let advice = if error.kind() == ErrorKind::NotFound { INSTALL } else { "is it a program?" };
        Failure::could_not_run(format!("cannot run {clang}: {error}; {advice}"))
    })?;
    // Warnings are for the author, too. Where they cannot be shown, the exit code still says what became of it.
    let _ = io::stderr().write_all(&output.stderr);
    let said = String::from_utf8_lossy(&output.stderr);
    let incomplete = ["wasm-ld", "unable to create target", "unknown target triple"];
    match output.status.success() {
        true => Ok(()),
        false
            if incomplete.iter().any(|part| said.contains(part))
                && !said.contains("undefined symbol") =>
        {
            Err(Failure::could_not_run(format!("clang cannot make WebAssembly; {INSTALL}")))
        }
        false => Err(Failure::does_not_hold(format!("{} does not compile", folder.name))),
    }
}

/// Adds the types of the contract whose functions the module exports.
fn with_contract(name: &str, mut core: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let broken = |error: String| Failure::could_not_run(format!("{name}: {error}"));
    let exports = exports(&core).map_err(|error| broken(error.to_string()))?;
    let of_world =
        |(prefix, ..): &&(&str, _, _)| exports.iter().any(|name| name.starts_with(prefix));
    let Some((_, world, contract)) = WORLDS.iter().find(of_world) else {
        return Err(Failure::does_not_hold(format!(
            "{name} exports nothing of the contract: end one of its files with GAVEL_FILTER(..) of gavel_filter.h"
        )));
    };
    let mut resolve = Resolve::default();
    let embedded = resolve.push_source("contract.wit", contract).and_then(|package| {
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)
    });
    embedded.map_err(|error| broken(format!("{error:#}")))?;
    Ok(core)
}

fn exports(core: &[u8]) -> wasmparser::Result<Vec<&str>> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(core) {
        if let Payload::ExportSection(exports) = payload? {
            for export in exports {
                names.push(export?.name);
            }
        }
    }
    Ok(names)
}
