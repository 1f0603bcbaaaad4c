//! Labels and annotations.

use std::collections::BTreeMap;

/// Labels or annotations of an object: names with values, each name once.
///
/// A sorted list, for an object has few of them and there may be ten thousand objects: a map takes half a kilobyte for its first entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.0.binary_search_by(|(known, _)| (**known).cmp(name));
        let (_, value) = self.0.get(place.ok()?)?;
        Some(value)
    }
}

impl From<BTreeMap<String, String>> for Labels {
    fn from(map: BTreeMap<String, String>) -> Self {
        let pairs = map.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Of a name that comes several times the last value counts.
impl FromIterator<(String, String)> for Labels {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        pairs.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_labels_have_no_value() {
        assert_eq!(Labels::default().get(""), None);
    }

    proptest! {
        #[test]
        fn they_say_what_a_map_says(pairs in prop::collection::vec(("[a-e]{0,2}", "."), 0..8), name in "[a-e]{0,2}") {
            let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
            let labels: Labels = pairs.into_iter().collect();
            prop_assert_eq!(labels.get(&name), map.get(&name).map(String::as_str));
            for (name, value) in &map {
                prop_assert_eq!(labels.get(name), Some(value.as_str()));
            }
            prop_assert_eq!(labels, Labels::from(map));
        }
    }
}
