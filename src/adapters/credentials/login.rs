//! `user:password` in one text.

use crate::ports::credential_reader::Credentials;

/// Splits a text at its first colon; `None` where one of the two is empty, or it is no UTF-8. The line ends that an editor or a program
/// leaves at the end belong to nothing.
pub(super) fn parse(bytes: &[u8]) -> Option<Credentials> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (user, password) = text.trim_end_matches(['\r', '\n']).split_once(':')?;
    let is_whole = !user.is_empty() && !password.is_empty();
    is_whole.then(|| Credentials::Password {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_split_at_the_first_colon() {
        for (text, user, password) in [
            ("bob:hunter2", "bob", "hunter2"),
            ("AWS:a:b:c\r\n", "AWS", "a:b:c"),
            ("_json_key:{\n\"a\": 1}\n", "_json_key", "{\n\"a\": 1}"),
            ("b: x ", "b", " x "),
        ] {
            let expected = Credentials::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            };
            assert!(parse(text.as_bytes()) == Some(expected), "{text:?}");
        }
        for text in ["", "bob", ":", "bob:", ":hunter2", "bob:\n"] {
            assert!(parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(parse(b"bob:\xff").is_none());
    }
}
