//! What the journal promises on either database: the same tests for both.

use super::*;

/// Makes a test for SQLite of each, and one of all for PostgreSQL: they share a server.
macro_rules! contract {
    ($($name:path,)*) => {
        #[test]
        fn sqlite_keeps_the_contract() {
            keep(Kind::Sqlite, vec![$((stringify!($name), Box::pin($name(Kind::Sqlite)))),*]);
        }

        #[test]
        fn postgres_keeps_the_contract() {
            keep(Kind::Postgres, vec![$((stringify!($name), Box::pin($name(Kind::Postgres)))),*]);
        }
    };
}

contract! {
    the_order_of_filling_is_the_order_of_the_journal,
    what_was_filled_before_is_durable_once_the_journal_is_settled,
    recovery_gives_back_every_fact_and_the_next_one_follows,
    recovery_stops_where_a_fact_is_not_accepted,
    a_second_open_is_refused,
    no_more_records_wait_than_the_queue_holds,
    closing_waits_for_every_seat_that_was_given_out,
    duties_come_change_and_go_with_the_facts_that_say_so,
    a_person_can_be_forgotten_and_the_chain_still_holds,
    balances_and_statements_follow_the_entries,
    a_statement_finds_every_line_of_an_account_and_no_other,
    a_module_is_known_by_its_digest,
    damage::a_change_behind_the_journals_back_is_found_and_named,
    damage::the_database_refuses_to_change_or_delete_facts_and_entries,
    a_writer_that_was_replaced_writes_nothing,
    damage::a_journal_of_a_newer_program_is_refused,
}

type Case = (&'static str, std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

/// Runs every case by itself and says which of them do not hold.
fn keep(kind: Kind, cases: Vec<Case>) {
    // Before the runtime: starting a server blocks.
    drop(kind.home());
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
    let broken: Vec<&str> = runtime.block_on(async {
        let cases: Vec<_> =
            cases.into_iter().map(|(name, case)| (name, tokio::spawn(case))).collect();
        let mut broken = Vec::new();
        for (name, case) in cases {
            if case.await.is_err() {
                broken.push(name);
            }
        }
        broken
    });
    assert!(broken.is_empty(), "on {kind:?}: {broken:?}; what each says stands above");
}

async fn the_order_of_filling_is_the_order_of_the_journal(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
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

async fn what_was_filled_before_is_durable_once_the_journal_is_settled(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
    for n in 1..=5 {
        drop(journal.seat().await.unwrap().fill(record(n)));
    }
    journal.settled().await.unwrap();
    assert_eq!(journal.read(0, usize::MAX).await.unwrap().len(), 5);
    journal.close().await;
}

async fn recovery_gives_back_every_fact_and_the_next_one_follows(kind: Kind) {
    let directory = journal_of(kind, 10).await;
    let mut opened = Journal::open(&directory).await.unwrap();
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
    assert_eq!(verify(&directory).await.unwrap().head().seq, 11);
}

async fn recovery_stops_where_a_fact_is_not_accepted(kind: Kind) {
    let directory = journal_of(kind, 5).await;
    let mut opened = Journal::open(&directory).await.unwrap();
    let read = opened.recover(|fact| if fact.seq < 3 { Ok(()) } else { Err("of an unknown kind") });
    assert!(matches!(
        read.await,
        Err(AuditError::Refused { seq: 3, source: "of an unknown kind" })
    ));
}

async fn a_second_open_is_refused(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
    let second = Journal::open(&directory).await.unwrap_err().to_string();
    assert!(second.contains("in use by another process"), "{second}");
    commit(&journal, record(1)).await;
    // Reading beside the writer is fine.
    assert_eq!(verify(&directory).await.unwrap().head(), journal.head());
    journal.close().await;
    open(&directory).await.close().await;
}

async fn no_more_records_wait_than_the_queue_holds(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
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

async fn closing_waits_for_every_seat_that_was_given_out(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
    let seat = journal.seat().await.unwrap();
    let closing = tokio::spawn(journal.clone().close());
    while !matches!(journal.try_seat(), Err(Full::Closed(Closed))) {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    assert_eq!(seat.fill(record(1)).wait().await, Ok(1));
    closing.await.unwrap();
    assert_eq!(journal.seat().await.map(drop), Err(Closed));
    assert_eq!(recovered(&directory).await, (1, "holds".to_owned()));
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

async fn duties_come_change_and_go_with_the_facts_that_say_so(kind: Kind) {
    use DutyChange::{Add, Done, Reschedule};
    let again = |subject, step, ms, attempts| Reschedule {
        key: DutyKey { subject, step },
        due: Moment::from_unix_ms(ms),
        attempts,
    };
    let of = |duties| Record { duties, ..record(1) };
    let directory = kind.home();
    let journal = open(&directory).await;
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
    let opened = Journal::open(&directory).await.unwrap();
    assert_eq!(seen(opened.duties().await.unwrap()), expected);

    let directory = kind.home();
    let journal = open(&directory).await;
    let mut last = None;
    let seats: Vec<Seat> = changes.iter().map(|_| journal.try_seat().unwrap()).collect();
    for (seat, change) in seats.into_iter().zip(changes) {
        last = Some(seat.fill(change));
    }
    assert_eq!(last.unwrap().wait().await, Ok(5));
    journal.close().await;
    let opened = Journal::open(&directory).await.unwrap();
    assert_eq!(seen(opened.duties().await.unwrap()), expected);
}

async fn a_person_can_be_forgotten_and_the_chain_still_holds(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
    let sealed = b"sealed name and telephone".to_vec();
    let contact = ContactRow { subject: 4, sealed: sealed.clone(), key: b"wrapped key".into() };
    let person = PersonRow { print: [7; 32], subject: 4, until: Moment::from_unix_ms(9) };
    let put = ContactChange::Put { contact: contact.clone(), persons: vec![person] };
    commit(&journal, Record { contact: Some(put), ..record(1) }).await;
    assert_eq!(journal.contact(4).await.unwrap(), Some(contact));
    assert_eq!(journal.subjects_of([7; 32], 9).await.unwrap(), [4]);
    assert_eq!(journal.contact(5).await.unwrap(), None);
    let (at, later) = (Moment::from_unix_ms(5), Moment::from_unix_ms(6));
    let keep = ContactChange::Keep { subject: 4, until: at };
    commit(&journal, Record { contact: Some(keep), ..record(2) }).await;
    assert_eq!(journal.contacts_overdue(at, 9).await.unwrap(), [0_u128; 0]);
    assert_eq!(journal.contacts_overdue(later, 9).await.unwrap(), [4]);
    let keys = vec![(4, b"wrapped anew".to_vec())];
    let rewrap = ContactChange::Rewrap { keys, secrets: Vec::new() };
    commit(&journal, Record { contact: Some(rewrap), ..record(3) }).await;
    assert_eq!(journal.contact(4).await.unwrap().unwrap().key, b"wrapped anew");
    let forget = ContactChange::Sweep { subjects: vec![4], persons_before: later };
    commit(&journal, Record { contact: Some(forget), ..record(4) }).await;
    assert_eq!(journal.contact(4).await.unwrap(), None);
    assert!(journal.has_persons(4).await.unwrap(), "its own time is not over");
    let erase = ContactChange::Erase { subject: 4 };
    commit(&journal, Record { contact: Some(erase), ..record(5) }).await;
    assert!(!journal.has_persons(4).await.unwrap());
    journal.close().await;
    assert_eq!(recovered(&directory).await, (5, "holds".to_owned()));
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(sealed.len()).any(|window| window == sealed));
    }
}

async fn balances_and_statements_follow_the_entries(kind: Kind) {
    let directory = journal_of(kind, 7).await;
    let journal = open(&directory).await;
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

async fn a_statement_finds_every_line_of_an_account_and_no_other(kind: Kind) {
    let entry = |account: &str, amount| Entry {
        account: account.to_owned(),
        amount: Micros::new(amount),
        code: "sale",
    };
    let directory = kind.home();
    let mut expected = Vec::new();
    // Opened anew in between, and with batches of different sizes: the way back crosses all of it.
    for round in 0..3 {
        let journal = open(&directory).await;
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
    let journal = open(&directory).await;
    let lines = journal.statement("a", usize::MAX).await.unwrap();
    let amounts: Vec<i64> = lines.iter().map(|line| line.amount.get()).collect();
    assert_eq!(amounts, expected);
    let lines = journal.statement("a", 3).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.amount.get()).collect::<Vec<_>>(), expected[..3]);
    journal.close().await;
}

async fn a_module_is_known_by_its_digest(kind: Kind) {
    let directory = kind.home();
    let journal = open(&directory).await;
    let (wasm, other) = (b"\0asm".to_vec(), Digest::of(b"other"));
    let digest = Digest::of(&wasm);
    journal.put_module(digest, wasm.clone()).await.unwrap();
    journal.put_module(digest, wasm.clone()).await.unwrap();
    assert_eq!(journal.module(digest).await.unwrap(), Some(wasm));
    assert_eq!(journal.module(other).await.unwrap(), None);
    directory.tamper("UPDATE module SET wasm = x'00'").await;
    assert!(
        matches!(journal.module(digest).await, Err(JournalError::Module(damaged)) if damaged == digest)
    );
    journal.close().await;
}

/// A batch with one fact after this head.
pub(super) fn batch_after(head: Head, payload: &str) -> storage::Batch {
    let seq = head.seq + 1;
    let payload = payload.as_bytes().to_vec();
    let (at, subject, kind) = (Moment::from_unix_ms(1), None, 7);
    let content = chain::Content { seq, at, subject, kind, payload: &payload };
    let hash = chain::link(head.hash, content, chain::entries(std::iter::empty()));
    storage::Batch {
        facts: vec![(
            Stored { seq, at, subject, kind, payload, hash },
            storage::Entries::default(),
        )],
        head: Head { seq, hash },
        ..storage::Batch::default()
    }
}

async fn a_writer_that_was_replaced_writes_nothing(kind: Kind) {
    let home = journal_of(kind, 3).await;
    let mut writer = storage::Writer::open(&home.database(), &Accepted::default()).await.unwrap();
    writer.write(&batch_after(writer.head(), "mine")).await.unwrap();
    // Another process has begun an epoch of its own; this one has not noticed anything.
    home.tamper("UPDATE head SET epoch = epoch + 1").await;
    let refused = writer.write(&batch_after(writer.head(), "not mine any more")).await;
    assert!(matches!(refused, Err(StorageError::Fenced)), "{refused:?}");
    writer.close().await.unwrap();
    assert_eq!(recovered(&home).await, (4, "holds".to_owned()));
}
