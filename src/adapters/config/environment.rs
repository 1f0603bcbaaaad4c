//! The environment as a source of settings.

use std::ffi::OsString;

use crate::ports::config_source::{ConfigSource, ConfigSourceError, ConfigValue};

/// Environment variables, read once.
pub struct Environment(Vec<ConfigValue>);

impl Environment {
    /// Takes variables, such as those of [`std::env::vars_os`].
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let text = |part: OsString| part.to_string_lossy().into_owned();
        let values = variables.into_iter().map(|(key, value)| ConfigValue {
            key: text(key),
            value: text(value),
        });
        Self(values.collect())
    }
}

impl ConfigSource for Environment {
    fn values(&self) -> Result<Vec<ConfigValue>, ConfigSourceError> {
        Ok(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn every_variable_is_given() {
        let odd = OsString::from_vec(vec![b'a', 0xff]);
        let environment =
            Environment::new([("WEBHOOK_PORT".into(), "8080".into()), ("ODD".into(), odd)]);
        let values: Vec<_> = environment
            .values()
            .unwrap()
            .into_iter()
            .map(|v| (v.key, v.value))
            .collect();
        let expected = [("WEBHOOK_PORT", "8080"), ("ODD", "a\u{fffd}")];
        assert_eq!(values, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
