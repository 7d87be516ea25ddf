//! The words that legal leads know, and what sources write for them.

use guest_sdk::intake::{Spans, Word};

pub(crate) const TORTS: &[Word] = &[
    ("roundup", "glyphosate weedkiller roundupweedkiller"),
    ("camp-lejeune", "camplejeunewater camplejeunewatercontamination lejeune contaminatedwater"),
    ("talcum-powder", "talc talcum babypowder jjbabypowder johnsonsbabypowder"),
    ("hair-relaxer", "hairstraightener hairrelaxers chemicalhairstraightener hairrelaxing"),
    ("firefighting-foam", "afff firefoam pfas foam"),
    ("paraquat", "gramoxone"),
    ("zantac", "ranitidine"),
    ("hernia-mesh", "mesh herniamesh"),
    ("transvaginal-mesh", "pelvicmesh tvm vaginalmesh"),
    ("cpap", "philipscpap bipap philips"),
    ("earplugs", "3mearplugs 3m combatearplugs"),
    ("infant-formula", "nec necformula babyformula similac enfamil toxicbabyformula"),
    ("depo-provera", "depo depoproverashot"),
    ("weight-loss-drug", "ozempic glp1 glp-1 wegovy mounjaro semaglutide"),
    ("suboxone", ""),
    ("tylenol", "acetaminophen tylenolautism"),
    ("iud", "paragard mirena"),
    ("port-catheter", "bardpowerport powerport bardport portcatheters"),
    ("ivc-filter", "ivcfilters bardivc"),
    ("hip-implant", "hipreplacement hip stryker depuy"),
    ("knee-implant", "kneereplacement knee exactech"),
    ("blood-thinner", "xarelto eliquis pradaxa"),
    ("opioid", "opioids opiod"),
    ("vaping", "juul ecigarette vape e-cigarette"),
    ("social-media", "socialmediaaddiction socialmediaharm instagram"),
    ("video-games", "videogame videogameaddiction roblox"),
    ("rideshare-assault", "ubersexualassault uberassault ridesharesexualassault lyftassault"),
    ("youth-detention-abuse", "juveniledetention juveniledetentionabuse juvenilehallabuse"),
    ("clergy-abuse", "churchabuse boyscouts"),
    ("asbestos", "mesotheliomaexposure"),
    ("ethylene-oxide", "eto"),
    ("wildfire", "mauifire wildfires"),
    ("other", ""),
];

pub(crate) static SINCE: Spans = Spans {
    words: &[
        (
            "within-1-month",
            "1 recent recently justhappened today yesterday thisweek lastweek justnow",
        ),
        ("within-3-months", "fewmonthsago"),
        ("within-6-months", "2"),
        ("within-1-year", "3 thisyear lastyear"),
        ("within-2-years", ""),
        ("within-3-years", ""),
        ("within-5-years", ""),
        ("over-1-year", "4"),
        ("over-2-years", "5"),
        ("over-3-years", ""),
        ("over-5-years", ""),
    ],
    within: &[
        (31, "within-1-month"),
        (92, "within-3-months"),
        (184, "within-6-months"),
        (366, "within-1-year"),
        (731, "within-2-years"),
        (1_096, "within-3-years"),
        (1_827, "within-5-years"),
    ],
    over: &[
        (360, "over-1-year"),
        (720, "over-2-years"),
        (1_080, "over-3-years"),
        (1_800, "over-5-years"),
    ],
};

pub(crate) const CLAIMANTS: &[Word] = &[
    ("self", "me myself iwas i own yes client caller"),
    ("spouse", "husband wife partner"),
    ("child", "son daughter mychild minor"),
    ("parent", "mother father mom dad"),
    ("other", ""),
];

pub(crate) const LANGUAGES: &[Word] = &[
    ("english", "en eng en-us enus"),
    ("spanish", "es spa espanol español es-us esus"),
    ("other", ""),
];

pub(crate) const INJURIES: &[Word] = &[
    ("death", "fatality wrongfuldeath died deceased lossoflife fatal"),
    ("amputation", "lossoflimb lostlimb amputated"),
    ("paralysis", "paralyzed quadriplegia paraplegia"),
    ("brain", "traumaticbraininjury tbi concussion headinjury head headtrauma skull"),
    ("spine", "spinalcord spinalinjury spinal herniateddisc spinalcordinjury disc"),
    (
        "back-or-neck",
        "back neck whiplash backpain neckpain backinjury neckinjury neckback backneck backandneck neckandback backorneckpain backorneck backorneckinjury lowerback",
    ),
    (
        "broken-bones",
        "brokenbone brokenleg brokenarm brokenrib brokenwrist brokenankle brokenhip brokenhand brokenfoot brokencollarbone brokennose brokenlimb fracture fractured broken fracturedbone bonefracture",
    ),
    ("burn", "burned burning"),
    (
        "internal",
        "organdamage internalbleeding internalinjury organs internalorgan lossofvision visionloss",
    ),
    (
        "joint",
        "shoulder knee hip arm leg wrist ankle hand foot limb shoulderinjury kneeinjury torn rotatorcuff",
    ),
    (
        "cuts-or-bruises",
        "cut bruise laceration scarring minor bruising abrasion scar cutsandbruises cutsorbruises scarringordisfigurement disfigurement dogbite",
    ),
    ("soft-tissue", "sprain strain muscle pain sprainedmuscle softtissueinjury"),
    ("illness", "cancer disease infection"),
    ("emotional", "ptsd anxiety psychological mental emotionaldistress stress"),
    ("other", ""),
];

pub(crate) const ROLES: &[Word] = &[
    ("driver", "driving iwasdriving yes"),
    ("passenger", "rider occupant no"),
    ("pedestrian", "walking foot"),
    ("cyclist", "bicycle bicyclist bike biker"),
    ("motorcyclist", "motorcycle"),
    ("other", ""),
];
