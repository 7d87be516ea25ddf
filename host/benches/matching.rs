//! How long does it take to find who may buy a lead, among 20, 1,000 and 10,000 campaigns?
//!
//! `./x build`, then `./x bench --bench matching`. The peer is the least that looking at every campaign takes: one
//! evaluation of its criteria, with no word about those that do not match.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "times are not money")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/market.rs"]
mod market;
#[path = "support/modules.rs"]
mod modules;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/timing.rs"]
mod timing;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use gavel::book::{Bar, Book, State};
use gavel::catalog::{Draft, Market, Vertical, Workshop};
use gavel::clock::Moment;
use gavel::egress::Egress;
use gavel::exchange::fingerprint;
use gavel::facts::{Fact, ModuleStepped, ModuleUploaded, Step};
use gavel::ids::{Digest, SourceId, VerticalId};
use gavel::ingest::{Call, Submission};
use gavel::lead::PingView;
use gavel::sandbox::{Limits, Sandbox};
use gavel::{matching, normalize};
use serde_json::Value;

use dice::Dice;
use rounds::{Case, compare};

/// Leads that take turns.
const LEADS: usize = 256;
/// Noon of a Wednesday in Chicago.
const AT: Moment = Moment::from_unix_ms(1_767_808_800_000);

fn main() {
    let normalizer = modules::bytes(market::VERTICAL);
    let workshop = Workshop::new(
        Sandbox::open(&Limits::default()).unwrap(),
        Egress::public().allow_loopback(),
    );
    let digest = Digest::of(&normalizer);
    workshop.keep(digest, workshop.sandbox.admit(&normalizer).unwrap());
    for campaigns in [20, 1_000, 10_000] {
        let market = Market::build(&draft(campaigns, digest), 1, &workshop).unwrap();
        let vertical = market.vertical(&VerticalId::parse(market::VERTICAL).unwrap()).unwrap();
        println!("{campaigns} campaigns");
        measure(vertical);
    }
}

fn measure(vertical: &Vertical) {
    let source = SourceId::parse(market::SOURCE).unwrap();
    let mut dice = Dice::of(3);
    let leads: Vec<_> = (0..LEADS).map(|_| lead(vertical, market::ping(&mut dice))).collect();
    let lead = |call: usize| leads.get(call % LEADS).unwrap();
    let book = Book::new(State::default());
    let wanted = |view: &PingView| {
        let campaigns = vertical.campaigns.iter();
        campaigns.filter(|campaign| campaign.criteria.matches(view, source.as_str())).count()
    };
    let shares: usize = leads.iter().map(|(view, _)| wanted(view)).sum();
    println!("    of which a lead meets the criteria of {}", shares / LEADS);
    compare(
        "leads",
        vec![
            Case::new("peer: the criteria of every campaign", |call| wanted(&lead(call).0)),
            Case::new("the shortlist, with a reason for everyone else", |call| {
                let (view, print) = lead(call);
                matching::shortlist(vertical, view, &source, AT, |campaign| {
                    book.decide(|state| state.admits(campaign, *print, AT)).map_err(Bar::told)
                })
            }),
        ],
    );
}

/// Returns a lead as filters see it, and its fingerprint.
fn lead(vertical: &Vertical, ping: String) -> (PingView, [u8; 32]) {
    let submission = Submission {
        call: Call::Ping,
        vertical: vertical.id.clone(),
        dialect: None,
        accept: None,
        content_type: "application/json".to_owned(),
        query: String::new(),
        body: Bytes::from(ping),
        key: None,
        idempotency_key: None,
        received: AT,
        started: Instant::now(),
        known_as: OnceLock::new(),
        spoken: OnceLock::new(),
    };
    let view = normalize::read(vertical, &submission).unwrap().lead.unwrap().ping_view();
    let print = fingerprint(vertical, &view.frame());
    (view, print)
}

fn draft(campaigns: usize, digest: Digest) -> Draft {
    let mut draft = Draft::default();
    let name = || market::VERTICAL.to_owned();
    let uploaded = Fact::ModuleUploaded(ModuleUploaded {
        name: name(),
        version: 1,
        digest: *digest.as_bytes(),
        world: "normalizer".to_owned(),
        bytes: 0,
        major: 1,
        minor: 0,
        passed: Vec::new(),
        by: String::new(),
        why: String::new(),
    });
    let activated = Fact::ModuleStepped(ModuleStepped {
        name: name(),
        version: 1,
        step: Step::Activated,
        share: 0,
        by: String::new(),
        why: String::new(),
    });
    for fact in [uploaded, activated] {
        draft.apply(AT, &fact).unwrap();
    }
    let register = Arc::make_mut(&mut draft.register);
    register.verticals.insert(parsed(market::VERTICAL), read(market::vertical_body()));
    let mut dice = Dice::of(4);
    for number in 0..campaigns {
        register.buyers.insert(parsed(market::buyer(number)), read(market::buyer_body()));
        let campaign = read(market::campaign(number, &mut dice));
        register.campaigns.insert(parsed(format!("campaign-{number}")), campaign);
    }
    draft
}

fn parsed<T: serde::de::DeserializeOwned>(name: impl Into<Value>) -> T {
    read(name.into())
}

fn read<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}
