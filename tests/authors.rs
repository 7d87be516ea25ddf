//! The way of a module's author, with the program as it is: a crate outside this repository, its fixtures, and a running
//! exchange. What the program prints is read as a person reads it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gavel::fixtures::{self, Files};
use gavel::sandbox::{Limits, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::program::{Program, path};
use crate::exchange::{Exchange, OPERATOR_KEY, module};

/// What a command printed, and its exit code.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `gavel module ..` in a folder, as an author who is not online: what cargo needs is here already.
fn gavel(folder: &Path, url: &str, arguments: &[&str]) -> Said {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let mut command = Command::new(path());
    command.arg("module").args(arguments).current_dir(folder);
    command.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
    command.env("GAVEL_URL", url).env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).env("USER", "dana");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Runs the unit tests of an author's crate with cargo alone.
fn cargo_test(folder: &Path) {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--offline", "--quiet"]).current_dir(folder);
    let output = cargo.env("CARGO_TARGET_DIR", target).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    reads(&String::from_utf8_lossy(&output.stdout), &["1 passed"]);
}

/// Runs a command that needs no exchange and must succeed; returns what it printed.
#[track_caller]
fn done(folder: &Path, arguments: &[&str]) -> String {
    let said = gavel(folder, "", arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {said:#?}");
    said.out
}

/// Says whether every text comes in this order.
#[track_caller]
fn reads(said: &str, parts: &[&str]) {
    let mut rest = said;
    for part in parts {
        let found = rest.find(part);
        assert!(found.is_some(), "`{part}` is missing from:\n{said}");
        rest = &rest[found.unwrap() + part.len()..];
    }
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn a_new_filter_builds_and_passes_its_tests_at_once_anywhere() {
    let home = TempDir::new().unwrap();
    let made = done(home.path(), &["new", "first-filter"]);
    reads(&made, &["first-filter is a filter", "cd first-filter", "gavel module test"]);
    let folder = home.path().join("first-filter");
    reads(
        &done(&folder, &["test"]),
        &[
            "ok       home-owner.json",
            "3 fixtures: 3 as expected",
            "fuel",
            "% of 2,200,000",
            "memory",
            "size",
        ],
    );

    let built = done(&folder, &["build"]);
    reads(
        &built,
        &["first-filter", "filter", "% of the limit, 3 fixtures", "target/rules/first-filter.wasm"],
    );
    let wasm = "target/rules/first-filter.wasm";
    reads(&done(&folder, &["test", wasm]), &["3 fixtures: 3 as expected"]);
    reads(
        &done(&folder, &["bench", wasm, "--seconds", "1"]),
        &["2 fixtures in turn", "times an empty module's", "calls a second"],
    );
    let bare = done(&folder, &["build", "--without-fixtures", "--json", "--out", "bare"]);
    let bare: Value = serde_json::from_str(&bare).unwrap();
    assert_eq!(bare[0]["fixtures"], 0);
    let said = gavel(&folder, "", &["test", "bare/first-filter.wasm"]);
    assert_eq!(said.code, Some(2));
    reads(&said.err, &["has no fixtures", "--fixtures DIR"]);
    reads(
        &done(&folder, &["test", "bare/first-filter.wasm", "--fixtures", "fixtures"]),
        &["3 as expected"],
    );
    cargo_test(&folder);

    // The author changes what the module does: the fixture says what that changes.
    replace(&folder.join("src/lib.rs"), "\"state-not-wanted\"", "\"wrong-state\"");
    let said = gavel(&folder, "", &["test"]);
    assert_eq!(said.code, Some(1));
    reads(
        &said.out,
        &[
            "differs  other-state.json",
            "- reason: \"state-not-wanted\"",
            "+ reason: \"wrong-state\"",
            "3 fixtures: 2 as expected, 1 differ",
        ],
    );
    reads(&said.err, &["1 of 3 fixtures not as expected", "--accept"]);
    let accepted = done(&folder, &["test", "--accept"]);
    let told = ["accepted fixtures/other-state.json", "3 fixtures: 2 as expected, 1 accepted"];
    reads(&accepted, &told);
    reads(&done(&folder, &["test"]), &["3 fixtures: 3 as expected"]);
    let kept = fs::read_to_string(folder.join("fixtures/other-state.json")).unwrap();
    reads(
        &kept,
        &[
            r#""lead": {"age": 41, "state": "TX"}"#,
            r#""expected": {"verdict": "no", "reason": "wrong-state"}"#,
        ],
    );

    // The SDK comes back as the program has it, and nothing else is touched.
    fs::remove_file(folder.join("sdk/wit/v1/filter.wit")).unwrap();
    reads(&done(&folder, &["sdk"]), &["sdk is the SDK"]);
    assert!(folder.join("sdk/wit/v1/filter.wit").is_file());
    assert_eq!(fs::read_to_string(folder.join("fixtures/other-state.json")).unwrap(), kept);
}

#[test]
fn a_new_adapter_builds_and_passes_its_tests_at_once_anywhere() {
    let home = TempDir::new().unwrap();
    let made = done(home.path(), &["new", "first-buyer", "--world", "adapter"]);
    reads(&made, &["first-buyer is an adapter in first-buyer", "gavel module test"]);
    let folder = home.path().join("first-buyer");
    reads(
        &done(&folder, &["test"]),
        &["an adapter", "ok       ping-bid.json", "3 fixtures: 3 as expected", "% of 20,000,000"],
    );
    cargo_test(&folder);
}

#[test]
fn a_new_normalizer_builds_and_passes_its_tests_at_once_anywhere() {
    let home = TempDir::new().unwrap();
    done(
        home.path(),
        &["new", "first-vertical", "--world", "normalizer", "--path", "in/verticals"],
    );
    let folder = home.path().join("in/verticals");
    let tested = done(&folder, &["test", "--json"]);
    let tested: Value = serde_json::from_str(&tested).unwrap();
    let endings = tested[0]["fixtures"].as_array().unwrap().iter();
    let endings: Vec<_> = endings.map(|fixture| fixture["ending"].as_str().unwrap()).collect();
    assert_eq!(endings, ["same"; 4], "{tested:#}");
    cargo_test(&folder);
    // A fixture may say on which day it came, and is held to it.
    let file = folder.join("fixtures/form.ping.expected.json");
    let expected = fs::read_to_string(&file).unwrap();
    fs::write(&file, expected.replacen('{', "{\"sent\": {\"received_on\": \"someday\"},", 1))
        .unwrap();
    let said = gavel(&folder, "", &["test"]);
    assert_eq!(said.code, Some(1));
    reads(
        &said.out,
        &["fails    form.ping.form", "`received_on` is a day such as 2026-01-31, not `someday`"],
    );
    fs::write(
        &file,
        expected.replacen(
            '{',
            "{\"sent\": {\"query\": \"breed=Corgi\", \"content_type\": \"text/plain\"},",
            1,
        ),
    )
    .unwrap();
    let said = gavel(&folder, "", &["test", "--accept"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    reads(&fs::read_to_string(&file).unwrap(), &["\"sent\"", "breed=Corgi"]);
}

#[test]
fn the_shipped_filters_do_what_their_fixtures_say() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    for name in ["zip-list", "age-credit-band", "priced-by-fields"] {
        let fixtures = rules.join(name).join("fixtures");
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("it.wasm"), module(name)).unwrap();
        let tested =
            done(home.path(), &["test", "it.wasm", "--fixtures", fixtures.to_str().unwrap()]);
        reads(&tested, &[&format!("{} as expected", fs::read_dir(&fixtures).unwrap().count())]);
    }
}

#[test]
fn a_module_does_not_tell_where_it_was_built() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let own = [repository.to_str().unwrap(), "registry/src"];
    for name in ["auto-insurance", "zip-list", "px-adapter"] {
        let wasm = module(name);
        let text = String::from_utf8_lossy(&wasm);
        // Panics name files, those of dependencies too.
        assert!(text.contains(".rs"), "{name}");
        assert_eq!(own.iter().find(|part| text.contains(**part)), None, "{name}");
    }
}

/// Returns a shipped filter with one fixture of this name: other bytes, so another version.
fn version(name: &str, fixture: &str, expected: &Value) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let fixture = folder.path().join(format!("{fixture}.json"));
    fs::write(fixture, json!({"lead": {}, "expected": expected}).to_string()).unwrap();
    fixtures::embed(module(name), &Files::read(folder.path()).unwrap())
}

/// What `generated-fields` says of a lead that says nothing.
fn declined() -> Value {
    json!({"verdict": "no", "reason": "no-credit"})
}

#[tokio::test]
async fn an_upload_whose_fixtures_do_not_hold_is_refused_with_the_difference() {
    let exchange = Exchange::open().await;
    let forfeits = version("traps", "any", &json!({"verdict": "yes", "price": null}));
    let refused = exchange.upload("traps", forfeits).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.text("/code"), "fixtures-differ");
    reads(
        refused.text("/detail"),
        &["1 of 1 fixtures", "any.json", "the module forfeited the call: it trapped"],
    );

    let wrong = version("generated-fields", "wrong", &json!({"verdict": "no", "reason": "never"}));
    let refused = exchange.upload("generated-fields", wrong).await;
    reads(
        refused.text("/detail"),
        &["wrong.json", "- reason: \"never\"", "+ reason: \"no-credit\"", "gavel module test"],
    );

    let right = version("generated-fields", "right", &declined());
    let twice = fixtures::embed(right.clone(), &Files::default());
    let refused = exchange.upload("generated-fields", twice).await;
    assert_eq!(refused.text("/code"), "fixtures-unreadable");

    let taken = exchange.upload("generated-fields", right).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    assert_eq!(taken.body["passed"][2], json!({"check": "fixtures", "found": "1, as expected"}));
    exchange.close().await;
}

#[test]
fn fixtures_that_take_too_long_are_not_waited_for() {
    let wasm = version("generated-fields", "any", &declined());
    let sandbox = Sandbox::open(&Limits::default()).unwrap();
    let admitted = sandbox.admit(&wasm).unwrap();
    assert_eq!(fixtures::check(&admitted, &wasm, fixtures::CHECK_TIME_MAX), Ok(1));
    let failed = fixtures::check(&admitted, &wasm, Duration::ZERO).unwrap_err();
    assert_eq!(failed.code(), "fixtures-too-slow");
    reads(&failed.to_string(), &["more than 10 s together", "--without-fixtures"]);
}

#[tokio::test]
async fn an_operator_pushes_tries_activates_and_goes_back() {
    let data = TempDir::new().unwrap();
    let program = Program::start(data.path()).await;
    let url = format!("http://{}", program.address());
    for (file, fixture) in [("one.wasm", "one"), ("two.wasm", "two")] {
        let wasm = version("generated-fields", fixture, &declined());
        fs::write(data.path().join(file), wasm).unwrap();
    }
    for (arguments, expected) in [
        ("list", &["there are no modules yet"][..]),
        (
            "push one.wasm --name rule --why first",
            &["rule version 1: a filter of", "validated", "fixtures    1, as expected", "Next:"],
        ),
        ("push one.wasm --name rule", &["rule version 1 already"]),
        ("activate rule --why go", &["rule version 1 is active"]),
        ("push two.wasm --name rule", &["rule version 2:"]),
        ("shadow rule", &["rule version 2 judges 100 %"]),
        ("shadow rule --stop", &["rule version 2 is no shadow any more"]),
        ("canary rule 2 --percent 5", &["rule version 2 decides 5 %"]),
        ("list", &["NAME", "ACTIVE", "CANARY", "rule", "filter", "1", "2 at 5 %"]),
        ("canary rule --percent 0", &["rule version 2 is no canary any more"]),
        ("activate rule 2", &["rule version 2 is active", "gavel module rollback rule"]),
        ("rollback rule --why worse", &["rule version 1 is active again"]),
        (
            "set rule --owner acme --fuel 3000000 --gate traps_max=0",
            &["owner acme", "fuel 3,000,000", "traps at most 0"],
        ),
        (
            "set rule --failing-calls 5 --failing-window-seconds 9",
            &["owner acme", "fuel 3,000,000", "calls 5"],
        ),
        ("set rule --reset limits", &["owner acme", "fuel 2,000,000", "calls 5"]),
        ("limits filter", &["a filter's call: fuel 2,000,000"]),
        ("limits filter --wall-ms 90", &["wall 90 ms"]),
        ("take-out rule --why broken", &["rule version 1 is out of service"]),
        (
            "show rule",
            &[
                "rule, a filter, owner acme",
                "out of service: broken",
                "VERSION",
                "taken-out",
                "uploaded",
                "dana",
                "first",
                "activated",
                "worse",
                "taken-out",
                "broken",
            ],
        ),
    ] {
        let said = gavel(data.path(), &url, &arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(said.code, Some(0), "{arguments}: {said:#?}");
        reads(&said.out, expected);
        assert!(!said.out.contains('\u{1b}'), "no colours where nobody sees them");
    }
    let shown = gavel(data.path(), &url, &["show", "rule", "--json"]);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["tracks"][0]["taken_out"], "broken");
    program.kill().await;
}

#[tokio::test]
async fn whatever_is_asked_for_wrongly_is_told_what_to_do_next() {
    let data = TempDir::new().unwrap();
    let program = Program::start(data.path()).await;
    let url = format!("http://{}", program.address());
    let here = data.path();
    fs::write(here.join("text.wasm"), "not a module").unwrap();
    fs::write(here.join("rule.wasm"), module("generated-fields")).unwrap();
    fs::write(here.join("lead.json"), "[1]").unwrap();
    fs::create_dir(here.join("none")).unwrap();
    fs::create_dir(here.join("odd")).unwrap();
    fs::write(here.join("odd/lead.xml"), "<lead/>").unwrap();
    assert_eq!(gavel(here, &url, &["push", "rule.wasm"]).code, Some(0));
    for (arguments, code, expected) in [
        ("new Rule", 2, &["`Rule` is no name for a module", "such as `zip-list`"][..]),
        ("new match", 2, &["`match` means something to Rust", "choose another name"]),
        ("new odd", 2, &["odd is there already and not empty", "--path DIR"]),
        ("sdk none", 2, &["there is no crate at none", "gavel module new"]),
        ("build none", 2, &["no module at none", "cdylib"]),
        ("test text.wasm", 1, &["text.wasm: this is not WebAssembly", "gavel module build"]),
        (
            "test rule.wasm --fixtures odd",
            2,
            &["`lead.xml` is not named like a fixture of a filter", "NAME.json"],
        ),
        ("test rule.wasm --fixtures none", 2, &["no fixtures in none"]),
        (
            "run rule.wasm normalize --stage ping --content-type a",
            2,
            &["is a filter: run `evaluate`"],
        ),
        ("run rule.wasm evaluate --lead lead.json", 2, &["lead.json", "not an object"]),
        ("bench rule.wasm --lead gone.json", 3, &["cannot read gone.json"]),
        ("push gone.wasm", 3, &["cannot read gone.wasm"]),
        ("push text.wasm --name a/b", 2, &["`a/b` is no module's name"]),
        ("push text.wasm", 1, &["refused: this is not WebAssembly", "gavel module build"]),
        ("show gone", 2, &["there is no module `gone`", "gavel module list"]),
        ("activate rule 7", 2, &["version 7 of module `rule`; the newest is 1"]),
        ("rollback rule", 1, &["no other version of `rule` has served"]),
        ("canary rule --percent 5", 1, &["no version of `rule` is active"]),
        ("canary rule --percent many", 1, &["percent"]),
        ("take-out rule --why x", 1, &["none serves"]),
        ("set rule --gate frames_min", 2, &["write a rule and a number, such as frames_min=1000"]),
        ("set rule --gate frames=1", 1, &["unknown field `frames`"]),
        (
            "list --url nowhere",
            2,
            &["`nowhere` is no address of an exchange", "http://127.0.0.1:8080"],
        ),
        (
            "list --url http://127.0.0.1:1",
            3,
            &["no exchange answers at http://127.0.0.1:1", "gavel serve", "GAVEL_URL"],
        ),
        (
            "list --operator-key wrong",
            3,
            &["does not accept this operator's key", "GAVEL_OPERATOR_KEY"],
        ),
        ("list --operator-key=", 2, &["needs the operator's key", "GAVEL_OPERATOR_KEY"]),
    ] {
        let said = gavel(here, &url, &arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(said.code, Some(code), "{arguments}: {said:#?}");
        reads(&said.err, expected);
    }
    let odd = format!("{url}/console#");
    let said = gavel(here, &odd, &["list"]);
    assert_eq!(said.code, Some(3));
    reads(&said.err, &["does not answer like an exchange", "is it the right address"]);
    program.kill().await;
}
