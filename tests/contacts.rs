//! Contact data: sealed where it lies, open only on its way to a buyer, found by its print, and gone when it is erased.

mod traces;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use gavel::clock::{Clock, Moment};
use gavel::exchange::LEADS_OF_PERSON_MAX;
use gavel::facts::{ContactsSwept, Fact};
use gavel::ids::PingId;
use gavel::journal::{ContactChange, ContactRow, Journal, PersonRow, Record};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::program::{self, Door, Program};
use crate::exchange::{
    Buyer, Exchange, OPERATOR_KEY, SOURCE_KEY, auto_ping, auto_post, client, merged, reply, until,
};
use traces::{Person, nowhere};

/// A running program for auto insurance whose one buyer delivers to this end point, or to two.
async fn market(door: &Door, buyers: &[(&str, &Buyer, &str, bool)], terms: Value) {
    door.serve("auto-insurance").await;
    let usual = json!({"module": "auto-insurance", "reserve": "2.00", "increment": "0.01"});
    door.put("verticals/auto-insurance", merged(usual, terms)).await;
    door.put("sources/web", json!({"key": SOURCE_KEY})).await;
    for (name, buyer, price, idempotent) in buyers {
        let delivery = json!({"url": buyer.url(), "idempotent": idempotent, "timeout_ms": 1_000});
        door.with_buyer(name, delivery, json!({"price": price})).await;
    }
}

async fn sell(door: &Door, person: &Person) -> String {
    let ping = door.say("ping", None, &auto_ping()).await.unwrap().text("/ping_id").to_owned();
    let post = merged(auto_post(&ping), person.fields());
    // Nothing comes back if the program is killed meanwhile.
    let _answer = door.say("post", None, &post).await;
    ping
}

/// Waits until so many attempts to deliver the one lead are recorded.
async fn attempted(door: &Door, buyer: &Buyer, attempts: usize) {
    until("the attempts are recorded", async || {
        let received = buyer.received();
        let Some((_, body)) = received.first() else { return false };
        let receipt = door.receipt(body["ping_id"].as_str().unwrap()).await;
        receipt["deliveries"].as_array().unwrap().len() == attempts
    })
    .await;
}

/// What a buyer says that is busy twice.
fn busy_twice(turn: usize) -> (u16, Value, Duration) {
    match turn {
        0 | 1 => (429, json!({}), Duration::ZERO),
        _ => (200, json!({"status": "accepted"}), Duration::ZERO),
    }
}

fn lead_of(ping: &str) -> String {
    ping.replace("pg_", "ld_")
}

async fn erase(door: &Door, ping: &str) -> program::Answer {
    door.delete(&format!("leads/{}/contact", lead_of(ping)), json!({"why": "person-asked"})).await
}

/// A buyer that never answers in time, one that refuses, one that takes everything.
fn hangs(_: usize) -> (u16, Value, Duration) {
    (200, json!({"status": "accepted"}), Duration::from_secs(60))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_found_in_files_logs_and_metrics_not_even_in_the_middle_of_a_delivery() {
    let data = TempDir::new().unwrap();
    let log = TempDir::new().unwrap();
    let (slow, refuser) = (Buyer::scripted(hangs).await, Buyer::rejecting().await);
    let program = Program::start_logging(data.path(), &log.path().join("log"), "trace").await;
    let door = program.door();
    let buyers = [("refuser", &refuser, "12.00", false), ("slow", &slow, "9.00", true)];
    market(&door, &buyers, json!({})).await;
    let person = Person::new("Zebulon", "Quixotesson", "zq.9931@example.net", "7075550163");
    let posting = {
        let (door, person) = (door.clone(), person.clone());
        tokio::spawn(async move { sell(&door, &person).await })
    };
    until("the second buyer has the lead", async || !slow.received().is_empty()).await;
    assert_eq!(slow.received()[0].1["lead"]["email"], "zq.9931@example.net");
    // What is wrong about a person is not said with the person's own words.
    let mut wrong = merged(auto_post(""), person.fields());
    wrong["phone"] = json!("7075550163x77123");
    wrong["email"] = json!("zq.9931-at-example.net");
    wrong.as_object_mut().unwrap().remove("ping_id");
    door.say("full", None, &wrong).await.unwrap();
    door.send(
        "auto-insurance/full",
        format!("{{\"phone\":\"7075550163\",\"email\":{}", person.email),
    )
    .await;
    door.try_post("persons/find", br#"{"phone":"(707) 555-0163"}"#.to_vec()).await;
    let metrics = door.metrics().await;
    nowhere(&person, &[data.path(), log.path()], &[("metrics", metrics)]);
    program.kill().await;
    let _cut = posting.await;
    nowhere(&person, &[data.path(), log.path()], &[]);
    let said = std::fs::read_to_string(log.path().join("log")).unwrap();
    assert!(said.contains("TRACE") && said.lines().count() > 100, "the log says too little");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_delivered_from_its_sealed_data_after_a_crash_and_then_gone() {
    let data = TempDir::new().unwrap();
    let buyer = Buyer::scripted(busy_twice).await;
    let program = Program::start(data.path()).await;
    let door = program.door();
    market(&door, &[("first", &buyer, "9.00", false)], json!({})).await;
    let person = Person::new("Dana", "Sample", "dana@example.com", "2025550107");
    let posting = {
        let (door, person) = (door.clone(), person.clone());
        tokio::spawn(async move { sell(&door, &person).await })
    };
    attempted(&door, &buyer, 2).await;
    program.kill().await;
    let _cut = posting.await;
    let program = Program::start(data.path()).await;
    until("the lead is delivered", async || buyer.received().len() == 3).await;
    assert_eq!(buyer.received()[2].1["lead"]["phone"], "+12025550107");
    // The buyer has the lead a moment before its answer is recorded; until then nobody knows.
    until("the disclosure is certain", async || {
        let found = find(&program.door(), json!({"phone": "202-555-0107"})).await;
        let shown = found["leads"][0]["disclosures"].as_array().unwrap();
        shown.last().unwrap()["disclosed"] == "yes"
    })
    .await;
    until("the sealed data is gone", async || {
        find(&program.door(), json!({"email": "DANA@example.com"})).await["leads"][0]["contact"]
            == "gone"
    })
    .await;
}

async fn find(door: &Door, person: Value) -> Value {
    let answer = door.try_post("persons/find", person.to_string().into_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_a_disclosure_in_the_receipt() {
    let data = TempDir::new().unwrap();
    let slow_once = |turn| {
        let pause = Duration::from_millis(if turn == 0 { 1_500 } else { 0 });
        (200, json!({"status": "accepted"}), pause)
    };
    let (refuser, patient) = (Buyer::rejecting().await, Buyer::scripted(slow_once).await);
    let program = Program::start(data.path()).await;
    let door = program.door();
    let buyers = [("refuser", &refuser, "12.00", false), ("patient", &patient, "9.00", true)];
    market(&door, &buyers, json!({})).await;
    let ping = sell(&door, &Person::new("A", "B", "a@example.com", "2025550101")).await;
    until("it is sold", async || door.receipt(&ping).await["status"] == "sold").await;
    let receipt = door.receipt(&ping).await;
    let told = receipt["disclosures"].as_array().unwrap().iter().map(|one| {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        format!("{} {} {}", text("buyer"), one["attempt"], text("disclosed"))
    });
    let told: Vec<String> = told.collect();
    assert_eq!(told.join(", "), "refuser 1 yes, patient 1 maybe, patient 2 yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_lead_is_asked_for_no_more_and_its_money_is_free() {
    let data = TempDir::new().unwrap();
    let closed = Buyer::scripted(|_| (503, json!({}), Duration::ZERO)).await;
    let second = Buyer::accepting().await;
    let program = Program::start(data.path()).await;
    let door = program.door();
    let buyers = [("closed", &closed, "12.00", false), ("second", &second, "9.00", false)];
    market(&door, &buyers, json!({})).await;
    let person = Person::new("Ada", "Byron", "ada@example.org", "2025550111");
    let mut impatient = auto_ping();
    impatient["deadline_ms"] = json!(300);
    let ping = door.say("ping", None, &impatient).await.unwrap().text("/ping_id").to_owned();
    let mut post = merged(auto_post(&ping), person.fields());
    post["deadline_ms"] = json!(300);
    door.say("post", None, &post).await.unwrap();
    until("an attempt failed", async || {
        !door.receipt(&ping).await["deliveries"].as_array().unwrap().is_empty()
    })
    .await;
    let erased = erase(&door, &ping).await;
    assert_eq!(erased.status, 200, "{erased:?}");
    assert_eq!(
        (erased.body["again"].as_bool(), &erased.body["voided"]),
        (Some(false), &json!([0]))
    );
    assert_eq!(erased.body["overwritten"], true, "{erased:?}");
    assert_eq!(door.get("buyers/closed").await.text("/held"), "0.00");
    let receipt = door.receipt(&ping).await;
    assert_eq!(receipt["status"], "unsold");
    assert_eq!(
        (receipt["erased"]["why"].as_str(), receipt["erased"]["by"].as_str()),
        (Some("person-asked"), Some("operator"))
    );
    let again = erase(&door, &ping).await;
    assert_eq!((again.status, again.body["again"].as_bool()), (200, Some(true)), "{again:?}");
    assert_eq!(again.body["erased_at"], erased.body["erased_at"]);
    assert_eq!(find(&door, json!({"phone": "2025550111"})).await["leads"], json!([]));
    let asked = closed.received().len();
    // Longer than the pause before the next attempt would have been.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((closed.received().len(), second.received().len()), (asked, 0));
    assert_eq!(program.terminate().await.code(), Some(0));
    let (code, printed) = program::gavel(&["replay"], data.path()).await;
    assert_eq!(code, Some(0), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_a_buyer_may_have_stays_with_it_when_it_is_erased() {
    let data = TempDir::new().unwrap();
    let slow =
        Buyer::scripted(|_| (200, json!({"status": "accepted"}), Duration::from_secs(60))).await;
    let second = Buyer::accepting().await;
    let program = Program::start(data.path()).await;
    let door = program.door();
    let buyers = [("slow", &slow, "12.00", true), ("second", &second, "9.00", false)];
    market(&door, &buyers, json!({})).await;
    let person = Person::new("Ada", "Byron", "ada@example.org", "2025550111");
    let posting = {
        let (door, person) = (door.clone(), person.clone());
        tokio::spawn(async move { sell(&door, &person).await })
    };
    until("the buyer has the lead", async || !slow.received().is_empty()).await;
    let ping = slow.received()[0].1["ping_id"].as_str().unwrap().to_owned();
    let erased = erase(&door, &ping).await;
    assert_eq!(erased.body["voided"], json!([]), "{erased:?}");
    until("the attempt's end is unknown", async || {
        !door.receipt(&ping).await["deliveries"].as_array().unwrap().is_empty()
    })
    .await;
    let receipt = door.receipt(&ping).await;
    let last = &receipt["deliveries"][0];
    assert_eq!((last["outcome"].as_str(), &last["again_at"]), (Some("unknown"), &Value::Null));
    assert_eq!(door.get("buyers/slow").await.text("/held"), "9.01");
    let word = json!({"outcome": "rejected", "note": "they have it not"}).to_string();
    door.post(&format!("auctions/{ping}/resolve"), word.into_bytes()).await;
    assert_eq!(door.receipt(&ping).await["status"], "unsold");
    assert_eq!((slow.received().len(), second.received().len()), (1, 0), "nobody else is asked");
    program.kill().await;
    let _cut = posting.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_data_is_kept_as_long_as_the_vertical_says_and_no_longer() {
    let start = Moment::from_unix_ms(1_767_225_600_000);
    let clock = Clock::standing(start);
    let retention = json!({"retention": {"contact_hours": 2, "person_days": 3}});
    let exchange = Exchange::with_auto(clock.clone(), retention).await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("first", &buyer.url(), "9.00").await;
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await.text("/ping_id").to_owned();
    let sold = exchange.say("auto-insurance/post", &auto_post(&ping)).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    let known = async || {
        let person = json!({"phone": "2025550107"});
        let found = exchange.post("persons/find", person).await.body;
        found["leads"][0]["contact"].as_str().unwrap_or("nobody").to_owned()
    };
    assert_eq!(known().await, "sealed");
    clock.set(start.after(Duration::from_secs(2 * 3_600 + 1)));
    until("the contact data is swept", async || known().await == "gone").await;
    clock.set(start.after(Duration::from_secs(3 * 86_400 + 1)));
    until("the print is swept", async || known().await == "nobody").await;
    let erased = exchange.erase(&lead_of(&ping)).await;
    assert_eq!(erased.status, 404, "{erased:?}");
    assert!(erased.text("/detail").contains("no contact data kept for lead ld_"), "{erased:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_for_ever_about_an_erasure_names_nobody() {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    for (by, why) in [
        ("dana@example.com", "person-asked"),
        ("operator", "phone-2025550107"),
        ("operator", "Dana asked"),
        ("", "person-asked"),
        ("operator", &"x".repeat(65)),
    ] {
        let body = json!({"phone": "2025550107", "by": by, "why": why});
        let refused = exchange.post("persons/erase", body).await;
        assert_eq!((refused.status, refused.text("/code")), (422, "invalid"), "{by} {why}");
        assert!(refused.text("/detail").contains("must not name the person"), "{refused:?}");
    }
    for nobody in [json!({}), json!({"phone": "none"}), json!({"email": "  "})] {
        let refused = exchange.post("persons/find", nobody).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.text("/detail").contains("names nobody: expected"), "{refused:?}");
    }
}

/// Has the journal of a closed exchange keep so many leads of one person.
async fn keep(data: &Path, leads: u128, print: [u8; 32]) {
    let journal = Journal::open(data).await.unwrap().start().unwrap();
    let mut last = None;
    for subject in 1..=leads {
        let fact = Fact::ContactsSwept(ContactsSwept { pings: Vec::new(), persons_before_ms: 0 });
        let contact = ContactRow { subject, sealed: vec![1], key: vec![1] };
        let persons = vec![PersonRow { print, subject, until: Moment::from_unix_ms(i64::MAX) }];
        let record = Record {
            kind: fact.kind(),
            payload: fact.encode(),
            contact: Some(ContactChange::Put { contact, persons }),
            ..Record::default()
        };
        last = Some(journal.seat().await.unwrap().fill(record));
    }
    last.unwrap().wait().await.unwrap();
    journal.close().await;
}

#[tokio::test]
async fn a_person_is_erased_from_every_lead_however_many_there_are() {
    let exchange = Exchange::open().await;
    let print = exchange.phone_print("2025550107");
    let data = exchange.close().await;
    let most = u128::try_from(LEADS_OF_PERSON_MAX).unwrap();
    keep(data.path(), most + 5, print).await;
    let exchange = Exchange::open_in(data).await;
    let phone = json!({"phone": "(202) 555-0107"});
    let found = exchange.post("persons/find", phone.clone()).await.body;
    let listed = found["leads"].as_array().unwrap();
    assert_eq!((listed.len(), &found["more"]), (LEADS_OF_PERSON_MAX, &json!(true)));
    assert_eq!(
        listed[0]["lead_id"],
        PingId::from_u128(most + 5).lead().to_string(),
        "newest first"
    );
    let erased = exchange.post("persons/erase", phone.clone()).await.body;
    assert_eq!(erased["erased"], LEADS_OF_PERSON_MAX + 5);
    assert_eq!(erased["leads"].as_array().unwrap().len(), LEADS_OF_PERSON_MAX + 5);
    let found = exchange.post("persons/find", phone).await.body;
    assert_eq!(found, json!({"leads": [], "more": false}));
}

async fn gavel(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = program::command();
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_a_terminal() {
    let data = TempDir::new().unwrap();
    let buyer = Buyer::accepting().await;
    let program = Program::start(data.path()).await;
    let door = program.door();
    market(&door, &[("acme", &buyer, "9.00", false)], json!({})).await;
    let person = Person::new("Ada", "Byron", "ada@example.org", "2025550111");
    let ping = sell(&door, &person).await;
    let url = format!("http://{}", program.address());
    let asked = async |arguments: &[&str]| {
        let arguments = [&["erase", "--exchange", &url], arguments].concat();
        gavel(&arguments, &[("GAVEL_OPERATOR_KEY", OPERATOR_KEY)]).await
    };
    let lead = lead_of(&ping);
    let (code, printed) = asked(&["--find", "--email", "Ada@example.org"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.starts_with(&format!("{lead}  contact data is gone;")), "{printed}");
    let (code, printed) = asked(&["--phone", "(202) 555-0111"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.starts_with(&format!("{lead}  erased at 20")), "{printed}");
    assert!(printed.contains("ask them to erase it as well: acme"), "{printed}");
    let (_, printed) = asked(&["--phone", "(202) 555-0111"]).await;
    assert!(printed.starts_with("no lead of this person is known here"), "{printed}");
    let (code, printed) = asked(&[&lead]).await;
    assert!(code == Some(0) && printed.contains("was erased before"), "{printed}");
    let (code, printed) = asked(&["ld_01m80dtmxb0cxhc6kwpf168jec"]).await;
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("nothing was posted for it"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_changed_and_another_one_is_refused() {
    let data = TempDir::new().unwrap();
    let keys = TempDir::new().unwrap();
    let buyer = Buyer::scripted(busy_twice).await;
    let program = Program::start(data.path()).await;
    market(&program.door(), &[("acme", &buyer, "9.00", false)], json!({})).await;
    let person = Person::new("Ada", "Byron", "ada@example.org", "2025550111");
    let door = program.door();
    let posting = tokio::spawn(async move { sell(&door, &person).await });
    attempted(&program.door(), &buyer, 2).await;
    program.kill().await;
    let _cut = posting.await;
    let before = std::fs::read(data.path().join("master.key")).unwrap();
    let directory = data.path().to_str().unwrap();
    let new = keys.path().join("new.key");
    let new = new.to_str().unwrap();
    let (code, printed) = gavel(&["master-key", "rotate", directory, "--new", new], &[]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.starts_with("1 leads' keys were under master key "), "{printed}");
    let refused = Program::try_start(data.path()).await.err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.printed.contains("is not the one under which this exchange's contact data lies"),
        "{refused:?}"
    );
    let program = Program::start_with(data.path(), &["--master-key", new]).await;
    until("the lead is delivered under the new key", async || buyer.received().len() == 3).await;
    assert_eq!(buyer.received()[2].1["lead"]["email"], "ada@example.org");
    let (code, printed) =
        gavel(&["master-key", "rotate", directory, "--master-key", new], &[]).await;
    assert!(code == Some(3) && printed.contains("stop the exchange first"), "{printed}");
    assert_eq!(program.terminate().await.code(), Some(0));
    // In its own place, without a name for the new one.
    let (code, printed) =
        gavel(&["master-key", "rotate", directory, "--master-key", new], &[]).await;
    assert!(code == Some(0) && printed.contains("the new master key is in "), "{printed}");
    assert_ne!(std::fs::read(new).unwrap(), before);
    assert_eq!(
        Program::start_with(data.path(), &["--master-key", new]).await.terminate().await.code(),
        Some(0)
    );
}

/// What a kill at this moment would leave, in another directory.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_database_opens_nothing_without_its_master_key() {
    let (data, stolen) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let buyer = Buyer::scripted(hangs).await;
    let program = Program::start(data.path()).await;
    market(&program.door(), &[("acme", &buyer, "9.00", true)], json!({})).await;
    let person = Person::new("Ada", "Byron", "ada@example.org", "2025550111");
    let door = program.door();
    let posting = tokio::spawn(async move { sell(&door, &person).await });
    until("the buyer has the lead", async || !buyer.received().is_empty()).await;
    copy(data.path(), stolen.path());
    program.kill().await;
    let _cut = posting.await;
    std::fs::remove_file(stolen.path().join("master.key")).unwrap();
    let refused = Program::try_start(stolen.path()).await.err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.printed.contains("there is no master key in"), "{refused:?}");
    assert!(!stolen.path().join("master.key").exists(), "none is made in its place");
    let given = "00".repeat(32);
    let options: &[(&str, &str)] =
        &[("GAVEL_MASTER_KEY", &given), ("GAVEL_OPERATOR_KEY", OPERATOR_KEY)];
    let directory = stolen.path().to_str().unwrap();
    let (code, printed) =
        gavel(&["serve", "--listen", "127.0.0.1:0", "--data", directory], options).await;
    assert!(code == Some(3) && printed.contains("is not the one under which"), "{printed}");
    let malformed: &[(&str, &str)] =
        &[("GAVEL_MASTER_KEY", "secret"), ("GAVEL_OPERATOR_KEY", OPERATOR_KEY)];
    let (code, printed) =
        gavel(&["serve", "--listen", "127.0.0.1:0", "--data", directory], malformed).await;
    assert!(code == Some(2) && printed.contains("GAVEL_MASTER_KEY is no master key"), "{printed}");
    drop(Arc::new(stolen));
}

/// Returns whether some bytes are in any file of a directory.
fn anywhere(directory: &Path, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.is_file());
    files
        .any(|path| std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes))
}

#[tokio::test]
async fn a_body_with_contact_data_is_known_by_a_digest_that_nobody_can_try() {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let ping_body = auto_ping();
    let ping = exchange.say("auto-insurance/ping", &ping_body).await;
    let post_body = auto_post(ping.text("/ping_id"));
    let post = exchange.say("auto-insurance/post", &post_body).await;
    assert_eq!(post.text("/status"), "sold", "{post:?}");
    // The same post again is known all the same, and another is not the same.
    assert_eq!(exchange.say("auto-insurance/post", &post_body).await.text("/status"), "sold");
    let other = merged(post_body.clone(), json!({"last_name": "Other"}));
    assert_eq!(exchange.say("auto-insurance/post", &other).await.status, 422);
    let full_body = merged(auto_ping(), auto_post("x"));
    let full_body = merged(full_body, json!({"zip": "94105", "ping_id": null}));
    let full = exchange.say("auto-insurance/full", &full_body).await;
    assert_eq!(full.text("/status"), "sold", "{full:?}");
    let named = json!({"phone": "2025550107", "why": "person-asked"}).to_string();
    let request = client().post(exchange.url("/v1/persons/erase")).bearer_auth(OPERATOR_KEY);
    let request = request.header("idempotency-key", "k-1").body(named.clone());
    assert_eq!(reply(request).await.status, 200);
    let data = exchange.close().await;
    let length = u64::try_from(named.len()).unwrap().to_be_bytes();
    let guessed = gavel::ids::Digest::of(&[&length, named.as_bytes()].concat());
    assert!(!anywhere(data.path(), guessed.as_bytes()), "an operator's call names its person");
    let known = |body: &Value| {
        anywhere(data.path(), gavel::ids::Digest::of(body.to_string().as_bytes()).as_bytes())
    };
    assert!(known(&ping_body), "a ping's is its SHA-256");
    assert!(!known(&post_body) && !known(&other) && !known(&full_body));
}

#[tokio::test]
async fn no_backup_opens_an_erased_lead_whether_it_was_taken_before_or_after() {
    let clock = Clock::standing(Moment::from_unix_ms(1_767_625_200_000));
    let retention = json!({"retention": {"contact_hours": 72}});
    let exchange = Exchange::with_auto(clock, retention).await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let person = Person::new("Zebulon", "Quixotesson", "zq@example.net", "2025550143");
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await.text("/ping_id").to_owned();
    let post = merged(auto_post(&ping), person.fields());
    assert_eq!(exchange.say("auto-insurance/post", &post).await.text("/status"), "sold");
    let (before, after) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let data = exchange.data.path();
    let copy = async |to: &TempDir| {
        let (from, to) = (data.to_str().unwrap(), to.path().join("copy"));
        let output = program::command()
            .args(["backup", "--data", from, "--to", to.to_str().unwrap()])
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        to
    };
    let early = copy(&before).await;
    assert_eq!(exchange.erase(&lead_of(&ping)).await.status, 200);
    let late = copy(&after).await;
    for backup in [&early, &late] {
        // The master key of the exchange beside it helps nobody: the lead's own key is in no backup.
        std::fs::copy(data.join("master.key"), backup.join("master.key")).ok();
        for plain in ["Quixotesson", "zq@example.net", "2025550143"] {
            assert!(!anywhere(backup, plain.as_bytes()), "{plain} in {}", backup.display());
        }
        let journal =
            gavel::journal::Journal::open(backup.as_path()).await.unwrap().start().unwrap();
        let kept = journal.contact(gavel::ids::PingId::parse(&ping).unwrap().as_u128()).await;
        assert!(kept.unwrap().is_none(), "{}", backup.display());
        journal.close().await;
    }
}
