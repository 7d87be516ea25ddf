//! Sends one postback once, signed, and tells what came back.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout_at};

use super::courier::{cause, retry_after};
use crate::egress::signing::Signing;
use crate::egress::{Client, Destination, Egress, Unavailable};

/// How long a receiver may take to answer.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes: nothing in it matters, but a connection is used again only if it is read.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// One postback on its way.
pub struct Letter<'l> {
    pub destination: &'l Destination,
    pub id: &'l str,
    /// JSON.
    pub body: Vec<u8>,
    pub signing: Signing<'l>,
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
        let signed = letter.signing.headers(letter.id, &letter.body);
        let request = match self.client.request(Method::POST, letter.destination) {
            Ok(request) => request,
            Err(forbidden) => return Receipt::Silent { why: forbidden.to_string() },
        };
        let request = request.header(CONTENT_TYPE, "application/json");
        let request =
            signed.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Bytes::from(letter.body));
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
