//! Bodies of requests, read within their limits.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::problem::Problem;

/// Reads a body of so many bytes at most, that has to be there within this time.
pub(super) async fn read(body: Body, most: usize, within: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(within, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is larger than {most} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail))
        }
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body ended before its end"))
        }
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", within.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", detail))
        }
    }
}
