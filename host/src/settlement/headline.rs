//! An auction in one line: what a list of auctions shows of each.

use serde_json::{Value, json};

use super::answer::Story;
use crate::clock::Moment;
use crate::facts::{Ended, Fact};
use crate::ids::PingId;
use crate::money::Micros;

/// Returns the line: a pure function of the ping's facts with their times, and of the moment that it is read at. `None` if the facts are not those of an
/// answered ping.
pub fn headline(facts: &[(Moment, Fact)], at: Moment) -> Option<Value> {
    let story = Story::of(facts.iter().map(|(_, fact)| fact));
    let auction = story.auction.as_ref()?;
    let sales = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Delivered(delivered) if delivered.ended == Ended::Sold => Some(delivered),
        _ => None,
    });
    let mut sold: Vec<(&str, i64)> = sales.map(|sale| (sale.buyer.as_str(), sale.price)).collect();
    if sold.is_empty() {
        let winners = auction.winners.iter();
        sold = winners.map(|winner| (winner.buyer.as_str(), winner.price)).collect();
    }
    let price = sold.first().map(|(_, price)| Micros::new(*price).to_string());
    Some(json!({
        "auction": PingId::from_u128(auction.ping).to_string(),
        "status": story.status(at),
        "source": auction.source,
        "vertical": auction.vertical,
        "received_at": Moment::from_unix_ms(auction.received_ms).to_string(),
        "expires_at": auction.expires().to_string(),
        "test": auction.test,
        "bids": auction.bids.len(),
        "left_out": auction.left_out.len(),
        "buyers": sold.iter().map(|(buyer, _)| *buyer).collect::<Vec<&str>>(),
        "price": price,
        "settled_at": facts.last().map(|(at, _)| at.to_string()),
    }))
}
