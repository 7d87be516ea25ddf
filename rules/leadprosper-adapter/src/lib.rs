//! Speaks with buyers on Lead Prosper: JSON both ways. An exclusive answer names a `payout`, a shared one a list of `bids`, of
//! which the highest counts. The post repeats the ping's id and, of a shared lead, the bid's.

use std::collections::BTreeMap;

use guest_sdk::adapter::{
    Adapter, Answer, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer,
    PostReply, Reading, Tree,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["status"],
    yes: &["accepted"],
    no: &["rejected"],
    duplicate: &["duplicated", "duplicate*"],
    fault: &["error"],
    price: &["payout"],
    handle: &["ping_id"],
    reference: &["id", "lead_id"],
    reason: &["message"],
    ..Reading::ANY
};

/// Between the ping's id and the bid's, in the handle of a shared lead.
const BID_MARK: char = '/';

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("zip_code", "zip", As::Is),
    ("state", "state", As::Is),
    ("city", "city", As::Is),
    ("first_name", "first_name", As::Is),
    ("last_name", "last_name", As::Is),
    ("email", "email", As::Is),
    ("phone", "phone", As::Digits),
    ("address", "street_address", As::Is),
    ("date_of_birth", "date_of_birth", As::Date("MM/DD/YYYY")),
    ("gender", "gender", As::Is),
    ("ip_address", "ip_address", As::Is),
    ("user_agent", "user_agent", As::Is),
    ("landing_page_url", "landing_page", As::Is),
    ("jornaya_leadid", "jornaya_lead_id", As::Is),
    ("trustedform_cert_url", "trusted_form_url", As::Is),
    ("tcpa_text", "tcpa_text", As::Is),
    ("lp_s1", "sub_id_1", As::Is),
];

/// What a buyer sets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    campaign_id: String,
    supplier_id: String,
    key: String,
    /// Our field to theirs, beyond those that every campaign has.
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

/// One buyer on Lead Prosper.
struct LeadProsper(Settings);

impl LeadProsper {
    fn body(&self, test: bool, lead: &Lead<'_>) -> Tree {
        let Settings { campaign_id, supplier_id, key, fields } = &self.0;
        let mut body = Tree::object();
        body.set("lp_campaign_id", campaign_id);
        body.set("lp_supplier_id", supplier_id);
        body.set("lp_key", key);
        body.set("lp_action", test.then_some("test"));
        body.fill(lead, FIELDS);
        for (ours, theirs) in fields {
            body.fill(lead, &[(theirs, ours, As::Is)]);
        }
        body
    }
}

impl Adapter for LeadProsper {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"campaign_id": "10000", "supplier_id": "20000", "key": "the supplier's key", "fields": {"home_owner": "ownership"}}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        for (member, text) in
            [("campaign_id", &settings.campaign_id), ("supplier_id", &settings.supplier_id)]
        {
            if !digits(text) {
                return Err(format!(
                    "`{member}` is `{text}`, and Lead Prosper's numbers are digits"
                ));
            }
        }
        Ok(Self(settings))
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        HttpRequest::json(&self.body(offer.test, lead)).at("/ping")
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        let mut reply = ANSWER.ping_reply(response);
        let answer = Answer::read(response);
        let bid = ANSWER.best(&answer).and_then(|bid| bid.get("bid_id")).and_then(Tree::text);
        if let (PingReply::Bid(made), Some(bid)) = (&mut reply, bid) {
            made.handle = made.handle.take().map(|ping| format!("{ping}{BID_MARK}{bid}"));
        }
        reply
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut body = self.body(offer.test, lead);
        let handle = offer.handle.as_deref().unwrap_or_default();
        let (ping, bid) = handle.split_once(BID_MARK).unwrap_or((handle, ""));
        body.set("lp_ping_id", Some(ping).filter(|ping| !ping.is_empty()));
        body.set("bid_id", Some(bid).filter(|bid| !bid.is_empty()));
        HttpRequest::json(&body).at("/post")
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(LeadProsper, by name);
