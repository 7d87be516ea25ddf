//! What a buyer and a source do with keys of their own: statements that they check far from the exchange, and returns of
//! their own leads. Of anybody else's there is nothing to them.

use std::process::Command;

use gavel::clock::{Clock, Moment};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{
    Buyer, Exchange, OPERATOR_KEY, Reply, SOURCE_KEY, auto_ping, auto_post, client, merged, reply,
};

/// Monday 2026-01-05, 15:00 in UTC.
const MONDAY: i64 = 1_767_625_200_000;

/// An exchange where `acme` outbids `best`, both with keys of their own, and so do two sources.
struct Desk {
    exchange: Exchange,
    keys: Value,
}

impl Desk {
    async fn open() -> Self {
        let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
        let terms = json!({"reserve": "12.00", "returns": {"accept": ["duplicate"]}});
        let exchange = Exchange::with_auto(clock, terms).await;
        let buyer = Buyer::accepting().await;
        let mut keys = json!({"web": SOURCE_KEY, "operator": OPERATOR_KEY});
        for (name, price) in [("acme", "20.00"), ("best", "1.00")] {
            let body = json!({"delivery": {"url": buyer.url()}, "fees": {"per_lead": "0.25"}});
            let saved = exchange.put(&format!("buyers/{name}"), body).await;
            keys[name] = saved.body["key"].clone();
            exchange.deposit(name, "1000.00").await;
            let campaign = json!({"buyer": name, "vertical": "auto-insurance", "price": price});
            exchange.put(&format!("campaigns/{name}-auto"), campaign).await;
        }
        keys["other"] = exchange.put("sources/other", json!({})).await.body["key"].clone();
        Self { exchange, keys }
    }

    async fn sell(&self, zip: &str) -> String {
        let ping = merged(auto_ping(), json!({"zip": zip}));
        let ping = self.exchange.say("auto-insurance/ping", &ping).await;
        let post = merged(auto_post(ping.text("/ping_id")), json!({"zip": zip}));
        let post = self.exchange.say("auto-insurance/post", &post).await;
        assert_eq!(post.text("/status"), "sold", "{ping:?} {post:?}");
        post.text("/lead_id").to_owned()
    }

    fn request(&self, who: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = self.exchange.url(&format!("/v1/{path}"));
        client().request(method, url).bearer_auth(self.keys[who].as_str().unwrap())
    }

    async fn get(&self, who: &str, path: &str) -> Reply {
        reply(self.request(who, Method::GET, path)).await
    }

    async fn give_back(&self, who: &str, lead: &str, body: Value) -> Reply {
        let request = self.request(who, Method::POST, &format!("leads/{lead}/returns"));
        reply(request.body(body.to_string())).await
    }
}

fn wrong_number() -> Value {
    json!({"reason": "wrong-number"})
}

#[tokio::test]
async fn a_counterparty_checks_its_own_statement_with_nothing_else_at_hand() {
    let desk = Desk::open().await;
    desk.sell("90210").await;
    let empty = TempDir::new().unwrap();
    for (who, path, balance) in [("acme", "buyers/acme", "987.75"), ("web", "sources/web", "10.80")]
    {
        let json = desk.get(who, &format!("{path}/statement")).await;
        assert_eq!(json.body["closing"]["balance"], balance, "{json:?}");
        let csv = desk.get(who, &format!("{path}/statement?format=csv")).await;
        let page = desk.get(who, &format!("{path}/statement?format=html")).await;
        assert!(page.content_type.starts_with("text/html"), "{page:?}");
        assert!(page.body.as_str().unwrap().contains(balance), "{page:?}");
        for text in [json.body.to_string(), csv.body.as_str().unwrap().to_owned()] {
            let verify = || {
                let output = Command::new(crate::crash::program::path())
                    .args(["statement", "verify", "mine"])
                    .current_dir(empty.path())
                    .env_clear()
                    .output()
                    .unwrap();
                let printed = [output.stdout, output.stderr].concat();
                (output.status.code(), String::from_utf8(printed).unwrap())
            };
            std::fs::write(empty.path().join("mine"), &text).unwrap();
            let (code, told) = verify();
            assert!(
                code == Some(0) && told.contains(&format!("closing balance {balance}")),
                "{told}"
            );
            std::fs::write(empty.path().join("mine"), text.replace(balance, "9.99")).unwrap();
            let (code, told) = verify();
            assert_eq!(code, Some(1), "{told}");
        }
    }
}

#[tokio::test]
async fn to_anybody_else_there_is_no_such_account() {
    let desk = Desk::open().await;
    desk.sell("90210").await;
    let mut said = Vec::new();
    for (who, path) in [
        ("acme", "buyers/best/statement"),
        ("acme", "buyers/nobody/statement"),
        ("acme", "sources/web/statement"),
        ("web", "buyers/acme/statement"),
        ("web", "sources/other/statement"),
        ("web", "sources/nobody/statement"),
    ] {
        let reply = desk.get(who, path).await;
        assert_eq!(
            (reply.status, reply.text("/code")),
            (404, "not-found"),
            "{who} {path}: {reply:?}"
        );
        said.push(reply.text("/detail").to_owned());
    }
    // Whether there is somebody else makes no difference to what is said.
    assert_eq!((&said[0], &said[3]), (&said[1], &said[5]));
    assert_eq!(said[0], "there is no such account of yours; your own is /v1/buyers/acme/statement");
}

#[tokio::test]
async fn a_buyer_gives_its_own_leads_back_and_nobody_elses() {
    let desk = Desk::open().await;
    let lead = desk.sell("90210").await;
    for who in ["best", "other"] {
        let there = desk.get(who, &format!("leads/{lead}/returns")).await;
        assert_eq!((there.status, there.text("/code")), (404, "not-found"), "{there:?}");
    }
    let refused = desk.give_back("best", &lead, wrong_number()).await;
    let unknown = desk.give_back("best", "ld_01kd0b4tq0e8m2v6x9c3r7s5wz", wrong_number()).await;
    assert_eq!((refused.status, unknown.status), (404, 404), "{refused:?}");
    let said = refused.text("/detail").replace(&lead, "X");
    assert_eq!(said, unknown.text("/detail").replace("ld_01kd0b4tq0e8m2v6x9c3r7s5wz", "X"));
    assert_eq!(desk.give_back("web", &lead, wrong_number()).await.status, 403);
    let for_another = merged(wrong_number(), json!({"buyer": "best"}));
    let refused = desk.give_back("acme", &lead, for_another).await;
    assert_eq!((refused.status, refused.text("/field")), (422, "/buyer"), "{refused:?}");

    let asked = desk.give_back("acme", &lead, wrong_number()).await;
    assert_eq!((asked.status, asked.text("/state")), (201, "requested"), "{asked:?}");
    assert_eq!((asked.text("/by"), asked.body.get("source")), ("buyer", None), "{asked:?}");
    let decide = format!("leads/{lead}/returns/0");
    let accept = json!({"decision": "accept"}).to_string();
    let own = reply(desk.request("acme", Method::POST, &decide).body(accept.clone())).await;
    assert_eq!(own.status, 401, "only the operator decides: {own:?}");
    let decided = reply(desk.request("operator", Method::POST, &decide).body(accept)).await;
    assert_eq!(decided.text("/credit"), "12.25", "{decided:?}");

    let buyers = desk.get("acme", "returns?source=web").await.body;
    assert_eq!(buyers["returns"][0]["credit"], "12.25", "{buyers}");
    assert_eq!((buyers["sources"].clone(), buyers["buyers"].get("best")), (json!({}), None));
    let sources = desk.get("web", &format!("leads/{lead}/returns")).await.body;
    let shown = &sources["returns"][0];
    assert_eq!((&shown["payout"], &shown["reason"]), (&json!("10.80"), &json!("wrong-number")));
    for hidden in ["buyer", "campaign", "amount", "credit", "evidence"] {
        assert!(shown.get(hidden).is_none(), "{hidden}: {sources}");
    }
    let of_others = desk.get("best", "returns").await.body;
    assert_eq!(of_others["returns"], json!([]), "{of_others}");
}

#[tokio::test]
async fn a_buyers_call_counts_once_under_its_key() {
    let desk = Desk::open().await;
    let (lead, other) = (desk.sell("90210").await, desk.sell("90211").await);
    let call = async |who: &str, lead: &str| {
        let request = desk.request(who, Method::POST, &format!("leads/{lead}/returns"));
        let request = request.header("idempotency-key", "r-1").body(wrong_number().to_string());
        let response = request.send().await.unwrap();
        let replayed = response.headers().contains_key("idempotent-replayed");
        (response.status().as_u16(), replayed, response.text().await.unwrap())
    };
    let (first, again) = (call("acme", &lead).await, call("acme", &lead).await);
    assert_eq!((first.0, first.1, again.0, again.1), (201, false, 201, true), "{again:?}");
    assert_eq!(first.2, again.2);
    // The same key of somebody else, or for another address, is another call.
    assert_eq!(call("acme", &other).await.0, 201);
    let operators = call("operator", &lead).await;
    assert!(!operators.1, "{operators:?}");
}

#[tokio::test]
async fn a_statement_that_somebody_broke_in_the_database_is_found_and_named() {
    let desk = Desk::open().await;
    desk.sell("90210").await;
    desk.sell("90211").await;
    let data = desk.exchange.close().await;
    let file = data.path().join("journal.db");
    gavel::exchange::reconcile(data.path(), |_| ()).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    // The reference that a line is known by lies in its fact, and the account's name in every line.
    let name = b"source:web:payable";
    let places = whole.windows(name.len()).enumerate().filter(|(_, window)| window == name);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert!(places.len() >= 2, "{places:?}");
    for place in places {
        let mut broken = whole.clone();
        broken[place + 7..place + 10].copy_from_slice(b"wed");
        std::fs::write(&file, broken).unwrap();
        let why = gavel::exchange::reconcile(data.path(), |_| ()).await.unwrap_err();
        assert!(why.is_found(), "{why}");
        let why = why.to_string();
        assert!(why.contains("source:we") || why.contains("do not give its hash"), "{why}");
    }
    std::fs::write(&file, whole).unwrap();
    gavel::exchange::reconcile(data.path(), |_| ()).await.unwrap();
}
