//! Speaks with buyers on PX: JSON both ways. `Success` is the verdict, at the post with `Sold` where that is said, `Payout` is
//! the price as a number, and the post repeats the `TransactionId` of the ping's answer.

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["Success"],
    price: &["Payout"],
    handle: &["TransactionId"],
    reference: &["TransactionId"],
    // The message of a refusal is a class, such as `BadRequest`; the errors say what is wrong.
    reason: &["Errors", "Message"],
    bids: &[],
    ..Reading::ANY
};

const POST_ANSWER: Reading<'_> = Reading { verdict: &["Success", "Sold"], ..ANSWER };

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("ContactData/ZipCode", "zip", As::Is),
    ("ContactData/State", "state", As::Is),
    ("ContactData/City", "city", As::Is),
    ("ContactData/FirstName", "first_name", As::Is),
    ("ContactData/LastName", "last_name", As::Is),
    ("ContactData/EmailAddress", "email", As::Is),
    ("ContactData/PhoneNumber", "phone", As::Digits),
    ("ContactData/Address", "street_address", As::Is),
    ("ContactData/IpAddress", "ip_address", As::Is),
    ("Person/BirthDate", "date_of_birth", As::Is),
    ("Person/Gender", "gender", As::Is),
    ("Person/CreditRating", "credit_band", As::Is),
    ("Person/HomeOwner", "home_owner", As::YesNo),
    ("RequestedInsurance/Insured", "currently_insured", As::YesNo),
    ("RequestedInsurance/Carrier", "current_carrier", As::Is),
    ("Vehicles/0/Year", "vehicle_year", As::Is),
    ("Vehicles/0/Make", "vehicle_make", As::Is),
    ("Vehicles/0/Model", "vehicle_model", As::Is),
    ("TcpaConsent", "tcpa_consent", As::YesNo),
    ("TcpaText", "tcpa_text", As::Is),
    ("TrustedFormCertUrl", "trusted_form_url", As::Is),
    ("JornayaLeadId", "jornaya_lead_id", As::Is),
    ("OriginalUrl", "landing_page", As::Is),
    ("UserAgent", "user_agent", As::Is),
    ("SubId", "sub_id_1", As::Is),
];

/// What a buyer sets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    api_token: String,
    vertical: String,
    #[serde(default)]
    sub_id: Option<String>,
}

/// One buyer on PX.
struct Px(Settings);

impl Px {
    fn body(&self, test: bool, lead: &Lead<'_>) -> Tree {
        let Settings { api_token, vertical, sub_id } = &self.0;
        let mut body = Tree::object();
        body.set("ApiToken", api_token);
        body.set("Vertical", vertical);
        body.set("Environment", if test { "Testing" } else { "Production" });
        body.set("SubId", sub_id.as_deref());
        body.fill(lead, FIELDS);
        body
    }
}

impl Adapter for Px {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"api_token": "the token of the publisher", "vertical": "AutoInsurance", "sub_id": "said where the lead names none"}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        match settings.api_token.trim().is_empty() {
            true => Err("`api_token` is empty: PX gives one to every publisher".to_owned()),
            false => Ok(Self(settings)),
        }
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        HttpRequest::json(&self.body(offer.test, lead)).at("/ping")
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        ANSWER.ping_reply(response)
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut body = self.body(offer.test, lead);
        body.set("TransactionId", offer.handle.as_deref());
        HttpRequest::json(&body).at("/post")
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        POST_ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(Px, by name);
