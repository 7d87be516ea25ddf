//! How answers of a dialect are read: where the verdict, the price and the names stand, and which words mean what.
//!
//! An adapter is called once for each request, so here and in its neighbours small code counts for more than quick code:
//! what many call is never inlined.

use super::answer::Answer;
use super::tree::{Levels, Tree};
use super::words::matches;

/// The longest reason that is passed on, in characters.
const REASON_CHARS_MAX: usize = 200;
/// The longest word of a buyer that a message repeats, in characters.
pub(super) const WORD_CHARS_MAX: usize = 40;

/// How a dialect's answers are read. Places are names or paths such as `bids/0/price`, wherever in the answer they begin and
/// whatever their case and punctuation; one that begins with `/` begins at the top, and an empty one is the whole answer,
/// where that is a word. A name leads through a list to all its elements.
///
/// Words may hold `*` for anything. One without it goes before all that have it; then `duplicate` goes before `no`, that
/// before `fault`, and `yes` comes last.
///
/// Begin with [`Reading::ANY`] and say what the dialect has otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Where the verdict stands. All that are there, at every depth, must be understood and agree.
    pub verdict: &'a [&'a str],
    /// Where a no stands by itself: `"rejected": true`. Nothing, zero and `false` say nothing.
    pub no_flags: &'a [&'a str],
    /// Where it stands by itself that the buyer has this person already: `"duplicate": true`.
    pub duplicate_flags: &'a [&'a str],
    /// The HTTP statuses that say yes with an empty body.
    pub yes_status: &'a [u16],
    /// The HTTP statuses of 400 and above that refuse to bid, unless the answer says yes.
    pub no_status: &'a [u16],
    /// What means yes.
    pub yes: &'a [&'a str],
    /// What means no.
    pub no: &'a [&'a str],
    /// What means that the buyer has this person already, in a verdict or in the reason for a no.
    pub duplicate: &'a [&'a str],
    /// What means that something went wrong, which says nothing of what became of the lead.
    pub fault: &'a [&'a str],
    /// Where a complaint stands, as a text, a number, a flag, a list or an object: an answer that has one is no clear yes.
    pub complaint: &'a [&'a str],
    /// Where several bids stand; the highest counts of those that are no refusals, and none there is none.
    pub bids: &'a [&'a str],
    /// Where the price stands, of the bid or of the whole answer; the least deep counts.
    pub price: &'a [&'a str],
    /// Where the price's currency stands.
    pub currency: &'a [&'a str],
    /// The code of the currency in which prices must be, where an answer names one. Without it any will do that the answer
    /// does not contradict itself.
    pub currency_expected: Option<&'a str>,
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
        no_flags: &["rejected"],
        duplicate_flags: &["duplicate"],
        yes_status: &[],
        no_status: &[],
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
        currency: &["currency"],
        currency_expected: None,
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
    pub fn verdict_of(&self, answer: &Answer) -> Verdict {
        self.judge(answer, &[])
    }

    /// Returns what the answer says beside these parts of it. Of a document that breaks off only a fault is taken.
    #[inline(never)]
    pub(super) fn judge(&self, answer: &Answer, but: &[&Tree]) -> Verdict {
        let word = answer.find("").filter(|_| self.verdict.contains(&""));
        let word = word.map(|text| match self.word("", text) {
            // It is read as `name: value`, too.
            Verdict::Unclear(_) if *answer.tree() != Tree::Null => Verdict::Silent,
            verdict => verdict,
        });
        let levels = answer.tree().levels(but);
        let agreed = self.agreed(&levels, word.unwrap_or(Verdict::Silent));
        match (self.with_reason(agreed, self.reason_of(answer).as_deref()), answer.status) {
            (Verdict::Silent, status) if answer.is_empty() && self.yes_status.contains(&status) => {
                Verdict::Yes
            }
            (Verdict::Yes | Verdict::No | Verdict::Duplicate, _) if !answer.is_whole => {
                Verdict::Unclear("the answer breaks off, or has words behind it".to_owned())
            }
            (verdict, _) => verdict,
        }
    }

    /// Returns what one of several bids says.
    #[inline(never)]
    pub(super) fn judge_bid(&self, bid: &Tree) -> Verdict {
        let reason = self.reason.iter().find_map(|place| bid.find(place)?.text());
        let levels = bid.levels(&[]);
        match self.with_reason(self.agreed(&levels, Verdict::Silent), reason) {
            Verdict::Silent if levels.say(self.complaint) => {
                Verdict::Unclear("the answer says both a bid and an error".to_owned())
            }
            verdict => verdict,
        }
    }

    #[inline(never)]
    fn agreed(&self, levels: &Levels<'_>, word: Verdict) -> Verdict {
        let mut agreed = word;
        for place in self.verdict {
            for text in levels.texts(&[place]) {
                agreed = agreed.and(self.word(place, text));
            }
        }
        if levels.say(self.no_flags) {
            agreed = agreed.and(Verdict::No);
        }
        if levels.say(self.duplicate_flags) {
            agreed = agreed.and(Verdict::Duplicate);
        }
        if agreed == Verdict::Yes && levels.say(self.complaint) {
            return Verdict::Unclear("the answer says both yes and an error".to_owned());
        }
        agreed
    }

    /// Returns the verdict in the light of its reason.
    fn with_reason(&self, verdict: Verdict, reason: Option<&str>) -> Verdict {
        let is_duplicate = |reason: &str| self.duplicate.iter().any(|word| matches(word, reason));
        match verdict {
            Verdict::No | Verdict::Fault if reason.is_some_and(is_duplicate) => Verdict::Duplicate,
            verdict => verdict,
        }
    }

    #[inline(never)]
    fn word(&self, place: &str, text: &str) -> Verdict {
        let kinds = [self.duplicate, self.no, self.fault, self.yes];
        let known = |is_pattern: bool| {
            let fits = |word: &&str| word.contains('*') == is_pattern && matches(word, text);
            kinds.iter().position(|words| words.iter().any(fits))
        };
        match known(false).or_else(|| known(true)) {
            Some(0) => Verdict::Duplicate,
            Some(1) => Verdict::No,
            Some(2) => Verdict::Fault,
            Some(_) => Verdict::Yes,
            None => {
                let word = cut(text, WORD_CHARS_MAX);
                let place = if place.is_empty() { "the answer" } else { place };
                Verdict::Unclear(["`", place, "` is `", &word, "`, which is no verdict"].concat())
            }
        }
    }

    /// Returns the reason, shortened.
    #[must_use]
    #[inline(never)]
    pub fn reason_of(&self, answer: &Answer) -> Option<String> {
        let text = answer.first(self.reason).or_else(|| answer.find(""))?;
        Some(cut(text, REASON_CHARS_MAX))
    }
}

impl Verdict {
    /// Returns what two places of one answer say together.
    #[inline(never)]
    fn and(self, next: Self) -> Self {
        match (self, next) {
            (unclear @ Self::Unclear(_), _) | (_, unclear @ Self::Unclear(_)) => unclear,
            (Self::Silent, verdict) | (verdict, Self::Silent) => verdict,
            (one, other) if one == other => one,
            (Self::Yes, _) | (_, Self::Yes) => {
                Self::Unclear("the answer says both yes and no".to_owned())
            }
            (Self::Duplicate, _) | (_, Self::Duplicate) => Self::Duplicate,
            _ => Self::No,
        }
    }
}

#[inline(never)]
pub(super) fn cut(text: &str, chars: usize) -> String {
    text.trim().chars().take(chars).collect()
}
