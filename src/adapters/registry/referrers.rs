//! What refers to a manifest, by the
//! [referrers API](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers).

use http::HeaderValue;
use http::Method;
use http::StatusCode;
use http::header::ACCEPT;
use serde::Deserialize;

use super::listing;
use super::target::Target;
use crate::domain::reference::Digest;
use crate::ports::artifact_reader::Referrer;
use crate::ports::registry_client::RegistryError;

/// As long as a manifest may be, which it is.
const PAGE_BYTES: usize = 4 << 20;
/// Nothing has so many signatures; a list that never ends has.
const MOST_PAGES: usize = 100;
/// Of all pages together: what stands in them is kept.
const MOST_BYTES: usize = 8 << 20;

/// Reads a page of referrers: an index, whose entries say what they are.
///
/// # Errors
/// What is wrong with it.
pub fn parse(body: &[u8]) -> Result<Vec<Referrer>, String> {
    #[derive(Deserialize)]
    struct Index {
        manifests: Option<Vec<Entry>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        digest: String,
        artifact_type: Option<String>,
    }
    let index: Index =
        serde_json::from_slice(body).map_err(|error| format!("its list of referrers: {error}"))?;
    let entries = index
        .manifests
        .ok_or("its list of referrers has none in it")?;
    let referrer = |entry: Entry| {
        Ok(Referrer {
            digest: Digest::parse(&entry.digest).map_err(|error| error.to_string())?,
            artifact_type: entry.artifact_type,
        })
    };
    entries.into_iter().map(referrer).collect()
}

impl Target {
    /// What refers to a manifest; nothing where the registry does not know of referrers.
    pub(super) async fn referrers(&self, digest: &Digest) -> Result<Vec<Referrer>, RegistryError> {
        let trouble = &self.host.trouble;
        let below = format!("referrers/{digest}");
        let mut request = self.request(Method::GET, &below, PAGE_BYTES)?;
        let index = HeaderValue::from_static("application/vnd.oci.image.index.v1+json");
        request.headers.insert(ACCEPT, index);
        let mut found = Vec::new();
        let mut bytes = 0;
        for _ in 0..MOST_PAGES {
            let reply = self.ask(&request).await?;
            match reply.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND if found.is_empty() => return Ok(found),
                _ => return Err(self.unexpected(&reply)),
            }
            bytes += reply.body.len();
            if bytes > MOST_BYTES {
                let reason = format!("a list of referrers of more than {MOST_BYTES} bytes");
                return Err(trouble.nonsense(reason));
            }
            let page = parse(&reply.body);
            found.extend(page.map_err(|reason| trouble.nonsense(reason))?);
            let Some(next) = listing::next(&reply) else {
                return Ok(found);
            };
            request.url = listing::follow(trouble, &request.url, &next)?;
        }
        Err(trouble.nonsense(format!(
            "a list of referrers of more than {MOST_PAGES} pages"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn referrers_say_what_they_are() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let body = format!(
            r#"{{"manifests":[{{"digest":"{digest}","artifactType":"x/y","size":1}},{{"digest":"{digest}"}}]}}"#
        );
        let found = parse(body.as_bytes()).unwrap();
        let types: Vec<Option<&str>> = found
            .iter()
            .map(|one| one.artifact_type.as_deref())
            .collect();
        assert_eq!(types, [Some("x/y"), None]);
        assert_eq!(parse(br#"{"manifests":[]}"#), Ok(vec![]));
        for body in ["", "{}", "<html>", r#"{"manifests":[{"digest":"x"}]}"#] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&body);
        }
    }
}
