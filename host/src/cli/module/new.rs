//! `gavel module new`: a crate that builds and passes its tests at once, anywhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use include_dir::{Dir, include_dir};
use serde_json::json;

use super::sdk;
use super::{print, print_json};
use crate::cli::Failure;
use crate::ids::NAME_BYTES_MAX;

static FILTER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/cli/module/template/filter");
static ADAPTER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/cli/module/template/adapter");
static NORMALIZER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/cli/module/template/normalizer");
const MANIFEST: &str = include_str!("template/manifest.toml");
const IGNORED: &str = include_str!("template/gitignore");
/// What cargo does not take for a crate's name, and the crates that it depends on.
const RESERVED: &str = "abstract alloc as async await become box break const continue core crate do dyn else enum \
                        extern false final fn for gen guest-sdk if impl in lead-frame let loop macro match mod move \
                        mut override priv proc-macro pub ref return self serde static std struct super test trait \
                        true try type typeof unsafe unsized use virtual where while yield";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The module's name, such as `zip-list`; also the crate's.
    name: String,
    /// A filter decides for a buyer's campaigns; a normalizer makes the leads of a vertical; an adapter speaks
    /// the dialect of a buyer's system.
    #[arg(long, value_enum, default_value = "filter")]
    world: World,
    /// The crate's folder; NAME in the current folder if absent.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum World {
    Filter,
    Normalizer,
    Adapter,
}

pub(super) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    let name = &args.name;
    check(name)?;
    let folder = args.path.clone().unwrap_or_else(|| name.into());
    let is_empty =
        |folder: &PathBuf| folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !is_empty(&folder) {
        return Err(Failure::usage(format!(
            "{} is there already and not empty: choose another name, or another folder with `--path DIR`",
            folder.display()
        )));
    }
    let (world, template) = match args.world {
        World::Filter => ("filter", &FILTER),
        World::Normalizer => ("normalizer", &NORMALIZER),
        World::Adapter => ("adapter", &ADAPTER),
    };
    let mut files = sdk::files()?;
    files.extend(own(name, template)?);
    sdk::write(&folder, &files)?;
    if as_json {
        return print_json(&json!({ "name": name, "world": world, "folder": folder }));
    }
    let shown = folder.display();
    let article = if world == "adapter" { "an" } else { "a" };
    let next = [
        (format!("cd {shown}"), ""),
        ("gavel module test".to_owned(), "builds it and runs fixtures/"),
        ("gavel module build".to_owned(), "writes the component that an exchange takes"),
    ];
    print(&format!(
        "{name} is {article} {world} in {shown}: src/lib.rs is where it decides, README.md says the rest. Next:"
    ))?;
    next.iter().try_for_each(|(command, what)| print(format!("  {command:24}{what}").trim_end()))
}

fn check(name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !first || name.len() > NAME_BYTES_MAX || !name.bytes().all(plain) {
        return Err(Failure::usage(format!(
            "`{name}` is no name for a module: 1 to {NAME_BYTES_MAX} of a-z 0-9 -, beginning with a letter, such as `zip-list`"
        )));
    }
    if RESERVED.split(' ').any(|reserved| reserved == name) {
        return Err(Failure::usage(format!(
            "`{name}` means something to Rust or is a crate that a module uses: choose another name"
        )));
    }
    Ok(())
}

/// Returns the crate's own files.
fn own(name: &str, template: &Dir<'_>) -> Result<BTreeMap<PathBuf, String>, Failure> {
    let rust = sdk::rust_version()?;
    let filled = |text: &str| text.replace("{{name}}", name).replace("{{rust}}", &rust);
    let mut files = BTreeMap::from([
        ("Cargo.toml".into(), filled(MANIFEST)),
        ("Cargo.lock".into(), sdk::lock(name, &["guest-sdk", "serde"])?),
        (".gitignore".into(), IGNORED.to_owned()),
    ]);
    let fixtures = template.get_dir("fixtures").map(Dir::files).into_iter().flatten();
    for file in template.files().chain(fixtures) {
        let path = match file.path().to_str() {
            Some("lib.rs") => "src/lib.rs".into(),
            _ => file.path().to_owned(),
        };
        files.insert(path, filled(file.contents_utf8().unwrap_or_default()));
    }
    Ok(files)
}
