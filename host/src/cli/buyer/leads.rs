//! The end point for leads: a test lead is posted there, twice, as a delivery would be; and, if its leads are to be signed,
//! some that it must not believe.

use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::check::{Args, PATIENCE};
use super::findings::{Finding, Grade};
use super::status;
use crate::catalog::{Headers, StatusPage, StatusSpec};
use crate::cli::Failure;
use crate::clock::{Clock, Moment};
use crate::delivery::courier::{
    Courier, Outcome, Reader, Refuser, Shipment, Standing, StatusCall, Way,
};
use crate::egress::signing::{SECRET_BYTES, Signing, TOLERANCE};
use crate::egress::{Destination, Egress};
use crate::money::Micros;
use crate::sandbox::{Adapter, Ask, Forfeit, HttpRequest, PostOffer, Said};

/// What a test lead is sold for.
const PRICE: Micros = Micros::new(1_000_000);

/// How leads are worded for an end point with a dialect of its own.
pub(super) struct Words {
    pub(super) adapter: Adapter,
    /// What the buyer called its bid.
    pub(super) handle: Option<String>,
}

/// What posts test leads.
struct Leads<'l> {
    courier: Courier,
    destination: Destination,
    args: &'l Args,
    ping: &'l str,
    lead: Value,
    words: Option<Words>,
    headers: Headers,
}

/// Posts a test lead to this address twice.
pub(super) async fn leads(
    egress: &Egress,
    url: &str,
    args: &Args,
    (ping, mut lead): (&str, Value),
    words: Option<Words>,
) -> Result<Vec<Finding>, Failure> {
    let check = "a test lead";
    let secret = args.secret()?;
    let destination = match egress.check(url) {
        Ok(destination) => destination,
        Err(forbidden) => {
            let advice = ("leads go only to such addresses", "give another address");
            return Ok(vec![Finding::bad(check, forbidden.to_string(), advice)]);
        }
    };
    if let Some(members) = lead.as_object_mut() {
        // What is said of the lead is told without its words: none of these is a word of anything else.
        for (name, value) in [
            ("first_name", "Testine"),
            ("last_name", "Testerling"),
            ("email", "testine.testerling@example.com"),
            ("phone", "2025550100"),
            ("address", "1 Testerling St"),
        ] {
            members.insert(name.to_owned(), value.into());
        }
    }
    let courier = Courier::new(egress).map_err(|error| Failure::because(&error))?;
    let headers = args.headers()?;
    let leads = Leads { courier, destination, args, ping, lead, words, headers };
    let ship = async || leads.ship("", secret.as_ref(), Duration::ZERO).await;
    let (first, second) = (ship().await, ship().await);
    let mut findings = vec![match (&first, &secret) {
        (Outcome::Rejected { reason, .. }, Some(_)) => {
            let why =
                "an end point that refuses this one may refuse every lead, or not know the secret";
            let mend =
                "if the reason speaks of the signature, compare the secrets; else take test leads";
            Finding::weak(check, format!("signed, and rejected: {reason}"), (why, mend))
        }
        _ => verdict(check, &first, leads.words.is_some()),
    }];
    let again = "the same lead twice";
    if first != second {
        let seen = format!("{}, then {}", first.name(), second.name());
        let why = "an answer that is lost on the way is asked for again; without the same answer the lead stays in doubt";
        let mend = "remember the answer by its Idempotency-Key and give it again; or leave `idempotent` false and offer a status page (--status)";
        findings.push(Finding::weak(again, seen, (why, mend)));
    } else if findings.iter().all(|finding| finding.grade != Grade::Bad) {
        findings.push(Finding::good(again, "the same answer to the same Idempotency-Key"));
    }
    if let Some(page) = leads.status_page(egress)? {
        let inquire = async |name| leads.inquire(&page, name, secret.as_ref()).await;
        let told = [&first, &second].into_iter().find(|told| !status::is_silent(told));
        findings.push(status::of_posted(told, &inquire("").await));
        findings.push(status::of_unknown(&inquire("-9").await));
    }
    if let Some(secret) = &secret {
        findings.extend(leads.unbelievable(secret).await);
    }
    Ok(findings)
}

impl Leads<'_> {
    /// Returns where it is asked what became of a lead.
    fn status_page(&self, egress: &Egress) -> Result<Option<StatusPage>, Failure> {
        let Some(url) = self.args.status.clone() else { return Ok(None) };
        let spec = StatusSpec { url, not_found: self.args.not_found.clone() };
        let page = spec.check(egress).map_err(|(member, why)| {
            Failure::usage(format!(
                "--{}: {why}",
                member.replace("url", "status").replace('_', "-")
            ))
        })?;
        Ok(Some(page))
    }

    /// Asks what became of a lead that this `name` makes.
    async fn inquire(
        &self,
        page: &StatusPage,
        name: &str,
        secret: Option<&Zeroizing<Vec<u8>>>,
    ) -> Standing {
        let (id, idempotency_key) = self.ids(name);
        let at = Clock::system().now();
        let reader = self.words.as_ref().map(|words| Reader::new(&words.adapter));
        let call = StatusCall {
            url: &page.of(&id, &idempotency_key),
            idempotency_key: &idempotency_key,
            timeout: PATIENCE,
            headers: self.headers.all(),
            signing: secret.map(|secret| Signing { secrets: std::slice::from_ref(secret), at }),
            not_found: &page.not_found,
            reader: reader.as_ref(),
            lead: &self.lead,
        };
        self.courier.ask(call).await
    }

    /// Returns the id of the test lead, and what its posts are known by. Each `name` makes it another lead.
    fn ids(&self, name: &str) -> (String, String) {
        let id = format!("{}{name}", self.ping.replacen("pg_", "ld_", 1));
        let idempotency_key = format!("{id}-0-{}", self.args.campaign);
        (id, idempotency_key)
    }

    /// Posts the test lead, signed so long ago. Each `name` makes it another lead.
    async fn ship(
        &self,
        name: &str,
        secret: Option<&Zeroizing<Vec<u8>>>,
        ago: Duration,
    ) -> Outcome {
        let (id, idempotency_key) = self.ids(name);
        let now = Clock::system().now().unix_ms();
        let ago = i64::try_from(ago.as_millis()).unwrap_or_default();
        let at = Moment::from_unix_ms(now.saturating_sub(ago));
        let shipment = Shipment {
            destination: &self.destination,
            body: Vec::new().into(),
            idempotency_key,
            timeout: PATIENCE,
            headers: self.headers.all(),
            signing: secret.map(|secret| Signing { secrets: std::slice::from_ref(secret), at }),
            way: None,
        };
        let Some(words) = &self.words else {
            let body = self.own(&id).to_string().into_bytes().into();
            return self.courier.ship(Shipment { body, ..shipment }).await;
        };
        let request = match self.worded(words, &id, &shipment.idempotency_key) {
            Ok(request) => request,
            Err(forfeit) => {
                let why = format!("the adapter words no request: {forfeit}");
                return Outcome::NotSent { why, retry_after: None };
            }
        };
        let reader = Reader::new(&words.adapter);
        let way = Way {
            reader: &reader,
            method: request.method,
            path: &request.path,
            headers: &request.headers,
            lead: &self.lead,
        };
        let body = request.body.into();
        self.courier.ship(Shipment { body, way: Some(&way), ..shipment }).await
    }

    /// The test lead in the exchange's own words.
    fn own(&self, id: &str) -> Value {
        let Args { campaign, vertical, currency, .. } = self.args;
        json!({
            "lead_id": id, "ping_id": self.ping, "campaign": campaign, "test": true,
            "vertical": vertical, "price": PRICE.to_string(), "currency": currency,
            "lead": self.lead,
        })
    }

    /// The test lead as an adapter words it.
    fn worded(&self, words: &Words, id: &str, key: &str) -> Result<HttpRequest, Forfeit> {
        let offer = PostOffer {
            lead: id,
            ping: self.ping,
            vertical: &self.args.vertical,
            campaign: &self.args.campaign,
            price: PRICE,
            currency: &self.args.currency,
            handle: words.handle.as_deref(),
            idempotency_key: key,
            test: true,
            fields: &self.lead,
            schema: None,
        };
        match words.adapter.ask(Ask::PostRequest(&offer))?.0 {
            Said::Request(request) => Ok(request),
            Said::Ping(_) | Said::Post(_) => {
                Err(Forfeit::BadOutput("it answered another question".to_owned()))
            }
        }
    }

    /// Posts leads that nobody should believe to be the exchange's.
    async fn unbelievable(&self, secret: &Zeroizing<Vec<u8>>) -> [Finding; 3] {
        let other = Zeroizing::new(vec![7; SECRET_BYTES]);
        let unsigned = self.ship("-1", None, Duration::ZERO).await;
        let forged = self.ship("-2", Some(&other), Duration::ZERO).await;
        let old = self.ship("-3", Some(secret), TOLERANCE * 2).await;
        let anybody = "whoever knows the address can send you leads, and you would take them for the exchange's";
        let verify = "compute the signature of `webhook-id`, `webhook-timestamp` and the body as it came, and answer 401 if none in `webhook-signature` is the same; /docs of the exchange shows how";
        let seen_before = "whoever saw a lead on its way can send it to you again";
        let time = "answer 401 if `webhook-timestamp` is more than 5 minutes from your clock";
        [
            refused("a lead without a signature", &unsigned, (anybody, verify)),
            refused("a lead signed with another secret", &forged, (anybody, verify)),
            refused("a lead signed ten minutes ago", &old, (seen_before, time)),
        ]
    }
}

/// What became of a lead that must not be taken.
fn refused(
    check: &'static str,
    outcome: &Outcome,
    advice: (&'static str, &'static str),
) -> Finding {
    match outcome {
        Outcome::Rejected { reason, .. } => Finding::good(check, format!("refused: {reason}")),
        Outcome::Sold { .. } | Outcome::Duplicate { .. } => {
            Finding::bad(check, "taken like any other", advice)
        }
        Outcome::Unknown { why }
        | Outcome::NotSent { why, .. }
        | Outcome::Unreached { why }
        | Outcome::Absent { why }
        | Outcome::Expired { why } => {
            let why_not = "the exchange could not tell whether you took it";
            Finding::weak(check, format!("not clearly refused: {why}"), (why_not, "answer 401"))
        }
    }
}

fn verdict(check: &'static str, outcome: &Outcome, through_adapter: bool) -> Finding {
    let mend = match through_adapter {
        true => "record this answer with `gavel adapter record` and teach it to the adapter",
        false => {
            "answer 200 with {\"status\":\"accepted\",\"id\":…} or {\"status\":\"rejected\",\"reason\":…}"
        }
    };
    match outcome {
        Outcome::Sold { reference } => {
            let reference = reference.as_deref().unwrap_or("without a reference");
            Finding::good(check, format!("accepted, {reference}"))
        }
        Outcome::Rejected { reason, by: Refuser::Door } => {
            let matters = "a status without a verdict is what a wrong address, a missing key and a firewall say: every lead may be refused so";
            let mend = "look at the address, and at the headers that you ask for (--header); where you refuse the lead itself, answer {\"status\":\"rejected\",\"reason\":…}";
            Finding::bad(check, format!("refused at the door: {reason}"), (matters, mend))
        }
        Outcome::Rejected { reason, by: Refuser::Buyer } => {
            Finding::good(check, format!("rejected: {reason}"))
        }
        Outcome::Duplicate { reason } => Finding::good(check, format!("a duplicate: {reason}")),
        Outcome::Unknown { why } => {
            let matters =
                "nobody knows whether you have the lead: it is neither sold nor offered to another";
            Finding::bad(check, why.clone(), (matters, mend))
        }
        Outcome::NotSent { why, .. }
        | Outcome::Unreached { why }
        | Outcome::Absent { why }
        | Outcome::Expired { why } => {
            Finding::bad(check, why.clone(), ("the lead cannot be delivered", mend))
        }
    }
}
