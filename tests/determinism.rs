//! The same call comes out the same: verdict, fuel and memory, whatever ran before, and wherever the code comes from.

use std::fs;
use std::path::Path;

use gavel::money::Micros;
use gavel::sandbox::{
    Admitted, CallLimits, ConfiguredFilter, Evaluated, FUEL_MAX, Limits, Sandbox, Verdict,
};
use lead_frame::{FieldId, Writer};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::exchange::module;

fn open() -> Sandbox {
    Sandbox::open(&Limits::default()).unwrap()
}

fn configured(sandbox: &Sandbox, wasm: &[u8], settings: &str) -> ConfiguredFilter {
    let Ok(Admitted::Filter(filter)) = sandbox.admit(wasm) else { panic!("no filter") };
    filter.configure(&[settings.to_owned()]).unwrap()
}

fn zip_list(sandbox: &Sandbox) -> ConfiguredFilter {
    configured(sandbox, &module("zip-list"), r#"{"zips": ["90210", "10025"]}"#)
}

fn frame(zip: &str) -> Vec<u64> {
    let mut frame = Writer::default();
    frame.text(FieldId::of("zip"), zip);
    frame.finish()
}

#[test]
fn a_call_comes_out_the_same_fresh_and_after_others() {
    let (sandbox, zips) = (open(), ["90210", "10025", "90211", "1", ""]);
    let filter = zip_list(&sandbox);
    let fresh: Vec<Evaluated> =
        zips.iter().map(|zip| zip_list(&open()).evaluate(&frame(zip), &[0]).unwrap()).collect();
    assert!(fresh.iter().all(|evaluated| evaluated.memory_bytes > 0));
    // In every order, with calls of other modules that fail in between.
    let hostile = configured(&sandbox, &module("traps"), "{}");
    for turn in 0..40 {
        let index = (turn * 7 + turn / 5) % zips.len();
        assert!(hostile.evaluate(&frame("90210"), &[0]).is_err());
        assert_eq!(filter.evaluate(&frame(zips[index]), &[0]).unwrap(), fresh[index]);
    }
}

#[test]
fn code_from_the_disk_does_what_freshly_compiled_code_does() {
    let data = TempDir::new().unwrap();
    let cached = || open().with_cache(data.path()).unwrap();
    let fresh = zip_list(&open()).evaluate(&frame("90210"), &[0]).unwrap();
    for _ in 0..2 {
        assert_eq!(zip_list(&cached()).evaluate(&frame("90210"), &[0]).unwrap(), fresh);
    }
}

/// Makes a filter of functions in WebAssembly text. `prices` leaves as many 64-bit numbers as there are slots at 1,024,
/// 24 bytes apart from 1,040; each becomes the price of a slot. `more` is what else the module has.
fn pricing(prices: &str, slots: usize, more: &str) -> Vec<u8> {
    let yes: String = (0..slots)
        .map(|slot| {
            let at = 1_024 + 24 * slot;
            format!("(i32.store8 (i32.const {at}) (i32.const 1)) (i32.store8 (i32.const {}) (i32.const 1))", at + 8)
        })
        .collect();
    let core = format!(
        r#"(module
            (memory (export "memory") 1)
            {more}
            (global $end (mut i32) (i32.const 32768))
            (data (i32.const 256) "\01\00\00\00\00\00\f4\7f")
            (data (i32.const 264) "\01\00\a0\ff")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $end (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
                global.get $end
                (global.set $end (i32.add (global.get $end) (local.get 3))))
            (func (export "gavel:rules/filtering@1.0.0#describe") (result i32) (i32.const 128))
            (func (export "gavel:rules/filtering@1.0.0#configure") (param i32 i32) (result i32) (i32.const 128))
            (func (export "gavel:rules/filtering@1.0.0#evaluate") (param i32 i32 i32 i32) (result i32)
                {yes} {prices}
                (i32.store (i32.const 64) (i32.const 1024))
                (i32.store (i32.const 68) (i32.const {slots}))
                (i32.const 64)))"#
    );
    let mut core = wat::parse_str(core).unwrap();
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v1");
    let (package, _) = resolve.push_path(contract).unwrap();
    let world = resolve.select_world(&[package], Some("filter")).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&core).unwrap().validate(true).encode().unwrap()
}

#[test]
fn a_nan_has_the_same_bits_on_every_machine() {
    // At 256 lies a signalling 64-bit NaN with a payload, at 264 a 32-bit one. What an operation makes of them is up to
    // the processor, and of which operand it comes as well, unless somebody sees to it.
    let sums = [
        "(f64.add (f64.load (i32.const 256)) (f64.const 1))",
        "(f64.mul (f64.const -1) (f64.load (i32.const 256)))",
        "(f64.div (f64.const 0) (f64.load (i32.const 2048)))",
        "(f64.sqrt (f64.const -1))",
        "(f64.promote_f32 (f32.load (i32.const 264)))",
        "(f64.promote_f32 (f32.add (f32.load (i32.const 264)) (f32.const 1)))",
        "(f64.min (f64.load (i32.const 256)) (f64.const nan:0x8000000000bad))",
    ];
    let prices: String = (0..)
        .zip(sums)
        .map(|(slot, sum)| format!("(f64.store (i32.const {}) {sum})", 1_040 + 24 * slot))
        .collect();
    let sandbox = open();
    let filter = configured(&sandbox, &pricing(&prices, sums.len(), ""), "{}");
    let slots: Vec<u32> = (0..7).collect();
    let evaluated = filter.evaluate(&frame("90210"), &slots).unwrap();
    let canonical = Verdict::Yes(Some(Micros::new(0x7ff8_0000_0000_0000)));
    assert_eq!(evaluated.verdicts, vec![canonical; sums.len()]);
    assert_eq!(filter.evaluate(&frame("90210"), &slots).unwrap(), evaluated);

    // Moved and not computed with, its bits stay what they are: the test can see a difference.
    let moved = "(i64.store (i32.const 1040) (i64.load (i32.const 256)))";
    let filter = configured(&sandbox, &pricing(moved, 1, ""), "{}");
    let verdicts = filter.evaluate(&frame("90210"), &[0]).unwrap().verdicts;
    assert_eq!(verdicts, [Verdict::Yes(Some(Micros::new(0x7ff4_0000_0000_0001)))]);
}

#[test]
fn what_judging_comes_to_is_kept_however_it_comes_there() {
    let more = "
        (type $price (func (result i64)))
        (table 2 funcref)
        (elem (i32.const 1) func $listed)
        (func $called (result i64) (i64.add (call $further) (i64.const 1)))
        (func $further (result i64) (return_call $furthest))
        (func $furthest (result i64) (i64.const 41))
        (func $listed (result i64) (call $behind))
        (func $behind (result i64) (i64.const 43))";
    let prices = "
        (i64.store (i32.const 1040) (call $called))
        (i64.store (i32.const 1064) (call_indirect (type $price) (i32.const 1)))";
    let filter = configured(&open(), &pricing(prices, 2, more), "{}");
    let verdicts = filter.evaluate(&frame("90210"), &[0, 0]).unwrap().verdicts;
    assert_eq!(verdicts, [42, 43].map(|price| Verdict::Yes(Some(Micros::new(price)))));
}

#[test]
fn what_only_reads_settings_is_not_kept() {
    let data = TempDir::new().unwrap();
    let sandbox = open().with_cache(data.path()).unwrap();
    let compiled = || {
        let folders = fs::read_dir(data.path().join("compiled")).unwrap().flatten();
        let folder = folders.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
        let files = fs::read_dir(folder).unwrap().flatten();
        let mut bytes: Vec<u64> = files.map(|file| file.metadata().unwrap().len()).collect();
        bytes.sort_unstable();
        bytes
    };
    let Ok(Admitted::Filter(filter)) = sandbox.admit(&module("zip-list")) else { panic!() };
    let [whole] = compiled()[..] else { panic!("{:?}", compiled()) };
    filter.configure(&[r#"{"zips": ["90210"]}"#.to_owned()]).unwrap();
    let [kept, also] = compiled()[..] else { panic!("{:?}", compiled()) };
    assert_eq!(also, whole);
    assert!(kept * 4 < whole * 3, "{kept} bytes kept of {whole}");
}

#[test]
fn limits_change_while_the_filter_runs_and_not_what_it_says() {
    let sandbox = open();
    let filter = zip_list(&sandbox);
    let usual = filter.evaluate(&frame("90210"), &[0]).unwrap();
    let mut limits = *filter.limits();
    limits.call.fuel = usual.fuel;
    limits.fuel_per_slot = 0;
    let exact = filter.with_limits(limits);
    assert_eq!(exact.evaluate(&frame("90210"), &[0]).unwrap(), usual);
    limits.call.fuel = usual.fuel / 2;
    let short = filter.with_limits(limits);
    assert_eq!(short.evaluate(&frame("90210"), &[0]).unwrap_err().code(), "out-of-fuel");
    limits.call = CallLimits { memory_bytes: 1, ..filter.limits().call };
    let small = filter.with_limits(limits);
    assert_eq!(small.evaluate(&frame("90210"), &[0]).unwrap_err().code(), "out-of-memory");
    // No handle passes the ceilings, and the first one is as it was.
    limits.call.fuel = u64::MAX;
    assert_eq!(filter.with_limits(limits).limits().call.fuel, FUEL_MAX);
    assert_eq!(filter.evaluate(&frame("90210"), &[0]).unwrap(), usual);
}
