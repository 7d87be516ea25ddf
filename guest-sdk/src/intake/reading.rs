//! From what a source sent for one field to its value, or to the words that say what would be right.

use super::lead::HEIGHT;
use super::table::{Field, Reader, Word};
use super::tree::Found;
use super::{contact, date, identity, invalid, measure, number, phrase, place, word};
use crate::normalizer::{Kind, Refusal, RefusalCode, Value};

/// The most elements of a list of texts.
const TEXTS_MAX: usize = 64;
/// The most different texts that may come for a field with one value: each of them is read.
pub(super) const VALUES_MAX: usize = 16;
/// What a ZIP code must be.
pub(super) const ZIP_EXPECTED: &str = "a ZIP code of five digits that exists, such as 33139";
/// The word that stands for everything else.
pub(super) const OTHER: &str = "other";
/// The longest life that a date of birth is believed, in years.
const AGE_MAX: i32 = 120;

/// Reads everything that came for a field. Keys that say the same are one; keys that differ are refused.
pub(super) fn value(field: &Field, found: &[Found], today: i32) -> Result<Option<Value>, Refusal> {
    if matches!(field.reader, Reader::Texts | Reader::Every(_) | Reader::Phones) {
        return texts(field, found);
    }
    if matches!(field.reader, Reader::Months(_)) {
        return time(field, of_first_element(found), today);
    }
    agreed(field, found, today, |_, _| true)
}

fn of_first_element(found: &[Found]) -> &[Found] {
    let first_element = found.partition_point(|found| found.element == 0);
    found.get(..first_element).unwrap_or_default()
}

/// Reads a time. Years under one key and months under another are one: 3 years and 6 months.
fn time(field: &Field, found: &[Found], today: i32) -> Result<Option<Value>, Refusal> {
    let (years, months): (Vec<_>, Vec<_>) =
        found.iter().cloned().partition(|found| found.entry.factor == 12);
    let years = agreed(field, &years, today, |_, _| true)?;
    let months = agreed(field, &months, today, |_, _| true)?;
    match (&years, &months) {
        (Some(Value::Integer(years)), Some(Value::Integer(months))) if years != months => {
            let whole_years = months.div_euclid(12).saturating_mul(12);
            match (whole_years, years % 12) {
                (0, 0) => Ok(Some(Value::Integer(years.saturating_add(*months)))),
                _ if whole_years == *years => Ok(Some(Value::Integer(*months))),
                _ => Err(conflicting(field)),
            }
        }
        _ => Ok(years.or(months)),
    }
}

/// Reads what came in the first element, but for what is not the field's own by what was read.
pub(super) fn agreed(
    field: &Field,
    found: &[Found],
    today: i32,
    is_own: impl Fn(&Found, &Result<Option<Value>, Refusal>) -> bool,
) -> Result<Option<Value>, Refusal> {
    let mut first: Option<Value> = None;
    let found = of_first_element(found);
    if found.len() > VALUES_MAX {
        let message =
            format!("`{}` comes with more than {VALUES_MAX} different values", field.name);
        let field = Some(field.name.into());
        return Err(Refusal { code: RefusalCode::TooLarge, field, message });
    }
    let has_first = found.iter().any(|found| found.entry.is_first);
    for found in found.iter().filter(|found| found.entry.is_first || !has_first) {
        let read = one(field, found, today);
        if is_own(found, &read)
            && let Some(value) = read?
        {
            agree(field, &mut first, value)?;
        }
    }
    Ok(first)
}

/// Takes one more value of a field, which must say the same as those before.
pub(super) fn agree(field: &Field, first: &mut Option<Value>, value: Value) -> Result<(), Refusal> {
    match first {
        None => *first = Some(value),
        Some(known) if field.prefers_first_key || is_same(known, &value) => (),
        Some(_) => return Err(conflicting(field)),
    }
    Ok(())
}

fn conflicting(field: &Field) -> Refusal {
    let name = field.name;
    let message =
        format!("`{name}` has two different values, under one key or several; send it once");
    Refusal { code: RefusalCode::ConflictingValues, field: Some(name.into()), message }
}

/// Reads one value; nothing if the source says that it has none.
pub(super) fn one(field: &Field, found: &Found, today: i32) -> Result<Option<Value>, Refusal> {
    let text = found.text.trim();
    let is_nothing = match field.reader {
        Reader::Name => word::is_nothing_for_name(text),
        Reader::Text => word::is_nothing(text) || word::is_none(text),
        Reader::TextUnless(words) => word::is_nothing(text) || word::is_among(words, text),
        Reader::WordOr(words) if word::is_none(text) => word::word(words, text).is_none(),
        Reader::Phrase(words, _) if word::is_none(text) => word::word(words, text).is_none(),
        Reader::Phrase(_, words) => {
            word::is_nothing(text) || word::is_unsaid(text) || word::is_among(words, text)
        }
        Reader::Date
        | Reader::PastDate
        | Reader::BirthDate
        | Reader::DaysUntil
        | Reader::Span(_) => {
            word::is_nothing(text) || word::is_unsaid(text) || date::is_unset(text)
        }
        Reader::Phone | Reader::Email => {
            word::is_nothing(text) || word::is_unsaid(text) || contact::is_hidden(text)
        }
        Reader::SocialSecurity | Reader::Routing | Reader::Digits(..) => {
            word::is_nothing(text) || word::is_unsaid(text) || identity::is_withheld(text)
        }
        _ => word::is_nothing(text) || word::is_unsaid(text),
    };
    if is_nothing {
        return Ok(None);
    }
    match read(&field.reader, text, found, today) {
        Some(value) => Ok(Some(value)),
        // A program's word for nothing, where the field has no word for none.
        None if word::is_none(text) => Ok(None),
        None => Err(invalid(field.name, &expected(field, text, today))),
    }
}

fn read(reader: &Reader, text: &str, found: &Found, today: i32) -> Option<Value> {
    if matches!(reader.kind(), Kind::Text | Kind::Texts) {
        return words(reader, text, found, today).map(Value::Text);
    }
    let within = |number: i64, from: i64, until: i64| {
        (from..=until).contains(&number).then_some(Value::Integer(number))
    };
    let parts = |millionths: i64, from: i64, until: i64| {
        let bounds = from.saturating_mul(1_000_000)..=until.saturating_mul(1_000_000);
        bounds.contains(&millionths).then_some(Value::Decimal(millionths))
    };
    match *reader {
        Reader::Score(words) => score(words, text).map(Value::Integer),
        Reader::Boolean(yes, no) => word::boolean(yes, no, text).map(Value::Boolean),
        Reader::Any(yes, no) => {
            let many = || number::count(text).filter(|&count| count >= 0).map(|count| count > 0);
            word::boolean(yes, no, text).or_else(many).map(Value::Boolean)
        }
        Reader::Integer(from, until) => within(number::integer(text)?, from, until),
        Reader::Count(_) => within(number::count(text)?, 0, 1_000),
        Reader::Measure(from, until, units) => within(measure::whole(text, units)?, from, until),
        Reader::Decimal(from, until, units) => parts(measure::decimal(text, units)?, from, until),
        Reader::Percent(from, until) => parts(measure::percent(text)?, from, until),
        Reader::Term => within(measure::term(text)?, 1, 600),
        Reader::Dollars(from, until) => within(number::dollars_from(text)?, from, until),
        Reader::DollarsPer(words, from, until) => {
            within(number::dollars_from(number::without_period(text, words))?, from, until)
        }
        Reader::Months(none) => match word::boolean("", none, text) {
            Some(false) => Some(Value::Integer(0)),
            _ => within(number::months(text, found.entry.factor)?, 0, 1_200),
        },
        Reader::DaysUntil => {
            let days = number::integer(text).filter(|days| days.unsigned_abs() < 10_000);
            let until = || Some(i64::from(date::day(text, today)?.checked_sub(today)?));
            within(days.or_else(until)?, -3_660, 3_660)
        }
        Reader::Inches => within(number::inches(text)?, *HEIGHT.start(), *HEIGHT.end()),
        Reader::Price => number::dollars(text).filter(|&amount| amount >= 0).map(Value::Decimal),
        Reader::Milliseconds => {
            let unit = i128::from(found.entry.factor);
            let millionths = i128::from(number::millionths(text)?).checked_mul(unit)?;
            within(i64::try_from(millionths.checked_div(1_000_000)?).ok()?, 0, 3_600_000)
        }
        Reader::Date => date::day(text, today).map(Value::Date),
        Reader::PastDate => date::past(text, today).map(Value::Date),
        Reader::BirthDate => {
            let born = date::birth(text, today)?;
            (born <= today && date::years(born, today) <= AGE_MAX).then_some(Value::Date(born))
        }
        Reader::Age => within(number::integer(text)?, 0, i64::from(AGE_MAX)),
        _ => None,
    }
}

/// Reads what stays text.
fn words(reader: &Reader, text: &str, found: &Found, today: i32) -> Option<String> {
    let whole = || number::unfloated(text, found.is_number);
    match *reader {
        Reader::Name => plain(text).filter(|name| name.chars().any(char::is_alphabetic)),
        Reader::Word(words) => word::word(words, text).map(Into::into),
        Reader::WordOr(words) => {
            let last = || words.last().map(|&(word, _)| word);
            word::word(words, text).or_else(last).map(Into::into)
        }
        Reader::Credit(words) => {
            word::word(words, text).or_else(|| band(score(words, text)?)).map(Into::into)
        }
        Reader::Phrase(words, _) => {
            let other = || words.last().map(|&(word, _)| word).filter(|&word| word == OTHER);
            phrase::phrase(words, text).or_else(other).map(Into::into)
        }
        Reader::Span(spans) => {
            let named = word::word(spans.words, text).or_else(|| spans.read(text));
            let dated = || spans.at(i64::from(date::day_or_month(text, today)?.abs_diff(today)));
            let mentioned = || phrase::phrase(spans.words, text);
            named.or_else(dated).or_else(mentioned).map(Into::into)
        }
        Reader::State => place::state(text).map(Into::into),
        Reader::Zip => place::zip(&whole(), found.is_number),
        Reader::Phone => contact::phone(&whole()),
        Reader::Email => contact::email(text),
        Reader::Ip => contact::ip(text),
        Reader::TrustedForm => contact::trusted_form(text),
        Reader::LeadId => contact::lead_id(text),
        Reader::SocialSecurity => identity::social_security(&whole(), found.is_number),
        Reader::Routing => identity::routing(&whole(), found.is_number),
        Reader::Digits(from, until) => identity::number(&whole(), from, until),
        _ => plain(text),
    }
}

/// Says what would be right.
fn expected(field: &Field, text: &str, today: i32) -> String {
    match field.reader {
        Reader::Text | Reader::TextUnless(_) | Reader::Texts | Reader::Every(_) => {
            "text without control characters".into()
        }
        Reader::Name => "a name with at least one letter".into(),
        Reader::Word(words) | Reader::WordOr(words) | Reader::Phrase(words, _) => one_of(words),
        Reader::Span(spans) => format!("{}, or a time such as 1-3 months", one_of(spans.words)),
        Reader::Score(_) => "a credit score from 300 to 850".into(),
        Reader::Measure(from, until, units) | Reader::Decimal(from, until, units) => {
            let unit = units.split(' ').next().filter(|unit| !unit.is_empty());
            let unit = unit.map(|unit| format!(", with or without the unit `{unit}`"));
            format!("a number from {from} to {until}{}", unit.unwrap_or_default())
        }
        Reader::Percent(from, until) => {
            format!("a percentage from {from} to {until}, such as 15 or 15%")
        }
        Reader::Term => "months such as 360, or a time such as 30 years".into(),
        Reader::SocialSecurity => {
            "the nine digits of a Social Security number that can exist, with or without dashes"
                .into()
        }
        Reader::Routing => {
            "the nine digits of a bank's routing number; the last checks the others".into()
        }
        Reader::Digits(from, until) if from == until => format!("{from} digits"),
        Reader::Digits(from, until) => format!("{from} to {until} digits"),
        Reader::Credit(words) => format!("{}, or a credit score from 300 to 850", one_of(words)),
        Reader::Boolean(..) => "yes or no, such as 1 or 0".into(),
        Reader::Any(..) => "yes or no, or a number".into(),
        Reader::Integer(from, until) => format!("a whole number from {from} to {until}"),
        Reader::Count(_) => "a whole number from 0 to 1000".into(),
        Reader::Dollars(from, until) | Reader::DollarsPer(_, from, until) => {
            format!("whole dollars from {from} to {until}, such as 12500 or $12,500")
        }
        Reader::Months(_) => "months such as 18, or a time such as 3 years".into(),
        Reader::DaysUntil => "a number of days, or a date such as 2026-01-31".into(),
        Reader::Inches => "a height in inches such as 70, or 5'10\"".into(),
        Reader::State => "a state of the United States, by name or two-letter code".into(),
        Reader::Zip => ZIP_EXPECTED.into(),
        Reader::Phone | Reader::Phones => {
            "a United States or Canadian telephone number with area code".into()
        }
        Reader::Email => "an e-mail address such as name@example.com".into(),
        Reader::Ip => "one IPv4 or IPv6 address".into(),
        Reader::Price => "an amount of money such as 12.50, not negative".into(),
        Reader::Milliseconds => "a time of at most an hour".into(),
        Reader::TrustedForm => {
            "an address that begins with https://cert.trustedform.com/ or its ping form".into()
        }
        Reader::LeadId => "the 36 characters of a LeadiD token".into(),
        Reader::Date => "a date such as 2026-01-31, or 01/31/2026 with the month first".into(),
        Reader::PastDate => {
            "a date such as 2026-01-31, or 01/31/2026 with the month first, not in the future"
                .into()
        }
        Reader::BirthDate => match date::birth(text, today) {
            Some(born) if born > today => "a date of birth that is not in the future".into(),
            Some(_) => format!("a date of birth at most {AGE_MAX} years ago"),
            None => "a date of birth such as 1976-07-24, or 07/24/1976 with the month first".into(),
        },
        Reader::Age => format!("an age in whole years from 0 to {AGE_MAX}"),
    }
}

fn one_of(words: &[Word]) -> String {
    let mut list = String::from("one of ");
    for (place, (word, _)) in words.iter().enumerate() {
        list.push_str(if place == 0 { "" } else { ", " });
        list.push_str(word);
    }
    list
}

fn texts(field: &Field, found: &[Found]) -> Result<Option<Value>, Refusal> {
    let mut texts: Vec<String> = Vec::new();
    if found.len() > TEXTS_MAX && !matches!(field.reader, Reader::Every(_)) {
        return Err(too_many(field));
    }
    let is_phones = matches!(field.reader, Reader::Phones);
    let is_nothing = |text: &str| word::is_nothing(text) || word::is_none(text);
    for found in found {
        for text in found.text.split([',', ';', '|']).filter(|text| !is_nothing(text)) {
            if is_phones && contact::is_hidden(text) {
                continue;
            }
            let whole = number::unfloated(text.trim(), found.is_number);
            let read = if is_phones { contact::phone(&whole) } else { plain(text.trim()) };
            let text = read.ok_or_else(|| invalid(field.name, &expected(field, "", 0)))?;
            if !texts.contains(&text) {
                texts.push(text);
            }
            if texts.len() > TEXTS_MAX {
                return Err(too_many(field));
            }
        }
    }
    Ok((!texts.is_empty()).then_some(Value::Texts(texts)))
}

fn too_many(field: &Field) -> Refusal {
    let message = format!("`{}` has more than {TEXTS_MAX} elements", field.name);
    Refusal { code: RefusalCode::TooLarge, field: Some(field.name.into()), message }
}

/// Returns the text with single spaces, unless it has characters that no person types.
fn plain(text: &str) -> Option<String> {
    if text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for part in text.split_whitespace() {
        out.push_str(if out.is_empty() { "" } else { " " });
        out.push_str(part);
    }
    Some(out)
}

fn score(words: &'static [Word], text: &str) -> Option<i64> {
    measure::score(text, |part| word::word(words, part).is_some())
}

fn band(score: i64) -> Option<&'static str> {
    match score {
        720..=850 => Some("excellent"),
        680..=719 => Some("good"),
        580..=679 => Some("fair"),
        300..=579 => Some("poor"),
        _ => None,
    }
}

/// Whether two values say the same; the case of letters does not count.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.eq_ignore_ascii_case(other),
        (Value::Integer(one), Value::Integer(other)) => one == other,
        (Value::Decimal(one), Value::Decimal(other)) => one == other,
        (Value::Boolean(one), Value::Boolean(other)) => one == other,
        (Value::Date(one), Value::Date(other)) => one == other,
        (Value::Texts(one), Value::Texts(other)) => one == other,
        _ => false,
    }
}
