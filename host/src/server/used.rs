//! What was taken of caps and budgets, as operators see it.

use serde_json::{Value, json};

use crate::book::{Taken, Used};
use crate::money::Micros;

/// Returns what was taken in the periods of this moment, by the names that caps and budgets have.
pub(super) fn used(used: &Used) -> Value {
    json!({
        "hourly": taken(&used.hour),
        "daily": taken(&used.day),
        "weekly": taken(&used.week),
        "monthly": taken(&used.month),
        "total": taken(&used.total),
    })
}

fn taken(taken: &Taken) -> Value {
    json!({
        "sales": taken.sales,
        "posts": taken.posts,
        "spent": Micros::new(taken.spent).to_string(),
    })
}
