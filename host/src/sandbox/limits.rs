//! What modules may use: each kind of call has its own limits, and none may pass the ceilings.

use std::fmt;
use std::time::Duration;

/// The largest module, in bytes. A filter of the SDK has about a hundred thousand.
pub const MODULE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most memory that any call has, in bytes.
pub const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most fuel that any call has: about a second of one core.
pub const FUEL_MAX: u64 = 2_000_000_000;
/// The most fuel that a filter has for each campaign beside its call's: about 10 ms of one core.
pub const FUEL_PER_SLOT_MAX: u64 = 20_000_000;
/// The most time on the clock that any call has.
pub const WALL_MAX: Duration = Duration::from_secs(5);
/// The most that any call returns, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a normalizer may spend on one submission: about 50 ms of one core.
const NORMALIZER_FUEL: u64 = 100_000_000;
const NORMALIZER_MEMORY_BYTES: usize = 32 * 1024 * 1024;
const NORMALIZER_WALL: Duration = Duration::from_millis(500);
/// A lead of the largest submission, several times over.
const NORMALIZER_OUTPUT_BYTES: usize = 1024 * 1024;

/// What a filter may spend on one lead before the first campaign: about 1 ms of one core.
const FILTER_FUEL: u64 = 2_000_000;
/// What it may spend on each campaign besides: some hundred times what a list of ZIP codes takes.
const FILTER_FUEL_PER_SLOT: u64 = 200_000;
const FILTER_MEMORY_BYTES: usize = MEMORY_BYTES_MAX;
const FILTER_WALL: Duration = Duration::from_millis(100);
const FILTER_OUTPUT_BYTES: usize = 256 * 1024;

/// What an adapter may spend on wording a request or reading an answer: about 10 ms of one core, several times what the
/// longest answer takes.
const ADAPTER_FUEL: u64 = 20_000_000;
const ADAPTER_MEMORY_BYTES: usize = 16 * 1024 * 1024;
const ADAPTER_WALL: Duration = Duration::from_millis(250);
/// The largest request with all its headers.
const ADAPTER_OUTPUT_BYTES: usize = 512 * 1024;

/// What a filter may spend on the settings of all its campaigns.
const CONFIGURE_FUEL: u64 = FUEL_MAX;
const CONFIGURE_WALL: Duration = WALL_MAX;

/// What a module may spend on saying what it is.
const DESCRIBE_FUEL: u64 = 20_000_000;
const DESCRIBE_WALL: Duration = Duration::from_millis(500);

/// The address space of a compilation, in bytes. The largest shipped module takes a sixth of it.
const COMPILE_MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// The time on the CPU of a compilation. The largest shipped module takes a twentieth of it.
const COMPILE_CPU: Duration = Duration::from_secs(10);
/// The time on the clock of a compilation: longer, because the machine may have other work.
const COMPILE_WALL: Duration = Duration::from_secs(30);

/// What one call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// WebAssembly operations, roughly: the same number on every machine.
    pub fuel: u64,
    /// All linear memory together, in bytes.
    pub memory_bytes: usize,
    /// Time on the clock. It only catches what fuel does not, and is coarse.
    pub wall: Duration,
    /// What the call may return, in bytes.
    pub output_bytes: usize,
}

impl CallLimits {
    /// The most that any call of any module may be given.
    pub const MAX: Self = Self {
        fuel: FUEL_MAX,
        memory_bytes: MEMORY_BYTES_MAX,
        wall: WALL_MAX,
        output_bytes: OUTPUT_BYTES_MAX,
    };

    /// Checks that nothing is zero or above [`CallLimits::MAX`], for a person who sets limits.
    ///
    /// # Errors
    ///
    /// The first limit that is out of bounds, with its bounds.
    pub fn check(&self) -> Result<(), LimitFault> {
        let number = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        check("fuel", self.fuel, FUEL_MAX)?;
        check("memory_bytes", number(self.memory_bytes), number(MEMORY_BYTES_MAX))?;
        check("wall_ms", millis(self.wall), millis(WALL_MAX))?;
        check("output_bytes", number(self.output_bytes), number(OUTPUT_BYTES_MAX))
    }

    /// Returns the limits with nothing above [`CallLimits::MAX`].
    #[must_use]
    pub fn capped(self) -> Self {
        Self {
            fuel: self.fuel.min(FUEL_MAX),
            memory_bytes: self.memory_bytes.min(MEMORY_BYTES_MAX),
            wall: self.wall.min(WALL_MAX),
            output_bytes: self.output_bytes.min(OUTPUT_BYTES_MAX),
        }
    }
}

/// What a filter's call for one lead may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterLimits {
    /// The whole call, before the first campaign.
    pub call: CallLimits,
    /// Fuel for each campaign that is asked about, beside the call's.
    pub fuel_per_slot: u64,
}

impl FilterLimits {
    /// Checks that nothing is zero or above its ceiling, for a person who sets limits.
    ///
    /// # Errors
    ///
    /// The first limit that is out of bounds, with its bounds.
    pub fn check(&self) -> Result<(), LimitFault> {
        self.call.check()?;
        check("fuel_per_slot", self.fuel_per_slot, FUEL_PER_SLOT_MAX)
    }

    /// Returns the limits with nothing above its ceiling.
    #[must_use]
    pub fn capped(self) -> Self {
        Self { call: self.call.capped(), fuel_per_slot: self.fuel_per_slot.min(FUEL_PER_SLOT_MAX) }
    }

    /// Returns the limits of a call about so many campaigns.
    pub(super) fn of_call(&self, slots: usize) -> CallLimits {
        let slots = u64::try_from(slots).unwrap_or(u64::MAX);
        let fuel = self.call.fuel.saturating_add(self.fuel_per_slot.saturating_mul(slots));
        CallLimits { fuel, ..self.call }
    }
}

/// A limit that is zero or above its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitFault {
    /// The limit's name.
    pub limit: &'static str,
    /// What was asked for.
    pub value: u64,
    /// The most that it can be.
    pub max: u64,
}

impl std::error::Error for LimitFault {}

impl fmt::Display for LimitFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, value, max } = self;
        write!(f, "`{limit}` is {value}, and it can be 1 to {max}")
    }
}

fn check(limit: &'static str, value: u64, max: u64) -> Result<(), LimitFault> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(LimitFault { limit, value, max }) }
}

/// What compiling one module may use, where that is done in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space, in bytes.
    pub memory_bytes: u64,
    /// Time on the CPU, all threads together, in whole seconds.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
}

/// What modules may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A normalizer's call for one submission or answer.
    pub normalizer: CallLimits,
    /// A filter's call for one lead.
    pub filter: CallLimits,
    /// Fuel for each campaign that a filter judges, beside its call's.
    pub filter_fuel_per_slot: u64,
    /// An adapter's call for one request or answer.
    pub adapter: CallLimits,
    /// A filter's preparation for the settings of all its campaigns, or an adapter's for those of one buyer.
    pub configure: CallLimits,
    /// A module's description of itself.
    pub describe: CallLimits,
    /// The compilation of a module.
    pub compile: CompileLimits,
    /// The size of a module.
    pub module_bytes_max: usize,
}

impl Limits {
    /// Returns the limits with nothing above its ceiling.
    #[must_use]
    pub fn capped(self) -> Self {
        Self {
            normalizer: self.normalizer.capped(),
            filter: self.filter.capped(),
            filter_fuel_per_slot: self.filter_fuel_per_slot.min(FUEL_PER_SLOT_MAX),
            adapter: self.adapter.capped(),
            configure: self.configure.capped(),
            describe: self.describe.capped(),
            compile: self.compile,
            module_bytes_max: self.module_bytes_max.min(MODULE_BYTES_MAX),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let filter = CallLimits {
            fuel: FILTER_FUEL,
            memory_bytes: FILTER_MEMORY_BYTES,
            wall: FILTER_WALL,
            output_bytes: FILTER_OUTPUT_BYTES,
        };
        let normalizer = CallLimits {
            fuel: NORMALIZER_FUEL,
            memory_bytes: NORMALIZER_MEMORY_BYTES,
            wall: NORMALIZER_WALL,
            output_bytes: NORMALIZER_OUTPUT_BYTES,
        };
        let adapter = CallLimits {
            fuel: ADAPTER_FUEL,
            memory_bytes: ADAPTER_MEMORY_BYTES,
            wall: ADAPTER_WALL,
            output_bytes: ADAPTER_OUTPUT_BYTES,
        };
        Self {
            normalizer,
            filter,
            adapter,
            filter_fuel_per_slot: FILTER_FUEL_PER_SLOT,
            configure: CallLimits { fuel: CONFIGURE_FUEL, wall: CONFIGURE_WALL, ..filter },
            describe: CallLimits { fuel: DESCRIBE_FUEL, wall: DESCRIBE_WALL, ..normalizer },
            compile: CompileLimits {
                memory_bytes: COMPILE_MEMORY_BYTES,
                cpu: COMPILE_CPU,
                wall: COMPILE_WALL,
            },
            module_bytes_max: MODULE_BYTES_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_outside_its_bounds_is_named_with_them() {
        let usual = Limits::default();
        assert_eq!(usual.filter.check(), Ok(()));
        assert_eq!(CallLimits::MAX.check(), Ok(()));
        let check = |limits: CallLimits, expected: &str| {
            assert_eq!(limits.check().unwrap_err().to_string(), expected);
            assert!(limits.capped().fuel <= FUEL_MAX && limits.capped().wall <= WALL_MAX);
        };
        let max = CallLimits::MAX;
        check(
            CallLimits { fuel: FUEL_MAX + 1, ..max },
            "`fuel` is 2000000001, and it can be 1 to 2000000000",
        );
        check(
            CallLimits { memory_bytes: MEMORY_BYTES_MAX + 1, ..max },
            "`memory_bytes` is 67108865, and it can be 1 to 67108864",
        );
        check(
            CallLimits { wall: WALL_MAX + Duration::from_millis(1), ..max },
            "`wall_ms` is 5001, and it can be 1 to 5000",
        );
        check(
            CallLimits { output_bytes: OUTPUT_BYTES_MAX + 1, ..max },
            "`output_bytes` is 4194305, and it can be 1 to 4194304",
        );
        check(CallLimits { fuel: 0, ..max }, "`fuel` is 0, and it can be 1 to 2000000000");
        let slots = FilterLimits { call: max, fuel_per_slot: FUEL_PER_SLOT_MAX + 1 };
        assert_eq!(
            slots.check().unwrap_err().to_string(),
            "`fuel_per_slot` is 20000001, and it can be 1 to 20000000"
        );
        assert_eq!(slots.capped().check(), Ok(()));
    }
}
