//! Who the person of a lead is: sealed from the post to the moment of delivery, found again without being kept.
//!
//! - Each lead is sealed under a random key of its own. The key lies wrapped by the master key in a table of its own, so
//!   destroying that row destroys the lead, in every copy that does not have the row.
//! - A phone or an e-mail is known by a keyed print. Without the key nobody can try numbers until one fits, and the key
//!   is wrapped by the master key as well. Prints stay the same when the master key changes.
//! - What is opened is wiped when it is dropped, and never printed.
//!
//! How erasure reaches copies: `gavel backup` leaves the table of wrapped keys out, so such a backup never holds contact
//! data that anybody can open. A raw copy of the data directory does, until the master key that wrapped its keys is
//! destroyed: `gavel master-key rotate` wraps what is left anew, and the old master key goes after it. Keep the master key
//! apart from the data directory and from its copies.

mod envelope;
mod master;
mod opened;
mod person;
mod secrets;

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ids::PingId;
use envelope::{NONCE_BYTES, Purpose, open, seal};

pub use envelope::{EnvelopeError, KEY_BYTES};
pub use master::{KEY_FILE, Location, MasterKey, MasterKeyError, MasterKeyId, make_file};
pub(crate) use master::{new_file, sync_directory_of};
pub use opened::OpenLead;
pub(crate) use opened::{wipe, wiped_text};
pub use person::{Person, PersonKind};
pub use secrets::SECRET_BYTES_MAX;

/// The name of the wrapped key of prints among the secrets.
pub const PRINT_KEY: &str = "print-key";

/// The longest lead that is sealed, in bytes of JSON: a body is shorter.
pub const LEAD_BYTES_MAX: usize = 1 << 20;

/// Seals, opens and recognises contact data.
pub struct Contacts {
    master: MasterKey,
    print_key: Zeroizing<[u8; KEY_BYTES]>,
}

/// A sealed lead with the wrapped key that opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The lead as JSON, under its own key.
    pub lead: Vec<u8>,
    /// That key, under the master key.
    pub key: Vec<u8>,
}

/// Why contact data cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    #[error("this machine has no randomness for keys")]
    Random(#[source] getrandom::Error),
    #[error("the contact data has {0} bytes; at most {LEAD_BYTES_MAX} can be sealed")]
    TooLarge(usize),
    #[error("the secret has {0} bytes; at most {SECRET_BYTES_MAX} can be sealed")]
    LongSecret(usize),
    #[error("the key of the contact data does not open")]
    Key(#[source] EnvelopeError),
    #[error("the contact data does not open")]
    Lead(#[source] EnvelopeError),
    #[error("the contact data is not a lead")]
    NoLead,
}

impl Contacts {
    /// Begins with a fresh key for prints; returns it wrapped as well, to be kept under [`PRINT_KEY`].
    ///
    /// # Errors
    /// If there is no randomness.
    pub fn begin(master: MasterKey) -> Result<(Self, Vec<u8>), ContactError> {
        let print_key = random()?;
        let wrapped = seal(&master.wrapping_key(), Purpose::Prints, 0, &*print_key, &nonce()?);
        Ok((Self { master, print_key }, wrapped))
    }

    /// Goes on with the kept key for prints. That it opens proves the master key.
    ///
    /// # Errors
    /// If the master key is another than the one that wrapped it, or the key is damaged.
    pub fn resume(master: MasterKey, wrapped: &[u8]) -> Result<Self, EnvelopeError> {
        let print_key = unwrap(&master, Purpose::Prints, 0, wrapped)?;
        Ok(Self { master, print_key })
    }

    /// The number of the master key in use.
    pub fn master_id(&self) -> MasterKeyId {
        self.master.id()
    }

    /// Seals a lead under a key of its own.
    ///
    /// # Errors
    /// If there is no randomness, or the lead is too large.
    pub fn seal(&self, ping: PingId, lead: &OpenLead) -> Result<Sealed, ContactError> {
        let text = lead.to_bytes();
        if text.len() > LEAD_BYTES_MAX {
            return Err(ContactError::TooLarge(text.len()));
        }
        let (key, subject) = (random()?, ping.as_u128());
        Ok(Sealed {
            lead: seal(&key, Purpose::Lead, subject, &text, &nonce()?),
            key: seal(&self.master.wrapping_key(), Purpose::Key, subject, &*key, &nonce()?),
        })
    }

    /// Opens a sealed lead: only just before it is sent.
    ///
    /// # Errors
    /// If it was sealed for another ping or under another master key, or is damaged.
    pub fn open(&self, ping: PingId, sealed: &Sealed) -> Result<OpenLead, ContactError> {
        let subject = ping.as_u128();
        let key = unwrap(&self.master, Purpose::Key, subject, &sealed.key);
        let key = key.map_err(ContactError::Key)?;
        let text = open(&key, Purpose::Lead, subject, &sealed.lead).map_err(ContactError::Lead)?;
        OpenLead::from_bytes(&text).ok_or(ContactError::NoLead)
    }

    /// Returns the keyed print by which a person is known: the same for every spelling of the same phone or e-mail.
    /// A value without anything in it that tells a person from another has the print of nobody, all zeros.
    pub fn person_print(&self, kind: PersonKind, value: &str) -> [u8; 32] {
        let plain = kind.normalized(value);
        if plain.is_empty() {
            return [0; 32];
        }
        let mut print = keyed(&self.print_key);
        print.update(kind.code().as_bytes());
        print.update(&[0]);
        print.update(plain.as_bytes());
        print.finalize().into_bytes().into()
    }

    /// Returns the keyed print by which a suppression list keeps the hash of a phone or an e-mail.
    pub fn listed_print(&self, kind: PersonKind, hash: &[u8]) -> [u8; 32] {
        let mut print = keyed(&self.print_key);
        print.update(b"listed ");
        print.update(kind.code().as_bytes());
        print.update(&[0]);
        print.update(hash);
        print.finalize().into_bytes().into()
    }

    /// Returns the prints of everybody whom a lead names.
    pub fn persons(&self, lead: &OpenLead) -> Vec<[u8; 32]> {
        let mut prints: Vec<[u8; 32]> = person::named(lead)
            .iter()
            .map(|Person { kind, value }| self.person_print(*kind, value))
            .filter(|print| *print != [0; 32])
            .collect();
        prints.sort_unstable();
        prints.dedup();
        prints
    }
}

/// Takes what one master key wrapped and wraps it by another: a lead's key, or with subject 0 the key of prints.
///
/// # Errors
/// If the old master key did not wrap it, or there is no randomness.
pub fn rewrap(
    from: &MasterKey,
    to: &MasterKey,
    subject: Option<u128>,
    wrapped: &[u8],
) -> Result<Vec<u8>, ContactError> {
    let (purpose, subject) = match subject {
        Some(subject) => (Purpose::Key, subject),
        None => (Purpose::Prints, 0),
    };
    let key = unwrap(from, purpose, subject, wrapped).map_err(ContactError::Key)?;
    Ok(seal(&to.wrapping_key(), purpose, subject, &*key, &nonce()?))
}

fn unwrap(
    master: &MasterKey,
    purpose: Purpose,
    subject: u128,
    wrapped: &[u8],
) -> Result<Zeroizing<[u8; KEY_BYTES]>, EnvelopeError> {
    let key = open(&master.wrapping_key(), purpose, subject, wrapped)?;
    let key: [u8; KEY_BYTES] = key.as_slice().try_into().map_err(|_| EnvelopeError::Refused)?;
    Ok(Zeroizing::new(key))
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, ContactError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(ContactError::Random)?;
    Ok(bytes)
}

fn nonce() -> Result<[u8; NONCE_BYTES], ContactError> {
    random().map(|nonce| *nonce)
}

#[expect(clippy::expect_used, reason = "a key of any length is one for HMAC")]
fn keyed(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length fits")
}

/// Names the master key only by its number.
impl fmt::Debug for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contacts").field("master", &self.master).finish_non_exhaustive()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("bytes", &self.lead.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contacts(byte: u8) -> Contacts {
        Contacts::begin(MasterKey::from_bytes([byte; 32])).unwrap().0
    }

    fn lead() -> OpenLead {
        OpenLead::new(
            json!({"first_name": "Dana", "email": "Dana@Example.com ", "phone": "(202) 555-0107", "zip": "90210"}),
        )
    }

    #[test]
    fn a_lead_opens_for_its_own_ping_under_its_own_master_key_only() {
        let (ping, other) = (PingId::from_u128(7), PingId::from_u128(8));
        let ours = contacts(1);
        let sealed = ours.seal(ping, &lead()).unwrap();
        assert_eq!(*ours.open(ping, &sealed).unwrap(), *lead());
        assert!(matches!(ours.open(other, &sealed), Err(ContactError::Key(_))));
        assert!(matches!(contacts(2).open(ping, &sealed), Err(ContactError::Key(_))));
        let foreign = Sealed { key: ours.seal(ping, &lead()).unwrap().key, ..sealed };
        assert!(matches!(ours.open(ping, &foreign), Err(ContactError::Lead(_))));
    }

    #[test]
    fn the_same_lead_is_never_sealed_to_the_same_bytes() {
        let ours = contacts(1);
        let ping = PingId::from_u128(7);
        let (one, two) = (ours.seal(ping, &lead()).unwrap(), ours.seal(ping, &lead()).unwrap());
        assert!(one.lead != two.lead && one.key != two.key);
    }

    #[test]
    fn a_lead_beyond_the_limit_is_refused() {
        let long = OpenLead::new(json!({"comment": "x".repeat(LEAD_BYTES_MAX)}));
        let refused = contacts(1).seal(PingId::from_u128(7), &long).unwrap_err().to_string();
        assert!(refused.contains("at most 1048576 can be sealed"), "{refused}");
    }

    #[test]
    fn a_person_has_one_print_in_every_spelling_and_another_under_another_key() {
        let ours = contacts(1);
        let phone = |text: &str| ours.person_print(PersonKind::Phone, text);
        assert_eq!(phone("(202) 555-0107"), phone("+1 202.555.0107"));
        assert_eq!(phone("2025550107"), phone("001 202 555 0107"));
        assert_ne!(phone("2025550107"), phone("2025550108"));
        let email = |text: &str| ours.person_print(PersonKind::Email, text);
        assert_eq!(email(" Dana@Example.COM"), email("dana@example.com"));
        assert_ne!(email("2025550107"), phone("2025550107"));
        assert_ne!(contacts(1).person_print(PersonKind::Phone, "2025550107"), phone("2025550107"));
        assert_eq!(ours.persons(&lead()).len(), 2);
        assert_eq!(phone("n/a"), [0; 32]);
    }

    #[test]
    fn what_is_wrapped_anew_opens_under_the_new_master_key_only() {
        let (old, new) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
        let (ours, prints) = Contacts::begin(old.clone()).unwrap();
        let ping = PingId::from_u128(7);
        let sealed = ours.seal(ping, &lead()).unwrap();
        let key = rewrap(&old, &new, Some(7), &sealed.key).unwrap();
        let prints = rewrap(&old, &new, None, &prints).unwrap();
        assert!(Contacts::resume(old.clone(), &prints).is_err());
        let theirs = Contacts::resume(new.clone(), &prints).unwrap();
        let sealed = Sealed { key, ..sealed };
        assert_eq!(*theirs.open(ping, &sealed).unwrap(), *lead());
        assert!(ours.open(ping, &sealed).is_err());
        assert_eq!(ours.persons(&lead()), theirs.persons(&lead()), "prints stay");
        assert!(rewrap(&old, &new, Some(7), &sealed.key).is_err(), "it is wrapped by the new one");
    }

    #[test]
    fn nothing_of_a_lead_or_a_key_is_printed() {
        let ours = contacts(0xab);
        let sealed = ours.seal(PingId::from_u128(7), &lead()).unwrap();
        let printed = format!("{ours:?} {sealed:?} {:?} {:?}", lead(), person::named(&lead()));
        for secret in ["abab", "Dana", "dana", "555", "0107", "171, 171"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
