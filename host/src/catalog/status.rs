//! Where a buyer says what became of a lead: as the operator says it, and as it is used.

use serde::{Deserialize, Serialize};

use crate::egress::Egress;
use crate::ids::NAME_BYTES_MAX;

/// What stands for the lead's id in the address.
const LEAD_ID: &str = "{lead_id}";
/// What stands for the Idempotency-Key of the lead's posts.
const IDEMPOTENCY_KEY: &str = "{idempotency_key}";
/// How long a lead's id is, and how long its key can be: with the copy's number of ten digits and the campaign's name.
const LEAD_ID_CHARS: usize = 29;
const KEY_CHARS_MAX: usize = LEAD_ID_CHARS + "-".len() + 10 + "-".len() + NAME_BYTES_MAX;
/// The most statuses that may say that a buyer does not have a lead.
const NOT_FOUND_MAX: usize = 8;
/// Statuses that speak of the request and not of the lead.
const OF_THE_REQUEST: [u16; 6] = [401, 403, 407, 408, 425, 429];

/// Where a buyer is asked what became of a lead that it may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object such as {\"url\": \"https://crm.buyer.example/leads/{lead_id}\"}"
)]
pub struct StatusSpec {
    /// Fetched with GET. `{lead_id}` and `{idempotency_key}` in it stand for those of the lead; it has one of them at least.
    pub url: String,
    /// The HTTP statuses by which the buyer says that it does not have the lead, such as 404. None unless they are named: a
    /// wrong address answers 404 too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<u16>,
}

/// Where a buyer is asked what became of a lead.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusPage {
    url: String,
    pub not_found: Vec<u16>,
}

impl StatusPage {
    /// Returns the address for one lead. It may hold keys of the buyer's: never log it.
    pub fn of(&self, lead_id: &str, idempotency_key: &str) -> String {
        self.url.replace(LEAD_ID, lead_id).replace(IDEMPOTENCY_KEY, idempotency_key)
    }
}

/// Without the address.
impl std::fmt::Debug for StatusPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusPage").field("not_found", &self.not_found).finish_non_exhaustive()
    }
}

impl StatusSpec {
    /// Checks it.
    ///
    /// # Errors
    ///
    /// The member that cannot be, and why.
    pub fn check(&self, egress: &Egress) -> Result<StatusPage, (&'static str, String)> {
        let page = StatusPage { url: self.url.clone(), not_found: self.not_found.clone() };
        // As long as they can be.
        let of = |sign: &str| page.of(&sign.repeat(LEAD_ID_CHARS), &sign.repeat(KEY_CHARS_MAX));
        let (one, other) = (of("1"), of("2"));
        if one == other {
            let message = format!(
                "must have {LEAD_ID} or {IDEMPOTENCY_KEY} where the lead's stands, as in https://crm.buyer.example/leads/{LEAD_ID}"
            );
            return Err(("url", message));
        }
        if one.contains(['{', '}']) {
            let message = format!("only {LEAD_ID} and {IDEMPOTENCY_KEY} can stand in braces");
            return Err(("url", message));
        }
        let checked = |url: &str| egress.check(url).map_err(|why| ("url", why.to_string()));
        let (one, other) = (checked(&one)?, checked(&other)?);
        if one.as_str() == other.as_str() {
            return Err(("url", "every lead must have an address of its own".to_owned()));
        }
        if one.to_string() != other.to_string() {
            return Err((
                "url",
                "every lead must be at one host: keep what varies behind it".to_owned(),
            ));
        }
        if self.not_found.len() > NOT_FOUND_MAX {
            return Err(("not_found", format!("must name at most {NOT_FOUND_MAX} statuses")));
        }
        let speaks =
            |status: &u16| (400..=499).contains(status) && !OF_THE_REQUEST.contains(status);
        match self.not_found.iter().find(|status| !speaks(status)) {
            None => Ok(page),
            Some(status) => Err((
                "not_found",
                format!(
                    "{status} does not say that there is no such lead: name 404, 410 or another that the buyer answers for nothing else"
                ),
            )),
        }
    }
}
