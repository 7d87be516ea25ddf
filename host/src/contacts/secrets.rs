//! Secrets of sources and buyers that the exchange itself must be able to read, such as what signs their postbacks:
//! sealed wherever they are kept.
//!
//! They lie under a key that is made of the key of prints, so they stay as they are when the master key changes: what is
//! wrapped anew is the key of prints. Each is bound to its owner, so one owner's does not open as another's.

use hmac::Mac as _;
use zeroize::Zeroizing;

use super::envelope::{EnvelopeError, KEY_BYTES, open_for, seal_for};
use super::{ContactError, Contacts, keyed, nonce};

/// The longest secret that is sealed, in bytes.
pub const SECRET_BYTES_MAX: usize = 8 << 10;
/// What stands before the owner in the proof.
const SECRET: &[u8] = b"gavel/contact/1/secret\0";

impl Contacts {
    /// Seals a secret for its owner, such as `source:web`.
    ///
    /// # Errors
    /// If there is no randomness, or the secret is longer than [`SECRET_BYTES_MAX`].
    pub fn seal_secret(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>, ContactError> {
        if secret.len() > SECRET_BYTES_MAX {
            return Err(ContactError::LongSecret(secret.len()));
        }
        Ok(seal_for(&self.secrets_key(), &bound_to(owner), secret, &nonce()?))
    }

    /// Opens a secret that was sealed for this owner: only just before it is used.
    ///
    /// # Errors
    /// If it was sealed for another owner or under other keys, or is damaged.
    pub fn open_secret(
        &self,
        owner: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        open_for(&self.secrets_key(), &bound_to(owner), sealed)
    }

    fn secrets_key(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut key = keyed(&self.print_key);
        key.update(b"gavel/contact/1/secrets");
        Zeroizing::new(key.finalize().into_bytes().into())
    }
}

fn bound_to(owner: &str) -> Vec<u8> {
    [SECRET, owner.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::{MasterKey, rewrap};

    #[test]
    fn a_secret_opens_for_its_owner_only_and_outlives_its_master_key() {
        let (old, new) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
        let (ours, prints) = Contacts::begin(old.clone()).unwrap();
        let sealed = ours.seal_secret("source:web", b"a secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, ours.seal_secret("source:web", b"a secret").unwrap());
        assert_eq!(*ours.open_secret("source:web", &sealed).unwrap(), b"a secret");
        assert!(ours.open_secret("buyer:web", &sealed).is_err());
        let others = Contacts::begin(old.clone()).unwrap().0;
        assert!(others.open_secret("source:web", &sealed).is_err());
        let prints = rewrap(&old, &new, None, &prints).unwrap();
        let ours = Contacts::resume(new, &prints).unwrap();
        assert_eq!(*ours.open_secret("source:web", &sealed).unwrap(), b"a secret");
    }

    #[test]
    fn a_secret_beyond_the_limit_is_refused() {
        let ours = Contacts::begin(MasterKey::from_bytes([1; 32])).unwrap().0;
        assert!(ours.seal_secret("source:web", &[7; SECRET_BYTES_MAX]).is_ok());
        let refused = ours.seal_secret("source:web", &[7; SECRET_BYTES_MAX + 1]).unwrap_err();
        assert!(refused.to_string().contains("at most 8192"), "{refused}");
    }
}
