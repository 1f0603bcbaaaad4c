//! The platforms that images are built for.

use std::fmt;

/// `os/arch[/variant]`, such as `linux/arm64`.
///
/// `linux/arm64/v8` is `linux/arm64`: there is no other variant, and images are found with both names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// A platform as a registry says it.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let variant = variant.filter(|variant| !variant.is_empty());
        let is_default = architecture == "arm64" && variant == Some("v8");
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.filter(|_| !is_default).map(str::to_owned),
        }
    }

    /// Parses `os/arch` or `os/arch/variant`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.trim().split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        match parts[..] {
            [os, architecture] => Some(Self::new(os, architecture, None)),
            [os, architecture, variant] => Some(Self::new(os, architecture, Some(variant))),
            _ => None,
        }
    }

    /// Whether an image that was built for another platform does for this one: of one without a variant all variants do.
    #[must_use]
    pub fn admits(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_none() || self.variant == other.variant)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

/// The platforms of which an image must be for one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platforms(Option<Vec<Platform>>);

impl Platforms {
    /// Any platform does.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Reads `platforms`; an empty list is any. What is none is answered as well, and admits nothing: to admit everything could run what the
    /// list was meant to keep out.
    #[must_use]
    pub fn parse(texts: &[String]) -> (Self, Vec<&str>) {
        if texts.is_empty() {
            return (Self::any(), Vec::new());
        }
        let mut platforms = Vec::new();
        let mut malformed = Vec::new();
        for text in texts {
            match Platform::parse(text) {
                Some(platform) => platforms.push(platform),
                None => malformed.push(text.as_str()),
            }
        }
        platforms.sort();
        platforms.dedup();
        (Self(Some(platforms)), malformed)
    }

    /// Whether any platform does.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_none()
    }

    /// Whether an image for this platform does.
    #[must_use]
    pub fn admits(&self, platform: &Platform) -> bool {
        let admitted = |wanted: &Vec<Platform>| wanted.iter().any(|one| one.admits(platform));
        self.0.as_ref().is_none_or(admitted)
    }
}

impl fmt::Display for Platforms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(platforms) = &self.0 else {
            return f.write_str("any platform");
        };
        let names: Vec<String> = platforms.iter().map(Platform::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(texts: &[&str]) -> Platforms {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let (platforms, malformed) = Platforms::parse(&texts);
        assert_eq!(malformed, Vec::<&str>::new());
        platforms
    }

    #[test]
    fn a_platform_without_a_variant_admits_all_variants() {
        for (wanted, built, admitted) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "linux/arm64", false),
            ("linux/amd64", "windows/amd64", false),
            ("linux/arm", "linux/arm/v7", true),
            ("linux/arm/v7", "linux/arm/v7", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("linux/arm/v7", "linux/arm", false),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
        ] {
            let built = Platform::parse(built).unwrap();
            assert_eq!(
                platforms(&[wanted]).admits(&built),
                admitted,
                "{wanted} {built}"
            );
        }
    }

    #[test]
    fn no_list_is_any_platform_and_a_list_of_nothing_is_none() {
        let linux = Platform::new("linux", "amd64", None);
        assert!(platforms(&[]).is_any() && platforms(&[]).admits(&linux));
        let texts = [
            "linux".to_owned(),
            "a/b/c/d".to_owned(),
            "linux/".to_owned(),
        ];
        let (nothing, malformed) = Platforms::parse(&texts);
        assert_eq!(malformed, ["linux", "a/b/c/d", "linux/"]);
        assert!(!nothing.is_any() && !nothing.admits(&linux));
    }
}
