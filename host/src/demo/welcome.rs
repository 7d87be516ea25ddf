//! What is said first: where everything is, and a ping to try by hand.

use std::path::Path;

use jiff::civil::Date;

use super::api::Call;
use super::dialects::{Dialect, Stage, call};
use super::leads::{Lead, lead};
use super::market::{BUYERS, CAMPAIGNS, SOURCES};

/// A seed of its own, so that the ping to try is not one of the stream's.
const SEED: u64 = u64::MAX;

/// What there is to say.
#[derive(Debug)]
pub(super) struct Welcome<'a> {
    pub(super) base: &'a str,
    pub(super) folder: &'a Path,
    pub(super) operator_key: &'a str,
    /// The sources' keys, in the market's order.
    pub(super) keys: &'a [String],
    /// The port that was taken, if the exchange had to go elsewhere.
    pub(super) moved: Option<u16>,
    pub(super) today: Date,
}

/// Returns the text.
pub(super) fn text(welcome: &Welcome<'_>) -> String {
    let Welcome { base, folder, operator_key, .. } = welcome;
    let moved =
        welcome.moved.map(|port| format!("port {port} is taken, so this demo is elsewhere\n"));
    format!(
        "{}gavel demo: {} sources, {} buyers with {} campaigns, and an exchange on {base}\n\
         \x20 console       {base}/console\n\
         \x20 docs          {base}/docs\n\
         \x20 API           {base}/openapi.json\n\
         \x20 operator key  {operator_key}\n\
         \x20 data          {}\n\
         \x20 postbacks     go to roadside-quotes and acorn-mutual, signed\n\
         \x20 fees          acorn-mutual pays 0.25 and 2 % on top of a price, quote-river 0.10 a lead\n\
         \x20 to look around, with `gavel` for target/release/gavel:\n\
         export GAVEL_URL={base} GAVEL_OPERATOR_KEY={operator_key}\n\
         gavel postbacks; gavel buyer show acorn-mutual; gavel shipments\n\
         \x20 a ping to try:\n\
         {}\n",
        moved.unwrap_or_default(),
        SOURCES.len(),
        BUYERS.len(),
        CAMPAIGNS.len(),
        folder.display(),
        ping_to_try(welcome).unwrap_or_default(),
    )
}

/// Returns a `curl` for a ping of the source that speaks plain JSON.
fn ping_to_try(welcome: &Welcome<'_>) -> Option<String> {
    let plain = |lead: &Lead| lead.source().dialect == Dialect::FlatJson && lead.fault.is_none();
    let lead = (1..).map(|number| lead(SEED, number, welcome.today)).find(plain)?;
    let key = welcome.keys.get(lead.source)?;
    let Call { path, content_type, body, .. } = call(&lead, &Stage::Ping, key);
    Some(format!(
        "curl -sS {}{path} -H 'Authorization: Bearer {key}' -H 'Content-Type: {content_type}' -d '{}'",
        welcome.base,
        String::from_utf8_lossy(&body),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ping_to_try_can_be_pasted_as_it_is() {
        let keys: Vec<String> = (0..SOURCES.len()).map(|index| format!("key-{index}")).collect();
        let text = text(&Welcome {
            base: "http://127.0.0.1:8080",
            folder: Path::new("demo-data"),
            operator_key: "0011",
            keys: &keys,
            moved: Some(8080),
            today: jiff::civil::date(2026, 3, 1),
        });
        assert!(text.starts_with("port 8080 is taken"), "{text}");
        let curl = text.lines().find(|line| line.starts_with("curl")).unwrap();
        assert!(curl.contains("http://127.0.0.1:8080/v1/medicare-health/ping"), "{curl}");
        assert!(curl.contains("Bearer key-4"), "{curl}");
        let quoted: Vec<&str> = curl.split('\'').collect();
        let body: serde_json::Value = serde_json::from_str(quoted[5]).unwrap();
        assert!(body.get("zip").is_some() && body.get("phone").is_none(), "{body}");
    }
}
