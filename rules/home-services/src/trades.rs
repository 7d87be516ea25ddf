//! The trades that home services knows, and what sources write for them.

use guest_sdk::intake::Word;

/// What says no more than that it is about a house.
pub(crate) const NO_SERVICE: &str = "homeimprovement homeimprovements homeservice homeservices homerepair homerepairs home house general other all any";

pub(crate) const SERVICES: &[Word] = &[
    ("roofing", "roof roofer reroof roofreplacement roofrepair shingle roofingasphalt"),
    ("siding", "sidingcontractor vinylsiding stucco"),
    ("windows", "window windowreplacement windowinstallation replacementwindow glass skylight"),
    ("doors", "door frontdoor entrydoor patiodoor slidingdoor exteriordoor"),
    ("garage-doors", "garagedoor garage overheaddoor garagedooropener"),
    (
        "gutters",
        "gutter gutterguard leafguard guttercover guttercleaning gutterhelmet downspout gutterprotection",
    ),
    (
        "hvac",
        "noheat nocooling noac heating cooling heatingcooling heatingandcooling heatingandair heatingair heatingventilation heatingandairconditioning heatingairconditioning airconditioning airconditioner ac centralair centralac furnace heatpump boiler ductwork duct ductcleaning minisplit ventilation thermostat heater",
    ),
    (
        "plumbing",
        "nohotwater plumber drain draincleaning sewer sewerline waterheater faucet pipe toiletrepair leak septic sump sumppump waterline garbagedisposal",
    ),
    ("water-treatment", "watersoftener waterfilter waterfiltration waterpurification waterquality"),
    (
        "electrical",
        "electrician electric wiring generator electricalpanel evcharger ceilingfan outlet lighting",
    ),
    (
        "solar",
        "solarpanel solarenergy solarelectric solarpower solarinstallation solarenergysystem photovoltaic pv solarpv",
    ),
    (
        "bathroom",
        "bath bathremodel bathroomremodel bathroomremodeling bathremodeling bathroomrenovation shower tub bathtub tubtoshower showerinstallation bathliner walkinshower",
    ),
    ("walk-in-tub", "walkintub walkinbath walkinbathtub"),
    (
        "kitchen",
        "kitchenremodel kitchenremodeling kitchenrenovation cabinet cabinetrefacing countertop cabinets kitchencabinet",
    ),
    (
        "flooring",
        "floor hardwood hardwoodfloor hardwoodflooring laminate carpet carpeting tile tiling vinylflooring carpetinstallation laminateflooring floorrefinishing",
    ),
    (
        "painting",
        "paint painter interiorpainting exteriorpainting housepainting wallpaper staining",
    ),
    ("drywall", "plaster plastering sheetrock"),
    ("insulation", "atticinsulation sprayfoam attic weatherization blowninsulation"),
    ("foundation", "foundationrepair crawlspace foundationissue houseleveling slab"),
    ("basement", "waterproofing basementwaterproofing basementfinishing basementremodel"),
    (
        "masonry",
        "concrete brick mason paving driveway stonework asphaltpaving brickwork stone asphalt chimney",
    ),
    ("decks-and-patios", "deck patio porch pergola gazebo ramp deckbuilding patiocover awning"),
    ("sunrooms", "sunroom patioenclosure enclosure"),
    ("fencing", "fence gate fenceinstallation"),
    (
        "landscaping",
        "landscape lawn lawncare sprinkler irrigation gardening yard sod artificialturf snowremoval mowing",
    ),
    ("tree-service", "tree treeremoval treetrimming stump stumpremoval arborist"),
    ("pools", "pool hottub spa swimmingpool poolinstallation poolconstruction"),
    (
        "pest-control",
        "pest exterminator termite bedbug rodent extermination antcontrol wildliferemoval mosquito",
    ),
    (
        "cleaning",
        "housecleaning maid maidservice carpetcleaning cleaningservice pressurewashing powerwashing windowcleaning housekeeping janitorial",
    ),
    ("moving", "mover longdistancemoving localmoving relocation"),
    (
        "home-security",
        "security alarm securitysystem homealarm securitycamera alarmsystem burglaralarm smarthome",
    ),
    ("handyman", "handymanservice handyperson oddjobs smallrepairs"),
    (
        "remodeling",
        "remodel remodelling renovation homeremodel homeremodeling homerenovation generalcontractor generalcontracting addition homeaddition roomaddition additions additionsandremodels wholehouseremodel newconstruction homebuilder multiproject adu",
    ),
    ("carpentry", "carpenter woodworking trim framing closet builtin"),
    (
        "appliances",
        "appliance appliancerepair applianceinstallation refrigerator dishwasher washer dryer",
    ),
    (
        "restoration",
        "waterdamage firedamage mold moldremediation moldremoval disasterrecovery damagerestoration stormdamagerestoration asbestos",
    ),
    ("locksmith", "lock lockout"),
    ("stair-lifts", "stairlift chairlift accessibility wheelchairramp"),
    ("junk-removal", "junk haul hauling dumpster debrisremoval dumpsterrental"),
];
