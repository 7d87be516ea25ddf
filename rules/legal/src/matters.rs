//! The fields of law that legal leads know, and what sources write for them.

use guest_sdk::intake::Word;

pub(crate) const CASES: &[Word] = &[
    (
        "motor-vehicle-accident",
        "2001 mva autoaccident caraccident carcrash carwreck autoaccidents vehicleaccident autoinjury automobileaccident motorvehicle motorvehicleaccidents autocrash trafficaccident collision carcollision rearend rearended personalinjuryauto personalinjuryautoaccident personalinjurycaraccident personalinjurymotorvehicleaccident autoaccidentinjury vehiclecrash hitandrun t-bone headon sideswipe auto rideshare rideshareaccident uberaccident lyftaccident busaccident",
    ),
    (
        "truck-accident",
        "truck truckingaccident personalinjurytruckaccident semitruckaccident 18wheeler 18wheeleraccident truckcrash commercialtruckaccident commercialvehicleaccident semitruck tractortrailer",
    ),
    (
        "motorcycle-accident",
        "motorcycle personalinjurymotorcycleaccident motorcyclecrash motorbike bikeaccident",
    ),
    ("pedestrian-accident", "pedestrian bicycle bicycleaccident bicyclist cyclist"),
    (
        "personal-injury",
        "2034 pi injury bodilyinjury generalinjury accident personalinjuries generalpersonalinjury personalinjuryother burn braininjury spinalcordinjury boataccident boating aviationaccident trainaccident",
    ),
    (
        "slip-and-fall",
        "slipandfall slipfall fall premises premisesliability tripandfall slippedandfell slip-fall personalinjuryslipandfall personalinjuryslipfall",
    ),
    ("dog-bite", "dogbite animalbite animalattack bite dogattack personalinjurydogbite"),
    (
        "medical-malpractice",
        "2031 malpractice medmal medicalnegligence birthinjury surgicalerror misdiagnosis hospitalnegligence personalinjurymedicalmalpractice cerebralpalsy",
    ),
    (
        "nursing-home-abuse",
        "2033 nursinghome elderabuse nursinghomeneglect nursinghomenegligence bedsores",
    ),
    (
        "product-liability",
        "defectiveproduct defectiveproducts product productliabilities productsliability productdefect productinjury",
    ),
    ("wrongful-death", "death fatality fatalaccident personalinjurywrongfuldeath"),
    (
        "workers-compensation",
        "2041 workerscomp workcomp workmanscomp workmanscompensation workerscompensationclaim workinjury workplaceinjury workersinjury worker'scompensation wc workaccident onthejobinjury injuredatwork workplaceaccident longshore constructionaccident",
    ),
    (
        "mass-tort",
        "masstorts classaction defectivedrug dangerousdrug pharmaceutical medicaldevice harmfuldrug dangerousdrugs massaction drugs vaccine",
    ),
    ("mesothelioma", "2032 asbestos mesotheliomaasbestos asbestosexposure lungcancer"),
    (
        "sexual-abuse",
        "sexualassault sexabuse clergyabuse childabuse assault abuse assaultandbattery",
    ),
    (
        "social-security-disability",
        "ssdi ssd ssi disability socialsecurity socialsecuritydisabilityinsurance disabilitybenefits ssdisability longtermdisability disabilityclaim socialsecurityclaim",
    ),
    ("veterans-disability", "va vabenefits veteransbenefits vadisability veteran veterans"),
    (
        "bankruptcy",
        "2002 chapter7 chapter13 chapter7bankruptcy chapter13bankruptcy chapter11 personalbankruptcy bankruptcies debt debtrelief",
    ),
    ("foreclosure", "foreclosuredefense mortgagemodification"),
    (
        "divorce",
        "2019 divorceseparation separation legalseparation uncontesteddivorce contesteddivorce familylawdivorce spousalsupport alimony",
    ),
    (
        "family-law",
        "2023 family familylaws custody childcustody 2020 childsupport 2021 adoption 2022 guardianship paternity visitation grandparentsrights prenup fathersrights cps domesticviolence",
    ),
    ("dui", "2017 dwi dui/dwi drunkdriving duidwi owi"),
    (
        "criminal-defense",
        "2013 criminal crime criminallaw felony misdemeanor drugcharge expungement probation arrest policebrutality",
    ),
    ("traffic", "trafficticket trafficviolation speedingticket ticket licensesuspension"),
    ("immigration", "visa greencard citizenship deportation asylum immigrationlaw naturalization"),
    (
        "employment",
        "employmentlaw wrongfultermination discrimination sexualharassment workplacediscrimination wagetheft unpaidwages wageandhour harassment overtime laborlaw retaliation labor employmentdiscrimination unpaidovertime",
    ),
    ("landlord-tenant", "eviction landlord tenant landlordandtenant"),
    (
        "real-estate",
        "realestatelaw property propertydispute realestateclosing construction boundary",
    ),
    (
        "estate-planning",
        "probate will trust willsandtrusts estate livingtrust powerofattorney elderlaw wills trusts wills&trusts willstrusts trustsandestates",
    ),
    ("tax", "irs taxdebt taxrelief taxlaw backtaxes"),
    (
        "business",
        "businesslaw 2003 contract contractdispute incorporation corporate commercial breachofcontract smallbusiness businesslitigation llc",
    ),
    ("intellectual-property", "patent trademark copyright"),
    (
        "civil-rights",
        "civilrightslaw policemisconduct civillawsuit civillitigation lawsuitdefense civil lawsuitordispute",
    ),
    (
        "consumer-protection",
        "lemonlaw consumer fraud identitytheft creditreporting databreach debtcollection harassmentbycreditors consumerlaw",
    ),
    (
        "insurance-claim",
        "insurancedispute propertydamage badfaith hurricaneclaim insuranceclaims propertydamageclaim",
    ),
    ("other-matter", "other none generallegal miscellaneous general"),
];
