//! Numbers as people and programs write them, exactly or not at all.

use std::borrow::Cow;

/// Millionths in one.
const ONE: i128 = 1_000_000;

/// Reads a decimal such as `-12.50` or `1.25e4`, in millionths. More than six digits after the point must be zeros.
pub(crate) fn millionths(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || digits.ends_with('.') {
        return None;
    }
    let mut amount: i128 = 0;
    for digit in whole.chars().chain(fraction.chars()) {
        amount = amount.checked_mul(10)?.checked_add(i128::from(digit.to_digit(10)?))?;
    }
    if amount == 0 {
        return Some(0);
    }
    let places = exponent.checked_add(6)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let scale = 10_i128.checked_pow(places.unsigned_abs())?;
    let amount = if places >= 0 {
        amount.checked_mul(scale)?
    } else if amount.checked_rem(scale)? == 0 {
        amount.checked_div(scale)?
    } else {
        return None;
    };
    i64::try_from(if negative { amount.checked_neg()? } else { amount }).ok()
}

/// Reads a whole number; `12.0`, `1.2e1` and `1,200` are whole, too.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
    whole.or_else(|| {
        let millionths = i128::from(millionths(&without_commas(text)?)?);
        (millionths.checked_rem(ONE)? == 0)
            .then(|| i64::try_from(millionths.checked_div(ONE)?).ok())?
    })
}

/// Reads how many: `2`, `2+`, `1 in past 3 years`.
pub(super) fn count(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let timed = [" in ", " within "].iter().find_map(|word| lower.split_once(word));
    integer(timed.map_or(lower.as_str(), |(count, _)| count).trim_end_matches('+'))
}

/// Returns the digits of a number that went through a float on its way: `33139.0`, or `2.025550147e9` in JSON.
pub(super) fn unfloated(text: &str, is_number: bool) -> Cow<'_, str> {
    if is_number && text.contains(['.', 'e', 'E']) {
        return integer(text).map_or(Cow::Borrowed(text), |whole| whole.to_string().into());
    }
    let whole = text.strip_suffix(".0").filter(|whole| whole.bytes().all(|b| b.is_ascii_digit()));
    Cow::Borrowed(whole.unwrap_or(text))
}

/// Leaves out the time that an amount is for, where it is one of these words: `$150/month`, `150 a month`.
pub(super) fn without_period<'t>(text: &'t str, words: &str) -> &'t str {
    let text = text.trim();
    let before = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let word = text.get(before.len()..).unwrap_or_default();
    if word.is_empty() || !words.split(' ').any(|known| known.eq_ignore_ascii_case(word)) {
        return text;
    }
    let before = before.trim_end();
    let links = ["/", " per", " a", " each", " every"];
    links.iter().find_map(|link| before.strip_suffix(link)).unwrap_or(before).trim_end()
}

/// What stands before or behind a number that is the upper end of a range without a lower one.
const BELOW: &[&str] = &["less than", "fewer than", "under", "below", "up to", "<=", "<"];
const OR_BELOW: &[&str] =
    &["or less", "or below", "or under", "or lower", "and below", "and under"];
/// What stands before or behind a number that is the lower end, or near it.
const ABOVE: &[&str] = &[
    "more than",
    "greater than",
    "over",
    "above",
    "at least",
    "from",
    "within",
    "about",
    "approximately",
    "approx.",
    "approx",
    "around",
    ">=",
    ">",
    "~",
];
const OR_ABOVE: &[&str] = &[
    "+",
    "or more",
    "or above",
    "or over",
    "or higher",
    "or greater",
    "and above",
    "and up",
    "and over",
    "plus",
];
/// Amounts by name, longest first.
const MULTIPLES: &[(&str, i64)] = &[
    ("thousand", 1_000),
    ("million", 1_000_000),
    ("mil", 1_000_000),
    ("mm", 1_000_000),
    ("m", 1_000_000),
    ("k", 1_000),
];

/// Reads an amount of dollars such as `$12,500`, `12500.00 USD`, `75k` or `1.2 million`, in millionths.
pub(super) fn dollars(text: &str) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase();
    let bare = lower
        .strip_suffix("usd")
        .or_else(|| lower.strip_suffix("dollars"))
        .unwrap_or(&lower)
        .trim();
    let bare = bare.strip_prefix("usd").unwrap_or(bare).trim();
    let (negative, bare) = match bare.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, bare),
    };
    let bare = bare.strip_prefix('$').unwrap_or(bare).trim();
    let multiple =
        MULTIPLES.iter().find_map(|&(name, unit)| Some((bare.strip_suffix(name)?, unit)));
    let (bare, unit) = multiple.map_or((bare, 1), |(bare, unit)| (bare.trim(), unit));
    let amount =
        millionths(&without_commas(bare)?).filter(|&amount| amount >= 0)?.checked_mul(unit)?;
    if negative { amount.checked_neg() } else { Some(amount) }
}

/// Reads whole dollars, of a range such as `$50,000 - $74,999` the lower end.
pub(super) fn dollars_from(text: &str) -> Option<i64> {
    // Cents do not make an income another one.
    i64::try_from(i128::from(lower_end(text, dollars)?).checked_div(ONE)?).ok()
}

/// Reads a number, or the lower end of a range: 0 where only the upper end is said.
pub(super) fn lower_end(text: &str, read: impl Fn(&str) -> Option<i64>) -> Option<i64> {
    let lower = text.trim().to_ascii_lowercase().replace(['–', '—'], "-");
    let limit = after_any(&lower, BELOW).or_else(|| before_any(&lower, OR_BELOW));
    if let Some(limit) = limit {
        return read(limit).map(|_| 0);
    }
    let bare = after_any(&lower, ABOVE).unwrap_or(&lower).trim();
    let bare = before_any(bare, OR_ABOVE).unwrap_or(bare);
    read(bare).or_else(|| {
        let (low, high) =
            bare.split_once(" to ").or_else(|| bare.split_once(" and ")).or_else(|| {
                let place = bare.find(['-', '_']).filter(|&place| place > 0)?;
                bare.split_at_checked(place)
                    .map(|(low, high)| (low, high.trim_start_matches(['-', '_'])))
            })?;
        let (low, high) = (low.strip_prefix("between").unwrap_or(low).trim(), high.trim());
        // In `50-75k` the thousands are meant for both ends.
        let unit = high.trim_start_matches(|c: char| c.is_ascii_digit() || "$,. ".contains(c));
        let is_bare = low.ends_with(|c: char| c.is_ascii_digit());
        let low = if is_bare { read(&format!("{low}{unit}"))? } else { read(low)? };
        read(high).filter(|&high| high >= low).map(|_| low)
    })
}

/// Whether the text says that its number is an upper end.
pub(super) fn is_below(lower: &str) -> bool {
    after_any(lower, BELOW).is_some()
        || OR_BELOW.iter().chain(&["<", "under", "below"]).any(|word| lower.contains(word))
}

/// Whether a word is only there to say which end of a range a number is.
pub(super) fn is_range_word(word: &str) -> bool {
    let mut phrases = [BELOW, OR_BELOW, ABOVE, OR_ABOVE].into_iter().flatten();
    word == "to" || phrases.any(|phrase| phrase.split(' ').any(|known| known == word))
}

fn after_any<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| text.strip_prefix(word)).map(str::trim_start)
}

fn before_any<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    words.iter().find_map(|word| text.strip_suffix(word)).map(str::trim_end)
}

/// Reads months: `18`, `3 years`, `1 year 6 months`, `5+ years`; a bare number counts `unit` months. Of a range the
/// lower end counts.
pub(super) fn months(text: &str, unit: u16) -> Option<i64> {
    if let Some(number) = integer(text) {
        return number.checked_mul(i64::from(unit));
    }
    let lower = text.trim().to_ascii_lowercase().replace('+', "");
    let lower = lower.strip_suffix("or more").unwrap_or(&lower);
    if let Some(limit) = after_any(lower, &["less than", "under", "<"]) {
        return months_sum(limit, unit).map(|_| 0);
    }
    months_sum(after_any(lower, &["more than", "over", "at least"]).unwrap_or(lower), unit)
}

fn months_sum(text: &str, unit: u16) -> Option<i64> {
    let (mut total, mut rest) = (None, text.trim());
    while !rest.is_empty() {
        let (count, after) = leading_number(rest)?;
        let after = after.trim_start();
        let range = after.strip_prefix('-').or_else(|| after.strip_prefix("to "));
        let named = range
            .map_or(Some(after), |high| Some(leading_number(high.trim_start())?.1.trim_start()))?;
        let end = named.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(named.len());
        let (name, after) = named.split_at_checked(end)?;
        let months = match name {
            "year" | "years" | "yr" | "yrs" => 12,
            "month" | "months" | "mo" | "mos" => 1,
            "" if range.is_some() => i64::from(unit),
            _ => return None,
        };
        let count = i128::from(count.checked_mul(months)?);
        let whole = (count.checked_rem(ONE)? == 0).then_some(count.checked_div(ONE)?)?;
        total = Some(total.unwrap_or(0_i64).checked_add(i64::try_from(whole).ok()?)?);
        let after = after.trim_start_matches([' ', ',']);
        rest = after.strip_prefix("and ").unwrap_or(after).trim_start();
    }
    total
}

/// Splits off a number, in millionths.
fn leading_number(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, after) = text.split_at_checked(end)?;
    Some((millionths(number)?, after))
}

/// What stands behind feet and inches.
const HEIGHT_MARKS: &[&str] = &[
    "'",
    "'\"",
    "''",
    "’",
    "’”",
    "′",
    "′″",
    "-",
    "ft",
    "ftin",
    "feet",
    "feetinches",
    "feetinch",
    "foot",
    "footinches",
];

/// Reads inches: `70`, `5'10"`, `5 ft 10 in`, `5-10`, `5 feet`.
pub(super) fn inches(text: &str) -> Option<i64> {
    if let Some(inches) = integer(text) {
        return Some(inches);
    }
    let lower = text.trim().to_ascii_lowercase();
    let mut numbers = lower.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let (feet, inches) = (numbers.next()?, numbers.next());
    let marks: String = lower.chars().filter(|c| !c.is_ascii_digit() && *c != ' ').collect();
    let is_height = HEIGHT_MARKS.contains(&marks.as_str()) && lower.starts_with(feet);
    if numbers.next().is_some() || !is_height {
        return None;
    }
    let feet = feet.parse::<i64>().ok()?.checked_mul(12)?;
    let inches =
        inches.map_or(Ok(0), str::parse::<i64>).ok().filter(|inches| (0..12).contains(inches))?;
    feet.checked_add(inches)
}

/// Leaves out the commas of `12,500`; nothing if they do not part thousands.
pub(crate) fn without_commas(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(',');
    let first = parts.next()?.trim_start_matches('-');
    let fits = (1..=3).contains(&first.len())
        && !fraction.contains(',')
        && parts.all(|part| part.len() == 3);
    fits.then(|| text.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: fn(&str) -> Option<i64>, table: &[(&str, Option<i64>)]) {
        for (text, expected) in table {
            assert_eq!(read(text), *expected, "{text}");
        }
    }

    #[test]
    fn what_stands_around_a_number_is_known() {
        check(
            count,
            &[
                ("2", Some(2)),
                ("2+", Some(2)),
                ("1 in past 3 years", Some(1)),
                ("0 within 5 years", Some(0)),
                ("many in past 3 years", None),
                ("", None),
            ],
        );
        let monthly = |text: &str| dollars_from(without_period(text, "month mo monthly"));
        for text in ["$150/month", "150 per month", "150 a month", "$150 monthly", "150/mo", "150"]
        {
            assert_eq!(monthly(text), Some(150), "{text}");
        }
        assert_eq!(monthly("150/yr"), None);
        assert_eq!(monthly("month"), None);
        for (text, is_number, whole) in [
            ("33139.0", false, "33139"),
            ("33139.0", true, "33139"),
            ("2.025550147e9", true, "2025550147"),
            ("2.025550147e9", false, "2.025550147e9"),
            ("202.555.0", false, "202.555.0"),
            ("33139.5", true, "33139.5"),
            ("00501", false, "00501"),
        ] {
            assert_eq!(unfloated(text, is_number), whole, "{text}");
        }
    }

    #[test]
    fn a_whole_number_is_exact_or_nothing() {
        check(
            integer,
            &[
                ("12500", Some(12_500)),
                ("12500.00", Some(12_500)),
                ("1e5", Some(100_000)),
                ("1.2e1", Some(12)),
                ("-3", Some(-3)),
                ("1,200", Some(1_200)),
                ("12,500,000", Some(12_500_000)),
                ("0", Some(0)),
                ("0e999", Some(0)),
                ("9223372036854775807", Some(i64::MAX)),
                ("9223372036854775808", None),
                ("1e309", None),
                ("1e-400", None),
                ("12.5", None),
                ("12,50", None),
                ("1,2", None),
                ("NaN", None),
                ("Infinity", None),
                ("+5", None),
                ("0x10", None),
                ("", None),
                ("12 years", None),
                ("1e", None),
                ("5.", None),
            ],
        );
    }

    #[test]
    fn an_amount_is_read_to_the_millionth() {
        check(
            dollars,
            &[
                ("$12,500", Some(12_500_000_000)),
                ("12500.00", Some(12_500_000_000)),
                ("12.5", Some(12_500_000)),
                ("0.000001", Some(1)),
                ("0.0000001", None),
                ("75k", Some(75_000_000_000)),
                ("250K", Some(250_000_000_000)),
                ("$1.2M", Some(1_200_000_000_000)),
                ("1.5 million", Some(1_500_000_000_000)),
                ("5 m2", None),
                ("50 USD", Some(50_000_000)),
                ("$-5", None),
                ("-5", Some(-5_000_000)),
                ("-$5", Some(-5_000_000)),
                ("12.500,00", None),
                ("five", None),
                ("", None),
                ("$", None),
            ],
        );
    }

    #[test]
    fn the_lower_end_of_a_range_counts() {
        check(
            dollars_from,
            &[
                ("42000", Some(42_000)),
                ("$50,000 - $74,999", Some(50_000)),
                ("50000-75000", Some(50_000)),
                ("50-75k", Some(50_000)),
                ("$25k to $50k", Some(25_000)),
                ("Under $20,000", Some(0)),
                ("<20000", Some(0)),
                ("$100,000+", Some(100_000)),
                ("Over $150,000", Some(150_000)),
                ("100000 or more", Some(100_000)),
                ("41999.50", Some(41_999)),
                ("150000-200000", Some(150_000)),
                ("150000_200000", Some(150_000)),
                ("$150,000 – $200,000", Some(150_000)),
                ("Between 100k and 150k", Some(100_000)),
                ("$5,000 or less", Some(0)),
                ("500000 or more", Some(500_000)),
                ("About $20,000", Some(20_000)),
                ("$1-1.5M", Some(1_000_000)),
                ("75000-50000", None),
                ("-", None),
                ("lots", None),
                ("-5", Some(-5)),
                ("10-20-30", None),
                ("Under nothing", None),
            ],
        );
    }

    #[test]
    fn months_have_many_spellings() {
        let read = |text: &str| months(text, 1);
        check(
            read,
            &[
                ("12", Some(12)),
                ("3 years", Some(36)),
                ("1 year 6 months", Some(18)),
                ("5+ years", Some(60)),
                ("18 months", Some(18)),
                ("1-3 years", Some(12)),
                ("1 to 3 years", Some(12)),
                ("Less than 1 year", Some(0)),
                ("1.5 years", Some(18)),
                ("More than 5 years", Some(60)),
                ("5 years or more", Some(60)),
                ("6-12 months", Some(6)),
                ("a while", None),
                ("3 weeks", None),
                ("years", None),
            ],
        );
        assert_eq!(months("2", 12), Some(24));
    }

    #[test]
    fn a_height_is_inches_however_it_is_written() {
        check(
            inches,
            &[
                ("70", Some(70)),
                ("5'10\"", Some(70)),
                ("5'10", Some(70)),
                ("5 ft 10 in", Some(70)),
                ("5-10", Some(70)),
                ("6'", Some(72)),
                ("5 feet 4 inches", Some(64)),
                ("5'12\"", None),
                ("178 cm", None),
                ("5.10", None),
                ("tall", None),
            ],
        );
    }
}
