//! The spelling for programs: `{"all": [{"field": "state", "in": ["CA", "TX"]}, {"field": "age", "between": [25, 64]}]}`.

use serde_json::{Map, Value, json};

use super::check::{Checker, Choice, Literal, Membership, Target, too_deep};
use super::tree::{Comparison, Condition, Expression, Quantifier, Test, Words};
use super::{CriteriaError, DEPTH_MAX, Lists};
use crate::lead::{self, Kind, Schema};

/// The most digits that a JSON number with decimals keeps exactly in every reader.
const FLOAT_DIGITS_MAX: usize = 15;

const OPERATORS: &str =
    "eq, ne, lt, lte, gt, gte, between, in, not_in, any_of, all_of, none_of or is_null";

/// Reads criteria from JSON and checks them.
pub(super) fn read(
    json: &Value,
    schema: &Schema,
    lists: &Lists,
) -> Result<Expression, CriteriaError> {
    if *json == json!({ "all": [] }) {
        return Ok(Expression::All([].into()));
    }
    let mut reader =
        Reader { checker: Checker::new(schema, lists), pointer: String::new(), depth: 0 };
    reader.expression(json).map_err(|message| CriteriaError { at: reader.pointer, message })
}

struct Reader<'c> {
    checker: Checker<'c>,
    /// Where the reader is; after a complaint, where it stopped.
    pointer: String,
    depth: usize,
}

impl Reader<'_> {
    /// Reads what is at a key or an index. The pointer goes back only if all is well.
    fn below<T>(
        &mut self,
        step: &str,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let result = read(self)?;
        self.pointer.truncate(length);
        Ok(result)
    }

    fn expression(&mut self, json: &Value) -> Result<Expression, String> {
        let shape = "an object with `all`, `any`, `not`, or `field` and an operator";
        let object = json.as_object().ok_or_else(|| format!("this must be {shape}"))?;
        if object.contains_key("field") {
            return self.condition(object);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep());
        }
        let mut entries = object.iter();
        let (Some((key, inner)), None) = (entries.next(), entries.next()) else {
            return Err(format!("this must be {shape}, and nothing beside it"));
        };
        let expression = match key.as_str() {
            "all" => Checker::all(self.below(key, |reader| reader.parts(inner))?)?,
            "any" => Checker::any(self.below(key, |reader| reader.parts(inner))?)?,
            "not" => Checker::not(self.below(key, |reader| reader.expression(inner))?)?,
            _ => return Err(format!("`{key}` is not known here; this must be {shape}")),
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn parts(&mut self, json: &Value) -> Result<Vec<Expression>, String> {
        let parts = json.as_array().ok_or("this must be a list of conditions")?;
        if parts.is_empty() {
            return Err(
                "this is empty; only the whole may be {\"all\": []}, which matches every lead"
                    .to_owned(),
            );
        }
        let parts = parts.iter().enumerate();
        parts
            .map(|(index, part)| self.below(&index.to_string(), |reader| reader.expression(part)))
            .collect()
    }

    fn condition(&mut self, object: &Map<String, Value>) -> Result<Expression, String> {
        let mut operators = object.iter().filter(|(key, _)| *key != "field");
        let (Some((operator, operand)), None) = (operators.next(), operators.next()) else {
            return Err(format!("a condition has `field` and exactly one of {OPERATORS}"));
        };
        let target = self.below("field", |reader| {
            let name =
                object.get("field").and_then(Value::as_str).ok_or("this must be a field's name")?;
            reader.checker.target(name)
        })?;
        self.below(operator, |reader| reader.test(target, operator, operand))
    }

    fn test(
        &mut self,
        target: Target<'_>,
        operator: &str,
        operand: &Value,
    ) -> Result<Expression, String> {
        if let Some(comparison) =
            COMPARISONS.iter().find(|(key, _)| *key == operator).map(|found| found.1)
        {
            target.can_compare(comparison)?;
            return target.compare(comparison, literal(operand)?);
        }
        if let Some(membership) =
            MEMBERSHIPS.iter().find(|(key, _)| *key == operator).map(|found| found.1)
        {
            target.can_be(membership)?;
            return self.list(target, membership, operand);
        }
        match operator {
            "between" => {
                target.can_between()?;
                let Some([low, high]) = operand.as_array().map(Vec::as_slice) else {
                    return Err("this must be [lowest, highest]".to_owned());
                };
                let low = self.below("0", |_| target.number(literal(low)?))?;
                let high = self.below("1", |_| target.number(literal(high)?))?;
                target.between(low, high)
            }
            "is_null" => {
                let null = operand.as_bool().ok_or("this must be true or false")?;
                Ok(target.null(!null))
            }
            _ => Err(format!("`{operator}` is no operator; use {OPERATORS}")),
        }
    }

    fn list(
        &mut self,
        target: Target<'_>,
        membership: Membership,
        json: &Value,
    ) -> Result<Expression, String> {
        if let Some(object) = json.as_object() {
            let name = object.get("list").and_then(Value::as_str).filter(|_| object.len() == 1);
            let name = name.ok_or("this must be a list of values, or {\"list\": NAME}")?;
            let words = self.below("list", |reader| reader.checker.list(&target, name))?;
            return target.listed(membership, words);
        }
        let items = json.as_array().ok_or("this must be a list of values, or {\"list\": NAME}")?;
        let mut choice = Choice::default();
        for (index, item) in items.iter().enumerate() {
            self.below(&index.to_string(), |_| choice.add(&target, literal(item)?))?;
        }
        target.one_of(membership, choice)
    }
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("eq", Comparison::Equal),
    ("ne", Comparison::NotEqual),
    ("lt", Comparison::Less),
    ("lte", Comparison::AtMost),
    ("gt", Comparison::Greater),
    ("gte", Comparison::AtLeast),
];

const MEMBERSHIPS: [(&str, Membership); 5] = [
    ("in", Membership::In { negated: false }),
    ("not_in", Membership::In { negated: true }),
    ("any_of", Membership::Texts(Quantifier::Any)),
    ("all_of", Membership::Texts(Quantifier::All)),
    ("none_of", Membership::Texts(Quantifier::None)),
];

fn literal(json: &Value) -> Result<Literal, String> {
    match json {
        Value::Bool(yes) => Ok(Literal::Boolean(*yes)),
        Value::String(text) => Ok(Literal::Text(text.clone())),
        Value::Number(number) => {
            let text = number.to_string();
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            if number.is_f64() && (digits > FLOAT_DIGITS_MAX || text.contains('e')) {
                return Err(format!(
                    "{text} may have been rounded on its way; write it as text in quotes"
                ));
            }
            // A reader of JSON makes no difference between 5.0 and 5.
            Ok(Literal::Number(text.strip_suffix(".0").unwrap_or(&text).to_owned()))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err("this must be a text, a number or a boolean".to_owned())
        }
    }
}

/// Writes an expression as [`read`] reads it.
pub(super) fn write(expression: &Expression) -> Value {
    match expression {
        Expression::All(parts) => json!({ "all": parts.iter().map(write).collect::<Vec<_>>() }),
        Expression::Any(parts) => json!({ "any": parts.iter().map(write).collect::<Vec<_>>() }),
        Expression::Not(part) => json!({ "not": write(part) }),
        Expression::Condition(condition) => {
            let (operator, operand) = operation(condition);
            json!({ "field": condition.subject.name(), operator: operand })
        }
    }
}

fn operation(condition: &Condition) -> (&'static str, Value) {
    let number = |number: i64| value(condition.kind, number).to_json();
    match &condition.test {
        Test::Compare { comparison, number: with } => {
            let key = COMPARISONS.iter().find(|(_, candidate)| candidate == comparison);
            (key.map_or("eq", |key| key.0), number(*with))
        }
        Test::Between { low, high } => ("between", json!([number(*low), number(*high)])),
        Test::NumberIn { numbers, negated } => (
            if *negated { "not_in" } else { "in" },
            numbers.iter().map(|&item| number(item)).collect(),
        ),
        Test::Equal { word, negated } => (if *negated { "ne" } else { "eq" }, word.as_ref().into()),
        Test::WordIn { words, negated } => (if *negated { "not_in" } else { "in" }, list(words)),
        Test::Texts { quantifier: Quantifier::Any, words } => ("any_of", list(words)),
        Test::Texts { quantifier: Quantifier::All, words } => ("all_of", list(words)),
        Test::Texts { quantifier: Quantifier::None, words } => ("none_of", list(words)),
        Test::Null { negated } => ("is_null", (!negated).into()),
    }
}

fn list(words: &Words) -> Value {
    match &words.name {
        Some(name) => json!({ "list": name.as_ref() }),
        None => words.sorted.iter().map(|word| Value::from(word.as_ref())).collect(),
    }
}

/// Returns the value of a field of this kind that the number stands for.
pub(super) fn value(kind: Kind, number: i64) -> lead::Value {
    match kind {
        Kind::Decimal => lead::Value::Decimal(number),
        Kind::Boolean => lead::Value::Boolean(number != 0),
        Kind::Date => lead::Value::Date(i32::try_from(number).unwrap_or(i32::MAX)),
        Kind::Integer | Kind::Text | Kind::Texts => lead::Value::Integer(number),
    }
}
