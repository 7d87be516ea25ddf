//! The fields of legal leads: the matter, the injury, and the person's means.

use guest_sdk::intake::{Field, Reader, vocabulary};

use crate::{matters, words};

/// The matter.
pub(crate) const CASE: &[Field] = &[
    Field::new("case_type", Reader::Phrase(matters::CASES, "legal lawsuit lawyer attorney")).sharing("tort").required().binding()
        .about("The field of law. Where it did not come, `tort` says that it is a mass tort.")
        .keys("type_of_legal_problem legal_problem legal_issue type_of_case case_category legal_category practice_area area_of_law case/type type_of_law matter_type legal_matter claim_type injury_category accident_type type_of_accident incident_type incident/type category legal_issue_type lead_category case_kind legal_service type_of_claim type_of_incident numcategory law_type legal/type legal/category area_of_practice case_type_name legal_need primary_category legal_case_type legal_area"),
    Field::new("tort", Reader::Phrase(words::TORTS, "none no personalinjury masstort")).sharing("case_type").says("case_type", "mass-tort").binding()
        .about("The product, drug or place that a mass tort is about.")
        .keys("mass_tort mass_tort_type tort_type tort_name drug drug_name product product_name medication_name device device_name mass_tort_name product_used tort_campaign litigation which_drug which_product harmful_product exposure_type exposure"),
    Field::new("incident_date", Reader::PastDate).sharing("incident_timeframe").binding()
        .about("Day of the incident. Day and month in numbers are read month first; it is not after the submission.")
        .keys("accident_date date_of_incident date_of_accident injury_date date_of_injury incident/date incident/date_of incident/day loss_date date_of_loss when_did_it_happen incident_day accident_day when_did_the_accident_occur date_accident date_incident accident_date_full accident_occurred_on incident_occurred when_did_accident_occur incident_date_option_b"),
    Field::new("incident_timeframe", Reader::Span(&words::SINCE)).sharing("incident_date").binding()
        .about("How long before the submission the incident was; from its day where that is known. `over` words are for times without an end, such as more than 2 years.")
        .keys("accident_timeframe incident/timeframe when_did_the_incident_occur time_since_accident time_since_incident how_long_ago accident_time_frame incident_time_frame when_was_the_accident when_was_accident accident_when incident/when injury_timeframe when accident_within incident_within statute_of_limitations incident_age accident_age time_of_accident within_statute incident_date_option_a accident_happened"),
    Field::new("incident_state", Reader::State).binding()
        .about("State in which it happened, USPS code; where it was at home, sources may leave it out.")
        .keys("accident_state state_of_incident state_of_accident injury_state incident/state state_of_injury incident_location_state accident_location_state state_where_accident_occurred state_of_occurrence state_accident state_incident state_where_incident_occurred"),
    Field::new("incident_city", Reader::Text)
        .about("City in which it happened, as the source names it.")
        .keys("accident_city city_of_incident city_of_accident incident/city injury_city"),
    Field::new("incident_zip", Reader::Zip)
        .about("ZIP code in which it happened, five digits as text.")
        .keys("accident_zip incident/zip incident/zip_code incident/postal_code accident_zip_code incident_zip_code"),
    Field::new("at_fault", Reader::Boolean("me self mine myfault iwas iwasatfault fault partially partly partial shared both partiallyatfault 50/50 50-50", "2 notatfault notmyfault notme nofault other otherdriver otherparty otherperson someoneelse thirdparty theirs them theotherdriver theotherparty opposing anotherperson anotherdriver someoneelses otherdriversfault othersfault iwasnot none employer")).binding()
        .about("Whether the person was at fault; in part is yes.")
        .keys("were_you_at_fault was_it_your_fault fault is_at_fault who_was_at_fault who_is_at_fault atfault your_fault accident_fault at_fault_party was_at_fault were_you_at_fault_for_the_accident who_at_fault incident/fault caused_by_you person_at_fault accident_at_fault fault_party driver_at_fault client_at_fault"),
    Field::new("has_attorney", Reader::Boolean("ihaveanattorney ihaveattorney ihavealawyer ihaveone haveanattorney haveattorney hasattorney represented already retained signed current currentlyrepresented haveone", "2 none noattorney notrepresented lookingforone never notyet fired ihadone hadone previously past notcurrently ineedone needone unrepresented idonthaveanattorney idonothaveanattorney donthaveone donthaveanattorney ihadanattorney idonthavealawyer idonothavealawyer donthavealawyer donothavealawyer donothaveanattorney ihadalawyer")).binding()
        .about("Whether a lawyer represents the person in this matter already.")
        .keys("have_attorney attorney has_lawyer have_lawyer currently_represented represented do_you_have_an_attorney attorney_representation have_an_attorney lawyer currently_have_attorney currently_have_an_attorney already_have_attorney retained_attorney has_representation legal_representation is_represented hired_attorney have_a_lawyer do_you_have_a_lawyer current_attorney represented_by_attorney case/attorney has_an_attorney with_attorney existing_attorney hired_an_attorney attorney_hired current_representation case/represented signed_with_attorney attorney_retained"),
    Field::new("settled", Reader::Boolean("settled received accepted", "2 none notsettled never pending")).binding()
        .about("Whether the person has taken a settlement for it.")
        .keys("has_settled already_settled received_settlement settlement accepted_settlement case_settled prior_settlement received_compensation previously_settled signed_settlement claim_settled settlement_received"),
    Field::new("claimant", Reader::Phrase(words::CLAIMANTS, ""))
        .about("Who was harmed, as the person is related to them.")
        .keys("injured_person who_was_injured relationship relationship_to_injured relation injured_party relation_to_injured relationship_to_victim who_is_injured on_behalf_of calling_for relationship_to_claimant who_was_hurt relation_to_claimant"),
    Field::new("language", Reader::Phrase(words::LANGUAGES, ""))
        .about("Language that the person wants to be spoken to in.")
        .keys("preferred_language spoken_language primary_language lang"),
];

/// The injury.
pub(crate) const INJURY: &[Field] = &[
    Field::new("injured", Reader::Boolean("injured hurt injury minor severe moderate serious", "2 none noinjury notinjured uninjured noinjuries")).binding()
        .about("Whether anyone was hurt.")
        .keys("were_you_injured physical_injury was_injured is_injured any_injuries has_injury bodily_injury were_you_hurt injuries_sustained have_injuries did_you_suffer_injury physically_injured physical_injuries sustained_injury have_injury have_you_been_injured suffered_injury personally_injured incident/injured"),
    Field::new("injury_type", Reader::Phrase(words::INJURIES, "none no yes noinjury noinjuries notinjured noinjurysustained uninjured")).binding()
        .about("The worst injury.")
        .keys("primary_injury type_of_injury injury injuries main_injury injury_description_type injury_sustained injury_kind incident/injury incident/injuries accident_injury nature_of_injury injured_body_part body_part kind_of_injury injuries_type type_of_injuries worst_injury incident/injury_type what_type_of_injury"),
    Field::new("treated", Reader::Boolean("treated hospital er emergencyroom doctor chiropractor ongoing current completed received hospitalized urgentcare ambulance surgery physicaltherapy primarycare specialist scheduled", "2 none never notreatment untreated nottreated notyet")).binding()
        .about("Whether a doctor has treated the injury, or is about to.")
        .keys("doctor_treatment medical_treatment received_treatment treatment received_medical_treatment sought_treatment seen_doctor treated_by_doctor seeking_treatment doctor_treated medical_attention received_medical_attention sought_medical_attention seen_a_doctor did_you_see_a_doctor got_treatment under_doctor_care doctor medical_care treated_by_a_doctor had_treatment have_you_seen_a_doctor sought_medical_treatment currently_treating see_doctor incident/treatment treatment_received seeing_doctor doctors_care treated_for_injury have_doctor_treatment doctor_care"),
    Field::new("hospitalized", Reader::Boolean("hospital hospitalized admitted er", "2 none never notadmitted")).binding()
        .about("Whether the person was taken to hospital.")
        .keys("hospitalization was_hospitalized hospital hospital_visit taken_to_hospital hospitalized_or_treated went_to_hospital er_visit were_you_hospitalized hospital_treatment"),
    Field::new("had_surgery", Reader::Boolean("surgery scheduled recommended", "2 none never")).binding()
        .about("Whether the injury needed an operation.")
        .keys("surgery surgery_required needed_surgery required_surgery has_surgery surgical surgeries"),
    Field::new("diagnosis", Reader::TextUnless("none no nodiagnosis notdiagnosed"))
        .about("What a doctor found, as the source names it.")
        .keys("diagnosed_condition condition medical_condition diagnosed_with illness cancer_type type_of_cancer disease medical_diagnosis diagnosis_type diagnosed_injury disability_condition qualifying_injury"),
    Field::new("diagnosis_date", Reader::PastDate)
        .about("Day on which a doctor found it.")
        .keys("date_of_diagnosis diagnosed_date date_diagnosed diagnosed_on when_diagnosed"),
    Field::new("police_report", Reader::Boolean("filed available obtained", "2 none notfiled")).binding()
        .about("Whether the police made a report.")
        .keys("police_report_filed has_police_report police_report_available was_police_report_filed accident_report report_filed police_called have_police_report police_report_made was_there_a_police_report police"),
    Field::new("cited", Reader::Boolean("cited ticketed", "2 none notcited")).binding()
        .about("Whether the person was given a ticket for it.")
        .keys("citation ticketed received_citation were_you_cited got_ticket ticket_received were_you_ticketed client_cited received_ticket ticket"),
    Field::new("accident_role", Reader::Phrase(words::ROLES, ""))
        .about("What the person was in the traffic.")
        .keys("role driver_or_passenger position_in_vehicle were_you_driver vehicle_position occupant_type incident/role person_role victim_role party_role your_role"),
    Field::new("commercial_vehicle", Reader::Boolean("truck commercial semi rideshare uber lyft bus delivery", "2 none personal car private"))
        .about("Whether a truck, bus, cab or delivery van was part of it.")
        .keys("commercial_vehicle_involved truck_involved involved_commercial_vehicle was_commercial_vehicle semi_truck commercial_truck"),
    Field::new("has_insurance", Reader::Boolean("insured active current full liability fullcoverage liabilityonly", "2 none uninsured notinsured noinsurance lapsed")).binding()
        .about("Whether the person is insured against what happened.")
        .keys("have_insurance insured insurance auto_insurance insurance_coverage do_you_have_insurance currently_insured is_insured have_auto_insurance has_auto_insurance own_insurance you_insured insurance_status car_insurance has_car_insurance"),
    Field::new("other_party_insured", Reader::Boolean("insured", "2 none uninsured notinsured noinsurance hitandrun")).binding()
        .about("Whether the other side is insured.")
        .keys("other_driver_insured at_fault_party_insured other_party_has_insurance other_driver_insurance other_insurance defendant_insured third_party_insured at_fault_insured other_party_insurance at_fault_driver_insured opposing_party_insured"),
    Field::new("injured_at_work", Reader::Boolean("work atwork onthejob", "2 none notatwork")).binding()
        .about("Whether it happened at work.")
        .keys("work_related at_work job_related on_the_job happened_at_work work_injury workplace_injury is_work_related work_accident injured_on_the_job accident_at_work was_it_work_related workers_comp"),
    Field::new("missed_work", Reader::Boolean("missed", "2 none never"))
        .about("Whether the injury kept the person from work.")
        .keys("lost_wages missed_work_days lost_work time_off_work unable_to_work_due_to_injury has_missed_work missed_days_of_work lost_income"),
];

/// What benefits, bankruptcy and debt turn on.
pub(crate) const MEANS: &[Field] = &[
    Field::new("working", Reader::Boolean("employed fulltime parttime selfemployed employedfulltime employedparttime working currentlyworking full-time part-time", "2 none unemployed notworking disabled retired notemployed stoppedworking unabletowork student")).binding()
        .about("Whether the person works today.")
        .keys("currently_working employed is_employed is_working employment_status currently_employed work_status working_now are_you_working are_you_currently_working employment able_to_work"),
    Field::new("out_of_work_a_year", Reader::Boolean("expected", "2 none never notexpected")).binding()
        .about("Whether the person has been, or expects to be, unable to work for a year.")
        .keys("expect_out_of_work out_of_work_12_months unable_to_work_12_months out_of_work expect_to_be_out_of_work expected_out_of_work_12_months unable_to_work unable_to_work_for_a_year missed_work_12_months out_of_work_one_year cant_work out_of_work_for_year unable_to_work_year"),
    Field::new("worked_five_of_ten_years", Reader::Boolean("enough", "2 none never")).binding()
        .about("Whether the person worked in five of the last ten years, as disability insurance asks.")
        .keys("worked_5_of_10_years worked_5_of_last_10_years work_history worked_five_years work_credits worked_5_out_of_10 worked_5_out_of_10_years worked_five_of_last_ten worked_last_10_years work_history_5_of_10"),
    Field::new("receiving_benefits", Reader::Boolean("receiving approved ssdi ssi current", "2 none never denied notreceiving applied pending")).binding()
        .about("Whether the person receives disability benefits today.")
        .keys("currently_receiving_benefits receives_benefits receiving_disability receiving_social_security receiving_ssdi currently_receiving_disability has_benefits disability_benefits receiving_disability_benefits getting_benefits benefits receive_benefits"),
    Field::new("applied_for_benefits", Reader::Boolean("applied denied pending appeal filed rejected", "2 none never notapplied")).binding()
        .about("Whether the person has applied for disability benefits.")
        .keys("applied_for_disability applied_before previously_applied has_applied applied_for_ssdi have_you_applied prior_application applied denied previously_denied filed_for_disability applied_for_social_security"),
    Field::new("debt", Reader::Dollars(0, 100_000_000)).binding()
        .about("What the person owes, in whole dollars, without what a house or car secures; of a range, its lower end.")
        .keys("total_debt debt_amount unsecured_debt amount_of_debt credit_card_debt estimated_debt total_unsecured_debt debt_total current_debt unsecured_debt_amount total_debt_amount"),
    Field::new("monthly_income", Reader::DollarsPer(vocabulary::MONTH, 0, 100_000_000)).binding()
        .about("Income in a month, in whole dollars; of a range, its lower end.")
        .keys("income gross_monthly_income income_monthly net_monthly_income total_monthly_income income_per_month monthly_household_income"),
    Field::new("facing_foreclosure", Reader::Boolean("facing pending", "2 none never"))
        .about("Whether the person may lose the home to a lender.")
        .keys("foreclosure in_foreclosure foreclosure_pending behind_on_mortgage is_foreclosure facing_home_foreclosure"),
    Field::new("wages_garnished", Reader::Boolean("garnished", "2 none never"))
        .about("Whether a creditor takes part of the wages.")
        .keys("garnishment wage_garnishment being_garnished wage_garnishments garnished_wages"),
    Field::new("home_owner", Reader::Boolean("own owner owned homeowner ownhome owns mortgage", "2 rent renter rented renting tenant other neither"))
        .about("Whether the person owns a home.")
        .keys("own_home home_ownership homeowner own_or_rent is_homeowner owns_home own_property real_estate"),
];
