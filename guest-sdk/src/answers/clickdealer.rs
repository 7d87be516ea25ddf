//! Clickdealer: JSON out; 200 whatever is said, and the code of a fault is text in the body.
//!
//! `Success` also means that the outcome is open; only the message tells.

use super::table::{Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{Accepted, Pending, Sold};

/// See the file.
pub const CLICKDEALER: Family = Family::new(
    "clickdealer",
    "Clickdealer: `{\"Result\":\"Success\",\"LeadId\":`. Known by the address alone.",
    &[Dialect::json(&[
        Row::both(
            &[Accepted, Sold],
            &[
                ("Result", Is::Text("Success")),
                ("LeadId", Is::PingId),
                ("Payout", Is::Price),
                ("Message", Is::Text("Lead accepted")),
            ],
        ),
        Row::both(
            &[Pending],
            &[("Result", Is::Text("Success")), ("LeadId", Is::PingId), ("Message", Is::Reason)],
        ),
        Row::rest(&[
            ("Result", Is::Text("Failed")),
            ("LeadId", Is::PingId),
            ("Response_code", Is::StatusText),
            ("Message", Is::Reason),
        ]),
    ])],
);
