//! Bids by fields as `gavel schema --rust` makes them, of a schema with every kind and with the hardest names.

pub mod hard_names;

use guest_sdk::filter::{AnySettings, Filter, Lead, Verdict};
use hard_names::{CreditBand, Limits, Makes, OptionWord, SelfWord};

guest_sdk::needs! { hard_names::{BORN, CREDIT_BAND, FIELD_4WD, FIELD__, INCOME, LIMITS, MAKES, OPTION, SELF} }

/// What each trait adds to a bid, in millionths.
const STEP: i64 = 1_000_000;

struct GeneratedFields;

impl Filter for GeneratedFields {
    type Settings = AnySettings;
    const SETTINGS: &'static str = "null: there are none";

    fn configure(_settings: AnySettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let Some(band) = lead.get(CREDIT_BAND).and_then(CreditBand::from_text) else {
            return Verdict::no("no-credit");
        };
        let limits = lead.get(LIMITS).and_then(Limits::from_text);
        let option = lead.get(OPTION).and_then(OptionWord::from_text);
        let own = lead.get(SELF).and_then(SelfWord::from_text);
        let saab = |text| Makes::from_text(text) == Some(Makes::Saab);
        let traits = [
            limits == Some(Limits::N100_300),
            option == Some(OptionWord::SelfWord),
            own == Some(SelfWord::AB2),
            lead.get(MAKES).is_some_and(|makes| makes.iter().any(saab)),
            lead.get(FIELD_4WD) == Some(true),
            lead.get(FIELD__).is_some_and(|number| number > 0),
            lead.get(INCOME).is_some_and(|millionths| millionths >= 50_000 * STEP),
            lead.get(BORN).is_some_and(|days| days < 0),
        ];
        match (band, traits.iter().filter(|holds| **holds).count()) {
            (CreditBand::VeryPoor, _) => Verdict::no(band.text()),
            (CreditBand::Good | CreditBand::Fair, 0) => Verdict::at_campaign_price(),
            (CreditBand::Good | CreditBand::Fair, count) => Verdict::bid(STEP * count as i64),
        }
    }
}

guest_sdk::export_filter!(GeneratedFields);
