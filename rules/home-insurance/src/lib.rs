//! Home insurance: the homes of owners, landlords and tenants, as carriers and agents buy quotes for them.

use guest_sdk::intake::{Field, Group, Vertical, standard};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

mod fields;
mod risks;
mod words;

const GROUPS: &[Group] = &[
    // What is said of the property is said of the lead: its ZIP code counts before that of the post.
    Group {
        name: "property",
        words: &[
            "property",
            "properties",
            "dwelling",
            "house",
            "home",
            "building",
            "propertydetails",
            "propertyinfo",
        ],
        is_person: true,
    },
    Group { name: "claim", words: &["claim", "claims", "loss", "losses"], is_person: false },
    Group {
        name: "applicant",
        words: &[
            "applicant",
            "applicants",
            "insured",
            "insureds",
            "person",
            "persons",
            "policyholder",
        ],
        is_person: true,
    },
];

const PLACE: &[Field] = &[
    standard::ZIP.required().preferring("property/zip property/zip_code property/postal_code property/zip5")
        .about("ZIP code of the home to be insured, five digits as text: 02139."),
    standard::STATE.preferring("property/state property/state_code")
        .about("State of the home to be insured, USPS code: FL. Taken from the ZIP code if absent; refused if the ZIP code lies elsewhere."),
    standard::CITY.preferring("property/city").about("City of the home to be insured."),
    standard::COUNTY.preferring("property/county").about("County of the home to be insured, as the source names it."),
];

const CONTACT: &[Field] = &standard::contact(
    standard::STREET_ADDRESS
        .preferring("property/address property/street property/address1 property/street_address property/address_line_1 property/line1")
        .about("House number and street of the home to be insured."),
);

static VERTICAL: Vertical = Vertical::new(
    "home-insurance",
    (1, 0),
    "A person who asks for quotes for insuring a home.",
    GROUPS,
    &[
        PLACE,
        standard::PERSON,
        fields::HOME,
        risks::HAZARDS,
        standard::INSURANCE,
        risks::OWNER,
        standard::CONSENT,
        CONTACT,
    ],
);

/// The normalizer of home insurance.
#[derive(Debug)]
pub struct HomeInsurance;

impl Normalizer for HomeInsurance {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(HomeInsurance);
