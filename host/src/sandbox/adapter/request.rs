//! HTTP messages between adapters and buyers, and what a request of an adapter may hold.

use std::fmt;

use super::wit;
use crate::sandbox::call::Forfeit;

/// The most that a request appends to the buyer's address, in bytes: a whole lead in a query.
pub const PATH_BYTES_MAX: usize = 8_192;
/// The most headers of a request.
pub const HEADERS_MAX: usize = 32;
/// The longest name of a header, in bytes.
pub const HEADER_NAME_BYTES_MAX: usize = 64;
/// The longest value of a header, in bytes.
pub const HEADER_VALUE_BYTES_MAX: usize = 4_096;
/// The longest body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Headers about the connection, the message's length and the attempt: the exchange sets them.
const KEPT_HEADERS: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];
/// What the names of others of them begin with.
const KEPT_PREFIXES: [&str; 4] = ["proxy-", "x-forwarded-", "x-gavel-", ":"];

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
}

impl Method {
    /// Returns the word of HTTP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// What is sent to a buyer. One that an adapter worded is checked: the path stays below the buyer's address, the headers
/// are none of the exchange's, and everything is within its limits.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: Method,
    /// What is appended to the buyer's address: empty, `?query`, `/path` or `/path?query`.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Says the sizes only: it may hold the lead.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("path_bytes", &self.path.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a buyer answered: the names of the headers in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Says the status and the size only: it may repeat the lead.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl From<&HttpResponse> for wit::HttpResponse {
    fn from(response: &HttpResponse) -> Self {
        let headers = response
            .headers
            .iter()
            .map(|(name, value)| wit::Header { name: name.clone(), value: value.clone() });
        Self { status: response.status, headers: headers.collect(), body: response.body.clone() }
    }
}

/// Takes a request as far as it may be sent.
pub(super) fn check(request: wit::HttpRequest) -> Result<HttpRequest, Forfeit> {
    let wit::HttpRequest { method, path, headers, body } = request;
    let method = match method {
        wit::Method::Get => Method::Get,
        wit::Method::Post => Method::Post,
        wit::Method::Put => Method::Put,
    };
    check_path(&path).map_err(|fault| refused(&format!("its path {fault}")))?;
    if headers.len() > HEADERS_MAX {
        let found = headers.len();
        return Err(refused(&format!(
            "it has {found} headers, and at most {HEADERS_MAX} are possible"
        )));
    }
    for (place, header) in (1_usize..).zip(&headers) {
        check_header(header).map_err(|fault| refused(&format!("its header {place} {fault}")))?;
    }
    if body.len() > BODY_BYTES_MAX {
        let found = body.len();
        return Err(refused(&format!(
            "its body has {found} bytes, and at most {BODY_BYTES_MAX} are possible"
        )));
    }
    match (method, body.is_empty()) {
        (Method::Get, false) => {
            return Err(refused("a GET has no body: put it into the path's query"));
        }
        (Method::Post | Method::Put, true) => return Err(refused("its body is empty")),
        _ => (),
    }
    let headers =
        headers.into_iter().map(|header| (header.name.to_ascii_lowercase(), header.value));
    Ok(HttpRequest { method, path, headers: headers.collect(), body })
}

fn refused(fault: &str) -> Forfeit {
    Forfeit::BadOutput(fault.to_owned())
}

fn check_path(path: &str) -> Result<(), String> {
    if path.len() > PATH_BYTES_MAX {
        let found = path.len();
        return Err(format!("has {found} bytes, and at most {PATH_BYTES_MAX} are possible"));
    }
    if path.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("holds a line break or another control character: percent-escape it".to_owned());
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic() && !br#"#\"<>^`{|}"#.contains(&byte)) {
        return Err(
            "holds a space, `#`, `\\` or another sign that is not for addresses: percent-escape it"
                .to_owned(),
        );
    }
    if path.starts_with("//") {
        return Err("begins with `//`, which names another host".to_owned());
    }
    if !path.is_empty() && !path.starts_with(['/', '?']) {
        return Err("begins with neither `/` nor `?`: no other is asked than the buyer's address"
            .to_owned());
    }
    let (steps, _) = path.split_once('?').unwrap_or((path, ""));
    let steps =
        steps.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    if steps.split('/').any(|step| step == "." || step == "..") {
        return Err("has a step `.` or `..`: it must stay below the buyer's address".to_owned());
    }
    Ok(())
}

/// Says whether a header, by its name in lower case, is the exchange's to set.
pub fn is_kept_header(lower: &str) -> bool {
    kept_header(lower).is_some()
}

fn kept_header(lower: &str) -> Option<&'static str> {
    let mut kept = KEPT_HEADERS.iter().chain(&KEPT_PREFIXES).copied();
    kept.find(
        |kept| {
            if kept.ends_with(['-', ':']) { lower.starts_with(*kept) } else { lower == *kept }
        },
    )
}

fn check_header(header: &wit::Header) -> Result<(), String> {
    let wit::Header { name, value } = header;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let lower = name.to_ascii_lowercase();
    // Only names of this list are repeated: another may hold anything.
    if let Some(kept) = kept_header(&lower) {
        return Err(format!("is `{kept}`, which the exchange sets itself: leave it out"));
    }
    if name.is_empty() || name.len() > HEADER_NAME_BYTES_MAX || !name.bytes().all(token) {
        return Err(format!(
            "has a name that HTTP does not allow: 1 to {HEADER_NAME_BYTES_MAX} letters, digits and `-`"
        ));
    }
    if value.len() > HEADER_VALUE_BYTES_MAX {
        let found = value.len();
        return Err(format!(
            "has a value of {found} bytes, and at most {HEADER_VALUE_BYTES_MAX} are possible"
        ));
    }
    if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err("has a value with a line break, a control character or a letter beyond ASCII"
            .to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> wit::HttpRequest {
        let (method, body) = (wit::Method::Post, b"x".to_vec());
        wit::HttpRequest { method, path: path.to_owned(), headers: Vec::new(), body }
    }

    #[track_caller]
    fn check_fault(worded: wit::HttpRequest, expected: &str) {
        match check(worded) {
            Ok(_) => assert_eq!(expected, ""),
            Err(forfeit) => {
                let said = forfeit.to_string();
                assert!(!expected.is_empty() && said.contains(expected), "{said}");
            }
        }
    }

    #[test]
    fn a_path_stays_below_the_buyers_address() {
        for path in ["", "?a=b", "/x", "/x/y.json?a=../..&b=//c", "/...", "/%20x?%0d%0a"] {
            check_fault(request(path), "");
        }
        for (path, expected) in [
            ("//evil.example.com/x", "names another host"),
            ("https://evil.example.com/", "no other is asked"),
            ("@evil.example.com", "no other is asked"),
            (":8080/x", "no other is asked"),
            ("x", "no other is asked"),
            ("/a/../b", "must stay below"),
            ("/a/%2E%2e/b", "must stay below"),
            ("/a%2f..%2fb", "must stay below"),
            ("/a/..%5Cb", "must stay below"),
            ("/.", "must stay below"),
            ("/a b", "percent-escape"),
            ("/a#b", "percent-escape"),
            ("/\\evil", "percent-escape"),
            ("/é", "percent-escape"),
            ("/a\r\nx: y", "line break"),
        ] {
            check_fault(request(path), expected);
        }
        check_fault(request(&format!("/{}", "a".repeat(PATH_BYTES_MAX - 1))), "");
        check_fault(request(&format!("/{}", "a".repeat(PATH_BYTES_MAX))), "has 8193 bytes");
    }

    #[test]
    fn headers_are_the_adapters_own() {
        let with = |name: &str, value: &str| {
            let header = wit::Header { name: name.to_owned(), value: value.to_owned() };
            wit::HttpRequest { headers: vec![header], ..request("") }
        };
        check_fault(with("X-Api-Key", "k 1"), "");
        check_fault(with("authorization", "Token x"), "");
        for name in ["Host", "Content-Length", "transfer-encoding", "Idempotency-Key", "Proxy-X"] {
            check_fault(with(name, "x"), "which the exchange sets itself");
        }
        check_fault(with(":path", "x"), "which the exchange sets itself");
        for name in ["", "a b", "a:b", "a\r\nhost", "naïve", &"n".repeat(65)] {
            check_fault(with(name, "x"), "a name that HTTP does not allow");
        }
        for value in ["a\r\nhost: b", "a\nb", "\u{0}", "naïve"] {
            check_fault(with("x-a", value), "a value with a line break");
        }
        check_fault(with("x-a", &"v".repeat(HEADER_VALUE_BYTES_MAX + 1)), "a value of 4097 bytes");
        let many = vec![wit::Header { name: "x".into(), value: "y".into() }; HEADERS_MAX + 1];
        check_fault(wit::HttpRequest { headers: many, ..request("") }, "it has 33 headers");
    }

    #[test]
    fn a_body_is_there_when_the_method_says_so() {
        let get = wit::HttpRequest { method: wit::Method::Get, ..request("?a=b") };
        check_fault(get, "a GET has no body");
        check_fault(wit::HttpRequest { body: Vec::new(), ..request("") }, "its body is empty");
        let large = vec![b'x'; BODY_BYTES_MAX + 1];
        check_fault(wit::HttpRequest { body: large, ..request("") }, "its body has 262145 bytes");
    }
}
