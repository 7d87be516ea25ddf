//! The back door: a posted lead is sold once, to the best bidder that takes it, whatever the buyers do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gavel::clock::Clock;
use gavel::exchange::DELIVERIES_MAX;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{Buyer, Exchange, Reply, auto_ping, auto_post, client, merged, reply, until};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";
const PROMPT: Duration = Duration::ZERO;
/// Longer than any buyer here is waited for.
const FOR_EVER: Duration = Duration::from_secs(60);

fn accepted() -> Value {
    json!({"status": "accepted", "id": "b-1"})
}

fn rejected() -> Value {
    json!({"status": "rejected", "reason": "not for us"})
}

/// One that says nothing to the first posts, and accepts the others.
async fn silent(posts: usize) -> Buyer {
    Buyer::scripted(move |turn| (200, accepted(), if turn < posts { FOR_EVER } else { PROMPT }))
        .await
}

/// A buyer's contract: an end point that is waited for this long.
fn contract(buyer: &Buyer, timeout_ms: u32) -> Value {
    json!({"url": buyer.url(), "timeout_ms": timeout_ms})
}

fn idempotent(contract: Value) -> Value {
    merged(contract, json!({"idempotent": true}))
}

/// Opens an exchange where alfa bids 12.00, bravo 9.00 and carol 5.00, as far as there are contracts for them.
async fn market(contracts: &[Value]) -> Exchange {
    Exchange::with_bidders(Clock::system(), json!({}), contracts).await
}

async fn ping(exchange: &Exchange) -> String {
    let ping = exchange.say(PING, &auto_ping()).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    ping.text("/ping_id").to_owned()
}

/// Posts a lead whose source waits so long for the answer.
async fn post(exchange: &Exchange, ping: &str, deadline_ms: u32) -> Reply {
    let person = json!({
        "deadline_ms": deadline_ms, "first_name": "Quilla", "email": "quilla@example.com",
        "phone": "2025550163", "address": "7 Larkspur Row",
    });
    exchange.say(POST, &merged(auto_post(ping), person)).await
}

/// Renders a receipt's deliveries, such as `alfa rejected, bravo sold 5.01`.
async fn deliveries(exchange: &Exchange, ping: &str) -> String {
    let receipt = exchange.receipt(ping).await;
    let told = receipt["deliveries"].as_array().unwrap().iter().map(|delivery| {
        let text = |name: &str| delivery[name].as_str().unwrap().to_owned();
        let price = if delivery["price"] == "0.00" { String::new() } else { text("price") };
        format!("{} {} {price}", text("buyer"), text("outcome")).trim_end().to_owned()
    });
    told.collect::<Vec<String>>().join(", ")
}

async fn until_deliveries(exchange: &Exchange, ping: &str, expected: &str) {
    until(expected, async || deliveries(exchange, ping).await == expected).await;
}

#[tokio::test]
async fn a_lead_that_is_refused_goes_to_the_next_bidder_at_the_price_without_the_first() {
    let (alfa, bravo) = (Buyer::rejecting().await, Buyer::accepting().await);
    let carol = Buyer::accepting().await;
    let contracts = [&alfa, &bravo, &carol].map(|buyer| contract(buyer, 5_000));
    let exchange = market(&contracts).await;
    let ping = ping(&exchange).await;
    exchange.check_accounts(&["alfa 100.00 held 9.01"]).await;
    let answer = post(&exchange, &ping, 10_000).await;
    assert_eq!((answer.text("/status"), answer.text("/price")), ("sold", "4.509"), "{answer:?}");
    assert_eq!(deliveries(&exchange, &ping).await, "alfa rejected, bravo sold 5.01");
    let receipt = exchange.receipt(&ping).await;
    assert_eq!((&receipt["payout"], &receipt["paid"]), (&json!("8.109"), &json!("4.509")));
    let expected = ["alfa 100.00 held 0.00", "bravo 94.99 held 0.00", "carol 100.00 held 0.00"];
    exchange.check_accounts(&expected).await;
    assert_eq!((alfa.received().len(), bravo.received().len(), carol.received().len()), (1, 1, 0));
    assert_eq!(bravo.received()[0].1["price"], "5.01");
}

#[tokio::test]
async fn a_lead_that_everyone_refuses_is_unsold_and_holds_no_money() {
    let buyers = [Buyer::rejecting().await, Buyer::rejecting().await, Buyer::rejecting().await];
    let exchange = market(&buyers.each_ref().map(|buyer| contract(buyer, 5_000))).await;
    let ping = ping(&exchange).await;
    let answer = post(&exchange, &ping, 10_000).await;
    let verdict = (answer.text("/status"), answer.text("/reason/code"));
    assert_eq!(verdict, ("unsold", "all-rejected"), "{answer:?}");
    let told = deliveries(&exchange, &ping).await;
    assert_eq!(told, "alfa rejected, bravo rejected, carol rejected");
    let expected = ["alfa 100.00 held 0.00", "bravo 100.00 held 0.00", "carol 100.00 held 0.00"];
    exchange.check_accounts(&expected).await;
    assert_eq!(buyers.each_ref().map(|buyer| buyer.received().len()), [1, 1, 1]);
}

#[tokio::test]
async fn the_next_bidder_is_one_that_can_pay() {
    let (alfa, carol) = (Buyer::rejecting().await, Buyer::accepting().await);
    let exchange = market(&[&alfa, &carol, &carol].map(|buyer| contract(buyer, 5_000))).await;
    let first = ping(&exchange).await;
    let poor = json!({
        "buyer": "bravo", "vertical": "auto-insurance", "price": "9.00", "caps": {"total": 0},
    });
    exchange.put("campaigns/bravo", poor).await;
    let answer = post(&exchange, &first, 10_000).await;
    assert_eq!((answer.text("/status"), answer.text("/price")), ("sold", "1.80"), "{answer:?}");
    assert_eq!(deliveries(&exchange, &first).await, "alfa rejected, carol sold 2.00");
    exchange.check_accounts(&["bravo 100.00 held 0.00", "carol 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn one_copy_of_several_falls_through_alone() {
    let (alfa, bravo) = (Buyer::accepting().await, Buyer::rejecting().await);
    let carol = Buyer::accepting().await;
    let contracts = [&alfa, &bravo, &carol].map(|buyer| contract(buyer, 5_000));
    let exchange = Exchange::with_bidders(Clock::system(), json!({"copies": 2}), &contracts).await;
    let ping = ping(&exchange).await;
    exchange.check_accounts(&["alfa 100.00 held 5.01", "bravo 100.00 held 5.01"]).await;
    let answer = post(&exchange, &ping, 10_000).await;
    // 5.01 of alfa and, with nobody left to beat, the reserve of carol; the source gets nine tenths.
    let verdict = (answer.text("/status"), answer.text("/price"), &answer.body["copies"]);
    assert_eq!(verdict, ("sold", "6.309", &json!(2)), "{answer:?}");
    let expected = ["alfa 94.99 held 0.00", "bravo 100.00 held 0.00", "carol 98.00 held 0.00"];
    exchange.check_accounts(&expected).await;
    assert_eq!((alfa.received().len(), carol.received().len()), (1, 1));
}

#[tokio::test]
async fn a_lead_that_a_buyer_may_have_is_never_sold_to_another() {
    let (alfa, bravo) = (silent(1).await, Buyer::accepting().await);
    let exchange = market(&[contract(&alfa, 200), contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    let answer = post(&exchange, &ping, 10_000).await;
    assert_eq!(answer.text("/status"), "pending", "{answer:?}");
    assert_eq!(deliveries(&exchange, &ping).await, "alfa unknown");
    exchange.check_accounts(&["alfa 100.00 held 9.01", "bravo 100.00 held 0.00"]).await;

    let exchange = Exchange::open_in(exchange.close().await).await;
    exchange.check_accounts(&["alfa 100.00 held 9.01", "bravo 100.00 held 0.00"]).await;
    let again = post(&exchange, &ping, 10_000).await;
    assert_eq!(again.body, answer.body);
    assert_eq!(exchange.receipt(&ping).await["status"], "pending");
    assert_eq!((alfa.received().len(), bravo.received().len()), (1, 0));
}

#[tokio::test]
async fn the_operators_word_sells_what_nobody_knew_about() {
    let alfa = silent(1).await;
    let exchange = market(&[contract(&alfa, 200), contract(&alfa, 5_000)]).await;
    let ping = ping(&exchange).await;
    post(&exchange, &ping, 10_000).await;
    let path = format!("auctions/{ping}/resolve");
    let word = json!({"outcome": "sold", "note": "alfa's number 17"});
    let resolved = exchange.post(&path, word.clone()).await;
    assert_eq!((resolved.status, resolved.text("/price")), (200, "9.01"), "{resolved:?}");
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
    let again = post(&exchange, &ping, 10_000).await;
    assert_eq!((again.text("/status"), again.text("/price")), ("sold", "8.109"), "{again:?}");
    assert_eq!(exchange.post(&path, word).await.status, 404);
    exchange.check_accounts(&["alfa 90.99 held 0.00"]).await;
    assert_eq!(alfa.received().len(), 1);
}

#[tokio::test]
async fn the_operators_no_sends_the_lead_to_the_next_bidder() {
    let (alfa, bravo) = (silent(1).await, Buyer::accepting().await);
    let exchange = market(&[contract(&alfa, 200), contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    post(&exchange, &ping, 10_000).await;
    let word = json!({"outcome": "rejected", "note": "alfa never saw it"});
    let resolved = exchange.post(&format!("auctions/{ping}/resolve"), word).await;
    assert_eq!((resolved.status, resolved.text("/successor")), (200, "bravo"), "{resolved:?}");
    until_deliveries(&exchange, &ping, "alfa unknown, alfa rejected, bravo sold 2.00").await;
    exchange.check_accounts(&["alfa 100.00 held 0.00", "bravo 98.00 held 0.00"]).await;
    assert_eq!((alfa.received().len(), bravo.received().len()), (1, 1));
}

#[tokio::test]
async fn a_buyer_whose_no_the_operator_gave_is_not_asked_again() {
    // The retry that alfa's silence caused comes due while bravo is still thinking.
    let alfa = silent(1).await;
    let bravo = Buyer::scripted(|_| (200, accepted(), Duration::from_secs(3))).await;
    let contracts = [idempotent(contract(&alfa, 200)), contract(&bravo, 20_000)];
    let exchange = market(&contracts).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 100).await.text("/status"), "pending");
    until_deliveries(&exchange, &ping, "alfa unknown").await;
    let word = json!({"outcome": "rejected", "note": "alfa never saw it"});
    let resolved = exchange.post(&format!("auctions/{ping}/resolve"), word).await;
    assert_eq!((resolved.status, resolved.text("/successor")), (200, "bravo"), "{resolved:?}");
    until_deliveries(&exchange, &ping, "alfa unknown, alfa rejected, bravo sold 2.00").await;
    assert_eq!((alfa.received().len(), bravo.received().len()), (1, 1));
    exchange.check_accounts(&["alfa 100.00 held 0.00", "bravo 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn the_operators_word_does_not_overrule_a_buyer_that_is_being_asked() {
    // The second time alfa takes the lead, and takes its time.
    let alfa = Buyer::scripted(|turn| {
        let pause = if turn == 0 { FOR_EVER } else { Duration::from_secs(3) };
        (200, accepted(), pause)
    })
    .await;
    let bravo = Buyer::accepting().await;
    let exchange = market(&[idempotent(contract(&alfa, 4_000)), contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 100).await.text("/status"), "pending");
    until("alfa is asked again", async || alfa.received().len() == 2).await;
    let word = json!({"outcome": "rejected", "note": "alfa never saw it"});
    let refused = exchange.post(&format!("auctions/{ping}/resolve"), word).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "conflict"), "{refused:?}");
    assert!(refused.text("/detail").contains("`alfa` is being asked"), "{refused:?}");
    assert!(refused.text("/detail").contains("try again in 4 s"), "{refused:?}");
    until_deliveries(&exchange, &ping, "alfa unknown, alfa sold 9.01").await;
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
    assert_eq!(bravo.received().len(), 0);
}

#[tokio::test]
async fn a_buyer_that_promised_to_know_a_lead_again_is_asked_again() {
    let (alfa, bravo) = (silent(1).await, Buyer::accepting().await);
    let exchange = market(&[idempotent(contract(&alfa, 200)), contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    let answer = post(&exchange, &ping, 10_000).await;
    assert_eq!((answer.text("/status"), answer.text("/price")), ("sold", "8.109"), "{answer:?}");
    assert_eq!(deliveries(&exchange, &ping).await, "alfa unknown, alfa sold 9.01");
    let received = alfa.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1]);
    assert!(!received[0].0.is_empty());
    assert_eq!(bravo.received().len(), 0);
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
}

#[tokio::test]
async fn a_duplicate_after_silence_may_be_the_first_attempt_and_stays_open() {
    let duplicate = json!({"status": "duplicate"});
    let alfa = Buyer::scripted(move |turn| {
        (200, duplicate.clone(), if turn == 0 { FOR_EVER } else { PROMPT })
    })
    .await;
    let bravo = Buyer::accepting().await;
    let exchange = market(&[idempotent(contract(&alfa, 200)), contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 100).await.text("/status"), "pending");
    until_deliveries(&exchange, &ping, "alfa unknown, alfa unknown").await;
    exchange.check_accounts(&["alfa 100.00 held 9.01"]).await;
    assert_eq!(bravo.received().len(), 0);
}

#[tokio::test]
async fn what_a_firewall_says_after_silence_is_not_the_buyers_no() {
    for status in [301, 308, 403, 404, 422] {
        let alfa = Buyer::scripted(move |turn| match turn {
            0 => (200, accepted(), FOR_EVER),
            _ => (status, json!({"error": "access denied"}), PROMPT),
        })
        .await;
        let bravo = Buyer::accepting().await;
        let exchange = market(&[idempotent(contract(&alfa, 200)), contract(&bravo, 5_000)]).await;
        let ping = ping(&exchange).await;
        assert_eq!(post(&exchange, &ping, 100).await.text("/status"), "pending");
        until_deliveries(&exchange, &ping, "alfa unknown, alfa unknown").await;
        let receipt = exchange.receipt(&ping).await;
        assert!(receipt["deliveries"][1]["again_at"].is_string(), "{status}: {receipt:#}");
        exchange.check_accounts(&["alfa 100.00 held 9.01", "bravo 100.00 held 0.00"]).await;
        assert_eq!(bravo.received().len(), 0, "{status}");
    }
}

#[tokio::test]
async fn the_buyers_own_no_after_silence_is_one() {
    let alfa = Buyer::scripted(|turn| match turn {
        0 => (200, accepted(), FOR_EVER),
        _ => (422, rejected(), PROMPT),
    })
    .await;
    let bravo = Buyer::accepting().await;
    let exchange = market(&[idempotent(contract(&alfa, 200)), contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 10_000).await.text("/status"), "sold");
    let told = "alfa unknown, alfa rejected, bravo sold 2.00";
    assert_eq!(deliveries(&exchange, &ping).await, told);
}

#[tokio::test]
async fn a_buyer_that_is_busy_is_asked_again_when_it_said() {
    let alfa = Buyer::scripted(|turn| match turn {
        0 => (503, json!({}), PROMPT),
        1 => (429, json!({}), PROMPT),
        _ => (200, accepted(), PROMPT),
    })
    .await;
    let exchange = market(&[contract(&alfa, 5_000)]).await;
    let ping = ping(&exchange).await;
    let answer = post(&exchange, &ping, 10_000).await;
    assert_eq!(answer.text("/status"), "sold", "{answer:?}");
    assert_eq!(deliveries(&exchange, &ping).await, "alfa not-sent, alfa not-sent, alfa sold 2.00");
    let receipt = exchange.receipt(&ping).await;
    let at = |index: usize, name: &str| receipt["deliveries"][index][name].as_str().unwrap();
    assert!(at(1, "at") >= at(0, "again_at"), "{receipt:#}");
    exchange.check_accounts(&["alfa 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn a_source_that_does_not_wait_hears_later_how_it_ended() {
    let alfa = Buyer::scripted(|_| (200, accepted(), Duration::from_millis(500))).await;
    let exchange = market(&[contract(&alfa, 5_000)]).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 50).await.text("/status"), "pending");
    until_deliveries(&exchange, &ping, "alfa sold 2.00").await;
    let answer = post(&exchange, &ping, 50).await;
    assert_eq!((answer.text("/status"), answer.text("/price")), ("sold", "1.80"), "{answer:?}");
    assert_eq!(alfa.received().len(), 1);
}

#[tokio::test]
async fn a_delivery_that_is_due_survives_a_restart_and_sells_once() {
    let vacant = vacant_address();
    let alfa = json!({"url": format!("http://{vacant}/leads"), "timeout_ms": 2_000});
    let bravo = Buyer::accepting().await;
    let exchange = market(&[alfa, contract(&bravo, 5_000)]).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 50).await.text("/status"), "pending");
    until("it was tried", async || deliveries(&exchange, &ping).await.starts_with("alfa not-sent"))
        .await;
    let data = exchange.close().await;

    let alfa = Buyer::listening(vacant, |_| (200, accepted(), PROMPT)).await;
    let exchange = Exchange::open_in(data).await;
    until("it is sold", async || exchange.receipt(&ping).await["status"] == "sold").await;
    let answer = post(&exchange, &ping, 50).await;
    assert_eq!((answer.text("/status"), answer.text("/price")), ("sold", "8.109"), "{answer:?}");
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
    let exchange = Exchange::open_in(exchange.close().await).await;
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
    assert_eq!((alfa.received().len(), bravo.received().len()), (1, 0));
    assert_eq!(alfa.received()[0].1["lead"]["phone"], "+12025550163");
}

/// Returns an address on loopback where nobody listens.
fn vacant_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Returns where in the data directory one of these texts can be read.
fn findings(data: &std::path::Path, texts: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            findings.extend(self::findings(&path, texts));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for text in texts {
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                findings.push(format!("{text} in {}", path.file_name().unwrap().display()));
            }
        }
    }
    findings
}

/// The person of every post here, and of no module's fixtures.
const PERSONAL: [&str; 4] = ["2025550163", "quilla@example.com", "Quilla", "Larkspur"];

#[tokio::test]
async fn once_a_lead_is_settled_nothing_on_disk_says_who_the_person_is() {
    let (alfa, bravo) = (Buyer::rejecting().await, Buyer::accepting().await);
    let exchange = market(&[contract(&alfa, 5_000), contract(&bravo, 5_000)]).await;
    for _ in 0..20 {
        let ping = ping(&exchange).await;
        assert_eq!(post(&exchange, &ping, 10_000).await.text("/status"), "sold");
    }
    let data = exchange.close().await;
    assert_eq!(findings(data.path(), &PERSONAL), [""; 0]);
    // The search itself can find: what is no contact data is there.
    assert!(!findings(data.path(), &["bravo"]).is_empty());
}

#[tokio::test]
async fn a_refusal_that_repeats_the_person_is_kept_without_it() {
    let gossip = "we know quilla@example.com at 2025550163, Quilla of 7 Larkspur Row";
    let refusal = json!({"status": "rejected", "reason": gossip});
    let alfa = Buyer::answering(refusal).await;
    let exchange = market(&[contract(&alfa, 5_000)]).await;
    let ping = ping(&exchange).await;
    assert_eq!(post(&exchange, &ping, 10_000).await.text("/status"), "unsold");
    let receipt = exchange.receipt(&ping).await;
    let reason = receipt["deliveries"][0]["detail"].as_str().unwrap();
    assert!(reason.starts_with("we know"), "{reason}");
    let data = exchange.close().await;
    assert_eq!(findings(data.path(), &PERSONAL), [""; 0]);
}

#[tokio::test]
async fn buyers_that_refuse_in_a_crowd_leave_the_books_straight() {
    let alfa =
        Buyer::scripted(|turn| (200, if turn % 2 == 0 { rejected() } else { accepted() }, PROMPT))
            .await;
    let bravo = Buyer::accepting().await;
    let exchange = Arc::new(market(&[contract(&alfa, 5_000), contract(&bravo, 5_000)]).await);
    let leads: Vec<_> = (0..10)
        .map(|_| {
            let exchange = Arc::clone(&exchange);
            tokio::spawn(async move {
                let ping = ping(&exchange).await;
                post(&exchange, &ping, 20_000).await
            })
        })
        .collect();
    for lead in leads {
        let answer = lead.await.unwrap();
        assert_eq!(answer.text("/status"), "sold", "{answer:?}");
    }
    // Five at 9.01 to alfa; five that it refused, at the reserve, to bravo.
    exchange.check_accounts(&["alfa 54.95 held 0.00", "bravo 90.00 held 0.00"]).await;
    assert_eq!((alfa.received().len(), bravo.received().len()), (10, 5));
}

#[tokio::test]
async fn a_buyer_that_never_answers_takes_no_room_from_the_others() {
    let most = DELIVERIES_MAX / 2;
    let (alfa, bravo) = (silent(most).await, Buyer::accepting().await);
    let exchange = Exchange::with_auto(Clock::system(), json!({"copies": 2})).await;
    for (name, buyer) in [("alfa", &alfa), ("bravo", &bravo)] {
        exchange.with_buyer(name, &buyer.url(), "9.00").await;
        exchange.put(&format!("buyers/{name}"), json!({"delivery": contract(buyer, 60_000)})).await;
        exchange.deposit(name, "9000.00").await;
    }
    let (exchange, leads) = (Arc::new(exchange), 2 * DELIVERIES_MAX);
    let sources = (0..8).map(|_| {
        let exchange = Arc::clone(&exchange);
        tokio::spawn(async move {
            for _ in 0..leads / 8 {
                let ping = ping(&exchange).await;
                post(&exchange, &ping, 1).await;
            }
        })
    });
    for source in sources.collect::<Vec<_>>() {
        source.await.unwrap();
    }
    until("bravo has all", async || bravo.received().len() == leads).await;
    assert_eq!(alfa.received().len(), most);
    let metrics = reply(client().get(exchange.url("/metrics"))).await;
    for line in [
        format!("gavel_deliveries_under_way {most}"),
        format!("gavel_deliveries_waiting {}", leads - most),
    ] {
        assert!(metrics.text("").contains(&line), "{line}: {metrics:?}");
    }
    // Of what waited, and was not on its way from the journal just then, alfa has certainly heard nothing.
    let exchange = Arc::into_inner(exchange).unwrap();
    let exchange = Exchange::open_in(exchange.close().await).await;
    let began = leads - most - 8;
    until("alfa has the others", async || alfa.received().len() >= most + began).await;
    let doubted = async || exchange.get("shipments?status=unknown").await.body;
    let known = async || doubted().await["shipments"].as_array().unwrap().len() <= most + 8;
    until("only what began is in doubt", known).await;
}

#[tokio::test]
async fn what_waits_when_the_exchange_stops_is_not_begun() {
    let most = DELIVERIES_MAX / 2;
    // Those under way are answered while the exchange drains.
    let pause = move |turn| if turn < most { Duration::from_secs(4) } else { PROMPT };
    let alfa = Buyer::scripted(move |turn| (200, accepted(), pause(turn))).await;
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    exchange.with_buyer("alfa", &alfa.url(), "9.00").await;
    exchange.put("buyers/alfa", json!({"delivery": contract(&alfa, 60_000)})).await;
    let leads = most + 24;
    for _ in 0..leads {
        let ping = ping(&exchange).await;
        post(&exchange, &ping, 1).await;
    }
    until("alfa is busy", async || alfa.received().len() == most).await;
    let exchange = Exchange::open_in(exchange.close().await).await;
    let sold = async || exchange.get("buyers/alfa").await.text("/held") == "0.00";
    until("all are sold", sold).await;
    assert_eq!(alfa.received().len(), leads);
    let doubted = exchange.get("shipments?status=unknown").await;
    assert_eq!(doubted.body["shipments"], json!([]), "{doubted:?}");
}

#[tokio::test]
async fn what_the_operator_settles_holds_nobody_back_in_a_buyers_line() {
    // After the third unknown the next attempt is half a minute away.
    let alfa = silent(3).await;
    let in_order = merged(idempotent(contract(&alfa, 200)), json!({"in_order": true}));
    let exchange = market(&[in_order]).await;
    let first = ping(&exchange).await;
    post(&exchange, &first, 100).await;
    until_deliveries(&exchange, &first, "alfa unknown, alfa unknown, alfa unknown").await;
    let second = ping(&exchange).await;
    let waiting = post(&exchange, &second, 100).await;
    assert_eq!(waiting.text("/status"), "pending", "{waiting:?}");
    let word = json!({"outcome": "sold", "note": "alfa's number 17"});
    let resolved = exchange.post(&format!("auctions/{first}/resolve"), word).await;
    assert_eq!(resolved.status, 200, "{resolved:?}");
    until_deliveries(&exchange, &second, "alfa sold 2.00").await;
}

#[tokio::test]
async fn a_post_that_waits_for_its_buyer_keeps_nobody_from_being_heard() {
    let exchange = Exchange::crowded(Arc::new(TempDir::new().unwrap())).await;
    let alfa = silent(1).await;
    exchange.with_buyer("alfa", &alfa.url(), "9.00").await;
    exchange.put("buyers/alfa", json!({"delivery": contract(&alfa, 60_000)})).await;
    let exchange = Arc::new(exchange);
    let ping_id = ping(&exchange).await;
    let waiting = Arc::clone(&exchange);
    let waiting = tokio::spawn(async move { post(&waiting, &ping_id, 3_000).await });
    until("alfa is asked", async || !alfa.received().is_empty()).await;
    // There is room for one request at a time.
    ping(&exchange).await;
    assert!(!waiting.is_finished());
    assert_eq!(waiting.await.unwrap().text("/status"), "pending");
}
