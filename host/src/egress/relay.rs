//! The operator's mail relay: hands one letter over by SMTP, once, and says what became of it.
//!
//! The relay is the operator's own, so its address is not judged as a buyer's is. Contact data goes to it under TLS: from
//! the first byte (`smtps://`), or agreed before anything is said (`smtp://`, STARTTLS). Only a relay on this machine, or
//! one whose address ends in `?tls=none`, is spoken to in the clear.
//!
//! From the moment the letter itself is handed to the network, silence is [`Handed::Unknown`]. Before it, nothing was said
//! that anybody could keep.

mod upgradable;

use std::error::Error as _;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lettre::address::Address;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use upgradable::Upgradable;
use zeroize::Zeroizing;

/// The longest address of a person, in bytes: what SMTP allows.
pub const ADDRESS_BYTES_MAX: usize = 254;
/// With less time left than this, or than half of what an attempt has, the letter itself is not begun: it would arrive and
/// stay in doubt.
const DATA_TIME_MIN: Duration = Duration::from_secs(2);
/// How long a connection may take to be made, with its name looked up and its TLS agreed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the relay may take to hear that nothing more is said.
const GOODBYE_MAX: Duration = Duration::from_millis(500);
/// The port where letters are submitted, and the one where that begins with TLS.
const PORTS: [(&str, u16); 2] = [("smtp", 587), ("smtps", 465)];

/// Whom letters go to or come from: one plain ASCII address, such as `leads@buyer.example`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(Address);

/// Why a text is nobody's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one e-mail address and nothing else, such as leads@buyer.example")]
pub struct NoAddress;

/// The relay's user and password.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: Zeroizing<String>,
}

/// How the relay is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    FromTheStart,
    Upgraded,
    None,
}

/// Hands letters to the operator's relay.
#[derive(Clone)]
pub struct Relay {
    host: String,
    port: u16,
    tls: Tls,
    from: Recipient,
    login: Option<Login>,
    authorities: Vec<CertificateDer<'static>>,
}

/// Why there is no such relay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRelay {
    #[error(
        "expected smtps://host, or smtp://host where TLS is agreed on, each with a port where it is another than usual"
    )]
    Unreadable,
    #[error("the address holds a user or password: set GAVEL_SMTP_USER and GAVEL_SMTP_PASSWORD")]
    Credentials,
    #[error(
        "`{0}` is no setting of a relay at smtp://: `tls=none` is, for a relay in a network that nobody else hears, and \
         `tls=required`, for one on this machine"
    )]
    Setting(String),
    #[error(
        "a user name and password go to no relay in the clear: use smtps://, or take out `tls=none`"
    )]
    ClearLogin,
}

/// One letter. Nothing of it but its recipient and its subject is in a header.
pub struct Letter<'l> {
    pub to: &'l Recipient,
    /// The same for every attempt to send it, and nobody else's.
    pub id: &'l str,
    pub subject: &'l str,
    pub text: Zeroizing<String>,
    /// The name and the content of a JSON document that goes along.
    pub attached: (String, Zeroizing<Vec<u8>>),
}

/// What became of a letter. What the relay said comes with its code, uncut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// The relay has taken it and answers for it now.
    Taken { words: String },
    /// The relay does not take it for this recipient, now or later.
    Refused { words: String },
    /// The relay certainly does not have it; later it may.
    NotSent { why: String },
    /// The relay may have it.
    Unknown { why: String },
}

impl Recipient {
    /// Reads an address as its owner wrote it.
    ///
    /// # Errors
    ///
    /// [`NoAddress`] if it is none, or more than one.
    pub fn parse(text: &str) -> Result<Self, NoAddress> {
        let plain = text.is_ascii() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || text.len() > ADDRESS_BYTES_MAX {
            return Err(NoAddress);
        }
        text.parse().map(Self).map_err(|_| NoAddress)
    }

    fn mailbox(&self) -> Mailbox {
        Mailbox::new(None, self.0.clone())
    }
}

impl Relay {
    /// Reads where the relay is, `from` whom letters come, and who signs in, if anybody does.
    ///
    /// # Errors
    ///
    /// [`NoRelay`] says what is wrong with the address.
    pub fn parse(text: &str, from: Recipient, login: Option<Login>) -> Result<Self, NoRelay> {
        let url = Url::parse(text).map_err(|_| NoRelay::Unreadable)?;
        let usual = PORTS.iter().find(|(scheme, _)| *scheme == url.scheme());
        let (Some((_, usual)), Some(host)) = (usual, url.host_str()) else {
            return Err(NoRelay::Unreadable);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NoRelay::Credentials);
        }
        let bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
        if host.is_empty() || !bare {
            return Err(NoRelay::Unreadable);
        }
        let host = host.trim_matches(['[', ']']).to_owned();
        let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let tls = match (url.scheme(), url.query()) {
            ("smtps", None) => Tls::FromTheStart,
            ("smtp", None) if here => Tls::None,
            ("smtp", None) => Tls::Upgraded,
            ("smtp", Some("tls=none")) => Tls::None,
            ("smtp", Some("tls=required")) => Tls::Upgraded,
            (_, Some(other)) => return Err(NoRelay::Setting(other.to_owned())),
            (_, None) => return Err(NoRelay::Unreadable),
        };
        if tls == Tls::None && login.is_some() && !here {
            return Err(NoRelay::ClearLogin);
        }
        let port = url.port().unwrap_or(*usual);
        Ok(Self { host, port, tls, from, login, authorities: Vec::new() })
    }

    /// Trusts these authorities beside the machine's own.
    pub(super) fn trusting(mut self, authorities: &[CertificateDer<'static>]) -> Self {
        self.authorities = authorities.to_vec();
        self
    }

    /// Makes one attempt, which takes at most so long.
    pub async fn send(&self, letter: Letter<'_>, time: Duration) -> Handed {
        let deadline = Instant::now() + time;
        let kept = DATA_TIME_MIN.min(time / 2);
        let silent = |what: &str, time: Duration| format!("{what} in {} ms", time.as_millis());
        let Some(message) = self.written(&letter) else {
            return Handed::NotSent { why: "the letter cannot be written".to_owned() };
        };
        let mut connection = match timeout_at(deadline - kept, self.announced(letter.to)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(handed)) => return handed,
            Err(_) => {
                let why = silent("the relay was not ready for the letter", time - kept);
                return Handed::NotSent { why };
            }
        };
        match timeout_at(deadline, connection.message(&message)).await {
            Ok(Ok(answer)) if answer.code().severity == Severity::PositiveCompletion => {
                // The letter is the relay's by now: what comes of the farewell changes nothing.
                tokio::spawn(async move { timeout(GOODBYE_MAX, connection.quit()).await });
                let words: Vec<&str> = answer.message().collect();
                Handed::Taken { words: format!("{} {}", answer.code(), words.join(" ")) }
            }
            Ok(Ok(answer)) => Handed::Unknown {
                why: format!("sent, but then: the relay answered {}", answer.code()),
            },
            Ok(Err(error)) if error.status().is_some() => ended(&error),
            Ok(Err(error)) => Handed::Unknown { why: format!("sent, but then: {}", cause(&error)) },
            Err(_) => {
                let why = format!("sent, but then: {}", silent("nothing came back", time));
                Handed::Unknown { why }
            }
        }
    }

    /// Says everything that comes before the letter itself.
    async fn announced(&self, to: &Recipient) -> Result<AsyncSmtpConnection, Handed> {
        let Self { host, port, tls, from, login, .. } = self;
        let not_sent = |what: &str, error: &SmtpError| Handed::NotSent {
            why: match error.status() {
                Some(_) => format!("{what}: the relay answered {}", words(error)),
                None => format!("{what}: {}", cause(error)),
            },
        };
        let hello = ClientId::Domain(from.0.domain().to_owned());
        let no_way = "the relay cannot be reached";
        let mut connection = if *tls == Tls::Upgraded {
            let agreed = self.tls()?;
            let stream = self.connected().await;
            let why = |error: io::Error| Handed::NotSent { why: format!("{no_way}: {error}") };
            let stream = Box::new(Upgradable::new(stream.map_err(why)?));
            let connecting = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
            let mut connection = connecting.map_err(|error| not_sent(no_way, &error))?;
            let upgraded = connection.starttls(agreed, &hello).await;
            upgraded.map_err(|error| not_sent("the relay agrees on no TLS", &error))?;
            connection
        } else {
            let agreed = if *tls == Tls::None { None } else { Some(self.tls()?) };
            let (address, time) = ((host.as_str(), *port), Some(CONNECT_TIMEOUT));
            let connecting =
                AsyncSmtpConnection::connect_tokio1(address, time, &hello, agreed, None);
            connecting.await.map_err(|error| not_sent(no_way, &error))?
        };
        if let Some(Login { user, password }) = login {
            let login = Credentials::new(user.clone(), password.to_string());
            let signed_in = connection.auth(DEFAULT_MECHANISMS, &login).await;
            signed_in.map_err(|error| not_sent("the relay lets nobody in so", &error))?;
        }
        let mail = connection.command(Mail::new(Some(from.0.clone()), Vec::new())).await;
        mail.map_err(|error| not_sent("the relay does not take letters from here", &error))?;
        // What it says from here on is about this recipient.
        let recipient = Rcpt::new(to.0.clone(), Vec::new());
        connection.command(recipient).await.map_err(|error| ended(&error))?;
        match connection.command(Data).await {
            Ok(answer) if answer.has_code(354) => Ok(connection),
            Ok(answer) => {
                let why = format!("the relay answered {} before the letter", answer.code());
                Err(Handed::NotSent { why })
            }
            Err(error) => Err(ended(&error)),
        }
    }

    async fn connected(&self) -> io::Result<TcpStream> {
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        for address in lookup_host((self.host.as_str(), self.port)).await? {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failed = error,
                Err(late) => failed = late.into(),
            }
        }
        Err(failed)
    }

    fn tls(&self) -> Result<TlsParameters, Handed> {
        let mut parameters = TlsParameters::builder(self.host.clone());
        let none = |error: SmtpError| Handed::NotSent {
            why: format!("TLS cannot be set up: {}", cause(&error)),
        };
        for authority in &self.authorities {
            let authority = Certificate::from_der(authority.to_vec()).map_err(none)?;
            parameters = parameters.add_root_certificate(authority);
        }
        parameters.build_rustls().map_err(none)
    }

    /// Writes the letter as it goes out. Its text is quoted or in base 64, so no line of it is anything but text.
    fn written(&self, letter: &Letter<'_>) -> Option<Zeroizing<Vec<u8>>> {
        let Letter { to, id, subject, text, attached: (name, content) } = letter;
        let json = ContentType::parse("application/json").ok()?;
        let parts = MultiPart::mixed()
            .singlepart(SinglePart::plain(text.to_string()))
            .singlepart(Attachment::new(name.clone()).body(content.to_vec(), json));
        let message = Message::builder()
            .from(self.from.mailbox())
            .to(to.mailbox())
            .subject(*subject)
            .message_id(Some(format!("<{id}@{}>", self.from.0.domain())))
            .multipart(parts);
        Some(Zeroizing::new(message.ok()?.formatted()))
    }
}

/// What an answer means that refuses: for now, or for good.
fn ended(error: &SmtpError) -> Handed {
    match error.status().map(|code| code.severity) {
        Some(Severity::PermanentNegativeCompletion) => Handed::Refused { words: words(error) },
        Some(_) => Handed::NotSent { why: format!("the relay answered {}", words(error)) },
        None => Handed::NotSent { why: cause(error) },
    }
}

/// Returns what the relay said, with its code.
fn words(error: &SmtpError) -> String {
    let code = error.status().map_or_else(String::new, |code| code.to_string());
    let said = error.source().map_or_else(String::new, ToString::to_string);
    format!("{code} {said}").trim().to_owned()
}

/// Returns the first cause of a failure.
fn cause(error: &SmtpError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.to_string() {
        text if text == "incomplete response" => "the relay hung up".to_owned(),
        text => text,
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Without the login.
impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, from, .. } = self;
        write!(f, "Relay({host}:{port}, {tls:?}, from {from:?})")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

/// Without what it says.
impl fmt::Debug for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("to", self.to).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(text: &str, login: bool) -> String {
        let login = login.then(|| Login { user: "u".into(), password: "p".to_owned().into() });
        let from = Recipient::parse("leads@exchange.example").unwrap();
        match Relay::parse(text, from, login) {
            Ok(Relay { host, port, tls, .. }) => format!("{host} {port} {tls:?}"),
            Err(error) => error.to_string().chars().take(24).collect(),
        }
    }

    #[test]
    fn a_relay_is_spoken_to_under_tls_unless_nobody_else_can_hear() {
        for (text, expected) in [
            ("smtps://relay.example", "relay.example 465 FromTheStart"),
            ("smtp://relay.example", "relay.example 587 Upgraded"),
            ("smtp://relay.example:25", "relay.example 25 Upgraded"),
            ("smtp://relay.example?tls=none", "relay.example 587 None"),
            ("smtp://127.0.0.1:2525", "127.0.0.1 2525 None"),
            ("smtp://[::1]:2525/", "::1 2525 None"),
            ("smtp://localhost", "localhost 587 None"),
            ("smtp://localhost?tls=required", "localhost 587 Upgraded"),
            ("https://relay.example", "expected smtps://host, o"),
            ("relay.example:25", "expected smtps://host, o"),
            ("smtp://relay.example/x", "expected smtps://host, o"),
            ("smtp://me:pw@relay.example", "the address holds a user"),
            ("smtp://relay.example?tls=maybe", "`tls=maybe` is no settin"),
            ("smtps://relay.example?tls=none", "`tls=none` is no setting"),
        ] {
            assert_eq!(relay(text, false), expected, "{text}");
        }
        assert_eq!(relay("smtp://relay.example?tls=none", true), "a user name and password");
        assert_eq!(relay("smtp://localhost", true), "localhost 587 None");
    }

    #[test]
    fn one_address_and_nothing_else_is_a_recipient() {
        assert!(Recipient::parse("leads+auto@crm.buyer.example").is_ok());
        let long = format!("{}@buyer.example", "x".repeat(ADDRESS_BYTES_MAX));
        for text in [
            "",
            "leads",
            "leads@",
            "@buyer.example",
            "Leads <leads@buyer.example>",
            "a@buyer.example,b@buyer.example",
            "a@buyer.example b@buyer.example",
            "a@buyer.example\r\nBcc: b@other.example",
            "a@buyer.example>\r\nRCPT TO:<b@other.example",
            "lädt@buyer.example",
            &long,
        ] {
            assert_eq!(Recipient::parse(text), Err(NoAddress), "{text:?}");
        }
    }
}
