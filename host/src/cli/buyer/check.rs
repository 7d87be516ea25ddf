//! `gavel buyer check URL`: the conformance kit for end points that bid and take leads.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use super::findings::{Finding, Grade, Wrong, print};
use super::judged::Silent;
use super::kit::Kit;
use super::leads::{Words, leads};
use super::sample::usual_lead;
use super::spoken::{admitted, through};
use crate::catalog::{Headers, Secret};
use crate::cli::Failure;
use crate::egress::signing;
use crate::egress::{Destination, Egress, Line, NoAnswer};
use crate::ids::CampaignId;

/// How long an answer is waited for at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where the exchange is to ask for bids.
    url: String,
    /// Where the exchange is to deliver leads. A test lead with `"test": true` in it is posted there, twice.
    #[arg(long, value_name = "URL")]
    leads: Option<String>,
    /// Where the exchange is to ask what became of a lead that you may have, with {lead_id} or {idempotency_key} where the
    /// lead's stands.
    #[arg(long, value_name = "URL", requires = "leads")]
    pub(super) status: Option<String>,
    /// An HTTP status by which you say there that you do not have a lead, such as 404.
    #[arg(long, value_name = "STATUS", requires = "status")]
    pub(super) not_found: Vec<u16>,
    /// Sign the test leads with this secret, such as whsec_MfKQ.., as the exchange would, and see whether others are refused:
    /// unsigned ones, those that are signed with another secret, and old ones.
    #[arg(
        long,
        value_name = "SECRET",
        env = "GAVEL_SIGNING_SECRET",
        hide_env_values = true,
        requires = "leads"
    )]
    pub(super) signing_secret: Option<Secret>,
    /// A header that the exchange is to send with everything, such as `authorization: Bearer ..`.
    #[arg(long, value_name = "NAME: VALUE")]
    header: Vec<Secret>,
    /// What a ping says of the lead: a JSON object in a file. Without it a lead for auto insurance.
    #[arg(long, value_name = "FILE")]
    lead: Option<PathBuf>,
    /// The vertical that the pings are of.
    #[arg(long, default_value = "auto-insurance")]
    pub(super) vertical: String,
    /// The campaign that is asked for.
    #[arg(long, default_value = "testcampaign")]
    pub(super) campaign: String,
    #[arg(long, default_value = "USD")]
    pub(super) currency: String,
    /// How long the exchange will wait for a bid.
    #[arg(long, default_value_t = 400)]
    pub(super) timeout_ms: u32,
    /// Ask and deliver through this adapter, in the end point's own dialect.
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
    /// The adapter's settings, as JSON.
    #[arg(long, default_value = "{}", requires = "adapter")]
    settings: String,
    /// A PEM file with a certificate authority to trust beside the machine's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Args {
    /// Returns what the test leads are signed with.
    pub(super) fn secret(&self) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let read = self.signing_secret.as_ref().map(|Secret(text)| signing::read(text));
        read.transpose().map_err(|no| Failure::usage(format!("--signing-secret: {no}")))
    }

    /// Returns the buyer's own headers, which must be such as the exchange takes.
    pub(super) fn headers(&self) -> Result<Headers, Failure> {
        let mut headers = Headers::default();
        for Secret(header) in &self.header {
            let (name, value) = header.split_once(':').ok_or_else(|| {
                // It may be a secret, and is not repeated.
                Failure::usage("--header: write it as `name: value`")
            })?;
            let (name, value) = (name.trim(), value.trim().to_owned());
            let added = headers.add(name, value, self.signing_secret.is_some());
            added.map_err(|why| Failure::usage(format!("--header {name}: {why}")))?;
        }
        Ok(headers)
    }

    /// Returns what a ping says of the lead.
    fn made_up(&self) -> Result<Value, Failure> {
        let Some(file) = &self.lead else { return Ok(usual_lead()) };
        let told = |error: String| Failure::usage(format!("--lead {}: {error}", file.display()));
        let bytes = std::fs::read(file).map_err(|error| told(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| told(error.to_string()))
    }

    /// Returns the campaign that is asked for.
    pub(super) fn campaign(&self) -> Result<CampaignId, Failure> {
        CampaignId::parse(&self.campaign)
            .map_err(|no| Failure::usage(format!("--campaign {}: {no}", self.campaign)))
    }
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let url = args.url.clone();
    let findings = crate::cli::block_on(check(args))??;
    print(&url, &findings, json);
    let bad = findings.iter().filter(|finding| finding.grade == Grade::Bad).count();
    if bad == 0 {
        return Ok(());
    }
    let things = if bad == 1 { "one thing".to_owned() } else { format!("{bad} things") };
    Err(Failure::does_not_hold(format!("{things} at {url} to mend before the exchange can use it")))
}

async fn check(args: Args) -> Result<Vec<Finding>, Failure> {
    let _ = (args.secret()?, args.headers()?, args.campaign()?);
    let mut egress = Egress::public().allow_loopback();
    if let Some(file) = &args.ca {
        let told = |error: String| Failure::usage(format!("--ca {}: {error}", file.display()));
        let pem = std::fs::read(file).map_err(|error| told(error.to_string()))?;
        egress = egress.trust(&pem).map_err(|error| told(error.to_string()))?;
    }
    let lead = args.made_up()?;
    let destination = match egress.check(&args.url) {
        Ok(destination) => destination,
        Err(forbidden) => {
            let advice = (
                "the exchange sends leads only to public addresses, over HTTPS",
                "give an address such as https://bids.example.com/v1/bid",
            );
            return Ok(vec![Finding::bad("address", forbidden.to_string(), advice)]);
        }
    };
    let line = Line::open(&egress).map_err(|error| Failure::because(&error))?;
    if let Some(file) = &args.adapter {
        let mut findings = vec![address(&destination)];
        let (adapter, module) = admitted(file, &args.settings)?;
        let speaking = (adapter.clone(), module);
        let tried = through(speaking, &args, line, destination, &lead).await?;
        findings.extend(tried.findings);
        if let Some(url_of_leads) = &args.leads {
            let words = Some(Words { adapter, handle: tried.handle });
            findings.extend(leads(&egress, url_of_leads, &args, (&tried.ping, lead), words).await?);
        }
        return Ok(findings);
    }
    let kit = Kit::new(args, line, destination, lead)?;
    let mut findings = vec![address(&kit.destination)];
    let ping = kit.new_ping();
    let first = kit.ask(&kit.ping(&ping)).await;
    if let Err(Silent::Answer(error @ (NoAnswer::Unreachable(_) | NoAnswer::Forbidden(_)))) =
        &first.0
    {
        return Err(Failure::could_not_run(format!(
            "{} cannot be reached: {error}; is the server up, and its certificate of an authority that this machine \
             trusts? (--ca FILE adds one)",
            kit.destination
        )));
    }
    let row = kit.in_a_row().await;
    match kit.sought.judged(&first.0, &ping) {
        Err(wrong) if row.took.is_empty() => findings.push(wrong.with_all("answer", row.asked)),
        judged => {
            findings.push(match judged {
                Ok(reply) => Finding::good("answer", kit.sought.in_words(&reply)),
                Err(Wrong { seen, advice }) => Finding::bad("answer", seen, advice),
            });
            findings.push(kit.times(&row, first.1));
            findings.push(kit.at_once(row.slowest()).await);
            findings.push(kit.twice().await);
            findings.extend(kit.nonsense().await);
        }
    }
    if let Some(url_of_leads) = &kit.args.leads {
        let (ping, lead) = (kit.new_ping(), kit.lead.clone());
        findings.extend(leads(&egress, url_of_leads, &kit.args, (&ping, lead), None).await?);
    }
    Ok(findings)
}

fn address(destination: &Destination) -> Finding {
    let text = destination.to_string();
    if text.starts_with("https:") {
        return Finding::good("address", format!("{text}, over TLS"));
    }
    let why = "pings tell of consumers: nobody on the way may read them";
    Finding::weak("address", format!("{text}, without TLS"), (why, "use HTTPS before you go live"))
}
