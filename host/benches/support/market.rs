//! A market of auto insurance and the pings that come to it, the same in every run.

use serde_json::{Value, json};

use crate::dice::Dice;

pub(crate) const VERTICAL: &str = "auto-insurance";
pub(crate) const SOURCE: &str = "web";

/// States, each with the first three digits of its ZIP codes, from and up to.
const STATES: [(&str, u32, u32); 20] = [
    ("CA", 902, 961),
    ("TX", 750, 799),
    ("FL", 320, 339),
    ("NY", 100, 149),
    ("PA", 150, 196),
    ("IL", 600, 629),
    ("OH", 430, 459),
    ("GA", 300, 319),
    ("NC", 270, 289),
    ("MI", 480, 499),
    ("NJ", 70, 89),
    ("VA", 220, 246),
    ("WA", 980, 994),
    ("AZ", 850, 865),
    ("MA", 10, 27),
    ("TN", 370, 385),
    ("IN", 460, 479),
    ("MO", 630, 658),
    ("MD", 206, 219),
    ("WI", 530, 549),
];
const MAKES: [&str; 6] = ["Toyota", "Honda", "Ford", "Chevrolet", "Nissan", "Hyundai"];
const CREDIT: [&str; 4] = ["excellent", "good", "fair", "poor"];

/// A buyer for every few campaigns.
pub(crate) fn buyer(campaign: usize) -> String {
    format!("buyer-{}", campaign / 3)
}

pub(crate) fn buyer_body() -> Value {
    json!({"delivery": {"url": "http://127.0.0.1:9009/leads"}, "credit_limit": "100000000.00"})
}

pub(crate) fn vertical_body() -> Value {
    json!({
        "module": VERTICAL, "reserve": "2.00", "increment": "0.01", "duplicate_window_seconds": 60,
    })
}

/// Returns a campaign as operators write it: some states, an age, and one or two more conditions; every fourth is open
/// at some hours only, and all have a daily cap and a budget.
pub(crate) fn campaign(number: usize, dice: &mut Dice) -> Value {
    let states: Vec<_> =
        (0..=dice.below(8)).map(|_| format!("{:?}", pick(dice, &STATES).0)).collect();
    let youngest = 18 + dice.below(20);
    let oldest = youngest + 15 + dice.below(40);
    let state = states.join(", ");
    let mut criteria = format!("state in [{state}] and age between {youngest} and {oldest}");
    criteria += match dice.below(4) {
        0 => " and currently_insured = true",
        1 => " and home_owner = true and vehicle_year >= 2012",
        2 => " and credit_band in [\"excellent\", \"good\"]",
        _ => "",
    };
    let mut campaign = json!({
        "buyer": buyer(number), "vertical": VERTICAL, "criteria": criteria,
        "price": format!("{}.{:02}", 3 + dice.below(25), dice.below(100)),
        "caps": {"daily": 100_000_000}, "budget": {"daily": "9000000.00"},
        "zone": "America/Chicago",
    });
    if number.is_multiple_of(4) {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let window = json!({"days": days, "from": "00:30", "to": "23:30"});
        let schedule = json!({"zone": "America/New_York", "windows": [window]});
        campaign.as_object_mut().unwrap().insert("schedule".to_owned(), schedule);
    }
    campaign
}

/// Returns a ping of about 470 bytes as JSON. Two of different dice are never the same lead, or hardly ever.
pub(crate) fn ping(dice: &mut Dice) -> String {
    let (state, from, until) = pick(dice, &STATES);
    let zip = 100 * (from + dice.below(until - from + 1)) + dice.below(100);
    let mut yes_no = || if dice.below(2) == 0 { "yes" } else { "no" };
    let (insured, owner) = (yes_no(), yes_no());
    let (sr22, dui) = ("no", yes_no());
    json!({
        "zip": format!("{zip:05}"), "state": state,
        "date_of_birth": format!("{}-{:02}-{:02}", 1945 + dice.below(60), 1 + dice.below(12), 1 + dice.below(28)),
        "gender": pick(dice, &["M", "F"]), "marital_status": pick(dice, &["single", "married"]),
        "currently_insured": insured, "current_carrier": "Acme Mutual",
        "continuous_coverage": dice.below(120).to_string(),
        "vehicles": [{
            "year": 2000 + dice.below(26), "make": pick(dice, &MAKES), "model": "Sedan",
            "ownership": "owned", "annual_mileage": dice.below(30_000),
        }],
        "credit_rating": pick(dice, &CREDIT), "home_ownership": if owner == "yes" { "own" } else { "rent" },
        "sr22": sr22, "dui": dui, "accidents": "0", "violations": dice.below(2).to_string(),
        "sub_id_1": format!("{:08x}", dice.below(u32::MAX)), "tcpa_consent": "yes",
        "landing_page": "https://quotes.example/auto",
    })
    .to_string()
}

fn pick<T: Copy>(dice: &mut Dice, things: &[T]) -> T {
    let sides = u32::try_from(things.len()).unwrap();
    *things.get(usize::try_from(dice.below(sides)).unwrap()).unwrap()
}
