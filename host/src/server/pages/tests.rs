//! The pages say what the program does: each claim about addresses, codes and reasons is checked against the code.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::facts::Event;
use crate::reasons::{Exclusion, Refusal};

/// Where problem codes are born: after a status, or as the word of a refusal.
const PROBLEMS: [&str; 8] = [
    include_str!("../bodies.rs"),
    include_str!("../dialects.rs"),
    include_str!("../problem.rs"),
    include_str!("../sources.rs"),
    include_str!("../operator.rs"),
    include_str!("../receipts.rs"),
    include_str!("../views.rs"),
    include_str!("../schemas.rs"),
];
const WORDS: [&str; 5] = [
    include_str!("../../fixtures.rs"),
    include_str!("../../ingest.rs"),
    include_str!("../../sandbox/normalizer.rs"),
    include_str!("../../sandbox/inadmissible.rs"),
    include_str!("../../sandbox/excess.rs"),
];

fn openapi() -> Value {
    serde_json::from_str(reference::OPENAPI).unwrap()
}

/// Returns `METHOD path` of every route, read from the code that makes them.
fn routes() -> BTreeSet<String> {
    let code = include_str!("../../server.rs");
    let code = code.split(".fallback(").next().unwrap();
    let mut routes = BTreeSet::new();
    for route in code.split(".route(").skip(1) {
        let (path, handlers) = route.trim_start().split_once(',').unwrap();
        for method in ["get", "put", "post", "delete", "patch"] {
            let called = format!("{method}(");
            let is_call = |at: usize| {
                !handlers[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
            };
            if handlers.match_indices(&called).any(|(at, _)| is_call(at)) {
                routes.insert(format!("{method} {}", path.trim().trim_matches('"')));
            }
        }
    }
    routes
}

/// Returns the texts in quotes that follow a mark, apart by blanks.
fn quoted_after<'c>(code: &'c str, mark: &str) -> Vec<&'c str> {
    let tails = code.split(mark).skip(1).map(str::trim_start);
    let quoted = tails.filter_map(|tail| tail.strip_prefix('"')?.split('"').next());
    quoted.collect()
}

/// Returns every code that a problem document can have, read from the code that makes them.
fn codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for code in PROBLEMS.into_iter().chain([include_str!("../pages.rs"), include_str!("page.rs")]) {
        for status in code.split("StatusCode::").skip(1) {
            let name = status.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap();
            let after = status[name.len()..].trim_start_matches(',').trim_start();
            codes.extend(
                after.strip_prefix('"').and_then(|text| text.split('"').next()).map(str::to_owned),
            );
        }
    }
    for code in WORDS {
        let body = code.split("const fn code(").nth(1).unwrap();
        let body = body.split("\n    }\n").next().unwrap();
        codes.extend(quoted_after(body, "=>").into_iter().map(str::to_owned));
    }
    codes
}

fn documented(openapi: &Value, schema: &str) -> Vec<(String, String)> {
    let codes = openapi.pointer(&format!("/components/schemas/{schema}/oneOf")).unwrap();
    let text = |code: &Value, key: &str| code[key].as_str().unwrap().to_owned();
    let codes = codes.as_array().unwrap().iter();
    codes.map(|code| (text(code, "const"), text(code, "description"))).collect()
}

fn check_references(openapi: &Value, value: &Value) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        assert!(openapi.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    match value {
        Value::Object(members) => {
            members.values().for_each(|value| check_references(openapi, value))
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(openapi, value)),
        _ => (),
    }
}

/// Returns the values of an attribute in a page.
fn attributes<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    page.split(&format!(" {name}=\"")).skip(1).filter_map(|tail| tail.split('"').next()).collect()
}

#[test]
fn every_address_is_described_and_no_other() {
    let openapi = openapi();
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.1"));
    let operations = reference::operations(&openapi);
    let described: BTreeSet<String> =
        operations.iter().map(|(path, method, _)| format!("{method} {path}")).collect();
    assert!(described.len() > 30, "{described:?}");
    assert_eq!(described, routes());
}

#[test]
fn the_description_points_at_nothing_that_is_missing() {
    let openapi = openapi();
    check_references(&openapi, &openapi);
    let mut names = BTreeSet::new();
    for (path, method, operation) in reference::operations(&openapi) {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        for key in ["summary", "description"] {
            assert!(!operation[key].as_str().unwrap().is_empty(), "{method} {path}: {key}");
        }
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let parameters = parameters.iter().map(|one| reference::resolved(&openapi, one));
        let named: Vec<&str> = parameters
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let in_path: Vec<&str> =
            path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(named, in_path, "{method} {path}");
    }
}

#[test]
fn every_reason_is_described_in_its_own_words() {
    let openapi = openapi();
    let exclusions = Exclusion::ALL.iter().map(|reason| (reason.code(), reason.message()));
    let refusals = Refusal::ALL.iter().map(|reason| (reason.code(), reason.message()));
    // A post that is still open has a reason too, which is no refusal.
    let open = [
        ("delivery-open", "the buyer has not answered yet"),
        ("transfer-open", "transfer the caller, then say how the call went"),
    ];
    let refusals = refusals.chain(open);
    let owned = |(code, message): (&str, &str)| (code.to_owned(), message.to_owned());
    assert_eq!(documented(&openapi, "BuyerReason"), exclusions.map(owned).collect::<Vec<_>>());
    assert_eq!(documented(&openapi, "SourceReason"), refusals.map(owned).collect::<Vec<_>>());
}

#[test]
fn every_problem_code_is_described_and_belongs_to_an_answer() {
    let openapi = openapi();
    let described: BTreeSet<String> =
        documented(&openapi, "ProblemCode").into_iter().map(|(code, _)| code).collect();
    assert!(described.len() > 40, "{described:?}");
    assert_eq!(described, codes());
    let answered: BTreeSet<String> = reference::answers(&openapi)
        .flat_map(|(_, response)| reference::problem_codes(response))
        .map(str::to_owned)
        .collect();
    assert_eq!(described, answered);
}

#[test]
fn the_documentation_leads_nowhere_wrong() {
    let page = fill(
        &documentation(),
        &[("verticals", &vertical("auto")), ("currency", "USD"), ("nonce", "0")],
    );
    let ids = attributes(&page, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    let twice: Vec<&&str> =
        unique.iter().filter(|id| ids.iter().filter(|other| other == id).count() > 1).collect();
    assert!(twice.is_empty(), "these anchors come twice: {twice:?}");
    for link in attributes(&page, "href").into_iter().filter_map(|link| link.strip_prefix('#')) {
        assert!(unique.contains(link), "#{link}");
    }
    for code in codes() {
        assert!(unique.contains(code.as_str()), "{code}");
    }
    assert!(!page.contains("{{"), "a place is not filled");
    for reason in Exclusion::ALL {
        assert!(unique.contains(format!("exclusion-{reason}").as_str()), "{reason}");
    }
}

#[test]
fn the_console_reads_what_a_receipt_has() {
    let (openapi, console) = (openapi(), include_str!("../console.html"));
    let receipt = &openapi["components"]["schemas"]["Receipt"]["properties"];
    for (word, known) in [("receipt.", receipt), ("terms.", &receipt["terms"]["properties"])] {
        let read: BTreeSet<&str> = console
            .split(word)
            .skip(1)
            .filter_map(|tail| tail.split(|c: char| !c.is_alphanumeric() && c != '_').next())
            .collect();
        assert!(read.len() > 5, "{read:?}");
        for member in read {
            assert!(known.get(member).is_some(), "{word}{member} is in no receipt");
        }
    }
}

#[test]
fn the_documentation_says_how_leads_are_sold_and_told() {
    let page = documentation();
    let said = |words: &[&str]| {
        words.iter().for_each(|word| {
            assert!(page.contains(&format!("<code>{word}</code>")), "{word}");
        });
    };
    said(&Event::ALL.map(Event::code));
    said(&["second-price", "first-price", "fixed", "tiers", "disclosures_max", "reject_penalty"]);
    said(&["firm", "minimum_price", "changed_post", "unlisted"]);
    assert!(page.contains("5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h"));
}

#[test]
fn pages_need_nothing_from_elsewhere_and_nothing_that_their_policy_forbids() {
    for (name, page) in
        [("docs", include_str!("../docs.html")), ("console", include_str!("../console.html"))]
    {
        let tags = |tag: &str| page.matches(tag).count();
        assert!(tags("<script") >= 1 && tags("<style") == 1, "{name}");
        assert_eq!(tags("<script"), tags("<script nonce=\"{{nonce}}\">"), "{name}");
        assert_eq!(tags("<style"), tags("<style nonce=\"{{nonce}}\">"), "{name}");
        for forbidden in [
            "src=\"http",
            "href=\"http",
            "url(",
            " style=\"",
            " onclick",
            " onload",
            "@import",
            "innerHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!page.contains(forbidden), "{name}: {forbidden}");
        }
    }
}
