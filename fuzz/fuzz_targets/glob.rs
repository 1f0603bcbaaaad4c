//! Any text as a pattern and as a name: nothing panics, nothing takes long, and an escaped text matches itself alone.

#![no_main]

use image_updater::domain::policy::glob::Glob;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (pattern, name) = input;
    if let Ok(glob) = Glob::parse(pattern) {
        let _ = glob.matches(name);
        assert_eq!(glob.as_str(), pattern);
    }
    let escaped: String = pattern.chars().flat_map(|c| ['\\', c]).collect();
    assert_eq!(
        Glob::parse(&escaped).map(|glob| glob.matches(name)),
        Ok(pattern == name)
    );
});
