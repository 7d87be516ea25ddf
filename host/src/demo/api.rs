//! The exchange as its operator and its sources reach it: over HTTP and nothing else.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{Client, Method};
use serde_json::Value;

/// How long a call may take before it counts as unanswered.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an unexpected answer is quoted.
const QUOTE_CHARS_MAX: usize = 400;

/// The exchange's address with the operator's key.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    base: String,
    operator_key: String,
}

/// Why a call has no useful answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{call} was answered {status}: {body}")]
    Refused { call: String, status: u16, body: String },
    #[error("{call} was not answered")]
    NoAnswer {
        call: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the HTTP client does not start")]
    Client(#[source] reqwest::Error),
}

/// What a source sends.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The path after the host, such as `/v1/auto-insurance/ping`.
    pub(super) path: String,
    pub(super) content_type: &'static str,
    /// For the sources that do not put their key in the body.
    pub(super) bearer: Option<String>,
    pub(super) idempotency_key: Option<String>,
    pub(super) body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) took: Duration,
}

impl Api {
    pub(super) fn new(base: String, operator_key: String) -> Result<Self, ApiError> {
        // Without a provider reqwest panics, even if it never speaks TLS. If one is installed it stays.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(CALL_TIMEOUT).no_proxy().build();
        let client = client.map_err(ApiError::Client)?;
        Ok(Self { client, base, operator_key })
    }

    /// Returns where the exchange is, such as `http://127.0.0.1:8080`.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.operate(Method::GET, path, Bytes::new(), "application/json").await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.operate(Method::PUT, path, body.to_string().into(), "application/json").await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        self.operate(Method::POST, path, body.to_string().into(), "application/json").await
    }

    /// Uploads a component under a name and returns what the exchange says of it.
    pub(super) async fn upload(&self, name: &str, component: Bytes) -> Result<Value, ApiError> {
        let path = format!("/v1/modules?name={name}");
        self.operate(Method::POST, &path, component, "application/wasm").await
    }

    async fn operate(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        content_type: &'static str,
    ) -> Result<Value, ApiError> {
        let call = format!("{method} {path}");
        let lost = |source| ApiError::NoAnswer { call: call.clone(), source };
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.bearer_auth(&self.operator_key).header("content-type", content_type);
        let response = request.body(body).send().await.map_err(lost)?;
        let status = response.status();
        let text = response.text().await.map_err(lost)?;
        if status.is_success() {
            return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
        }
        let body = text.chars().take(QUOTE_CHARS_MAX).collect();
        Err(ApiError::Refused { call, status: status.as_u16(), body })
    }

    /// Sends what a source sends.
    pub(super) async fn send(&self, call: &Call) -> Result<Reply, ApiError> {
        let lost = |source| ApiError::NoAnswer { call: format!("POST {}", call.path), source };
        let mut request = self.client.post(format!("{}{}", self.base, call.path));
        request = request.header("content-type", call.content_type).body(call.body.clone());
        if let Some(key) = &call.bearer {
            request = request.bearer_auth(key);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let sent = Instant::now();
        let response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(lost)?;
        Ok(Reply { status, body, took: sent.elapsed() })
    }
}

/// Shows the address and never the key.
impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}
