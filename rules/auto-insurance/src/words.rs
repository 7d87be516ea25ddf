//! The words that auto insurance knows, and what sources write for them.

use guest_sdk::intake::Word;

pub(crate) const COVERAGE: &[Word] = &[
    (
        "state-minimum",
        "4 minimum stateminimumcoverage statemin minimumcoverage min liability liabilityonly basic basicprotection basiccoverage lowest",
    ),
    (
        "standard",
        "3 typical standardprotection standardcoverage average medium moderate good typicalcoverage",
    ),
    (
        "full",
        "1 2 fullcoverage superior superiorprotection premium premiumcoverage maximum max high best highest superiorcoverage comprehensive preferred enhanced",
    ),
];

pub(crate) const LIMITS: &[Word] = &[
    ("15/30", "15000/30000 15k/30k 15k30k 15/30k"),
    ("20/40", "20000/40000 20k/40k 20k40k"),
    ("25/50", "25000/50000 25k/50k 25k50k"),
    ("25/65", "25000/65000 25k/65k 25k65k"),
    ("30/60", "30000/60000 30k/60k 30k60k"),
    ("50/100", "50000/100000 50k/100k 50k100k"),
    ("100/300", "100000/300000 100k/300k 100k300k"),
    ("250/500", "250000/500000 250k/500k 250k500k"),
    ("300/300", "300000/300000 300k/300k 300k300k"),
    ("500/500", "500000/500000 500k/500k 500k500k"),
    ("500/1000", "500000/1000000 500k/1000k 500k1m 500k1000k"),
];

pub(crate) const VEHICLE_OWNERSHIP: &[Word] = &[
    ("owned", "own paidoff ownedoutright paid o outright ownoutright"),
    ("financed", "finance loan financing lien owing financedloan makingpayments"),
    ("leased", "lease leasing l"),
];

pub(crate) const USE: &[Word] = &[
    (
        "commute-work",
        "commute work commutetowork worktofrom towork toandfromwork tofromwork commutework drivetowork commutetofromwork commutingtowork commuting commuteworkschool worktransportation",
    ),
    (
        "commute-school",
        "school tofromschool commutetoschool commuteschool toschool commutetofromschool toandfromschool",
    ),
    (
        "commute-varies",
        "commutevaries varies workorschool workschool commutetoworkorschool commutetoworkschool tofromworkschool commuteworkorschool",
    ),
    ("pleasure", "personal personaluse leisure recreation recreational pleasuredriving errands"),
    ("business", "businessuse commercial rideshare delivery"),
    ("farm", "farmuse agricultural"),
];

pub(crate) const EDUCATION: &[Word] = &[
    (
        "none",
        "noeducation lessthanhighschool somehighschool somehighschoolorless incomplete nohighschool nohighschooldiploma nodiploma someornohighschool nohighschooldegree",
    ),
    (
        "high-school",
        "highschooldiploma hs ged highschoolged highschoolorged highschoolorequivalent highschoolgraduate gedhighschool highschoolgeddiploma",
    ),
    (
        "some-college",
        "somecollegenodegree college somecollegeordegree collegenodegree incollege vocational tradeschool tradevocationalschool tradeschoolvocational technicalschool othernonprofessionaldegree vocationaltechnical",
    ),
    ("associate", "associates associatedegree associatesdegree aa"),
    (
        "bachelor",
        "bachelors bachelordegree bachelorsdegree ba bs collegedegree collegegraduate undergraduate 4yeardegree",
    ),
    ("master", "masters masterdegree mastersdegree ma ms mba graduate graduatedegree"),
    (
        "doctorate",
        "phd doctors doctoratedegree doctoral doctoraldegree otherprofessionaldegree professional professionaldegree md jd",
    ),
];

pub(crate) const LICENSE: &[Word] = &[
    ("active", "valid validlicense activelicense current licensed yes 1 y true a good"),
    ("permit", "temporary learner learners learnerspermit learnerpermit"),
    ("suspended", "suspendedlicense s"),
    ("revoked", "r"),
    ("expired", "lapsed inactive surrendered"),
    ("restricted", "probation probationary"),
    ("international", "foreign internationallicense"),
    ("none", "no notlicensed unlicensed neverlicensed nolicense 0 n false"),
];
