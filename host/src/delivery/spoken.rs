//! Hands a lead over, in the exchange's own JSON or through the buyer's adapter.
//!
//! An adapter that cannot word its request costs nothing: nothing was sent. One that cannot read the answer leaves the end
//! unknown, for by then the buyer may have the lead.

use std::time::Instant;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::courier::{Courier, Outcome, Read, Reader, Shipment, Way};
use super::{Attempt, Errand, Failed, letter};
use crate::catalog::{Buyer, Lot, ModuleVersion, Served, Serving, Way as Delivers};
use crate::contacts::{wipe, wiped_text};
use crate::egress::Destination;
use crate::egress::signing::Signing;
use crate::facts::ModuleUsed;
use crate::lead::Schema;
use crate::money::Micros;
use crate::sandbox::{Adapter, Ask, Forfeit, HttpRequest, PostOffer, Said};
use crate::telemetry;

/// What an attempt is about beside the errand.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'o> {
    pub vertical: &'o str,
    pub currency: &'o str,
    /// What the buyer called its bid, if it was asked.
    pub handle: Option<&'o str>,
    pub test: bool,
    /// The full lead as a JSON object.
    pub lead: &'o Value,
    /// Says of which kinds its values are.
    pub schema: Option<&'o Schema>,
    /// What signs the request, if its buyer's are signed.
    pub signing: Option<Signing<'o>>,
}

/// Ships the lead once.
pub async fn attempt(
    courier: &Courier,
    buyer: &Buyer,
    errand: &Errand,
    offer: &Offer<'_>,
) -> Attempt {
    let idempotency_key = errand.idempotency_key();
    let destination = match &buyer.way {
        Delivers::Url(destination) => destination,
        // A caller is transferred by its source: nothing is sent from here.
        Delivers::Transfer(_) => {
            let why = "the buyer takes callers now, and no leads".to_owned();
            return Attempt::of(Outcome::NotSent { why, retry_after: None });
        }
        Delivers::Email(to) => {
            let (relay, to) = (courier.relay(), (buyer, to));
            return Attempt::of(letter::attempt(relay, to, errand, offer, &idempotency_key).await);
        }
    };
    let Some(serving) = &buyer.adapter else {
        let shipment = Shipment {
            destination,
            body: own(errand, offer),
            idempotency_key,
            timeout: buyer.timeout,
            headers: buyer.headers.all(),
            signing: offer.signing,
            way: None,
        };
        return Attempt::of(courier.ship(shipment).await);
    };
    let served = match speaks(serving, errand) {
        Ok(served) => served,
        Err(why) => return Attempt::of(Outcome::NotSent { why, retry_after: None }),
    };
    let hand = (courier, destination);
    through(serving, served, hand, (buyer, errand, offer, idempotency_key)).await
}

/// Returns the version that speaks about a lead, or why none does.
pub(super) fn speaks<'s>(
    serving: &'s Serving<Adapter>,
    errand: &Errand,
) -> Result<&'s Served<Adapter>, String> {
    let name = &serving.active.module.name;
    match &serving.upkeep.taken_out {
        Some(why) => Err(format!("the adapter `{name}` is out of service: {why}")),
        None => Ok(serving.decides(|| Lot::draw(&errand.ping.as_u128().to_be_bytes(), name))),
    }
}

/// The lead in the exchange's own words.
pub(super) fn own(errand: &Errand, offer: &Offer<'_>) -> Zeroizing<Vec<u8>> {
    let Errand { ping, winner, .. } = errand;
    let mut body = json!({
        "lead_id": ping.lead().to_string(),
        "ping_id": ping.to_string(),
        "campaign": winner.campaign,
        "vertical": offer.vertical,
        "price": Micros::new(winner.price).to_string(),
        "fees": Micros::new(winner.fees.total()).to_string(),
        "due": winner.due().to_string(),
        "currency": offer.currency,
        "lead": offer.lead,
    });
    if let (Some(object), Some(handle)) = (body.as_object_mut(), offer.handle) {
        object.insert("handle".to_owned(), handle.into());
    }
    let text = wiped_text(&body);
    wipe(&mut body);
    text
}

async fn through(
    serving: &Serving<Adapter>,
    served: &Served<Adapter>,
    hand: (&Courier, &Destination),
    (buyer, errand, offer, idempotency_key): (&Buyer, &Errand, &Offer<'_>, String),
) -> Attempt {
    let ((courier, destination), Served { module, code }) = (hand, served);
    let (name, version) = (module.name.as_str(), module.version);
    let began = Instant::now();
    let worded = word(code, errand, offer, &idempotency_key);
    let (request, fuel) = match worded {
        Ok(worded) => worded,
        Err(forfeit) => {
            let why = format!("the adapter `{name}` version {version} words no request: {forfeit}");
            let outcome = Outcome::NotSent { why: redacted(offer, &why), retry_after: None };
            let failed = Some(failed(serving, module, false, forfeit));
            return Attempt { adapter: Some(used(module, 0)), failed, ..Attempt::of(outcome) };
        }
    };
    telemetry::module_call(name, version, began.elapsed(), Some(fuel));
    let reader = Reader::new(code);
    let way = Way {
        reader: &reader,
        method: request.method,
        path: &request.path,
        headers: &request.headers,
        lead: offer.lead,
    };
    let shipment = Shipment {
        destination,
        body: request.body.into(),
        idempotency_key,
        timeout: buyer.timeout,
        headers: buyer.headers.all(),
        signing: offer.signing,
        way: Some(&way),
    };
    let outcome = courier.ship(shipment).await;
    read_by(serving, served, (outcome, fuel), reader.taken())
}

/// An attempt whose answer an adapter was to read. `fuel` is what it took before.
pub(super) fn read_by(
    serving: &Serving<Adapter>,
    served: &Served<Adapter>,
    (outcome, fuel): (Outcome, u64),
    read: Option<Read>,
) -> Attempt {
    let module = &served.module;
    let (fuel, failed) = match read {
        None => (fuel, None),
        Some(Ok((taken, took))) => {
            telemetry::module_call(module.name.as_str(), module.version, took, Some(taken));
            (fuel.saturating_add(taken), None)
        }
        Some(Err(forfeit)) => (fuel, Some(failed(serving, module, true, forfeit))),
    };
    Attempt { adapter: Some(used(module, fuel)), failed, ..Attempt::of(outcome) }
}

fn used(module: &ModuleVersion, fuel: u64) -> ModuleUsed {
    let digest = *module.digest.as_bytes();
    ModuleUsed { name: module.name.as_str().to_owned(), version: module.version, digest, fuel }
}

fn failed(
    serving: &Serving<Adapter>,
    module: &ModuleVersion,
    reading: bool,
    forfeit: Forfeit,
) -> Failed {
    count(module.name.as_str(), module.version, reading, &forfeit);
    let (module, upkeep) = (module.clone(), serving.upkeep.clone());
    Failed { module, upkeep, forfeit, reading }
}

/// Words the request: like a filter's call, well below a millisecond.
fn word(
    adapter: &Adapter,
    errand: &Errand,
    offer: &Offer<'_>,
    idempotency_key: &str,
) -> Result<(HttpRequest, u64), Forfeit> {
    let (lead, ping) = (errand.ping.lead().to_string(), errand.ping.to_string());
    let offer = PostOffer {
        lead: &lead,
        ping: &ping,
        vertical: offer.vertical,
        campaign: &errand.winner.campaign,
        price: Micros::new(errand.winner.price),
        currency: offer.currency,
        handle: offer.handle,
        idempotency_key,
        test: offer.test,
        fields: offer.lead,
        schema: offer.schema,
    };
    match adapter.ask(Ask::PostRequest(&offer))? {
        (Said::Request(request), taken) => Ok((request, taken.fuel)),
        (Said::Ping(_) | Said::Post(_), _) => {
            Err(Forfeit::BadOutput("it answered another question".to_owned()))
        }
    }
}

/// What a module did wrong is told by its author's lines; whatever else is in it, nothing of the lead is.
fn redacted(offer: &Offer<'_>, why: &str) -> String {
    super::courier::without(offer.lead, why)
}

fn count(name: &str, version: u32, reading: bool, forfeit: &Forfeit) {
    let call = if reading { "post-response" } else { "post-request" };
    tracing::warn!(error = %forfeit, module = name, version, call, "adapter forfeited");
    metrics::counter!("gavel_adapter_forfeits_total", "module" => name.to_owned(), "call" => call, "code" => forfeit.code())
        .increment(1);
}
