//! How commands speak with a running exchange, and what they say when it refuses.

use std::time::Duration;

use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use crate::cli::{Failure, block_on};
use crate::ids::ModuleName;

/// How long a call may take: an upload is compiled and its fixtures run.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the exchange may take to let the program in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer that is not an exchange's is quoted.
const QUOTE_CHARS_MAX: usize = 200;

/// Which exchange, and the right to change it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Exchange {
    /// Where the exchange is.
    #[arg(long, alias = "exchange", env = "GAVEL_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The operator's key.
    #[arg(long, env = "GAVEL_OPERATOR_KEY", hide_env_values = true, hide = true)]
    operator_key: Option<String>,
}

/// Who does something and why: the exchange keeps it with the step.
#[derive(Debug, clap::Args)]
pub(super) struct Note {
    /// Why, for those who read the module's history.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) why: String,
    /// Who does it.
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = "operator",
        hide_env_values = true
    )]
    pub(super) by: String,
}

impl Note {
    /// Returns the members of an act's body.
    pub(super) fn members(&self) -> Value {
        json!({ "by": self.by, "why": self.why })
    }
}

/// What is sent with a call.
pub(in crate::cli) enum Body {
    Nothing,
    Json(Value),
    Component(Vec<u8>),
}

impl Exchange {
    pub(in crate::cli) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, &[], Body::Nothing)
    }

    pub(in crate::cli) fn put(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, &[], Body::Json(body))
    }

    pub(in crate::cli) fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, &[], Body::Json(body))
    }

    /// Calls the exchange and returns its answer, or says what was wrong and what to do next.
    pub(in crate::cli) fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Value, Failure> {
        let key = self.operator_key.as_deref().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            Failure::usage(
                "this needs the operator's key: set GAVEL_OPERATOR_KEY to the key with which the exchange was started \
                 (`gavel demo` prints its own)",
            )
        })?;
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
        let request = client.request(method, address).bearer_auth(key);
        let request = match body {
            Body::Nothing => request,
            Body::Json(value) => {
                request.header("content-type", "application/json").body(value.to_string())
            }
            Body::Component(wasm) => request.header("content-type", "application/wasm").body(wasm),
        };
        let answer = block_on(async {
            let response = request.send().await?;
            Ok((response.status().as_u16(), response.text().await?))
        })?;
        let (status, text) = answer.map_err(|error| self.no_answer(&error))?;
        let document = serde_json::from_str::<Value>(&text);
        match document {
            Ok(document) if (200..300).contains(&status) => Ok(document),
            Ok(problem) if problem.get("detail").is_some() => Err(self.refused(status, &problem)),
            _ => Err(self.stranger(status, &text)),
        }
    }

    fn no_address(&self, fault: &str) -> Failure {
        let url = &self.url;
        Failure::usage(format!(
            "`{url}` is no address of an exchange: {fault}; --url or GAVEL_URL is such as http://127.0.0.1:8080"
        ))
    }

    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let url = &self.url;
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Failure::could_not_run(if error.is_connect() {
            format!(
                "no exchange answers at {url} ({cause}): start one with `gavel serve` or `gavel demo`, or name another \
                 with --url or GAVEL_URL"
            )
        } else if error.is_timeout() {
            let patience = CALL_TIMEOUT.as_secs();
            format!(
                "{url} did not answer within {patience} s; whether it did what was asked, `gavel module show` says"
            )
        } else {
            format!(
                "{url} broke off ({cause}); whether it did what was asked, `gavel module show` says"
            )
        })
    }

    fn refused(&self, status: u16, problem: &Value) -> Failure {
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
            404 => Failure::usage(match text("next") {
                Some(next) => format!("{message}; {next}"),
                None => format!("{message}; `gavel module list` shows what there is"),
            }),
            400..500 => {
                if let Some(next) = text("next") {
                    message = format!("{message}; {next}");
                }
                Failure::does_not_hold(format!("refused: {message}"))
            }
            _ => Failure::could_not_run(format!("the exchange answered {status}: {message}")),
        }
    }

    fn stranger(&self, status: u16, text: &str) -> Failure {
        let quote: String = text.chars().take(QUOTE_CHARS_MAX).collect();
        let quote = quote.split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::could_not_run(format!(
            "{} does not answer like an exchange ({status}: {quote}): is it the right address, and as new as this program?",
            self.url
        ))
    }
}

/// Returns the path of a module's resource, once the name is one.
pub(super) fn module(name: &str, resource: &str) -> Result<String, Failure> {
    let name = ModuleName::parse(name)
        .map_err(|error| Failure::usage(format!("`{name}` is no module's name: {error}")))?;
    Ok(if resource.is_empty() {
        format!("modules/{name}")
    } else {
        format!("modules/{name}/{resource}")
    })
}
