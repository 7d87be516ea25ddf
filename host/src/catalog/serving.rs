//! What of a module serves, and which version a ping gets.

use sha2::{Digest as _, Sha256};

use super::ModuleVersion;
use super::upkeep::FailingSpec;
use crate::ids::ModuleName;
use crate::money::Share;

/// A module's version with what can be called of it.
#[derive(Clone, Debug)]
pub struct Served<T> {
    pub module: ModuleVersion,
    pub code: T,
}

/// What of a module serves: the active version, and those on trial beside it.
#[derive(Clone, Debug)]
pub struct Serving<T> {
    pub active: Served<T>,
    /// Decides for this share of the pings in place of the active version.
    pub canary: Option<(Share, Served<T>)>,
    /// Judges this share of the pings too, and decides nothing.
    pub shadow: Option<(Share, Served<T>)>,
    pub upkeep: Upkeep,
}

/// How a module that serves is looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// Who is told when it fails, in the operator's words.
    pub owner: String,
    pub failing: FailingSpec,
    /// Why it is out of service; then its campaigns do not bid, its verticals take nothing.
    pub taken_out: Option<String>,
}

/// A ping's draw for one module, in millionths: the same whenever it is drawn, and even over many pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot(u32);

impl Lot {
    /// Draws for a module. `ping` is what identifies the ping: the bytes of its handle, or the digest of its body where
    /// it has no handle yet.
    pub fn draw(ping: &[u8], module: &ModuleName) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"gavel lot\0");
        hash.update(module.as_str().as_bytes());
        hash.update([0]);
        hash.update(ping);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        let drawn = u64::from(u32::from_le_bytes([a, b, c, d]));
        let scaled = drawn.saturating_mul(u64::from(Share::WHOLE.millionths())) >> u32::BITS;
        Self(u32::try_from(scaled).unwrap_or(u32::MAX))
    }

    fn within(self, share: Share) -> bool {
        self.0 < share.millionths()
    }
}

impl<T> Serving<T> {
    /// Returns every version that pings may see.
    pub fn versions(&self) -> impl Iterator<Item = &Served<T>> {
        let trials = [&self.canary, &self.shadow].into_iter().flatten().map(|(_, served)| served);
        std::iter::once(&self.active).chain(trials)
    }

    /// Returns the version that decides for a ping. Lots are drawn only while there is a canary.
    pub fn decides(&self, draw: impl FnOnce() -> Lot) -> &Served<T> {
        match &self.canary {
            Some((share, canary)) if draw().within(*share) => canary,
            Some(_) | None => &self.active,
        }
    }

    /// Returns the version that shadows the decision about a ping. Lots are drawn only while there is one.
    pub fn shadows(&self, draw: impl FnOnce() -> Lot) -> Option<&Served<T>> {
        let (share, shadow) = self.shadow.as_ref()?;
        draw().within(*share).then_some(shadow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Digest;

    fn serving(percent: &str) -> Serving<&'static str> {
        let served = |version, code| {
            let name = ModuleName::parse("zip-list").unwrap();
            let digest = Digest::of(code);
            Served { module: ModuleVersion { name, version, digest }, code: "" }
        };
        let share = Share::parse_percent(percent).unwrap();
        let upkeep = Upkeep { owner: String::new(), failing: FailingSpec::NEVER, taken_out: None };
        let canary = Some((share, served(2, b"2")));
        Serving { active: served(1, b"1"), canary, shadow: None, upkeep }
    }

    /// Counts how many of 10,000 pings the canary decides.
    fn canaried(percent: &str) -> usize {
        let serving = serving(percent);
        let draw = |ping: u64| Lot::draw(&ping.to_le_bytes(), &serving.active.module.name);
        (0..10_000).filter(|ping| serving.decides(|| draw(*ping)).module.version == 2).count()
    }

    #[test]
    fn a_canary_decides_its_share_of_the_pings() {
        assert_eq!(canaried("0"), 0);
        assert_eq!(canaried("100"), 10_000);
        let some = canaried("5");
        assert!((400..600).contains(&some), "{some}");
    }

    #[test]
    fn the_share_of_a_small_canary_stays_in_that_of_a_larger_one() {
        let (small, large) = (serving("5"), serving("20"));
        for ping in 0_u64..1_000 {
            let lot = Lot::draw(&ping.to_le_bytes(), &small.active.module.name);
            if small.decides(|| lot).module.version == 2 {
                assert_eq!(large.decides(|| lot).module.version, 2);
            }
        }
    }

    #[test]
    fn modules_draw_apart() {
        let [one, other] = ["zip-list", "age-list"]
            .map(|name| Lot::draw(b"ping", &ModuleName::parse(name).unwrap()));
        assert_ne!(one, other);
    }
}
