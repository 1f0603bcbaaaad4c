//! What every source of secrets has to do.

use crate::domain::secret_policy::Secrets;
use crate::ports::secret_source::SecretSource;

/// Checks a source that starts without a secret for `docker` and `ghcr`. `put` stores a text as the secrets of a type and returns
/// when the source has taken it up.
pub(crate) fn is_kept(source: &dyn SecretSource, put: &dyn Fn(&str, &str)) {
    let has = |name: &str, text: &str| *source.secrets(name) == Secrets::parse(text);
    assert!(has("docker", ""), "a type without a secret has none");
    assert!(has("nonsense", ""), "a type that nobody knows has none");

    put("docker", "one");
    assert!(has("docker", "one"));
    assert!(has("ghcr", ""), "types do not share secrets");

    put("docker", "one\ntwo\r\n");
    assert_eq!(
        source.secrets("docker").len(),
        2,
        "several are valid at once"
    );
    let before = source.secrets("docker");

    put("docker", " three ");
    assert!(has("docker", " three "), "blanks belong to a secret");
    assert_eq!(before.len(), 2, "who has asked keeps what was valid then");

    put("docker", "\r\n\n");
    assert!(has("docker", ""), "an empty secret is none");
}
