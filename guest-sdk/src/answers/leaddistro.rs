//! Lead Distro AI: forms or JSON in, JSON out, with the HTTP status of what is said.
//!
//! A ping is answered without a price there; here it has one. The `ping_id` comes back as `flo_ping_id`. A post is answered
//! with the lead that it made, in `data`.

use super::table::{Dialect, Family, Http, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Sold, Unsold};

/// The status word of a lead that was made.
macro_rules! lead {
    ($status:literal) => {
        &[(
            "data",
            Is::Parts(&[
                ("id", Is::LeadId),
                ("status", Is::Text($status)),
                ("price", Is::Price),
                ("reason", Is::Code),
                ("message", Is::Reason),
            ]),
        )]
    };
}

/// The words that it has for the reasons of a no.
const REASON: Is = Is::ByReason(
    &[
        ("no-eligible-buyer", Is::Text("filtered")),
        ("bids-below-reserve", Is::Text("filtered")),
        ("bids-not-payable", Is::Text("filtered")),
    ],
    &Is::Code,
);

/// See the file.
pub const LEADDISTRO: Family = Family::new(
    "leaddistro",
    "Lead Distro AI: `{\"accepted\":true,\"ping_id\":`. Known by `flo_campaign_id` or `flo_supplier_id`.",
    &[Dialect::json(&[
        Row::both(
            &[Accepted],
            &[
                ("accepted", Is::Yes),
                ("ping_id", Is::PingId),
                ("price", Is::Price),
                ("message", Is::Text("Lead accepted")),
            ],
        ),
        Row::post(&[Sold], lead!("ACCEPTED")),
        Row::post(&[Pending], lead!("PENDING")),
        Row::post(&[Unsold], lead!("UNMATCHED")),
        Row::post(&[Duplicate], lead!("DUPLICATE")),
        Row::rest(&[("accepted", Is::No), ("reason", REASON), ("message", Is::Reason)]),
    ])],
)
.known_by(&["flo_campaign_id", "flo_supplier_id"])
.http(Http::AsOurs);
