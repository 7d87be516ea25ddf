//! Words that several verticals know, and what sources write for them.

use super::table::Word;

/// What an amount for each month may have behind it.
pub const MONTH: &str = "month mo mth monthly";
/// What an amount for each year may have behind it.
pub const YEAR: &str = "year yr annum annually yearly";

/// What owners of a home answer, beside yes.
pub const OWNS: &str = "own owner owned homeowner ownhome owns myownhouse ownhouse iown homeowned ownedhome owning owncondo mortgage withmortgage ownwithmortgage ownoutright ownshome ownsit iownmyhome yesiown yesown ownahome iownahome iownthehome owneroccupied owneroccupant";
/// What those answer who live in another's home, beside no.
pub const RENTS: &str = "2 rent renter rented renting rents iamrenting tenant rental other neither livewithparents livingwithparents withparents parents livewithfamily livingwithfamily family renthome rentedhome apartmentrental irent irentmyhome rentahome rentmyhome noirent norent norenting notowner notahomeowner nothomeowner leasing leases nobutauthorized renterwithpermission";

/// Marital status.
pub const MARITAL: &[Word] = &[
    ("single", "s nevermarried unmarried never engaged"),
    ("married", "m"),
    ("divorced", "d"),
    ("separated", "legallyseparated"),
    ("widowed", "w widow widower"),
    (
        "domestic-partner",
        "domesticpartnership civilunion partner cohabitating cohabiting livingtogether commonlaw domesticpartners",
    ),
];

/// What is built on a property.
pub const PROPERTY_TYPES: &[Word] = &[
    (
        "single-family",
        "1 single sfr sf house home detached singlefamilyhome singlefamilyresidence singlefamilyhouse singlefamilydetached 1family onefamily onefamilyhome 1unit pud singlehome townhomepud single_fam singlefam",
    ),
    (
        "multi-family",
        "2 multi multifamily multifamilyhome multiunit multiplefamily multifamilydwelling duplex triplex fourplex quadplex 2-4 2-4units 2to4units twotofourunits 2unit 3unit 4unit 2family twofamily multifamily2-4units apartmentbuilding 2-4unit",
    ),
    (
        "condo",
        "3 condominium condos townhousecondo townhousecondominium condotownhouse coop cooperative co-op condominiums condocoop highrisecondo",
    ),
    ("townhouse", "4 townhome rowhouse rowhome town townhomes attached semidetached"),
    (
        "mobile",
        "5 mobilehome manufactured manufacturedhome mobilemanufactured manufacturedmobile manufacturedormobile mobileormanufactured modular modularhome trailer doublewide singlewide mobilehomemanufactured manufacturedmobilehome",
    ),
    ("apartment", "apt flat rentalapartment"),
    ("land", "vacantland lot lotland farm ranch acreage"),
    ("commercial", "mixeduse business retail office"),
    ("other", "none"),
];

/// What a property is used for.
pub const PROPERTY_USES: &[Word] = &[
    (
        "primary",
        "1 primaryresidence primaryhome primaryoccupied owneroccupied owner mainhome mainresidence principal principalresidence primaryuse residence primarydwelling primaryowner",
    ),
    (
        "secondary",
        "2 3 secondaryresidence secondaryhome secondhome second secondhomevacation vacation vacationhome vacationproperty seasonal secondaryvacation seasonalhome",
    ),
    (
        "rental",
        "4 investment investmentproperty investor rentalproperty rent rented tenant tenantoccupied nonowneroccupied rentalhome landlord incomeproperty investmentrental",
    ),
    ("vacant", "unoccupied empty"),
];

/// How a person earns a living.
pub const EMPLOYMENT: &[Word] = &[
    (
        "employed",
        "1 employedfulltime fulltime fulltimeemployed employee employment job jobincome working w2 salaried salary wages hourly yes y currentlyemployed fulltimeemployment employer p",
    ),
    ("part-time", "parttimeemployed employedparttime parttimeemployment temporary tempagency temp"),
    (
        "self-employed",
        "2 selfemployment self businessowner ownbusiness entrepreneur 1099 contractor freelance independentcontractor",
    ),
    ("military", "activeduty armedforces activemilitary servicemember"),
    ("retired", "pension pensioner retirement retiree"),
    (
        "benefits",
        "benefit socialsecurity ssi ssdi ss disability disabilitybenefits disabled governmentbenefits welfare govbenefits unemploymentbenefits annuity alimony childsupport socialsecuritybenefits",
    ),
    ("student", "fulltimestudent"),
    ("homemaker", "stayathome"),
    ("unemployed", "3 notemployed none no n notworking jobless"),
    ("other", "otherincome"),
];

/// How often a person is paid.
pub const PAY_FREQUENCIES: &[Word] = &[
    ("weekly", "w week everyweek onceaweek"),
    (
        "every-two-weeks",
        "biweekly bi-weekly everytwoweeks every2weeks everyotherweek bw 2weeks fortnightly",
    ),
    (
        "twice-a-month",
        "semimonthly twicemonthly twicepermonth twiceamonth bimonthly 2xmonth 2timesamonth twotimespermonth 15thand30th 1stand15th",
    ),
    ("monthly", "m month everymonth onceamonth oncepermonth everyfourweeks"),
    ("other", "none daily irregular quarterly yearly annually"),
];

/// When a person wants to be called.
pub const CALL_TIMES: &[Word] = &[
    ("anytime", "any anyday allday now asap immediately"),
    ("morning", "am mornings morningtime"),
    ("afternoon", "pm afternoons day daytime noon lunch midday"),
    ("evening", "night evenings nights"),
    ("other", ""),
];
