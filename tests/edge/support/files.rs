//! Certificates on disk.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    pub(crate) der: CertificateDer<'static>,
}

impl Pair {
    /// Valid now.
    pub(crate) fn valid() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self::until(SystemTime::now() + day)
    }

    /// Expired an hour ago.
    pub(crate) fn expired() -> Self {
        Self::until(SystemTime::now() - Duration::from_secs(3600))
    }

    fn until(end: SystemTime) -> Self {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = (end - Duration::from_secs(48 * 3600)).into();
        params.not_after = end.into();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
        }
    }

    /// Writes both files, one after the other.
    pub(crate) fn write(&self, folder: &Path) {
        fs::write(folder.join("tls.crt"), &self.certificate).unwrap();
        fs::write(folder.join("tls.key"), &self.key).unwrap();
    }

    /// Mounts both files as a kubelet does: a folder for each generation, and the link `..data` renamed over the old one.
    pub(crate) fn mount(&self, folder: &Path, generation: &str) {
        fs::create_dir(folder.join(generation)).unwrap();
        self.write(&folder.join(generation));
        symlink(generation, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
        for name in ["tls.crt", "tls.key"] {
            let link = folder.join(name);
            if !link.is_symlink() {
                symlink(Path::new("..data").join(name), link).unwrap();
            }
        }
    }
}

/// An authority that makes certificates for clients.
pub(crate) struct Authority {
    pub(crate) certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "clients of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for a client that ends then.
    pub(crate) fn issue(&self, end: SystemTime) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["registry.example.com".to_owned()]).unwrap();
        params.not_before = (end - Duration::from_secs(48 * 3600)).into();
        params.not_after = end.into();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
        }
    }

    /// A certificate for a client that is valid now.
    pub(crate) fn client(&self) -> Pair {
        self.issue(SystemTime::now() + Duration::from_secs(24 * 3600))
    }
}
