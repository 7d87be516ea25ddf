//! What moves money by an operator's hand: deposits, withdrawals, payouts, corrections, write-offs.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use super::operator::{Operator, Reply, document, status, typed};
use super::problem::Problem;
use crate::catalog::Amount;
use crate::exchange::Moved;
use crate::facts::{TransferKind, Transferred};
use crate::money::AccountName;

/// An amount with the reference that it counts once under.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Movement {
    amount: Amount,
    currency: Option<String>,
    reference: String,
    #[serde(default)]
    reason: String,
}

/// A movement between two accounts of the operator's choice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    debit: String,
    credit: String,
    amount: Amount,
    currency: Option<String>,
    reference: String,
    #[serde(default)]
    reason: String,
    corrects: Option<u64>,
}

/// What somebody owes and will not pay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteOff {
    account: String,
    amount: Amount,
    currency: Option<String>,
    reference: String,
    #[serde(default)]
    reason: String,
}

/// Refuses an amount that says it is in another currency.
pub(super) fn in_currency(desk: &Desk, currency: Option<&str>) -> Result<(), Problem> {
    let ours = desk.exchange.currency();
    match currency {
        None => Ok(()),
        Some(currency) if currency == ours => Ok(()),
        Some(currency) => {
            let detail = format!(
                "this exchange counts in {ours}, not in {currency}; leave `currency` out or send {ours}"
            );
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
                .field(Some("/currency".to_owned())))
        }
    }
}

async fn movement(desk: &Desk, body: Body) -> Result<Movement, Problem> {
    let movement: Movement = typed(document(body).await?)?;
    in_currency(desk, movement.currency.as_deref())?;
    Ok(movement)
}

/// Says what moved in a buyer's prepaid account, and what is in it now.
fn prepaid(buyer: &str, sent: &Movement, moved: &Moved) -> Response {
    let value = json!({
        "buyer": buyer,
        "reference": sent.reference,
        "amount": sent.amount,
        "balance": moved.account.balance.to_string(),
        "held": moved.account.held.to_string(),
    });
    (status(moved.fact.is_some()), Json(value)).into_response()
}

pub(super) async fn deposit(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let sent = movement(&desk, body).await?;
    let moved = desk.exchange.deposit(&id, sent.amount.0, &sent.reference).await?;
    Ok(prepaid(&id, &sent, &moved))
}

pub(super) async fn withdraw(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    known(&desk, &AccountName::Prepaid(id.clone()), "buyer", &id)?;
    let sent = movement(&desk, body).await?;
    let debit = AccountName::Prepaid(id.clone());
    let moved =
        transfer(&desk, TransferKind::Withdrawal, &debit, &AccountName::Cash, &sent).await?;
    Ok(prepaid(&id, &sent, &moved))
}

pub(super) async fn pay_out(
    _: Operator,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    known(&desk, &AccountName::Payable(id.clone()), "source", &id)?;
    let sent = movement(&desk, body).await?;
    let debit = AccountName::Payable(id.clone());
    let moved = transfer(&desk, TransferKind::Payout, &debit, &AccountName::Cash, &sent).await?;
    let value = json!({
        "source": id,
        "reference": sent.reference,
        "amount": sent.amount,
        "owed": moved.owed.to_string(),
    });
    Ok((status(moved.fact.is_some()), Json(value)).into_response())
}

pub(super) async fn correct(_: Operator, State(desk): State<Desk>, body: Body) -> Reply {
    let sent: Correction = typed(document(body).await?)?;
    in_currency(&desk, sent.currency.as_deref())?;
    let transfer = Transferred {
        kind: TransferKind::Correction,
        debit: sent.debit,
        credit: sent.credit,
        amount: sent.amount.0.get(),
        reference: sent.reference,
        reason: sent.reason,
        corrects: sent.corrects,
    };
    booked(&desk, transfer).await
}

pub(super) async fn write_off(_: Operator, State(desk): State<Desk>, body: Body) -> Reply {
    let sent: WriteOff = typed(document(body).await?)?;
    in_currency(&desk, sent.currency.as_deref())?;
    let owing = AccountName::parse(&sent.account);
    if !matches!(owing, Ok(AccountName::Prepaid(_) | AccountName::Payable(_))) {
        let detail = format!(
            "`{}` cannot owe anything: write off what `buyer:NAME:prepaid` or `source:NAME:payable` owes",
            sent.account
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            .field(Some("/account".to_owned())));
    }
    let transfer = Transferred {
        kind: TransferKind::WriteOff,
        debit: AccountName::WriteOff.to_string(),
        credit: sent.account,
        amount: sent.amount.0.get(),
        reference: sent.reference,
        reason: sent.reason,
        corrects: None,
    };
    booked(&desk, transfer).await
}

async fn booked(desk: &Desk, transfer: Transferred) -> Reply {
    let moved = desk.exchange.transfer(transfer.clone()).await?;
    Ok((status(moved.fact.is_some()), Json(shown(&transfer, &moved))).into_response())
}

fn shown(transfer: &Transferred, moved: &Moved) -> Value {
    json!({
        "kind": transfer.kind.code(),
        "debit": transfer.debit,
        "credit": transfer.credit,
        "amount": crate::money::Micros::new(transfer.amount).to_string(),
        "reference": transfer.reference,
        "reason": transfer.reason,
        "corrects": transfer.corrects,
        "fact": moved.fact,
    })
}

async fn transfer(
    desk: &Desk,
    kind: TransferKind,
    debit: &AccountName,
    credit: &AccountName,
    sent: &Movement,
) -> Result<Moved, Problem> {
    let transfer = Transferred {
        kind,
        debit: debit.to_string(),
        credit: credit.to_string(),
        amount: sent.amount.0.get(),
        reference: sent.reference.clone(),
        reason: sent.reason.clone(),
        corrects: None,
    };
    Ok(desk.exchange.transfer(transfer).await?)
}

/// Refuses an address that names nobody.
fn known(desk: &Desk, account: &AccountName, what: &str, id: &str) -> Result<(), Problem> {
    if desk.exchange.has_party(account) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what} `{id}`")))
}
