//! `gavel module build`: cargo, the linker flags that make a fresh instance cheap, and the wrapping to a component.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wit_component::ComponentEncoder;

use super::figures::{counted, share, thousands};
use super::{c, lines, print, print_json, read};
use crate::cli::Failure;
use crate::fixtures::{self, Files};
use crate::sandbox::{self, MEMORY_BYTES_MAX, MODULE_BYTES_MAX};

/// Has no clock, no files and no network to import.
const TARGET: &str = "wasm32-unknown-unknown";
/// The stack of a module, in bytes. The default of 1 MiB lies in front of everything else and costs a page fault or a
/// copy on every call.
pub(super) const STACK_BYTES: usize = 16 * 1024;
/// The profile, for crates outside a workspace that declares it.
const PROFILE: [&str; 7] = [
    "profile.module.inherits='release'",
    "profile.module.debug='line-tables-only'",
    "profile.module.opt-level=3",
    "profile.module.lto=true",
    "profile.module.codegen-units=1",
    "profile.module.panic='abort'",
    "profile.module.overflow-checks=true",
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Crates, folders of C, or folders of either.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Where the components go.
    #[arg(long, default_value = "target/rules")]
    out: PathBuf,
    /// Leave the crate's folder `fixtures` out of the component; an exchange then cannot run them.
    #[arg(long)]
    without_fixtures: bool,
}

/// A crate that becomes a module.
struct Crate {
    name: String,
    manifest: PathBuf,
    workspace: PathBuf,
}

/// A module as cargo and the wrapping made it.
pub(super) struct Built {
    pub(super) name: String,
    pub(super) world: &'static str,
    /// The crate's folder.
    pub(super) folder: PathBuf,
    pub(super) component: Vec<u8>,
    /// What lies in the crate's folder `fixtures`, and how many fixtures that is.
    pub(super) fixtures: (Files, usize),
}

pub(super) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    let out = &args.out;
    let mut shown = Vec::new();
    for built in build(&args.paths)? {
        let (files, mut fixtures) = built.fixtures;
        let mut component = built.component;
        if args.without_fixtures || files.is_empty() {
            fixtures = 0;
        } else {
            component = fixtures::embed(component, &files);
        }
        if component.len() > MODULE_BYTES_MAX {
            return Err(Failure::does_not_hold(too_large(&built.name, component.len(), &files)));
        }
        fs::create_dir_all(out).map_err(|error| {
            Failure::could_not_run(format!("cannot make {}: {error}", out.display()))
        })?;
        let file = out.join(format!("{}.wasm", built.name));
        fs::write(&file, &component).map_err(|error| {
            Failure::could_not_run(format!("cannot write {}: {error}", file.display()))
        })?;
        let (name, world, bytes) = (built.name, built.world, component.len());
        let file = file.display().to_string();
        if !as_json {
            let size = format!("{} bytes, {}", thousands(bytes), share(bytes, MODULE_BYTES_MAX));
            print(&format!(
                "{name:24} {world:10}  {size} of the limit, {}  {file}",
                counted(fixtures, "fixture")
            ))?;
        }
        let bytes_max = MODULE_BYTES_MAX;
        shown.push(json!({ "name": name, "world": world, "bytes": bytes, "bytes_max": bytes_max, "fixtures": fixtures, "file": file }));
    }
    if as_json { print_json(&Value::Array(shown)) } else { Ok(()) }
}

fn too_large(name: &str, bytes: usize, files: &Files) -> String {
    let (bytes, max, fixtures) =
        (thousands(bytes), thousands(MODULE_BYTES_MAX), thousands(files.bytes()));
    format!(
        "{name} has {bytes} bytes, {fixtures} of them fixtures, and at most {max} are possible: leave out fixtures with \
         `--without-fixtures`, or move large tables into the settings"
    )
}

/// Compiles the crates and folders of C at these paths to components, without their fixtures.
pub(super) fn build(paths: &[PathBuf]) -> Result<Vec<Built>, Failure> {
    let mut workspaces: BTreeMap<PathBuf, Vec<Crate>> = BTreeMap::new();
    let mut folders = Vec::new();
    for path in paths {
        let (crates, of_c) = (crates(path)?, c::folders(path));
        if crates.is_empty() && of_c.is_empty() {
            return Err(Failure::usage(format!(
                "no module at {}: a module is a crate with `crate-type = [\"cdylib\"]` under `[lib]`, or a folder with \
                 .c files",
                path.display()
            )));
        }
        folders.extend(of_c);
        for found in crates {
            workspaces.entry(found.workspace.clone()).or_default().push(found);
        }
    }
    if !workspaces.is_empty() {
        check_target()?;
    }
    let mut all = Vec::new();
    for (workspace, crates) in &workspaces {
        for (name, core) in compile(workspace, crates)? {
            let source = crates.iter().find(|known| known.name == name);
            let folder = source.and_then(|source| source.manifest.parent());
            let folder = folder.unwrap_or(workspace).to_owned();
            all.push(built(name, &read(&core)?, folder)?);
        }
    }
    for folder in folders {
        let core = c::compile(&folder)?;
        all.push(built(folder.name, &core, folder.path)?);
    }
    Ok(all)
}

fn built(name: String, core: &[u8], folder: PathBuf) -> Result<Built, Failure> {
    let component = wrap(&name, core, &folder)?;
    let world = sandbox::world(&component)
        .map_err(|refused| Failure::does_not_hold(format!("{name}: {refused}")))?;
    let fixtures = fixtures_of(&name, world, &folder)?;
    Ok(Built { name, world, folder, component, fixtures })
}

fn fixtures_of(name: &str, world: &'static str, folder: &Path) -> Result<(Files, usize), Failure> {
    let files = Files::read(&folder.join("fixtures"));
    let counted = files.and_then(|files| Ok((fixtures::count(world, &files)?, files)));
    let (count, files) =
        counted.map_err(|fault| Failure::usage(format!("{name}, folder `fixtures`: {fault}")))?;
    Ok((files, count))
}

fn check_target() -> Result<(), Failure> {
    let rustc =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let rustc = rustc.map_err(|error| {
        Failure::could_not_run(format!(
            "cannot run rustc: {error}; install Rust from https://rustup.rs"
        ))
    })?;
    let folder = String::from_utf8_lossy(&rustc.stdout);
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(Failure::could_not_run(format!(
        "the Rust target for modules is not installed: run `rustup target add {TARGET}`"
    )))
}

/// Returns the crates at this path: itself, or those in it.
fn crates(path: &Path) -> Result<Vec<Crate>, Failure> {
    let folder = path.canonicalize().map_err(|error| {
        Failure::usage(format!("there is no module at {}: {error}", path.display()))
    })?;
    let mut manifests = vec![folder.join("Cargo.toml")];
    if let Ok(entries) = fs::read_dir(&folder) {
        manifests.extend(entries.flatten().map(|entry| entry.path().join("Cargo.toml")));
    }
    manifests.retain(|manifest| manifest.is_file());
    let mut crates: Vec<Crate> = Vec::new();
    for manifest in manifests {
        if crates.iter().any(|known| known.manifest == manifest) {
            continue;
        }
        for found in metadata(&manifest)? {
            let known = crates.iter().any(|known| known.manifest == found.manifest);
            if found.manifest.starts_with(&folder) && !known {
                crates.push(found);
            }
        }
    }
    Ok(crates)
}

/// Returns the crates of this manifest's workspace that make a module.
fn metadata(manifest: &Path) -> Result<Vec<Crate>, Failure> {
    let mut cargo = cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let output = cargo.arg(manifest).stderr(Stdio::inherit()).output();
    let output =
        output.map_err(|error| Failure::could_not_run(format!("cannot run cargo: {error}")))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| Failure::could_not_run(format!("cargo cannot read {}", manifest.display())))?;
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_module = |package: &Value| {
        let kinds = list(package, "targets").into_iter().flat_map(|target| list(&target, "kind"));
        kinds.into_iter().any(|kind| kind == "cdylib")
    };
    let packages = list(&metadata, "packages").into_iter().filter(is_module);
    Ok(packages
        .map(|package| Crate {
            name: text(&package, "name"),
            manifest: text(&package, "manifest_path").into(),
            workspace: text(&metadata, "workspace_root").into(),
        })
        .collect())
}

/// Runs cargo once for all crates of a workspace, and returns their names with the core modules.
fn compile(workspace: &Path, crates: &[Crate]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let manifest = workspace.join("Cargo.toml");
    let mut cargo = cargo();
    cargo.args(["build", "--target", TARGET, "--profile", "module"]);
    cargo.args(["--message-format", "json-render-diagnostics", "--manifest-path"]).arg(&manifest);
    let declared = fs::read_to_string(&manifest).unwrap_or_default();
    if !declared.lines().any(|line| line.trim() == "[profile.module]") {
        cargo.args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
    }
    cargo.args(crates.iter().flat_map(|found| ["--package", &found.name]));
    let output = cargo.env("CARGO_ENCODED_RUSTFLAGS", flags()).stderr(Stdio::inherit()).output();
    let output =
        output.map_err(|error| Failure::could_not_run(format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        return Err(Failure::does_not_hold("the modules do not compile"));
    }
    let messages = output.stdout.split(|&byte| byte == b'\n');
    let artifacts = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let mut modules: Vec<_> = artifacts.filter_map(|artifact| module(&artifact, crates)).collect();
    modules.sort();
    Ok(modules)
}

/// Returns the name and file of a module that cargo reports as built.
fn module(artifact: &Value, crates: &[Crate]) -> Option<(String, PathBuf)> {
    let manifest = Path::new(artifact.get("manifest_path")?.as_str()?);
    let built = crates.iter().find(|known| known.manifest == manifest)?;
    let files = artifact.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
    let file = files.into_iter().find(|file| file.ends_with(".wasm"))?;
    Some((built.name.clone(), file.into()))
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns the flags for the compiler in the form that no configuration of the author overrides.
fn flags() -> String {
    let inherited = env::var("CARGO_ENCODED_RUSTFLAGS").ok();
    let inherited = inherited.or_else(|| {
        let flags = env::var("RUSTFLAGS").ok()?;
        Some(flags.split_whitespace().collect::<Vec<_>>().join("\u{1f}"))
    });
    let stack = format!("-Clink-arg=-zstack-size={STACK_BYTES}");
    // The initial memory is left to the linker: the fewest pages that hold stack, data and the SDK's static region.
    let memory = format!("-Clink-arg=--max-memory={MEMORY_BYTES_MAX}");
    // Panics name the files of dependencies: not where this author keeps them.
    let places = dependencies().map(|place| format!("--remap-path-prefix={}=", place.display()));
    let flags = inherited.into_iter().filter(|flags| !flags.is_empty());
    let flags = flags.chain([stack, memory]).chain(places);
    flags.collect::<Vec<_>>().join("\u{1f}")
}

/// Returns where cargo keeps the sources of dependencies.
fn dependencies() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    Some(home.or_else(|| Some(env::home_dir()?.join(".cargo")))?.join("registry/src"))
}

/// Makes a component of a core module. Of its debugging information only the lines of the crate's own folder are kept.
pub(super) fn wrap(name: &str, core: &[u8], folder: &Path) -> Result<Vec<u8>, Failure> {
    let (core, lines) = lines::take(core, folder).map_err(|error| {
        Failure::does_not_hold(format!(
            "cargo built something else than WebAssembly for {name}: {error}"
        ))
    })?;
    let encoder = ComponentEncoder::default().validate(true).module(&core);
    let component = encoder.and_then(|mut encoder| encoder.encode());
    let component = component.map(|mut component| {
        lines::embed(&mut component, &lines);
        component
    });
    component.map_err(|error| {
        let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
        let causes = causes.join(": ");
        let advice = if causes.contains("wbindgen") {
            "; a dependency expects a browser: look for a feature such as `js` or `wasm-bindgen`"
        } else if causes.contains("import") {
            "; a module gets nothing from outside: leave out the dependency that wants it"
        } else {
            ""
        };
        Failure::does_not_hold(format!("{name} cannot be made a component: {causes}{advice}"))
    })
}
