//! What makes a home more or less likely to burn, flood or be robbed, and who its owner is to an insurer.

use guest_sdk::intake::{Field, Reader, standard};

pub(crate) const HAZARDS: &[Field] = &[
    Field::new("security_system", Reader::Boolean("central monitored local installed burglaralarm alarm", "2 none never"))
        .binding()
        .about("Whether the home has an alarm against burglars.")
        .keys("burglar_alarm has_security_system alarm security_alarm home_security alarm_system theft_alarm burglar_alarm_type security_system_type"),
    Field::new("fire_alarm", Reader::Boolean("central monitored local installed smokedetector smokealarm", "2 none never"))
        .binding()
        .about("Whether the home has an alarm against fire or smoke.")
        .keys("smoke_detector smoke_alarm fire_alarm_type smoke_detectors has_fire_alarm has_smoke_detector"),
    Field::new("sprinklers", Reader::Boolean("full partial installed", "2 none never"))
        .about("Whether the home has sprinklers against fire.")
        .keys("sprinkler_system fire_sprinklers sprinkler indoor_sprinklers has_sprinklers"),
    Field::new("deadbolts", Reader::Boolean("installed deadbolt", "2 none never"))
        .about("Whether the doors have deadbolts.")
        .keys("dead_bolts deadbolt deadbolt_locks has_deadbolts"),
    Field::new("swimming_pool", Reader::Boolean("inground aboveground above fenced unfenced indoor", "2 none never nopool"))
        .binding()
        .about("Whether the property has a swimming pool.")
        .keys("pool has_pool has_swimming_pool pool_type swimming_pool_type"),
    Field::new("trampoline", Reader::Boolean("net fenced", "2 none never"))
        .binding()
        .about("Whether the property has a trampoline.")
        .keys("has_trampoline trampolines"),
    Field::new("dog", Reader::Any("dog dogs", "none never nodog nodogs"))
        .binding()
        .about("Whether a dog lives in the home. A number of them is yes from one up.")
        .keys("has_dog dogs own_dog has_dogs number_of_dogs any_dogs dog_owner own_dogs"),
    Field::new("dog_breed", Reader::TextUnless("none no nodog nodogs"))
        .about("Breed of the dog, as the source names it.")
        .keys("dog_type breed dog_breeds breed_of_dog"),
    Field::new("wood_stove", Reader::Boolean("installed", "2 none never"))
        .about("Whether the home has a stove for wood.")
        .keys("wood_burning_stove woodstove has_wood_stove"),
    Field::new("flood_zone", Reader::Boolean("flood high ae ah ao ve zonea zoneae zoneah zoneao zonev zoneve", "2 none x low zonex"))
        .binding()
        .about("Whether the property lies where floods are likely.")
        .keys("in_flood_zone is_flood_zone flood_plain in_flood_plain located_in_flood_zone flood_area"),
    Field::new("fire_hydrant_feet", Reader::Measure(0, 100_000, "ft feet foot"))
        .about("Feet to the next fire hydrant; of a range, its lower end.")
        .keys("distance_to_hydrant distance_to_fire_hydrant hydrant_distance feet_to_hydrant fire_hydrant_distance feet_from_hydrant"),
    Field::new("fire_station_miles", Reader::Decimal(0, 1_000, "mile miles mi"))
        .about("Miles to the next fire station; of a range, its lower end.")
        .keys("distance_to_fire_station fire_station_distance miles_to_fire_station distance_to_fire_department miles_from_fire_station"),
];

pub(crate) const OWNER: &[Field] = &[
    standard::HOME_OWNER,
    standard::CREDIT_BAND.sharing("credit_score"),
    standard::CREDIT_SCORE,
    standard::MARITAL_STATUS,
    Field::new("occupation", Reader::Text)
        .about("Occupation, as the source names it.").keys("job_title job profession"),
    standard::MILITARY,
    Field::new("bankruptcy", Reader::Boolean("filed chapter7 chapter13", "2 none never")).binding()
        .about("Whether the person was bankrupt within seven years.")
        .keys("bankrupt had_bankruptcy filed_bankruptcy bankruptcies bankruptcy_filed declared_bankruptcy bankruptcy_or_foreclosure"),
    Field::new("coverage_cancelled", Reader::Boolean("cancelled canceled declined nonrenewed", "2 none never")).binding()
        .about("Whether an insurer cancelled, declined or did not renew cover within three years.")
        .keys("coverage_canceled policy_cancelled policy_canceled insurance_cancelled coverage_declined cancelled_or_declined nonrenewed declined_coverage"),
    Field::new("wants_auto_quote", Reader::Boolean("interested", "2 none notinterested")).binding()
        .about("Whether the person asks for a quote for a car, too.")
        .keys("bundle bundle_auto multi_policy bundle_home_and_auto interested_in_auto auto_quote bundle_home_auto wants_bundle multi_policy_discount bundle_insurance"),
    standard::BEST_TIME_TO_CALL,
];
