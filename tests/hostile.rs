//! What a module can do to the exchange: nothing. Each hostile module is stopped, named by the right forfeit, and the
//! sandbox serves on.

use std::time::Duration;

use gavel::sandbox::{Admitted, ConfiguredFilter, Forfeit, Limits, Sandbox, Verdict};
use lead_frame::{FieldId, Writer};

use crate::exchange::module;

fn open(limits: &Limits) -> Sandbox {
    Sandbox::open(limits).unwrap()
}

fn configured(sandbox: &Sandbox, name: &str, settings: &str) -> ConfiguredFilter {
    let Ok(Admitted::Filter(filter)) = sandbox.admit(&module(name)) else {
        panic!("{name} is no filter")
    };
    filter.configure(&[settings.to_owned(), settings.to_owned()]).unwrap()
}

fn frame() -> Vec<u64> {
    let mut frame = Writer::default();
    frame.integer(FieldId::of("age"), 40);
    frame.text(FieldId::of("zip"), "90210");
    frame.finish()
}

/// Calls the module, expects this forfeit, and then calls another in the same sandbox.
#[track_caller]
fn check(limits: &Limits, name: &str, slots: &[u32], expected: &str) {
    let sandbox = open(limits);
    let honest = configured(&sandbox, "zip-list", r#"{"zips": ["90210"]}"#);
    let hostile = configured(&sandbox, name, "{}");
    for _ in 0..3 {
        let forfeit = hostile.evaluate(&frame(), slots).unwrap_err();
        assert_eq!(format!("{}: {forfeit}", forfeit.code()), expected);
        let evaluated = honest.evaluate(&frame(), &[0]).unwrap();
        assert_eq!(evaluated.verdicts, [Verdict::Yes(None)]);
    }
}

#[test]
fn one_that_never_returns_runs_out_of_fuel() {
    check(&Limits::default(), "never-returns", &[0], "out-of-fuel: it used up its fuel");
}

#[test]
fn the_clock_stops_what_fuel_does_not() {
    let mut limits = Limits::default();
    limits.filter.fuel = u64::MAX / 2;
    limits.filter.wall = Duration::from_millis(20);
    check(&limits, "never-returns", &[0], "out-of-time: it used up its time");
}

#[test]
fn one_that_eats_memory_meets_the_fence() {
    let mut limits = Limits::default();
    limits.filter.memory_bytes = 4 * 1024 * 1024;
    limits.filter.fuel = u64::MAX / 2;
    check(&limits, "eats-memory", &[0], "out-of-memory: it used up its memory");
}

#[test]
fn one_that_eats_memory_within_the_fence_pays_fuel_for_it() {
    check(&Limits::default(), "eats-memory", &[0], "out-of-fuel: it used up its fuel");
}

#[test]
fn one_that_calls_itself_without_end_is_stopped() {
    let expected = "trapped: it trapped: out of bounds memory access at src/lib.rs:25 in deeper";
    check(&Limits::default(), "recurses", &[0], expected);
}

#[test]
fn one_that_panics_forfeits_the_call() {
    let expected = "trapped: it trapped: panicked at src/lib.rs:21 in evaluate";
    check(&Limits::default(), "traps", &[0], expected);
}

#[test]
fn an_answer_of_100_mb_is_not_read() {
    let expected = "bad-output: its answer breaks the contract: too much data is being copied between the host and \
                    the guest: fuel allocated for hostcalls has been exhausted";
    check(&Limits::default(), "returns-100-mb", &[0], expected);
}

#[test]
fn a_reason_that_is_no_code_is_not_passed_on() {
    let expected = "bad-output: its answer breaks the contract: a reason is not a code of 1 to 64 lower-case \
                    letters, digits and `-`";
    check(&Limits::default(), "breaks-contract", &[0], expected);
}

#[test]
fn every_campaign_gets_a_verdict_or_none_does() {
    let expected = "bad-output: its answer breaks the contract: 0 verdicts for 2 campaigns";
    check(&Limits::default(), "breaks-contract", &[0, 1], expected);
}

#[test]
fn nothing_of_one_lead_reaches_the_next() {
    let sandbox = open(&Limits::default());
    let remembers = configured(&sandbox, "remembers", "{}");
    for _ in 0..100 {
        let evaluated = remembers.evaluate(&frame(), &[0]).unwrap();
        assert_eq!(evaluated.verdicts, [Verdict::Yes(None)]);
    }
}

#[test]
fn a_module_that_never_says_what_it_is_is_refused() {
    let refused = open(&Limits::default()).admit(&module("never-describes")).unwrap_err();
    assert_eq!(refused.code(), "silent");
    assert_eq!(
        refused.to_string(),
        "the module was asked what it is, and it used up its fuel: `describe` must return at once and the same always"
    );
}

#[test]
fn a_frame_that_is_none_forfeits_the_call_and_nothing_else() {
    let sandbox = open(&Limits::default());
    let honest = configured(&sandbox, "zip-list", r#"{"zips": ["90210"]}"#);
    let damaged = frame().split_off(1);
    for words in [&[][..], &[u64::MAX; 40], &damaged[..damaged.len() - 1]] {
        let forfeit = honest.evaluate(words, &[0]).unwrap_err();
        assert!(matches!(forfeit, Forfeit::Trapped(_)), "{forfeit}");
    }
    assert!(honest.evaluate(&frame(), &[0]).is_ok());
}

#[test]
fn honest_calls_go_on_while_hostile_ones_run() {
    let sandbox = open(&Limits::default());
    let honest = configured(&sandbox, "zip-list", r#"{"zips": ["90210"]}"#);
    let hostile = configured(&sandbox, "never-returns", "{}");
    let frame = frame();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(hostile.evaluate(&frame, &[0]), Err(Forfeit::OutOfFuel));
                }
            });
            scope.spawn(|| {
                for _ in 0..500 {
                    let evaluated = honest.evaluate(&frame, &[0]).unwrap();
                    assert_eq!(evaluated.verdicts, [Verdict::Yes(None)]);
                }
            });
        }
    });
}
