//! Times as people and forms say them: `Within 1 week`, `1-3 months`, `6+ months`, `more than 2 years ago`.

use super::table::Word;

/// The words for how far away a time is: before the submission or after it, as the field says.
#[derive(Debug)]
pub struct Spans {
    /// Every word, with what else means it.
    pub words: &'static [Word],
    /// Words for a time of at most so many days, ascending.
    pub within: &'static [(i64, &'static str)],
    /// Words for a time of at least so many days, ascending: for `6+ months`, and for what lies beyond `within`.
    pub over: &'static [(i64, &'static str)],
}

impl Spans {
    /// Returns the word for a time that is this many days away.
    pub(super) fn at(&self, days: i64) -> Option<&'static str> {
        self.of(Span { near: days, far: Some(days) })
    }

    /// Returns the word for a time such as `1-3 months`.
    pub(super) fn read(&self, text: &str) -> Option<&'static str> {
        self.of(span(text)?)
    }

    fn of(&self, span: Span) -> Option<&'static str> {
        let within = |far: i64| self.within.iter().find(|(days, _)| far <= *days);
        let over = || self.over.iter().rev().find(|(days, _)| span.near >= *days);
        let found = span.far.and_then(within).or_else(over);
        found.map(|&(_, word)| word)
    }
}

/// How many days away a time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    near: i64,
    /// Nothing if it has no end.
    far: Option<i64>,
}

const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];
/// Before a number, or without any: up to that time.
const UP_TO: &[&str] = &[
    "within", "less", "under", "below", "next", "past", "last", "up", "fewer", "in", "this",
    "during", "<",
];
const BEYOND: &[&str] =
    &["more", "over", "above", "older", "longer", "least", "greater", "plus", "beyond", "+", ">"];
/// Said around a time without changing it.
const FILLERS: &[&str] = &[
    "the",
    "a",
    "an",
    "of",
    "ago",
    "from",
    "now",
    "about",
    "to",
    "and",
    "between",
    "than",
    "or",
    "around",
    "approximately",
    "roughly",
    "old",
    "my",
    "at",
    "-",
    "since",
    "it",
    "was",
    "has",
    "been",
    "=",
];

fn days(unit: &str) -> Option<i64> {
    Some(match unit {
        "hour" | "hours" | "hr" | "hrs" => 0,
        "day" | "days" => 1,
        "week" | "weeks" | "wk" | "wks" => 7,
        "month" | "months" | "mo" | "mos" => 30,
        "year" | "years" | "yr" | "yrs" => 365,
        _ => return None,
    })
}

fn number(token: &str) -> Option<i64> {
    let named = (0..).zip(NUMBERS).find(|(_, name)| *name == token);
    named
        .map(|(number, _)| number)
        .or_else(|| token.parse().ok().filter(|n| (0..1_000).contains(n)))
}

fn span(text: &str) -> Option<Span> {
    let lower = text.to_lowercase();
    let (mut is_up_to, mut is_beyond) = (false, false);
    let mut waiting: Option<i64> = None;
    let mut ends: Vec<(Option<i64>, i64)> = Vec::with_capacity(2);
    for token in tokens(&lower) {
        if let Some(number) = number(token) {
            // `1-3 months`: the unit of the first comes with the second.
            ends.extend(waiting.replace(number).map(|earlier| (Some(earlier), 0)));
        } else if let Some(days) = days(token) {
            ends.push((waiting.take(), days));
        } else if UP_TO.contains(&token) {
            is_up_to = true;
        } else if BEYOND.contains(&token) {
            is_beyond = true;
        } else if !FILLERS.contains(&token) {
            return None;
        }
    }
    if waiting.is_some() {
        return None;
    }
    let unit = ends.last()?.1;
    let length = |&(number, days): &(Option<i64>, i64)| {
        // Hours are today's: a day at most for each two dozen.
        let unit = if days == 0 && number.is_some() && unit != 0 { unit } else { days };
        let number = number.unwrap_or(1);
        if unit == 0 { number.checked_div(24) } else { number.checked_mul(unit) }
    };
    match (ends.as_slice(), is_up_to, is_beyond) {
        ([only], _, true) => Some(Span { near: length(only)?, far: None }),
        ([only], true, false) => Some(Span { near: 0, far: length(only) }),
        ([only], false, false) => Some(Span { near: length(only)?, far: length(only) }),
        ([near, far], _, false) => {
            let span = Span { near: length(near)?, far: length(far) };
            span.far.is_some_and(|far| far >= span.near).then_some(span)
        }
        _ => None,
    }
}

/// Splits into numbers, words and the marks that mean something.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && !"+<>-=".contains(c));
        let first = rest.chars().next()?;
        let same = |c: char| match first {
            '0'..='9' => c.is_ascii_digit(),
            _ if first.is_alphabetic() => c.is_alphabetic(),
            _ => false,
        };
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (token, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(token)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(i64, Option<i64>)>) {
        assert_eq!(span(text), expected.map(|(near, far)| Span { near, far }), "{text}");
    }

    #[test]
    fn a_time_has_two_ends_or_one() {
        check("Within 1 Week", Some((0, Some(7))));
        check("within a week", Some((0, Some(7))));
        check("within two weeks", Some((0, Some(14))));
        check("Less than 1 year", Some((0, Some(365))));
        check("In the next 30 days", Some((0, Some(30))));
        check("in the past year", Some((0, Some(365))));
        check("This month", Some((0, Some(30))));
        check("1-3 months", Some((30, Some(90))));
        check("1 - 3 Months", Some((30, Some(90))));
        check("1 to 2 weeks", Some((7, Some(14))));
        check("6 months to 1 year", Some((180, Some(365))));
        check("between 3 and 6 months ago", Some((90, Some(180))));
        check("3 months", Some((90, Some(90))));
        check("3_months", Some((90, Some(90))));
        check("6+ months", Some((180, None)));
        check("6 months +", Some((180, None)));
        check("More than 2 years ago", Some((730, None)));
        check("1 year or more", Some((365, None)));
        check("1 year or less", Some((0, Some(365))));
        check(">6 months", Some((180, None)));
        check("Within 24 hours", Some((0, Some(1))));
        check("24-48 hours", Some((1, Some(2))));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "3",
            "1-3",
            "months of work",
            "6-3 months",
            "1-2-3 months",
            "banana",
            "1 year and 2 months and 3 days",
            "more than 1-3 months",
            "9999999999 days",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_word_is_the_nearest_that_holds_the_time() {
        let spans = Spans {
            words: &[],
            within: &[(7, "week"), (31, "month")],
            over: &[(30, "over-month"), (180, "over-half-year")],
        };
        for (text, expected) in [
            ("2 days", Some("week")),
            ("within 10 days", Some("month")),
            ("more than 1 month", Some("over-month")),
            ("1-3 months", Some("over-month")),
            ("6+ months", Some("over-half-year")),
            ("more than 1 week", None),
        ] {
            assert_eq!(spans.read(text), expected, "{text}");
        }
        assert_eq!(spans.at(31), Some("month"));
        assert_eq!(spans.at(32), Some("over-month"));
    }
}
