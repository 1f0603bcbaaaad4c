//! Messages of commits: templates of Go's [`text/template`](https://pkg.go.dev/text/template), by gtmpl-ng.

use std::collections::HashMap;
use std::time::Duration;

use gtmpl_ng::Context;
use gtmpl_ng::Limits;
use gtmpl_ng::Template;
use gtmpl_ng::Value;
use thiserror::Error;

use crate::domain::commit::Commit;
use crate::domain::commit::CommitChange;

/// The template where nobody gives one, that of the Go program.
pub const DEFAULT: &str = "\
build: automatic update of {{ .AppName }}

{{ range .AppChanges -}}
updates image {{ .Image }} tag '{{ .OldTag }}' to '{{ .NewTag }}'
{{ end -}}
";

/// The longest message, in bytes. Nobody reads a longer one.
const MESSAGE_BYTES: usize = 1 << 20;
/// How long a message may take. Only a template that means harm takes so long.
const DEADLINE: Duration = Duration::from_secs(10);

/// A template for messages.
pub struct CommitTemplate(Template);

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitTemplateError {
    /// The text is no template.
    #[error("it is no Go template: {0}")]
    Parse(String),
    /// The template asks for something that is not there, or for too much.
    #[error("the template cannot be filled in: {0}")]
    Render(String),
}

impl CommitTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// [`CommitTemplateError::Parse`].
    pub fn parse(text: &str) -> Result<Self, CommitTemplateError> {
        if has_numeric_escape(text) {
            return Err(CommitTemplateError::Parse(
                r"escapes by number (\x, \u, \U) are not understood: write the character itself"
                    .to_owned(),
            ));
        }
        let limits = Limits::default()
            .with_output_bytes(MESSAGE_BYTES)
            .with_function_output(MESSAGE_BYTES)
            .with_deadline(DEADLINE);
        let mut template = Template::with_limits(limits);
        template
            .parse(text)
            .map_err(|error| CommitTemplateError::Parse(error.to_string()))?;
        Ok(Self(template))
    }

    /// The message for a commit.
    ///
    /// # Errors
    /// [`CommitTemplateError::Render`].
    pub fn render(&self, commit: &Commit) -> Result<String, CommitTemplateError> {
        let context = Context::from(value(commit));
        let message = self.0.render(&context);
        message.map_err(|error| CommitTemplateError::Render(error.to_string()))
    }
}

/// Whether there may be an escape by number in a string of an action. gtmpl-ng 1.0 reads them wrong: on some it panics, and on some it never ends.
fn has_numeric_escape(text: &str) -> bool {
    // Where an action ends only a parser of strings can tell.
    let Some((_, actions)) = text.split_once("{{") else {
        return false;
    };
    let mut characters = actions.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && matches!(characters.next(), Some('x' | 'u' | 'U')) {
            return true;
        }
    }
    false
}

/// The commit under the names that templates know. A field that an object lacks is an error, a key that a map lacks is none.
fn value(commit: &Commit) -> Value {
    let changes = commit.changes.iter().map(change).collect();
    object([
        ("AppName", Value::from(commit.app_name.as_str())),
        ("AppChanges", Value::Array(changes)),
    ])
}

fn change(change: &CommitChange) -> Value {
    let labels = change.labels.iter();
    let labels = labels.map(|(name, text)| (name.clone(), Value::from(text.as_str())));
    object([
        ("Image", Value::from(change.image.as_str())),
        ("OldTag", Value::from(change.old_tag.as_str())),
        ("NewTag", Value::from(change.new_tag.as_str())),
        ("Labels", Value::Map(labels.collect())),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Value::Object(HashMap::from(fields))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn commit() -> Commit {
        let change = |image: &str, old: &str, new: &str| CommitChange {
            image: image.to_owned(),
            old_tag: old.to_owned(),
            new_tag: new.to_owned(),
            labels: BTreeMap::from([("a.b/c".to_owned(), "5".to_owned())]),
        };
        Commit {
            app_name: "shop".to_owned(),
            changes: vec![
                change("acme/web", "1.0", "1.1"),
                change("acme/db", "a", "b"),
            ],
        }
    }

    fn rendered(text: &str) -> Result<String, CommitTemplateError> {
        CommitTemplate::parse(text)?.render(&commit())
    }

    #[test]
    fn the_default_is_what_the_go_program_writes() {
        assert_eq!(
            rendered(DEFAULT).unwrap(),
            "build: automatic update of shop\n\nupdates image acme/web tag '1.0' to '1.1'\nupdates image acme/db tag 'a' to 'b'\n"
        );
    }

    #[test]
    fn templates_can_do_what_gos_can() {
        for (template, expected) in [
            ("{{ len .AppChanges }}", "2"),
            ("{{ (index .AppChanges 1).Image }}", "acme/db"),
            (
                "{{ range $i, $c := .AppChanges }}{{ if $i }}, {{ end }}{{ $c.NewTag }}{{ end }}",
                "1.1, b",
            ),
            (
                "{{ range .AppChanges }}{{ index .Labels \"a.b/c\" }}{{ end }}",
                "55",
            ),
            (
                "{{ range .AppChanges }}[{{ .Labels.missing }}]{{ end }}",
                "[<no value>][<no value>]",
            ),
            (
                "{{ printf \"%-6s|%q\" .AppName .AppName }}",
                "shop  |\"shop\"",
            ),
            (
                "{{ with .AppName }}{{ . | printf \"%s!\" }}{{ end }}",
                "shop!",
            ),
            (
                "{{ define \"x\" }}<{{ . }}>{{ end }}{{ template \"x\" .AppName }}",
                "<shop>",
            ),
            ("{{/* nothing */}}a  {{- \" b\" -}}  c", "a bc"),
            (
                "{{ if and (eq .AppName \"shop\") (not false) }}yes{{ else }}no{{ end }}",
                "yes",
            ),
        ] {
            assert_eq!(rendered(template).as_deref(), Ok(expected), "{template}");
        }
    }

    /// Fuzzing found the first, on which parsing did not end.
    #[test]
    fn an_escape_by_number_is_refused() {
        for template in [
            r#"{{"K\\\x"@"#,
            r#"{{ "\x41" }}"#,
            r#"{{ "}}\u" }}"#,
            r"{{ '\U00000041' }}",
            "{{ \"\\x\u{20ac}\" }}",
        ] {
            let error = rendered(template).unwrap_err();
            let says = error.to_string().contains("write the character itself");
            assert!(says, "{template}: {error}");
        }
        let fine = r#"\u {{ "\\x \"\n" }}"#;
        assert_eq!(rendered(fine).unwrap(), "\\u \\x \"\n");
    }

    #[test]
    fn a_text_that_is_no_template_is_told_by_its_place() {
        for text in [
            "{{ .AppName",
            "a\n{{ range }}",
            "{{ nothing .AppName }}",
            "{{ end }}",
        ] {
            let error = rendered(text).unwrap_err();
            assert!(
                matches!(error, CommitTemplateError::Parse(_)),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for text in [
            "{{ .Appname }}",
            "{{ range .AppChanges }}{{ .Alias }}{{ end }}",
            "{{ index .AppChanges 7 }}",
        ] {
            let error = rendered(text).unwrap_err();
            assert!(
                matches!(error, CommitTemplateError::Render(_)),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_template_that_means_harm_ends() {
        for text in [
            "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
            "{{ range 10000 }}{{ range 10000 }}{{ range 10000 }}x{{ end }}{{ end }}{{ end }}",
        ] {
            let error = rendered(text).unwrap_err();
            assert!(
                matches!(error, CommitTemplateError::Render(_)),
                "{text}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\{\\{-? ?|-?\\}\\}|range|end|if|else|define|with|\\.AppChanges|\\.Image|[$|():=,. \"a1]|printf|index|\\PC){0,24}") {
            let _ = rendered(&text);
        }
    }
}
