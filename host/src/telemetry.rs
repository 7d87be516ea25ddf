//! Logs and metrics: how the exchange tells what it does. No personal field ever goes through here.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Buckets of every duration, in seconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts the log on standard error, at the level that `GAVEL_LOG` says (`info` if it says nothing).
pub fn start_log(json: bool) {
    let filter = EnvFilter::try_from_env("GAVEL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process finds the first log in place, which is as good.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}

/// Returns the process's metrics; starts collecting them the first time.
pub fn metrics() -> Option<&'static PrometheusHandle> {
    let started = METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
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
