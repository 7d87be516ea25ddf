//! `gavel mock-buyer`: buyers' end points of many characters, until they are told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Failure;
use crate::catalog::Secret;
use crate::mock::{
    Authority, Character, Deed, Dialect, MarketError, MarketSpec, MockBuyer, MockSpec, Shown,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
    /// How the buyer behaves.
    #[arg(long, default_value = "prompt")]
    character: Character,
    /// What its bids depend on, beside the ping.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What it speaks: the exchange's own JSON, or what an adapter of the same name speaks.
    #[arg(long, default_value = "own")]
    dialect: Dialect,
    /// Take only leads that are signed with this secret, such as whsec_MfKQ..: others are answered 401, and so are those
    /// that are more than 5 minutes old.
    #[arg(long, value_name = "SECRET", env = "GAVEL_SIGNING_SECRET", hide_env_values = true)]
    signing_secret: Option<Secret>,
    /// Speak HTTPS, with a certificate of an authority made for this run.
    #[arg(long)]
    tls: bool,
    /// Which certificate it shows.
    #[arg(long, default_value = "right", requires = "tls")]
    shows: Shown,
    /// Where the authority's certificate is written, for `gavel serve --egress-ca FILE`.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// A file with several buyers: {"buyers": [{"listen": "127.0.0.1:9101", "character": "slow", "seed": 1, "tls": false}]}.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "character", "seed", "dialect", "tls", "shows", "signing_secret"])]
    market: Option<PathBuf>,
    /// Stop by itself after so many seconds.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    super::block_on(play(args, json))?
}

async fn play(args: Args, json: bool) -> Result<(), Failure> {
    let Args { certificate, market, seconds, .. } = args;
    let buyers = match market {
        Some(file) => MarketSpec::read(&file).map_err(|error| failure(&error))?.buyers,
        None => {
            let Args { listen, character, seed, dialect, tls, shows, signing_secret, .. } = args;
            vec![MockSpec { listen, character, seed, dialect, tls, shows, signing_secret }]
        }
    };
    let authority = Authority::new().map_err(|error| Failure::because(&error))?;
    if let Some(file) = &certificate {
        std::fs::write(file, authority.pem()).map_err(|error| {
            Failure::could_not_run(format!("{}: cannot be written: {error}", file.display()))
        })?;
    }
    let (deeds, told) = mpsc::unbounded_channel();
    let mut open = Vec::with_capacity(buyers.len());
    for spec in buyers {
        let (tx, mut own) = mpsc::unbounded_channel::<Deed>();
        let opened = MockBuyer::open(spec, Some(&authority), Some(tx)).await;
        let buyer = opened.map_err(|error| failure(&error))?;
        let (name, deeds) = (buyer.addr(), deeds.clone());
        tokio::spawn(async move {
            while let Some(deed) = own.recv().await {
                if deeds.send((name, deed)).is_err() {
                    return;
                }
            }
        });
        open.push(buyer);
    }
    introduce(&open, certificate.as_ref(), json);
    let end = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(std::time::Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = tell(told, json) => (),
        _ = tokio::signal::ctrl_c() => (),
        () = end => (),
    }
    sum_up(&open, json);
    Ok(())
}

fn failure(error: &MarketError) -> Failure {
    match error {
        MarketError::NoMarket(..) | MarketError::Secret(_) => {
            Failure { code: super::USAGE, ..Failure::because(error) }
        }
        MarketError::Unreadable(..) | MarketError::Bind(..) | MarketError::Certificate(_) => {
            Failure::because(error)
        }
    }
}

#[expect(clippy::print_stderr, reason = "results go to standard output, this does not")]
fn introduce(open: &[MockBuyer], certificate: Option<&PathBuf>, json: bool) {
    if json {
        return;
    }
    for buyer in open {
        let character = buyer.character();
        eprintln!("{} at {}: {}", character.name(), buyer.addr(), character.in_words());
        let at = |url: String| match buyer.dialect().adapter() {
            None => json!({"url": url}),
            Some((module, settings)) => {
                json!({"url": url, "adapter": {"module": module, "settings": settings}})
            }
        };
        let mut delivery = at(buyer.lead_url());
        // The secret itself is known to whoever gave it, and to no log.
        let signing = buyer.is_signed_for().then(|| json!({"secret": "whsec_.."}));
        if let Some(delivery) = delivery.as_object_mut() {
            let status = json!({"url": buyer.status_url(), "not_found": [404]});
            delivery.insert("status".to_owned(), status);
            delivery.extend(signing.clone().map(|signing| ("signing".to_owned(), signing)));
        }
        let spec = json!({"bidding": at(buyer.bid_url()), "delivery": delivery});
        eprintln!("    an exchange asks it after PUT /v1/buyers/NAME {spec}");
        match buyer.dialect().adapter() {
            None => {
                let signed = signing.map_or("", |_| " --signing-secret whsec_..");
                let (bids, leads, status) = (buyer.bid_url(), buyer.lead_url(), buyer.status_url());
                eprintln!(
                    "    gavel buyer check {bids} --leads {leads} --status '{status}' --not-found 404{signed}"
                );
            }
            Some((module, settings)) => eprintln!(
                "    gavel buyer check {} --adapter target/rules/{module}.wasm --settings '{settings}'",
                buyer.bid_url()
            ),
        }
    }
    if let Some(file) = certificate {
        eprintln!("the exchange trusts them with: gavel serve --egress-ca {}", file.display());
    }
    eprintln!("Ctrl-C ends it");
}

#[expect(clippy::print_stdout, reason = "this is the command's result")]
async fn tell(mut told: mpsc::UnboundedReceiver<(SocketAddr, Deed)>, json: bool) {
    while let Some((buyer, deed)) = told.recv().await {
        if json {
            println!(
                "{}",
                json!({"buyer": buyer, "call": deed.call, "about": deed.about, "did": deed.did})
            );
        } else {
            println!("{buyer} {} {} {}", deed.call, deed.about, deed.did);
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is the command's result")]
fn sum_up(open: &[MockBuyer], json: bool) {
    for buyer in open {
        let tally = buyer.tally();
        let mut line: Value = json!({
            "buyer": buyer.addr(), "character": buyer.character().name(),
            "pings": tally.pings, "bids": tally.bids, "posts": tally.posts,
            "bought": tally.bought.len(), "rejected": tally.rejected,
            "asked_again": tally.asked_again, "status_calls": tally.status_calls, "unsigned": tally.unsigned, "sold_twice": tally.sold_twice,
            "unreadable": tally.unreadable,
        });
        if json {
            println!("{line}");
        } else if let Some(members) = line.as_object_mut() {
            let told = members.iter().skip(2).map(|(name, count)| format!("{name} {count}"));
            let told: Vec<String> = told.collect();
            println!("{} at {}: {}", buyer.character().name(), buyer.addr(), told.join(", "));
        }
    }
}
