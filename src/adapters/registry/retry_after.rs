//! `Retry-After`, by [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).

use std::time::Duration;
use std::time::SystemTime;

/// The longest wait that is believed: who asks for more means "not today".
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a server wants to be left alone: given in seconds, or until a date.
#[must_use]
pub fn parse(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    let wait = if let Ok(seconds) = header.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = httpdate::parse_http_date(header).ok()?;
        // A date that is over asks for no wait.
        date.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = httpdate::parse_http_date("Fri, 27 Nov 2026 18:00:00 GMT").unwrap();
        for (header, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999", Some(86_400)),
            ("Fri, 27 Nov 2026 18:00:30 GMT", Some(30)),
            ("Fri, 27 Nov 2026 17:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(parse(header, now), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(header in "\\PC{0,40}") {
            let _ = parse(&header, SystemTime::UNIX_EPOCH);
        }
    }
}
