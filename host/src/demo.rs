//! A market to watch: the real exchange in this process, made-up sources and buyers around it on loopback.
//!
//! Everything that happens goes through the public API, so these files also show how the exchange is used: [`opening`]
//! is an operator at work, [`dialects`] and [`traffic`] are sources, [`buyers`] are buyers' own systems. When the market
//! closes, [`checks`] hold what every side wrote down against what the others did.

mod answers;
mod api;
mod buyers;
mod checks;
mod dialects;
mod dice;
mod exchange;
pub(crate) mod ink;
mod leads;
mod market;
mod opening;
mod people;
mod postbacks;
mod receipts;
mod screen;
mod summary;
mod swap;
mod tally;
mod telling;
mod traffic;
mod view;
mod welcome;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use api::{Api, ApiError};
use checks::{Accounts, Evidence};
use ink::Terminal;
use market::SWAPPED;
use opening::{ModuleVersion, Opened, OpeningError};
use postbacks::Heard;
use receipts::Listener;
use swap::Swap;
use tally::{Sale, Sales, Tally};
use traffic::Traffic;
use view::{Output, Watched};

pub use exchange::StartError;
pub use summary::Summary;

/// How long a bounded run sends leads if nothing else was asked for, in seconds.
const ONCE_SECONDS: u64 = 15;
/// When the filter is swapped in a run without an end.
const SWAP_AFTER: Duration = Duration::from_secs(20);
/// How long leads that are under way may take to end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(20);
/// How long buyers' answers that are still open are waited for, and how often they are asked for.
const SETTLE_PATIENCE: Duration = Duration::from_secs(30);
const SETTLE_EVERY: Duration = Duration::from_millis(200);

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Run for a while, then check everything.
    pub once: bool,
    /// The port of the exchange. Without it 8080, or any other if that is taken.
    pub port: Option<u16>,
    /// Leads per second.
    pub rate: u32,
    pub seed: u64,
    /// How long leads are sent; without it a run that is not `once` has no end.
    pub seconds: Option<u64>,
    /// Where the modules are.
    pub rules: PathBuf,
    /// Standard output is for the result only.
    pub quiet: bool,
}

/// Why there was no market.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Opening(#[from] OpeningError),
    #[error(transparent)]
    Exchange(#[from] StartError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("there is no room for the exchange's data")]
    Folder(#[source] std::io::Error),
    #[error("the latencies cannot be counted")]
    Latency(#[from] hdrhistogram::CreationError),
}

/// Opens the market, lets it run until its end or Ctrl-C, closes it, and returns how it went. A second Ctrl-C ends the
/// program at once.
///
/// # Errors
///
/// [`DemoError`] if the market did not open. That a check does not hold is no error, see [`Summary::holds`].
pub async fn run(options: Options) -> Result<Summary, DemoError> {
    let modules = opening::modules(&options.rules)?;
    let folder =
        tempfile::Builder::new().prefix("gavel-demo-").tempdir().map_err(DemoError::Folder)?;
    let operator_key = exchange::random_key()?;
    let (port, moved) = exchange::free_port(options.port)?;
    let running = exchange::start_exchange(folder.path(), port, &operator_key).await?;
    let api = Api::new(format!("http://{}", running.addr()), operator_key.clone())?;
    let tally = Arc::new(Tally::new()?);
    let opened = opening::open(&api, &modules, &tally).await?;
    let output = output(&options);
    output.say(&welcome::text(&welcome::Welcome {
        base: api.base(),
        folder: folder.path(),
        operator_key: &operator_key,
        keys: &opened.keys,
        moved,
        today: exchange::today(),
    }));

    let traffic =
        Traffic::new(api, opened.keys.clone(), Arc::clone(&tally), options.seed, exchange::today());
    let mut market =
        Market { options, traffic: Arc::new(traffic), opened, listener: Listener::default() };
    let (swap, watched) = market.trade(&modules, output).await;
    market.drain().await;
    let evidence = match market.options.once {
        true => Some(market.evidence(swap.clone()).await),
        false => None,
    };
    let scene = watched.closing_scene();
    let stopped = exchange::stop(running).await;
    let mut checks = evidence.as_ref().map(checks::all).unwrap_or_default();
    if market.options.once {
        checks.push(stopped);
        checks.extend(exchange::journal_checks(folder.path()).await);
    }
    let mut summary =
        Summary { scene, checks, swap: swap.ok().map(|swap| swap.in_words()), kept: None };
    if !summary.holds() {
        summary.kept = Some(folder.keep());
    }
    Ok(summary)
}

fn output(options: &Options) -> Output {
    let terminal = Terminal::open();
    match (options.quiet, terminal.interactive) {
        (true, _) => Output::ErrorLines,
        (false, true) => Output::Terminal(terminal),
        (false, false) => Output::Lines,
    }
}

/// The open market.
#[derive(Debug)]
struct Market {
    options: Options,
    traffic: Arc<Traffic>,
    opened: Opened,
    listener: Listener,
}

impl Market {
    /// Sends leads until they were all sent or Ctrl-C; swaps a filter on the way.
    async fn trade(
        &self,
        modules: &[(&'static str, Bytes)],
        output: Output,
    ) -> (Result<Swap, String>, Watched) {
        let seconds = self.options.seconds.or(self.options.once.then_some(ONCE_SECONDS));
        let leads = seconds.map(|seconds| seconds.saturating_mul(u64::from(self.options.rate)));
        let (stop, stopped) = watch::channel(false);
        let watched = Watched {
            base: self.traffic.api.base().to_owned(),
            seed: self.options.seed,
            opened: Instant::now(),
            tally: Arc::clone(&self.traffic.tally),
            end_points: self.opened.end_points.clone(),
            listener: self.listener.clone(),
        };
        let listening =
            self.listener.clone().listen(self.traffic.api.clone(), Arc::clone(&self.traffic.tally));
        let listening = tokio::spawn(listening);
        let showing = tokio::spawn(view::show(watched.clone(), output, stopped.clone()));
        // It outlives the trade: while the market closes, a further Ctrl-C still ends the program.
        tokio::spawn(interrupt(stop.clone()));

        let streaming = self.traffic.stream(self.options.rate, leads, stopped.clone());
        let swap_after = seconds
            .map_or(SWAP_AFTER, |seconds| Duration::from_millis(seconds.saturating_mul(500)));
        let swapping = async {
            let mut stopped = stopped.clone();
            tokio::select! {
                () = tokio::time::sleep(swap_after) => self.swap(modules).await,
                _ = stopped.wait_for(|stop| *stop) => Err("the demo ended before the swap".to_owned()),
            }
        };
        let ((), swap) = tokio::join!(streaming, swapping);
        // The last picture is of a market at rest.
        self.traffic.drain(DRAIN_PATIENCE).await;
        stop.send_replace(true);
        // The last picture may be missing; the market is closed all the same.
        let _ = showing.await;
        listening.abort();
        (swap, watched)
    }

    async fn swap(&self, modules: &[(&'static str, Bytes)]) -> Result<Swap, String> {
        let component = modules.iter().find(|(name, _)| *name == SWAPPED);
        let (_, component) = component.ok_or_else(|| format!("there is no {SWAPPED}"))?;
        let from =
            ModuleVersion { version: 1, digest: crate::ids::Digest::of(component).to_string() };
        swap::swap(&self.traffic, from, component).await.map_err(|error| {
            let error = told(&error);
            self.traffic.tally.event(format!("the swap of {SWAPPED} failed: {error}"));
            error
        })
    }

    /// Waits for the leads that are under way and for the outcomes that are still open.
    async fn drain(&mut self) {
        let tally = &self.traffic.tally;
        let began = Instant::now();
        while began.elapsed() < SETTLE_PATIENCE {
            for sale in tally.take_open() {
                self.settle(sale).await;
            }
            if tally.counts().pending == 0 {
                return;
            }
            tokio::time::sleep(SETTLE_EVERY).await;
        }
    }

    /// Looks how an open lead stands by now.
    async fn settle(&self, sale: Sale) {
        let tally = &self.traffic.tally;
        match receipts::fetch(&self.traffic.api, &sale.ping_id).await {
            Ok(receipt) if receipt.status == "sold" => {
                tally.sell(Sale { payout: receipt.payout(), ..sale });
            }
            Ok(receipt) if receipt.status == "unsold" => tally.unsold_later(),
            Ok(_) | Err(_) => tally.leave_open(sale),
        }
    }

    /// Returns what was told in postbacks, once none is to be sent any more.
    async fn heard(&self) -> BTreeMap<&'static str, Heard> {
        let began = Instant::now();
        while began.elapsed() < SETTLE_PATIENCE {
            let waiting = self.traffic.api.get("/v1/postbacks?status=waiting&limit=1").await;
            let waiting = waiting.ok().and_then(|json| json.get("postbacks")?.as_array().cloned());
            if waiting.is_some_and(|waiting| waiting.is_empty()) {
                break;
            }
            tokio::time::sleep(SETTLE_EVERY).await;
        }
        self.opened.receiver.heard()
    }

    /// Asks every side for what it wrote down.
    async fn evidence(&self, swap: Result<Swap, String>) -> Evidence {
        let api = &self.traffic.api;
        let Sales { sold, open } = self.traffic.tally.sales();
        let mut sales = Vec::with_capacity(sold.len());
        for sale in sold {
            let receipt = receipts::fetch(api, &sale.ping_id).await;
            sales.push((sale, receipt.map_err(|error| told(&error))));
        }
        let ledger = match api.get("/v1/ledger").await {
            Ok(json) => Ok(Accounts::read(&json)),
            Err(error) => Err(told(&error)),
        };
        let books = self.opened.end_points.iter();
        Evidence {
            counts: self.traffic.tally.counts(),
            sales,
            still_open: open.len(),
            books: books.map(|end_point| (end_point.buyer, end_point.ledger())).collect(),
            heard: self.heard().await,
            ledger,
            swap,
        }
    }
}

/// The first Ctrl-C closes the market, the second ends the program.
async fn interrupt(stop: watch::Sender<bool>) {
    for stopped_before in [false, true] {
        // Where there is no Ctrl-C, the market ends by itself or by force.
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        if stopped_before {
            std::process::exit(130);
        }
        stop.send_replace(true);
    }
}

/// Returns an error with its causes in one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
