//! How the journal is kept: on a server, on a disk that fills up, watched, copied, and read by later programs.

use std::fs::Permissions;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gavel::config::{Config, Keeping};
use gavel::exchange::replay;
use gavel::journal::{FreeSpace, Place, Reading, back_up};
use gavel::sandbox::Compiler;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::program::{Program, gavel};
use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, until};
use crate::postgres::Server;

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";

fn data() -> Arc<TempDir> {
    Arc::new(TempDir::new().unwrap())
}

async fn kept(data: &Arc<TempDir>, keeping: Keeping) -> Exchange {
    Exchange::open_as(Arc::clone(data), |config| Config { keeping, ..config }).await
}

async fn sell(exchange: &Exchange) -> (String, Value) {
    let ping = exchange.say(PING, &auto_ping()).await.text("/ping_id").to_owned();
    let post = exchange.say(POST, &auto_post(&ping)).await;
    (ping, post.body)
}

/// Everything that was recorded holds and comes out the same again.
async fn assert_holds(place: impl Into<Place>) {
    let found = replay(place, Compiler::InProcess, |_| ()).await.unwrap();
    assert!(found.auctions > 0 && found.differences.is_empty(), "{found:?}");
}

#[tokio::test]
async fn an_exchange_on_postgresql_sells_stops_and_goes_on() {
    let url = tokio::task::spawn_blocking(|| Server::shared().database()).await.unwrap();
    let keeping = Keeping { database: Some(url.parse().unwrap()), ..Keeping::default() };
    let (data, buyer) = (data(), Buyer::accepting().await);
    let exchange = kept(&data, keeping.clone()).await;
    exchange.trade("auto-insurance", json!({"duplicate_window_seconds": 0})).await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let (first, sold) = sell(&exchange).await;
    assert_eq!(sold["status"], "sold", "{sold}");
    let receipt = exchange.receipt(&first).await;
    exchange.close().await;
    assert!(!data.path().join("journal.db").exists());

    let exchange = kept(&data, keeping.clone()).await;
    assert_eq!(exchange.receipt(&first).await, receipt);
    let (_, again) = sell(&exchange).await;
    assert_eq!(again["status"], "sold", "{again}");
    assert_eq!(exchange.get("ledger").await.body["total"], "0.00");
    exchange.close().await;
    assert_eq!(buyer.received().len(), 2);
    // Without its address too: the directory knows it.
    assert_holds(data.path()).await;
    let database = keeping.database;
    assert_holds(Place { directory: data.path().into(), database, ..Place::default() }).await;
}

#[tokio::test]
async fn on_postgresql_a_key_is_never_called_overwritten() {
    let url = tokio::task::spawn_blocking(|| Server::shared().database()).await.unwrap();
    let keeping = Keeping { database: Some(url.parse().unwrap()), ..Keeping::default() };
    let (data, buyer) = (data(), Buyer::accepting().await);
    let exchange = kept(&data, keeping).await;
    exchange.trade("auto-insurance", json!({})).await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let (ping, sold) = sell(&exchange).await;
    assert_eq!(sold["status"], "sold", "{sold}");
    for again in [false, true] {
        let erased = exchange.erase(&ping.replace("pg_", "ld_")).await.body;
        assert_eq!((&erased["again"], &erased["overwritten"]), (&json!(again), &json!(false)));
    }
}

#[tokio::test]
async fn a_program_on_postgresql_is_read_beside_and_refuses_a_second_one() {
    let url = tokio::task::spawn_blocking(|| Server::shared().database()).await.unwrap();
    let (data, other) = (data(), data());
    let options = ["--database", &url];
    let program = Program::start_with(data.path(), &options).await;
    program.door().put("sources/web", json!({"margin_percent": "10"})).await;
    let second = Program::try_start_with(other.path(), &options).await.err().unwrap();
    assert_eq!(second.code, Some(3));
    assert!(second.printed.contains("is in use by another process"), "{second:?}");
    let (code, printed) = gavel(&["journal", "verify"], data.path()).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("the journal holds: "), "{printed}");
    let (code, printed) = gavel(&["journal", "show", "--database", &url], data.path()).await;
    assert!(code == Some(0) && printed.contains("saved"), "{printed}");
    let (code, printed) = gavel(&["backup", "--to", "copy.db", "--data"], data.path()).await;
    assert_eq!(code, Some(2));
    let dump = "pg_dump --format=custom --exclude-table-data=contact_key";
    assert!(printed.contains(dump), "{printed}");
    assert_eq!(program.terminate().await.code(), Some(0));
    let refused = Program::try_start(data.path()).await.err().unwrap();
    assert!(refused.printed.contains("start with --database"), "{refused:?}");
}

#[tokio::test]
async fn a_disk_that_is_almost_full_takes_no_new_leads_but_finishes_sales() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let told = Arc::clone(&free);
    let keeping = Keeping {
        disk_low_bytes: 1_000,
        free_space: FreeSpace::told_by(move |_| Ok(told.load(Ordering::SeqCst))),
        ..Keeping::default()
    };
    let buyer = Buyer::accepting().await;
    let exchange = kept(&data(), keeping).await;
    exchange.trade("auto-insurance", json!({"duplicate_window_seconds": 0})).await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let ping = exchange.say(PING, &auto_ping()).await.text("/ping_id").to_owned();

    free.store(999, Ordering::SeqCst);
    until("new pings are refused", async || exchange.say(PING, &auto_ping()).await.status == 503)
        .await;
    let refused = exchange.say(PING, &auto_ping()).await;
    assert_eq!(refused.text("/code"), "disk-low", "{refused:?}");
    assert_eq!(refused.retry_after.as_deref(), Some("30"));
    let full = exchange.say("auto-insurance/full", &auto_post("")).await;
    assert_eq!((full.status, full.text("/code")), (503, "disk-low"), "{full:?}");
    // What was promised before is kept, and money may come in.
    let post = exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(post.text("/status"), "sold", "{post:?}");
    exchange.deposit("acme", "5.00").await;
    let metrics = reqwest::get(exchange.url("/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("gavel_problems_total{code=\"disk-low\"}"), "{metrics}");

    free.store(1_000, Ordering::SeqCst);
    until("new pings are taken", async || exchange.say(PING, &auto_ping()).await.status == 200)
        .await;
    exchange.close().await;
}

#[tokio::test]
async fn a_running_exchange_finds_damage_by_itself() {
    let data = data();
    let exchange = kept(&data, Keeping::default()).await;
    exchange.put("sources/web", json!({"margin_percent": "12.3456"})).await;
    exchange.close().await;
    let file = data.path().join("journal.db");
    let bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(7).position(|text| text == b"12.3456").unwrap();

    let keeping = Keeping { scrub_every: Duration::from_millis(50), ..Keeping::default() };
    let exchange = kept(&data, keeping).await;
    let metric = async |line: &str| {
        let metrics = reqwest::get(exchange.url("/metrics")).await.unwrap().text().await.unwrap();
        metrics.lines().any(|found| found == line)
    };
    until("it holds", async || metric("gavel_journal_damaged 0").await).await;
    let file = std::fs::File::options().write(true).open(file).unwrap();
    file.write_all_at(b"9", u64::try_from(at).unwrap()).unwrap();
    until("the damage is found", async || metric("gavel_journal_damaged 1").await).await;
    exchange.close().await;
}

#[tokio::test]
async fn a_backup_of_a_running_exchange_is_served_and_nothing_is_delivered_twice() {
    let copy = TempDir::new().unwrap();
    let slow = |turn| if turn == 1 { Duration::from_secs(4) } else { Duration::ZERO };
    let taken = json!({"status": "accepted", "id": "b-1"});
    let buyer = Buyer::scripted(move |turn| (200, taken.clone(), slow(turn))).await;
    let exchange = Arc::new(kept(&data(), Keeping::default()).await);
    exchange.trade("auto-insurance", json!({"duplicate_window_seconds": 0})).await;
    let delivery = json!({"url": buyer.url(), "timeout_ms": 8_000});
    exchange.put("buyers/acme", json!({"delivery": delivery})).await;
    exchange.deposit("acme", "1000.00").await;
    let campaign = json!({"buyer": "acme", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/acme-auto", campaign).await;
    let (done, sold) = sell(&exchange).await;
    assert_eq!(sold["status"], "sold");
    // The second lead is on its way to the buyer while the copy is made.
    let selling = Arc::clone(&exchange);
    let under_way = tokio::spawn(async move { sell(&selling).await });
    until("the second lead is sent", async || buyer.received().len() == 2).await;
    let traffic = Arc::clone(&exchange);
    let pinging = tokio::spawn(async move {
        for _ in 0..50 {
            traffic.say(PING, &auto_ping()).await;
        }
    });
    let made = back_up(exchange.data.path(), copy.path(), |copied, of| assert!(copied <= of));
    let made = made.await.unwrap();
    assert_eq!(made.audit.sum(), 0);
    pinging.await.unwrap();
    let (second, sold) = under_way.await.unwrap();
    assert_eq!(sold["status"], "sold", "{sold}");
    let original = Arc::into_inner(exchange).unwrap().close().await;
    let master_key = original.path().join("master.key");

    assert_holds(copy.path()).await;
    // The master key is no part of a copy.
    std::fs::copy(&master_key, copy.path().join("master.key")).unwrap();
    let restored = kept(&Arc::new(copy), Keeping::default()).await;
    assert_eq!(restored.receipt(&done).await["status"], "sold");
    // Nobody knows from the copy how the second one ended, and the buyer does not promise to know it again.
    until("the second is unknown", async || {
        restored.receipt(&second).await["deliveries"][0]["outcome"] == "unknown"
    })
    .await;
    assert_eq!(sell(&restored).await.1["status"], "sold");
    restored.close().await;
    let sent: Vec<String> = buyer.received().into_iter().map(|(key, _)| key).collect();
    assert_eq!(sent.len(), 3, "{sent:?}");
}

#[tokio::test]
async fn the_command_backs_up_beside_a_running_program() {
    let (data, place) = (data(), TempDir::new().unwrap());
    let program = Program::start(data.path()).await;
    program.door().put("sources/web", json!({"margin_percent": "10"})).await;
    let to = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    for name in ["copy.db", "copy"] {
        let (code, printed) = gavel(&["backup", "--to", &to(name), "--data"], data.path()).await;
        assert_eq!(code, Some(0), "{printed}");
        assert!(printed.contains("the copy holds: "), "{printed}");
        let (code, printed) = gavel(&["backup", "--to", &to(name), "--data"], data.path()).await;
        assert_eq!(code, Some(2), "{printed}");
        assert!(printed.contains("is there already"), "{printed}");
    }
    program.kill().await;
    let mut left: Vec<_> =
        std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["copy", "copy.db"]);
    let (code, printed) = gavel(&["journal", "verify"], Path::new(&to("copy"))).await;
    assert_eq!(code, Some(0), "{printed}");
    let refused = Program::try_start(Path::new(&to("copy"))).await.err().unwrap();
    assert!(refused.printed.contains("master"), "{refused:?}");
    std::fs::copy(data.path().join("master.key"), format!("{}/master.key", to("copy"))).unwrap();
    let restored = Program::start(Path::new(&to("copy"))).await;
    restored.terminate().await;
}

/// What an exchange of an earlier version left, to be opened by this one.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/journal");

/// Makes the fixture anew if `GAVEL_NEW_FIXTURE` is set: when a version is released, or facts change before one is.
#[tokio::test]
async fn a_journal_of_an_earlier_version_opens_and_replays() {
    if std::env::var_os("GAVEL_NEW_FIXTURE").is_some() {
        make_fixture().await;
    }
    let here = data();
    for name in ["journal.db", "anchor", "master.key"] {
        std::fs::copy(Path::new(FIXTURE).join(name), here.path().join(name)).unwrap();
    }
    // A checkout gives everybody leave to read its files.
    let private = Permissions::from_mode(0o600);
    std::fs::set_permissions(here.path().join("master.key"), private).unwrap();
    let reading = Reading::open(here.path()).await.unwrap();
    let before = reading.verify().await.unwrap().head();
    reading.close().await;
    assert_holds(here.path()).await;
    let exchange = kept(&here, Keeping::default()).await;
    assert_eq!(exchange.get("ledger").await.body["total"], "0.00");
    let auctions = exchange.get("auctions").await;
    assert!(
        auctions.body["auctions"].as_array().is_some_and(|all| !all.is_empty()),
        "{auctions:?}"
    );
    let lead = exchange.request("hostile/ping", "text/plain", "one more").send().await.unwrap();
    assert_eq!(lead.status(), 200);
    exchange.close().await;
    let reading = Reading::open(here.path()).await.unwrap();
    assert!(reading.verify().await.unwrap().head().seq > before.seq);
    reading.close().await;
}

async fn make_fixture() {
    let (data, copy) = (data(), TempDir::new().unwrap());
    let buyer = Buyer::accepting().await;
    let exchange = kept(&data, Keeping::default()).await;
    for module in ["hostile-normalizer", "zip-list"] {
        exchange.serve(module).await;
    }
    let vertical = json!({"module": "hostile-normalizer", "reserve": "2.00", "increment": "0.01"});
    exchange.put("verticals/hostile", vertical).await;
    exchange
        .put("sources/web", json!({"key": crate::exchange::SOURCE_KEY, "margin_percent": "10"}))
        .await;
    for (name, price) in [("acme", "12.00"), ("bravo", "9.00")] {
        exchange.put(&format!("buyers/{name}"), json!({"delivery": {"url": buyer.url()}})).await;
        exchange.deposit(name, "100.00").await;
        let filter = json!({"module": "zip-list", "settings": {"zips": ["90210"]}});
        let campaign =
            json!({"buyer": name, "vertical": "hostile", "price": price, "filter": filter});
        exchange.put(&format!("campaigns/{name}"), campaign).await;
    }
    let sold =
        exchange.request("hostile/full", "text/plain", "an honest lead").send().await.unwrap();
    assert!(sold.text().await.unwrap().contains("sold"));
    let held =
        exchange.request("hostile/ping", "text/plain", "another honest lead").send().await.unwrap();
    assert_eq!(held.status(), 200);
    exchange.close().await;
    back_up(data.path(), copy.path(), |_, _| ()).await.unwrap();
    std::fs::create_dir_all(FIXTURE).unwrap();
    for name in ["journal.db", "anchor", "master.key"] {
        let from = if name == "master.key" { data.path() } else { copy.path() };
        std::fs::copy(from.join(name), Path::new(FIXTURE).join(name)).unwrap();
    }
}
