//! A page on its way out: a template with its places filled, under headers that let nothing foreign run.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::problem::Problem;

/// Answers with a page. Its scripts and styles carry a word that is new for every answer, so what is smuggled into the
/// page cannot run.
pub(in crate::server) fn page(html: &str) -> Result<Response, Problem> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "no randomness for a page");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the page cannot be made")
    })?;
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the page cannot be made")
    })?;
    let mut response = fill(html, &[("nonce", &nonce)]).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

const FIXED: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts HTML into the places of a template, such as `{{nonce}}`.
pub(in crate::server) fn fill(template: &str, places: &[(&str, &str)]) -> String {
    places.iter().fold(template.to_owned(), |page, (name, html)| {
        page.replace(&format!("{{{{{name}}}}}"), html)
    })
}

/// Returns text as HTML that shows it, in elements and in quoted attributes.
pub(in crate::server) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            plain => html.push(plain),
        }
    }
    html
}

/// Returns escaped text in which words between backticks are code.
pub(super) fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let html = parts.map(|(index, part)| match index % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    html.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape(r#"<img src=x onerror="a('b')">&"#),
            "&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;"
        );
        assert_eq!(prose("send `a<b` & wait"), "send <code>a&lt;b</code> &amp; wait");
    }

    #[test]
    fn only_what_carries_the_nonce_may_run() {
        let one = page("<script nonce={{nonce}}>").unwrap();
        let two = page("<script nonce={{nonce}}>").unwrap();
        let policy = |response: &Response| {
            response.headers()["content-security-policy"].to_str().unwrap().to_owned()
        };
        assert!(
            policy(&one).contains("default-src 'none'; script-src 'nonce-"),
            "{}",
            policy(&one)
        );
        assert!(!policy(&one).contains("unsafe"), "{}", policy(&one));
        assert_ne!(policy(&one), policy(&two));
        assert_eq!(one.headers()["x-content-type-options"], "nosniff");
        assert_eq!(one.headers()["referrer-policy"], "no-referrer");
    }
}
