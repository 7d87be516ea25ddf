//! Mortgages: loans secured by a home, for buying it, for replacing a loan on it, and for borrowing against its value.

use guest_sdk::intake::{Field, Group, Reader, Vertical, standard};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

mod fields;
mod words;

const GROUPS: &[Group] = &[
    Group {
        name: "property",
        words: &[
            "property",
            "properties",
            "subjectproperty",
            "propertydetails",
            "propertyinfo",
            "propertyaddress",
            "prop",
        ],
        is_person: false,
    },
    Group {
        name: "applicant",
        words: &[
            "applicant",
            "applicants",
            "borrower",
            "borrowers",
            "person",
            "persons",
            "primaryborrower",
        ],
        is_person: true,
    },
    Group {
        name: "employer",
        words: &["employer", "employers", "employment", "job"],
        is_person: false,
    },
];

const PROPERTY: &[Field] = &[
    Field::new("property_zip", Reader::Zip).binding()
        .about("ZIP code of the property, five digits as text, where the source tells it from that of the home.")
        .keys("property/zip property/zip_code property/postal_code property/zip5 purchase_zip new_home_zip"),
    Field::new("property_state", Reader::State).required().binding()
        .about("State of the property, USPS code: FL. Taken from its ZIP code if absent, or else from the home's: a source that names one state means the property's.")
        .keys("property/state property/state_code purchase_state property_location_state new_home_state"),
    Field::new("property_city", Reader::Text)
        .about("City of the property.").keys("property/city purchase_city new_home_city"),
    Field::new("property_county", Reader::Text)
        .about("County of the property, as the source names it.").keys("property/county purchase_county"),
    Field::new("property_address", Reader::Text).contact()
        .about("House number and street of the property. It leads to the owner, so no ping shows it.")
        .keys("property/address property/street property/address1 property/street_address property/address_line_1 property/line1 property/addr"),
];

static VERTICAL: Vertical = Vertical::new(
    "mortgage",
    (1, 0),
    "A person who asks for a loan secured by a home: to buy it, to refinance it, or on its equity.",
    GROUPS,
    &[
        standard::PLACE_IF_KNOWN,
        PROPERTY,
        standard::PERSON,
        fields::LOAN,
        fields::TODAY,
        fields::PURCHASE,
        fields::BORROWER,
        standard::CONSENT,
        standard::CONTACT,
    ],
);

/// The normalizer of mortgages.
#[derive(Debug)]
pub struct Mortgage;

impl Normalizer for Mortgage {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(Mortgage);
