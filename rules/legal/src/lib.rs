//! Legal: a person who looks for a lawyer, most often after an injury.
//!
//! What a person writes freely about a case is contact data here: it names people and places, and tells what only the
//! person's own lawyer should hear. The ping's view has the answers that can be asked for as a choice, a day or a yes.

use guest_sdk::intake::{Group, Vertical, standard};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

mod case;
mod matters;
mod words;

const GROUPS: &[Group] = &[
    Group {
        name: "incident",
        words: &[
            "incident",
            "accident",
            "autoaccident",
            "caraccident",
            "crash",
            "motorvehicleaccident",
        ],
        is_person: true,
    },
    Group { name: "case", words: &["case", "legal", "claim", "matter"], is_person: true },
];

static VERTICAL: Vertical = Vertical::new(
    "legal",
    (1, 0),
    "A person who looks for a lawyer, after an injury or for another matter.",
    GROUPS,
    &[
        standard::PLACE,
        standard::PERSON,
        case::CASE,
        case::INJURY,
        case::MEANS,
        standard::CONSENT,
        standard::REMARKS,
        standard::CONTACT,
    ],
);

/// The normalizer of legal leads.
#[derive(Debug)]
pub struct Legal;

impl Normalizer for Legal {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(Legal);
