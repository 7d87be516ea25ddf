//! The spelling for people: `state in ["CA", "TX"] and age between 25 and 64`.
//!
//! ```text
//! or    := and ("or" and)*
//! and   := unary ("and" unary)*
//! unary := "not" unary | "(" or ")" | condition
//! condition := field ("=" | "!=" | "<" | "<=" | ">" | ">=") literal | field "between" literal "and" literal
//!            | field ["not"] "in" list | field ("any of" | "all of" | "none of") list | field "is" ["not"] "null"
//! list  := "[" literal ("," literal)* "]" | "@" name
//! ```
//!
//! `||`, `&&`, `!` and `==` are understood too, words in any case, and text in double quotes with JSON's escapes.
//! `true` alone matches every lead.

use super::check::{Checker, Choice, Literal, Membership, Target, too_deep};
use super::tree::{Comparison, Expression, Quantifier};
use super::{CriteriaError, DEPTH_MAX, Lists};
use crate::lead::Schema;

type Parsed<T> = Result<T, CriteriaError>;

const COMPARISONS: [(&str, Comparison); 7] = [
    ("==", Comparison::Equal),
    ("=", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    ("<", Comparison::Less),
    (">=", Comparison::AtLeast),
    (">", Comparison::Greater),
];

struct Reader<'t, 'c> {
    text: &'t str,
    /// The next byte to read.
    at: usize,
    /// How many `(` and `not` are open.
    open: usize,
    checker: Checker<'c>,
}

/// Reads criteria from text and checks them.
pub(super) fn read(text: &str, schema: &Schema, lists: &Lists) -> Parsed<Expression> {
    let mut reader = Reader { text, at: 0, open: 0, checker: Checker::new(schema, lists) };
    if reader.rest().is_empty() {
        return Err(fault(0, "there are no conditions; `true` matches every lead".to_owned()));
    }
    let everything = reader.keyword("true");
    let expression = if everything { Expression::All([].into()) } else { reader.or()? };
    match reader.rest() {
        "" => Ok(expression),
        _ if everything => Err(reader.expected("the end, because `true` stands alone")),
        _ => Err(reader.expected("`and`, `or` or the end")),
    }
}

impl<'t, 'c> Reader<'t, 'c> {
    fn or(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let mut parts = vec![self.and()?];
        while self.keyword("or") || self.symbol("||") {
            parts.push(self.and()?);
        }
        Checker::any(parts).map_err(|message| fault(start, message))
    }

    fn and(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let mut parts = vec![self.unary()?];
        while self.keyword("and") || self.symbol("&&") {
            parts.push(self.unary()?);
        }
        Checker::all(parts).map_err(|message| fault(start, message))
    }

    fn unary(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let not = self.keyword("not") || self.symbol("!");
        if !not && !self.symbol("(") {
            return self.condition();
        }
        self.open += 1;
        if self.open > DEPTH_MAX {
            return Err(fault(start, too_deep()));
        }
        let expression = if not {
            let part = self.unary()?;
            Checker::not(part).map_err(|message| fault(start, message))?
        } else {
            let inner = self.or()?;
            if !self.symbol(")") {
                return Err(self.expected("`and`, `or` or `)`"));
            }
            inner
        };
        self.open -= 1;
        Ok(expression)
    }

    fn condition(&mut self) -> Parsed<Expression> {
        let start = self.start();
        let name = self.word();
        if name.is_empty() {
            return Err(self.expected("a field"));
        }
        let target = self.checker.target(name).map_err(|message| fault(start, message))?;
        self.at += name.len();
        let operator = self.start();
        if let Some(membership) = self.membership()? {
            target.can_be(membership).map_err(|message| fault(operator, message))?;
            return self.list(target, membership);
        }
        if self.keyword("is") {
            let negated = self.keyword("not");
            return if self.keyword("null") {
                Ok(target.null(negated))
            } else {
                Err(self.expected("`null`"))
            };
        }
        if self.keyword("between") {
            target.can_between().map_err(|message| fault(operator, message))?;
            let low = self.number(&target)?;
            if !self.keyword("and") {
                return Err(self.expected("`and` and the upper bound"));
            }
            let high = self.number(&target)?;
            return target.between(low, high).map_err(|message| fault(operator, message));
        }
        let Some((_, comparison)) = COMPARISONS.into_iter().find(|(symbol, _)| self.symbol(symbol))
        else {
            return Err(self.expected(
                "=, !=, <, <=, >, >=, between, in, not in, any of, all of, none of or is",
            ));
        };
        target.can_compare(comparison).map_err(|message| fault(operator, message))?;
        let (start, literal) = (self.start(), self.literal()?);
        target.compare(comparison, literal).map_err(|message| fault(start, message))
    }

    fn membership(&mut self) -> Parsed<Option<Membership>> {
        if self.keyword("in") {
            return Ok(Some(Membership::In { negated: false }));
        }
        if self.keyword("not") {
            let membership = Some(Membership::In { negated: true });
            return if self.keyword("in") { Ok(membership) } else { Err(self.expected("`in`")) };
        }
        let quantifiers =
            [("any", Quantifier::Any), ("all", Quantifier::All), ("none", Quantifier::None)];
        match quantifiers.into_iter().find(|(word, _)| self.keyword(word)) {
            None => Ok(None),
            Some((_, quantifier)) if self.keyword("of") => Ok(Some(Membership::Texts(quantifier))),
            Some(_) => Err(self.expected("`of`")),
        }
    }

    fn list(&mut self, target: Target<'c>, membership: Membership) -> Parsed<Expression> {
        let start = self.start();
        if self.symbol("@") {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let tail = self.tail();
            let name =
                tail.get(..tail.find(|c| !plain(c)).unwrap_or(tail.len())).unwrap_or_default();
            self.at += name.len();
            let words =
                self.checker.list(&target, name).map_err(|message| fault(start, message))?;
            return target.listed(membership, words).map_err(|message| fault(start, message));
        }
        if !self.symbol("[") {
            return Err(self.expected("a list such as [\"a\", \"b\"] or @name"));
        }
        let mut choice = Choice::default();
        while !self.symbol("]") {
            let (item, literal) = (self.start(), self.literal()?);
            choice.add(&target, literal).map_err(|message| fault(item, message))?;
            if !self.symbol(",") && !self.rest().starts_with(']') {
                return Err(self.expected("`,` or `]`"));
            }
        }
        target.one_of(membership, choice).map_err(|message| fault(start, message))
    }

    fn number(&mut self, target: &Target<'_>) -> Parsed<i64> {
        let (start, literal) = (self.start(), self.literal()?);
        target.number(literal).map_err(|message| fault(start, message))
    }

    fn literal(&mut self) -> Parsed<Literal> {
        for (word, yes) in [("true", true), ("false", false)] {
            if self.keyword(word) {
                return Ok(Literal::Boolean(yes));
            }
        }
        let rest = self.rest();
        if rest.starts_with('"') {
            return self.quoted().map(Literal::Text);
        }
        let in_number = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let sign = rest.len() - digits.len();
        let length = sign + digits.find(|c| !in_number(c)).unwrap_or(digits.len());
        let number = rest.get(..length).unwrap_or_default();
        if !digits.starts_with(|c: char| c.is_ascii_digit()) || !is_number(number) {
            return Err(self.expected("a number, true, false or text in double quotes"));
        }
        self.at += length;
        Ok(Literal::Number(number.to_owned()))
    }

    fn quoted(&mut self) -> Parsed<String> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(token) = end.and_then(|end| rest.get(..end + 2)) else {
            return Err(fault(self.at, "the text has no closing quote".to_owned()));
        };
        let text = serde_json::from_str(token).map_err(|_| {
            fault(self.at, format!("{token} is not text as JSON writes it; escape with \\"))
        })?;
        self.at += token.len();
        Ok(text)
    }

    /// Skips blanks and returns where the next token begins.
    fn start(&mut self) -> usize {
        let tail = self.tail();
        self.at += tail.len() - tail.trim_start().len();
        self.at
    }

    fn tail(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips blanks and returns what is left.
    fn rest(&mut self) -> &'t str {
        self.start();
        self.tail()
    }

    /// Returns the next word without taking it.
    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Takes the next word if it is this one.
    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.word().eq_ignore_ascii_case(keyword);
        self.at += if found { keyword.len() } else { 0 };
        found
    }

    /// Takes the symbol if it is next.
    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.rest().starts_with(symbol);
        self.at += if found { symbol.len() } else { 0 };
        found
    }

    fn expected(&mut self, what: &str) -> CriteriaError {
        let start = self.start();
        let found = match (self.word(), self.tail().chars().next()) {
            (_, None) => "the end".to_owned(),
            ("", Some(found)) => format!("`{found}`"),
            (word, _) => format!("`{word}`"),
        };
        fault(start, format!("expected {what}, found {found}"))
    }
}

fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole.strip_prefix('-').unwrap_or(whole)) && is_digits(fraction)
}

fn fault(offset: usize, message: String) -> CriteriaError {
    CriteriaError { at: format!("offset {offset}"), message }
}
