//! `metadata.resourceVersion`, and which of two is newer.

/// The version of an object. Those of one kind compare as whole numbers
/// ([KEP-5504](https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/5504-comparable-resource-version)), which every
/// Kubernetes before it has kept to as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Version {
    /// A number.
    Number(u64),
    /// Anything else, of which only the one that came last can be told to be the newer.
    Other(Box<str>),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Other(text.into()),
        }
    }

    /// Whether it is known to be newer.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one > other,
            (Self::Number(_) | Self::Other(_), _) => false,
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers_and_nothing_else_compares() {
        let newer = |one, other| Version::parse(one).is_newer_than(&Version::parse(other));
        assert!(newer("10", "9"));
        assert!(!newer("9", "10") && !newer("9", "9"));
        assert!(!newer("b", "a") && !newer("a", "b") && !newer("1", "a") && !newer("a", "1"));
        assert_eq!(Version::parse("12").to_string(), "12");
        assert_eq!(Version::parse("x").to_string(), "x");
    }
}
