//! How connections are protected.

use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Tls, key, flag, kind);
    vec![
        setting("disable-tls", "disable-tls", Kind::Bool)
            .env("DISABLE_TLS")
            .default("false")
            .help("Serves plain HTTP."),
        setting("tls.min-version", "tlsminversion", Kind::TlsVersion)
            .env("TLS_MIN_VERSION")
            .default("1.3")
            .help("The lowest version of TLS: 1.1, 1.2 or 1.3. 1.1 needs a build with the feature tls11."),
        setting("tls.max-version", "tlsmaxversion", Kind::TlsVersion)
            .env("TLS_MAX_VERSION")
            .default("1.3")
            .help("The highest version of TLS."),
        setting("tls.ciphers", "tlsciphers", Kind::TlsCiphers)
            .env("TLS_CIPHERS")
            .default("")
            .help("Cipher suites up to TLS 1.2, by their IANA names, separated by colons; empty: the usual ones. Those of TLS 1.3 cannot be chosen."),
        setting("tls.dir", "tls-dir", Kind::Path)
            .env("TLS_DIR")
            .default("/app/config/tls")
            .help("Folder with tls.crt and tls.key. Without them the server makes itself a certificate. A changed pair is taken up without a restart. The Secret argocd-image-updater-tls of the cluster is stronger."),
        setting("tls.client-ca", "tls-client-ca", Kind::Text)
            .env("TLS_CLIENT_CA")
            .default("")
            .help("File with certificates of authorities, in PEM. Deliveries then need a client certificate that one of them made, beside their secret; without one they are answered 403. A changed file is taken up without a restart. Empty: none is asked for. A proxy in front that ends TLS has to check certificates itself."),
        setting("tls.client-types", "tls-client-types", Kind::SenderTypes)
            .env("TLS_CLIENT_TYPES")
            .default("*")
            .help("The types of senders that need a client certificate, separated by commas; *: all of them. It counts where --tls-client-ca is set."),
    ]
}
