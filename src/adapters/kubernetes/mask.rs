//! Reading JSON while keeping only what is asked for. What is left out never becomes a value.

use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;

/// What is kept of a value. Of a list it is kept of each item; what is no mapping is kept, so that its reader can say what it should be.
#[derive(Debug)]
pub enum Mask {
    /// Everything.
    All,
    /// Of a mapping, these members, each as far as its own mask says.
    Members(&'static [(&'static str, Mask)]),
    /// Of a mapping, the members whose names begin so.
    Prefix(&'static str),
}

impl Mask {
    /// What is kept of a member; `None`: nothing.
    fn of(&self, member: &str) -> Option<&Mask> {
        match self {
            Self::All => Some(&Self::All),
            Self::Members(members) => {
                let mut members = members.iter();
                members
                    .find(|(name, _)| *name == member)
                    .map(|(_, mask)| mask)
            }
            Self::Prefix(prefix) => member.starts_with(prefix).then_some(&Self::All),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &Mask {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Mask {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            kept.push(item);
        }
        Ok(kept.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match self.of(&name) {
                Some(mask) => _ = kept.insert(name, members.next_value_seed(mask)?),
                None => _ = members.next_value::<IgnoredAny>()?,
            }
        }
        Ok(kept.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn kept(mask: &Mask, text: &str) -> Value {
        let mut json = serde_json::Deserializer::from_str(text);
        mask.deserialize(&mut json).unwrap()
    }

    const MASK: Mask = Mask::Members(&[
        ("a", Mask::All),
        ("list", Mask::Members(&[("name", Mask::All)])),
        ("notes", Mask::Prefix("our/")),
    ]);

    #[test]
    fn only_what_is_named_is_kept() {
        let text = json!({
            "a": {"anything": [1, -2, 3.5, null, true, "x"]},
            "b": {"a": 1},
            "list": [{"name": "x", "other": {"name": 1}}, {}, 7],
            "notes": {"our/x": "1", "their/x": {"deep": []}},
        });
        assert_eq!(
            kept(&MASK, &text.to_string()),
            json!({
                "a": {"anything": [1, -2, 3.5, null, true, "x"]},
                "list": [{"name": "x"}, {}, 7],
                "notes": {"our/x": "1"},
            })
        );
    }

    #[test]
    fn what_is_of_another_shape_stays_for_its_reader() {
        assert_eq!(
            kept(&MASK, r#"{"list": "x", "notes": null}"#),
            json!({"list": "x", "notes": null})
        );
        assert_eq!(kept(&MASK, "3"), json!(3));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let name = prop_oneof![Just("a".to_owned()), any::<String>()];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_mask_of_everything_keeps_everything(value in json_value()) {
            prop_assert_eq!(kept(&Mask::All, &value.to_string()), value);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let mut json = serde_json::Deserializer::from_str(&text);
            let _ = MASK.deserialize(&mut json);
        }
    }
}
