//! When a campaign is open, by the clock on the wall of its own time zone.
//!
//! A window is a span of wall-clock time on some days of the week. When clocks go forward the skipped hour is in no
//! window, and when they go back the repeated one is in it twice. The time zones come with the program, so that every
//! machine decides the same.

mod periods;

use std::fmt;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::clock::Moment;

pub use periods::{periods_in_zone, weekday};

/// The most windows in one schedule.
pub const WINDOWS_MAX: usize = 64;

const DAY_MINUTES: u16 = 24 * 60;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The open hours of a campaign. One without a schedule is always open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    zone: TimeZone,
    windows: Vec<Window>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    /// The days on which it begins.
    days: Vec<Weekday>,
    from: Minute,
    /// Excluded. Not after `from` means on the next day.
    to: Minute,
}

/// Minutes since midnight, from 0 to 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(u16);

/// What is wrong with a schedule, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if pointer.is_empty() { String::new() } else { format!("at {pointer}: ") })]
pub struct ScheduleError {
    /// A JSON pointer; empty for the whole.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Schedule {
    /// Reads `{"zone": "America/Chicago", "windows": [{"days": ["mon", "fri"], "from": "09:00", "to": "17:00"}]}`.
    ///
    /// `to` is excluded and may be `24:00`. A window whose `to` is before its `from` ends on the next day; it belongs to
    /// the day on which it begins.
    pub fn from_json(json: &Value) -> Result<Self, ScheduleError> {
        let object = object(json, "", &["zone", "windows"])?;
        let name = text(object, "", "zone", "a time zone such as \"America/Chicago\"")?;
        let zone = TimeZone::get(name).map_err(|_| {
            let example = "use a name of the IANA database, such as America/Chicago";
            fault("/zone", format!("there is no time zone `{name}`; {example}"))
        })?;
        let windows = list(object, "", "windows", "a list of windows")?;
        if windows.is_empty() {
            return Err(fault(
                "/windows",
                "without a window it never opens; leave the schedule out to be open always",
            ));
        }
        if windows.len() > WINDOWS_MAX {
            return Err(fault(
                "/windows",
                format!("there are {} windows; {WINDOWS_MAX} are possible", windows.len()),
            ));
        }
        let windows = windows.iter().enumerate();
        let windows =
            windows.map(|(index, window)| Window::from_json(window, &format!("/windows/{index}")));
        Ok(Self { zone, windows: windows.collect::<Result<_, _>>()? })
    }

    /// Returns the schedule as [`Schedule::from_json`] reads it.
    pub fn to_json(&self) -> Value {
        let windows: Vec<Value> = self.windows.iter().map(Window::to_json).collect();
        json!({ "zone": self.zone.iana_name().unwrap_or("UTC"), "windows": windows })
    }

    /// Says whether the campaign is open at this moment.
    pub fn open_at(&self, at: Moment) -> bool {
        let wall = at.in_zone(&self.zone);
        let (hour, minute) = (wall.hour().unsigned_abs(), wall.minute().unsigned_abs());
        let now = Minute(u16::from(hour) * 60 + u16::from(minute));
        self.windows.iter().any(|window| window.contains(wall.weekday(), now))
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl Window {
    fn from_json(json: &Value, pointer: &str) -> Result<Self, ScheduleError> {
        let object = object(json, pointer, &["days", "from", "to"])?;
        let mut days = Vec::new();
        for (index, day) in list(object, pointer, "days", "a list of days")?.iter().enumerate() {
            let known = DAYS.iter().find(|(name, _)| day.as_str() == Some(name));
            let (_, day) = known.ok_or_else(|| {
                fault(
                    format!("{pointer}/days/{index}"),
                    "a day is one of mon, tue, wed, thu, fri, sat, sun",
                )
            })?;
            days.push(*day);
        }
        if days.is_empty() {
            return Err(fault(format!("{pointer}/days"), "name at least one day, such as \"mon\""));
        }
        days.sort_unstable_by_key(|day| day.to_monday_zero_offset());
        days.dedup();
        let (from, to) = (
            Minute::from_json(object, pointer, "from")?,
            Minute::from_json(object, pointer, "to")?,
        );
        if from.0 == DAY_MINUTES {
            return Err(fault(
                format!("{pointer}/from"),
                "a day ends at 24:00; begin at 00:00 of the next",
            ));
        }
        if from == to {
            return Err(fault(
                format!("{pointer}/to"),
                "the window is empty; a whole day is 00:00 to 24:00",
            ));
        }
        Ok(Self { days, from, to })
    }

    fn to_json(&self) -> Value {
        let days = DAYS.iter().filter(|(_, day)| self.days.contains(day)).map(|(name, _)| *name);
        json!({ "days": days.collect::<Vec<_>>(), "from": self.from.to_string(), "to": self.to.to_string() })
    }

    fn contains(&self, today: Weekday, now: Minute) -> bool {
        let begun_today = self.days.contains(&today) && self.from <= now;
        if self.from < self.to {
            return begun_today && now < self.to;
        }
        begun_today || self.days.contains(&today.previous()) && now < self.to
    }
}

impl Minute {
    fn from_json(
        object: &Map<String, Value>,
        pointer: &str,
        key: &str,
    ) -> Result<Self, ScheduleError> {
        let wanted = "a time from \"00:00\" to \"24:00\"";
        let text = text(object, pointer, key, wanted)?;
        Self::parse(text)
            .ok_or_else(|| fault(format!("{pointer}/{key}"), format!("`{text}` is not {wanted}")))
    }

    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let two_digits =
            |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !two_digits(hour) || !two_digits(minute) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let minutes = hour * 60 + minute;
        (minute < 60 && minutes <= DAY_MINUTES).then_some(Self(minutes))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

fn fault(pointer: impl Into<String>, message: impl Into<String>) -> ScheduleError {
    ScheduleError { pointer: pointer.into(), message: message.into() }
}

fn object<'j>(
    json: &'j Value,
    pointer: &str,
    keys: &[&str],
) -> Result<&'j Map<String, Value>, ScheduleError> {
    let wanted = format!("an object with {}", keys.join(", "));
    let object =
        json.as_object().ok_or_else(|| fault(pointer, format!("this must be {wanted}")))?;
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(unknown) => Err(fault(pointer, format!("`{unknown}` is not known; this is {wanted}"))),
        None => Ok(object),
    }
}

fn text<'j>(
    object: &'j Map<String, Value>,
    pointer: &str,
    key: &str,
    wanted: &str,
) -> Result<&'j str, ScheduleError> {
    let text = object.get(key).and_then(Value::as_str);
    text.ok_or_else(|| fault(format!("{pointer}/{key}"), format!("this must be {wanted}")))
}

fn list<'j>(
    object: &'j Map<String, Value>,
    pointer: &str,
    key: &str,
    wanted: &str,
) -> Result<&'j [Value], ScheduleError> {
    let list = object.get(key).and_then(Value::as_array).map(Vec::as_slice);
    list.ok_or_else(|| fault(format!("{pointer}/{key}"), format!("this must be {wanted}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHICAGO: &str = "America/Chicago";

    fn moment(text: &str) -> Moment {
        let timestamp: jiff::Timestamp = text.parse().unwrap();
        Moment::from_unix_ms(timestamp.as_millisecond())
    }

    fn window(days: &[&str], from: &str, to: &str) -> Value {
        json!({ "days": days, "from": from, "to": to })
    }

    /// Says at which of the moments a schedule of one window in Chicago is open.
    #[track_caller]
    fn check(window: &Value, moments: &[(&str, bool)]) {
        let schedule =
            Schedule::from_json(&json!({ "zone": CHICAGO, "windows": [window] })).unwrap();
        for (at, open) in moments {
            assert_eq!(schedule.open_at(moment(at)), *open, "{at}");
        }
    }

    #[track_caller]
    fn check_refused(json: &Value, expected: &str) {
        assert_eq!(Schedule::from_json(json).unwrap_err().to_string(), expected);
    }

    #[track_caller]
    fn check_window_refused(window: &Value, expected: &str) {
        check_refused(&json!({ "zone": "UTC", "windows": [window] }), expected);
    }

    #[test]
    fn a_window_opens_at_from_and_closes_before_to() {
        // 2026-01-05 is a Monday; Chicago is six hours behind UTC.
        check(
            &window(&["mon", "tue"], "09:00", "17:00"),
            &[
                ("2026-01-05T14:59:59.999Z", false),
                ("2026-01-05T15:00:00Z", true),
                ("2026-01-05T22:59:59.999Z", true),
                ("2026-01-05T23:00:00Z", false),
                ("2026-01-06T15:00:00Z", true),
                ("2026-01-07T15:00:00Z", false),
            ],
        );
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins() {
        check(
            &window(&["sun"], "22:00", "06:00"),
            &[
                ("2026-01-05T03:59:59Z", false),
                ("2026-01-05T04:00:00Z", true),
                ("2026-01-05T11:59:59Z", true),
                ("2026-01-05T12:00:00Z", false),
                ("2026-01-06T04:00:00Z", false),
                ("2026-01-04T11:00:00Z", false),
            ],
        );
    }

    #[test]
    fn a_window_may_last_to_the_end_of_the_day() {
        let moments = [
            ("2026-01-06T05:59:59Z", true),
            ("2026-01-06T06:00:00Z", false),
            ("2026-01-05T06:00:00Z", true),
        ];
        check(&window(&["mon"], "00:00", "24:00"), &moments);
        check(
            &window(&["mon"], "00:01", "00:00"),
            &[moments[0], moments[1], ("2026-01-05T06:00:59Z", false)],
        );
    }

    #[test]
    fn the_clock_on_the_wall_decides_when_clocks_change() {
        // On 2026-03-08 02:00 becomes 03:00; on 2026-11-01 02:00 becomes 01:00.
        check(
            &window(&["sun"], "02:00", "04:00"),
            &[
                ("2026-03-08T07:59:59Z", false),
                ("2026-03-08T08:00:00Z", true),
                ("2026-03-08T09:00:00Z", false),
            ],
        );
        check(
            &window(&["sun"], "01:00", "02:00"),
            &[
                ("2026-11-01T05:59:59Z", false),
                ("2026-11-01T06:00:00Z", true),
                ("2026-11-01T07:59:59Z", true),
                ("2026-11-01T08:00:00Z", false),
            ],
        );
    }

    #[test]
    fn any_window_that_is_open_opens_the_campaign() {
        let windows = [window(&["mon"], "09:00", "10:00"), window(&["mon"], "12:00", "13:00")];
        let schedule = Schedule::from_json(&json!({ "zone": "UTC", "windows": windows })).unwrap();
        let open = ["09:30", "11:00", "12:30"]
            .map(|time| schedule.open_at(moment(&format!("2026-01-05T{time}:00Z"))));
        assert_eq!(open, [true, false, true]);
    }

    #[test]
    fn a_schedule_reads_back_as_it_was_written() {
        let windows =
            [window(&["fri", "mon", "mon"], "09:00", "24:00"), window(&["sun"], "22:30", "06:05")];
        let schedule =
            Schedule::from_json(&json!({ "zone": "america/chicago", "windows": windows })).unwrap();
        let windows =
            [window(&["mon", "fri"], "09:00", "24:00"), window(&["sun"], "22:30", "06:05")];
        let json = json!({ "zone": CHICAGO, "windows": windows });
        assert_eq!(schedule.to_json(), json);
        assert_eq!(Schedule::from_json(&json).unwrap(), schedule);
        assert_eq!(schedule.zone().iana_name(), Some(CHICAGO));
    }

    #[test]
    fn what_is_no_schedule_is_refused_where_it_is_wrong() {
        let day = window(&["mon"], "09:00", "17:00");
        check_refused(&json!([]), "this must be an object with zone, windows");
        check_refused(
            &json!({ "zone": "UTC", "hours": [] }),
            "`hours` is not known; this is an object with zone, windows",
        );
        check_refused(
            &json!({ "windows": [day] }),
            "at /zone: this must be a time zone such as \"America/Chicago\"",
        );
        check_refused(
            &json!({ "zone": "Chicago", "windows": [day] }),
            "at /zone: there is no time zone `Chicago`; use a name of the IANA database, such as America/Chicago",
        );
        check_refused(
            &json!({ "zone": "UTC", "windows": [] }),
            "at /windows: without a window it never opens; leave the schedule out to be open always",
        );
        check_refused(
            &json!({ "zone": "UTC", "windows": vec![day; 65] }),
            "at /windows: there are 65 windows; 64 are possible",
        );
    }

    #[test]
    fn what_is_no_window_is_refused_where_it_is_wrong() {
        let wrong = |at: &str, message: &str| format!("at /windows/0{at}: {message}");
        check_window_refused(&json!(3), &wrong("", "this must be an object with days, from, to"));
        check_window_refused(
            &json!({ "days": ["mon"], "from": "09:00", "until": "17:00" }),
            &wrong("", "`until` is not known; this is an object with days, from, to"),
        );
        check_window_refused(
            &window(&["mon", "Monday"], "09:00", "17:00"),
            &wrong("/days/1", "a day is one of mon, tue, wed, thu, fri, sat, sun"),
        );
        check_window_refused(
            &window(&[], "09:00", "17:00"),
            &wrong("/days", "name at least one day, such as \"mon\""),
        );
        for time in ["9:00", "09:60", "24:01", "25:00", "0900", "-9:00", "09:00:00"] {
            let message = format!("`{time}` is not a time from \"00:00\" to \"24:00\"");
            check_window_refused(&window(&["mon"], time, "17:00"), &wrong("/from", &message));
        }
        check_window_refused(
            &window(&["mon"], "09:00", "09:00"),
            &wrong("/to", "the window is empty; a whole day is 00:00 to 24:00"),
        );
        check_window_refused(
            &window(&["mon"], "24:00", "09:00"),
            &wrong("/from", "a day ends at 24:00; begin at 00:00 of the next"),
        );
    }
}
