//! Every payload in a vertical's `fixtures`, through the real module: what a source sends, and the lead that a person would
//! read from it. `gavel module test rules/NAME --accept` writes what comes out as expected; read every line of that before
//! you keep it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gavel::fixtures::{self, Ending, Files};
use gavel::sandbox::{Admitted, Limits, Normalized, Normalizer, Sandbox};

use crate::exchange::module;

const VERTICALS: [&str; 8] = [
    "auto-insurance",
    "home-insurance",
    "home-services",
    "legal",
    "medicare-health",
    "mortgage",
    "personal-loans",
    "solar",
];
/// The most fuel for a payload of everyday size: about half a millisecond.
const EVERYDAY_FUEL: u64 = 1_000_000;
/// How often each payload is damaged at random, and the most fuel that damage may take, as a multiple of everyday's.
const DAMAGES: u64 = 8;
const DAMAGED_FUEL: u64 = 10 * EVERYDAY_FUEL;
/// What damage puts in: what has a meaning in some syntax or number.
const SHARDS: [&str; 16] = [
    "&",
    "=",
    "%",
    "%2",
    "+",
    "\"",
    "\\",
    "{",
    "]",
    "<",
    "</",
    "<![CDATA[",
    "&amp;",
    "-",
    "99999999999999999999",
    "\u{fffd}\0",
];
/// The largest body that the front door lets in, in bytes.
const BODY_BYTES_MAX: usize = gavel::ingest::BODY_BYTES_MAX;

fn admitted(vertical: &str) -> Admitted {
    Sandbox::open(&Limits::default()).unwrap().admit(&module(vertical)).unwrap()
}

fn normalizer(vertical: &str) -> Normalizer {
    match admitted(vertical) {
        Admitted::Normalizer(normalizer) => normalizer,
        other @ (Admitted::Filter(_) | Admitted::Adapter(_)) => {
            panic!("{vertical} is no normalizer: {other:?}")
        }
    }
}

/// Returns a vertical's fixtures.
fn files(vertical: &str) -> Files {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    Files::read(&rules.join(vertical).join("fixtures")).unwrap()
}

/// Returns the payloads of a vertical, by name.
fn payloads(vertical: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = files(vertical);
    let sent = files.iter().filter(|(name, _)| !name.ends_with(".expected.json"));
    let payloads: BTreeMap<_, _> = sent.map(|(name, body)| (name.into(), body.to_vec())).collect();
    assert!(payloads.len() > 12, "{vertical} has few payloads");
    payloads
}

/// Sends a payload whose name says its stage and its syntax: `name.post.xml`.
fn send(normalizer: &Normalizer, path: &Path, body: &[u8]) -> Normalized {
    let name = path.file_name().unwrap().to_str().unwrap();
    let submission = fixtures::submission(name, body).unwrap_or_else(|| panic!("{name}"));
    normalizer.normalize(&submission).unwrap_or_else(|forfeit| panic!("{name}: {forfeit:?}"))
}

#[test]
fn every_payload_is_the_lead_that_a_person_would_read() {
    for vertical in VERTICALS {
        let ran = fixtures::run(&admitted(vertical), &files(vertical)).unwrap();
        assert!(ran.len() > 12, "{vertical} has few fixtures");
        let wrong: Vec<_> = ran.iter().filter(|ran| ran.ending != Ending::Same).collect();
        assert!(wrong.is_empty(), "{vertical}: not as expected: {wrong:#?}");
    }
}

#[test]
fn what_comes_out_fits_the_schema() {
    for vertical in VERTICALS {
        let normalizer = normalizer(vertical);
        let schema = normalizer.schema();
        for (path, body) in payloads(vertical) {
            for (name, value) in send(&normalizer, &path, &body).lead.unwrap_or_default() {
                let (_, field) = schema.field(&name).unwrap();
                assert_eq!(field.kind, value.kind(), "{}: {name}", path.display());
                if let (gavel::lead::Value::Text(word), false) = (&value, field.allowed.is_empty())
                {
                    assert!(
                        field.allowed.iter().any(|allowed| **allowed == **word),
                        "{name}: {word}"
                    );
                }
            }
        }
        for field in schema.fields() {
            assert!(field.description.ends_with('.'), "{} says nothing", field.name);
            assert!(!(field.contact && field.binding), "no ping shows {}", field.name);
        }
    }
}

#[test]
fn an_everyday_payload_takes_little_fuel() {
    for vertical in VERTICALS {
        let normalizer = normalizer(vertical);
        for (path, body) in payloads(vertical).into_iter().filter(|(_, body)| body.len() < 2_048) {
            let fuel = send(&normalizer, &path, &body).fuel;
            assert!(fuel < EVERYDAY_FUEL, "{}: {fuel}", path.display());
        }
    }
}

#[test]
fn a_payload_cut_anywhere_is_answered() {
    for vertical in VERTICALS {
        let normalizer = normalizer(vertical);
        for (path, body) in payloads(vertical) {
            for length in (0..body.trim_ascii_end().len()).step_by(23) {
                // A form is whole wherever it ends, and some hazards begin with a whole lead.
                let may_be_read = path.extension().is_some_and(|extension| extension == "form")
                    || path.to_str().unwrap().contains("hazard");
                let normalized = send(&normalizer, &path, &body[..length]);
                assert!(
                    may_be_read || normalized.lead.is_err(),
                    "{} cut at {length}",
                    path.display()
                );
            }
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: the same damage on every machine.
fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) >> 16).unwrap()
}

/// Damages a payload up to four times: a byte is changed, a part is left out, said again, or moved, or a shard is put in.
fn damaged(body: &[u8], seed: &mut u64) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..1 + random(seed) % 4 {
        let start = random(seed) % (body.len() + 1);
        let end = (start + random(seed) % 40).min(body.len());
        let part = body[start..end].to_vec();
        let place = random(seed) % (body.len() + 1);
        match random(seed) % 5 {
            0 if start < body.len() => body[start] = u8::try_from(random(seed) % 256).unwrap(),
            1 => drop(body.drain(start..end)),
            2 => drop(body.splice(start..start, part)),
            3 => drop(body.splice(place..place, part)),
            _ => drop(body.splice(place..place, SHARDS[random(seed) % SHARDS.len()].bytes())),
        }
    }
    body
}

#[test]
fn a_damaged_payload_is_answered_at_little_cost() {
    let mut seed = 1;
    for vertical in VERTICALS {
        let normalizer = normalizer(vertical);
        let schema = normalizer.schema();
        for (path, body) in payloads(vertical).into_iter().filter(|(_, body)| body.len() < 2_048) {
            for _ in 0..DAMAGES {
                let body = damaged(&body, &mut seed);
                // `send` panics on a trap.
                let normalized = send(&normalizer, &path, &body);
                let said = String::from_utf8_lossy(&body);
                assert!(normalized.fuel < DAMAGED_FUEL, "{said}: {}", normalized.fuel);
                for (name, value) in normalized.lead.unwrap_or_default() {
                    assert_eq!(schema.field(&name).unwrap().1.kind, value.kind(), "{said}: {name}");
                }
            }
        }
    }
}

#[test]
fn no_ping_shows_what_banks_and_the_state_know_a_person_by() {
    let secret = [
        ("mortgage", "ssn property_address"),
        (
            "personal-loans",
            "ssn ssn_last_four bank_account_number bank_routing_number bank_phone drivers_license_number \
             employer_name employer_phone middle_name",
        ),
    ];
    for (vertical, names) in secret {
        let normalizer = normalizer(vertical);
        for name in names.split_ascii_whitespace() {
            let (_, field) = normalizer.schema().field(name).unwrap();
            assert!(field.contact && !field.binding, "{vertical}: {name}");
        }
        for (path, body) in payloads(vertical) {
            let Err(refusal) = send(&normalizer, &path, &body).lead else { continue };
            let told = refusal.message;
            for value in ["987", "6543", "666", "12A45", "011000016"] {
                assert!(!told.contains(value), "{}: {told}", path.display());
            }
        }
    }
}

#[test]
fn the_largest_body_stays_inside_the_limits() {
    let normalizer = normalizer("auto-insurance");
    let repeated = |head: &str, part: &str, tail: &str| {
        let count = (BODY_BYTES_MAX - head.len() - tail.len()) / part.len();
        format!("{head}{}{tail}", part.repeat(count))
    };
    for (name, body) in [
        ("a.ping.form", repeated("zip=33139&", "a=1&", "")),
        ("a.ping.form", repeated("zip=33139&city=", "%41", "")),
        ("a.ping.form", repeated("zip=33139&", "zip=33139&", "")),
        ("a.ping.form", repeated("", "&", "")),
        ("a.ping.json", repeated("{\"zip\":\"33139\",\"a\":[", "1,", "1]}")),
        ("a.ping.json", repeated("{\"zip\":\"33139\",\"city\":\"", "\\u0041", "\"}")),
        ("a.ping.json", repeated("", "[", "")),
        ("a.ping.json", repeated("{\"zip\":\"33139\",\"vehicles\":[", "{},", "{}]}")),
        ("a.ping.xml", repeated("<l><zip>33139</zip>", "<a/>", "</l>")),
        (
            "a.ping.xml",
            repeated(
                "<l><zip>33139</zip><vehicles>",
                "<vehicle><make>A</make></vehicle>",
                "</vehicles></l>",
            ),
        ),
        ("a.ping.xml", repeated("<l><zip>33139</zip><city>", "&amp;", "</city></l>")),
        ("a.ping.xml", repeated("<l", " a='1'", "/>")),
        ("a.ping.xml", repeated("", "<a>", "")),
    ] {
        // Read or refused, but never a forfeit: `send` panics on one.
        let normalized = send(&normalizer, Path::new(name), body.as_bytes());
        let head: String = body.chars().take(40).collect();
        assert!(
            normalized.fuel < Limits::default().normalizer.fuel / 2,
            "{head}: {}",
            normalized.fuel
        );
    }
}

#[test]
fn a_value_that_is_repeated_is_read_once() {
    for (vertical, value) in [
        ("home-services", "service=roof+roof+roof"),
        ("home-services", "timeframe=within+the+next+3+months"),
        ("legal", "case_type=car+car+car+accident"),
        ("legal", "incident_date=within+the+last+6+months"),
        ("home-insurance", "property_type=single+family+home"),
    ] {
        let normalizer = normalizer(vertical);
        let pair = format!("&{value}");
        let times = 1_950.min((BODY_BYTES_MAX - 16) / pair.len());
        let body = format!("zip=33139{}", pair.repeat(times));
        let normalized = send(&normalizer, Path::new("a.ping.form"), body.as_bytes());
        let fuel = normalized.fuel;
        assert!(fuel < Limits::default().normalizer.fuel / 4 * 3, "{vertical} {value}: {fuel}");
    }
}
