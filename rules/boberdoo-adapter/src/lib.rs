//! Speaks with buyers on boberdoo: a form goes out, XML comes back. A ping and its post go to the same address and differ in
//! `Mode`; the post repeats the `lead_id` of the ping's answer as `Lead_ID`.
//!
//! An `Error` names what is wrong with the request before the lead is stored, so at the post it is a refusal where it does;
//! an error without a word is not.

use std::collections::BTreeMap;

use guest_sdk::adapter::{
    Adapter, Answer, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer,
    PostReply, Reading, Tree, Verdict,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["status"],
    yes: &["matched"],
    no: &["unmatched"],
    fault: &["error"],
    price: &["price", "best_bid", "seller_lead_bid"],
    handle: &["lead_id"],
    reference: &["lead_id"],
    reason: &["unmatched_reason", "error", "reason"],
    bids: &[],
    ..Reading::ANY
};

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("Zip", "zip", As::Is),
    ("State", "state", As::Is),
    ("City", "city", As::Is),
    ("First_Name", "first_name", As::Is),
    ("Last_Name", "last_name", As::Is),
    ("Email", "email", As::Is),
    ("Phone", "phone", As::Digits),
    ("Address", "street_address", As::Is),
    ("DOB", "date_of_birth", As::Date("MM/DD/YYYY")),
    ("Gender", "gender", As::Is),
    ("Homeowner", "home_owner", As::YesNo),
    ("Currently_Insured", "currently_insured", As::YesNo),
    ("Credit_Rating", "credit_band", As::Is),
    ("TCPA", "tcpa_consent", As::YesNo),
    ("TCPA_Language", "tcpa_text", As::Is),
    ("Trusted_Form_URL", "trusted_form_url", As::Is),
    ("LeadiD_Token", "jornaya_lead_id", As::Is),
    ("Landing_Page", "landing_page", As::Is),
    ("User_Agent", "user_agent", As::Is),
    ("IP_Address", "ip_address", As::Is),
    ("Sub_ID", "sub_id_1", As::Is),
];

/// What a buyer sets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    key: String,
    src: String,
    #[serde(rename = "type")]
    lead_type: String,
    #[serde(default)]
    constants: BTreeMap<String, String>,
}

/// One buyer on boberdoo.
struct Boberdoo(Settings);

impl Boberdoo {
    fn form(&self, mode: &str, test: bool, lead: &Lead<'_>) -> Tree {
        let Settings { key, src, lead_type, constants } = &self.0;
        let mut form = Tree::object();
        form.set("Key", key);
        form.set("API_Action", "pingPostLead");
        form.set("Format", "XML");
        form.set("Mode", mode);
        form.set("Return_Best_Price", "1");
        form.set("TYPE", lead_type);
        form.set("SRC", src);
        form.set("Test_Lead", test.then_some("1"));
        constants.iter().for_each(|(name, value)| form.set(name, value));
        form.fill(lead, FIELDS);
        form
    }
}

impl Adapter for Boberdoo {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"key": "the API key of the source", "src": "its SRC", "type": "the number of the lead type, such as 31", "constants": {"Language": "English"}}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        for (member, text) in
            [("key", &settings.key), ("src", &settings.src), ("type", &settings.lead_type)]
        {
            if text.trim().is_empty() {
                return Err(format!("`{member}` is empty: boberdoo gives one to every source"));
            }
        }
        Ok(Self(settings))
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        HttpRequest::form(&self.form("ping", offer.test, lead))
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        ANSWER.ping_reply(response)
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut form = self.form("post", offer.test, lead);
        form.set("Lead_ID", offer.handle.as_deref());
        HttpRequest::form(&form)
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        let answer = Answer::read(response);
        match (ANSWER.verdict_of(&answer), answer.find("error")) {
            (Verdict::Fault, Some(error)) => PostReply::Rejected(error.chars().take(200).collect()),
            _ => ANSWER.post_reply(response),
        }
    }
}

guest_sdk::export_adapter!(Boberdoo, by name);
