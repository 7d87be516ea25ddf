//! Where a source and a buyer of the market hear what became of their leads: a receiver that believes nothing unsigned.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::tally::Tally;
use crate::clock::Clock;
use crate::egress::signing::{believed, read};
use crate::money::Micros;

/// The source and the buyer that want to hear of their leads, as the addresses of their objects have them.
pub(super) const HEARS: [&str; 2] = ["sources/roadside-quotes", "buyers/acorn-mutual"];
/// The largest message that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 20 * 1024;

/// What one of them heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// The sales it was told of, by the message's id, each with its price: what a source is paid, or a buyer pays.
    pub(super) sold: BTreeMap<String, Micros>,
    /// Other news, by id.
    pub(super) other: BTreeMap<String, String>,
    /// Messages under an id that it knew.
    pub(super) again: u64,
    /// Messages whose signature does not hold.
    pub(super) unsigned: u64,
    secret: Option<Zeroizing<Vec<u8>>>,
}

impl Heard {
    /// Returns the sum of the sales it was told of.
    pub(super) fn sum(&self) -> Micros {
        let prices = self.sold.values();
        prices.fold(Micros::ZERO, |sum, price| sum.checked_add(*price).unwrap_or(sum))
    }
}

/// The receiver, for all who want to hear.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    clock: Clock,
    tally: Arc<Tally>,
    heard: Arc<Mutex<BTreeMap<&'static str, Heard>>>,
}

impl Receiver {
    /// Starts it on a free port of loopback; it runs as long as the program.
    pub(super) async fn open(tally: Arc<Tally>) -> Result<Self, std::io::Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let heard = HEARS.into_iter().map(|owner| (owner, Heard::default())).collect();
        let (clock, heard) = (Clock::system(), Arc::new(Mutex::new(heard)));
        let receiver = Self { address, clock, tally, heard };
        tokio::spawn(receiver.clone().serve(listener));
        Ok(receiver)
    }

    /// Returns what is put into an owner's body, if it wants to hear.
    pub(super) fn wish(&self, owner: &str) -> Option<Value> {
        HEARS.contains(&owner).then(|| json!({"url": format!("http://{}/{owner}", self.address)}))
    }

    /// Learns what an owner's messages are signed with, from the answer that shows it this once.
    pub(super) fn trust(&self, owner: &str, made: &Value) {
        let secret = made.pointer("/postback/secret").and_then(Value::as_str);
        let secret = secret.and_then(|secret| read(secret).ok());
        if let (Some(heard), Some(secret)) = (self.book().get_mut(owner), secret) {
            heard.secret = Some(secret);
        }
    }

    /// Returns what everybody heard so far.
    pub(super) fn heard(&self) -> BTreeMap<&'static str, Heard> {
        self.book().clone()
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<&'static str, Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let receiver = self.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request| receiver.answer(request));
                let http = hyper::server::conn::http1::Builder::new();
                // A broken connection is the exchange's to notice and to try again.
                let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MESSAGE_BYTES_MAX).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let owner = head.uri.path().trim_start_matches('/');
        let mut response = Response::new(Empty::new());
        *response.status_mut() = self.hear(owner, &head.headers, &body);
        Ok(response)
    }

    /// Takes a message in, if it is signed as Standard Webhooks says.
    fn hear(&self, owner: &str, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let id = header("webhook-id").unwrap_or_default();
        let mut book = self.book();
        let Some(heard) = book.get_mut(owner) else { return StatusCode::NOT_FOUND };
        let Some(secret) = &heard.secret else { return StatusCode::SERVICE_UNAVAILABLE };
        if believed(secret, header, body, self.clock.now()).is_err() {
            heard.unsigned += 1;
            return StatusCode::UNAUTHORIZED;
        }
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        let event = message.get("type").and_then(Value::as_str).unwrap_or_default();
        let price = message.pointer("/data/price").and_then(Value::as_str);
        let price = price.and_then(|price| Micros::parse(price).ok()).unwrap_or_default();
        if heard.sold.is_empty() && heard.other.is_empty() {
            let name = owner.rsplit('/').next().unwrap_or_default();
            self.tally.event(format!("{name} is told {event} ({id}), and its signature holds"));
        }
        let known = heard.sold.contains_key(id) || heard.other.contains_key(id);
        heard.again += u64::from(known);
        match event {
            "lead.sold" => drop(heard.sold.insert(id.to_owned(), price)),
            other => drop(heard.other.insert(id.to_owned(), other.to_owned())),
        }
        StatusCode::NO_CONTENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::egress::signing::{Signing, spelled};

    #[tokio::test]
    async fn what_is_not_signed_right_is_not_believed() {
        let receiver = Receiver::open(Arc::new(Tally::new().unwrap())).await.unwrap();
        let [source, _] = HEARS;
        let (ours, other) = (Zeroizing::new(vec![7; 32]), Zeroizing::new(vec![8; 32]));
        receiver.trust(source, &json!({"postback": {"secret": *spelled(&ours)}}));
        let body = br#"{"type": "lead.sold", "data": {"price": "2.50"}}"#;
        let say = |secret: &Zeroizing<Vec<u8>>, signed: &[u8], at: Moment| {
            let mut headers = HeaderMap::new();
            let secrets = std::slice::from_ref(secret);
            for (name, value) in (Signing { secrets, at }).headers("pb_1", signed) {
                headers.insert(name, value.parse().unwrap());
            }
            receiver.hear(source, &headers, body).as_u16()
        };
        let now = receiver.clock.now();
        assert_eq!(say(&other, body, now), 401);
        assert_eq!(say(&ours, b"{}", now), 401);
        assert_eq!(say(&ours, body, Moment::from_unix_ms(1_000_000)), 401);
        for _ in 0..2 {
            assert_eq!(say(&ours, body, now), 204);
        }
        let heard = &receiver.heard()[source];
        assert_eq!((heard.unsigned, heard.again, heard.sum().to_string()), (3, 1, "2.50".into()));
    }
}
