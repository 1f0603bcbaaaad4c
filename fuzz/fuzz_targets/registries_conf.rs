//! Any text as a description of registries: it does not panic, every mistake has a line of the text, and what is read can be asked for.

#![no_main]

use image_updater::adapters::registries_conf::parse::parse;
use image_updater::domain::reference::ImageName;
use image_updater::domain::registry::endpoint::Registries;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match parse(text) {
    Ok(described) => {
        let registries = Registries::of(described.endpoints);
        let default = registries.default_registry();
        for name in ["nginx", "ghcr.io/acme/web", "localhost:5000/a"] {
            if let Ok(image) = ImageName::parse(name) {
                let _ = registries.endpoint_of(&default.resolve(&image, name));
            }
        }
        let defaults = registries.all().iter().filter(|one| one.is_default);
        assert_eq!(defaults.count(), 1);
    }
    Err(mistakes) => {
        assert!(!mistakes.is_empty());
        assert!(mistakes.iter().all(|mistake| mistake.line > 0));
    }
});
