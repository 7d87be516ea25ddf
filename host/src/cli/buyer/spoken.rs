//! The end point for bids as it is asked through an adapter: exactly as the exchange would.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::check::Args;
use super::findings::{Finding, Wrong};
use crate::bidding::{Ended, Invited, Offered, Outcome, Saleroom};
use crate::catalog::{Bidding, FailingSpec, ModuleVersion, Served, Serving, Upkeep};
use crate::cli::{Failure, module};
use crate::clock::Clock;
use crate::egress::{Destination, Line};
use crate::ids::{BuyerId, IdError, ModuleName, PingId};
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
    let contract = Arc::new(contract((adapter, module), args, destination)?);
    let campaign = args.campaign()?;
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
    let mut tried = Tried { findings: Vec::new(), ping, handle };
    let findings = &mut tried.findings;
    let (mut asked, mut wrong, mut slowest) = (0_usize, Vec::new(), Duration::ZERO);
    for number in 1..=PINGS {
        for ended in ask(number, &first).await.0 {
            asked = asked.saturating_add(1);
            match judged(&ended) {
                Ok(_) => slowest = slowest.max(ended.took),
                Err(one) => wrong.push(one),
            }
        }
    }
    for ended in &said {
        findings.push(match judged(ended) {
            Ok(seen) => Finding::good("answer", seen),
            Err(one) if wrong.len() == asked => {
                findings.push(one.with_all("answer", asked));
                return Ok(tried);
            }
            Err(Wrong { seen, advice }) => Finding::bad("answer", seen, advice),
        });
    }
    findings.push(Wrong::among("time", asked, &wrong).unwrap_or_else(|| {
        let seen = format!("{PINGS} pings: all within {} ms", slowest.as_millis());
        Finding::good("time", seen)
    }));
    let all = (0..PINGS).map(invited).collect::<Result<Vec<Invited>, Failure>>()?;
    let (said, _) = ask(PINGS.wrapping_add(1), &all).await;
    let wrong: Vec<Wrong> = said.iter().filter_map(|ended| judged(ended).err()).collect();
    let at_once = Wrong::among("at once", said.len(), &wrong);
    findings.push(
        at_once.unwrap_or_else(|| {
            Finding::good("at once", format!("{PINGS} at once are all answered"))
        }),
    );
    Ok(tried)
}

/// Returns what the exchange would agree on with whoever answers there.
fn contract(
    (code, module): (Adapter, ModuleVersion),
    args: &Args,
    destination: Destination,
) -> Result<Bidding, Failure> {
    let upkeep = Upkeep { owner: String::new(), failing: FailingSpec::NEVER, taken_out: None };
    let active = Served { module, code };
    Ok(Bidding {
        destination,
        timeout: Duration::from_millis(u64::from(args.timeout_ms)),
        bid_max: None,
        calls_per_second: None,
        concurrency: u32::from(PINGS),
        headers: args.headers()?,
        adapter: Some(Serving { active, canary: None, shadow: None, upkeep }),
    })
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

/// Returns what came, or what is wrong with it.
fn judged(ended: &Ended) -> Result<String, Wrong> {
    let ms = ended.took.as_millis();
    let detail = ended.detail.as_deref().unwrap_or("no reason given");
    let advice = match ended.outcome {
        Outcome::Bid => {
            let amount = ended.bid.as_ref().map(|bid| bid.amount.to_string());
            let amount = amount.unwrap_or_default();
            return Ok(format!("a bid of {amount} after {ms} ms"));
        }
        Outcome::NoBid => return Ok(format!("no bid after {ms} ms: {detail}")),
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
    Err(Wrong::new(format!("{}: {detail}", ended.outcome.code()), advice))
}
