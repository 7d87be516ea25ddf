//! Receipts for whoever has a part in them: the operator, sources and buyers, each by its key; and the keys that sign.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::Desk;
use super::operator::{Operator, Reply, by_name, document, found, status};
use super::problem::Problem;
use super::secrets;
use crate::catalog::{PostbackSpec, SigningSpec};
use crate::exchange::Extent;
use crate::ids::{Digest, PingId};
use crate::settlement::receipt::view::Viewer;

/// How many auctions a list has unless asked otherwise.
const AUCTIONS: usize = 50;

/// Who calls, by the key: the operator, a source or a buyer. A paused one still sees what was.
pub(super) struct Caller(pub(super) Viewer);

impl FromRequestParts<Desk> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        let authorization = parts.headers.get(header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        let key = authorization.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        let next = "send `Authorization: Bearer KEY` with the key that the operator gave you, or, as the operator, with the one that GAVEL_OPERATOR_KEY holds";
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            let detail = "this needs a key: the operator's, a source's or a buyer's";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "key-missing", detail).next(next));
        };
        let digest = Digest::of(key.as_bytes());
        if bool::from(digest.as_bytes().ct_eq(desk.operator_key.as_bytes())) {
            return Ok(Self(Viewer::Operator));
        }
        desk.exchange.holder(key).map(Self).ok_or_else(|| {
            let detail = "the key is neither the operator's nor any source's or buyer's";
            Problem::new(StatusCode::UNAUTHORIZED, "key-unknown", detail).next(next)
        })
    }
}

impl Caller {
    /// Lets the operator through, and whoever it is about. Nobody else hears whether there is such a one.
    pub(super) fn may_see(&self, whose: &Viewer) -> Result<(), Problem> {
        if self.0 == Viewer::Operator || self.0 == *whose {
            return Ok(());
        }
        let own = match &self.0 {
            Viewer::Operator => return Ok(()),
            Viewer::Buyer(own) => format!("/v1/buyers/{own}/statement"),
            Viewer::Source(own) => format!("/v1/sources/{own}/statement"),
        };
        let detail = format!("there is no such account of yours; your own is {own}");
        Err(Problem::new(StatusCode::NOT_FOUND, "not-found", detail))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    limit: Option<usize>,
    before: Option<u64>,
}

pub(super) async fn auctions(
    Caller(viewer): Caller,
    State(desk): State<Desk>,
    page: Result<Query<Page>, QueryRejection>,
) -> Reply {
    let Query(page) = page.map_err(malformed)?;
    let limit = page.limit.unwrap_or(AUCTIONS);
    let found = match (&viewer, page.before) {
        (Viewer::Operator, None) => desk.exchange.newest_auctions(limit).await?,
        (viewer, before) => desk.exchange.auctions_of(viewer, before, limit).await?,
    };
    let value = json!({"auctions": found.auctions, "next": found.next, "currency": desk.exchange.currency()});
    Ok(Json(value).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// `1` asks for what it takes to hold the auction again elsewhere.
    full: Option<String>,
}

pub(super) async fn auction(
    Caller(viewer): Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Reply {
    let Query(wish) = wish.map_err(malformed)?;
    let extent = match wish.full.as_deref() {
        None | Some("0" | "false") => Extent::Usual,
        Some("1" | "true") => Extent::Full,
        Some(other) => {
            let detail = format!("full={other}: expected 1 or 0");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail));
        }
    };
    if extent == Extent::Full && viewer != Viewer::Operator {
        let detail = "only the operator sees everybody's part in an auction";
        return Err(Problem::new(StatusCode::FORBIDDEN, "operator-only", detail)
            .next("without `full=1` you get your own part, signed"));
    }
    let missing = || {
        let (detail, next) = match viewer {
            Viewer::Operator => {
                (format!("there is no auction `{id}`"), "an auction is known by its `ping_id`")
            }
            Viewer::Source(_) | Viewer::Buyer(_) => (
                format!("there is no auction `{id}` in which you have a part"),
                "GET /v1/auctions lists those that there are",
            ),
        };
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail).next(next)
    };
    let ping = PingId::parse(&id).map_err(|_| missing())?;
    let receipt = desk.exchange.receipt(ping, &viewer, extent).await?.ok_or_else(missing)?;
    Ok(Json(Value::Object(receipt)).into_response())
}

/// Anybody may check a receipt, so anybody may have the keys to do it with.
pub(super) async fn keys(State(desk): State<Desk>) -> Reply {
    Ok(Json(desk.exchange.keys()).into_response())
}

pub(super) async fn rotate(_: Operator, State(desk): State<Desk>) -> Reply {
    Ok((StatusCode::CREATED, Json(desk.exchange.rotate_key().await?)).into_response())
}

pub(super) async fn put_buyer(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let made = desk.exchange.save_buyer(&id, document(body).await?).await?;
    let draft = desk.exchange.draft().await;
    let mut value = found("buyer", &id, by_name(&draft.register.buyers, &id))?;
    if let (Some(object), Some(key)) = (value.as_object_mut(), made.key) {
        object.insert("key".to_owned(), key.into());
    }
    secrets::reveal(&mut value, PostbackSpec::POINTER, made.postback_secret);
    secrets::reveal(&mut value, SigningSpec::POINTER, made.delivery_secret);
    Ok((status(made.created), Json(value)).into_response())
}

pub(super) async fn rotate_delivery(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Reply {
    Ok(secrets::rotated(("buyer", &id), desk.exchange.rotate_delivery(&id).await?))
}

fn malformed(error: QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", error)
}
