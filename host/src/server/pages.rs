//! Pages for people and machines that watch: health, metrics, the description of the API, the console.

pub(super) mod page;
mod reference;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use self::page::{escape, fill, page};
use super::Desk;
use super::problem::Problem;
use super::schemas::View;
use crate::book::Kept;
use crate::delivery;
use crate::egress;
use crate::exchange;
use crate::facts::Terms;
use crate::reasons::{Exclusion, Refusal};
use crate::settlement::postback;
use crate::telemetry;

pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// Ready to take pings: not while the exchange stops.
pub(super) async fn readyz(State(desk): State<Desk>) -> Response {
    if desk.stopping.is_cancelled() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"ready": false, "reason": "stopping"})),
        )
            .into_response();
    }
    if desk.exchange.money_stopped().is_some() {
        let said = json!({"ready": false, "reason": "money-stopped"});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(said)).into_response();
    }
    Json(json!({"ready": true, "open_pings": desk.exchange.open_pings()})).into_response()
}

pub(super) async fn metrics(State(desk): State<Desk>) -> Response {
    let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
    metrics::gauge!("gavel_open_pings").set(count(desk.exchange.open_pings()));
    let busy = desk.exchange.busy();
    metrics::gauge!("gavel_deliveries_under_way").set(count(busy.under_way));
    metrics::gauge!("gavel_deliveries_waiting").set(count(busy.waiting));
    for Kept { what, count: kept, most, largest_share } in desk.exchange.kept() {
        metrics::gauge!("gavel_book_kept", "what" => what).set(count(kept));
        metrics::gauge!("gavel_book_kept_max", "what" => what).set(count(most));
        if let Some(largest) = largest_share {
            metrics::gauge!("gavel_book_largest_share", "what" => what).set(count(largest));
        }
    }
    match telemetry::metrics() {
        Some(metrics) => {
            metrics.run_upkeep();
            let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (text, metrics.render()).into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

pub(super) async fn openapi() -> Response {
    let json =
        [(header::CONTENT_TYPE, "application/json"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (json, reference::OPENAPI).into_response()
}

/// What a source must know to send to a vertical, from the schema that serves now.
pub(super) async fn specification(
    State(desk): State<Desk>,
    Path(vertical): Path<String>,
    view: Result<Query<View>, QueryRejection>,
) -> Result<Response, Problem> {
    let view = View::of(view)?;
    let unknown = || {
        let detail = format!("there is no vertical `{vertical}`");
        Problem::new(StatusCode::NOT_FOUND, "vertical-not-found", detail)
            .next("/docs lists every vertical")
    };
    let schema = desk.exchange.schema_taken(&vertical).ok_or_else(unknown)?;
    if let Some(json_schema) = view.json_schema(&schema) {
        return Ok(json_schema);
    }
    let specification = desk.exchange.posting_specification(&vertical).ok_or_else(unknown)?;
    let nosniff = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((nosniff, Json(specification)).into_response())
}

pub(super) async fn docs(State(desk): State<Desk>) -> Result<Response, Problem> {
    static DOCS: OnceLock<String> = OnceLock::new();
    let verticals: String = desk.exchange.verticals_open().iter().map(|id| vertical(id)).collect();
    let currency = escape(desk.exchange.currency());
    let places = [("verticals", verticals.as_str()), ("currency", &currency)];
    page(&fill(DOCS.get_or_init(documentation), &places))
}

/// Returns the documentation without what differs from one exchange to the next.
fn documentation() -> String {
    let openapi = reference::openapi();
    let refusals = Refusal::ALL.iter().map(|reason| (reason.code(), reason.message()));
    let long =
        |time: Duration| reference::pauses(&[i64::try_from(time.as_millis()).unwrap_or_default()]);
    let postback_pauses = postback::AGAIN_SECONDS.map(|seconds| seconds * 1_000);
    let exclusions = Exclusion::ALL.iter().map(|reason| (reason.code(), reason.message()));
    fill(
        include_str!("docs.html"),
        &[
            ("refusals", &reference::reasons("refusal", refusals)),
            ("exclusions", &reference::reasons("exclusion", exclusions)),
            ("problems", &reference::problems(&openapi)),
            ("addresses", &reference::addresses(&openapi)),
            ("limits", &reference::limits()),
            ("not_sent_pauses", &reference::pauses(&delivery::NOT_SENT_AGAIN_MS)),
            ("unknown_pauses", &reference::pauses(&delivery::UNKNOWN_AGAIN_MS)),
            ("absence_believed", &long(delivery::status::ABSENCE_BELIEVED_AFTER)),
            ("retry_after_max", &long(delivery::courier::RETRY_AFTER_MAX)),
            ("postback_pauses", &reference::pauses(&postback_pauses)),
            ("postback_answer", &long(delivery::postman::ANSWER_TIME_MAX)),
            ("postback_lane", &exchange::LANE_MAX.to_string()),
            ("disclosures_max", &Terms::DISCLOSURES_MAX_USUAL.to_string()),
            ("tolerance", &long(egress::signing::TOLERANCE)),
            ("tolerance_seconds", &egress::signing::TOLERANCE.as_secs().to_string()),
        ],
    )
}

/// The place of a vertical's fields, which the page fetches.
fn vertical(id: &str) -> String {
    let id = escape(id);
    format!(
        "<section class=\"vertical\" data-vertical=\"{id}\"><h3 id=\"vertical-{id}\">{id}</h3>\
         <p class=\"wait\"><a href=\"/v1/{id}/spec\">/v1/{id}/spec</a></p></section>\n"
    )
}

pub(super) async fn console() -> Result<Response, Problem> {
    page(include_str!("console.html"))
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "address-not-found",
        format!("there is nothing at {}", uri.path()),
    )
    .next("/docs lists every address")
}

pub(super) async fn not_allowed(uri: Uri) -> Problem {
    let detail = format!("{} does not take this method", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
        .next("/docs lists the method of every address")
}
