//! LeadsDelivery: dotted forms in; its address chooses between XML and JSON; 200 whatever is said.
//!
//! The ping's `ID` comes back as `TXID`.

use super::table::{Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Rejected, Sold, Unsold};

const CODE: Is = Is::CodeAfter("");

const XML: &[Row] = &[
    Row::both(
        &[Accepted, Sold],
        &[
            ("Message", Is::Text("success")),
            ("Price", Is::Price),
            ("ID", Is::PingId),
            ("Code", Is::Text("OK")),
            ("Success", Is::Yes),
        ],
    ),
    Row::both(
        &[Pending],
        &[
            ("Message", Is::Reason),
            ("ID", Is::PingId),
            ("Code", Is::Text("PENDING")),
            ("Success", Is::Yes),
        ],
    ),
    Row::both(
        &[Rejected, Unsold, Duplicate],
        &[
            ("Message", Is::Reason),
            ("Price", Is::Text("0.00")),
            ("ID", Is::PingId),
            ("Code", CODE),
            ("Success", Is::No),
        ],
    ),
    Row::rest(&[("Message", Is::Reason), ("Code", CODE), ("Success", Is::No)]),
];

const JSON: &[Row] = &[
    Row::both(
        &[Accepted, Sold],
        &[
            ("id", Is::PingId),
            ("price", Is::Price),
            ("message", Is::Text("success")),
            ("code", Is::Text("OK")),
            ("success", Is::Yes),
        ],
    ),
    Row::both(
        &[Pending],
        &[
            ("id", Is::PingId),
            ("message", Is::Reason),
            ("code", Is::Text("PENDING")),
            ("success", Is::Yes),
        ],
    ),
    Row::both(
        &[Rejected, Unsold, Duplicate],
        &[
            ("id", Is::PingId),
            ("price", Is::Number(0)),
            ("message", Is::Reason),
            ("code", CODE),
            ("success", Is::No),
        ],
    ),
    Row::rest(&[("message", Is::Reason), ("code", CODE), ("success", Is::No)]),
];

/// See the file.
pub const LEADSDELIVERY: Family = Family::new(
    "leadsdelivery",
    "LeadsDelivery: `<ExternalPingResponse>`, or JSON at `leadsdelivery-json`. Known by `Source.Key` with `Source.Token`, or by \
     `Lead.LeadTypeId`.",
    &[Dialect::xml("ExternalPingResponse", XML).post_root("ExternalPostResponse"), Dialect::json(JSON)],
)
.known_by(&["source_key source_token", "lead_type_id"]);
