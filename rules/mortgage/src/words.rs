//! The words that mortgages know, and what sources write for them.

use guest_sdk::intake::Word;

pub(crate) const PURPOSES: &[Word] = &[
    (
        "purchase",
        "4001 homepurchase newpurchase newhomepurchase buy buying homepurchaseloan purchaseloan buyahome purchasehome newhome homebuying buyhome newhomeloan purchasemortgage p buyhouse mortgagepurchase purch",
    ),
    (
        "refinance",
        "4002 refi homerefinance rateandterm rateterm ratetermrefinance rateandtermrefinance refinancemortgage refinancehome mortgagerefinance refinanceloan mortgagerefi refinanceandhomeequity refinancehomeequity refinancehomeloan lowerrate nocashoutrefinance homerefi streamline streamlinerefinance irrrl r lowermonthlypayment refinancerateterm",
    ),
    (
        "cash-out-refinance",
        "cashout cashoutrefi refinancecashout refinancewithcashout refinance-cashout reficashout refinanceandcashout cash-out takecashout debtconsolidation consolidatedebt consolidatedebts consolidation",
    ),
    (
        "home-equity-loan",
        "4003 homeequity equity equityloan secondmortgage 2ndmortgage second homeequityloans he hel homeequityloanorheloc homeimprovementloan",
    ),
    (
        "heloc",
        "homeequitylineofcredit homeequityline lineofcredit equityline equitylineofcredit helocloan",
    ),
    ("reverse", "4004 reversemortgage hecm reverseloan"),
    (
        "construction",
        "constructionloan newconstruction buildahome constructiontopermanent build lotloan",
    ),
];

pub(crate) const PROGRAMS: &[Word] = &[
    ("conventional", "conv conforming conventionalloan fanniemae freddiemac fannie freddie"),
    ("fha", "fhaloan fhastreamline federalhousing"),
    ("va", "valoan veteran veterans veteransaffairs vairrrl"),
    ("usda", "usdaloan rural ruraldevelopment usdaruralhousing ruralhousing"),
    ("jumbo", "jumboloan nonconforming"),
    ("non-qm", "nonqm hardmoney dscr bankstatement altdoc subprime private"),
    ("other", "none any noloan nopreference"),
];

pub(crate) const RATES: &[Word] = &[
    (
        "fixed",
        "fixedrate 30yrfixed 15yrfixed 20yrfixed 10yrfixed 30yearfixed 15yearfixed 20yearfixed 10yearfixed 25yearfixed 40yearfixed fixed30 fixed15 30yr 15yr 30year 15year 30yrfixedrate 15yrfixedrate 30yearfixedrate 15yearfixedrate 30fixed 15fixed 30-yrfixed 15-yrfixed f",
    ),
    (
        "adjustable",
        "arm adjustablerate variable variablerate 5/1arm 7/1arm 3/1arm 10/1arm 5/1 7/1 3/1 10/1 5/6arm 7/6arm 10/6arm 5yeararm 7yeararm 3yeararm adjustableratemortgage a",
    ),
    ("interest-only", "io interestonlyloan"),
    ("either", "any both noprefererence nopreference other"),
];

pub(crate) const TIMEFRAMES: &[Word] = &[
    (
        "immediately",
        "1 asap now immediate rightaway today signedapurchaseagreement offerpending undercontract within7days lessthan30days offerpendingfoundproperty",
    ),
    (
        "30-days",
        "2 upto30days within30days 30 1month within1month 0-30days in30days 1-30days 30daysorless buyingin30days withinamonth lessthanamonth",
    ),
    (
        "60-days",
        "3 upto60days within60days 60 2months within2months 30-60days in60days 31-60days buyingin60days 1-2months 2-3months",
    ),
    (
        "90-days",
        "4 upto90days within90days 90 3months within3months 60-90days in90days 61-90days buyingwithin90 buyingin2-3months within90 1-3months 0-3months buyingwithin90days buyingin90days lessthan3months",
    ),
    (
        "6-months",
        "180 within6months 3-6months 6months upto6months 90-180days 2-6months 180days buyingin3-6months 4-6months",
    ),
    (
        "over-6-months",
        "6+months 6-12months morethan6months over6months 1year within1year 12months nextyear 6monthsormore 180+days 6months+ buyingin6+months",
    ),
    (
        "researching",
        "5 notimeconstraint justresearching researchingoptions research undecided justlooking noplans notime exploring researchingpurchase",
    ),
];
