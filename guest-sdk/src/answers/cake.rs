//! CAKE: forms in, XML out; `code` 0 is a yes and 1 a no; 200 whatever is said.
//!
//! The words of its errors are those that it documents; what the exchange says beside them is an `error` of its own.

use super::table::{Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{Accepted, Busy, Failed, Pending, Sold};

const ERROR: Is = Is::ByReason(
    &[
        ("duplicate", Is::Text("Duplicate Lead")),
        ("missing-field", Is::Text("Lead Missing Data")),
        ("no-eligible-buyer", Is::Text("No Qualified Buyers Found")),
        ("bids-below-reserve", Is::Text("No Qualified Buyers Found")),
        ("bids-not-payable", Is::Text("No Qualified Buyers Found")),
        ("deadline-passed", Is::Text("No Qualified Buyers Found")),
        ("all-rejected", Is::Text("No Qualified Buyers Found")),
        ("unreachable", Is::Text("No Qualified Buyers Found")),
        ("key-missing", Is::Text("Invalid Post Key")),
        ("key-unknown", Is::Text("Invalid Post Key")),
        ("source-paused", Is::Text("Inactive Affiliate")),
        ("vertical-not-allowed", Is::Text("Affiliate Not Authorized for Campaign")),
        ("vertical-not-found", Is::Text("Inactive Campaign")),
    ],
    &Is::Text("Validation Failed"),
);

/// See the file.
pub const CAKE: Family = Family::new(
    "cake",
    "CAKE: `<result><code>0</code><msg>success</msg>`. Known by `ckm_campaign_id` or `ckm_key`.",
    &[Dialect::xml(
        "result",
        &[
            Row::both(
                &[Accepted, Sold],
                &[
                    ("code", Is::Number(0)),
                    ("msg", Is::Text("success")),
                    ("leadid", Is::PingId),
                    ("price", Is::Price),
                ],
            ),
            Row::both(
                &[Pending],
                &[("code", Is::Number(0)), ("msg", Is::Text("pending")), ("leadid", Is::PingId)],
            ),
            Row::both(
                &[Busy, Failed],
                &[
                    ("code", Is::Number(1)),
                    ("msg", Is::Text("error")),
                    ("errors", Is::List("error", &[Is::Reason])),
                ],
            ),
            Row::rest(&[
                ("code", Is::Number(1)),
                ("msg", Is::Text("error")),
                ("leadid", Is::PingId),
                ("errors", Is::List("error", &[ERROR, Is::Reason])),
            ]),
        ],
    )],
)
.known_by(&["ckm_campaign_id", "ckm_key"]);
