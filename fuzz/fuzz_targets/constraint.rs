//! Any text as a constraint and as a version: neither panics, and a constraint obeys its own rules.

#![no_main]

use image_updater::domain::policy::constraint::Constraint;
use image_updater::domain::policy::version::Version;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (constraint, version) = input;
    let (Ok(parsed), Some(version)) = (Constraint::parse(constraint), Version::parse(version))
    else {
        return;
    };
    let holds = parsed.matches(&version);
    let matches = |text: &str| Constraint::parse(text).is_ok_and(|other| other.matches(&version));
    assert_eq!(matches(&format!("{constraint} || {constraint}")), holds);
    assert!(matches(&format!("{constraint} || {version}")) || !matches(version.as_str()));
    assert!(!version.is_prerelease() || parsed.admits_prereleases() || !holds);
});
