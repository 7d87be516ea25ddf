//! The exchange that knows the schemas, over HTTP.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::cli::{Failure, block_on};

/// How long an answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer that is not JSON is quoted.
const QUOTE_CHARS_MAX: usize = 200;

/// An exchange, seen by its operator or by anybody.
pub(super) struct Exchange {
    client: Client,
    url: String,
    operator_key: Option<String>,
}

impl Exchange {
    pub(super) fn at(url: &str, operator_key: Option<&str>) -> Result<Self, Failure> {
        // Without a provider reqwest panics, even if it never speaks TLS. If one is installed it stays.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(ANSWER_TIMEOUT).no_proxy().build();
        let client = client.map_err(|error| Failure::because(&error))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client, url, operator_key: operator_key.map(str::to_owned) })
    }

    /// Returns the document of a vertical's schema.
    pub(super) fn schema(&self, vertical: &str, version: Option<&str>) -> Result<Value, Failure> {
        if self.operator_key.is_some() {
            let version = version.map(|version| format!("/{version}")).unwrap_or_default();
            return self.get(&format!("/v1/schemas/{vertical}{version}"));
        }
        let serving = self.get(&format!("/v1/{vertical}/spec"))?;
        let serves = serving.get("version").and_then(Value::as_str).unwrap_or_default();
        match version.filter(|version| *version != serves) {
            None => Ok(serving),
            Some(version) => Err(Failure::usage(format!(
                "{vertical} serves version {serves}; to see version {version}, set GAVEL_OPERATOR_KEY to the \
                 operator's key"
            ))),
        }
    }

    /// Returns the JSON at this path.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        let at = format!("{}{path}", self.url);
        let mut request = self.client.get(&at);
        if let Some(key) = &self.operator_key {
            request = request.bearer_auth(key);
        }
        let answered = block_on(async {
            let response = request.send().await?;
            let status = response.status();
            Ok((status, response.text().await?))
        })?;
        let (status, text) = answered.map_err(|error: reqwest::Error| {
            Failure::could_not_run(format!(
                "no exchange answers at {at}: {}; name another with --url or GAVEL_URL, or name the file of a \
                 normalizer, such as target/rules/auto-insurance.wasm",
                cause(&error)
            ))
        })?;
        let document = serde_json::from_str::<Value>(&text).map_err(|_| {
            let quoted: String = text.chars().take(QUOTE_CHARS_MAX).collect();
            Failure::could_not_run(format!("{at} answered {status}, and no JSON: {quoted}"))
        })?;
        if status.is_success() { Ok(document) } else { Err(refused(status, &document)) }
    }
}

fn refused(status: StatusCode, problem: &Value) -> Failure {
    let said = ["detail", "next"].iter().filter_map(|member| problem.get(*member)?.as_str());
    let message = said.collect::<Vec<&str>>().join("; ");
    match status {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            Failure::usage(message)
        }
        _ => Failure::could_not_run(format!("the exchange answered {status}: {message}")),
    }
}

/// Returns the innermost cause of an error: the others say where it passed through.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
