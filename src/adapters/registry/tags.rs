//! Lists of tags, page by page.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::ETAG;
use http::header::IF_NONE_MATCH;
use reqwest::Url;

use super::exchange::Outgoing;
use super::learned::KnownPage;
use super::learned::Learned;
use super::listing;
use super::tag_page;
use super::tag_page::MOST_TAGS;
use super::tag_page::TagPage;
use super::target::Target;
use super::trouble;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::TagList;
use crate::ports::registry_client::RegistryError;

/// What registries take at most: with more, GitLab and ECR refuse. Others give fewer, and say where the list goes on.
const PAGE: usize = 1000;
/// A registry that knows no pages sends the whole list.
const PAGE_BYTES: usize = 32 << 20;
/// As many, a hundred on each.
const MOST_PAGES: usize = 10_000;

/// A list that is being read.
struct Listing<'t> {
    target: &'t Target,
    learned: &'t Learned,
    tags: Vec<Tag>,
    known: HashSet<Tag>,
    visited: HashSet<String>,
}

/// All tags of a repository.
pub(super) async fn list(target: &Target, learned: &Learned) -> Result<TagList, RegistryError> {
    let mut listing = Listing {
        target,
        learned,
        tags: Vec::new(),
        known: HashSet::new(),
        visited: HashSet::new(),
    };
    let mut page = listing.first_page()?;
    while let Some(next) = listing.read(page).await? {
        page = next;
    }
    Ok(TagList {
        tags: listing.tags.into(),
        order: target.host.endpoint.order,
    })
}

impl Listing<'_> {
    fn first_page(&self) -> Result<Outgoing, RegistryError> {
        let mut page = self.target.request(Method::GET, "tags/list", PAGE_BYTES)?;
        if !self.target.host.has_own_pages.load(Ordering::Relaxed) {
            page.url
                .query_pairs_mut()
                .append_pair("n", &PAGE.to_string());
        }
        Ok(page)
    }

    /// Reads a page, and answers which one is next.
    async fn read(&mut self, mut asked: Outgoing) -> Result<Option<Outgoing>, RegistryError> {
        let trouble = &self.target.host.trouble;
        if !self.visited.insert(asked.url.to_string()) {
            return Err(trouble.nonsense("its list of tags goes round in a circle"));
        }
        if self.visited.len() > MOST_PAGES {
            return Err(trouble.nonsense(format!("a list of tags of more than {MOST_PAGES} pages")));
        }
        let Some(page) = self.page(&asked).await? else {
            self.target
                .host
                .has_own_pages
                .store(true, Ordering::Relaxed);
            return self.first_page().map(Some);
        };
        let before = self.tags.len();
        for tag in &page.tags {
            if self.known.insert(tag.clone()) {
                self.tags.push(tag.clone());
            }
        }
        if self.tags.len() > MOST_TAGS {
            return Err(trouble.nonsense(format!("a list of more than {MOST_TAGS} tags")));
        }
        asked.url = match (&page.next, page.tags.last()) {
            (Some(next), _) => listing::follow(trouble, &asked.url, next)?,
            // The specification lets a registry leave the link out: a full page may not be the last.
            (None, Some(last)) if is_full(&asked.url, &page) && self.tags.len() > before => {
                after(&asked.url, last)
            }
            (None, _) => return Ok(None),
        };
        Ok(Some(asked))
    }

    /// A page; `None` where the registry does not take the size of the first one.
    async fn page(&self, asked: &Outgoing) -> Result<Option<Arc<TagPage>>, RegistryError> {
        let key = (Arc::clone(&self.target.key), asked.url.to_string());
        let known = self.learned.pages.get(&key);
        let mut asked = asked.clone();
        let etag = known
            .as_ref()
            .and_then(|known| HeaderValue::from_str(&known.etag).ok());
        if let Some(etag) = etag {
            asked.headers.insert(IF_NONE_MATCH, etag);
        }
        let reply = self.target.ask(&asked).await?;
        let trouble = &self.target.host.trouble;
        match (reply.status, known) {
            (StatusCode::OK, _) => {}
            (StatusCode::NOT_MODIFIED, Some(known)) => return Ok(Some(known.page)),
            (StatusCode::NOT_FOUND, _) if !trouble::is_from_elsewhere(&reply) => {
                return Err(trouble.missing(self.target.repository()));
            }
            (StatusCode::BAD_REQUEST, _) if self.visited.len() == 1 && is_sized(&asked.url) => {
                return Ok(None);
            }
            (status, _) => return Err(trouble.nonsense(trouble::told(status, &reply.body))),
        }
        let page = tag_page::parse(&reply.body, listing::next(&reply));
        let page = Arc::new(page.map_err(|reason| trouble.nonsense(reason))?);
        match reply.header(ETAG) {
            Some(etag) => {
                let (etag, page) = (etag.to_owned(), Arc::clone(&page));
                self.learned.pages.put(key, KnownPage { etag, page });
            }
            None => self.learned.pages.remove(&key),
        }
        Ok(Some(page))
    }
}

fn is_sized(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| name == "n")
}

fn is_full(url: &Url, page: &TagPage) -> bool {
    is_sized(url) && page.listed >= PAGE
}

/// The page after a tag.
fn after(url: &Url, last: &Tag) -> Url {
    let mut next = url.clone();
    next.query_pairs_mut()
        .clear()
        .append_pair("n", &PAGE.to_string())
        .append_pair("last", last.as_str());
    next
}
