//! What an answer to a ping is worth: judged as the exchange judges it, and told with what is to be mended.

use serde_json::Value;

use super::check::PATIENCE;
use super::findings::Wrong;
use crate::bidding::{Flaw, RemoteBid, Reply, read};
use crate::egress::{Answer, NoAnswer};
use crate::ids::CampaignId;
use crate::money::Micros;

const SILENCE: &str =
    "a buyer that is silent never bids; five times in a row and it is left alone for 30 s";

/// Why there is no answer.
pub(super) enum Silent {
    Answer(NoAnswer),
    Nothing,
}

/// What every ping asks for.
pub(super) struct Sought {
    pub(super) currency: String,
    /// With the most that may be bid for it.
    pub(super) campaign: (CampaignId, Option<Micros>),
}

impl Sought {
    /// Returns what an answer to this ping says: a bid that holds, or none.
    pub(super) fn judged(
        &self,
        answer: &Result<Answer, Silent>,
        ping: &str,
    ) -> Result<Reply, Wrong> {
        let answer = answer.as_ref().map_err(Silent::told)?;
        let reply = match answer.status.as_u16() {
            204 => Reply::NoBid { reason: None },
            200..=299 => read(&answer.body, ping, &self.currency),
            status => return Err(turned_away(status)),
        };
        let reply = match reply {
            Reply::Bid { amount, campaign, handle } => {
                let campaigns = std::slice::from_ref(&self.campaign);
                RemoteBid::of(campaigns, amount, campaign.as_deref(), handle.clone())
                    .map_or_else(|no| no, |_| Reply::Bid { amount, campaign, handle })
            }
            other => other,
        };
        match reply {
            Reply::Invalid { flaw, detail } => {
                Err(Wrong::new(format!("{}: {detail}", flaw.code()), advice(flaw)))
            }
            reply => Ok(reply),
        }
    }

    /// Says what an answer says.
    pub(super) fn in_words(&self, reply: &Reply) -> String {
        match reply {
            Reply::Bid { amount, .. } => format!("a bid of {amount} {}", self.currency),
            Reply::NoBid { reason: Some(reason) } => format!("no bid: {reason}"),
            Reply::NoBid { reason: None } | Reply::Invalid { .. } => "no bid".to_owned(),
        }
    }
}

impl Silent {
    pub(super) fn told(&self) -> Wrong {
        match self {
            Self::Nothing => {
                let mend = "answer every request, at least with {\"status\":\"no-bid\"}";
                Wrong::new(format!("nothing in {} s", PATIENCE.as_secs()), (SILENCE, mend))
            }
            Self::Answer(error @ (NoAnswer::Dropped(_) | NoAnswer::Unreachable(_))) => {
                let mend = "take every connection, and answer what comes over it before you end it";
                Wrong::new(error.to_string(), (SILENCE, mend))
            }
            Self::Answer(error) => {
                let why = "an answer that is not whole, small and plain is no bid";
                let mend = "answer a small JSON object, uncompressed, with a right Content-Length";
                Wrong::new(error.to_string(), (why, mend))
            }
        }
    }
}

/// Says whether a body claims to bid, for whatever ping.
pub(super) fn bids(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    document.get("status").and_then(Value::as_str) == Some("bid")
}

fn turned_away(status: u16) -> Wrong {
    let failure =
        "a status that is no success is a failure; five in a row and you are left alone for 30 s";
    let (seen, advice) = match status {
        300..=399 => (
            format!("{status}, a redirect"),
            (
                "redirects are never followed: they could lead a lead anywhere",
                "name the final address to the exchange",
            ),
        ),
        401 | 403 => (
            format!("status {status}"),
            (
                failure,
                "if you ask for a header, such as an API key, give it here with --header and have it put into the buyer's `headers` under \"delivery\"",
            ),
        ),
        429 => (
            format!("status {status}"),
            (
                failure,
                "answer more, or agree on less with the exchange: `calls_per_second` and `concurrency` in \"bidding\"",
            ),
        ),
        _ => (
            format!("status {status}"),
            (
                failure,
                "answer 200 with {\"status\":\"no-bid\"} where you do not want the lead; what speaks a dialect of its own is tried with --adapter FILE",
            ),
        ),
    };
    Wrong::new(seen, advice)
}

fn advice(flaw: Flaw) -> (&'static str, &'static str) {
    let void = "a bid that does not fit its ping is no bid";
    match flaw {
        Flaw::NotPositive => (void, "a bid is above zero: answer {\"status\":\"no-bid\"} instead"),
        Flaw::OtherCurrency => (void, "bid in the `currency` of the ping, or name none"),
        Flaw::OtherPing => (void, "give back the `ping_id` that came with the ping, or none"),
        Flaw::OtherCampaign => (void, "name one of the `campaigns` of the ping, or none"),
        Flaw::BadHandle => (void, "keep the `handle` short and on one line, or leave it out"),
        _ => (
            "what cannot be understood is no bid",
            "answer {\"status\":\"bid\",\"bid\":\"12.50\"} or {\"status\":\"no-bid\"}; amounts are text",
        ),
    }
}
