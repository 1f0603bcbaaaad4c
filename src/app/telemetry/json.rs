//! Lines as JSON objects.

use serde_json::Value;

use super::line::Line;

/// The line, with its end.
pub(super) fn render(line: &Line) -> String {
    let mut text = String::from("{");
    push("time", &line.timestamp().into(), &mut text);
    text.push(',');
    push("level", &line.level_name().into(), &mut text);
    text.push(',');
    push("msg", &line.message.as_str().into(), &mut text);
    for (name, value) in &line.fields {
        text.push(',');
        push(name, value, &mut text);
    }
    text.push_str("}\n");
    text
}

fn push(name: &str, value: &Value, into: &mut String) {
    into.push_str(&Value::from(name).to_string());
    into.push(':');
    into.push_str(&value.to_string());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_flat_and_keep_their_types() {
        assert_eq!(
            render(&Line::sample()),
            "{\"time\":\"2026-11-24T12:00:00.250Z\",\"level\":\"warning\",\"msg\":\"image changed\",\"image\":\"ghcr.io/a/b:1.2\",\
             \"reason\":\"say \\\"hi\\\"\\nnow\",\"count\":3,\"done\":true,\"empty\":\"\"}\n"
        );
    }

    proptest! {
        #[test]
        fn a_line_is_one_object_on_one_line(message in any::<String>(), value in any::<String>()) {
            let fields = vec![("a".into(), value.as_str().into())];
            let text = render(&Line { message: message.clone(), fields, ..Line::sample() });
            prop_assert_eq!(text.matches('\n').count(), 1);
            let object: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&object["msg"], &Value::from(message));
            prop_assert_eq!(&object["a"], &Value::from(value));
        }
    }
}
