//! Numbers as people read them.

/// Returns a number with its thousands apart: `4,194,304`.
pub(super) fn thousands(number: impl TryInto<u128>) -> String {
    let digits = number.try_into().unwrap_or_default().to_string();
    let mut apart = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// Returns how much of a limit is used: `2.0 %`, `below 0.1 %`.
pub(super) fn share(used: impl TryInto<u128>, of: impl TryInto<u128>) -> String {
    let (used, of) = (used.try_into().unwrap_or_default(), of.try_into().unwrap_or_default());
    match used.saturating_mul(1_000).checked_div(of) {
        None => "-".to_owned(),
        Some(0) if used > 0 => "below 0.1 %".to_owned(),
        Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
    }
}

/// Returns a number of things: `1 fixture`, `no fixtures`, `3 fixtures`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    match number {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Returns a time in the unit that fits: `4.12 µs`.
pub(super) fn duration(nanos: u64) -> String {
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    format!("{}.{:02} {name}", nanos / unit, nanos % unit / (unit / 100))
}

/// Returns the larger number as so many times the smaller: `2.3`.
pub(super) fn times(larger: u64, smaller: u64) -> String {
    let tenths = u128::from(larger).saturating_mul(10).checked_div(u128::from(smaller));
    tenths.map_or_else(|| "-".to_owned(), |tenths| format!("{}.{}", tenths / 10, tenths % 10))
}

/// Returns the number that a share of the others, in percent, do not pass; 0 of none. The numbers are sorted.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let index = sorted.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(
            [thousands(0_u8), thousands(999_u16), thousands(1_000_u16), thousands(4_194_304_u32)],
            ["0", "999", "1,000", "4,194,304"]
        );
        assert_eq!(
            [share(0_u8, 5_u8), share(1_u8, 2_000_u16), share(1_u8, 3_u8), share(7_u8, 7_u8)],
            ["0.0 %", "below 0.1 %", "33.3 %", "100.0 %"]
        );
        assert_eq!(
            [duration(999), duration(4_123), duration(55_999_999), duration(2_000_000_000)],
            ["999 ns", "4.12 µs", "55.99 ms", "2.00 s"]
        );
        assert_eq!([times(23, 10), times(5, 0)], ["2.3", "-"]);
        assert_eq!([counted(0, "fixture"), counted(1, "file")], ["no fixtures", "1 file"]);
    }

    #[test]
    fn the_middle_of_numbers_is_one_of_them() {
        assert_eq!([percentile(&[1, 2, 3, 4], 50), percentile(&[1, 2, 3], 50)], [2, 2]);
        assert_eq!([percentile(&[1, 2, 3], 100), percentile(&[1, 2, 3], 99)], [3, 3]);
        assert_eq!(percentile(&[], 50), 0);
    }
}
