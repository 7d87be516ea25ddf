//! Leads go in as text, counts come out.

use serde_json::{Value as Json, json};

use super::*;
use crate::catalog::{GateSpec, Percent};
use crate::money::Share;

/// Reads a version's part: a word for each campaign, what it spent, then the winners and what each pays.
fn side(text: &str) -> Side {
    let (said, award) = text.split_once(" wins ").unwrap();
    let micros = |text: &str| Micros::parse(text).unwrap();
    let said: Vec<Said> = said
        .split(' ')
        .map(|word| match word.parse::<u32>() {
            Ok(_) => Said::Bid(micros(word)),
            Err(_) if word == "failed" => Said::Failed,
            Err(_) if word == "unpriced" => Said::Unpriced,
            Err(_) => Said::Refused(word.to_owned()),
        })
        .collect();
    let spent = if said.contains(&Said::Failed) { Err("it trapped".to_owned()) } else { Ok(1_000) };
    let mut award = award.split(' ');
    let price = micros(award.next_back().unwrap());
    let winners: Vec<String> = award.map(str::to_owned).collect();
    let prices = vec![price; winners.len()];
    let dues = prices.clone();
    Side { said, spent, winners, prices, dues }
}

fn sight(ping: u128, old: &str, new: &str) -> Sight {
    let (old, new) = (side(old), side(new));
    let campaigns = (0..old.said.len()).map(|index| format!("c{index}")).collect();
    let terms = Terms::second_price(1, 0, 0, 100_000);
    Sight { ping: PingId::from_u128(ping), terms, campaigns, old, new }
}

/// Compares leads, a line `old | new` for each.
fn compared(leads: &str) -> Comparison {
    let mut comparison = Comparison::default();
    for (ping, lead) in (1_u128..).zip(leads.trim().lines()) {
        let (old, new) = lead.split_once('|').unwrap();
        comparison.add(&sight(ping, old.trim(), new.trim()), || json!({"ping": ping.to_string()}));
    }
    comparison
}

/// The counts that are not zero.
fn counts(json: &Json) -> String {
    let counts = json.as_object().unwrap().iter().filter(|(_, count)| **count != json!(0));
    counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(lead: &str, verdicts: &str, awards: &str, pay: &str) {
    let found = compared(lead).to_json();
    let change = found["money"]["buyers_pay"]["change"].as_str().unwrap();
    let found = (counts(&found["verdicts"]), counts(&found["awards"]), change);
    assert_eq!(found, (verdicts.to_owned(), awards.to_owned(), pay), "{lead}");
}

#[test]
fn every_change_of_a_verdict_has_its_name() {
    for (old, new, name) in [
        ("9", "9", "same"),
        ("9", "10", "price_up"),
        ("9", "8", "price_down"),
        ("9", "too-old", "newly_refused"),
        ("9", "failed", "newly_refused"),
        ("too-old", "9", "newly_bid"),
        ("failed", "9", "newly_bid"),
        ("too-old", "too-old", "same"),
        ("too-old", "too-young", "reason_changed"),
        ("too-old", "failed", "reason_changed"),
        ("failed", "too-old", "reason_changed"),
        ("failed", "failed", "same"),
        ("too-old", "unpriced", "newly_bid"),
        ("unpriced", "too-old", "newly_refused"),
        ("9", "unpriced", "price_unknown"),
        ("unpriced", "9", "price_unknown"),
        ("unpriced", "unpriced", "same"),
    ] {
        let lead = format!("{old} wins 0 | {new} wins 0");
        check(&lead, &format!("all 1, {name} 1"), "same 1", "0.00");
    }
}

#[test]
fn every_change_of_an_award_has_its_name_and_its_money() {
    check("9 wins c0 5 | 9 wins c0 5", "all 1, same 1", "same 1", "0.00");
    check("9 wins c0 5 | 9 wins c0 6", "all 1, same 1", "repriced 1", "1.00");
    check("9 wins c0 5 | 9 wins z 4", "all 1, same 1", "other_winners 1", "-1.00");
    check("9 wins 0 | 9 wins z 4", "all 1, same 1", "new 1", "4.00");
    check("9 wins c0 5 | 9 wins 0", "all 1, same 1", "lost 1", "-5.00");
    check("9 wins a b 5 | 9 wins a b c 4", "all 1, same 1", "other_winners 1", "2.00");
    // A price of nobody is no price.
    check("9 wins 0 | 9 wins 7", "all 1, same 1", "same 1", "0.00");
}

#[test]
fn what_the_source_gets_is_rounded_for_each_copy() {
    let found = compared("9 wins a b 0.000005 | 9 wins a b 0.000015").to_json();
    let money = &found["money"];
    // A tenth of 5 and of 15 millionths lies between two: the even neighbour is kept.
    assert_eq!(
        money["sources_get"],
        json!({"old": "0.00001", "new": "0.000026", "change": "0.000016"})
    );
    assert_eq!(
        money["exchange_keeps"],
        json!({"old": "0.00", "new": "0.000004", "change": "0.000004"})
    );
}

#[test]
fn versions_differ_if_anything_but_their_cost_does() {
    assert!(!compared("9 no wins c0 5 | 9 no wins c0 5").differs());
    assert!(!Comparison::default().differs());
    assert!(compared("9 wins c0 5 | 8 wins c0 5").differs());
    assert!(compared("9 wins c0 5 | 9 wins c0 6").differs());
    assert!(compared("9 wins c0 5 | 9 wins d 5").differs());
    let mut cheaper = sight(1, "9 wins c0 5", "9 wins c0 5");
    cheaper.new.spent = Ok(10);
    let mut comparison = Comparison::default();
    assert!(!comparison.add(&cheaper, || Json::Null) && !comparison.differs());
    cheaper.new.spent = Err("it trapped".to_owned());
    assert!(comparison.add(&cheaper, || Json::Null) && comparison.differs());
}

#[test]
fn the_leads_that_move_most_money_are_shown_whatever_their_order() {
    let leads: Vec<Sight> = (1..=20)
        .map(|ping| sight(ping, "9 wins c0 9", &format!("no wins z {}", ping % 10)))
        .collect();
    let shown = |leads: &[Sight]| {
        let mut comparison = Comparison::default();
        for lead in leads {
            comparison.add(lead, || json!({"zip": lead.ping.to_string()}));
        }
        comparison.to_json()["examples"].clone()
    };
    let forward = shown(&leads);
    let backward: Vec<Sight> = leads.iter().rev().cloned().collect();
    assert_eq!(forward, shown(&backward));
    let changes = |member: &str| -> Vec<String> {
        let examples = forward.as_array().unwrap().iter();
        examples.map(|example| example.pointer(member).unwrap().to_string()).collect()
    };
    assert_eq!(forward.as_array().unwrap().len(), EXAMPLES_MAX);
    assert_eq!(
        changes("/buyers_pay/change"),
        ["\"-9.00\"", "\"-9.00\"", "\"-8.00\"", "\"-8.00\"", "\"-7.00\""]
    );
    let ping = |raw| json!(PingId::from_u128(raw).to_string()).to_string();
    assert_eq!(changes("/ping"), [ping(10), ping(20), ping(1), ping(11), ping(2)]);
    assert_eq!(changes("/lead/zip"), changes("/ping"));
}

#[test]
fn each_change_has_examples_of_its_own() {
    let mut leads = "9 wins c0 9 | no wins 0\n".repeat(10);
    leads.push_str("9 wins c0 1 | 10 wins c0 1\n");
    let found = compared(&leads).to_json();
    let examples = found["examples"].as_array().unwrap();
    assert_eq!(examples.len(), EXAMPLES_MAX + 1);
    assert_eq!(examples.last().unwrap()["change"], "price_up");
}

#[test]
fn more_campaigns_than_have_lines_share_one() {
    let mut comparison = Comparison::default();
    for campaign in 0..CAMPAIGNS_MAX + 3 {
        let mut lead = sight(1, "9 wins 0", "no wins 0");
        lead.campaigns = vec![format!("c{campaign:05}")];
        comparison.add(&lead, || Json::Null);
    }
    let found = comparison.to_json();
    let lines = found["campaigns"].as_array().unwrap();
    assert_eq!(lines.len(), CAMPAIGNS_MAX + 1);
    assert_eq!(lines[0]["campaign"], OTHERS);
    assert_eq!(lines[0]["verdicts"]["newly_refused"], 3);
}

#[test]
fn more_failures_than_have_lines_share_one() {
    let mut comparison = Comparison::default();
    for failure in 0..WORDS_MAX + 3 {
        let mut lead = sight(1, "9 wins 0", "failed wins 0");
        lead.new.spent = Err(format!("it trapped at {failure:03}"));
        comparison.add(&lead, || Json::Null);
    }
    let calls = &comparison.to_json()["calls"]["new"];
    assert_eq!(calls["failed"], WORDS_MAX + 3);
    let lines = calls["failures"].as_array().unwrap();
    assert_eq!(lines.len(), WORDS_MAX + 1);
    assert_eq!(lines[0], json!({"words": OTHERS, "count": 3}));
}

#[test]
fn fuel_is_told_by_its_percentiles() {
    let mut comparison = Comparison::default();
    for fuel in 1..=1_000 {
        let mut lead = sight(1, "9 wins 0", "9 wins 0");
        lead.new.spent = Ok(fuel);
        comparison.add(&lead, || Json::Null);
    }
    let calls = &comparison.to_json()["calls"];
    assert_eq!((&calls["new"]["fuel_p50"], &calls["new"]["fuel_p99"]), (&json!(500), &json!(990)));
    assert_eq!(calls["old"]["fuel_p99"], 1_000);
}

#[track_caller]
fn gate(gate: GateSpec, leads: &str, expected: &[&str]) {
    assert_eq!(shortfalls(&gate, &compared(leads)), expected);
}

#[test]
fn a_gate_says_what_was_found_and_what_is_asked_for() {
    let percent = |text| Some(Percent(Share::parse_percent(text).unwrap()));
    let leads = "9 wins c0 5 | no wins 0\n9 wins c0 5 | 9 wins c0 5\n9 wins c0 5 | 9 wins c0 5";
    let refused =
        |most| GateSpec { newly_refused_percent_max: percent(most), ..GateSpec::default() };
    gate(refused("33.3334"), leads, &[]);
    gate(
        refused("33.3333"),
        leads,
        &["1 of 3 verdicts are newly refused, 33.3333 %, and the gate lets at most 33.3333 % pass"],
    );
    let prices = GateSpec { price_changed_percent_max: percent("0"), ..GateSpec::default() };
    let unknown = "9 wins c0 5 | unpriced wins c0 5";
    gate(
        prices,
        unknown,
        &["1 of 1 verdicts have another price, 100 %, and the gate lets at most 0 % pass"],
    );
    assert_eq!(compared(unknown).to_json()["unpriced"], json!({"old": 0, "new": 1}));
    let least = |least| GateSpec { frames_min: Some(least), ..GateSpec::default() };
    gate(least(3), leads, &[]);
    gate(least(4), leads, &["3 leads were judged by both, and the gate asks for at least 4"]);
    gate(least(0), "", &[]);
    gate(
        GateSpec { traps_max: Some(5), ..GateSpec::default() },
        "",
        &["0 leads were judged by both, and the gate asks for at least 1"],
    );
}

#[test]
fn a_failed_call_has_no_cost_that_a_gate_could_bear() {
    let fuel = GateSpec { fuel_p99_max: Some(1_000), ..GateSpec::default() };
    let good = "9 wins 0 | 9 wins 0\n";
    let mut leads = good.repeat(100);
    gate(fuel, &leads, &[]);
    leads.push_str("9 wins 0 | failed wins 0\n");
    gate(fuel, &leads, &[]);
    leads.push_str("9 wins 0 | failed wins 0\n");
    gate(
        fuel,
        &leads,
        &[
            "so many calls failed that 99 of 100 do not stay within the 1000 fuel that the gate asks for",
        ],
    );
    let less = GateSpec { fuel_p99_max: Some(999), ..GateSpec::default() };
    gate(less, good, &["99 of 100 calls stay within 1000 fuel, and the gate asks for at most 999"]);
}

/// Reads what a normalizer made of a submission: `name=value`, with `!` before the name of contact data.
fn read(text: &str) -> Read {
    if let Some(why) = text.strip_prefix("refused ") {
        return Read::Refused(why.to_owned());
    }
    let fields = text.split_whitespace().map(|field| {
        let (name, value) = field.split_once('=').unwrap();
        let contact = name.starts_with('!');
        let field = Field { value: json!(value), contact };
        (name.trim_start_matches('!').to_owned(), field)
    });
    if text == "failed" { Read::Failed } else { Read::Lead(fields.collect()) }
}

fn readings(submissions: &[(&str, &str)]) -> Readings {
    let mut readings = Readings::default();
    for (old, new) in submissions {
        let spent =
            |text: &str| if text == "failed" { Err("it trapped".to_owned()) } else { Ok(9) };
        readings.add((&self::read(old), &spent(old)), (&self::read(new), &spent(new)));
    }
    readings
}

#[test]
fn normalizers_are_compared_field_by_field() {
    let found = readings(&[
        ("zip=90210 age=40", "zip=90210 age=40"),
        ("zip=90210 age=40", "zip=90210 age=41 state=CA"),
        ("zip=90210 age=40", "zip=90210"),
        ("zip=90210", "refused missing-field age"),
        ("refused missing-field age", "zip=90210"),
        ("refused missing-field age", "refused invalid-value zip"),
        ("zip=90210", "failed"),
    ]);
    assert!(found.differs());
    let found = found.to_json();
    assert_eq!(
        counts(&found["readings"]),
        "same 1, other_fields 2, newly_refused 2, newly_read 1, refusal_changed 1"
    );
    assert_eq!(
        found["fields"],
        json!([
            {"field": "age", "added": 0, "removed": 1, "changed": 1,
             "examples": [{"old": "40", "new": null}, {"old": "40", "new": "41"}]},
            {"field": "state", "added": 1, "removed": 0, "changed": 0,
             "examples": [{"old": null, "new": "CA"}]},
        ])
    );
    assert_eq!(
        found["refusals"],
        json!([
            {"refused": "invalid-value zip", "count": 1},
            {"refused": "missing-field age", "count": 1},
        ])
    );
    assert_eq!(found["calls"]["new"]["failures"], json!([{"words": "it trapped", "count": 1}]));
}

#[test]
fn contact_values_are_counted_and_never_shown() {
    let found = readings(&[("!phone=2025550107", "!phone=2025550108"), ("zip=1", "!zip=2")]);
    let found = found.to_json();
    assert_eq!(
        (&found["fields"][0]["changed"], &found["fields"][1]["changed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(found["fields"][0]["examples"], json!([]));
    assert_eq!(found["fields"][1]["examples"], json!([]));
    assert!(!found.to_string().contains("555"));
}

#[test]
fn a_field_shows_a_few_values_whatever_their_order() {
    let values: Vec<String> = (0..10).map(|age| format!("age={age}")).collect();
    let pairs: Vec<(&str, &str)> = values.iter().map(|new| ("age=x", new.as_str())).collect();
    let backward: Vec<(&str, &str)> = pairs.iter().rev().copied().collect();
    let found = readings(&pairs).to_json();
    assert_eq!(found["fields"], readings(&backward).to_json()["fields"]);
    assert_eq!(found["fields"][0]["examples"].as_array().unwrap().len(), VALUES_MAX);
}
