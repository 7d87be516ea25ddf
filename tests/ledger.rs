//! Money by hand, returns, statements and reconciliation: what an operator does, and what both sides can check.

use std::process::Command;
use std::sync::Arc;

use gavel::clock::{Clock, Moment};
use gavel::exchange::reconcile;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{Buyer, Exchange, Reply, auto_ping, auto_post, merged};

/// Monday 2026-01-05, 15:00 in UTC.
const MONDAY: i64 = 1_767_625_200_000;
const DAY: i64 = 86_400_000;

/// An exchange where `acme` buys every lead for 12.00, of which the source gets 90 %.
struct Desk {
    exchange: Exchange,
    buyer: Buyer,
    clock: Clock,
}

impl Desk {
    async fn open(terms: Value) -> Self {
        let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
        let terms = merged(json!({"reserve": "12.00"}), terms);
        let exchange = Exchange::with_auto(clock.clone(), terms).await;
        let buyer = Buyer::accepting().await;
        exchange.with_buyer("acme", &buyer.url(), "20.00").await;
        Self { exchange, buyer, clock }
    }

    fn days_later(&self, days: i64) {
        self.clock.set(Moment::from_unix_ms(MONDAY + days * DAY));
    }

    /// Sells a lead and returns its id.
    async fn sell(&self, zip: &str) -> String {
        self.exchange.sell(zip).await.text("/lead_id").to_owned()
    }

    async fn give_back(&self, lead: &str, body: Value) -> Reply {
        let body = merged(json!({"reason": "wrong-number"}), body);
        self.exchange.post(&format!("leads/{lead}/returns"), body).await
    }

    async fn decide(&self, lead: &str, body: Value) -> Reply {
        self.exchange.post(&format!("leads/{lead}/returns/0"), body).await
    }

    async fn accounts(&self) -> String {
        self.exchange.accounts().await.join(", ")
    }

    /// Closes the exchange, and has what it leaves reconciled.
    async fn close(self) -> Arc<TempDir> {
        let data = self.exchange.close().await;
        reconcile(data.path(), |_| ()).await.unwrap();
        data
    }
}

/// Compares a refusal: status, field and words.
#[track_caller]
fn refused(reply: &Reply, status: u16, field: &str, words: &str) {
    assert_eq!((reply.status, reply.text("/field")), (status, field), "{reply:?}");
    assert!(reply.text("/detail").contains(words), "{reply:?}");
}

#[tokio::test]
async fn money_goes_out_to_whom_it_belongs_and_counts_once() {
    let desk = Desk::open(json!({})).await;
    desk.sell("90210").await;
    let before = "buyer:acme:prepaid -988.00, cash 1000.00, exchange:revenue -1.20, source:web:payable -10.80";
    assert_eq!(desk.accounts().await, before);

    let payout = json!({"amount": "10.00", "reference": "p-1", "currency": "USD"});
    let paid = desk.exchange.post("sources/web/payouts", payout.clone()).await;
    assert_eq!((paid.status, paid.text("/owed")), (201, "0.80"), "{paid:?}");
    let again = desk.exchange.post("sources/web/payouts", payout).await;
    assert_eq!((again.status, again.text("/owed")), (200, "0.80"), "{again:?}");
    let withdrawal = json!({"amount": "88.00", "reference": "w-1"});
    let back = desk.exchange.post("buyers/acme/withdrawals", withdrawal).await;
    assert_eq!((back.status, back.text("/balance")), (201, "900.00"), "{back:?}");
    let correction = json!({
        "debit": "exchange:revenue", "credit": "buyer:acme:prepaid", "amount": "0.20",
        "reference": "c-1", "reason": "charged twice for a call", "corrects": 1,
    });
    let corrected = desk.exchange.post("corrections", correction).await;
    refused(&corrected, 422, "/corrects", "fact 1 moved no money");
    let correction = json!({
        "debit": "exchange:revenue", "credit": "buyer:acme:prepaid", "amount": "0.20",
        "reference": "c-1", "reason": "charged twice for a call", "corrects": paid_fact(&desk).await,
    });
    let corrected = desk.exchange.post("corrections", correction).await;
    assert_eq!((corrected.status, corrected.text("/kind")), (201, "correction"), "{corrected:?}");
    assert_eq!(
        desk.accounts().await,
        "buyer:acme:prepaid -900.20, cash 902.00, exchange:revenue -1.00, source:web:payable -0.80"
    );
    desk.close().await;
}

/// Returns the number of the fact that sold the newest lead.
async fn paid_fact(desk: &Desk) -> u64 {
    let statement = desk.exchange.get("sources/web/statement").await.body;
    statement["lines"][0]["fact"].as_u64().unwrap()
}

#[tokio::test]
async fn money_that_is_not_there_does_not_go_out() {
    let desk = Desk::open(json!({})).await;
    desk.sell("90210").await;
    let before = desk.accounts().await;
    let send = async |path: &str, body: Value| desk.exchange.post(path, body).await;
    let amount = |amount: &str| json!({"amount": amount, "reference": "r-1"});
    let reply = send("sources/web/payouts", amount("10.800001")).await;
    refused(&reply, 409, "", "source `web` is owed 10.80; a payout of 10.800001 is more");
    let reply = send("buyers/acme/withdrawals", amount("988.01")).await;
    refused(
        &reply,
        409,
        "",
        "buyer `acme` has 988.00 free (988.00 less 0.00 held); a withdrawal of 988.01 is more",
    );
    // What is held for a lead is not free.
    desk.exchange.say("auto-insurance/ping", &merged(auto_ping(), json!({"zip": "94105"}))).await;
    let reply = send("buyers/acme/withdrawals", amount("988.00")).await;
    refused(&reply, 409, "", "buyer `acme` has 976.00 free (988.00 less 12.00 held)");
    let written_off = json!({"account": "source:web:payable", "amount": "1.00", "reference": "o-1", "reason": "gone"});
    let reply = send("write-offs", written_off).await;
    refused(&reply, 409, "", "`source:web:payable` owes 0.00; a write-off of 1.00 is more");
    assert_eq!(desk.accounts().await, before);
    desk.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of what is refused")]
async fn what_is_no_amount_or_names_nobody_moves_nothing() {
    let desk = Desk::open(json!({})).await;
    let before = desk.accounts().await;
    let correction = json!({"debit": "cash", "credit": "exchange:suspense", "amount": "1.00", "reference": "c", "reason": "r"});
    let write_off =
        json!({"account": "buyer:acme:prepaid", "amount": "1.00", "reference": "o", "reason": "r"});
    let plain = json!({"amount": "1.00", "reference": "r"});
    let calls = [
        ("buyers/acme/deposits", &plain),
        ("buyers/acme/withdrawals", &plain),
        ("sources/web/payouts", &plain),
        ("corrections", &correction),
        ("write-offs", &write_off),
    ];
    for (path, body) in calls {
        for (over, status, field, words) in [
            (json!({"amount": 1.5}), 422, "/amount", "expected an amount as text"),
            (json!({"amount": "-1.00"}), 422, "/amount", "is above zero"),
            (json!({"amount": "0"}), 422, "/amount", "is above zero"),
            (json!({"amount": "1e3"}), 422, "/amount", "an amount is digits"),
            (json!({"amount": "0.0000001"}), 422, "/amount", "at most six digits after the point"),
            (
                json!({"amount": "99999999999999"}),
                422,
                "/amount",
                "larger than 9223372036854.775807",
            ),
            (json!({"currency": "EUR"}), 422, "/currency", "counts in USD, not in EUR"),
            (json!({"reference": ""}), 422, "/reference", "a reference has 1 to 128 bytes"),
            (
                json!({"reference": "r".repeat(129)}),
                422,
                "/reference",
                "a reference has 1 to 128 bytes",
            ),
            (json!({"reference": "a\tb"}), 422, "/reference", "no control characters"),
            (json!({"amnt": "1.00"}), 422, "/amnt", "unknown field"),
        ] {
            let reply = desk.exchange.post(path, merged(body.clone(), over)).await;
            refused(&reply, status, field, words);
        }
    }
    let send = async |path: &str, body: Value| desk.exchange.post(path, body).await;
    for path in ["buyers/nobody/deposits", "buyers/nobody/withdrawals", "sources/nobody/payouts"] {
        refused(&send(path, plain.clone()).await, 404, "", "`nobody`");
    }
    let with = |name: &str, value: Value| merged(correction.clone(), json!({name: value}));
    refused(
        &send("corrections", with("debit", json!("petty"))).await,
        422,
        "/debit",
        "there is no account `petty`: the accounts are cash,",
    );
    refused(
        &send("corrections", with("debit", json!("buyer:zed:prepaid"))).await,
        422,
        "/debit",
        "there is no buyer `zed`",
    );
    refused(
        &send("corrections", with("credit", json!("cash"))).await,
        422,
        "/credit",
        "cannot pay itself",
    );
    refused(
        &send("corrections", with("reason", json!(" "))).await,
        422,
        "/reason",
        "a correction says why",
    );
    refused(
        &send("corrections", with("corrects", json!(99_999))).await,
        422,
        "/corrects",
        "fact 99999 moved no money",
    );
    let cash = merged(write_off.clone(), json!({"account": "cash"}));
    refused(&send("write-offs", cash).await, 422, "/account", "`cash` cannot owe anything");
    // Amounts that fit one by one may not fit together: the ledger stays within its numbers.
    let huge = |reference: &str| json!({"amount": "9223372036854.775807", "reference": reference});
    refused(
        &send("buyers/acme/deposits", huge("h")).await,
        422,
        "/amount",
        "would pass the largest amount",
    );
    assert_eq!(desk.accounts().await, before);
    desk.close().await;
}

#[tokio::test]
async fn a_reference_with_other_content_is_refused_with_what_differs() {
    let desk = Desk::open(json!({})).await;
    let body = json!({"amount": "5.00", "reference": "w-1", "reason": "asked for it"});
    assert_eq!(desk.exchange.post("buyers/acme/withdrawals", body.clone()).await.status, 201);
    let other = merged(body.clone(), json!({"amount": "6.00", "reason": "asked again"}));
    let reply = desk.exchange.post("buyers/acme/withdrawals", other).await;
    refused(
        &reply,
        409,
        "",
        "reference `w-1` was used for another withdrawal: its amount was `5.00` and is `6.00`, its reason was `asked for it` and is `asked again`",
    );
    let other = json!({"amount": "6.00", "reference": "acme-1000.00"});
    let reply = desk.exchange.post("buyers/acme/deposits", other).await;
    refused(&reply, 409, "", "reference `acme-1000.00` was used for a deposit of 1000.00");
    // After a restart it is known as well.
    let data = desk.exchange.close().await;
    let exchange = Exchange::open_in(data).await;
    assert_eq!(exchange.post("buyers/acme/withdrawals", body).await.status, 200);
    assert_eq!(exchange.get("buyers/acme").await.text("/balance"), "995.00");
}

#[tokio::test]
async fn what_a_source_owes_after_a_return_can_be_written_off() {
    let desk = Desk::open(json!({"returns": {"accept": ["wrong-number"]}})).await;
    let lead = desk.sell("90210").await;
    desk.exchange.post("sources/web/payouts", json!({"amount": "10.80", "reference": "p-1"})).await;
    assert_eq!(desk.give_back(&lead, json!({})).await.text("/state"), "accepted");
    assert_eq!(
        desk.accounts().await,
        "buyer:acme:prepaid -1000.00, cash 989.20, source:web:payable 10.80"
    );
    assert_eq!(desk.exchange.get("sources/web").await.text("/owed"), "-10.80");
    let body = json!({"account": "source:web:payable", "amount": "10.80", "reference": "o-1", "reason": "closed its site"});
    let written = desk.exchange.post("write-offs", body).await;
    assert_eq!(written.status, 201, "{written:?}");
    assert_eq!(
        desk.accounts().await,
        "buyer:acme:prepaid -1000.00, cash 989.20, exchange:write-off 10.80"
    );
    desk.close().await;
}

#[tokio::test]
async fn a_return_waits_for_the_operator_and_reverses_the_sale_exactly() {
    let desk = Desk::open(json!({})).await;
    let (lead, kept) = (desk.sell("90210").await, desk.sell("94105").await);
    let before = desk.accounts().await;
    let evidence = json!({"text": "nobody of this name", "url": "https://acme.example/calls/1"});
    let asked = desk.give_back(&lead, json!({"buyer": "acme", "evidence": evidence})).await;
    assert_eq!((asked.status, asked.text("/state")), (201, "requested"), "{asked:?}");
    assert_eq!((asked.text("/amount"), asked.text("/source")), ("12.00", "web"));
    assert_eq!(desk.accounts().await, before);
    let again = desk.give_back(&lead, json!({"evidence": evidence})).await;
    assert_eq!((again.status, again.text("/state")), (200, "requested"), "{again:?}");
    let other = desk.give_back(&lead, json!({"reason": "language", "evidence": evidence})).await;
    refused(&other, 409, "", "its reason was `wrong-number` and is `language`");

    let accepted = desk.decide(&lead, json!({"decision": "accept", "why": "heard the call"})).await;
    assert_eq!((accepted.status, accepted.text("/state")), (200, "accepted"), "{accepted:?}");
    assert_eq!((accepted.text("/credit"), accepted.text("/payout")), ("12.00", "10.80"));
    let one_sale = "buyer:acme:prepaid -988.00, cash 1000.00, exchange:revenue -1.20, source:web:payable -10.80";
    assert_eq!(desk.accounts().await, one_sale);
    assert_eq!(desk.decide(&lead, json!({"decision": "accept"})).await.status, 200);
    let other = desk.decide(&lead, json!({"decision": "decline", "why": "too late"})).await;
    refused(&other, 409, "", "the return was accepted before, with 12.00 given back");
    assert_eq!(desk.accounts().await, one_sale);
    let receipt = desk.exchange.receipt(accepted.text("/ping_id")).await;
    assert_eq!(receipt["ledger"].as_array().unwrap().len(), 6, "{receipt}");

    let declined = desk.give_back(&kept, json!({"reason": "other"})).await;
    assert_eq!(declined.text("/state"), "requested");
    let declined = desk.decide(&kept, json!({"decision": "decline"})).await;
    refused(&declined, 422, "/why", "a declined return says why");
    let declined = desk.decide(&kept, json!({"decision": "decline", "why": "no evidence"})).await;
    assert_eq!((declined.text("/state"), declined.text("/credit")), ("declined", "0.00"));
    assert_eq!(desk.accounts().await, one_sale);

    let list = desk.exchange.get("returns?buyer=acme").await;
    let states: Vec<&str> = list.body["returns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["declined", "accepted"]);
    let rates = json!({"sold": 2, "requested": 2, "accepted": 1, "declined": 1, "return_rate_percent": "50",
        "reasons": {"other": 1, "wrong-number": 1}});
    assert_eq!((&list.body["buyers"]["acme"], &list.body["sources"]["web"]), (&rates, &rates));
    // All of it is known after a restart.
    let data = desk.close().await;
    let exchange = Exchange::open_in(data).await;
    assert_eq!(
        exchange.get("returns?state=accepted").await.body["returns"][0]["lead_id"],
        json!(lead)
    );
    let of_lead = exchange.get(&format!("leads/{lead}/returns")).await;
    assert_eq!(of_lead.text("/returns/0/state"), "accepted", "{of_lead:?}");
}

#[tokio::test]
async fn a_part_of_the_price_takes_the_same_part_of_the_payout() {
    let desk = Desk::open(json!({"returns": {"accept": ["language"]}})).await;
    let lead = desk.sell("90210").await;
    let too_much = desk.give_back(&lead, json!({"amount": "12.000001"})).await;
    refused(&too_much, 422, "/amount", "the buyer paid 12.00");
    for amount in ["0", "-3.00"] {
        refused(
            &desk.give_back(&lead, json!({"amount": amount})).await,
            422,
            "/amount",
            "more than zero",
        );
    }
    let part = desk.give_back(&lead, json!({"reason": "language", "amount": "4.00"})).await;
    assert_eq!((part.text("/state"), part.text("/decided_by")), ("accepted", "policy"), "{part:?}");
    assert_eq!((part.text("/credit"), part.text("/payout")), ("4.00", "3.60"));
    assert_eq!(
        desk.accounts().await,
        "buyer:acme:prepaid -992.00, cash 1000.00, exchange:revenue -0.80, source:web:payable -7.20"
    );
    desk.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of what is refused")]
async fn returns_that_cannot_be_are_refused_and_move_nothing() {
    let desk = Desk::open(json!({"returns": {"window_days": 2, "accept": ["test"]}})).await;
    desk.exchange.with_buyer("bravo", &desk.buyer.url(), "1.00").await;
    let lead = desk.sell("90210").await;
    let before = desk.accounts().await;
    let unsold = desk
        .exchange
        .say("auto-insurance/ping", &merged(auto_ping(), json!({"zip": "94105"})))
        .await;
    let unsold = unsold.text("/ping_id").replace("pg_", "ld_");
    refused(&desk.give_back(&unsold, json!({})).await, 409, "", "the lead was not sold");
    let test = desk
        .exchange
        .say(
            "auto-insurance/full",
            &merged(auto_post(""), json!({"test": true, "zip": "10001", "state": "NY"})),
        )
        .await;
    refused(&desk.give_back(test.text("/lead_id"), json!({})).await, 409, "", "the lead is a test");
    refused(
        &desk.give_back(&lead, json!({"buyer": "bravo"})).await,
        409,
        "",
        "buyer `bravo` did not buy this lead",
    );
    refused(
        &desk.give_back(&lead, json!({"copy": 1})).await,
        409,
        "",
        "copy 1 of this lead was not sold",
    );
    refused(
        &desk.give_back("ld_00000000000000000000000000", json!({})).await,
        404,
        "",
        "there is no lead `ld_0",
    );
    refused(&desk.give_back("ld_1", json!({})).await, 404, "", "there is no lead `ld_1`");
    refused(
        &desk.give_back(&lead, json!({"reason": "mood"})).await,
        422,
        "/reason",
        "`mood` is no reason for a return; one of disconnected,",
    );
    refused(
        &desk.give_back(&lead, json!({"currency": "EUR"})).await,
        422,
        "/currency",
        "counts in USD",
    );
    for (evidence, field, words) in [
        (json!({"text": "call (202) 555-0107"}), "/evidence/text", "holds no contact data"),
        (json!({"text": "wrote to dana@example.com"}), "/evidence/text", "holds no contact data"),
        (json!({"text": "x".repeat(1_025)}), "/evidence/text", "at most 1024 bytes"),
        (json!({"url": "http://acme.example"}), "/evidence/url", "begins with https://"),
        (json!({"hash": "abc"}), "/evidence/hash", "a digest is `sha256:`"),
        (
            json!({"lead_id": "ld_00000000000000000000000000"}),
            "/evidence/lead_id",
            "for the reason `duplicate` only",
        ),
    ] {
        refused(&desk.give_back(&lead, json!({"evidence": evidence})).await, 422, field, words);
    }
    refused(
        &desk.decide(&lead, json!({"decision": "accept"})).await,
        404,
        "",
        "there is no return of copy 0 of ld_",
    );
    desk.days_later(2);
    desk.clock.set(Moment::from_unix_ms(MONDAY + 2 * DAY + 1));
    let late = desk.give_back(&lead, json!({"reason": "test"})).await;
    refused(&late, 409, "", "its window of 2 days for returns ended at 2026-01-07T15:00:00.000Z");
    assert_eq!(desk.accounts().await, before);
    desk.clock.set(Moment::from_unix_ms(MONDAY + 2 * DAY));
    assert_eq!(desk.give_back(&lead, json!({"reason": "test"})).await.text("/state"), "accepted");
    desk.close().await;
}

#[tokio::test]
async fn a_buyer_returns_no_more_than_its_rate() {
    let desk = Desk::open(json!({"returns": {"accept": ["agent"]}})).await;
    let spec = json!({"delivery": {"url": desk.buyer.url()}, "return_rate": {"percent_max": "50", "days": 7}});
    desk.exchange.put("buyers/acme", spec).await;
    let leads = [desk.sell("90210").await, desk.sell("94105").await, desk.sell("90001").await];
    for lead in &leads[..2] {
        assert_eq!(
            desk.give_back(lead, json!({"reason": "agent"})).await.text("/state"),
            "accepted"
        );
    }
    let more = desk.give_back(&leads[2], json!({"reason": "agent"})).await;
    refused(
        &more,
        409,
        "",
        "buyer `acme` bought 3 leads in the last 7 days and returned 2; its limit is 2 of them",
    );
    let wrong = json!({"delivery": {"url": desk.buyer.url()}, "return_rate": {"percent_max": "50", "days": 91}});
    refused(
        &desk.exchange.try_put("buyers/acme", wrong).await,
        422,
        "/return_rate/days",
        "must be 1 to 90",
    );
    desk.close().await;
}

#[tokio::test]
async fn a_lead_that_the_buyer_had_before_is_proved_by_what_was_sold() {
    let desk = Desk::open(json!({})).await;
    let (first, other) = (desk.sell("90210").await, desk.sell("94105").await);
    let again = desk.sell("90210").await;
    let same = |lead: &str| json!({"reason": "duplicate", "evidence": {"lead_id": lead}});
    let unproved = desk.give_back(&again, same(&other)).await;
    assert_eq!(unproved.text("/state"), "requested", "{unproved:?}");
    let backwards = desk.give_back(&first, same(&again)).await;
    refused(&backwards, 422, "/evidence/lead_id", "bought no lead");
    let third = desk.sell("90210").await;
    let proved = desk.give_back(&third, same(&first)).await;
    assert_eq!(
        (proved.text("/state"), proved.text("/why")),
        ("accepted", "the buyer had bought the same lead before"),
        "{proved:?}"
    );
    desk.close().await;
}

#[tokio::test]
async fn the_same_words_about_somebody_else_prove_nothing() {
    let desk = Desk::open(json!({})).await;
    let first = desk.sell("90210").await;
    let sell_to = async |person: Value| {
        let ping = desk.exchange.say("auto-insurance/ping", &auto_ping()).await;
        let post = merged(auto_post(ping.text("/ping_id")), person);
        desk.exchange.say("auto-insurance/post", &post).await.text("/lead_id").to_owned()
    };
    let same = |lead: &str| json!({"reason": "duplicate", "evidence": {"lead_id": lead}});
    let stranger = sell_to(json!({"phone": "3125550188", "email": "other@example.org"})).await;
    let unproved = desk.give_back(&stranger, same(&first)).await;
    assert_eq!(unproved.text("/state"), "requested", "{unproved:?}");
    for known in [json!({"phone": "3125550188"}), json!({"email": "other@example.org"})] {
        let again = sell_to(known).await;
        let proved = desk.give_back(&again, same(&first)).await;
        assert_eq!(proved.text("/state"), "accepted", "{proved:?}");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_thousand_returns_at_once_give_back_one_price() {
    let desk = Arc::new(Desk::open(json!({"returns": {"accept": ["agent"]}})).await);
    let lead = desk.sell("90210").await;
    let asking = (0..100).map(|_| {
        let (desk, lead) = (Arc::clone(&desk), lead.clone());
        tokio::spawn(async move { desk.give_back(&lead, json!({"reason": "agent"})).await.status })
    });
    let mut created = 0;
    for asked in asking.collect::<Vec<_>>() {
        created += usize::from(asked.await.unwrap() == 201);
    }
    assert_eq!(created, 1);
    assert_eq!(desk.accounts().await, "buyer:acme:prepaid -1000.00, cash 1000.00");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told to its end")]
async fn a_statement_says_every_line_and_both_sides_compute_it() {
    let desk = Desk::open(json!({"returns": {"accept": ["agent"]}})).await;
    let lead = desk.sell("90210").await;
    desk.days_later(1);
    desk.sell("94105").await;
    desk.give_back(&lead, json!({"reason": "agent"})).await;
    desk.days_later(2);
    desk.exchange.post("sources/web/payouts", json!({"amount": "10.80", "reference": "p-1"})).await;

    let told = |statement: &Value| {
        let line = |line: &Value| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("code"), text("amount"), text("balance"))
        };
        statement["lines"].as_array().unwrap().iter().map(line).collect::<Vec<String>>()
    };
    let all = desk.exchange.get("buyers/acme/statement").await.body;
    assert_eq!(
        told(&all),
        [
            "deposit 1000.00 1000.00",
            "sale -12.00 988.00",
            "sale -12.00 976.00",
            "return 12.00 988.00"
        ]
    );
    assert_eq!(
        (&all["lines"][1]["reference"], &all["lines"][0]["reference"]),
        (&json!(lead), &json!("acme-1000.00"))
    );
    let source = desk.exchange.get("sources/web/statement").await.body;
    assert_eq!(
        told(&source),
        ["sale 10.80 10.80", "sale 10.80 21.60", "return -10.80 10.80", "payout -10.80 0.00"]
    );

    let tuesday =
        desk.exchange.get("buyers/acme/statement?from=2026-01-06&to=2026-01-07").await.body;
    assert_eq!(
        (tuesday["lines"].as_array().unwrap().len(), &tuesday["opening"]["balance"]),
        (2, &json!("988.00"))
    );
    assert_eq!(tuesday["closing"], all["closing"]);
    let monday = desk.exchange.get("buyers/acme/statement?to=2026-01-06").await.body;
    assert_eq!(monday["closing"], tuesday["opening"]);
    let month =
        desk.exchange.get("sources/web/statement?month=2026-01&zone=America/Chicago").await.body;
    assert_eq!(
        (&month["from"], &month["lines"][0]["at"]),
        (&json!("2026-01-01T00:00:00.000-06:00"), &json!("2026-01-05T09:00:00.000-06:00"))
    );

    let csv = desk.exchange.get("buyers/acme/statement?format=csv").await;
    assert_eq!(csv.content_type, "text/csv; charset=utf-8");
    let page = desk.exchange.get("buyers/acme/statement?format=html").await;
    assert!(page.content_type.starts_with("text/html"), "{page:?}");
    let (csv, page) = (csv.body.as_str().unwrap(), page.body.as_str().unwrap());
    assert!(page.contains("<td class=\"n\">988.00</td>") && !page.contains("{{"), "{page}");
    for (query, words) in [
        ("month=May", "`May` is no month"),
        ("zone=Mars", "no time zone"),
        ("form=x", "unknown field"),
    ] {
        let reply = desk.exchange.get(&format!("buyers/acme/statement?{query}")).await;
        refused(&reply, 400, "", words);
    }
    refused(&desk.exchange.get("buyers/zed/statement").await, 404, "", "there is no buyer `zed`");

    // The same from the directory, and from a file that somebody kept.
    let (csv, json) = (csv.to_owned(), all.to_string());
    let data = desk.close().await;
    let recorded =
        gavel(&["statement", "--json", "--buyer", "acme", "--data", data.path().to_str().unwrap()]);
    assert_eq!(serde_json::from_str::<Value>(&recorded.1).unwrap(), all);
    for (name, text) in [("s.csv", csv), ("s.json", json)] {
        let file = data.path().join(name);
        std::fs::write(&file, &text).unwrap();
        let file = file.to_str().unwrap();
        let (code, told) = gavel(&["statement", "verify", file]);
        assert!(
            code == 0
                && told.starts_with(
                    "the statement holds: 4 lines of buyer:acme:prepaid, closing balance 988.00 USD"
                ),
            "{told}"
        );
        std::fs::write(file, text.replace("976.00", "975.00")).unwrap();
        let (code, told) = gavel(&["statement", "verify", file]);
        assert!(code == 1 && told.contains("line 3 (fact "), "{told}");
    }
    let (code, told) = gavel(&["reconcile", data.path().to_str().unwrap()]);
    assert!(
        code == 0 && told.contains("the books agree: ") && told.contains("2 sales, 1 returns"),
        "{told}"
    );
}

/// Runs the program and returns its exit code with all that it printed.
fn gavel(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(crate::crash::program::path()).args(arguments).output().unwrap();
    let printed = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code().unwrap(), printed.concat())
}

#[tokio::test]
async fn while_the_books_do_not_agree_no_money_moves() {
    let desk = Desk::open(json!({})).await;
    let lead = desk.sell("90210").await;
    let before = desk.accounts().await;
    let ping = desk
        .exchange
        .say("auto-insurance/ping", &merged(auto_ping(), json!({"zip": "94105"})))
        .await;
    desk.exchange.stop_money("a test said so");
    let post = merged(auto_post(ping.text("/ping_id")), json!({"zip": "94105"}));
    for reply in [
        desk.exchange.say("auto-insurance/ping", &auto_ping()).await,
        desk.exchange.say("auto-insurance/post", &post).await,
        desk.exchange
            .post("buyers/acme/deposits", json!({"amount": "1.00", "reference": "x"}))
            .await,
        desk.exchange
            .post("sources/web/payouts", json!({"amount": "1.00", "reference": "x"}))
            .await,
        desk.give_back(&lead, json!({})).await,
    ] {
        assert_eq!((reply.status, reply.text("/code")), (503, "money-stopped"), "{reply:?}");
        assert_eq!(reply.retry_after.as_deref(), Some("30"));
    }
    assert_eq!(desk.accounts().await, before);
    let ready =
        crate::exchange::reply(crate::exchange::client().get(desk.exchange.url("/readyz"))).await;
    assert_eq!((ready.status, ready.text("/reason")), (503, "money-stopped"), "{ready:?}");
    let data = desk.close().await;
    let exchange = Exchange::open_in(data).await;
    let deposit = json!({"amount": "1.00", "reference": "x"});
    assert_eq!(exchange.post("buyers/acme/deposits", deposit).await.status, 201);
}
