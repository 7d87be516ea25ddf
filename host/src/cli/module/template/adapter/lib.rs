//! Speaks with a buyer that takes JSON and answers `{"result": "buy", "offer": "12.50", "ref": "a-1"}`.

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree,
};

/// How the buyer answers. What is not said here is as in most dialects; `*` in a word stands for anything.
const ANSWER: Reading<'_> = Reading {
    verdict: &["result"],
    yes: &["buy", "taken"],
    no: &["pass"],
    price: &["offer"],
    handle: &["ref"],
    reference: &["ref"],
    ..Reading::ANY
};

/// The buyer's path, our field, and how the buyer writes it. `gavel module inspect` on a vertical's normalizer lists the
/// fields; contact data is there only when a lead is handed over.
const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("person/zip", "zip", As::Is),
    ("person/born", "date_of_birth", As::Date("MM/DD/YYYY")),
    ("person/owns_home", "home_owner", As::YesNo),
    ("person/name", "last_name", As::Is),
    ("person/email", "email", As::Is),
    ("person/phone", "phone", As::Digits),
];

/// What a buyer sets, as JSON.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    campaign: String,
}

/// One buyer.
pub struct Buyer(Settings);

impl Buyer {
    fn body(&self, test: bool, lead: &Lead<'_>) -> Tree {
        let mut body = Tree::object();
        body.set("campaign", &self.0.campaign);
        body.set("test", test.then_some(true));
        body.fill(lead, FIELDS);
        body
    }
}

impl Adapter for Buyer {
    type Settings = Settings;
    /// Shown to the person who fills in the settings: an example says most.
    const SETTINGS: &'static str = r#"{"campaign": "auto-1"}"#;

    /// Runs once, when the buyer or this module changes.
    fn configure(settings: Settings) -> Result<Self, String> {
        if settings.campaign.is_empty() {
            return Err("`campaign` is empty: the buyer names one".to_owned());
        }
        Ok(Self(settings))
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        HttpRequest::json(&self.body(offer.test, lead)).at("/ping")
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        ANSWER.ping_reply(response)
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut body = self.body(offer.test, lead);
        body.set("ref", offer.handle.as_deref());
        HttpRequest::json(&body).at("/post")
    }

    /// What is not certain stays unknown: a lead called rejected is sold to the next buyer.
    fn post_response(&self, response: &HttpResponse) -> PostReply {
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(Buyer, by name);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_other_words_is_unknown() {
        let body = br#"{"result": "perhaps"}"#.to_vec();
        let response = HttpResponse {
            status: 200,
            headers: Vec::new(),
            body,
        };
        assert!(matches!(
            ANSWER.post_reply(&response),
            PostReply::Unknown(_)
        ));
    }
}
