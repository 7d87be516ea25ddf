//! Solar: panels on a house, as installers buy the people who want them. Which of them pays depends on the bill, the
//! utility, the roof and the credit, at prices of another order than other work on a house.

use guest_sdk::intake::{Field, Group, Reader, Spans, Vertical, Word, home, standard, vocabulary};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

const GROUPS: &[Group] = &[
    Group { name: "property", words: &["property", "house"], is_person: true },
    Group { name: "solar", words: &["solar", "project", "energy", "electricity"], is_person: true },
    Group { name: "roof", words: &["roof"], is_person: true },
];

static WHEN: Spans = Spans {
    words: &[
        (
            "immediately",
            "immediate asap urgent now today rightaway assoonaspossible ready readynow readytostart readytobuy soon",
        ),
        ("within-1-month", "thismonth thisweek"),
        ("within-3-months", "fewmonths withinafewmonths"),
        ("within-6-months", ""),
        ("within-1-year", "thisyear"),
        ("over-1-month", ""),
        ("over-3-months", ""),
        ("over-6-months", "nextyear later"),
        ("flexible", "timeisflexible timingisflexible anytime norush whenever open"),
        (
            "planning",
            "researching justresearching planningandbudgeting justlooking gettingquotes future research justexploring justcurious",
        ),
    ],
    within: &[
        (7, "immediately"),
        (31, "within-1-month"),
        (92, "within-3-months"),
        (184, "within-6-months"),
        (366, "within-1-year"),
    ],
    over: &[(21, "over-1-month"), (84, "over-3-months"), (168, "over-6-months")],
};

const PAYMENT: &[Word] = &[
    ("buy", "purchase cash own buying somecashupfront cashupfront"),
    ("finance", "loan financing financed zerodown nocashupfront 0down solarloan"),
    ("lease", "leasing ppa powerpurchaseagreement solarlease rent"),
    ("undecided", "any other either openoptions either/or"),
];

const SOLAR: &[Field] = &[
    Field::new("payment", Reader::Phrase(PAYMENT, ""))
        .about("How the person means to pay for the panels.")
        .keys("payment_type purchase_type purchase_method financing_type finance_option payment_option payment_method lease_or_buy buy_or_lease willing_to_pay willingness_to_pay financing_option payment_preference solar_payment own_or_lease_panels purchase_option"),
    Field::new("has_solar", Reader::Boolean("installed already has", "2 none")).binding()
        .about("Whether the house has solar panels already.")
        .keys("existing_solar already_has_solar already_have_solar has_solar_panels current_solar solar_installed have_solar has_existing_solar existing_solar_panels have_solar_panels currently_have_solar solar/existing"),
    Field::new("wants_battery", Reader::Boolean("interested battery", "2 none notinterested"))
        .about("Whether the person wants to store the electricity.")
        .keys("battery battery_storage battery_interest interested_in_battery solar_battery energy_storage battery_backup"),
    Field::new("timeframe", Reader::Span(&WHEN)).binding()
        .about("When the panels should be put up. `over` words are for times without an end, such as 3+ months.")
        .keys("time_frame urgency timeline purchase_timeframe project_timeframe project_timeline project_time_frame when install_timeframe installation_timeframe buying_timeframe buy_timeframe start_time project_start purchase_time_frame solar/timeframe how_soon timing start_timeframe when_to_start"),
    Field::new("annual_kwh", Reader::Measure(0, 10_000_000, "kwh kilowatthours kwhyear kwhperyear"))
        .about("Electricity that the household uses in a year, in kilowatt-hours; of a range, its lower end.")
        .keys("annual_usage yearly_usage annual_kwh_usage yearly_kwh kwh_per_year annual_consumption annual_electricity_usage annual_usage_kwh"),
    Field::new("household_income", Reader::DollarsPer(vocabulary::YEAR, 0, 100_000_000))
        .about("Income of the household in a year, in whole dollars; of a range, its lower end.")
        .keys("income annual_income annual_household_income yearly_income household_annual_income income_range"),
];

static VERTICAL: Vertical = Vertical::new(
    "solar",
    (1, 0),
    "A person who asks what solar panels would cost and save.",
    GROUPS,
    &[
        standard::PLACE,
        home::HOUSE,
        home::SUN,
        SOLAR,
        standard::CONSENT,
        standard::REMARKS,
        standard::CONTACT,
    ],
);

/// The normalizer of solar.
#[derive(Debug)]
pub struct Solar;

impl Normalizer for Solar {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(Solar);
