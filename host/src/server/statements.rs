//! Statements: a buyer's or source's account in a period, as JSON, as CSV and as a page.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Desk;
use super::operator::Reply;
use super::pages::page::{escape, fill, page};
use super::problem::Problem;
use super::receipts::Caller;
use crate::money::AccountName;
use crate::settlement::receipt::view::Viewer;
use crate::settlement::{Period, Statement, to_csv};

/// Which period, and in what form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    month: Option<String>,
    from: Option<String>,
    to: Option<String>,
    zone: Option<String>,
    format: Option<Format>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
    Html,
}

impl Format {
    /// Returns the form that a caller asks for by what it accepts.
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        let accept = accept.unwrap_or_default();
        let at = |kind: &str| accept.find(kind).unwrap_or(usize::MAX);
        let (json, csv, html) = (at("application/json"), at("text/csv"), at("text/html"));
        match () {
            () if csv < json && csv < html => Self::Csv,
            () if html < json && html < csv => Self::Html,
            () => Self::Json,
        }
    }
}

pub(super) async fn of_buyer(
    caller: Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Reply {
    caller.may_see(&Viewer::Buyer(id.clone()))?;
    answered(&desk, &AccountName::Prepaid(id.clone()), "buyer", &id, wanted, &headers).await
}

pub(super) async fn of_source(
    caller: Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Reply {
    caller.may_see(&Viewer::Source(id.clone()))?;
    answered(&desk, &AccountName::Payable(id.clone()), "source", &id, wanted, &headers).await
}

async fn answered(
    desk: &Desk,
    account: &AccountName,
    what: &str,
    id: &str,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: &HeaderMap,
) -> Reply {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed", detail);
    let Query(wanted) = wanted.map_err(|error| bad(error.to_string()))?;
    let Wanted { month, from, to, zone, format } = wanted;
    let [month, from, to, zone] = [&month, &from, &to, &zone].map(|text| text.as_deref());
    let period = Period::read(month, from, to, zone).map_err(bad)?;
    if !desk.exchange.has_party(account) {
        let detail = format!("there is no {what} `{id}`");
        return Err(Problem::new(StatusCode::NOT_FOUND, "not-found", detail));
    }
    let statement = desk.exchange.statement(account, &period).await?;
    match format.unwrap_or_else(|| Format::accepted(headers)) {
        Format::Json => Ok(Json(&statement).into_response()),
        Format::Csv => Ok(csv(&statement, id)),
        Format::Html => page(&html(&statement)),
    }
}

fn csv(statement: &Statement, id: &str) -> Response {
    let saved_as = format!("attachment; filename=\"statement-{id}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, saved_as),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, to_csv(statement)).into_response()
}

fn html(statement: &Statement) -> String {
    let row = |class: &str, cells: [&str; 7]| {
        let [when, what, reference, amount, balance, fact, chain] = cells.map(escape);
        format!(
            "<tr{class}><td>{when}</td><td>{what}</td><td>{reference}</td><td class=\"n\">{amount}</td>\
             <td class=\"n\">{balance}</td><td class=\"n\">{fact}</td><td class=\"h\">{chain}</td></tr>\n"
        )
    };
    let (from, to) = (statement.from.as_deref(), statement.to.as_deref());
    let (opening, closing) = (&statement.opening, &statement.closing);
    let mut rows = row(
        " class=\"e\"",
        [from.unwrap_or_default(), "opening", "", "", &opening.balance, "", &opening.chain],
    );
    for line in &statement.lines {
        let fact = line.fact.to_string();
        let cells = [
            &line.at,
            &line.code,
            &line.reference,
            &line.amount,
            &line.balance,
            &fact,
            &line.chain,
        ];
        rows.push_str(&row("", cells.map(String::as_str)));
    }
    rows.push_str(&row(
        " class=\"e\"",
        [to.unwrap_or_default(), "closing", "", "", &closing.balance, "", &closing.chain],
    ));
    let sums = statement.sums();
    let sums = sums.iter().map(|(code, (count, sum))| format!("{count} × {code}: {sum}"));
    let sums = sums.collect::<Vec<String>>().join("; ");
    let period = match (from, to) {
        (None, None) => "All lines".to_owned(),
        (Some(from), None) => format!("From {from}"),
        (None, Some(to)) => format!("Before {to}"),
        (Some(from), Some(to)) => format!("From {from}, before {to}"),
    };
    let places = [
        ("account", escape(&statement.account)),
        ("period", escape(&period)),
        ("zone", escape(&statement.zone)),
        ("currency", escape(&statement.currency)),
        ("sums", escape(&sums)),
        // Last: what stands in the rows is not a place.
        ("rows", rows),
    ];
    let places: Vec<(&str, &str)> =
        places.iter().map(|(name, html)| (*name, html.as_str())).collect();
    fill(include_str!("statement.html"), &places)
}
