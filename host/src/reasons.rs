//! The one vocabulary of reasons: why a campaign was left out, why a ping or a post got no sale.
//!
//! A code is the same word in facts, receipts, answers, metrics and logs, and never changes its meaning.

use std::fmt;

macro_rules! reasons {
    ($(#[$enum_doc:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $message:literal;)* }) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every reason, in the order in which they are tried.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the code that stands for the reason everywhere.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Returns the reason in words.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// Returns the reason that a code stands for.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code() == code)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

reasons! {
    /// Why a campaign did not get a lead. The buyer and the operator see it in the receipt.
    Exclusion {
        /// The campaign is not active.
        CampaignPaused = "campaign-paused", "the campaign is paused";
        /// The buyer is not active.
        BuyerPaused = "buyer-paused", "the buyer is paused";
        /// The adapter that hands leads to the buyer is out of service, because it failed too often or an operator took it out.
        AdapterOutOfService = "adapter-out-of-service", "the buyer's adapter is out of service";
        /// Outside the campaign's schedule.
        OutOfSchedule = "out-of-schedule", "the campaign is closed at this time";
        /// The policy of the lead does not sell to the campaign.
        NotInPolicy = "not-in-policy", "the policy of this lead does not sell to the campaign";
        /// A declared criterion is not met.
        CriteriaUnmet = "criteria-unmet", "the lead does not meet the campaign's criteria";
        /// The campaign bought the same lead a short time ago.
        DuplicateForCampaign = "duplicate-for-campaign", "the campaign bought the same lead within its window, or is promised it";
        /// The campaign or its buyer bought this person a short time ago; the detail says who did and what is the same.
        DuplicatePerson = "duplicate-person", "the person was sold before, within the window";
        /// The person is on a suppression list; the detail names it.
        Suppressed = "suppressed", "the person is on a suppression list";
        /// The campaign or its buyer has its number of leads; the detail says which cap.
        CapReached = "cap-reached", "a cap is reached";
        /// The campaign or its buyer has spent its budget; the detail says which.
        BudgetSpent = "budget-spent", "a budget does not cover the bid";
        /// The buyer's balance and credit do not cover the bid.
        NoFunds = "no-funds", "the buyer's balance and credit do not cover the bid";
        /// The campaign's filter said no; the detail is the filter's own code.
        FilterDeclined = "filter-declined", "the campaign's filter declined the lead";
        /// The campaign's filter trapped or passed a limit and forfeits this lead.
        FilterForfeited = "filter-forfeited", "the campaign's filter failed and forfeits this lead";
        /// The campaign's filter is out of service, because it failed too often or an operator took it out.
        FilterOutOfService = "filter-out-of-service", "the campaign's filter is out of service";
        /// The filter left the price to the campaign, which has none.
        NoPrice = "no-price", "neither the filter nor the campaign names a price";
        /// The buyer was asked over the network and did not bid; the detail is its reason, if it gave one.
        NoBid = "no-bid", "the buyer was asked and did not bid";
        /// The buyer's answer did not come in time; a bid in it can never win.
        BidLate = "bid-late", "the buyer's answer did not come in time";
        /// The buyer's end point turned the question away.
        BidRefused = "bid-refused", "the buyer's end point turned the question away";
        /// The buyer's answer is not a valid bid; the detail begins with the flaw's code.
        BidInvalid = "bid-invalid", "the buyer's answer is not a valid bid";
        /// The buyer's end point could not be reached.
        BidUnreachable = "bid-unreachable", "the buyer's end point could not be reached to ask for a bid";
        /// The buyer was not asked: its breaker is open, a limit is reached, or too little time was left.
        NotAsked = "not-asked", "the buyer was not asked for a bid";
        /// The bid is zero or less.
        NotPositive = "not-positive", "the bid is not above zero";
        /// The bid is below the reserve.
        BelowReserve = "below-reserve", "the bid is below the reserve";
        /// Another campaign of the same buyer bid better.
        OwnBetterBid = "own-better-bid", "another campaign of the same buyer bid better";
        /// Another buyer won.
        Outbid = "outbid", "another buyer bid better";
        /// Another buyer came first by the policy's order or draw.
        Outranked = "outranked", "another buyer came first by the policy's order or draw";
        /// A higher tier of the policy took the lead.
        LowerTier = "lower-tier", "a higher tier of the policy took the lead";
        /// The source's deadline passed before the auction could be closed.
        DeadlinePassed = "deadline-passed", "the source's deadline passed before the auction closed";
        /// The buyer refused the lead at the post.
        RejectedPost = "rejected-post", "the buyer refused the lead at the post";
        /// The buyer could not be reached in the time for deliveries.
        Unreachable = "unreachable", "the buyer could not be reached in time";
    }
}

reasons! {
    /// Why a source's ping or post found no buyer, or was not heard. The source sees it in the answer.
    Refusal {
        /// No campaign may and wants to buy this lead.
        NoEligibleBuyer = "no-eligible-buyer", "no buyer wants this lead now";
        /// There were bids, none at or above the reserve.
        BidsBelowReserve = "bids-below-reserve", "no bid reached the least price for this lead";
        /// Every bid lost its money or its place before the auction closed.
        BidsNotPayable = "bids-not-payable", "no bidder could pay for this lead";
        /// The same lead was offered by the same source a short time ago.
        Duplicate = "duplicate", "the same lead was offered a short time ago";
        /// The ping's price no longer holds.
        PingExpired = "ping-expired", "the ping has expired; send a new ping";
        /// The ping found no buyer, so there is nothing to post.
        PingNotAccepted = "ping-not-accepted", "the ping was not accepted, so it cannot be posted";
        /// As many buyers refused the lead as may see one.
        DisclosuresSpent = "disclosures-spent", "as many buyers as may see a lead have seen it, and none took it";
        /// The person was sold a short time ago, to anybody.
        DuplicatePerson = "duplicate-person", "this person's lead was sold a short time ago";
        /// The person is not to be sold.
        Suppressed = "suppressed", "this person is not to be sold";
        /// No buyer that could have the lead may have this person.
        PersonKnown = "person-known", "every buyer that could have the lead has this person already, or must not have it";
        /// Every buyer refused the lead.
        AllRejected = "all-rejected", "every buyer that could have the lead refused it";
        /// A buyer could not be reached in the time for deliveries, and no other took the lead.
        Unreachable = "unreachable", "a buyer could not be reached in time, and no other took the lead";
        /// Nobody said in time how the live transfer went.
        TransferExpired = "transfer-expired", "nobody said in time how the transfer went";
        /// The deadline passed before the auction could be closed.
        DeadlinePassed = "deadline-passed", "the deadline passed before the auction closed";
    }
}

reasons! {
    /// Why a buyer gives a sold lead back. Buyer, source and operator see it.
    ReturnReason {
        /// The phone number is out of service.
        Disconnected = "disconnected", "the phone number is disconnected";
        /// The number or address is somebody else's.
        WrongNumber = "wrong-number", "the number or address belongs to somebody else";
        /// The buyer had the same person from elsewhere, or twice.
        Duplicate = "duplicate", "the buyer had the same lead before";
        /// The person is not where the campaign buys.
        OutsideGeography = "outside-geography", "the person is outside the campaign's geography";
        /// The person says it asked for nothing.
        DidNotRequest = "did-not-request", "the person did not make the request";
        /// The person cannot be spoken with.
        Language = "language", "the person does not speak the language of the campaign";
        /// The person is the buyer's customer already.
        OwnCustomer = "own-customer", "the person is the buyer's own customer";
        /// A test that was sold.
        Test = "test", "the lead is a test";
        /// An agent or competitor, not a consumer.
        Agent = "agent", "the person is an agent, not a consumer";
        /// What the lead says is made up.
        Fraud = "fraud", "what the lead says is made up";
        /// Something else; the evidence says what.
        Other = "other", "another reason, which the evidence tells";
    }
}

impl Exclusion {
    /// Returns whether the book said so: it depends on what was sold before, which no single auction shows.
    pub const fn is_of_the_book(self) -> bool {
        match self {
            Self::CapReached
            | Self::BudgetSpent
            | Self::NoFunds
            | Self::DuplicateForCampaign
            | Self::DuplicatePerson
            | Self::Suppressed => true,
            Self::CampaignPaused
            | Self::BuyerPaused
            | Self::OutOfSchedule
            | Self::CriteriaUnmet
            | Self::FilterDeclined
            | Self::FilterForfeited
            | Self::FilterOutOfService
            | Self::AdapterOutOfService
            | Self::NoPrice
            | Self::NotPositive
            | Self::BelowReserve
            | Self::OwnBetterBid
            | Self::Outbid
            | Self::Outranked
            | Self::LowerTier
            | Self::NotInPolicy
            | Self::DeadlinePassed
            | Self::RejectedPost
            | Self::NoBid
            | Self::BidLate
            | Self::BidRefused
            | Self::BidInvalid
            | Self::BidUnreachable
            | Self::NotAsked
            | Self::Unreachable => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for reason in Exclusion::ALL {
            assert_eq!(Exclusion::from_code(reason.code()), Some(*reason));
        }
        for reason in Refusal::ALL {
            assert_eq!(Refusal::from_code(reason.code()), Some(*reason));
        }
        assert_eq!(Refusal::from_code("because"), None);
    }
}
