//! Modules that keep failing: counted, and taken out of service by the rule that their settings name.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Exchange, Gated, Note, Which};
use crate::bidding::Forfeited;
use crate::catalog::{FailingSpec, ModuleVersion, Upkeep};
use crate::clock::Moment;
use crate::ids::{CampaignId, Digest};
use crate::money::Share;
use crate::sandbox::Forfeit;

/// The moments at which the calls of each module's version failed, no more than its rule looks at.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<ModuleVersion, VecDeque<Failure>>>);

/// When a call failed, and for which campaign if it was about one alone and the module serves others.
type Failure = (Moment, Option<CampaignId>);

impl Failures {
    /// Counts a failure. Returns whether it fills the measure of the rule; counting begins anew after that. What fails for
    /// one campaign alone never does: it would take the others out of service with it.
    fn count(&self, module: &ModuleVersion, rule: FailingSpec, (at, whose): Failure) -> bool {
        if rule.calls == 0 {
            return false;
        }
        let window_ms = i64::from(rule.window_seconds).saturating_mul(1_000);
        let since = at.unix_ms().saturating_sub(window_ms);
        let longest_ms = i64::from(FailingSpec::WINDOW_SECONDS_MAX).saturating_mul(1_000);
        let forgotten = at.unix_ms().saturating_sub(longest_ms);
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A version that was replaced fails no more.
        failures
            .retain(|_, moments| moments.back().is_some_and(|(at, _)| at.unix_ms() > forgotten));
        let moments = failures.entry(module.clone()).or_default();
        moments.push_back((at, whose));
        moments.retain(|(moment, _)| moment.unix_ms() > since);
        let most = usize::try_from(rule.calls).unwrap_or(usize::MAX);
        while moments.len() > most {
            moments.pop_front();
        }
        let first = moments.front().and_then(|(_, whose)| whose.as_ref());
        let of_one = first.is_some() && moments.iter().all(|(_, whose)| whose.as_ref() == first);
        let full = moments.len() >= most && !of_one;
        if full {
            failures.remove(module);
        }
        full
    }
}

impl Exchange {
    /// Takes note of the calls of an auction that brought nothing.
    pub(super) fn forfeited(self: &Arc<Self>, calls: &[Forfeited<'_>], at: Moment) {
        for Forfeited { module, upkeep, forfeit, campaign } in calls {
            self.failed_for(module, upkeep, forfeit, (at, campaign.clone()));
        }
    }

    /// Takes note of a call that brought nothing.
    pub(super) fn failed(
        self: &Arc<Self>,
        module: &ModuleVersion,
        upkeep: &Upkeep,
        forfeit: &Forfeit,
        at: Moment,
    ) {
        self.failed_for(module, upkeep, forfeit, (at, None));
    }

    fn failed_for(
        self: &Arc<Self>,
        module: &ModuleVersion,
        upkeep: &Upkeep,
        forfeit: &Forfeit,
        failure: Failure,
    ) {
        let rule = upkeep.failing;
        if *forfeit == Forfeit::NoRoom || !self.failures.count(module, rule, failure) {
            return;
        }
        let FailingSpec { calls, window_seconds } = rule;
        let why = format!("{calls} of its calls failed within {window_seconds} s: {forfeit}");
        let (exchange, module) = (Arc::clone(self), module.clone());
        let owner = upkeep.owner.clone();
        self.tasks.spawn(async move {
            let (name, version) = (module.name.as_str(), module.version);
            tracing::error!(module = name, version, %owner, %why, "module taken out of service");
            metrics::counter!("gavel_modules_taken_out_total", "module" => name.to_owned())
                .increment(1);
            exchange.put_aside(&module, why).await;
        });
    }

    /// Takes note of an answer that a normalizer could not word.
    pub fn wording_failed(self: &Arc<Self>, normalizer: Digest, forfeit: &Forfeit) {
        let market = self.catalog.load();
        let serving = market.verticals().map(|vertical| &vertical.normalizer);
        let found = serving
            .flat_map(|serving| serving.versions().map(|served| (&served.module, &serving.upkeep)));
        for (module, upkeep) in found.filter(|(module, _)| module.digest == normalizer).take(1) {
            self.failed(module, upkeep, forfeit, self.clock.now());
        }
    }

    /// Takes a version out of service, or ends its canary.
    async fn put_aside(&self, module: &ModuleVersion, why: String) {
        let (name, which) = (module.name.as_str(), Which::Number(module.version));
        let draft = self.draft().await;
        let versions = draft.versions(name);
        let stage = versions.map_or("unknown", |versions| versions.stage(module.version));
        let note = Note::own(&why);
        let put_aside = match stage {
            "active" => self.take_out(name, which, note).await,
            "canary" => {
                let over = (super::Trying::Canary, Share::NONE);
                self.try_out((name, which), over, Gated::Held, note).await
            }
            // Somebody was quicker.
            _ => return,
        };
        if let Err(error) = put_aside {
            tracing::error!(%error, module = name, "a failing module is still in service");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ModuleName;

    fn module() -> ModuleVersion {
        let name = ModuleName::parse("traps").unwrap();
        ModuleVersion { name, version: 1, digest: Digest::of(b"") }
    }

    /// Counts failures at these seconds by a rule of 3 in 10 s, and returns which of them fill it.
    fn filled(seconds: &[i64]) -> Vec<i64> {
        let failures = Failures::default();
        let rule = FailingSpec { calls: 3, window_seconds: 10 };
        let count = |second: &&i64| {
            failures.count(&module(), rule, (Moment::from_unix_ms(**second * 1_000), None))
        };
        seconds.iter().filter(count).copied().collect()
    }

    #[test]
    fn failures_within_the_window_fill_the_measure() {
        assert_eq!(filled(&[0, 4, 9]), [9]);
        assert_eq!(filled(&[0, 5, 10, 14]), [14]);
        assert_eq!(filled(&[0, 11, 22, 33]), Vec::<i64>::new());
        assert_eq!(filled(&[0, 1, 2, 3, 4, 5]), [2, 5]);
    }

    #[test]
    fn what_fails_for_one_campaign_alone_fills_nothing() {
        let failures = Failures::default();
        let rule = FailingSpec { calls: 3, window_seconds: 10 };
        let count = |campaign: &str| {
            let campaign = CampaignId::parse(campaign).unwrap();
            failures.count(&module(), rule, (Moment::from_unix_ms(1), Some(campaign)))
        };
        assert!((0..20).all(|_| !count("acme")));
        assert!(count("bolt"));
    }

    #[test]
    fn a_rule_of_no_calls_never_fills() {
        let failures = Failures::default();
        for second in 0..100 {
            let at = Moment::from_unix_ms(second);
            assert!(!failures.count(&module(), FailingSpec::NEVER, (at, None)));
        }
    }
}
