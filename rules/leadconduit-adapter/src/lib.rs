//! Hands leads to flows of LeadConduit: a form goes out, JSON comes back with the status 201 for a success and for a failure
//! alike, so only `outcome` counts. Where the flow answers pings, `/ping` is asked first and names a `price`.

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["outcome", "response"],
    yes: &["success"],
    no: &["failure"],
    fault: &["error"],
    price: &["price"],
    handle: &["lead/id", "leadAuctionId", "id"],
    reference: &["lead/id", "leadAuctionId", "id"],
    reason: &["reason", "details", "message"],
    bids: &[],
    ..Reading::ANY
};

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("postal_code", "zip", As::Is),
    ("state", "state", As::Is),
    ("city", "city", As::Is),
    ("first_name", "first_name", As::Is),
    ("last_name", "last_name", As::Is),
    ("email", "email", As::Is),
    ("phone_1", "phone", As::Digits),
    ("address_1", "street_address", As::Is),
    ("address_2", "street_address_2", As::Is),
    ("dob", "date_of_birth", As::Is),
    ("gender", "gender", As::Is),
    ("ip_address", "ip_address", As::Is),
    ("universal_leadid", "jornaya_lead_id", As::Is),
    ("trustedform_cert_url", "trusted_form_url", As::Is),
    ("opt_in_text", "tcpa_text", As::Is),
];

/// What a buyer sets: the flow and the source are in the buyer's address.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    pings: bool,
}

/// One flow.
struct LeadConduit(Settings);

impl LeadConduit {
    fn form(test: bool, lead: &Lead<'_>) -> Tree {
        let mut form = Tree::object();
        form.set("is_test", test.then_some("true"));
        form.fill(lead, FIELDS);
        form
    }
}

impl Adapter for LeadConduit {
    type Settings = Settings;
    const SETTINGS: &'static str =
        r#"{"pings": true}; the address is https://app.leadconduit.com/flows/FLOW/sources/SOURCE"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn pings(&self) -> bool {
        self.0.pings
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        HttpRequest::form(&Self::form(offer.test, lead))
            .at("/ping")
            .header("accept", "application/json")
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        ANSWER.ping_reply(response)
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut form = Self::form(offer.test, lead);
        form.set("lead_id", offer.handle.as_deref());
        HttpRequest::form(&form).at("/submit").header("accept", "application/json")
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(LeadConduit, by name);
