//! Where the exchange may call out to.
//!
//! A buyer chooses the address that its leads are sent to, so the address is hostile until proven public. It is judged
//! twice: when it is saved ([`Egress::check`]), and again when the connection is made, when its name is resolved by a
//! resolver that hands out judged addresses only. What connects is what was judged, so a name that changes its answer in
//! between gains nothing. Redirects are never followed and proxies never asked.

mod address;
mod client;
mod line;
mod relay;
mod resolver;
pub mod signing;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use ipnet::{Ipv4Net, Ipv6Net};

pub use ipnet::IpNet;

pub use address::Reserved;
pub use client::{Client, Unavailable};
pub use line::{
    Answer, BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, Line, NoAnswer, NoLine, Question, Version,
};
pub use relay::{ADDRESS_BYTES_MAX, Handed, Letter, Login, NoAddress, NoRelay, Recipient, Relay};

/// The longest destination, in bytes.
pub const URL_BYTES_MAX: usize = 2048;
/// The port of https. Other ports of this kind belong to mail, files and remote shells, which are not to be talked to.
const HTTPS_PORT: u16 = 443;
/// The first port that a buyer may choose freely.
const FREE_PORTS_BEGIN: u16 = 1024;

/// Where the exchange may call out to: https to public addresses, and what the operator adds or takes away.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    loopback: bool,
    allowed: Vec<IpNet>,
    refused: Vec<IpNet>,
    authorities: Vec<CertificateDer<'static>>,
    directory: Option<Directory>,
    relay: Option<Relay>,
}

/// What knows the addresses of names in the place of the machine's resolver.
#[derive(Clone)]
struct Directory(Arc<LookUp>);

type LookUp = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}

/// Why a text holds no certificates.
#[derive(Debug, thiserror::Error)]
pub enum NotCertificates {
    #[error("it is not PEM: expected `-----BEGIN CERTIFICATE-----`, the certificate, and its end")]
    NotPem(#[source] rustls::pki_types::pem::Error),
    #[error("there is no certificate in it: expected `-----BEGIN CERTIFICATE-----`")]
    Empty,
}

/// An address that leads may be sent to. Only [`Egress::check`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination(Url);

/// Why an address is no destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("the address cannot be read ({0}): write it as https://host/path")]
    Unreadable(String),
    #[error("the address is longer than {URL_BYTES_MAX} bytes: shorten it")]
    Long,
    #[error("`{0}` is not a way to send a lead: use https")]
    Scheme(String),
    #[error(
        "http is only for this machine itself, and only where the operator allows it: use https"
    )]
    Plain,
    #[error("the address holds a user name or password: take it out")]
    Credentials,
    #[error("the address ends in a fragment, which is never sent: take out `#` and what follows")]
    Fragment,
    #[error("port {0} is not for leads: use {HTTPS_PORT}, or one from {FREE_PORTS_BEGIN} to 65535")]
    Port(u16),
    #[error("`{0}` is not a full name: write all of it, as in buyer.example.com")]
    ShortName(String),
    #[error("{address} is {reserved}: use an address on the public internet")]
    Address { address: IpAddr, reserved: Reserved },
    #[error(
        "`{name}` resolves to {address}, which is {reserved}: all its addresses have to be on the public internet"
    )]
    Resolved { name: String, address: IpAddr, reserved: Reserved },
}

impl Egress {
    /// Https to public addresses, and nothing else.
    pub fn public() -> Self {
        Self::default()
    }

    /// Everything that any policy may allow: for what another policy let through, and that nobody calls.
    pub fn anywhere() -> Self {
        let (v4, v6) = (IpNet::from(Ipv4Net::default()), IpNet::from(Ipv6Net::default()));
        Self::public().allow_loopback().allow(v4).allow(v6)
    }

    /// Allows this machine itself, also over plain http: for development and tests.
    #[must_use]
    pub fn allow_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Allows a network that is not public, such as the one that a buyer's private line ends in. Loopback addresses stay
    /// refused whatever the network.
    #[must_use]
    pub fn allow(mut self, network: IpNet) -> Self {
        self.allowed.push(network);
        self
    }

    /// Refuses a network that is public, such as the exchange's own.
    #[must_use]
    pub fn refuse(mut self, network: IpNet) -> Self {
        self.refused.push(network);
        self
    }

    /// Trusts the certificate authorities in this PEM text beside the machine's own, such as a partner's private one.
    ///
    /// # Errors
    ///
    /// [`NotCertificates`] if the text holds none.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, NotCertificates> {
        let before = self.authorities.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.authorities.push(certificate.map_err(NotCertificates::NotPem)?);
        }
        if self.authorities.len() == before { Err(NotCertificates::Empty) } else { Ok(self) }
    }

    /// Hands letters to this relay.
    #[must_use]
    pub fn relaying(mut self, relay: Relay) -> Self {
        self.relay = Some(relay);
        self
    }

    /// Returns the relay that letters go through, if there is one.
    pub fn relay(&self) -> Option<Relay> {
        self.relay.clone().map(|relay| relay.trusting(&self.authorities))
    }

    /// Asks this function for the addresses of names in the place of the machine's resolver. It may block. What it says is
    /// judged all the same.
    #[must_use]
    pub fn directory(
        mut self,
        addresses: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.directory = Some(Directory(Arc::new(addresses)));
        self
    }

    /// Judges an address as its owner wrote it. A name is resolved and judged at each connection, not here.
    pub fn check(&self, text: &str) -> Result<Destination, Forbidden> {
        if text.len() > URL_BYTES_MAX {
            return Err(Forbidden::Long);
        }
        // URL parsers drop these or read them as `/`: what is checked would not be what was written.
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(Forbidden::Unreadable(
                "it holds a space, a backslash or a control character".into(),
            ));
        }
        let url = Url::parse(text).map_err(|error| Forbidden::Unreadable(error.to_string()))?;
        self.check_url(&url)?;
        Ok(Destination(url))
    }

    /// Builds the client that obeys this policy at every connection.
    ///
    /// # Errors
    ///
    /// If the machine has no certificate authorities to trust.
    pub fn client(&self) -> Result<Client, Unavailable> {
        Client::build(self)
    }

    fn check_url(&self, url: &Url) -> Result<(), Forbidden> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Forbidden::Scheme(url.scheme().into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Forbidden::Fragment);
        }
        let host = Host::of(url)?;
        match &host {
            Host::Address(address) => {
                if let Some(reserved) = self.judge(*address) {
                    return Err(Forbidden::Address { address: *address, reserved });
                }
            }
            Host::Name(name) => self.check_name(name)?,
        }
        let plain = url.scheme() == "http";
        if plain && !(self.loopback && host.is_loopback()) {
            return Err(Forbidden::Plain);
        }
        match url.port_or_known_default() {
            Some(HTTPS_PORT | FREE_PORTS_BEGIN..) => Ok(()),
            Some(80) if plain => Ok(()),
            port => Err(Forbidden::Port(port.unwrap_or(0))),
        }
    }

    /// A name without a dot is completed by the machine's search list, so its owner does not know whose it is.
    fn check_name(&self, name: &str) -> Result<(), Forbidden> {
        let whole = name.trim_end_matches('.').contains('.');
        if whole || (self.loopback && name == LOCALHOST) {
            Ok(())
        } else {
            Err(Forbidden::ShortName(name.into()))
        }
    }

    /// Returns why the exchange may not connect to the address.
    fn judge(&self, address: IpAddr) -> Option<Reserved> {
        let address = address::carried(address);
        let within = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        if within(&self.refused) {
            return Some(Reserved::Refused);
        }
        match address::reserved(address)? {
            Reserved::Loopback if self.loopback => None,
            Reserved::Loopback => Some(Reserved::Loopback),
            reserved => (!within(&self.allowed)).then_some(reserved),
        }
    }
}

const LOCALHOST: &str = "localhost";

enum Host<'u> {
    Name(&'u str),
    Address(IpAddr),
}

impl<'u> Host<'u> {
    /// Reads the host as the URL parser left it: every spelling of an IPv4 address is dotted decimal by now, and IPv6 is in
    /// brackets.
    fn of(url: &'u Url) -> Result<Self, Forbidden> {
        let text =
            url.host_str().ok_or_else(|| Forbidden::Unreadable("it names no host".into()))?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        Ok(bare.parse().map_or(Self::Name(text), Self::Address))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => *name == LOCALHOST,
            Self::Address(address) => address::carried(*address).is_loopback(),
        }
    }
}

impl Destination {
    /// Returns the address in its one spelling. It may hold keys of the buyer's: never log it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the address with a path and a query appended: empty, `?query`, `/path` or `/path?query`.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] if that would not be below this address.
    pub fn below(&self, path: &str) -> Result<Self, Forbidden> {
        let mut url = self.0.clone();
        let (steps, query) = path.split_once('?').unwrap_or((path, ""));
        let base = self.0.path().trim_end_matches('/');
        if !steps.is_empty() {
            url.set_path(&format!("{base}{steps}"));
        }
        match url.query().filter(|known| !known.is_empty()) {
            _ if query.is_empty() => (),
            Some(known) => url.set_query(Some(&format!("{known}&{query}"))),
            None => url.set_query(Some(query)),
        }
        let stays = url.origin() == self.0.origin()
            && url
                .path()
                .strip_prefix(base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if stays && !steps.contains('#') {
            Ok(Self(url))
        } else {
            Err(Forbidden::Unreadable("what is appended to it leaves it".into()))
        }
    }
}

/// Scheme, host and port: path and query may hold keys.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(egress: &Egress, url: &str) -> String {
        match egress.check(url) {
            Ok(destination) => destination.as_str().to_owned(),
            Err(forbidden) => forbidden.to_string(),
        }
    }

    /// Each line: the address as written, and what is made of it (or a part of why it is forbidden).
    #[track_caller]
    fn check(egress: &Egress, table: &[(&str, &str)]) {
        for (url, expected) in table {
            let verdict = verdict(egress, url);
            assert!(verdict.contains(expected), "{url}: expected `{expected}`, got `{verdict}`");
            assert_eq!(expected.starts_with("http"), egress.check(url).is_ok(), "{url}: {verdict}");
        }
    }

    #[test]
    fn https_to_public_hosts_is_allowed_and_nothing_else() {
        check(
            &Egress::public(),
            &[
                ("https://buyer.example.com/leads?key=1", "https://buyer.example.com/leads?key=1"),
                ("HTTPS://Buyer.Example.COM:443/a/../b", "https://buyer.example.com/b"),
                ("https://bücher.example.com/", "https://xn--bcher-kva.example.com/"),
                ("https://93.184.216.34:8443/", "https://93.184.216.34:8443/"),
                ("https://[2606:4700::1111]:1024/", "https://[2606:4700::1111]:1024/"),
                ("https://buyer.example.com:25/", "port 25 is not for leads: use 443, or one from"),
                ("https://buyer.example.com:80/", "port 80 is not for leads"),
                ("https://buyer.example.com:0/", "port 0 is not for leads"),
                ("https://buyer.example.com:1023/", "port 1023 is not for leads"),
                ("https://buyer.example.com:65536/", "cannot be read (invalid port number)"),
                ("http://buyer.example.com/", "use https"),
                ("http://93.184.216.34/", "use https"),
                ("ftp://buyer.example.com/", "`ftp` is not a way to send a lead"),
                ("file:///etc/passwd", "`file` is not a way to send a lead"),
                ("gopher://127.0.0.1:6379/_", "`gopher` is not"),
                ("data:text/plain,x", "`data` is not"),
                ("https://user@buyer.example.com/", "holds a user name or password"),
                ("https://:word@buyer.example.com/", "holds a user name or password"),
                ("https://buyer.example.com@10.0.0.1/", "holds a user name or password"),
                ("https://buyer.example.com/#top", "ends in a fragment"),
                ("https://buyer.example.com/#", "ends in a fragment"),
                ("https://good.example.com\\@10.0.0.1/", "a backslash"),
                ("https://10.0.\t0.1/", "a control character"),
                (" https://buyer.example.com/", "a space"),
                ("https://buyer.example.com\r\nx-key: 1/", "a control character"),
                ("https://", "cannot be read (empty host)"),
                ("buyer.example.com", "write it as https://host/path"),
                ("", "cannot be read"),
                ("https://metadata/", "`metadata` is not a full name"),
                ("https://metadata./", "is not a full name"),
                ("https://localhost/", "`localhost` is not a full name"),
            ],
        );
        let long = format!("https://buyer.example.com/{}", "a".repeat(URL_BYTES_MAX));
        check(&Egress::public(), &[(&long, "longer than 2048 bytes")]);
    }

    #[test]
    fn every_spelling_of_an_inner_address_is_the_same_address() {
        let loopback = "127.0.0.1 is a loopback address: use an address on the public internet";
        check(
            &Egress::public(),
            &[
                ("https://127.0.0.1/", loopback),
                ("https://127.1/", loopback),
                ("https://2130706433/", loopback),
                ("https://0x7f000001/", loopback),
                ("https://0x7f.1/", loopback),
                ("https://017700000001/", loopback),
                ("https://0177.0.0.01/", loopback),
                ("https://127.0.0.1./", loopback),
                ("https://%31%32%37.0.0.1/", loopback),
                ("https://127。0。0。1/", loopback),
                ("https://①②⑦.0.0.1/", loopback),
                ("https://[::1]/", "is a loopback address"),
                ("https://[0:0:0:0:0:0:0:1]/", "is a loopback address"),
                ("https://[::ffff:127.0.0.1]/", "is a loopback address"),
                ("https://[::ffff:7f00:1]/", "is a loopback address"),
                ("https://[::ffff:a9fe:a9fe]/", "is a link-local address"),
                ("https://[64:ff9b::10.0.0.1]/", "is a private address"),
                ("https://[64:ff9b::169.254.169.254]/", "is a link-local address"),
                ("https://[64:ff9b::5db8:d822]/", "https://[64:ff9b::5db8:d822]/"),
                ("https://[fe80::1%25eth0]/", "cannot be read (invalid IPv6 address)"),
                ("https://[fe80::1%eth0]/", "cannot be read (invalid IPv6 address)"),
                ("https://256.0.0.1/", "cannot be read (invalid IPv4 address)"),
                ("https://127.0.0.0.1/", "cannot be read (invalid IPv4 address)"),
            ],
        );
    }

    #[test]
    fn a_developer_may_allow_the_machine_itself() {
        let egress = Egress::public().allow_loopback();
        check(
            &egress,
            &[
                ("http://127.0.0.1:8081/leads", "http://127.0.0.1:8081/leads"),
                ("http://127.9.9.9/", "http://127.9.9.9/"),
                ("http://[::1]:8081/", "http://[::1]:8081/"),
                ("http://localhost:8081/", "http://localhost:8081/"),
                ("https://localhost/", "https://localhost/"),
                ("http://localhost:22/", "port 22 is not for leads"),
                ("http://10.0.0.1:8081/", "10.0.0.1 is a private address"),
                ("http://localhost.example.com:8081/", "use https"),
                ("http://buyer.example.com/", "use https"),
                ("https://169.254.169.254/", "link-local"),
            ],
        );
    }

    #[test]
    fn an_operator_may_add_and_take_away_networks() {
        let egress = Egress::public()
            .allow("10.20.0.0/16".parse().unwrap())
            .allow("127.0.0.0/8".parse().unwrap())
            .allow("fd12::/16".parse().unwrap())
            .refuse("203.0.114.0/24".parse().unwrap())
            .refuse("10.20.9.0/24".parse().unwrap());
        check(
            &egress,
            &[
                ("https://10.20.0.1/", "https://10.20.0.1/"),
                ("https://[::ffff:10.20.0.1]/", "https://[::ffff:a14:1]/"),
                ("https://[fd12::1]/", "https://[fd12::1]/"),
                ("https://10.21.0.1/", "is a private address"),
                ("https://10.20.9.1/", "is an address that the operator refuses"),
                ("https://203.0.114.7/", "is an address that the operator refuses"),
                ("http://10.20.0.1/", "use https"),
                ("https://127.0.0.1/", "is a loopback address"),
            ],
        );
    }

    #[test]
    fn what_is_appended_to_an_address_stays_below_it() {
        let below = |base: &str, path: &str| {
            let base = Egress::public().check(base).unwrap();
            base.below(path).map_or_else(|error| error.to_string(), |url| url.as_str().to_owned())
        };
        let leaves = "the address cannot be read (what is appended to it leaves it)";
        for (base, path, expected) in [
            ("https://a.example.com/x", "", "https://a.example.com/x"),
            ("https://a.example.com/x/", "/ping?a=b", "https://a.example.com/x/ping?a=b"),
            ("https://a.example.com/x?k=1", "?a=b", "https://a.example.com/x?k=1&a=b"),
            ("https://a.example.com", "/p", "https://a.example.com/p"),
            ("https://a.example.com/x", "/../../y", leaves),
            ("https://a.example.com/x", "/%2e%2e/y", leaves),
            ("https://a.example.com/x", "y", leaves),
            ("https://a.example.com", "//b.example.com/", "https://a.example.com//b.example.com/"),
        ] {
            assert!(
                below(base, path).starts_with(expected),
                "{base} {path}: {}",
                below(base, path)
            );
        }
    }

    #[test]
    fn a_destination_shows_no_keys() {
        let destination =
            Egress::public().check("https://a.example.com/k/secret?key=secret").unwrap();
        assert_eq!(
            format!("{destination} {destination:?}"),
            "https://a.example.com https://a.example.com"
        );
    }
}
