//! Requests, worded step by step.

use super::tree::Tree;
use super::wit;
use super::write;

/// A request to the buyer's address.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    method: wit::Method,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl HttpRequest {
    /// A POST of this body.
    #[must_use]
    pub fn post(content_type: &str, body: impl Into<String>) -> Self {
        Self {
            method: wit::Method::Post,
            path: String::new(),
            query: String::new(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A POST of JSON.
    #[must_use]
    pub fn json(tree: &Tree) -> Self {
        let mut body = String::with_capacity(1_024);
        write::json(&mut body, tree);
        Self::post("application/json", body)
    }

    /// A POST of a form.
    #[must_use]
    pub fn form(tree: &Tree) -> Self {
        let mut body = String::with_capacity(1_024);
        write::form(&mut body, "", tree);
        // An empty form is a form, too, but nothing is not sent.
        let body = if body.is_empty() { "=".to_owned() } else { body };
        Self::post("application/x-www-form-urlencoded", body)
    }

    /// A POST of XML whose outermost tag is `root`.
    #[must_use]
    pub fn xml(root: &str, tree: &Tree) -> Self {
        Self::post("application/xml", document(root, tree))
    }

    /// A POST of a form in which one field, put behind the others, holds XML.
    #[must_use]
    pub fn xml_in_field(field: &str, root: &str, tree: &Tree, others: &Tree) -> Self {
        let mut form = others.clone();
        if form == Tree::Null {
            form = Tree::object();
        }
        form.set(field, document(root, tree));
        Self::form(&form)
    }

    /// A GET whose query are these pairs.
    #[must_use]
    pub fn get(tree: &Tree) -> Self {
        let mut request = Self::post("", "").query(tree);
        request.method = wit::Method::Get;
        request.headers.clear();
        request
    }

    /// Appends a path to the buyer's address, such as `/ping`.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Appends a query of these pairs.
    #[must_use]
    pub fn query(mut self, tree: &Tree) -> Self {
        write::form(&mut self.query, "", tree);
        self
    }

    /// Sends with PUT instead of POST.
    #[must_use]
    pub fn put(mut self) -> Self {
        self.method = wit::Method::Put;
        self
    }

    /// Adds a header; one of the same name is replaced.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn into_wit(self) -> wit::HttpRequest {
        let Self { method, path, query, headers, body } = self;
        let sign = match (query.is_empty(), path.contains('?')) {
            (true, _) => "",
            (false, false) => "?",
            (false, true) => "&",
        };
        let headers = headers.into_iter().map(|(name, value)| wit::Header { name, value });
        wit::HttpRequest {
            method,
            path: [path.as_str(), sign, &query].concat(),
            headers: headers.collect(),
            body: body.into_bytes(),
        }
    }
}

fn document(root: &str, tree: &Tree) -> String {
    let mut body = String::with_capacity(1_024);
    body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    write::xml(&mut body, root, tree);
    body
}
