//! What a full receipt carries, and the modules that it names: all that an auction is held again with.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{FILES_MAX, MODULE_BYTES_MAX, VerifyError};
use crate::catalog::{Excerpt, Workshop};
use crate::clock::Moment;
use crate::egress::Egress;
use crate::facts::{Fact, ModuleUsed, PingAnswered};
use crate::ids::{Digest, PingId};
use crate::journal::{self, Stored};
use crate::lead::Schema;
use crate::sandbox::{Compiler, Limits, Sandbox};
use crate::settlement::{self, Placed};

/// What a full receipt carries to be held again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    #[serde(rename = "program")]
    _program: String,
    facts: Vec<FactLine>,
    pub(super) catalog: Excerpt,
    #[serde(rename = "proof")]
    _proof: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactLine {
    seq: u64,
    at_ms: i64,
    kind: u16,
    /// The journal's bytes, in base64.
    payload: String,
}

impl Evidence {
    /// Reads the evidence, and the facts with the links that the receipt says they have.
    pub(super) fn read(
        evidence: &Value,
        receipt: &Map<String, Value>,
    ) -> Result<(Self, Vec<Placed>), String> {
        let evidence: Self = serde_path_to_error::deserialize(evidence).map_err(|error| {
            format!("the evidence cannot be read at `{}`: {}", error.path(), error.inner())
        })?;
        let auction = receipt.get("auction").and_then(Value::as_str).unwrap_or_default();
        let ping = PingId::parse(auction).map_err(|error| error.to_string())?;
        let befores = by_seq(receipt, "links", "before");
        let hashes = by_seq(receipt, "facts", "hash");
        let mut facts = Vec::with_capacity(evidence.facts.len());
        for line in &evidence.facts {
            let seq = line.seq;
            let payload =
                STANDARD.decode(&line.payload).map_err(|error| format!("fact {seq}: {error}"))?;
            let fact = Fact::decode(line.kind, &payload)
                .map_err(|error| format!("fact {seq}: {error}"))?;
            let missing = || format!("fact {seq} has no link in the receipt");
            let before = *befores.get(&seq).ok_or_else(missing)?;
            let hash = *hashes.get(&seq).ok_or_else(missing)?;
            let at = Moment::from_unix_ms(line.at_ms);
            if fact.subject() != Some(ping) {
                return Err(format!("fact {seq} is about something else"));
            }
            let subject = Some(ping.as_u128());
            let stored = Stored { seq, at, subject, kind: line.kind, payload, hash };
            if journal::link(before, &stored, &settlement::entries(&fact)) != hash {
                return Err(format!("fact {seq} is not the one that has the link {hash}"));
            }
            facts.push(Placed { seq, at, fact, hash, before });
        }
        Ok((evidence, facts))
    }
}

fn by_seq(receipt: &Map<String, Value>, member: &str, name: &str) -> BTreeMap<u64, Digest> {
    let elements = receipt.get(member).and_then(Value::as_array).into_iter().flatten();
    let pairs = elements.filter_map(|element| {
        let digest = element.get(name).and_then(Value::as_str)?;
        Some((element.get("seq")?.as_u64()?, Digest::parse(digest).ok()?))
    });
    pairs.collect()
}

/// The modules that decided, compiled.
pub(super) struct Bench {
    pub(super) workshop: Workshop,
    pub(super) schema: Option<Arc<Schema>>,
}

impl Bench {
    pub(super) fn set_up(
        auction: &PingAnswered,
        directory: &Path,
        compiler: Compiler,
    ) -> Result<Self, VerifyError> {
        let files = files(directory)?;
        let sandbox = Sandbox::open(&Limits::default())?.with_compiler(compiler);
        // Nothing is sent anywhere.
        let workshop = Workshop::new(sandbox, Egress::public().allow_loopback());
        for module in used(auction) {
            let digest = Digest::from_bytes(module.digest);
            let missing = || VerifyError::Missing {
                name: module.name.clone(),
                version: module.version,
                digest,
                directory: directory.to_owned(),
                before: Box::default(),
            };
            let path = files.get(&digest).ok_or_else(missing)?;
            let unreadable = |source| VerifyError::Modules { path: path.clone(), source };
            let wasm = std::fs::read(path).map_err(unreadable)?;
            let admitted = workshop.sandbox.admit(&wasm);
            let admitted =
                admitted.map_err(|why| unreadable(std::io::Error::other(why.to_string())))?;
            workshop.keep(digest, admitted);
        }
        let schema = workshop.schema(Digest::from_bytes(auction.normalizer.digest));
        Ok(Self { workshop, schema })
    }

    pub(super) fn words(&self, auction: &PingAnswered) -> String {
        let named =
            used(auction).map(|module| format!("{} version {}", module.name, module.version));
        format!("found by their digests: {}", named.collect::<Vec<String>>().join(", "))
    }
}

pub(super) fn used(auction: &PingAnswered) -> impl Iterator<Item = &ModuleUsed> {
    std::iter::once(&auction.normalizer).chain(&auction.filters)
}

/// Returns the files of a folder and of those in it by the digests of their contents.
fn files(directory: &Path) -> Result<HashMap<Digest, PathBuf>, VerifyError> {
    let (mut found, mut waiting, mut seen) = (HashMap::new(), vec![directory.to_owned()], 0_usize);
    while let Some(folder) = waiting.pop() {
        let unreadable = |source| VerifyError::Modules { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            seen = seen.saturating_add(1);
            if seen > FILES_MAX {
                return Err(VerifyError::TooManyFiles(directory.to_owned()));
            }
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if entry
                .metadata()
                .is_ok_and(|file| file.is_file() && file.len() <= MODULE_BYTES_MAX)
                && let Ok(bytes) = std::fs::read(entry.path())
            {
                found.insert(Digest::of(&bytes), entry.path());
            }
        }
    }
    Ok(found)
}
