//! Random criteria over random leads, compared with Kleene's logic written down plainly over the JSON.

use std::cmp::Ordering;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Criteria, Lists};
use crate::lead::{self, Field, Kind, Lead, PingView, Schema};

const WEST: [&str; 2] = ["CA", "NV"];

pub(super) fn schema() -> Schema {
    let field = |name: &str, kind: Kind| Field {
        name: name.to_owned(),
        kind,
        required_on_ping: false,
        required_on_post: false,
        contact: name == "email",
        binding: false,
        allowed: if name == "state" {
            ["CA", "TX", "NV"].map(str::to_owned).into()
        } else {
            Vec::new()
        },
        description: String::new(),
    };
    let fields = vec![
        field("state", Kind::Text),
        field("zip", Kind::Text),
        field("age", Kind::Integer),
        field("income", Kind::Decimal),
        field("home_owner", Kind::Boolean),
        field("email", Kind::Text),
        field("insured_since", Kind::Date),
        field("interests", Kind::Texts),
    ];
    Schema::new("auto", (1, 0), String::new(), fields).unwrap()
}

pub(super) fn lists() -> Lists {
    let mut lists = Lists::default();
    lists.insert("west", &WEST.map(str::to_owned)).unwrap();
    lists
}

pub(super) fn lead(values: &Value) -> PingView {
    lead_of(&Arc::new(schema()), values)
}

pub(super) fn lead_of(schema: &Arc<Schema>, values: &Value) -> PingView {
    let value = |field: &Field| {
        values.get(&field.name).map(|json| lead::Value::from_json(field.kind, json).unwrap())
    };
    Lead::new(Arc::clone(schema), schema.fields().iter().map(value).collect()).ping_view()
}

/// Says whether the criteria hold of the lead; `None` is unknown.
fn kleene(criteria: &Value, lead: &Value) -> Option<bool> {
    let object = criteria.as_object().unwrap();
    let parts = |parts: &Value| {
        parts.as_array().unwrap().iter().map(|part| kleene(part, lead)).collect::<Vec<_>>()
    };
    if let Some(all) = object.get("all") {
        let truths = parts(all);
        return if truths.contains(&Some(false)) {
            Some(false)
        } else {
            truths.into_iter().try_fold(true, |_, truth| truth)
        };
    }
    if let Some(any) = object.get("any") {
        let truths = parts(any);
        return if truths.contains(&Some(true)) {
            Some(true)
        } else {
            truths.into_iter().try_fold(false, |_, truth| truth)
        };
    }
    if let Some(not) = object.get("not") {
        return kleene(not, lead).map(|truth| !truth);
    }
    let field = object["field"].as_str().unwrap();
    let (operator, operand) = object.iter().find(|(key, _)| *key != "field").unwrap();
    let value = lead.get(field);
    if operator == "is_null" {
        return Some(value.is_none() == operand.as_bool().unwrap());
    }
    let value = value?;
    let with = |operand: &Value| compare(field, value, operand);
    let named: Value = json!(WEST);
    let items = operand.get("list").map_or(operand, |_| &named).as_array();
    let has = |text: &Value| value.as_array().unwrap().contains(text);
    Some(match operator.as_str() {
        "eq" => with(operand).is_eq(),
        "ne" => with(operand).is_ne(),
        "lt" => with(operand).is_lt(),
        "lte" => with(operand).is_le(),
        "gt" => with(operand).is_gt(),
        "gte" => with(operand).is_ge(),
        "between" => with(&operand[0]).is_ge() && with(&operand[1]).is_le(),
        "in" => items.unwrap().iter().any(|item| with(item).is_eq()),
        "not_in" => items.unwrap().iter().all(|item| with(item).is_ne()),
        "any_of" => items.unwrap().iter().any(has),
        "all_of" => items.unwrap().iter().all(has),
        "none_of" => !items.unwrap().iter().any(has),
        _ => panic!("{operator}"),
    })
}

fn compare(field: &str, value: &Value, operand: &Value) -> Ordering {
    match (value, operand) {
        (Value::Number(value), Value::Number(operand)) => value.as_i64().cmp(&operand.as_i64()),
        (Value::Bool(value), Value::Bool(operand)) => value.cmp(operand),
        (Value::String(value), Value::String(operand)) if field == "income" => {
            value.parse::<f64>().unwrap().total_cmp(&operand.parse().unwrap())
        }
        (Value::String(value), Value::String(operand)) => value.cmp(operand),
        _ => panic!("{value} {operand}"),
    }
}

/// Returns a few values of a field, so that conditions and leads often meet.
fn values(field: &str) -> Vec<Value> {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
    match field {
        "state" => texts(&["CA", "TX", "NV"]),
        "zip" => texts(&["CA", "a\"b\\", "ü\n", ""]),
        "source" => texts(&["web-1", "web-2"]),
        "income" => texts(&["-1.5", "0", "0.000001", "7", "7.25"]),
        "insured_since" => texts(&["1969-12-31", "1970-01-01", "2024-02-29"]),
        "home_owner" => vec![true.into(), false.into()],
        "interests" => texts(&["CA", "boats", "golf"]),
        _ => [i64::MIN, -1, 0, 1, 2, i64::MAX].map(Into::into).into(),
    }
}

fn conditions() -> impl Strategy<Value = Value> {
    let orders = vec!["eq", "ne", "lt", "lte", "gt", "gte", "between", "in", "not_in", "is_null"];
    let words = vec!["eq", "ne", "in", "not_in", "list", "is_null"];
    let fields = vec![
        ("state", words.clone()),
        ("zip", words.clone()),
        ("source", words),
        ("age", orders.clone()),
        ("income", orders.clone()),
        ("insured_since", orders),
        ("home_owner", vec!["eq", "ne", "is_null"]),
        ("interests", vec!["any_of", "all_of", "none_of", "list", "is_null"]),
    ];
    select(fields).prop_flat_map(|(field, operators)| {
        let some = prop::collection::vec(select(values(field)), 2..4);
        (select(operators), some, any::<bool>()).prop_map(move |(operator, mut some, yes)| {
            match operator {
                "is_null" => json!({"field": field, "is_null": yes}),
                "list" if field == "interests" => {
                    json!({"field": field, "none_of": {"list": "west"}})
                }
                "list" => {
                    json!({"field": field, (if yes { "in" } else { "not_in" }): {"list": "west"}})
                }
                "between" => {
                    some.sort_by(|a, b| compare(field, a, b));
                    json!({"field": field, "between": [some[0], some[1]]})
                }
                "in" | "not_in" | "any_of" | "all_of" | "none_of" => {
                    json!({"field": field, operator: some})
                }
                _ => json!({"field": field, operator: some[0]}),
            }
        })
    })
}

fn criteria() -> impl Strategy<Value = Value> {
    conditions().prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({"all": parts})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({"any": parts})),
            inner.prop_map(|part| json!({"not": part})),
        ]
    })
}

prop_compose! {
    fn leads()(
        state in prop::option::of(select(values("state"))),
        zip in prop::option::of(select(values("zip"))),
        source in select(values("source")),
        age in prop::option::of(select(values("age"))),
        income in prop::option::of(select(values("income"))),
        insured_since in prop::option::of(select(values("insured_since"))),
        home_owner in prop::option::of(select(values("home_owner"))),
        interests in prop::option::of(prop::sample::subsequence(values("interests"), 0..4)),
    ) -> Value {
        let mut lead = json!({
            "state": state, "zip": zip, "source": source, "age": age, "income": income,
            "insured_since": insured_since, "home_owner": home_owner, "interests": interests,
        });
        lead.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        lead
    }
}

fn read(json: &Value) -> Option<Criteria> {
    match Criteria::from_json(json, &schema(), &lists()) {
        Ok(criteria) => Some(criteria),
        Err(error) => {
            assert!(error.message.starts_with("there are more than 64 conditions"), "{error}");
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn only_what_is_certainly_true_matches(json in criteria(), leads in prop::collection::vec(leads(), 20)) {
        let Some(criteria) = read(&json) else { return Ok(()) };
        for values in leads {
            let (view, source) = (lead(&values), values["source"].as_str().unwrap());
            let expected = kleene(&json, &values);
            prop_assert_eq!(criteria.matches(&view, source), expected == Some(true), "{} {}", json, values);
            prop_assert_eq!(criteria.expression().is(false, &view, source), expected == Some(false));
            prop_assert_eq!(criteria.first_unmet(&view, source).is_none(), expected == Some(true));
        }
    }

    #[test]
    fn both_spellings_read_back_as_they_were_written(json in criteria()) {
        let Some(criteria) = read(&json) else { return Ok(()) };
        let text = criteria.to_text();
        prop_assert_eq!(&Criteria::from_text(&text, &schema(), &lists()).unwrap(), &criteria, "{}", text);
        prop_assert_eq!(Criteria::from_json(&criteria.to_json(), &schema(), &lists()).unwrap(), criteria);
    }

    #[test]
    fn no_text_makes_the_reader_stumble(text in "[a-z0-9 \"\\\\@()\\[\\],.<>=!&|ü-]{0,40}") {
        let words = [("q", "age "), ("w", " in "), ("z", "zip "), ("x", " and "), ("k", " not "), ("j", " between ")];
        let text = words.iter().fold(text, |text, (letter, word)| text.replace(letter, word));
        if let Err(error) = Criteria::from_text(&text, &schema(), &lists()) {
            let offset: usize = error.at.strip_prefix("offset ").unwrap().parse().unwrap();
            prop_assert!(offset <= text.len() && text.is_char_boundary(offset));
        }
    }
}
