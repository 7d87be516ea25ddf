//! The accounts: what each fact means in money, and the receipt that explains it. Pure functions of facts.
//!
//! Double entry: a debit is positive, a credit negative, and the legs of one fact sum to zero. Money of a buyer is a
//! debt of the exchange to it, so it stands on the credit side.

mod answer;
mod csv;
mod disclosures;
mod headline;
mod ledger;
pub mod postback;
pub mod receipt;
mod statement;

use crate::facts::{Ended, Fact, ReturnDecided};
use crate::journal::Entry;
use crate::money::Micros;

pub use answer::{Answer, Story};
pub use csv::{from_csv, to_csv};
pub use disclosures::disclosures;
pub use headline::headline;
pub use ledger::{AccountLine, Discrepancy, Ledger, Point, Step, backed, meant, reference};
pub use receipt::{Case, Placed, receipt};
pub use statement::{Booked, FORM, Period, Standing, Statement, StatementLine, statement};

/// Where deposits come in.
pub const CASH: &str = "cash";
/// What the exchange earns.
pub const REVENUE: &str = "exchange:revenue";

/// Returns the account of a buyer's prepaid money.
pub fn prepaid(buyer: &str) -> String {
    format!("buyer:{buyer}:prepaid")
}

/// Returns the account of what is owed to a source.
pub fn payable(source: &str) -> String {
    format!("source:{source}:payable")
}

/// Returns the ledger entries that a fact means. Holds move no money, and neither does a return before it is accepted.
pub fn entries(fact: &Fact) -> Vec<Entry> {
    match fact {
        Fact::Deposited(deposited) => {
            let amount = Micros::new(deposited.amount);
            vec![
                leg(CASH.to_owned(), amount, "deposit"),
                leg(prepaid(&deposited.buyer), negative(amount), "deposit"),
            ]
        }
        Fact::Delivered(delivered) if delivered.ended == Ended::Sold && delivered.price != 0 => {
            let (price, payout) = (Micros::new(delivered.price), Micros::new(delivered.payout));
            let margin = price.checked_sub(payout).unwrap_or_default();
            let mut legs = vec![
                leg(prepaid(&delivered.buyer), price, "sale"),
                leg(payable(&delivered.source), negative(payout), "sale"),
            ];
            if margin != Micros::ZERO {
                legs.push(leg(REVENUE.to_owned(), negative(margin), "margin"));
            }
            legs
        }
        Fact::Transferred(transferred) => {
            let (amount, code) = (Micros::new(transferred.amount), transferred.kind.code());
            vec![
                leg(transferred.debit.clone(), amount, code),
                leg(transferred.credit.clone(), negative(amount), code),
            ]
        }
        Fact::ReturnDecided(decided) => returned(decided),
        Fact::ReturnRequested(_)
        | Fact::CallMade(_)
        | Fact::CallAnswered(_)
        | Fact::Delivered(_)
        | Fact::Saved(_)
        | Fact::ModuleUploaded(_)
        | Fact::ModuleStepped(_)
        | Fact::PingAnswered(_)
        | Fact::SubmissionRefused(_)
        | Fact::Posted(_)
        | Fact::AskedAgain(_)
        | Fact::Superseded(_)
        | Fact::PostRefused(_)
        | Fact::SuppressionsAdded(_)
        | Fact::SuppressionsRemoved(_)
        | Fact::ContactErased(_)
        | Fact::ContactsSwept(_)
        | Fact::KeyAdopted(_)
        | Fact::PostbackTried(_)
        | Fact::PostbackResent(_)
        | Fact::MasterKeyRotated(_)
        | Fact::Expired(_) => Vec::new(),
    }
}

/// A return is its sale the other way round, in the part that is given back.
fn returned(decided: &ReturnDecided) -> Vec<Entry> {
    let (price, payout) = (Micros::new(decided.price), Micros::new(decided.payout));
    let margin = price.checked_sub(payout).unwrap_or_default();
    let legs = [
        leg(prepaid(&decided.buyer), negative(price), "return"),
        leg(payable(&decided.source), payout, "return"),
        leg(REVENUE.to_owned(), margin, "return"),
    ];
    legs.into_iter().filter(|leg| leg.amount != Micros::ZERO).collect()
}

fn leg(account: String, amount: Micros, code: &'static str) -> Entry {
    Entry { account, amount, code }
}

fn negative(amount: Micros) -> Micros {
    Micros::ZERO.checked_sub(amount).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Delivered, Deposited, TransferKind, Transferred};

    /// Renders a fact's entries, a leg a line.
    fn check(fact: &Fact, expected: &str) {
        let legs = entries(fact);
        let lines: Vec<String> =
            legs.iter().map(|leg| format!("{} {} {}", leg.account, leg.amount, leg.code)).collect();
        assert_eq!(lines.join("\n"), expected);
        assert_eq!(legs.iter().map(|leg| leg.amount.get()).sum::<i64>(), 0);
    }

    fn delivered(ended: Ended, price: i64, payout: i64) -> Fact {
        Fact::Delivered(Delivered {
            ping: 1,
            source: "web".to_owned(),
            copy: 0,
            campaign: "acme-ca".to_owned(),
            buyer: "acme".to_owned(),
            attempt: 1,
            ended,
            detail: None,
            price,
            payout,
            again_ms: None,
            successor: None,
            adapter: None,
        })
    }

    #[test]
    fn a_deposit_is_cash_owed_to_the_buyer() {
        let deposited =
            Deposited { buyer: "acme".to_owned(), amount: 5_000_000, reference: "w1".to_owned() };
        check(&Fact::Deposited(deposited), "cash 5.00 deposit\nbuyer:acme:prepaid -5.00 deposit");
    }

    #[test]
    fn a_sale_pays_the_source_and_the_exchange() {
        check(
            &delivered(Ended::Sold, 12_500_000, 10_625_000),
            "buyer:acme:prepaid 12.50 sale\nsource:web:payable -10.625 sale\nexchange:revenue -1.875 margin",
        );
    }

    #[test]
    fn a_sale_without_margin_has_two_legs() {
        check(
            &delivered(Ended::Sold, 2_000_000, 2_000_000),
            "buyer:acme:prepaid 2.00 sale\nsource:web:payable -2.00 sale",
        );
    }

    #[test]
    fn what_is_not_sold_moves_no_money() {
        for ended in [Ended::Rejected, Ended::NotSent, Ended::Unknown] {
            check(&delivered(ended, 0, 0), "");
        }
    }

    #[test]
    fn every_transfer_has_one_debit_and_one_credit() {
        for (kind, debit, credit, code) in [
            (TransferKind::Withdrawal, "buyer:acme:prepaid", "cash", "withdrawal"),
            (TransferKind::Payout, "source:web:payable", "cash", "payout"),
            (TransferKind::Correction, "exchange:revenue", "buyer:acme:prepaid", "correction"),
            (TransferKind::WriteOff, "exchange:write-off", "source:web:payable", "write-off"),
        ] {
            let transferred = Transferred {
                kind,
                debit: debit.to_owned(),
                credit: credit.to_owned(),
                amount: 2_500_000,
                reference: "r".to_owned(),
                reason: String::new(),
                corrects: None,
            };
            let expected = format!("{debit} 2.50 {code}\n{credit} -2.50 {code}");
            check(&Fact::Transferred(transferred), &expected);
        }
    }

    #[test]
    fn an_accepted_return_is_its_sale_the_other_way_round() {
        let decided = |accepted, price, payout| {
            Fact::ReturnDecided(ReturnDecided {
                ping: 1,
                copy: 0,
                sale: 7,
                source: "web".to_owned(),
                buyer: "acme".to_owned(),
                accepted,
                why: String::new(),
                by: "operator".to_owned(),
                price,
                payout,
            })
        };
        check(
            &decided(true, 12_500_000, 10_625_000),
            "buyer:acme:prepaid -12.50 return\nsource:web:payable 10.625 return\nexchange:revenue 1.875 return",
        );
        check(
            &decided(true, 2_000_000, 2_000_000),
            "buyer:acme:prepaid -2.00 return\nsource:web:payable 2.00 return",
        );
        check(&decided(false, 0, 0), "");
    }
}
