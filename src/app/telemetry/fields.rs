//! The fields of events and spans.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};

/// The field in which tracing puts an event's text.
const MESSAGE: &str = "message";

/// Names that a line has already.
const TAKEN: [&str; 3] = ["time", "level", "msg"];

/// Fields in the order in which they were first recorded, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) message: String,
    pub(super) named: Vec<(Cow<'static, str>, Value)>,
}

impl Fields {
    /// Adds all fields of a span, which are stronger.
    pub(super) fn extend(&mut self, stronger: &Self) {
        for (name, value) in &stronger.named {
            self.set(name.clone(), value.clone());
        }
    }

    fn set(&mut self, name: Cow<'static, str>, value: Value) {
        match self.named.iter_mut().find(|(known, _)| *known == name) {
            Some(field) => field.1 = value,
            None => self.named.push((name, value)),
        }
    }

    fn record(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        match (name, value) {
            (MESSAGE, Value::String(text)) => self.message = text,
            (MESSAGE, value) => self.message = value.to_string(),
            // Records of the crate `log` come with their target as a field, and with their place in the source.
            ("log.target", value) => self.set("logger".into(), value),
            ("log.module_path" | "log.file" | "log.line", _) => {}
            (name, value) if TAKEN.contains(&name) => {
                self.set(format!("fields.{name}").into(), value);
            }
            (name, value) => self.set(name.into(), value),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        let text = || Value::from(value.to_string());
        let number = serde_json::Number::from_f64(value);
        self.record(field, number.map_or_else(text, Value::Number));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let causes = std::iter::successors(value.source(), |error| (*error).source());
        let text = causes.fold(value.to_string(), |text, cause| format!("{text}: {cause}"));
        self.record(field, text.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format!("{value:?}").into());
    }
}
