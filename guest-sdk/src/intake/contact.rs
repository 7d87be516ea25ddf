//! How a person is reached: telephone numbers, e-mail addresses, and where on the web the lead was made.

use std::net::IpAddr;

/// Returns a number of the North American plan as `+1` and ten digits. An extension behind it is left out.
pub(super) fn phone(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(12);
    for c in without_extension(text.trim()).trim().chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' => (),
            '+' if digits.is_empty() => (),
            _ => return None,
        }
    }
    let ten = if digits.len() == 11 { digits.strip_prefix('1')? } else { &digits };
    let (area, rest) = ten.split_at_checked(3)?;
    let (exchange, line) = rest.split_at_checked(3)?;
    // Area code and exchange begin with 2 to 9; codes that end in 11 are services.
    let is_code = |code: &str| !code.starts_with(['0', '1']) && !code.ends_with("11");
    (line.len() == 4 && is_code(area) && is_code(exchange)).then(|| format!("+1{ten}"))
}

fn without_extension(text: &str) -> &str {
    let Some(place) = text.find(['x', 'X', 'e', 'E', '#']) else { return text };
    let (number, extension) = text.split_at_checked(place).unwrap_or((text, ""));
    let marks = ["x", "ext", "ext.", "extension", "#"];
    let digits = extension.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_mark = marks.iter().any(|mark| digits.trim_end().eq_ignore_ascii_case(mark));
    if is_mark && (1..=6).contains(&extension.len().saturating_sub(digits.len())) {
        number
    } else {
        text
    }
}

/// Returns the address with its domain in lower case.
pub(super) fn email(text: &str) -> Option<String> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    let is_local = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte) || byte >= 0x80
    };
    let fits = !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(is_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    (fits && is_domain(domain)).then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// Whether a number or address is a hash or has been blotted out, as in some pings.
pub(super) fn is_hidden(text: &str) -> bool {
    let is_hash =
        matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash || text.contains("**") || text.to_ascii_lowercase().contains("xxx")
}

/// Returns an IP address in its shortest form. Of a list, as proxies make it, the first is the person's.
pub(super) fn ip(text: &str) -> Option<String> {
    let first = text.split(',').next().unwrap_or(text);
    first.trim().parse::<IpAddr>().ok().map(|address| address.to_string())
}

/// Returns the address of a TrustedForm certificate or its ping counterpart; of a bare token, the certificate's.
pub(super) fn trusted_form(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(format!("https://cert.trustedform.com/{text}"));
    }
    let host = host(text);
    let is_theirs = host == "trustedform.com" || host.ends_with(".trustedform.com");
    let is_plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    (is_theirs && is_plain).then(|| text.to_owned())
}

/// Returns a Jornaya LeadiD in upper case, as its maker writes it.
pub(super) fn lead_id(text: &str) -> Option<String> {
    let text = text.trim();
    let mut groups = text.split('-');
    let lengths = [8, 4, 4, 4, 12];
    let fits = lengths.iter().all(|&length| {
        groups.next().is_some_and(|group| {
            group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    });
    (fits && groups.next().is_none()).then(|| text.to_ascii_uppercase())
}

fn host(address: &str) -> &str {
    let after = address.split_once("://").map_or(address, |(_, after)| after);
    let end = after.find(['/', '?', '#', ':']).unwrap_or(after.len());
    after.get(..end).unwrap_or("")
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let plain =
            label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte >= 0x80);
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or("");
    let is_top = last.len() >= 2 && !last.bytes().any(|byte| byte.is_ascii_digit())
        || last.starts_with("xn--");
    domain.contains('.') && domain.len() <= 253 && domain.split('.').all(is_label) && is_top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_has_one_form() {
        for text in [
            "2025550110",
            "(202) 555-0110",
            "202-555-0110",
            "202.555.0110",
            "+1 202 555 0110",
            "12025550110",
            "1-202-555-0110",
            "202-555-0110 x5",
            "202.555.0110 ext. 123",
            "(202) 555-0110 #7",
        ] {
            assert_eq!(phone(text).as_deref(), Some("+12025550110"), "{text}");
        }
        for text in [
            "",
            "5550110",
            "1025550110",
            "2021550110",
            "9115550110",
            "2029110110",
            "22025550110",
            "202555011O",
            "0000000000",
            "202-555-0110 x",
            "202-555-0110 x5 y",
            "202-555-0110 e5",
            "x5",
            "+44 20 7946 0958",
            "20255501100",
        ] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn an_email_address_has_a_shape() {
        assert_eq!(email(" Dana.Sample@Example.COM ").as_deref(), Some("Dana.Sample@example.com"));
        assert_eq!(
            email("dana+leads@mail.example.com").as_deref(),
            Some("dana+leads@mail.example.com")
        );
        for text in [
            "",
            "dana",
            "dana@",
            "@example.com",
            "dana@example",
            "da na@example.com",
            "dana@@example.com",
            "dana@exam_ple.com",
            "dana@example.c0m",
            ".dana@example.com",
            "da..na@example.com",
            "dana@-example.com",
            "dana@example..com",
            "dana@192.0.2.1",
        ] {
            assert_eq!(email(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_of_machines_are_checked() {
        assert_eq!(ip("203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(ip("203.0.113.9, 10.0.0.1").as_deref(), Some("203.0.113.9"));
        assert_eq!(ip("2001:DB8:0::1").as_deref(), Some("2001:db8::1"));
        for text in ["203.0.113.256", "203.0.113", "localhost", "203.0.113.9:80", "203.0.113.09"] {
            assert_eq!(ip(text), None, "{text}");
        }
    }

    #[test]
    fn marks_of_consent_have_their_makers_form() {
        let cert = "https://cert.trustedform.com/0000000000000000000000000000000000000001";
        assert_eq!(trusted_form(cert).as_deref(), Some(cert));
        assert_eq!(trusted_form("https://cert.trustedform.com.example.com/1"), None);
        assert_eq!(trusted_form("https://example.com/cert.trustedform.com"), None);
        assert_eq!(
            lead_id("00000000-0000-4000-8000-00000000a001").as_deref(),
            Some("00000000-0000-4000-8000-00000000A001")
        );
        assert_eq!(lead_id("00000000-0000-4000-8000-00000000a00"), None);
        assert_eq!(lead_id("00000000-0000-4000-8000-00000000a001-1"), None);
    }
}
