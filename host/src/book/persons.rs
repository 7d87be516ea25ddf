//! Who was sold before: by prints of phone numbers and e-mail addresses, oldest forgotten first. A lead that is on its way
//! to a buyer counts as sold until that buyer refuses it.

use std::collections::VecDeque;

use super::named::Map;
use crate::catalog::By;
use crate::clock::Moment;
use crate::facts::Person;
use crate::ids::PingId;

/// The most sales that are remembered by the person, a print each; the oldest is forgotten first.
pub const PERSONS_MAX: usize = 2_000_000;

/// A print, as far as it is kept: 128 bits of it are as good as all.
type Print = [u8; 16];

/// One sale of a person's lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) at: Moment,
    pub(super) ping: PingId,
    /// Numbers of the names.
    pub(super) vertical: u32,
    pub(super) buyer: u32,
    pub(super) campaign: u32,
}

/// The sales of the newest time, by person.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Persons {
    phones: Sales,
    emails: Sales,
}

impl Persons {
    /// Returns how many sales are remembered, by that print that most of them have.
    pub(super) fn kept(&self) -> usize {
        self.phones.order.len().max(self.emails.order.len())
    }

    /// Remembers a sale; beyond `limit` of them the oldest is forgotten.
    pub(super) fn sold(&mut self, person: &Person, sale: Sale, limit: usize) {
        for (print, sales) in [(person.phone, &mut self.phones), (person.email, &mut self.emails)] {
            if let Some(print) = print {
                sales.insert(short(&print), sale, limit);
            }
        }
    }

    /// Forgets a sale that was none: the buyer did not take the lead.
    pub(super) fn unsold(&mut self, person: &Person, ping: PingId, campaign: u32) {
        for (print, sales) in [(person.phone, &mut self.phones), (person.email, &mut self.emails)] {
            if let Some(print) = print {
                sales.remove(&short(&print), ping, campaign);
            }
        }
    }

    /// Returns whether this person was sold at or after `since`, in a sale that `counts`, by what says that it is the
    /// same person.
    pub(super) fn sold_since(
        &self,
        person: &Person,
        by: By,
        since: Moment,
        counts: impl Fn(&Sale) -> bool,
    ) -> bool {
        let of = |sales: &'_ Sales, print: Option<[u8; 32]>| -> Vec<Sale> {
            let known = print.and_then(|print| sales.of.get(&short(&print)));
            let newest = known.into_iter().flatten();
            newest.filter(|sale| sale.at >= since && counts(sale)).copied().collect()
        };
        let (phone, email) = (of(&self.phones, person.phone), of(&self.emails, person.email));
        match by {
            By::Phone => !phone.is_empty(),
            By::Email => !email.is_empty(),
            By::Either => !phone.is_empty() || !email.is_empty(),
            By::Both => phone.iter().any(|one| email.iter().any(|other| one.ping == other.ping)),
        }
    }
}

/// The sales of persons that are known by one way to reach them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sales {
    of: Map<Print, Vec<Sale>>,
    /// With the ping and the campaign of each; a sale that was none still stands here.
    order: VecDeque<(Print, PingId, u32)>,
}

impl Sales {
    fn insert(&mut self, print: Print, sale: Sale, limit: usize) {
        self.of.entry(print).or_default().push(sale);
        self.order.push_back((print, sale.ping, sale.campaign));
        while self.order.len() > limit {
            let Some((oldest, ping, campaign)) = self.order.pop_front() else { break };
            self.remove(&oldest, ping, campaign);
        }
    }

    fn remove(&mut self, print: &Print, ping: PingId, campaign: u32) {
        let Some(sales) = self.of.get_mut(print) else { return };
        sales.retain(|sale| sale.ping != ping || sale.campaign != campaign);
        if sales.is_empty() {
            self.of.remove(print);
        }
    }
}

fn short(print: &[u8; 32]) -> Print {
    let mut short = Print::default();
    short.iter_mut().zip(print).for_each(|(to, from)| *to = *from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(phone: u8, email: u8) -> Person {
        Person { phone: Some([phone; 32]), email: Some([email; 32]) }
    }

    fn sale(number: i64) -> Sale {
        let ping = PingId::from_u128(u128::try_from(number).unwrap());
        Sale { at: Moment::from_unix_ms(number), ping, vertical: 0, buyer: 0, campaign: 0 }
    }

    #[test]
    fn what_is_the_same_is_asked_for() {
        let mut persons = Persons::default();
        persons.sold(&person(1, 1), sale(1), PERSONS_MAX);
        persons.sold(&person(2, 2), sale(2), PERSONS_MAX);
        let known = |phone, email| {
            [By::Phone, By::Email, By::Either, By::Both].map(|by| {
                persons.sold_since(&person(phone, email), by, Moment::from_unix_ms(1), |_| true)
            })
        };
        assert_eq!(known(1, 1), [true, true, true, true]);
        assert_eq!(known(1, 3), [true, false, true, false]);
        assert_eq!(known(3, 1), [false, true, true, false]);
        // Both are known, of two people.
        assert_eq!(known(1, 2), [true, true, true, false]);
        assert_eq!(known(3, 3), [false; 4]);
        let late = Moment::from_unix_ms(2);
        assert!(!persons.sold_since(&person(1, 1), By::Either, late, |_| true));
        assert!(!persons.sold_since(&person(2, 2), By::Either, late, |sale| sale.buyer == 1));
    }

    #[test]
    fn beyond_the_limit_the_oldest_sale_is_forgotten() {
        let mut persons = Persons::default();
        let known = |persons: &Persons, print| {
            persons.sold_since(&person(print, print), By::Both, Moment::from_unix_ms(0), |_| true)
        };
        for (number, print) in [(1, 1), (2, 2), (3, 1), (4, 3)] {
            persons.sold(&person(print, print), sale(number), 3);
        }
        assert!(known(&persons, 1) && known(&persons, 2) && known(&persons, 3));
        persons.sold(&person(4, 4), sale(5), 3);
        assert!(known(&persons, 1) && !known(&persons, 2));
        persons.sold(&person(5, 5), sale(6), 3);
        assert!(!known(&persons, 1));
        assert_eq!((persons.phones.order.len(), persons.phones.of.len()), (3, 3));
    }
}
