//! What operators call to compare versions of a module: shadows, diffs, and recordings to compare elsewhere.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::Desk;
use super::operator::{Operator, Reply, document, malformed, typed};
use super::problem::Problem;
use crate::exchange::{Settings, Window};

/// How far back is looked unless the call says otherwise.
const LAST: &str = "24h";

#[derive(Deserialize)]
pub(super) struct ShadowQuery {
    version: Option<u32>,
}

pub(super) async fn shadow(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    query: Result<Query<ShadowQuery>, QueryRejection>,
) -> Reply {
    let Query(ShadowQuery { version }) = query.map_err(malformed)?;
    let found = desk.exchange.shadow(&name, version).ok_or_else(|| {
        let which = version.map_or("no version".to_owned(), |version| format!("version {version}"));
        let not = if version.is_some() { "is not and was not" } else { "is or was" };
        let detail = format!("{which} of `{name}` {not} a shadow since this exchange was started");
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
            .next("begin with POST /v1/modules/{name}/shadow")
    })?;
    Ok(Json(found).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiffBody {
    old: u32,
    new: u32,
    last: Option<String>,
    settings: Option<SettingsOf>,
}

/// Whose settings the campaigns have.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SettingsOf {
    Then,
    Now,
}

pub(super) async fn diff(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    body: Body,
) -> Reply {
    let DiffBody { old, new, last, settings } = typed(document(body).await?)?;
    let window = window(last.as_deref(), settings, "/last")?;
    Ok(Json(desk.exchange.diff(&name, (old, new), window).await?).into_response())
}

pub(super) async fn progress(
    _: Operator,
    State(desk): State<Desk>,
    Path(_): Path<String>,
) -> Reply {
    let progress = desk.exchange.diff_progress();
    let (done, of) = progress.unwrap_or_default();
    Ok(Json(json!({"running": progress.is_some(), "facts": done, "of": of})).into_response())
}

#[derive(Deserialize)]
pub(super) struct RecordingQuery {
    last: Option<String>,
    settings: Option<SettingsOf>,
}

pub(super) async fn recording(
    _: Operator,
    State(desk): State<Desk>,
    Path(name): Path<String>,
    query: Result<Query<RecordingQuery>, QueryRejection>,
) -> Reply {
    let Query(RecordingQuery { last, settings }) = query.map_err(malformed)?;
    let window = window(last.as_deref(), settings, "last")?;
    let lines = desk.exchange.recording(&name, window).await?;
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response())
}

fn window(
    last: Option<&str>,
    settings: Option<SettingsOf>,
    field: &str,
) -> Result<Window, Problem> {
    let last = Window::parse_last(last.unwrap_or(LAST)).map_err(|message| {
        let invalid = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
        invalid.field(Some(field.to_owned()))
    })?;
    let settings = match settings {
        Some(SettingsOf::Then) | None => Settings::Then,
        Some(SettingsOf::Now) => Settings::Now,
    };
    Ok(Window { last: Some(last), settings })
}
