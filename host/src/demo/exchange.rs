//! The exchange that the market runs on: its port, its keys, its end.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use jiff::civil::Date;

use super::checks::Check;
use crate::clock::Clock;

/// The port that is tried first.
const PORT: u16 = 8080;

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
    #[error("the exchange does not start: {0}")]
    Exchange(String),
}

/// A running exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) address: SocketAddr,
}

/// Starts the exchange in this process.
pub(super) async fn start_exchange(
    data: &Path,
    port: u16,
    operator_key: &str,
) -> Result<Exchange, StartError> {
    let _ = (data, port, operator_key);
    Err(StartError::Exchange("it is not part of this build yet".to_owned()))
}

impl Exchange {
    /// Stops the exchange: no new calls, open ones end, everything is on disk.
    pub(super) async fn stop(self) -> Check {
        Check {
            claim: "the exchange stops when it is told to",
            holds: false,
            details: String::new(),
        }
    }
}

/// Runs the program's own commands over the data that the exchange left behind.
pub(super) async fn journal_checks(data: &Path) -> Vec<Check> {
    vec![
        command_check(
            "the journal's chain is whole: gavel journal verify",
            &["journal", "verify"],
            data,
        )
        .await,
        command_check("every decision comes out the same again: gavel replay", &["replay"], data)
            .await,
    ]
}

async fn command_check(claim: &'static str, arguments: &[&str], data: &Path) -> Check {
    let ended = match std::env::current_exe() {
        Ok(program) => {
            tokio::process::Command::new(program).args(arguments).arg(data).output().await
        }
        Err(error) => Err(error),
    };
    let (holds, details) = match ended {
        Ok(output) if output.status.success() => (true, output.stdout),
        Ok(output) => (false, [output.stdout, output.stderr].concat()),
        Err(error) => (false, error.to_string().into_bytes()),
    };
    let details = String::from_utf8_lossy(&details);
    let details: Vec<&str> =
        details.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Check { claim, holds, details: details.join("; ") }
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
