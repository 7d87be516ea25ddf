//! The exchange that the market runs on: its port, its keys, its end.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::civil::Date;

use super::checks::Check;
use super::told;
use crate::clock::Clock;
use crate::config::{CONNECTIONS_MAX, Config, Keeping, REQUESTS_MAX};
use crate::contacts::Location;
use crate::egress::Egress;
use crate::exchange::{Difference, Reconciled, reconcile, replay};
use crate::ids::Digest;
use crate::sandbox::{Compiler, ModuleKeys};
use crate::server::{self, Running};
use crate::signing::KeySource;

/// The port that is tried first.
const PORT: u16 = 8080;

/// How long the exchange may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// Why the exchange did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("port {port} is taken; name another with --port")]
    Port {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("this machine has no randomness for keys: {0}")]
    Random(getrandom::Error),
    #[error(transparent)]
    Server(#[from] server::StartError),
}

/// Starts the exchange in this process, as `gavel serve` does.
pub(super) async fn start_exchange(
    data: &Path,
    port: u16,
    operator_key: &str,
) -> Result<Running, StartError> {
    let config = Config {
        data: data.to_owned(),
        keeping: Keeping::default(),
        listen: (Ipv4Addr::LOCALHOST, port).into(),
        operator_key: Digest::of(operator_key.as_bytes()),
        currency: "USD".to_owned(),
        egress: Egress::public().allow_loopback(),
        requests_max: REQUESTS_MAX,
        connections_max: CONNECTIONS_MAX,
        clock: Clock::system(),
        compiler: Compiler::this_program(),
        signing: KeySource::Own,
        module_keys: ModuleKeys::default(),
        master_key: Location::Beside,
    };
    Ok(server::start(config).await?)
}

/// Stops the exchange: no new calls, open ones end, everything is on disk.
pub(super) async fn stop(exchange: Running) -> Check {
    let began = Instant::now();
    let stopped = tokio::time::timeout(STOP_PATIENCE, exchange.stop()).await;
    let after = format!("after {} ms", began.elapsed().as_millis());
    Check {
        claim: "the exchange drains and stops when it is told to",
        holds: stopped == Ok(0),
        details: match stopped {
            Ok(undelivered) => format!("{after}, {undelivered} deliveries left for the next start"),
            Err(_) => format!("not even {after}"),
        },
    }
}

/// Reads back what the exchange left on disk: what `gavel reconcile` and `gavel replay` do.
pub(super) async fn journal_checks(data: &Path) -> [Check; 2] {
    let (holds, details) = match reconcile(data, |_| ()).await {
        Ok(found) => (found.sales > 0, reconciled(&found)),
        Err(error) => (false, told(&error)),
    };
    let books = Check {
        claim: "the day reconciles to zero: journal, ledger, book, holds, sales and statements",
        holds,
        details,
    };
    let (holds, details) = match replay(data, Compiler::this_program(), |_| ()).await {
        Ok(found) => (
            found.differences.is_empty() && found.auctions > 0,
            format!(
                "{} auctions held again, {} deliveries checked, {} differences{}",
                found.auctions,
                found.deliveries,
                found.differences.len(),
                found.differences.first().map(difference).unwrap_or_default(),
            ),
        ),
        Err(error) => (false, told(&error)),
    };
    [
        books,
        Check {
            claim: "every recorded decision comes out the same when it is made again",
            holds,
            details,
        },
    ]
}

fn reconciled(found: &Reconciled) -> String {
    let sum: i128 = found.accounts.iter().map(|line| i128::from(line.balance.get())).sum();
    format!(
        "{} facts, {} entries in {} accounts that sum to {sum}; {} sales, {} returns, {} pings open",
        found.facts,
        found.entries,
        found.accounts.len(),
        found.sales,
        found.returns,
        found.open_pings,
    )
}

fn difference(difference: &Difference) -> String {
    let Difference { seq, what, recorded, replayed } = difference;
    format!("; fact {seq}: {what}: recorded {recorded}, replayed {replayed}")
}

/// Returns the port that was asked for, or 8080, or any free one, and the port that was given up for it.
pub(super) fn free_port(asked: Option<u16>) -> Result<(u16, Option<u16>), StartError> {
    let first = asked.unwrap_or(PORT);
    // Bound and let go at once: what follows binds it for good.
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr();
    let taken = match bind(first) {
        Ok(address) => return Ok((address.port(), None)),
        Err(source) => StartError::Port { port: first, source },
    };
    match bind(0) {
        Ok(address) if asked.is_none() => Ok((address.port(), Some(first))),
        Ok(_) | Err(_) => Err(taken),
    }
}

/// Returns a key that nobody can guess.
pub(super) fn random_key() -> Result<String, StartError> {
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(StartError::Random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the day in UTC: people's ages are reckoned by it.
pub(super) fn today() -> Date {
    Clock::system().now().in_zone(&jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_given_up_only_if_nobody_asked_for_it() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = holder.local_addr().unwrap().port();
        assert!(
            matches!(free_port(Some(taken)), Err(StartError::Port { port, .. }) if port == taken)
        );
        drop(holder);
        assert_eq!(free_port(Some(taken)).unwrap(), (taken, None));
    }

    #[test]
    fn keys_differ() {
        let (one, other) = (random_key().unwrap(), random_key().unwrap());
        assert_eq!(one.len(), 48);
        assert_ne!(one, other);
    }
}
