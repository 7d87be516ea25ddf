//! `gavel verify`: checks a receipt with nothing but the modules that decided.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Failure;
use super::module::{print, print_json};
use crate::exchange::{Means, Verified, VerifyError, verify};
use crate::sandbox::Compiler;
use crate::signing::PublicKey;

/// The largest receipt that is read, in bytes: one of a market with many campaigns is long.
const RECEIPT_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt, as GET /v1/auctions/{id} answers; `?full=1` has what it takes to hold the auction again. `-` is
    /// standard input.
    receipt: PathBuf,
    /// A folder with the modules that decided, under any names.
    #[arg(long, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// The exchange's public key: in base64, a PEM file, or a file with the answer of GET /v1/keys. Without it the receipt
    /// is checked with the key that it names itself.
    #[arg(long, value_name = "PUBLIC")]
    key: Vec<String>,
}

pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let text = read(&args.receipt)?;
    let mut keys = Vec::new();
    for given in &args.key {
        keys.extend(public_keys(given)?);
    }
    let compiler = Compiler::this_program();
    let means = Means { keys: &keys, modules: args.modules.as_deref(), compiler };
    let verified = match verify(&text, &means) {
        Ok(verified) => verified,
        Err(VerifyError::Missing { before, name, version, digest, directory }) => {
            show(&before, json)?;
            let error = VerifyError::Missing { before, name, version, digest, directory };
            return Err(Failure::because(&error));
        }
        Err(error @ VerifyError::NotReceipt(_)) => {
            return Err(Failure::usage(format!("{}: {error}", args.receipt.display())));
        }
        Err(error) => return Err(Failure::because(&error)),
    };
    show(&verified, json)?;
    let failed = verified.findings.iter().filter(|finding| !finding.holds);
    let failed: Vec<&str> = failed.map(|finding| finding.check).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let auction = &verified.auction;
    Err(Failure::does_not_hold(format!(
        "the receipt of {auction} does not hold: {}",
        failed.join(", ")
    )))
}

fn show(verified: &Verified, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&verified.to_json());
    }
    for finding in &verified.findings {
        let word = if finding.holds { "ok" } else { "FAILED" };
        print(&format!("{word:<7} {:<11} {}", finding.check, finding.found))?;
    }
    match &verified.not_held {
        Some(why) => print(&format!("        the auction was not held again: {why}")),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::could_not_run(format!("cannot read {}: {error}", path.display()))
    };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(RECEIPT_BYTES_MAX).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(RECEIPT_BYTES_MAX).read_to_string(&mut text)
    };
    read.map_err(unreadable)?;
    Ok(text)
}

/// Reads one key, or all keys of an exchange.
fn public_keys(given: &str) -> Result<Vec<PublicKey>, Failure> {
    let text = if Path::new(given).is_file() { read(Path::new(given))? } else { given.to_owned() };
    let answer: Option<Value> = serde_json::from_str(&text).ok();
    let listed = answer.as_ref().and_then(|answer| answer.get("keys")?.as_array());
    let parsed = match listed {
        Some(keys) => {
            let publics = keys.iter().filter_map(|key| key.get("public")?.as_str());
            publics.map(PublicKey::parse).collect()
        }
        None => PublicKey::parse(&text).map(|key| vec![key]),
    };
    parsed.map_err(|error| Failure::usage(format!("--key: {error}")))
}
