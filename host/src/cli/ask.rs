//! How commands speak with a running exchange, and what they say when it refuses.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::Value;

use super::{Failure, block_on, cause};

/// How long a call may take: an upload is compiled and its fixtures run.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the exchange may take to let the program in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer that is not an exchange's is quoted.
const QUOTE_CHARS_MAX: usize = 200;

/// Which exchange, and the right to change it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Exchange {
    /// Where the exchange is.
    #[arg(
        long,
        visible_alias = "exchange",
        env = "GAVEL_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// The operator's key.
    #[arg(long, env = "GAVEL_OPERATOR_KEY", hide_env_values = true, hide = true)]
    operator_key: Option<String>,
}

/// What is sent with a call.
pub(super) enum Body {
    Nothing,
    Json(Value),
    Component(Vec<u8>),
}

impl Exchange {
    /// Says whether the operator's key is known.
    pub(super) fn has_key(&self) -> bool {
        self.operator_key.as_ref().is_some_and(|key| !key.is_empty())
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, &[], Body::Nothing)
    }

    pub(super) fn put(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, &[], Body::Json(body))
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, &[], Body::Json(body))
    }

    /// Calls the exchange as its operator and returns its answer, or says what was wrong and what to do next.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Value, Failure> {
        let request = self.as_operator(method, path, query, body)?;
        self.document(&block_on(self.answer(request))??)
    }

    /// Returns what anybody may see at this path.
    pub(super) fn public(&self, path: &str) -> Result<Value, Failure> {
        let request = self.request(Method::GET, path, &[], Body::Nothing)?;
        self.document(&block_on(self.answer(request))??)
    }

    /// Returns what the exchange keeps at this path, byte for byte.
    pub(super) fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let request = self.as_operator(Method::GET, path, &[], Body::Nothing)?;
        block_on(self.answer(request))?
    }

    /// Prepares a call as the operator.
    pub(super) fn as_operator(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<RequestBuilder, Failure> {
        let key = self.operator_key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            Failure::usage(
                "this needs the operator's key: set GAVEL_OPERATOR_KEY to the key with which the exchange was started \
                 (`gavel demo` prints its own)",
            )
        })?;
        Ok(self.request(method, path, query, body)?.bearer_auth(key))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<RequestBuilder, Failure> {
        let address = format!("{}/v1/{path}", self.url.trim_end_matches('/'));
        let address = match query {
            [] => Url::parse(&address).map_err(|error| error.to_string()),
            query => Url::parse_with_params(&address, query).map_err(|error| error.to_string()),
        };
        let address = address.map_err(|error| self.no_address(&error))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(self.no_address("only http:// and https:// are possible"));
        }
        // Without a provider reqwest panics, even if it never speaks TLS. If one is installed it stays.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder().timeout(CALL_TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
        if matches!(address.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| Failure::because(&error))?;
        let request = client.request(method, address);
        Ok(match body {
            Body::Nothing => request,
            Body::Json(value) => {
                request.header("content-type", "application/json").body(value.to_string())
            }
            Body::Component(wasm) => request.header("content-type", "application/wasm").body(wasm),
        })
    }

    /// Makes a prepared call and returns the answer's body, or says what was wrong and what to do next.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let answer = async {
            let response = request.send().await?;
            let (status, path) = (response.status().as_u16(), response.url().path().to_owned());
            Ok((status, path, response.bytes().await?.to_vec()))
        };
        let (status, path, bytes) = answer.await.map_err(|error| self.no_answer(&error))?;
        if (200..300).contains(&status) {
            return Ok(bytes);
        }
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(problem) if problem.get("detail").is_some() => {
                Err(self.refused(status, &path, &problem))
            }
            _ => Err(self.stranger(&bytes)),
        }
    }

    /// Reads an answer.
    pub(super) fn document(&self, bytes: &[u8]) -> Result<Value, Failure> {
        serde_json::from_slice(bytes).map_err(|_| self.stranger(bytes))
    }

    fn no_address(&self, fault: &str) -> Failure {
        let url = &self.url;
        Failure::usage(format!(
            "`{url}` is no address of an exchange: {fault}; --url or GAVEL_URL is such as http://127.0.0.1:8080"
        ))
    }

    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let url = &self.url;
        let cause = cause(error);
        Failure::could_not_run(if error.is_connect() {
            format!(
                "no exchange answers at {url} ({cause}): start one with `gavel serve` or `gavel demo`, or name another \
                 with --url or GAVEL_URL"
            )
        } else if error.is_timeout() {
            let patience = CALL_TIMEOUT.as_secs();
            format!(
                "{url} did not answer within {patience} s: ask what stands there before you do it again"
            )
        } else {
            format!("{url} broke off ({cause}): ask what stands there before you do it again")
        })
    }

    fn refused(&self, status: u16, path: &str, problem: &Value) -> Failure {
        let text = |key: &str| problem.get(key).and_then(Value::as_str);
        let mut message = text("detail").unwrap_or_default().to_owned();
        if let Some(field) = text("field") {
            message = format!("{field}: {message}");
        }
        match status {
            401 => Failure::could_not_run(format!(
                "{} does not accept this operator's key: set GAVEL_OPERATOR_KEY to the key with which the exchange was started",
                self.url
            )),
            400..500 => {
                if let Some(next) = text("next") {
                    message = format!("{message}; {next}");
                }
                match status {
                    404 if path.starts_with("/v1/modules/") => Failure::usage(format!(
                        "{message}; `gavel module list` shows what there is"
                    )),
                    404 => Failure::usage(message),
                    _ => Failure::does_not_hold(format!("refused: {message}")),
                }
            }
            _ => Failure::could_not_run(format!("the exchange answered {status}: {message}")),
        }
    }

    fn stranger(&self, bytes: &[u8]) -> Failure {
        let quote: String = String::from_utf8_lossy(bytes).chars().take(QUOTE_CHARS_MAX).collect();
        let quote = quote.split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::could_not_run(format!(
            "{} does not answer like an exchange ({quote}): is it the right address, and as new as this program?",
            self.url
        ))
    }
}
