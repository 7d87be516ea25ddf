//! `gavel module run`.

mod adapter;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value as Json, json};

use super::{admit, print_json, read};
use crate::cli::Failure;
use crate::clock::Clock;
use crate::fixtures::{self, Step};
use crate::lead;
use crate::sandbox::{
    Admitted, ConfigureError, ConfiguredFilter, Envelope, Filter, Forfeit, Normalized, Normalizer,
    Stage, Submission, Verdict,
};
pub(in crate::cli) use adapter::configured;
use adapter::{RequestArgs, ResponseArgs};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component.
    file: PathBuf,
    #[command(subcommand)]
    call: Call,
}

#[derive(Debug, Subcommand)]
enum Call {
    /// Read a submission from standard input, and print the lead or the refusal.
    Normalize(NormalizeArgs),
    /// Judge a lead for one campaign, and print the verdict.
    Evaluate(EvaluateArgs),
    /// Word the question for a bid, and print the request.
    PingRequest(RequestArgs),
    /// Read a buyer's answer to it from standard input, and print what it says.
    PingResponse(ResponseArgs),
    /// Word the hand-over of a lead, and print the request.
    PostRequest(RequestArgs),
    /// Read a buyer's answer to it from standard input, and print what it says.
    PostResponse(ResponseArgs),
}

#[derive(Debug, clap::Args)]
struct NormalizeArgs {
    /// The step of the lead.
    #[arg(long)]
    stage: StageArg,
    /// The Content-Type header.
    #[arg(long)]
    content_type: String,
    /// The query string, without the `?`.
    #[arg(long, default_value = "")]
    query: String,
    /// The dialect that the address names, such as `boberdoo`.
    #[arg(long)]
    dialect: Option<String>,
    /// The day on which it comes, as YYYY-MM-DD; today in UTC if absent.
    #[arg(long)]
    received_on: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StageArg {
    Ping,
    Post,
}

#[derive(Debug, clap::Args)]
struct EvaluateArgs {
    /// A file with the lead: an object of field names and values, or what `normalize` prints.
    #[arg(long)]
    lead: PathBuf,
    /// The campaign's settings, as JSON.
    #[arg(long, default_value = "{}")]
    settings: String,
}

pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let file = args.file.display();
    match (&args.call, admit(&args.file)?) {
        (Call::Normalize(args), Admitted::Normalizer(normalizer)) => {
            normalize(&normalizer, args, json)
        }
        (Call::Evaluate(args), Admitted::Filter(filter)) => evaluate(&filter, args),
        (Call::PingRequest(args), Admitted::Adapter(adapter)) => {
            adapter::request(&adapter, Step::Ping, args)
        }
        (Call::PostRequest(args), Admitted::Adapter(adapter)) => {
            adapter::request(&adapter, Step::Post, args)
        }
        (Call::PingResponse(args), Admitted::Adapter(adapter)) => {
            adapter::response(&adapter, Step::Ping, args)
        }
        (Call::PostResponse(args), Admitted::Adapter(adapter)) => {
            adapter::response(&adapter, Step::Post, args)
        }
        (_, Admitted::Filter(_)) => {
            Err(Failure::usage(format!("{file} is a filter: run `evaluate`")))
        }
        (_, Admitted::Normalizer(_)) => {
            Err(Failure::usage(format!("{file} is a normalizer: run `normalize`")))
        }
        (_, Admitted::Adapter(_)) => Err(Failure::usage(format!(
            "{file} is an adapter: run `ping-request`, `ping-response`, `post-request` or `post-response`"
        ))),
    }
}

fn normalize(normalizer: &Normalizer, args: &NormalizeArgs, json: bool) -> Result<(), Failure> {
    let received_on = match &args.received_on {
        None => Clock::system().now().day(),
        Some(text) => lead::date_days(text).ok_or_else(|| {
            Failure::usage(format!("--received-on is a day such as 2026-01-31, not `{text}`"))
        })?,
    };
    let mut body = Vec::new();
    let read = io::stdin().read_to_end(&mut body);
    read.map_err(|error| Failure::could_not_run(format!("cannot read the body: {error}")))?;
    let submission = Submission {
        stage: match args.stage {
            StageArg::Ping => Stage::Ping,
            StageArg::Post => Stage::Post,
        },
        dialect: args.dialect.as_deref(),
        accept: None,
        content_type: &args.content_type,
        query: &args.query,
        body: &body,
        received_on,
    };
    let began = Instant::now();
    let Normalized { envelope, lead, fuel, .. } = match normalizer.normalize(&submission) {
        Ok(normalized) => normalized,
        Err(forfeit) => return forfeited(&forfeit),
    };
    report(fuel, began);
    let mut result = Map::new();
    match lead {
        Ok(values) => {
            let values = values.into_iter().map(|(name, value)| (name, value.to_json()));
            result.insert("lead".to_owned(), Json::Object(values.collect()));
        }
        Err(refusal) => {
            let code = refusal.code.code();
            let refused =
                json!({ "code": code, "field": refusal.field, "message": refusal.message });
            result.insert("refused".to_owned(), refused);
        }
    }
    if json {
        result.insert("envelope".to_owned(), envelope_json(&envelope));
    }
    print_json(&Json::Object(result))
}

fn envelope_json(envelope: &Envelope) -> Json {
    json!({
        "dialect": envelope.dialect,
        "credential": envelope.credential,
        "ping_id": envelope.ping_id,
        "minimum_price": envelope.minimum_price.map(|price| price.to_string()),
        "deadline_ms": envelope.deadline_ms,
        "test": envelope.test,
    })
}

fn evaluate(filter: &Filter, args: &EvaluateArgs) -> Result<(), Failure> {
    let frame = frame(filter, &args.lead)?;
    let configured = campaign(filter, &args.settings)?;
    let began = Instant::now();
    let evaluated = match configured.evaluate(&frame, &[0]) {
        Ok(evaluated) => evaluated,
        Err(forfeit) => return forfeited(&forfeit),
    };
    report(evaluated.fuel, began);
    let verdict = evaluated.verdicts.into_iter().next();
    print_json(&match verdict {
        Some(Verdict::Yes(price)) => {
            json!({ "verdict": "yes", "price": price.map(|price| price.to_string()) })
        }
        Some(Verdict::No(reason)) => json!({ "verdict": "no", "reason": reason }),
        None => return Err(Failure::could_not_run("the filter gave no verdict")),
    })
}

/// Configures the filter for one campaign.
pub(super) fn campaign(filter: &Filter, settings: &str) -> Result<ConfiguredFilter, Failure> {
    filter.configure(&[settings.to_owned()]).map_err(|error| match error {
        ConfigureError::Settings { message, .. } => Failure::usage(format!(
            "the filter refuses the settings: {message}; they look like {}",
            filter.settings_help()
        )),
        ConfigureError::Forfeit(_) | ConfigureError::NotKept(_) => {
            Failure::does_not_hold(error.to_string())
        }
    })
}

/// Reads a lead, and writes the fields that the filter reads.
pub(super) fn frame(filter: &Filter, file: &Path) -> Result<Vec<u64>, Failure> {
    let shown = file.display();
    let lead: Json = serde_json::from_slice(&read(file)?)
        .map_err(|error| Failure::usage(format!("{shown} is not JSON: {error}")))?;
    let lead = lead.get("lead").unwrap_or(&lead);
    fixtures::frame(filter, lead).map_err(|fault| Failure::usage(format!("{shown}: {fault}")))
}

fn forfeited(forfeit: &Forfeit) -> Result<(), Failure> {
    let message = forfeit.to_string();
    print_json(&json!({ "forfeited": { "code": forfeit.code(), "message": message } }))?;
    Err(Failure::does_not_hold(format!("the module forfeited the call: {message}")))
}

#[expect(
    clippy::print_stderr,
    reason = "what a call took is for the author, not part of the result"
)]
fn report(fuel: u64, began: Instant) {
    eprintln!("{fuel} fuel, {} µs", began.elapsed().as_micros());
}
