//! Digests of content.

use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use crate::domain::reference::Digest;
use crate::domain::reference::ReferenceError;

/// The `sha256` digest of a content.
pub(super) fn of(content: &[u8]) -> Result<Digest, ReferenceError> {
    Digest::parse(&format!("sha256:{}", hex::encode(Sha256::digest(content))))
}

/// Whether a digest is that of a content, by its own algorithm.
pub(super) fn matches(digest: &Digest, content: &[u8]) -> bool {
    let Some((algorithm, wanted)) = digest.as_str().split_once(':') else {
        return false;
    };
    let found = match algorithm {
        "sha256" => hex::encode(Sha256::digest(content)),
        "sha384" => hex::encode(Sha384::digest(content)),
        "sha512" => hex::encode(Sha512::digest(content)),
        _ => return false,
    };
    found == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_checked_by_its_own_algorithm() {
        let empty = of(b"").unwrap();
        assert!(
            empty
                .as_str()
                .starts_with("sha256:e3b0c44298fc1c149afbf4c8996fb924")
        );
        assert!(matches(&empty, b"") && !matches(&empty, b"x"));
        let longer = hex::encode(Sha512::digest(b"x"));
        let longer = Digest::parse(&format!("sha512:{longer}")).unwrap();
        assert!(matches(&longer, b"x") && !matches(&longer, b""));
    }
}
