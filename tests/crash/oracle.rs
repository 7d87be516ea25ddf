//! What must be true after any crash, as sources, buyers and the journal see it. Complaints come as a list, so that a test
//! can also expect some.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use gavel::facts::{Delivered, Ended, Fact};
use gavel::ids::PingId;
use gavel::journal::Reading;
use serde_json::Value;

use super::program::Door;
use super::traffic::{Market, Said};

/// Compares every answer that a source got with the receipt of its auction.
pub(crate) async fn answers(door: &Door, said: &[Said]) -> Vec<String> {
    let mut complaints = Vec::new();
    for said in said {
        let Some(answer) = &said.answer else { continue };
        let (call, ping) = (said.call, answer.text("/ping_id"));
        let mut expect = |holds: bool, what: &str, receipt: &Value| {
            if !holds {
                let body = &answer.body;
                complaints
                    .push(format!("{call} {ping} was answered {body}, but {what}: {receipt}"));
            }
        };
        expect(answer.status == 200, "that is no verdict", &Value::Null);
        let receipt = door.receipt(ping).await;
        if receipt["auction"] != ping {
            expect(false, "it has no receipt", &receipt);
            continue;
        }
        let status = receipt["status"].as_str().unwrap_or_default();
        let deliveries = receipt["deliveries"].as_array().unwrap();
        let sales: Vec<&Value> = deliveries.iter().filter(|one| one["outcome"] == "sold").collect();
        match answer.text("/status") {
            "accepted" => {
                let same = receipt["payout"] == answer.body["price"]
                    && receipt["expires_at"] == answer.body["expires_at"];
                expect(same, "the price is another", &receipt);
                expect(status != "rejected", "it has no winner", &receipt);
            }
            "rejected" => expect(status == "rejected", "it is not rejected", &receipt),
            "sold" => {
                expect(status == "sold" && sales.len() == 1, "it is not sold once", &receipt);
                let same = sales.iter().all(|sale| sale["payout"] == answer.body["price"]);
                expect(same, "the price is another", &receipt);
            }
            "unsold" => expect(sales.is_empty(), "it is sold", &receipt),
            "pending" => expect(receipt["posted"] == true, "it is not posted", &receipt),
            _ => expect(false, "that is no verdict", &receipt),
        }
    }
    complaints
}

/// Everything that the journal says about the traffic, read beside the running program.
#[derive(Default)]
pub(crate) struct Recorded {
    answered: BTreeSet<u128>,
    posted: BTreeSet<u128>,
    /// The last word on each copy, by ping.
    delivered: BTreeMap<u128, Delivered>,
    sold: BTreeMap<u128, String>,
    ledger: HashMap<String, i64>,
    balances: HashMap<String, i64>,
    complaints: Vec<String>,
}

impl Recorded {
    pub(crate) async fn read(data: &Path) -> Self {
        let reading = Reading::open(data).await.unwrap();
        let (mut recorded, mut keys, mut seq) = (Self::default(), BTreeSet::new(), 0);
        loop {
            let page = reading.facts_after(seq, 1_000).await.unwrap();
            let Some(last) = page.last() else { break };
            seq = last.seq;
            for stored in &page {
                recorded.fold(Fact::decode(stored.kind, &stored.payload).unwrap(), &mut keys);
            }
        }
        // The server goes on meanwhile, so the balances are only those of these facts once it is at rest.
        let balances = reading.balances().await.unwrap().into_iter();
        recorded.balances = balances.map(|(account, sum)| (account, sum.get())).collect();
        reading.close().await;
        recorded
    }

    fn fold(&mut self, fact: Fact, keys: &mut BTreeSet<(bool, [u8; 32])>) {
        let mut once = |new: bool, what: &str, ping: u128| {
            if !new {
                self.complaints.push(format!("{} {what} twice", PingId::from_u128(ping)));
            }
        };
        match fact {
            Fact::PingAnswered(ping) => {
                let new =
                    ping.request.as_ref().is_none_or(|request| keys.insert((false, request.key)));
                once(new, "answers a key", ping.ping);
                once(self.answered.insert(ping.ping), "was answered", ping.ping);
            }
            Fact::Posted(post) => {
                let new = post.request.is_none_or(|request| keys.insert((true, request.key)));
                once(new, "was posted by a key", post.ping);
                once(self.posted.insert(post.ping), "was posted", post.ping);
            }
            Fact::PostRefused(post) => {
                let new = post.request.is_none_or(|request| keys.insert((true, request.key)));
                once(new, "was refused by a key", post.ping);
                once(!self.posted.contains(&post.ping), "was posted, and refused", post.ping);
            }
            Fact::Delivered(delivered) => {
                if delivered.ended == Ended::Sold {
                    let earlier = self.sold.insert(delivered.ping, delivered.buyer.clone());
                    once(earlier.is_none(), "was sold", delivered.ping);
                    self.settled(&delivered);
                }
                self.delivered.insert(delivered.ping, delivered);
            }
            Fact::ShipmentResent(resent) if resent.held.is_some() => {
                let last = self.delivered.remove(&resent.ping);
                let given_up = last.is_some_and(|last| {
                    last.gives_up() && (last.copy, &last.buyer) == (resent.copy, &resent.buyer)
                });
                once(given_up, "was sent again without having been given up, or", resent.ping);
                once(!self.sold.contains_key(&resent.ping), "was sold and sent", resent.ping);
            }
            Fact::Deposited(deposit) => {
                *self.account("cash") += deposit.amount;
                *self.account(&format!("buyer:{}:prepaid", deposit.buyer)) -= deposit.amount;
            }
            Fact::Saved(_)
            | Fact::ShipmentResent(_)
            | Fact::KeyAdopted(_)
            | Fact::PostbackTried(_)
            | Fact::PostbackResent(_)
            | Fact::ModuleUploaded(_)
            | Fact::ModuleStepped(_)
            | Fact::SubmissionRefused(_)
            | Fact::AskedAgain(_)
            | Fact::StatusAsked(_)
            | Fact::TransferOffered(_)
            | Fact::SuppressionsAdded(_)
            | Fact::SuppressionsRemoved(_)
            | Fact::Transferred(_)
            | Fact::ReturnRequested(_)
            | Fact::ReturnDecided(_)
            | Fact::CallMade(_)
            | Fact::CallAnswered(_)
            | Fact::Superseded(_)
            | Fact::ContactErased(_)
            | Fact::ContactsSwept(_)
            | Fact::MasterKeyRotated(_)
            | Fact::Expired(_) => (),
        }
    }

    /// Enters a sale.
    fn settled(&mut self, delivered: &Delivered) {
        let (paid, charged) = (delivered.buyer_fees, delivered.source_fees);
        let margin = delivered.price - delivered.payout - charged.lead - charged.percent;
        *self.account(&format!("buyer:{}:prepaid", delivered.buyer)) +=
            delivered.price + paid.lead + paid.percent;
        for (account, fee) in [
            ("exchange:buyer-lead-fees", paid.lead),
            ("exchange:buyer-percent-fees", paid.percent),
            ("exchange:source-lead-fees", charged.lead),
            ("exchange:source-percent-fees", charged.percent),
        ] {
            // An account begins with its first amount.
            if fee != 0 {
                *self.account(account) -= fee;
            }
        }
        *self.account(&format!("source:{}:payable", delivered.source)) -= delivered.payout;
        *self.account("exchange:revenue") -= margin;
    }

    fn account(&mut self, name: &str) -> &mut i64 {
        self.ledger.entry(name.to_owned()).or_default()
    }

    /// Returns what no journal may say.
    pub(crate) fn complaints(&self) -> &[String] {
        &self.complaints
    }

    pub(crate) fn sales(&self) -> usize {
        self.sold.len()
    }

    /// Compares the journal with what sources sent and with what arrived at the buyers' end points.
    pub(crate) fn compare(&self, said: &[Said], market: &Market) -> Vec<String> {
        let mut complaints = self.complaints.clone();
        let pings = said.iter().filter(|said| said.call != "post").count();
        if self.answered.len() > pings {
            complaints.push(format!("{pings} leads were answered {} times", self.answered.len()));
        }
        let mut arrived: BTreeMap<u128, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
        for (name, buyer) in &market.buyers {
            for (key, body) in buyer.received() {
                let ping = PingId::parse(body["ping_id"].as_str().unwrap()).unwrap().as_u128();
                arrived.entry(ping).or_default().entry(name).or_default().push(key);
            }
        }
        for (ping, buyers) in &arrived {
            let mut complain = |what: &str| {
                complaints.push(format!("{} {what}: {buyers:?}", PingId::from_u128(*ping)));
            };
            if !self.posted.contains(ping) {
                complain("went to a buyer before its post was recorded");
            }
            if buyers.keys().filter(|name| **name != "refuser").count() > 1 {
                complain("is exclusive and two buyers took it");
            }
            for (name, keys) in buyers {
                if *name != "patient" && keys.len() > 1 {
                    complain("went twice to a buyer that did not promise idempotency");
                }
                if keys.iter().any(|key| key != &keys[0]) {
                    complain("went to a buyer under two keys");
                }
            }
        }
        for (ping, buyer) in &self.sold {
            if !arrived.get(ping).is_some_and(|buyers| buyers.contains_key(buyer.as_str())) {
                complaints.push(format!("{} was never sent to {buyer}", PingId::from_u128(*ping)));
            }
        }
        complaints
    }

    /// Compares the ledger with the deposits and sales; holds only while nothing is under way.
    pub(crate) fn ledger(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let sum: i64 = self.balances.values().sum();
        if sum != 0 {
            complaints.push(format!("the ledger sums to {sum}"));
        }
        if self.balances != self.ledger {
            complaints.push(format!("{:?} is not {:?}", self.balances, self.ledger));
        }
        complaints
    }

    /// Returns posted leads whose delivery has not ended, each with the buyer that may have it if the operator is to say:
    /// because it is not asked again, or only after so many attempts that a test does not wait for the next.
    pub(crate) fn open(&self) -> Vec<(PingId, Option<String>)> {
        let open = self.posted.iter().filter_map(|ping| {
            let last = self.delivered.get(ping);
            if last.is_some_and(Delivered::closes) {
                return None;
            }
            let asks = last.filter(|last| {
                last.ended == Ended::Unknown && (last.again_ms.is_none() || last.attempt > 2)
            });
            Some((PingId::from_u128(*ping), asks.map(|last| last.buyer.clone())))
        });
        open.collect()
    }
}
