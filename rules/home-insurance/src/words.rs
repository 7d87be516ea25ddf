//! The words that home insurance knows, and what sources write for them.

use guest_sdk::intake::Word;

pub(crate) const POLICIES: &[Word] = &[
    (
        "homeowners",
        "1 home homeowner homeownersinsurance homeinsurance ho2 ho3 ho5 ho-3 ho-5 ho8 house owner homeownerinsurance homeownerspolicy homeownerpolicy",
    ),
    ("condo", "3 ho6 ho-6 condominium condoowners condoinsurance condounitowners"),
    ("renters", "2 ho4 ho-4 renter tenants tenant rentersinsurance rentersinsurancepolicy"),
    (
        "landlord",
        "4 dp1 dp2 dp3 dp-3 dwellingfire rental rentaldwelling rentalproperty landlordinsurance investmentproperty",
    ),
    ("mobile-home", "5 ho7 ho-7 mobile manufactured manufacturedhome mobilehomeinsurance"),
    ("flood", "floodinsurance"),
    ("umbrella", "personalumbrella"),
];

pub(crate) const CONSTRUCTION: &[Word] = &[
    (
        "frame",
        "woodframe wood frameconstruction woodsiding vinyl vinylsiding siding aluminum aluminumsiding hardboard hardiplank fibercement cedar clapboard framewood woodframed wooden",
    ),
    ("masonry", "brick solidbrick brickmasonry masonrybrick blockmasonry joistedmasonry"),
    (
        "brick-veneer",
        "masonryveneer brickonframe veneer stoneveneer brickorstoneveneer framebrickveneer framewithbrickveneer",
    ),
    ("stucco", "stuccoonframe stuccoonblock eifs"),
    ("stone", "solidstone fieldstone"),
    ("concrete", "concreteblock cinderblock block poured concreteblocks icf cbs"),
    ("steel", "metal steelframe metalframe"),
    ("log", "logcabin loghome logs"),
    ("adobe", "mud strawbale"),
    ("other", ""),
];

pub(crate) const ROOFS: &[Word] = &[
    (
        "asphalt",
        "asphaltshingle asphaltshingles shingle shingles composition compositionshingle compositionshingles architectural architecturalshingles architecturalshingle compshingle fiberglass asphaltfiberglass dimensional asphaltfiberglassshingle 3tabshingle",
    ),
    ("tile", "claytile concretetile clay spanishtile tiles concretetiles terracotta claytiles"),
    ("slate", "slatetile slateshingles"),
    ("metal", "steel tin aluminum copper standingseam metalroof corrugatedsteel"),
    (
        "wood",
        "woodshake woodshakes cedar cedarshake woodshingle woodshingles shake cedarshakes shakes",
    ),
    (
        "flat",
        "tarandgravel targravel builtup rubber tar/gravel rolled membrane foam gravel rolledroofing",
    ),
    ("other", ""),
];

pub(crate) const FOUNDATIONS: &[Word] = &[
    ("slab", "concreteslab slabongrade concrete"),
    (
        "basement",
        "finishedbasement unfinishedbasement fullbasement partialbasement walkout walkoutbasement basementfinished basementunfinished finished unfinished",
    ),
    ("crawl-space", "crawl crawlspaces crawlspace"),
    (
        "raised",
        "pier piers stilts pilings pierandbeam pierbeam postandpier elevated blockandpier pierpost",
    ),
    ("other", ""),
];

pub(crate) const HEATING: &[Word] = &[
    ("gas", "naturalgas gasforcedair gasheat forcedairgas centralgas gasfurnace"),
    ("electric", "electricforcedair electricity electricheat centralelectric electricbaseboard"),
    ("oil", "fueloil heatingoil oilfurnace"),
    ("propane", "lp lpg liquidpropane"),
    ("heat-pump", "heatpumps geothermal"),
    ("wood", "woodstove pellet pelletstove coal woodburning"),
    ("solar", ""),
    ("none", "no n 0"),
    ("other", ""),
];

pub(crate) const GARAGES: &[Word] = &[
    ("none", "no n 0 nogarage streetparking"),
    (
        "attached",
        "attachedgarage builtin 1carattached 2carattached 3carattached attached1car attached2car attached3car basementgarage",
    ),
    ("detached", "detachedgarage 1cardetached 2cardetached 3cardetached detached1car detached2car"),
    ("carport", "carports"),
    ("other", "yes y 1 2 3 1car 2car 3car"),
];
