//! Buys in a declared list of ZIP codes.

use guest_sdk::filter::{Filter, Lead, Verdict};

guest_sdk::fields! { ZIP: text = "zip" }

struct ZipList {
    /// Ascending, so that thousands are searched in a dozen steps.
    zips: Vec<u32>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    zips: Vec<String>,
}

impl Filter for ZipList {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"zips": ["90001", "10025"]}: five digits each"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        let number = |zip: &String| {
            number(zip).ok_or_else(|| format!("`{zip}` is not a ZIP code of five digits"))
        };
        let mut zips: Vec<u32> = settings.zips.iter().map(number).collect::<Result<_, _>>()?;
        zips.sort_unstable();
        Ok(Self { zips })
    }

    fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
        let Some(zip) = lead.get(ZIP).and_then(number) else { return Verdict::no("no-zip") };
        match self.zips.binary_search(&zip) {
            Ok(_) => Verdict::at_campaign_price(),
            Err(_) => Verdict::no("zip-not-on-list"),
        }
    }
}

fn number(zip: &str) -> Option<u32> {
    let digits = zip.len() == 5 && zip.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| zip.parse().ok()).flatten()
}

guest_sdk::export_filter!(ZipList);
