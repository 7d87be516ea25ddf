//! What operators look at: buyers with their money, the ledger.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::Desk;
use super::operator::{Operator, Reply, by_name, found};
use super::problem::Problem;
use super::used::used;
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
    let free = account.balance.checked_sub(account.held).and_then(|free| free.checked_add(credit));
    if let Some(object) = value.as_object_mut() {
        object.insert("balance".to_owned(), account.balance.to_string().into());
        object.insert("held".to_owned(), account.held.to_string().into());
        object.insert("available".to_owned(), free.unwrap_or_default().to_string().into());
        let taken = desk.exchange.used_by_buyer(id);
        object.extend(taken.map(|taken| ("used".to_owned(), used(&taken))));
    }
    Ok(value)
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
