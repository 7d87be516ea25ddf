//! Speaks with buyers on Juiced: JSON both ways. The verdict is a sentence, several bids come at once with prices as whole
//! numbers or decimals, and the post names the ping and the bid that was taken.

use guest_sdk::adapter::{
    Adapter, Answer, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer,
    PostReply, Reading, Tree,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["message"],
    yes: &["match found", "accepted", "lead accepted"],
    no: &["no match found", "rejected"],
    duplicate: &["duplicate"],
    price: &["price"],
    handle: &["id"],
    reference: &["lead_id", "id"],
    reason: &["reason", "error", "message"],
    ..Reading::ANY
};

/// Between the ping's id and the bid's, in the handle.
const BID_MARK: char = '/';

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("zip", "zip", As::Is),
    ("state", "state", As::Is),
    ("city", "city", As::Is),
    ("first_name", "first_name", As::Is),
    ("last_name", "last_name", As::Is),
    ("email", "email", As::Is),
    ("phone", "phone", As::Digits),
    ("address", "street_address", As::Is),
    ("homeowner", "home_owner", As::Is),
    ("credit", "credit_band", As::Is),
    ("property_type", "property_type", As::Is),
    ("ip_address", "ip_address", As::Is),
    ("user_agent", "user_agent", As::Is),
    ("trusted_form_cert_url", "trusted_form_url", As::Is),
    ("jornaya_lead_id", "jornaya_lead_id", As::Is),
    ("tcpa_consent", "tcpa_consent", As::Is),
    ("tcpa_text", "tcpa_text", As::Is),
    ("sub_id", "sub_id_1", As::Is),
];

/// What a buyer sets. Juiced's user and password are a secret header of the buyer's delivery.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    campaign_id: u32,
}

/// One buyer on Juiced.
struct Juiced(Settings);

impl Juiced {
    fn body(&self, test: bool, lead: &Lead<'_>) -> Tree {
        let mut body = Tree::object();
        body.set("campaign_id", self.0.campaign_id);
        body.set("test", test.then_some(true));
        body.fill(lead, FIELDS);
        body
    }
}

impl Adapter for Juiced {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"campaign_id": 123}; user and password go into the buyer's headers: {"authorization": {"secret": "Basic .."}}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        HttpRequest::json(&self.body(offer.test, lead)).at("/pings")
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        let mut reply = ANSWER.ping_reply(response);
        let answer = Answer::read(response);
        if let (PingReply::Bid(bid), Some(ping)) = (&mut reply, answer.find("ping_id")) {
            bid.handle = bid.handle.take().map(|bid| format!("{ping}{BID_MARK}{bid}"));
        }
        reply
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut body = self.body(offer.test, lead);
        if let Some((ping, bid)) = offer.handle.as_deref().and_then(|h| h.split_once(BID_MARK)) {
            body.set("ping_id", ping);
            body.set("bid_ids", vec![Tree::from(bid)]);
        }
        HttpRequest::json(&body).at("/leads")
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(Juiced, by name);
