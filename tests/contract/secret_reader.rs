//! The contract of the port [`SecretReader`].

use image_updater::ports::secret_reader::SecretReadError;
use image_updater::ports::secret_reader::SecretReader;

/// Runs the suite on a reader that knows these Secrets: in `namespace` one named `pull`, with the field `login` that is `bob:hunter2` and a line
/// end, and the field `bytes` that is 0, 255; and in another namespace one named `elsewhere`.
pub(crate) async fn holds_for(reader: &dyn SecretReader, namespace: &str) {
    let own = |text: &str| text.to_owned();
    let login = reader.field(namespace, "pull", "login").await;
    assert_eq!(login, Ok(b"bob:hunter2\n".to_vec()));
    let bytes = reader.field(namespace, "pull", "bytes").await;
    assert_eq!(bytes, Ok(vec![0, 255]));

    let error = reader.field(namespace, "pull", "none").await.unwrap_err();
    let no_field = SecretReadError::NoField {
        namespace: own(namespace),
        name: own("pull"),
        field: own("none"),
    };
    assert_eq!(error, no_field);
    for name in ["none", "elsewhere"] {
        let error = reader.field(namespace, name, "login").await.unwrap_err();
        let absent = SecretReadError::Absent {
            namespace: own(namespace),
            name: own(name),
        };
        assert_eq!(error, absent);
        assert!(!format!("{error:?}{error}").contains("hunter2"));
    }
}
