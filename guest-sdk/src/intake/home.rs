//! The fields of every vertical that sells work on a house: who owns it, what kind of house it is, and how it would do
//! under solar panels.

use super::standard;
use super::table::{Field, Reader, Word};
use super::vocabulary::{MONTH, OWNS, PROPERTY_TYPES, RENTS};

const SHADE: &[Word] = &[
    (
        "none",
        "no 0 noshade notshaded unshaded fullsun fullsunlight sunny verysunny alldaysun nottoomuchshade fullysunny open clear",
    ),
    (
        "some",
        "1 yes little alittle alittleshade littleshade minimal light mostlysunny mostlysun partial partially partialshade partialsun partialsunlight partlyshaded partiallyshaded someshade medium moderate moderateshade somewhat",
    ),
    (
        "much",
        "2 alot alotofshade lots lotsofshade heavy heavyshade heavilyshaded muchshade mostlyshaded mostlyshade mostshade fullshade fullyshaded completelyshaded severe severeshade shaded allshade veryshaded",
    ),
];

const ROOFS: &[Word] = &[
    (
        "asphalt-shingle",
        "asphalt shingle compshingle composition compositionshingle compositeshingle compositionroll asphaltcomposition asphaltroofing fiberglassshingle architecturalshingle dimensionalshingle comp",
    ),
    (
        "metal",
        "tin steel sheetmetal standingseam standingseammetal metalshingle aluminum corrugated",
    ),
    (
        "tile",
        "clay claytile concretetile spanishtile curvedtile flattile terracotta clayorconcretetile curvedtileconcrete flattileconcrete cementtile ceramictile",
    ),
    ("slate", "naturalslate traditionalslate natural-slate slatetile slateroofing clayorslatetile"),
    ("wood-shake", "wood shake cedar cedarshake woodshingle woodshakecomp cedarshingle shakewood"),
    (
        "flat",
        "foam membrane rolled builtup torchdown tarandgravel targravel gravel tpo epdm rubber flatroof flatrolledcomp singleply membraneorfoam flatfoamsingleply",
    ),
    ("other", "none groundmount"),
];

/// Who may order work on the house, and what kind of house it is.
pub const HOUSE: &[Field] = &[
    Field::new("home_owner", Reader::Boolean(OWNS, RENTS)).binding()
        .about("Whether the person owns the home.")
        .keys("owner homeowner home_ownership own_home owns_home home_owner_status is_homeowner own_or_rent property_ownership ownership own_rent home_status is_home_owner rent_or_own homeownership_status owner_status property_owner own_property do_you_own_your_home do_you_own_the_home own_or_rent_home own_the_home ownership_status property/ownership property/owner property/owned owner_or_renter ownrent rent_own are_you_the_homeowner"),
    Field::new("may_authorize", Reader::Boolean("authorized decisionmaker owner homeowner", "2 none notauthorized"))
        .about("Whether the person may order work on the home.")
        .keys("decision_maker authorized authorized_to_make_changes homeowner_authorization owner_authorization authorized_to_make_property_changes home_owner_authorization property/authorized permission_to_make_changes authorization authorized_to_make_decisions is_decision_maker"),
    Field::new("property_type", Reader::Phrase(PROPERTY_TYPES, "residential")).sharing("residential").binding()
        .about("What kind of building it is.")
        .keys("home_type house_type building_type dwelling_type type_of_home type_of_property type_of_building housing_type property/type property_kind property_style structure_type building/type home_style"),
    Field::new("residential", Reader::Boolean("residential home residence", "2 commercial business office retail")).sharing("property_type").binding()
        .about("Whether people live in the building: no is a business.")
        .keys("residential_or_commercial is_residential property_use building_use commercial_or_residential property/use residential_commercial location_type property_usage property_class"),
    Field::new("year_built", Reader::Integer(1600, 2100))
        .about("Year in which the building was built.")
        .keys("built_year home_built year_home_built property/year_built property_year_built yr_built construction_year home_year_built"),
    Field::new("square_feet", Reader::Measure(0, 1_000_000, "sqft squarefeet sf ft2 feet ft sqfeet squareft"))
        .about("Floor area of the building in square feet; of a range, its lower end.")
        .keys("square_footage sqft sq_ft home_square_footage home_size house_size property_size property/square_feet property/square_footage home_sqft living_area property_sqft property_square_footage"),
    Field::new("stories", Reader::Measure(0, 200, "story stories storey storeys floor floors level levels"))
        .about("Storeys of the building; of a range, its lower end.")
        .keys("number_of_stories num_stories floors_count number_of_floors stories_count storeys home_stories property/stories how_many_stories"),
];

/// What an installer of solar panels prices by.
pub const SUN: &[Field] = &[
    Field::new("electric_bill", Reader::DollarsPer(MONTH, 0, 1_000_000)).says("service", "solar").binding()
        .about("What the household pays for electricity in a month, in whole dollars; of a range, its lower end.")
        .keys("monthly_electric_bill average_electric_bill electricity_bill monthly_bill monthly_electricity_bill avg_electric_bill avg_monthly_electric_bill average_monthly_electric_bill average_monthly_bill power_bill monthly_power_bill energy_bill monthly_energy_bill electric_bill_amount electric_bill_monthly electric_bill_range utility_bill monthly_utility_bill average_utility_bill current_electric_bill current_monthly_electric_bill average_bill avg_bill electric_cost solar_electric_bill solar/electric_bill electricity_bill_amount bill_amount current_monthly_electricity_bill monthly_electric electric_bill_average avg_monthly_bill electric_monthly_bill monthly_spend electricity_spend"),
    Field::new("utility_provider", Reader::Text).says("service", "solar").binding()
        .about("Electric utility, as the source names it.")
        .keys("electric_utility_provider_text electric_utility_provider electric_utility utility_company utility utility_name electric_provider electric_company electricity_provider electricity_company power_company power_provider energy_provider energy_company electric_utility_company current_utility current_utility_provider electric_utility_name solar/utility_provider solar/utility electricity_supplier electric_supplier utility_provider_name current_provider current_electric_provider utility_provider_text power_utility electric_service_provider"),
    Field::new("roof_shade", Reader::Phrase(SHADE, "")).says("service", "solar").binding()
        .about("How much shade the roof has: none, some, or most of the day.")
        .keys("shade roof_shading shading sun_exposure solar_exposure property_shade shade_level amount_of_shade roof_sun_exposure roof_sunlight sunlight_exposure solar_shade solar/shade solar/roof_shade roof/shading roof_sun home_shade sun_shade shaded roof_shaded property_sun_exposure shade_on_roof"),
    Field::new("roof_material", Reader::Phrase(ROOFS, ""))
        .about("What the roof is covered with.")
        .keys("roof_type roofing_material roofing_type type_of_roof roof_material_type roof_covering current_roof_type current_roof_material roof/covering roof_surface roofing_material_type roof_shingle roof_style roof_composition solar_roof_type"),
    Field::new("roof_age", Reader::Measure(0, 300, "years year yrs yr yearsold yearold"))
        .about("Age of the roof in years; of a range, its lower end.")
        .keys("age_of_roof roof_age_years roof_years age_roof how_old_is_roof how_old_is_your_roof roof_age_in_years"),
    standard::CREDIT_BAND.sharing("credit_score"),
    standard::CREDIT_SCORE,
    Field::new("wants_solar_electric", Reader::Boolean("electric electricity photovoltaic pv", "2 none")).says("service", "solar").binding()
        .about("Whether the person wants electricity from the sun.")
        .keys("solar_electric solar_pv photovoltaic solar_electricity interested_in_solar_electric solar/electric solar_panels_interest solar_energy interested_in_solar"),
    Field::new("wants_solar_hot_water", Reader::Boolean("hotwater", "2 none")).says("service", "solar")
        .about("Whether the person wants hot water from the sun.")
        .keys("solar_hot_water solar_water_heating solar_water_heater solar/hot_water solar_thermal"),
    Field::new("wants_solar_pool_heating", Reader::Boolean("poolheating pool", "2 none")).says("service", "solar")
        .about("Whether the person wants a pool heated by the sun.")
        .keys("solar_pool_heating solar_pool solar_pool_heater solar/pool_heating"),
];
