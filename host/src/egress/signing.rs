//! Signs what goes out, as Standard Webhooks says.
//!
//! What is signed is an id, the moment of the attempt and the body, so nobody who does not know the secret can make a
//! message up or send an old one again later. While a secret is being replaced the old one signs too.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::Moment;

/// The headers that a signature is made of, in lower case.
pub const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
/// What a signing secret begins with in the words of people.
pub const SECRET_PREFIX: &str = "whsec_";
/// How many bytes a signing secret has that is made here.
pub const SECRET_BYTES: usize = 32;
/// How few and how many bytes a signing secret may have that somebody brings along.
pub const SECRET_BYTES_MIN: usize = 24;
pub const SECRET_BYTES_MAX: usize = 64;
/// How far the moment of an attempt may be from a receiver's clock: a message that is older may be one that somebody saw
/// and sends again.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// What signs one attempt.
#[derive(Clone, Copy)]
pub struct Signing<'s> {
    /// The newest first.
    pub secrets: &'s [Zeroizing<Vec<u8>>],
    /// The moment of the attempt.
    pub at: Moment,
}

/// Without what signs.
impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets at {}", self.secrets.len(), self.at)
    }
}

impl Signing<'_> {
    /// Returns the headers that make a message with this id and body a signed one. A dot in the id becomes a `~`, because
    /// in what is signed a dot ends the id.
    pub fn headers(&self, id: &str, body: &[u8]) -> [(&'static str, String); 3] {
        let (id, seconds) = (id.replace('.', "~"), self.at.unix_ms().div_euclid(1_000));
        let signatures = self.secrets.iter().map(|secret| signature(secret, &id, seconds, body));
        let signatures = signatures.collect::<Vec<_>>().join(" ");
        let [id_name, time_name, signature_name] = HEADERS;
        [(id_name, id), (time_name, seconds.to_string()), (signature_name, signatures)]
    }
}

/// Why a receiver does not believe a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelievable {
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    #[error("`webhook-timestamp` is not a number of seconds since 1970")]
    NoTime,
    #[error("`webhook-timestamp` is {0} s old, more than {max}", max = TOLERANCE.as_secs())]
    Old(i64),
    #[error("`webhook-timestamp` is {0} s ahead, more than {max}: compare the clocks", max = TOLERANCE.as_secs())]
    Ahead(i64),
    #[error(
        "`webhook-signature` is not what the secret makes of the id, the timestamp and the body: compare the secrets"
    )]
    Forged,
}

/// Checks a message as its receiver does.
///
/// # Errors
/// [`Unbelievable`] if it was not signed with this secret, or more than [`TOLERANCE`] from now.
pub fn believed<'h>(
    secret: &[u8],
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
    now: Moment,
) -> Result<(), Unbelievable> {
    let there = |name| header(name).ok_or(Unbelievable::Missing(name));
    let [id, seconds, signatures] = HEADERS;
    let (id, seconds, signatures) = (there(id)?, there(seconds)?, there(signatures)?);
    let seconds: i64 = seconds.parse().map_err(|_| Unbelievable::NoTime)?;
    let expected = signature(secret, id, seconds, body);
    let same =
        |one: &str| bool::from(subtle::ConstantTimeEq::ct_eq(one.as_bytes(), expected.as_bytes()));
    if !signatures.split(' ').any(same) {
        return Err(Unbelievable::Forged);
    }
    let age = now.unix_ms().div_euclid(1_000).saturating_sub(seconds);
    let most = i64::try_from(TOLERANCE.as_secs()).unwrap_or(i64::MAX);
    match age {
        age if age > most => Err(Unbelievable::Old(age)),
        age if age < -most => Err(Unbelievable::Ahead(age.saturating_neg())),
        _ => Ok(()),
    }
}

/// Returns what goes into `webhook-signature` for one secret.
#[expect(clippy::expect_used, reason = "a key of any length is one for HMAC")]
fn signature(secret: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    let mut signing = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length fits");
    signing.update(format!("{id}.{seconds}.").as_bytes());
    signing.update(body);
    format!("v1,{}", STANDARD.encode(signing.finalize().into_bytes()))
}

/// Writes a signing secret as people hand it on.
pub fn spelled(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(secret)))
}

/// What somebody brings along is no signing secret. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a signing secret is `{SECRET_PREFIX}` and {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes in base 64"
)]
pub struct NoSecret;

/// Reads a signing secret that somebody brings along.
///
/// # Errors
/// [`NoSecret`] if it is none.
pub fn read(text: &str) -> Result<Zeroizing<Vec<u8>>, NoSecret> {
    let digits = text.strip_prefix(SECRET_PREFIX).ok_or(NoSecret)?;
    let bytes = STANDARD.decode(digits).map(Zeroizing::new).map_err(|_| NoSecret)?;
    let fits = (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len());
    fits.then_some(bytes).ok_or(NoSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_standard_webhooks_says() {
        let secret = read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_24_to_64_bytes() {
        for length in [SECRET_BYTES_MIN, SECRET_BYTES, SECRET_BYTES_MAX] {
            let secret = vec![7; length];
            assert_eq!(*read(&spelled(&secret)).unwrap(), secret);
        }
        for length in [0, SECRET_BYTES_MIN - 1, SECRET_BYTES_MAX + 1] {
            assert_eq!(read(&spelled(&vec![7; length])), Err(NoSecret), "{length}");
        }
        assert!(read("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_err());
        assert!(read("whsec_not base 64 at all, is it?").is_err());
    }

    #[test]
    fn a_receiver_believes_what_was_signed_with_its_secret_just_now() {
        let (old, new) = (Zeroizing::new(vec![1; 32]), Zeroizing::new(vec![2; 32]));
        let at = Moment::from_unix_ms(1_772_470_800_999);
        let both = [new.clone(), old.clone()];
        let signed = Signing { secrets: &both, at }.headers("ld_1-0-acme.west", b"{}");
        assert_eq!(signed[0], ("webhook-id", "ld_1-0-acme~west".to_owned()));
        assert_eq!(signed[1], ("webhook-timestamp", "1772470800".to_owned()));
        let told = |secret: &[u8], body: &[u8], left_out: &str, seconds: i64| {
            let header = |name: &str| {
                let mut named = signed.iter().filter(|_| name != left_out);
                named.find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
            };
            believed(secret, header, body, Moment::from_unix_ms((1_772_470_800 + seconds) * 1_000))
        };
        for (secret, seconds) in [(&old, 0), (&new, 300), (&new, -300)] {
            assert_eq!(told(secret, b"{}", "", seconds), Ok(()), "{seconds}");
        }
        for (refused, expected) in [
            (told(&new, b"{}", "", 301), Unbelievable::Old(301)),
            (told(&new, b"{}", "", -301), Unbelievable::Ahead(301)),
            (told(&[3; 32], b"{}", "", 0), Unbelievable::Forged),
            (told(&new, b"{ }", "", 0), Unbelievable::Forged),
            (told(&new, b"{}", "webhook-id", 0), Unbelievable::Missing("webhook-id")),
            (told(&new, b"{}", "webhook-signature", 0), Unbelievable::Missing("webhook-signature")),
        ] {
            assert_eq!(refused, Err(expected));
        }
        assert_eq!(format!("{:?}", Signing { secrets: &both, at }), format!("2 secrets at {at}"));
    }
}
