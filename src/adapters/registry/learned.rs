//! What was learned from registries, for a bounded time and in bounded room.

use std::sync::Arc;

use super::image_config::ImageConfig;
use super::kept::Kept;
use super::kept::Weight;
use super::manifest::Manifest;
use super::once::Once;
use super::tag_page::TagPage;
use super::target::Key;
use super::timings::Timings;
use crate::domain::reference::Digest;
use crate::domain::reference::Tag;
use crate::ports::registry_client::RegistryError;

/// Room for lists: ten thousand tags take less than a mebibyte.
const LISTS_BYTES: u64 = 16 << 20;
/// Room for each of the other kinds: facts about some 18,000 builds.
const FACTS_BYTES: u64 = 8 << 20;

/// A page of a list, as it was last sent, with the tag by which the registry knows whether it changed.
#[derive(Clone)]
pub(super) struct KnownPage {
    pub(super) etag: String,
    pub(super) page: Arc<TagPage>,
}

/// A name in a repository, for those who may see it.
pub(super) type Named<N> = (Arc<Key>, N);

/// What was learned. All but the pages, which are asked for again each time, is true for ever or for a while.
pub(super) struct Learned {
    pub(super) pages: Kept<Named<String>, KnownPage>,
    pub(super) tags: Kept<Named<Tag>, Digest>,
    pub(super) manifests: Kept<Named<Digest>, Arc<Manifest>>,
    pub(super) configs: Kept<Named<Digest>, Arc<ImageConfig>>,
    pub(super) reading_manifests: Once<Named<Digest>, Result<Option<Arc<Manifest>>, RegistryError>>,
    pub(super) reading_configs:
        Once<Named<Digest>, Result<Option<Arc<ImageConfig>>, RegistryError>>,
}

impl Learned {
    pub(super) fn new(timings: &Timings) -> Self {
        Self {
            pages: Kept::new(LISTS_BYTES, timings.kept),
            tags: Kept::new(FACTS_BYTES, timings.recent),
            manifests: Kept::new(FACTS_BYTES, timings.kept),
            configs: Kept::new(FACTS_BYTES, timings.kept),
            reading_manifests: Once::new(),
            reading_configs: Once::new(),
        }
    }
}

impl<N: Weight> Weight for Named<N> {
    fn weight(&self) -> usize {
        self.1.weight()
    }
}

impl Weight for String {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weight for Tag {
    fn weight(&self) -> usize {
        self.as_str().len()
    }
}

impl Weight for KnownPage {
    fn weight(&self) -> usize {
        // A counted pointer with its two counters beside each text.
        const TAG: usize = 32;
        let tags = self.page.tags.iter();
        let tags: usize = tags.map(|tag| TAG + tag.weight()).sum();
        let next = self.page.next.as_ref().map_or(0, Weight::weight);
        tags + next + self.etag.weight()
    }
}

impl Weight for Digest {
    fn weight(&self) -> usize {
        self.as_str().len()
    }
}

impl Weight for Arc<Manifest> {
    fn weight(&self) -> usize {
        const CHILD: usize = 250;
        match self.as_ref() {
            Manifest::Index { children, .. } => CHILD * children.len(),
            Manifest::Image { .. } => CHILD,
        }
    }
}

impl Weight for Arc<ImageConfig> {
    fn weight(&self) -> usize {
        size_of::<ImageConfig>() + 50
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_weighs_with_all_that_is_kept_of_it() {
        let page = |next: Option<&str>| TagPage {
            tags: vec![Tag::parse("1").unwrap()],
            listed: 1,
            next: next.map(str::to_owned),
        };
        let known = |next| KnownPage {
            etag: "\"e\"".to_owned(),
            page: Arc::new(page(next)),
        };
        let bare = known(None).weight();
        let long = "x".repeat(5000);
        assert_eq!(known(Some(&long)).weight(), bare + 5000);
    }
}
