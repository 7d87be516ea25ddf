//! LeadsPedia: forms in, XML out unless `lp_response=JSON` asks for JSON; 200 whatever is said.
//!
//! The ping's `ping_id` comes back as `lp_ping_id`.

use super::table::{Ask, Dialect, Family, Is, Parts, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Sold};

/// A no, or a fault.
const FAILED: Parts = &[
    ("result", Is::Text("failed")),
    ("lead_id", Is::LeadId),
    ("msg", Is::Reason),
    ("errors", Is::List("error", &[Is::Reason])),
];

const ROWS: &[Row] = &[
    Row::ping(
        &[Accepted],
        &[
            ("result", Is::Text("success")),
            ("ping_id", Is::PingId),
            ("price", Is::PriceText),
            ("msg", Is::Text("Ping Accepted")),
        ],
    ),
    Row::post(
        &[Sold],
        &[
            ("result", Is::Text("success")),
            ("lead_id", Is::LeadId),
            ("price", Is::PriceText),
            ("msg", Is::Text("Lead Accepted")),
        ],
    ),
    Row::post(
        &[Pending],
        &[
            ("result", Is::Text("success")),
            ("lead_id", Is::LeadId),
            ("msg", Is::Text("Lead Queued")),
        ],
    ),
    Row::both(
        &[Duplicate],
        &[
            ("result", Is::Text("failed")),
            ("lead_id", Is::LeadId),
            ("msg", Is::Text("Duplicate Lead")),
            ("errors", Is::List("error", &[Is::Reason])),
        ],
    ),
    Row::rest(FAILED),
];

/// See the file.
pub const LEADSPEDIA: Family = Family::new(
    "leadspedia",
    "LeadsPedia: `<response><result>success</result>`, or JSON with `lp_response=JSON`. Known by `lp_campaign_id` with \
     `lp_campaign_key`.",
    &[Dialect::xml("response", ROWS).declared(), Dialect::json(ROWS)],
)
.known_by(&["lp_campaign_id lp_campaign_key"])
.asks(&[Ask::Field]);
