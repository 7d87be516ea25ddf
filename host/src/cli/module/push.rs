//! `gavel module push`: a component into a running exchange.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::Value;

use super::figures::thousands;
use super::resource::{Note, module};
use super::{print, print_json, read};
use crate::cli::Failure;
use crate::cli::ask::{Body, Exchange};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component.
    file: PathBuf,
    /// The module's name; the file's name without `.wasm` if absent.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    exchange: Exchange,
}

pub(super) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = args.name.clone().unwrap_or(stem);
    module(&name, "")?;
    let wasm = read(&args.file)?;
    let query = [("name", name.as_str()), ("by", &args.note.by), ("why", &args.note.why)];
    let pushed = args.exchange.call(Method::POST, "modules", &query, Body::Component(wasm))?;
    if as_json {
        return print_json(&pushed);
    }
    let number = |key: &str| pushed.get(key).and_then(Value::as_u64).unwrap_or_default();
    let text = |key: &str| pushed.get(key).and_then(Value::as_str).unwrap_or_default();
    let version = number("version");
    let known = if pushed.get("created") == Some(&Value::Bool(false)) { " already" } else { "" };
    print(&format!(
        "{name} version {version}{known}: a {} of {} bytes, {}",
        text("world"),
        thousands(number("bytes")),
        text("digest")
    ))?;
    for passed in pushed.get("passed").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| passed.get(key).and_then(Value::as_str).unwrap_or_default();
        print(format!("  {:12}{}", part("check"), part("found")).trim_end())?;
    }
    print(&format!(
        "Next: `gavel module activate {name} {version}` lets it serve; `gavel module shadow {name} {version}` first \
         compares it with the active version on live traffic"
    ))
}
