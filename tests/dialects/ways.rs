//! From the ping to the sale in one dialect: the post cites what the ping's answer gave, under the name by which that
//! dialect cites it, and nothing in the address says which dialect it is unless the dialect is known by that alone.

use serde_json::Value;

use super::{FORM, Heard, JSON, XML, hear, open};
use crate::exchange::{SOURCE_KEY, client};

/// What every source here says of the lead and of the person.
const LEAD: [(&str, &str); 9] = [
    ("deadline_ms", "10000"),
    ("zip", "90210"),
    ("state", "CA"),
    ("dob", "1985-04-12"),
    ("gender", "F"),
    ("insured", "yes"),
    ("vehicle1_year", "2019"),
    ("vehicle1_make", "Toyota"),
    ("vehicle1_model", "Camry"),
];
const PERSON: [(&str, &str); 6] = [
    ("first_name", "Dana"),
    ("last_name", "Sample"),
    ("email", "dana@example.com"),
    ("phone", "2025550107"),
    ("address", "1 Example St"),
    ("city", "Beverly Hills"),
];

/// How a source speaks.
struct Way {
    /// The last word of the address, where nothing else says it.
    word: &'static str,
    syntax: &'static str,
    /// Whether it sends its fields in the address, by GET.
    in_address: bool,
    /// What it says beside the lead, on each step.
    ping: &'static [(&'static str, &'static str)],
    post: &'static [(&'static str, &'static str)],
    /// What the ping's answer calls the handle, and what the post does.
    given: &'static str,
    cited: &'static str,
    /// What the answers have.
    accepted: &'static str,
    sold: &'static str,
    status: u16,
}

const USUAL: Way = Way {
    word: "",
    syntax: FORM,
    in_address: false,
    ping: &[],
    post: &[],
    given: "",
    cited: "",
    accepted: "",
    sold: "",
    status: 200,
};

impl Way {
    fn body(&self, said: &[&[(&str, &str)]]) -> String {
        let pairs = said.iter().copied().flatten();
        match self.syntax {
            JSON => {
                let members = pairs.map(|&(name, value)| (name.to_owned(), value.into()));
                Value::Object(members.collect()).to_string()
            }
            XML => {
                let element = |(name, value): &(&str, &str)| format!("<{name}>{value}</{name}>");
                format!("<Lead>{}</Lead>", pairs.map(element).collect::<String>())
            }
            _ => {
                let pair = |(name, value): &(&str, &str)| {
                    format!("{name}={}", value.replace('@', "%40").replace(' ', "+"))
                };
                pairs.map(pair).collect::<Vec<_>>().join("&")
            }
        }
    }
}

/// Finds the text that an answer gives under a name, in JSON, XML and lines.
fn given(answer: &Heard, name: &str) -> String {
    let text = &answer.text;
    let marks = [format!("<{name}>"), format!("\"{name}\":\""), format!("{name}=")];
    let found = marks.iter().find_map(|mark| text.split_once(mark.as_str()));
    let (_, after) = found.unwrap_or_else(|| panic!("{name} is not in {text}"));
    after.split(['<', '"', '\n']).next().unwrap().to_owned()
}

async fn check(way: Way) {
    let (exchange, buyer) = open().await;
    let send = |step: &str, body: String| {
        let slash = if way.word.is_empty() { "" } else { "/" };
        let path = format!("/v1/auto-insurance/{step}{slash}{}", way.word);
        let url = exchange.url(&path);
        if way.in_address {
            return hear(client().get(format!("{url}?{body}")));
        }
        let request = client().post(url).header("content-type", way.syntax);
        // Where the dialect has no field for the key, it is in HTTP Basic.
        let in_body = body.contains(SOURCE_KEY);
        let request = if in_body { request } else { request.basic_auth("web", Some(SOURCE_KEY)) };
        hear(request.body(body))
    };
    let ping = send("ping", way.body(&[way.ping, &LEAD])).await;
    assert_eq!(ping.status, way.status, "{}", ping.text);
    assert!(ping.text.contains(way.accepted), "{}", ping.text);
    let handle = given(&ping, way.given);
    let cited = [(way.cited, handle.as_str())];
    let post = send("post", way.body(&[way.post, &cited, &LEAD, &PERSON])).await;
    assert_eq!(post.status, way.status, "{}", post.text);
    assert!(post.text.contains(way.sold), "{}", post.text);
    assert_eq!(post.content_type, ping.content_type);
    let (_, lead) = &buyer.received()[0];
    assert_eq!(lead["lead"]["phone"], "+12025550107");
    assert_eq!(lead["ping_id"], handle);
}

#[tokio::test]
async fn boberdoo() {
    check(Way {
        ping: &[
            ("Key", SOURCE_KEY),
            ("API_Action", "pingPostLead"),
            ("Mode", "ping"),
            ("TYPE", "23"),
            ("SRC", "web"),
        ],
        post: &[
            ("Key", SOURCE_KEY),
            ("API_Action", "pingPostLead"),
            ("Mode", "post"),
            ("TYPE", "23"),
            ("SRC", "web"),
        ],
        given: "lead_id",
        cited: "Lead_ID",
        accepted: "<status>Matched</status>",
        sold: "<status>Matched</status>",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn boberdoo_in_the_address() {
    let named = [("Key", SOURCE_KEY), ("TYPE", "23"), ("SRC", "web")];
    check(Way {
        in_address: true,
        ping: &[("Key", SOURCE_KEY), ("TYPE", "23"), ("SRC", "web")],
        post: &[("Key", SOURCE_KEY), ("TYPE", "23"), ("SRC", "web")],
        given: "lead_id",
        cited: "Lead_ID",
        accepted: "<status>Matched</status>",
        sold: "<status>Matched</status>",
        ..USUAL
    })
    .await;
    let (exchange, _buyer) = open().await;
    let url = exchange.url("/v1/auto-insurance/full");
    let full = format!("{url}?{}", USUAL.body(&[&named, &LEAD, &PERSON]));
    // Who only looks sells nothing.
    for looking in [client().head(&full), client().get(&url), client().get(format!("{url}?"))] {
        assert_eq!(hear(looking).await.status, 405);
    }
    assert_eq!(exchange.get("auctions").await.body["auctions"], serde_json::json!([]));
}

#[tokio::test]
async fn boberdoo_in_json() {
    check(Way {
        ping: &[("Key", SOURCE_KEY), ("TYPE", "23"), ("SRC", "web"), ("Format", "JSON")],
        post: &[("Key", SOURCE_KEY), ("TYPE", "23"), ("SRC", "web"), ("Format", "JSON")],
        given: "lead_id",
        cited: "Lead_ID",
        accepted: "{\"response\":{\"status\":\"Matched\",",
        sold: "\"price\":\"2.11\"",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn cake() {
    check(Way {
        ping: &[("ckm_campaign_id", "101"), ("ckm_key", SOURCE_KEY)],
        post: &[("ckm_campaign_id", "101"), ("ckm_key", SOURCE_KEY)],
        given: "leadid",
        cited: "leadid",
        accepted: "<code>0</code><msg>success</msg>",
        sold: "<price>2.11</price>",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn px() {
    for (syntax, accepted, sold) in [
        (JSON, "\"Success\":true,\"Payout\":2.11,", "\"Sold\":true,"),
        (XML, "<Success>true</Success><Payout>2.11</Payout>", "<Sold>true</Sold>"),
    ] {
        check(Way {
            syntax,
            ping: &[("ApiToken", SOURCE_KEY), ("Vertical", "AutoInsurance")],
            post: &[("ApiToken", SOURCE_KEY), ("Vertical", "AutoInsurance")],
            given: "TransactionId",
            cited: "TransactionId",
            accepted,
            sold,
            ..USUAL
        })
        .await;
    }
}

#[tokio::test]
async fn leadspedia() {
    check(Way {
        ping: &[("lp_campaign_id", "6"), ("lp_campaign_key", SOURCE_KEY)],
        post: &[("lp_campaign_id", "6"), ("lp_campaign_key", SOURCE_KEY)],
        given: "ping_id",
        cited: "lp_ping_id",
        accepted: "<result>success</result>",
        sold: "<msg>Lead Accepted</msg>",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn leadsdelivery() {
    check(Way {
        ping: &[("Lead.LeadTypeId", "9"), ("Source.Key", SOURCE_KEY), ("Source.Token", "t")],
        post: &[("Lead.LeadTypeId", "9"), ("Source.Key", SOURCE_KEY), ("Source.Token", "t")],
        given: "ID",
        cited: "TXID",
        accepted: "<ExternalPingResponse><Message>success</Message><Price>2.11</Price>",
        sold: "<ExternalPostResponse><Message>success</Message>",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn leadprosper() {
    check(Way {
        ping: &[("lp_campaign_id", "6"), ("lp_supplier_id", "2"), ("lp_key", SOURCE_KEY)],
        post: &[("lp_campaign_id", "6"), ("lp_supplier_id", "2"), ("lp_key", SOURCE_KEY)],
        given: "ping_id",
        cited: "lp_ping_id",
        accepted: "{\"status\":\"ACCEPTED\",\"code\":0,",
        sold: "{\"status\":\"ACCEPTED\",\"code\":0,",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn leaddistro() {
    check(Way {
        syntax: JSON,
        ping: &[("flo_campaign_id", "c"), ("flo_supplier_id", "s")],
        post: &[("flo_campaign_id", "c"), ("flo_supplier_id", "s")],
        given: "ping_id",
        cited: "flo_ping_id",
        accepted: "{\"accepted\":true,",
        sold: "\"status\":\"ACCEPTED\"",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn leadbyte() {
    check(Way {
        ping: &[("campid", "AUTO"), ("sid", "1"), ("key", SOURCE_KEY)],
        post: &[("campid", "AUTO"), ("sid", "1"), ("key", SOURCE_KEY)],
        given: "leadId",
        cited: "leadId",
        accepted: "{\"code\":1,\"response\":\"OK\",\"info\":[],",
        sold: "\"price\":2.11",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn juiced() {
    check(Way {
        word: "juiced",
        syntax: JSON,
        given: "ping_id",
        cited: "ping_id",
        accepted: "\"message\":\"Match found\",\"bids\":[{",
        sold: "\"message\":\"Assigned\",\"price\":2.11",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn leadconduit() {
    check(Way {
        word: "leadconduit",
        given: "id",
        cited: "ping_id",
        accepted: "{\"outcome\":\"success\",\"lead\":{",
        sold: "{\"outcome\":\"success\",\"lead\":{\"id\":\"ld_",
        status: 201,
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn clickdealer() {
    check(Way {
        word: "clickdealer",
        syntax: JSON,
        given: "LeadId",
        cited: "LeadId",
        accepted: "{\"Result\":\"Success\",",
        sold: "\"Message\":\"Lead accepted\"",
        ..USUAL
    })
    .await;
}

#[tokio::test]
async fn sunrun() {
    check(Way {
        ping: &[("campid", SOURCE_KEY), ("electricUtilityProviderText", "Example Power")],
        post: &[("campid", SOURCE_KEY), ("electricUtilityProviderText", "Example Power")],
        given: "ping_id",
        cited: "ping_id",
        accepted: "POST_VALID\n",
        sold: "POST_VALID",
        ..USUAL
    })
    .await;
}
