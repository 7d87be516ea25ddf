//! `gavel module sdk`: the SDK that the program carries, written into an author's crate.
//!
//! It is on no registry: the program brings along what its own contract needs, so that a crate anywhere builds with
//! cargo alone and against the exchange that it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde_json::json;
use toml::{Table, Value};

use super::{print, print_json};
use crate::cli::Failure;

static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk");
static CONTRACT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");
const WORKSPACE: &str = include_str!("../../../../Cargo.toml");
const LOCK: &str = include_str!("../../../../Cargo.lock");
const ABOUT: &str = include_str!("template/sdk.md");
/// What of the SDK's folder is for Rust.
const PARTS: [&str; 3] = ["Cargo.toml", "src", "frame"];
const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The crate.
    #[arg(default_value = ".")]
    path: PathBuf,
}

pub(super) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    let manifest = args.path.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(Failure::usage(format!(
            "there is no crate at {}: go into its folder, or make one with `gavel module new NAME`",
            args.path.display()
        )));
    }
    let folder = args.path.join("sdk");
    if folder.exists() && !folder.join("guest-sdk").join("Cargo.toml").is_file() {
        return Err(Failure::usage(format!(
            "{} is there and is no SDK: rename it first",
            folder.display()
        )));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| {
            Failure::could_not_run(format!("cannot replace {}: {error}", folder.display()))
        })?;
    }
    write(&args.path, &files()?)?;
    let version = env!("CARGO_PKG_VERSION");
    if as_json {
        return print_json(&json!({ "sdk": folder, "version": version }));
    }
    print(&format!(
        "{} is the SDK {version} now; `gavel module test` says whether the module still does what it did",
        folder.display()
    ))
}

/// Writes files, given by their path below a folder.
pub(super) fn write(folder: &Path, files: &BTreeMap<PathBuf, String>) -> Result<(), Failure> {
    for (path, text) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|error| {
            Failure::could_not_run(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    Ok(())
}

/// Returns the SDK's files by their path below the author's crate.
pub(super) fn files() -> Result<BTreeMap<PathBuf, String>, Failure> {
    let mut files = BTreeMap::new();
    for part in PARTS {
        if let Some(file) = SDK.get_file(part) {
            add(&mut files, "sdk/guest-sdk", file);
        }
        if let Some(folder) = SDK.get_dir(part) {
            add_all(&mut files, "sdk/guest-sdk", folder);
        }
    }
    add_all(&mut files, "sdk/wit", &CONTRACT);
    files.insert("sdk/Cargo.toml".into(), workspace(&files)?);
    files.insert("sdk/README.md".into(), ABOUT.replace("{{version}}", env!("CARGO_PKG_VERSION")));
    Ok(files)
}

fn add_all(files: &mut BTreeMap<PathBuf, String>, place: &str, folder: &Dir<'_>) {
    folder.files().for_each(|file| add(files, place, file));
    folder.dirs().for_each(|folder| add_all(files, place, folder));
}

fn add(files: &mut BTreeMap<PathBuf, String>, place: &str, file: &include_dir::File<'_>) {
    if let Some(text) = file.contents_utf8() {
        files.insert(Path::new(place).join(file.path()), text.to_owned());
    }
}

/// Returns the manifest of the SDK's own workspace: of this program's, what the SDK's crates take from it.
fn workspace(files: &BTreeMap<PathBuf, String>) -> Result<String, Failure> {
    let manifests = files.iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let (mut members, mut used) = (Vec::new(), BTreeSet::new());
    for (path, text) in manifests {
        let member = path.parent().and_then(|folder| folder.strip_prefix("sdk").ok());
        members.push(Value::from(member.unwrap_or(path).display().to_string()));
        let manifest = table(text)?;
        let kinds = KINDS.iter().filter_map(|kind| manifest.get(*kind)?.as_table());
        used.extend(kinds.flat_map(Table::keys).cloned());
    }
    let whole = table(WORKSPACE)?;
    let whole = whole.get("workspace").and_then(Value::as_table).cloned().unwrap_or_default();
    let mut own = Table::new();
    for (name, value) in whole {
        let value = match (name.as_str(), value) {
            ("members", _) => members.clone().into(),
            ("dependencies", Value::Table(dependencies)) => {
                let used = dependencies.into_iter().filter(|(name, _)| used.contains(name));
                used.collect::<Table>().into()
            }
            ("resolver" | "package" | "lints", value) => value,
            _ => continue,
        };
        own.insert(name, value);
    }
    let manifest = Table::from_iter([("workspace".to_owned(), own.into())]);
    toml::to_string(&manifest).map_err(|error| Failure::because(&error))
}

/// Returns the lock file of a crate with these dependencies, at the versions with which this program was tested.
pub(super) fn lock(name: &str, dependencies: &[&str]) -> Result<String, Failure> {
    let lock = table(LOCK)?;
    let packages = lock.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |package: &Value, key: &str| {
        package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let own: Vec<Value> = dependencies.iter().map(|&name| name.into()).collect();
    let own = Table::from_iter([
        ("name".to_owned(), name.into()),
        ("version".to_owned(), "0.1.0".into()),
        ("dependencies".to_owned(), own.into()),
    ]);
    let mut waiting: Vec<String> = dependencies.iter().map(|&name| name.to_owned()).collect();
    let mut kept: BTreeMap<(String, String), Value> = BTreeMap::new();
    kept.insert((name.to_owned(), String::new()), own.into());
    while let Some(wanted) = waiting.pop() {
        // A name, and the version where there are several.
        let mut words = wanted.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        let is_wanted = |package: &&Value| {
            text(package, "name") == name && version.is_none_or(|v| text(package, "version") == v)
        };
        let Some(package) = packages.iter().find(is_wanted) else { continue };
        let key = (text(package, "name"), text(package, "version"));
        if kept.insert(key, package.clone()).is_none() {
            let next = package.get("dependencies").and_then(Value::as_array);
            waiting.extend(next.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    let version = lock.get("version").cloned().unwrap_or(Value::Integer(4));
    let kept: Vec<Value> = kept.into_values().collect();
    let lock =
        Table::from_iter([("version".to_owned(), version), ("package".to_owned(), kept.into())]);
    toml::to_string(&lock).map_err(|error| Failure::because(&error))
}

/// Returns the Rust that the SDK needs.
pub(super) fn rust_version() -> Result<String, Failure> {
    let whole = table(WORKSPACE)?;
    let package = whole.get("workspace").and_then(|workspace| workspace.get("package"));
    let version = package.and_then(|package| package.get("rust-version")).and_then(Value::as_str);
    Ok(version.unwrap_or_default().to_owned())
}

fn table(text: &str) -> Result<Table, Failure> {
    text.parse().map_err(|error: toml::de::Error| Failure::because(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_takes_along_what_it_needs_and_no_more() {
        let files = files().unwrap();
        for path in
            ["sdk/guest-sdk/src/lib.rs", "sdk/guest-sdk/frame/src/lib.rs", "sdk/wit/v1/filter.wit"]
        {
            assert!(files.contains_key(Path::new(path)), "{path}");
        }
        let manifest = table(&files[Path::new("sdk/Cargo.toml")]).unwrap();
        let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
        assert!(dependencies.contains_key("wit-bindgen") && !dependencies.contains_key("axum"));
        assert_eq!(
            manifest["workspace"]["dependencies"]["lead-frame"]["path"].as_str(),
            Some("guest-sdk/frame")
        );
    }

    #[test]
    fn the_lock_file_holds_the_sdks_dependencies_alone() {
        let lock = table(&lock("mine", &["guest-sdk", "serde"]).unwrap()).unwrap();
        let packages = lock["package"].as_array().unwrap();
        let names: Vec<_> =
            packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
        for name in ["mine", "guest-sdk", "lead-frame", "rkyv", "serde", "wit-bindgen"] {
            assert!(names.contains(&name), "{name}");
        }
        assert!(!names.contains(&"wasmtime"));
    }
}
