//! A running exchange, asked about its leads and versions as its operator.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::cli::ask::{Body, Exchange};
use crate::cli::{DOES_NOT_HOLD, Failure, block_on};
use crate::exchange::{Code, DIFF_TIME_MAX, Settings};

/// How long an answer is waited for, beyond what a diff may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How often it is asked how far a diff is.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// An exchange, seen by its operator.
pub(super) struct Remote(pub(super) Exchange);

impl Remote {
    /// Has the exchange compare two of its versions. `progress` hears how many facts it looked at, of how many.
    pub(super) fn diff(
        &self,
        name: &str,
        body: &Value,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Value, Failure> {
        let (exchange, path) = (&self.0, format!("modules/{name}/diff"));
        let body = Body::Json(body.clone());
        let request = exchange.as_operator(Method::POST, &path, &[], body).map_err(refused)?;
        let request = request.timeout(DIFF_TIME_MAX.saturating_add(ANSWER_TIMEOUT));
        let found = block_on(async {
            let mut asking = Box::pin(exchange.answer(request));
            loop {
                tokio::select! {
                    answer = &mut asking => return answer,
                    () = tokio::time::sleep(ASK_EVERY) => (),
                }
                let looking = exchange.as_operator(Method::GET, &path, &[], Body::Nothing)?;
                let looked = exchange.answer(looking).await;
                let looked = looked.and_then(|bytes| exchange.document(&bytes));
                let number = |member: &str| looked.as_ref().ok()?.get(member)?.as_u64();
                if let (Some(done), Some(of)) = (number("facts"), number("of")) {
                    progress(done, of);
                }
            }
        })?;
        exchange.document(&found.map_err(refused)?)
    }

    /// Fetches the leads that a filter was asked about.
    pub(super) fn recording(
        &self,
        name: &str,
        last: &str,
        settings: Settings,
    ) -> Result<Vec<u8>, Failure> {
        let settings = settings.name();
        let path = format!("modules/{name}/recording?last={last}&settings={settings}");
        self.0.bytes(&path).map_err(refused)
    }

    /// Fetches the component of a version.
    pub(super) fn component(&self, name: &str, number: u32) -> Result<Code, Failure> {
        let wasm = self.0.bytes(&format!("modules/{name}/versions/{number}")).map_err(refused)?;
        Ok(Code::Component { label: format!("version {number}"), number: Some(number), wasm })
    }
}

/// What the exchange refuses is no difference, and a difference is what exit code 1 says here.
fn refused(failure: Failure) -> Failure {
    match failure.code {
        DOES_NOT_HOLD => Failure::usage(failure.message),
        _ => failure,
    }
}
