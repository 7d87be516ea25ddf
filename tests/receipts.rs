//! Receipts: who sees what of an auction, that it is signed, and that it can be checked with nothing else at hand.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use gavel::exchange::{Means, Verified, VerifyError, verify};
use gavel::sandbox::Compiler;
use gavel::signing::PublicKey;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{Buyer, Exchange, Reply, auto_ping, auto_post, client, module, reply};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";

/// A market with two sources and four buyers, one of which wants nothing, and the keys of all of them.
struct Market {
    exchange: Exchange,
    keys: Value,
}

impl Market {
    async fn open() -> Self {
        let exchange = Exchange::with_verticals().await;
        let (fickle, steady) = (Buyer::rejecting().await, Buyer::accepting().await);
        exchange.serve("zip-list").await;
        let mut keys = json!({});
        for (name, url, price) in [
            ("alfa", fickle.url(), "12.34"),
            ("bravo", steady.url(), "9.87"),
            ("carol", steady.url(), "5.43"),
            ("delta", steady.url(), "77.77"),
        ] {
            let delivery = json!({"url": url, "timeout_ms": 2_000});
            let saved =
                exchange.put(&format!("buyers/{name}"), json!({"delivery": delivery})).await;
            keys[name] = saved.body["key"].clone();
            exchange.deposit(name, "1000.00").await;
            let mut campaign = json!({"buyer": name, "vertical": "auto-insurance", "price": price});
            match name {
                "bravo" => {
                    campaign["filter"] =
                        json!({"module": "zip-list", "settings": {"zips": ["90210"]}})
                }
                "delta" => campaign["criteria"] = json!("age < 21"),
                _ => (),
            }
            exchange.put(&format!("campaigns/{name}-auto"), campaign).await;
        }
        let other = exchange.put("sources/other", json!({})).await;
        keys["other"] = other.body["key"].clone();
        keys["web"] = json!(crate::exchange::SOURCE_KEY);
        keys["operator"] = json!(crate::exchange::OPERATOR_KEY);
        Self { exchange, keys }
    }

    /// Sells a lead: alfa wins, refuses it at the post, and bravo takes it.
    async fn sell(&self) -> String {
        let ping = self.exchange.say(PING, &auto_ping()).await;
        assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
        let sold = self.exchange.say(POST, &auto_post(ping.text("/ping_id"))).await;
        assert_eq!(sold.text("/status"), "sold", "{sold:?}");
        ping.text("/ping_id").to_owned()
    }

    async fn get(&self, who: &str, path: &str) -> Reply {
        let request = client().request(Method::GET, self.exchange.url(&format!("/v1/{path}")));
        reply(request.bearer_auth(self.keys[who].as_str().unwrap())).await
    }

    async fn receipt(&self, who: &str, ping: &str) -> Value {
        let got = self.get(who, &format!("auctions/{ping}")).await;
        assert_eq!(got.status, 200, "{who}: {got:?}");
        got.body
    }

    async fn full(&self, ping: &str) -> Value {
        self.get("operator", &format!("auctions/{ping}?full=1")).await.body
    }
}

/// A folder with the modules of the market under names that say nothing.
fn modules() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (index, name) in ["zip-list", "auto-insurance", "medicare-health"].into_iter().enumerate() {
        std::fs::write(folder.path().join(index.to_string()), module(name)).unwrap();
    }
    folder
}

fn checked(receipt: &Value, keys: &[PublicKey], modules: &Path) -> Result<Verified, VerifyError> {
    let means = Means { keys, modules: Some(modules), compiler: Compiler::InProcess };
    verify(&receipt.to_string(), &means)
}

/// Renders what was checked, a line each.
fn told(verified: &Verified) -> String {
    let lines = verified.findings.iter().map(|finding| {
        format!("{} {}: {}", if finding.holds { "ok" } else { "NO" }, finding.check, finding.found)
    });
    lines.collect::<Vec<String>>().join("\n")
}

fn keys_of(answer: &Value) -> Vec<PublicKey> {
    let keys = answer["keys"].as_array().unwrap().iter();
    keys.map(|key| PublicKey::parse(key["public"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_his_own_part_under_one_signature() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let keys = keys_of(&reply(client().get(market.exchange.url("/v1/keys"))).await.body);
    let nothing = TempDir::new().unwrap();
    let whole = market.receipt("operator", &ping).await;
    for who in ["operator", "web", "alfa", "bravo", "carol", "delta"] {
        let receipt = market.receipt(who, &ping).await;
        assert_eq!(receipt["proof"]["statement"], whole["proof"]["statement"], "{who}");
        assert_eq!(receipt["proof"]["signature"], whole["proof"]["signature"], "{who}");
        let verified = checked(&receipt, &keys, nothing.path()).unwrap();
        assert!(verified.holds() && verified.not_held.is_some(), "{who}: {}", told(&verified));
    }
    assert_eq!(market.get("other", &format!("auctions/{ping}")).await.status, 404);
    assert_eq!(market.get("alfa", &format!("auctions/{ping}?full=1")).await.status, 403);
    assert_eq!(
        reply(client().get(market.exchange.url(&format!("/v1/auctions/{ping}")))).await.status,
        401
    );
}

#[tokio::test]
async fn a_buyer_sees_itself_and_what_would_have_won() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let outcome = async |who: &str| market.receipt(who, &ping).await["outcomes"][0].clone();
    let alfa = outcome("alfa").await;
    assert_eq!((&alfa["won"], &alfa["price"]), (&json!(true), &json!("9.88")));
    assert_eq!(alfa["deliveries"][0]["outcome"], "rejected");
    assert_eq!(alfa["price_to_win"], json!(null));
    let bravo = outcome("bravo").await;
    assert_eq!((&bravo["won"], &bravo["price"]), (&json!(false), &json!("5.44")));
    assert_eq!(bravo["price_to_win"], "12.35");
    assert_eq!(bravo["campaigns"][0]["code"], "outbid");
    assert_eq!(bravo["deliveries"][0]["outcome"], "sold");
    let carol = outcome("carol").await;
    assert_eq!((&carol["price"], &carol["price_to_win"]), (&json!(null), &json!("12.35")));
    let delta = outcome("delta").await;
    let detail = delta["campaigns"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("age < 21 (age is 4"), "{detail}");
    assert_eq!(
        (&delta["campaigns"][0]["bid"], &delta["price_to_win"]),
        (&json!(null), &json!(null))
    );
}

/// Renders an answer without what spells any word at some time: moments, and the salts and hashes that prove it.
fn readable(answer: &Value) -> String {
    match answer {
        Value::Object(members) => {
            let read = members
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "proof" | "salts" | "signature"));
            read.map(|(name, value)| format!("{name}: {}; ", readable(value))).collect()
        }
        Value::Array(elements) => {
            elements.iter().map(|element| format!("{}, ", readable(element))).collect()
        }
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => "a moment".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn nothing_of_the_others_leaks() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let everybody = [("alfa", "12.34"), ("bravo", "9.87"), ("carol", "5.43"), ("delta", "77.77")];
    for who in ["alfa", "bravo", "carol", "delta", "web"] {
        let receipt = market.receipt(who, &ping).await;
        let list = market.get(who, "auctions").await.body;
        assert_eq!(list["auctions"].as_array().unwrap().len(), 1, "{who}: {list}");
        assert_eq!(list["auctions"][0]["auction"], ping, "{who}");
        for told in [readable(&receipt), readable(&list)] {
            for (other, amount) in everybody.into_iter().filter(|(other, _)| *other != who) {
                assert!(!told.contains(other), "{who} reads of {other}: {told}");
                assert!(!told.contains(amount), "{who} reads {amount}: {told}");
            }
            for secret in ["exchange:revenue", "zip-list", "Dana", "2025550107"] {
                assert!(!told.contains(secret), "{who} reads {secret}: {told}");
            }
            assert!(who == "web" || !told.contains("web"), "{who} reads of the source: {told}");
        }
    }
    let other = market.get("other", "auctions").await.body;
    assert_eq!(other["auctions"], json!([]));
}

#[tokio::test]
async fn a_buyer_finds_its_bid_among_the_sealed_ones() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let carol = market.receipt("carol", &ping).await;
    assert_eq!(
        carol["bids"],
        json!([{"campaign": "carol-auto", "buyer": "carol", "amount": "5.43"}])
    );
    assert_eq!(carol["proof"]["statement"]["commitments"]["bids"].as_array().unwrap().len(), 3);
    // By hand, as a stranger would.
    let salt = &carol["proof"]["salts"]["bids"][0];
    let canonical =
        format!(r#"[{salt},"bids",{{"amount":"5.43","buyer":"carol","campaign":"carol-auto"}}]"#);
    let digest = gavel::ids::Digest::of(canonical.as_bytes()).to_string();
    let sealed = carol["proof"]["statement"]["commitments"]["bids"].as_array().unwrap();
    assert!(sealed.contains(&json!(digest)), "{sealed:?}");
}

#[tokio::test]
async fn a_receipt_verifies_in_an_empty_directory() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let keys = keys_of(&market.exchange.get("keys").await.body);
    let verified = checked(&market.full(&ping).await, &keys, modules().path()).unwrap();
    assert_eq!(verified.not_held, None);
    assert_eq!(
        told(&verified).replace(&keys[0].id(), "KEY"),
        "ok signature: ed25519 by key KEY\n\
         ok contents: all 53 parts are shown, and are what was signed\n\
         ok evidence: what it takes to hold the auction again is what was signed\n\
         ok facts: 4 facts, each with its link in the journal's chain\n\
         ok modules: found by their digests: auto-insurance version 1, zip-list version 1\n\
         ok receipt: every word of it follows from the facts\n\
         ok versions: the versions that decided are those whose turn it was\n\
         ok auction: held again: the same 3 bids, 1 winners, 3 left out, and every price\n\
         ok deliveries: 2, at the prices that were held\n\
         ok ledger: 3 legs that sum to zero"
    );
}

/// Calls with every value that has one leaf other than it was, and the leaf's place.
fn each_mutation(value: &Value, check: &mut impl FnMut(&str, &Value)) {
    fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    leaves(member, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (index, element) in elements.iter().enumerate() {
                    leaves(element, &format!("{at}/{index}"), found);
                }
            }
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    leaves(value, "", &mut found);
    for at in found {
        let mut changed = value.clone();
        let leaf = changed.pointer_mut(&at).unwrap();
        *leaf = match leaf.take() {
            Value::String(text) if text.is_empty() => json!("x"),
            Value::String(text) => {
                // One character of it, in the middle, becomes its neighbour.
                let mut bytes = text.into_bytes();
                let middle = bytes.len() / 2;
                bytes[middle] = if bytes[middle] == b'1' { b'2' } else { b'1' };
                Value::String(String::from_utf8_lossy(&bytes).into_owned())
            }
            Value::Number(number) => json!(number.as_i64().unwrap() + 1),
            Value::Bool(yes) => json!(!yes),
            Value::Null => json!(""),
            Value::Array(_) => json!([1]),
            Value::Object(_) => json!({"x": 1}),
        };
        check(&at, &changed);
    }
}

#[tokio::test]
async fn every_leaf_that_is_changed_is_found() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let keys = keys_of(&market.exchange.get("keys").await.body);
    let folder = modules();
    let mut count = 0;
    for receipt in [market.full(&ping).await, market.receipt("bravo", &ping).await] {
        each_mutation(&receipt, &mut |at, changed| {
            count += 1;
            // Without the modules: what is signed must be enough.
            let means = Means { keys: &keys, modules: None, compiler: Compiler::InProcess };
            match verify(&changed.to_string(), &means) {
                Ok(verified) => assert!(!verified.holds(), "{at} was changed and nobody noticed"),
                Err(VerifyError::NotReceipt(_)) => (),
                Err(error) => panic!("{at}: {error}"),
            }
        });
    }
    assert!(count > 250, "only {count} leaves");
    let mut more = market.full(&ping).await;
    more["note"] = json!("added");
    assert!(!checked(&more, &keys, folder.path()).unwrap().holds());
    let mut less = market.full(&ping).await;
    less["bids"].as_array_mut().unwrap().pop();
    assert!(!checked(&less, &keys, folder.path()).unwrap().holds());
}

#[tokio::test]
async fn a_missing_module_is_named_with_where_to_get_it() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let empty = TempDir::new().unwrap();
    let refused = checked(&market.full(&ping).await, &[], empty.path()).unwrap_err().to_string();
    assert!(
        refused.contains("`auto-insurance` version 1") && refused.contains("sha256:"),
        "{refused}"
    );
    assert!(refused.contains("/v1/modules/auto-insurance/versions/1"), "{refused}");
    let got = client().get(market.exchange.url("/v1/modules/auto-insurance/versions/1"));
    let got = got.bearer_auth(crate::exchange::OPERATOR_KEY).send().await.unwrap();
    assert_eq!(got.bytes().await.unwrap(), module("auto-insurance"));
}

#[tokio::test]
async fn keys_before_the_last_stay_known() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let old = market.full(&ping).await;
    let before = keys_of(&market.exchange.get("keys").await.body);
    assert_eq!(market.exchange.post("keys/rotate", json!({})).await.status, 201);
    let answer = market.exchange.get("keys").await.body;
    let keys = keys_of(&answer);
    assert_eq!(
        (keys.len(), keys[1], answer["keys"][0]["signs"] == json!(true)),
        (2, before[0], true)
    );
    assert!(answer["keys"][1]["until"].is_string() && answer["keys"][0]["until"].is_null());
    let new = market.full(&ping).await;
    let folder = modules();
    for receipt in [&old, &new] {
        let verified = checked(receipt, &keys, folder.path()).unwrap();
        assert!(verified.holds(), "{}", told(&verified));
    }
    let verified = checked(&new, &before, folder.path()).unwrap();
    assert!(!verified.holds(), "{}", told(&verified));
    assert_eq!(old["bids"], new["bids"]);

    let data: Arc<TempDir> = market.exchange.close().await;
    let again = Exchange::open_in(Arc::clone(&data)).await;
    assert_eq!(keys_of(&again.get("keys").await.body), keys);
    let after = again.get(&format!("auctions/{ping}?full=1")).await.body;
    assert_eq!(after["proof"]["signature"], new["proof"]["signature"]);
}

#[tokio::test]
async fn lists_go_on_from_a_cursor() {
    let market = Market::open().await;
    let mut pings = Vec::new();
    for year in 1970..1975 {
        let mut lead = auto_ping();
        lead["date_of_birth"] = json!(format!("{year}-04-12"));
        let ping = market.exchange.say(PING, &lead).await;
        pings.insert(0, ping.text("/ping_id").to_owned());
    }
    for who in ["operator", "web", "carol"] {
        let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
        loop {
            let page = market.get(who, &format!("auctions?{query}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            let auctions = page.body["auctions"].as_array().unwrap();
            assert!(auctions.len() <= 2);
            seen.extend(auctions.iter().map(|one| one["auction"].as_str().unwrap().to_owned()));
            match page.body["next"].as_u64() {
                Some(next) => query = format!("limit=2&before={next}"),
                None => break,
            }
        }
        assert_eq!(seen, pings, "{who}");
    }
    assert_eq!(market.get("carol", "auctions?before=x").await.status, 400);
}

#[tokio::test]
async fn a_buyers_key_is_shown_once_and_opens_nothing_else() {
    let market = Market::open().await;
    let delivery = json!({"url": "https://alfa.example/"});
    let again = market.exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
    assert_eq!((again.body["key"].is_null(), &again.body["keys"]), (true, &json!(1)));
    let second =
        market.exchange.put("buyers/alfa", json!({"delivery": delivery, "new_key": true})).await;
    assert!(second.text("/key").starts_with("gv_live_") && second.body["keys"] == json!(2));
    let taken = json!({"delivery": delivery, "key": crate::exchange::SOURCE_KEY});
    let taken = market.exchange.try_put("buyers/alfa", taken).await;
    assert_eq!((taken.status, taken.text("/field")), (422, "/key"), "{taken:?}");
    assert_eq!(market.get("alfa", "buyers/alfa/statement").await.status, 200);
    assert_eq!(market.get("alfa", "buyers/bravo/statement").await.status, 404);
    assert_eq!(market.get("other", "sources/web/statement").await.status, 404);
    for path in ["buyers", "ledger", "campaigns", "modules"] {
        assert_eq!(market.get("alfa", path).await.status, 401, "{path}");
    }
}

/// Runs the program and returns its exit code and what it printed.
async fn gavel(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = crate::crash::program::command();
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_verifies_at_a_terminal() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let (place, folder) = (TempDir::new().unwrap(), modules());
    let path = |name: &str| place.path().join(name).display().to_string();
    let (receipt, keys, modules) =
        (path("receipt.json"), path("keys.json"), folder.path().display().to_string());
    std::fs::write(&receipt, market.full(&ping).await.to_string()).unwrap();
    std::fs::write(&keys, market.exchange.get("keys").await.body.to_string()).unwrap();
    drop(market.exchange.close().await);

    let all = ["verify", &receipt, "--modules", &modules, "--key", &keys];
    let (code, printed) = gavel(&all, &[]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.starts_with("ok      signature   ed25519 by key "), "{printed}");
    assert!(printed.contains("ok      auction     held again: the same 3 bids"), "{printed}");
    let (code, printed) = gavel(&[&all[..], &["--json"]].concat(), &[]).await;
    let told: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &told["holds"], &told["held_again"]), (Some(0), &json!(true), &json!(true)));

    let forged = std::fs::read_to_string(&receipt).unwrap().replacen("\"9.88\"", "\"9.89\"", 1);
    std::fs::write(path("forged.json"), forged).unwrap();
    let (code, printed) =
        gavel(&["verify", &path("forged.json"), "--modules", &modules], &[]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("FAILED  contents"), "{printed}");
    let (code, printed) = gavel(&["verify", &keys], &[]).await;
    assert_eq!(code, Some(2), "{printed}");
    let empty = TempDir::new().unwrap();
    let (code, printed) =
        gavel(&["verify", &receipt, "--modules", &empty.path().display().to_string()], &[]).await;
    assert_eq!(code, Some(3), "{printed}");
    assert!(
        printed.contains("ok      signature")
            && printed.contains("/v1/modules/auto-insurance/versions/1"),
        "{printed}"
    );
    let (code, printed) = gavel(&["verify", &receipt, "--key", "nonsense"], &[]).await;
    assert_eq!(code, Some(2), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_is_the_same_from_the_exchange_and_from_its_directory() {
    let market = Market::open().await;
    let ping = market.sell().await;
    let url = market.exchange.url("");
    let key = [("GAVEL_OPERATOR_KEY", crate::exchange::OPERATOR_KEY)];
    let (code, running) = gavel(&["explain", &ping, "--exchange", &url], &key).await;
    assert_eq!(code, Some(0), "{running}");
    for line in [
        "alfa-auto bid most: 12.34 USD. It gets the copy.",
        "The best bid of a buyer that got none is 9.87 USD, of bravo-auto. One step above it: 9.87 + 0.01 = 9.88.",
        "delta-auto    no bid      the lead does not meet the campaign's criteria: age < 21 (age is 4",
        "alfa refused it: not for us. bravo comes next, at 5.44 USD.",
        "sum                           0.00",
    ] {
        assert!(running.contains(line), "{line}\n{running}");
    }
    let own = [("GAVEL_OPERATOR_KEY", market.keys["carol"].as_str().unwrap())];
    let (code, told) = gavel(&["explain", &ping, "--exchange", &url], &own).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("A bid of 12.35 USD would have won.") && !told.contains("alfa"),
        "{told}"
    );

    let data = market.exchange.close().await;
    let directory = data.path().display().to_string();
    let (code, stopped) = gavel(&["explain", &ping, "--data", &directory], &[]).await;
    assert_eq!(code, Some(0), "{stopped}");
    let story = |told: &str| told.split("\nsigned by").next().unwrap().trim_end().to_owned();
    assert_eq!(story(&stopped), story(&running.replace("\n  signed by", "\nsigned by")));
    let (code, printed) = gavel(&["explain", "pg_1", "--data", &directory], &[]).await;
    assert_eq!(code, Some(2), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_show_what_they_would_have_brought() {
    let market = Market::open().await;
    market.sell().await;
    let mut cheap = auto_ping();
    (cheap["zip"], cheap["state"]) = (json!("10025"), json!("NY"));
    let ping = market.exchange.say(PING, &cheap).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    let data = market.exchange.close().await;
    let directory = data.path().display().to_string();
    let replay =
        async |terms: &[&str]| gavel(&[&["replay", &directory][..], terms].concat(), &[]).await;

    let (code, printed) = replay(&["--reserve", "10.00", "--json"]).await;
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &found["leads"]), (Some(0), &json!(2)), "{printed}");
    // 9.88 and, where the list of bravo does not have the ZIP code, 5.44 become 10.00 each.
    assert_eq!(
        found["money"]["buyers_pay"],
        json!({"old": "15.32", "new": "20.00", "change": "4.68"})
    );
    assert_eq!((&found["awards"]["repriced"], &found["awards"]["lost"]), (&json!(2), &json!(0)));
    let (_, printed) = replay(&["--reserve", "20.00", "--json"]).await;
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        (&found["awards"]["lost"], &found["money"]["buyers_pay"]["new"]),
        (&json!(2), &json!("0.00"))
    );
    let (_, printed) =
        replay(&["--copies", "2", "--vertical", "auto-insurance", "--last", "1h"]).await;
    assert!(
        printed.contains("2 auctions of auto-insurance since ")
            && printed.contains("cleared again with copies 2"),
        "{printed}"
    );
    assert!(
        printed.contains("alfa-auto at 9.88 → alfa-auto at 5.44 and bravo-auto at 5.44")
            || printed.contains("alfa-auto and bravo-auto at 5.44"),
        "{printed}"
    );

    assert_eq!(replay(&[]).await.0, Some(0));
    assert_eq!(replay(&["--reserve", "-1"]).await.0, Some(2));
    assert_eq!(replay(&["--last", "1h"]).await.0, Some(2));
    assert_eq!(replay(&["--copies", "33"]).await.0, Some(2));
    assert_eq!(replay(&["--reserve", "1", "--vertical", "boats"]).await.0, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_shown_and_changed_at_a_terminal() {
    let exchange = Exchange::open().await;
    let url = exchange.url("");
    let key = [("GAVEL_OPERATOR_KEY", crate::exchange::OPERATOR_KEY)];
    let (code, first) = gavel(&["keys", "show", "--exchange", &url], &key).await;
    assert_eq!((code, first.lines().count()), (Some(0), 1), "{first}");
    let (code, both) = gavel(&["keys", "rotate", "--exchange", &url], &key).await;
    assert_eq!((code, both.lines().count()), (Some(0), 2), "{both}");
    let id = first.split(' ').next().unwrap();
    assert!(both.lines().nth(1).unwrap().starts_with(id) && both.contains("signed from"), "{both}");
    let data = exchange.close().await;
    let directory = data.path().display().to_string();
    let (code, third) = gavel(&["keys", "rotate", "--data", &directory], &[]).await;
    assert_eq!(code, Some(0), "{third}");
    let again = Exchange::open_in(data).await;
    let known = again.get("keys").await.body;
    assert_eq!(known["keys"].as_array().unwrap().len(), 3, "{known}");
    assert_eq!(known["keys"][0]["key"], third.split(' ').next().unwrap());
    let nowhere = TempDir::new().unwrap();
    let (code, printed) =
        gavel(&["keys", "show", "--data", &nowhere.path().display().to_string()], &[]).await;
    assert_eq!(code, Some(3), "{printed}");
}
