//! LeadByte: forms in, JSON out; 200 whatever is said; any code but 1 is a failure.
//!
//! The codes of failures are those that it documents. `processTime` and `timestamp` are left out: an answer has no clock. A
//! lead whose outcome is open is queued, as its REST interface says it.

use super::table::{Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{
    Accepted, Denied, Duplicate, Pending, Refused, Rejected, Sold, Unsold,
};

/// What is wrong, for programs.
const INFO: Is = Is::Parts(&[("status", Is::Reason), ("code", Is::Code), ("field", Is::Field)]);

/// A failure with its code and LeadByte's own words for it.
macro_rules! failure {
    ($code:expr, $response:expr) => {
        &[("code", $code), ("response", $response), ("info", INFO), ("leadId", Is::Null)]
    };
}

/// See the file.
pub const LEADBYTE: Family = Family::new(
    "leadbyte",
    "LeadByte: `{\"code\":1,\"response\":\"OK\"`. Known by `campid` with `sid` or `returnjson`.",
    &[Dialect::json(&[
        Row::both(
            &[Accepted, Sold],
            &[
                ("code", Is::Number(1)),
                ("response", Is::Text("OK")),
                ("info", Is::List("", &[])),
                ("leadId", Is::PingId),
                ("price", Is::Price),
            ],
        ),
        Row::both(
            &[Pending],
            &[
                ("status", Is::Text("Success")),
                ("code", Is::Number(1)),
                ("message", Is::Text("")),
                (
                    "results",
                    Is::List(
                        "",
                        &[Is::Parts(&[
                            ("queueId", Is::PingId),
                            ("status", Is::Text("Queued")),
                            ("code", Is::Number(1)),
                        ])],
                    ),
                ),
            ],
        ),
        Row::both(&[Duplicate], failure!(Is::Number(-2), Is::Text("Duplicate or resubmission"))),
        Row::both(&[Rejected, Unsold], failure!(Is::Number(-3), Is::Text("Remote system error"))),
        Row::both(&[Refused], failure!(Is::Number(-5), Is::Text("Validation error"))),
        Row::both(
            &[Denied],
            failure!(
                Is::ByReason(&[("vertical-not-found", Is::Number(-9))], &Is::Number(-7)),
                Is::ByReason(
                    &[("vertical-not-found", Is::Text("Campaign not active"))],
                    &Is::Text("Supplier not authorised"),
                )
            ),
        ),
        Row::rest(failure!(Is::Number(-100), Is::Text("Internal error"))),
    ])],
)
.known_by(&["campid sid", "campid returnjson"]);
