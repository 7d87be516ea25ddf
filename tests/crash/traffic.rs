//! Traffic from a seed: a market whose buyers refuse, dawdle and repeat themselves, and sources that remember what they
//! said and heard.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Answer, Door};
use crate::exchange::{Buyer, SOURCE_KEY, auto_ping, auto_post};

/// How many sources send at the same time.
const SENDERS: u64 = 8;

/// Random numbers from a seed: the same run can be had again, as far as the machine's timing allows.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Returns a number from 0 up to this one, without it.
    pub(crate) fn below(&self, end: u64) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        let mut bits = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}

/// The buyers with their end points, by name.
pub(crate) struct Market {
    pub(crate) buyers: BTreeMap<&'static str, Buyer>,
}

impl Market {
    /// Opens the end points.
    pub(crate) async fn open() -> Self {
        let accepted = || json!({"status": "accepted", "id": "b-1"});
        let quick = |turn: usize| Duration::from_millis([1, 5, 12, 30][turn % 4]);
        // Every fourth answer comes after its deadline.
        let slow = |turn: usize| Duration::from_millis([2, 8, 3, 600][turn % 4]);
        let buyers = [
            ("refuser", Buyer::rejecting().await),
            ("picky", Buyer::scripted(move |turn| (200, accepted(), quick(turn))).await),
            ("patient", Buyer::scripted(move |turn| (200, accepted(), slow(turn))).await),
            ("plain", Buyer::scripted(move |turn| (200, accepted(), quick(turn))).await),
        ];
        Self { buyers: buyers.into() }
    }

    /// Saves the market: a lead from CA falls from the refuser to the picky or the patient buyer, one from WA is nobody's.
    pub(crate) async fn save(&self, door: &Door) {
        door.serve("auto-insurance").await;
        door.serve("zip-list").await;
        let terms = json!({"module": "auto-insurance", "reserve": "2.00", "increment": "0.01", "hold_seconds": 3});
        door.put("verticals/auto-insurance", terms).await;
        let source =
            json!({"key": SOURCE_KEY, "margin_percent": "10", "pings_per_second": 100_000});
        door.put("sources/web", source).await;
        let zips = json!({"module": "zip-list", "settings": {"zips": ["90210", "10025"]}});
        let campaigns = [
            ("refuser", json!({"price": "12.00", "criteria": "state in [\"CA\", \"NY\"]"})),
            ("picky", json!({"price": "10.00", "filter": zips})),
            ("patient", json!({"price": "9.00", "criteria": "state in [\"CA\", \"TX\"]"})),
            ("plain", json!({"price": "6.00", "criteria": "state != \"WA\""})),
        ];
        for (name, campaign) in campaigns {
            let url = self.buyers[name].url();
            let patient = name == "patient";
            let timeout_ms = if patient { 300 } else { 5_000 };
            let delivery = json!({"url": url, "timeout_ms": timeout_ms, "idempotent": patient});
            door.with_buyer(name, delivery, campaign).await;
        }
    }
}

/// A request with all that its sender remembers of it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) call: &'static str,
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
    /// The answer; none if the program ended before it came.
    pub(crate) answer: Option<Answer>,
}

impl Said {
    /// Says it, or says it again, word for word.
    pub(crate) async fn send(&self, door: &Door) -> Option<Answer> {
        door.say(self.call, self.key.as_deref(), &self.body).await
    }

    /// Returns the ping that the answer is about.
    pub(crate) fn ping(&self) -> Option<&str> {
        self.answer.as_ref().map(|answer| answer.text("/ping_id"))
    }
}

/// What all sources remember.
pub(crate) struct Memory {
    dice: Arc<Dice>,
    leads: AtomicU64,
    said: Mutex<Vec<Said>>,
}

impl Memory {
    pub(crate) fn new(dice: Arc<Dice>) -> Self {
        Self { dice, leads: AtomicU64::new(0), said: Mutex::default() }
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.said.lock().unwrap().clone()
    }

    /// Sends from several sources at once until they are told to stop or nobody answers any more.
    pub(crate) async fn send(self: &Arc<Self>, door: &Door, stop: &Arc<AtomicBool>) {
        let senders = (0..SENDERS).map(|_| {
            let (memory, door, stop) = (Arc::clone(self), door.clone(), Arc::clone(stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) && memory.lead(&door).await.is_some() {}
            })
        });
        for sender in senders.collect::<Vec<_>>() {
            sender.await.unwrap();
        }
    }

    /// Offers one lead; nothing comes back if the program ended meanwhile.
    async fn lead(&self, door: &Door) -> Option<()> {
        let number = self.leads.fetch_add(1, Ordering::Relaxed);
        let places =
            [("CA", "90210"), ("CA", "90001"), ("TX", "75001"), ("NY", "11201"), ("WA", "98101")];
        let place = places[usize::try_from(self.dice.below(5)).unwrap()];
        let of_this_lead = |mut body: Value| {
            (body["state"], body["zip"]) = (place.0.into(), place.1.into());
            body
        };
        if self.dice.below(3) == 0 {
            let mut body = of_this_lead(auto_post(""));
            body.as_object_mut().unwrap().remove("ping_id");
            body["email"] = format!("lead{number}@example.com").into();
            return self.say(door, "full", self.key("full", number), body).await.map(drop);
        }
        let key = self.key("ping", number);
        let ping = self.say(door, "ping", key, of_this_lead(auto_ping())).await?;
        // Some prices are never taken up.
        if ping.text("/status") == "accepted" && self.dice.below(4) > 0 {
            let mut body = of_this_lead(auto_post(ping.text("/ping_id")));
            body["email"] = format!("lead{number}@example.com").into();
            match self.key("post", number) {
                Some(key) => self.say(door, "post", Some(key), body).await?,
                None => {
                    // An impatient source says it twice at the same time.
                    let (first, second) = tokio::join!(
                        self.say(door, "post", None, body.clone()),
                        self.say(door, "post", None, body)
                    );
                    first.and(second)?
                }
            };
        }
        Some(())
    }

    /// Returns an Idempotency-Key for two requests in three.
    fn key(&self, call: &str, number: u64) -> Option<String> {
        (self.dice.below(3) > 0).then(|| format!("{call}-{number}"))
    }

    async fn say(
        &self,
        door: &Door,
        call: &'static str,
        key: Option<String>,
        body: Value,
    ) -> Option<Answer> {
        let place = {
            let mut said = self.said.lock().unwrap();
            said.push(Said { call, key, body, answer: None });
            said.len() - 1
        };
        let asked = self.said.lock().unwrap()[place].clone();
        let answer = asked.send(door).await;
        // A program that is about to end may say so; that is as good as no answer.
        let answer = answer.filter(|answer| answer.status != 503);
        self.said.lock().unwrap()[place].answer.clone_from(&answer);
        answer
    }

    /// Says again what was never answered, twice, and some of what was; notes the answers and returns those that do not
    /// agree. What has neither a key nor a ping is a new lead each time it is sent, so it stays unanswered.
    pub(crate) async fn say_again(&self, door: &Door, from: usize) -> Vec<String> {
        let mut complaints = Vec::new();
        for (place, said) in self.said().into_iter().enumerate().skip(from) {
            if (said.key.is_none() && said.call != "post") || self.dice.below(4) == 0 {
                continue;
            }
            let earlier = match &said.answer {
                Some(answer) => Some(answer.clone()),
                None => said.send(door).await,
            };
            let (Some(earlier), Some(again)) = (earlier, said.send(door).await) else {
                complaints.push(format!("{said:?}: no answer when said again"));
                continue;
            };
            let same = (earlier.status, again.status) == (200, 200)
                && earlier.text("/ping_id") == again.text("/ping_id")
                && (earlier.text("/status") == "pending" || earlier.body == again.body);
            if !same {
                complaints.push(format!("{said:?}: answered {earlier:?}, then {again:?}"));
            }
            self.said.lock().unwrap()[place].answer = Some(again);
        }
        complaints
    }
}
