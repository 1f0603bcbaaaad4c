//! Attributes in HTTP headers.

use percent_encoding::percent_decode_str;

use crate::adapters::senders::json::Text;

/// Decodes a header's value as [the HTTP binding, 3.1.3.2] says: first what is between double quotes, as older versions of it wrote
/// values, then one round of percent-decoding.
///
/// [the HTTP binding, 3.1.3.2]: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
pub(super) fn decoded(value: &str) -> Text<'static> {
    let plain = unquoted(value.trim());
    let plain = percent_decode_str(&plain).decode_utf8_lossy();
    Text::from(plain.into_owned())
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_unquoted_and_percent_decoded_once() {
        for (value, plain) in [
            ("team/orders:1.0", "team/orders:1.0"),
            ("team%2Forders%3A1.0", "team/orders:1.0"),
            ("a%2520b", "a%20b"),
            ("Euro%20%E2%82%AC", "Euro €"),
            (r#""a \"b\" \\ c""#, r#"a "b" \ c"#),
            ("100%", "100%"),
            ("\"", "\""),
        ] {
            assert_eq!(decoded(value).get(), Some(plain), "{value}");
        }
        assert_eq!(decoded("\"\"").get(), None);
        assert!(decoded("%ff%zz").get().is_some());
    }
}
