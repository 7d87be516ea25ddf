//! Certificates for mock buyers: an authority made on the spot, which the exchange can be told to trust.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate authority for a mock market.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
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

    /// Makes what a server at this address needs to speak TLS; of HTTP, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    ///
    /// [`NoCertificate`] if no certificate can be made.
    pub fn acceptor(&self, addr: IpAddr) -> Result<TlsAcceptor, NoCertificate> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(vec!["localhost".to_owned(), addr.to_string()])?;
        let certificate = params.signed_by(&key, &self.issuer)?;
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
