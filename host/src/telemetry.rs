//! Logs and metrics: how the exchange tells what it does. No personal field ever goes through here.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::Label;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Buckets of every duration, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Buckets of a module's call, in seconds: most take microseconds.
const CALL_SECONDS: [f64; 12] =
    [2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 0.002, 0.01, 0.1, 1.0];
/// Buckets of the fuel that a module's call takes.
const CALL_FUEL: [f64; 12] = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 1e9];

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts the log on standard error, at the level that `GAVEL_LOG` says (`info` if it says nothing).
pub fn start_log(json: bool) {
    let filter = EnvFilter::try_from_env("GAVEL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process finds the first log in place, which is as good.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}

/// Notes what one call of a module's version took. A call that was forfeited has no fuel to tell.
pub fn module_call(module: &str, version: u32, took: Duration, fuel: Option<u64>) {
    let labels =
        [Label::new("module", module.to_owned()), Label::new("version", version.to_string())];
    if let Some(fuel) = fuel {
        // Far below the 2^53 up to which these numbers are exact.
        let fuel = f64::from(u32::try_from(fuel).unwrap_or(u32::MAX));
        metrics::histogram!("gavel_module_fuel", labels.iter()).record(fuel);
    }
    metrics::histogram!("gavel_module_call_seconds", labels.iter()).record(took);
}

/// Returns the process's metrics; starts collecting them the first time.
pub fn metrics() -> Option<&'static PrometheusHandle> {
    let started = METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|builder| {
                let call = Matcher::Full("gavel_module_call_seconds".to_owned());
                builder.set_buckets_for_metric(call, &CALL_SECONDS)
            })
            .and_then(|builder| {
                let fuel = Matcher::Full("gavel_module_fuel".to_owned());
                builder.set_buckets_for_metric(fuel, &CALL_FUEL)
            });
        match builder.and_then(PrometheusBuilder::install_recorder) {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::error!(%error, "metrics are not collected");
                None
            }
        }
    });
    started.as_ref()
}
