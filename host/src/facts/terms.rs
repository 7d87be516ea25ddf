//! The rules of one auction, and what buyers offered under them.

use rkyv::{Archive, Deserialize, Serialize};

use super::fees::{BuyerFee, Fee};
use crate::money::Rounding;

/// The rules of an auction, fixed before the first bid is asked for. Amounts are millionths.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Terms {
    /// The policy that made them, as it stood in the ping's catalog; `None` if the vertical's own settings did.
    pub policy: Option<String>,
    pub rule: Rule,
    pub copies: u32,
    /// The least price of a copy: the policy's or the source's, whichever is higher.
    pub reserve: i64,
    /// What is added to a competing bid that sets the price.
    pub increment: i64,
    /// The operator's part of the price, in millionths.
    pub margin: u32,
    pub margin_rounding: Rounding,
    /// What the source is charged.
    pub source_fee: Fee,
    /// What buyers pay on top of prices: of every buyer with a campaign in the vertical that pays some, by name.
    pub buyer_fees: Vec<BuyerFee>,
    /// The part of the reserve that the source asked for, margin and fees added; zero if it asked for nothing.
    pub least: i64,
    /// The tiers in the order in which they are asked. Every rule but `tiers` has one.
    pub tiers: Vec<Tier>,
    /// To how many buyers the contact data of one copy may be shown.
    pub disclosures_max: u32,
    pub changed_post: ChangedPost,
    /// Bids are ranked by what is left of them after their buyers' refusals; see [`BidMade::rejects`].
    pub reject_penalty: bool,
}

/// How an auction is decided, as a policy names it.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    SecondPrice,
    FirstPrice,
    Fixed,
    Tiers,
}

/// One tier of a ping tree, or all there is of any other rule.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    pub ranking: Ranking,
    pub price: PriceRule,
    /// The least price in this tier: never below the auction's reserve.
    pub reserve: i64,
}

/// Who comes first among those who offer enough.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranking {
    /// The highest bid; of equal ones the lower keyed hash.
    Bid,
    /// The lowest place in the policy's order.
    Order,
    /// A draw by weight, keyed with the ping's handle.
    Weighted,
}

/// What a winner pays.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceRule {
    /// What it takes to beat those who got none.
    Second,
    /// Its own bid.
    First,
    /// This amount, whatever it bid.
    Fixed(i64),
}

/// What becomes of a post that says otherwise than its ping.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedPost {
    /// It is refused; the ping stays as it was.
    Refuse,
    /// The lead is auctioned again as it is now, in place of its ping.
    Reauction,
}

impl Rule {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SecondPrice => "second-price",
            Self::FirstPrice => "first-price",
            Self::Fixed => "fixed",
            Self::Tiers => "tiers",
        }
    }
}

impl Ranking {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Order => "order",
            Self::Weighted => "weighted",
        }
    }
}

impl PriceRule {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Second => Rule::SecondPrice.code(),
            Self::First => Rule::FirstPrice.code(),
            Self::Fixed(_) => Rule::Fixed.code(),
        }
    }
}

impl ChangedPost {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Reauction => "reauction",
        }
    }
}

impl Terms {
    /// To how many buyers a copy may be shown unless a policy says otherwise: the winner and two more. Every one more
    /// is a stranger who learns who the person is and pays nothing.
    pub const DISCLOSURES_MAX_USUAL: u32 = 3;

    /// Returns the terms of a second-price auction without a policy: what a vertical's own settings make.
    pub fn second_price(copies: u32, reserve: i64, increment: i64, margin: u32) -> Self {
        let tier = Tier { ranking: Ranking::Bid, price: PriceRule::Second, reserve };
        Self {
            policy: None,
            rule: Rule::SecondPrice,
            copies,
            reserve,
            increment,
            margin,
            margin_rounding: Rounding::default(),
            source_fee: Fee::NONE,
            buyer_fees: Vec::new(),
            least: 0,
            tiers: vec![tier],
            disclosures_max: Self::DISCLOSURES_MAX_USUAL,
            changed_post: ChangedPost::Refuse,
            reject_penalty: false,
        }
    }
}

/// A bid as it was made.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct BidMade {
    pub campaign: String,
    pub buyer: String,
    /// For a copy of a lead that others may buy as well; zero if the campaign buys alone or not at all.
    pub amount: i64,
    /// For the lead alone, where the campaign names a price of its own for that.
    pub exclusive: Option<i64>,
    /// The tier that the policy has the campaign in, from 0.
    pub tier: u32,
    /// Its place in a tier that has an order, its weight in one that draws; else zero.
    pub standing: u32,
    /// How many of its last posts the buyer had refused, in ten-thousandths; zero where the terms do not look at it.
    pub rejects: u32,
}

impl BidMade {
    /// Returns the most that the buyer may have to pay: what its funds must cover.
    pub fn most(&self) -> i64 {
        self.exclusive.unwrap_or(self.amount).max(self.amount)
    }
}

/// A lead was posted otherwise than it was pinged, and is auctioned again as it is now: the holds of its ping end.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Superseded {
    pub ping: u128,
    /// The ping that takes its place.
    pub by: u128,
}
