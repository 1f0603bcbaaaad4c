//! Label selectors, in the language of Kubernetes' `metav1.LabelSelector`.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::domain::dns_label::is_dns_label;
use crate::domain::resources::image_updater::LabelExpression;
use crate::domain::resources::image_updater::LabelSelector;
use crate::domain::resources::labels::Labels;

/// The longest label value, and the longest name of a label, in bytes.
const MAX_NAME: usize = 63;
/// The longest prefix of a label, in bytes.
const MAX_PREFIX: usize = 253;

/// A selector whose terms have been checked. All of them must hold; one without terms selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    DoesNotExist,
}

/// Why a label selector selects nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectorError {
    /// The operator is unknown.
    #[error("unknown operator {0:?}: give In, NotIn, Exists or DoesNotExist")]
    Operator(String),
    /// `In` or `NotIn` without values.
    #[error("{operator} on {key:?} needs at least one value")]
    NoValues {
        /// The label.
        key: String,
        /// The operator.
        operator: String,
    },
    /// `Exists` or `DoesNotExist` with values.
    #[error("{operator} on {key:?} takes no values: remove them")]
    Values {
        /// The label.
        key: String,
        /// The operator.
        operator: String,
    },
    /// No label can have this name.
    #[error("{0:?} is no name of a label")]
    Key(String),
    /// No label can have this value.
    #[error("{0:?} is no value of a label")]
    Value(String),
}

impl Selector {
    /// Checks a selector as the Kubernetes API machinery does.
    ///
    /// # Errors
    /// [`SelectorError`] for the first term that is wrong; such a selector must select nothing.
    pub fn parse(selector: &LabelSelector) -> Result<Self, SelectorError> {
        let labels = selector.labels.iter().map(|(key, value)| {
            Term::new(key, Operator::In(BTreeSet::from([checked_value(value)?])))
        });
        let expressions = selector.expressions.iter().map(parse_expression);
        Ok(Self {
            terms: labels.chain(expressions).collect::<Result<_, _>>()?,
        })
    }

    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.terms.iter().all(|term| term.holds(labels))
    }
}

impl Term {
    fn new(key: &str, operator: Operator) -> Result<Self, SelectorError> {
        if !is_label_key(key) {
            return Err(SelectorError::Key(key.to_owned()));
        }
        Ok(Self {
            key: key.to_owned(),
            operator,
        })
    }

    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match &self.operator {
            Operator::In(values) => value.is_some_and(|value| values.contains(value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

fn parse_expression(expression: &LabelExpression) -> Result<Term, SelectorError> {
    let operator = match expression.operator.as_str() {
        "In" => Operator::In(some_values(expression)?),
        "NotIn" => Operator::NotIn(some_values(expression)?),
        "Exists" => no_values(expression, Operator::Exists)?,
        "DoesNotExist" => no_values(expression, Operator::DoesNotExist)?,
        unknown => return Err(SelectorError::Operator(unknown.to_owned())),
    };
    Term::new(&expression.key, operator)
}

fn some_values(expression: &LabelExpression) -> Result<BTreeSet<String>, SelectorError> {
    if expression.values.is_empty() {
        return Err(SelectorError::NoValues {
            key: expression.key.clone(),
            operator: expression.operator.clone(),
        });
    }
    expression
        .values
        .iter()
        .map(|value| checked_value(value))
        .collect()
}

fn no_values(expression: &LabelExpression, operator: Operator) -> Result<Operator, SelectorError> {
    if expression.values.is_empty() {
        return Ok(operator);
    }
    Err(SelectorError::Values {
        key: expression.key.clone(),
        operator: expression.operator.clone(),
    })
}

fn checked_value(value: &str) -> Result<String, SelectorError> {
    if value.is_empty() || is_name(value) {
        Ok(value.to_owned())
    } else {
        Err(SelectorError::Value(value.to_owned()))
    }
}

/// `[prefix/]name`, where the prefix is a DNS subdomain.
fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`, which is also what a label's value must be.
fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= MAX_NAME
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

fn is_subdomain(text: &str) -> bool {
    let label = |label: &str| is_dns_label(label, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= MAX_PREFIX && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn expression(key: &str, operator: &str, values: &[&str]) -> LabelSelector {
        LabelSelector {
            labels: BTreeMap::new(),
            expressions: vec![LabelExpression {
                key: key.to_owned(),
                operator: operator.to_owned(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            }],
        }
    }

    #[test]
    fn a_selector_without_terms_selects_everything() {
        let selector = Selector::parse(&LabelSelector::default()).unwrap();
        assert!(selector.matches(&labels(&[]).into()));
        assert!(selector.matches(&labels(&[("a", "b")]).into()));
    }

    #[test]
    fn each_operator_means_what_kubernetes_means() {
        let prod = [("env", "prod")];
        let dev = [("env", "dev")];
        for (operator, values, on_prod, on_dev, on_none) in [
            ("In", &["prod", "stage"][..], true, false, false),
            ("NotIn", &["prod", "stage"], false, true, true),
            ("Exists", &[], true, true, false),
            ("DoesNotExist", &[], false, false, true),
        ] {
            let selector = Selector::parse(&expression("env", operator, values)).unwrap();
            assert_eq!(
                selector.matches(&labels(&prod).into()),
                on_prod,
                "{operator}"
            );
            assert_eq!(selector.matches(&labels(&dev).into()), on_dev, "{operator}");
            assert_eq!(selector.matches(&labels(&[]).into()), on_none, "{operator}");
        }
    }

    #[test]
    fn all_terms_must_hold() {
        let mut both = expression("tier", "Exists", &[]);
        both.labels = labels(&[("env", "prod")]);
        let selector = Selector::parse(&both).unwrap();
        assert!(selector.matches(&labels(&[("env", "prod"), ("tier", "web")]).into()));
        assert!(!selector.matches(&labels(&[("env", "prod")]).into()));
        assert!(!selector.matches(&labels(&[("tier", "web")]).into()));
    }

    #[test]
    fn what_kubernetes_refuses_is_refused() {
        let long = "a".repeat(64);
        for (key, operator, values) in [
            ("env", "in", &["prod"][..]),
            ("env", "", &[]),
            ("env", "In", &[]),
            ("env", "NotIn", &[]),
            ("env", "Exists", &["prod"]),
            ("env", "DoesNotExist", &["prod"]),
            ("", "Exists", &[]),
            ("a b", "DoesNotExist", &[]),
            ("Acme.example/env", "DoesNotExist", &[]),
            (&long, "DoesNotExist", &[]),
            ("env", "NotIn", &["a b"]),
        ] {
            let parsed = Selector::parse(&expression(key, operator, values));
            assert!(parsed.is_err(), "{key:?} {operator:?} {values:?}");
        }
        let prefixed = expression("app.kubernetes.io/part-of", "In", &["shop", ""]);
        assert!(Selector::parse(&prefixed).is_ok());
    }
}
