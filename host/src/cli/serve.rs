//! `gavel serve`: the exchange, until it is told to stop.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::Failure;
use crate::config::{
    CONNECTIONS_MAX, Config, DISK_LOW_MIB, Mistakes, REQUESTS_MAX, Raw, RawKeeping, RawMail,
    SCRUB_HOURS,
};
use crate::sandbox::{Compiler, ModuleKeys};
use crate::signing::KeySource;
use crate::{config, server, telemetry};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the journal; made if it is not there.
    #[arg(long, env = "GAVEL_DATA")]
    data: PathBuf,
    /// The address to listen on.
    #[arg(long, env = "GAVEL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// A PostgreSQL database for the journal: postgres://user:password@host:5432/name. Without it, the journal is in
    /// SQLite in the data directory. `?sslmode=verify-full&sslrootcert=FILE` at its end asks for TLS.
    #[arg(long, env = "GAVEL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Start though this setting of the database may lose acknowledged facts at a power cut, such as
    /// synchronous_commit. May be given several times; in the environment with commas.
    #[arg(
        long,
        env = "GAVEL_ACCEPT_UNSAFE_DATABASE",
        value_name = "NAME-OF-SETTING",
        value_delimiter = ','
    )]
    accept_unsafe_database: Vec<String>,
    /// Refuse new pings while the data directory's disk has fewer mebibytes free; posts and money go on.
    #[arg(long, env = "GAVEL_DISK_LOW_MIB", value_name = "MIB", default_value_t = DISK_LOW_MIB)]
    disk_low_mib: u64,
    /// Read the journal again and verify it every so many hours; 0 is never.
    #[arg(long, env = "GAVEL_SCRUB_HOURS", value_name = "HOURS", default_value_t = SCRUB_HOURS)]
    scrub_hours: u32,
    /// The operator's key.
    #[arg(long, env = "GAVEL_OPERATOR_KEY", hide_env_values = true, hide = true)]
    operator_key: Option<String>,
    /// The currency of all amounts.
    #[arg(long, env = "GAVEL_CURRENCY", default_value = "USD")]
    currency: String,
    /// Let buyers' end points be plain HTTP on loopback. So it is anyway if only loopback is listened on.
    #[arg(long, env = "GAVEL_ALLOW_LOOPBACK_BUYERS")]
    allow_loopback_buyers: bool,
    /// A network that is not public and may be called all the same, such as 10.20.0.0/16. May be given several times; in
    /// the environment with commas.
    #[arg(long, env = "GAVEL_EGRESS_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    egress_allow: Vec<String>,
    /// A PEM file with certificate authorities to trust beside the machine's, such as a buyer's private one.
    #[arg(long, env = "GAVEL_EGRESS_CA", value_name = "FILE", value_delimiter = ',')]
    egress_ca: Vec<PathBuf>,
    /// The mail relay that leads go through to buyers who get them by e-mail: smtps://relay.example, or
    /// smtp://relay.example, where TLS is agreed on first. GAVEL_SMTP_USER and GAVEL_SMTP_PASSWORD sign in.
    #[arg(long, env = "GAVEL_SMTP", value_name = "URL", hide_env_values = true)]
    smtp: Option<String>,
    /// Whom the letters come from, such as leads@exchange.example.
    #[arg(long, env = "GAVEL_SMTP_FROM", value_name = "ADDRESS")]
    smtp_from: Option<String>,
    #[arg(long, env = "GAVEL_SMTP_USER", hide = true)]
    smtp_user: Option<String>,
    #[arg(long, env = "GAVEL_SMTP_PASSWORD", hide_env_values = true, hide = true)]
    smtp_password: Option<String>,
    /// How many requests may be under way at once.
    #[arg(long, env = "GAVEL_REQUESTS_MAX", default_value_t = REQUESTS_MAX)]
    requests_max: usize,
    /// How many connections may be open at once. One address has half of them at most, several share them; where the
    /// system allows fewer than twice as many open files, there are fewer.
    #[arg(long, env = "GAVEL_CONNECTIONS_MAX", default_value_t = CONNECTIONS_MAX)]
    connections_max: usize,
    /// A file with the master key, under which the keys of contact data lie. Without it, GAVEL_MASTER_KEY holds the key
    /// itself, or `master.key` is made in the data directory: better keep it elsewhere, away from the data's copies.
    #[arg(long, env = "GAVEL_MASTER_KEY_FILE", value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// A minisign public key, or a file with one: only modules that it has signed are taken. May be given several times;
    /// in the environment with commas.
    #[arg(long, env = "GAVEL_MODULE_KEY", value_name = "KEY", value_delimiter = ',')]
    module_key: Vec<String>,
    /// The ed25519 key that signs receipts, as PEM, or a file with it; without one it is made in the data directory.
    #[arg(long, env = "GAVEL_SIGNING_KEY", hide_env_values = true, value_name = "FILE")]
    signing_key: Option<String>,
}

/// How long shutdown may take in all before the process leaves anyway.
const LEAVE_AFTER: Duration = Duration::from_secs(25);

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    telemetry::start_log(json);
    let mut fresh = [0; 24];
    getrandom::fill(&mut fresh)
        .map_err(|error| Failure::could_not_run(format!("no randomness: {error}")))?;
    let fresh: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
    let module_keys = ModuleKeys::read(&args.module_key);
    let config = Config::check(
        Raw {
            data: args.data,
            keeping: RawKeeping {
                database: args.database,
                accept_unsafe_database: args.accept_unsafe_database,
                disk_low_mib: args.disk_low_mib,
                scrub_hours: args.scrub_hours,
            },
            listen: args.listen,
            operator_key: args.operator_key,
            currency: args.currency,
            allow_loopback_buyers: args.allow_loopback_buyers,
            egress_allow: args.egress_allow,
            egress_ca: args.egress_ca,
            mail: RawMail {
                relay: args.smtp,
                from: args.smtp_from,
                user: args.smtp_user,
                password: args.smtp_password.map(Zeroizing::new),
            },
            requests_max: args.requests_max,
            connections_max: args.connections_max,
        },
        &fresh,
    );
    let master_key = config::master_key(args.master_key);
    let (config, module_keys, master_key) = match (config, module_keys, master_key) {
        (Ok(config), Ok(module_keys), Ok(master_key)) => (config, module_keys, master_key),
        (config, module_keys, master_key) => {
            let mistakes = config.err().into_iter().flat_map(|Mistakes(mistakes)| mistakes);
            let mistakes = mistakes.chain(module_keys.err().into_iter().flatten());
            let mistakes = mistakes.chain(master_key.err().map(|error| error.to_string()));
            return Err(Failure::usage(Mistakes(mistakes.collect()).to_string()));
        }
    };
    let signing = args.signing_key.map_or(KeySource::Own, KeySource::Given);
    let compiler = Compiler::this_program();
    let config = Config { compiler, module_keys, signing, master_key, ..config };
    super::block_on(async {
        // Listened for before anything is open: whoever sees it open may stop it.
        let mut signals = Signals::listen().map_err(|error| Failure::because(&error))?;
        let running = tokio::select! {
            running = server::start(config) => running.map_err(|error| Failure::because(&error))?,
            () = signals.stop() => {
                tracing::info!("asked to stop before it was open");
                return Ok(());
            }
        };
        signals.stop().await;
        tracing::info!("asked to stop, draining");
        tokio::select! {
            _ = running.stop() => Ok(()),
            () = signals.stop() => Err(Failure::could_not_run("asked twice to stop: left at once")),
            () = tokio::time::sleep(LEAVE_AFTER) => {
                Err(Failure::could_not_run("not drained in time: left anyway"))
            }
        }
    })?
}

/// What asks the process to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for the next.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
