//! Personal loans: money without security, paid back in instalments or on the next payday.

use guest_sdk::intake::{Group, Vertical, standard};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

mod fields;
mod words;

const GROUPS: &[Group] = &[
    Group {
        name: "bank",
        words: &[
            "bank",
            "banks",
            "banking",
            "bankinfo",
            "bankdetails",
            "bankaccount",
            "bankinformation",
            "account",
        ],
        is_person: false,
    },
    Group {
        name: "employer",
        words: &[
            "employer",
            "employers",
            "employment",
            "employmentinfo",
            "employmentinformation",
            "employerinfo",
            "job",
            "income",
            "incomeinfo",
            "incomeinformation",
        ],
        is_person: false,
    },
    Group {
        name: "applicant",
        words: &["applicant", "applicants", "borrower", "borrowers", "person", "persons"],
        is_person: true,
    },
];

static VERTICAL: Vertical = Vertical::new(
    "personal-loans",
    (1, 0),
    "A person who asks for a loan without security: in instalments, or until the next payday.",
    GROUPS,
    &[
        // What one lender needs is for its campaign to ask: some sell without a place, and some without an income.
        standard::PLACE_IF_KNOWN,
        standard::PERSON,
        fields::LOAN,
        fields::INCOME,
        fields::BANK,
        fields::HOME,
        fields::IDENTITY,
        standard::CONSENT,
        standard::CONTACT,
    ],
);

/// The normalizer of personal loans.
#[derive(Debug)]
pub struct PersonalLoans;

impl Normalizer for PersonalLoans {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(PersonalLoans);
