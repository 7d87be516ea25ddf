//! What an author sees: verdicts that never change, settings that are refused in the module's own words.

use gavel::ids::Digest;
use gavel::sandbox::{Admitted, ConfigureError, Filter, Limits, Sandbox, Verdict};
use lead_frame::{FieldId, Writer};

use crate::exchange::module;

fn filter(name: &str) -> Filter {
    let admitted = Sandbox::open(&Limits::default()).unwrap().admit(&module(name));
    let Ok(Admitted::Filter(filter)) = admitted else { panic!("{name}: {admitted:?}") };
    filter
}

/// Reads a lead such as `zip=90210 age=40 home_owner=true` in the kinds that a source's values have.
fn frame(lead: &str) -> Vec<u64> {
    let mut frame = Writer::default();
    for (name, value) in lead.split_whitespace().filter_map(|pair| pair.split_once('=')) {
        let id = FieldId::of(name);
        match (value, value.parse()) {
            ("true" | "false", _) => frame.boolean(id, value == "true"),
            (_, Ok(number)) if name != "zip" => frame.integer(id, number),
            _ => frame.text(id, value),
        }
    }
    frame.finish()
}

/// Judges each lead of the table, a line of `lead -> verdict`, by the same settings.
#[track_caller]
fn check(name: &str, settings: &str, table: &str) {
    let configured = filter(name).configure(&[settings.to_owned()]).unwrap();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (lead, expected) = line.split_once("->").unwrap();
        let evaluated = configured.evaluate(&frame(lead), &[0]).unwrap();
        let verdict = match &evaluated.verdicts[0] {
            Verdict::Yes(None) => "yes".to_owned(),
            Verdict::Yes(Some(price)) => format!("yes {price}"),
            Verdict::No(reason) => format!("no {reason}"),
        };
        assert_eq!(verdict, expected.trim(), "{lead}");
    }
}

#[test]
fn a_list_of_zips_buys_what_is_on_it() {
    check(
        "zip-list",
        r#"{"zips": ["90210", "02139", "10025"]}"#,
        "
        zip=90210 -> yes
        zip=02139 -> yes
        zip=90211 -> no zip-not-on-list
        zip=9021  -> no no-zip
        age=40    -> no no-zip
        ",
    );
}

#[test]
fn age_and_credit_make_the_price() {
    check(
        "age-credit-band",
        r#"{"age_min": 25, "age_max": 64, "bands": [
            {"credit": "excellent", "cents": 1250}, {"credit": "unknown", "cents": 400}]}"#,
        "
        age=25 credit_band=excellent -> yes 12.50
        age=64                       -> yes 4.00
        age=40 credit_band=poor      -> no credit-not-wanted
        age=65 credit_band=excellent -> no age-outside-band
        credit_band=excellent        -> no no-age
        ",
    );
}

#[test]
fn each_trait_of_a_lead_adds_to_its_price() {
    check(
        "priced-by-fields",
        r#"{"base": 900, "floor": 500, "insured": 250, "insured_two_years": 100, "home_owner": 150,
            "several_vehicles": 200, "new_vehicle": 100, "new_since": 2018, "risk": -450,
            "states": [{"state": "CA", "add": 300}]}"#,
        "
        state=NY                                                 -> yes 9.00
        state=CA                                                 -> yes 12.00
        currently_insured=true months_insured=36 home_owner=true -> yes 14.00
        vehicle_count=2 vehicle_year=2018                        -> yes 12.00
        sr22=true                                                -> no worth-less-than-floor
        sr22=true dui=true currently_insured=true                -> yes 7.00
        ",
    );
}

#[test]
fn the_same_lead_gets_the_same_verdict_for_the_same_fuel() {
    let settings = [r#"{"zips": ["90210"]}"#.to_owned()];
    let lead = frame("zip=90210 age=40 state=CA");
    let first = filter("zip-list").configure(&settings).unwrap();
    let second = filter("zip-list").configure(&settings).unwrap();
    let expected = first.evaluate(&lead, &[0]).unwrap();
    for configured in [&first, &second, &first] {
        assert_eq!(configured.evaluate(&lead, &[0]).unwrap(), expected);
    }
}

#[test]
fn five_thousand_zips_are_read_once_and_not_for_every_lead() {
    let fuel = |zips: u32| {
        let zips: Vec<String> = (20_000..20_000 + zips).map(|zip| format!("\"{zip}\"")).collect();
        let settings = format!(r#"{{"zips": [{}]}}"#, zips.join(","));
        let configured = filter("zip-list").configure(&[settings]).unwrap();
        configured.evaluate(&frame("zip=20003"), &[0]).unwrap().fuel
    };
    let (few, many) = (fuel(5), fuel(5_000));
    assert!(many < few + 500, "{few} fuel with 5 ZIPs, {many} with 5,000");
}

#[test]
fn a_hundred_campaigns_with_thousands_of_zips_fit_one_filter() {
    let settings = |campaign: u32| {
        let zips: Vec<String> =
            (0..5_000).map(|zip| format!("\"{}\"", 10_000 + campaign + 7 * zip)).collect();
        format!(r#"{{"zips": [{}]}}"#, zips.join(","))
    };
    let settings: Vec<String> = (0..100).map(settings).collect();
    let configured = filter("zip-list").configure(&settings).unwrap();
    let slots: Vec<u32> = (0..100).collect();
    let evaluated = configured.evaluate(&frame("zip=10042"), &slots).unwrap();
    let wanted = evaluated.verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Yes(None)));
    assert_eq!(wanted.count(), 7, "42, 35, 28, 21, 14, 7 and 0");
}

#[test]
fn wrong_settings_come_back_with_their_slot_and_the_modules_words() {
    let good = r#"{"zips": ["90210"]}"#.to_owned();
    for (settings, message) in [
        (r#"{"zips": ["9021"]}"#, "`9021` is not a ZIP code of five digits"),
        (r#"{"zip": []}"#, "there is no setting `zip` here; there is `zips`"),
        (r#"{"zips": ["90210", 9]}"#, "`zips[1]`: expected text in quotes, got 9"),
        ("", "not JSON at line 1, column 1: a value is missing"),
    ] {
        let refused = filter("zip-list").configure(&[good.clone(), settings.to_owned()]);
        let expected = ConfigureError::Settings { slot: 1, message: message.to_owned() };
        assert_eq!(refused.err(), Some(expected));
    }
}

#[test]
fn a_module_is_known_by_its_bytes_and_says_what_it_reads() {
    let filter = filter("age-credit-band");
    assert_eq!(filter.digest(), Digest::of(&module("age-credit-band")));
    let needs: Vec<_> =
        filter.needs().iter().map(|need| format!("{} {}", need.name, need.kind.name())).collect();
    assert_eq!(needs, ["age integer", "credit_band text"]);
    assert!(filter.settings_help().contains("age_min"));
}
