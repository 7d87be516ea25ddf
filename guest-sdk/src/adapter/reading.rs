//! How answers of a dialect are read: where the verdict, the price and the names stand, and which words mean what.
//!
//! An adapter is called once for each request, so here and in its neighbours small code counts for more than quick code:
//! what many call is never inlined.

use super::answer::Answer;
use super::tree::Tree;
use super::words::{matches, price};
use super::{Bid, HttpResponse, PingReply, PostReply};

/// The longest reason that is passed on, in characters.
const REASON_CHARS_MAX: usize = 200;
/// The longest word of a buyer that a message repeats, in characters.
const WORD_CHARS_MAX: usize = 40;

/// How a dialect's answers are read. Places are names or paths such as `bids/0/price`, wherever in the answer they begin and
/// whatever their case and punctuation; an empty place is the whole answer, where that is a word. Words may hold `*` for
/// anything.
///
/// Begin with [`Reading::ANY`] and say what the dialect has otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Where the verdict stands. All that are there must be understood and agree.
    pub verdict: &'a [&'a str],
    /// What means yes.
    pub yes: &'a [&'a str],
    /// What means no.
    pub no: &'a [&'a str],
    /// What means that the buyer has this person already, in a verdict or in the reason for a no.
    pub duplicate: &'a [&'a str],
    /// What means that something went wrong, which says nothing of what became of the lead.
    pub fault: &'a [&'a str],
    /// Where a complaint stands: an answer that has one is no clear yes.
    pub complaint: &'a [&'a str],
    /// Where several bids stand; the highest counts.
    pub bids: &'a [&'a str],
    /// Where the price stands, of the bid or of the whole answer.
    pub price: &'a [&'a str],
    /// What a yes without a price is worth, in millionths; without this it cannot be understood.
    pub price_unsaid: Option<i64>,
    /// Where the name stands that the post repeats.
    pub handle: &'a [&'a str],
    /// Where the name of a sold lead stands.
    pub reference: &'a [&'a str],
    /// Where the reason stands.
    pub reason: &'a [&'a str],
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Wanted, or taken.
    Yes,
    /// Not wanted, and not taken.
    No,
    /// Known already.
    Duplicate,
    /// Something went wrong at the buyer's.
    Fault,
    /// Something about the verdict, but not what.
    Unclear(String),
    /// Nothing about the verdict.
    Silent,
}

impl Reading<'_> {
    /// The names and words that most dialects of the field use. Numbers such as `code` are not among them: 0 is a yes to some
    /// and a no to others.
    pub const ANY: Reading<'static> = Reading {
        verdict: &[
            "status", "result", "outcome", "response", "verdict", "success", "accepted", "sold",
            "matched",
        ],
        yes: &[
            "accepted",
            "accept",
            "success",
            "successful",
            "true",
            "yes",
            "sold",
            "matched",
            "match",
            "match found",
            "purchased",
            "approved",
            "bid",
            "post valid",
            "baeok",
            "lead accepted",
        ],
        no: &[
            "rejected",
            "reject",
            "failure",
            "failed",
            "fail",
            "false",
            "no",
            "denied",
            "declined",
            "refused",
            "unsold",
            "unmatched",
            "no match",
            "no match found",
            "not matched",
            "not accepted",
            "not sold",
            "no bid",
            "no coverage",
            "unable to monetize",
            "quota reached",
            "filtered",
            "post reject*",
        ],
        duplicate: &[
            "duplicate*",
            "*duplicate",
            "* duplicate *",
            "dupe",
            "duplicated",
            "post reject duplicate*",
        ],
        fault: &["error", "bad request", "badrequest", "server error", "exception", "timeout"],
        complaint: &["error", "errors"],
        bids: &["bids"],
        price: &[
            "price",
            "payout",
            "bid",
            "best_bid",
            "seller_lead_bid",
            "bid_price",
            "bid_amount",
            "amount",
            "cost",
            "lead_price",
        ],
        price_unsaid: None,
        handle: &[
            "ping_id",
            "lp_ping_id",
            "transaction_id",
            "auth_code",
            "token",
            "ping_token",
            "confirmation",
            "lead_auction_id",
            "order_id",
            "txid",
            "lead_id",
            "bid_id",
            "id",
        ],
        reference: &["lead_id", "reference", "transaction_id", "confirmation", "order_id", "id"],
        reason: &[
            "reason",
            "message",
            "msg",
            "details",
            "error",
            "errors",
            "comment",
            "comments",
            "description",
        ],
    };

    /// Returns what all places of the verdict agree on.
    #[must_use]
    #[inline(never)]
    pub fn verdict_of(&self, answer: &Answer) -> Verdict {
        let mut agreed = Verdict::Silent;
        for (place, text) in self.verdict.iter().filter_map(|p| Some((*p, answer.find(p)?))) {
            let next = self.word(place, text);
            agreed = match (agreed, next) {
                (unclear @ Verdict::Unclear(_), _) | (_, unclear @ Verdict::Unclear(_)) => unclear,
                (Verdict::Silent, verdict) | (verdict, Verdict::Silent) => verdict,
                (one, other) if one == other => one,
                (Verdict::Yes, _) | (_, Verdict::Yes) => {
                    Verdict::Unclear("the answer says both yes and no".to_owned())
                }
                (Verdict::Duplicate, _) | (_, Verdict::Duplicate) => Verdict::Duplicate,
                _ => Verdict::No,
            };
        }
        let any = |words: &[&str], text: &str| words.iter().any(|word| matches(word, text));
        match agreed {
            Verdict::Yes if answer.first(self.complaint).is_some_and(|text| !is_nothing(text)) => {
                Verdict::Unclear("the answer says both yes and an error".to_owned())
            }
            Verdict::No | Verdict::Fault
                if answer.first(self.reason).is_some_and(|text| any(self.duplicate, text)) =>
            {
                Verdict::Duplicate
            }
            agreed => agreed,
        }
    }

    #[inline(never)]
    fn word(&self, place: &str, text: &str) -> Verdict {
        let any = |words: &[&str]| words.iter().any(|word| matches(word, text));
        if any(self.duplicate) {
            Verdict::Duplicate
        } else if any(self.no) {
            Verdict::No
        } else if any(self.fault) {
            Verdict::Fault
        } else if any(self.yes) {
            Verdict::Yes
        } else {
            let word = cut(text, WORD_CHARS_MAX);
            let place = if place.is_empty() { "the answer" } else { place };
            Verdict::Unclear(["`", place, "` is `", &word, "`, which is no verdict"].concat())
        }
    }

    /// Returns the bid with the highest price, where the answer has several.
    #[must_use]
    pub fn best<'t>(&self, answer: &'t Answer) -> Option<&'t Tree> {
        let bids = self.bids.iter().find_map(|place| answer.tree().find(place))?;
        bids.elements()
            .iter()
            .filter(|bid| self.price_of(bid).is_some())
            .max_by_key(|bid| self.price_of(bid))
    }

    #[inline(never)]
    fn price_of(&self, bid: &Tree) -> Option<i64> {
        self.price.iter().find_map(|place| price(bid.find(place)?.text()?))
    }

    /// Returns the reason, shortened.
    #[must_use]
    #[inline(never)]
    pub fn reason_of(&self, answer: &Answer) -> Option<String> {
        let text = answer.first(self.reason).or_else(|| answer.find(""))?;
        Some(cut(text, REASON_CHARS_MAX))
    }

    /// Makes of the answer to a ping what the exchange takes.
    #[must_use]
    pub fn ping_reply(&self, response: &HttpResponse) -> PingReply {
        let answer = Answer::read(response);
        let answered = ["answered ", &answer.status.to_string()].concat();
        let reason = self.reason_of(&answer);
        let told = |begin: &str| match &reason {
            Some(reason) => [begin, ": ", reason].concat(),
            None => begin.to_owned(),
        };
        match (self.verdict_of(&answer), answer.status) {
            (_, 0..=199 | 300..=399 | 500..) => PingReply::Invalid(answered),
            (Verdict::No, _) => PingReply::NoBid(reason),
            (Verdict::Duplicate, _) => PingReply::NoBid(Some(told("duplicate"))),
            (_, 400..=499) => PingReply::Invalid(told(&answered)),
            (Verdict::Fault, _) => {
                PingReply::Invalid(told("the buyer says that something is wrong"))
            }
            (Verdict::Unclear(why), _) => PingReply::Invalid(why),
            (Verdict::Silent, _) => {
                PingReply::Invalid("the answer does not say whether the buyer bids".to_owned())
            }
            (Verdict::Yes, _) => self.bid(&answer),
        }
    }

    /// Makes of a yes the bid that it is: a price of zero is none.
    #[inline(never)]
    fn bid(&self, answer: &Answer) -> PingReply {
        let best = self.best(answer);
        let tree = best.unwrap_or(answer.tree());
        let written = self.price.iter().find_map(|place| tree.find(place)?.text());
        let amount = match written {
            Some(written) => price(written),
            None => self.price_unsaid,
        };
        match (amount, written) {
            (Some(amount @ 1..), _) => {
                let handle = |tree: &Tree| {
                    self.handle.iter().find_map(|place| Some(tree.find(place)?.text()?.to_owned()))
                };
                let handle = handle(tree).or_else(|| handle(answer.tree()));
                PingReply::Bid(Bid { amount, campaign: None, handle })
            }
            (Some(0), _) => PingReply::NoBid(Some("a price of zero".to_owned())),
            (Some(_), _) => PingReply::Invalid("the price is below zero".to_owned()),
            (None, None) => PingReply::Invalid("the answer says yes and names no price".to_owned()),
            (None, Some(written)) => {
                let written = cut(written, WORD_CHARS_MAX);
                PingReply::Invalid(["the price `", &written, "` is no amount"].concat())
            }
        }
    }

    /// Makes of the answer to a post what the exchange takes. Only the buyer's clear word is a sale or a refusal.
    #[must_use]
    pub fn post_reply(&self, response: &HttpResponse) -> PostReply {
        let answer = Answer::read(response);
        let refused = (400..=499).contains(&answer.status);
        let answered = ["answered ", &answer.status.to_string()].concat();
        let reason = self.reason_of(&answer);
        let or = |text: &str| reason.clone().unwrap_or_else(|| text.to_owned());
        match self.verdict_of(&answer) {
            Verdict::Yes if refused => PostReply::Unknown([&answered, ", but says yes"].concat()),
            Verdict::Yes => {
                let reference = answer.first(self.reference);
                PostReply::Sold(reference.map(str::to_owned))
            }
            Verdict::Duplicate => PostReply::Duplicate(or("duplicate")),
            Verdict::No => PostReply::Rejected(or("no reason given")),
            // A conflict is with something that the buyer has already.
            _ if answer.status == 409 => PostReply::Duplicate(or(&answered)),
            // The status says that the request was turned away, and nothing says otherwise.
            Verdict::Fault | Verdict::Silent if refused => PostReply::Rejected(or(&answered)),
            Verdict::Fault => PostReply::Unknown(
                ["the buyer had an error: ", &or("it does not say which")].concat(),
            ),
            Verdict::Unclear(why) => PostReply::Unknown(why),
            Verdict::Silent => {
                PostReply::Unknown("the answer does not say what became of the lead".to_owned())
            }
        }
    }
}

fn is_nothing(complaint: &str) -> bool {
    ["", "0", "false", "none", "null", "no error*"]
        .iter()
        .any(|nothing| matches(nothing, complaint))
}

#[inline(never)]
fn cut(text: &str, chars: usize) -> String {
    text.trim().chars().take(chars).collect()
}
