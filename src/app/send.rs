//! Making up a delivery and sending it, to try a set-up out from end to end.

use form_urlencoded::Serializer;

use crate::domain::event::ImageEvent;
use crate::domain::secret_policy::Proof;
use crate::domain::secret_policy::Secret;
use crate::domain::secret_policy::prove;
use crate::ports::payload_decoder::ComposeError;
use crate::ports::payload_decoder::PayloadDecoder;
use crate::ports::webhook_client::Request;

/// The request that a sender of this type would make for a push, with its proof of knowing the secret.
///
/// # Errors
/// [`ComposeError`] where the type of sender cannot speak of the image.
pub fn request(
    sender: &dyn PayloadDecoder,
    event: &ImageEvent,
    url: &str,
    secret: Option<&Secret>,
) -> Result<Request, ComposeError> {
    let composed = sender.compose(event)?;
    let mut headers = composed.headers;
    let mut query = composed.query;
    if !has_parameter(url, "type") {
        query.insert(0, ("type".to_owned(), sender.profile().name.to_owned()));
    }
    match secret.map(|secret| prove(sender.profile().authentication, secret, &composed.body)) {
        Some(Proof::Header(name, value)) => headers.push((name.to_owned(), value)),
        Some(Proof::Query(name, value)) => query.push((name.to_owned(), value)),
        None => {}
    }
    Ok(Request {
        url: with_parameters(url, &query),
        headers,
        body: composed.body,
    })
}

fn has_parameter(url: &str, name: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name)
}

fn with_parameters(url: &str, parameters: &[(String, String)]) -> String {
    let encoded = Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let joint = match url.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    if encoded.is_empty() {
        url.to_owned()
    } else {
        format!("{url}{joint}{encoded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::domain::sender::Authentication;
    use crate::domain::sender::SenderProfile;
    use crate::ports::payload_decoder::Composed;
    use crate::ports::payload_decoder::MockPayloadDecoder;

    fn profile(authentication: Authentication) -> SenderProfile {
        SenderProfile {
            name: "a/b",
            secret_name: "ab",
            title: "AB",
            authentication,
            documentation: "",
        }
    }

    fn made(authentication: Authentication, url: &str) -> Request {
        let mut sender = MockPayloadDecoder::new();
        sender
            .expect_profile()
            .return_const(Box::leak(Box::new(profile(authentication))) as &'static _);
        sender.expect_compose().returning(|_| {
            Ok(Composed {
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                query: vec![("x".to_owned(), "1 2".to_owned())],
                body: b"Hello, World!".to_vec(),
            })
        });
        let event = ImageEvent {
            image: ImageName::parse("quay.io/a/b").unwrap(),
            tag: Tag::parse("1").unwrap(),
            digest: None,
        };
        let secret = Secret::parse("It's a Secret to Everybody");
        request(&sender, &event, url, secret.as_ref()).unwrap()
    }

    #[test]
    fn a_secret_goes_where_its_sender_puts_it() {
        let signed = made(Authentication::HubSignature256, "https://h/webhook");
        assert_eq!(signed.url, "https://h/webhook?type=a%2Fb&x=1+2");
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(
            signed
                .headers
                .contains(&("x-hub-signature-256".to_owned(), signature.to_owned()))
        );
        let queried = made(Authentication::QuerySecret, "https://h/webhook?type=c");
        assert_eq!(
            queried.url,
            "https://h/webhook?type=c&x=1+2&secret=It%27s+a+Secret+to+Everybody"
        );
    }
}
