//! A running exchange, asked over HTTP as its operator.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::cli::{Failure, block_on};
use crate::exchange::{Code, DIFF_TIME_MAX, Settings};

/// How long an answer is waited for, beyond what a diff may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is asked how far a diff is.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How much of an answer that is not JSON is quoted.
const QUOTE_CHARS_MAX: usize = 200;

/// An exchange, seen by its operator.
pub(super) struct Remote {
    client: Client,
    url: String,
    operator_key: String,
}

impl Remote {
    pub(super) fn at(url: &str, operator_key: Option<&str>) -> Result<Self, Failure> {
        let operator_key = operator_key.filter(|key| !key.is_empty()).ok_or_else(|| {
            Failure::usage(format!(
                "to ask the exchange at {url}, set GAVEL_OPERATOR_KEY to the operator's key; or name its directory with --data"
            ))
        })?;
        // Without a provider reqwest panics, even if it never speaks TLS. If one is installed it stays.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let timeout = DIFF_TIME_MAX.saturating_add(ANSWER_TIMEOUT);
        let client = Client::builder().timeout(timeout).no_proxy().build();
        let client = client.map_err(|error| Failure::because(&error))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client, url, operator_key: operator_key.to_owned() })
    }

    /// Has the exchange compare two of its versions. `progress` hears how many facts it looked at, of how many.
    pub(super) fn diff(
        &self,
        name: &str,
        body: &Value,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Value, Failure> {
        let path = format!("/v1/modules/{name}/diff");
        block_on(async {
            let mut asking =
                Box::pin(self.answer(self.request(Method::POST, &path).body(body.to_string())));
            loop {
                tokio::select! {
                    answer = &mut asking => return self.json(&answer?),
                    () = tokio::time::sleep(ASK_EVERY) => (),
                }
                let looked = self.answer(self.request(Method::GET, &path)).await;
                let looked = looked.and_then(|bytes| self.json(&bytes));
                let number = |member: &str| looked.as_ref().ok()?.get(member)?.as_u64();
                if let (Some(done), Some(of)) = (number("facts"), number("of")) {
                    progress(done, of);
                }
            }
        })?
    }

    /// Fetches the leads that a filter was asked about.
    pub(super) fn recording(
        &self,
        name: &str,
        last: &str,
        settings: Settings,
    ) -> Result<Vec<u8>, Failure> {
        let settings = settings.name();
        self.get(&format!("/v1/modules/{name}/recording?last={last}&settings={settings}"))
    }

    /// Fetches the component of a version.
    pub(super) fn component(&self, name: &str, number: u32) -> Result<Code, Failure> {
        let wasm = self.get(&format!("/v1/modules/{name}/versions/{number}"))?;
        Ok(Code::Component { label: format!("version {number}"), number: Some(number), wasm })
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        block_on(self.answer(self.request(Method::GET, path)))?
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.bearer_auth(&self.operator_key)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let unreachable = |error: reqwest::Error| {
            Failure::could_not_run(format!(
                "no exchange answers at {}: {}; name another with --url or GAVEL_URL, or its directory with --data",
                self.url,
                cause(&error)
            ))
        };
        let response: Response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(unreachable)?.to_vec();
        if status.is_success() { Ok(bytes) } else { Err(self.refused(status, &bytes)) }
    }

    fn refused(&self, status: StatusCode, bytes: &[u8]) -> Failure {
        let problem = match self.json(bytes) {
            Ok(problem) => problem,
            Err(failure) => return failure,
        };
        let said = ["detail", "next"].iter().filter_map(|member| problem.get(*member)?.as_str());
        let message = said.collect::<Vec<&str>>().join("; ");
        if status.is_client_error() && status != StatusCode::UNAUTHORIZED {
            Failure::usage(message)
        } else {
            Failure::could_not_run(format!("the exchange answered {status}: {message}"))
        }
    }

    fn json(&self, bytes: &[u8]) -> Result<Value, Failure> {
        serde_json::from_slice(bytes).map_err(|_| {
            let text = String::from_utf8_lossy(bytes);
            let quoted: String = text.chars().take(QUOTE_CHARS_MAX).collect();
            Failure::could_not_run(format!("{} answered no JSON: {quoted}", self.url))
        })
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
