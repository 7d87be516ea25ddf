//! What the exchange takes, made of an answer as it was read.

use super::answer::Answer;
use super::reading::{Reading, Verdict, WORD_CHARS_MAX, cut};
use super::tree::{Levels, Tree};
use super::words::{amount, same_currency};
use super::{Bid, HttpResponse, PingReply, PostReply};

/// The bids of an answer that has a place for several.
struct Bids<'t> {
    /// What holds them: the verdict of the whole is not in there.
    lists: Vec<&'t Tree>,
    /// Those that are no refusals.
    open: Vec<&'t Tree>,
    /// What the first of them says that says anything.
    verdict: Verdict,
    /// The currencies that are named beside them.
    currencies: Vec<&'t str>,
}

impl Reading<'_> {
    #[inline(never)]
    fn bids<'t>(&self, answer: &'t Answer) -> Bids<'t> {
        let levels = answer.tree().levels(&[]);
        let is_list = |part: &&Tree| matches!(part, Tree::List(_) | Tree::Object(_) | Tree::Null);
        let lists: Vec<_> = self.bids.iter().flat_map(|place| levels.every(place)).collect();
        let lists: Vec<_> = lists.into_iter().filter(is_list).collect();
        let (mut open, mut verdict) = (Vec::new(), Verdict::Silent);
        for bid in lists.iter().flat_map(|list| list.elements()) {
            if !matches!(bid, Tree::Object(members) if !members.is_empty()) {
                continue;
            }
            let said = self.judge_bid(bid);
            if matches!(said, Verdict::Yes | Verdict::Silent) {
                open.push(bid);
            }
            if said == Verdict::Yes || verdict == Verdict::Silent {
                verdict = said;
            }
        }
        let currencies = answer.tree().levels(&lists).texts(self.currency);
        Bids { lists, open, verdict, currencies }
    }

    /// Returns the bid with the highest price, where the answer has several.
    #[must_use]
    pub fn best<'t>(&self, answer: &'t Answer) -> Option<&'t Tree> {
        self.highest(&self.bids(answer)).map(|(_, bid)| bid)
    }

    fn highest<'t>(&self, bids: &Bids<'t>) -> Option<(i64, &'t Tree)> {
        let price = |bid: &Tree| self.price_of(&bid.levels(&[]), &bids.currencies).ok()?;
        let priced = bids.open.iter().filter_map(|bid| Some((price(bid)?, *bid)));
        priced.max_by_key(|(amount, _)| *amount)
    }

    /// Reads the price of a bid, or of the whole answer, beside which currencies are named: nothing where there is none.
    #[inline(never)]
    fn price_of(&self, levels: &Levels<'_>, beside: &[&str]) -> Result<Option<i64>, String> {
        let mut currencies: Vec<&str> = self.currency_expected.into_iter().collect();
        currencies.extend(beside);
        currencies.extend(levels.texts(self.currency));
        let mut price = None;
        for written in levels.shallowest(self.price) {
            let Some((amount, marks)) = amount(written) else {
                let written = cut(written, WORD_CHARS_MAX);
                return Err(["the price `", &written, "` is no amount"].concat());
            };
            if price.is_some_and(|price| price != amount) {
                return Err("the answer names two prices".to_owned());
            }
            price = Some(amount);
            currencies.extend(marks.into_iter().filter(|mark| !mark.is_empty()));
        }
        if let [expected, said @ ..] = currencies.as_slice()
            && let Some(other) = said.iter().find(|said| !same_currency(expected, said))
        {
            let other = cut(other, WORD_CHARS_MAX);
            return Err(["the price is in `", &other, "` and not in `", expected, "`"].concat());
        }
        Ok(price)
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
        let bids = self.bids(&answer);
        let verdict = match self.judge(&answer, &bids.lists) {
            Verdict::Silent if answer.is_whole => bids.verdict.clone(),
            verdict => verdict,
        };
        match (verdict, answer.status) {
            (_, 0..=199 | 300..=399 | 500..) => PingReply::Invalid(answered),
            (Verdict::No, _) => PingReply::NoBid(reason),
            (Verdict::Duplicate, _) => PingReply::NoBid(Some(told("duplicate"))),
            (Verdict::Yes, 400..=499) => PingReply::Invalid([&answered, ", but says yes"].concat()),
            (_, status) if self.no_status.contains(&status) => PingReply::NoBid(reason),
            (_, 400..=499) => PingReply::Invalid(told(&answered)),
            (Verdict::Silent, 204) if answer.is_empty() => PingReply::NoBid(None),
            (Verdict::Fault, _) => {
                PingReply::Invalid(told("the buyer says that something is wrong"))
            }
            (Verdict::Unclear(why), _) => PingReply::Invalid(why),
            (Verdict::Silent, _) => {
                PingReply::Invalid("the answer does not say whether the buyer bids".to_owned())
            }
            (Verdict::Yes, _) => self.bid(&answer, &bids),
        }
    }

    /// Makes of a yes the bid that it is: a price of zero is none, and neither is an empty list of bids.
    #[inline(never)]
    fn bid(&self, answer: &Answer, bids: &Bids<'_>) -> PingReply {
        let price = |tree: &Tree, but: &[&Tree]| self.price_of(&tree.levels(but), &bids.currencies);
        let first = || bids.open.iter().find_map(|bid| price(bid, &[]).err());
        let best = self.highest(bids);
        let amount = match (best, price(answer.tree(), &bids.lists)) {
            (Some((amount, _)), _) | (None, Ok(Some(amount))) => amount,
            (None, Err(why)) => return PingReply::Invalid(why),
            (None, Ok(None)) if bids.open.is_empty() && !bids.lists.is_empty() => {
                return match &bids.verdict {
                    Verdict::Unclear(why) => PingReply::Invalid(why.clone()),
                    _ => PingReply::NoBid(Some("no bids".to_owned())),
                };
            }
            (None, Ok(None)) => match (first(), self.price_unsaid) {
                (Some(why), _) => return PingReply::Invalid(why),
                (None, Some(amount)) => amount,
                (None, None) => {
                    let why = "the answer says yes and names no price";
                    return PingReply::Invalid(why.to_owned());
                }
            },
        };
        match amount {
            1.. => {
                let handle = |tree: &Tree| {
                    self.handle.iter().find_map(|place| Some(tree.find(place)?.text()?.to_owned()))
                };
                let own = best.and_then(|(_, bid)| handle(bid));
                let handle = own.or_else(|| handle(answer.tree()));
                PingReply::Bid(Bid { amount, campaign: None, handle })
            }
            0 => PingReply::NoBid(Some("a price of zero".to_owned())),
            _ => PingReply::Invalid("the price is below zero".to_owned()),
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
