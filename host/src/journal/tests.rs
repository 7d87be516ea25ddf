//! What the journal promises, tried out on real files.

mod damage;
mod stopping;

use std::convert::Infallible;
use std::path::Path;

use super::*;
use crate::storage::tamper;

/// Fact number `n` of a test: every third is about nothing, the others about ping `n / 3`; every second moves money.
fn record(n: u64) -> Record {
    let amount = Micros::new(1_000 + i64::try_from(n).unwrap());
    let entry = |account: &str, amount| Entry { account: account.to_owned(), amount, code: "sale" };
    let back = Micros::ZERO.checked_sub(amount).unwrap();
    Record {
        at: Moment::from_unix_ms(1_767_225_600_000 + i64::try_from(n).unwrap()),
        subject: (!n.is_multiple_of(3)).then_some(u128::from(n / 3)),
        kind: 7,
        payload: format!("fact number {n}").into_bytes(),
        entries: match n % 2 {
            0 => vec![entry("buyer:acme:prepaid", amount), entry("source:x:payable", back)],
            _ => Vec::new(),
        },
        ..Record::default()
    }
}

async fn open(directory: &Path) -> Journal {
    let mut opened = Journal::open(directory).await.unwrap();
    opened.recover(|_| Ok::<_, Infallible>(())).await.unwrap();
    opened.start().unwrap()
}

async fn commit(journal: &Journal, record: Record) -> u64 {
    journal.seat().await.unwrap().fill(record).wait().await.unwrap()
}

/// A closed journal with this many facts.
async fn journal_of(facts: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    for n in 1..=facts {
        commit(&journal, record(n)).await;
    }
    journal.close().await;
    directory
}

async fn verify(directory: &Path) -> Result<Audit, JournalError> {
    let reading = Reading::open(directory).await?;
    let audit = reading.verify().await;
    reading.close().await;
    audit
}

/// What `recover` says, and how many facts it gave out before.
async fn recovered(directory: &Path) -> (u64, String) {
    let mut facts = 0;
    let mut opened = match Journal::open(directory).await {
        Ok(opened) => opened,
        Err(error) => return (0, error.to_string()),
    };
    let read = opened.recover(|_| {
        facts += 1;
        Ok::<_, Infallible>(())
    });
    let said = read.await.map_or_else(|error| error.to_string(), |_| "holds".to_owned());
    (facts, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_order_of_filling_is_the_order_of_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let last = Arc::new(Mutex::new(0_u64));
    let fillers = (0..64).map(|_| {
        let (journal, last) = (journal.clone(), Arc::clone(&last));
        tokio::spawn(async move {
            for _ in 0..20 {
                let seat = journal.seat().await.unwrap();
                let (n, committed) = {
                    let mut last = last.lock().unwrap();
                    *last += 1;
                    (*last, seat.fill(record(*last)))
                };
                assert_eq!(committed.wait().await, Ok(n));
                assert!(journal.head().seq >= n);
            }
        })
    });
    for filler in fillers.collect::<Vec<_>>() {
        filler.await.unwrap();
    }
    let facts = journal.read(0, usize::MAX).await.unwrap();
    assert_eq!(facts.len(), 64 * 20);
    for (n, fact) in (1..).zip(facts) {
        assert_eq!((fact.seq, fact.payload), (n, record(n).payload));
    }
    journal.close().await;
}

#[tokio::test]
async fn what_was_filled_before_is_durable_once_the_journal_is_settled() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    for n in 1..=5 {
        drop(journal.seat().await.unwrap().fill(record(n)));
    }
    journal.settled().await.unwrap();
    assert_eq!(journal.read(0, usize::MAX).await.unwrap().len(), 5);
    journal.close().await;
}

#[tokio::test]
async fn recovery_gives_back_every_fact_and_the_next_one_follows() {
    let directory = journal_of(10).await;
    let mut opened = Journal::open(directory.path()).await.unwrap();
    let mut facts = Vec::new();
    let audit = opened.recover(|fact| {
        facts.push(fact);
        Ok::<_, Infallible>(())
    });
    let audit = audit.await.unwrap();
    assert_eq!((audit.entries(), audit.accounts(), audit.sum()), (10, 2, 0));
    for (n, fact) in (1..).zip(&facts) {
        let record = record(n);
        assert_eq!((fact.seq, fact.at, fact.subject), (n, record.at, record.subject));
        assert_eq!((fact.kind, &fact.payload), (record.kind, &record.payload));
    }
    assert_eq!(facts.len(), 10);
    let journal = opened.start().unwrap();
    assert_eq!(journal.head(), audit.head());
    assert_eq!(commit(&journal, record(11)).await, 11);
    assert_eq!(journal.history(3).await.unwrap().len(), 2);
    journal.close().await;
    assert_eq!(verify(directory.path()).await.unwrap().head().seq, 11);
}

#[tokio::test]
async fn recovery_stops_where_a_fact_is_not_accepted() {
    let directory = journal_of(5).await;
    let mut opened = Journal::open(directory.path()).await.unwrap();
    let read = opened.recover(|fact| if fact.seq < 3 { Ok(()) } else { Err("of an unknown kind") });
    assert!(matches!(
        read.await,
        Err(AuditError::Refused { seq: 3, source: "of an unknown kind" })
    ));
}

#[tokio::test]
async fn a_second_open_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let second = Journal::open(directory.path()).await.unwrap_err().to_string();
    assert!(second.contains("in use by another process"), "{second}");
    commit(&journal, record(1)).await;
    // Reading beside the writer is fine.
    assert_eq!(verify(directory.path()).await.unwrap().head(), journal.head());
    journal.close().await;
    open(directory.path()).await.close().await;
}

#[tokio::test]
async fn no_more_records_wait_than_the_queue_holds() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let mut seats: Vec<Seat> =
        (0..QUEUE_RECORDS_MAX).map(|_| journal.try_seat().unwrap()).collect();
    assert_eq!(journal.try_seat().unwrap_err(), Full::Queue);
    let waiting = {
        let journal = journal.clone();
        tokio::spawn(async move { commit(&journal, record(2)).await })
    };
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    assert_eq!(seats.pop().unwrap().fill(record(1)).wait().await, Ok(1));
    assert_eq!(waiting.await.unwrap(), 2);
    drop(seats);
    journal.close().await;
}

#[tokio::test]
async fn closing_waits_for_every_seat_that_was_given_out() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let seat = journal.seat().await.unwrap();
    let closing = tokio::spawn(journal.clone().close());
    while !matches!(journal.try_seat(), Err(Full::Closed(Closed))) {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    assert_eq!(seat.fill(record(1)).wait().await, Ok(1));
    closing.await.unwrap();
    assert_eq!(journal.seat().await.map(drop), Err(Closed));
    assert_eq!(recovered(directory.path()).await, (1, "holds".to_owned()));
}

fn duty(subject: u128, step: u32) -> Duty {
    let due = Moment::from_unix_ms(5);
    Duty {
        key: DutyKey { subject, step },
        kind: 3,
        due,
        attempts: 0,
        payload: b"tell acme".to_vec(),
    }
}

#[tokio::test]
async fn duties_come_change_and_go_with_the_facts_that_say_so() {
    use DutyChange::{Add, Done, Reschedule};
    let again = |subject, step, ms, attempts| Reschedule {
        key: DutyKey { subject, step },
        due: Moment::from_unix_ms(ms),
        attempts,
    };
    let of = |duties| Record { duties, ..record(1) };
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    // One record may change one duty more than once, and so may one batch.
    let changes = vec![
        of((0..5).map(|step| Add(duty(1, step))).collect()),
        of(vec![again(1, 0, 70, 1), Done(DutyKey { subject: 1, step: 1 }), again(1, 1, 80, 1)]),
        of(vec![Done(DutyKey { subject: 1, step: 2 }), Add(duty(1, 2)), again(1, 2, 90, 2)]),
        of(vec![
            again(1, 3, 60, 1),
            again(1, 3, 61, 2),
            again(9, 9, 1, 1),
            Done(DutyKey { subject: 8, step: 8 }),
        ]),
        of(vec![Done(DutyKey { subject: 1, step: 4 })]),
    ];
    let expected: Vec<(u32, i64, u32)> = vec![(0, 70, 1), (2, 90, 2), (3, 61, 2)];
    let seen = |duties: Vec<Duty>| -> Vec<(u32, i64, u32)> {
        duties.iter().map(|duty| (duty.key.step, duty.due.unix_ms(), duty.attempts)).collect()
    };
    for change in changes.clone() {
        commit(&journal, change).await;
    }
    journal.close().await;
    let opened = Journal::open(directory.path()).await.unwrap();
    assert_eq!(seen(opened.duties().await.unwrap()), expected);

    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let mut last = None;
    let seats: Vec<Seat> = changes.iter().map(|_| journal.try_seat().unwrap()).collect();
    for (seat, change) in seats.into_iter().zip(changes) {
        last = Some(seat.fill(change));
    }
    assert_eq!(last.unwrap().wait().await, Ok(5));
    journal.close().await;
    let opened = Journal::open(directory.path()).await.unwrap();
    assert_eq!(seen(opened.duties().await.unwrap()), expected);
}

#[tokio::test]
async fn a_person_can_be_forgotten_and_the_chain_still_holds() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let sealed = b"sealed name and telephone".to_vec();
    let contact =
        ContactRow { subject: 4, sealed: sealed.clone(), key: b"wrapped key".into(), until: None };
    let person = PersonRow { print: [7; 32], subject: 4, until: Moment::from_unix_ms(9) };
    let put = ContactChange::Put { contact: contact.clone(), persons: vec![person] };
    commit(&journal, Record { contact: Some(put), ..record(1) }).await;
    assert_eq!(journal.contact(4).await.unwrap(), Some(contact));
    assert_eq!(journal.contact(5).await.unwrap(), None);
    let forget = ContactChange::Drop { subject: 4 };
    commit(&journal, Record { contact: Some(forget), ..record(2) }).await;
    assert_eq!(journal.contact(4).await.unwrap(), None);
    journal.close().await;
    assert_eq!(recovered(directory.path()).await, (2, "holds".to_owned()));
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(sealed.len()).any(|window| window == sealed));
    }
}

#[tokio::test]
async fn balances_and_statements_follow_the_entries() {
    let directory = journal_of(7).await;
    let journal = open(directory.path()).await;
    let balances = journal.balances().await.unwrap();
    let sum = 1_002 + 1_004 + 1_006;
    assert_eq!(
        balances,
        [
            ("buyer:acme:prepaid".to_owned(), Micros::new(sum)),
            ("source:x:payable".to_owned(), Micros::new(-sum))
        ]
    );
    let lines = journal.statement("source:x:payable", 2).await.unwrap();
    let lines: Vec<_> =
        lines.iter().map(|line| (line.seq, line.subject, line.amount.get(), &*line.code)).collect();
    assert_eq!(lines, [(6, None, -1_006, "sale"), (4, Some(1), -1_004, "sale")]);
    assert!(journal.statement("nobody", 9).await.unwrap().is_empty());
    journal.close().await;
}

#[tokio::test]
async fn a_statement_finds_every_line_of_an_account_and_no_other() {
    let entry = |account: &str, amount| Entry {
        account: account.to_owned(),
        amount: Micros::new(amount),
        code: "sale",
    };
    let directory = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    // Opened anew in between, and with batches of different sizes: the way back crosses all of it.
    for round in 0..3 {
        let journal = open(directory.path()).await;
        let mut last = None;
        for n in 1..=round * 20 + 5 {
            let entries = match n % 3 {
                0 => vec![entry("a", n), entry("b", -2 * n), entry("a", n)],
                1 => vec![entry("b", n), entry("c", -n)],
                _ => Vec::new(),
            };
            let seat = journal.seat().await.unwrap();
            let seq = journal.head().seq;
            last = Some(seat.fill(Record { entries, ..Record::default() }));
            if n % 4 == 0 {
                assert!(last.take().unwrap().wait().await.unwrap() > seq);
            }
            if n % 3 == 0 {
                expected.extend([n, n]);
            }
        }
        last.unwrap().wait().await.unwrap();
        journal.close().await;
    }
    expected.reverse();
    let journal = open(directory.path()).await;
    let lines = journal.statement("a", usize::MAX).await.unwrap();
    let amounts: Vec<i64> = lines.iter().map(|line| line.amount.get()).collect();
    assert_eq!(amounts, expected);
    let lines = journal.statement("a", 3).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.amount.get()).collect::<Vec<_>>(), expected[..3]);
    journal.close().await;
}

#[tokio::test]
async fn a_module_is_known_by_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let (wasm, other) = (b"\0asm".to_vec(), Digest::of(b"other"));
    let digest = Digest::of(&wasm);
    journal.put_module(digest, wasm.clone()).await.unwrap();
    journal.put_module(digest, wasm.clone()).await.unwrap();
    assert_eq!(journal.module(digest).await.unwrap(), Some(wasm));
    assert_eq!(journal.module(other).await.unwrap(), None);
    tamper(&directory.path().join("journal.db"), "UPDATE module SET wasm = x'00'").await;
    assert!(
        matches!(journal.module(digest).await, Err(JournalError::Module(damaged)) if damaged == digest)
    );
    journal.close().await;
}
