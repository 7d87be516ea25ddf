//! Fees: what is charged for a sold lead beside its price and the margin, and how each is rounded.

use rkyv::{Archive, Deserialize, Serialize};

use super::Terms;
use crate::money::{Micros, Rounding, Share};

/// What one side pays for every lead that is sold.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    /// For each lead, whatever its price, in millionths.
    pub per_lead: i64,
    /// A part in millionths: of a buyer's price, on top of it; of what a source is left after the margin, out of it.
    pub percent: u32,
    /// How that part becomes an amount.
    pub rounding: Rounding,
    pub on_return: OnReturn,
}

/// What becomes of a fee when its lead is given back.
#[derive(
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
)]
#[serde(rename_all = "lowercase")]
pub enum OnReturn {
    /// It is given back with the price, in the same part.
    #[default]
    Returned,
    /// The exchange keeps it.
    Kept,
}

/// A buyer's fee.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct BuyerFee {
    pub buyer: String,
    pub fee: Fee,
}

/// What a fee comes to for one lead, in millionths, none below zero.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    /// For the lead, whatever its price.
    pub lead: i64,
    /// In percent.
    pub percent: i64,
}

/// What becomes of a price: these together are the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What the source is paid.
    pub payout: Micros,
    /// What the exchange keeps of the price.
    pub margin: Micros,
    /// What the source is charged of the rest.
    pub fees: Charged,
}

impl OnReturn {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Kept => "kept",
        }
    }
}

impl Charged {
    /// Returns both together; the largest amount if they do not fit.
    pub const fn total(&self) -> i64 {
        self.lead.saturating_add(self.percent)
    }

    pub const fn is_nothing(&self) -> bool {
        self.lead == 0 && self.percent == 0
    }
}

impl Fee {
    /// No fee.
    pub const NONE: Self = Self {
        per_lead: 0,
        percent: 0,
        rounding: Rounding::HalfEvenToMillionth,
        on_return: OnReturn::Returned,
    };

    pub const fn is_nothing(&self) -> bool {
        self.per_lead == 0 && self.percent == 0
    }

    fn share(&self) -> Share {
        Share::from_millionths(self.percent)
    }

    /// Returns what a buyer is charged on top of a price. Of a higher price it is never less.
    pub fn on(&self, price: Micros) -> Charged {
        Charged { lead: self.per_lead, percent: price.share(self.share(), self.rounding).get() }
    }

    /// Returns what a source is charged of an amount: never more than there is.
    pub fn out_of(&self, amount: Micros) -> Charged {
        let lead = self.per_lead.min(amount.get());
        let left = amount.get().saturating_sub(lead);
        Charged { lead, percent: amount.share(self.share(), self.rounding).get().min(left) }
    }

    /// Returns the least that is left to a source of this amount, or of any larger one.
    fn least_left(&self, amount: Micros) -> Micros {
        let left = amount.least_left(self.share(), self.rounding).get();
        Micros::new(left.saturating_sub(self.per_lead).max(0))
    }

    /// Returns an amount of which, and of any larger one, a source is left `net`.
    pub fn gross_up(&self, net: Micros) -> Micros {
        if net <= Micros::ZERO {
            return Micros::ZERO;
        }
        let with_lead = Micros::new(net.get().saturating_add(self.per_lead));
        self.share().gross_up(with_lead, self.rounding)
    }
}

impl Terms {
    /// Returns what becomes of a price.
    pub fn parts(&self, price: Micros) -> Parts {
        let share = Share::from_millionths(self.margin);
        let margin = price.share(share, self.margin_rounding).min(price);
        let rest = price.checked_sub(margin).unwrap_or_default();
        let fees = self.source_fee.out_of(rest);
        let payout = rest.checked_sub(Micros::new(fees.total())).unwrap_or_default();
        Parts { payout, margin, fees }
    }

    /// Returns what a source is paid of a price.
    pub fn payout(&self, price: Micros) -> Micros {
        self.parts(price).payout
    }

    /// Returns the least that a source is paid of this price or of any higher one.
    pub fn least_payout(&self, price: Micros) -> Micros {
        let share = Share::from_millionths(self.margin);
        self.source_fee.least_left(price.least_left(share, self.margin_rounding))
    }

    /// Returns the fee that a buyer agreed to.
    pub fn fee_of(&self, buyer: &str) -> Fee {
        let place = self.buyer_fees.binary_search_by(|known| known.buyer.as_str().cmp(buyer));
        place.ok().and_then(|place| self.buyer_fees.get(place)).map_or(Fee::NONE, |known| known.fee)
    }

    /// Returns what a buyer pays at a price, its fees included; the largest amount if that does not fit.
    pub fn due(&self, buyer: &str, price: Micros) -> Micros {
        Micros::new(price.get().saturating_add(self.fee_of(buyer).on(price).total()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fee(per_lead: &str, percent: &str, rounding: Rounding) -> Fee {
        let per_lead = Micros::parse(per_lead).unwrap().get();
        let percent = Share::parse_percent(percent).unwrap().millionths();
        Fee { per_lead, percent, rounding, on_return: OnReturn::Returned }
    }

    fn terms(margin: &str, source_fee: Fee) -> Terms {
        let margin = Share::parse_percent(margin).unwrap().millionths();
        Terms { source_fee, ..Terms::second_price(1, 0, 0, margin) }
    }

    /// Renders what becomes of a price: payout, margin, fee per lead, fee in percent.
    #[track_caller]
    fn check(terms: &Terms, price: &str, expected: &str) {
        let price = Micros::parse(price).unwrap();
        let Parts { payout, margin, fees } = terms.parts(price);
        let [lead, percent] = [fees.lead, fees.percent].map(Micros::new);
        assert_eq!(format!("{payout} {margin} {lead} {percent}"), expected);
    }

    #[test]
    fn a_price_is_split_by_known_answers() {
        let half_even = Rounding::HalfEvenToMillionth;
        check(&terms("15", Fee::NONE), "12.345677", "10.493825 1.851852 0.00 0.00");
        check(&terms("10", fee("0.25", "2", half_even)), "12.00", "10.334 1.20 0.25 0.216");
        let down = fee("0", "2", Rounding::DownToCent);
        check(&terms("10", down), "12.00", "10.59 1.20 0.00 0.21");
        let up = fee("0", "2", Rounding::UpToCent);
        check(&terms("10", up), "12.00", "10.58 1.20 0.00 0.22");
        let margin_up = Terms { margin_rounding: Rounding::UpToCent, ..terms("10", Fee::NONE) };
        check(&margin_up, "12.05", "10.84 1.21 0.00 0.00");
        let margin_down = Terms { margin_rounding: Rounding::DownToCent, ..terms("10", Fee::NONE) };
        check(&margin_down, "12.05", "10.85 1.20 0.00 0.00");
    }

    #[test]
    fn a_fee_never_takes_more_than_there_is() {
        let source = fee("0.50", "2", Rounding::UpToCent);
        check(&terms("10", source), "0.30", "0.00 0.03 0.27 0.00");
        check(&terms("10", source), "0.565", "0.00 0.0565 0.50 0.0085");
        check(&terms("10", source), "0.00", "0.00 0.00 0.00 0.00");
        let margin = Terms { margin_rounding: Rounding::UpToCent, ..terms("10", Fee::NONE) };
        check(&margin, "0.001", "0.00 0.001 0.00 0.00");
    }

    #[test]
    fn a_buyer_pays_the_price_and_what_it_agreed_to() {
        let buyer_fees = [("acme", fee("0.25", "4", Rounding::HalfEvenToCent))];
        let buyer_fees =
            buyer_fees.map(|(buyer, fee)| BuyerFee { buyer: buyer.to_owned(), fee }).to_vec();
        let terms = Terms { buyer_fees, ..Terms::second_price(1, 0, 0, 0) };
        let due = |buyer: &str, price: &str| terms.due(buyer, Micros::parse(price).unwrap());
        assert_eq!(due("acme", "12.00").to_string(), "12.73");
        assert_eq!(due("acme", "0.00").to_string(), "0.25");
        assert_eq!(due("best", "12.00").to_string(), "12.00");
        assert_eq!(due("acme", "9223372036854.775807"), Micros::new(i64::MAX));
    }

    prop_compose! {
        fn any_fee()(per_lead in 0..2_000_000_i64, percent in 0..1_000_000_u32, rounding in 0..6_usize) -> Fee {
            let rounding = [
                Rounding::HalfEvenToMillionth, Rounding::DownToMillionth, Rounding::UpToMillionth,
                Rounding::HalfEvenToCent, Rounding::DownToCent, Rounding::UpToCent,
            ][rounding];
            Fee { per_lead, percent, rounding, on_return: OnReturn::Returned }
        }
    }

    proptest! {
        #[test]
        fn the_parts_are_the_price_and_none_is_below_zero(
            price in 0..50_000_000_i64,
            more in 0..50_000_i64,
            margin in 0..=1_000_000_u32,
            source_fee in any_fee(),
        ) {
            let margin_rounding = source_fee.rounding;
            let terms = Terms { source_fee, margin_rounding, ..Terms::second_price(1, 0, 0, margin) };
            let Parts { payout, margin, fees } = terms.parts(Micros::new(price));
            let parts = [payout.get(), margin.get(), fees.lead, fees.percent];
            prop_assert_eq!(parts.iter().sum::<i64>(), price);
            prop_assert!(parts.iter().all(|part| *part >= 0), "{parts:?}");
            prop_assert!(terms.least_payout(Micros::new(price)) <= terms.payout(Micros::new(price + more)));
        }

        #[test]
        fn a_source_gets_what_it_asked_for_at_every_higher_price(
            net in 1..20_000_000_i64,
            more in 0..50_000_i64,
            margin in 0..900_000_u32,
            source_fee in any_fee().prop_filter("leaves something", |fee| fee.percent < 900_000),
        ) {
            let margin_rounding = source_fee.rounding;
            let rest = source_fee.gross_up(Micros::new(net));
            let asked = Share::from_millionths(margin).gross_up(rest, margin_rounding);
            let terms = Terms { source_fee, margin_rounding, ..Terms::second_price(1, 0, 0, margin) };
            let paid = terms.payout(asked.checked_add(Micros::new(more)).unwrap());
            prop_assert!(paid.get() >= net, "{paid} for {net}");
        }

        #[test]
        fn a_buyer_never_pays_more_than_its_bid_and_its_fees(
            bid in 0..50_000_000_i64,
            less in 0..50_000_i64,
            fee in any_fee(),
        ) {
            let price = (bid - less).max(0);
            let pays = |price: i64| price + fee.on(Micros::new(price)).total();
            prop_assert!(pays(price) <= pays(bid));
        }
    }
}
