//! References of any text: what is read shows as something that reads the same.

#![no_main]

use image_updater::domain::reference::ImageName;
use image_updater::domain::reference::Reference;
use image_updater::domain::reference::Registry;
use image_updater::domain::reference::Repository;
use image_updater::domain::reference::Tag;
use image_updater::domain::reference::split_name;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (name, rest) = split_name(text);
    let length = name.len() + rest.map_or(0, |rest| rest.len() + 1);
    assert_eq!(length, text.len());
    if let Ok(reference) = Reference::parse(text) {
        assert_eq!(
            Reference::parse(&reference.to_string()).as_ref(),
            Ok(&reference)
        );
        let name = reference.name();
        assert_eq!(ImageName::parse(&name.to_string()).as_ref(), Ok(name));
    }
    if let Ok(registry) = Registry::parse(text) {
        assert_eq!(Registry::parse(registry.as_str()).as_ref(), Ok(&registry));
    }
    if let Ok(repository) = Repository::parse(text) {
        assert_eq!(
            Repository::parse(repository.as_str()).as_ref(),
            Ok(&repository)
        );
    }
    if let Ok(tag) = Tag::parse(text) {
        assert_eq!(Tag::parse(tag.as_str()).as_ref(), Ok(&tag));
    }
});
