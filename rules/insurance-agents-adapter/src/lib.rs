//! Speaks with buyers that take XML inside a form field, in the manner of InsuranceAgents: `xml=<lead>..</lead>` goes out, a
//! small `<reply>` comes back. A yes with a payout of zero is no offer.

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["code"],
    yes: &["1"],
    no: &["0"],
    duplicate: &["-2", "*duplicate*"],
    fault: &["-3", "-100"],
    price: &["payout", "price"],
    handle: &["id"],
    reference: &["lead", "id"],
    reason: &["comment", "comments"],
    bids: &[],
    ..Reading::ANY
};

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("contact/zip", "zip", As::Is),
    ("contact/state", "state", As::Is),
    ("contact/city", "city", As::Is),
    ("contact/firstname", "first_name", As::Is),
    ("contact/lastname", "last_name", As::Is),
    ("contact/email", "email", As::Is),
    ("contact/phone", "phone", As::Digits),
    ("contact/address", "street_address", As::Is),
    ("driver/birthdate", "date_of_birth", As::Date("YYYYMMDD")),
    ("driver/gender", "gender", As::Is),
    ("driver/maritalstatus", "marital_status", As::Is),
    ("driver/credit", "credit_band", As::Is),
    ("vehicle/year", "vehicle_year", As::Is),
    ("vehicle/make", "vehicle_make", As::Is),
    ("vehicle/model", "vehicle_model", As::Is),
    ("currentinsurance/insured", "currently_insured", As::Flag),
    ("currentinsurance/company", "current_carrier", As::Is),
    ("consent/tcpa", "tcpa_consent", As::Flag),
    ("consent/trustedform", "trusted_form_url", As::Is),
    ("consent/leadid", "jornaya_lead_id", As::Is),
];

/// What a buyer sets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    affiliate: String,
    password: String,
    #[serde(default = "xml")]
    field: String,
}

fn xml() -> String {
    "xml".to_owned()
}

/// One buyer that takes XML in a form.
struct InsuranceAgents(Settings);

impl InsuranceAgents {
    fn request(&self, kind: &str, lead: &Tree) -> HttpRequest {
        let Settings { affiliate, password, field } = &self.0;
        let mut form = Tree::object();
        form.set("affiliate", affiliate);
        form.set("password", password);
        form.set("type", kind);
        HttpRequest::xml_in_field(field, "lead", lead, &form)
    }
}

impl Adapter for InsuranceAgents {
    type Settings = Settings;
    const SETTINGS: &'static str =
        r#"{"affiliate": "A1", "password": "the affiliate's", "field": "xml"}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        match settings.field.is_empty() {
            true => Err("`field` is empty: name the form's field that holds the XML, such as xml"
                .to_owned()),
            false => Ok(Self(settings)),
        }
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut body = Tree::object();
        body.set("@test", offer.test.then_some("1"));
        body.fill(lead, FIELDS);
        self.request("ping", &body)
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        ANSWER.ping_reply(response)
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut body = Tree::object();
        body.set("@test", offer.test.then_some("1"));
        body.set("id", offer.handle.as_deref());
        body.fill(lead, FIELDS);
        self.request("post", &body)
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(InsuranceAgents, by name);
