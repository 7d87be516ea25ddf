//! The end point for bids as it is asked through an adapter: exactly as the exchange would.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::check::Args;
use super::findings::Finding;
use crate::bidding::{Ended, Invited, Offered, Outcome, Saleroom};
use crate::catalog::{Bidding, FailingSpec, Headers, ModuleVersion, Served, Serving, Upkeep};
use crate::cli::{Failure, module};
use crate::clock::Clock;
use crate::egress::{Destination, Line};
use crate::ids::{BuyerId, CampaignId, IdError, ModuleName, PingId};
use crate::sandbox::{Adapter, Admitted, frame};

/// How many pings are sent one after the other, and at once.
const PINGS: u8 = 10;

/// What came of asking through an adapter.
pub(super) struct Tried {
    pub(super) findings: Vec<Finding>,
    /// The first ping.
    pub(super) ping: String,
    /// What its buyer called its bid.
    pub(super) handle: Option<String>,
}

/// Asks through an adapter.
pub(super) async fn through(
    (adapter, module): (Adapter, ModuleVersion),
    args: &Args,
    line: Line,
    destination: Destination,
    lead: &Value,
) -> Result<Tried, Failure> {
    let words = frame(adapter.needs(), None, lead);
    let upkeep = Upkeep { owner: String::new(), failing: FailingSpec::NEVER, taken_out: None };
    let active = Served { module, code: adapter };
    let contract = Arc::new(Bidding {
        destination,
        timeout: Duration::from_millis(u64::from(args.timeout_ms)),
        bid_max: None,
        calls_per_second: None,
        concurrency: u32::from(PINGS),
        headers: Headers::default(),
        adapter: Some(Serving { active, canary: None, shadow: None, upkeep }),
    });
    let campaign = CampaignId::parse(&args.campaign).map_err(named)?;
    let invited = |number: u8| {
        Ok(Invited {
            buyer: BuyerId::parse(&format!("buyer-{number}")).map_err(named)?,
            contract: Arc::clone(&contract),
            campaigns: vec![(campaign.clone(), None)],
        })
    };
    let ask = async |number: u8, invited: &[Invited]| {
        let ping = PingId::new(Clock::system().now(), [number; 10]).to_string();
        let offered = Offered {
            ping: &ping,
            vertical: &args.vertical,
            currency: &args.currency,
            test: true,
            lead: &|| lead.to_string(),
            frame: &words,
            deadline: Instant::now() + Duration::from_secs(30),
        };
        // A fresh one for each: no breaker hides what comes.
        let said = Saleroom::new(line.clone(), Instant::now(), 0).ask(offered, invited).await;
        (said, ping)
    };
    let first = [invited(0)?];
    let (said, ping) = ask(0, &first).await;
    let handle = said.iter().find_map(|ended| ended.bid.as_ref()?.handle.clone());
    let findings = said.iter().map(|ended| finding("answer", ended)).collect();
    let mut tried = Tried { findings, ping, handle };
    let findings = &mut tried.findings;
    let mut slowest = Duration::ZERO;
    for number in 1..=PINGS {
        for ended in ask(number, &first).await.0 {
            if ended.outcome != Outcome::Bid && ended.outcome != Outcome::NoBid {
                findings.push(finding("time", &ended));
                return Ok(tried);
            }
            slowest = slowest.max(ended.took);
        }
    }
    let seen = format!("{PINGS} pings: all within {} ms", slowest.as_millis());
    findings.push(Finding::good("time", seen));
    let all = (0..PINGS).map(invited).collect::<Result<Vec<Invited>, Failure>>()?;
    let (said, _) = ask(PINGS.wrapping_add(1), &all).await;
    let bad = said.iter().find(|ended| !matches!(ended.outcome, Outcome::Bid | Outcome::NoBid));
    findings.push(match bad {
        Some(ended) => finding("at once", ended),
        None => Finding::good("at once", format!("{PINGS} at once are all answered")),
    });
    Ok(tried)
}

/// Returns the adapter of a file, knowing these settings.
pub(super) fn admitted(file: &Path, settings: &str) -> Result<(Adapter, ModuleVersion), Failure> {
    let name = file.display();
    let Admitted::Adapter(module) = module::admit(file)? else {
        return Err(Failure::usage(format!("--adapter {name}: it is no adapter")));
    };
    let adapter = module.configure(settings).map_err(|error| {
        let help = module.settings_help();
        Failure::usage(format!("--settings {settings}: {error}. The adapter takes: {help}"))
    })?;
    if !adapter.pings() {
        let message = format!("--adapter {name}: with these settings it asks for no bids");
        return Err(Failure::usage(message));
    }
    let digest = module.digest();
    let name = ModuleName::parse("adapter").map_err(named)?;
    Ok((adapter, ModuleVersion { name, version: 1, digest }))
}

fn named(error: IdError) -> Failure {
    Failure::usage(error.to_string())
}

fn finding(check: &'static str, ended: &Ended) -> Finding {
    let ms = ended.took.as_millis();
    let detail = ended.detail.as_deref().unwrap_or("no reason given");
    let advice = match ended.outcome {
        Outcome::Bid => {
            let amount = ended.bid.as_ref().map(|bid| bid.amount.to_string());
            let amount = amount.unwrap_or_default();
            return Finding::good(check, format!("a bid of {amount} after {ms} ms"));
        }
        Outcome::NoBid => return Finding::good(check, format!("no bid after {ms} ms: {detail}")),
        Outcome::Late => (
            "a bid that comes after the deadline never wins",
            "answer sooner, or agree on a longer time with the exchange",
        ),
        Outcome::Refused => (
            "a status that is no success is a failure; five in a row and the end point is left alone for 30 s",
            "look at the request that the adapter words: `gavel adapter record` shows it",
        ),
        Outcome::Invalid => (
            "what the adapter cannot understand is no bid",
            "record this answer with `gavel adapter record` and teach it to the adapter",
        ),
        Outcome::Unreachable => (
            "an end point that cannot be reached never bids",
            "look at the address, the certificate and the firewall",
        ),
        Outcome::Skipped => ("nothing was asked", "try again"),
    };
    Finding::bad(check, format!("{}: {detail}", ended.outcome.code()), advice)
}
