//! Live transfers: the source is given the buyer's number, transfers its caller and says how the call went.
//!
//! Connected for long enough is a sale; anything else sends the copy to the next bidder, as a refusal if the buyer had the
//! caller or did not want it. If nothing is said in time the copy is nobody's. The buyer may have had the caller, so no
//! other gets it, and the source, which alone could have said so, is not paid.

use std::sync::Arc;

use super::courier::{Outcome, Refuser};
use super::{Attempt, Errand, may_ask};
use crate::book::OpenPing;
use crate::catalog::Transfer;
use crate::clock::Moment;
use crate::facts::{PingAnswered, TransferOffered, TransferReport, Winner};
use crate::lead::{PingView, Schema};

/// Where a test's caller would be transferred to: a number that nobody has.
pub const TEST_NUMBER: &str = "+15555550100";

/// How a call went, as its source says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The caller was connected with the buyer for so many seconds.
    Connected(u32),
    NotConnected(Missed),
}

/// Why a caller was not connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    NoAnswer,
    Busy,
    /// The buyer's agent did not want the caller.
    Declined,
    /// The caller hung up before.
    HungUp,
    /// The line did.
    Failed,
}

impl Missed {
    pub const ALL: [Self; 5] =
        [Self::NoAnswer, Self::Busy, Self::Declined, Self::HungUp, Self::Failed];

    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Declined => "declined",
            Self::HungUp => "hung-up",
            Self::Failed => "failed",
        }
    }
}

/// Returns what the source is told, as a fact; nothing if the copy is not this buyer's to take any more.
pub fn offered(
    open: &OpenPing,
    errand: &Errand,
    transfer: &Transfer,
    schema: Option<&Arc<Schema>>,
    at: Moment,
) -> Option<TransferOffered> {
    let copy = open.copies.get(usize::try_from(errand.copy).ok()?)?;
    (may_ask(open, errand) && copy.transfer.is_none()).then_some(())?;
    let lead = schema
        .and_then(|schema| PingView::from_frame(Arc::clone(schema), &open.auction.frame).ok());
    Some(TransferOffered {
        ping: errand.ping.as_u128(),
        copy: errand.copy,
        campaign: errand.winner.campaign.clone(),
        buyer: errand.winner.buyer.clone(),
        turn: copy.transfers,
        number: transfer.number.clone(),
        whisper: transfer.whisper(lead.as_ref()),
        connected_seconds: transfer.connected_seconds,
        expires_ms: at.after(transfer.report_within).unix_ms(),
    })
}

/// Returns what the source of a test is told of a copy, as a fact: all but the number as it would be for a live lead.
pub fn offered_in_test(
    auction: &PingAnswered,
    (copy, winner): (u32, &Winner),
    transfer: &Transfer,
    schema: &Arc<Schema>,
    at: Moment,
) -> TransferOffered {
    let lead = PingView::from_frame(Arc::clone(schema), &auction.frame).ok();
    TransferOffered {
        ping: auction.ping,
        copy,
        campaign: winner.campaign.clone(),
        buyer: winner.buyer.clone(),
        turn: 0,
        number: TEST_NUMBER.to_owned(),
        whisper: transfer.whisper(lead.as_ref()),
        connected_seconds: transfer.connected_seconds,
        expires_ms: at.after(transfer.report_within).unix_ms(),
    }
}

/// Returns what a report means for the copy.
pub fn reported(call: Call, turn: u32, connected_seconds: u32) -> Attempt {
    let (outcome, seconds) = match call {
        Call::Connected(seconds) if seconds >= connected_seconds => {
            let reference = Some(format!("connected for {seconds} s"));
            (Outcome::Sold { reference }, Some(seconds))
        }
        Call::Connected(seconds) => {
            let reason = format!("connected for {seconds} s; {connected_seconds} s are a sale");
            (Outcome::Rejected { reason, by: Refuser::Buyer }, Some(seconds))
        }
        Call::NotConnected(Missed::Declined) => {
            let reason = not_connected(Missed::Declined);
            (Outcome::Rejected { reason, by: Refuser::Buyer }, None)
        }
        // Its agent never heard of the caller.
        Call::NotConnected(missed) => (Outcome::Unreached { why: not_connected(missed) }, None),
    };
    Attempt { transfer: Some(TransferReport { turn, seconds }), ..Attempt::of(outcome) }
}

/// Words why a caller was not connected, as its delivery has it.
pub fn not_connected(missed: Missed) -> String {
    format!("not connected: {}", missed.code())
}

/// Returns what it means that nobody said how a transfer went.
pub fn expired(turn: u32) -> Attempt {
    let why = "nobody said in time how the call went".to_owned();
    let transfer = Some(TransferReport { turn, seconds: None });
    Attempt { transfer, ..Attempt::of(Outcome::Expired { why }) }
}
