//! `gavel module run` for adapters: one call at a time.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::{forfeited, report};
use crate::cli::Failure;
use crate::cli::module::{print_json, read};
use crate::fixtures::{Exchange, Response, Step, said_json};
use crate::sandbox::{Adapter, AdapterModule, Ask, ConfigureError};

#[derive(Debug, clap::Args)]
pub(super) struct RequestArgs {
    /// A file with the lead: an object of field names and values, or what `normalize` prints.
    #[arg(long)]
    lead: PathBuf,
    /// The buyer's settings, as JSON.
    #[arg(long, default_value = "{}")]
    settings: String,
    /// What the adapter is told beside the lead, as JSON: campaign, price, handle, test and more.
    #[arg(long, default_value = "{}")]
    offer: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct ResponseArgs {
    /// The HTTP status.
    #[arg(long, default_value = "200")]
    status: u16,
    /// A header, such as `content-type: text/xml`.
    #[arg(long)]
    header: Vec<String>,
    /// The buyer's settings, as JSON.
    #[arg(long, default_value = "{}")]
    settings: String,
}

/// Words one request and prints it.
pub(super) fn request(
    module: &AdapterModule,
    step: Step,
    args: &RequestArgs,
) -> Result<(), Failure> {
    let shown = args.lead.display();
    let lead: Json = serde_json::from_slice(&read(&args.lead)?)
        .map_err(|error| Failure::usage(format!("{shown} is not JSON: {error}")))?;
    let lead = lead.get("lead").unwrap_or(&lead);
    let offer: Json = serde_json::from_str(&args.offer)
        .map_err(|error| Failure::usage(format!("--offer is not JSON: {error}")))?;
    let document = json!({ "step": step, "lead": lead, "offer": offer });
    let exchange = Exchange::read(&document).map_err(Failure::usage)?;
    let adapter = configured(module, &args.settings)?;
    let began = Instant::now();
    match exchange.request(&adapter).map_err(Failure::does_not_hold)? {
        Some((request, taken)) => {
            report(taken.fuel, began);
            print_json(&crate::fixtures::request_json(&request))
        }
        None => Err(Failure::could_not_run("the adapter worded no request")),
    }
}

/// Reads one answer and prints what it says.
pub(super) fn response(
    module: &AdapterModule,
    step: Step,
    args: &ResponseArgs,
) -> Result<(), Failure> {
    let adapter = configured(module, &args.settings)?;
    let mut body = Vec::new();
    let read = io::stdin().read_to_end(&mut body);
    read.map_err(|error| Failure::could_not_run(format!("cannot read the body: {error}")))?;
    let (status, headers) = (args.status, args.header.clone());
    let response = Response { status, headers, ..Response::default() };
    let mut response = response.message().map_err(Failure::usage)?;
    response.body = body;
    let began = Instant::now();
    let asked = adapter.ask(match step {
        Step::Ping => Ask::PingResponse(&response),
        Step::Post => Ask::PostResponse(&response),
    });
    match asked {
        Ok((said, taken)) => {
            report(taken.fuel, began);
            print_json(&said_json(&said))
        }
        Err(forfeit) => forfeited(&forfeit),
    }
}

/// Configures the adapter for one buyer.
pub(in crate::cli) fn configured(
    module: &AdapterModule,
    settings: &str,
) -> Result<Adapter, Failure> {
    module.configure(settings).map_err(|error| match error {
        ConfigureError::Settings { message, .. } => Failure::usage(format!(
            "the adapter refuses the settings: {message}; they look like {}",
            module.settings_help()
        )),
        ConfigureError::Forfeit(_) | ConfigureError::NotKept(_) => {
            Failure::does_not_hold(error.to_string())
        }
    })
}
