//! Certificates for mock buyers: an authority made on the spot, which the exchange can be told to trust.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

/// A certificate authority for a mock market.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Which certificate a mock buyer shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// One of its authority, for its own address.
    #[default]
    Right,
    /// One whose time is over.
    Expired,
    /// One for another host.
    WrongName,
    /// One that it signed itself.
    SelfSigned,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    #[error("no certificate can be made")]
    Made(#[from] rcgen::Error),
    #[error("the certificate cannot be used")]
    Used(#[from] rustls::Error),
}

impl Authority {
    /// Makes an authority with a fresh key.
    ///
    /// # Errors
    ///
    /// [`NoCertificate`] if the machine has no randomness.
    pub fn new() -> Result<Self, NoCertificate> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// Returns its certificate as PEM: what `--egress-ca` takes.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Makes what a server at this address needs to speak TLS, with such a certificate; of HTTP, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    ///
    /// [`NoCertificate`] if no certificate can be made.
    pub fn acceptor(&self, addr: IpAddr, shows: Shown) -> Result<TlsAcceptor, NoCertificate> {
        let key = KeyPair::generate()?;
        let names = match shows {
            Shown::WrongName => vec!["elsewhere.example".to_owned()],
            Shown::Right | Shown::Expired | Shown::SelfSigned => {
                vec!["localhost".to_owned(), addr.to_string()]
            }
        };
        let mut params = CertificateParams::new(names)?;
        if shows == Shown::Expired {
            params.not_before = date_time_ymd(2024, 1, 1);
            params.not_after = date_time_ymd(2024, 4, 1);
        }
        let certificate = match shows {
            Shown::SelfSigned => params.self_signed(&key)?,
            Shown::Right | Shown::Expired | Shown::WrongName => {
                params.signed_by(&key, &self.issuer)?
            }
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
