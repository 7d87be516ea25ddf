//! TLS to the server of the database: as much of it as the address asks for, or no journal.

use std::path::PathBuf;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;

/// An authority, and files with what a server at a name has from it.
struct Certified {
    directory: tempfile::TempDir,
}

impl Certified {
    fn for_name(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let made = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::write(made.file("ca"), authority.pem()).unwrap();
        std::fs::write(made.file("certificate"), certificate.pem()).unwrap();
        std::fs::write(made.file("key"), key.serialize_pem()).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(made.file("key"), private).unwrap();
        let seen = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(made.directory.path(), seen).unwrap();
        // The server refuses to run as root, so it runs as somebody else.
        if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(made.file("key")).unwrap()) == 0 {
            let given = Command::new("chown").arg("postgres").arg(made.file("key")).status();
            assert!(given.unwrap().success());
        }
        made
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.pem"))
    }
}

/// Opens a journal at this address and commits a fact; returns its number, or why there is no journal.
async fn said_over(url: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let place = Place { database: Some(url.parse().unwrap()), ..Place::from(directory.path()) };
    let mut opened = match Journal::open(&place).await {
        Ok(opened) => opened,
        Err(JournalError::Storage(error)) => return error.told(),
        Err(error) => return error.to_string(),
    };
    opened.recover(|_| Ok::<_, Infallible>(())).await.unwrap();
    let journal = opened.start().unwrap();
    let seq = commit(&journal, record(1)).await;
    journal.close().await;
    format!("fact {seq}")
}

#[test]
fn a_server_is_spoken_to_with_as_much_tls_as_the_address_asks_for() {
    let (certified, other) = (Certified::for_name("localhost"), Certified::for_name("localhost"));
    let named = |name| format!("ssl_{name}_file={}", certified.file(name).display());
    let certificate = format!("ssl_cert_file={}", certified.file("certificate").display());
    let server =
        postgres::Server::start("-k", &["-c", "ssl=on", "-c", &certificate, "-c", &named("key")]);
    let plain = postgres::Server::shared();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let authority = |of: &Certified| of.file("ca").display().to_string();
    let (ours, theirs) = (authority(&certified), authority(&other));
    for (server, host, asked, says) in [
        (&server, "127.0.0.1", String::new(), "fact 1"),
        (&server, "127.0.0.1", "&sslmode=require".to_owned(), "fact 1"),
        (&server, "localhost", format!("&sslmode=verify-full&sslrootcert={ours}"), "fact 1"),
        (
            &server,
            "localhost",
            format!("&sslmode=verify-full&sslrootcert={theirs}"),
            "invalid peer certificate: BadSignature",
        ),
        (&server, "127.0.0.1", format!("&sslmode=verify-ca&sslrootcert={ours}"), "fact 1"),
        (
            &server,
            "127.0.0.1",
            format!("&sslmode=verify-full&sslrootcert={ours}"),
            "certificate not valid for name",
        ),
        (plain, "127.0.0.1", String::new(), "fact 1"),
        (plain, "127.0.0.1", "&sslmode=require".to_owned(), "server does not support TLS"),
    ] {
        let url = format!("{}{asked}", server.database().replace("127.0.0.1", host));
        let said = runtime.block_on(said_over(&url));
        assert!(said.contains(says), "{asked} at {host}: {said}");
        if says != "fact 1" {
            assert!(
                said.contains("is there, but it and this program do not agree on TLS"),
                "{said}"
            );
        }
    }
}
