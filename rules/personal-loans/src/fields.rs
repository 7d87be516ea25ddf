//! What lenders ask about the loan, the income that pays it back, the account it is paid to, the home, and who the
//! person is to banks and the state.

use guest_sdk::intake::{Field, Reader, standard, vocabulary};

use crate::words;

pub(crate) const LOAN: &[Field] = &[
    Field::new("loan_amount", Reader::Dollars(0, 10_000_000)).required().binding()
        .about("Amount that is asked for, in whole dollars; of a range, its lower end.")
        .keys("requested_amount amount requested_loan_amount loan_amount_requested amount_requested desired_loan_amount desired_amount loan_requested cash_amount loan_request_amount loan_amt requested_loan loan_size amount_needed borrow_amount amount_to_borrow cash_needed"),
    Field::new("loan_type", Reader::Word(words::TYPES)).binding()
        .about("How the loan is to be paid back.")
        .keys("product_type product loan_product type_of_loan loan_category numcategory requested_loan_type"),
    Field::new("loan_purpose", Reader::WordOr(words::PURPOSES)).binding()
        .about("What the money is for.")
        .keys("purpose purpose_of_loan loan_reason reason_for_loan use_of_funds loan_use purpose_of_funds reason intended_use loan_purpose_id"),
    Field::new("loan_term_months", Reader::Months("")).binding()
        .about("How long the loan is to run, in months.")
        .keys("loan_term term desired_term loan_length term_months requested_term loan_duration repayment_term loan_term_years*12 term_in_months"),
    standard::CREDIT_BAND.sharing("credit_score"),
    standard::CREDIT_SCORE,
    Field::new("total_debt", Reader::Dollars(0, 100_000_000)).binding()
        .about("What the person owes without security, in whole dollars; of a range, its lower end.")
        .keys("unsecured_debt credit_card_debt debt_amount total_unsecured_debt debt current_debt amount_of_debt unsecured_debt_amount estimated_debt total_debt_amount"),
    Field::new("bankruptcy", Reader::Boolean("filed chapter7 chapter13 discharged", "2 none never")).binding()
        .about("Whether the person was bankrupt within seven years.")
        .keys("bankrupt had_bankruptcy filed_bankruptcy bankruptcies bankruptcy_filed has_bankruptcy declared_bankruptcy in_bankruptcy active_bankruptcy"),
];

pub(crate) const INCOME: &[Field] = &[
    Field::new("employment_status", Reader::WordOr(vocabulary::EMPLOYMENT)).binding()
        .about("How the person earns a living.")
        .keys("income_source income_type source_of_income employer/type employer/status employer/source employment_type job_status employed primary_income_source income_source_type employment_situation is_employed main_income_source work_status"),
    Field::new("monthly_income", Reader::DollarsPer(vocabulary::MONTH, 0, 10_000_000)).binding()
        .about("Income in a month, before taxes where the source tells, in whole dollars; of a range, its lower end.")
        .keys("gross_monthly_income monthly_gross_income income_monthly income_amount employer/monthly_income employer/gross_monthly_income employer/amount employer/monthly total_monthly_income month_income monthly_income_amount monthly_pay monthly_salary income_per_month"),
    Field::new("net_monthly_income", Reader::DollarsPer(vocabulary::MONTH, 0, 10_000_000)).binding()
        .about("Income in a month after taxes, in whole dollars; of a range, its lower end.")
        .keys("monthly_net_income net_income income_net employer/net_monthly_income employer/monthly_net income_monthly_net take_home_pay net_pay_monthly monthly_income_net monthly_take_home"),
    Field::new("annual_income", Reader::DollarsPer(vocabulary::YEAR, 0, 100_000_000)).binding()
        .about("Income in a year before taxes, in whole dollars; of a range, its lower end.")
        .keys("yearly_income gross_annual_income annual_gross_income employer/annual_income annual_salary income_annual household_income annual_household_income employer/gross_annual_income"),
    Field::new("pay_frequency", Reader::WordOr(vocabulary::PAY_FREQUENCIES)).binding()
        .about("How often the person is paid.")
        .keys("pay_period payment_frequency paycheck_frequency income_frequency pay_cycle employer/pay_frequency employer/payment_frequency employer/frequency payroll_frequency employer/payroll_frequency how_often_paid income_payment_frequency pay_schedule paid_every pay_per"),
    Field::new("direct_deposit", Reader::Boolean("directdeposit dd electronic electronicdeposit", "2 check paper papercheck cash nodirectdeposit none paycheck")).binding()
        .about("Whether the pay goes straight to the account.")
        .keys("is_direct_deposit has_direct_deposit employer/direct_deposit employer/is_direct_deposit bank/direct_deposit pay_method income_payment_method employer/payroll_type employer/payment_type paid_by income_pay_type deposit_type payroll_type how_paid income_direct_deposit"),
    Field::new("next_pay_date", Reader::Date)
        .about("Day of the next pay.")
        .keys("next_payday next_pay next_paycheck_date pay_date_1 pay_date1 next_pay_period employer/next_pay_date employer/next_payday employer/next_payroll_date next_payment_date first_pay_date income_next_date income_next_date1 next_pay_day employer/pay_date_1 next_paydate_1 payday_1"),
    Field::new("second_pay_date", Reader::Date)
        .about("Day of the pay after the next.")
        .keys("second_payday following_pay_date second_pay second_pay_period pay_date_2 next_pay_date_2 income_next_date2 second_paycheck_date employer/second_pay_date employer/following_pay_date following_payday next_next_pay_date second_pay_day payday_2"),
    Field::new("employer_name", Reader::Text).contact()
        .about("Employer, as the source names it. With a city it leads to the person, so no ping shows it.")
        .keys("employer/name employer company_name company work_company_name emp_name place_of_employment employer/company employer/company_name current_employer work_name employer/employer"),
    Field::new("employer_phone", Reader::Phone).contact()
        .about("Telephone number of the employer: +1 and ten digits.")
        .keys("employer/phone employer/phone_number employer/work_phone emp_phone"),
    Field::new("job_title", Reader::Text)
        .about("Occupation, as the source names it.")
        .keys("occupation job position employer/title employer/job_title employer/position employer/occupation profession work_title"),
    Field::new("months_employed", Reader::Months("none")).binding()
        .about("Months with the employer. Years under another key are added.")
        .keys("months_at_employer employer/months employer/length employer/months_employed employer/duration time_at_employer employed_months job_months months_at_job length_of_employment months_on_job employment_months employer/length_months time_employed job_time_months years_employed*12 years_at_employer*12 year_at_employer*12 employer/years*12 employer/years_employed*12 years_at_job*12 employment_years*12 employed_years*12 years_on_job*12 job_time_years*12 employer/length_years*12 time_employed_years*12 employer/time_at_job"),
    Field::new("active_military", Reader::Boolean("active activeduty military reserve guard dependent", "2 none never civilian veteran retired")).binding()
        .about("Whether the person, or whoever supports the person, serves in the armed forces now: the law caps what such a loan may cost.")
        .keys("military is_military military_active in_military active_duty is_military_member military_status member_of_military military_member armed_forces is_active_military military_service active_duty_military"),
];

pub(crate) const BANK: &[Field] = &[
    Field::new("bank_name", Reader::TextUnless("none no nobank"))
        .about("Bank, as the source names it.")
        .keys("bank/name bank name_of_bank bank/institution bank/bank financial_institution institution_name"),
    Field::new("bank_account_type", Reader::Word(words::ACCOUNTS)).binding()
        .about("What kind of account the person has.")
        .keys("bank/type bank/account_type account_type type_of_account acct_type bank/acct_type checking_or_savings"),
    Field::new("months_at_bank", Reader::Months("none")).binding()
        .about("Months since the account was opened. Years under another key are added.")
        .keys("bank/months bank/length bank/account_length months_with_bank bank/account_months bank/account_length_months account_months account_age_months bank/duration time_at_bank bank/length_months bank/time_months bank/months_open years_with_bank*12 years_at_bank*12 bank/years*12 bank/account_years*12 bank/account_length_years*12 bank/length_years*12 account_years*12 bank/time_years*12"),
    Field::new("bank_routing_number", Reader::Routing).contact()
        .about("Routing number of the bank: nine digits, checked.")
        .keys("bank/routing_number bank/routing bank/aba bank/aba_number bank/aba_routing bank/aba_routing_number bank/routing_no routing_number routing aba aba_number aba_routing aba_routing_number routing_no bank/routing_code bank/transit_number aba_no bank/aba_no"),
    Field::new("bank_account_number", Reader::Digits(4, 17)).contact()
        .about("Number of the account: 4 to 17 digits.")
        .keys("bank/account_number bank/account bank/account_no bank/acct_number bank/acct bank/number account_number account_no acct_number account_num bank/account_num checking_account_number bank/acct_no bank/acc_number"),
    Field::new("bank_phone", Reader::Phone).contact()
        .about("Telephone number of the bank: +1 and ten digits.")
        .keys("bank/phone bank/phone_number"),
];

pub(crate) const HOME: &[Field] = &[
    standard::HOME_OWNER,
    Field::new("months_at_residence", Reader::Months("none")).binding()
        .about("Months at the address. Years under another key are added.")
        .keys("months_at_address residence_months address_months length_at_residence time_at_residence months_at_home residence_length address_length months_living_at_address residence_length_months time_at_address address_length_months length_at_address home_months years_at_residence*12 year_at_residence*12 years_at_address*12 residence_years*12 address_years*12 residence_length_years*12 address_length_years*12 time_at_residence_years*12 years_at_home*12 home_years*12"),
    Field::new("monthly_housing_payment", Reader::DollarsPer(vocabulary::MONTH, 0, 1_000_000))
        .about("Rent or mortgage in a month, in whole dollars.")
        .keys("rent_amount monthly_rent housing_payment rent_payment mortgage_payment rent_or_mortgage monthly_residence_cost monthly_mortgage_payment rent_mortgage residence_payment housing_cost monthly_housing_cost home_payment residence_cost rent_mortgage_payment"),
    Field::new("owns_car", Reader::Boolean("own paid", "2 none lease leased"))
        .about("Whether the person owns a car.")
        .keys("has_car car_owner has_vehicle own_car vehicle_owner own_vehicle auto_title has_car_title"),
    standard::BEST_TIME_TO_CALL,
];

pub(crate) const IDENTITY: &[Field] = &[
    Field::new("us_resident", Reader::Boolean("citizen resident uscitizen permanentresident", "2 none neither")).binding()
        .about("Whether the person is a citizen or lives in the United States for good.")
        .keys("us_citizen citizen is_us_citizen us_residence usresidence is_citizen citizenship us_residency citizenship_status is_us_resident"),
    Field::new("drivers_license_state", Reader::State)
        .about("State that issued the driver's licence.")
        .keys("driver_license_state license_state dl_state licence_state drivers_licence_state id_state driving_license_state issuing_state state_id_state"),
    Field::new("drivers_license_number", Reader::Text).contact()
        .about("Number of the driver's licence or the state's card.")
        .keys("drivers_license driver_license driver_license_number license_number dl_number dln drivers_licence drivers_licence_number driving_license driving_license_number state_id state_id_number id_number license_no dl drivers_license_no drivers_lic"),
    standard::SOCIAL_SECURITY,
    Field::new("ssn_last_four", Reader::Digits(4, 4)).contact()
        .about("Last four digits of the Social Security number.")
        .keys("ssn_last_4 last_four_ssn last_4_ssn ssn4 ssn_last4 last4_ssn last_4_of_ssn social_last_4 last4ssn"),
    Field::new("middle_name", Reader::Name).contact()
        .about("Middle name or its first letter.")
        .keys("middle_initial mname name_middle middlename initial middle"),
];
