//! What an exchange is started with: plain data, checked whole before any socket is bound.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::contacts::{Location, MasterKey, MasterKeyError};
use crate::egress::{Egress, IpNet, Login, Recipient, Relay};
use crate::ids::Digest;
use crate::journal::{Accepted, FreeSpace, Url};
use crate::sandbox::{Compiler, ModuleKeys};
use crate::signing::KeySource;

/// The variable of the environment that may hold the master key.
pub const MASTER_KEY: &str = "GAVEL_MASTER_KEY";
/// The shortest operator key, in bytes.
pub const OPERATOR_KEY_BYTES_MIN: usize = 16;
/// How many requests may be under way at once, unless configured; beyond it the answer is 503.
pub const REQUESTS_MAX: usize = 4_096;
/// How many connections may be open at once, unless configured.
pub const CONNECTIONS_MAX: usize = 10_000;

/// New pings are refused while the disk has fewer mebibytes free, unless configured: enough for the sales under way, and
/// for what SQLite writes twice.
pub const DISK_LOW_MIB: u64 = 256;
/// After how many hours the running exchange verifies its journal again, unless configured.
pub const SCRUB_HOURS: u32 = 24;
/// The longest time between two verifications: a year.
pub const SCRUB_HOURS_MAX: u32 = 8_760;

/// How the journal is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The PostgreSQL database with the journal; without one, it is in SQLite in the data directory.
    pub database: Option<Url>,
    /// What may be unsafe about the database.
    pub accepted: Accepted,
    /// New pings are refused while the disk of the data directory has fewer bytes free.
    pub disk_low_bytes: u64,
    /// Who says how many that are.
    pub free_space: FreeSpace,
    /// How often the running exchange verifies its journal; never if it is zero.
    pub scrub_every: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            database: None,
            accepted: Accepted::default(),
            disk_low_bytes: DISK_LOW_MIB << 20,
            free_space: FreeSpace::of_the_disk(),
            scrub_every: Duration::from_secs(u64::from(SCRUB_HOURS) * 3_600),
        }
    }
}

/// How the journal is to be kept, as the command line said it.
#[derive(Clone, Debug)]
pub struct RawKeeping {
    pub database: Option<String>,
    pub accept_unsafe_database: Vec<String>,
    pub disk_low_mib: u64,
    pub scrub_hours: u32,
}

impl Default for RawKeeping {
    fn default() -> Self {
        Self {
            database: None,
            accept_unsafe_database: Vec::new(),
            disk_low_mib: DISK_LOW_MIB,
            scrub_hours: SCRUB_HOURS,
        }
    }
}

impl RawKeeping {
    fn check(self, mistakes: &mut Vec<String>) -> Keeping {
        let database = self.database.and_then(|text| match text.parse::<Url>() {
            Ok(url) => Some(url),
            Err(error) => {
                mistakes.push(format!("--database: {error}"));
                None
            }
        });
        let accepted = Accepted::read(&self.accept_unsafe_database).unwrap_or_else(|unknown| {
            mistakes.extend(unknown);
            Accepted::default()
        });
        if self.scrub_hours > SCRUB_HOURS_MAX {
            let hours = self.scrub_hours;
            mistakes
                .push(format!("--scrub-hours {hours}: expected 0 (never) to {SCRUB_HOURS_MAX}"));
        }
        Keeping {
            database,
            accepted,
            disk_low_bytes: self.disk_low_mib.saturating_mul(1 << 20),
            free_space: FreeSpace::of_the_disk(),
            scrub_every: Duration::from_secs(u64::from(self.scrub_hours) * 3_600),
        }
    }
}

/// The relay for letters, as the command line and the environment said it.
#[derive(Clone, Debug, Default)]
pub struct RawMail {
    pub relay: Option<String>,
    /// Whom the letters come from.
    pub from: Option<String>,
    pub user: Option<String>,
    pub password: Option<Zeroizing<String>>,
}

impl RawMail {
    fn check(self, mistakes: &mut Vec<String>) -> Option<Relay> {
        let Self { relay, from, user, password } = self;
        let Some(relay) = relay else {
            if from.is_some() || user.is_some() || password.is_some() {
                mistakes.push(
                    "--smtp is not set, but who letters come from or who signs in is; name the relay, such as smtps://relay.example"
                        .to_owned(),
                );
            }
            return None;
        };
        let from = from.unwrap_or_default();
        let read = Recipient::parse(&from);
        let from = read.map_err(|no| mistakes.push(format!("--smtp-from {from}: {no}"))).ok();
        let login = match (user, password) {
            (None, None) => None,
            (Some(user), Some(password)) => Some(Login { user, password }),
            (Some(_), None) | (None, Some(_)) => {
                let together = "GAVEL_SMTP_USER and GAVEL_SMTP_PASSWORD belong together: set both";
                mistakes.push(together.to_owned());
                None
            }
        };
        let read = Relay::parse(&relay, from?, login);
        // A password may stand in an address that is refused.
        read.map_err(|no| mistakes.push(format!("--smtp: {no}"))).ok()
    }
}

/// Everything that `gavel serve` can be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the journal is kept.
    pub data: PathBuf,
    pub keeping: Keeping,
    /// The address of the HTTP server.
    pub listen: SocketAddr,
    /// SHA-256 of the operator's key.
    pub operator_key: Digest,
    /// The code of the one currency of all amounts.
    pub currency: String,
    /// Where the exchange may call out to.
    pub egress: Egress,
    pub requests_max: usize,
    pub connections_max: usize,
    /// The machine's, unless a test sets its own.
    pub clock: Clock,
    /// Where modules are compiled: in this process, unless the program has what a worker needs.
    pub compiler: Compiler,
    /// Where the key that signs receipts comes from: the data directory, unless one is given.
    pub signing: KeySource,
    /// Whose modules are taken; with none, everybody's who has the operator's key.
    pub module_keys: ModuleKeys,
    /// Where the key is that wraps the keys of contact data.
    pub master_key: Location,
}

/// What the command line and the environment said, unchecked.
#[derive(Clone, Debug)]
pub struct Raw {
    pub data: PathBuf,
    pub keeping: RawKeeping,
    pub listen: String,
    pub operator_key: Option<String>,
    pub currency: String,
    pub allow_loopback_buyers: bool,
    /// Networks that are not public and may be called all the same.
    pub egress_allow: Vec<String>,
    /// Files with certificate authorities that are trusted beside the machine's.
    pub egress_ca: Vec<PathBuf>,
    pub mail: RawMail,
    pub requests_max: usize,
    pub connections_max: usize,
}

/// Returns where the master key is: in the file that is named, in the environment (`GAVEL_MASTER_KEY`), or else beside
/// the data.
///
/// # Errors
/// If the environment holds something else than a key, or a file is named as well.
pub fn master_key(file: Option<PathBuf>) -> Result<Location, MasterKeyError> {
    let given = std::env::var(MASTER_KEY).ok().map(Zeroizing::new).filter(|key| !key.is_empty());
    match (file, given) {
        (Some(_), Some(_)) => Err(MasterKeyError::Two),
        (Some(file), None) => Ok(Location::File(file)),
        (None, Some(text)) => MasterKey::parse(MASTER_KEY, &text).map(Location::Given),
        (None, None) => Ok(Location::Beside),
    }
}

/// All mistakes of a configuration, a line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(pub Vec<String>);

impl Config {
    /// Checks everything and reports all mistakes at once. `suggested_key` is offered where no operator key is set.
    pub fn check(raw: Raw, suggested_key: &str) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        let listen: Option<SocketAddr> = raw.listen.parse().ok();
        if listen.is_none() {
            mistakes.push(format!(
                "--listen {}: expected an address such as 127.0.0.1:8080",
                raw.listen
            ));
        }
        let key = raw.operator_key.unwrap_or_default();
        if key.is_empty() {
            mistakes.push(format!(
                "GAVEL_OPERATOR_KEY is not set; it is what operators sign in with. A fresh one: GAVEL_OPERATOR_KEY={suggested_key}"
            ));
        } else if key.len() < OPERATOR_KEY_BYTES_MIN {
            mistakes.push(format!(
                "GAVEL_OPERATOR_KEY has {} bytes; it needs at least {OPERATOR_KEY_BYTES_MIN}. A fresh one: {suggested_key}",
                key.len()
            ));
        }
        if raw.currency.len() != 3 || !raw.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            mistakes
                .push(format!("--currency {}: expected three capitals such as USD", raw.currency));
        }
        for (flag, value) in
            [("--requests-max", raw.requests_max), ("--connections-max", raw.connections_max)]
        {
            if value == 0 || value > 1_000_000 {
                mistakes.push(format!("{flag} {value}: expected 1 to 1000000"));
            }
        }
        let own = listen.is_some_and(|listen| listen.ip().is_loopback());
        // An exchange that only this machine can reach is a development set-up.
        let loopback = raw.allow_loopback_buyers || own;
        let egress = egress(loopback, &raw.egress_allow, &raw.egress_ca, &mut mistakes);
        let egress = match raw.mail.check(&mut mistakes) {
            Some(relay) => egress.relaying(relay),
            None => egress,
        };
        let keeping = raw.keeping.check(&mut mistakes);
        let (Some(listen), true) = (listen, mistakes.is_empty()) else {
            return Err(Mistakes(mistakes));
        };
        Ok(Self {
            data: raw.data,
            keeping,
            listen,
            operator_key: Digest::of(key.as_bytes()),
            currency: raw.currency,
            egress,
            requests_max: raw.requests_max,
            connections_max: raw.connections_max,
            clock: Clock::system(),
            compiler: Compiler::InProcess,
            signing: KeySource::Own,
            module_keys: ModuleKeys::default(),
            master_key: Location::Beside,
        })
    }
}

/// Returns where the exchange may call out to, and says what of it cannot be read.
fn egress(
    loopback: bool,
    networks: &[String],
    authorities: &[PathBuf],
    mistakes: &mut Vec<String>,
) -> Egress {
    let mut egress = Egress::public();
    if loopback {
        egress = egress.allow_loopback();
    }
    for text in networks {
        match text.parse::<IpNet>() {
            Ok(network) if network.addr().is_loopback() => egress = egress.allow_loopback(),
            Ok(network) => egress = egress.allow(network),
            Err(_) => mistakes.push(format!(
                "--egress-allow {text}: expected a network such as 10.20.0.0/16 or fd12:3456::/32"
            )),
        }
    }
    for path in authorities {
        let flag = format!("--egress-ca {}", path.display());
        match std::fs::read(path).map(|pem| egress.clone().trust(&pem)) {
            Ok(Ok(trusting)) => egress = trusting,
            Ok(Err(error)) => mistakes.push(format!("{flag}: {error}")),
            Err(error) => mistakes.push(format!("{flag}: cannot be read: {error}")),
        }
    }
    egress
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> Raw {
        Raw {
            data: PathBuf::from("data"),
            keeping: RawKeeping::default(),
            listen: "127.0.0.1:8080".to_owned(),
            operator_key: Some("0123456789abcdef".to_owned()),
            currency: "USD".to_owned(),
            allow_loopback_buyers: false,
            egress_allow: Vec::new(),
            egress_ca: Vec::new(),
            mail: RawMail::default(),
            requests_max: REQUESTS_MAX,
            connections_max: CONNECTIONS_MAX,
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = Raw {
            listen: "8080".to_owned(),
            operator_key: None,
            currency: "dollars".to_owned(),
            requests_max: 0,
            keeping: RawKeeping {
                database: Some("mysql://db/gavel".to_owned()),
                accept_unsafe_database: vec!["fsink".to_owned()],
                scrub_hours: SCRUB_HOURS_MAX + 1,
                ..RawKeeping::default()
            },
            ..raw()
        };
        let mistakes = Config::check(wrong, "fresh").unwrap_err();
        assert_eq!(
            mistakes.to_string(),
            "--listen 8080: expected an address such as 127.0.0.1:8080\n\
             GAVEL_OPERATOR_KEY is not set; it is what operators sign in with. A fresh one: GAVEL_OPERATOR_KEY=fresh\n\
             --currency dollars: expected three capitals such as USD\n\
             --requests-max 0: expected 1 to 1000000\n\
             --database: expected postgres://user:password@host:5432/name\n\
             --accept-unsafe-database fsink: expected one of sqlite_version, journal_mode, synchronous, foreign_keys, \
             busy_timeout, mmap_size, server_version, fsync, full_page_writes, synchronous_commit, data_checksums\n\
             --scrub-hours 8761: expected 0 (never) to 8760"
        );
    }

    #[test]
    fn only_an_exchange_on_loopback_delivers_to_loopback_unasked() {
        let delivers = |raw: Raw| {
            let egress = Config::check(raw, "").unwrap().egress;
            egress.check("http://127.0.0.1:9000/leads").is_ok()
        };
        let public = || Raw { listen: "0.0.0.0:80".to_owned(), ..raw() };
        assert!(delivers(raw()) && !delivers(public()));
        assert!(delivers(Raw { egress_allow: vec!["127.0.0.0/8".to_owned()], ..public() }));
    }

    #[test]
    fn a_relay_that_is_half_told_is_a_mistake() {
        let mistakes = |relay: Option<&str>, from: Option<&str>, user: Option<&str>| {
            let [relay, from, user] = [relay, from, user].map(|text| text.map(str::to_owned));
            let mail = RawMail { relay, from, user, password: None };
            Config::check(Raw { mail, ..raw() }, "").map_err(|mistakes| mistakes.to_string())
        };
        let (relay, from) = (Some("smtps://relay.example"), Some("leads@exchange.example"));
        assert!(mistakes(relay, from, None).unwrap().egress.relay().is_some());
        assert!(mistakes(None, None, None).unwrap().egress.relay().is_none());
        let told = |relay, from, user| mistakes(relay, from, user).unwrap_err();
        assert!(told(None, from, None).starts_with("--smtp is not set"));
        assert!(told(relay, None, None).starts_with("--smtp-from : expected one e-mail address"));
        assert!(told(relay, from, Some("me")).starts_with("GAVEL_SMTP_USER and GAVEL_SMTP_PASS"));
        let secret = told(Some("smtp://me:word@relay.example"), from, None);
        assert!(secret.starts_with("--smtp: the address holds a user or password"), "{secret}");
        assert!(!secret.contains("word@"), "{secret}");
    }

    #[test]
    fn what_may_be_called_is_told_in_networks_and_files() {
        let allowed = Raw { egress_allow: vec!["10.20.0.0/16".to_owned()], ..raw() };
        let egress = Config::check(allowed, "").unwrap().egress;
        assert!(egress.check("https://10.20.3.4/bids").is_ok());
        assert!(egress.check("https://10.21.3.4/bids").is_err());
        let folder = tempfile::TempDir::new().unwrap();
        let (good, bad) = (folder.path().join("good.pem"), folder.path().join("bad.pem"));
        std::fs::write(&good, crate::mock::Authority::new().unwrap().pem()).unwrap();
        std::fs::write(&bad, "no certificate").unwrap();
        let with = |file: &std::path::Path| Raw { egress_ca: vec![file.to_owned()], ..raw() };
        assert!(Config::check(with(&good), "").is_ok());
        let wrong = Raw {
            egress_allow: vec!["ten".to_owned()],
            egress_ca: vec![bad.clone(), folder.path().join("none.pem")],
            ..raw()
        };
        let mistakes = Config::check(wrong, "").unwrap_err().to_string();
        let lines: Vec<&str> = mistakes.lines().collect();
        assert_eq!(lines.len(), 3, "{mistakes}");
        assert!(lines[0].starts_with("--egress-allow ten: expected a network"), "{mistakes}");
        assert!(lines[1].contains("there is no certificate in it"), "{mistakes}");
        assert!(lines[2].contains("cannot be read"), "{mistakes}");
    }
}
