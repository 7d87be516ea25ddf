//! Words, amounts and days as buyers write them.

use crate::intake::{date as calendar, number};

/// Millionths in one.
const ONE: u64 = 1_000_000;
/// Digits after the point of an amount.
const PLACES: usize = 6;
/// The codes that may stand beside an amount: other letters there are no currency.
const CURRENCIES: &str = "USD EUR GBP CAD AUD NZD MXN AED ARS BRL CHF CLP CNY COP CZK DKK HKD HUF ILS INR JPY KRW NOK PHP PLN RON SEK SGD THB TRY TWD ZAR";

/// Says whether two names are one without case and punctuation, as `Lead_ID` and `leadId` are.
#[inline(never)]
pub(super) fn alike(one: &str, other: &str) -> bool {
    folded(one).eq(folded(other))
}

fn folded(name: &str) -> impl Iterator<Item = char> {
    let kept = name.chars().filter(|c| c.is_ascii_alphanumeric() || !c.is_ascii());
    kept.map(|c| c.to_ascii_lowercase())
}

/// Returns a word in lower case, its parts one space apart: `POST_VALID` is `post valid`. A sign before a number stays.
#[inline(never)]
fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    if word.trim_start().starts_with('-') {
        plain.push('-');
    }
    for part in word.split(|c: char| c.is_ascii_whitespace() || matches!(c, '_' | '-')) {
        if !part.is_empty() {
            if !matches!(plain.as_str(), "" | "-") {
                plain.push(' ');
            }
            plain.extend(part.chars().map(|c| c.to_ascii_lowercase()));
        }
    }
    plain
}

/// Says whether a text is as a pattern says, whatever the case: `accepted`, `lead *` for what begins so, `*dup*` for what
/// holds it. A `*` stands for anything.
#[must_use]
#[inline(never)]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (plain(pattern), plain(text));
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            match rest.split_once(before) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.ends_with(last),
    }
}

/// Reads an amount such as `12.50`, `$1,250` or `8.5 USD`, in millionths; what is below a millionth is left out. Beside the
/// number may stand a sign or a currency's code and nothing else. A comma parts thousands where that is certain: behind a
/// `$`, before a point, or where there are two.
#[must_use]
pub fn price(text: &str) -> Option<i64> {
    amount(text).map(|(amount, _)| amount)
}

/// Reads an amount with the marks of its currency: what stands before the number and behind it.
#[inline(never)]
pub(super) fn amount(text: &str) -> Option<(i64, [&str; 2])> {
    let is_mark = |c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '-');
    let behind = text.trim_start_matches(is_mark);
    let number = behind.trim_end_matches(is_mark);
    let marks = [text.strip_suffix(behind)?.trim(), behind.strip_prefix(number)?.trim()];
    if !marks.iter().all(|mark| mark.is_empty() || is_currency(mark)) {
        return None;
    }
    let is_dollars = marks.iter().any(|mark| *mark == "$" || mark.eq_ignore_ascii_case("USD"));
    let commas = number.bytes().filter(|byte| *byte == b',').count();
    if commas == 1 && !is_dollars && !number.contains('.') {
        return None;
    }
    let number = match number.split_once('.') {
        Some((whole, fraction))
            if fraction.len() > PLACES && fraction.bytes().all(|b| b.is_ascii_digit()) =>
        {
            [whole, ".", fraction.get(..PLACES)?].concat()
        }
        _ => number.to_owned(),
    };
    Some((number::millionths(&number::without_commas(&number)?)?, marks))
}

fn is_currency(mark: &str) -> bool {
    matches!(mark, "$" | "€" | "£")
        || CURRENCIES.split(' ').any(|code| code.eq_ignore_ascii_case(mark))
}

/// Says whether two marks of currencies can mean the same one: a `$` stands for many.
pub(super) fn same_currency(one: &str, other: &str) -> bool {
    let code = |mark: &str| match mark.trim() {
        "€" => "EUR".to_owned(),
        "£" => "GBP".to_owned(),
        mark => mark.to_ascii_uppercase(),
    };
    match (code(one).as_str(), code(other).as_str()) {
        ("$", code) | (code, "$") => !matches!(code, "EUR" | "GBP"),
        (one, other) => one == other,
    }
}

/// Writes an amount in millionths with this many digits after the point, at most 6, rounded down.
#[must_use]
pub fn money(millionths: i64, digits: usize) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let amount = millionths.unsigned_abs();
    let whole = (amount / ONE).to_string();
    let fraction = (amount % ONE).saturating_add(ONE).to_string();
    let fraction = fraction.get(1..digits.min(PLACES).saturating_add(1)).unwrap_or_default();
    let point = if fraction.is_empty() { "" } else { "." };
    [sign, &whole, point, fraction].concat()
}

/// Writes a day, counted from 1970-01-01, as a pattern says: `YYYY`, `YY`, `MM`, `M`, `DD` and `D` are replaced, all else
/// stands for itself.
#[must_use]
#[inline(never)]
pub fn date(days: i32, pattern: &str) -> String {
    let (year, month, day) = calendar::civil(days);
    let two = |number: i32| [if number < 10 { "0" } else { "" }, &number.to_string()].concat();
    let parts = [
        ("YYYY", [if year < 1_000 { "0" } else { "" }, &year.to_string()].concat()),
        ("YY", two(year.rem_euclid(100))),
        ("MM", two(month)),
        ("DD", two(day)),
        ("M", month.to_string()),
        ("D", day.to_string()),
    ];
    let (mut written, mut rest) = (String::with_capacity(pattern.len()), pattern);
    while let Some(next) = rest.chars().next() {
        match parts.iter().find_map(|(part, text)| Some((rest.strip_prefix(part)?, text))) {
            Some((after, text)) => {
                written.push_str(text);
                rest = after;
            }
            None => {
                written.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
        }
    }
    written
}

/// Returns the last ten digits of a telephone number, as most buyers in North America want it.
#[must_use]
pub fn digits(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    digits.get(digits.len().saturating_sub(10)..).unwrap_or_default().to_owned()
}

/// Returns `Yes` or `No`.
#[must_use]
pub const fn yes_no(yes: bool) -> &'static str {
    if yes { "Yes" } else { "No" }
}
