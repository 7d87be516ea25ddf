//! The exchange's own words in XML, with its own HTTP status and exact prices.

use super::table::{Dialect, Family, Http, Is, Row};
use crate::normalizer::Verdict::{Accepted, Duplicate, Pending, Rejected, Sold, Unsold};

const REASON: Is = Is::Parts(&[("code", Is::Code), ("message", Is::Reason)]);

/// The status word of an answer, with all that may go with it.
macro_rules! verdict {
    ($status:literal) => {
        &[
            ("status", Is::Text($status)),
            ("lead_id", Is::LeadId),
            ("ping_id", Is::PingId),
            ("duplicate_of", Is::DuplicateOf),
            ("price", Is::PriceExact),
            ("currency", Is::Currency),
            ("copies", Is::Copies),
            ("expires_at", Is::Expires),
        ]
    };
}

/// The status word of an answer that is no yes.
macro_rules! no {
    ($status:literal) => {
        &[
            ("status", Is::Text($status)),
            ("lead_id", Is::LeadId),
            ("ping_id", Is::PingId),
            ("duplicate_of", Is::DuplicateOf),
            ("reason", REASON),
        ]
    };
}

/// See the file.
pub const OWN: Family = Family::new(
    "xml",
    "The exchange's own words in XML. Also chosen by `Accept: application/xml`, or a field `Format=XML`, where nothing else \
     says which dialect is meant.",
    &[Dialect::xml(
        "response",
        &[
            Row::both(&[Accepted], verdict!("accepted")),
            Row::both(&[Sold], verdict!("sold")),
            Row::both(&[Rejected], no!("rejected")),
            Row::both(&[Duplicate], no!("duplicate")),
            Row::both(&[Unsold], no!("unsold")),
            Row::both(&[Pending], no!("pending")),
            Row::rest(&[
                ("status", Is::Status),
                ("code", Is::Code),
                ("detail", Is::Reason),
                ("field", Is::Field),
                ("retry_after", Is::RetryAfter),
            ]),
        ],
    )
    .declared()],
)
.http(Http::AsOurs);
