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
use crate::book::{Return, Tally};
use crate::catalog::{Amount, Percent};
use crate::exchange::{OPERATOR, ReturnDecision, ReturnWanted};
use crate::facts::Evidence;
use crate::ids::{LeadId, PingId};
use crate::money::{Micros, Share};
use crate::reasons::ReturnReason;

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

pub(super) async fn ask(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let lead = lead(&id)?;
    let asked: Asked = typed(document(body).await?)?;
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
        by: OPERATOR,
    };
    let (known, new) = desk.exchange.ask_return(&wanted).await?;
    Ok((status(new), Json(shown(&known))).into_response())
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
    Ok(Json(shown(&known)).into_response())
}

pub(super) async fn of_lead(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Reply {
    let returns = desk.exchange.returns_of_lead(lead(&id)?).await?;
    Ok(Json(json!({"lead_id": id, "returns": returns.iter().map(shown).collect::<Vec<Value>>()}))
        .into_response())
}

pub(super) async fn list(
    _: Operator,
    State(desk): State<Desk>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let Query(wanted) =
        wanted.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", error))?;
    let is = |filter: &Option<String>, value: &str| filter.as_ref().is_none_or(|one| one == value);
    let limit = wanted.limit.unwrap_or(LISTED).min(LISTED_MAX);
    let returns = desk.exchange.returns(limit, |one| {
        is(&wanted.buyer, &one.request.buyer)
            && is(&wanted.source, &one.request.source)
            && is(&wanted.state, one.state())
            && is(&wanted.reason, &one.request.reason)
    });
    let [buyers, sources] = desk.exchange.tallies();
    let value = json!({
        "returns": returns.iter().map(shown).collect::<Vec<Value>>(),
        "currency": desk.exchange.currency(),
        "buyers": tallied(&buyers, &wanted.buyer),
        "sources": tallied(&sources, &wanted.source),
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

fn shown(one: &Return) -> Value {
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
