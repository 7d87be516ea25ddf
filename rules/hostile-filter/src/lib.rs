//! Hostile: does to the exchange what its settings say, when its settings say it.
//!
//! Settings such as `{"evaluate": "loops"}` name a deed, and whether it is done at `configure` or at `evaluate`. What
//! Rust cannot express stands in `tests/hostile/`, in WebAssembly text.

use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use guest_sdk::bindings_for_macro::filter as bindings;
use guest_sdk::bindings_for_macro::filter::exports::gavel::rules::filtering as wit;
use wit::Verdict::{No, Yes};

/// The length of a text that is too long for anything, in bytes.
const TEXT_BYTES: usize = 100_000;
/// How often it is listed: 100 MB in all.
const TEXTS: usize = 1_000;
/// The step in which memory is taken, in bytes.
const STEP_BYTES: usize = 64 * 1024;
/// More memory than there is, in bytes.
const ALL_BYTES: usize = 1024 * 1024 * 1024;
/// Nearly as much as there is, in bytes.
const MUCH_BYTES: usize = 60 * 1024 * 1024;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    configure: Option<Deed>,
    evaluate: Option<Deed>,
}

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Loops,
    FillsMemory,
    CopiesMemory,
    EatsMemory,
    EatsMemoryAtOnce,
    KeepsMuch,
    Recurses,
    Panics,
    PanicsAtLength,
    LeavesOneOut,
    AddsOne,
    #[serde(rename = "returns-100-mb")]
    Returns100Mb,
    ReasonsInMarkup,
    ReasonsWithNothing,
    ReasonsAtLength,
    BidsNothing,
    BidsLessThanNothing,
    BidsTheLeast,
    BidsTheMost,
    Remembers,
    RefusesAtLength,
    RefusesNobody,
}

static DEED: OnceLock<Deed> = OnceLock::new();
static SEEN: AtomicI64 = AtomicI64::new(0);

struct Hostile;

impl wit::Guest for Hostile {
    fn describe() -> wit::Description {
        let needs = vec![wit::Need { name: "zip".to_owned(), kind: wit::Kind::Text }];
        let settings = r#"{"evaluate": "loops"}: a deed, and when it is done"#.to_owned();
        wit::Description { needs, settings }
    }

    fn configure(settings: Vec<String>) -> Result<(), wit::SettingsError> {
        for (slot, text) in (0..).zip(settings) {
            let refused = |slot, message: String| Err(wit::SettingsError { slot, message });
            let settings: Settings = match serde_json::from_str(&text) {
                Ok(settings) => settings,
                Err(error) => return refused(slot, error.to_string()),
            };
            match settings.configure {
                Some(Deed::RefusesAtLength) => return refused(slot, "é".repeat(TEXT_BYTES)),
                Some(Deed::RefusesNobody) => return refused(u32::MAX, "it is nobody's".to_owned()),
                Some(deed) => drop(black_box(done(deed, 1))),
                None => (),
            }
            if let Some(deed) = settings.evaluate {
                DEED.get_or_init(|| deed);
            }
        }
        Ok(())
    }

    fn evaluate(_frame: Vec<u64>, slots: Vec<u32>) -> Vec<wit::Verdict> {
        DEED.get().map_or_else(|| vec![Yes(None); slots.len()], |deed| done(*deed, slots.len()))
    }
}

/// Does it; returns the verdicts, should it come to that.
fn done(deed: Deed, slots: usize) -> Vec<wit::Verdict> {
    let all = |verdict: wit::Verdict| vec![verdict; slots];
    match deed {
        Deed::Loops => loops(),
        Deed::FillsMemory => {
            let mut taken = vec![0; MUCH_BYTES];
            loop {
                black_box(&mut taken).fill(1_u8);
            }
        }
        Deed::CopiesMemory => {
            let mut taken = vec![1_u8; MUCH_BYTES];
            loop {
                black_box(&mut taken).copy_within(1.., 0);
            }
        }
        Deed::EatsMemory => {
            let mut taken = Vec::new();
            loop {
                taken.push(black_box(vec![1_u8; STEP_BYTES]));
            }
        }
        Deed::EatsMemoryAtOnce => all(Yes(black_box(vec![1_u8; ALL_BYTES]).first().map(|_| 1))),
        Deed::KeepsMuch => {
            black_box(vec![1_u8; MUCH_BYTES]).leak();
            all(Yes(None))
        }
        Deed::Recurses => all(Yes(Some(deeper(black_box(0))))),
        #[expect(clippy::panic, reason = "that is what it is for")]
        Deed::Panics => panic!("as every filter of this kind does"),
        #[expect(clippy::panic, reason = "that is what it is for")]
        Deed::PanicsAtLength => panic!("{}", "a".repeat(TEXT_BYTES)),
        Deed::LeavesOneOut => vec![Yes(None); slots.saturating_sub(1)],
        Deed::AddsOne => vec![Yes(None); slots.saturating_add(1)],
        Deed::Returns100Mb => returns_100_mb(),
        Deed::ReasonsInMarkup => all(No("<b>not a code</b>".to_owned())),
        Deed::ReasonsWithNothing => all(No(String::new())),
        Deed::ReasonsAtLength => all(No("a".repeat(TEXT_BYTES))),
        Deed::BidsNothing => all(Yes(Some(0))),
        Deed::BidsLessThanNothing => all(Yes(Some(-1_000_000))),
        Deed::BidsTheLeast => all(Yes(Some(i64::MIN))),
        Deed::BidsTheMost => all(Yes(Some(i64::MAX))),
        Deed::Remembers => match SEEN.fetch_add(1, Ordering::Relaxed) {
            0 => all(Yes(None)),
            seen => all(Yes(Some(seen))),
        },
        Deed::RefusesAtLength | Deed::RefusesNobody => all(No("not-at-evaluate".to_owned())),
    }
}

fn loops() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Not a tail call: the sum is taken after the call returns.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: i64) -> i64 {
    let below = black_box(depth).wrapping_add(1);
    deeper(black_box(below)).wrapping_add(below)
}

#[expect(
    unsafe_code,
    reason = "one text stands in the list many times, which safe code cannot say"
)]
fn returns_100_mb() -> Vec<wit::Verdict> {
    let text = "a".repeat(TEXT_BYTES).leak().as_mut_ptr();
    // SAFETY: none. The host reads the copies and refuses them; nothing frees them.
    let copy = |_| No(unsafe { String::from_raw_parts(text, TEXT_BYTES, TEXT_BYTES) });
    (0..TEXTS).map(copy).collect()
}

bindings::export_filter_component!(Hostile with_types_in bindings);
