//! The program is killed while a lead is sent again by hand: it is not lost, and not sold twice.

use std::path::Path;
use std::time::Duration;

use gavel::clock::{Clock, Moment};
use serde_json::{Value, json};

use super::oracle::Recorded;
use super::program::{Door, Program, gavel};
use super::resolve;
use crate::exchange::{Buyer, until};
use crate::shipments::{given_up, market_of, vacant};

/// A program in which a lead was given up, and the buyer that is there by now.
struct GivenUp {
    data: std::sync::Arc<tempfile::TempDir>,
    buyer: Buyer,
    ping: String,
}

impl GivenUp {
    async fn of(
        idempotent: bool,
        script: impl Fn(usize) -> (u16, Value, Duration) + Send + Sync + 'static,
    ) -> Self {
        let vacant = vacant();
        // A little before now, so that its time is not over when the program opens.
        let begin = Clock::system().now().unix_ms() - 3_600_000;
        let clock = Clock::standing(Moment::from_unix_ms(begin));
        let url = format!("http://{vacant}/leads");
        let exchange = market_of(clock, json!({}), &url).await;
        let delivery = json!({"url": url, "timeout_ms": 20_000, "idempotent": idempotent});
        exchange.put("buyers/acme", json!({"delivery": delivery})).await;
        let (exchange, ping) = given_up(exchange, begin).await;
        let data = exchange.close().await;
        Self { data, buyer: Buyer::listening(vacant, script).await, ping }
    }

    fn data(&self) -> &Path {
        self.data.path()
    }

    async fn resend(&self, door: &Door) {
        let path = format!("auctions/{}/resend", self.ping);
        let answer = door.try_post(&path, b"{}".to_vec()).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }

    async fn status(&self, door: &Door) -> String {
        door.receipt(&self.ping).await["status"].as_str().unwrap().to_owned()
    }

    /// Says that the lead was sold once, and that everything recorded agrees.
    async fn check_sold_once(&self, program: Program) {
        let door = program.door();
        until("it is sold", async || self.status(&door).await == "sold").await;
        let acme = door.get("buyers/acme").await;
        assert_eq!((acme.text("/balance"), acme.text("/held")), ("98.00", "0.00"), "{acme:?}");
        assert_eq!(door.get("ledger").await.text("/total"), "0.00");
        let received = self.buyer.received();
        assert!(received.iter().all(|one| *one == received[0]), "another key or another lead");
        let recorded = Recorded::read(self.data()).await;
        assert_eq!((recorded.sales(), recorded.complaints()), (1, &[][..]));
        assert_eq!(recorded.ledger(), [""; 0]);
        assert_eq!(program.terminate().await.code(), Some(0));
        for command in [&["journal", "verify"][..], &["replay"], &["reconcile"]] {
            let (code, printed) = gavel(command, self.data()).await;
            assert_eq!(code, Some(0), "{command:?}: {printed}");
        }
    }
}

fn accepted(pause_s: u64) -> (u16, Value, Duration) {
    (200, json!({"status": "accepted", "id": "b-1"}), Duration::from_secs(pause_s))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_sent_again_is_sold_once_if_the_program_is_killed_at_its_buyer() {
    let given_up = GivenUp::of(true, |turn| accepted(if turn == 0 { 60 } else { 0 })).await;
    let program = Program::start(given_up.data()).await;
    given_up.resend(&program.door()).await;
    until("the buyer has it", async || given_up.buyer.received().len() == 1).await;
    program.kill().await;
    // A kill while it recovers, too.
    let mut opening = Program::spawn(given_up.data(), &[]);
    tokio::time::sleep(Duration::from_millis(60)).await;
    opening.kill().await.unwrap();
    let program = Program::start(given_up.data()).await;
    given_up.check_sold_once(program).await;
    assert_eq!(given_up.buyer.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_sent_again_that_its_buyer_may_have_waits_for_the_operators_word_after_a_kill() {
    let given_up = GivenUp::of(false, |turn| accepted(if turn == 0 { 60 } else { 0 })).await;
    let program = Program::start(given_up.data()).await;
    given_up.resend(&program.door()).await;
    until("the buyer has it", async || given_up.buyer.received().len() == 1).await;
    program.kill().await;
    let program = Program::start(given_up.data()).await;
    let door = program.door();
    until("its end is unknown", async || {
        door.get("shipments?status=unknown").await.body["shipments"][0]["held"] == "2.00"
    })
    .await;
    assert_eq!(given_up.status(&door).await, "pending");
    resolve(&door, &given_up.ping, "sold").await;
    given_up.check_sold_once(program).await;
    assert_eq!(given_up.buyer.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_sent_again_is_on_its_way_from_the_answer_on_whatever_happens_then() {
    let given_up = GivenUp::of(true, |_| accepted(0)).await;
    let program = Program::start(given_up.data()).await;
    given_up.resend(&program.door()).await;
    program.kill().await;
    let program = Program::start(given_up.data()).await;
    given_up.check_sold_once(program).await;
}
