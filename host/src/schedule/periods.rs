//! The hours, days, weeks and months of a time zone, as numbers that caps and budgets count by.
//!
//! Days, weeks and months are those of the calendar on the wall, so a day has 23 or 25 hours when clocks change. An hour
//! always lasts sixty minutes: the repeated one in autumn is two, the skipped one in spring is none.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::clock::Moment;
use crate::facts::Periods;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
/// 1970-01-01 was a Thursday, the fourth day of its week.
const EPOCH_IN_WEEK: i64 = 3;

/// Returns the periods that it is in a time zone.
pub fn periods_in_zone(zone: &TimeZone, at: Moment) -> Periods {
    let unix_s = at.unix_ms().div_euclid(1_000);
    let offset_s = i64::from(at.offset_in_zone(zone).seconds());
    let day = (unix_s + offset_s).div_euclid(DAY_S);
    Periods {
        hour: number((unix_s + offset_s.rem_euclid(HOUR_S)).div_euclid(HOUR_S)),
        day: number(day),
        week: number((day + EPOCH_IN_WEEK).div_euclid(7)),
        month: month(day),
    }
}

/// Returns the day of the week of a day counted from 1970-01-01.
pub fn weekday(day: i32) -> Weekday {
    let place = (i64::from(day) + EPOCH_IN_WEEK).rem_euclid(7);
    let place = i8::try_from(place).unwrap_or_default();
    Weekday::from_monday_zero_offset(place).unwrap_or(Weekday::Monday)
}

/// Returns the month of a day, counted from the first of year 0: years begin in March, so that February is last and
/// its length does not matter (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn month(day: i64) -> i32 {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    number((era * 400 + year) * 12 + from_march + 2)
}

fn number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        let timestamp: jiff::Timestamp = text.parse().unwrap();
        Moment::from_unix_ms(timestamp.as_millisecond())
    }

    fn periods(zone: &str, text: &str) -> Periods {
        periods_in_zone(&TimeZone::get(zone).unwrap(), at(text))
    }

    /// Says which periods change between two moments.
    #[track_caller]
    fn check(zone: &str, from: &str, to: &str, expected: &str) {
        let (from, to) = (periods(zone, from), periods(zone, to));
        let changes = [
            ("hour", to.hour - from.hour),
            ("day", to.day - from.day),
            ("week", to.week - from.week),
            ("month", to.month - from.month),
        ];
        let changes = changes.iter().filter(|(_, by)| *by != 0);
        let changes: Vec<String> = changes.map(|(what, by)| format!("{what} {by:+}")).collect();
        assert_eq!(changes.join(", "), expected);
    }

    #[test]
    fn a_day_begins_at_midnight_in_its_zone() {
        let days = |at: &str| (periods("America/Chicago", at).day, periods("UTC", at).day);
        assert_eq!(days("1970-01-01T05:59:59.999Z"), (-1, 0));
        assert_eq!(days("1970-01-01T06:00:00Z"), (0, 0));
        assert_eq!(days("2026-07-01T04:59:59.999Z"), (20_634, 20_635));
        assert_eq!(days("2026-07-01T05:00:00Z"), (20_635, 20_635));
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let chicago = "America/Chicago";
        check(chicago, "2026-01-05T05:59:59Z", "2026-01-05T06:00:00Z", "hour +1, day +1, week +1");
        check(chicago, "2026-01-06T05:59:59Z", "2026-01-06T06:00:00Z", "hour +1, day +1");
        check(chicago, "2026-02-01T05:59:59Z", "2026-02-01T06:00:00Z", "hour +1, day +1, month +1");
        check("UTC", "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z", "hour +24, day +1");
        check("UTC", "2024-02-29T23:00:00Z", "2024-03-01T00:00:00Z", "hour +1, day +1, month +1");
        check("UTC", "2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z", "hour +1, day +1, month +1");
        assert_eq!(weekday(periods("UTC", "2026-01-05T00:00:00Z").day), Weekday::Monday);
        assert_eq!(weekday(periods("UTC", "2026-01-04T23:59:59Z").day), Weekday::Sunday);
        assert_eq!(weekday(-1), Weekday::Wednesday);
    }

    #[test]
    fn a_day_has_23_or_25_hours_when_clocks_change() {
        let chicago = "America/Chicago";
        check(chicago, "2026-03-08T06:00:00Z", "2026-03-09T04:59:59Z", "hour +22");
        check(chicago, "2026-03-09T04:59:59Z", "2026-03-09T05:00:00Z", "hour +1, day +1, week +1");
        check(chicago, "2026-11-01T05:00:00Z", "2026-11-02T05:59:59Z", "hour +24");
        check(chicago, "2026-11-02T05:59:59Z", "2026-11-02T06:00:00Z", "hour +1, day +1, week +1");
    }

    #[test]
    fn an_hour_lasts_sixty_minutes_when_clocks_change() {
        let chicago = "America/Chicago";
        // 01:30 comes twice.
        check(chicago, "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z", "hour +1");
        check(chicago, "2026-03-08T07:59:59Z", "2026-03-08T08:00:00Z", "hour +1");
    }

    #[test]
    fn an_hour_begins_when_the_clock_on_the_wall_says_so() {
        let kolkata = "Asia/Kolkata";
        check(kolkata, "2026-01-05T10:29:59Z", "2026-01-05T10:30:00Z", "hour +1");
        check(kolkata, "2026-01-05T10:30:00Z", "2026-01-05T11:29:59Z", "");
    }

    #[test]
    fn no_period_ever_goes_back_while_time_goes_on() {
        for zone in
            ["America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
        {
            let zone = TimeZone::get(zone).unwrap();
            let mut before = periods_in_zone(&zone, at("2025-12-31T00:00:00Z"));
            for quarter in 1..36_000_i64 {
                let now =
                    Moment::from_unix_ms(at("2025-12-31T00:00:00Z").unix_ms() + quarter * 900_000);
                let now = periods_in_zone(&zone, now);
                assert!(now.hour >= before.hour && now.day >= before.day, "{now:?}");
                assert!(now.week >= before.week && now.month >= before.month, "{now:?}");
                before = now;
            }
        }
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        for day in (-800_000..800_000).step_by(17) {
            let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day);
            let expected = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
            assert_eq!(month(day), expected, "{date}");
        }
    }
}
