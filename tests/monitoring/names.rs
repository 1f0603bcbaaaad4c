//! The names in an expression that Prometheus evaluates.

use std::collections::BTreeSet;

/// What our metrics begin with.
pub(crate) const PREFIX: &str = "argocd_image_updater_";

/// The names that an expression asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) metrics: BTreeSet<String>,
    pub(crate) labels: BTreeSet<String>,
}

/// What an expression is made of, as far as names are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    Sign(char),
}

/// The names of our metrics, and those of labels in selectors and groupings.
///
/// # Panics
/// Where brackets or quotes do not belong together.
pub(crate) fn names(expression: &str) -> Names {
    let mut names = Names::default();
    let mut open = Vec::new();
    let mut grouping = false;
    for token in tokens(expression) {
        match token {
            Token::Name(name) if name.starts_with(PREFIX) => {
                names.metrics.insert(name);
            }
            Token::Name(name) if ["by", "on", "without", "ignoring"].contains(&name.as_str()) => {
                grouping = true;
            }
            Token::Name(name) => {
                if matches!(open.last(), Some(('{', _) | ('(', true))) {
                    names.labels.insert(name);
                }
            }
            Token::Sign(sign @ ('(' | '{' | '[')) => {
                open.push((sign, std::mem::take(&mut grouping)));
            }
            Token::Sign(sign @ (')' | '}' | ']')) => {
                let opened = open.pop().map(|(opened, _)| opened);
                let pair = (opened, sign);
                let belong = [(Some('('), ')'), (Some('{'), '}'), (Some('['), ']')];
                assert!(belong.contains(&pair), "{expression}");
            }
            Token::Sign(_) => {}
        }
    }
    assert!(open.is_empty(), "{expression}");
    names
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '"' {
            assert!(rest.any(|c| c == '"'), "{expression}");
        } else if c.is_ascii_alphabetic() || matches!(c, '_' | ':' | '$') {
            let mut name = String::from(c);
            while let Some(c) =
                rest.next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
            {
                name.push(c);
            }
            tokens.push(Token::Name(name));
        } else if c.is_ascii_digit() {
            while rest.next_if(char::is_ascii_alphanumeric).is_some() {}
        } else if !c.is_whitespace() {
            tokens.push(Token::Sign(c));
        }
    }
    tokens
}

#[test]
fn names_are_found() {
    let expression = r#"sum by (type, le) (rate(argocd_image_updater_a_total{b!="c{",d=~"$e"}[5m] offset 1d)) / on (pod) argocd_image_updater_f > 14 * 86400"#;
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let expected = Names {
        metrics: set(&["argocd_image_updater_a_total", "argocd_image_updater_f"]),
        labels: set(&["type", "le", "b", "d", "pod"]),
    };
    assert_eq!(names(expression), expected);
}

#[test]
#[should_panic(expected = "argocd_image_updater_a")]
fn what_is_left_open_is_no_expression() {
    names("sum(argocd_image_updater_a");
}
