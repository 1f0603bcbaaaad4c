//! Authorities that stand in the description itself.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::parse_x509_certificate;

/// Whether a text is certificates in PEM.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("is no PEM: {error}"))?;
        found += 1;
        parse_x509_certificate(&certificate)
            .map_err(|_| format!("certificate {found} of it is none in X.509"))?;
    }
    if found == 0 {
        return Err(
            "has no certificate: give what stands from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, both included"
                .to_owned(),
        );
    }
    Ok(())
}
