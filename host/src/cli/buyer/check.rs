//! `gavel buyer check URL`: the conformance kit for end points that bid and take leads.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::findings::{Finding, Grade, print};
use super::leads::{Words, leads};
use super::sample::{all, usual_lead};
use super::spoken::{admitted, through};
use crate::bidding::{Reply, read};
use crate::catalog::Secret;
use crate::cli::Failure;
use crate::clock::Clock;
use crate::egress::signing;
use crate::egress::{Answer, BODY_BYTES_MAX, Destination, Egress, Line, NoAnswer, Question};
use crate::ids::PingId;

/// How many pings are sent one after the other, to measure the time.
const PINGS: u32 = 20;
/// How many are sent at once.
const AT_ONCE: usize = 10;
/// How long an answer is waited for at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the exchange is to ask for bids.
    url: String,
    /// Where the exchange is to deliver leads. A test lead with `"test": true` in it is posted there, twice.
    #[arg(long, value_name = "URL")]
    leads: Option<String>,
    /// Where the exchange is to ask what became of a lead that you may have, with {lead_id} or {idempotency_key} where the
    /// lead's stands.
    #[arg(long, value_name = "URL", requires = "leads")]
    pub(super) status: Option<String>,
    /// An HTTP status by which you say there that you do not have a lead, such as 404.
    #[arg(long, value_name = "STATUS", requires = "status")]
    pub(super) not_found: Vec<u16>,
    /// Sign the test leads with this secret, such as whsec_MfKQ.., as the exchange would, and see whether others are refused:
    /// unsigned ones, those that are signed with another secret, and old ones.
    #[arg(
        long,
        value_name = "SECRET",
        env = "GAVEL_SIGNING_SECRET",
        hide_env_values = true,
        requires = "leads"
    )]
    pub(super) signing_secret: Option<Secret>,
    /// What a ping says of the lead: a JSON object in a file. Without it a lead for auto insurance.
    #[arg(long, value_name = "FILE")]
    lead: Option<PathBuf>,
    /// The vertical that the pings are of.
    #[arg(long, default_value = "auto-insurance")]
    pub(super) vertical: String,
    /// The campaign that is asked for.
    #[arg(long, default_value = "test-campaign")]
    pub(super) campaign: String,
    #[arg(long, default_value = "USD")]
    pub(super) currency: String,
    /// How long the exchange will wait for a bid.
    #[arg(long, default_value_t = 400)]
    pub(super) timeout_ms: u32,
    /// Ask and deliver through this adapter, in the end point's own dialect.
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
    /// The adapter's settings, as JSON.
    #[arg(long, default_value = "{}", requires = "adapter")]
    settings: String,
    /// A PEM file with a certificate authority to trust beside the machine's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Args {
    /// Returns what the test leads are signed with.
    pub(super) fn secret(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let read = self.signing_secret.as_ref().map(|Secret(text)| signing::read(text));
        read.transpose().map_err(|no| Failure::usage(format!("--signing-secret: {no}")))
    }
}

/// What asks.
struct Kit {
    args: Args,
    line: Line,
    destination: Destination,
    lead: Value,
    sent: std::cell::Cell<u8>,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let url = args.url.clone();
    let findings = crate::cli::block_on(check(args))??;
    print(&url, &findings, json);
    let bad = findings.iter().filter(|finding| finding.grade == Grade::Bad).count();
    if bad == 0 {
        return Ok(());
    }
    let things = if bad == 1 { "one thing".to_owned() } else { format!("{bad} things") };
    Err(Failure::does_not_hold(format!("{things} at {url} to mend before the exchange can use it")))
}

async fn check(args: Args) -> Result<Vec<Finding>, Failure> {
    args.secret()?;
    let mut egress = Egress::public().allow_loopback();
    if let Some(file) = &args.ca {
        let told = |error: String| Failure::usage(format!("--ca {}: {error}", file.display()));
        let pem = std::fs::read(file).map_err(|error| told(error.to_string()))?;
        egress = egress.trust(&pem).map_err(|error| told(error.to_string()))?;
    }
    let lead = match &args.lead {
        None => usual_lead(),
        Some(file) => {
            let told =
                |error: String| Failure::usage(format!("--lead {}: {error}", file.display()));
            let bytes = std::fs::read(file).map_err(|error| told(error.to_string()))?;
            serde_json::from_slice(&bytes).map_err(|error| told(error.to_string()))?
        }
    };
    let destination = match egress.check(&args.url) {
        Ok(destination) => destination,
        Err(forbidden) => {
            let advice = (
                "the exchange sends leads only to public addresses, over HTTPS",
                "give an address such as https://bids.example.com/v1/bid",
            );
            return Ok(vec![Finding::bad("address", forbidden.to_string(), advice)]);
        }
    };
    let line = Line::open(&egress).map_err(|error| Failure::because(&error))?;
    if let Some(file) = &args.adapter {
        let mut findings = vec![address(&destination)];
        let (adapter, module) = admitted(file, &args.settings)?;
        let speaking = (adapter.clone(), module);
        let tried = through(speaking, &args, line, destination, &lead).await?;
        findings.extend(tried.findings);
        if let Some(url_of_leads) = &args.leads {
            let words = Some(Words { adapter, handle: tried.handle });
            findings.extend(leads(&egress, url_of_leads, &args, (&tried.ping, lead), words).await?);
        }
        return Ok(findings);
    }
    let sent = std::cell::Cell::new(0);
    let kit = Kit { args, line, destination, lead, sent };
    let mut findings = vec![address(&kit.destination)];
    let ping = kit.new_ping();
    let first = kit.ask(&kit.ping(&ping)).await;
    if let Err(Silent::Answer(error @ (NoAnswer::Unreachable(_) | NoAnswer::Forbidden(_)))) =
        &first.0
    {
        return Err(Failure::could_not_run(format!(
            "{} cannot be reached: {error}; is the server up, and its certificate of an authority that this machine \
             trusts? (--ca FILE adds one)",
            kit.destination
        )));
    }
    findings.push(kit.answer(&first.0, &ping));
    let (times, alone) = kit.times(first.1).await;
    findings.push(times);
    findings.push(kit.at_once(alone).await);
    findings.push(kit.twice().await);
    findings.extend(kit.nonsense().await);
    if let Some(url_of_leads) = &kit.args.leads {
        let (ping, lead) = (kit.new_ping(), kit.lead.clone());
        findings.extend(leads(&egress, url_of_leads, &kit.args, (&ping, lead), None).await?);
    }
    Ok(findings)
}

/// Why there is no answer.
enum Silent {
    Answer(NoAnswer),
    Nothing,
}

type Asked = (Result<Answer, Silent>, Duration);

impl Kit {
    fn new_ping(&self) -> String {
        let number = self.sent.get().wrapping_add(1);
        self.sent.set(number);
        PingId::new(Clock::system().now(), [number; 10]).to_string()
    }

    fn ping(&self, ping: &str) -> String {
        json!({
            "ping_id": ping, "vertical": self.args.vertical, "campaigns": [self.args.campaign],
            "currency": self.args.currency, "deadline_ms": self.args.timeout_ms, "test": true,
            "lead": self.lead,
        })
        .to_string()
    }

    async fn ask(&self, body: &str) -> Asked {
        let json = HeaderValue::from_static("application/json");
        let identity = HeaderValue::from_static("identity");
        let key = HeaderName::from_static("idempotency-key");
        let ping = serde_json::from_str::<Value>(body).unwrap_or_default();
        let ping = ping.get("ping_id").and_then(Value::as_str).unwrap_or("none").to_owned();
        let mut headers =
            vec![(CONTENT_TYPE, json.clone()), (ACCEPT, json), (ACCEPT_ENCODING, identity)];
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

    fn answer(&self, answer: &Result<Answer, Silent>, ping: &str) -> Finding {
        let answer = match answer {
            Ok(answer) => answer,
            Err(silent) => return unanswered("answer", silent),
        };
        let status = answer.status.as_u16();
        match status {
            204 => return Finding::good("answer", "204, no bid"),
            200..=299 => (),
            300..=399 => {
                let why = "redirects are never followed: they could lead a lead anywhere";
                let mend = "name the final address to the exchange";
                return Finding::bad("answer", format!("{status}, a redirect"), (why, mend));
            }
            _ => {
                let why = "any status but 200 and 204 is a failure; five in a row and you are left alone for 30 s";
                let mend = "answer 200 with {\"status\":\"no-bid\"} where you do not want the lead; what speaks a dialect of its own is tried with --adapter FILE";
                return Finding::bad("answer", format!("status {status}"), (why, mend));
            }
        }
        match read(&answer.body, ping, &self.args.currency) {
            Reply::Bid { amount, .. } if amount.is_positive() => {
                Finding::good("answer", format!("a bid of {amount} {}", self.args.currency))
            }
            Reply::Bid { amount, .. } => {
                let advice = ("a bid is above zero", "answer {\"status\":\"no-bid\"} instead");
                Finding::bad("answer", format!("a bid of {amount}"), advice)
            }
            Reply::NoBid { reason } => {
                let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
                Finding::good("answer", format!("no bid{reason}"))
            }
            Reply::Invalid { flaw, detail } => {
                let why = "what cannot be understood is no bid";
                let mend = "answer {\"status\":\"bid\",\"bid\":\"12.50\"} or {\"status\":\"no-bid\"}; amounts are text";
                Finding::bad("answer", format!("{}: {detail}", flaw.code()), (why, mend))
            }
        }
    }

    /// Asks one after the other. Returns what the slowest took, too.
    async fn times(&self, first: Duration) -> (Finding, Duration) {
        let mut took = Vec::new();
        for _ in 0..PINGS {
            let (answer, time) = self.ask(&self.ping(&self.new_ping())).await;
            if let Err(silent) = answer {
                return (unanswered("time", &silent), time);
            }
            took.push(time);
        }
        took.sort_unstable();
        let at = |percent: usize| {
            took.get(took.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
        };
        let (half, most) = (at(50), took.last().copied().unwrap_or_default());
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
            return (Finding::bad("time", seen, (why, mend)), most);
        }
        if most > limit / 2 {
            let why = "sources give half a second for everything: slow bids are lost when the network is slow too";
            return (Finding::weak("time", seen, (why, mend)), most);
        }
        (Finding::good("time", seen), most)
    }

    /// Asks several at once. `alone` is how long one took by itself at most.
    async fn at_once(&self, alone: Duration) -> Finding {
        let pings: Vec<String> = (0..AT_ONCE).map(|_| self.ping(&self.new_ping())).collect();
        let mut slowest = Duration::ZERO;
        let asking = pings.iter().map(|ping| Box::pin(self.ask(ping)));
        for (answer, time) in all(asking.collect()).await {
            if let Err(silent) = answer {
                return unanswered("at once", &silent);
            }
            slowest = slowest.max(time);
        }
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

    async fn twice(&self) -> Finding {
        let ping = self.ping(&self.new_ping());
        let (one, other) = (self.ask(&ping).await.0, self.ask(&ping).await.0);
        let (Ok(one), Ok(other)) = (one, other) else {
            return unanswered("the same ping twice", &Silent::Nothing);
        };
        if one.body == other.body {
            return Finding::good("the same ping twice", "the same answer");
        }
        let why = "a ping that the network repeats must not be two bids";
        let mend = "let the answer depend on the ping, or remember it by its Idempotency-Key";
        Finding::weak("the same ping twice", "two answers", (why, mend))
    }

    async fn nonsense(&self) -> Vec<Finding> {
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
            findings.push(match answer {
                Err(silent) => unanswered(check, &silent),
                Ok(answer) => {
                    let status = answer.status.as_u16();
                    let bids = matches!(read(&answer.body, "", &self.args.currency), Reply::Bid { .. });
                    let seen = format!("{what} is answered with {status}");
                    match status {
                        200..=299 if bids => {
                            let why = "whoever bids on nonsense will pay for it";
                            let mend = "answer 400, or {\"status\":\"no-bid\"}";
                            Finding::bad(check, format!("{seen} and a bid"), (why, mend))
                        }
                        500..=599 => {
                            let why = "a server that falls over what it does not know falls over tomorrow's new field";
                            let mend = "answer 400, or {\"status\":\"no-bid\"}";
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

fn address(destination: &Destination) -> Finding {
    let text = destination.to_string();
    if text.starts_with("https:") {
        return Finding::good("address", format!("{text}, over TLS"));
    }
    let why = "pings tell of consumers: nobody on the way may read them";
    Finding::weak("address", format!("{text}, without TLS"), (why, "use HTTPS before you go live"))
}

fn unanswered(check: &'static str, silent: &Silent) -> Finding {
    match silent {
        Silent::Nothing => {
            let why = "a buyer that is silent never bids; five times in a row and it is left alone for 30 s";
            let mend = "answer every request, at least with {\"status\":\"no-bid\"}";
            Finding::bad(check, format!("nothing in {} s", PATIENCE.as_secs()), (why, mend))
        }
        Silent::Answer(error) => {
            let why = "an answer that is not whole, small and plain is no bid";
            let mend = "answer a small JSON object, uncompressed, with a right Content-Length";
            Finding::bad(check, error.to_string(), (why, mend))
        }
    }
}
