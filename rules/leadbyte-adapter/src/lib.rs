//! Hands leads to buyers on LeadByte, which are not asked for bids: a form goes out, JSON comes back. `code` 1 is a yes and
//! any other number a no, and every `status` beside it must say the same. What is `Queued` may still be refused, so nobody
//! knows yet what becomes of it; nor of what has a status that is not known here.

use guest_sdk::adapter::{
    Adapter, Answer, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer,
    PostReply, Reading, Tree, matches,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["code", "status"],
    yes: &["1", "success", "accepted", "approved", "sold"],
    // A number of its own means a duplicate in some installations; the words tell.
    no: &[
        "0", "-*", "2*", "3*", "4*", "5*", "6*", "7*", "8*", "9*", "rejected", "declined",
        "failed", "invalid",
    ],
    reference: &["leadId", "queueId"],
    reason: &["info", "message", "errors", "response"],
    ..Reading::ANY
};

const FIELDS: &[(&str, &str, As<'_>)] = &[
    ("firstname", "first_name", As::Is),
    ("lastname", "last_name", As::Is),
    ("email", "email", As::Is),
    ("phone1", "phone", As::Digits),
    ("street1", "street_address", As::Is),
    ("street2", "street_address_2", As::Is),
    ("towncity", "city", As::Is),
    ("county", "county", As::Is),
    ("postcode", "zip", As::Is),
    ("dob", "date_of_birth", As::Date("DD/MM/YYYY")),
    ("gender", "gender", As::Is),
    ("ipaddress", "ip_address", As::Is),
    ("optinurl", "landing_page", As::Is),
    ("ssid", "sub_id_1", As::Is),
];

/// What a buyer sets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    campid: String,
    sid: u32,
}

/// One buyer on LeadByte.
struct LeadByte(Settings);

impl Adapter for LeadByte {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"campid": "AUTO-1", "sid": 123}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        match settings.campid.trim().is_empty() {
            true => Err("`campid` is empty: it is the campaign's code in LeadByte".to_owned()),
            false => Ok(Self(settings)),
        }
    }

    fn pings(&self) -> bool {
        false
    }

    fn ping_request(&self, _: &PingOffer, _: &Lead<'_>) -> HttpRequest {
        HttpRequest::form(&Tree::Null)
    }

    fn ping_response(&self, _: &HttpResponse) -> PingReply {
        PingReply::Invalid("LeadByte is not asked for bids".to_owned())
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let mut form = Tree::object();
        form.set("campid", &self.0.campid);
        form.set("sid", self.0.sid);
        form.set("returnjson", "yes");
        form.set("testmode", offer.test.then_some("yes"));
        form.set("c1", offer.lead.as_str());
        form.fill(lead, FIELDS);
        HttpRequest::form(&form)
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        let answer = Answer::read(response);
        let queued = |word: &str| matches("queued", word);
        if answer.find("results/0/status").or_else(|| answer.find("status")).is_some_and(queued) {
            return PostReply::Unknown("queued: the buyer may still refuse it".to_owned());
        }
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(LeadByte, by name);
