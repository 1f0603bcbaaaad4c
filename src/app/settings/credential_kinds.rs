//! Kinds of sources of credentials, as a setting lists them.

use crate::domain::registry::credential_source::CredentialKind;

/// Reads kinds, separated by commas, in any case. Nothing is none.
///
/// # Errors
/// What is allowed, as a request to the user.
pub(super) fn parse(text: &str) -> Result<Vec<CredentialKind>, String> {
    let names = text.split(',').map(str::trim);
    let kinds = names.filter(|name| !name.is_empty()).map(|name| {
        CredentialKind::parse(name).ok_or_else(|| {
            let all = CredentialKind::ALL.map(CredentialKind::name);
            format!("give {}, separated by commas, or nothing", all.join(", "))
        })
    });
    kinds.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_listed() {
        let (pull, env) = (CredentialKind::PullSecret, CredentialKind::Env);
        assert_eq!(parse("pullsecret, ENV,"), Ok(vec![pull, env]));
        assert_eq!(parse(""), Ok(Vec::new()));
        for text in ["vault", "pullsecret;env", "pullsecret:a/b"] {
            let request = parse(text).unwrap_err();
            assert_eq!(
                request,
                "give pullsecret, secret, env, ext, separated by commas, or nothing"
            );
        }
    }
}
