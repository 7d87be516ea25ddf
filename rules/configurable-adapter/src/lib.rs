//! Speaks with the many buyers that need no code: their dialect is said in the settings.
//!
//! | member | what it says |
//! |---|---|
//! | `format` | `json`, `form`, `xml` or `xml-in-field` |
//! | `method` | `post` if absent, `put`, or `get`, which sends a form as the query |
//! | `root` | the outermost tag of XML; `lead` if absent |
//! | `xml_field` | the form's field that holds the XML; `xml` if absent |
//! | `beside` | pairs of the form beside that field |
//! | `headers` | headers that are no secret; secret ones belong to the buyer's delivery |
//! | `constants` | the buyer's path to a text that is always the same |
//! | `literals` | the same for what JSON writes without quotes: `{"version": "2", "live": "true"}` |
//! | `fields` | a list of `{"from": ours, "to": theirs}`: see below |
//! | `ping` | how it is asked for bids: `{"path": "/ping", "constants": {..}, "test": path}`; absent: it is not asked |
//! | `post` | how it gets leads: the same, and under `handle`, `price` and `lead_id` the buyer's paths for these |
//! | `answer` | where the verdict, price and names stand and which words mean what: see below |
//!
//! A path such as `person/zip` nests; a number in it counts the elements of a list; in XML a name after `@` is an attribute.
//! A field has `as`: `is`, `text`, `yes-no`, `flag` (1 or 0), `digits` (of a telephone number), `capitals`, or `date` with a
//! `pattern` such as `MM/DD/YYYY`; `words` translates values (`{"excellent": "1"}`), and `default` stands where the lead has none.
//! At `test` stands `test_word`, or 1, where the lead is a test; where it is none, `live_word`, or nothing.
//!
//! An answer may be JSON, XML, a form, lines of `name: value` or a word. What is absent here is as in most dialects.
//!
//! | member of `answer` | what it says |
//! |---|---|
//! | `verdict` | places: every one that is there, at every depth, must be understood and agree |
//! | `duplicate`, `no`, `fault`, `yes` | words, with `*` for anything: those without `*` go first, then in this order |
//! | `no_flags`, `duplicate_flags` | places that say it by themselves, as `"rejected": true` does |
//! | `yes_status` | HTTP statuses of an empty answer that say yes, such as 201 |
//! | `no_status` | HTTP statuses of 400 to 499 that are no bid, such as 404 |
//! | `complaint` | places where an error stands: with one a yes is unknown |
//! | `bids`, `price`, `handle`, `reference`, `reason` | places |
//! | `currency` | the code that a price must have where the answer says one; absent: none is compared |
//! | `currency_at` | places where it stands |
//! | `fixed_price` | the bid of a yes that names no price |
//!
//! A place is a name or a path, wherever in the answer it begins; `/status` begins at the top, and `""` is the whole answer,
//! where that is one short line. A name leads through a list to all its elements.

mod answers;
mod settings;

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree, money, price,
};

use settings::{Call, Field, Format, Method, Settings, Written, check, literal};

struct Configurable {
    settings: Settings,
    fixed_price: Option<i64>,
}

impl Configurable {
    fn body(&self, call: &Call, test: bool, lead: &Lead<'_>) -> Tree {
        let mut body = Tree::object();
        for (path, text) in self.settings.constants.iter().chain(&call.constants) {
            body.set(path, text);
        }
        for (path, text) in &self.settings.literals {
            body.set(path, literal(text));
        }
        for Field { from, to, written, pattern, words, default } in &self.settings.fields {
            let written = match written {
                Written::Is => As::Is,
                Written::Text => As::Text,
                Written::YesNo => As::YesNo,
                Written::Flag => As::Flag,
                Written::Digits => As::Digits,
                Written::Capitals => As::Capitals,
                Written::Date => As::Date(pattern.as_deref().unwrap_or_default()),
            };
            let value = lead.named(from).map(|value| written.of(value));
            let word = value.as_ref().and_then(|value| words.get(value.text()?));
            match word.or(default.as_ref().filter(|_| value.is_none())) {
                Some(text) => body.set(to, text),
                None => body.set(to, value),
            }
        }
        if let Some(path) = &call.test {
            let said = if test {
                call.test_word.as_deref().or(Some("1"))
            } else {
                call.live_word.as_deref()
            };
            body.set(path, said);
        }
        body
    }

    fn request(&self, call: &Call, body: &Tree) -> HttpRequest {
        let Settings { format, method, root, xml_field, beside, headers, .. } = &self.settings;
        let root = root.as_deref().unwrap_or("lead");
        let request = match (method, format) {
            (Method::Get, _) => HttpRequest::get(body),
            (_, Format::Json) => HttpRequest::json(body),
            (_, Format::Form) => HttpRequest::form(body),
            (_, Format::Xml) => HttpRequest::xml(root, body),
            (_, Format::XmlInField) => {
                let mut others = Tree::object();
                beside.iter().for_each(|(name, text)| others.set(name, text));
                HttpRequest::xml_in_field(
                    xml_field.as_deref().unwrap_or("xml"),
                    root,
                    body,
                    &others,
                )
            }
        };
        let request = if *method == Method::Put { request.put() } else { request };
        let request = request.at(&call.path);
        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    fn read<T>(&self, read: impl FnOnce(&Reading<'_>) -> T) -> T {
        self.settings.answer.read(self.fixed_price, read)
    }
}

impl Adapter for Configurable {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"format": "json | form | xml | xml-in-field", "method": "post | put | get", "root": "lead", "xml_field": "xml", "beside": {"key": "1"}, "headers": {"x-version": "2"}, "constants": {"auth/key": "k"}, "literals": {"version": "2"}, "fields": [{"from": "zip", "to": "person/zip"}, {"from": "date_of_birth", "to": "person/born", "as": "date", "pattern": "MM/DD/YYYY"}, {"from": "credit_band", "to": "credit", "words": {"excellent": "1"}, "default": "9"}, {"from": "home_owner", "to": "owner", "as": "is | text | yes-no | flag | digits | capitals | date"}], "ping": {"path": "/ping", "constants": {"mode": "ping"}, "test": "is_test", "test_word": "1", "live_word": "0"}, "post": {"path": "/post", "handle": "ping_id", "price": "price", "lead_id": "ref", "test": "is_test"}, "answer": {"verdict": ["status"], "yes": ["accepted"], "no": ["rejected"], "duplicate": ["*duplicate*"], "fault": ["error"], "complaint": ["errors"], "bids": ["bids"], "price": ["price"], "handle": ["ping_id"], "reference": ["lead_id"], "reason": ["reason"], "no_flags": ["rejected"], "duplicate_flags": ["duplicate"], "yes_status": [201], "no_status": [404], "currency": "USD", "currency_at": ["currency"], "fixed_price": "12.50"}}; of words those without * go first, then duplicate before no before fault before yes"#;

    fn configure(settings: Settings) -> Result<Self, String> {
        check(&settings)?;
        let fixed_price = match &settings.answer.fixed_price {
            None => None,
            Some(text) => match price(text) {
                Some(amount @ 1..) => Some(amount),
                _ => {
                    return Err(format!(
                        "`answer.fixed_price` is `{text}`, and must be an amount above zero, such as 12.50"
                    ));
                }
            },
        };
        Ok(Self { settings, fixed_price })
    }

    fn pings(&self) -> bool {
        self.settings.ping.is_some()
    }

    fn posts(&self) -> bool {
        self.settings.post.is_some()
    }

    fn ping_request(&self, offer: &PingOffer, lead: &Lead<'_>) -> HttpRequest {
        let none = Call::default();
        let call = self.settings.ping.as_ref().unwrap_or(&none);
        self.request(call, &self.body(call, offer.test, lead))
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        self.read(|reading| reading.ping_reply(response))
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let none = Call::default();
        let call = self.settings.post.as_ref().unwrap_or(&none);
        let mut body = self.body(call, offer.test, lead);
        let said = [
            (&call.handle, offer.handle.clone()),
            (&call.price, Some(money(offer.price, 2))),
            (&call.lead_id, Some(offer.lead.clone())),
        ];
        for (path, text) in said {
            if let Some(path) = path {
                body.set(path, text);
            }
        }
        self.request(call, &body)
    }

    fn post_response(&self, response: &HttpResponse) -> PostReply {
        self.read(|reading| reading.post_reply(response))
    }
}

guest_sdk::export_adapter!(Configurable, by name);
