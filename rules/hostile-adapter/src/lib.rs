//! An adapter that does what no adapter should, for the tests: its settings say what, and in which of its calls.

#![expect(clippy::panic, reason = "that is what it is for")]

use guest_sdk::adapter::{
    Adapter, Bid, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply, Tree,
};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What the request does.
    #[serde(default)]
    request: String,
    /// What the reading of an answer does.
    #[serde(default)]
    response: String,
}

struct Hostile(Settings);

/// Does nothing good; what it does not know it leaves to the caller.
fn misbehave(how: &str) {
    match how {
        "trap" => panic!("on purpose"),
        "loop" => loop {
            core::hint::black_box(());
        },
        "memory" => {
            let mut kept: Vec<Vec<u8>> = Vec::new();
            loop {
                kept.push(vec![1; 1 << 20]);
            }
        }
        _ => (),
    }
}

fn request(how: &str, lead: &Lead<'_>) -> HttpRequest {
    misbehave(how);
    let mut body = Tree::object();
    body.fill(
        lead,
        &[
            ("zip", "zip", guest_sdk::adapter::As::Is),
            ("name", "last_name", guest_sdk::adapter::As::Is),
        ],
    );
    let plain = HttpRequest::json(&body);
    match how.split_once(' ') {
        Some(("path", path)) => plain.at(path),
        Some(("header", header)) => {
            let (name, value) = header.split_once('=').unwrap_or((header, ""));
            plain.header(name, value)
        }
        _ if how == "large" => HttpRequest::post("text/plain", "x".repeat(300 * 1024)),
        _ if how == "huge" => HttpRequest::post("text/plain", "x".repeat(1024 * 1024)),
        _ if how == "empty" => HttpRequest::post("text/plain", ""),
        _ if how == "break" => plain.at("/a\r\nhost: evil.example.com"),
        _ if how == "break-header" => plain.header("x-a", "b\r\nhost: evil.example.com"),
        _ if how == "many" => (0..40).fold(plain, |plain, n| plain.header(&format!("x-{n}"), "y")),
        _ => plain,
    }
}

impl Adapter for Hostile {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"request": "trap", "response": "loop"}"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn ping_request(&self, _: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        request(&self.0.request, lead)
    }

    fn ping_response(&self, _: &HttpResponse) -> PingReply {
        misbehave(&self.0.response);
        let amount = if self.0.response == "below-zero" { -1 } else { 1 };
        PingReply::Bid(Bid { amount, campaign: None, handle: None })
    }

    fn post_request(&self, _: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        request(&self.0.request, lead)
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        misbehave(&self.0.response);
        match self.0.response.as_str() {
            "long" => PostReply::Sold(Some("x".repeat(1_100))),
            "echo" => PostReply::Rejected(String::from_utf8_lossy(&response.body).into_owned()),
            _ => PostReply::Sold(None),
        }
    }
}

guest_sdk::export_adapter!(Hostile, by name);
