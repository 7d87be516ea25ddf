//! Hands leads to buyers on CAKE, which are not asked for bids: a form goes out, XML without a declaration comes back. `code` 0
//! is a yes; with any other `msg` says why not.

use std::collections::BTreeMap;

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree,
};

const ANSWER: Reading<'_> = Reading {
    verdict: &["code"],
    yes: &["0"],
    no: &["1*", "2*", "3*", "4*", "5*", "6*", "7*", "8*", "9*"],
    duplicate: &["*duplicate*"],
    reference: &["leadid"],
    reason: &["error", "msg"],
    ..Reading::ANY
};

/// What a buyer sets.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    campaign_id: u32,
    key: String,
    /// Our field to theirs: every CAKE installation names its own.
    fields: BTreeMap<String, String>,
}

/// One buyer on CAKE.
struct Cake(Settings);

impl Adapter for Cake {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"campaign_id": 123, "key": "the campaign's key", "fields": {"first_name": "First_Name", "zip": "Zip_Code"}}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        match settings.fields.is_empty() {
            true => Err("`fields` is empty: name CAKE's field for each of ours".to_owned()),
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
        PingReply::Invalid("CAKE is not asked for bids".to_owned())
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let Settings { campaign_id, key, fields } = &self.0;
        let mut form = Tree::object();
        form.set("ckm_campaign_id", *campaign_id);
        form.set("ckm_key", key);
        form.set("ckm_test", offer.test.then_some("1"));
        form.set("ckm_subid", offer.campaign.as_str());
        for (ours, theirs) in fields {
            form.fill(lead, &[(theirs, ours, As::Is)]);
        }
        HttpRequest::form(&form)
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        ANSWER.post_reply(response)
    }
}

guest_sdk::export_adapter!(Cake, by name);
