//! Verifying: a receipt is checked by whoever holds it, with nothing but the modules that decided.
//!
//! What is signed is checked first; then the facts that it stands on; then the auction is held again. Each check says one
//! line, and those that need what is missing are not made.

mod again;
mod evidence;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::again::hold;
use self::evidence::{Bench, Evidence};
use super::receipts::answered;
use crate::ids::Digest;
use crate::sandbox::{Compiler, SandboxError};
use crate::settlement::receipt::canonical::read_strictly;
use crate::settlement::receipt::seal::{self, EVIDENCE, FORMAT, PROOF};
use crate::signing::PublicKey;

/// The most files that are looked at for modules.
pub const FILES_MAX: usize = 10_000;
/// The largest file that may be a module, in bytes.
const MODULE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// One word.
    pub check: &'static str,
    pub holds: bool,
    /// What was found, in words.
    pub found: String,
}

/// What verifying a receipt found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub auction: String,
    pub findings: Vec<Finding>,
    /// Why the auction was not held again, where it was not.
    pub not_held: Option<String>,
}

impl Verified {
    /// Returns whether everything that was checked holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }

    fn say(&mut self, check: &'static str, result: Result<String, String>) -> Option<()> {
        let holds = result.is_ok();
        let found = result.unwrap_or_else(|fault| fault);
        self.findings.push(Finding { check, holds, found });
        holds.then_some(())
    }
}

/// Why a receipt cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("this is no receipt: {0}")]
    NotReceipt(String),
    #[error("{} cannot be read", path.display())]
    Modules { path: PathBuf, source: std::io::Error },
    #[error("there are more than {FILES_MAX} files in {}: name the folder that has the modules only", .0.display())]
    TooManyFiles(PathBuf),
    /// The checks that were made before are told too.
    #[error(
        "module `{name}` version {version} is missing: {digest} is no file in {}. Get it from the exchange, with `curl -H \"Authorization: Bearer $GAVEL_OPERATOR_KEY\" EXCHANGE/v1/modules/{name}/versions/{version} -o {name}-{version}.wasm`, and put it there under any name",
        directory.display()
    )]
    Missing {
        name: String,
        version: u32,
        digest: Digest,
        directory: PathBuf,
        before: Box<Verified>,
    },
    #[error("the sandbox cannot be set up")]
    Sandbox(#[from] SandboxError),
}

/// What a receipt is verified with.
#[derive(Clone, Debug)]
pub struct Means<'m> {
    /// The keys that may have signed; with none, the one that the receipt itself names.
    pub keys: &'m [PublicKey],
    /// Where the modules are; files are known by their content, whatever they are called.
    pub modules: Option<&'m Path>,
    pub compiler: Compiler,
}

/// Verifies a receipt.
///
/// # Errors
///
/// [`VerifyError`] if it cannot be done. What does not hold is no error; it is in the result.
pub fn verify(text: &str, means: &Means<'_>) -> Result<Verified, VerifyError> {
    let document =
        read_strictly(text).map_err(|error| VerifyError::NotReceipt(error.to_string()))?;
    let Value::Object(receipt) = document else {
        return Err(VerifyError::NotReceipt("it is no JSON object".to_owned()));
    };
    let auction = receipt.get("auction").and_then(Value::as_str);
    let mut verified =
        Verified { auction: auction.unwrap_or_default().to_owned(), ..Verified::default() };
    let proof = receipt.get(PROOF).ok_or_else(|| {
        VerifyError::NotReceipt(
            "it has no `proof`; GET /v1/auctions/{id} answers with a signed receipt".to_owned(),
        )
    })?;
    let done = steps(&mut verified, &receipt, proof, means);
    done.map(|_| verified.clone()).or_else(|error| match error {
        VerifyError::Missing { name, version, digest, directory, .. } => {
            Err(VerifyError::Missing {
                name,
                version,
                digest,
                directory,
                before: Box::new(verified),
            })
        }
        error => Err(error),
    })
}

/// Makes one check after the other, until one does not hold that the next stands on.
fn steps(
    verified: &mut Verified,
    receipt: &Map<String, Value>,
    proof: &Value,
    means: &Means<'_>,
) -> Result<Option<()>, VerifyError> {
    let (key, whose) = match key(proof, means.keys) {
        Ok(found) => found,
        Err(fault) => return Ok(verified.say("signature", Err(fault))),
    };
    let signed = seal::check_signature(proof, FORMAT, &["statement", "salts", "signature"], &key);
    let signed = signed.map(|()| format!("ed25519 by key {}{whose}", key.id()));
    let signed = verified.say("signature", signed);
    let mut whole = false;
    let opened = seal::check_openings(receipt).map(|openings| {
        whole = openings.is_whole();
        let sum =
            |pick: fn(&(usize, usize)) -> usize| openings.members.values().map(pick).sum::<usize>();
        let (shown, sealed) = (sum(|(shown, _)| *shown), sum(|(_, sealed)| *sealed));
        if whole {
            format!("all {sealed} parts are shown, and are what was signed")
        } else {
            format!(
                "{shown} of {sealed} parts are shown, and are what was signed; {}",
                bids(&openings)
            )
        }
    });
    let opened = verified.say("contents", opened);
    if signed.is_none() || opened.is_none() {
        return Ok(None);
    }
    let Some(evidence) = receipt.get(EVIDENCE) else {
        let why = if whole {
            "the receipt has no evidence: GET /v1/auctions/{id}?full=1 has it"
        } else {
            "this is one party's view: the operator has the whole receipt with its evidence"
        };
        verified.not_held = Some(why.to_owned());
        return Ok(Some(()));
    };
    let auction = verified.auction.clone();
    let signed = seal::check_evidence(evidence, &auction, &key);
    let signed =
        signed.map(|()| "what it takes to hold the auction again is what was signed".to_owned());
    if verified.say("evidence", signed).is_none() {
        return Ok(None);
    }
    let read = Evidence::read(evidence, receipt);
    let (evidence, facts) = match read {
        Ok(read) => read,
        Err(fault) => return Ok(verified.say("facts", Err(fault))),
    };
    let chained = format!("{} facts, each with its link in the journal's chain", facts.len());
    verified.say("facts", Ok(chained));
    let Some(answered) = answered(&facts).map(Arc::clone) else {
        return Ok(verified.say("facts", Err("none of them answers a ping".to_owned())));
    };
    let Some(directory) = means.modules else {
        verified.not_held =
            Some("no modules were given: --modules DIR says where they are".to_owned());
        return Ok(Some(()));
    };
    let bench = Bench::set_up(&answered, directory, means.compiler.clone())?;
    verified.say("modules", Ok(bench.words(&answered)));
    hold(verified, receipt, &bench, (&evidence.catalog, &facts, &answered));
    Ok(Some(()))
}

fn bids(openings: &seal::Openings) -> String {
    match openings.members.get("bids") {
        Some((shown, 1)) => format!("{shown} of 1 bid"),
        Some((shown, sealed)) => format!("{shown} of {sealed} bids"),
        None => "no bids".to_owned(),
    }
}

/// Returns the key that a receipt is checked with, and what to think of it.
fn key(proof: &Value, keys: &[PublicKey]) -> Result<(PublicKey, &'static str), String> {
    let text = |name: &str| {
        proof.pointer(&format!("/statement/{name}")).and_then(Value::as_str).unwrap_or_default()
    };
    if keys.is_empty() {
        let own = PublicKey::parse(text("public")).map_err(|error| error.to_string())?;
        return Ok((
            own,
            ", which the receipt itself names: compare it with the exchange's GET /v1/keys, or give it with --key",
        ));
    }
    let named = keys.iter().find(|key| key.id() == text("key"));
    named.map(|key| (*key, "")).ok_or_else(|| {
        let given: Vec<String> = keys.iter().map(PublicKey::id).collect();
        format!("it is signed by key {}, and what was given is {}", text("key"), given.join(", "))
    })
}

impl Verified {
    /// Returns it as JSON.
    pub fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({"check": finding.check, "holds": finding.holds, "found": finding.found})
        });
        json!({
            "auction": self.auction,
            "holds": self.holds(),
            "held_again": self.not_held.is_none() && self.holds(),
            "checks": findings.collect::<Vec<Value>>(),
            "not_held": self.not_held,
        })
    }
}
