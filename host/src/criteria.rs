//! What a campaign declares it wants, checked against its vertical's schema when it is made and never changed after.
//!
//! There is one meaning and two spellings, [text](Criteria::from_text) for people and [JSON](Criteria::from_json) for
//! programs. A condition on a field that the lead lacks is unknown, and only what is true matches. Criteria can name
//! nothing that says who the person is.

mod check;
mod json;
mod print;
mod text;
mod tree;

#[cfg(test)]
mod reference;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::ids::CampaignId;
use crate::lead::{PingView, Schema};
use print::{Length, Printed};

pub use tree::{Comparison, Condition, Expression, Quantifier, SOURCE, Subject, Test, Words};

/// The most conditions in one campaign's criteria.
pub const CONDITIONS_MAX: usize = 64;
/// The most levels of nesting; a condition alone is one.
pub const DEPTH_MAX: usize = 8;
/// The most items in a list, named or not.
pub const LIST_ITEMS_MAX: usize = 10_000;

/// A campaign's criteria. A clone shares them.
#[derive(Clone)]
pub struct Criteria(Arc<Checked>);

struct Checked {
    expression: Expression,
    fields: Box<[Box<str>]>,
}

/// What is wrong with criteria, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if at.is_empty() { String::new() } else { format!("at {at}: ") })]
pub struct CriteriaError {
    /// `offset 17`, in bytes, for text; a JSON pointer for JSON, empty for the whole.
    pub at: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Criteria {
    /// Reads `state in ["CA", "TX"] and age between 25 and 64`.
    pub fn from_text(text: &str, schema: &Schema, lists: &Lists) -> Result<Self, CriteriaError> {
        text::read(text, schema, lists).map(Self::new)
    }

    /// Reads `{"all": [{"field": "state", "in": ["CA", "TX"]}, {"field": "age", "between": [25, 64]}]}`.
    pub fn from_json(
        json: &serde_json::Value,
        schema: &Schema,
        lists: &Lists,
    ) -> Result<Self, CriteriaError> {
        json::read(json, schema, lists).map(Self::new)
    }

    /// Criteria that every lead matches: `true`, or `{"all": []}`.
    pub fn any() -> Self {
        Self::new(Expression::All([].into()))
    }

    fn new(expression: Expression) -> Self {
        let mut fields: Vec<Box<str>> = Vec::new();
        expression.visit(&mut |condition| {
            if let Subject::Field { name, .. } = &condition.subject
                && !fields.contains(name)
            {
                fields.push(name.clone());
            }
        });
        Self(Arc::new(Checked { expression, fields: fields.into() }))
    }

    /// Says whether the lead from this source is wanted.
    pub fn matches(&self, lead: &PingView, source: &str) -> bool {
        self.0.expression.is(true, lead, source)
    }

    /// Returns the first condition that the lead does not meet, long lists shortened, with what the lead has instead:
    /// `age between 25 and 64 (age is 19)`. Conditions joined by `or` fail together. `None` if the lead is wanted.
    pub fn first_unmet(&self, lead: &PingView, source: &str) -> Option<String> {
        let mut unmet = &self.0.expression;
        if unmet.is(true, lead, source) {
            return None;
        }
        while let Expression::All(parts) = unmet {
            unmet = parts.iter().find(|part| !part.is(true, lead, source))?;
        }
        Some(print::with_values(unmet, lead, source))
    }

    /// Returns the criteria as [`Criteria::from_text`] reads them.
    pub fn to_text(&self) -> String {
        Printed(&self.0.expression, Length::Whole).to_string()
    }

    /// Returns the criteria as [`Criteria::from_json`] reads them.
    pub fn to_json(&self) -> serde_json::Value {
        json::write(&self.0.expression)
    }

    /// Returns the fields of the lead that the criteria read, each once.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.fields.iter().map(AsRef::as_ref)
    }

    /// Returns the conditions, for an index over many criteria.
    pub fn expression(&self) -> &Expression {
        &self.0.expression
    }
}

impl PartialEq for Criteria {
    fn eq(&self, other: &Self) -> bool {
        self.0.expression == other.0.expression
    }
}

impl Eq for Criteria {}

impl fmt::Debug for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Printed(&self.0.expression, Length::Short), f)
    }
}

/// Lists of texts that criteria refer to as `@name`. Whoever names one shares it.
#[derive(Clone, Debug, Default)]
pub struct Lists(BTreeMap<Box<str>, Words>);

impl Lists {
    /// Adds a list, or replaces the one of that name; criteria made before keep theirs.
    pub fn insert(&mut self, name: &str, texts: &[String]) -> Result<(), CriteriaError> {
        let fault = |message: String| CriteriaError { at: String::new(), message };
        // A list is named like everything else that an operator names.
        CampaignId::parse(name)
            .map_err(|error| fault(format!("the list is called `{name}`, but {error}")))?;
        if texts.len() > LIST_ITEMS_MAX {
            return Err(fault(format!(
                "the list has {} items; {LIST_ITEMS_MAX} are possible",
                texts.len()
            )));
        }
        let words = texts.iter().map(|text| text.as_str().into()).collect();
        self.0.insert(name.into(), Words::new(Some(name), words));
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&Words> {
        self.0.get(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::reference::{lead, lists, schema};
    use super::*;

    fn read(text: &str) -> Result<Criteria, CriteriaError> {
        Criteria::from_text(text, &schema(), &lists())
    }

    /// Runs criteria over a lead of source `web-1`: `wanted`, or what is not met.
    #[track_caller]
    fn check(text: &str, values: &Value, expected: &str) {
        let criteria = read(text).unwrap();
        let lead = lead(values);
        let unmet = criteria.first_unmet(&lead, "web-1");
        assert_eq!(criteria.matches(&lead, "web-1"), unmet.is_none());
        assert_eq!(unmet.as_deref().unwrap_or("wanted"), expected);
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), expected);
    }

    #[track_caller]
    fn check_refused_json(json: &Value, expected: &str) {
        assert_eq!(
            Criteria::from_json(json, &schema(), &lists()).unwrap_err().to_string(),
            expected
        );
    }

    /// The text comes out as canonical text, and its JSON as given.
    #[track_caller]
    fn check_spelling(text: &str, canonical: &str, json: &Value) {
        let criteria = read(text).unwrap();
        assert_eq!(criteria.to_text(), canonical);
        assert_eq!(&criteria.to_json(), json);
        assert_eq!(Criteria::from_json(json, &schema(), &lists()).unwrap(), criteria);
    }

    #[test]
    fn a_lead_is_wanted_if_every_condition_holds() {
        let text =
            r#"state in ["CA", "TX"] and age between 25 and 64 and source not in ["aff_17"]"#;
        check(text, &json!({"state": "CA", "age": 64}), "wanted");
        check(text, &json!({"state": "CA", "age": 19}), "age between 25 and 64 (age is 19)");
        check(text, &json!({"state": "NV", "age": 30}), r#"state in ["CA", "TX"] (state is "NV")"#);
        check(text, &json!({"state": "CA"}), "age between 25 and 64 (age is absent)");
        check(r#"source = "web-2""#, &json!({}), r#"source = "web-2" (source is "web-1")"#);
        check("true", &json!({}), "wanted");
    }

    #[test]
    fn what_is_absent_is_neither_true_nor_false() {
        check("not (age > 30)", &json!({}), "not (age > 30) (age is absent)");
        check("age != 30", &json!({}), "age != 30 (age is absent)");
        check(
            "age > 30 or not (age > 30)",
            &json!({}),
            "age > 30 or not (age > 30) (age is absent)",
        );
        check("age is null or age > 30", &json!({}), "wanted");
        check("age is not null", &json!({}), "age is not null (age is absent)");
        check(
            r#"interests none of ["boats"]"#,
            &json!({}),
            r#"interests none of ["boats"] (interests is absent)"#,
        );
    }

    #[test]
    fn conditions_joined_by_or_fail_together() {
        let text = "age > 20 and (home_owner = true or not (age > 30))";
        check(text, &json!({"age": 25}), "wanted");
        let unmet = "home_owner = true or not (age > 30) (home_owner is false, age is 40)";
        check(text, &json!({"age": 40, "home_owner": false}), unmet);
    }

    #[test]
    fn decimals_and_dates_compare_exactly() {
        check("income >= 50000.25", &json!({"income": "50000.25"}), "wanted");
        check(
            "income >= 50000.25",
            &json!({"income": "50000.249999"}),
            "income >= 50000.25 (income is 50000.249999)",
        );
        let text = r#"insured_since < "2026-02-28""#;
        check(text, &json!({"insured_since": "2026-02-27"}), "wanted");
        check(
            text,
            &json!({"insured_since": "2026-02-28"}),
            r#"insured_since < "2026-02-28" (insured_since is "2026-02-28")"#,
        );
    }

    #[test]
    fn lists_of_texts_are_asked_for_any_all_or_none() {
        let boats = json!({"interests": ["boats", "golf"]});
        check(r#"interests any of ["boats", "skiing"]"#, &boats, "wanted");
        check(r#"interests all of ["boats", "golf"]"#, &boats, "wanted");
        let unmet = r#"interests all of ["boats", "skiing"] (interests is ["boats", "golf"])"#;
        check(r#"interests all of ["skiing", "boats"]"#, &boats, unmet);
        check(r#"interests none of ["skiing"]"#, &boats, "wanted");
        check(
            r#"not interests any of ["golf"]"#,
            &boats,
            r#"not (interests any of ["golf"]) (interests is ["boats", "golf"])"#,
        );
    }

    #[test]
    fn an_unmet_long_list_is_shortened() {
        let text =
            format!("age in [{}]", (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        check(
            &text,
            &json!({"age": 200}),
            "age in [0, 1, 2, 3, 4, 5, 6, 7, and 92 more] (age is 200)",
        );
        check("zip in @west", &json!({"zip": "10001"}), r#"zip in @west (zip is "10001")"#);
        let long = "x".repeat(80);
        check(
            r#"zip = "1""#,
            &json!({"zip": long}),
            &format!("zip = \"1\" (zip is \"{}\"…)", "x".repeat(64)),
        );
    }

    #[test]
    fn another_version_of_the_schema_may_have_the_fields_elsewhere() {
        let criteria = read(r#"state = "CA" and age > 30"#).unwrap();
        let fields = schema().fields().iter().rev().cloned().collect();
        let newer = Arc::new(Schema::new("auto", (1, 1), String::new(), fields).unwrap());
        let lead = |values| reference::lead_of(&newer, &values);
        assert!(criteria.matches(&lead(json!({"state": "CA", "age": 31})), "web-1"));
        assert!(!criteria.matches(&lead(json!({"state": "CA", "age": 30})), "web-1"));
    }

    #[test]
    fn both_spellings_say_the_same() {
        check_spelling(
            r#"state == "CA" && !(age<18||age > 64) AND zip Not In @west"#,
            r#"state = "CA" and not (age < 18 or age > 64) and zip not in @west"#,
            &json!({"all": [
                {"field": "state", "eq": "CA"},
                {"not": {"any": [{"field": "age", "lt": 18}, {"field": "age", "gt": 64}]}},
                {"field": "zip", "not_in": {"list": "west"}},
            ]}),
        );
        check_spelling(
            "income between 0.50 and 12 or home_owner != true or age IS NULL or age is not null",
            "income between 0.5 and 12 or home_owner != true or age is null or age is not null",
            &json!({"any": [
                {"field": "income", "between": ["0.5", "12"]},
                {"field": "home_owner", "ne": true},
                {"field": "age", "is_null": true},
                {"field": "age", "is_null": false},
            ]}),
        );
        check_spelling(
            r#"((zip in ["b", "a\u0022", "b"])) and ((age in [3, -1] and age <= 5) or insured_since = "2026-01-31")"#,
            r#"zip in ["a\"", "b"] and ((age in [-1, 3] and age <= 5) or insured_since = "2026-01-31")"#,
            &json!({"all": [
                {"field": "zip", "in": ["a\"", "b"]},
                {"any": [
                    {"all": [{"field": "age", "in": [-1, 3]}, {"field": "age", "lte": 5}]},
                    {"field": "insured_since", "eq": "2026-01-31"},
                ]},
            ]}),
        );
        check_spelling(
            r#"interests any of ["x"] or interests all of ["y"] or not not interests none of @west"#,
            r#"interests any of ["x"] or interests all of ["y"] or not not (interests none of @west)"#,
            &json!({"any": [
                {"field": "interests", "any_of": ["x"]},
                {"field": "interests", "all_of": ["y"]},
                {"not": {"not": {"field": "interests", "none_of": {"list": "west"}}}},
            ]}),
        );
        check_spelling(" true ", "true", &json!({"all": []}));
        assert_eq!(read("true").unwrap(), Criteria::any());
    }

    #[test]
    fn the_fields_that_are_read_are_known() {
        let criteria = read(r#"age > 1 and (zip = "x" or age < 9) and source = "a""#).unwrap();
        assert_eq!(criteria.fields().collect::<Vec<_>>(), ["age", "zip"]);
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest_one() {
        check_refused(
            "stat = \"CA\"",
            "at offset 0: auto has no field `stat`; did you mean `state`?",
        );
        check_refused(
            "age > 1 and sorce = \"a\"",
            "at offset 12: auto has no field `sorce`; did you mean `source`?",
        );
        let fields =
            "the fields are state, zip, age, income, home_owner, insured_since, interests, source";
        check_refused("wheels = 4", &format!("at offset 0: auto has no field `wheels`; {fields}"));
        let json = json!({"all": [{"field": "age", "gt": 1}, {"field": "homeowner", "eq": true}]});
        check_refused_json(
            &json,
            "at /all/1/field: auto has no field `homeowner`; did you mean `home_owner`?",
        );
    }

    #[test]
    fn contact_data_cannot_be_named() {
        let message = "`email` is contact data, which nobody sees before the sale";
        check_refused("email is null", &format!("at offset 0: {message}"));
        check_refused_json(
            &json!({"field": "email", "eq": "a@b.c"}),
            &format!("at /field: {message}"),
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        check_refused(
            "age > \"30\"",
            "at offset 6: `age` is an integer, but \"30\" is text; write a number without quotes",
        );
        check_refused(
            "zip = 90210",
            "at offset 6: `zip` is text, but 90210 is a number; write text in double quotes",
        );
        check_refused(
            "home_owner = 1",
            "at offset 13: `home_owner` is a boolean, but 1 is a number; write true or false without quotes",
        );
        check_refused(
            "insured_since > 2026",
            "at offset 16: `insured_since` is a date, but 2026 is a number; write a day as \"2026-01-31\"",
        );
        check_refused(
            "insured_since > \"2026-02-30\"",
            "at offset 16: \"2026-02-30\" is no day; write one as \"2026-01-31\"",
        );
        check_refused(
            "insured_since > \"2026-02-03T00:00\"",
            "at offset 16: \"2026-02-03T00:00\" is no day; write one as \"2026-01-31\"",
        );
        check_refused_json(
            &json!({"field": "age", "in": [1, true]}),
            "at /in/1: `age` is an integer, but true is a boolean; write a number without quotes",
        );
        check_refused_json(
            &json!({"field": "age", "eq": null}),
            "at /eq: this must be a text, a number or a boolean",
        );
    }

    #[test]
    fn an_operator_that_the_kind_lacks_is_refused() {
        check_refused(
            "zip > \"9\"",
            "at offset 4: `zip` is text, which has no order: only = and != compare it",
        );
        check_refused(
            "interests = \"golf\"",
            "at offset 10: `interests` is a list of texts: ask `any of`, `all of` or `none of`",
        );
        check_refused(
            "interests in [\"golf\"]",
            "at offset 10: `interests` is a list of texts: ask `any of`, `all of` or `none of`",
        );
        check_refused(
            "zip any of [\"1\"]",
            "at offset 4: `zip` is text, not a list of texts: use `in` or `not in`",
        );
        check_refused(
            "home_owner in [true]",
            "at offset 11: `home_owner` is a boolean: compare it with = true or = false",
        );
        check_refused(
            "home_owner between 1 and 2",
            "at offset 11: `home_owner` is a boolean, which has no order: `between` needs a number or a date",
        );
        check_refused(
            "age in @west",
            "at offset 7: `@west` is a list of texts, but `age` is an integer",
        );
    }

    #[test]
    fn a_word_that_the_field_never_is_is_refused() {
        let words = "`state` is never \"ca\"; it can be CA, TX, NV";
        check_refused("state in [\"TX\", \"ca\"]", &format!("at offset 16: {words}"));
        check_refused_json(
            &json!({"not": {"field": "state", "eq": "ca"}}),
            &format!("at /not/eq: {words}"),
        );
    }

    #[test]
    fn a_list_that_is_not_known_is_refused() {
        check_refused("zip in @wst", "at offset 7: there is no list `wst`; did you mean `west`?");
        check_refused(
            "zip in @territory",
            "at offset 7: there is no list `territory`; the lists are west",
        );
        let refused = Lists::default().insert("a b", &[]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the list is called `a b`, but a name is 1 to 64 of the characters a-z A-Z 0-9 . _ - and begins with a letter or digit"
        );
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        check_refused(
            "age between 64 and 25",
            "at offset 4: nothing lies between these: the lower bound comes first",
        );
        check_refused(
            "age > 1.5",
            "at offset 6: `age` is an integer, so 1.5 has too many decimals",
        );
        check_refused(
            "age > 9223372036854775808",
            "at offset 6: 9223372036854775808 is not a whole number of at most 64 bits",
        );
        check_refused(
            "income > 0.0000001",
            "at offset 9: 0.0000001: an amount has at most six digits after the point",
        );
        let json = json!({"field": "income", "eq": 1234567890.1234567});
        check_refused_json(
            &json,
            "at /eq: 1234567890.1234567 may have been rounded on its way; write it as text in quotes",
        );
    }

    #[test]
    fn text_that_does_not_parse_is_refused_where_it_stops() {
        check_refused("", "at offset 0: there are no conditions; `true` matches every lead");
        check_refused(
            "age",
            "at offset 3: expected =, !=, <, <=, >, >=, between, in, not in, any of, all of, none of or is, found the end",
        );
        check_refused(
            "age > ",
            "at offset 6: expected a number, true, false or text in double quotes, found the end",
        );
        check_refused(
            "age > 1x",
            "at offset 6: expected a number, true, false or text in double quotes, found `1x`",
        );
        check_refused(
            "age > 1 age < 2",
            "at offset 8: expected `and`, `or` or the end, found `age`",
        );
        check_refused("(age > 1", "at offset 8: expected `and`, `or` or `)`, found the end");
        check_refused("age not 3", "at offset 8: expected `in`, found `3`");
        check_refused("age is 3", "at offset 7: expected `null`, found `3`");
        check_refused(
            "age between 1, 2",
            "at offset 13: expected `and` and the upper bound, found `,`",
        );
        check_refused("interests any [\"a\"]", "at offset 14: expected `of`, found `[`");
        check_refused(
            "zip in \"a\"",
            "at offset 7: expected a list such as [\"a\", \"b\"] or @name, found `\"`",
        );
        check_refused("zip in [\"a\" \"b\"]", "at offset 12: expected `,` or `]`, found `\"`");
        check_refused("zip in []", "at offset 7: the list is empty");
        check_refused("zip = \"a", "at offset 6: the text has no closing quote");
        check_refused(
            "zip = \"\\q\"",
            "at offset 6: \"\\q\" is not text as JSON writes it; escape with \\",
        );
        check_refused(
            "true and age > 1",
            "at offset 5: expected the end, because `true` stands alone, found `and`",
        );
        check_refused("age > 1 ä", "at offset 8: expected `and`, `or` or the end, found `ä`");
    }

    #[test]
    fn json_of_another_shape_is_refused_where_it_is() {
        let shape = "an object with `all`, `any`, `not`, or `field` and an operator";
        check_refused_json(&json!([]), &format!("this must be {shape}"));
        check_refused_json(&json!({}), &format!("this must be {shape}, and nothing beside it"));
        check_refused_json(&json!({"all": [3]}), &format!("at /all/0: this must be {shape}"));
        check_refused_json(
            &json!({"every": []}),
            &format!("`every` is not known here; this must be {shape}"),
        );
        check_refused_json(
            &json!({"any": []}),
            "at /any: this is empty; only the whole may be {\"all\": []}, which matches every lead",
        );
        check_refused_json(&json!({"all": {}}), "at /all: this must be a list of conditions");
        let operators =
            "eq, ne, lt, lte, gt, gte, between, in, not_in, any_of, all_of, none_of or is_null";
        check_refused_json(
            &json!({"field": "age"}),
            &format!("a condition has `field` and exactly one of {operators}"),
        );
        check_refused_json(
            &json!({"field": "age", "gt": 1, "lt": 5}),
            &format!("a condition has `field` and exactly one of {operators}"),
        );
        check_refused_json(
            &json!({"field": "age", "a/b": 1}),
            &format!("at /a~1b: `a/b` is no operator; use {operators}"),
        );
        check_refused_json(
            &json!({"field": "age", "between": [1]}),
            "at /between: this must be [lowest, highest]",
        );
        check_refused_json(
            &json!({"field": "zip", "in": {"name": "west"}}),
            "at /in: this must be a list of values, or {\"list\": NAME}",
        );
        check_refused_json(&json!({"field": 1, "gt": 1}), "at /field: this must be a field's name");
    }

    #[test]
    fn criteria_have_limits() {
        let many = |count: usize| vec!["age > 1"; count].join(" or ");
        assert!(read(&many(CONDITIONS_MAX)).is_ok());
        check_refused(
            &many(CONDITIONS_MAX + 1),
            "at offset 704: there are more than 64 conditions; move long lists of `or` into `in`",
        );

        let deep = |levels: usize| format!("{}age > 1", "not ".repeat(levels));
        assert!(read(&deep(DEPTH_MAX - 1)).is_ok());
        check_refused(
            &deep(DEPTH_MAX),
            "at offset 0: conditions are nested more than 8 levels deep",
        );
        check_refused(
            &"(".repeat(100_000),
            "at offset 8: conditions are nested more than 8 levels deep",
        );
        let mut json = json!({"field": "age", "gt": 1});
        for _ in 0..DEPTH_MAX {
            json = json!({"not": json});
        }
        check_refused_json(&json, "conditions are nested more than 8 levels deep");

        let long = |items: usize| json!({"field": "age", "in": (0..items).collect::<Vec<_>>()});
        assert!(Criteria::from_json(&long(LIST_ITEMS_MAX), &schema(), &lists()).is_ok());
        check_refused_json(
            &long(LIST_ITEMS_MAX + 1),
            "at /in/10000: the list has more than 10000 items",
        );
        let texts = vec![String::new(); LIST_ITEMS_MAX + 1];
        let refused = Lists::default().insert("long", &texts).unwrap_err();
        assert_eq!(refused.to_string(), "the list has 10001 items; 10000 are possible");
    }
}
