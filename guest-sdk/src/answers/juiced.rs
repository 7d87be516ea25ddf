//! Juiced: JSON in, with the key in HTTP Basic; JSON out, with the HTTP status of what is said.
//!
//! A ping is answered with one of four messages and the bids, whose prices are whole or decimal; the exchange has one bid,
//! its own, and does not say who is behind it. A post is answered with the lead's status word.

use super::table::{Dialect, Family, Http, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Refused, Rejected, Sold, Unsold};

/// The status word of a lead.
macro_rules! lead {
    ($status:literal) => {
        &[
            ("ping_id", Is::PingId),
            ("lead_id", Is::LeadId),
            ("message", Is::Text($status)),
            ("price", Is::Price),
            ("reason", Is::Reason),
        ]
    };
}

/// See the file.
pub const JUICED: Family = Family::new(
    "juiced",
    "Juiced: `{\"ping_id\":…,\"message\":\"Match found\",\"bids\":[`. Known by the address alone.",
    &[Dialect::json(&[
        Row::ping(
            &[Accepted],
            &[
                ("ping_id", Is::PingId),
                ("message", Is::Text("Match found")),
                (
                    "bids",
                    Is::List("bid", &[Is::Parts(&[("id", Is::PingId), ("price", Is::Price)])]),
                ),
            ],
        ),
        Row::ping(
            &[Rejected],
            &[
                ("ping_id", Is::PingId),
                ("message", Is::Text("No match found")),
                ("bids", Is::List("bid", &[])),
            ],
        ),
        Row::ping(
            &[Duplicate],
            &[
                ("ping_id", Is::PingId),
                ("message", Is::Text("Duplicate")),
                ("bids", Is::List("bid", &[])),
            ],
        ),
        Row::ping(
            &[Refused],
            &[
                ("message", Is::Text("Rejected")),
                ("bids", Is::List("bid", &[])),
                ("errors", Is::List("error", &[Is::Reason])),
            ],
        ),
        Row::post(&[Sold], lead!("Assigned")),
        Row::post(&[Pending], lead!("Pending")),
        Row::post(&[Unsold], lead!("Unassigned")),
        Row::post(&[Duplicate], lead!("Duplicate")),
        Row::post(
            &[Refused],
            &[("message", Is::Text("Rejected")), ("errors", Is::List("error", &[Is::Reason]))],
        ),
        Row::rest(&[("message", Is::Reason)]),
    ])],
)
.http(Http::AsOurs);
