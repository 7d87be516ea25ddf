//! Comparisons as JSON: what the API answers, the tools print and people read.

use serde_json::{Map, Value as Json, json};

use super::spent::Spent;
use super::tally::{Amounts, Tally};
use super::{Change, Comparison};

impl Comparison {
    /// Returns the comparison as JSON. Amounts and percentages are text.
    pub fn to_json(&self) -> Json {
        let money = &self.money;
        let campaigns = self.campaigns.iter().map(|(campaign, row)| {
            json!({
                "campaign": campaign,
                "changed": row.changed(),
                "verdicts": counted(&row.verdicts),
                "won": {"old": row.won.0, "new": row.won.1},
                "paid": amounts(row.paid),
            })
        });
        json!({
            "differs": self.differs(),
            "leads": self.leads,
            "verdicts": counted(&self.verdicts),
            "unpriced": {"old": self.unpriced.0, "new": self.unpriced.1},
            "awards": {
                "same": self.awards.same,
                "repriced": self.awards.repriced,
                "other_winners": self.awards.other_winners,
                "new": self.awards.new,
                "lost": self.awards.lost,
            },
            "money": {
                "buyers_pay": amounts(money.buyers),
                "sources_get": amounts(money.sources),
                "exchange_keeps": amounts(money.buyers.without(money.sources)),
            },
            "calls": calls(&self.old, &self.new),
            "campaigns": campaigns.collect::<Vec<Json>>(),
            "examples": self.examples.to_json(),
        })
    }

    /// Returns the comparison in one line, for logs and records.
    pub fn summary(&self) -> String {
        let counts = Change::ALL.map(|change| {
            format!("{} {}", self.verdicts.of(change), change.code().replace('_', " "))
        });
        let awards = self.awards.changed();
        let (leads, change) = (self.leads, self.money.buyers.change());
        let sign = if change.is_negative() { "" } else { "+" };
        let failed = self.new.failed();
        format!(
            "{leads} leads: {}; {awards} awards changed, buyers pay {sign}{change}, {failed} calls failed",
            counts.join(", ")
        )
    }
}

pub(super) fn calls(old: &Spent, new: &Spent) -> Json {
    let side = |spent: &Spent| {
        let words = spent.words().map(|(words, count)| json!({"words": words, "count": count}));
        json!({
            "fuel_p50": spent.percentile(50),
            "fuel_p99": spent.percentile(99),
            "failed": spent.failed(),
            "failures": words.collect::<Vec<Json>>(),
        })
    };
    json!({"old": side(old), "new": side(new)})
}

fn counted(tally: &Tally) -> Json {
    let all = [("all".to_owned(), json!(tally.all()))];
    let counts = Change::ALL.map(|change| (change.code().to_owned(), json!(tally.of(change))));
    Json::Object(all.into_iter().chain(counts).collect::<Map<String, Json>>())
}

fn amounts(amounts: Amounts) -> Json {
    json!({
        "old": amounts.old.to_string(),
        "new": amounts.new.to_string(),
        "change": amounts.change().to_string(),
    })
}
