//! Sunrun: forms in, a word of plain text out; 200 whatever is said.
//!
//! Five of its words are known; the others are made like them from the reason's code. The first line is the word. A ping's
//! answer has the handle and the price in lines of their own, without which there would be no post.

use super::table::{Dialect, Family, Is, Row};
use crate::normalizer::Verdict::{Accepted, Busy, Denied, Duplicate, Failed, Pending, Sold};

/// See the file.
pub const SUNRUN: Family = Family::new(
    "sunrun",
    "Sunrun: the word `POST_VALID` as plain text. Known by `campid` with `electricUtilityProviderText`.",
    &[Dialect::text(&[
        Row::both(
            &[Accepted],
            &[
                ("", Is::Text("POST_VALID")),
                ("ping_id", Is::PingId),
                ("price", Is::PriceText),
            ],
        ),
        Row::both(&[Sold, Pending], &[("", Is::Text("POST_VALID"))]),
        Row::both(&[Duplicate], &[("", Is::Text("POST_REJECT_DUPLICATE"))]),
        Row::both(&[Denied], &[("", Is::Text("POST_REJECT_INVALID_CAMPAIGN"))]),
        Row::both(&[Busy, Failed], &[("", Is::Text("SERVER_ERROR"))]),
        Row::rest(&[("", Is::CodeAfter("POST_REJECT_"))]),
    ])],
)
.known_by(&["campid electricutilityprovidertext"]);
