//! Made-up people: reserved telephone numbers, example.com, documentation addresses, real pairs of state and ZIP.

use jiff::civil::Date;

use super::dice::Dice;

/// Somewhere that people live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) state: &'static str,
    pub(super) zip: &'static str,
    pub(super) city: &'static str,
    /// The area code of its telephones.
    area: &'static str,
}

/// Somebody who asks for quotes. Everything follows from the dice.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) street: String,
    pub(super) place: Place,
    pub(super) birth: Date,
    pub(super) female: bool,
    pub(super) married: bool,
    pub(super) owns_home: bool,
    pub(super) ip: String,
    pub(super) certificate: String,
    pub(super) credit: &'static str,
    /// The insurer whose policy runs; `None` is uninsured.
    pub(super) insurer: Option<&'static str>,
    pub(super) car: Car,
    pub(super) tobacco: bool,
    /// A year's household income in dollars.
    pub(super) income: u32,
}

/// A made-up person's real kind of car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Car {
    pub(super) year: u32,
    pub(super) make: &'static str,
    pub(super) model: &'static str,
}

/// How old the people of a vertical are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ages {
    pub(super) youngest: u32,
    pub(super) oldest: u32,
}

/// Throws a person.
pub(super) fn person(dice: &mut Dice, ages: Ages, today: Date) -> Person {
    let (first_name, female) = dice.pick(&FIRST_NAMES);
    let last_name = dice.pick(&LAST_NAMES);
    let place = dice.pick(&PLACES);
    let (make, model) = dice.pick(&CARS);
    let line = dice.below(100);
    let mark = dice.below(1_000_000);
    Person {
        first_name,
        last_name,
        email: format!("{first_name}.{last_name}{mark:06}@example.com").to_lowercase(),
        phone: format!("{}55501{line:02}", place.area),
        street: format!("{} {} St", dice.between(1, 9_800), dice.pick(&STREETS)),
        place,
        birth: birth(dice, ages, today),
        female,
        married: dice.percent(52),
        owns_home: dice.percent(61),
        ip: format!("203.0.113.{}", dice.between(1, 254)),
        certificate: format!("https://cert.trustedform.com/{mark:040x}"),
        credit: dice.pick(&CREDIT),
        insurer: if dice.percent(78) { Some(dice.pick(&INSURERS)) } else { None },
        car: Car { year: dice.between(2006, 2025), make, model },
        tobacco: dice.percent(14),
        income: dice.between(18, 140) * 1_000,
    }
}

fn birth(dice: &mut Dice, ages: Ages, today: Date) -> Date {
    let age = dice.between(ages.youngest, ages.oldest);
    let years = jiff::Span::new().years(i64::from(age)).days(i64::from(dice.below(365)));
    today.saturating_sub(years)
}

const PLACES: [Place; 36] = [
    Place { state: "CA", zip: "90001", city: "Los Angeles", area: "213" },
    Place { state: "CA", zip: "90210", city: "Beverly Hills", area: "310" },
    Place { state: "CA", zip: "94110", city: "San Francisco", area: "415" },
    Place { state: "CA", zip: "92103", city: "San Diego", area: "619" },
    Place { state: "CA", zip: "93721", city: "Fresno", area: "559" },
    Place { state: "CA", zip: "95814", city: "Sacramento", area: "916" },
    Place { state: "TX", zip: "75201", city: "Dallas", area: "214" },
    Place { state: "TX", zip: "77002", city: "Houston", area: "713" },
    Place { state: "TX", zip: "78701", city: "Austin", area: "512" },
    Place { state: "TX", zip: "78205", city: "San Antonio", area: "210" },
    Place { state: "TX", zip: "79901", city: "El Paso", area: "915" },
    Place { state: "FL", zip: "33139", city: "Miami Beach", area: "305" },
    Place { state: "FL", zip: "32801", city: "Orlando", area: "407" },
    Place { state: "FL", zip: "33602", city: "Tampa", area: "813" },
    Place { state: "FL", zip: "32202", city: "Jacksonville", area: "904" },
    Place { state: "NY", zip: "10001", city: "New York", area: "212" },
    Place { state: "NY", zip: "11201", city: "Brooklyn", area: "718" },
    Place { state: "NY", zip: "14202", city: "Buffalo", area: "716" },
    Place { state: "PA", zip: "19103", city: "Philadelphia", area: "215" },
    Place { state: "PA", zip: "15222", city: "Pittsburgh", area: "412" },
    Place { state: "OH", zip: "43215", city: "Columbus", area: "614" },
    Place { state: "OH", zip: "44113", city: "Cleveland", area: "216" },
    Place { state: "IL", zip: "60601", city: "Chicago", area: "312" },
    Place { state: "IL", zip: "62701", city: "Springfield", area: "217" },
    Place { state: "GA", zip: "30303", city: "Atlanta", area: "404" },
    Place { state: "GA", zip: "31401", city: "Savannah", area: "912" },
    Place { state: "NC", zip: "28202", city: "Charlotte", area: "704" },
    Place { state: "NC", zip: "27601", city: "Raleigh", area: "919" },
    Place { state: "AZ", zip: "85004", city: "Phoenix", area: "602" },
    Place { state: "AZ", zip: "85701", city: "Tucson", area: "520" },
    Place { state: "MI", zip: "48226", city: "Detroit", area: "313" },
    Place { state: "WA", zip: "98101", city: "Seattle", area: "206" },
    Place { state: "CO", zip: "80202", city: "Denver", area: "303" },
    Place { state: "TN", zip: "37203", city: "Nashville", area: "615" },
    Place { state: "MO", zip: "63101", city: "Saint Louis", area: "314" },
    Place { state: "WI", zip: "53202", city: "Milwaukee", area: "414" },
];

const FIRST_NAMES: [(&str, bool); 20] = [
    ("Dana", true),
    ("Ruth", true),
    ("Gloria", true),
    ("Maria", true),
    ("Ines", true),
    ("Wanda", true),
    ("Joan", true),
    ("Priya", true),
    ("Keisha", true),
    ("Hana", true),
    ("Oscar", false),
    ("Walter", false),
    ("Luis", false),
    ("Andre", false),
    ("Peter", false),
    ("Samuel", false),
    ("Hugo", false),
    ("Victor", false),
    ("Tomas", false),
    ("Kenji", false),
];

const LAST_NAMES: [&str; 16] = [
    "Sample",
    "Example",
    "Placeholder",
    "Testman",
    "Nobody",
    "Madeup",
    "Invented",
    "Fictional",
    "Pattern",
    "Mockley",
    "Stand-In",
    "Dummy",
    "Specimen",
    "Draft",
    "Notreal",
    "Imaginary",
];

const STREETS: [&str; 8] = ["Example", "Oak", "Maple", "Main", "Second", "Lake", "Hill", "Sample"];
const CREDIT: [&str; 4] = ["excellent", "good", "fair", "poor"];
const INSURERS: [&str; 6] =
    ["Progressive", "State Farm", "Geico", "Allstate", "Farmers", "Liberty Mutual"];
const CARS: [(&str, &str); 10] = [
    ("Toyota", "Camry"),
    ("Toyota", "Corolla"),
    ("Honda", "Civic"),
    ("Honda", "CR-V"),
    ("Ford", "F-150"),
    ("Chevrolet", "Malibu"),
    ("Nissan", "Altima"),
    ("Subaru", "Outback"),
    ("Hyundai", "Elantra"),
    ("Jeep", "Wrangler"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_be_called_or_written_to() {
        let ages = Ages { youngest: 18, oldest: 80 };
        let today = jiff::civil::date(2026, 3, 1);
        for number in 0..500 {
            let person = person(&mut Dice::of(1, number), ages, today);
            assert_eq!(person.phone.len(), 10);
            assert_eq!(&person.phone[3..8], "55501");
            assert!(person.email.ends_with("@example.com"));
            assert!(person.ip.starts_with("203.0.113."));
        }
    }

    #[test]
    fn people_are_as_old_as_asked() {
        let ages = Ages { youngest: 64, oldest: 70 };
        let today = jiff::civil::date(2026, 3, 1);
        for number in 0..500 {
            let birth = person(&mut Dice::of(1, number), ages, today).birth;
            let age = birth.until((jiff::Unit::Year, today)).unwrap().get_years();
            assert!((64..=71).contains(&age), "{birth}");
        }
    }
}
