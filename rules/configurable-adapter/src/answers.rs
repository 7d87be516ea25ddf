//! How answers are read, as far as it is not as in most dialects.

use guest_sdk::adapter::Reading;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// How many of the members are lists of texts.
const LISTS: usize = 14;
/// The members of `answer`: lists of texts first.
const MEMBERS: &[&str] = &[
    "verdict",
    "no_flags",
    "duplicate_flags",
    "yes",
    "no",
    "duplicate",
    "fault",
    "complaint",
    "bids",
    "price",
    "currency_at",
    "handle",
    "reference",
    "reason",
    "currency",
    "fixed_price",
    "yes_status",
    "no_status",
];

/// How answers are read. Read by hand: what serde derives for so many members weighs more than all the rest.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) lists: [Option<Vec<String>>; LISTS],
    pub(crate) currency: Option<String>,
    pub(crate) fixed_price: Option<String>,
    pub(crate) yes_status: Vec<u16>,
    pub(crate) no_status: Vec<u16>,
}

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnswersVisitor)
    }
}

pub(crate) struct AnswersVisitor;

impl<'de> Visitor<'de> for AnswersVisitor {
    type Value = Answers;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Answers, A::Error> {
        let mut answers = Answers::default();
        while let Some(name) = map.next_key::<String>()? {
            let list = MEMBERS.iter().position(|known| *known == name);
            if let Some(list) = list.and_then(|place| answers.lists.get_mut(place)) {
                *list = map.next_value()?;
                continue;
            }
            match name.as_str() {
                "currency" => answers.currency = map.next_value()?,
                "fixed_price" => answers.fixed_price = map.next_value()?,
                "yes_status" => answers.yes_status = map.next_value()?,
                "no_status" => answers.no_status = map.next_value()?,
                _ => return Err(A::Error::unknown_field(&name, MEMBERS)),
            }
        }
        Ok(answers)
    }
}

impl Answers {
    /// Reads with what the settings say, and with what most dialects have where they are silent.
    pub(crate) fn read<T>(
        &self,
        price_unsaid: Option<i64>,
        read: impl FnOnce(&Reading<'_>) -> T,
    ) -> T {
        let lists = self.lists.each_ref().map(|list| {
            list.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let any = Reading::ANY;
        let mut chosen: [&[&str]; LISTS] = [
            any.verdict,
            any.no_flags,
            any.duplicate_flags,
            any.yes,
            any.no,
            any.duplicate,
            any.fault,
            any.complaint,
            any.bids,
            any.price,
            any.currency,
            any.handle,
            any.reference,
            any.reason,
        ];
        for (chosen, said) in chosen.iter_mut().zip(&lists) {
            *chosen = said.as_deref().unwrap_or(chosen);
        }
        let [
            verdict,
            no_flags,
            duplicate_flags,
            yes,
            no,
            duplicate,
            fault,
            complaint,
            bids,
            price,
            currency,
            handle,
            reference,
            reason,
        ] = chosen;
        read(&Reading {
            verdict,
            no_flags,
            duplicate_flags,
            yes,
            no,
            duplicate,
            fault,
            complaint,
            bids,
            price,
            currency,
            handle,
            reference,
            reason,
            currency_expected: self.currency.as_deref(),
            yes_status: &self.yes_status,
            no_status: &self.no_status,
            price_unsaid,
        })
    }
}

/// Says what in an answer's settings makes no sense.
pub(crate) fn check(answer: &Answers) -> Result<(), String> {
    let turned_away =
        |status: &&u16| !matches!(status, 400..=407 | 409..=424 | 426..=428 | 430..=499);
    if let Some(status) = answer.no_status.iter().find(turned_away) {
        return Err(format!(
            "`answer.no_status` has {status}, and must have statuses of 400 to 499 other than 408, 425 and 429, which say nothing of the lead"
        ));
    }
    if let Some(status) = answer.yes_status.iter().find(|status| !matches!(status, 200..=299)) {
        return Err(format!(
            "`answer.yes_status` has {status}, and must have statuses of 200 to 299"
        ));
    }
    let is_code = |code: &String| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
    match answer.currency.as_ref().filter(|code| !is_code(code)) {
        Some(code) => Err(format!("`answer.currency` is `{code}`, and must be a code such as USD")),
        None => Ok(()),
    }
}
