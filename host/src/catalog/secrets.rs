//! What signs the messages to an end point: postbacks, and leads on their way to a buyer.
//!
//! The newest secret signs first. One that was replaced signs beside it for a while, so that its receiver can change over
//! without a gap.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Moment;
use crate::contacts::Contacts;

/// How a buyer's leads are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningSpec {
    /// The exchange seals them, or makes them.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secrets: Secrets,
}

impl SigningSpec {
    /// Where a buyer's body has it.
    pub const POINTER: &str = "/delivery/signing";
}

/// Signing secrets, the newest first; at most [`Secrets::MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(Vec<SealedSecret>);

/// A signing secret, sealed for whoever it signs for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedSecret {
    /// In base 64.
    sealed: String,
    /// Until when it signs beside the newest, in milliseconds since 1970; absent for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
}

/// So many secrets sign already that another has no place until one of them ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} secrets sign already, because each signs for a day after it was replaced: wait until {until}, when one of them ends",
    Secrets::MAX
)]
pub struct TooManySecrets {
    pub until: Moment,
}

impl Secrets {
    /// How many may sign at once: the newest, and those before it whose time is not over.
    pub const MAX: usize = 4;
    /// How long one signs beside the one that replaced it.
    pub const OLD_SIGNS: Duration = Duration::from_secs(86_400);

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets those whose time is over.
    pub fn forget_ended(&mut self, at: Moment) {
        self.0.retain(|secret| secret.signs(at));
    }

    /// Makes a sealed secret the one that signs first. Those before it sign for [`Secrets::OLD_SIGNS`] beside it.
    ///
    /// # Errors
    /// [`TooManySecrets`] if [`Secrets::MAX`] sign at this moment.
    pub fn put(&mut self, sealed: &[u8], at: Moment) -> Result<(), TooManySecrets> {
        self.forget_ended(at);
        if self.0.len() >= Self::MAX {
            let soonest = self.0.iter().filter_map(|secret| secret.until_ms).min();
            return Err(TooManySecrets {
                until: Moment::from_unix_ms(soonest.unwrap_or_default()),
            });
        }
        let until = at.after(Self::OLD_SIGNS).unix_ms();
        for secret in &mut self.0 {
            secret.until_ms = secret.until_ms.or(Some(until));
        }
        self.0.insert(0, SealedSecret { sealed: STANDARD.encode(sealed), until_ms: None });
        Ok(())
    }

    /// Returns the newest, if it opens for its owner.
    pub fn newest(&self, owner: &str, keys: &Contacts) -> Option<Zeroizing<Vec<u8>>> {
        self.0.first()?.opened(owner, keys)
    }

    /// Returns those that sign at this moment, the newest first: only just before they are used. One that does not open is
    /// left out and logged.
    pub fn signing(&self, owner: &str, keys: &Contacts, at: Moment) -> Vec<Zeroizing<Vec<u8>>> {
        let open = |secret: &SealedSecret| {
            let opened = secret.opened(owner, keys);
            if opened.is_none() {
                tracing::error!(owner, "a signing secret does not open");
            }
            opened
        };
        self.0.iter().filter(|secret| secret.signs(at)).filter_map(open).collect()
    }
}

impl SealedSecret {
    fn signs(&self, at: Moment) -> bool {
        self.until_ms.is_none_or(|until| at.unix_ms() < until)
    }

    fn opened(&self, owner: &str, keys: &Contacts) -> Option<Zeroizing<Vec<u8>>> {
        keys.open_secret(owner, &STANDARD.decode(&self.sealed).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::MasterKey;

    const OWNER: &str = "buyer:acme:delivery";
    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn an_old_secret_signs_for_a_day_and_the_newest_signs_first() {
        let keys = Contacts::begin(MasterKey::from_bytes([1; 32])).unwrap().0;
        let mut secrets = Secrets::default();
        let mut put = |word: &str, ms: i64| {
            let sealed = keys.seal_secret(OWNER, word.as_bytes()).unwrap();
            secrets.put(&sealed, Moment::from_unix_ms(ms)).map(|()| secrets.clone())
        };
        let one = put("one", 0).unwrap();
        let two = put("two", 1_000).unwrap();
        let words = |secrets: &Secrets, ms: i64| {
            let opened = secrets.signing(OWNER, &keys, Moment::from_unix_ms(ms)).into_iter();
            opened.map(|one| String::from_utf8(one.to_vec()).unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!((words(&one, 0), words(&one, 400 * DAY_MS)), ("one".into(), "one".into()));
        assert_eq!(words(&two, 1_000 + DAY_MS - 1), "two one");
        assert_eq!(words(&two, 1_000 + DAY_MS), "two");
        assert_eq!(two.newest(OWNER, &keys).unwrap().as_slice(), b"two");
        // Another's does not open.
        assert!(two.signing("buyer:bolt:delivery", &keys, Moment::from_unix_ms(0)).is_empty());

        let (three, four) = (put("three", 2_000).unwrap(), put("four", 3_000).unwrap());
        assert_eq!(words(&three, 2_000), "three two one");
        assert_eq!(words(&four, 3_000), "four three two one");
        let full = put("five", 4_000).unwrap_err();
        assert_eq!(full.until, Moment::from_unix_ms(1_000 + DAY_MS));
        let five = put("five", 1_000 + DAY_MS).unwrap();
        assert_eq!(words(&five, 1_000 + DAY_MS), "five four three two");
    }
}
