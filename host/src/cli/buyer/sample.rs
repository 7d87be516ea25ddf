//! A ping to try an end point with, and a way to send several at once.

use serde_json::{Value, json};

/// Runs futures at the same time; returns what they made in their order.
pub(super) async fn all<F: Future + Unpin>(mut running: Vec<F>) -> Vec<F::Output> {
    let mut made: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        let mut pending = false;
        for (future, made) in running.iter_mut().zip(&mut made) {
            if made.is_none() {
                match std::pin::Pin::new(future).poll(cx) {
                    std::task::Poll::Ready(output) => *made = Some(output),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    made.into_iter().flatten().collect()
}

/// A ping for auto insurance, as buyers see it.
pub(super) fn usual_lead() -> Value {
    json!({
        "state": "CA", "zip": "90210", "age": 41, "gender": "female", "currently_insured": true,
        "credit_band": "good", "home_owner": true, "vehicle_count": 1, "vehicle_year": 2019,
        "vehicle_make": "Toyota", "vehicle_model": "Camry",
    })
}
