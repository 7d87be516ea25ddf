//! Postbacks: seen by whom they are for and by the operator, sent again, tried, and signed with another secret.

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
use super::receipts::Caller;
use super::secrets::rotated;
use crate::catalog::Owner;
use crate::clock::Moment;
use crate::delivery::postman::Receipt;
use crate::exchange::{Attempted, EndPoint, ListedPostback, OPERATOR, Status, WantedPostbacks};
use crate::facts::{Party, PostbackKey, PostbackTried};
use crate::ids::PingId;
use crate::settlement::receipt::view::Viewer;

/// How many postbacks a list has unless asked otherwise.
const LISTED: usize = 50;

/// Which postbacks are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Option<String>,
    owner: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// The body of a call about one owner.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    owner: String,
}

pub(super) async fn list(
    Caller(viewer): Caller,
    State(desk): State<Desk>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Reply {
    let malformed = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed", detail);
    let Query(wanted) = wanted.map_err(|error| malformed(error.to_string()))?;
    let status = wanted.status.map(|text| {
        Status::ALL
            .into_iter()
            .find(|status| status.code() == text)
            .ok_or_else(|| malformed(format!("status={text}: expected waiting, delivered or dead")))
    });
    let owner = match wanted.owner {
        Some(text) => Some(owner(&text).map_err(malformed)?),
        None => own(&viewer),
    };
    if let Some(owner) = &owner {
        Caller(viewer).may_see(&viewer_of(owner))?;
    }
    let before = wanted.before.map(|text| {
        PostbackKey::parse(&text)
            .ok_or_else(|| malformed(format!("before={text}: expected an id from `next`")))
    });
    let wish = WantedPostbacks {
        status: status.transpose()?,
        owner: owner.clone(),
        before: before.transpose()?,
    };
    let (found, more) = desk.exchange.postbacks(&wish, wanted.limit.unwrap_or(LISTED));
    let next = found.last().filter(|_| more).map(|last| last.key.to_string());
    let end_points = desk.exchange.end_points(owner.as_ref());
    Ok(Json(json!({
        "postbacks": found.iter().map(line).collect::<Vec<Value>>(),
        "next": next,
        "end_points": end_points.iter().map(end_point).collect::<Vec<Value>>(),
    }))
    .into_response())
}

pub(super) async fn show(
    caller: Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Reply {
    let key = known(&id)?;
    let (listed, owner, steps, body) = desk.exchange.postback(key).await?;
    // Whose it is nobody else learns.
    caller.may_see(&viewer_of(&owner)).map_err(|_| missing(&id))?;
    let mut value = match &listed {
        Some(listed) => line(listed),
        None => {
            json!({"id": id, "owner": owner.to_string(), "event": key.event.code(), "status": "never-sent"})
        }
    };
    if let Some(object) = value.as_object_mut() {
        let steps: Vec<Value> = steps.iter().map(|(at, step)| self::step(*at, step)).collect();
        object.insert("attempts".to_owned(), steps.into());
        object.insert("body".to_owned(), body);
    }
    Ok(Json(value).into_response())
}

pub(super) async fn resend(_: Operator, State(desk): State<Desk>, Path(id): Path<String>) -> Reply {
    let owner = desk.exchange.resend_postback(known(&id)?, OPERATOR).await?;
    let value = json!({"id": id, "owner": owner.to_string(), "status": Status::Waiting.code()});
    Ok((StatusCode::ACCEPTED, Json(value)).into_response())
}

pub(super) async fn rotate(_: Operator, State(desk): State<Desk>, body: Body) -> Reply {
    let owner = about(body).await?;
    let made = desk.exchange.rotate_postback(&owner).await?;
    Ok(rotated(("owner", &owner.to_string()), made))
}

pub(super) async fn test(_: Operator, State(desk): State<Desk>, body: Body) -> Reply {
    let owner = about(body).await?;
    let tested = desk.exchange.test_postback(&owner).await?;
    let (outcome, status, detail) = match tested.receipt {
        Receipt::Taken { status } => ("delivered", Some(status), None),
        Receipt::Gone => {
            ("gone", Some(410), Some("it answered 410: nothing is wanted there".to_owned()))
        }
        Receipt::Refused { status, why, .. } => ("failed", Some(status), Some(why)),
        Receipt::Silent { why } => ("failed", None, Some(why)),
    };
    Ok(Json(json!({
        "id": tested.id,
        "owner": owner.to_string(),
        "outcome": outcome,
        "http_status": status,
        "detail": detail,
        "took_ms": u64::try_from(tested.took.as_millis()).unwrap_or(u64::MAX),
    }))
    .into_response())
}

async fn about(body: Body) -> Result<Owner, Problem> {
    let About { owner: text } = typed(document(body).await?)?;
    owner(&text).map_err(|detail| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            .field(Some("/owner".to_owned()))
    })
}

fn owner(text: &str) -> Result<Owner, String> {
    Owner::parse(text)
        .ok_or_else(|| format!("`{text}` is no owner: expected such as source:web or buyer:acme"))
}

fn known(id: &str) -> Result<PostbackKey, Problem> {
    PostbackKey::parse(id).ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no postback `{id}`")).next(
        "GET /v1/postbacks lists those that there are; a receiver finds the id in `webhook-id`",
    )
}

fn own(viewer: &Viewer) -> Option<Owner> {
    match viewer {
        Viewer::Operator => None,
        Viewer::Source(name) => Some(Owner { party: Party::Source, name: name.clone() }),
        Viewer::Buyer(name) => Some(Owner { party: Party::Buyer, name: name.clone() }),
    }
}

fn viewer_of(owner: &Owner) -> Viewer {
    match owner.party {
        Party::Source => Viewer::Source(owner.name.clone()),
        Party::Buyer => Viewer::Buyer(owner.name.clone()),
    }
}

fn line(listed: &ListedPostback) -> Value {
    let last = listed.last.as_ref();
    let tried = last.map(|last| &last.tried);
    json!({
        "id": listed.key.to_string(),
        "owner": listed.owner.to_string(),
        "event": listed.key.event.code(),
        "ping_id": PingId::from_u128(listed.key.ping).to_string(),
        "copy": listed.key.copy,
        "status": listed.status.code(),
        "next_at": listed.due.map(|due| due.to_string()),
        "attempt": tried.map_or(0, |tried| tried.attempt),
        "last_at": last.map(|last| last.at.to_string()),
        "http_status": tried.and_then(http_status),
        "detail": tried.and_then(detail),
    })
}

fn step(at: Moment, step: &Attempted) -> Value {
    match step {
        Attempted::Tried(tried) => json!({
            "at": at.to_string(),
            "attempt": tried.attempt,
            "outcome": tried.ended.code(),
            "http_status": http_status(tried),
            "detail": detail(tried),
            "took_ms": tried.took_ms,
            "again_at": tried.again_ms.map(|again| Moment::from_unix_ms(again).to_string()),
        }),
        Attempted::Resent(resent) => {
            json!({"at": at.to_string(), "outcome": "resent", "by": resent.by})
        }
    }
}

fn http_status(tried: &PostbackTried) -> Option<u16> {
    Some(tried.status).filter(|status| *status > 0)
}

fn detail(tried: &PostbackTried) -> Option<&str> {
    Some(tried.detail.as_str()).filter(|detail| !detail.is_empty())
}

fn end_point(end_point: &EndPoint) -> Value {
    let disabled = end_point.disabled.as_ref();
    json!({
        "owner": end_point.owner.to_string(),
        "waiting": end_point.waiting,
        "disabled": disabled.map(|(at, why)| json!({"at": at.to_string(), "why": why})),
    })
}

/// Says times as times.
pub(super) fn show_times(saved: &mut Value) {
    let disabled = saved.pointer_mut("/postback/disabled").and_then(Value::as_object_mut);
    if let Some(disabled) = disabled {
        let at = disabled.remove("at_ms").and_then(|at| at.as_i64()).unwrap_or_default();
        disabled.insert("at".to_owned(), Moment::from_unix_ms(at).to_string().into());
    }
}
