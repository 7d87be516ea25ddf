//! Home services: a house that needs a roofer, a plumber, new windows, or any other trade.

use guest_sdk::intake::{Group, Vertical, home, standard};
use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission};

mod project;
mod trades;
mod words;

/// A part of the house under whose name sources send what they ask about it: `siding_project_type`. Each is a word of
/// `service`.
const fn part(name: &'static str, words: &'static [&'static str]) -> Group {
    Group { name, words, is_person: true }
}

const GROUPS: &[Group] = &[
    part("project", &["project", "projects", "job", "jobs", "service", "services"]),
    part("property", &["property", "properties", "house"]),
    part("roofing", &["roof", "roofing", "roofs"]),
    part("siding", &["siding"]),
    part("windows", &["window", "windows"]),
    part("doors", &["door", "doors"]),
    part("gutters", &["gutter", "gutters"]),
    part("hvac", &["hvac", "heating", "cooling", "airconditioning"]),
    part("plumbing", &["plumbing"]),
    part("bathroom", &["bath", "bathroom", "bathrooms"]),
    part("kitchen", &["kitchen", "kitchens"]),
    part("flooring", &["floor", "flooring", "floors"]),
    part("painting", &["paint", "painting"]),
    part("solar", &["solar"]),
    part("electrical", &["electrical"]),
    part("pest-control", &["pest", "pestcontrol"]),
    part("insulation", &["insulation"]),
];

static VERTICAL: Vertical = Vertical::new(
    "home-services",
    (1, 0),
    "A person who asks for work on a house: repair, replacement, installation or upkeep.",
    GROUPS,
    &[
        standard::PLACE,
        project::PROJECT,
        home::HOUSE,
        project::PARTS,
        home::SUN,
        standard::CONSENT,
        standard::REMARKS,
        standard::CONTACT,
    ],
);

/// The normalizer of home services.
#[derive(Debug)]
pub struct HomeServices;

impl Normalizer for HomeServices {
    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        VERTICAL.read(&submission)
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(HomeServices);
