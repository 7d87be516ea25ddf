//! What one watches: the market's figures, once a second.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answers::No;
use super::buyers::{EndPoint, Ledger};
use super::ink::{Ink, Line};
use super::tally::{Counts, Latency};
use crate::money::Micros;

/// How many buyers are listed.
const BUYERS_SHOWN: usize = 8;
/// How many words of filters are listed.
const FILTER_WORDS_SHOWN: usize = 4;

/// Everything the view shows, taken at one moment.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) base: String,
    pub(super) seed: u64,
    pub(super) elapsed: Duration,
    /// Offers in the last second or so, and how long that was.
    pub(super) lately: (u64, Duration),
    pub(super) counts: Counts,
    pub(super) latency: Latency,
    pub(super) buyers: Vec<BuyerScene>,
    /// How often a filter said something, of the receipts that were looked at.
    pub(super) filter_words: BTreeMap<String, u64>,
    pub(super) receipts_read: u64,
}

/// A buyer by its own books.
#[derive(Clone, Debug)]
pub(super) struct BuyerScene {
    pub(super) name: &'static str,
    pub(super) in_words: &'static str,
    pub(super) leads: u64,
    pub(super) spent: Micros,
    pub(super) refused: u64,
    /// Deliveries that came again, because the first one got no useful answer.
    pub(super) again: u64,
}

impl BuyerScene {
    pub(super) fn of(end_point: &EndPoint) -> Self {
        let ledger: Ledger = end_point.ledger();
        Self {
            name: end_point.buyer,
            in_words: end_point.character.in_words(),
            leads: u64::try_from(ledger.bought.len()).unwrap_or(u64::MAX),
            spent: ledger.spent(),
            refused: ledger.refused,
            again: ledger.asked_again,
        }
    }
}

impl Scene {
    /// Returns what all buyers owe together.
    pub(super) fn gross(&self) -> Micros {
        let spent = self.buyers.iter().map(|buyer| buyer.spent);
        spent.fold(Micros::ZERO, |sum, spent| sum.checked_add(spent).unwrap_or(sum))
    }

    /// Returns the whole view, from top to bottom.
    pub(super) fn lines(&self) -> Vec<Line> {
        let counts = &self.counts;
        let mut lines = vec![
            Line::labelled("gavel").then(Ink::Marked, self.base.clone()).then(
                Ink::Dim,
                format!("   {}   seed {}   Ctrl-C ends it", clock(self.elapsed), self.seed),
            ),
            Line::default(),
            Line::labelled("pings").plain(format!(
                "{} offered   {}/s   {} under way   {} without an answer",
                counts.offered,
                self.rate(),
                counts.under_way(),
                counts.unanswered,
            )),
            Line::labelled("answers").plain(format!(
                "to pings: p50 {}   p99 {}",
                milliseconds(self.latency.p50_us),
                milliseconds(self.latency.p99_us),
            )),
            Line::labelled("sold")
                .then(
                    Ink::Good,
                    format!("{} ({})", counts.sold, percent(counts.sold, counts.offered)),
                )
                .plain(format!("   {} accepted   {} posted", counts.accepted, counts.posted))
                .plain(format!("   {} pending", counts.pending)),
            Line::labelled("money")
                .plain(format!(
                    "gross {}   payout {}   margin ",
                    self.gross().with_decimals(2),
                    counts.payout.with_decimals(2),
                ))
                .then(Ink::Good, self.margin().with_decimals(2)),
        ];
        lines.extend(self.refusal_lines());
        lines.push(Line::default());
        lines.extend(self.buyer_lines());
        lines.push(Line::default());
        lines.push(self.filter_line());
        lines.push(Line::default());
        lines.extend(self.event_lines());
        lines
    }

    /// Returns the view in one line, for where nothing can be redrawn.
    pub(super) fn one_line(&self) -> String {
        let counts = &self.counts;
        format!(
            "{} pings {} ({}/s) sold {} ({}) rejected {} duplicate {} refused {} unanswered {} \
             p50 {} p99 {} gross {} payout {}",
            clock(self.elapsed),
            counts.offered,
            self.rate(),
            counts.sold,
            percent(counts.sold, counts.offered),
            counts.no(No::Rejected),
            counts.no(No::Duplicate),
            counts.refusals(),
            counts.unanswered,
            milliseconds(self.latency.p50_us),
            milliseconds(self.latency.p99_us),
            self.gross().with_decimals(2),
            counts.payout.with_decimals(2),
        )
    }

    fn margin(&self) -> Micros {
        self.gross().checked_sub(self.counts.payout).unwrap_or_default()
    }

    fn rate(&self) -> u64 {
        let (offers, span) = self.lately;
        let span_ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1);
        (offers.saturating_mul(1_000) + span_ms / 2) / span_ms
    }

    fn refusal_lines(&self) -> Vec<Line> {
        let counts = &self.counts;
        let no = |label: &str, word: No| {
            let said = counts.said_no.iter().filter(|((said, _), _)| *said == word);
            let reasons = said.map(|((_, code), count)| (code.clone(), *count));
            Line::labelled(label)
                .then(Ink::Marked, counts.no(word).to_string())
                .then(Ink::Dim, format!("   {}", listed(reasons)))
        };
        let refused = counts.refused.iter();
        let refused = refused.map(|((status, code), count)| (format!("{status} {code}"), *count));
        vec![
            no("rejected", No::Rejected),
            no("unsold", No::Unsold),
            no("duplicate", No::Duplicate),
            Line::labelled("refused")
                .then(Ink::Marked, counts.refusals().to_string())
                .then(Ink::Dim, format!("   {}", listed(refused))),
        ]
    }

    fn buyer_lines(&self) -> Vec<Line> {
        let mut buyers: Vec<&BuyerScene> = self.buyers.iter().collect();
        buyers.sort_by_key(|buyer| (std::cmp::Reverse(buyer.spent), buyer.name));
        let heading = format!(
            "{:<18}{:>7}{:>10}{:>12}{:>9}{:>7}",
            "", "leads", "average", "spent", "refused", "again",
        );
        let mut lines = vec![Line::labelled("buyers").then(Ink::Dim, heading)];
        lines.extend(buyers.iter().take(BUYERS_SHOWN).map(|buyer| {
            let figures = format!(
                "{:<18}{:>7}{:>10}{:>12}{:>9}{:>7}",
                buyer.name,
                buyer.leads,
                average(buyer.spent, buyer.leads),
                buyer.spent.with_decimals(2),
                buyer.refused,
                buyer.again,
            );
            Line::labelled("").plain(figures).then(Ink::Dim, format!("   {}", buyer.in_words))
        }));
        lines
    }

    fn filter_line(&self) -> Line {
        let mut words: Vec<(&String, &u64)> = self.filter_words.iter().collect();
        words.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), (*word).clone()));
        let shown = words.into_iter().take(FILTER_WORDS_SHOWN);
        let shown = listed(shown.map(|(word, count)| (word.clone(), *count)));
        Line::labelled("filters")
            .plain(shown)
            .then(Ink::Dim, format!("   in {} receipts", self.receipts_read))
    }

    fn event_lines(&self) -> Vec<Line> {
        let labels = std::iter::once("events").chain(std::iter::repeat(""));
        let none = self.counts.events.is_empty().then(|| "–".to_owned());
        let events = self.counts.events.iter().chain(&none);
        labels
            .zip(events)
            .map(|(label, event)| Line::labelled(label).plain(event.clone()))
            .collect()
    }
}

/// `a 12, b 3`; a dash if there is nothing.
fn listed(counts: impl Iterator<Item = (String, u64)>) -> String {
    let parts: Vec<String> = counts.map(|(word, count)| format!("{word} {count}")).collect();
    if parts.is_empty() { "–".to_owned() } else { parts.join(", ") }
}

/// `00:01:07`.
pub(super) fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `1.2 ms`.
pub(super) fn milliseconds(micros: u64) -> String {
    let tenths = (micros + 50) / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

/// `44 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let share = part.saturating_mul(100).saturating_add(whole / 2).checked_div(whole);
    format!("{} %", share.unwrap_or_default())
}

/// The amount divided by a count, to the cent.
fn average(spent: Micros, leads: u64) -> String {
    let leads = i64::try_from(leads).unwrap_or(i64::MAX);
    match spent.get().checked_div(leads) {
        Some(average) => Micros::new(average).with_decimals(2),
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::Verdict;
    use super::super::tally::Tally;
    use super::*;

    fn scene(tally: &Tally) -> Scene {
        let buyer = |name, leads, spent| BuyerScene {
            name,
            in_words: "takes leads at once",
            leads,
            spent: Micros::parse(spent).unwrap(),
            refused: 0,
            again: 0,
        };
        Scene {
            base: "http://127.0.0.1:8080".into(),
            seed: 1,
            elapsed: Duration::from_secs(67),
            lately: (41, Duration::from_millis(1_025)),
            counts: tally.counts(),
            latency: Latency { p50_us: 1_249, p99_us: 6_300 },
            buyers: vec![buyer("acorn", 2, "21.01"), buyer("elm", 4, "60.00")],
            filter_words: BTreeMap::from([("zip-not-on-list".to_owned(), 3)]),
            receipts_read: 9,
        }
    }

    fn text(scene: &Scene) -> String {
        scene.lines().iter().map(|line| line.fit(100, false).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn the_view_shows_what_was_counted() {
        let tally = Tally::new().unwrap();
        (1..=4).for_each(|number| tally.offer(number));
        (1..=3).for_each(|number| tally.answer(number));
        for code in ["no-eligible-buyer", "no-eligible-buyer", "bids-below-reserve"] {
            tally.hear(&Verdict::No { word: No::Rejected, code: code.into() });
        }
        tally.hear(&Verdict::Refused { status: 422, code: "missing-field".into() });
        tally.event("filter swapped".into());
        let text = text(&scene(&tally));
        for expected in [
            "00:01:07   seed 1",
            "pings     4 offered   40/s   1 under way   0 without an answer",
            "answers   to pings: p50 1.2 ms   p99 6.3 ms",
            "money     gross 81.01   payout 0.00   margin 81.01",
            "rejected  3   bids-below-reserve 1, no-eligible-buyer 2",
            "refused   1   422 missing-field 1",
            "duplicate 0   –",
            "filters   zip-not-on-list 3   in 9 receipts",
            "events    filter swapped",
        ] {
            assert!(text.contains(expected), "`{expected}` is not in\n{text}");
        }
    }

    #[test]
    fn the_buyer_who_spends_most_comes_first() {
        let text = text(&scene(&Tally::new().unwrap()));
        let place = |name: &str| text.find(name).unwrap();
        assert!(place("elm") < place("acorn"));
        assert!(text.contains("elm                     4     15.00       60.00"), "{text}");
        assert!(text.contains("acorn                   2     10.50       21.01"), "{text}");
    }

    #[test]
    fn figures_are_rounded_and_never_divided_by_nothing() {
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(2, 3), "67 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(average(Micros::ZERO, 0), "–");
        assert_eq!(milliseconds(49), "0.0 ms");
        assert_eq!(milliseconds(12_345), "12.3 ms");
    }
}
