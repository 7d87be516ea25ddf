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

/// Asks through the adapter in this file.
pub(super) async fn through(
    (file, settings): (&Path, &str),
    args: &Args,
    line: Line,
    destination: Destination,
    lead: &Value,
) -> Result<Vec<Finding>, Failure> {
    let (adapter, module) = admitted(file, settings)?;
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
        Saleroom::new(line.clone(), Instant::now(), 0).ask(offered, invited).await
    };
    let mut findings = Vec::new();
    let first = [invited(0)?];
    findings.extend(ask(0, &first).await.iter().map(|ended| finding("answer", ended)));
    let mut slowest = Duration::ZERO;
    for number in 1..=PINGS {
        for ended in ask(number, &first).await {
            if ended.outcome != Outcome::Bid && ended.outcome != Outcome::NoBid {
                findings.push(finding("time", &ended));
                return Ok(findings);
            }
            slowest = slowest.max(ended.took);
        }
    }
    let seen = format!("{PINGS} pings: all within {} ms", slowest.as_millis());
    findings.push(Finding::good("time", seen));
    let all = (0..PINGS).map(invited).collect::<Result<Vec<Invited>, Failure>>()?;
    let said = ask(PINGS.wrapping_add(1), &all).await;
    let bad = said.iter().find(|ended| !matches!(ended.outcome, Outcome::Bid | Outcome::NoBid));
    findings.push(match bad {
        Some(ended) => finding("at once", ended),
        None => Finding::good("at once", format!("{PINGS} at once are all answered")),
    });
    Ok(findings)
}

/// Returns the adapter of a file, knowing these settings.
fn admitted(file: &Path, settings: &str) -> Result<(Adapter, ModuleVersion), Failure> {
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
