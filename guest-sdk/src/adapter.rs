//! For a buyer's integration: how to ask it for a bid and hand it a lead in its own dialect, and how to read its answers.
//!
//! The exchange does all sending. An adapter words requests with [`HttpRequest`] and a [`Tree`], which is written as JSON,
//! as a form or as XML; it reads answers with a [`Reading`], which finds verdict, price and names in any of them.
//!
//! A whole adapter:
//!
//! ```
//! use guest_sdk::adapter::{
//!     Adapter, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply, Reading, Tree,
//! };
//!
//! guest_sdk::fields! { ZIP: text = "zip"; BIRTH_DATE: date = "birth_date"; EMAIL: text = "email" }
//!
//! struct Acme { key: String }
//!
//! #[derive(serde::Deserialize)]
//! struct Settings { key: String }
//!
//! /// What Acme says: `{"result": "buy", "offer": "12.50", "ref": "a-1"}`.
//! const ANSWER: Reading<'_> = Reading {
//!     verdict: &["result"],
//!     yes: &["buy"],
//!     no: &["pass"],
//!     price: &["offer"],
//!     handle: &["ref"],
//!     ..Reading::ANY
//! };
//!
//! impl Acme {
//!     fn body(&self, lead: &Lead<'_>) -> Tree {
//!         let mut body = Tree::object();
//!         body.set("auth/key", self.key.as_str());
//!         body.set("person/zip", lead.get(ZIP));
//!         body.set("person/born", lead.get(BIRTH_DATE).map(|day| guest_sdk::adapter::date(day, "MM/DD/YYYY")));
//!         body.set("person/email", lead.get(EMAIL));
//!         body
//!     }
//! }
//!
//! impl Adapter for Acme {
//!     type Settings = Settings;
//!     const SETTINGS: &'static str = r#"{"key": "the key that Acme gave you"}"#;
//!
//!     fn configure(Settings { key }: Settings) -> Result<Self, String> {
//!         if key.is_empty() { Err("`key` is empty".to_owned()) } else { Ok(Self { key }) }
//!     }
//!
//!     fn ping_request(&self, _: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
//!         HttpRequest::json(&self.body(lead)).at("/ping")
//!     }
//!
//!     fn ping_response(&self, response: &HttpResponse) -> PingReply {
//!         ANSWER.ping_reply(response)
//!     }
//!
//!     fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
//!         let mut body = self.body(lead);
//!         body.set("ref", offer.handle.as_deref());
//!         HttpRequest::json(&body).at("/post")
//!     }
//!
//!     fn post_response(&self, response: &HttpResponse) -> PostReply {
//!         ANSWER.post_reply(response)
//!     }
//! }
//!
//! guest_sdk::export_adapter!(Acme);
//! # fn main() {}
//! ```

use lead_frame::Frame;
use serde::de::DeserializeOwned;

use crate::bindings::adapter::exports::gavel::rules::adapting as wit;
use crate::filter::Need;
use crate::settings;

mod answer;
mod fill;
mod message;
mod json;
mod reading;
mod reply;
mod tree;
mod words;
mod write;
mod xml;
#[cfg(test)]
mod tests;

pub use crate::bindings::adapter::exports::gavel::rules::adapting::{
    Bid, HttpResponse, PingOffer, PingReply, PostOffer, PostReply,
};
pub use crate::filter::Lead;
pub use answer::Answer;
pub use fill::As;
pub use message::HttpRequest;
pub use reading::{Reading, Verdict};
pub use tree::Tree;
pub use words::{date, digits, matches, money, price, yes_no};

/// A buyer's integration, configured with the settings of one buyer.
pub trait Adapter: Sized {
    /// What a buyer's settings are, as serde reads them from JSON: `#[derive(Deserialize)]` does it all.
    type Settings: DeserializeOwned;

    /// What the settings look like, for the person who fills them in: an example says most.
    const SETTINGS: &'static str;

    /// Prepares the adapter for one buyer. Runs once, when the buyer or the module changes.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings and what would be right, in words for the person who filled them in.
    fn configure(settings: Self::Settings) -> Result<Self, String>;

    /// Says whether it asks its buyer for bids.
    fn pings(&self) -> bool {
        true
    }

    /// Says whether it hands leads to its buyer.
    fn posts(&self) -> bool {
        true
    }

    /// Words the question for a bid. The lead has no contact data.
    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest;

    /// Reads the answer to it.
    fn ping_response(&self, response: &HttpResponse) -> PingReply;

    /// Words the hand-over of a lead, contact data included.
    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest;

    /// Reads the answer to it. What is not certain is [`PostReply::Unknown`]: a lead called rejected is sold to the next buyer.
    fn post_response(&self, response: &HttpResponse) -> PostReply;
}

/// Makes an [`Adapter`] the module's one export. It stands once in a crate, where `NEEDS` of
/// [`fields!`](crate::fields) or [`needs!`](crate::needs) is in scope; one that takes fields by name alone, with
/// [`Tree::fill`] or [`Lead::named`], says `export_adapter!(Acme, by name)`.
#[macro_export]
macro_rules! export_adapter {
    ($adapter:ty) => {
        $crate::export_adapter!(@$adapter, NEEDS);
    };
    ($adapter:ty, by name) => {
        $crate::export_adapter!(@$adapter, &[]);
    };
    (@$adapter:ty, $needs:expr) => {
        const _: () = {
            use bindings::exports::gavel::rules::adapting as wit;
            use $crate::bindings_for_macro::adapter as bindings;

            #[cfg_attr(target_arch = "wasm32", global_allocator)]
            static ARENA: $crate::arena::Arena<{ $crate::arena::ADAPTER_SCRATCH_BYTES }> =
                $crate::arena::Arena::configuring();

            static ADAPTER: std::sync::OnceLock<$adapter> = std::sync::OnceLock::new();

            struct Exported;

            fn configured() -> &'static $adapter {
                $crate::adapter::configured(ADAPTER.get())
            }

            impl wit::Guest for Exported {
                fn describe() -> wit::Description {
                    $crate::adapter::describe::<$adapter>($needs)
                }

                fn configure(settings: String) -> Result<wit::Abilities, String> {
                    let (adapter, abilities) = $crate::adapter::configure::<$adapter>(&settings)?;
                    ADAPTER.get_or_init(|| adapter);
                    ARENA.seal();
                    Ok(abilities)
                }

                fn ping_request(offer: wit::PingOffer, frame: Vec<u64>) -> wit::HttpRequest {
                    $crate::adapter::ping_request(configured(), &offer, &frame)
                }

                fn ping_response(response: wit::HttpResponse) -> wit::PingReply {
                    $crate::adapter::Adapter::ping_response(configured(), &response)
                }

                fn post_request(offer: wit::PostOffer, frame: Vec<u64>) -> wit::HttpRequest {
                    $crate::adapter::post_request(configured(), &offer, &frame)
                }

                fn post_response(response: wit::HttpResponse) -> wit::PostReply {
                    $crate::adapter::Adapter::post_response(configured(), &response)
                }
            }

            bindings::export_adapter_component!(Exported with_types_in bindings);
        };
    };
}

#[doc(hidden)]
pub fn describe<A: Adapter>(needs: &[Need]) -> wit::Description {
    let needs = needs.iter().map(|need| {
        let (name, kind) = need.parts();
        wit::Need { name: name.to_owned(), kind: of_kind(kind) }
    });
    wit::Description { needs: needs.collect(), settings: A::SETTINGS.to_owned() }
}

fn of_kind(kind: crate::bindings::filter::exports::gavel::rules::filtering::Kind) -> wit::Kind {
    use crate::bindings::filter::exports::gavel::rules::filtering::Kind;
    match kind {
        Kind::Text => wit::Kind::Text,
        Kind::Integer => wit::Kind::Integer,
        Kind::Decimal => wit::Kind::Decimal,
        Kind::Boolean => wit::Kind::Boolean,
        Kind::Date => wit::Kind::Date,
        Kind::Texts => wit::Kind::Texts,
    }
}

#[doc(hidden)]
pub fn configure<A: Adapter>(text: &str) -> Result<(A, wit::Abilities), String> {
    let adapter = settings::read(text).and_then(A::configure)?;
    let abilities = wit::Abilities { pings: adapter.pings(), posts: adapter.posts() };
    Ok((adapter, abilities))
}

#[doc(hidden)]
#[expect(clippy::expect_used, reason = "a trap: the exchange broke its own contract")]
pub fn configured<A>(adapter: Option<&A>) -> &A {
    adapter.expect("the exchange configures before it asks")
}

#[doc(hidden)]
pub fn ping_request<A: Adapter>(adapter: &A, offer: &PingOffer, frame: &[u64]) -> wit::HttpRequest {
    adapter.ping_request(offer, &lead(frame)).into_wit()
}

#[doc(hidden)]
pub fn post_request<A: Adapter>(adapter: &A, offer: &PostOffer, frame: &[u64]) -> wit::HttpRequest {
    adapter.post_request(offer, &lead(frame)).into_wit()
}

#[expect(clippy::expect_used, reason = "a trap: the exchange broke its own contract")]
fn lead(frame: &[u64]) -> Lead<'_> {
    Lead::new(Frame::open(frame).expect("the exchange sends whole frames"))
}
