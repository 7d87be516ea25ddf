//! The demo's dice: the same seed throws the same market on every machine.

/// A stream of numbers that looks random (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Takes the dice of one lead: what lead 7 is does not depend on how leads 1 to 6 were thrown.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        let start = dice.throw();
        Self(start ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 to one less than `sides`.
    pub(super) fn below(&mut self, sides: u32) -> u32 {
        let scaled = (u128::from(self.throw()) * u128::from(sides)) >> 64;
        u32::try_from(scaled).unwrap_or_default()
    }

    /// Returns a number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// Says yes this often.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// Returns one of some things.
    #[expect(clippy::indexing_slicing, reason = "a throw below the length is an index")]
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, things: &[T; N]) -> T {
        const { assert!(N > 0) };
        let sides = u32::try_from(N).unwrap_or(1);
        things[usize::try_from(self.below(sides)).unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_another_throws_otherwise() {
        let throws = |seed, number| {
            let mut dice = Dice::of(seed, number);
            (0..20).map(|_| dice.below(1_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(throws(1, 7), throws(1, 7));
        assert_ne!(throws(1, 7), throws(2, 7));
        assert_ne!(throws(1, 7), throws(1, 8));
    }

    #[test]
    fn every_side_comes_up() {
        let mut dice = Dice::of(3, 0);
        let mut seen = [0; 6];
        (0..6_000).for_each(|_| seen[dice.below(6) as usize] += 1);
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    }
}
