//! What insurers ask about a home and the cover for it.

use guest_sdk::intake::{Field, Reader, vocabulary};

use crate::words;

pub(crate) const HOME: &[Field] = &[
    Field::new("policy_type", Reader::Word(words::POLICIES)).binding()
        .about("What kind of policy the person asks for.")
        .keys("coverage_type insurance_type policy_form requested_policy_type requested_policy_coverage_type requested_coverage_type type_of_policy type_of_coverage home_insurance_type desired_policy_type"),
    Field::new("property_type", Reader::Word(vocabulary::PROPERTY_TYPES)).binding()
        .about("What is built on the property.")
        .keys("property/type residence_style property/style type_of_home type_of_property dwelling_type type_of_dwelling structure_type property/kind"),
    Field::new("property_use", Reader::Word(vocabulary::PROPERTY_USES)).binding()
        .about("What the home is used for.")
        .keys("occupancy property/use property/usage occupancy_type residency_type home_use primary_use property/occupancy usage_type dwelling_use occupied_by use_of_property residence_use how_is_home_used"),
    Field::new("year_built", Reader::Measure(1600, 2100, "")).binding()
        .about("Year in which the home was built; of a range, its first.")
        .keys("built_year year_of_construction construction_year property/year_built property/built_year year_home_built date_built property/year"),
    Field::new("square_feet", Reader::Measure(0, 100_000, "sqft sf sqfeet squarefeet squarefoot sqf ft2 feet ft")).binding()
        .about("Living space in square feet; of a range, its lower end.")
        .keys("square_footage sq_ft sqft sq_feet living_area living_space square_feet_living property/size property/square_footage approximate_square_footage total_square_feet floor_area property/sqft size_sqft"),
    Field::new("stories", Reader::Decimal(0, 200, "story stories storey storeys floor floors level levels"))
        .about("Number of storeys, such as 1.5.")
        .keys("number_of_stories num_stories stories_count floors number_of_floors storeys no_of_stories levels property/stories"),
    Field::new("units", Reader::Measure(1, 10_000, "unit units family families"))
        .about("Number of dwellings in the building.")
        .keys("number_of_units num_units unit_count units_in_building number_of_families family_count"),
    Field::new("bedrooms", Reader::Measure(0, 100, "bedroom bedrooms bed beds br"))
        .about("Number of bedrooms.")
        .keys("number_of_bedrooms num_bedrooms bedroom_count beds bedrooms_count no_of_bedrooms"),
    Field::new("bathrooms", Reader::Decimal(0, 100, "bathroom bathrooms bath baths ba"))
        .about("Number of bathrooms, such as 2.5.")
        .keys("number_of_bathrooms num_bathrooms bathroom_count baths bathrooms_count no_of_bathrooms number_of_baths"),
    Field::new("construction_type", Reader::WordOr(words::CONSTRUCTION)).binding()
        .about("What the walls are made of.")
        .keys("construction construction_material type_of_construction building_material frame_type wall_construction construction_style home_construction"),
    Field::new("exterior_walls", Reader::Text)
        .about("What the walls look like from outside, as the source names it.")
        .keys("exterior_wall_type exterior_construction wall_type exterior siding exterior_material siding_type exterior_wall outside_walls"),
    Field::new("roof_type", Reader::WordOr(words::ROOFS)).binding()
        .about("What the roof is covered with.")
        .keys("roof roof_material type_of_roof roof_cover roofing_material roof_covering roofing property/roof"),
    Field::new("roof_age_years", Reader::Measure(0, 300, "year years yr yrs yearsold yearold old")).binding()
        .about("Age of the roof in whole years; of a range, its lower end.")
        .keys("roof_age age_of_roof roof_age_in_years roof_years"),
    Field::new("roof_year", Reader::Measure(1600, 2100, ""))
        .about("Year in which the roof was laid or renewed.")
        .keys("year_roof_replaced roof_replaced_year roof_update_year year_roof_updated roof_installed_year roof_year_replaced roof_updated"),
    Field::new("foundation_type", Reader::WordOr(words::FOUNDATIONS))
        .about("What the home stands on.")
        .keys("foundation type_of_foundation foundation_material basement_type"),
    Field::new("heating_type", Reader::WordOr(words::HEATING))
        .about("What the home is heated with.")
        .keys("heating heat_type heat_source primary_heat heating_source heating_system type_of_heating primary_heat_source heating_fuel primary_heating"),
    Field::new("garage_type", Reader::WordOr(words::GARAGES))
        .about("Where a car stands.")
        .keys("garage garage_style type_of_garage parking_type"),
    Field::new("property_value", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("What the home would sell for, in whole dollars; of a range, its lower end.")
        .keys("property/value home_value market_value estimated_value estimated_home_value current_value home_market_value value_of_home property/market_value property/estimated_value purchase_price"),
    Field::new("dwelling_coverage", Reader::Dollars(0, 1_000_000_000)).binding()
        .about("Cover for the building, in whole dollars; of a range, its lower end.")
        .keys("replacement_cost coverage_amount dwelling_amount requested_dwelling_coverage coverage_a dwelling_value rebuild_cost coverage_requested dwelling_limit replacement_value home_coverage_amount estimated_replacement_cost desired_coverage_amount requested_coverage_amount amount_of_coverage"),
    Field::new("personal_property_coverage", Reader::Dollars(0, 1_000_000_000))
        .about("Cover for belongings, in whole dollars.")
        .keys("contents_coverage personal_property coverage_c personal_property_amount contents_value personal_property_limit"),
    Field::new("liability_coverage", Reader::Dollars(0, 1_000_000_000))
        .about("Cover for liability, in whole dollars.")
        .keys("personal_liability liability liability_limit coverage_e liability_amount personal_liability_coverage"),
    Field::new("deductible", Reader::Dollars(101, 1_000_000))
        .about("What the person bears of each claim, in whole dollars.")
        .keys("deductible_amount desired_deductible requested_deductible current_deductible all_perils_deductible policy_deductible"),
    Field::new("deductible_percent", Reader::Percent(0, 100)).sharing("deductible")
        .about("What the person bears of each claim, in percent of the cover."),
    Field::new("newly_purchased", Reader::Boolean("new recently", "2 none existing")).binding()
        .about("Whether the home was bought a short time ago, or is being bought.")
        .keys("new_purchase recently_purchased is_new_purchase new_home_purchase new_home purchased_recently buying_a_home closing_soon"),
    Field::new("purchase_date", Reader::Date)
        .about("Day on which the home was or will be bought.")
        .keys("home_purchase_date date_purchased closing_date date_of_purchase property/purchase_date"),
    Field::new("desired_start_date", Reader::Date)
        .about("Day on which cover should begin.")
        .keys("start_date effective_date coverage_start_date policy_start_date requested_start_date requested_effective_date desired_effective_date"),
    Field::new("claims", Reader::Any("claim claims filed", "none never noclaims")).sharing("claim_count").binding()
        .about("Whether the person made a claim within five years. A number of them is yes from one up.")
        .keys("any_claims has_claims had_claims claims_last_5_years claims_in_past_5_years claims_last_3_years claims_in_past_3_years claim prior_claims recent_claims claims_history losses home_claims filed_claims claims_past_5_years any_claims_past_3_years claims_in_last_3_years claims_in_last_5_years"),
    Field::new("claim_count", Reader::Count("claim")).binding()
        .about("Number of claims within five years; counted where the source lists them.")
        .keys("number_of_claims num_claims claims_count how_many_claims no_of_claims total_claims claim_number_last_5_years"),
];
