//! The words that personal loans know, and what sources write for them.

use guest_sdk::intake::Word;

pub(crate) const TYPES: &[Word] = &[
    (
        "payday",
        "4005 paydayloan paydayloans cashadvance cash shortterm shorttermloan paydayadvance pdl single singlepayment paydaycashadvance",
    ),
    (
        "installment",
        "instalment installmentloan installmentloans personal personalloan personalloans unsecured unsecuredpersonalloan term termloan unsecuredloan personalinstallment personalinstallmentloan longterm signatureloan",
    ),
    ("line-of-credit", "loc lineofcredit revolving creditline"),
    ("title", "titleloan cartitle autotitle titleloans"),
    ("debt-relief", "debtsettlement debtconsolidation debtconsolidationloan"),
];

pub(crate) const PURPOSES: &[Word] = &[
    (
        "debt-consolidation",
        "debt consolidation consolidatedebt consolidate debtconsolidate payoffdebt debtrelief loanconsolidation",
    ),
    (
        "credit-cards",
        "creditcard creditcardrefinance creditcardrefinancing creditcardpayoff payoffcreditcards creditcarddebt creditcardconsolidation payoffcreditcard",
    ),
    (
        "home-improvement",
        "homerepair homerepairs remodel homeremodel homeimprovements renovation homerenovation homeimprovement/pool/solar",
    ),
    (
        "auto",
        "car carrepair autorepair vehicle carpurchase autopurchase newauto newautopurchase carloan autoloan motorcycle carrepairs autorepairs autofinance refinancecar",
    ),
    (
        "medical",
        "medicalexpenses medicalbills health dental cosmetic cosmeticprocedure cosmeticprocedures healthcare medicaldental",
    ),
    (
        "education",
        "school studentloan studentloans tuition student studentloanrefinancing college studentloanrefinance",
    ),
    ("travel", "vacation vacationtravel trip holiday holidays"),
    ("wedding", "specialoccasion specialevent engagement event"),
    ("moving", "move relocation movingandrelocation movingexpenses"),
    ("business", "smallbusiness startup businessexpenses commercial"),
    (
        "large-purchase",
        "majorpurchase purchase largepurchases shopping household householdexpenses appliances",
    ),
    (
        "bills",
        "rent utilities paybills rentormortgage taxes tax everydaybills rentmortgage utilitybills groceries",
    ),
    (
        "emergency",
        "emergencies emergencycash unexpectedexpenses emergencysituation emergencyexpenses emergencyfunds",
    ),
    ("other", ""),
];

pub(crate) const ACCOUNTS: &[Word] = &[
    ("checking", "1 c checkingaccount current checkingacct chk check personalchecking"),
    ("savings", "2 s saving savingsaccount savingaccount sav"),
    ("other", "prepaid prepaidcard moneymarket debit debitcard none noaccount no"),
];
