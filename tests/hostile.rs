//! What a module can do to the exchange: nothing. Each hostile kind is stopped where it begins, by a limit with a name;
//! only its own calls fail; the log says which module it was and what it did.
//!
//! A kind is a line in one of the tables. It is a text in `hostile/`, a module that [`bombs`] makes, or a deed of
//! `rules/hostile-filter` or `rules/hostile-normalizer`.

mod bombs;
mod modules;
mod yard;

use std::time::Duration;

use gavel::money::Micros;
use gavel::sandbox::{
    Admitted, ConfiguredFilter, Forfeit, Limits, MEMORY_BYTES_MAX, Outcome, Sandbox, SourceVerdict,
    Stage, Verdict,
};
use lead_frame::{FieldId, Writer};
use serde_json::{Value, json};

use crate::exchange::module;
use yard::{HONEST, HOSTILE, Toll, Yard, kinds, made};

/// What every test here allows on top of a limit: the machine has other work.
const SLACK: Duration = Duration::from_secs(1);
/// What an upload that is refused may take.
const UPLOAD: Toll = Toll { time: Duration::from_secs(5), memory_bytes: 256 * 1024 * 1024 };
/// What an upload may take that is given up: as long as a compiler may, and nothing of the exchange's own memory.
const BOMB: Toll = Toll { time: Duration::from_secs(35), memory_bytes: 64 * 1024 * 1024 };
/// What saving a campaign may take: a `configure` has five seconds.
const SETTINGS: Toll = Toll { time: Duration::from_secs(6), memory_bytes: 4 * CALL_BYTES };
/// What a ping may take: a filter's call has 100 milliseconds, a normalizer's 500.
const CALL: Toll = Toll { time: SLACK, memory_bytes: 2 * CALL_BYTES };
/// The most memory of one call, in bytes.
const CALL_BYTES: u64 = MEMORY_BYTES_MAX as u64;
/// What may be left in use when all kinds of a table are through, in bytes.
const LEFT_BYTES_MAX: u64 = 128 * 1024 * 1024;

const UPLOADS: &str = "
    is-a-picture              | not-wasm           | this is not WebAssembly
    is-cut-short              | damaged            | the module is damaged: unexpected end-of-file
    is-a-core-module          | core-module        | this is a core module, not a component
    has-one-10-mb-function    | too-large          | the body is larger than 8388608 bytes
    has-one-6-mb-function     | too-large          | the module has 6000
    has-one-large-function    | function-too-large | one function has 600002 bytes, and at most 524288
    has-a-million-functions   | functions          | the module has 990004 functions, and at most 20000
    has-50-thousand-locals    | locals             | one function has 50001 local variables, and at most 10000
    has-too-many-types        | types              | the module has 1000001 types, and at most 10000
    has-too-many-data         | data-segments      | the module has 100001 data segments, and at most 10000
    has-too-many-components   | components         | the module has 1001 components within it, and at most 16
    has-too-many-modules      | core-modules       | the module has 1001 core modules, and at most 4
    has-too-many-exports      | other-types        | the module's exports have other types than the contract
    has-too-long-a-name       | invalid            | the module is not valid here: string size out of bounds
    nests-components          | components         | the module has 10000 components within it, and at most 16
    nests-modules             | not-keepable       | the module cannot be kept as `configure` leaves it: nested components
    nests-types               | invalid            | the module is not valid here: type nesting is too deep
    doubles-types             | invalid            | the module is not valid here: effective type size exceeds the limit
    branches-everywhere       | invalid            | the module is not valid here: Unsupported feature: `br_table`
    begins-with-all-memory    | memory             | the module begins with 67174400 bytes of memory, and at most 67108864
    begins-with-a-large-table | table              | a table begins with 100000 elements, and at most 20000
    begins-with-many-tables   | tables             | the module has 4 tables, and at most 2
    asks-for-imports          | imports            | a module gets nothing from outside, but this one imports `wasi:clocks
    asks-for-another-contract | other-version      | the module was built against version 2.0.0 of the contract
    asks-for-nothing          | other-types        | the module's exports have other types than the contract
    asks-for-threads          | invalid            | the module is not valid here: threads must be enabled
    asks-for-64-bits          | invalid            | the module is not valid here: memory64 must be enabled
    asks-for-two-memories     | memories           | the module has 2 memories, and at most 1
    asks-for-a-collector      | invalid            | the module is not valid here: struct indexed types not supported
    asks-for-exceptions       | invalid            | the module is not valid here: exceptions proposal not enabled
    asks-for-small-pages      | invalid            | the module is not valid here: the custom page sizes proposal
    asks-for-stack-switching  | invalid            | the module is not valid here: cannot define continuation types
    asks-for-wide-arithmetic  | invalid            | the module is not valid here: Invalid input WebAssembly code
    asks-for-relaxed-numbers  | invalid            | the module is not valid here: Invalid input WebAssembly code
    keeps-a-wide-number       | not-keepable       | the module cannot be kept as `configure` leaves it: it has a mutable
    grows-its-table           | not-keepable       | the module cannot be kept as `configure` leaves it: unsupported `table.grow`
    fills-its-table           | not-keepable       | the module cannot be kept as `configure` leaves it: unsupported `table.fill`
    sets-its-table            | not-keepable       | the module cannot be kept as `configure` leaves it: unsupported `table.set`
    starts-for-ever           | silent             | the module was asked what it is, and it used up its fuel
    starts-with-all-memory    | silent             | the module was asked what it is, and it used up its fuel
    fails-to-start            | silent             | the module was asked what it is, and it trapped: wasm `unreachable`
    loads-outside             | silent             | the module was asked what it is, and it trapped: out of bounds memory
    lists-functions-outside   | silent             | the module was asked what it is, and it trapped: undefined element
    describes-for-ever        | silent             | the module was asked what it is, and it used up its fuel
    fails-to-describe         | silent             | the module was asked what it is, and it trapped: wasm `unreachable`
    describes-at-length       | description        | the module's description is refused: the help for settings has 60000
    needs-everything          | description        | the module's description is refused: it reads 2000 fields
    needs-another-kind        | silent             | the module was asked what it is, and its answer breaks the contract
";

/// What a compiler needs for these is more than what anybody needs for an honest module.
const BOMBS: &str = "
    nests-loops          | compile-memory | compiling the module took more than
    nests-conditions     | compile-time   | compiling the module took more than
    has-far-locals       | compile-memory | compiling the module took more than
    keeps-many-numbers   | compile-time   | compiling the module took more than
    multiplies-instances | compile-memory | compiling the module took more than
";

/// In place of a code, the field of the campaign that is at fault.
const CONFIGURATIONS: &str = "
    configures-for-ever  | /filter          | the module could not be configured: it used up its fuel
    fails-to-configure   | /filter          | the module could not be configured: it trapped: wasm `unreachable`
    refuses-outside      | /filter          | the module could not be configured: its answer breaks the contract: string
    takes-nowhere        | /filter          | the module could not be configured: its answer breaks the contract: realloc
    takes-askew          | /filter          | the module could not be configured: its answer breaks the contract: realloc
    takes-for-ever       | /filter          | the module could not be configured: it used up its fuel
    fails-to-take        | /filter          | the module could not be configured: it trapped: wasm `unreachable`
    loops                | /filter          | the module could not be configured: it used up its fuel
    recurses             | /filter          | the module could not be configured: it trapped: out of bounds memory access
    panics               | /filter          | the module could not be configured: it trapped: panicked at src/lib.rs:
    eats-memory          | /filter          | the module could not be configured: it used up its memory
    eats-memory-at-once  | /filter          | the module could not be configured: it used up its memory
    keeps-much           | /filter          | the module cannot be kept as `configure` left it: it keeps 629
    refuses-at-length    | /filter/settings | éééééééé
    refuses-nobody       | /filter/settings | it is nobody's
";

const EVALUATIONS: &str = "
    loops                    | out-of-fuel   | it used up its fuel
    fills-memory             | out-of-fuel   | it used up its fuel
    copies-memory            | out-of-fuel   | it used up its fuel
    eats-memory              | out-of-fuel   | it used up its fuel
    eats-memory-at-once      | out-of-fuel   | it used up its fuel
    keeps-much               | out-of-fuel   | it used up its fuel
    recurses                 | trapped       | it trapped: out of bounds memory access at src/lib.rs:
    panics                   | trapped       | it trapped: panicked at src/lib.rs:
    panics-at-length         | trapped       | it trapped: panicked at src/lib.rs:
    leaves-one-out           | bad-output    | its answer breaks the contract: 0 verdicts for 1 campaigns
    adds-one                 | bad-output    | its answer breaks the contract: 2 verdicts for 1 campaigns
    returns-100-mb           | bad-output    | its answer breaks the contract: too much data is being copied
    reasons-in-markup        | bad-output    | its answer breaks the contract: a reason is not a code
    reasons-with-nothing     | bad-output    | its answer breaks the contract: a reason is not a code
    reasons-at-length        | bad-output    | its answer breaks the contract: a reason is not a code
    never-returns            | out-of-fuel   | it used up its fuel
    divides-by-zero          | trapped       | it trapped: integer divide by zero
    divides-the-least        | trapped       | it trapped: integer overflow
    converts-nan             | trapped       | it trapped: invalid conversion to integer
    traps                    | trapped       | it trapped: wasm `unreachable` instruction executed
    reads-outside            | trapped       | it trapped: out of bounds memory access
    writes-outside           | trapped       | it trapped: out of bounds memory access
    fills-outside            | out-of-fuel   | it used up its fuel
    calls-nothing            | trapped       | it trapped: uninitialized element
    calls-another-type       | trapped       | it trapped: indirect call type mismatch
    calls-outside-the-table  | trapped       | it trapped: undefined element
    recurses-through-pointers| trapped       | it trapped: call stack exhausted in judge
    fills-memory-for-one-fuel| out-of-fuel   | it used up its fuel
    copies-memory-for-one-fuel|out-of-fuel   | it used up its fuel
    grows-to-the-most        | out-of-fuel   | it used up its fuel
    grows-in-vain            | out-of-fuel   | it used up its fuel
    answers-outside          | bad-output    | its answer breaks the contract: pointer out of bounds of memory
    answers-askew            | bad-output    | its answer breaks the contract: return pointer not aligned
    lists-outside            | bad-output    | its answer breaks the contract: list pointer/length out of bounds
    lists-around-the-end     | bad-output    | its answer breaks the contract: list pointer/length out of bounds
    lists-askew              | bad-output    | its answer breaks the contract: list pointer is not aligned
    judges-otherwise         | bad-output    | its answer breaks the contract: unexpected discriminant: 7
    prices-otherwise         | bad-output    | its answer breaks the contract: invalid option discriminant
    reasons-outside          | bad-output    | its answer breaks the contract: string pointer/length out of bounds
    reasons-not-in-utf-8     | bad-output    | its answer breaks the contract: invalid utf-8 sequence
    takes-over-itself        | bad-output    | its answer breaks the contract: string pointer/length out of bounds
    loops-afterwards         | out-of-fuel   | it used up its fuel
    fails-afterwards         | trapped       | it trapped: wasm `unreachable` instruction executed
    bids-nothing             | not-positive  |
    bids-less-than-nothing   | not-positive  |
    bids-the-least           | not-positive  |
    bids-the-most            | no-funds      |
";

const SUBMISSIONS: &str = "
    loops                    | normalizer-failed | it used up its fuel
    eats-memory              | normalizer-failed | it used up its memory
    panics                   | normalizer-failed | it trapped: panicked at src/lib.rs:
    recurses                 | normalizer-failed | it trapped: out of bounds memory access
    lists-a-million-values   | normalizer-failed | it used up its memory
    says-too-much            | normalizer-failed | its answer breaks the contract: too much data is being copied
    names-no-field           | normalizer-failed | its answer breaks the contract: by its own schema, field `age` is not declared
    names-no-field-at-length | normalizer-failed | its answer breaks the contract: by its own schema, field `aaaaaaaa
    says-it-twice            | normalizer-failed | its answer breaks the contract: by its own schema, field `zip` comes twice
    mistakes-the-kind        | normalizer-failed | its answer breaks the contract: by its own schema, field `born` has a value of another kind
    speaks-at-length         | normalizer-failed | its answer breaks the contract: a dialect's name has more than
    lists-too-much           | too-large         |
    tells-at-length          | too-large         |
    refuses-at-length        | invalid-value     |
    brings-contact-data      | accepted          |
    brings-a-long-key        | accepted          |
    is-born-at-the-end       | accepted          |
    has-all-time             | accepted          |
    asks-the-least           | accepted          |
    asks-the-most            | rejected          |
    has-no-time              | accepted          |
";

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_serve_is_refused_at_the_upload() {
    let mut yard = Yard::open().await;
    for kind in kinds(UPLOADS) {
        let (name, wasm, _) = made(kind.name, "evaluate");
        let (seen, door) = (yard.logged(), yard.door.clone());
        let path = format!("modules?name={name}");
        let answer = yard.watch(&kind, door.try_post(&path, wasm)).await;
        let refused = matches!(answer.status, 413 | 422) && answer.text("/code") == kind.code;
        let said = answer.text("/detail").starts_with(kind.said);
        yard.expect(&kind, refused && said, format!("{answer:?}"));
        yard.expect_toll(&kind, UPLOAD);
        // What is larger than any body is not read, so nobody knows what it was.
        if answer.status == 422 {
            yard.expect_log(&kind, seen, "module refused", name).await;
        }
    }
    yard.close(LEFT_BYTES_MAX, SLACK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_keeps_a_compiler_busy_is_refused_at_the_upload() {
    let mut yard = Yard::open().await;
    for kind in kinds(BOMBS) {
        let (name, wasm, _) = made(kind.name, "evaluate");
        let (seen, door) = (yard.logged(), yard.door.clone());
        let path = format!("modules?name={name}");
        let answer = yard.watch(&kind, door.try_post(&path, wasm)).await;
        let refused = answer.status == 422 && answer.text("/code") == kind.code;
        let said = answer.text("/detail").starts_with(kind.said);
        yard.expect(&kind, refused && said, format!("{answer:?}"));
        yard.expect_toll(&kind, BOMB);
        yard.expect_log(&kind, seen, "module refused", name).await;
    }
    yard.close(LEFT_BYTES_MAX, SLACK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_its_settings_is_refused_with_its_campaign() {
    let mut yard = Yard::open().await;
    for kind in kinds(CONFIGURATIONS) {
        let (name, wasm, settings) = made(kind.name, "configure");
        yard::serve(&yard.door, name, wasm).await;
        let (seen, door) = (yard.logged(), yard.door.clone());
        let answer = yard.watch(&kind, yard::hire(&door, name, &settings)).await;
        let refused = answer.status == 422 && answer.text("/field") == kind.code;
        let (named, said) = match kind.code {
            "/filter" => (format!("campaign {HOSTILE}: filter `{name}` version 1: "), kind.said),
            _ => (format!("campaign {HOSTILE}: "), kind.said),
        };
        let said = answer.text("/detail").starts_with(&format!("{named}{said}"));
        yard.expect(&kind, refused && said, format!("{answer:?}"));
        yard.expect(&kind, answer.text("/detail").len() < 2_000, "tells at length");
        yard.expect_toll(&kind, SETTINGS);
        if kind.code == "/filter" {
            yard.expect_log(&kind, seen, "filter not configured", name).await;
        }
    }
    yard.close(LEFT_BYTES_MAX, SLACK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_a_lead_forfeits_its_own_bid() {
    let mut yard = Yard::open().await;
    for kind in kinds(EVALUATIONS) {
        let (name, wasm, settings) = made(kind.name, "evaluate");
        yard::serve(&yard.door, name, wasm).await;
        let (seen, door) = (yard.logged(), yard.door.clone());
        let hired = yard::hire(&door, name, &settings).await;
        assert_eq!(hired.status, 200, "{}: {hired:?}", kind.name);
        let ping = yard.watch(&kind, yard::ping(&door)).await;
        let receipt = door.receipt(ping.text("/ping_id")).await;
        let left = |campaign: &str| {
            let left = receipt["left_out"].as_array().unwrap().iter();
            left.clone().find(|left| left["campaign"] == campaign).cloned().unwrap_or_default()
        };
        let honest = receipt["winners"][0]["campaign"] == HONEST
            && left("bystander-auto")["code"] == "outbid";
        let hostile = left(HOSTILE);
        let expected = match kind.said {
            "" => hostile["code"] == kind.code,
            _ => hostile["code"] == "filter-forfeited" && hostile["detail"] == kind.code,
        };
        yard.expect(&kind, honest && expected, format!("{receipt:#}"));
        yard.expect_toll(&kind, CALL);
        if !kind.said.is_empty() {
            yard.expect_log(&kind, seen, "filter forfeited", name).await;
        }
        yard::fire(&door).await;
    }
    yard.close(LEFT_BYTES_MAX, SLACK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_a_submission_fails_that_submission() {
    let mut yard = Yard::open().await;
    let door = yard.door.clone();
    door.serve("hostile-normalizer").await;
    door.put("verticals/hostile", json!({"module": "hostile-normalizer", "reserve": "1.00"})).await;
    let campaign = json!({"buyer": "honest", "vertical": "hostile", "price": "5.00"});
    door.put("campaigns/honest-hostile", campaign).await;
    for kind in kinds(SUBMISSIONS) {
        let seen = yard.logged();
        let sent = door.send("hostile/ping", kind.name.to_owned());
        let answer = yard.watch(&kind, sent).await;
        let code = match answer.text("/code") {
            "" => answer.text("/status"),
            code => code,
        };
        yard.expect(&kind, code == kind.code, format!("{answer:?}"));
        yard.expect(&kind, answer.body.to_string().len() < 4_000, "tells at length");
        if !kind.said.is_empty() {
            yard.expect_log(&kind, seen, "normalizer failed", "hostile-normalizer").await;
        }
        let receipt = door.receipt(answer.text("/ping_id")).await.to_string();
        yard.expect(&kind, !receipt.contains("2025550107"), "contact data in the receipt");
        yard.expect_toll(&kind, CALL);
        let honest = door.send("hostile/ping", "honest".to_owned()).await;
        yard.expect(&kind, honest.text("/status") == "accepted", format!("{honest:?}"));
    }
    yard.close(LEFT_BYTES_MAX, SLACK).await;
}

/// Returns the filter of this name in `hostile/`.
pub(crate) fn filter(name: &str) -> Option<Vec<u8>> {
    modules::text(name).map(|text| modules::filter(&text))
}

fn open(limits: &Limits) -> Sandbox {
    Sandbox::open(limits).unwrap()
}

fn configured(sandbox: &Sandbox, wasm: &[u8], settings: &Value) -> ConfiguredFilter {
    let Ok(Admitted::Filter(filter)) = sandbox.admit(wasm) else { panic!("it is no filter") };
    filter.configure(&[settings.to_string()]).unwrap()
}

fn honest(sandbox: &Sandbox) -> ConfiguredFilter {
    configured(sandbox, &module("zip-list"), &json!({"zips": ["90210"]}))
}

fn hostile(sandbox: &Sandbox, name: &'static str) -> ConfiguredFilter {
    let (_, wasm, settings) = made(name, "evaluate");
    configured(sandbox, &wasm, &settings)
}

fn frame() -> Vec<u64> {
    let mut frame = Writer::default();
    frame.integer(FieldId::of("age"), 40);
    frame.text(FieldId::of("zip"), "90210");
    frame.finish()
}

/// Calls the module under limits of its own, and then calls another in the same sandbox.
#[track_caller]
fn check(limits: &Limits, name: &'static str, expected: &str) {
    let sandbox = open(limits);
    let (honest, hostile) = (honest(&sandbox), hostile(&sandbox, name));
    for _ in 0..3 {
        let forfeit = hostile.evaluate(&frame(), &[0]).unwrap_err();
        assert_eq!(format!("{}: {forfeit}", forfeit.code()), expected);
        let evaluated = honest.evaluate(&frame(), &[0]).unwrap();
        assert_eq!(evaluated.verdicts, [Verdict::Yes(None)]);
    }
}

#[test]
fn the_clock_stops_what_fuel_does_not() {
    let mut limits = Limits::default();
    limits.filter.fuel = u64::MAX / 2;
    limits.filter.wall = Duration::from_millis(20);
    for name in ["loops", "loops-afterwards", "copies-memory-for-one-fuel"] {
        check(&limits, name, "out-of-time: it used up its time");
    }
    // Memory that is not given is paid for too.
    check(&limits, "grows-in-vain", "out-of-fuel: it used up its fuel");
}

#[test]
fn the_fence_stops_what_eats_memory_with_fuel_to_spare() {
    let mut limits = Limits::default();
    limits.filter.memory_bytes = 4 * 1024 * 1024;
    limits.filter.fuel = u64::MAX / 2;
    for name in ["eats-memory", "eats-memory-at-once", "grows-to-the-most"] {
        check(&limits, name, "out-of-memory: it used up its memory");
    }
}

#[test]
fn nothing_of_one_lead_reaches_the_next() {
    let sandbox = open(&Limits::default());
    let remembers = hostile(&sandbox, "remembers");
    for _ in 0..100 {
        let evaluated = remembers.evaluate(&frame(), &[0]).unwrap();
        assert_eq!(evaluated.verdicts, [Verdict::Yes(None)]);
    }
}

/// The bits that every machine makes of what is not a number, and the fuel that every machine takes for it.
#[test]
fn not_a_number_has_the_same_bits_on_every_machine() {
    const WIDE: i64 = 0x7ff8_0000_0000_0000;
    const NARROW: i64 = 0x7fc0_0000;
    const FUEL: u64 = 149;
    let bits = [WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, NARROW, WIDE];
    let sum = bits.iter().fold(0_i64, |sum, bits| sum.wrapping_mul(31).wrapping_add(*bits));
    let makes_nan = hostile(&open(&Limits::default()), "makes-nan");
    let honest = honest(&open(&Limits::default()));
    for _ in 0..3 {
        let evaluated = makes_nan.evaluate(&frame(), &[0]).unwrap();
        assert_eq!(evaluated.verdicts, [Verdict::Yes(Some(Micros::new(sum)))]);
        assert_eq!(evaluated.fuel, FUEL);
        assert!(honest.evaluate(&frame(), &[0]).is_ok());
    }
}

#[test]
fn an_answer_that_cannot_be_sent_is_not_rendered() {
    let Ok(Admitted::Normalizer(normalizer)) =
        open(&Limits::default()).admit(&module("hostile-normalizer"))
    else {
        panic!("it is no normalizer")
    };
    for (dialect, expected) in [
        ("answers-in-a-loop", "it used up its fuel"),
        ("answers-with-no-status", "its answer breaks the contract: 99 is no status of an answer"),
        ("answers-in-two-headers", "its answer breaks the contract: the content type is no header"),
    ] {
        let outcome = Outcome {
            stage: Stage::Ping,
            dialect: dialect.to_owned(),
            accept: None,
            content: None,
            verdict: SourceVerdict::Rejected,
            status: 200,
            ping_id: None,
            lead_id: None,
            duplicate_of: None,
            price: None,
            currency: "USD".to_owned(),
            copies: None,
            expires_ms: None,
            reason_code: None,
            reason: None,
            field: None,
            retry_after_s: None,
        };
        assert_eq!(normalizer.render(&outcome).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_frame_that_is_none_forfeits_the_call_and_nothing_else() {
    let honest = honest(&open(&Limits::default()));
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
    let (honest, hostile) = (honest(&sandbox), hostile(&sandbox, "loops"));
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
