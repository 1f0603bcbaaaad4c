//! Names of namespaces in settings.

/// The longest name of a namespace, in bytes.
const MAX_NAME: usize = 63;

/// Which namespaces are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchedNamespaces {
    /// The program's own.
    Own,
    /// All of them where that is allowed, and else the program's own.
    AllOrOwn,
    /// All of them.
    All,
    /// These, at least one.
    These(Vec<String>),
}

impl WatchedNamespaces {
    /// Reads `--watch-namespaces`; `None` where it is empty, which means another thing for each command.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let names: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if text.is_empty() {
            return Ok(None);
        }
        match names.as_slice() {
            [] => {
                Err("give names of namespaces separated by commas, or * for all of them".to_owned())
            }
            ["*"] => Ok(Some(Self::All)),
            names => {
                let mut these = Vec::new();
                for name in names {
                    check_name(name)?;
                    if !these.contains(name) {
                        these.push(*name);
                    }
                }
                Ok(Some(Self::These(
                    these.into_iter().map(str::to_owned).collect(),
                )))
            }
        }
    }
}

/// Checks the [name of a namespace](https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names); it may be empty.
pub(super) fn check_name(text: &str) -> Result<(), String> {
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = text.len() <= MAX_NAME
        && text.bytes().all(is_known)
        && !text.starts_with('-')
        && !text.ends_with('-');
    match (is_name, text) {
        (true, _) => Ok(()),
        (false, "*") => Err("give * alone, for all namespaces".to_owned()),
        (false, _) => Err(format!(
            "{text:?} is no name of a namespace, which consists of lower-case letters, digits and \"-\""
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_some_or_all_can_be_named() {
        let parsed = |text| WatchedNamespaces::parse(text).unwrap();
        assert_eq!(parsed(""), None);
        assert_eq!(parsed("*"), Some(WatchedNamespaces::All));
        assert_eq!(parsed(" *, "), Some(WatchedNamespaces::All));
        let these = |names: &[&str]| {
            let names = names.iter().copied().map(str::to_owned).collect();
            Some(WatchedNamespaces::These(names))
        };
        assert_eq!(parsed("argocd"), these(&["argocd"]));
        assert_eq!(parsed(" a,,b-1 ,a"), these(&["a", "b-1"]));
    }

    #[test]
    fn nothing_but_blanks_or_what_is_no_name_is_refused() {
        for text in [" ", ",", " , ", "a,*", "A", "a b", "-a", "a-", "a/b", "a.b"] {
            assert!(WatchedNamespaces::parse(text).is_err(), "{text:?}");
        }
        assert!(check_name(&"a".repeat(64)).is_err());
        assert!(check_name(&"a".repeat(63)).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_read_are_names(text in "[a-z*, -]{0,20}") {
            if let Ok(Some(WatchedNamespaces::These(names))) = WatchedNamespaces::parse(&text) {
                prop_assert!(!names.is_empty());
                prop_assert!(names.iter().all(|name| !name.is_empty() && check_name(name).is_ok()));
            }
        }
    }
}
