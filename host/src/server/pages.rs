//! Pages for people and machines that watch: health, metrics, the description of the API.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use super::Desk;
use super::problem::Problem;
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
    Json(json!({"ready": true, "open_pings": desk.exchange.open_pings()})).into_response()
}

pub(super) async fn metrics(State(desk): State<Desk>) -> Response {
    metrics::gauge!("gavel_open_pings")
        .set(u32::try_from(desk.exchange.open_pings()).unwrap_or(u32::MAX));
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
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("openapi.json")).into_response()
}

pub(super) async fn docs() -> Html<&'static str> {
    Html(include_str!("docs.html"))
}

pub(super) async fn console() -> Html<&'static str> {
    Html(include_str!("console.html"))
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
