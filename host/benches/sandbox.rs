//! How long does one call in a fresh instance take, on one core?
//!
//! `./x build`, then `cargo bench -p gavel --bench sandbox`. The best of many windows is printed, because other work
//! on the machine can only slow a window down.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot run should say so loudly"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs};

use gavel::sandbox::{Admitted, ConfiguredFilter, Limits, Sandbox, Stage, Submission};
use lead_frame::{FieldId, Writer};

const WINDOWS: u32 = 200;
const CALLS: u32 = 500;

fn main() {
    let sandbox = Sandbox::open(&Limits::default()).unwrap();
    for zips in [5, 5_000] {
        let filter = zip_list(&sandbox, zips, 1);
        let frame = frame();
        let fuel = filter.evaluate(&frame, &[0]).unwrap().fuel;
        show(&format!("zip-list, {zips} ZIPs, 1 campaign, {fuel} fuel"), || {
            filter.evaluate(&frame, &[0]).unwrap();
        });
    }
    let filter = zip_list(&sandbox, 5_000, 20);
    let (frame, slots) = (frame(), (0..20).collect::<Vec<u32>>());
    show("zip-list, 5000 ZIPs, 20 campaigns in one call", || {
        filter.evaluate(&frame, &slots).unwrap();
    });
    if let Ok(wasm) = fs::read(module("auto-insurance")) {
        let Ok(Admitted::Normalizer(normalizer)) = sandbox.admit(&wasm) else { return };
        let body = include_bytes!("ping.json");
        let submission = Submission {
            stage: Stage::Ping,
            content_type: "application/json",
            query: "",
            body,
            received_on: 20_454,
        };
        let fuel = normalizer.normalize(&submission).unwrap().fuel;
        show(&format!("auto-insurance, a ping of {} bytes, {fuel} fuel", body.len()), || {
            normalizer.normalize(&submission).unwrap();
        });
        let submission = Submission { body: b"", ..submission };
        show("auto-insurance, an empty body", || {
            normalizer.normalize(&submission).unwrap();
        });
    }
}

fn zip_list(sandbox: &Sandbox, zips: u32, campaigns: usize) -> ConfiguredFilter {
    let wasm = fs::read(module("zip-list")).unwrap();
    let Admitted::Filter(filter) = sandbox.admit(&wasm).unwrap() else {
        return zip_list(sandbox, zips, 1);
    };
    let zips: Vec<String> = (10_000..10_000 + zips).map(|zip| format!("\"{zip}\"")).collect();
    let settings = format!("{{\"zips\":[{}]}}", zips.join(","));
    filter.configure(&vec![settings; campaigns]).unwrap()
}

/// A lead of some twenty fields, as a ping of auto insurance has.
fn frame() -> Vec<u64> {
    let mut frame = Writer::default();
    frame.text(FieldId::of("zip"), "10003");
    frame.text(FieldId::of("state"), "NY");
    for field in ["age", "vehicle_year", "vehicle_count", "months_insured", "driver_count"] {
        frame.integer(FieldId::of(field), 42);
    }
    for field in ["currently_insured", "home_owner", "sr22", "dui", "military", "accidents"] {
        frame.boolean(FieldId::of(field), true);
    }
    for field in ["vehicle_make", "vehicle_model", "credit_band", "education", "occupation", "city"]
    {
        frame.text(FieldId::of(field), "something of usual length");
    }
    frame.finish()
}

fn module(name: &str) -> PathBuf {
    let rules = env::var("GAVEL_RULES").unwrap_or_else(|_| "../target/rules".to_owned());
    PathBuf::from(rules).join(format!("{name}.wasm"))
}

fn show(what: &str, mut call: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..WINDOWS {
        let began = Instant::now();
        (0..CALLS).for_each(|_| call());
        best = best.min(began.elapsed());
    }
    let nanoseconds = best.as_nanos() / u128::from(CALLS);
    println!("{what}: {}.{:02} µs", nanoseconds / 1_000, nanoseconds % 1_000 / 10);
}
