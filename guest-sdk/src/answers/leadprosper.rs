//! Lead Prosper: forms or JSON in, JSON out; 200 whatever is said, the status word and the code tell.
//!
//! The ping's `ping_id` comes back as `lp_ping_id`. Code 0 goes with a yes; the codes of a no are the exchange's choice.

use super::table::{Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Rejected, Sold, Unsold};

/// See the file.
pub const LEADPROSPER: Family = Family::new(
    "leadprosper",
    "Lead Prosper: `{\"status\":\"ACCEPTED\",\"code\":0`. Known by `lp_campaign_id` with `lp_supplier_id`.",
    &[Dialect::json(&[
        Row::ping(
            &[Accepted],
            &[
                ("status", Is::Text("ACCEPTED")),
                ("code", Is::Number(0)),
                ("message", Is::Text("")),
                ("ping_id", Is::PingId),
                ("payout", Is::Price),
            ],
        ),
        Row::post(
            &[Sold],
            &[
                ("status", Is::Text("ACCEPTED")),
                ("code", Is::Number(0)),
                ("message", Is::Text("")),
                ("lead_id", Is::LeadId),
                ("payout", Is::Price),
            ],
        ),
        Row::post(
            &[Pending],
            &[
                ("status", Is::Text("ACCEPTED")),
                ("code", Is::Number(0)),
                ("message", Is::Reason),
                ("lead_id", Is::LeadId),
            ],
        ),
        Row::both(
            &[Duplicate],
            &[
                ("status", Is::Text("DUPLICATED")),
                ("code", Is::Number(1)),
                ("message", Is::Reason),
                ("lead_id", Is::LeadId),
            ],
        ),
        Row::both(
            &[Rejected, Unsold],
            &[
                ("status", Is::Text("REJECTED")),
                ("code", Is::Number(2)),
                ("message", Is::Reason),
                ("lead_id", Is::LeadId),
            ],
        ),
        Row::rest(&[
            ("status", Is::Text("ERROR")),
            ("code", Is::Number(3)),
            ("message", Is::Reason),
        ]),
    ])],
)
.known_by(&["lp_campaign_id lp_supplier_id"]);
