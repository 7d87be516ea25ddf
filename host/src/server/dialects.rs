//! Answers in the source's own dialect: told by address, headers and fields, worded by the vertical's module.
//!
//! What the exchange decided stands, whatever becomes of its wording: a module that fails at it, or does not know the
//! dialect, leaves the exchange's own JSON. Only sources of another dialect pay for the call.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;

use super::Desk;
use super::problem::Problem;
use super::sources::{DELIVERY_OPEN, TRANSFER_OPEN, own};
use crate::ids::{Digest, VerticalId};
use crate::ingest::{Call, Spoken};
use crate::reasons::Refusal;
use crate::sandbox::{Forfeit, Normalizer, Outcome, Rendered, SourceVerdict, Stage, Syntax};
use crate::settlement::Answer;

/// The most wordings of denials that are kept.
const KEPT_MAX: usize = 1_024;

/// Wordings of what is said to those that are not heard. It is said in the same words however often they ask, so a flood
/// costs no module's time.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<DashMap<(Digest, Outcome), Rendered>>);

/// How a source wants to be answered, as far as the head of its request tells.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    stage: Stage,
    word: Option<String>,
    accept: Option<Syntax>,
    content: Option<Syntax>,
    /// The module that knows the word, or the vertical's.
    normalizer: Option<Normalizer>,
}

impl Wanted {
    /// Reads the address and the headers.
    ///
    /// # Errors
    ///
    /// There is the vertical, but it does not answer in the dialect that the address names.
    pub(super) fn read(
        desk: &Desk,
        call: Call,
        vertical: &str,
        word: Option<String>,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let vertical = VerticalId::parse(vertical).ok();
        let own = vertical.as_ref().and_then(|vertical| desk.exchange.normalizer(vertical));
        let word = word.map(|word| word.to_ascii_lowercase());
        let knows = |normalizer: &Normalizer, word: &str| {
            normalizer.dialects().iter().any(|dialect| dialect.name == word)
        };
        let normalizer = match (own, &word) {
            (Some(own), Some(word)) if !knows(&own, word) => return Err(unknown(&own, word)),
            (Some(own), _) => Some(own),
            // There is no such vertical, but another one can say so in this dialect.
            (None, Some(word)) => desk.exchange.normalizers().find(|other| knows(other, word)),
            (None, None) => None,
        };
        let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(Self {
            stage: if call == Call::Ping { Stage::Ping } else { Stage::Post },
            word: word.filter(|_| normalizer.is_some()),
            accept: accept(headers),
            content: content.and_then(syntax),
            normalizer,
        })
    }

    /// Returns the dialect that the address names.
    pub(super) fn word(&self) -> Option<String> {
        self.word.clone()
    }

    /// Returns what the Accept header asks for.
    pub(super) fn accept(&self) -> Option<Syntax> {
        self.accept
    }

    /// Words what the exchange says, in the dialect in which the submission came if it was read.
    pub(super) fn worded(
        &self,
        desk: &Desk,
        spoken: Option<Spoken>,
        said: Result<Answer, Problem>,
    ) -> Response {
        let rendered = self.dialect(spoken).and_then(|(normalizer, dialect)| {
            let outcome = self.outcome(desk.exchange.currency(), dialect, &said);
            let rendered = rendered(&desk.kept, &normalizer, outcome);
            // Refusals do not count against the module: anybody could have it fail on those.
            if let (Err(forfeit), Ok(_)) = (&rendered, &said) {
                desk.exchange.wording_failed(normalizer.digest(), forfeit);
            }
            rendered.ok().flatten()
        });
        match (said, rendered) {
            (Ok(_), Some(rendered)) => response(rendered),
            (Err(problem), Some(rendered)) => problem.worded(response(rendered)),
            (Ok(answer), None) => own(&answer, desk.exchange.currency()),
            (Err(problem), None) => problem.into_response(),
        }
    }

    /// Returns the module to ask and the dialect; nothing stands for the exchange's own JSON.
    fn dialect(&self, spoken: Option<Spoken>) -> Option<(Normalizer, String)> {
        match spoken {
            Some(Spoken { dialect, .. }) if dialect.is_empty() => None,
            Some(Spoken { normalizer, dialect }) => Some((normalizer, dialect)),
            None if self.word.is_none() && self.accept != Some(Syntax::Xml) => None,
            None => Some((self.normalizer.clone()?, self.word.clone().unwrap_or_default())),
        }
    }

    fn outcome(&self, currency: &str, dialect: String, said: &Result<Answer, Problem>) -> Outcome {
        let outcome = Outcome {
            stage: self.stage,
            dialect,
            accept: self.accept,
            content: self.content,
            verdict: SourceVerdict::Failed,
            status: StatusCode::OK.as_u16(),
            ping_id: None,
            lead_id: None,
            duplicate_of: None,
            price: None,
            currency: currency.to_owned(),
            copies: None,
            expires_ms: None,
            reason_code: None,
            reason: None,
            field: None,
            retry_after_s: None,
        };
        match said {
            Ok(answer) => told(answer, outcome),
            Err(problem) => problem.told(outcome),
        }
    }
}

fn unknown(normalizer: &Normalizer, word: &str) -> Problem {
    let known: Vec<&str> =
        normalizer.dialects().iter().map(|dialect| dialect.name.as_str()).collect();
    let detail = if known.is_empty() {
        format!("there is no dialect `{word}` here: this vertical answers in JSON alone")
    } else {
        format!("there is no dialect `{word}` here, but there are: {}", known.join(", "))
    };
    Problem::new(StatusCode::NOT_FOUND, "dialect-not-found", detail)
        .next("use one of these as the last word of the address, or none: then the submission says which it is")
}

/// Adds a verdict to what an answer may say.
fn told(answer: &Answer, outcome: Outcome) -> Outcome {
    let why = |code: &str, words: &str| (Some(code.to_owned()), Some(words.to_owned()));
    let (verdict, ping, (reason_code, reason)) = match answer {
        Answer::Accepted { ping, .. } => (SourceVerdict::Accepted, ping, (None, None)),
        Answer::Sold { ping, .. } => (SourceVerdict::Sold, ping, (None, None)),
        Answer::Rejected { ping, reason } => {
            (SourceVerdict::Rejected, ping, why(reason.code(), reason.message()))
        }
        Answer::Unsold { ping, reason } => {
            let verdict = match reason {
                Refusal::Duplicate => SourceVerdict::Duplicate,
                _ => SourceVerdict::Unsold,
            };
            (verdict, ping, why(reason.code(), reason.message()))
        }
        Answer::Duplicate { ping, .. } => {
            let reason = Refusal::Duplicate;
            (SourceVerdict::Duplicate, ping, why(reason.code(), reason.message()))
        }
        Answer::Pending { ping, transfers } => {
            let (code, words) = match transfers.first() {
                None => (DELIVERY_OPEN.0, DELIVERY_OPEN.1.to_owned()),
                // Few dialects have a place for it, and every one has a reason.
                Some(open) => {
                    let test = if open.test { ", a test's number that nobody has" } else { "" };
                    let words = format!(
                        "transfer the caller to {}{test}, then report {}",
                        open.number, open.id
                    );
                    (TRANSFER_OPEN.0, words)
                }
            };
            (SourceVerdict::Pending, ping, why(code, &words))
        }
    };
    let outcome = Outcome {
        verdict,
        ping_id: Some(ping.to_string()),
        lead_id: (outcome.stage == Stage::Post).then(|| ping.lead().to_string()),
        reason_code,
        reason,
        ..outcome
    };
    match answer {
        Answer::Accepted { price, expires, .. } => Outcome {
            price: Some(*price),
            expires_ms: u64::try_from(expires.unix_ms()).ok(),
            ..outcome
        },
        Answer::Sold { price, copies, .. } => {
            Outcome { price: Some(*price), copies: u32::try_from(*copies).ok(), ..outcome }
        }
        Answer::Duplicate { earlier, .. } => {
            Outcome { duplicate_of: Some(earlier.to_string()), ..outcome }
        }
        Answer::Rejected { .. } | Answer::Unsold { .. } | Answer::Pending { .. } => outcome,
    }
}

/// Asks the module, unless it said the same before.
fn rendered(
    kept: &Kept,
    normalizer: &Normalizer,
    outcome: Outcome,
) -> Result<Option<Rendered>, Forfeit> {
    if !matches!(outcome.verdict, SourceVerdict::Denied | SourceVerdict::Busy) {
        return asked(normalizer, &outcome);
    }
    let key = (normalizer.digest(), outcome);
    if let Some(rendered) = kept.0.get(&key) {
        return Ok(Some(rendered.clone()));
    }
    let rendered = asked(normalizer, &key.1)?;
    if let Some(rendered) = &rendered {
        kept.keep(key, rendered.clone());
    }
    Ok(rendered)
}

impl Kept {
    /// Keeps one more; if there are too many, it begins anew.
    fn keep(&self, key: (Digest, Outcome), rendered: Rendered) {
        if self.0.len() >= KEPT_MAX {
            self.0.clear();
        }
        self.0.insert(key, rendered);
    }
}

fn asked(normalizer: &Normalizer, outcome: &Outcome) -> Result<Option<Rendered>, Forfeit> {
    let rendered = normalizer.render(outcome);
    let ended = match &rendered {
        Ok(Some(_)) => "rendered",
        Ok(None) => "own",
        Err(cause) => {
            // A dialect's name that the module does not list may be anything that the source sent.
            let listed = normalizer.dialects().iter().find(|named| named.name == outcome.dialect);
            let dialect = listed.map_or("not listed", |named| named.name.as_str());
            let module = normalizer.digest();
            tracing::error!(%cause, %module, dialect, verdict = ?outcome.verdict, "answer not rendered, so it went out as JSON");
            "failed"
        }
    };
    metrics::counter!("gavel_renders_total", "ended" => ended).increment(1);
    rendered
}

fn response(rendered: Rendered) -> Response {
    let mut response = Response::new(Body::from(rendered.body));
    // The sandbox lets no other statuses and content types through.
    *response.status_mut() = StatusCode::from_u16(rendered.status).unwrap_or_default();
    if let Ok(content_type) = HeaderValue::try_from(rendered.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Returns what the Accept header asks for first. A browser's asks for XML only in case there is no page, so it says
/// nothing.
fn accept(headers: &HeaderMap) -> Option<Syntax> {
    let mut best: Option<(u32, Syntax)> = None;
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let (media, parameters) = range.split_once(';').unwrap_or((range, ""));
        if media.trim().eq_ignore_ascii_case("text/html") {
            return None;
        }
        let weight = weight(parameters);
        let better = weight > best.map_or(0, |(weight, _)| weight);
        best = syntax(media).filter(|_| better).map_or(best, |syntax| Some((weight, syntax)));
    }
    best.map(|(_, syntax)| syntax)
}

/// Returns the `q` of a media range in thousandths.
fn weight(parameters: &str) -> u32 {
    let q = parameters.split(';').find_map(|one| one.trim().strip_prefix("q="));
    let Some(q) = q else { return 1_000 };
    let (whole, part) = q.split_once('.').unwrap_or((q, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let thousandths = format!("{whole}{part}").parse().unwrap_or(0);
    1_000.min(thousandths)
}

fn syntax(media: &str) -> Option<Syntax> {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match media.as_str() {
        "application/json" | "text/json" => Syntax::Json,
        "application/xml" | "text/xml" => Syntax::Xml,
        "text/plain" => Syntax::Text,
        "application/x-www-form-urlencoded" => Syntax::Form,
        "application/xhtml+xml" | "image/svg+xml" => return None,
        other if other.ends_with("+json") => Syntax::Json,
        other if other.ends_with("+xml") => Syntax::Xml,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_an_end() {
        let kept = Kept::default();
        let rendered = Rendered {
            status: 200,
            content_type: "text/plain".to_owned(),
            body: Vec::new(),
            fuel: 1,
        };
        let wanted = Wanted {
            stage: Stage::Ping,
            word: None,
            accept: None,
            content: None,
            normalizer: None,
        };
        for number in 0..=KEPT_MAX {
            let denied = Problem::new(StatusCode::UNAUTHORIZED, "key-unknown", number);
            let outcome = wanted.outcome("USD", "px".to_owned(), &Err(denied));
            assert_eq!(outcome.verdict, SourceVerdict::Denied);
            kept.keep((Digest::default(), outcome), rendered.clone());
            assert!(kept.0.len() <= KEPT_MAX);
        }
        assert_eq!(kept.0.len(), 1);
    }

    #[test]
    fn an_accept_header_asks_for_one_syntax_or_none() {
        for (value, expected) in [
            ("application/xml", Some(Syntax::Xml)),
            ("text/xml; charset=utf-8", Some(Syntax::Xml)),
            ("application/json, text/plain, */*", Some(Syntax::Json)),
            ("application/json;q=0.5, application/xml", Some(Syntax::Xml)),
            ("application/json;q=0.5, application/xml;q=0.25", Some(Syntax::Json)),
            ("application/xml;q=0", None),
            ("application/vnd.px.v2+xml", Some(Syntax::Xml)),
            ("text/plain", Some(Syntax::Text)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None),
            ("*/*", None),
            ("", None),
            ("application/xml;q=many", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(value));
            assert_eq!(accept(&headers), expected, "{value}");
        }
        assert_eq!(accept(&HeaderMap::new()), None);
    }
}
