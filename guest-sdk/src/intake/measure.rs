//! Numbers with what they count: `180 lbs`, `1,800 sq ft`, `2.5 baths`, `6.875%`, `30 Year Fixed`. Of a range the lower
//! end counts.

use super::number::{self, lower_end, millionths, without_commas};

/// Millionths in one.
const ONE: i64 = 1_000_000;
/// No loan runs for so many years: a bare number above it counts months.
const TERM_YEARS_MAX: i64 = 50;
const NUMBER_WORDS: &[(&str, i64)] = &[
    ("zero", 0),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
];

/// Reads a number that may be followed by one of some units, in millionths. `units` are folded to letters and digits,
/// between spaces.
pub(super) fn decimal(text: &str, units: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let amount = |text: &str| {
        let bare = without_unit(text, units).trim();
        let bare = bare.strip_suffix('+').unwrap_or(bare).trim_end();
        let word = NUMBER_WORDS.iter().find(|(word, _)| *word == bare);
        match word {
            Some((_, number)) => number.checked_mul(ONE),
            None => millionths(&without_commas(bare)?),
        }
    };
    lower_end(&lower, amount).or_else(|| lower_end(without_unit(&lower, units), amount))
}

/// As [`decimal`], in whole numbers.
pub(super) fn whole(text: &str, units: &str) -> Option<i64> {
    let amount = decimal(text, units)?;
    (amount.checked_rem(ONE)? == 0).then(|| amount.checked_div(ONE))?
}

/// Reads a percentage, in millionths of a percent: `15%`, `15`, `3.5% down`. Without its sign a number that begins with
/// `0.` is a share of one, so `0.8` is 80.
pub(super) fn percent(text: &str) -> Option<i64> {
    let amount = |text: &str| {
        let bare = ["down", "apr", "ltv"].iter().find_map(|word| text.strip_suffix(word));
        let bare = bare.unwrap_or(text).trim();
        let sign = ["%", "percent", "pct"].iter().find_map(|sign| bare.strip_suffix(sign));
        let number = sign.unwrap_or(bare).trim();
        let is_share = sign.is_none() && (number.starts_with("0.") || number.starts_with('.'));
        let number = match number.strip_prefix('.') {
            Some(fraction) => millionths(&format!("0.{fraction}"))?,
            None => millionths(number)?,
        };
        if is_share { number.checked_mul(100) } else { Some(number) }
    };
    lower_end(text, amount)
}

/// Reads how long a loan runs, in months: `360`, `30`, `30 years`, `30-Yr Fixed`.
pub(super) fn term(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (count, unit) = lower.split_at_checked(digits)?;
    let count: i64 = count.parse().ok()?;
    let unit = unit.trim_start_matches([' ', '-', '_']);
    let is_years = match unit.chars().next() {
        None => count <= TERM_YEARS_MAX,
        Some('y') => true,
        Some('m') => false,
        Some(_) => return None,
    };
    count.checked_mul(if is_years { 12 } else { 1 }).filter(|&months| months > 0)
}

/// Reads a credit score of 300 to 850; `below 580` begins at 300. Words beside it that `is_known` are left out.
pub(super) fn score(text: &str, is_known: impl Fn(&str) -> bool) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let fits = lower
        .split(|c: char| !c.is_ascii_alphabetic())
        .all(|word| word.is_empty() || number::is_range_word(word) || is_known(word));
    let marks = lower.chars().all(|c| c.is_ascii_alphanumeric() || " +-–—_()<>=,:/".contains(c));
    let mut numbers = lower.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let (low, high) = (numbers.next()?.parse::<i64>().ok()?, numbers.next());
    let high = high.map_or(Some(low), |high| high.parse().ok())?;
    if !fits || !marks || numbers.next().is_some() || low > high || high > 850 {
        return None;
    }
    if number::is_below(&lower) {
        return (300..=850).contains(&high).then_some(300);
    }
    (300..=850).contains(&low).then_some(low)
}

/// Leaves out a unit at the end, however it is spaced: `sq. ft.` is the unit `sqft`.
fn without_unit<'t>(text: &'t str, units: &str) -> &'t str {
    let places = text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic());
    for (place, _) in places {
        let Some((number, unit)) = text.split_at_checked(place) else { continue };
        let folded = || unit.bytes().filter(u8::is_ascii_alphanumeric);
        if units.split_ascii_whitespace().any(|known| folded().eq(known.bytes())) {
            return number.trim_end();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: impl Fn(&str) -> Option<i64>, table: &[(&str, Option<i64>)]) {
        for (text, expected) in table {
            assert_eq!(read(text), *expected, "{text}");
        }
    }

    #[test]
    fn a_unit_behind_a_number_is_left_out() {
        check(
            |text| whole(text, "lb lbs pounds sqft ft2 years story"),
            &[
                ("180", Some(180)),
                ("180 lbs", Some(180)),
                ("180lbs.", Some(180)),
                ("180 LB", Some(180)),
                ("1,800 sq. ft.", Some(1_800)),
                ("1,800 Sq Ft", Some(1_800)),
                ("1800 ft2", Some(1_800)),
                ("1500-2000 sqft", Some(1_500)),
                ("1,501 to 2,000 sq ft", Some(1_501)),
                ("1500 – 2000", Some(1_500)),
                ("5+ years", Some(5)),
                ("20 years or more", Some(20)),
                ("20 or more years", Some(20)),
                ("Over 20 years", Some(20)),
                ("Less than 5 years", Some(0)),
                ("5-10 years", Some(5)),
                ("Two story", Some(2)),
                ("180.00", Some(180)),
                ("180.5", None),
                ("180 kg", None),
                ("lbs", None),
                ("", None),
                ("2000-1500", None),
                ("-5", Some(-5)),
                ("1e999999999", None),
            ],
        );
        check(
            |text| decimal(text, "baths"),
            &[("2.5", Some(2_500_000)), ("2.5 Baths", Some(2_500_000)), ("1.5+", Some(1_500_000))],
        );
    }

    #[test]
    fn a_percentage_is_read_with_and_without_its_sign() {
        check(
            percent,
            &[
                ("15%", Some(15_000_000)),
                ("15", Some(15_000_000)),
                ("6.875 %", Some(6_875_000)),
                ("3.5% down", Some(3_500_000)),
                ("0.8", Some(80_000_000)),
                (".8", Some(80_000_000)),
                ("0.8%", Some(800_000)),
                ("0", Some(0)),
                ("1", Some(1_000_000)),
                ("80 percent", Some(80_000_000)),
                ("75-80%", Some(75_000_000)),
                ("0.5-1%", Some(500_000)),
                ("Over 95%", Some(95_000_000)),
                ("Less than 5%", Some(0)),
                ("20%+", Some(20_000_000)),
                ("%", None),
                ("$15", None),
                ("a few", None),
            ],
        );
    }

    #[test]
    fn a_term_is_in_months() {
        check(
            term,
            &[
                ("360", Some(360)),
                ("30", Some(360)),
                ("30 years", Some(360)),
                ("30-Yr Fixed", Some(360)),
                ("15yr", Some(180)),
                ("180 months", Some(180)),
                ("5/1 ARM", None),
                ("Fixed", None),
                ("0", None),
                ("99999999999999999999", None),
                ("9223372036854775807 years", None),
            ],
        );
    }

    #[test]
    fn a_score_is_the_lower_end_of_what_was_said() {
        check(
            |text| score(text, |word| word == "good"),
            &[
                ("720", Some(720)),
                ("720+", Some(720)),
                ("680-719", Some(680)),
                ("Good (680-719)", Some(680)),
                ("680 to 719", Some(680)),
                ("720 or higher", Some(720)),
                ("Below 580", Some(300)),
                ("< 580", Some(300)),
                ("580 or below", Some(300)),
                ("Superb (720+)", None),
                ("299", None),
                ("851", None),
                ("720-900", None),
                ("719-680", None),
                ("7200", None),
                ("Good", None),
                ("680-700-720", None),
            ],
        );
    }
}
