//! Where a list that comes in pages goes on.

use http::header::LINK;
use reqwest::Url;

use super::exchange::Reply;
use super::link;
use super::trouble::Trouble;
use crate::ports::registry_client::RegistryError;

/// The longest address of a page, in bytes. The addresses of all pages of a list are kept while it is read.
const LONGEST: usize = 4096;

/// The link to the next page.
pub(super) fn next(reply: &Reply) -> Option<String> {
    let links = reply.headers.get_all(LINK).iter();
    let mut links = links.filter_map(|header| header.to_str().ok());
    links.find_map(link::next_page).map(str::to_owned)
}

/// Where a link leads. It is the path that counts: behind a proxy registries do not know their own scheme and port.
pub(super) fn follow(trouble: &Trouble, from: &Url, link: &str) -> Result<Url, RegistryError> {
    let no_address = || trouble.nonsense("a list that goes on at what is no address");
    let mut to = from.join(link).map_err(|_| no_address())?;
    if to.host() != from.host() {
        return Err(trouble.nonsense("a list that goes on at another host"));
    }
    let is_set = to
        .set_scheme(from.scheme())
        .and_then(|()| to.set_port(from.port()));
    is_set.map_err(|()| no_address())?;
    if to.as_str().len() > LONGEST {
        let reason = format!("a list that goes on at an address of more than {LONGEST} bytes");
        return Err(trouble.nonsense(reason));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn led(link: &str) -> Option<String> {
        let from = Url::parse("https://r.example:5000/v2/a/tags/list?n=2").unwrap();
        let to = follow(&Trouble::at("r"), &from, link).ok()?;
        Some(to.to_string())
    }

    #[test]
    fn a_link_never_leads_to_another_host_or_out_of_tls() {
        let next = Some("https://r.example:5000/v2/a/tags/list?last=x".to_owned());
        for link in [
            "/v2/a/tags/list?last=x",
            "?last=x",
            "https://r.example:5000/v2/a/tags/list?last=x",
            "http://r.example/v2/a/tags/list?last=x",
        ] {
            assert_eq!(led(link), next, "{link}");
        }
        for link in [
            "https://evil.example/v2/a/tags/list",
            "//evil.example/",
            "http://[",
            "data:x",
        ] {
            assert_eq!(led(link), None, "{link}");
        }
    }

    #[test]
    fn a_link_that_is_too_long_leads_nowhere() {
        let short = format!("?last={}", "x".repeat(4000));
        assert!(led(&short).is_some());
        // Of these, each becomes three characters of an address.
        for long in ["x".repeat(4096), "\"".repeat(1500)] {
            assert_eq!(led(&format!("?last={long}")), None);
        }
    }

    proptest! {
        #[test]
        fn any_link_leads_to_the_host_or_nowhere(link in "\\PC{0,40}") {
            if let Some(to) = led(&link) {
                prop_assert!(to.starts_with("https://r.example:5000/"), "{to}");
            }
        }
    }
}
