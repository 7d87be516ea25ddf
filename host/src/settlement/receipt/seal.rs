//! Sealing: a receipt is signed once, and everybody is shown only his part of it under the same signature.
//!
//! ```text
//! commitment(member, value) = "sha256:" + hex( SHA-256( canonical( [salt, member, value] ) ) )
//! statement  = { "format": "gavel-receipt/1", "auction": …, "key": …, "public": …,
//!                "commitments": { member: commitment, … } }
//! signature  = ed25519( canonical( statement ) )
//! ```
//!
//! `member` is the name of a member of the receipt. A member that is a list has a list of commitments, one for each
//! element, in the order of the commitments themselves, so that a place in it says nothing. Salts are 32 hexadecimal
//! digits that nobody can guess. A view has some members and elements of the receipt, the salts of exactly those, and the
//! statement, which is the same in every view. `canonical` is described in [`super::canonical`].

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::canonical::canonical;
use crate::ids::Digest;
use crate::signing::{PublicKey, SigningKey};

/// The format of the statements that this program signs.
pub const FORMAT: &str = "gavel-receipt/1";
/// The member that holds the statement, the salts and the signature.
pub const PROOF: &str = "proof";
/// The member of a full receipt with what it takes to hold the auction again. It is signed by itself.
pub const EVIDENCE: &str = "evidence";
/// The format of the statement that signs the evidence.
pub const EVIDENCE_FORMAT: &str = "gavel-evidence/1";
/// The length of a salt in bytes: half of what stands in its hexadecimal digits.
const SALT_BYTES: usize = 16;

/// Makes salts, always the same for the same value, so that every view of a receipt has the same statement.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

/// Hides the key: with it sealed values could be guessed.
impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

impl SealKey {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn salt(&self, auction: &str, member: &str, value: &Value) -> String {
        let mut hash = Hmac::<Sha256>::new(&hmac_key(self.0).into());
        hash.update(&bytes(&json!(["gavel salt", auction, member, value])));
        let hash: [u8; 32] = hash.finalize().into_bytes().into();
        hash.iter().take(SALT_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A key as long as a block of the hash.
fn hmac_key(key: [u8; 32]) -> [u8; 64] {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(place, byte)| *place = byte);
    block
}

/// Returns a receipt's value with every number that the canonical form lacks as text.
pub fn plain(value: Value) -> Value {
    match value {
        Value::Number(_) if canonical(&value).is_err() => Value::String(value.to_string()),
        Value::Array(elements) => elements.into_iter().map(plain).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, plain(member))).collect()
        }
        other => other,
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    // What is sealed went through `plain`, and what comes from outside through `read_strictly`: a number that the form
    // lacks can only be too large, and then nothing fits.
    canonical(value).unwrap_or_default()
}

/// Returns what commits to a value without telling it.
fn commitment(salt: &str, member: &str, value: &Value) -> String {
    Digest::of(&bytes(&json!([salt, member, value]))).to_string()
}

/// Returns a whole receipt's statement, which every view carries.
pub fn statement(
    receipt: &Map<String, Value>,
    auction: &str,
    seal: &SealKey,
    key: &PublicKey,
) -> Value {
    let sealed =
        |member: &str, value: &Value| commitment(&seal.salt(auction, member, value), member, value);
    let commitments = receipt.iter().map(|(member, value)| {
        let committed = match value {
            Value::Array(elements) => {
                let mut all: Vec<String> = elements.iter().map(|one| sealed(member, one)).collect();
                all.sort_unstable();
                json!(all)
            }
            value => json!(sealed(member, value)),
        };
        (member.clone(), committed)
    });
    json!({
        "format": FORMAT,
        "auction": auction,
        "key": key.id(),
        "public": key.to_string(),
        "commitments": commitments.collect::<Map<String, Value>>(),
    })
}

/// Returns a view with its proof: the statement of the whole receipt, its signature, and the salts of what is shown.
pub fn signed(
    mut view: Map<String, Value>,
    statement: Value,
    seal: &SealKey,
    key: &SigningKey,
) -> Map<String, Value> {
    let auction = statement.get("auction").and_then(Value::as_str).unwrap_or_default();
    let salts = view.iter().map(|(member, value)| {
        let salts = match value {
            Value::Array(elements) => {
                elements.iter().map(|one| json!(seal.salt(auction, member, one))).collect()
            }
            value => json!(seal.salt(auction, member, value)),
        };
        (member.clone(), salts)
    });
    let salts: Map<String, Value> = salts.collect();
    let signature = key.sign(&bytes(&statement));
    view.insert(
        PROOF.to_owned(),
        json!({"statement": statement, "salts": salts, "signature": signature}),
    );
    view
}

/// Returns the evidence with a signature of its own, which names the auction.
pub fn signed_evidence(auction: &str, evidence: Map<String, Value>, key: &SigningKey) -> Value {
    let mut evidence = evidence;
    let digest = Digest::of(&bytes(&Value::Object(evidence.clone())));
    let statement = json!({
        "format": EVIDENCE_FORMAT,
        "auction": auction,
        "key": key.public().id(),
        "digest": digest.to_string(),
    });
    let signature = key.sign(&bytes(&statement));
    evidence.insert(PROOF.to_owned(), json!({"statement": statement, "signature": signature}));
    Value::Object(evidence)
}

/// How much of a receipt a view opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    /// By member: how many values are shown, of how many that were sealed.
    pub members: BTreeMap<String, (usize, usize)>,
}

impl Openings {
    /// Returns whether nothing is withheld.
    pub fn is_whole(&self) -> bool {
        self.members.values().all(|(shown, sealed)| shown == sealed)
    }
}

/// Returns the format and key that a statement names, once its signature holds.
///
/// # Errors
///
/// What does not hold.
pub fn check_signature(
    proof: &Value,
    format: &str,
    members: &[&str],
    key: &PublicKey,
) -> Result<(), String> {
    let object = proof.as_object().ok_or("there is no proof: it is not a signed receipt")?;
    exactly(object, members, "the proof")?;
    let statement =
        object.get("statement").and_then(Value::as_object).ok_or("the proof has no statement")?;
    let text = |name: &str| statement.get(name).and_then(Value::as_str);
    let said = text("format").unwrap_or_default();
    if said != format {
        return Err(format!("the format is `{said}`, and this program reads `{format}`"));
    }
    let named = text("key").unwrap_or_default();
    if named != key.id() {
        return Err(format!(
            "it says that key {named} signed it, and it is checked with {}",
            key.id()
        ));
    }
    let signature = object.get("signature").and_then(Value::as_str).unwrap_or_default();
    let signed = bytes(&Value::Object(statement.clone()));
    if key.verifies(&signed, signature) {
        Ok(())
    } else {
        Err(format!("the signature is not one of key {named} over this statement"))
    }
}

/// Checks that all that a receipt shows is what its statement commits to.
///
/// # Errors
///
/// The members that do not hold, in words.
pub fn check_openings(receipt: &Map<String, Value>) -> Result<Openings, String> {
    let proof = receipt.get(PROOF).unwrap_or(&Value::Null);
    let object = |pointer: &str| proof.pointer(pointer).and_then(Value::as_object);
    let (Some(commitments), Some(salts)) = (object("/statement/commitments"), object("/salts"))
    else {
        return Err("the proof has no commitments or no salts".to_owned());
    };
    let auction = proof.pointer("/statement/auction");
    if receipt.get("auction") != auction {
        return Err("the statement is about another auction".to_owned());
    }
    let (mut openings, mut faults) = (Openings::default(), Vec::new());
    let shown = receipt.iter().filter(|(member, _)| *member != PROOF && *member != EVIDENCE);
    for (member, value) in shown.clone() {
        let opened = commitments.get(member).ok_or("it was not signed");
        match opened.and_then(|committed| opened_of(member, value, committed, salts.get(member))) {
            Ok(count) => drop(openings.members.insert(member.clone(), count)),
            Err(fault) => faults.push(format!("`{member}`: {fault}")),
        }
    }
    let names: Vec<&str> = shown.map(|(member, _)| member.as_str()).collect();
    faults.extend(exactly(salts, &names, "the salts").err());
    for (member, committed) in commitments {
        let sealed = committed.as_array().map_or(1, Vec::len);
        openings.members.entry(member.clone()).or_insert((0, sealed));
    }
    if faults.is_empty() { Ok(openings) } else { Err(faults.join("; ")) }
}

/// Checks that the evidence is the one that was signed for this auction.
///
/// # Errors
///
/// What does not hold.
pub fn check_evidence(evidence: &Value, auction: &str, key: &PublicKey) -> Result<(), String> {
    let mut bare = evidence.as_object().cloned().unwrap_or_default();
    let proof = bare.remove(PROOF).unwrap_or_default();
    check_signature(&proof, EVIDENCE_FORMAT, &["statement", "signature"], key)?;
    let text = |name: &str| proof.pointer(&format!("/statement/{name}")).and_then(Value::as_str);
    if text("auction") != Some(auction) {
        return Err("it is of another auction".to_owned());
    }
    if text("digest") != Some(&Digest::of(&bytes(&Value::Object(bare))).to_string()) {
        return Err("it is not the evidence that was signed".to_owned());
    }
    Ok(())
}

/// Returns how much of a member is shown, of how much.
fn opened_of(
    member: &str,
    value: &Value,
    committed: &Value,
    salts: Option<&Value>,
) -> Result<(usize, usize), &'static str> {
    const OTHER: &str = "it is not what was signed";
    let opens = |salt: &Value, value: &Value| {
        salt.as_str().map(|salt| commitment(salt, member, value)).unwrap_or_default()
    };
    let salts = salts.ok_or("its salt is missing")?;
    match (value, committed, salts) {
        (Value::Array(values), Value::Array(committed), Value::Array(salts)) => {
            let mut left: Vec<&str> = committed.iter().filter_map(Value::as_str).collect();
            if values.len() != salts.len() {
                return Err("it has not as many elements as salts");
            }
            for (value, salt) in values.iter().zip(salts) {
                let opened = opens(salt, value);
                let place = left.iter().position(|one| *one == opened).ok_or(OTHER)?;
                left.swap_remove(place);
            }
            Ok((values.len(), committed.len()))
        }
        (value, Value::String(committed), salt) if opens(salt, value) == *committed => Ok((1, 1)),
        _ => Err(OTHER),
    }
}

fn exactly(object: &Map<String, Value>, names: &[&str], what: &str) -> Result<(), String> {
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("`{name}` does not belong into {what}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vector's key of RFC 8032.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                       -----END PRIVATE KEY-----\n";
    const AUCTION: &str = "pg_01kd0b4tq0e8m2v6x9c3r7s5wz";

    fn receipt() -> Map<String, Value> {
        let receipt = json!({
            "auction": AUCTION,
            "price": "8.01",
            "bids": [
                {"campaign": "a", "buyer": "acme", "amount": "12.00"},
                {"campaign": "b", "buyer": "bolt", "amount": "8.00"},
            ],
        });
        receipt.as_object().cloned().unwrap()
    }

    /// Signs the receipt above and returns the view that has these bids.
    fn view(bids: &[usize]) -> (Map<String, Value>, PublicKey) {
        let (seal, key) = (SealKey::new([1; 32]), SigningKey::from_pem(PEM, "here").unwrap());
        let statement = statement(&receipt(), AUCTION, &seal, &key.public());
        let mut view = receipt();
        let all = view["bids"].as_array().cloned().unwrap();
        view["bids"] = bids.iter().map(|bid| all[*bid].clone()).collect();
        (signed(view, statement, &seal, &key), key.public())
    }

    fn check(view: &Map<String, Value>, key: &PublicKey) -> Result<Openings, String> {
        check_signature(&view[PROOF], FORMAT, &["statement", "salts", "signature"], key)?;
        check_openings(view)
    }

    #[test]
    fn another_program_gets_the_same_signature() {
        // Computed with Python's json, hmac and hashlib and with OpenSSL, from the description above.
        let (whole, key) = view(&[0, 1]);
        let proof = &whole[PROOF];
        assert_eq!(key.id(), "21fe31dfa154a261");
        assert_eq!(
            proof["signature"],
            "cy54VJe8mxt2O+HiUe27rOhW3Mib+vLjbeHzR+6Q7MDANhJmOnSVJEJSqOOWAcGvTtdj99c/q345IqCNaUBBDQ=="
        );
        assert_eq!(proof["salts"]["bids"][1], "53c8cd340cc4b06fa9414a131477f905");
        assert_eq!(
            proof["statement"]["commitments"]["price"],
            "sha256:6d414cb027c3393802edb0ff3149ec20b7f7082f48cec66837456559e5fa44c0"
        );
        assert!(check(&whole, &key).unwrap().is_whole());
    }

    #[test]
    fn a_part_has_the_signature_of_the_whole_and_says_how_much_it_withholds() {
        let ((whole, key), (part, _)) = (view(&[0, 1]), view(&[1]));
        assert_eq!(part[PROOF]["statement"], whole[PROOF]["statement"]);
        let openings = check(&part, &key).unwrap();
        assert_eq!(openings.members["bids"], (1, 2));
        assert!(!openings.is_whole());
        assert!(!part[PROOF].to_string().contains("acme"));
    }

    #[test]
    fn a_bid_that_is_shown_twice_or_was_never_made_is_found() {
        let (mut twice, key) = view(&[1, 1]);
        assert_eq!(check(&twice, &key).unwrap_err(), "`bids`: it is not what was signed");
        twice["bids"] = json!([{"campaign": "b", "buyer": "bolt", "amount": "8.00"}]);
        assert_eq!(
            check(&twice, &key).unwrap_err(),
            "`bids`: it has not as many elements as salts"
        );
        let (mut more, key) = view(&[0]);
        more.insert("note".to_owned(), json!("x"));
        assert_eq!(check(&more, &key).unwrap_err(), "`note`: it was not signed");
    }

    #[test]
    fn numbers_that_readers_change_become_text() {
        let value = json!({"a": [1.5, 9_007_199_254_740_993_u64, 7], "b": {"c": -0.25}});
        assert_eq!(plain(value), json!({"a": ["1.5", "9007199254740993", 7], "b": {"c": "-0.25"}}));
    }
}
