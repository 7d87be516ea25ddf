//! `gavel adapter`: recorded exchanges with buyers, and the trial of adapters on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use reqwest::RequestBuilder;
use serde_json::{Map, Value as Json, json};

use super::module::{self, configured};
use super::{Failure, block_on, cause};
use crate::egress::{Client, Destination, Egress};
use crate::fixtures::{Exchange, Response, Step, request_json};
use crate::sandbox::{Adapter, Admitted, HttpRequest, HttpResponse, Method};

/// The longest answer that is recorded, in bytes: as much as a delivery reads.
const ANSWER_BYTES_MAX: usize = crate::delivery::courier::ANSWER_BYTES_MAX;
/// The headers of an answer that are worth keeping. Others change with every answer, or are nobody's business.
const HEADERS_KEPT: [&str; 3] = ["content-type", "location", "retry-after"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send one request to a buyer, and print the exchange as a fixture. Use made-up people: it holds the lead.
    Record(RecordArgs),
    /// Run the recorded exchanges of adapters with the engine and the limits of an exchange.
    Test(module::TestArgs),
}

const RECORD_HELP: &str = r#"With an adapter, it words the request and reads the answer:

  gavel adapter record https://buyer.example.com/leads --adapter target/rules/px-adapter.wasm \
    --settings '{"api_token": "..", "vertical": "AutoInsurance"}' --step ping --lead lead.json \
    --header 'authorization: Bearer ..' > fixtures/ping.json

Without one, the body of a file is sent as it is, and only the answer is recorded: a beginning for an adapter of your own.

  gavel adapter record https://buyer.example.com/leads --step post --body request.xml --content-type text/xml

Headers named here are sent and not recorded. Addresses of this machine may be plain http."#;

#[derive(Debug, clap::Args)]
#[command(after_help = RECORD_HELP)]
struct RecordArgs {
    /// The buyer's address.
    url: String,
    /// Which question it is.
    #[arg(long)]
    step: StepArg,
    /// The adapter's component.
    #[arg(long, value_name = "FILE", requires = "lead", conflicts_with_all = ["body", "content_type"])]
    adapter: Option<PathBuf>,
    /// The buyer's settings, as JSON.
    #[arg(long, default_value = "{}")]
    settings: String,
    /// A file with the lead: an object of field names and values, or what `gavel module run .. normalize` prints.
    #[arg(long, value_name = "FILE")]
    lead: Option<PathBuf>,
    /// What the adapter is told beside the lead, as JSON: campaign, price, handle, test and more.
    #[arg(long, default_value = "{}")]
    offer: String,
    /// A header that is sent and not recorded, such as `authorization: Bearer ..`.
    #[arg(long)]
    header: Vec<String>,
    /// A file with the body, where there is no adapter.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "adapter",
        requires = "content_type"
    )]
    body: Option<PathBuf>,
    /// Its Content-Type.
    #[arg(long)]
    content_type: Option<String>,
    /// How long the answer is waited for, in milliseconds.
    #[arg(long, default_value = "10000")]
    timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StepArg {
    Ping,
    Post,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.command {
        Command::Record(args) => record(&args),
        Command::Test(args) => module::test(&args, json),
    }
}

fn record(args: &RecordArgs) -> Result<(), Failure> {
    let mut document = Map::new();
    let step = match args.step {
        StepArg::Ping => Step::Ping,
        StepArg::Post => Step::Post,
    };
    let (request, adapter) = match (&args.adapter, &args.body) {
        (Some(file), _) => {
            let (request, adapter) = worded(args, file, step, &mut document)?;
            (request, Some(adapter))
        }
        (None, body) => {
            document.insert("step".to_owned(), json!(step));
            (plain(args, body.as_deref())?, None)
        }
    };
    let response = block_on(send(args, &request))??;
    let recorded = Response::from(&response);
    document.insert("response".to_owned(), json!(recorded));
    if let Some(adapter) = adapter {
        let exchange = Exchange::read(&document.clone().into()).map_err(Failure::usage)?;
        let mut expected = Map::new();
        expected.insert("request".to_owned(), request_json(&request));
        if let Some((reply, _)) = exchange.reply(&adapter).map_err(Failure::does_not_hold)? {
            expected.insert("reply".to_owned(), reply);
        }
        document.insert("expected".to_owned(), expected.into());
    }
    module::print(&format!("{:#}", Json::Object(document)))
}

/// Words the request through the adapter, and notes what it was told.
fn worded(
    args: &RecordArgs,
    file: &Path,
    step: Step,
    document: &mut Map<String, Json>,
) -> Result<(HttpRequest, Adapter), Failure> {
    let Admitted::Adapter(module) = module::admit(file)? else {
        let message = format!(
            "{} is no adapter: build one with `gavel module new NAME --world adapter`",
            file.display()
        );
        return Err(Failure::usage(message));
    };
    let json = |what: &str, text: &str| {
        serde_json::from_str::<Json>(text)
            .map_err(|error| Failure::usage(format!("{what} is not JSON: {error}")))
    };
    let lead = args.lead.as_deref().unwrap_or(Path::new(""));
    let lead = json(&lead.display().to_string(), &String::from_utf8_lossy(&read(lead)?))?;
    let lead = lead.get("lead").unwrap_or(&lead).clone();
    let offer = json("--offer", &args.offer)?;
    document.insert("settings".to_owned(), json("--settings", &args.settings)?);
    document.insert("step".to_owned(), json!(step));
    if offer != json!({}) {
        document.insert("offer".to_owned(), offer);
    }
    document.insert("lead".to_owned(), lead);
    let exchange = Exchange::read(&document.clone().into()).map_err(Failure::usage)?;
    let adapter = configured(&module, &args.settings)?;
    let worded = exchange.request(&adapter).map_err(Failure::does_not_hold)?;
    let (request, _) = worded.ok_or_else(|| Failure::usage("there is no lead to send"))?;
    Ok((request, adapter))
}

fn plain(args: &RecordArgs, body: Option<&Path>) -> Result<HttpRequest, Failure> {
    let content_type = args.content_type.clone().unwrap_or_default();
    let headers = vec![("content-type".to_owned(), content_type)];
    let body = read(body.unwrap_or(Path::new("")))?;
    Ok(HttpRequest { method: Method::Post, path: String::new(), headers, body })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::could_not_run(format!("cannot read {}: {error}", file.display())))
}

async fn send(args: &RecordArgs, request: &HttpRequest) -> Result<HttpResponse, Failure> {
    let egress = Egress::public().allow_loopback();
    let url = egress.check(&args.url).map_err(|error| Failure::usage(error.to_string()))?;
    let url = url.below(&request.path).map_err(|error| Failure::usage(error.to_string()))?;
    let client = egress.client().map_err(|error| Failure::because(&error))?;
    let failed = |error: reqwest::Error| {
        let why = match error.is_timeout() {
            true => format!("nothing came in {} ms; --timeout-ms waits longer", args.timeout_ms),
            false => cause(&error),
        };
        Failure::could_not_run(format!("no answer from {url}: {why}"))
    };
    let sending = begin(&client, &url, args, request)?;
    let sending = sending.timeout(Duration::from_millis(args.timeout_ms)).send();
    let mut response = sending.await.map_err(failed)?;
    let kept = |name: &&str| {
        let value = response.headers().get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    };
    let headers = HEADERS_KEPT.iter().filter_map(kept).collect();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Err(Failure::does_not_hold(format!(
                "the answer is longer than {ANSWER_BYTES_MAX} bytes, and no exchange reads more"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}

fn begin(
    client: &Client,
    url: &Destination,
    args: &RecordArgs,
    request: &HttpRequest,
) -> Result<RequestBuilder, Failure> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    };
    let begun = client.request(method, url);
    let mut begun = begun.map_err(|error| Failure::usage(error.to_string()))?;
    for (name, value) in &request.headers {
        begun = begun.header(name, value);
    }
    for header in &args.header {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Failure::usage(format!("--header {header}: write it as `name: value`"))
        })?;
        begun = begun.header(name.trim(), value.trim());
    }
    begun = begun.header("idempotency-key", "recorded-exchange");
    Ok(if request.body.is_empty() { begun } else { begun.body(request.body.clone()) })
}
