//! What is written and read, in tables.

use super::write;
use super::*;

fn answer(status: u16, body: &[u8]) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.to_vec() }
}

fn ping(body: &str) -> String {
    match Reading::ANY.ping_reply(&answer(200, body.as_bytes())) {
        PingReply::Bid(Bid { amount, handle, .. }) => {
            format!("{} {}", money(amount, 2), handle.unwrap_or_default()).trim_end().to_owned()
        }
        PingReply::NoBid(reason) => format!("no: {}", reason.unwrap_or_default()),
        PingReply::Invalid(why) => format!("invalid: {why}"),
    }
}

fn post(status: u16, body: &str) -> String {
    match Reading::ANY.post_reply(&answer(status, body.as_bytes())) {
        PostReply::Sold(reference) => format!("sold {}", reference.unwrap_or_default()),
        PostReply::Rejected(reason) => format!("rejected: {reason}"),
        PostReply::Duplicate(reason) => format!("duplicate: {reason}"),
        PostReply::Unknown(why) => format!("unknown: {why}"),
    }
}

#[test]
fn prices_are_exact_whatever_they_look_like() {
    for (text, expected) in [
        ("12.50", Some(12_500_000)),
        ("$1,250", Some(1_250_000_000)),
        ("8.5 USD", Some(8_500_000)),
        ("USD 8", Some(8_000_000)),
        ("0.00", Some(0)),
        ("41", Some(41_000_000)),
        ("1.8e1", Some(18_000_000)),
        ("0.12345678", Some(123_456)),
        ("-3", Some(-3_000_000)),
        ("1,250.00", Some(1_250_000_000)),
        ("€12.50", Some(12_500_000)),
        ("12,50", None),
        ("12,500", None),
        ("€12,500", None),
        ("1.250,00", None),
        ("1k", None),
        ("$1.5M", None),
        ("up to 50", None),
        ("12.50 - 15.00", None),
        ("free", None),
        ("", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(price(text), expected, "{text}");
    }
    assert_eq!(money(12_345_678, 2), "12.34");
    assert_eq!(money(12_345_678, 0), "12");
    assert_eq!(money(-500_000, 6), "-0.500000");
}

#[test]
fn words_are_compared_without_case_and_punctuation() {
    for (pattern, text, expected) in [
        ("matched", "Matched", true),
        ("matched", "Unmatched", false),
        ("post valid", "POST_VALID", true),
        ("*duplicate*", "A Duplicate-lead", true),
        ("post reject*", "POST_REJECT_INVALID", true),
        ("post reject*", "POST_VALID", false),
        ("a*b*c", "a x b y c", true),
        ("a*b*c", "a x c", false),
        ("-2", "-2", true),
        ("-2", "2", false),
        ("-*", "1", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn days_and_numbers_are_written_as_a_buyer_wants_them() {
    for (pattern, expected) in [
        ("YYYY-MM-DD", "1985-04-02"),
        ("MM/DD/YYYY", "04/02/1985"),
        ("M/D/YY", "4/2/85"),
        ("YYYYMMDD", "19850402"),
        ("on DD.MM.", "on 02.04."),
    ] {
        assert_eq!(date(5_570, pattern), expected);
    }
    assert_eq!(date(-1, "YYYY-MM-DD"), "1969-12-31");
    assert_eq!(digits("+1 (202) 555-0107"), "2025550107");
    assert_eq!(digits("911"), "911");
}

#[test]
fn a_tree_is_written_in_every_syntax() {
    let mut tree = Tree::object();
    tree.set("Lead.Zip", "90 210");
    tree.set("person/name", "A \"B\" & <C>\n");
    tree.set("person/@kind", "x&y");
    tree.set("cars/0/year", 2_019_i64);
    tree.set("cars/1/year", 2_020_i64);
    tree.set("tags", vec![Tree::from("a"), Tree::from("b")]);
    tree.set("absent", None::<&str>);
    tree.set("yes", true);
    let mut json = String::new();
    write::json(&mut json, &tree);
    assert_eq!(
        json,
        r#"{"Lead.Zip":"90 210","person":{"name":"A \"B\" & <C>\n","@kind":"x&y"},"cars":[{"year":2019},{"year":2020}],"tags":["a","b"],"yes":true}"#
    );
    let mut form = String::new();
    write::form(&mut form, "", &tree);
    assert_eq!(
        form,
        "Lead.Zip=90+210&person.name=A+%22B%22+%26+%3CC%3E%0A&person.%40kind=x%26y&cars.0.year=2019&cars.1.year=2020&tags=a&tags=b&yes=true"
    );
    let mut xml = String::new();
    write::xml(&mut xml, "lead", &tree);
    assert_eq!(
        xml,
        "<lead><Lead.Zip>90 210</Lead.Zip><person kind=\"x&amp;y\"><name>A &quot;B&quot; &amp; &lt;C&gt;</name></person>\
         <cars><year>2019</year></cars><cars><year>2020</year></cars><tags>a</tags><tags>b</tags><yes>true</yes></lead>"
    );
}

#[test]
fn what_is_written_is_read_back() {
    let mut tree = Tree::object();
    tree.set("person/name", "Zoë \\ \"Q\" & <R>");
    tree.set("list", vec![Tree::from("a"), Tree::from("b")]);
    let mut json = String::new();
    write::json(&mut json, &tree);
    assert_eq!(*Answer::read(&answer(200, json.as_bytes())).tree(), tree);
    let mut xml = String::new();
    write::xml(&mut xml, "r", &tree);
    let read = Answer::read(&answer(200, xml.as_bytes()));
    assert_eq!(read.tree().get("r"), Some(&tree));
}

#[test]
fn answers_are_found_in_what_is_not_quite_their_syntax() {
    for (body, path, expected) in [
        (r#"{"a": {"Lead_ID": 7}}"#, "leadid", Some("7")),
        (r#"{"bids": [{"price": 1}, {"price": 2.50}]}"#, "bids/1/price", Some("2.50")),
        ("{'status': 'ok', price: 3.5,}", "price", Some("3.5")),
        ("<b>Warning</b>: x in /y\n{\"id\": \"9\"}", "id", Some("9")),
        ("{\"a\": \"\\u00e9\\ud83d\\ude00\"}", "a", Some("é😀")),
        ("{\"a\": [1, {\"b\": tru", "b", Some("tru")),
        ("<r xmlns='u'><n:Code a=\"1\">0</n:Code></r>", "code", Some("0")),
        ("<r><a/><b><![CDATA[x < y]]></b></r>", "b", Some("x < y")),
        ("<r><a>1</a><a>2</a></r>", "a/1", Some("2")),
        ("<r><open>text", "open", Some("text")),
        ("<r x=\"1\"/>", "@x", Some("1")),
        ("status=ok&price=4%2e5+", "price", Some("4.5")),
        ("status: ok\nprice: 5", "price", Some("5")),
        ("Rejected: no cover", "", Some("Rejected: no cover")),
        ("Rejected: {\"id\": 1}", "id", None),
        ("<br />\n<b>Notice</b>: x<br />\n{\"id\": 1}", "id", Some("1")),
        ("<b>Rejected</b>\n{\"id\": 1}", "id", None),
        ("<?xml version='1.0'?><!DOCTYPE html><html><id>1</id></html>", "id", None),
        ("<r><id xsi:nil=\"true\"/></r>", "id", None),
        (r#"{"id": {"id": 7}}"#, "/id/id", Some("7")),
        (r#"{"a": {"id": 7}}"#, "/id", None),
        (r#"{"a": [{"b": 1}, {"id": 7}]}"#, "a/id", Some("7")),
        ("POST_VALID\n", "", Some("POST_VALID")),
        ("{}", "", None),
        ("<!DOCTYPE html><html>status</html>", "status", None),
    ] {
        assert_eq!(Answer::read(&answer(200, body.as_bytes())).find(path), expected, "{body}");
    }
    let latin = Answer::read(&answer(200, b"<r><a>caf\xe9</a></r>"));
    assert_eq!(latin.find("a"), Some("café"));
}

#[test]
fn hostile_answers_end() {
    for body in ["[".repeat(100_000), "<a>".repeat(50_000), "{\"a\":".repeat(50_000)] {
        assert_eq!(ping(&body), "invalid: the answer does not say whether the buyer bids");
    }
    let wide = format!("[{}]", "1,".repeat(50_000));
    assert_eq!(post(200, &wide), "unknown: the answer does not say what became of the lead");
}

#[test]
fn most_dialects_are_read_without_a_table() {
    for (body, expected) in [
        ("<r><status>Matched</status><lead_id>1</lead_id><price>42.00</price></r>", "42.00 1"),
        (r#"{"Success": true, "Payout": 8.5, "TransactionId": "t"}"#, "8.50 t"),
        (
            r#"{"status":"ACCEPTED","bids":[{"bid_id":"b2","payout":"12.5"},{"bid_id":"b1","payout":18.0}]}"#,
            "18.00 b1",
        ),
        (r#"{"accepted": true, "price": 0}"#, "no: a price of zero"),
        (r#"{"accepted": false, "reason": "filtered"}"#, "no: filtered"),
        (r#"{"status": "rejected", "reason": "duplicate"}"#, "no: duplicate: duplicate"),
        (r#"{"status": "accepted"}"#, "invalid: the answer says yes and names no price"),
        (r#"{"status": "accepted", "price": "soon"}"#, "invalid: the price `soon` is no amount"),
        (r#"{"status": "hmm"}"#, "invalid: `status` is `hmm`, which is no verdict"),
        (r#"{"status": "accepted", "payout": 10, "lead": {"car": {"price": 39000}}}"#, "10.00"),
        (r#"{"status": "accepted", "price": [5, 9]}"#, "invalid: the answer names two prices"),
        (
            r#"{"status": "accepted", "price": "5 EUR", "currency": "USD"}"#,
            "invalid: the price is in `EUR` and not in `USD`",
        ),
        (r#"{"status": "accepted", "bids": []}"#, "no: no bids"),
        (r#"{"status": "accepted", "bids": [{"status": "rejected", "price": 9}]}"#, "no: no bids"),
        (
            r#"{"status": "accepted", "bids": [{"error": "full", "price": 9}]}"#,
            "invalid: the answer says both a bid and an error",
        ),
        (r#"{"bids": [{"accepted": true, "price": 9, "id": "b"}]}"#, "9.00 b"),
        (
            r#"{"bids": [{"accepted": true, "price": 9}], "sta"#,
            "invalid: the answer does not say whether the buyer bids",
        ),
        ("", "invalid: the answer does not say whether the buyer bids"),
    ] {
        assert_eq!(ping(body), expected, "{body}");
    }
}

#[test]
fn what_is_not_certain_at_the_post_is_unknown() {
    for (status, body, expected) in [
        (200, r#"{"status": "sold", "id": "L-1"}"#, "sold L-1"),
        (201, r#"{"response": "failure", "details": "Quota Reached"}"#, "rejected: Quota Reached"),
        (200, r#"{"status": "error", "message": "oops"}"#, "unknown: the buyer had an error: oops"),
        (
            200,
            r#"{"success": true, "error": "disk full"}"#,
            "unknown: the answer says both yes and an error",
        ),
        (
            200,
            r#"{"success": true, "status": "rejected"}"#,
            "unknown: the answer says both yes and no",
        ),
        (200, r#"{"success": true, "errors": []}"#, "sold "),
        (200, "thank you", "unknown: the answer does not say what became of the lead"),
        (200, r#"{"success": false, "message": "Duplicate lead"}"#, "duplicate: Duplicate lead"),
        (200, r#"{"success": true, "error": {"code": 0, "message": ""}}"#, "sold "),
        (200, r#"{"success": true, "errors": "0", "duplicate": false}"#, "sold "),
        (409, "", "duplicate: answered 409"),
        (422, r#"{"message": "zip"}"#, "rejected: zip"),
        (400, r#"{"status": "accepted"}"#, "unknown: answered 400, but says yes"),
    ] {
        assert_eq!(post(status, body), expected, "{status} {body}");
    }
}

#[test]
fn a_request_is_one_step_after_the_other() {
    let mut pairs = Tree::object();
    pairs.set("zip", "90210");
    let get = HttpRequest::get(&pairs).at("/ask").header("X-A", "1").header("x-a", "2").into_wit();
    assert_eq!((get.path.as_str(), get.body.len(), get.headers.len()), ("/ask?zip=90210", 0, 1));
    let put = HttpRequest::json(&pairs).at("/a?b=c").query(&pairs).put().into_wit();
    assert_eq!(put.path, "/a?b=c&zip=90210");
    let field = HttpRequest::xml_in_field("xml", "lead", &pairs, &Tree::Null).into_wit();
    assert!(field.body.starts_with(b"xml=%3C%3Fxml+version"), "{:?}", field.body);
    assert_eq!(HttpRequest::form(&Tree::Null).into_wit().body, b"=");
}

#[test]
fn an_answer_that_says_two_things_is_unknown() {
    for body in [
        r#"{"status": "accepted", "status": "rejected"}"#,
        r#"{"status": "rejected", "status": "accepted"}"#,
        r#"{"status": "accepted", "Status": "rejected"}"#,
        r#"{"status": ["accepted", "rejected"]}"#,
        r#"{"status": "success", "results": [{"status": "rejected"}]}"#,
        r#"[{"status": "accepted"}, {"status": "rejected"}]"#,
        r#"{"success": true, "rejected": true}"#,
        r#"{"accepted": true, "duplicate": true}"#,
        "status=accepted&status=rejected",
        "<r><status>Accepted</status><status>Rejected</status></r>",
        r#"{"success": true, "errors": {"zip": ["invalid"]}}"#,
        r#"{"success": true, "errors": [{"field": "zip"}]}"#,
        r#"{"success": true, "error": 7}"#,
        r#"{"error": false, "success": true, "errors": ["Missing zip"]}"#,
        "<r><success>true</success><error><code>7</code></error></r>",
        r#"{"success": true, "sta"#,
        r#"{"success": true} {"success": false}"#,
        r#"{"success": true} but rejected"#,
        "<r><success>true</success>",
        r#"REJECTED: {"success": true}"#,
        r#"<!doctype html><script>var cfg={"status":"success"}</script>"#,
        "<html><style>body{status:success}</style></html>",
    ] {
        let told = post(200, body);
        assert!(told.starts_with("unknown: "), "{body}: {told}");
    }
    assert_eq!(post(200, "Rejected: No coverage"), "rejected: Rejected: No coverage");
    assert_eq!(post(200, "Rejected: Duplicate lead"), "duplicate: Rejected: Duplicate lead");
}

#[test]
fn a_dialect_says_what_a_status_a_word_and_a_currency_mean() {
    let dialect = Reading {
        verdict: &["code"],
        yes: &["1"],
        no: &["*"],
        yes_status: &[201],
        no_status: &[404],
        currency_expected: Some("USD"),
        ..Reading::ANY
    };
    let post = |status, body: &str| dialect.post_reply(&answer(status, body.as_bytes()));
    assert!(matches!(post(200, r#"{"code": 1}"#), PostReply::Sold(None)));
    assert!(matches!(post(200, r#"{"code": 2}"#), PostReply::Rejected(_)));
    assert!(matches!(post(201, ""), PostReply::Sold(None)));
    assert!(matches!(post(200, ""), PostReply::Unknown(_)));
    let ping = |status, body: &str| dialect.ping_reply(&answer(status, body.as_bytes()));
    assert!(matches!(ping(404, r#"{"message": "nobody"}"#), PingReply::NoBid(Some(_))));
    assert!(matches!(ping(404, r#"{"code": 1, "price": 1}"#), PingReply::Invalid(_)));
    assert!(matches!(ping(204, ""), PingReply::NoBid(None)));
    for (price, bids) in
        [("5 USD", true), ("$5", true), ("5", true), ("5 EUR", false), ("€5", false)]
    {
        let reply = ping(200, &format!(r#"{{"code": 1, "price": "{price}"}}"#));
        assert_eq!(matches!(reply, PingReply::Bid(_)), bids, "{price} {reply:?}");
    }
}
