//! Names with values, as headers and queries have them.

/// Names with values in the order in which they came. A name may come several times.
///
/// All texts lie in one string: a delivery has a dozen headers, and a dozen pairs of strings would cost it more than its signature.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    text: String,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Pairs {
    /// None yet, with room for so many.
    #[must_use]
    pub fn with_capacity(pairs: usize) -> Self {
        /// As long as most pairs are on average.
        const LENGTH: usize = 48;
        Self {
            text: String::with_capacity(pairs * LENGTH),
            ends: Vec::with_capacity(pairs),
        }
    }

    /// Adds a pair at the end.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    /// The value of the first pair of that very name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        // As bytes, for a slice of a text is searched for the bounds of its characters each time.
        let bytes = self.text.as_bytes();
        let mut start = 0;
        for &(name_end, end) in &self.ends {
            if bytes.get(start..name_end) == Some(name.as_bytes()) {
                return self.text.get(name_end..end);
            }
            start = end;
        }
        None
    }

    /// All pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().filter_map(move |&(name_end, end)| {
            let name = self.text.get(start..name_end)?;
            let value = self.text.get(name_end..end)?;
            start = end;
            Some((name, value))
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> Extend<(N, V)> for Pairs {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, pairs: I) {
        for (name, value) in pairs {
            self.push(name.as_ref(), value.as_ref());
        }
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        /// Where nobody knows how many come, a few are likely.
        const FEW: usize = 4;
        let pairs = pairs.into_iter();
        let mut all = Self::with_capacity(pairs.size_hint().0.max(FEW));
        all.extend(pairs);
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_of_a_name_counts() {
        let pairs: Pairs = [("a", "1"), ("b", ""), ("", "2"), ("a", "3")]
            .into_iter()
            .collect();
        assert_eq!(pairs.first("a"), Some("1"));
        assert_eq!(pairs.first("b"), Some(""));
        assert_eq!(pairs.first(""), Some("2"));
        assert_eq!(pairs.first("A"), None);
        // Texts that lie next to each other are not one.
        assert_eq!(pairs.first("a1"), None);
        assert_eq!(pairs.len(), 4);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(pairs in prop::collection::vec((".*", ".*"), 0..6)) {
            let kept: Pairs = pairs.iter().map(|(name, value)| (name, value)).collect();
            let again: Vec<_> = kept
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            prop_assert_eq!(again, pairs);
        }
    }
}
