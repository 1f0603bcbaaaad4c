//! Reading the fields of an object one by one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::adapters::wire::field_path::FieldPath;
use crate::adapters::wire::findings::Findings;

/// A value in an object, and where it stands. What is null counts as absent, as the API server prunes it.
#[derive(Clone)]
pub(super) struct Field<'v> {
    value: &'v Value,
    path: FieldPath,
}

impl<'v> Field<'v> {
    pub(super) fn root(value: &'v Value) -> Self {
        Self {
            value,
            path: FieldPath::default(),
        }
    }

    pub(super) fn path(&self) -> &FieldPath {
        &self.path
    }

    /// A member that is there.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self {
            value,
            path: self.path.key(key),
        })
    }

    /// A member that is there and is a mapping.
    pub(super) fn object(&self, key: &str, findings: &mut Findings) -> Option<Self> {
        self.get(key).filter(|field| field.is_object(findings))
    }

    pub(super) fn is_object(&self, findings: &mut Findings) -> bool {
        self.expect(self.value.is_object(), "a mapping", findings)
    }

    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<String> {
        self.get(key)?.as_text(findings)
    }

    /// A member that must be there; empty where it is not.
    pub(super) fn required_text(&self, key: &str, findings: &mut Findings) -> String {
        let Some(field) = self.get(key) else {
            findings.error(&self.path.key(key), "is missing");
            return String::new();
        };
        field.as_text(findings).unwrap_or_default()
    }

    pub(super) fn flag(&self, key: &str, findings: &mut Findings) -> Option<bool> {
        let field = self.get(key)?;
        field.expect(field.value.is_boolean(), "true or false", findings);
        field.value.as_bool()
    }

    pub(super) fn integer(&self, key: &str, findings: &mut Findings) -> Option<i64> {
        let field = self.get(key)?;
        field.expect(field.value.is_i64(), "a whole number", findings);
        field.value.as_i64()
    }

    /// The value as it is.
    pub(super) fn value(&self) -> &'v Value {
        self.value
    }

    /// The items of a list; none where it is absent.
    pub(super) fn items(&self, key: &str, findings: &mut Findings) -> Vec<Self> {
        let Some(field) = self.get(key) else {
            return Vec::new();
        };
        field.expect(field.value.is_array(), "a list", findings);
        let items = field.value.as_array().into_iter().flatten();
        items
            .enumerate()
            .map(|(index, value)| Self {
                value,
                path: field.path.index(index),
            })
            .collect()
    }

    /// The items that are mappings, with every other one reported.
    pub(super) fn objects(&self, key: &str, findings: &mut Findings) -> Vec<Self> {
        let mut items = self.items(key, findings);
        items.retain(|item| item.is_object(findings));
        items
    }

    pub(super) fn texts(&self, key: &str, findings: &mut Findings) -> Option<Vec<String>> {
        self.get(key)?;
        let items = self.items(key, findings);
        Some(
            items
                .iter()
                .filter_map(|item| item.as_text(findings))
                .collect(),
        )
    }

    /// The members of a mapping of texts, such as labels.
    pub(super) fn text_map(&self, key: &str, findings: &mut Findings) -> BTreeMap<String, String> {
        let Some(field) = self.object(key, findings) else {
            return BTreeMap::new();
        };
        let names = field.value.as_object().into_iter().flatten();
        names
            .filter_map(|(name, _)| Some((name.clone(), field.text(name, findings)?)))
            .collect()
    }

    /// Warns of every member that is not known.
    pub(super) fn only(&self, known: &[&str], findings: &mut Findings) {
        for name in self
            .value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if !known.contains(&name.as_str()) {
                findings.warn(&self.path.key(name), "is no known field and is ignored");
            }
        }
    }

    pub(super) fn as_text(&self, findings: &mut Findings) -> Option<String> {
        let scalar = self.value.is_number() || self.value.is_boolean();
        let wanted = if scalar {
            "a string: put it in quotes"
        } else {
            "a string"
        };
        self.expect(self.value.is_string(), wanted, findings);
        self.value.as_str().map(str::to_owned)
    }

    fn expect(&self, holds: bool, wanted: &str, findings: &mut Findings) -> bool {
        if !holds {
            findings.error(&self.path, format!("must be {wanted}"));
        }
        holds
    }
}
