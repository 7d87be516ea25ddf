//! What kind of body came, in which character set: by its Content-Type, and by its first byte where that says nothing.

use super::tree::Leaves;
use super::{form, json, malformed, unsupported, xml};
use crate::normalizer::{Refusal, Submission, Syntax};

/// How bytes are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    /// Also read where ISO-8859-1 is named, as every browser does.
    Windows1252,
}

impl Charset {
    /// Returns the characters, or nothing if the bytes are not of this character set.
    pub(super) fn text(self, bytes: Vec<u8>) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes).ok(),
            Self::Windows1252 => bytes.into_iter().map(windows_1252).collect(),
        }
    }

    fn named(name: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["utf-8", "utf8", "us-ascii", "ascii"]) {
            Some(Self::Utf8)
        } else if is(&["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252"])
        {
            Some(Self::Windows1252)
        } else {
            None
        }
    }
}

/// Reads the body, or nothing if there is none. The syntax is known even when the body is refused.
pub(super) fn read(
    leaves: &mut Leaves<'_>,
    submission: &Submission,
) -> (Option<Syntax>, Result<(), Refusal>) {
    if submission.body.iter().all(u8::is_ascii_whitespace) {
        return (None, Ok(()));
    }
    match syntax(submission) {
        Ok((syntax, charset)) => (Some(syntax), read_as(leaves, syntax, charset, &submission.body)),
        Err(refusal) => (None, Err(refusal)),
    }
}

fn read_as(
    leaves: &mut Leaves<'_>,
    syntax: Syntax,
    charset: Option<Charset>,
    body: &[u8],
) -> Result<(), Refusal> {
    let (body, has_mark) = match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(body) => (body, true),
        None => (body, false),
    };
    let charset = if has_mark { Some(Charset::Utf8) } else { charset };
    if syntax == Syntax::Form {
        return form::read(leaves, body.trim_ascii(), charset.unwrap_or(Charset::Utf8));
    }
    let charset = match charset {
        Some(charset) => charset,
        None if syntax == Syntax::Xml => declared(body)?,
        None => Charset::Utf8,
    };
    let decoded;
    let text = match (charset, std::str::from_utf8(body)) {
        (Charset::Utf8, Ok(text)) => text,
        (Charset::Utf8, Err(_)) => {
            let message = "the body is not UTF-8; if it is another character set, name it in the Content-Type";
            return Err(malformed(message));
        }
        (Charset::Windows1252, _) => {
            let text = charset.text(body.to_vec());
            decoded = text
                .ok_or_else(|| malformed("the body has bytes that windows-1252 does not have"))?;
            &decoded
        }
    };
    match syntax {
        Syntax::Json => json::read(leaves, text),
        Syntax::Form | Syntax::Xml | Syntax::Text => xml::read(leaves, text),
    }
}

/// Decides between the three syntaxes, by the header and, where that is silent, by the first byte.
fn syntax(submission: &Submission) -> Result<(Syntax, Option<Charset>), Refusal> {
    let body = submission.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&submission.body);
    if body.starts_with(b"\xff\xfe")
        || body.starts_with(b"\xfe\xff")
        || body.iter().take(4).any(|&b| b == 0)
    {
        return Err(unsupported("the body is UTF-16 or UTF-32; send UTF-8"));
    }
    let looks_like = match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => Some(Syntax::Json),
        Some(b'<') => Some(Syntax::Xml),
        _ => None,
    };
    let mut parts = submission.content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let charset = charset.filter(|name| !name.is_empty()).map(|name| {
        Charset::named(name).ok_or_else(|| {
            unsupported("the Content-Type names a character set without a reader; send UTF-8 or windows-1252")
        })
    });
    let syntax = match media.as_str() {
        // What a form type says of a document is a client's default, not a statement.
        "application/x-www-form-urlencoded" => looks_like.unwrap_or(Syntax::Form),
        "application/json" | "text/json" => Syntax::Json,
        "application/xml" | "text/xml" => Syntax::Xml,
        other if other.ends_with("+json") => Syntax::Json,
        other if other.ends_with("+xml") => Syntax::Xml,
        "" | "text/plain" => match looks_like {
            Some(syntax) => syntax,
            None if body.contains(&b'=') => Syntax::Form,
            None => return Err(malformed("the body is neither a form nor JSON nor XML")),
        },
        _ => {
            return Err(unsupported(
                "the Content-Type has no reader; send application/x-www-form-urlencoded, application/json, \
                 application/xml or text/xml",
            ));
        }
    };
    let fits = match syntax {
        Syntax::Form | Syntax::Text => true,
        Syntax::Json | Syntax::Xml => looks_like == Some(syntax),
    };
    if !fits {
        let is = if syntax == Syntax::Json { "JSON object" } else { "XML document" };
        return Err(malformed(&format!(
            "the Content-Type says that the body is a {is}, but it is not"
        )));
    }
    charset.transpose().map(|charset| (syntax, charset))
}

/// Returns the character set that the XML declaration names.
fn declared(body: &[u8]) -> Result<Charset, Refusal> {
    let Some(declaration) = body.trim_ascii_start().strip_prefix(b"<?xml") else {
        return Ok(Charset::Utf8);
    };
    let end = declaration.iter().position(|&byte| byte == b'>').unwrap_or(0);
    let declaration =
        declaration.get(..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("");
    let Some((_, after)) = declaration.split_once("encoding") else { return Ok(Charset::Utf8) };
    let after = after.trim_start().trim_start_matches('=').trim_start();
    let name = after.trim_start_matches(['"', '\'']).split(['"', '\'']).next().unwrap_or("");
    // Some platforms declare the UTF-16 of their own strings on what they send as UTF-8.
    if name.eq_ignore_ascii_case("utf-16") {
        return Ok(Charset::Utf8);
    }
    Charset::named(name).ok_or_else(|| {
        unsupported(
            "the XML declares an encoding without a reader; send UTF-8, ISO-8859-1 or windows-1252",
        )
    })
}

/// The characters of 0x80 to 0x9f; a space where there is none.
const WINDOWS_1252: [char; 32] = [
    '€', ' ', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', ' ', 'Ž', ' ', ' ', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', ' ', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> Option<char> {
    match byte.checked_sub(0x80) {
        Some(high @ 0..32) => WINDOWS_1252.get(usize::from(high)).copied().filter(|&c| c != ' '),
        _ => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FORM, JSON, XML, check, read, told};
    use crate::normalizer::Stage;

    #[test]
    fn the_content_type_is_believed_as_far_as_it_goes() {
        for (content_type, body) in [
            ("", "zip=33139"),
            ("", "{\"zip\":\"33139\"}"),
            ("", " <l><zip>33139</zip></l>"),
            ("text/plain", "zip=33139"),
            ("application/json; charset=utf-8", "\u{feff}{\"zip\":33139}"),
            ("application/vnd.lead+json", "{\"zip\":33139}"),
            ("application/soap+xml; charset=\"utf-8\"", "<l><zip>33139</zip></l>"),
            ("APPLICATION/XML", "\u{feff}<l><zip>33139</zip></l>"),
            (FORM, "{\"zip\":\"33139\"}"),
            (FORM, "xml=<l><zip>33139</zip></l>"),
            (FORM, "json={\"zip\":33139}&a=b"),
            (FORM, "zip=33139\r\n"),
        ] {
            check(content_type, body, "zip=33139");
        }
        check(JSON, "zip=33139", "!Malformed body");
        check(XML, "{\"zip\":33139}", "!Malformed body");
        check("text/plain", "33139", "!Malformed body");
        check("multipart/form-data; boundary=x", "--x", "!UnsupportedContentType body");
        check("application/json; charset=utf-7", "{\"zip\":33139}", "!UnsupportedContentType body");
        check(FORM, "", "!Malformed body");
    }

    #[test]
    fn characters_are_what_the_charset_says_or_nothing() {
        let city =
            |content_type: &str, body: &[u8]| told(&read(Stage::Ping, content_type, "", body));
        let expected = "zip=81212 city=Cañon";
        assert_eq!(city(FORM, b"zip=81212&city=Ca%C3%B1on"), expected);
        assert_eq!(
            city(
                "application/x-www-form-urlencoded; charset=ISO-8859-1",
                b"zip=81212&city=Ca%F1on"
            ),
            expected
        );
        assert_eq!(city(JSON, br#"{"zip":"81212","city":"Ca\u00f1on"}"#), expected);
        assert_eq!(city(XML, b"<?xml version='1.0' encoding='ISO-8859-1'?><l><zip>81212</zip><city>Ca\xf1on</city></l>"), expected);
        assert_eq!(
            city(
                "text/xml; charset=windows-1252",
                b"<?xml version='1.0' encoding='UTF-8'?><l zip='81212'><city>Ca\xf1on</city></l>"
            ),
            expected
        );
        assert_eq!(city(XML, b"<?xml version='1.0' encoding='utf-16'?><l><zip>81212</zip><city>Ca\xc3\xb1on</city></l>"), expected);
        for (content_type, body) in [
            (FORM, &b"zip=81212&city=Ca%F1on"[..]),
            (JSON, b"{\"zip\":\"81212\",\"city\":\"Ca\xf1on\"}"),
            (XML, b"<l><zip>81212</zip><city>Ca\xf1on</city></l>"),
            (JSON, b"{\"zip\":\"81212\",\"city\":\"\\ud800\"}"),
        ] {
            assert_eq!(city(content_type, body), "RefusalCode::Malformed body");
        }
        assert_eq!(city(JSON, b"\xff\xfe{\0}\0"), "RefusalCode::UnsupportedContentType body");
    }

    #[test]
    fn the_query_counts_and_must_not_contradict() {
        let with_query =
            |query: &str, body: &str| told(&read(Stage::Ping, FORM, query, body.as_bytes()));
        assert_eq!(with_query("zip=33139&gender=F", ""), "zip=33139 gender=female");
        assert_eq!(with_query("zip=33139", "zip=33139-0001&gender=F"), "zip=33139 gender=female");
        assert_eq!(with_query("zip=10001", "zip=33139"), "RefusalCode::ConflictingValues zip");
    }
}
