//! Shipments: the deliveries that wait for somebody, and asking a buyer again.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use super::operator::{Operator, Reply, document, typed};
use super::problem::Problem;
use crate::book::{ShipmentKey, ShipmentStatus};
use crate::clock::Moment;
use crate::exchange::ListedShipment;
use crate::ids::PingId;
use crate::money::Micros;

/// How many shipments a list has unless asked otherwise.
const LISTED: usize = 50;

/// Which shipments are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    #[serde(default)]
    copy: u32,
}

pub(super) async fn list(
    _: Operator,
    State(desk): State<Desk>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let malformed = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed", detail);
    let Query(wanted) = wanted.map_err(|error| malformed(error.to_string()))?;
    let status = wanted.status.map(|text| {
        let known = ShipmentStatus::ALL.into_iter().find(|status| status.code() == text);
        known.ok_or_else(|| malformed(format!("status={text}: expected waiting, unknown or dead")))
    });
    let before = wanted.before.map(|text| {
        key(&text).ok_or_else(|| malformed(format!("before={text}: expected what `next` said")))
    });
    let limit = wanted.limit.unwrap_or(LISTED);
    let (found, more) = desk.exchange.shipments(status.transpose()?, before.transpose()?, limit);
    let next = found.last().filter(|_| more).map(|last| format!("{}-{}", last.key.0, last.key.1));
    Ok(Json(json!({
        "shipments": found.iter().map(line).collect::<Vec<Value>>(),
        "next": next,
        "currency": desk.exchange.currency(),
    }))
    .into_response())
}

/// Has a delivery made again that is in doubt or was given up.
pub(super) async fn resend(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let Again { copy } = typed(document(body).await?)?;
    let ping = PingId::parse(&id)
        .map_err(|error| Problem::new(StatusCode::NOT_FOUND, "not-found", error))?;
    let resent = desk.exchange.resend_shipment(ping, copy).await?;
    let held = resent.held.map(|held| Micros::new(held.price).to_string());
    let told = json!({"auction": id, "copy": copy, "buyer": resent.buyer, "held_again": held});
    Ok((StatusCode::ACCEPTED, Json(told)).into_response())
}

fn key(text: &str) -> Option<ShipmentKey> {
    let (ping, copy) = text.split_once('-')?;
    Some((PingId::parse(ping).ok()?, copy.parse().ok()?))
}

fn line(listed: &ListedShipment) -> Value {
    let ((ping, copy), shipment) = (listed.key, &listed.shipment);
    let last = &shipment.last;
    json!({
        "auction": ping.to_string(),
        "copy": copy,
        "status": shipment.status.code(),
        "since": shipment.since.to_string(),
        "source": last.source,
        "buyer": last.buyer,
        "campaign": last.campaign,
        "attempt": last.attempt,
        "last_at": shipment.at.to_string(),
        "detail": last.detail,
        "again_at": last.again_ms.map(|again| Moment::from_unix_ms(again).to_string()),
        "resent_at": shipment.resent.map(|at| at.to_string()),
        "held": listed.held.map(|held| held.to_string()),
        "sendable": shipment.resent.is_none()
            && match shipment.status {
                ShipmentStatus::Waiting => false,
                ShipmentStatus::Unknown => last.again_ms.is_none(),
                ShipmentStatus::Dead => listed.kept,
            },
    })
}
