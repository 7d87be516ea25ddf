//! Damage of every kind, done to real files: it is found and named, or it changed nothing.

use super::*;

async fn facts_in(directory: &Path) -> Vec<Stored> {
    let reading = Reading::open(directory).await.unwrap();
    let facts = reading.facts_after(0, usize::MAX).await.unwrap();
    reading.close().await;
    facts
}

/// What a kill at this moment would leave in the directory.
fn copy(from: &Path, to: &Path) {
    for name in ["journal.db", "journal.db-wal", "anchor"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

pub(super) async fn a_change_behind_the_journals_back_is_found_and_named(kind: Kind) {
    let on = if kind == Kind::Sqlite { "" } else { " ON fact" };
    let free = format!("DROP TRIGGER fact_stays{on}; DROP TRIGGER fact_holds{on}");
    let changed = "or its entries were changed: they do not give its hash";
    for (sql, says) in [
        ("UPDATE fact SET at = at + 1 WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET subject = zeroblob(16) WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET subject = NULL WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET kind = 8 WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET payload = x'66' WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET hash = zeroblob(32) WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET entries = replace(entries, '1004', '1005') WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET entries = replace(entries, 'acme', 'other') WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET entries = replace(entries, 'sale', 'gift') WHERE seq = 4", format!("fact 4 {changed}")),
        (
            "UPDATE fact SET entries = '[[\"source:x:payable\",-1004,\"sale\",2],[\"buyer:acme:prepaid\",1004,\"sale\",2]]' \
             WHERE seq = 4",
            format!("fact 4 {changed}"),
        ),
        ("UPDATE fact SET entries = NULL WHERE seq = 4", format!("fact 4 {changed}")),
        (
            "UPDATE fact SET entries = '[[\"a\",1,\"x\",0],[\"b\",-1,\"x\",0]]' WHERE seq = 5",
            format!("fact 5 {changed}"),
        ),
        ("UPDATE fact SET entries = '[]]' WHERE seq = 4", "fact 4 cannot be read: column `entries` of table `fact` is malformed".into()),
        ("UPDATE fact SET subject = x'00' WHERE seq = 4", "fact 4 cannot be read: column `subject` of table `fact` is malformed".into()),
        ("UPDATE fact SET hash = x'00' WHERE seq = 4", "fact 4 cannot be read: column `hash` of table `fact` is malformed".into()),
        ("UPDATE fact SET kind = 65536 WHERE seq = 4", "fact 4 cannot be read: column `kind` of table `fact` is malformed".into()),
        ("DELETE FROM fact WHERE seq = 4", "fact 4 is missing, though later facts are there".into()),
        ("UPDATE fact SET seq = 10 WHERE seq = 4", "fact 4 is missing, though later facts are there".into()),
        ("DELETE FROM fact WHERE seq = 8", "fact 8 is missing at the end: the database says that it was written".into()),
        ("DELETE FROM fact", "fact 1 is missing at the end: the database says that it was written".into()),
        ("INSERT INTO fact VALUES (9, 0, NULL, 7, x'', NULL, zeroblob(32))", "fact 9 is newer than the one that the database says is the newest".into()),
        ("UPDATE head SET hash = zeroblob(32)", "fact 8 is not the one that the database says is the newest".into()),
        (
            "DELETE FROM fact WHERE seq > 6; UPDATE head SET seq = 6, hash = (SELECT hash FROM fact WHERE seq = 6)",
            "fact 7 is missing at the end: it was acknowledged, as the file `anchor` says".into(),
        ),
        (
            "UPDATE fact SET entries = replace(entries, '6]]', '4]]') WHERE seq = 8",
            "fact 8 has an entry of `source:x:payable` that does not lead to the account's entry before it: its statement is broken".into(),
        ),
        (
            "UPDATE balance SET amount = amount + 5 WHERE account = 'source:x:payable'",
            "fact 8 is the newest, but the balance of `source:x:payable` does not follow from the entries, which sum to -4020 millionths".into(),
        ),
        (
            "UPDATE balance SET newest = 6 WHERE account = 'source:x:payable'",
            "fact 8 is the newest, but the balance of `source:x:payable` does not follow from the entries, which sum to -4020 millionths".into(),
        ),
        (
            "DELETE FROM balance WHERE account = 'source:x:payable'",
            "fact 8 is the newest, but the balance of `source:x:payable` does not follow from the entries, which sum to -4020 millionths".into(),
        ),
        (
            "INSERT INTO balance VALUES ('exchange:secret', 7, 0)",
            "fact 8 is the newest, but the balance of `exchange:secret` does not follow from the entries, which sum to 0 millionths".into(),
        ),
    ] {
        let directory = journal_of(kind, 8).await;
        directory.tamper(&free).await;
        directory.tamper(sql).await;
        assert_eq!(recovered(&directory).await.1, says, "{sql}");
        let verified = verify(&directory).await.map(|audit| audit.head());
        assert_eq!(verified.unwrap_err().to_string(), says, "{sql}");
    }
}

pub(super) async fn the_database_refuses_to_change_or_delete_facts_and_entries(kind: Kind) {
    let directory = journal_of(kind, 4).await;
    let directory = Arc::new(directory);
    for sql in ["UPDATE fact SET at = 0", "UPDATE fact SET entries = NULL", "DELETE FROM fact"] {
        let directory = Arc::clone(&directory);
        let tampering = tokio::spawn(async move { directory.tamper(sql).await });
        assert!(tampering.await.is_err(), "{sql}");
    }
    assert!(verify(&*directory).await.is_ok());
}

#[tokio::test]
async fn any_flipped_byte_of_the_file_is_found_or_changes_no_fact() {
    let directory = journal_of(Kind::Sqlite, 60).await;
    let database = directory.path().join("journal.db");
    let (whole, facts) = (std::fs::read(&database).unwrap(), facts_in(directory.path()).await);
    let mut found = 0;
    // A prime step, so that it falls on every part of a page.
    for place in (0..whole.len()).step_by(127) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x20;
        std::fs::write(&database, flipped).unwrap();
        match verify(directory.path()).await {
            Err(_) => found += 1,
            Ok(_) => {
                assert_eq!(facts_in(directory.path()).await, facts, "byte {place}")
            }
        }
    }
    assert!(found > 50, "{found} found");
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_refused_by_its_anchor_and_holds_without() {
    let (directory, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(directory.path()).await;
    for n in 1..=20 {
        commit(&journal, record(n)).await;
    }
    copy(directory.path(), image.path());
    let log = std::fs::read(image.path().join("journal.db-wal")).unwrap();
    journal.close().await;
    let mut ends = std::collections::BTreeSet::new();
    // Before, at and after the end of each page of the log.
    let cuts =
        (32..log.len()).step_by(8192 + 24).flat_map(|end| [end - 1, end, end + 1, end + 2000]);
    for cut in cuts.filter(|cut| *cut < log.len()) {
        for anchored in [true, false] {
            let place = tempfile::tempdir().unwrap();
            copy(image.path(), place.path());
            std::fs::write(place.path().join("journal.db-wal"), &log[..cut]).unwrap();
            if !anchored {
                std::fs::remove_file(place.path().join("anchor")).unwrap();
            }
            match (anchored, recovered(place.path()).await) {
                (false, (facts, said)) => {
                    assert_eq!(said, "holds", "cut at {cut}");
                    ends.insert(facts);
                }
                (true, (_, said)) => {
                    assert!(said.contains("as the file `anchor` says"), "cut at {cut}: {said}");
                }
            }
        }
    }
    assert_eq!(ends, (0..20).collect());
}

#[tokio::test]
async fn a_flipped_byte_in_the_log_loses_nothing_silently() {
    let (directory, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(directory.path()).await;
    for n in 1..=5 {
        commit(&journal, record(n)).await;
    }
    copy(directory.path(), image.path());
    let log = std::fs::read(image.path().join("journal.db-wal")).unwrap();
    journal.close().await;
    let mut refused = 0;
    for flip in (0..log.len()).step_by(1511) {
        let place = tempfile::tempdir().unwrap();
        copy(image.path(), place.path());
        let mut flipped = log.clone();
        flipped[flip] ^= 1;
        std::fs::write(place.path().join("journal.db-wal"), flipped).unwrap();
        match recovered(place.path()).await {
            (5, said) if said == "holds" => (),
            (_, said) => {
                assert!(said.contains("as the file `anchor` says"), "byte {flip}: {said}");
                refused += 1;
            }
        }
    }
    assert!(refused > 10, "{refused} refused");
}

#[tokio::test]
async fn a_damaged_anchor_is_refused() {
    let directory = journal_of(Kind::Sqlite, 3).await;
    std::fs::write(directory.path().join("anchor"), b"something else").unwrap();
    let (_, said) = recovered(directory.path()).await;
    assert!(said.contains("it is unknown how far the journal was acknowledged"), "{said}");
    std::fs::remove_file(directory.path().join("anchor")).unwrap();
    assert_eq!(recovered(directory.path()).await, (3, "holds".to_owned()));
}

#[tokio::test]
async fn where_there_is_no_journal_there_is_nothing_to_verify() {
    let directory = tempfile::tempdir().unwrap();
    let error = verify(directory.path()).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no journal in "), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

pub(super) async fn a_journal_of_a_newer_program_is_refused(kind: Kind) {
    let directory = journal_of(kind, 1).await;
    let newer = "INSERT INTO _sqlx_migrations SELECT 999, 'newer', installed_on, success, checksum, 0 FROM _sqlx_migrations";
    directory.tamper(newer).await;
    let error = Journal::open(&directory).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database's schema has version 999, and this program knows versions up to 1; start the program that wrote it \
         last, or a newer one"
    );
}
