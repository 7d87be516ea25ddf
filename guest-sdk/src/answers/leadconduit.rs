//! LeadConduit: forms, JSON or XML in; Accept chooses between JSON and XML; 201 for a yes and a no alike.
//!
//! `failure` is the lead's fault, `error` the request's. Limits are told as a 429 with `retry_after` in seconds. It knows
//! its sources by their address, so it is chosen by the address here, too.

use super::table::{Ask, Dialect, Family, Http, Is, Parts, Row};
use crate::normalizer::Stage::{self, Ping, Post};
use crate::normalizer::Verdict::{
    self, Accepted, Busy, Duplicate, Pending, Refused, Rejected, Sold, Unsold,
};

const PING: Is = Is::Parts(&[("id", Is::PingId)]);
const LEAD: Is = Is::Parts(&[("id", Is::LeadId)]);

const fn at(stage: Stage, verdicts: &'static [Verdict], parts: Parts) -> Row {
    let row = match stage {
        Ping => Row::ping(verdicts, parts),
        Post => Row::post(verdicts, parts),
    };
    row.status(201)
}

const ROWS: &[Row] = &[
    at(
        Ping,
        &[Accepted],
        &[("outcome", Is::Text("success")), ("lead", PING), ("price", Is::Price)],
    ),
    at(
        Ping,
        &[Rejected, Duplicate],
        &[
            ("outcome", Is::Text("failure")),
            ("reason", Is::Reason),
            ("lead", PING),
            ("price", Is::Number(0)),
        ],
    ),
    at(
        Post,
        &[Sold, Pending],
        &[("outcome", Is::Text("success")), ("lead", LEAD), ("price", Is::Price)],
    ),
    at(
        Post,
        &[Unsold, Duplicate],
        &[
            ("outcome", Is::Text("failure")),
            ("reason", Is::Reason),
            ("lead", LEAD),
            ("price", Is::Number(0)),
        ],
    ),
    Row::both(
        &[Refused],
        &[("outcome", Is::Text("failure")), ("reason", Is::Reason), ("price", Is::Number(0))],
    )
    .status(201),
    Row::both(
        &[Busy],
        &[("status", Is::Status), ("message", Is::StatusWords), ("retry_after", Is::RetryAfter)],
    ),
    Row::rest(&[("outcome", Is::Text("error")), ("reason", Is::Reason), ("price", Is::Number(0))]),
];

/// See the file.
pub const LEADCONDUIT: Family = Family::new(
    "leadconduit",
    "LeadConduit: `{\"outcome\":\"success\",\"lead\":{\"id\":`, or XML if Accept asks for it. Known by the address alone.",
    &[Dialect::json(ROWS), Dialect::xml("result", ROWS).declared()],
)
.asks(&[Ask::Accept])
.http(Http::AsOurs);
