//! Live transfers: how a source says that its caller was connected with the buyer, or was not.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::Desk;
use super::operator::{Reply, document, typed};
use super::problem::Problem;
use super::receipts::Caller;
use super::sources::own;
use crate::delivery::transfer::{Call, Missed};
use crate::ids::TransferId;

/// The longest call that can be said, in seconds: a day.
const SECONDS_MAX: u32 = 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    connected: bool,
    seconds: Option<u32>,
    reason: Option<String>,
}

impl Report {
    fn call(self) -> Result<Call, Problem> {
        let wrong = |field: &str, detail: String| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
                .field(Some(field.to_owned()))
        };
        let words: Vec<&str> = Missed::ALL.iter().map(|missed| missed.code()).collect();
        match (self.connected, self.seconds, self.reason) {
            (true, Some(seconds), None) if seconds <= SECONDS_MAX => Ok(Call::Connected(seconds)),
            (true, _, None) => {
                let detail = format!(
                    "say for how many seconds the caller was connected: 0 to {SECONDS_MAX}"
                );
                Err(wrong("/seconds", detail))
            }
            (true, _, Some(_)) => {
                Err(wrong("/reason", "only a caller who was not connected has a reason".to_owned()))
            }
            (false, Some(_), _) => Err(wrong(
                "/seconds",
                "a caller who was not connected has none: leave it out".to_owned(),
            )),
            (false, None, reason) => {
                let reason = reason.unwrap_or_default();
                let missed = Missed::ALL.into_iter().find(|missed| missed.code() == reason);
                let detail = format!("say why the caller was not connected: {}", words.join(", "));
                Ok(Call::NotConnected(missed.ok_or_else(|| wrong("/reason", detail))?))
            }
        }
    }
}

pub(super) async fn report(
    caller: Caller,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    body: Body,
) -> Reply {
    let report: Report = typed(document(body).await?)?;
    let call = report.call()?;
    let transfer = TransferId::parse(&id).map_err(|_| {
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("there is no transfer `{id}`"))
            .next("a transfer is known by the `transfer_id` that the post was answered with")
    })?;
    let answer = desk.exchange.report_transfer(transfer, &caller.0, call).await?;
    Ok(own(&answer, desk.exchange.currency()))
}
