//! The fields of home services: the work that is asked for, and the part of the house it is for.

use guest_sdk::intake::{Field, Reader};

use crate::{trades, words};

/// The work.
pub(crate) const PROJECT: &[Field] = &[
    Field::new("service", Reader::Phrase(trades::SERVICES, trades::NO_SERVICE)).sharing("project_type").named_by_group().required().binding()
        .about("The trade that is asked for. Where it did not come, the kind of project or the questions asked may say it.")
        .keys("service_type trade task service_needed service_requested requested_service services_needed services service_category service_name type_of_service service_required trade_type category project_category task_name work_category job_category home_service home_improvement_type improvement_type home_improvement industry specialty project/service product product_type interested_in project_trade contractor_type type_of_contractor home_project"),
    Field::new("project_type", Reader::Phrase(words::KINDS, "")).sharing("service").binding()
        .about("What is to be done.")
        .keys("project type_of_project project/type work_type type_of_work job_type type_of_job project_kind project_nature job work nature_of_work nature_of_project project_scope scope work_needed project_status_type install_or_repair repair_or_replace project_name project/name project_description_type service_kind scope_of_work replace_or_repair"),
    Field::new("timeframe", Reader::Span(&words::WHEN)).binding()
        .about("When the work should begin. `over` words are for times without an end, such as 3+ months.")
        .keys("time_frame project_status urgency timeline start_time project_timeframe project_timeline project_time_frame project/timeframe project/timeline project/start when project_start when_to_start start_timeframe desired_timeframe desired_start desired_start_date completion_timeframe purchase_timeframe project_start_time buy_timeframe buying_timeframe timing how_soon time_line project_urgency start_project project_start_date preferred_timeframe expected_start work_timeframe when_do_you_need service_timeframe install_timeframe project_when start_when begin_project"),
    Field::new("budget", Reader::Dollars(0, 100_000_000))
        .about("What the person means to spend, in whole dollars; of a range, its lower end.")
        .keys("project_budget estimated_budget budget_range project/budget price_range max_budget"),
    Field::new("wants_financing", Reader::Boolean("financing finance loan interested", "2 cash none notinterested"))
        .about("Whether the person wants to pay in instalments.")
        .keys("financing finance interested_in_financing needs_financing need_financing financing_needed want_financing financing_interest interest_in_financing"),
    Field::new("insurance_claim", Reader::Boolean("filed approved claim covered", "2 none notfiled")).binding()
        .about("Whether an insurer is to pay for the work.")
        .keys("covered_by_insurance insurance_job insurance_work is_insurance_claim roof_insurance_claim filed_insurance_claim claim insurance_claim_filed covered_by_insurance_claim"),
    Field::new("storm_damage", Reader::Boolean("damaged damage hail wind storm", "2 none nodamage"))
        .about("Whether a storm did the damage.")
        .keys("storm hail_damage wind_damage has_storm_damage roof_damage weather_damage roof_storm_damage damage damaged"),
];

/// The part of the house.
pub(crate) const PARTS: &[Field] = &[
    Field::new("window_count", Reader::Measure(0, 1_000, "window windows")).says("service", "windows").binding()
        .about("Windows to be replaced or repaired; of a range, the lower end.")
        .keys("number_of_windows windows num_windows no_of_windows window_quantity windows_count windows/count windows/number windows/number_of_windows how_many_windows window_number windows_quantity total_windows windows/quantity num_of_windows qty_windows"),
    Field::new("window_style", Reader::Text)
        .about("Kind of the windows, as the source names it.")
        .keys("window_type windows_type type_of_windows windows/type windows/style style_of_windows window_styles"),
    Field::new("siding_material", Reader::Phrase(words::SIDINGS, "")).says("service", "siding")
        .about("What the siding is, or is to be, made of.")
        .keys("siding_type type_of_siding siding/type siding/material siding/kind current_siding desired_siding siding_style kind_of_siding siding_material_type"),
    Field::new("gutter_material", Reader::Phrase(words::GUTTERS, "")).says("service", "gutters")
        .about("What the gutters are, or are to be, made of.")
        .keys("gutter_type gutters_type gutters/type gutters/material type_of_gutters gutters_material"),
    Field::new("hvac_system", Reader::Phrase(words::SYSTEMS, "")).says("service", "hvac")
        .about("The system that heats, cools or airs the house.")
        .keys("hvac_type system_type hvac_system_type air_type type_of_system hvac/system hvac/type hvac/system_type hvac/air_type heating_system cooling_system heating_type cooling_type heating_cooling_system hvac_unit hvac_unit_type ac_type air_conditioning_type hvac_equipment type_of_hvac"),
    Field::new("energy_source", Reader::Phrase(words::ENERGY, ""))
        .about("What the house is heated with.")
        .keys("fuel fuel_type heating_fuel heating_source hvac/energy_source hvac/fuel energy_type heat_source system_energy power_source fuel_source hvac_energy hvac_power_source heating_energy"),
    Field::new("floor_material", Reader::Phrase(words::FLOORS, "")).says("service", "flooring")
        .about("The flooring that is asked for.")
        .keys("flooring_type floor_type type_of_flooring flooring/type flooring/material flooring_material kind_of_floor flooring_product floors_type"),
    Field::new("bathroom_work", Reader::Phrase(words::BATHS, "")).says("service", "bathroom")
        .about("The part of the bathroom that is to be new.")
        .keys("bath_type bathroom_type bath_project bathroom/type bathroom/work bathroom_project_type bath_project_type bathroom/project_type bathroom_project bath_remodel_type bathroom_remodel_type type_of_bath tub_or_shower bathroom_option bath_need bathroom_need"),
    Field::new("kitchen_cabinets", Reader::Boolean("new reface replace", "2 none")).says("service", "kitchen")
        .about("Whether the kitchen's cabinets are part of the work.")
        .keys("cabinets kitchen/cabinets kitchen_cabinet cabinet"),
    Field::new("kitchen_countertops", Reader::Boolean("new replace", "2 none")).says("service", "kitchen")
        .about("Whether the kitchen's countertops are part of the work.")
        .keys("countertops kitchen/countertops kitchen_countertop counter_tops counters"),
    Field::new("kitchen_sinks", Reader::Boolean("new replace", "2 none")).says("service", "kitchen")
        .about("Whether the kitchen's sinks are part of the work.")
        .keys("sinks sink kitchen/sinks kitchen/sink"),
    Field::new("kitchen_appliances", Reader::Boolean("new replace", "2 none")).says("service", "kitchen")
        .about("Whether the kitchen's appliances are part of the work.")
        .keys("kitchen/appliances appliances"),
    Field::new("pest", Reader::TextUnless("none other")).says("service", "pest-control")
        .about("The pest, as the source names it.")
        .keys("pest_type type_of_pest pests pest_control_type pest_problem pest_kind bug_type"),
    Field::new("problem", Reader::TextUnless("none"))
        .about("What is broken, as the source names it.")
        .keys("issue problem_type type_of_problem plumbing/problem plumbing/issue plumbing_issue plumbing_problem issue_type plumbing_service_type electrical_issue hvac_issue roof_problem roofing_issue"),
];
