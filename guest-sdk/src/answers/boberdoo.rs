//! boberdoo: forms, JSON or XML in; XML out unless `Format=JSON` asks for JSON; 200 whatever is said.
//!
//! Its short answers have `status`, `lead_id` and `error`, and a ping's has the price. The `lead_id` of the ping is what the
//! post cites as `Lead_ID`, so both steps have the same. `Success` is what it says of a lead that it has, without saying
//! whether it found a buyer; a duplicate is an error.

use super::table::{Ask, Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Rejected, Sold, Unsold};

const ROWS: &[Row] = &[
    Row::both(
        &[Accepted, Sold],
        &[("status", Is::Text("Matched")), ("lead_id", Is::PingId), ("price", Is::PriceText)],
    ),
    Row::both(&[Rejected, Unsold], &[("status", Is::Text("Unmatched")), ("lead_id", Is::PingId)]),
    Row::both(&[Pending], &[("status", Is::Text("Success")), ("lead_id", Is::PingId)]),
    Row::both(
        &[Duplicate],
        &[("status", Is::Text("Error")), ("lead_id", Is::PingId), ("error", Is::Reason)],
    ),
    Row::rest(&[("status", Is::Text("Error")), ("error", Is::Reason)]),
];

/// See the file.
pub const BOBERDOO: Family = Family::new(
    "boberdoo",
    "boberdoo and what is built on it: `<response><status>Matched</status>`, or JSON with `Format=JSON`. Known by `API_Action`, \
     or by `Key` and `TYPE` with `SRC` or `Mode`.",
    &[Dialect::xml("response", ROWS).declared(), Dialect::json_in("response", ROWS)],
)
.known_by(&["api_action", "key type src", "key type mode"])
.asks(&[Ask::Field]);
