//! Insurance for dogs and cats: an example of a vertical, to be made your own.

use guest_sdk::intake::{Field, Group, Reader, Vertical, Word, standard};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

/// What a source may nest fields in, such as `<Pet><Age>` or `pet[age]`.
const GROUPS: &[Group] = &[Group {
    name: "pet",
    words: &["pet", "pets", "animal"],
    is_person: false,
}];

/// The words of the schema, and beside each what else means it, in lower-case letters and digits.
const SPECIES: &[Word] = &[("dog", "dogs canine puppy"), ("cat", "cats feline kitten")];

/// The fields that only this vertical has. A key counts without case, `_` and `-`: `pet_age` is also `PetAge`.
/// `binding` is what buyers price by: a post may not change it.
const PET: &[Field] = &[
    Field::new("species", Reader::Word(SPECIES))
        .required()
        .binding()
        .about("What the animal is.")
        .keys("pet_type pet_species type_of_pet pet/species pet/type"),
    Field::new("pet_age", Reader::Integer(0, 40))
        .binding()
        .about("Age of the animal in whole years.")
        .keys("age_of_pet pet/age"),
    Field::new("breed", Reader::Text)
        .about("Breed, as the source names it.")
        .keys("pet_breed pet/breed"),
    Field::new("indoor", Reader::Boolean("inside house", "outside outdoor"))
        .about("Whether the animal lives indoors.")
        .keys("indoors lives_indoors pet/indoor"),
];

/// The schema: raise the second number when a field is added, the first when one is removed, retyped or made required.
static VERTICAL: Vertical = Vertical::new(
    "{{name}}",
    (1, 0),
    "A person who asks for an insurance of a dog or a cat.",
    GROUPS,
    &[standard::PLACE, PET, standard::CONSENT, standard::CONTACT],
);

/// The normalizer.
#[derive(Debug)]
pub struct Pets;

impl Normalizer for Pets {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    /// Runs for each ping and post. What the table cannot say may be done here, before or after it is read.
    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

guest_sdk::export_normalizer!(Pets);

#[cfg(test)]
mod tests {
    use guest_sdk::normalizer::Stage;

    use super::*;

    #[test]
    fn an_animal_that_is_not_insured_is_refused_by_name() {
        let normalized = Pets::normalize(Submission {
            stage: Stage::Ping,
            dialect: None,
            accept: None,
            content_type: "application/x-www-form-urlencoded".to_owned(),
            query: String::new(),
            body: b"zip=90210&pet_type=goldfish".to_vec(),
            received_on: 20_485,
        });
        assert_eq!(
            normalized.lead.unwrap_err().field.as_deref(),
            Some("species")
        );
    }
}
