//! Calendar days as people and programs write them. Where the order of day and month is open it is the American one.

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day of the calendar; the year as it was written, perhaps with two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    year: i32,
    is_short: bool,
    month: i32,
    day: i32,
}

/// Reads a day, counted from 1970-01-01; a year with two digits is in the century of `today`.
pub(super) fn day(text: &str, today: i32) -> Option<i32> {
    let written = written(text)?;
    let year = if written.is_short {
        civil(today).0.div_euclid(100) * 100 + written.year
    } else {
        written.year
    };
    days(year, written.month, written.day)
}

/// Reads a day, or the first of a month such as `December 2025`, `2025-12` or `12/2025`.
pub(super) fn day_or_month(text: &str, today: i32) -> Option<i32> {
    let text = text.trim();
    let first = |text: &str| day(text, today).filter(|_| text.len() > "1/1/2025".len());
    let month = || [format!("1 {text}"), format!("{text}-01"), text.replacen('/', "/01/", 1)];
    day(text, today).or_else(|| month().iter().find_map(|text| first(text)))
}

/// Reads a day that has been; a year with two digits is the last one that makes it so.
pub(super) fn past(text: &str, today: i32) -> Option<i32> {
    let Written { year, is_short, month, day } = written(text)?;
    let century = if is_short { civil(today).0.div_euclid(100) * 100 } else { 0 };
    let last = days(century + year, month, day).filter(|&day| day <= today);
    last.or_else(|| days(century - 100 + year, month, day).filter(|_| is_short))
}

/// Reads a day of birth. A year with two digits is read only if one century alone is possible.
pub(super) fn birth(text: &str, today: i32) -> Option<i32> {
    let written = written(text)?;
    if !written.is_short {
        return days(written.year, written.month, written.day);
    }
    let late =
        days(2_000 + written.year, written.month, written.day).is_some_and(|day| day <= today);
    if late { None } else { days(1_900 + written.year, written.month, written.day) }
}

/// Whether a program wrote a day that it never set: MySQL's `0000-00-00`, .NET's `0001-01-01`.
pub(super) fn is_unset(text: &str) -> bool {
    written(text).is_some_and(|Written { year, is_short, month, day }| {
        !is_short && matches!((year, month, day), (0, 0, 0) | (1, 1, 1))
    })
}

/// Returns the whole years between two days.
pub(super) fn years(from: i32, until: i32) -> i32 {
    let ((year, month, day), (last_year, last_month, last_day)) = (civil(from), civil(until));
    last_year - year - i32::from((last_month, last_day) < (month, day))
}

/// Returns the day, if the calendar has it.
pub(super) fn days(year: i32, month: i32, day: i32) -> Option<i32> {
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // The year begins in March, so that the leap day is its last: Howard Hinnant's `days_from_civil`.
    let shifted = year - i32::from(month <= 2);
    let (era, month) = (shifted.div_euclid(400), (month + 9) % 12);
    let of_era = shifted - era * 400;
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Returns year, month and day: Howard Hinnant's `civil_from_days`. Years past 9999 are not asked for.
pub(crate) fn civil(days: i32) -> (i32, i32, i32) {
    let shifted = days.clamp(-719_162, 2_932_896) + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
}

fn written(text: &str) -> Option<Written> {
    let text = without_time(text.trim());
    if let Ok(digits) = text.parse::<u32>() {
        return eight_digits(text, i32::try_from(digits).ok()?);
    }
    if text.contains(|c: char| c.is_alphabetic()) {
        return with_month_name(text);
    }
    let separator =
        text.chars().find(|c| !c.is_ascii_digit()).filter(|c| matches!(c, '-' | '/' | '.'))?;
    let mut parts = text.split(separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !(1..=2).contains(&second.len()) {
        return None;
    }
    if first.len() == 4 && third.len() <= 2 {
        return Some(Written {
            year: number(first)?,
            is_short: false,
            month: number(second)?,
            day: number(third)?,
        });
    }
    // Points between day and month are European, where the day comes first.
    if separator == '.' || first.len() > 2 || !matches!(third.len(), 2 | 4) {
        return None;
    }
    let is_short = third.len() == 2;
    Some(Written { year: number(third)?, is_short, month: number(first)?, day: number(second)? })
}

fn eight_digits(text: &str, digits: i32) -> Option<Written> {
    if text.len() != 8 {
        return None;
    }
    let year = digits / 10_000;
    // No month is 19 or 20, so a number is never both a year first and a month first.
    if (1_900..2_100).contains(&year) {
        return Some(Written {
            year,
            is_short: false,
            month: digits / 100 % 100,
            day: digits % 100,
        });
    }
    let (month, day) = (digits / 1_000_000, digits / 10_000 % 100);
    Some(Written { year: digits % 10_000, is_short: false, month, day })
}

fn with_month_name(text: &str) -> Option<Written> {
    let parts: Vec<&str> =
        text.split([' ', ',', '-', '/', '.']).filter(|part| !part.is_empty()).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let (month, day) = match month_named(first) {
        Some(month) => (month, second),
        None => (month_named(second)?, first),
    };
    let day = day.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    (third.len() == 4).then_some(())?;
    Some(Written { year: number(third)?, is_short: false, month, day: number(day)? })
}

fn month_named(name: &str) -> Option<i32> {
    let name = name.to_ascii_lowercase();
    let is_short = name.len() == 3 || name == "sept";
    let mut months = (1..).zip(MONTHS);
    let found = months.find(|(_, month)| *month == name || (is_short && month.starts_with(&name)));
    found.map(|(number, _)| number)
}

/// Leaves out the time of day: `T00:00:00Z`, ` 12:30`, ` 12:00:00 AM`.
fn without_time(text: &str) -> &str {
    let is_time = |time: &str| {
        let head = time.split(':').next().unwrap_or("");
        time.contains(':')
            && (1..=2).contains(&head.len())
            && head.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some((date, time)) = text.split_once(['T', 't'])
        && is_time(time)
        && date.ends_with(|c: char| c.is_ascii_digit())
    {
        return date;
    }
    let mut from = 0;
    while let Some(place) = text.get(from..).and_then(|rest| rest.find(' ')) {
        let end = from.saturating_add(place);
        let after = text.get(end..).map_or("", str::trim_start);
        if is_time(after) {
            return text.get(..end).unwrap_or(text);
        }
        from = end.saturating_add(1);
    }
    text
}

fn number(digits: &str) -> Option<i32> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_was_never_set_is_known() {
        for text in ["0000-00-00", "0000-00-00 00:00:00", "0001-01-01T00:00:00", "01/01/0001"] {
            assert!(is_unset(text), "{text}");
        }
        for text in ["2000-01-01", "01/01/01", "0", "", "1900-01-01"] {
            assert!(!is_unset(text), "{text}");
        }
    }

    const TODAY: i32 = 20_485;

    #[track_caller]
    fn check(read: fn(&str, i32) -> Option<i32>, text: &str, expected: Option<(i32, i32, i32)>) {
        assert_eq!(read(text, TODAY).map(civil), expected, "{text}");
    }

    #[test]
    fn a_day_is_read_in_every_spelling_that_has_one_meaning() {
        for text in [
            "1976-07-24",
            "07/24/1976",
            "7/24/1976",
            "07-24-1976",
            "19760724",
            "07241976",
            "1976/7/24",
            "1976.07.24",
            "1976-07-24T00:00:00Z",
            "1976-07-24 07:03:04",
            "1976-07-24T23:00:00-05:00",
            "07/24/1976 12:00:00 AM",
            "Jul 24, 1976",
            "July 24 1976",
            "24 July 1976",
            "24-Jul-1976",
            "July 24th, 1976",
            "07/24/76",
        ] {
            check(birth, text, Some((1976, 7, 24)));
        }
        check(birth, "01/02/1976", Some((1976, 1, 2)));
        check(birth, "2000-02-29", Some((2000, 2, 29)));
        check(day, "03/15/26", Some((2026, 3, 15)));
    }

    #[test]
    fn a_day_that_does_not_exist_or_has_two_meanings_is_none() {
        for text in [
            "1976-02-31",
            "02/31/1976",
            "1900-02-29",
            "2025-02-29",
            "24/07/1976",
            "1976-13-01",
            "24.07.1976",
            "5.7.1976",
            "01/05/24",
            "1976",
            "1976-07",
            "0000-00-00",
            "00/00/0000",
            "July 1976",
            "19761301",
            "203040506",
            "24071976",
            "-1-2-3",
            "soon",
            "1976-07-24-01",
            "+1976-07-24",
            "1976--7-24",
            "1234567",
            "Juk 24, 1976",
        ] {
            check(birth, text, None);
        }
    }

    #[test]
    fn a_day_that_has_been_is_not_after_today() {
        check(past, "01/15/26", Some((2026, 1, 15)));
        check(past, "02/01/2026", Some((2026, 2, 1)));
        check(past, "12/31/26", Some((1926, 12, 31)));
        check(past, "6/1/99", Some((1999, 6, 1)));
        for text in ["02/02/2026", "2027-01-01", "13/01/26", "02/30/25"] {
            check(past, text, None);
        }
    }

    #[test]
    fn a_month_is_its_first_day() {
        for text in ["December 2025", "Dec 2025", "2025-12", "12/2025", " 12/2025 "] {
            check(day_or_month, text, Some((2025, 12, 1)));
        }
        check(day_or_month, "12/24/2025", Some((2025, 12, 24)));
        for text in ["2025", "13/2025", "12/25", "2025-13", "12-25", "1-3", "December"] {
            check(day_or_month, text, None);
        }
    }

    #[test]
    fn an_age_grows_on_the_birthday() {
        let born = days(1961, 2, 1).unwrap();
        assert_eq!(years(born, TODAY), 65);
        assert_eq!(years(born + 1, TODAY), 64);
        assert_eq!(years(days(1960, 2, 29).unwrap(), days(2025, 2, 28).unwrap()), 64);
    }

    #[test]
    fn every_day_of_five_centuries_is_itself() {
        for days_since in (-120_000..60_000).step_by(17) {
            let (year, month, day) = civil(days_since);
            assert_eq!(days(year, month, day), Some(days_since));
        }
        assert_eq!(civil(TODAY), (2026, 2, 1));
    }
}
