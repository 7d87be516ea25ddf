//! The buyers' own systems: small HTTP servers on loopback, each with a character.
//!
//! They keep their own books, so that what the exchange says it sold can be held against what was bought.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::money::Micros;

/// How long the exchange waits for these buyers.
pub(super) const TIMEOUT_MS: u32 = 1_200;
/// The largest delivery that is read, in bytes.
const DELIVERY_BYTES_MAX: usize = 64 * 1024;
/// One in this many deliveries is refused by a picky buyer.
const PICKY_EVERY: u64 = 10;
/// One in this many leads meets a flaky buyer in a bad moment.
const FLAKY_EVERY: u64 = 8;
/// One in this many leads is taken by a forgetful buyer who answers too late.
const FORGETFUL_EVERY: u64 = 20;
const SLOW: Duration = Duration::from_millis(200);

/// How a buyer's system behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Character {
    /// Takes every lead at once.
    Prompt,
    /// Refuses every tenth lead.
    Picky,
    /// Takes every lead after 200 ms.
    Slow,
    /// Answers 503 to the first try of some leads.
    Flaky,
    /// Takes the lead, then answers after the exchange has stopped listening.
    Forgetful,
}

impl Character {
    /// Says what it does in a few words.
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Prompt => "takes leads at once",
            Self::Picky => "refuses one in ten",
            Self::Slow => "answers after 200 ms",
            Self::Flaky => "sometimes 503, then fine",
            Self::Forgetful => "sometimes too late to hear",
        }
    }
}

/// A lead as its buyer booked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bought {
    pub(super) campaign: String,
    pub(super) price: Micros,
    /// What it pays on top of the price.
    pub(super) fees: Micros,
}

/// What a buyer's system wrote down.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Leads it took, by the exchange's lead id.
    pub(super) bought: BTreeMap<String, Bought>,
    /// Lead ids that came again under another idempotency key.
    pub(super) sold_twice: Vec<String>,
    pub(super) refused: u64,
    pub(super) stumbled: u64,
    pub(super) late: u64,
    /// Deliveries it could not make sense of.
    pub(super) unreadable: u64,
    /// Deliveries under a known key: the exchange asked again.
    pub(super) asked_again: u64,
    keys: BTreeMap<String, Decision>,
    first_tries: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    Taken(String),
    Refused,
    Stumbled,
}

impl Ledger {
    /// Returns what it owes for the leads it took.
    pub(super) fn spent(&self) -> Micros {
        let prices = self.bought.values().map(|bought| bought.price);
        prices.fold(self.fees(), |sum, price| sum.checked_add(price).unwrap_or(sum))
    }

    /// Returns what of it are fees.
    pub(super) fn fees(&self) -> Micros {
        let fees = self.bought.values().map(|bought| bought.fees);
        fees.fold(Micros::ZERO, |sum, fees| sum.checked_add(fees).unwrap_or(sum))
    }
}

/// A running buyer's system.
#[derive(Clone, Debug)]
pub(super) struct EndPoint {
    pub(super) buyer: &'static str,
    pub(super) character: Character,
    pub(super) address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
}

impl EndPoint {
    /// Starts it on a free port of loopback; it runs as long as the program.
    pub(super) async fn open(
        buyer: &'static str,
        character: Character,
    ) -> Result<Self, std::io::Error> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let end_point = Self { buyer, character, address, ledger: Arc::default() };
        tokio::spawn(end_point.clone().serve(listener));
        Ok(end_point)
    }

    /// Returns where the exchange delivers leads.
    pub(super) fn url(&self) -> String {
        format!("http://{}/leads", self.address)
    }

    /// Returns what it wrote down so far.
    pub(super) fn ledger(&self) -> Ledger {
        self.book().clone()
    }

    fn book(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let end_point = self.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request| end_point.answer(request));
                let http = hyper::server::conn::http1::Builder::new();
                // A broken connection is the exchange's to notice and to try again.
                let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let header = request.headers().get("idempotency-key");
        let key = header.and_then(|key| key.to_str().ok()).map(str::to_owned);
        let body = Limited::new(request.into_body(), DELIVERY_BYTES_MAX).collect().await;
        let delivery: Option<Value> =
            body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
        let (pause, status, body) = match (key, delivery.as_ref().and_then(Delivery::read)) {
            (Some(key), Some(delivery)) => self.decide(key, &delivery),
            (None, _) | (_, None) => {
                self.book().unreadable += 1;
                (Duration::ZERO, StatusCode::BAD_REQUEST, json!({"status": "error"}))
            }
        };
        tokio::time::sleep(pause).await;
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        let json = hyper::header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
        Ok(response)
    }

    /// Decides once per key; a key that comes again hears what was decided.
    fn decide(&self, key: String, delivery: &Delivery) -> (Duration, StatusCode, Value) {
        let mut ledger = self.book();
        let known = ledger.keys.get(&key).cloned();
        ledger.asked_again += u64::from(known.is_some());
        match known {
            Some(Decision::Taken(id)) => return (Duration::ZERO, StatusCode::OK, taken(&id)),
            Some(Decision::Refused) => return (Duration::ZERO, StatusCode::OK, refused()),
            Some(Decision::Stumbled) => (),
            None => ledger.first_tries += 1,
        }
        let turn = ledger.first_tries;
        let pause = match self.character {
            Character::Picky if turn.is_multiple_of(PICKY_EVERY) => {
                ledger.refused += 1;
                ledger.keys.insert(key, Decision::Refused);
                return (Duration::ZERO, StatusCode::OK, refused());
            }
            Character::Flaky if known.is_none() && turn.is_multiple_of(FLAKY_EVERY) => {
                ledger.stumbled += 1;
                ledger.keys.insert(key, Decision::Stumbled);
                return (
                    Duration::ZERO,
                    StatusCode::SERVICE_UNAVAILABLE,
                    json!({"status": "busy"}),
                );
            }
            Character::Forgetful if turn.is_multiple_of(FORGETFUL_EVERY) => {
                ledger.late += 1;
                Duration::from_millis(u64::from(TIMEOUT_MS) + 400)
            }
            Character::Slow => SLOW,
            Character::Prompt | Character::Picky | Character::Flaky | Character::Forgetful => {
                Duration::ZERO
            }
        };
        let id = format!("{}-{turn}", self.buyer);
        let Delivery { campaign, price, fees, .. } = delivery.clone();
        let bought = Bought { campaign, price, fees };
        if ledger.bought.insert(delivery.lead_id.clone(), bought).is_some() {
            ledger.sold_twice.push(delivery.lead_id.clone());
        }
        ledger.keys.insert(key, Decision::Taken(id.clone()));
        (pause, StatusCode::OK, taken(&id))
    }
}

/// The part of a delivery that a buyer's books need.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Delivery {
    lead_id: String,
    campaign: String,
    price: Micros,
    fees: Micros,
}

impl Delivery {
    /// Reads a delivery; one without a lead to call is none.
    fn read(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        json.get("lead")?.as_object().filter(|lead| !lead.is_empty())?;
        Some(Self {
            lead_id: text("lead_id")?.to_owned(),
            campaign: text("campaign")?.to_owned(),
            price: Micros::parse(text("price")?).ok()?,
            fees: Micros::parse(text("fees")?).ok()?,
        })
    }
}

fn taken(id: &str) -> Value {
    json!({"status": "accepted", "id": id})
}

fn refused() -> Value {
    json!({"status": "rejected", "reason": "outside our appetite"})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_point(character: Character) -> EndPoint {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        EndPoint { buyer: "acorn", character, address, ledger: Arc::default() }
    }

    fn deliver(end_point: &EndPoint, number: u64) -> (Duration, u16) {
        let delivery = json!({
            "lead_id": format!("ld_{number}"), "campaign": "acorn-ca", "price": "12.50", "fees": "0.50",
            "lead": {"phone": "2135550100"},
        });
        let delivery = Delivery::read(&delivery).unwrap();
        let (pause, status, _) = end_point.decide(format!("key-{number}"), &delivery);
        (pause, status.as_u16())
    }

    #[test]
    fn a_delivery_that_is_sent_twice_is_bought_once() {
        let acorn = end_point(Character::Prompt);
        deliver(&acorn, 1);
        deliver(&acorn, 1);
        let ledger = acorn.ledger();
        assert_eq!(
            (ledger.spent().to_string(), ledger.fees().to_string()),
            ("13.00".into(), "0.50".into())
        );
        assert_eq!((ledger.asked_again, ledger.sold_twice.len()), (1, 0));
    }

    #[test]
    fn a_lead_under_a_second_key_is_noticed() {
        let acorn = end_point(Character::Prompt);
        let delivery = Delivery {
            lead_id: "ld_1".into(),
            campaign: "c".into(),
            price: Micros::new(1),
            fees: Micros::ZERO,
        };
        acorn.decide("one".into(), &delivery);
        acorn.decide("two".into(), &delivery);
        assert_eq!(acorn.ledger().sold_twice, ["ld_1"]);
    }

    #[test]
    fn a_picky_buyer_refuses_a_tenth_and_pays_for_the_rest() {
        let picky = end_point(Character::Picky);
        for number in 0..100 {
            deliver(&picky, number);
        }
        let ledger = picky.ledger();
        assert_eq!((ledger.refused, ledger.bought.len()), (10, 90));
    }

    #[test]
    fn a_flaky_buyer_takes_the_lead_at_the_second_try() {
        let flaky = end_point(Character::Flaky);
        let stumbles: Vec<_> = (0..16).filter(|number| deliver(&flaky, *number).1 == 503).collect();
        assert_eq!(stumbles, [7, 15]);
        assert_eq!(deliver(&flaky, 7).1, 200);
        assert_eq!(flaky.ledger().bought.len(), 15);
    }

    #[test]
    fn a_forgetful_buyer_is_late_once_and_then_remembers() {
        let forgetful = end_point(Character::Forgetful);
        let late: Vec<_> =
            (0..20).filter(|number| !deliver(&forgetful, *number).0.is_zero()).collect();
        assert_eq!(late, [19]);
        assert!(deliver(&forgetful, 19).0.is_zero());
        assert_eq!(forgetful.ledger().bought.len(), 20);
    }

    #[test]
    fn a_delivery_without_a_lead_is_not_one() {
        let json = json!({"lead_id": "ld_1", "campaign": "c", "price": "1.00", "fees": "0.00", "lead": {}});
        assert_eq!(Delivery::read(&json), None);
    }
}
