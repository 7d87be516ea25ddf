//! How long does it take to make a lead of a ping of 1 KB, how does that compare to parsing its JSON, and what does an
//! answer in a source's own dialect take?
//!
//! `./x build`, then `./x bench --bench normalize`. One ping in three spellings, each call in an instance of its own. The
//! peer reads the same JSON into a tree of values and knows nothing of leads.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "times are not money")]

#[path = "support/modules.rs"]
mod modules;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/timing.rs"]
mod timing;

use gavel::money::Micros;
use gavel::sandbox::{
    Admitted, Limits, Normalizer, Outcome, Sandbox, SourceVerdict, Stage, Submission,
};
use serde_json::Value;

use rounds::{Case, compare};

/// A Monday in January 2026.
const RECEIVED_ON: i32 = 20_454;

fn main() {
    let sandbox = Sandbox::open(&Limits::default()).unwrap();
    let normalizer = sandbox.admit(&modules::bytes("auto-insurance")).unwrap();
    let Admitted::Normalizer(normalizer) = normalizer else {
        return println!("auto-insurance is not a normalizer");
    };
    let json = include_bytes!("support/ping.json").as_slice();
    let ping: Value = serde_json::from_slice(json).unwrap();
    let (form, xml) = (form(&ping), xml(&ping));
    let spellings = [
        ("JSON", "application/json", json),
        ("form", "application/x-www-form-urlencoded", form.as_bytes()),
        ("XML", "application/xml", xml.as_bytes()),
    ];
    let mut cases = vec![Case::new(format!("peer: JSON of {} bytes parsed", json.len()), |_| {
        serde_json::from_slice::<Value>(json).unwrap()
    })];
    for (name, content_type, body) in spellings {
        let submission = Submission {
            stage: Stage::Ping,
            dialect: None,
            accept: None,
            content_type,
            query: "",
            body,
            received_on: RECEIVED_ON,
        };
        let fuel = fuel(&normalizer, &submission);
        let name = format!("{name} of {} bytes normalized, {fuel} fuel", body.len());
        let normalizer = &normalizer;
        cases.push(Case::new(name, move |_| normalizer.normalize(&submission).unwrap()));
    }
    for dialect in ["boberdoo", "px-json", "px-xml", "xml"] {
        let outcome = accepted(dialect);
        let rendered = normalizer.render(&outcome).unwrap().unwrap();
        let (fuel, bytes) = (rendered.fuel, rendered.body.len());
        let name = format!("answer of {bytes} bytes in {dialect}, {fuel} fuel");
        let normalizer = &normalizer;
        cases.push(Case::new(name, move |_| normalizer.render(&outcome).unwrap()));
    }
    compare("pings", cases);
}

/// The answer to a ping that found a buyer.
fn accepted(dialect: &str) -> Outcome {
    Outcome {
        stage: Stage::Ping,
        dialect: dialect.to_owned(),
        accept: None,
        content: None,
        verdict: SourceVerdict::Accepted,
        status: 200,
        ping_id: Some("pg_01kd0b4tq0e8m2v6x9c3r7s5wz".to_owned()),
        lead_id: None,
        duplicate_of: None,
        price: Some(Micros::new(12_349_999)),
        currency: "USD".to_owned(),
        copies: None,
        expires_ms: Some(1_772_471_131_204),
        reason_code: None,
        reason: None,
        field: None,
        retry_after_s: None,
    }
}

/// Returns the fuel that the ping takes, which is a lead with most of its fields.
fn fuel(normalizer: &Normalizer, submission: &Submission<'_>) -> u64 {
    let normalized = normalizer.normalize(submission).unwrap();
    let values = normalized.lead.unwrap();
    assert!(values.len() > 30, "{} values", values.len());
    normalized.fuel
}

/// Spells a ping as a form with numbered keys: `vehicles_1_year=2019`.
fn form(ping: &Value) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in ping.as_object().unwrap() {
        let Value::Array(elements) = value else {
            form.append_pair(name, &text(value));
            continue;
        };
        for (number, element) in (1..).zip(elements) {
            for (field, value) in element.as_object().unwrap() {
                form.append_pair(&format!("{name}_{number}_{field}"), &text(value));
            }
        }
    }
    form.finish()
}

/// Spells a ping as XML, a list as repeated elements.
fn xml(ping: &Value) -> String {
    format!("<?xml version=\"1.0\"?><lead>{}</lead>", elements(ping))
}

fn elements(object: &Value) -> String {
    let mut xml = String::new();
    for (name, value) in object.as_object().unwrap() {
        let contents = match value {
            Value::Array(list) => list.iter().map(elements).collect(),
            value => vec![text(value)],
        };
        for content in contents {
            xml.push_str(&format!("<{name}>{content}</{name}>"));
        }
    }
    xml
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
