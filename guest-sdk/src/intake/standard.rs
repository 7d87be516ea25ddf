//! The fields that every vertical has: where the person lives, how to reach them, what they agreed to, and what a
//! submission says about itself.

use super::table::{Field, Reader, Word};
use super::vocabulary::{CALL_TIMES, MARITAL, OWNS, RENTS};

const GENDER_WORDS: &[Word] = &[
    ("female", "f 2 woman fem w"),
    ("male", "m 1 man"),
    ("nonbinary", "x nb other nonbinaryother 3"),
];

/// The words for credit that carriers use.
pub const CREDIT_WORDS: &[Word] = &[
    ("excellent", "1 superb exceptional great superior a+ verygood"),
    ("good", "2 aboveaverage b"),
    ("fair", "3 average someproblems ok okay c"),
    (
        "poor",
        "4 bad limited limitedcredit nocredit verypoor majorproblems belowaverage needsimprovement d",
    ),
];

/// ZIP code of the home.
pub const ZIP: Field = Field::new("zip", Reader::Zip)
    .binding()
    .about("ZIP code of the home, five digits as text: 02139. Of ZIP+4 the last four are left out; of four digits the leading zero was lost.")
    .keys("zip_code zip5 postal_code postal post_code zip_postal home_zip address_zip address_zip_code contact_zip current_zip lead_zip");
/// State of the home.
pub const STATE: Field = Field::new("state", Reader::State)
    .binding()
    .about("State of the home, USPS code: FL. Taken from the ZIP code if absent; refused if the ZIP code lies elsewhere.")
    .keys("state_code address_state home_state state_name residence_state st us_state state_abbr state_abbreviation state_province contact_state current_state lead_state");
/// City of the home.
pub const CITY: Field = Field::new("city", Reader::Text)
    .about("City of the home.")
    .keys("town city_name address_city home_city contact_city current_city lead_city");
/// County of the home.
pub const COUNTY: Field = Field::new("county", Reader::Text)
    .about("County of the home, as the source names it.")
    .keys("county_name address_county home_county");

/// Where the person lives.
pub const PLACE: &[Field] = &[ZIP.required(), STATE, CITY, COUNTY];

/// Where the person lives, for verticals that can do without a ZIP code.
pub const PLACE_IF_KNOWN: &[Field] = &[ZIP, STATE, CITY, COUNTY];

/// Who the person is, as far as a price may depend on it.
pub const PERSON: &[Field] = &[
    Field::new("date_of_birth", Reader::BirthDate)
        .binding()
        .about("Day of birth. Day and month in numbers are read month first.")
        .keys("dob birth_date birthdate date_birth birth_day_date d_o_b bday"),
    Field::new("age", Reader::Age)
        .about("Age in whole years on the day of the submission, from the date of birth; as sent only without one.")
        .keys("current_age age_years age_in_years lead_age"),
    Field::new("gender", Reader::Word(GENDER_WORDS))
        .binding()
        .about("Gender as the person stated it.")
        .keys("sex gender_code gender_identity"),
];

/// Insurance of the vertical's kind that the person has today.
pub const INSURANCE: &[Field] = &[
    Field::new("currently_insured", Reader::Boolean("insured active current", "2 none uninsured notinsured notcurrentlyinsured lapsed expired")).binding()
        .about("Whether the person has insurance of this kind today.")
        .keys("insured is_insured have_insurance has_insurance current_insured is_currently_insured has_auto_insurance has_home_insurance have_home_insurance insurance_status insured_currently currently_have_insurance have_auto_insurance current_insurance_status"),
    Field::new("current_carrier", Reader::TextUnless("0 none noinsurance notinsured uninsured nocurrentinsurance notcurrentlyinsured no nocurrentlyinsured currentlynotinsured nocoverage"))
        .about("Today's insurer, as the source names it.")
        .keys("current_company insurance_company current_insurance_company current_insurer insurer carrier insurer_name provider current_provider insurance_carrier current_insurance_provider current_policy_insurance_company current_insurance_carrier insurance_provider current_policy_company current_policy_insurer current_policy_carrier current_auto_insurer auto_insurance_company home_insurance_company current_home_insurer current_insurance_company_name current_carrier_name"),
    Field::new("months_insured", Reader::Months("none never")).binding()
        .about("Months of insurance without a gap.")
        .keys("continuous_coverage months_continuously_insured continuous_coverage_months insured_months length_of_coverage continuously_insured continuously_insured_period insured_length current_coverage_length years_insured*12 years_continuously_insured*12 insured_years*12 continuous_coverage_years*12 years_of_continuous_coverage*12 coverage_length duration_insured months_of_continuous_coverage"),
    Field::new("months_with_carrier", Reader::Months("none never"))
        .about("Months with today's insurer.")
        .keys("current_customer months_with_company months_with_current_carrier customer_length years_with_carrier*12 years_with_company*12 years_with_insurer*12 current_insurance_years*12 years_with_current_carrier*12 time_with_carrier time_with_company"),
    Field::new("policy_expires_in_days", Reader::DaysUntil)
        .about("Days from the submission until today's policy ends; less than zero if it has ended.")
        .keys("current_policy_expires policy_expiration policy_expiration_date current_policy_expiration expiration_date policy_expires insurance_expiration insurance_expiration_date current_policy_expiration_date policy_expiry policy_expiry_date policy_expires_on renewal_date policy_end_date expiration current_insurance_expiration coverage_expiration_date current_policy_end_date"),
];

/// Details of a person that several verticals ask for.
pub const MARITAL_STATUS: Field = Field::new("marital_status", Reader::Word(MARITAL))
    .about("Marital status.")
    .keys("marital marital_status_code");
/// Credit, in words.
pub const CREDIT_BAND: Field = Field::new("credit_band", Reader::Credit(CREDIT_WORDS))
    .binding()
    .about("Credit as the person rates it. A score of 720 and more is excellent, 680 good, 580 fair, less poor.")
    .keys("credit credit_rating credit_range credit_tier credit_grade credit_history credit_profile self_credit_rating credit_estimate credit_level self_assessed_credit credit_status credit_quality credit_rate estimated_credit");
/// Credit, as a number.
pub const CREDIT_SCORE: Field = Field::new("credit_score", Reader::Score(CREDIT_WORDS))
    .sharing("credit_band")
    .binding()
    .about("Credit score from 300 to 850, where the source sent a number; of a range, its lower end.")
    .keys("fico fico_score credit_score_range score estimated_credit_score credit_fico fico_range self_reported_credit_score credit_score_value");
/// Whether the person owns the home.
pub const HOME_OWNER: Field = Field::new("home_owner", Reader::Boolean(OWNS, RENTS))
    .binding()
    .about("Whether the person owns the home.")
    .keys("home_ownership homeowner own_home home_owner_status is_homeowner own_or_rent property_ownership own_rent ownership home_status is_home_owner rent_or_own homeownership_status owner_status rent_own housing own_property property_status");
/// The number by which the state knows a person. No ping shows it.
pub const SOCIAL_SECURITY: Field = Field::new("ssn", Reader::SocialSecurity)
    .contact()
    .about("Social Security number, nine digits. One that is blotted out, or zeros, is left out.")
    .keys("social_security_number social_security social_security_no socialsecurity ss_number ssn_number social ss_no ssn_full ssn9 tax_id");
/// When to call.
pub const BEST_TIME_TO_CALL: Field = Field::new("best_time_to_call", Reader::WordOr(CALL_TIMES))
    .about("When the person wants to be called.")
    .keys("best_time call_time best_call_time preferred_call_time time_to_call best_contact_time contact_time call_time_preference best_time_to_contact preferred_contact_time preferred_time contact_preference_time");
/// Who serves or served.
pub const MILITARY: Field = Field::new("military", Reader::Boolean("active activeduty veteran retired military reserve guard nationalguard usmilitary", "2 none never nomilitary nomilitaryexperience civilian"))
    .binding()
    .about("Whether the person or a spouse serves or served in the armed forces.")
    .keys("military_affiliation military_status veteran military_service is_military us_military military_experience armed_forces is_veteran military_or_veteran military_veteran veteran_military va_eligible is_va_eligible served_in_military veteran_status va_eligibility in_military");

/// How the person can be reached. None of it is in a ping's view.
pub const CONTACT: &[Field] = &contact(STREET_ADDRESS);

/// House number and street.
pub const STREET_ADDRESS: Field = Field::new("street_address", Reader::Text)
        .prefers_first_key()
        .contact()
        .about("House number and street.")
        .keys("street address1 address address_1 address_line1 address_line_1 street1 street_1 street_address1 home_address address_street address_street1 address_address1 line1 street_line1 addr addr1 address_line current_address");

/// As [`CONTACT`], for verticals whose street address has keys of its own.
#[must_use]
pub const fn contact(street_address: Field) -> [Field; 8] {
    [
    Field::new("first_name", Reader::Name)
        .required_on_post()
        .contact()
        .about("Given name.")
        .keys("fname firstname given_name name_first lead_first_name contact_first_name customer_first_name f_name forename"),
    Field::new("last_name", Reader::Name)
        .required_on_post()
        .contact()
        .about("Family name.")
        .keys("lname surname family_name name_last lead_last_name contact_last_name customer_last_name l_name"),
    Field::new("email", Reader::Email)
        .required_on_post()
        .contact()
        .about("E-mail address, the domain in lower case.")
        .keys("email_address e_mail_address mail contact_email primary_email email1 customer_email lead_email"),
    Field::new("phone", Reader::Phone)
        .required_on_post()
        .contact()
        .about("Main telephone number: +1 and ten digits. If only others came, the first of them.")
        .keys("phone_number primary_phone telephone tel phone1 contact_phone primary_phone_number telephone_number main_phone customer_phone phone_no phone_primary lead_phone phone_num"),
    Field::new("other_phones", Reader::Phones)
        .contact()
        .about("Further telephone numbers, in the form of `phone`, each once.")
        .keys("cell_phone mobile_phone cell mobile phone_cell phone_mobile mobile_number cell_phone_number mobile_phone_number home_phone phone_home home_phone_number phone2 secondary_phone phone_number_2 alternate_phone alt_phone day_phone evening_phone day_phone_number evening_phone_number daytime_phone work_phone phone_work work_phone_number phone_3 day_time_phone"),
    street_address,
    Field::new("street_address_2", Reader::Text)
        .contact()
        .about("Apartment, suite or unit.")
        .keys("address2 address_line2 street2 apartment apt unit suite address_unit apt_number address_address2 line2 addr2 unit_number"),
    Field::new("ip_address", Reader::Ip)
        .contact()
        .about("Address of the device on which the person filled in the form, IPv4 or IPv6.")
        .keys("ip client_ip user_ip lead_ip remote_ip ckm_ip ip_addr customer_ip visitor_ip ipv4 source_ip_address source_ip device_ip consumer_ip browser_ip lp_ip optin_ip"),
    ]
}

/// What the person wrote freely. People tell there who they are and how to reach them, so no ping shows it.
pub const REMARKS: &[Field] = &[
    Field::new("comments", Reader::Text)
        .prefers_first_key()
        .contact()
        .about("What the person wrote in words of their own: free text that may name people, so no ping shows it.")
        .keys("comment notes note remarks message additional_comments additional_info additional_information additional_details customer_comments lead_comments project_description description_of_project project_details job_description case_description description_of_case case_details describe_your_case describe_your_project incident_description accident_description description_of_incident brief_description description lead_notes other_details explanation"),
    BEST_TIME_TO_CALL,
];

/// What the person agreed to, where, and how the lead can be traced.
pub const CONSENT: &[Field] = &[
    Field::new("tcpa_consent", Reader::Boolean("agree agreed accepted consented granted checked", "2 disagree declined none unchecked"))
        .about("Whether the person agreed in writing to be called, also by automated means.")
        .keys("tcpa_opt_in tcpa_optin call_consent tcpa_agree tcpa_agreed tcpa_flag tcpa_consent_given tcpa_compliant consent_given agree_to_tcpa tcpa_checkbox opt_in phone_consent has_tcpa_consent tcpa_call_consent consent_tcpa express_consent one_to_one_consent"),
    Field::new("sms_consent", Reader::Boolean("agree agreed accepted consented granted checked", "2 disagree declined none unchecked"))
        .about("Whether the person agreed to text messages.")
        .keys("text_consent sms_opt_in tcpa_sms_consent sms_optin text_opt_in"),
    Field::new("tcpa_text", Reader::Text)
        .prefers_first_key()
        .about("The words that the person agreed to.")
        .keys("tcpa_language tcpa_consent_text consent_text consent_language disclosure tcpa_disclosure tcpa_consent_language tcpa_message disclosure_text tcpa_statement consent_statement tcpa_consent_language_text tcpa_disclaimer tcpa_wording"),
    Field::new("trusted_form_url", Reader::TrustedForm)
        .about("TrustedForm certificate: proof of what the person saw and did.")
        .keys("xx_trusted_form_cert_url trusted_form_cert_url trusted_form trusted_form_cert trusted_form_certificate trusted_form_certificate_url tf_cert_url tf_url trustedform_cert_id trusted_form_cert_url_https cert_url xxtrustedformcert xx_trusted_form_token trusted_form_token trusted_form_id tf_certificate_url trustedform_certurl"),
    Field::new("trusted_form_ping_url", Reader::TrustedForm)
        .about("TrustedForm address for pings: the same proof without access to the person's data.")
        .keys("xx_trusted_form_ping_url trusted_form_ping tf_ping_url trustedform_ping_cert_url trustedform_pingurl trusted_form_cert_ping_url"),
    Field::new("jornaya_lead_id", Reader::LeadId)
        .about("Jornaya LeadiD: 36 characters, upper case.")
        .keys("universal_lead_id universal_leadid leadid_token lead_id_token leadid_id jornaya_leadid jornaya jornaya_id jornaya_token universal_lead_id_token leadid_token_id lead_id_code jornaya_lead_id_token leadid_universal leadid_value"),
    Field::new("landing_page", Reader::Text)
        .prefers_first_key()
        .about("Page on which the lead was made, as the source names it.")
        .keys("landing_page_url url application_website application_url source_url client_url page_url original_url website_url website site_url optin_url opt_in_url lead_url lp_url tcpa_url consent_url origin_url form_url landing_url web_site_url"),
    Field::new("user_agent", Reader::Text)
        .prefers_first_key()
        .about("The browser, as it named itself.")
        .keys("ua client_user_agent browser browser_user_agent http_user_agent user_agent_string device_user_agent"),
    Field::new("source_tag", Reader::Text)
        .prefers_first_key()
        .about("The source's name for its traffic.")
        .keys("src traffic_source source_name lead_source"),
    Field::new("publisher_id", Reader::Text)
        .prefers_first_key()
        .about("The source's name or number for whoever brought it the lead.")
        .keys("pub_id affiliate_id aff_id affid partner_sub_id supplier_id lp_supplier_id ckm_affiliate_id"),
    Field::new("sub_id_1", Reader::Text)
        .prefers_first_key()
        .about("The source's own mark, first.")
        .keys("sub_id sub1 sub_1 s1 lp_s1 lp_subid1 sid ckm_subid ckm_subid_1 sub_id1 subid1 publisher_sub_id affiliate_sub_id aff_sub affsub1 aff_sub_1"),
    Field::new("sub_id_2", Reader::Text)
        .prefers_first_key()
        .about("The source's own mark, second.")
        .keys("sub2 s2 lp_s2 lp_subid2 ssid ckm_subid_2 aff_sub_2 sub2id"),
    Field::new("sub_id_3", Reader::Text)
        .prefers_first_key()
        .about("The source's own mark, third.")
        .keys("sub3 s3 lp_s3 lp_subid3 ckm_subid_3 aff_sub_3 sub3id"),
    Field::new("sub_id_4", Reader::Text)
        .prefers_first_key()
        .about("The source's own mark, fourth.")
        .keys("sub4 s4 lp_s4 lp_subid4 ckm_subid_4 aff_sub_4 sub4id"),
    Field::new("sub_id_5", Reader::Text)
        .prefers_first_key()
        .about("The source's own mark, fifth.")
        .keys("sub5 s5 lp_s5 lp_subid5 ckm_subid_5 aff_sub_5 sub5id"),
    Field::new("source_lead_id", Reader::Text)
        .prefers_first_key()
        .about("The source's own number for this lead.")
        .keys("vendor_lead_id xid external_id external_lead_id source_id_lead supplier_lead_id publisher_lead_id lead_ref lead_reference unique_id vendor_id_lead tracking_id partner_lead_id affiliate_lead_id client_lead_id unique_lead_id click_id request_id rid"),
];

/// What a submission says about itself; and the keys whose meaning depends on others. No field of a schema.
pub(super) const ENVELOPE: &[Field] = &[
    // Keys before tokens before campaign numbers: the first that came is the credential.
    Field::new("key", Reader::Text).keys(
        "api_key api_token lp_key lp_campaign_key campaign_key ckm_key affiliate_key source_key partner_key publisher_key vendor_key \
         supplier_key access_key access_token auth_key auth_token auth secret secret_key api_secret source_token campaign_token \
         camp_id campaign_id lp_campaign_id ckm_campaign_id campid partner_id",
    ),
    Field::new("ping_id", Reader::Text).keys(
        "lp_ping_id ping_token auth_code lead_auction_id try_all_buyers_ping_id ping_handle ping_guid ping_uuid ping_lead_id \
         ping_transaction_id transaction_id tx_id txid confirmation confirmation_id confirmation_number order_id reservation_id \
         auction_id ckm_ping_id ping_hash flo_ping_id",
    ),
    Field::new("token", Reader::Text),
    Field::new("lead_id", Reader::Text),
    Field::new("minimum_price", Reader::Price).keys(
        "min_price minimum_bid min_bid floor_price price_floor bid_floor floor reserve_price reserve min_payout minimum_payout \
         minimum_required_bid minimum_required_buyer_bid minimum_required_payout ask_price asking_price minimum_cost min_cost minimum_lead_price lead_price cost",
    ),
    Field::new("deadline_ms", Reader::Milliseconds).keys(
        "timeout_ms t_max max_response_time_ms max_response_ms response_timeout_ms timeout_milliseconds max_wait_ms \
         max_response_time*1000 timeout_seconds*1000 timeout_sec*1000 timeout_secs*1000 deadline_seconds*1000 max_wait_seconds*1000 \
         max_response_time_seconds*1000",
    ),
    Field::new("test", Reader::Boolean("test accepted rejected", "live real production")).keys(
        "test_lead lp_test ckm_test test_mode is_test test_flag is_test_lead test_only testing test_ping test_post sandbox",
    ),
    Field::new("response_format", Reader::Text).keys("format lp_response resp_type response_type"),
    Field::new("lead_mode", Reader::Boolean("live production", "test")),
    Field::new("test_result", Reader::Text).keys("test_type"),
    Field::new("action", Reader::Text).keys("lp_action mode api_mode run_mode"),
    Field::new("tcpa", Reader::Text).keys("consent"),
    Field::new("full_name", Reader::Name).keys("name contact_name customer_name lead_name contact_full_name applicant_name"),
    Field::new("residence_type", Reader::Text).keys("residence residence_status current_residence residence_ownership living_situation housing_status type_of_residence"),
    Field::new("current_insurance", Reader::Text).keys("current_auto_insurance current_health_insurance have_current_insurance"),
    Field::new("height_feet", Reader::Text).keys("height_ft height_foot feet"),
    Field::new("height_inches", Reader::Text).keys("height_in height_inch height_ins inches inch"),
    Field::new("birth_year", Reader::Text).keys("dob_year birth_date_year year_of_birth date_of_birth_year dob_yyyy birthdate_yyyy dob_y"),
    Field::new("birth_month", Reader::Text).keys("dob_month birth_date_month month_of_birth date_of_birth_month dob_mm birthdate_mm dob_m"),
    Field::new("birth_day", Reader::Text).keys("dob_day birth_date_day day_of_birth date_of_birth_day dob_dd birthdate_dd dob_d"),
];
