//! Auto insurance: private passenger cars, as carriers and agents buy quotes for them.

use guest_sdk::intake::{Field, Group, Reader, Vertical, standard, vocabulary};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

mod words;

const GROUPS: &[Group] = &[
    Group {
        name: "vehicle",
        words: &["vehicle", "vehicles", "car", "cars", "auto", "autos", "veh"],
        is_person: false,
    },
    Group {
        name: "driver",
        words: &[
            "driver",
            "drivers",
            "applicant",
            "applicants",
            "insured",
            "insureds",
            "person",
            "persons",
            "operator",
        ],
        is_person: true,
    },
];

const COVER: &[Field] = &[
    Field::new("coverage_type", Reader::Word(words::COVERAGE)).binding()
        .about("How much cover the person asks for.")
        .keys("coverage coverage_level requested_coverage requested_coverage_type desired_coverage coverage_requested requested_policy_coverage_type coverage_package requested_coverage_level policy_type desired_coverage_type coverage_desired"),
    Field::new("bodily_injury_limits", Reader::Word(words::LIMITS)).binding()
        .about("Liability for bodily injury, in thousands of dollars per person / per accident.")
        .keys("bodily_injury bi_limits liability_limits bi liability bodily_injury_liability current_bodily_injury"),
    Field::new("bodily_injury_per_person", Reader::Dollars(0, 10_000_000)).binding()
        .about("Liability for bodily injury per person, in dollars.")
        .keys("bi_per_person bodily_injury_person bi_person"),
    Field::new("bodily_injury_per_accident", Reader::Dollars(0, 10_000_000)).binding()
        .about("Liability for bodily injury per accident, in dollars.")
        .keys("bi_per_incident bi_per_accident bodily_injury_per_incident bodily_injury_accident bi_accident"),
];

const AUTO: &[Field] = &[
    Field::new("vehicle_count", Reader::Count("vehicle")).binding()
        .about("Number of vehicles; counted where the source lists them.")
        .keys("vehicles number_of_vehicles num_vehicles vehicles_count vehicle_number cars num_cars number_of_cars no_of_vehicles total_vehicles multi_vehicle_count how_many_vehicles"),
    Field::new("vehicle_year", Reader::Integer(1900, 2100)).binding()
        .about("Model year of the first vehicle.")
        .keys("vehicle/year vehicle/model_year vehicle/yr model_year vehicle/vehicle_year vehicle/car_year"),
    Field::new("vehicle_make", Reader::Text).binding()
        .about("Make of the first vehicle, as the source writes it.")
        .keys("make vehicle/make vehicle/vehicle_make vehicle/manufacturer vehicle/make_name vehicle/brand"),
    Field::new("vehicle_model", Reader::Text).binding()
        .about("Model of the first vehicle, as the source writes it.")
        .keys("model vehicle/model vehicle/vehicle_model vehicle/model_name"),
    Field::new("vehicle_trim", Reader::Text)
        .about("Trim or submodel of the first vehicle.")
        .keys("submodel vehicle/submodel vehicle/sub_model vehicle/trim vehicle/trim_level vehicle/style trim"),
    Field::new("vehicle_makes", Reader::Every("vehicle_make")).binding()
        .about("Makes of all vehicles that came, each once."),
    Field::new("vehicle_vin", Reader::Text).contact()
        .about("Vehicle identification number of the first vehicle. It leads to the owner, so no ping shows it.")
        .keys("vin vehicle/vin vehicle/vin_number vehicle/vehicle_identification_number"),
    Field::new("vehicle_ownership", Reader::Word(words::VEHICLE_OWNERSHIP)).binding()
        .about("How the first vehicle is held.")
        .keys("vehicle/ownership vehicle/ownership_status vehicle/owned_or_leased vehicle/ownership_type vehicle/lease_or_own vehicle/own_or_lease"),
    Field::new("primary_use", Reader::Word(words::USE)).binding()
        .about("What the first vehicle is mainly driven for.")
        .keys("primary_purpose vehicle/primary_purpose vehicle/primary_use vehicle/use vehicle/usage vehicle_use vehicle/purpose vehicle/vehicle_use vehicle/main_use usage"),
    Field::new("annual_mileage", Reader::Integer(0, 500_000)).binding()
        .about("Miles that the first vehicle is driven in a year.")
        .keys("vehicle/annual_mileage vehicle/annual_miles vehicle/yearly_mileage annual_miles mileage vehicle/mileage yearly_mileage vehicle/estimated_annual_mileage miles_per_year vehicle/miles_per_year vehicle/mileage_annual"),
    Field::new("commute_miles", Reader::Integer(0, 1_000))
        .about("Miles of one way to work or school with the first vehicle.")
        .keys("average_mileage vehicle/average_mileage vehicle/commute_miles vehicle/commute_distance vehicle/one_way_distance vehicle/one_way_miles commute_distance one_way_distance daily_commute vehicle/daily_mileage vehicle/commute_mileage"),
    Field::new("commute_days", Reader::Integer(0, 7))
        .about("Days in a week on which the first vehicle is driven to work or school.")
        .keys("commute_days_per_week vehicle/commute_days_per_week vehicle/commute_days vehicle/days_per_week vehicle/weekly_commute_days"),
    Field::new("driver_count", Reader::Count("driver")).binding()
        .about("Number of drivers; counted where the source lists them.")
        .keys("drivers number_of_drivers num_drivers drivers_count no_of_drivers total_drivers how_many_drivers"),
    Field::new("marital_status", Reader::Word(vocabulary::MARITAL)).binding()
        .about("Marital status of the first driver.").keys("marital marital_status_code"),
    Field::new("education", Reader::Word(words::EDUCATION))
        .about("Highest education of the first driver.")
        .keys("education_level highest_education level_of_education edu highest_degree highest_level_of_education"),
    Field::new("occupation", Reader::Text)
        .about("Occupation of the first driver, as the source names it.")
        .keys("job_title job profession employment occupation_name job_occupation current_occupation"),
    Field::new("credit_band", Reader::Credit(standard::CREDIT_WORDS)).binding()
        .about("Credit as the person rates it. A score of 720 and more is excellent, 680 good, 580 fair, less poor.")
        .keys("credit credit_rating credit_score credit_range credit_tier credit_grade credit_history credit_profile self_credit_rating credit_score_range credit_estimate credit_level"),
    standard::HOME_OWNER,
    Field::new("license_status", Reader::Word(words::LICENSE)).binding()
        .about("Driving licence of the first driver.")
        .keys("licence_status drivers_license_status driver_license_status current_license_status dl_status valid_license driver/licensed licensed"),
    Field::new("license_state", Reader::State)
        .about("State that issued the first driver's licence.")
        .keys("licence_state drivers_license_state driver_license_state dl_state licensed_state license_issue_state"),
    Field::new("age_first_licensed", Reader::Integer(12, 99))
        .about("Age at which the first driver was first licensed.")
        .keys("first_licensed licensed_age age_licensed age_first_license license_age first_licensed_age age_when_licensed"),
    Field::new("sr22", Reader::Boolean("required needed", "none notrequired")).binding()
        .about("Whether the first driver must file proof of insurance (SR-22).")
        .keys("sr_22 sr22_required requires_sr22 needs_sr22 sr22_needed requires_sr22_filing filing_required sr22_filing require_sr22 need_sr22 sr_22_required"),
    Field::new("dui", Reader::Any("dui dwi", "none never")).binding()
        .about("Whether the first driver was convicted of driving under the influence within five years.")
        .keys("dui_dwi had_dui dwi has_dui dui_conviction dui_last_5_years dui_in_past_5_years dui_history any_dui"),
    Field::new("accidents", Reader::Any("accident accidents", "none never clean")).binding()
        .about("Whether a driver had an accident within three years. A number of them is yes from one up.")
        .keys("had_accidents any_accidents has_accidents at_fault_accidents accidents_last_3_years accident_history had_accident accident_count number_of_accidents num_accidents accidents_in_past_3_years"),
    Field::new("violations", Reader::Any("ticket tickets violation", "none never clean")).binding()
        .about("Whether a driver was cited for a moving violation within three years. A number of them is yes from one up.")
        .keys("tickets had_violations moving_violations any_violations has_violations tickets_last_3_years violation_count number_of_violations num_violations had_tickets traffic_violations number_of_tickets violations_last_3_years"),
    standard::MILITARY,
    Field::new("bankruptcy", Reader::Any("filed", "none never")).binding()
        .about("Whether the first driver was bankrupt within five years.")
        .keys("bankrupt had_bankruptcy filed_bankruptcy bankruptcies bankruptcy_filed bankruptcy_in_past_5_years"),
];

static VERTICAL: Vertical = Vertical::new(
    "auto-insurance",
    (1, 1),
    "A person who asks for quotes for insuring private passenger vehicles.",
    GROUPS,
    &[
        standard::PLACE,
        standard::PERSON,
        COVER,
        standard::INSURANCE,
        AUTO,
        standard::CONSENT,
        standard::CONTACT,
    ],
);

/// The normalizer of auto insurance.
#[derive(Debug)]
pub struct AutoInsurance;

impl Normalizer for AutoInsurance {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(AutoInsurance);
