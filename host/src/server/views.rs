//! What operators look at: buyers with their money, the ledger.

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Desk;
use super::operator::{Operator, Reply, by_name, found};
use super::problem::Problem;
use super::used::used;
use crate::bidding::{Seen, Stage};
use crate::book::{REJECTS_MIN, Rejects};
use crate::catalog::BuyerSpec;
use crate::money::Micros;

pub(super) async fn buyers(_: Operator, State(desk): State<Desk>) -> Reply {
    let draft = desk.exchange.draft().await;
    let all = draft.register.buyers.iter();
    let buyers = all.map(|(id, spec)| with_money(&desk, id.as_str(), Some(spec)));
    Ok(Json(json!({"buyers": buyers.collect::<Result<Vec<Value>, Problem>>()?})).into_response())
}

pub(super) async fn buyer(_: Operator, State(desk): State<Desk>, Path(id): Path<String>) -> Reply {
    let draft = desk.exchange.draft().await;
    let spec = by_name(&draft.register.buyers, &id);
    Ok(Json(with_money(&desk, &id, spec)?).into_response())
}

fn with_money(desk: &Desk, id: &str, spec: Option<&BuyerSpec>) -> Result<Value, Problem> {
    let credit = spec.map(|spec| spec.credit_limit.0).unwrap_or_default();
    let mut value = found("buyer", id, spec)?;
    let account = desk.exchange.account(id);
    let bidding = spec.is_some_and(|spec| spec.bidding.is_some());
    if let Some(object) = value.as_object_mut() {
        if bidding {
            object.insert("end_point".to_owned(), end_point(desk.exchange.end_point(id).as_ref()));
        }
        object.insert("balance".to_owned(), account.balance.to_string().into());
        object.insert("held".to_owned(), account.held.to_string().into());
        object.insert("available".to_owned(), account.free(credit).to_string().into());
        object.insert("rejects".to_owned(), rejects(desk.exchange.rejects(id)));
        let taken = desk.exchange.used_by_buyer(id);
        object.extend(taken.map(|taken| ("used".to_owned(), used(&taken))));
    }
    Ok(value)
}

/// Shows how often a buyer refused what it won; there is no rate before there are enough posts to tell.
fn rejects(rejects: Rejects) -> Value {
    let Rejects { refused, of, rate } = rejects;
    let percent = Micros::new(i64::from(rate).saturating_mul(10_000));
    let percent = (of >= REJECTS_MIN).then(|| percent.with_decimals(percent.decimals()));
    json!({"posts": of, "refused": refused, "rate_percent": percent})
}

/// Shows how a buyer's end point for bids stands; one that was never asked since the start is closed and knows nothing.
fn end_point(seen: Option<&Seen>) -> Value {
    let now = Instant::now();
    let Some(seen) = seen else { return json!({"breaker": "closed", "outcomes": {}}) };
    let (breaker, left) = match seen.stage {
        Stage::Closed => ("closed", None),
        Stage::Open { until } if until > now => {
            ("open", Some(until.saturating_duration_since(now).as_secs().saturating_add(1)))
        }
        Stage::Open { .. } | Stage::HalfOpen { .. } => ("half-open", None),
    };
    let outcomes =
        seen.counts.iter().map(|(outcome, count)| (outcome.code().to_owned(), (*count).into()));
    json!({
        "breaker": breaker,
        "open_seconds_left": left,
        "openings_in_a_row": seen.ejections,
        "in_flight": seen.in_flight,
        "concurrency": {"now": seen.limit, "most": seen.most},
        "quota": seen.quota.map(|(per_second, left)| json!({"per_second": per_second, "left": left})),
        "latency_micros": {"p10": seen.latency.p10, "p50": seen.latency.p50, "p99": seen.latency.p99},
        "outcomes": Value::Object(outcomes.collect()),
    })
}

pub(super) async fn ledger(_: Operator, State(desk): State<Desk>) -> Reply {
    let balances = desk.exchange.balances().await?;
    let total =
        balances.iter().try_fold(Micros::ZERO, |sum, (_, balance)| sum.checked_add(*balance));
    let accounts =
        balances.into_iter().map(|(account, balance)| (account, balance.to_string().into()));
    let value = json!({
        "total": total.map(|total| total.to_string()),
        "currency": desk.exchange.currency(),
        "accounts": Value::Object(accounts.collect()),
    });
    Ok(Json(value).into_response())
}
