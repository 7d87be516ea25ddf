//! PX: JSON or XML in, and the same out unless Accept says otherwise.
//!
//! `TransactionId` ties the post to its ping. `Sold` is open until the post is answered, and stays open while the buyer has
//! not answered. A submission that cannot be read is a 400 with the faults in `Errors`.

use super::table::{Ask, Dialect, Family, Http, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Refused, Rejected, Sold, Unsold};

const NAMESPACES: &str = "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

/// An answer to a post, which has more to say than one to a ping.
macro_rules! post {
    ($success:expr, $price:expr, $message:expr, $sold:expr) => {
        &[
            ("TransactionId", Is::PingId),
            ("Success", $success),
            ("Payout", $price),
            ("Message", $message),
            ("Errors", Is::Null),
            ("Sold", $sold),
            ("RedirectUrl", Is::Null),
            ("BuyerRawResponse", Is::Null),
            ("Environment", Is::Text("Production")),
            ("Legs", Is::Null),
        ]
    };
}

macro_rules! ping {
    ($success:expr, $price:expr, $message:expr) => {
        &[
            ("TransactionId", Is::PingId),
            ("Success", $success),
            ("Payout", $price),
            ("Message", $message),
            ("Errors", Is::Null),
            ("Sold", Is::Nil),
            ("Environment", Is::Text("Production")),
        ]
    };
}

macro_rules! fault {
    ($message:expr) => {
        &[
            ("TransactionId", Is::Null),
            ("Success", Is::No),
            ("Payout", Is::Nil),
            ("Message", $message),
            ("Errors", Is::List("string", &[Is::Reason])),
            ("Sold", Is::Nil),
            ("RedirectUrl", Is::Null),
            ("BuyerRawResponse", Is::Null),
            ("Environment", Is::Null),
            ("Legs", Is::Null),
        ]
    };
}

const ROWS: &[Row] = &[
    Row::ping(&[Accepted], ping!(Is::Yes, Is::Price, Is::Null)),
    Row::ping(&[Rejected, Duplicate], ping!(Is::No, Is::Nil, Is::Reason)),
    Row::post(&[Sold], post!(Is::Yes, Is::Price, Is::Null, Is::Yes)),
    Row::post(&[Pending], post!(Is::Yes, Is::Nil, Is::Reason, Is::Nil)),
    Row::post(&[Unsold, Duplicate], post!(Is::No, Is::Nil, Is::Reason, Is::No)),
    Row::both(&[Refused], fault!(Is::Text("BadRequest"))).status(400),
    Row::rest(fault!(Is::StatusWord)),
];

/// See the file.
pub const PX: Family = Family::new(
    "px",
    "PX: `TransactionId`, `Success`, `Payout`, in the syntax that Accept asks for or else that of the submission. Known by \
     `ApiToken` with `Vertical` or `TransactionId`.",
    &[Dialect::json(ROWS), Dialect::xml("Result", ROWS).declared().attributes(NAMESPACES)],
)
.known_by(&["api_token vertical", "api_token transaction_id"])
.asks(&[Ask::Accept, Ask::Sent])
.http(Http::AsOurs);
