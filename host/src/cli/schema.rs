//! `gavel schema`: what a vertical takes, for people, for programs and for filters, and what a newer version changes.

mod table;

use std::path::Path;

use clap::ValueEnum;
use serde_json::Value;

use super::Failure;
use super::ask::Exchange;
use super::module::{admit, print, print_json};
use crate::lead::Schema;
use crate::sandbox::{Admitted, Stage};
use crate::schemas::{self, Unreadable};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A vertical of the exchange, or the file of a normalizer.
    #[arg(required_unless_present = "compare")]
    vertical: Option<String>,
    /// The version of the schema, such as 1.0; by default the one that serves.
    #[arg(long, value_name = "MAJOR.MINOR", conflicts_with = "compare")]
    version: Option<String>,
    /// Print JSON Schema 2020-12, of both steps unless one is named.
    #[arg(long, conflicts_with_all = ["rust", "compare"])]
    json_schema: bool,
    /// The step that the JSON Schema is of.
    #[arg(long, requires = "json_schema")]
    stage: Option<StageArg>,
    /// Print a Rust file with a typed constant for every field that a filter may read.
    #[arg(long, conflicts_with = "compare")]
    rust: bool,
    /// Print what changes from one version to another, each a version such as 1.0 or the file of a normalizer. The exit
    /// code is 1 if the newer one breaks what relies on the older, or has a number that it cannot have.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
    compare: Option<Vec<String>>,
    /// Without the operator's key only the version that serves can be seen.
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StageArg {
    Ping,
    Post,
}

pub(super) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    if let Some([old, new]) = args.compare.as_deref() {
        return compare(args, old, new, as_json);
    }
    let schema = load(args, args.vertical.as_deref().unwrap_or_default(), args.version.as_deref())?;
    if args.rust {
        return print(schemas::accessors(&schema).trim_end());
    }
    if args.json_schema {
        return pretty(&match args.stage {
            None => schemas::json_schemas(&schema),
            Some(StageArg::Ping) => schemas::json_schema(&schema, Stage::Ping),
            Some(StageArg::Post) => schemas::json_schema(&schema, Stage::Post),
        });
    }
    if as_json {
        return print_json(&schemas::to_json(&schema));
    }
    print(&table::schema(&schema))
}

fn compare(args: &Args, old: &str, new: &str, as_json: bool) -> Result<(), Failure> {
    let both_there = !is_file(old) && !is_file(new);
    let comparison = match &args.vertical {
        // Only the exchange knows the campaigns and filters that rely on the older one.
        Some(vertical) if both_there => {
            args.exchange.get(&format!("schemas/{vertical}/compare?from={old}&to={new}"))?
        }
        Some(_) | None => {
            let side = |version: &str| match &args.vertical {
                _ if is_file(version) => load(args, version, None),
                Some(vertical) => load(args, vertical, Some(version)),
                None => Err(Failure::usage(format!(
                    "`{version}` is not a file; to compare a version of the exchange, name the vertical too: \
                     `gavel schema VERTICAL --compare {old} {new}`"
                ))),
            };
            schemas::compare(&side(old)?, &side(new)?).to_json()
        }
    };
    if as_json {
        print_json(&comparison)?;
    } else {
        print(&table::comparison(&comparison))?;
    }
    let says = |member: &str| comparison.get(member).and_then(Value::as_bool);
    match (says("breaks"), says("allowed")) {
        (Some(false), Some(true)) => Ok(()),
        (Some(true), Some(true)) => Err(Failure::does_not_hold(
            "the newer version breaks what relies on the older: both serve until everybody has moved",
        )),
        _ => Err(Failure::does_not_hold("an exchange would refuse the newer version")),
    }
}

/// Reads the schema of a vertical of the exchange, or of a file.
fn load(args: &Args, name: &str, version: Option<&str>) -> Result<Schema, Failure> {
    if is_file(name) {
        let Admitted::Normalizer(normalizer) = admit(Path::new(name))? else {
            return Err(Failure::usage(format!("{name} is a filter; a normalizer has a schema")));
        };
        let schema = normalizer.schema();
        let found = schemas::version_text(schema.version());
        return match version.filter(|version| *version != found) {
            None => Ok(schema.as_ref().clone()),
            Some(version) => Err(Failure::usage(format!(
                "{name} has version {found} of the schema, not {version}"
            ))),
        };
    }
    let unreadable = |error: Unreadable| Failure::could_not_run(error.to_string());
    let found = document(&args.exchange, name, version)?;
    schemas::from_json(&found).map_err(unreadable)
}

/// Fetches the document of a vertical's schema.
fn document(exchange: &Exchange, vertical: &str, version: Option<&str>) -> Result<Value, Failure> {
    if exchange.has_key() {
        let version = version.map(|version| format!("/{version}")).unwrap_or_default();
        return exchange.get(&format!("schemas/{vertical}{version}"));
    }
    let serving = exchange.public(&format!("{vertical}/spec"))?;
    let serves = serving.get("version").and_then(Value::as_str).unwrap_or_default();
    match version.filter(|version| *version != serves) {
        None => Ok(serving),
        Some(version) => Err(Failure::usage(format!(
            "{vertical} serves version {serves}; to see version {version}, set GAVEL_OPERATOR_KEY to the operator's key"
        ))),
    }
}

/// Says whether a file is meant: a vertical's name has no `/`, and none ends like a module.
fn is_file(name: &str) -> bool {
    name.contains('/') || name.ends_with(".wasm") || Path::new(name).is_file()
}

fn pretty(document: &Value) -> Result<(), Failure> {
    print(&format!("{document:#}"))
}
