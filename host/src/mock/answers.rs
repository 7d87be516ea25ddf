//! What a mock buyer answers to a ping and to a post.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::bodies::Spoken;
use super::character::{
    ANSWER_IN_PARTS, Character, FLAPS_EVERY, GARBAGE, LATE, SLOW, USUAL_DEADLINE,
};
use super::dialect::Dialect;
use super::{KEYS_MAX, Shared};
use crate::egress::signing::{self, Unbelievable};
use crate::ids::Digest;
use crate::money::Micros;

/// The largest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 256 << 10;
/// What a gzip bomb unpacks to, in bytes.
const BOMB_BYTES: usize = 10 << 20;
/// The least and the most that is bid, in cents.
const BID_CENTS: (u64, u64) = (500, 2_500);
/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// An answer and what it is called in the log.
struct Said {
    response: Response<Spoken>,
    did: String,
    /// What it says, if it is to be put into the buyer's dialect.
    words: Option<Value>,
}

/// Answers one request as the buyer's character has it.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Spoken>, Infallible> {
    let headers = request.headers().iter();
    let headers = headers
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let headers: HashMap<String, String> = headers.collect();
    let key = headers.get("idempotency-key").cloned().unwrap_or_default();
    shared.tally().headers = headers.clone();
    let (path, dialect) = (request.uri().path().to_owned(), shared.spec.dialect);
    let inquired = path.strip_prefix("/leads/").filter(|_| request.method() == Method::GET);
    let inquired = inquired.map(str::to_owned);
    let body = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let question = dialect.read(&path, &body);
    let text = |name: &str| question.get(name).and_then(Value::as_str).map(str::to_owned);
    let (call, about, said) = match (text("ping_id"), inquired.clone().or(text("lead_id"))) {
        (_, Some(lead)) if inquired.is_some() => {
            let said = match believes(&shared, &headers, &body) {
                Ok(()) => standing(&shared, &lead),
                Err(why) => unbelieved(&shared, why),
            };
            ("status", lead, said)
        }
        (_, Some(lead)) => {
            let said = match believes(&shared, &headers, &body) {
                Ok(()) => post(&shared, &question, &lead, &key).await,
                Err(why) => {
                    shared.tally().posts += 1;
                    unbelieved(&shared, why)
                }
            };
            ("post", lead, said)
        }
        (Some(ping), None) if question.get("lead").is_some_and(Value::is_object) => {
            let said = bid(&shared, &question, &ping).await;
            ("ping", ping, said)
        }
        _ => {
            shared.tally().unreadable += 1;
            let reason = match dialect {
                Dialect::Own => {
                    "expected a JSON object with `ping_id` and `lead`, or with `lead_id`"
                }
                Dialect::Boberdoo => "expected a form with `Mode` ping or post",
                Dialect::Px => "expected a JSON object at /ping or /post",
            };
            let body = json!({"status": "error", "reason": reason});
            let said = Said::of(StatusCode::BAD_REQUEST, &body, "could not read the question");
            ("none", String::new(), said)
        }
    };
    let Said { mut response, did, words } = said;
    if let Some(words) = words.filter(|_| dialect != Dialect::Own) {
        let (content_type, text) = dialect.word(&words);
        *response.body_mut() = Spoken::whole(text);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    shared.did(call, &about, did);
    Ok(response)
}

impl Said {
    fn of(status: StatusCode, body: &Value, did: impl Into<String>) -> Self {
        let response = spoken(status, Spoken::whole(body.to_string()));
        Self { response, did: did.into(), words: Some(body.clone()) }
    }

    fn spoken(body: Spoken, did: impl Into<String>) -> Self {
        Self { response: spoken(StatusCode::OK, body), did: did.into(), words: None }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }
}

fn spoken(status: StatusCode, body: Spoken) -> Response<Spoken> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

async fn bid(shared: &Shared, question: &Value, ping: &str) -> Said {
    let turn = {
        let mut tally = shared.tally();
        tally.pings += 1;
        tally.pings - 1
    };
    let amount = amount(shared.spec.seed, ping);
    let bid = json!({"status": "bid", "bid": amount.to_string(), "handle": format!("h-{ping}")});
    let bids = |did: &str| {
        shared.tally().bids += 1;
        Said::of(StatusCode::OK, &bid, format!("{did} {amount}"))
    };
    let busy = |status: StatusCode| {
        Said::of(status, &json!({"status": "error"}), format!("answered {}", status.as_u16()))
    };
    match shared.spec.character {
        Character::Prompt | Character::Rejecting | Character::Forgetful => bids("bid"),
        Character::NoBid => {
            Said::of(StatusCode::OK, &json!({"status": "no-bid", "reason": "not today"}), "no bid")
        }
        Character::Slow => {
            tokio::time::sleep(SLOW).await;
            bids("bid slowly")
        }
        Character::Flapping if is_ill(shared) => busy(StatusCode::SERVICE_UNAVAILABLE),
        Character::Flapping => bids("bid"),
        Character::Garbage => {
            let kinds = u64::try_from(GARBAGE.len()).unwrap_or(1);
            let kind = usize::try_from(turn % kinds).unwrap_or(0);
            let garbage = GARBAGE.get(kind).copied().unwrap_or_default();
            Said::spoken(Spoken::whole(garbage), format!("said {garbage:.40}"))
        }
        Character::Hanging => {
            shared.did("ping", ping, "says nothing");
            tokio::time::sleep(FOR_EVER).await;
            busy(StatusCode::GATEWAY_TIMEOUT)
        }
        Character::Failing => busy(StatusCode::INTERNAL_SERVER_ERROR),
        Character::Late => {
            let asked = question.get("deadline_ms").and_then(Value::as_u64);
            let asked = asked.map_or(USUAL_DEADLINE, Duration::from_millis);
            tokio::time::sleep(asked + LATE).await;
            bids("bid late")
        }
        Character::Slowloris
        | Character::GzipBomb
        | Character::Oversize
        | Character::BigHeaders
        | Character::WrongPing
        | Character::TooHigh
        | Character::Reset
        | Character::Redirecting => hostile(shared, &bid, amount),
    }
}

/// Answers as no honest buyer does.
fn hostile(shared: &Shared, bid: &Value, amount: Micros) -> Said {
    match shared.spec.character {
        Character::Slowloris => {
            let body = Spoken::in_parts(bid.to_string(), ANSWER_IN_PARTS);
            Said::spoken(body, "bids, a byte a second")
        }
        Character::GzipBomb => Said::spoken(Spoken::whole(bomb()), "sent a gzip bomb")
            .with(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        Character::Oversize => Said::spoken(Spoken::Endless, "sends blanks without an end"),
        Character::BigHeaders => {
            let line = HeaderValue::from_static(LONG_LINE);
            let mut said = Said::of(StatusCode::OK, bid, "bid with big headers");
            for number in 0..1_000 {
                let name = HeaderName::try_from(format!("x-filler-{number}"));
                if let Ok(name) = name {
                    said.response.headers_mut().append(name, line.clone());
                }
            }
            said
        }
        Character::WrongPing => {
            let other = json!({
                "status": "bid", "bid": amount.to_string(), "ping_id": "pg_00000000000000000000000000",
            });
            Said::of(StatusCode::OK, &other, "bid for another ping")
        }
        Character::TooHigh => {
            let high = json!({"status": "bid", "bid": "1000000.00"});
            Said::of(StatusCode::OK, &high, "bid a million")
        }
        Character::Reset => {
            Said::spoken(Spoken::broken("{\"status\":\"bid\",\"bid\":"), "broke the connection")
        }
        Character::Redirecting => {
            let there = HeaderValue::from_static("http://169.254.169.254/latest/meta-data/");
            Said::of(StatusCode::TEMPORARY_REDIRECT, &json!({}), "redirected").with(LOCATION, there)
        }
        _ => Said::of(StatusCode::OK, bid, format!("bid {amount}")),
    }
}

/// Checks the signature of a post, if the buyer takes only those that are signed.
fn believes(
    shared: &Shared,
    headers: &HashMap<String, String>,
    body: &[u8],
) -> Result<(), Unbelievable> {
    let Some(secret) = &shared.secret else { return Ok(()) };
    let header = |name: &str| headers.get(name).map(String::as_str);
    signing::believed(secret, header, body, shared.clock.now())
}

fn unbelieved(shared: &Shared, why: Unbelievable) -> Said {
    shared.tally().unsigned += 1;
    let body = json!({"status": "rejected", "reason": why.to_string()});
    Said::of(StatusCode::UNAUTHORIZED, &body, format!("did not believe it: {why}"))
}

/// Says what became of a lead, by its id or its key.
fn standing(shared: &Shared, lead: &str) -> Said {
    let known = {
        let mut tally = shared.tally();
        tally.status_calls += 1;
        let from = tally.keys.range(lead.to_owned()..).next();
        from.filter(|(key, _)| key.starts_with(lead)).map(|(_, answer)| answer.clone())
    };
    match known {
        Some(known) => Said::of(StatusCode::OK, &known, "said what became of it"),
        None => {
            let none = json!({"status": "not_found"});
            Said::of(StatusCode::NOT_FOUND, &none, "said that it does not have it")
        }
    }
}

/// A thousand characters.
const LONG_LINE: &str = {
    const LINE: [u8; 1_000] = [b'x'; 1_000];
    match std::str::from_utf8(&LINE) {
        Ok(line) => line,
        Err(_) => "",
    }
};

async fn post(shared: &Shared, question: &Value, lead: &str, key: &str) -> Said {
    let known = {
        let mut tally = shared.tally();
        tally.posts += 1;
        tally.post = question.clone();
        tally.keys.get(key).cloned()
    };
    if let Some(known) = known {
        shared.tally().asked_again += 1;
        return Said::of(StatusCode::OK, &known, "said the same again");
    }
    match shared.spec.character {
        Character::Failing => {
            return Said::of(StatusCode::INTERNAL_SERVER_ERROR, &json!({}), "answered 500");
        }
        Character::Flapping if is_ill(shared) => {
            let busy = json!({"status": "busy"});
            let retry = HeaderName::from_static("retry-after");
            return Said::of(StatusCode::SERVICE_UNAVAILABLE, &busy, "answered 503")
                .with(retry, HeaderValue::from_static("1"));
        }
        Character::Slow => tokio::time::sleep(SLOW).await,
        _ => (),
    }
    let price = question.get("price").and_then(Value::as_str).unwrap_or_default();
    let (answer, did) = match shared.spec.character {
        Character::Rejecting => {
            shared.tally().rejected += 1;
            (
                json!({"status": "rejected", "reason": "changed our mind"}),
                "refused the lead".to_owned(),
            )
        }
        _ => {
            let mut tally = shared.tally();
            let twice = tally.bought.insert(lead.to_owned(), price.to_owned()).is_some();
            tally.sold_twice += u64::from(twice);
            (
                json!({"status": "accepted", "id": format!("m-{lead}")}),
                format!("bought it for {price}"),
            )
        }
    };
    {
        let mut tally = shared.tally();
        if tally.keys.len() < KEYS_MAX {
            tally.keys.insert(key.to_owned(), answer.clone());
        }
    }
    if matches!(shared.spec.character, Character::Hanging | Character::Forgetful) {
        shared.did("post", lead, "took it, and says nothing");
        tokio::time::sleep(FOR_EVER).await;
    }
    Said::of(StatusCode::OK, &answer, did)
}

/// Every other turn of [`FLAPS_EVERY`] after its opening a flapping buyer is ill.
fn is_ill(shared: &Shared) -> bool {
    let turns = shared.opened.elapsed().as_millis() / FLAPS_EVERY.as_millis().max(1);
    turns % 2 == 1
}

/// Returns what is bid for a ping: the same in every run with the same seed.
fn amount(seed: u64, ping: &str) -> Micros {
    let digest = Digest::of(format!("{seed}/{ping}").as_bytes());
    let first = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    let (least, most) = BID_CENTS;
    let cents = least + u64::from_le_bytes(first) % (most - least + 1);
    Micros::new(i64::try_from(cents.saturating_mul(10_000)).unwrap_or(i64::MAX))
}

/// A gzip stream of [`BOMB_BYTES`] zeros, of which a deflate block can hold a thousand in a byte: a stored header, then one
/// long run written as fixed Huffman codes of the longest match.
fn bomb() -> Bytes {
    let mut bits = Bits::default();
    // The last block, with fixed codes; then one zero to copy from.
    bits.put(0b011, 3);
    bits.put_code(0x30, 8);
    let mut left = BOMB_BYTES - 1;
    while left >= 258 {
        // Length 258 is code 285 (0b1100_0101); distance 1 is code 0 of five bits.
        bits.put_code(0b1100_0101, 8);
        bits.put_code(0, 5);
        left -= 258;
    }
    for _ in 0..left {
        bits.put_code(0x30, 8);
    }
    // The end of the block is code 256, seven zeros.
    bits.put_code(0, 7);
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    gzip.extend(bits.end());
    // The checksum is left wrong: nobody should get that far.
    gzip.extend([0; 8]);
    gzip.into()
}

/// Bits as deflate packs them: the lowest first, codes from their highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        self.pending |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn put_code(&mut self, code: u32, bits: u32) {
        (0..bits).rev().for_each(|bit| self.put(code >> bit & 1, 1));
    }

    fn end(mut self) -> Vec<u8> {
        self.put(0, (8 - self.count % 8) % 8);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bid_is_the_same_in_every_run() {
        let ping = "pg_01m80dtmxb0cxhc6kwpf168jec";
        assert_eq!(amount(1, ping), amount(1, ping));
        assert_ne!(amount(1, ping), amount(2, ping));
        for seed in 0..1_000 {
            let cents = amount(seed, ping).get() / 10_000;
            assert!((500..=2_500).contains(&cents), "{cents}");
        }
    }

    #[test]
    fn a_bomb_is_small() {
        let bomb = bomb();
        assert!(bomb.len() * 100 < BOMB_BYTES, "{}", bomb.len());
    }
}
