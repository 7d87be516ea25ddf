//! Money that moved without a lead: withdrawals, payouts, corrections, write-offs.

use rkyv::{Archive, Deserialize, Serialize};

use crate::money::AccountName;

/// Money that an operator moved between two accounts. The reference is unique for the kind and its party, so a transfer
/// that is sent twice counts once.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    pub kind: TransferKind,
    /// The account that is debited.
    pub debit: String,
    /// The account that is credited.
    pub credit: String,
    /// Above zero.
    pub amount: i64,
    pub reference: String,
    /// Why, in an operator's words; empty where the kind says enough.
    pub reason: String,
    /// The number of the fact that this puts right.
    pub corrects: Option<u64>,
}

/// What sort of transfer it is: its code in the ledger.
#[derive(
    Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum TransferKind {
    /// A buyer got back what it had prepaid.
    Withdrawal,
    /// A source was paid what it was owed.
    Payout,
    /// An earlier fact is put right between two accounts.
    Correction,
    /// What somebody owes is given up.
    WriteOff,
}

impl TransferKind {
    /// Returns the word that stands for it in the ledger, in statements and in messages.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Withdrawal => "withdrawal",
            Self::Payout => "payout",
            Self::Correction => "correction",
            Self::WriteOff => "write-off",
        }
    }
}

impl Transferred {
    /// Returns whom the reference is unique for: the buyer of a withdrawal, the source of a payout, else nobody.
    pub fn party(&self) -> String {
        match (self.kind, AccountName::parse(&self.debit)) {
            (TransferKind::Withdrawal, Ok(AccountName::Prepaid(party)))
            | (TransferKind::Payout, Ok(AccountName::Payable(party))) => party,
            _ => String::new(),
        }
    }
}
