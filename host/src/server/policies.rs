//! What operators call about policies: by which rules leads are sold.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::IntoResponse;

use super::Desk;
use super::operator::{Operator, Reply, by_name, document, found, listed, saved};
use crate::catalog::PolicySpec;

/// Answers with all policies, in the order in which they are tried.
pub(super) async fn policies(_: Operator, State(desk): State<Desk>) -> Reply {
    let draft = desk.exchange.draft().await;
    let mut all: Vec<_> = draft.register.policies.iter().collect();
    all.sort_by_key(|(_, policy)| policy.priority);
    listed(("policy", "policies"), all)
}

pub(super) async fn policy(_: Operator, State(desk): State<Desk>, Path(id): Path<String>) -> Reply {
    let draft = desk.exchange.draft().await;
    let spec = by_name(&draft.register.policies, &id);
    Ok(Json(found::<PolicySpec>("policy", &id, spec)?).into_response())
}

pub(super) async fn put_policy(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let created = desk.exchange.save::<PolicySpec>("policy", &id, document(body).await?).await?;
    saved(&desk, &id, created, |draft| by_name(&draft.register.policies, &id)).await
}
