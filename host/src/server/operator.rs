//! What operators call to change something, and the objects as they saved them: sources, buyers, verticals,
//! campaigns.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::postbacks;
use super::problem::Problem;
use super::secrets;
use super::used::used;
use super::{Desk, bodies};
use crate::catalog::{CampaignSpec, Draft, ListSpec, PostbackSpec, SourceSpec, VerticalSpec};
use crate::delivery::courier::{Outcome, Refuser};
use crate::ids::{Digest, PingId};
use crate::money::Micros;

/// The largest body of an operator's call, in bytes: a list of ZIP codes is long.
pub(super) const OPERATOR_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a caller may take to send it.
const BODY_READ_MAX: Duration = Duration::from_secs(60);

/// Proof that the caller has the operator's key.
pub(super) struct Operator;

impl FromRequestParts<Desk> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        if is_operator(desk, &parts.headers) { Ok(Self) } else { Err(Problem::no_operator()) }
    }
}

/// Returns the key that a caller has, empty if it has none.
pub(super) fn key(headers: &HeaderMap) -> &str {
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().trim()
}

/// Says whether a caller has the operator's key.
pub(super) fn is_operator(desk: &Desk, headers: &HeaderMap) -> bool {
    let digest = Digest::of(key(headers).as_bytes());
    bool::from(digest.as_bytes().ct_eq(desk.operator_key.as_bytes()))
}

pub(super) type Reply = Result<Response, Problem>;

/// Reads the body of a call.
pub(super) async fn bytes(body: Body) -> Result<Vec<u8>, Problem> {
    Ok(bodies::read(body, OPERATOR_BODY_BYTES_MAX, BODY_READ_MAX).await?.into())
}

/// Refuses a query that does not read.
pub(super) fn malformed(rejection: QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", rejection)
}

pub(super) async fn document(body: Body) -> Result<Value, Problem> {
    object(&bytes(body).await?)
}

/// Reads a JSON object. Of anything else serde would take the elements of a list for an object's members.
pub(super) fn object(bytes: &[u8]) -> Result<Value, Problem> {
    let malformed = |detail| Problem::new(StatusCode::BAD_REQUEST, "malformed", detail);
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| malformed(format!("the body is not JSON: {error}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(malformed("the body is not a JSON object".into()))
    }
}

pub(super) fn status(created: bool) -> StatusCode {
    if created { StatusCode::CREATED } else { StatusCode::OK }
}

pub(super) fn found<T: Serialize>(
    what: &str,
    id: &str,
    spec: Option<&T>,
) -> Result<Value, Problem> {
    let spec = spec.and_then(|spec| serde_json::to_value(spec).ok());
    let mut value = spec.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what} `{id}`"))
    })?;
    secrets::hide(&mut value);
    postbacks::show_times(&mut value);
    if let Some(object) = value.as_object_mut() {
        object.insert("id".to_owned(), id.into());
        // Of keys only their number is anybody's business.
        if let Some(keys) = object.remove("key_digests") {
            object.insert("keys".to_owned(), keys.as_array().map_or(0, Vec::len).into());
        }
        if let Some(keys) = object.remove("test_key_digests") {
            object.insert("test_keys".to_owned(), keys.as_array().map_or(0, Vec::len).into());
        }
    }
    Ok(value)
}

/// Answers with all objects of one kind.
pub(super) fn listed<'d, K, T>(
    (what, plural): (&str, &str),
    all: impl IntoIterator<Item = (&'d K, &'d T)>,
) -> Reply
where
    K: ToString + 'd,
    T: Serialize + 'd,
{
    let objects = all.into_iter().map(|(id, spec)| found(what, &id.to_string(), Some(spec)));
    Ok(Json(json!({plural: objects.collect::<Result<Vec<Value>, Problem>>()?})).into_response())
}

pub(super) async fn sources(_: Operator, State(desk): State<Desk>) -> Reply {
    listed(("source", "sources"), &desk.exchange.draft().await.register.sources)
}

pub(super) async fn verticals(_: Operator, State(desk): State<Desk>) -> Reply {
    listed(("vertical", "verticals"), &desk.exchange.draft().await.register.verticals)
}

pub(super) async fn campaigns(_: Operator, State(desk): State<Desk>) -> Reply {
    listed(("campaign", "campaigns"), &desk.exchange.draft().await.register.campaigns)
}

pub(super) async fn saved<T>(
    desk: &Desk,
    id: &str,
    created: bool,
    find: impl FnOnce(&Draft) -> Option<&T>,
) -> Reply
where
    T: Serialize,
{
    let value = found("object", id, find(&desk.exchange.draft().await))?;
    Ok((status(created), Json(value)).into_response())
}

pub(super) async fn put_source(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let made = desk.exchange.save_source(&id, document(body).await?).await?;
    let draft = desk.exchange.draft().await;
    let mut value = found("source", &id, by_name(&draft.register.sources, &id))?;
    for (name, key) in [("key", made.key), ("test_key", made.test_key)] {
        if let (Some(object), Some(key)) = (value.as_object_mut(), key) {
            object.insert(name.to_owned(), key.into());
        }
    }
    secrets::reveal(&mut value, PostbackSpec::POINTER, made.postback_secret);
    Ok((status(made.created), Json(value)).into_response())
}

pub(super) async fn source(_: Operator, State(desk): State<Desk>, Path(id): Path<String>) -> Reply {
    let draft = desk.exchange.draft().await;
    let mut value = found::<SourceSpec>("source", &id, by_name(&draft.register.sources, &id))?;
    if let Some(object) = value.as_object_mut() {
        object.insert("owed".to_owned(), desk.exchange.owed(&id).to_string().into());
    }
    Ok(Json(value).into_response())
}

pub(super) async fn put_vertical(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let created =
        desk.exchange.save::<VerticalSpec>("vertical", &id, document(body).await?).await?;
    saved(&desk, &id, created, |draft| by_name(&draft.register.verticals, &id)).await
}

pub(super) async fn vertical(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Reply {
    let draft = desk.exchange.draft().await;
    let mut value =
        found::<VerticalSpec>("vertical", &id, by_name(&draft.register.verticals, &id))?;
    if let (Some(object), Some(schema)) = (value.as_object_mut(), desk.exchange.schema(&id)) {
        object.insert("schema".to_owned(), schema);
    }
    Ok(Json(value).into_response())
}

pub(super) async fn put_campaign(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let created =
        desk.exchange.save::<CampaignSpec>("campaign", &id, document(body).await?).await?;
    saved(&desk, &id, created, |draft| by_name(&draft.register.campaigns, &id)).await
}

pub(super) async fn campaign(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Reply {
    let draft = desk.exchange.draft().await;
    let spec = by_name(&draft.register.campaigns, &id);
    let mut value = found::<CampaignSpec>("campaign", &id, spec)?;
    let why = spec.and_then(|spec| desk.exchange.out_of_service(spec.vertical.as_str(), &id));
    if let (Some(object), Some(why)) = (value.as_object_mut(), why) {
        object.insert("out_of_service".to_owned(), why.into());
    }
    let taken = spec.and_then(|spec| desk.exchange.used_by_campaign(spec.vertical.as_str(), &id));
    if let (Some(object), Some(taken)) = (value.as_object_mut(), taken) {
        object.insert("used".to_owned(), used(&taken));
    }
    Ok(Json(value).into_response())
}

pub(super) async fn put_list(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let created = desk.exchange.save::<ListSpec>("list", &id, document(body).await?).await?;
    let values =
        desk.exchange.draft().await.register.lists.get(&id).map_or(0, |list| list.values.len());
    Ok((status(created), Json(json!({"id": id, "values": values}))).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    #[serde(default)]
    copy: u32,
    outcome: ResolvedAs,
    /// The buyer's reference of the sale, or its reason.
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ResolvedAs {
    Sold,
    Rejected,
}

pub(super) async fn resolve(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let Resolution { copy, outcome, note } = typed(document(body).await?)?;
    let ping = PingId::parse(&id)
        .map_err(|error| Problem::new(StatusCode::NOT_FOUND, "not-found", error))?;
    let outcome = match outcome {
        ResolvedAs::Sold => Outcome::Sold { reference: Some(note).filter(|note| !note.is_empty()) },
        ResolvedAs::Rejected => Outcome::Rejected { reason: note, by: Refuser::Buyer },
    };
    let delivered = desk.exchange.resolve(ping, copy, outcome).await?;
    let value = json!({
        "auction": id,
        "copy": delivered.copy,
        "outcome": delivered.ended.code(),
        "buyer": delivered.buyer,
        "price": Micros::new(delivered.price).to_string(),
        "successor": delivered.successor.map(|winner| winner.campaign),
    });
    Ok(Json(value).into_response())
}

pub(super) fn by_name<'m, K, T>(
    map: &'m std::collections::BTreeMap<K, T>,
    name: &str,
) -> Option<&'m T>
where
    K: ToString,
{
    map.iter().find(|(id, _)| id.to_string() == name).map(|(_, value)| value)
}

pub(super) fn typed<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let field = (path != ".").then(|| format!("/{}", path.replace('.', "/")));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", error.into_inner()).field(field)
    })
}
