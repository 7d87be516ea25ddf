//! The questions that an end point of the exchange's own JSON is tried with: pings in a row, at once and twice, and nonsense.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::check::{Args, PATIENCE};
use super::findings::{Finding, Wrong};
use super::judged::{Silent, Sought, bids};
use super::sample::all;
use crate::bidding::Reply;
use crate::cli::Failure;
use crate::clock::Clock;
use crate::egress::{Answer, BODY_BYTES_MAX, Destination, Line, Question};
use crate::ids::PingId;

/// How many pings are sent one after the other, to measure the time.
const PINGS: u32 = 20;
/// How many are sent at once.
const AT_ONCE: usize = 10;
/// What asks.
pub(super) struct Kit {
    pub(super) args: Args,
    line: Line,
    pub(super) destination: Destination,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) sought: Sought,
    pub(super) lead: Value,
    sent: Cell<u8>,
}

pub(super) type Asked = (Result<Answer, Silent>, Duration);

/// What came of several pings.
#[derive(Default)]
pub(super) struct Row {
    pub(super) asked: usize,
    wrong: Vec<Wrong>,
    /// How long each good answer took.
    pub(super) took: Vec<Duration>,
}

impl Row {
    fn add(&mut self, judged: Result<Reply, Wrong>, time: Duration) {
        self.asked = self.asked.saturating_add(1);
        match judged {
            Ok(_) => self.took.push(time),
            Err(wrong) => self.wrong.push(wrong),
        }
    }

    pub(super) fn slowest(&self) -> Duration {
        self.took.iter().max().copied().unwrap_or_default()
    }
}

impl Kit {
    pub(super) fn new(
        args: Args,
        line: Line,
        destination: Destination,
        lead: Value,
    ) -> Result<Self, Failure> {
        let sought = Sought { currency: args.currency.clone(), campaign: (args.campaign()?, None) };
        let readable = |(name, value): &(String, String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        };
        let headers = args.headers()?.all().iter().filter_map(readable).collect();
        Ok(Self { args, line, destination, headers, sought, lead, sent: Cell::new(0) })
    }

    pub(super) fn new_ping(&self) -> String {
        let number = self.sent.get().wrapping_add(1);
        self.sent.set(number);
        PingId::new(Clock::system().now(), [number; 10]).to_string()
    }

    pub(super) fn ping(&self, ping: &str) -> String {
        json!({
            "ping_id": ping, "vertical": self.args.vertical, "campaigns": [self.args.campaign],
            "currency": self.args.currency, "deadline_ms": self.args.timeout_ms, "test": true,
            "lead": self.lead,
        })
        .to_string()
    }

    pub(super) async fn ask(&self, body: &str) -> Asked {
        let json = HeaderValue::from_static("application/json");
        let identity = HeaderValue::from_static("identity");
        let key = HeaderName::from_static("idempotency-key");
        let ping = serde_json::from_str::<Value>(body).unwrap_or_default();
        let ping = ping.get("ping_id").and_then(Value::as_str).unwrap_or("none").to_owned();
        let mut headers =
            vec![(CONTENT_TYPE, json.clone()), (ACCEPT, json), (ACCEPT_ENCODING, identity)];
        headers.extend(self.headers.iter().cloned());
        headers.extend(HeaderValue::from_str(&ping).ok().map(|ping| (key, ping)));
        let question = Question {
            destination: &self.destination,
            method: Method::POST,
            path: "",
            headers,
            body: Bytes::from(body.to_owned()),
        };
        let began = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, self.line.ask(question)).await;
        let answer = match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Silent::Answer(error)),
            Err(_) => Err(Silent::Nothing),
        };
        (answer, began.elapsed())
    }

    /// Asks one after the other, until one is not answered at all.
    pub(super) async fn in_a_row(&self) -> Row {
        let mut row = Row::default();
        for _ in 0..PINGS {
            let ping = self.new_ping();
            let (answer, time) = self.ask(&self.ping(&ping)).await;
            let is_over = matches!(answer, Err(Silent::Nothing));
            row.add(self.sought.judged(&answer, &ping), time);
            if is_over {
                break;
            }
        }
        row
    }

    /// What is told of pings in a row. `first` is how long the one before them took.
    pub(super) fn times(&self, row: &Row, first: Duration) -> Finding {
        if let Some(wrong) = Wrong::among("time", row.asked, &row.wrong) {
            return wrong;
        }
        let mut took = row.took.clone();
        took.sort_unstable();
        let at = |percent: usize| {
            took.get(took.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
        };
        let (half, most) = (at(50), row.slowest());
        let seen = format!(
            "{PINGS} pings over warm connections: half within {} ms, all within {} ms (the first, with its connection, {} ms)",
            half.as_millis(),
            most.as_millis(),
            first.as_millis()
        );
        let limit = Duration::from_millis(u64::from(self.args.timeout_ms));
        let mend = "answer from memory; keep connections open; stand near the exchange";
        if half > limit {
            let why = "a bid that comes after the deadline never wins";
            return Finding::bad("time", seen, (why, mend));
        }
        if most > limit / 2 {
            let why = "sources give half a second for everything: slow bids are lost when the network is slow too";
            return Finding::weak("time", seen, (why, mend));
        }
        Finding::good("time", seen)
    }

    /// Asks several at once. `alone` is how long one took by itself at most.
    pub(super) async fn at_once(&self, alone: Duration) -> Finding {
        let pings: Vec<String> = (0..AT_ONCE).map(|_| self.new_ping()).collect();
        let asking = pings.iter().map(|ping| {
            let body = self.ping(ping);
            Box::pin(async move { self.ask(&body).await })
        });
        let mut row = Row::default();
        for (ping, (answer, time)) in pings.iter().zip(all(asking.collect()).await) {
            row.add(self.sought.judged(&answer, ping), time);
        }
        if let Some(wrong) = Wrong::among("at once", row.asked, &row.wrong) {
            return wrong;
        }
        let slowest = row.slowest();
        let seen = format!("{AT_ONCE} at once: all within {} ms", slowest.as_millis());
        if slowest > Duration::from_millis(u64::from(self.args.timeout_ms)) {
            if slowest <= alone.saturating_mul(2) {
                let why = "one alone takes nearly as long: a bid that comes after the deadline never wins";
                let mend = "answer each faster; that several come at once costs you little";
                return Finding::bad("at once", seen, (why, mend));
            }
            let why = "the exchange asks for many leads at the same time";
            return Finding::bad("at once", seen, (why, "let your server answer in parallel"));
        }
        Finding::good("at once", seen)
    }

    pub(super) async fn twice(&self) -> Finding {
        let check = "the same ping twice";
        let ping = self.new_ping();
        let body = self.ping(&ping);
        let judged = [self.ask(&body).await, self.ask(&body).await]
            .map(|(answer, _)| self.sought.judged(&answer, &ping));
        if let [Ok(one), Ok(other)] = &judged
            && one != other
        {
            let seen = format!("{}, then another answer", self.sought.in_words(one));
            let why = "a ping that the network repeats must not be two bids";
            let mend = "let the answer depend on the ping, or remember it by its Idempotency-Key";
            return Finding::weak(check, seen, (why, mend));
        }
        let wrong: Vec<Wrong> = judged.into_iter().filter_map(Result::err).collect();
        let wrong = Wrong::among(check, 2, &wrong);
        wrong.unwrap_or_else(|| Finding::good(check, "the same answer"))
    }

    pub(super) async fn nonsense(&self) -> Vec<Finding> {
        let long = format!("{{\"ping_id\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
        let cases = [
            ("not JSON", "this is not JSON"),
            ("an empty object", "{}"),
            ("a list", "[1,2,3]"),
            ("an endless name", &long),
        ];
        let mut findings = Vec::new();
        for (what, body) in cases {
            let check = "wrong input";
            let (answer, _) = self.ask(body).await;
            let mend = "answer 400, or {\"status\":\"no-bid\"}";
            findings.push(match answer {
                Err(silent) => {
                    let Wrong { seen, advice } = silent.told();
                    Finding::bad(check, format!("{what}: {seen}"), advice)
                }
                Ok(answer) => {
                    let status = answer.status.as_u16();
                    let seen = format!("{what} is answered with {status}");
                    match status {
                        200..=299 if bids(&answer.body) => {
                            let why = "whoever bids on nonsense will pay for it";
                            Finding::bad(check, format!("{seen} and a bid"), (why, mend))
                        }
                        500..=599 => {
                            let why = "a server that falls over what it does not know falls over tomorrow's new field";
                            Finding::weak(check, seen, (why, mend))
                        }
                        _ => Finding::good(check, seen),
                    }
                }
            });
        }
        findings
    }
}
