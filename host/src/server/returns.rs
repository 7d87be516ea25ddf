//! Returns: asked for, decided, listed, with the reasons and rates of every buyer and source.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Desk;
use super::money::in_currency;
use super::operator::{Operator, Reply, document, status, typed};
use super::problem::Problem;
use super::receipts::Caller;
use crate::book::{Return, Tally};
use crate::catalog::{Amount, Percent};
use crate::exchange::{BUYER, OPERATOR, ReturnDecision, ReturnWanted};
use crate::facts::Evidence;
use crate::ids::{LeadId, PingId};
use crate::money::{Micros, Share};
use crate::reasons::ReturnReason;
use crate::settlement::receipt::view::Viewer;

/// How many returns a list has unless asked otherwise, and at most.
const LISTED: usize = 50;
const LISTED_MAX: usize = 1_000;

/// The body of a return.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    buyer: Option<String>,
    copy: Option<u32>,
    reason: ReturnReason,
    #[serde(default)]
    evidence: Shown,
    amount: Option<Amount>,
    currency: Option<String>,
}

/// What is shown for a reason.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    #[serde(default)]
    text: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    hash: String,
    lead_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Accept,
    Decline,
}

/// The body of a decision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    decision: Decision,
    #[serde(default)]
    why: String,
    amount: Option<Amount>,
    currency: Option<String>,
}

/// Which returns are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    buyer: Option<String>,
    source: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    limit: Option<usize>,
}

fn lead(id: &str) -> Result<LeadId, Problem> {
    LeadId::parse(id).map_err(|_| {
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no lead `{id}`"))
            .next("a lead is known by the `lead_id` that its post was answered with")
    })
}

/// Lets the operator through, and whoever bought or sold the lead; to anybody else there is none.
async fn part_in(desk: &Desk, viewer: &Viewer, id: &str) -> Result<LeadId, Problem> {
    let lead = lead(id)?;
    let (concerned, how) = match viewer {
        Viewer::Operator => return Ok(lead),
        Viewer::Buyer(buyer) => (desk.exchange.bought(lead, buyer).await?, "bought"),
        Viewer::Source(source) => (desk.exchange.sold_by(lead, source).await?, "sold"),
    };
    if concerned {
        return Ok(lead);
    }
    let detail = format!("there is no lead `{id}` that you {how}");
    Err(Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
        .next("GET /v1/auctions lists those in which you have a part"))
}

pub(super) async fn ask(
    Caller(viewer): Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    if matches!(viewer, Viewer::Source(_)) {
        let detail = "a lead is given back by who bought it, not by who sold it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "operator-only", detail)
            .next("GET /v1/returns lists which of your leads were given back, and why"));
    }
    let lead = part_in(&desk, &viewer, &id).await?;
    let mut asked: Asked = typed(document(body).await?)?;
    let by = match &viewer {
        Viewer::Buyer(own) => {
            if asked.buyer.as_ref().is_some_and(|buyer| buyer != own) {
                let detail = format!("you are buyer `{own}`: leave `buyer` out, or say that");
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
                    .field(Some("/buyer".to_owned())));
            }
            asked.buyer = Some(own.clone());
            BUYER
        }
        Viewer::Operator | Viewer::Source(_) => OPERATOR,
    };
    in_currency(&desk, asked.currency.as_deref())?;
    let earlier = asked.evidence.lead_id.as_deref().map(LeadId::parse).transpose();
    let earlier = earlier.map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", error)
            .field(Some("/evidence/lead_id".to_owned()))
    })?;
    let Shown { text, url, hash, .. } = asked.evidence;
    let wanted = ReturnWanted {
        lead,
        copy: asked.copy,
        buyer: asked.buyer,
        reason: asked.reason,
        evidence: Evidence { text, url, hash, lead: earlier.map(LeadId::as_u128) },
        amount: asked.amount.map(|amount| amount.0),
        by,
    };
    let (known, new) = desk.exchange.ask_return(&wanted).await?;
    Ok((status(new), Json(shown(&known, &viewer))).into_response())
}

pub(super) async fn decide(
    _: Operator,
    State(desk): State<Desk>,
    Path((id, copy)): Path<(String, String)>,
    body: Body,
) -> Reply {
    let lead = lead(&id)?;
    let copy = copy.parse().map_err(|_| {
        let detail = format!("there is no copy `{copy}` of lead `{id}`");
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
    })?;
    let decided: Decided = typed(document(body).await?)?;
    in_currency(&desk, decided.currency.as_deref())?;
    let decision = ReturnDecision {
        lead,
        copy,
        accept: matches!(decided.decision, Decision::Accept),
        why: decided.why,
        amount: decided.amount.map(|amount| amount.0),
    };
    let (known, _) = desk.exchange.decide_return(&decision).await?;
    Ok(Json(shown(&known, &Viewer::Operator)).into_response())
}

pub(super) async fn of_lead(
    Caller(viewer): Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Reply {
    let lead = part_in(&desk, &viewer, &id).await?;
    let mut returns = desk.exchange.returns_of_lead(lead).await?;
    returns.retain(|one| concerns(one, &viewer));
    let returns: Vec<Value> = returns.iter().map(|one| shown(one, &viewer)).collect();
    Ok(Json(json!({"lead_id": id, "returns": returns})).into_response())
}

/// Says whether a return is somebody's.
fn concerns(one: &Return, viewer: &Viewer) -> bool {
    match viewer {
        Viewer::Operator => true,
        Viewer::Buyer(buyer) => one.request.buyer == *buyer,
        Viewer::Source(source) => one.request.source == *source,
    }
}

pub(super) async fn list(
    Caller(viewer): Caller,
    State(desk): State<Desk>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let Query(wanted) =
        wanted.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", error))?;
    let (buyer, source) = match &viewer {
        Viewer::Operator => (wanted.buyer, wanted.source),
        // Whoever asks hears of its own, and of the other side nothing to look for.
        Viewer::Buyer(own) => (Some(own.clone()), None),
        Viewer::Source(own) => (None, Some(own.clone())),
    };
    let is = |filter: &Option<String>, value: &str| filter.as_ref().is_none_or(|one| one == value);
    let limit = wanted.limit.unwrap_or(LISTED).min(LISTED_MAX);
    let returns = desk.exchange.returns(limit, |one| {
        is(&buyer, &one.request.buyer)
            && is(&source, &one.request.source)
            && is(&wanted.state, one.state())
            && is(&wanted.reason, &one.request.reason)
    });
    let [bought, sold] = desk.exchange.tallies();
    let hidden = |side: bool, tallied: Map<String, Value>| if side { Map::new() } else { tallied };
    let value = json!({
        "returns": returns.iter().map(|one| shown(one, &viewer)).collect::<Vec<Value>>(),
        "currency": desk.exchange.currency(),
        "buyers": hidden(matches!(viewer, Viewer::Source(_)), tallied(&bought, &buyer)),
        "sources": hidden(matches!(viewer, Viewer::Buyer(_)), tallied(&sold, &source)),
    });
    Ok(Json(value).into_response())
}

fn tallied(tallies: &[(String, Tally)], only: &Option<String>) -> Map<String, Value> {
    let wanted = tallies.iter().filter(|(name, _)| only.as_ref().is_none_or(|one| one == name));
    wanted.map(|(name, tally)| (name.clone(), rates(tally))).collect()
}

fn rates(tally: &Tally) -> Value {
    let whole = u128::from(Share::WHOLE.millionths());
    let rate = (u128::from(tally.accepted) * whole).checked_div(u128::from(tally.sold));
    let rate = rate.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(0);
    json!({
        "sold": tally.sold,
        "requested": tally.requested,
        "accepted": tally.accepted,
        "declined": tally.declined,
        "return_rate_percent": Percent(Share::from_millionths(rate)),
        "reasons": tally.reasons,
    })
}

/// What a source does not see of a return: who bought the lead, for how much, and what that buyer shows for its reason.
const NOT_A_SOURCES: [&str; 7] =
    ["buyer", "campaign", "amount", "credit", "fees", "evidence", "by"];
/// What a buyer does not see: who sold the lead, and for how much.
const NOT_A_BUYERS: [&str; 2] = ["source", "payout"];

/// Shows a return, or somebody's part of it.
fn shown(one: &Return, viewer: &Viewer) -> Value {
    let mut whole = whole(one);
    let hidden = match viewer {
        Viewer::Operator => [].as_slice(),
        Viewer::Source(_) => NOT_A_SOURCES.as_slice(),
        Viewer::Buyer(_) => NOT_A_BUYERS.as_slice(),
    };
    if let Some(members) = whole.as_object_mut() {
        members.retain(|name, _| !hidden.contains(&name.as_str()));
    }
    whole
}

fn whole(one: &Return) -> Value {
    let request = &one.request;
    let evidence = &request.evidence;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let decided = one.decided.as_ref();
    json!({
        "lead_id": PingId::from_u128(request.ping).lead().to_string(),
        "ping_id": PingId::from_u128(request.ping).to_string(),
        "copy": request.copy,
        "state": one.state(),
        "buyer": request.buyer,
        "source": request.source,
        "vertical": request.vertical,
        "campaign": request.campaign,
        "reason": request.reason,
        "evidence": {
            "text": given(&evidence.text),
            "url": given(&evidence.url),
            "hash": given(&evidence.hash),
            "lead_id": evidence.lead.map(|lead| PingId::from_u128(lead).lead().to_string()),
        },
        "amount": Micros::new(request.amount).to_string(),
        "by": request.by,
        "requested_at": one.requested_at.to_string(),
        "sale": request.sale,
        "decided_at": decided.map(|(at, _)| at.to_string()),
        "decided_by": decided.map(|(_, decided)| decided.by.clone()),
        "why": decided.map(|(_, decided)| decided.why.clone()),
        "credit": decided.map(|(_, decided)| decided.credit().to_string()),
        "fees": decided.map(|(_, decided)| Micros::new(decided.buyer_fees.total()).to_string()),
        "payout": decided.map(|(_, decided)| Micros::new(decided.payout).to_string()),
    })
}
