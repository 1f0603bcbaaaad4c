//! `WWW-Authenticate`, by [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1): what a registry wants to see before it answers.

/// A challenge: a scheme and its parameters, both named in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme, such as `bearer`.
    pub scheme: String,
    /// The parameters in their order. One without a name is a `token68`.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The challenges of one header. What breaks the grammar ends the reading; what stands before it counts.
    #[must_use]
    pub fn parse_all(header: &str) -> Vec<Self> {
        let mut reader = Reader { rest: header };
        let mut challenges: Vec<Self> = Vec::new();
        loop {
            reader.skip(|c| c == ',' || is_blank(c));
            let Some(word) = reader.token() else {
                return challenges;
            };
            // A parameter has an equals sign after its name, and a scheme has not.
            match (reader.value(), challenges.last_mut()) {
                (Value::None, _) => challenges.push(Self {
                    scheme: word.to_ascii_lowercase(),
                    parameters: Vec::new(),
                }),
                (Value::Some(value), Some(challenge)) => {
                    challenge
                        .parameters
                        .push((word.to_ascii_lowercase(), value));
                }
                (Value::Some(_), None) | (Value::Broken, _) => return challenges,
            }
        }
    }

    /// The first parameter of that name, given in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// What stands after a word.
enum Value {
    /// No equals sign.
    None,
    Some(String),
    /// An equals sign, and no value after it.
    Broken,
}

struct Reader<'h> {
    rest: &'h str,
}

impl<'h> Reader<'h> {
    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(skipped);
    }

    /// A token; `/` too, so that a `token68` is read as one.
    fn token(&mut self) -> Option<&'h str> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
        let end = self.rest.find(|c| !is_token(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    fn value(&mut self) -> Value {
        let Some(rest) = self.rest.trim_start_matches(is_blank).strip_prefix('=') else {
            return Value::None;
        };
        self.rest = rest.trim_start_matches(is_blank);
        if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest;
            return self.quoted().map_or(Value::Broken, Value::Some);
        }
        if let Some(token) = self.token() {
            return Value::Some(token.to_owned());
        }
        // The padding of a token68.
        self.skip(|c| c == '=');
        match self.rest.chars().next() {
            None | Some(',' | ' ' | '\t') => Value::Some(String::new()),
            Some(_) => Value::Broken,
        }
    }

    /// The rest of a quoted string; `None` where it does not end.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => text.push(characters.next()?.1),
                other => text.push(other),
            }
        }
        None
    }
}

fn is_blank(character: char) -> bool {
    character == ' ' || character == '\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(header: &str) -> Vec<String> {
        let show = |challenge: &Challenge| {
            let parameters = challenge.parameters.iter();
            let parameters: Vec<String> = parameters
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("{} [{}]", challenge.scheme, parameters.join("|"))
        };
        Challenge::parse_all(header).iter().map(show).collect()
    }

    #[test]
    fn challenges_of_registries_are_read() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                vec![
                    "bearer [realm=https://auth.docker.io/token|service=registry.docker.io|scope=repository:a/b:pull,push]",
                ],
            ),
            (
                r#"Basic realm="a \"b\" \\c""#,
                vec![r#"basic [realm=a "b" \c]"#],
            ),
            (
                r#"BASIC Realm=x , bearer realm = "y" ,service=z"#,
                vec!["basic [realm=x]", "bearer [realm=y|service=z]"],
            ),
            (
                r#"Negotiate, NTLM YWJj/+==, Bearer realm="y""#,
                vec!["negotiate []", "ntlm [ywjj/+=]", "bearer [realm=y]"],
            ),
            (
                r#"Bearer realm="",service="#,
                vec!["bearer [realm=|service=]"],
            ),
            (
                r#"Basic realm="x", Bearer realm="no end"#,
                vec!["basic [realm=x]", "bearer []"],
            ),
            ("", vec![]),
            ("realm=x", vec![]),
        ] {
            assert_eq!(shown(header), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(header in "\\PC{0,80}") {
            let _ = Challenge::parse_all(&header);
        }

        #[test]
        fn a_quoted_value_is_read_as_it_was_written(value in "[ -~]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Basic a=b, Bearer service=x, realm=\"{quoted}\"");
            let challenges = Challenge::parse_all(&header);
            prop_assert_eq!(challenges.len(), 2);
            prop_assert_eq!(challenges[1].parameter("realm"), Some(value.as_str()));
        }
    }
}
