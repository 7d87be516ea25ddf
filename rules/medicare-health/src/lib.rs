//! Health insurance for people: Medicare plans, and individual plans of the marketplace.

use guest_sdk::intake::{Field, Group, Reader, Vertical, Word, standard, vocabulary};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

const GROUPS: &[Group] = &[Group {
    name: "applicant",
    words: &[
        "applicant",
        "applicants",
        "insured",
        "insureds",
        "person",
        "persons",
        "member",
        "members",
        "individual",
        "individuals",
    ],
    is_person: true,
}];

const COVERAGE: &[Word] = &[
    (
        "medicare-supplement",
        "3 medigap supplement supplemental medsupp medicaresupp medicaresupplementinsurance medicaresupplementplan medicaresupplemental medsup medicaremedigap medicaresupplementmedigap",
    ),
    (
        "medicare-advantage",
        "medicarepartc partc advantage mapd medicareadvantageplan medicareadvantagepartc medicarepartcadvantage",
    ),
    (
        "medicare-part-d",
        "partd prescription prescriptiondrug pdp medicareprescription prescriptiondrugplan drugplan",
    ),
    ("medicare", "originalmedicare medicareplan medicareinsurance"),
    (
        "individual",
        "aca obamacare marketplace major major-medical majormedical u65 under65 healthinsurance individualhealth individualhealthinsurance individualplan self health",
    ),
    (
        "family",
        "individualfamily individualandfamily familyplan familyhealth individualfamilyhealth selfandfamily",
    ),
    ("short-term", "shortterm temporary stm shorttermmedical shorttermhealth"),
    ("group", "smallgroup employer grouphealth smallbusiness"),
    ("dental-vision", "dental vision dentalandvision ancillary"),
];

const LIFE_EVENTS: &[Word] = &[
    ("none", "no 0 n false noevent noneofthese noneoftheabove"),
    (
        "lost-coverage",
        "lossofcoverage losscoverage lostinsurance lossofinsurance losthealthinsurance losthealthcoverage lossofhealthcoverage lostjob jobloss lostmyjob laidoff lostmyinsurance lostmycoverage lostmyhealthinsurance",
    ),
    ("moved", "move moving relocation relocated newaddress changeofaddress movedhouses"),
    ("married", "marriage gotmarried"),
    ("divorced", "divorce legalseparation"),
    (
        "new-dependent",
        "birth baby adoption hadababy birthofchild newbaby birthoradoption birth/adoption pregnancy dependent",
    ),
    ("income-change", "incomechange changeinincome incomechanged"),
    ("turned-26", "turning26 turned26 agedoff agedoffparentsplan"),
    ("turned-65", "turning65 turned65 newtomedicare agingin"),
    ("other", "yes 1 y true"),
];

const HEALTH: &[Field] = &[
    Field::new("coverage_type", Reader::Word(COVERAGE)).binding()
        .about("What kind of plan the person asks for.")
        .keys("requested_coverage_types requested_coverage_type requested_coverage coverage_types plan_type insurance_type desired_coverage desired_plan desired_plan_type coverage_requested type_of_coverage health_plan_type medicare_plan_type requested_insurance_policy_coverage_type requested_policy_coverage_type coverage requested_plan_type requested_plan plan_requested"),
    Field::new("household_income", Reader::DollarsPer(vocabulary::YEAR, 0, 100_000_000)).binding()
        .about("Income of the household in a year, in whole dollars; of a range, its lower end.")
        .keys("income annual_income annual_household_income yearly_income household_annual_income estimated_income household_income_range est_household_income total_household_income income_range estimated_household_income yearly_household_income"),
    Field::new("household_size", Reader::Integer(1, 30)).binding()
        .about("People in the household, with the person.")
        .keys("people_in_household number_in_household family_size house_hold_size persons_in_household number_of_people_in_household num_in_household household_members household_count number_of_household_members size_of_household"),
    Field::new("tobacco", Reader::Boolean("smoker smokes current daily occasionally occasional", "none never nonsmoker nontobacco nontobaccouser neversmoked neveruse neverused former formersmoker formeruser quit quitsmoking iquit exsmoker")).binding()
        .about("Whether the person uses tobacco.")
        .keys("smoker tobacco_use tobacco_user smoking uses_tobacco smoke is_smoker use_tobacco is_tobacco_user smoker_status smoking_status do_you_smoke tobacco_usage smokes tobacco_status"),
    Field::new("pregnant", Reader::Boolean("expecting pregnant", "none notpregnant")).binding()
        .about("Whether the person, or someone to be covered, expects a child.")
        .keys("expectant_mother is_pregnant pregnancy expecting expectant expectant_parent currently_pregnant is_expecting expectant_mother_or_father are_you_pregnant"),
    Field::new("has_preexisting_conditions", Reader::Boolean("has conditions", "none never healthy")).binding()
        .about("Whether the person has been treated for a lasting illness.")
        .keys("have_preexisting_medical_conditions preexisting_conditions pre_existing_conditions preexisting has_pre_existing_conditions preexisting_condition pre_existing_medical_conditions has_medical_conditions medical_condition health_conditions preexisting_medical_conditions has_health_conditions any_preexisting_conditions pre_existing has_preexisting_condition have_preexisting_conditions major_conditions"),
    Field::new("medical_conditions", Reader::Texts).binding()
        .about("Illnesses, as the source names them, each once.")
        .keys("conditions medical_condition_list condition conditions_condition medical_conditions_condition medical_conditions_medical_condition list_of_conditions conditions_list medical_conditions_list condition_list"),
    Field::new("takes_medication", Reader::Boolean("takes", "none never")).binding()
        .about("Whether the person takes prescribed medicine.")
        .keys("medications prescriptions takes_medications on_medication prescription_medications current_medications taking_medications taking_prescriptions takes_prescriptions prescription_medication medication"),
    Field::new("height", Reader::Inches)
        .about("Height in inches.").keys("height_in_inches height_total_inches total_height_inches"),
    Field::new("weight", Reader::Measure(40, 900, "lb lbs pound pounds"))
        .about("Weight in pounds.").keys("weight_lbs weight_pounds weight_in_pounds weight_lb"),
    standard::MARITAL_STATUS,
    Field::new("currently_insured", Reader::Boolean("insured active current medicaid medicare employer marketplace cobra", "none uninsured notinsured notcurrentlyinsured lapsed expired")).binding()
        .about("Whether the person has health insurance today.")
        .keys("insured is_insured have_insurance has_insurance current_insured is_currently_insured has_health_insurance insurance_status have_health_insurance currently_covered current_insurance_status currently_have_insurance currently_enrolled has_coverage have_coverage"),
    Field::new("current_carrier", Reader::TextUnless("none noinsurance notinsured uninsured nocurrentinsurance notcurrentlyinsured no currentlynotinsured nocoverage"))
        .about("Today's insurer, as the source names it.")
        .keys("current_company insurance_company current_insurance_company current_insurer insurer carrier current_provider insurance_carrier current_insurance_provider current_policy_insurance_company current_insurance_carrier insurance_provider current_plan_carrier current_policy_company current_policy_carrier current_health_insurer current_carrier_name"),
    Field::new("current_plan", Reader::Text)
        .about("Name or kind of today's plan, as the source names it.")
        .keys("current_plan_name current_plan_type current_medicare_plan current_coverage_type current_policy_coverage_type current_health_plan"),
    Field::new("medicare_part_a", Reader::Boolean("enrolled", "notenrolled none")).binding()
        .about("Whether the person is enrolled in Medicare Part A.")
        .keys("part_a part_a_enrolled has_part_a medicare_part_a_enrolled enrolled_part_a enrolled_in_part_a has_medicare_part_a"),
    Field::new("medicare_part_b", Reader::Boolean("enrolled", "notenrolled none")).binding()
        .about("Whether the person is enrolled in Medicare Part B.")
        .keys("part_b part_b_enrolled has_part_b medicare_part_b_enrolled enrolled_part_b enrolled_in_part_b has_medicare_part_b"),
    Field::new("medicare_parts_a_and_b", Reader::Boolean("enrolled both partsaandb partaandb aandb", "notenrolled none neither partaonly partbonly")).binding()
        .about("Whether the person is enrolled in both Medicare Part A and Part B.")
        .keys("part_a_and_b enrolled_in_medicare medicare_enrolled parts_a_and_b part_a_b medicare_a_and_b medicare_part_a_and_b enrolled_medicare has_medicare_a_and_b has_medicare on_medicare is_medicare_enrolled has_part_a_and_b medicare_parts_ab medicare_part_ab has_parts_a_and_b enrolled_in_medicare_parts_a_and_b part_ab has_medicare_parts_a_and_b medicare_recipient currently_on_medicare medicare_ab"),
    Field::new("medicare_eligible", Reader::Boolean("eligible", "noteligible none")).binding()
        .about("Whether the person may have Medicare, by age or disability.")
        .keys("is_medicare_eligible eligible_for_medicare medicare_eligibility"),
    Field::new("medicaid", Reader::Boolean("enrolled receives", "notenrolled none")).binding()
        .about("Whether the person receives Medicaid.")
        .keys("has_medicaid on_medicaid medicaid_enrolled receives_medicaid is_on_medicaid medicaid_recipient on_medicare_or_medicaid receiving_medicaid"),
    Field::new("disabled", Reader::Boolean("disabled disability ssdi", "none notdisabled")).binding()
        .about("Whether the person receives disability benefits.")
        .keys("disability is_disabled has_disability on_disability ssdi receiving_disability social_security_disability"),
    Field::new("qualifying_life_event", Reader::Word(LIFE_EVENTS)).binding()
        .about("What happened in the last 60 days that allows a plan outside open enrolment.")
        .keys("life_event qle qualifying_event qualifying_life_events life_change_event special_enrollment special_enrollment_reason sep_reason qualified_life_event recent_life_event life_changing_event"),
    Field::new("desired_start_date", Reader::Date)
        .about("Day on which cover should begin.")
        .keys("start_date coverage_start_date requested_start_date effective_date desired_effective_date policy_start_date requested_effective_date coverage_start requested_coverage_start_date coverage_effective_date"),
    Field::new("home_owner", Reader::Boolean("own owner owned homeowner ownhome owns", "rent renter rented renting tenant other"))
        .about("Whether the person owns the home.").keys("home_ownership homeowner own_home own_or_rent is_homeowner"),
    Field::new("occupation", Reader::Text)
        .about("Occupation, as the source names it.").keys("job_title job profession"),
];

static VERTICAL: Vertical = Vertical::new(
    "medicare-health",
    (1, 1),
    "A person who asks for a Medicare plan or an individual health plan.",
    GROUPS,
    &[standard::PLACE, standard::PERSON, HEALTH, standard::CONSENT, standard::CONTACT],
);

/// The normalizer of Medicare and individual health plans.
#[derive(Debug)]
pub struct MedicareHealth;

impl Normalizer for MedicareHealth {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(MedicareHealth);
