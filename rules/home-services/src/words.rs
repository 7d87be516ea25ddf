//! The words that home services knows, and what sources write for them.

use guest_sdk::intake::{Spans, Word};

pub(crate) const KINDS: &[Word] = &[
    (
        "install",
        "installation new newinstall newinstallation newunit installnew newconstruction add addnew adding addition installing 1",
    ),
    (
        "replace",
        "replacement replacing completereplacement fullreplacement reroof replaceexisting swap upgrade change completelyreplace tearoff",
    ),
    (
        "install-or-replace",
        "installorreplace installreplace installationorreplacement newreplacement replaceorinstall newinstallorreplacement install/replace replacementorinstallation installationreplacement newinstallationorreplacement neworreplacement",
    ),
    (
        "repair",
        "repairs fix repairing repairexisting restoration restore patch leak servicerepair repairorservice serviceorrepair service/repair 2",
    ),
    (
        "remodel",
        "remodeling remodelling renovate renovation refinish refinishing reface refacing fullremodel completeremodel makeover conversion convert redesign tubtoshower update updating facelift",
    ),
    ("build", "building construct construction extend extension"),
    (
        "maintain",
        "maintenance clean cleaning tuneup service servicing inspection inspect inspectionormaintenance flush treatment trim trimming",
    ),
    ("remove", "removal removing demolition demolish tearout haul disposal"),
    ("other", ""),
];

pub(crate) static WHEN: Spans = Spans {
    words: &[
        (
            "immediately",
            "immediate asap emergency urgent now today rightaway assoonaspossible ready readynow readytostart readytohire readytobuy emergencyservice sameday tomorrow soon rush high",
        ),
        ("within-1-week", "thisweek fewdays withinafewdays inafewdays"),
        ("within-2-weeks", "fewweeks withinafewweeks"),
        ("within-1-month", "thismonth medium"),
        ("within-3-months", "fewmonths withinafewmonths"),
        ("within-6-months", ""),
        ("within-1-year", "thisyear"),
        ("over-1-month", ""),
        ("over-3-months", ""),
        ("over-6-months", "nextyear later"),
        (
            "flexible",
            "timeisflexible timingisflexible imflexible iamflexible flexibletiming anytime norush notimeframe nottimesensitive nothurried whenever low open other none notinahurry notimeline nohurry",
        ),
        (
            "planning",
            "researching justresearching planningandbudgeting planningbudgeting planning&budgeting budgeting justlooking lookingforquotes gettingquotes gettingprices stillplanning future justexploring research inthefuture estimate justbrowsing planningstage needquotes shopping comparingprices",
        ),
    ],
    within: &[
        (2, "immediately"),
        (7, "within-1-week"),
        (14, "within-2-weeks"),
        (31, "within-1-month"),
        (92, "within-3-months"),
        (184, "within-6-months"),
        (366, "within-1-year"),
    ],
    over: &[(21, "over-1-month"), (84, "over-3-months"), (168, "over-6-months")],
};

pub(crate) const SIDINGS: &[Word] = &[
    ("vinyl", "vinylsiding pvc"),
    ("wood", "cedar woodsiding woodshingle shake"),
    (
        "fiber-cement",
        "fibercement hardie hardieboard hardieplank jameshardie cement cementfiber cementboard",
    ),
    ("metal", "aluminum steel aluminumsiding metalsiding"),
    ("brick", "brickorstone brickveneer"),
    ("stone", "stoneveneer manufacturedstone"),
    ("stucco", "eifs syntheticstucco"),
    ("composite", "engineeredwood lpsmartside compositewood"),
    ("other", ""),
];

pub(crate) const GUTTERS: &[Word] = &[
    ("aluminum", "seamlessmetal seamless aluminium seamlessaluminum metal"),
    ("steel", "galvanized galvanizedsteel"),
    ("copper", ""),
    ("vinyl", "pvc plastic"),
    ("wood", ""),
    ("other", ""),
];

pub(crate) const SYSTEMS: &[Word] = &[
    (
        "heating-and-cooling",
        "both heatingcooling acandheating heatingandair heatandac acandfurnace acheating furnaceandac fullsystem completesystem",
    ),
    (
        "central-ac",
        "centralair ac airconditioning airconditioner cooling centralairconditioning acunit",
    ),
    ("furnace", "centralheat centralheating forcedair forcedairfurnace heating heater gasfurnace"),
    ("heat-pump", "heatpumps"),
    ("boiler", "radiator hotwaterboiler steamboiler"),
    ("mini-split", "ductless minisplitac ductlessminisplit"),
    ("ductwork", "duct vent ductsandvents ducts/vents"),
    ("window-unit", "windowac wallunit portableac"),
    ("thermostat", "smartthermostat"),
    ("other", ""),
];

pub(crate) const ENERGY: &[Word] = &[
    ("gas", "naturalgas"),
    ("electricity", "electric"),
    ("oil", "heatingoil"),
    ("propane", "lp lpg propanegas"),
    ("solar", "solarenergy"),
    ("other", "wood geothermal"),
];

pub(crate) const FLOORS: &[Word] = &[
    ("hardwood", "wood woodfloor engineeredhardwood hardwoodfloor engineeredwood"),
    ("laminate", "laminatewood"),
    ("carpet", "carpeting"),
    ("tile", "ceramic porcelain ceramictile porcelaintile stone naturalstone marble"),
    ("vinyl", "linoleum lvp luxuryvinyl vinylplank vinylorlinoleum vinyllinoleum luxuryvinylplank"),
    ("concrete", "epoxy"),
    ("other", ""),
];

pub(crate) const BATHS: &[Word] = &[
    (
        "full-remodel",
        "fullbathroom fullbathremodel fullbathroomremodel complete completeremodel entirebathroom full bathroomremodel fullbath wholebathroom remodel",
    ),
    (
        "tub-to-shower",
        "tubshowerconversion tubtoshowerconversion bathtubtoshower conversion tubshower convert",
    ),
    ("walk-in-tub", "walkinbathtub walkinbath safetytub"),
    ("shower", "walkinshower newshower showerreplacement showerenclosure newwalkinshower"),
    ("tub", "bathtub newtub bathtubliner tubreplacement bathliner liner"),
    ("fixtures", "sink vanity toilet faucet cabinets"),
    ("other", ""),
];
