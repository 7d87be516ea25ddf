//! Our answers beside recorded ones: the same names in the same places, the same words where words are fixed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fixtures;

/// Returns the names in a document with what stands there: the kind of a JSON value, the text of an XML element.
fn outline(file: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(fixtures().join(file)).unwrap();
    let mut names = BTreeMap::new();
    if file.ends_with(".json") {
        walk_json("", &serde_json::from_str(&text).unwrap(), &mut names);
    } else {
        walk_xml(&text, &mut names);
    }
    names
}

fn walk_json(path: &str, value: &Value, names: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                walk_json(&format!("{path}/{name}"), value, names);
            }
        }
        Value::Array(elements) => {
            names.insert(path.to_owned(), "list".to_owned());
            elements.iter().for_each(|value| walk_json(&format!("{path}[]"), value, names));
        }
        Value::Null => drop(names.insert(path.to_owned(), "null".to_owned())),
        Value::Bool(yes) => drop(names.insert(path.to_owned(), yes.to_string())),
        Value::Number(_) => drop(names.insert(path.to_owned(), "number".to_owned())),
        Value::String(text) => drop(names.insert(path.to_owned(), format!("text {text}"))),
    }
}

fn walk_xml(text: &str, names: &mut BTreeMap<String, String>) {
    let mut path: Vec<String> = Vec::new();
    for tag in text.split('<').skip(1).filter(|tag| !tag.starts_with('?')) {
        let (tag, content) = tag.split_once('>').unwrap();
        if tag.starts_with('/') {
            assert_eq!(path.pop().as_deref(), tag.strip_prefix('/'), "{text}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        path.push(name.to_owned());
        let content = format!("{} {}", attributes.trim_end_matches('/').trim(), content.trim());
        names.insert(path.join("/"), content.trim().to_owned());
        if tag.ends_with('/') {
            path.pop();
        }
    }
    assert!(path.is_empty(), "{text}");
}

/// Compares an answer of ours with a recorded one. `less` are names that ours does not have, `more` those that only ours
/// has, and `words` those whose content is the same.
#[track_caller]
fn check(ours: &str, recorded: &str, less: &[&str], more: &[&str], words: &[&str]) {
    let (ours, recorded) = (outline(ours), outline(&format!("recorded/{recorded}")));
    let names =
        |outline: &BTreeMap<String, String>| outline.keys().cloned().collect::<BTreeSet<String>>();
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let (mine, theirs) = (names(&ours), names(&recorded));
    assert_eq!(&theirs - &mine, set(less), "names that only the recorded one has");
    assert_eq!(&mine - &theirs, set(more), "names that only ours has");
    for (name, said) in recorded.iter().filter(|(name, _)| mine.contains(*name)) {
        let kind = |said: &str| said.split(' ').next().unwrap().to_owned();
        if name.starts_with('/') {
            assert_eq!(kind(&ours[name]), kind(said), "{name}");
        }
        if words.contains(&name.as_str()) {
            assert_eq!(&ours[name], said, "{name}");
        }
    }
    for word in words {
        assert!(recorded.contains_key(*word), "{word} is not in the recorded one");
    }
}

#[test]
fn boberdoo() {
    let (root, status) = ("response", "response/status");
    check(
        "boberdoo/ping-accepted.xml",
        "boberdoo-ping-response-matched.xml",
        &[],
        &[],
        &[root, status],
    );
    check(
        "boberdoo/ping-rejected.xml",
        "boberdoo-ping-response-unmatched.xml",
        &[],
        &[],
        &[root, status],
    );
    for refused in ["ping-refused", "post-refused", "denied", "busy", "failed"] {
        let ours = format!("boberdoo/{refused}.xml");
        check(&ours, "boberdoo-response-error.xml", &[], &[], &[root, status]);
    }
}

#[test]
fn cake() {
    for sold in ["cake/ping-accepted.xml", "cake/post-sold.xml"] {
        check(sold, "cake-response-success.xml", &[], &[], &["result/code", "result/msg"]);
    }
}

#[test]
fn clickdealer() {
    // There is no page of the buyer's to send the person to.
    let less = ["/AutologinUrl"];
    let words = ["/Result", "/Message"];
    check("clickdealer/post-sold.json", "clickdealer-response-sold.json", &less, &[], &words);
    check(
        "clickdealer/ping-refused.json",
        "clickdealer-response-failed.json",
        &[],
        &[],
        &["/Result"],
    );
}

#[test]
fn juiced() {
    // The exchange does not say who bids.
    let less = ["/bids[]/customer_id", "/bids[]/tcpa_name"];
    check(
        "juiced/ping-accepted.json",
        "juiced-ping-response-match.json",
        &less,
        &[],
        &["/message"],
    );
}

#[test]
fn leadbyte() {
    // An answer has no clock, and theirs no price; their ids are numbers.
    let theirs = outline("recorded/leadbyte-response-ok.json");
    let ours = outline("leadbyte/post-sold.json");
    assert_eq!((&ours["/code"], &ours["/response"]), (&theirs["/code"], &theirs["/response"]));
    let only = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        one.keys().filter(|name| !other.contains_key(*name)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(only(&theirs, &ours), ["/processTime", "/timestamp"]);
    assert_eq!(only(&ours, &theirs), ["/price"]);
    let words = ["/status", "/message", "/results[]/status"];
    check("leadbyte/post-pending.json", "leadbyte-rest-queued.json", &[], &[], &words);
}

#[test]
fn leadconduit() {
    check("leadconduit/busy.json", "leadconduit-ping-limit-429.json", &[], &[], &["/message"]);
}

#[test]
fn leaddistro() {
    let words = ["/accepted", "/message"];
    check(
        "leaddistro/ping-accepted.json",
        "leaddistro-ping-response-accepted.json",
        &[],
        &["/price"],
        &words,
    );
    let words = ["/accepted", "/reason"];
    check(
        "leaddistro/ping-rejected.json",
        "leaddistro-ping-response-rejected.json",
        &[],
        &[],
        &words,
    );
}

#[test]
fn leadprosper() {
    let words = ["/status", "/message"];
    check(
        "leadprosper/ping-accepted.json",
        "leadprosper-ping-response-exclusive.json",
        &[],
        &[],
        &words,
    );
}

#[test]
fn leadsdelivery() {
    let words = ["Message", "Code", "Success"].map(|name| format!("ExternalPingResponse/{name}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    check("leadsdelivery/ping-accepted.xml", "leadsdelivery-ping-response.xml", &[], &[], &words);
}

#[test]
fn px() {
    check(
        "px/ping-accepted.json",
        "px-ping-response-exclusive.json",
        &[],
        &[],
        &["/Success", "/Sold"],
    );
    let words = ["Result", "Result/Success", "Result/Sold"];
    check("px/ping-accepted.xml", "px-ping-response-exclusive.xml", &[], &[], &words);
    // Theirs knows the transaction already; ours has none for what is not read.
    let words = ["/Success", "/Payout", "/Message", "/Sold"];
    let theirs = outline("recorded/px-response-bad-request.json");
    let ours = outline("px/ping-refused.json");
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for word in words {
        assert_eq!(ours[word], theirs[word], "{word}");
    }
}

#[test]
fn sunrun() {
    let words =
        std::fs::read_to_string(fixtures().join("recorded/sunrun-solar-response-codes.txt"));
    let words = words.unwrap();
    for case in ["ping-accepted", "post-sold", "ping-duplicate", "denied", "failed"] {
        let ours = std::fs::read_to_string(fixtures().join(format!("sunrun/{case}.txt"))).unwrap();
        let word = ours.lines().next().unwrap();
        assert!(words.lines().any(|known| known == word), "{case}: {word}");
    }
}
