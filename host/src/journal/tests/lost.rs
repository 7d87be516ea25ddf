//! A PostgreSQL server that is lost, found again, or taken over by another process.

use super::proxy::{Cut, Proxy};
use super::*;

/// A journal whose way to the server can be cut.
async fn behind_a_proxy() -> (Home, Proxy, Journal) {
    let home = tokio::task::spawn_blocking(|| Kind::Postgres.home()).await.unwrap();
    let address = home.address();
    let port = address.split([':', '/']).find_map(|part| part.parse().ok());
    let proxy = Proxy::to(port.unwrap()).await;
    let url = address.replace("postgres@", "postgres:unused@");
    let database = Some(proxy.before(&url).parse().unwrap());
    let journal = open(Place { database, ..Place::from(home.path()) }).await;
    (home, proxy, journal)
}

/// Every fact is there once, in the order in which it was acknowledged.
async fn assert_once(home: &Home, acknowledged: u64) {
    let reading = Reading::open(home).await.unwrap();
    assert_eq!(reading.verify().await.unwrap().head().seq, acknowledged);
    for (n, fact) in (1..).zip(reading.facts_after(0, usize::MAX).await.unwrap()) {
        assert_eq!(fact.payload, record(n).payload);
    }
    reading.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found_and_not_written_twice() {
    let (home, proxy, journal) = behind_a_proxy().await;
    assert_eq!(commit(&journal, record(1)).await, 1);
    for (n, cut) in (2..).zip([Cut::AfterCommit, Cut::BeforeCommit, Cut::AfterCommit]) {
        proxy.set(cut);
        assert_eq!(commit(&journal, record(n)).await, n, "{cut:?}");
        assert_eq!(proxy.cuts(), usize::try_from(n).unwrap() - 1, "{cut:?}");
    }
    journal.close().await;
    assert_once(&home, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_may_be_cut_at_every_message_of_a_transaction() {
    let (home, proxy, journal) = behind_a_proxy().await;
    let mut facts = 0;
    for cut in [Cut::Before, Cut::After] {
        for message in 1.. {
            let before = proxy.cuts();
            proxy.set(cut(message));
            facts += 1;
            assert_eq!(commit(&journal, record(facts)).await, facts);
            if proxy.cuts() == before {
                assert!(message > 4, "only {message} messages");
                break;
            }
        }
    }
    proxy.set(Cut::Never);
    journal.close().await;
    assert_once(&home, facts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_wherever_its_directory_is() {
    let home = tokio::task::spawn_blocking(|| Kind::Postgres.home()).await.unwrap();
    let journal = open(&home).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let place = Place { database: home.url.clone(), ..Place::from(elsewhere.path()) };
    let refused = Journal::open(place).await.unwrap_err().to_string();
    assert!(
        refused.contains("is in use by another process (postgres, gavel, 127.0.0.1"),
        "{refused}"
    );
    assert!(refused.contains("pg_terminate_backend("), "{refused}");
    commit(&journal, record(1)).await;
    journal.close().await;
    assert_once(&home, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_lost_the_database_to_another_writes_nothing_more() {
    let home = tokio::task::spawn_blocking(|| Kind::Postgres.home()).await.unwrap();
    let unsafe_ones = Accepted::default();
    let mut old = storage::Writer::open(&home.database(), &unsafe_ones).await.unwrap();
    old.write(&contract::batch_after(old.head(), "old")).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' \
               AND objid::bigint = hashtext(current_schema())::bigint & 4294967295";
    home.tamper(end).await;
    let new = async {
        loop {
            match storage::Writer::open(&home.database(), &unsafe_ones).await {
                Ok(writer) => return writer,
                Err(StorageError::InUse { .. }) => tokio::task::yield_now().await,
                Err(error) => panic!("{}", error.told()),
            }
        }
    };
    let mut new = new.await;
    let refused = old.write(&contract::batch_after(old.head(), "too late")).await;
    assert!(matches!(refused, Err(StorageError::Fenced)), "{refused:?}");
    new.write(&contract::batch_after(new.head(), "new")).await.unwrap();
    new.close().await.unwrap();
    assert_eq!(recovered(&home).await, (2, "holds".to_owned()));
}

#[test]
fn a_server_that_may_lose_commits_is_refused_unless_it_is_accepted() {
    // No checksums, no syncs.
    let server = postgres::Server::start("--locale=C", &["-c", "fsync=off"]);
    let url: Url = server.database().parse().unwrap();
    let home = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut accepted = Vec::new();
    for (setting, says) in [
        ("fsync", "`fsync` is off, but a commit is only durable with on; set it with"),
        (
            "data_checksums",
            "`data_checksums` is off, but a commit is only durable with on; stop the server",
        ),
    ] {
        let names = Accepted::read(&accepted).unwrap();
        let place =
            Place { database: Some(url.clone()), accepted: names, directory: home.path().into() };
        let refused = runtime.block_on(Journal::open(place)).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
        assert!(refused.contains(&format!("--accept-unsafe-database {setting}")), "{refused}");
        accepted.push(setting.to_owned());
    }
    let accepted = Accepted::read(&accepted).unwrap();
    let place = Place { database: Some(url), accepted, directory: home.path().into() };
    runtime.block_on(async { open(place).await.close().await });
}

#[tokio::test]
async fn a_directory_keeps_its_kind_of_database() {
    let home = tokio::task::spawn_blocking(|| Kind::Postgres.home()).await.unwrap();
    open(&home).await.close().await;
    let refused = Journal::open(home.path()).await.unwrap_err().to_string();
    assert!(
        refused.contains(&format!("is in {}; start with --database", home.address())),
        "{refused}"
    );
    // Whoever only reads may take the directory's word for it.
    assert_eq!(verify(home.path()).await.unwrap().head().seq, 0);
    let here = Kind::Sqlite.home();
    open(&here).await.close().await;
    let place = Place { database: home.url.clone(), ..Place::from(here.path()) };
    let refused = Journal::open(place).await.unwrap_err().to_string();
    assert!(refused.contains("has a journal of its own, in SQLite"), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let home = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://gavel:s3cret@127.0.0.1:{nobody}/gavel");
    let place = Place { database: Some(url.parse().unwrap()), ..Place::from(home.path()) };
    let error = Journal::open(place).await.unwrap_err();
    let says = format!("the database postgres://gavel@127.0.0.1:{nobody}/gavel cannot be reached");
    assert!(error.to_string().starts_with(&says), "{error}");
    for file in std::fs::read_dir(home.path()).unwrap() {
        assert!(
            !String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap())
                .contains("s3cret")
        );
    }
}
