//! Numbers by which banks and the state know a person. They are contact data wherever they are read.

use super::contact;

/// Whether a source sends the number blotted out, or zeros in its place.
pub(super) fn is_withheld(text: &str) -> bool {
    let digits = || text.bytes().filter(u8::is_ascii_digit);
    let is_zeros = digits().count() > 0 && digits().all(|digit| digit == b'0');
    is_zeros || contact::is_hidden(text) || text.contains("##")
}

/// Returns the nine digits of a Social Security number that can have been given to somebody. A JSON number may have lost
/// its leading zeros.
pub(super) fn social_security(text: &str, is_number: bool) -> Option<String> {
    let number = padded(digits(text)?, is_number)?;
    let (area, rest) = number.split_at_checked(3)?;
    let (group, serial) = rest.split_at_checked(2)?;
    let is_given = !matches!(area, "000" | "666") && !area.starts_with('9');
    (is_given && group != "00" && serial != "0000").then_some(number)
}

/// Returns the nine digits of a bank's routing number, whose last one checks the others.
pub(super) fn routing(text: &str, is_number: bool) -> Option<String> {
    let number = padded(digits(text)?, is_number)?;
    let weights = [3_u32, 7, 1].into_iter().cycle();
    let sum = number.chars().zip(weights).try_fold(0_u32, |sum, (digit, weight)| {
        sum.checked_add(digit.to_digit(10)?.checked_mul(weight)?)
    })?;
    // The Federal Reserve's districts, thrifts, electronic transactions, and traveller's cheques.
    let district: u32 = number.get(..2)?.parse().ok()?;
    let is_district = matches!(district, 1..=12 | 21..=32 | 61..=72 | 80);
    (is_district && sum % 10 == 0).then_some(number)
}

/// Returns a number of so many digits, without the spaces and dashes between them.
pub(super) fn number(text: &str, from: usize, until: usize) -> Option<String> {
    digits(text).filter(|digits| (from..=until).contains(&digits.len()))
}

fn digits(text: &str) -> Option<String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'.'));
    fits.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

fn padded(digits: String, is_number: bool) -> Option<String> {
    match digits.len() {
        9 => Some(digits),
        7 | 8 if is_number => Some(format!("{digits:0>9}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_social_security_number_is_one_that_can_exist() {
        for text in ["219-09-9999", "219 09 9999", "219099999"] {
            assert_eq!(social_security(text, false).as_deref(), Some("219099999"), "{text}");
        }
        assert_eq!(social_security("1099999", true).as_deref(), Some("001099999"));
        for text in [
            "000-12-3456",
            "666-12-3456",
            "912-12-3456",
            "219-00-9999",
            "219-09-0000",
            "21909999",
            "2190999990",
            "219-09-999X",
            "1099999",
            "",
        ] {
            assert_eq!(social_security(text, false), None, "{text}");
        }
    }

    #[test]
    fn a_routing_number_checks_itself() {
        for text in ["011000015", "021000021", "122105155", "1220-0066-1"] {
            assert!(routing(text, false).is_some(), "{text}");
        }
        assert_eq!(routing("11000015", true).as_deref(), Some("011000015"));
        for text in ["011000016", "021000012", "11000015", "990000009", "12210515", "12210515A"] {
            assert_eq!(routing(text, false), None, "{text}");
        }
    }

    #[test]
    fn an_account_number_is_digits() {
        assert_eq!(number("0012-3456 789", 4, 17).as_deref(), Some("00123456789"));
        for text in ["123", "123456789012345678", "12345A", "1.5e7", ""] {
            assert_eq!(number(text, 4, 17), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_is_withheld_is_none() {
        for text in ["XXX-XX-1234", "*****1234", "###-##-1234", "000000000", "000-00-0000", "0"] {
            assert!(is_withheld(text), "{text}");
        }
        for text in ["219-09-9999", "", "100"] {
            assert!(!is_withheld(text), "{text}");
        }
    }
}
