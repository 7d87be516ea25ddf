//! Sends one postback once, signed as Standard Webhooks says, and tells what came back.
//!
//! What is signed is the id, the time of the attempt and the body, so nobody who does not know the secret can make a
//! message up or send an old one again later. While a secret is being replaced the old one signs too.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use sha2::Sha256;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::courier::{cause, retry_after};
use crate::clock::Moment;
use crate::egress::{Client, Destination, Egress, Unavailable};

/// How long a receiver may take to answer.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes: nothing in it matters, but a connection is used again only if it is read.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// What a signing secret begins with in the words of people.
pub const SECRET_PREFIX: &str = "whsec_";
/// How many bytes a signing secret has that is made here.
pub const SECRET_BYTES: usize = 32;
/// How few and how many bytes a signing secret may have that somebody brings along.
pub const SECRET_BYTES_MIN: usize = 24;
pub const SECRET_BYTES_MAX: usize = 64;

/// One postback on its way.
pub struct Letter<'l> {
    pub destination: &'l Destination,
    pub id: &'l str,
    /// JSON.
    pub body: Vec<u8>,
    /// What signs it, the newest first.
    pub secrets: &'l [Zeroizing<Vec<u8>>],
    /// The moment of the attempt.
    pub at: Moment,
}

/// Without what is said, and without what signs it.
impl fmt::Debug for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What came of sending a postback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The receiver took it.
    Taken { status: u16 },
    /// The receiver says that the end point is gone for good.
    Gone,
    /// The receiver did not take it.
    Refused { status: u16, why: String, retry_after: Option<Duration> },
    /// Nothing came back.
    Silent { why: String },
}

/// Sends postbacks over connections that it keeps and shares.
#[derive(Clone, Debug)]
pub struct Postman {
    client: Client,
}

impl Postman {
    /// # Errors
    ///
    /// If the machine cannot speak https.
    pub fn new(egress: &Egress) -> Result<Self, Unavailable> {
        Ok(Self { client: egress.client()? })
    }

    /// Makes one attempt.
    pub async fn send(&self, letter: Letter<'_>) -> Receipt {
        let seconds = letter.at.unix_ms().div_euclid(1_000);
        let signatures: Vec<String> = letter
            .secrets
            .iter()
            .map(|secret| signature(secret, letter.id, seconds, &letter.body))
            .collect();
        let request = match self.client.request(Method::POST, letter.destination) {
            Ok(request) => request,
            Err(forbidden) => return Receipt::Silent { why: forbidden.to_string() },
        };
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", letter.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signatures.join(" "))
            .body(Bytes::from(letter.body));
        let deadline = Instant::now() + ANSWER_TIME_MAX;
        let mut response = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Receipt::Silent { why: cause(error) },
            Err(_) => {
                let why = format!("nothing came back in {} s", ANSWER_TIME_MAX.as_secs());
                return Receipt::Silent { why };
            }
        };
        let mut read = 0_usize;
        while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
            read = read.saturating_add(chunk.len());
            if read > ANSWER_BYTES_MAX {
                break;
            }
        }
        let status = response.status().as_u16();
        let why = match status {
            200..300 => return Receipt::Taken { status },
            410 => return Receipt::Gone,
            300..400 => format!("it answered {status}, and redirects are not followed"),
            _ => format!("it answered {status}"),
        };
        Receipt::Refused { status, why, retry_after: retry_after(response.headers()) }
    }
}

/// Returns what goes into `webhook-signature` for one secret.
#[expect(clippy::expect_used, reason = "a key of any length is one for HMAC")]
pub fn signature(secret: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    let mut signing = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length fits");
    signing.update(format!("{id}.{seconds}.").as_bytes());
    signing.update(body);
    format!("v1,{}", STANDARD.encode(signing.finalize().into_bytes()))
}

/// Writes a signing secret as people hand it on.
pub fn spelled(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(secret)))
}

/// Reads a signing secret that somebody brings along.
pub fn read(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok().map(Zeroizing::new)?;
    (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()).then_some(bytes)
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
            assert!(read(&spelled(&vec![7; length])).is_none(), "{length}");
        }
        assert!(read("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none());
        assert!(read("whsec_not base 64 at all, is it?").is_none());
    }
}
