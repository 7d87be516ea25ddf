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
//! | `fields` | a list of `{"from": ours, "to": theirs}`: see below |
//! | `ping` | how it is asked for bids: `{"path": "/ping", "constants": {..}}`; absent: it is not asked |
//! | `post` | how it gets leads: the same, and under `handle`, `price`, `lead_id` and `test` the buyer's paths for these |
//! | `answer` | where the verdict, price and names stand and which words mean what: see below |
//!
//! A path such as `person/zip` nests; a number in it counts the elements of a list; in XML a name after `@` is an attribute.
//! A field has `as`: `is`, `text`, `yes-no`, `flag` (1 or 0), `digits` (of a telephone number), `capitals`, or `date` with a
//! `pattern` such as `MM/DD/YYYY`; `words` translates values (`{"excellent": "1"}`), and `default` stands where the lead has none.
//!
//! An answer may be JSON, XML, a form or a word. Its members are lists: `verdict` (places), `yes`, `no`, `duplicate`, `fault`
//! (words, with `*` for anything), `complaint` (places where an error stands), `bids`, `price`, `handle`, `reference`, `reason`
//! (places). What is absent is as in most dialects. `fixed_price` is the bid of a yes that names no price.

use std::collections::BTreeMap;

use guest_sdk::adapter::{
    Adapter, As, HttpRequest, HttpResponse, Lead, PingOffer, PingReply, PostOffer, PostReply,
    Reading, Tree, money, price,
};

/// The most fields that are mapped.
const FIELDS_MAX: usize = 500;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    format: Format,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    root: Option<String>,
    #[serde(default)]
    xml_field: Option<String>,
    #[serde(default)]
    beside: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    fields: Vec<Field>,
    #[serde(default)]
    ping: Option<Call>,
    #[serde(default)]
    post: Option<Call>,
    #[serde(default)]
    answer: Answers,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    Json,
    Form,
    Xml,
    XmlInField,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Method {
    #[default]
    Post,
    Put,
    Get,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    from: String,
    to: String,
    #[serde(default, rename = "as")]
    written: Written,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    default: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Written {
    #[default]
    Is,
    Text,
    YesNo,
    Flag,
    Digits,
    Capitals,
    Date,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Call {
    path: String,
    constants: BTreeMap<String, String>,
    handle: Option<String>,
    price: Option<String>,
    lead_id: Option<String>,
    test: Option<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Answers {
    verdict: Option<Vec<String>>,
    yes: Option<Vec<String>>,
    no: Option<Vec<String>>,
    duplicate: Option<Vec<String>>,
    fault: Option<Vec<String>>,
    complaint: Option<Vec<String>>,
    bids: Option<Vec<String>>,
    price: Option<Vec<String>>,
    handle: Option<Vec<String>>,
    reference: Option<Vec<String>>,
    reason: Option<Vec<String>>,
    fixed_price: Option<String>,
}

struct Configurable {
    settings: Settings,
    fixed_price: Option<i64>,
}

/// Settings that make sense together, or the member that does not.
fn check(settings: &Settings) -> Result<(), String> {
    let Settings { format, method, root, fields, ping, post, .. } = settings;
    if ping.is_none() && post.is_none() {
        return Err("`post` is missing, and `ping`, too: say how the buyer gets leads, such as {\"path\": \"/leads\"}".to_owned());
    }
    if *method == Method::Get && *format != Format::Form {
        return Err("`method` is get, which has no body: `format` must be form".to_owned());
    }
    let is_xml = matches!(format, Format::Xml | Format::XmlInField);
    let tag = |name: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(letters)
    };
    if let Some(root) = root.as_ref().filter(|root| !tag(root)) {
        return Err(format!("`root` is `{root}`, which is no name of a tag"));
    }
    if fields.len() > FIELDS_MAX {
        return Err(format!(
            "`fields` has {} elements, and at most {FIELDS_MAX} are possible",
            fields.len()
        ));
    }
    for (place, Field { from, to, written, pattern, .. }) in fields.iter().enumerate() {
        let steps = || to.split('/').map(|step| step.trim_start_matches('@'));
        let numbered = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
        let fault = if from.is_empty() {
            "`from` is empty: name a field of the vertical's schema"
        } else if steps().any(str::is_empty) {
            "`to` has an empty step: write it as person/zip"
        } else if is_xml && steps().any(|step| !tag(step) && !numbered(step)) {
            "`to` has a step that is no name of a tag"
        } else if (*written == Written::Date) != pattern.is_some() {
            "`pattern` goes with `as`: \"date\", and only with it: say it as MM/DD/YYYY"
        } else {
            continue;
        };
        return Err(format!("`fields[{place}]`: {fault}"));
    }
    for (name, call) in [("ping", ping), ("post", post)] {
        let path = call.as_ref().map_or("", |call| call.path.as_str());
        if !path.is_empty() && !path.starts_with(['/', '?']) || path.starts_with("//") {
            return Err(format!(
                "`{name}.path` is `{path}`: it is appended to the buyer's address, so it begins with one `/` or `?`"
            ));
        }
    }
    Ok(())
}

impl Configurable {
    fn body(&self, call: &Call, lead: &Lead<'_>) -> Tree {
        let mut body = Tree::object();
        for (path, text) in self.settings.constants.iter().chain(&call.constants) {
            body.set(path, text);
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

    /// Reads with what the settings say, and with what most dialects have where they are silent.
    fn read<T>(&self, read: impl FnOnce(&Reading<'_>) -> T) -> T {
        let Answers {
            verdict,
            yes,
            no,
            duplicate,
            fault,
            complaint,
            bids,
            price,
            handle,
            reference,
            reason,
            ..
        } = &self.settings.answer;
        let said =
            [verdict, yes, no, duplicate, fault, complaint, bids, price, handle, reference, reason];
        let said = said.map(|list| {
            list.as_ref().map(|list| list.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let any = Reading::ANY;
        let [verdict, yes, no, duplicate, fault, complaint, bids, price, handle, reference, reason] =
            &said;
        fn or<'l>(said: &'l Option<Vec<&'l str>>, usual: &'l [&'l str]) -> &'l [&'l str] {
            said.as_deref().unwrap_or(usual)
        }
        read(&Reading {
            verdict: or(verdict, any.verdict),
            yes: or(yes, any.yes),
            no: or(no, any.no),
            duplicate: or(duplicate, any.duplicate),
            fault: or(fault, any.fault),
            complaint: or(complaint, any.complaint),
            bids: or(bids, any.bids),
            price: or(price, any.price),
            price_unsaid: self.fixed_price,
            handle: or(handle, any.handle),
            reference: or(reference, any.reference),
            reason: or(reason, any.reason),
        })
    }
}

impl Adapter for Configurable {
    type Settings = Settings;
    const SETTINGS: &'static str = r#"{"format": "json | form | xml | xml-in-field", "method": "post | put | get", "root": "lead", "xml_field": "xml", "beside": {"key": "1"}, "headers": {"x-version": "2"}, "constants": {"auth/key": "k"}, "fields": [{"from": "zip", "to": "person/zip"}, {"from": "date_of_birth", "to": "person/born", "as": "date", "pattern": "MM/DD/YYYY"}, {"from": "credit_band", "to": "credit", "words": {"excellent": "1"}, "default": "9"}, {"from": "home_owner", "to": "owner", "as": "is | text | yes-no | flag | digits | capitals | date"}], "ping": {"path": "/ping", "constants": {"mode": "ping"}, "test": "is_test"}, "post": {"path": "/post", "handle": "ping_id", "price": "price", "lead_id": "ref", "test": "is_test"}, "answer": {"verdict": ["status"], "yes": ["accepted"], "no": ["rejected"], "duplicate": ["*duplicate*"], "fault": ["error"], "complaint": ["errors"], "bids": ["bids"], "price": ["price"], "handle": ["ping_id"], "reference": ["lead_id"], "reason": ["reason"], "fixed_price": "12.50"}}"#;

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
        let mut body = self.body(call, lead);
        if let (true, Some(path)) = (offer.test, &call.test) {
            body.set(path, "1");
        }
        self.request(call, &body)
    }

    fn ping_response(&self, response: &HttpResponse) -> PingReply {
        self.read(|reading| reading.ping_reply(response))
    }

    fn post_request(&self, offer: &PostOffer, lead: &Lead<'_>) -> HttpRequest {
        let none = Call::default();
        let call = self.settings.post.as_ref().unwrap_or(&none);
        let mut body = self.body(call, lead);
        let said = [
            (&call.handle, offer.handle.clone()),
            (&call.price, Some(money(offer.price, 2))),
            (&call.lead_id, Some(offer.lead.clone())),
            (&call.test, offer.test.then(|| "1".to_owned())),
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
