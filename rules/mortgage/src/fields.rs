//! What lenders ask about the loan, about the loans that are on the property today, about the purchase, and about the
//! borrower.

use guest_sdk::intake::{Field, Reader, standard, vocabulary};

use crate::words;

pub(crate) const LOAN: &[Field] = &[
    Field::new("loan_purpose", Reader::Word(words::PURPOSES)).sharing("loan_type").binding()
        .about("What the loan is for.")
        .keys("purpose_of_loan purpose product_type product loan_product mortgage_purpose transaction_type numcategory type_of_loan loan_category request_purpose mortgage_product proposed_loan_purpose"),
    Field::new("loan_type", Reader::Word(words::PROGRAMS)).sharing("loan_purpose").binding()
        .about("Programme under which the loan is asked for.")
        .keys("mortgage_type loan_program program mortgage_program desired_loan_type requested_loan_type loan_programs desired_loan_program"),
    Field::new("rate_type", Reader::Word(words::RATES)).sharing("loan_type").binding()
        .about("Whether the rate that is asked for is fixed.")
        .keys("desired_rate_type desired_rate interest_rate_type loan_rate_type amortization_type requested_rate_type fixed_or_adjustable mortgage_rate_type desired_loan_rate_type"),
    Field::new("loan_term_months", Reader::Term).sharing("rate_type")
        .about("How long the loan is to run, in months. A bare number up to 50 counts years.")
        .keys("loan_term term desired_term loan_length mortgage_term desired_loan_term term_months requested_term loan_duration"),
    Field::new("loan_amount", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("Amount that is asked for, in whole dollars; of a range, its lower end.")
        .keys("amount desired_loan_amount requested_loan_amount requested_amount loan_amount_requested mortgage_amount amount_requested loan_size amount_desired est_loan_amount new_loan_amount estimated_loan_amount loan_amt total_loan_amount base_loan_amount desired_amount"),
    Field::new("property_value", Reader::Dollars(0, 1_000_000_000)).sharing("purchase_price").binding()
        .about("What the property is worth, or costs, in whole dollars; of a range, its lower end.")
        .keys("property/value property/estimated_value property/market_value property/appraised_value estimated_value home_value estimated_home_value estimated_property_value current_home_value current_value appraised_value house_value market_value value_of_home est_property_value est_home_value current_property_value present_value est_val"),
    Field::new("loan_to_value", Reader::Percent(0, 300)).binding()
        .about("Loans in percent of the property's value; of a range, the lower end.")
        .keys("ltv ltv_percentage ltv_percent ltv_ratio loan_to_value_ratio loan_to_value_percent cltv combined_ltv calculated_ltv est_ltv"),
    Field::new("property_type", Reader::Word(vocabulary::PROPERTY_TYPES)).binding()
        .about("What is built on the property.")
        .keys("property/type home_type type_of_property type_of_home building_type property/description dwelling_type property_style house_type kind_of_property"),
    Field::new("property_use", Reader::Word(vocabulary::PROPERTY_USES)).binding()
        .about("What the property is or will be used for.")
        .keys("property/use property/usage property/occupancy occupancy occupancy_type residency_type residence_use home_use usage_type intended_use use_of_property property_purpose intended_property_use property_will_be"),
    Field::new("units", Reader::Measure(1, 10_000, "unit units family families"))
        .about("Number of dwellings on the property.")
        .keys("number_of_units num_units property/units unit_count no_of_units"),
];

pub(crate) const TODAY: &[Field] = &[
    Field::new("mortgage_balance", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("What is owed on the first mortgage, in whole dollars; of a range, its lower end.")
        .keys("first_mortgage_balance current_mortgage_balance existing_mortgage_balance balance_owed loan_balance mortgage_owed existing_balance current_loan_balance amount_owed remaining_balance mortgage_balance_1 first_mort_balance 1st_mortgage_balance outstanding_mortgage_balance first_mortgage_amount current_balance first_loan_balance remaining_mortgage_balance mortgage1_balance outstanding_balance mort1_bal existing_loan_balance"),
    Field::new("mortgage_rate", Reader::Percent(0, 30)).binding()
        .about("Interest on the first mortgage, in percent a year.")
        .keys("first_mortgage_rate current_interest_rate interest_rate current_rate existing_rate first_mort_rate current_mortgage_rate first_mortgage_interest_rate mortgage_interest_rate 1st_mortgage_rate first_loan_interest_rate existing_interest_rate mortgage1_rate"),
    Field::new("mortgage_payment", Reader::DollarsPer(vocabulary::MONTH, 0, 10_000_000))
        .about("What is paid for the first mortgage in a month, in whole dollars.")
        .keys("monthly_mortgage_payment current_mortgage_payment first_mortgage_payment current_monthly_payment existing_payment monthly_payment mortgage_monthly_payment first_loan_monthly_payment"),
    Field::new("mortgage_lender", Reader::TextUnless("none no"))
        .about("Today's lender, as the source names it.")
        .keys("current_lender mortgage_company existing_lender current_mortgage_company lender lender_name first_mortgage_lender current_mortgage_lender first_loan_lender"),
    Field::new("current_loan_type", Reader::Word(words::PROGRAMS))
        .about("Programme of the first mortgage.")
        .keys("existing_loan_type current_loan_program current_mortgage_type existing_mortgage_type"),
    Field::new("current_fha_loan", Reader::Boolean("fha", "2 none"))
        .about("Whether the first mortgage is insured by the Federal Housing Administration.")
        .keys("fha_loan has_fha_loan existing_fha is_fha_loan current_loan_fha have_fha_loan existing_fha_loan"),
    Field::new("current_va_loan", Reader::Boolean("va", "2 none"))
        .about("Whether the first mortgage is guaranteed by the Department of Veterans Affairs.")
        .keys("va_loan has_va_loan existing_va is_va_loan current_loan_va have_va_loan existing_va_loan"),
    Field::new("second_mortgage", Reader::Any("second", "none never")).sharing("second_mortgage_balance").binding()
        .about("Whether there is a second mortgage or line of credit on the property.")
        .keys("has_second_mortgage have_second_mortgage existing_second_mortgage second_loan 2nd_mortgage has_2nd_mortgage"),
    Field::new("second_mortgage_balance", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("What is owed on the second mortgage, in whole dollars; of a range, its lower end.")
        .keys("second_mort_balance 2nd_mortgage_balance second_loan_balance second_mortgage_amount mortgage_balance_2nd mortgage2_balance second_balance heloc_balance mort2_bal second_mortgage_loan_balance"),
    Field::new("second_mortgage_rate", Reader::Percent(0, 30))
        .about("Interest on the second mortgage, in percent a year.")
        .keys("second_mort_rate 2nd_mortgage_rate second_loan_interest_rate second_mortgage_interest_rate mortgage2_rate"),
    Field::new("wants_cash_out", Reader::Any("cashout", "none never nocashout")).sharing("cash_out_amount").binding()
        .about("Whether the person wants money beyond what is owed.")
        .keys("want_cash_out need_cash cashout_requested is_cash_out take_cash_out"),
    Field::new("cash_out_amount", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("Money wanted beyond what is owed, in whole dollars; of a range, its lower end.")
        .keys("cash_out additional_cash cashout cashout_amount additional_cash_amount cash_out_amt cash_back desired_cash_out requested_cash_out equity_amount additional_cash_out cash_amount cash_needed money_out"),
    Field::new("cash_out_reason", Reader::Text)
        .about("What that money is for, as the source names it.")
        .keys("reason_for_cash_out cash_out_purpose cashout_reason use_of_funds reason_for_loan cash_out_use purpose_of_funds"),
    Field::new("late_payments", Reader::Any("late missed", "none never current ontime")).binding()
        .about("Whether a payment for a mortgage was late within a year. A number of them is yes from one up.")
        .keys("mortgage_late number_of_mortgage_lates missed_payments late_mortgage_payments number_of_late_payments mortgage_lates behind_on_payments lates payments_behind num_mortgage_lates late_payments_12_months has_late_payments mortgage_late_payments"),
];

pub(crate) const PURCHASE: &[Field] = &[
    Field::new("purchase_price", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("Price of the property, in whole dollars; of a range, its lower end.")
        .keys("property/price property/purchase_price new_home_value home_price target_price new_home_price desired_purchase_price home_purchase_price sale_price sales_price estimated_purchase_price original_purchase_price price_of_home"),
    Field::new("down_payment", Reader::Dollars(101, 1_000_000_000)).binding()
        .about("What the person pays at once, in whole dollars; of a range, its lower end.")
        .keys("down_payment_amount estimated_down_payment downpayment_amt deposit_amount cash_down est_down_payment down_pmt amount_down"),
    Field::new("down_payment_percent", Reader::Percent(0, 100)).sharing("down_payment").binding()
        .about("What the person pays at once, in percent of the price. A down payment of 100 or less is read as this.")
        .keys("down_payment_percentage percent_down down_payment_pct down_percent percentage_down down_payment_range"),
    Field::new("found_home", Reader::Boolean("found undercontract signed", "2 none looking searching stilllooking notyet")).binding()
        .about("Whether the person has found the property.")
        .keys("property_found found_property selected_property home_found has_found_home found_a_home house_found specific_property identified_property spec_home has_property property_identified is_home_found"),
    Field::new("purchase_contract", Reader::Boolean("signed accepted undercontract", "2 none notyet")).binding()
        .about("Whether the seller has agreed in writing.")
        .keys("purchase_agreement signed_purchase_agreement signed_contract under_contract accepted_offer purchase_contract_signed signed_agreement in_contract offer_accepted accepted_purchase"),
    Field::new("purchase_timeframe", Reader::Word(words::TIMEFRAMES)).binding()
        .about("When the person means to buy.")
        .keys("buy_timeframe timeframe time_frame purchase_time_frame buying_timeframe purchase_timing purchase_time days_from_buying purchase_plan when_buying purchase_timeline timeline plan_to_purchase home_purchase_timeframe closing_timeframe purchase_situation loan_timeframe"),
    Field::new("first_time_buyer", Reader::Boolean("firsttime", "2 none")).binding()
        .about("Whether the person buys a home for the first time.")
        .keys("first_time_home_buyer first_time_homebuyer is_first_time_buyer first_home first_time_purchase is_first_time_home_buyer first_purchase borrower_is_first_home_buyer first_time"),
    Field::new("has_agent", Reader::Boolean("agent realtor", "2 none")).binding()
        .about("Whether a real estate agent works for the person.")
        .keys("agent_found real_estate_agent has_realtor working_with_agent has_real_estate_agent working_with_realtor realtor working_with_real_estate_agent have_agent with_realtor have_real_estate_agent have_realtor using_agent"),
    Field::new("closing_date", Reader::Date)
        .about("Day on which the purchase is to be closed.").keys("estimated_closing_date expected_closing_date close_date"),
];

pub(crate) const BORROWER: &[Field] = &[
    standard::CREDIT_BAND.sharing("credit_score"),
    standard::CREDIT_SCORE,
    standard::HOME_OWNER,
    standard::MILITARY,
    Field::new("employment_status", Reader::WordOr(vocabulary::EMPLOYMENT)).binding()
        .about("How the person earns a living.")
        .keys("employment_type employment job_status employed occupation_status work_status employer/status employer/type employment_situation is_employed income_source source_of_income"),
    Field::new("annual_income", Reader::DollarsPer(vocabulary::YEAR, 0, 100_000_000)).binding()
        .about("Income before taxes in a year, in whole dollars; of a range, its lower end.")
        .keys("gross_annual_income yearly_income annual_gross_income household_income annual_household_income total_annual_income income_annual gross_income_annual employer/annual_income est_annual_income"),
    Field::new("monthly_income", Reader::DollarsPer(vocabulary::MONTH, 0, 10_000_000)).binding()
        .about("Income before taxes in a month, in whole dollars; of a range, its lower end.")
        .keys("gross_monthly_income monthly_gross_income income_monthly total_monthly_income monthly_household_income employer/monthly_income"),
    Field::new("monthly_debt", Reader::DollarsPer(vocabulary::MONTH, 0, 10_000_000))
        .about("What the person pays for debts in a month, in whole dollars.")
        .keys("monthly_debts monthly_debt_payments monthly_expenses total_monthly_debt monthly_obligations"),
    Field::new("bankruptcy", Reader::Boolean("filed chapter7 chapter13 discharged", "2 none never")).binding()
        .about("Whether the person was bankrupt within seven years.")
        .keys("bankrupt had_bankruptcy filed_bankruptcy bankruptcies bankruptcy_filed bankruptcy_in_last_7_years has_bankruptcy declared_bankruptcy bankruptcy_or_foreclosure bk has_filed_bankruptcy"),
    Field::new("foreclosure", Reader::Boolean("foreclosed", "2 none never")).binding()
        .about("Whether a home of the person was foreclosed within seven years.")
        .keys("had_foreclosure foreclosures has_foreclosure foreclosure_in_last_7_years foreclosed fc"),
    Field::new("co_borrower", Reader::Boolean("joint coborrower spouse", "2 none single individual")).binding()
        .about("Whether somebody borrows together with the person.")
        .keys("has_co_borrower coapplicant co_applicant has_coapplicant joint_application is_joint has_coborrower"),
    standard::MARITAL_STATUS,
    standard::BEST_TIME_TO_CALL,
    standard::SOCIAL_SECURITY,
];
