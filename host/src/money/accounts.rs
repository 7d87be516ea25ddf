//! The chart of accounts: every account that the ledger can have, and what stands on it. The names never change.
//!
//! | account | normal side | what stands on it |
//! |---|---|---|
//! | `cash` | debit | money that buyers paid in, less what was paid out |
//! | `buyer:NAME:prepaid` | credit | what the exchange owes a buyer: paid in and not spent; on the debit side it owes (credit) |
//! | `source:NAME:payable` | credit | what the exchange owes a source; on the debit side the source owes, after returns |
//! | `exchange:revenue` | credit | the exchange's part of every price |
//! | `exchange:buyer-lead-fees` | credit | what buyers paid for each lead, whatever its price |
//! | `exchange:buyer-percent-fees` | credit | what buyers paid in percent, on top of prices |
//! | `exchange:source-lead-fees` | credit | what sources paid for each lead, out of what was left to them |
//! | `exchange:source-percent-fees` | credit | what sources paid in percent of what was left to them |
//! | `exchange:returns-reserve` | credit | set aside by the operator for returns to come |
//! | `exchange:write-off` | debit | what somebody owed and will not pay |
//! | `exchange:suspense` | either | what is not assigned yet: a payment that nobody knows; zero when all is clear |
//! | `exchange:tax` | credit | collected for the tax office |
//!
//! In the ledger a debit is above zero and a credit below.

use std::fmt;

use crate::ids::BuyerId;

/// One account of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountName {
    Cash,
    /// Of the buyer with this name.
    Prepaid(String),
    /// Of the source with this name.
    Payable(String),
    Revenue,
    BuyerLeadFees,
    BuyerPercentFees,
    SourceLeadFees,
    SourcePercentFees,
    ReturnsReserve,
    WriteOff,
    Suspense,
    Tax,
}

/// The text is no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the accounts are cash, buyer:NAME:prepaid, source:NAME:payable, exchange:revenue, exchange:buyer-lead-fees, \
     exchange:buyer-percent-fees, exchange:source-lead-fees, exchange:source-percent-fees, exchange:returns-reserve, \
     exchange:write-off, exchange:suspense and exchange:tax"
)]
pub struct NoAccount;

impl AccountName {
    /// Reads an account's name.
    ///
    /// # Errors
    ///
    /// [`NoAccount`] if the chart has no such account.
    pub fn parse(text: &str) -> Result<Self, NoAccount> {
        // Names of buyers and sources have the same form and no colon.
        let named =
            |name: &str| BuyerId::parse(name).map(|_| name.to_owned()).map_err(|_| NoAccount);
        Ok(match text {
            "cash" => Self::Cash,
            "exchange:revenue" => Self::Revenue,
            "exchange:buyer-lead-fees" => Self::BuyerLeadFees,
            "exchange:buyer-percent-fees" => Self::BuyerPercentFees,
            "exchange:source-lead-fees" => Self::SourceLeadFees,
            "exchange:source-percent-fees" => Self::SourcePercentFees,
            "exchange:returns-reserve" => Self::ReturnsReserve,
            "exchange:write-off" => Self::WriteOff,
            "exchange:suspense" => Self::Suspense,
            "exchange:tax" => Self::Tax,
            text => match text.split(':').collect::<Vec<&str>>().as_slice() {
                ["buyer", name, "prepaid"] => Self::Prepaid(named(name)?),
                ["source", name, "payable"] => Self::Payable(named(name)?),
                _ => return Err(NoAccount),
            },
        })
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cash => f.write_str("cash"),
            Self::Prepaid(buyer) => write!(f, "buyer:{buyer}:prepaid"),
            Self::Payable(source) => write!(f, "source:{source}:payable"),
            Self::Revenue => f.write_str("exchange:revenue"),
            Self::BuyerLeadFees => f.write_str("exchange:buyer-lead-fees"),
            Self::BuyerPercentFees => f.write_str("exchange:buyer-percent-fees"),
            Self::SourceLeadFees => f.write_str("exchange:source-lead-fees"),
            Self::SourcePercentFees => f.write_str("exchange:source-percent-fees"),
            Self::ReturnsReserve => f.write_str("exchange:returns-reserve"),
            Self::WriteOff => f.write_str("exchange:write-off"),
            Self::Suspense => f.write_str("exchange:suspense"),
            Self::Tax => f.write_str("exchange:tax"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_reads_back_and_nothing_else_is_one() {
        for name in [
            "cash",
            "buyer:acme:prepaid",
            "source:web-2:payable",
            "exchange:revenue",
            "exchange:buyer-lead-fees",
            "exchange:buyer-percent-fees",
            "exchange:source-lead-fees",
            "exchange:source-percent-fees",
            "exchange:returns-reserve",
            "exchange:write-off",
            "exchange:suspense",
            "exchange:tax",
        ] {
            assert_eq!(AccountName::parse(name).unwrap().to_string(), name);
        }
        for name in
            ["", "Cash", "buyer:acme", "buyer:a:b:prepaid", "buyer::prepaid", "source:x:prepaid"]
        {
            assert_eq!(AccountName::parse(name), Err(NoAccount), "{name}");
        }
    }
}
