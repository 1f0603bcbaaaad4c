//! The registries of Amazon ECR, by account and region.

use crate::adapters::senders::quote::quoted;
use crate::domain::reference::Registry;
use crate::ports::payload_decoder::DecodeError;

/// The partitions whose hosts are public knowledge. Those of the others are not guessed.
const PARTITIONS: [&str; 4] = ["aws", "aws-cn", "aws-us-gov", "aws-eusc"];

/// What stands between account and region in the host of a registry.
const SERVICE: &str = ".dkr.ecr.";

/// Whether a type is one of ECR's events.
pub(super) fn is_type(kind: &str) -> bool {
    kind.to_ascii_lowercase().starts_with("com.amazon.ecr.")
}

/// A source of the form `urn:aws:ecr:<region>:<account>:repository/<name>`; `arn` and other [partitions](PARTITIONS) are as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: Option<&'a str>,
    pub(super) repository: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// Reads a source; any other one is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let scheme = parts.next()?;
        let partition = parts.next()?;
        let known = ["urn", "arn"].contains(&scheme) && partition.starts_with("aws");
        if !known || parts.next()? != "ecr" {
            return None;
        }
        let region = parts.next()?;
        let account = parts.next().filter(|account| !account.is_empty());
        let resource = parts.next().unwrap_or_default();
        Some(Self {
            partition,
            region,
            account,
            repository: resource.strip_prefix("repository/"),
        })
    }
}

/// The registry of an account in the region of a source. A URN has `aws` in place of any partition, so the region has a say too.
pub(super) fn registry_of(source: Source<'_>, account: &str) -> Result<Registry, DecodeError> {
    if !PARTITIONS.contains(&source.partition) {
        return Err(DecodeError(format!(
            "the host of a registry in the AWS partition {} is not known",
            quoted(source.partition)
        )));
    }
    registry(account, source.region)
}

/// The registry of an account in a region.
pub(super) fn registry(account: &str, region: &str) -> Result<Registry, DecodeError> {
    let is_account = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    if !is_account {
        let account = quoted(account);
        return Err(DecodeError(format!("{account} is no AWS account")));
    }
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if region.is_empty() || !region.bytes().all(is_word) {
        return Err(DecodeError(format!("{} is no AWS region", quoted(region))));
    }
    if is_isolated(region) {
        return Err(DecodeError(format!(
            "the host of a registry in the isolated AWS region {} is not known",
            quoted(region)
        )));
    }
    Registry::parse(&host(account, region)).map_err(|error| DecodeError(error.to_string()))
}

/// `us-iso-east-1`, `eu-isoe-west-1`.
fn is_isolated(region: &str) -> bool {
    let mut words = region.split('-').skip(1);
    words.next().is_some_and(|word| word.starts_with("iso"))
}

fn host(account: &str, region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else if region.starts_with("eusc-") {
        "amazonaws.eu"
    } else {
        "amazonaws.com"
    };
    format!("{account}{SERVICE}{region}.{domain}")
}

/// Account and region of a registry, where it is one of ECR under the name that [`registry`] gives it.
pub(super) fn account_and_region(registry: &Registry) -> Option<(&str, &str)> {
    let (account, rest) = registry.as_str().split_once(SERVICE)?;
    let (region, _) = rest.split_once('.')?;
    let own = self::registry(account, region).ok()?;
    (own == *registry).then_some((account, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_name_region_account_and_repository() {
        for (text, region, repository) in [
            (
                "urn:aws:ecr:eu-west-1:1:repository/team/a",
                "eu-west-1",
                Some("team/a"),
            ),
            (
                "arn:aws-cn:ecr:cn-north-1:1:repository/a",
                "cn-north-1",
                Some("a"),
            ),
            ("arn:aws:ecr:us-east-1:1:", "us-east-1", None),
            ("arn:aws:ecr:us-east-1:1", "us-east-1", None),
        ] {
            let account = Some("1");
            let partition = if region == "cn-north-1" {
                "aws-cn"
            } else {
                "aws"
            };
            let source = Source {
                partition,
                region,
                account,
                repository,
            };
            assert_eq!(Source::parse(text), Some(source), "{text}");
        }
        for other in [
            "",
            "aws.ecr",
            "urn:aws:s3:eu-west-1:1:x",
            "https://aws.ecr/x",
            "urn:aws:ecr",
        ] {
            assert_eq!(Source::parse(other), None, "{other}");
        }
    }

    #[test]
    fn no_host_is_guessed_for_another_partition() {
        let told = |text: &str| registry_of(Source::parse(text).unwrap(), "1");
        for known in [
            "urn:aws",
            "arn:aws",
            "arn:aws-cn",
            "arn:aws-us-gov",
            "arn:aws-eusc",
        ] {
            assert!(
                told(&format!("{known}:ecr:eu-west-1:1:x")).is_ok(),
                "{known}"
            );
        }
        for other in ["arn:aws-iso", "arn:aws-iso-b", "urn:aws-new"] {
            let message = told(&format!("{other}:ecr:eu-west-1:1:x")).unwrap_err().0;
            assert!(message.contains("is not known"), "{message}");
        }
    }

    #[test]
    fn a_region_tells_the_domain() {
        for (region, host) in [
            ("eu-west-1", "1.dkr.ecr.eu-west-1.amazonaws.com"),
            ("us-gov-west-1", "1.dkr.ecr.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "1.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "1.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
        ] {
            let registry = registry("1", region).unwrap();
            assert_eq!(registry.as_str(), host);
            assert_eq!(account_and_region(&registry), Some(("1", region)));
        }
        assert!(registry("", "eu-west-1").is_err());
        assert!(registry("1", "eu.west").is_err());
        for isolated in ["us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"] {
            let message = registry("1", isolated).unwrap_err().0;
            assert!(message.contains("is not known"), "{message}");
        }
        let foreign = Registry::parse("1.dkr.ecr.cn-north-1.amazonaws.com").unwrap();
        assert_eq!(account_and_region(&foreign), None);
    }
}
