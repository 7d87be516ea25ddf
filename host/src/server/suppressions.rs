//! Suppression lists over HTTP: what they are, and the entries that are sent to them in parts.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use super::operator::{Operator, Reply, bytes, document, found, status};
use super::problem::Problem;
use crate::book::Entry;
use crate::catalog::{Reach, SuppressionSpec};
use crate::exchange::{ActError, Exchange};

/// How many lines that cannot be read are named in one answer.
const LINES_TOLD_MAX: usize = 10;

pub(super) async fn lists(_: Operator, State(desk): State<Desk>) -> Reply {
    let draft = desk.exchange.draft().await;
    let lists = draft.register.suppressions.iter();
    let lists = lists.map(|(id, spec)| shown(&desk, id, Some(spec)));
    Ok(Json(json!({"suppressions": lists.collect::<Result<Vec<Value>, Problem>>()?}))
        .into_response())
}

pub(super) async fn list(_: Operator, State(desk): State<Desk>, Path(id): Path<String>) -> Reply {
    let draft = desk.exchange.draft().await;
    Ok(Json(shown(&desk, &id, draft.register.suppressions.get(&id))?).into_response())
}

fn shown(desk: &Desk, id: &str, spec: Option<&SuppressionSpec>) -> Result<Value, Problem> {
    let mut value = found("suppression list", id, spec)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("entries".to_owned(), desk.exchange.suppressions_of(id).into());
    }
    Ok(value)
}

pub(super) async fn put_list(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let spec = document(body).await?;
    if let Some(known) = desk.exchange.draft().await.register.suppressions.get(&id) {
        let kind = spec.get("kind").and_then(Value::as_str);
        if kind.is_some_and(|kind| kind != known.kind.code())
            && desk.exchange.suppressions_of(&id) > 0
        {
            let message = format!(
                "`{id}` has hashes of {}s, and they cannot become another kind; take its entries off first, or save another list",
                known.kind.code()
            );
            return Err(ActError::Conflict(message).into());
        }
    }
    let created = desk.exchange.save::<SuppressionSpec>("suppression", &id, spec).await?;
    let draft = desk.exchange.draft().await;
    let value = shown(&desk, &id, draft.register.suppressions.get(&id))?;
    Ok((status(created), Json(value)).into_response())
}

pub(super) async fn add(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let kind = kind(&desk, &id).await?;
    let entries = read(&desk.exchange, kind, &headers, &bytes(body).await?)?;
    if entries.is_empty() {
        return Err(no_entries("the body has no entries"));
    }
    let changed = desk.exchange.suppress(&id, entries).await?;
    let value = json!({
        "id": id, "received": changed.received, "added": changed.changed, "entries": changed.entries,
    });
    Ok(Json(value).into_response())
}

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    all: bool,
}

pub(super) async fn remove(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let Query(which) = which.map_err(|rejection| malformed(rejection.to_string()))?;
    let kind = kind(&desk, &id).await?;
    let entries = read(&desk.exchange, kind, &headers, &bytes(body).await?)?;
    if entries.is_empty() != which.all {
        return Err(no_entries("name entries in the body, or all of them with `?all=true`"));
    }
    let changed = desk.exchange.unsuppress(&id, entries).await?;
    let value = json!({
        "id": id, "received": changed.received, "removed": changed.changed, "entries": changed.entries,
    });
    Ok(Json(value).into_response())
}

fn no_entries(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
        .next("send one value or hash a line as text/plain, a column as text/csv, or a JSON list of texts")
}

async fn kind(desk: &Desk, id: &str) -> Result<Reach, Problem> {
    let draft = desk.exchange.draft().await;
    let spec = draft.register.suppressions.get(id);
    spec.map(|spec| spec.kind).ok_or_else(|| {
        let detail = format!("there is no suppression list `{id}`");
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
            .next("save it first with PUT /v1/suppressions/{id}")
    })
}

/// Reads entries in the form that the content type says; lines of text if it says nothing else.
fn read(
    exchange: &Exchange,
    kind: Reach,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Vec<Entry>, Problem> {
    let form = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = form.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let values = match form {
        "application/json" => json_values(body)?,
        "text/csv" => csv_values(kind, body)?,
        _ => lines(body)?,
    };
    let mut entries = Vec::with_capacity(values.len());
    let mut unread: Vec<usize> = Vec::new();
    for (line, value) in values {
        match exchange.listed(kind, &value) {
            Some(listed) => entries.push(listed.entry()),
            None => unread.push(line),
        }
    }
    if unread.is_empty() {
        return Ok(entries);
    }
    let named: Vec<String> = unread.iter().take(LINES_TOLD_MAX).map(usize::to_string).collect();
    let more = unread.len().saturating_sub(LINES_TOLD_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let plain = match kind {
        Reach::Phone => "a phone number of 7 to 15 digits",
        Reach::Email => "an e-mail address",
    };
    // The value itself is not repeated: it may be somebody's.
    let detail = format!(
        "{} of {} entries cannot be read, at {}{more}: each must be {plain}, or its MD5, SHA-1 or SHA-256 in hexadecimal",
        unread.len(),
        unread.len() + entries.len(),
        named.join(", "),
    );
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
        .next("mend or leave out these lines and send it again; nothing has changed"))
}

fn malformed(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
}

fn lines(body: &[u8]) -> Result<Vec<(usize, String)>, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("the body is not text in UTF-8: {error}")))?;
    let lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty());
    Ok(lines.map(|(line, number)| (number, line.to_owned())).collect())
}

fn json_values(body: &[u8]) -> Result<Vec<(usize, String)>, Problem> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("the body is not JSON: {error}")))?;
    let list = value.get("entries").unwrap_or(&value).as_array();
    let list = list.ok_or_else(|| {
        malformed("JSON is a list of texts, or an object with one as `entries`".to_owned())
    })?;
    let texts = list.iter().zip(1..).map(|(value, number)| {
        // A number is read as no entry, so that it is told with its place.
        (number, value.as_str().unwrap_or_default().to_owned())
    });
    Ok(texts.collect())
}

/// Reads a column of CSV: the one that the first line calls by the list's kind or a hash, else the first.
fn csv_values(kind: Reach, body: &[u8]) -> Result<Vec<(usize, String)>, Problem> {
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut column = 0;
    let mut values = Vec::new();
    for (record, number) in reader.into_records().zip(1..) {
        let record = record.map_err(|error| malformed(format!("the body is not CSV: {error}")))?;
        if number == 1 {
            let named = |name: &str| {
                let name = name.trim().to_lowercase().replace([' ', '-'], "_");
                name == kind.code()
                    || ["md5", "sha1", "sha256", "hash"]
                        .iter()
                        .any(|hash| name == *hash || name == format!("{}_{hash}", kind.code()))
            };
            if let Some(found) = record.iter().position(named) {
                column = found;
                continue;
            }
        }
        let value = record.get(column).unwrap_or_default().trim();
        if record.iter().any(|value| !value.trim().is_empty()) {
            values.push((number, value.to_owned()));
        }
    }
    Ok(values)
}
