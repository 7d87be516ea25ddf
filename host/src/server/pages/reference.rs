//! The tables of the documentation page, made of the description of the API and of the program's own reasons and
//! limits, so that there is no second copy to forget.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::page::{escape, prose};
use crate::server::idempotency::CALLS_OF_PARTIES_MAX;
use crate::{
    bidding, book, catalog, criteria, delivery, egress, exchange, ingest, lead, sandbox, schedule,
};

/// The description of the API, as it is served.
pub(super) const OPENAPI: &str = include_str!("../openapi.json");

/// The methods that an address may take, in the order in which they are shown.
const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Reads the description.
pub(super) fn openapi() -> Value {
    serde_json::from_str(OPENAPI).unwrap_or_default()
}

/// Follows a reference within the description, if this is one.
pub(super) fn resolved<'o>(openapi: &'o Value, value: &'o Value) -> &'o Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| openapi.pointer(pointer)).unwrap_or(value)
}

/// Returns every address with its method and what is said about it, in the description's order.
pub(super) fn operations(openapi: &Value) -> Vec<(&str, &str, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in openapi.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                operations.push((path.as_str(), method, operation));
            }
        }
    }
    operations
}

/// Returns every answer of every address with its status.
pub(super) fn answers(openapi: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let operations = operations(openapi).into_iter();
    let own = operations.filter_map(|(_, _, operation)| operation.get("responses")?.as_object());
    let everywhere = openapi.get("x-everywhere").and_then(Value::as_object);
    let all = own.chain(everywhere).flatten();
    all.map(|(status, response)| (status.as_str(), resolved(openapi, response)))
}

/// Returns the problem codes that one of an operation's answers can have.
pub(super) fn problem_codes(response: &Value) -> impl Iterator<Item = &str> {
    response
        .get("x-problem-codes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Rows of reasons: code, meaning.
pub(super) fn reasons<'r>(
    anchor: &str,
    reasons: impl Iterator<Item = (&'r str, &'r str)>,
) -> String {
    let row = |(code, message): (&str, &str)| {
        format!(
            "<tr id=\"{anchor}-{code}\"><td><code>{code}</code></td><td>{}</td></tr>\n",
            escape(message)
        )
    };
    reasons.map(row).collect()
}

/// Rows of problem codes: code, statuses, meaning. A problem's `type` leads to its row.
pub(super) fn problems(openapi: &Value) -> String {
    let mut statuses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (status, response) in answers(openapi) {
        for code in problem_codes(response) {
            let seen = statuses.entry(code).or_default();
            if !seen.contains(&status) {
                seen.push(status);
            }
        }
    }
    let codes = openapi.pointer("/components/schemas/ProblemCode/oneOf").and_then(Value::as_array);
    let row = |code: &Value| {
        let word = text(code, "const");
        let statuses = statuses.get(word).map(|seen| seen.join(", ")).unwrap_or_default();
        format!(
            "<tr id=\"{word}\"><td><code>{word}</code></td><td class=\"num\">{statuses}</td><td>{}</td></tr>\n",
            prose(text(code, "description"))
        )
    };
    codes.into_iter().flatten().map(row).collect()
}

/// Every address with its parameters, bodies and answers, grouped as the description's tags say.
pub(super) fn addresses(openapi: &Value) -> String {
    let mut html = String::new();
    for tag in openapi.get("tags").and_then(Value::as_array).into_iter().flatten() {
        let name = text(tag, "name");
        let _ =
            writeln!(html, "<h3>{}</h3>\n<p>{}</p>", escape(name), prose(text(tag, "description")));
        for (path, method, operation) in operations(openapi) {
            if operation.pointer("/tags/0").and_then(Value::as_str) == Some(name) {
                html.push_str(&address(openapi, path, method, operation));
            }
        }
    }
    html
}

fn address(openapi: &Value, path: &str, method: &str, operation: &Value) -> String {
    let mut html = format!(
        "<details class=\"address\" id=\"call-{}\"><summary><span class=\"method {method}\">{}</span> <code>{}</code> <span class=\"about\">{}</span></summary>\n<p>{}</p>\n",
        text(operation, "operationId"),
        method.to_uppercase(),
        escape(path),
        escape(text(operation, "summary")),
        prose(text(operation, "description")),
    );
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let rows: String =
        parameters.into_iter().flatten().map(|one| parameter(resolved(openapi, one))).collect();
    if !rows.is_empty() {
        let _ = writeln!(
            html,
            "<div class=\"scroll\"><table><tr><th>parameter</th><th>where</th><th>meaning</th></tr>\n{rows}</table></div>"
        );
    }
    let request = operation.pointer("/requestBody").map(|body| resolved(openapi, body));
    if let Some(request) = request {
        let _ = write!(
            html,
            "<h5>Body</h5><p>{}</p>\n{}",
            prose(text(request, "description")),
            examples(request)
        );
    }
    html.push_str(
        "<h5>Answers</h5><div class=\"scroll\"><table><tr><th>status</th><th>meaning</th></tr>\n",
    );
    let mut shown = String::new();
    for (status, response) in
        operation.get("responses").and_then(Value::as_object).into_iter().flatten()
    {
        let response = resolved(openapi, response);
        let codes: Vec<String> = problem_codes(response)
            .map(|code| format!("<a href=\"#{code}\"><code>{code}</code></a>"))
            .collect();
        let meaning =
            if codes.is_empty() { prose(text(response, "description")) } else { codes.join(" ") };
        let _ = writeln!(html, "<tr><td class=\"num\">{status}</td><td>{meaning}</td></tr>");
        if status.starts_with('2') && shown.is_empty() {
            shown = examples(response);
        }
    }
    let _ = writeln!(html, "</table></div>\n{shown}</details>");
    html
}

fn parameter(parameter: &Value) -> String {
    let required =
        if parameter.get("required") == Some(&Value::Bool(true)) { ", required" } else { "" };
    format!(
        "<tr><td><code>{}</code></td><td>{}{required}</td><td>{}</td></tr>\n",
        escape(text(parameter, "name")),
        escape(text(parameter, "in")),
        prose(text(parameter, "description")),
    )
}

fn examples(of: &Value) -> String {
    let mut html = String::new();
    for (kind, media) in of.get("content").and_then(Value::as_object).into_iter().flatten() {
        let one = media.get("example").map(|value| ("", value));
        let many = media.get("examples").and_then(Value::as_object).into_iter().flatten();
        let many = many.filter_map(|(name, example)| Some((name.as_str(), example.get("value")?)));
        for (name, value) in one.into_iter().chain(many) {
            let shown = match value {
                Value::String(plain) => plain.clone(),
                json => serde_json::to_string_pretty(json).unwrap_or_default(),
            };
            let _ = writeln!(
                html,
                "<figure><figcaption>{} {}</figcaption><pre>{}</pre></figure>",
                escape(kind),
                escape(name),
                escape(&shown)
            );
        }
    }
    html
}

/// Rows of limits: what is limited, and to how much.
pub(super) fn limits() -> String {
    let rows = limits_of_leads().into_iter().chain(limits_of_the_rest());
    rows.map(|(what, most)| format!("<tr><td>{what}</td><td class=\"num\">{most}</td></tr>\n"))
        .collect()
}

fn kib(bytes: usize) -> String {
    format!("{} KiB", bytes / 1024)
}

fn limits_of_leads() -> Vec<(&'static str, String)> {
    let half = |most: usize| format!("{} at most", most / 2);
    vec![
        ("body of a ping or post", kib(ingest::BODY_BYTES_MAX)),
        ("body of an operator's call", kib(crate::server::operator::OPERATOR_BODY_BYTES_MAX)),
        (
            "wait for a ping's answer, unless the source says otherwise",
            format!("{} ms", ingest::PING_DEADLINE.as_millis()),
        ),
        (
            "wait for a post's answer, unless the source says otherwise",
            format!("{} s", ingest::POST_DEADLINE.as_secs()),
        ),
        (
            "the longest wait that a source may ask for",
            format!("{} s", ingest::DEADLINE_MAX.as_secs()),
        ),
        ("Idempotency-Key", format!("{} bytes", ingest::IDEMPOTENCY_KEY_BYTES_MAX)),
        (
            "how long an Idempotency-Key is remembered",
            format!("{} hours", book::REQUESTS_KEPT_MS / 3_600_000),
        ),
        ("open pings of all sources", book::OPEN_PINGS_MAX.to_string()),
        ("… of one: fewer than are free, so", half(book::OPEN_PINGS_MAX)),
        ("Idempotency-Keys of all sources' pings and posts", book::REQUESTS_MAX.to_string()),
        ("… of one: fewer than are free, so", half(book::REQUESTS_MAX)),
        ("Idempotency-Keys of all other calls", book::CALLS_MAX.to_string()),
        ("… of all buyers and sources", CALLS_OF_PARTIES_MAX.to_string()),
        ("… of one: fewer than are free, so", half(CALLS_OF_PARTIES_MAX)),
        ("text value of a lead", format!("{} bytes", lead::TEXT_BYTES_MAX)),
        ("elements in a list of texts", lead::TEXTS_MAX.to_string()),
        ("fields of a vertical", lead::SCHEMA_FIELDS_MAX.to_string()),
        ("copies of a lead", catalog::VerticalSpec::COPIES_MAX.to_string()),
        (
            "how long a ping's price may hold",
            format!("{} hours", catalog::VerticalSpec::HOLD_SECONDS_MAX / 3_600),
        ),
        (
            "duplicate window",
            format!("{} days", catalog::VerticalSpec::WINDOW_SECONDS_MAX / 86_400),
        ),
        ("entries of all suppression lists", book::SUPPRESSIONS_MAX.to_string()),
        ("sales that are remembered by the person", book::PERSONS_MAX.to_string()),
        ("leads that were given up and can be sent again", book::SHIPMENTS_KEPT_MAX.to_string()),
    ]
}

fn limits_of_the_rest() -> Vec<(&'static str, String)> {
    let seconds = |ms: i64| format!("{} s", ms / 1000);
    vec![
        ("conditions in criteria", criteria::CONDITIONS_MAX.to_string()),
        ("levels of nesting in criteria", criteria::DEPTH_MAX.to_string()),
        ("items in a list", criteria::LIST_ITEMS_MAX.to_string()),
        ("windows in a schedule", schedule::WINDOWS_MAX.to_string()),
        ("wait for a buyer's answer", seconds(catalog::DeliverySpec::TIMEOUT_MS_MAX.into())),
        ("wait for a buyer's bid", seconds(catalog::BiddingSpec::TIMEOUT_MS_MAX.into())),
        ("bid of a buyer, as an answer", kib(egress::BODY_BYTES_MAX)),
        ("questions that wait for one buyer", catalog::BiddingSpec::CONCURRENCY_MAX.to_string()),
        ("questions that wait for all buyers", bidding::CALLS_MAX.to_string()),
        ("deliveries under way at once, to all buyers", exchange::DELIVERIES_MAX.to_string()),
        ("posts that wait for their buyer at once", exchange::POSTS_WAITING_MAX.to_string()),
        ("lists and statements that are read at once", exchange::LISTS_MAX.to_string()),
        ("letters under way at once, beside them", exchange::LETTERS_MAX.to_string()),
        ("answer of a buyer", kib(delivery::courier::ANSWER_BYTES_MAX)),
        ("secrets that sign for one end point at once", catalog::Secrets::MAX.to_string()),
        ("module", kib(sandbox::MODULE_BYTES_MAX)),
        ("uploads of modules at once", crate::server::modules::UPLOADS_MAX.to_string()),
        ("uploads that wait for that", crate::server::modules::UPLOADS_WAITING_MAX.to_string()),
        ("dialects that a module answers in", sandbox::DIALECTS_MAX.to_string()),
        ("memory of a module", kib(sandbox::MEMORY_BYTES_MAX)),
        ("leads in one comparison or recording", exchange::LEADS_MAX.to_string()),
        ("a recording", kib(exchange::RECORDING_BYTES_MAX)),
        ("time for a comparison", format!("{} s", exchange::DIFF_TIME_MAX.as_secs())),
        ("pings that may wait for one shadow", exchange::QUEUE_MAX.to_string()),
        ("auctions in one list", exchange::AUCTIONS_MAX.to_string()),
    ]
}

/// Returns how long after each attempt the next one follows, in words.
pub(super) fn pauses(schedule: &[i64]) -> String {
    let pauses = schedule.iter().map(|ms| match ms {
        ms if ms % 3_600_000 == 0 => format!("{} h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        ms => format!("{ms} ms"),
    });
    pauses.collect::<Vec<String>>().join(", ")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
