//! Leads by e-mail, through a relay on a socket of its own that says what a test wants it to say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use gavel::config::Config;
use gavel::egress::{Egress, Login, Recipient, Relay};
use gavel::mock::{Authority, Shown};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, merged, until};

/// What the relay does when it should answer.
#[derive(Clone, Copy, Debug)]
enum Do {
    Say(&'static str),
    SayLate(Duration, &'static str),
    Hang,
    HangUp,
}

/// What a relay says to one letter.
#[derive(Clone, Copy, Debug)]
struct Script {
    greeting: Do,
    mail: Do,
    recipient: Do,
    data: Do,
    end: Do,
}

const TAKES: Script = Script {
    greeting: Do::Say("220 relay.example ready"),
    mail: Do::Say("250 2.1.0 ok"),
    recipient: Do::Say("250 2.1.5 ok"),
    data: Do::Say("354 go on"),
    end: Do::Say("250 2.0.0 queued as 4711"),
};

/// One letter as the relay heard it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heard {
    from: String,
    to: Vec<String>,
    login: String,
    encrypted: bool,
    /// Without the dots that SMTP adds.
    message: String,
}

impl Heard {
    /// Returns the headers of the letter, each on one line.
    fn headers(&self) -> Vec<String> {
        let (head, _) = self.message.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    fn header(&self, name: &str) -> String {
        let all = self.headers();
        let found: Vec<&str> = all.iter().filter_map(|h| h.strip_prefix(name)).collect();
        assert_eq!(found.len(), 1, "{name} {all:?}");
        found[0].trim_start_matches(':').trim().to_owned()
    }

    /// Returns the text and the attached document.
    fn parts(&self) -> (String, Value) {
        let boundary = self.header("Content-Type");
        let boundary = boundary.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let parts: Vec<&str> = self.message.split(&format!("--{boundary}")).collect();
        let decoded = |part: &str| {
            let (head, body) = part.trim_start().split_once("\r\n\r\n").unwrap();
            if head.contains("base64") {
                let packed: String = body.split_whitespace().collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
                String::from_utf8(bytes).unwrap()
            } else {
                assert!(head.contains("7bit") || head.contains("quoted-printable"), "{head}");
                body.replace("=\r\n", "").replace("=3D", "=")
            }
        };
        (decoded(parts[1]), serde_json::from_str(&decoded(parts[2])).unwrap())
    }
}

type Letters = Arc<Mutex<Vec<Heard>>>;

/// A relay on loopback.
struct Post {
    addr: SocketAddr,
    heard: Letters,
}

#[derive(Clone, Copy, PartialEq)]
enum Speaks {
    Plain,
    FromTheStart,
    StartTls,
    /// Somebody on the way says this behind the relay's word that TLS may begin.
    StartTlsWith(&'static str),
}

impl Post {
    async fn open(script: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        Self::speaking(Speaks::Plain, None, script).await
    }

    async fn speaking(
        speaks: Speaks,
        authority: Option<&Authority>,
        script: impl Fn(usize) -> Script + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let acceptor =
            authority.map(|authority| authority.acceptor(addr.ip(), Shown::Right).unwrap());
        let (heard, script): (Letters, _) = (Arc::default(), Arc::new(script));
        let letters = Arc::clone(&heard);
        tokio::spawn(async move {
            for turn in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let (letters, script) = (Arc::clone(&letters), script(turn));
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let _gone = match (speaks, acceptor) {
                        (Speaks::FromTheStart, Some(acceptor)) => {
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            let whole = Some(script.greeting);
                            talk(BufStream::new(stream), script, (whole, true), &letters).await
                        }
                        (Speaks::StartTls | Speaks::StartTlsWith(_), Some(acceptor)) => {
                            let more = match speaks {
                                Speaks::StartTlsWith(more) => more,
                                _ => "",
                            };
                            let Some(stream) = upgrade(stream, more).await else { return };
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            talk(BufStream::new(stream), script, (None, true), &letters).await
                        }
                        _ => {
                            let whole = Some(script.greeting);
                            talk(BufStream::new(stream), script, (whole, false), &letters).await
                        }
                    };
                });
            }
        });
        Self { addr, heard }
    }

    fn relay(&self, url: &str, login: Option<Login>) -> Relay {
        let url = url.replace("ADDR", &self.addr.to_string());
        Relay::parse(&url, Recipient::parse("leads@exchange.example").unwrap(), login).unwrap()
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

/// Says in the clear that TLS is possible, and hears that it is wanted.
async fn upgrade(stream: TcpStream, more: &str) -> Option<TcpStream> {
    let mut stream = BufStream::new(stream);
    let (mut line, mut agreed) = (String::new(), false);
    stream.write_all(b"220 relay.example\r\n").await.ok()?;
    stream.flush().await.ok()?;
    while !agreed {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        agreed = line.starts_with("STARTTLS");
        let answer = match agreed {
            true => format!("220 go on\r\n{more}"),
            false => "250-relay.example\r\n250 STARTTLS\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
    Some(stream.into_inner())
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufStream<S>,
    script: Script,
    (greeting, encrypted): (Option<Do>, bool),
    letters: &Letters,
) -> Option<()> {
    let mut heard = Heard { encrypted, ..Heard::default() };
    if let Some(greeting) = greeting {
        answer(&mut stream, greeting).await?;
    }
    loop {
        let line = line(&mut stream).await?;
        let verb = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => answer(&mut stream, Do::Say("250-relay.example\r\n250 AUTH PLAIN")).await?,
            "AUTH" => {
                heard.login = line;
                answer(&mut stream, Do::Say("235 2.7.0 welcome")).await?;
            }
            "MAIL" => {
                heard.from = line;
                answer(&mut stream, script.mail).await?;
            }
            "RCPT" => {
                heard.to.push(line);
                answer(&mut stream, script.recipient).await?;
            }
            "DATA" => {
                answer(&mut stream, script.data).await?;
                heard.message = message(&mut stream).await?;
                letters.lock().unwrap().push(heard.clone());
                answer(&mut stream, script.end).await?;
            }
            "QUIT" => return answer(&mut stream, Do::Say("221 goodbye")).await,
            _ => answer(&mut stream, Do::Say("502 what?")).await?,
        }
    }
}

async fn line<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    Some(line.trim_end_matches("\r\n").to_owned())
}

async fn message<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> Option<String> {
    let mut message = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Some(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
        message.push_str("\r\n");
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    what: Do,
) -> Option<()> {
    match what {
        Do::Say(words) => {
            stream.write_all(format!("{words}\r\n").as_bytes()).await.ok()?;
            stream.flush().await.ok()
        }
        Do::SayLate(pause, words) => {
            tokio::time::sleep(pause).await;
            stream.write_all(format!("{words}\r\n").as_bytes()).await.ok()?;
            stream.flush().await.ok()
        }
        Do::Hang => std::future::pending().await,
        Do::HangUp => None,
    }
}

/// Opens an exchange where alfa gets its leads by e-mail and bids 12.00, and bravo by HTTP and bids 9.00.
async fn market(relay: Relay, delivery: Value, authority: Option<&Authority>) -> (Exchange, Buyer) {
    let data = Arc::new(TempDir::new().unwrap());
    let egress = Egress::public().allow_loopback();
    let egress = match authority {
        Some(authority) => egress.trust(authority.pem().as_bytes()).unwrap(),
        None => egress,
    };
    let egress = egress.relaying(relay);
    let exchange = Exchange::open_as(data, |config| Config { egress, ..config }).await;
    exchange.trade("auto-insurance", json!({})).await;
    let bravo = Buyer::accepting().await;
    let alfa = merged(json!({"email": {"to": "agents@alfa.example"}}), delivery);
    let contracts = [("alfa", "12.00", alfa), ("bravo", "9.00", json!({"url": bravo.url()}))];
    for (name, price, delivery) in contracts {
        exchange.put(&format!("buyers/{name}"), json!({"delivery": delivery})).await;
        exchange.deposit(name, "100.00").await;
        let campaign = json!({"buyer": name, "vertical": "auto-insurance", "price": price});
        exchange.put(&format!("campaigns/{name}"), campaign).await;
    }
    (exchange, bravo)
}

/// Sells one lead, and returns its ping and what the source heard.
async fn post(exchange: &Exchange, first_name: &str, deadline_ms: u32) -> (String, String) {
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    let ping = ping.text("/ping_id").to_owned();
    let person = json!({"deadline_ms": deadline_ms, "first_name": first_name});
    let lead = merged(auto_post(&ping), person);
    let answer = exchange.say("auto-insurance/post", &lead).await;
    (ping, answer.text("/status").to_owned())
}

/// Renders a receipt's deliveries, such as `alfa rejected: 550 no such agent`.
async fn deliveries(exchange: &Exchange, ping: &str) -> Vec<String> {
    let receipt = exchange.receipt(ping).await;
    let told = receipt["deliveries"].as_array().unwrap().iter().map(|delivery| {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", text("buyer"), text("outcome"), text("detail"))
    });
    told.collect()
}

/// Compares what became of one lead at a relay that answers so.
async fn check(script: Script, expected: &[&str]) {
    let relay = Post::open(move |turn| if turn == 0 { script } else { TAKES }).await;
    let contract = json!({"timeout_ms": 700});
    let (exchange, _) = market(relay.relay("smtp://ADDR", None), contract, None).await;
    let (ping, _) = post(&exchange, "Dana", 10_000).await;
    let told = deliveries(&exchange, &ping).await;
    assert_eq!(told, expected, "{script:?}");
}

const SOLD: &str = "alfa sold: 250 2.0.0 queued as 4711";

#[tokio::test]
async fn a_letter_says_what_a_person_at_an_agency_needs() {
    let relay = Post::open(|_| TAKES).await;
    let (exchange, bravo) = market(relay.relay("smtp://ADDR", None), json!({}), None).await;
    let (ping, status) = post(&exchange, "Dana", 10_000).await;
    assert_eq!(status, "sold");
    assert_eq!(deliveries(&exchange, &ping).await, [SOLD]);
    let [letter] = &relay.heard()[..] else { panic!("{:?}", relay.heard()) };
    assert_eq!(letter.from, "MAIL FROM:<leads@exchange.example>");
    assert_eq!(letter.to, ["RCPT TO:<agents@alfa.example>"]);
    assert_eq!(letter.header("From"), "leads@exchange.example");
    assert_eq!(letter.header("To"), "agents@alfa.example");
    let lead = ping.replace("pg_", "ld_");
    assert_eq!(letter.header("Subject"), format!("New auto-insurance lead for alfa: {lead}"));
    assert_eq!(letter.header("Message-ID"), format!("<{lead}-0-alfa@exchange.example>"));
    assert!(!letter.header("Date").is_empty());
    let (text, attached) = letter.parts();
    for line in [
        "Contact",
        "  First name:               Dana",
        "  Phone:                    +12025550107",
        "Request",
        "  State:                    CA",
        "  Currently insured:        yes",
        "Sale",
        "  Price:                    9.01 USD",
    ] {
        assert!(text.lines().any(|found| found.trim_end() == line), "{line:?} is not in {text}");
    }
    assert_eq!((&attached["lead_id"], &attached["price"]), (&json!(lead), &json!("9.01")));
    assert_eq!(attached["lead"]["email"], "dana@example.com");
    assert!(bravo.received().is_empty());
}

#[tokio::test]
async fn what_the_relay_refuses_for_good_goes_to_the_next_bidder() {
    let refusal = "550 5.1.1 no agents here";
    let told = ["alfa rejected: the relay answered 550 5.1.1 no agents here", "bravo sold: b-1"];
    let never = Script { recipient: Do::Say(refusal), ..TAKES };
    check(never, &told).await;
    check(Script { data: Do::Say(refusal), ..TAKES }, &told).await;
    check(Script { end: Do::Say(refusal), ..TAKES }, &told).await;
}

#[tokio::test]
async fn what_the_relay_does_not_take_now_is_sent_again() {
    let busy = "450 4.2.1 later";
    let told = "alfa not-sent: the relay answered 450 4.2.1 later";
    check(Script { recipient: Do::Say(busy), ..TAKES }, &[told, SOLD]).await;
    check(Script { data: Do::Say(busy), ..TAKES }, &[told, SOLD]).await;
    check(Script { end: Do::Say(busy), ..TAKES }, &[told, SOLD]).await;
    let early = Script { data: Do::Say("250 already"), ..TAKES };
    let told = "alfa not-sent: the relay answered 250 before the letter";
    check(early, &[told, SOLD]).await;
    let greeted = Script { greeting: Do::Say("421 4.3.2 too many"), ..TAKES };
    let told = "alfa not-sent: the relay cannot be reached: the relay answered 421 4.3.2 too many";
    check(greeted, &[told, SOLD]).await;
    // That the relay does not know the exchange is no buyer's word.
    let unknown = Script { mail: Do::Say("550 5.7.1 who are you"), ..TAKES };
    let told = "alfa not-sent: the relay does not take letters from here: the relay answered 550 5.7.1 who are you";
    check(unknown, &[told, SOLD]).await;
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_letter_sent_nothing() {
    let told = "alfa not-sent: the relay hung up";
    check(Script { recipient: Do::HangUp, ..TAKES }, &[told, SOLD]).await;
    check(Script { data: Do::HangUp, ..TAKES }, &[told, SOLD]).await;
    let silent = "alfa not-sent: the relay was not ready for the letter in 350 ms";
    check(Script { greeting: Do::Hang, ..TAKES }, &[silent, SOLD]).await;
    check(Script { data: Do::Hang, ..TAKES }, &[silent, SOLD]).await;
    // What is left would not be enough for the letter.
    let late = Do::SayLate(Duration::from_millis(450), "250 2.1.5 ok");
    check(Script { recipient: late, ..TAKES }, &[silent, SOLD]).await;
}

#[tokio::test]
async fn letters_that_wait_for_the_relay_lose_none_of_their_own_time() {
    let end = Do::SayLate(Duration::from_millis(300), "250 2.0.0 queued as 4711");
    let relay = Post::open(move |_| Script { end, ..TAKES }).await;
    let contract = json!({"timeout_ms": 1_200});
    let (exchange, _) = market(relay.relay("smtp://ADDR", None), contract, None).await;
    exchange.deposit("alfa", "1000.00").await;
    let exchange = Arc::new(exchange);
    let rush = (0..80).map(|_| {
        let exchange = Arc::clone(&exchange);
        tokio::spawn(async move { post(&exchange, "Dana", 1).await.0 })
    });
    for lead in rush.collect::<Vec<_>>() {
        let ping = lead.await.unwrap();
        let settled = async || deliveries(&exchange, &ping).await.len() == 1;
        until("its letter is settled", settled).await;
        assert_eq!(deliveries(&exchange, &ping).await, [SOLD]);
    }
    assert_eq!(relay.heard().len(), 80);
}

#[tokio::test]
async fn a_letter_that_the_relay_may_have_is_never_sold_to_another() {
    let hung_up = "alfa unknown: sent, but then: the relay hung up";
    check(Script { end: Do::HangUp, ..TAKES }, &[hung_up]).await;
    let silent = "alfa unknown: sent, but then: nothing came back in 700 ms";
    check(Script { end: Do::Hang, ..TAKES }, &[silent]).await;
    let odd = "alfa unknown: sent, but then: the relay answered 354";
    check(Script { end: Do::Say("354 more?"), ..TAKES }, &[odd]).await;
}

#[tokio::test]
async fn a_buyer_that_knows_a_letter_again_gets_it_with_the_same_id() {
    let lost = Script { end: Do::HangUp, ..TAKES };
    let relay = Post::open(move |turn| if turn == 0 { lost } else { TAKES }).await;
    let contract = json!({"idempotent": true});
    let (exchange, bravo) = market(relay.relay("smtp://ADDR", None), contract, None).await;
    let (ping, status) = post(&exchange, "Dana", 10_000).await;
    assert_eq!(status, "sold");
    assert_eq!(deliveries(&exchange, &ping).await.last().unwrap(), SOLD);
    let ids: Vec<String> = relay.heard().iter().map(|heard| heard.header("Message-ID")).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert!(bravo.received().is_empty());
}

#[tokio::test]
async fn what_the_relay_refuses_after_it_may_have_a_letter_stays_in_doubt() {
    let lost = Script { end: Do::HangUp, ..TAKES };
    let never = Script { recipient: Do::Say("550 5.1.1 no agents here"), ..TAKES };
    let relay = Post::open(move |turn| if turn == 0 { lost } else { never }).await;
    let contract = json!({"idempotent": true});
    let (exchange, bravo) = market(relay.relay("smtp://ADDR", None), contract, None).await;
    let (ping, status) = post(&exchange, "Dana", 50).await;
    assert_eq!(status, "pending");
    let refused = "alfa unknown: the relay answered 550 5.1.1 no agents here";
    until("it was sent twice", async || deliveries(&exchange, &ping).await.len() == 2).await;
    assert_eq!(deliveries(&exchange, &ping).await.last().unwrap(), refused);
    assert!(bravo.received().is_empty());
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_tried_again_until_it_is() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = gone.local_addr().unwrap();
    drop(gone);
    let from = Recipient::parse("leads@exchange.example").unwrap();
    let relay = Relay::parse(&format!("smtp://{addr}"), from, None).unwrap();
    let (exchange, _) = market(relay, json!({}), None).await;
    let (ping, status) = post(&exchange, "Dana", 50).await;
    assert_eq!(status, "pending");
    let told = "alfa not-sent: the relay cannot be reached: Connection refused";
    until("it was tried twice", async || {
        let told_so_far = deliveries(&exchange, &ping).await;
        told_so_far.len() >= 2 && told_so_far.iter().all(|one| one.starts_with(told))
    })
    .await;
}

#[tokio::test]
async fn nobody_writes_into_a_letters_head_or_to_somebody_else() {
    let relay = Post::open(|_| TAKES).await;
    let (exchange, _) = market(relay.relay("smtp://ADDR", None), json!({}), None).await;
    for to in ["a@alfa.example\r\nBcc: x@evil.example", "a@alfa.example, x@evil.example", "alfa"] {
        let contract = json!({"delivery": {"email": {"to": to}}});
        let refused = exchange.try_put("buyers/alfa", contract).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert_eq!(refused.text("/field"), "/delivery/email/to", "{refused:?}");
        assert!(refused.text("/detail").contains("one e-mail address and nothing else"));
    }
    let name =
        "Dana\r\n.\r\nRCPT TO:<x@evil.example>\r\nBcc: x@evil.example\r\n\r\nSale\r\n  Price:  0";
    let (_, status) = post(&exchange, name, 10_000).await;
    assert_eq!(status, "sold");
    let [letter] = &relay.heard()[..] else { panic!("{:?}", relay.heard()) };
    assert_eq!(letter.to, ["RCPT TO:<agents@alfa.example>"]);
    let heads: Vec<String> =
        letter.headers().iter().map(|h| h.split(':').next().unwrap().to_owned()).collect();
    let expected = ["From", "To", "Subject", "Message-ID", "Date", "MIME-Version", "Content-Type"];
    assert!(heads.iter().all(|head| expected.contains(&head.as_str())), "{heads:?}");
    let (text, _) = letter.parts();
    let own = |line: &&str| line.trim_start().starts_with("Price:");
    assert_eq!(text.lines().filter(own).count(), 1, "{text}");
}

#[tokio::test]
async fn a_letter_goes_under_tls_and_nobody_signs_in_before_it() {
    let authority = Authority::new().unwrap();
    let login = || Some(Login { user: "me".into(), password: "word".to_owned().into() });
    for (speaks, url) in
        [(Speaks::FromTheStart, "smtps://ADDR"), (Speaks::StartTls, "smtp://ADDR?tls=required")]
    {
        let relay = Post::speaking(speaks, Some(&authority), |_| TAKES).await;
        let (exchange, _) = market(relay.relay(url, login()), json!({}), Some(&authority)).await;
        let (ping, _) = post(&exchange, "Dana", 10_000).await;
        assert_eq!(deliveries(&exchange, &ping).await, [SOLD], "{url}");
        let [letter] = &relay.heard()[..] else { panic!("{:?}", relay.heard()) };
        assert!(letter.encrypted && letter.login.starts_with("AUTH PLAIN "), "{letter:?}");
    }
}

#[tokio::test]
async fn what_is_said_in_the_clear_is_never_heard_as_if_under_tls() {
    let authority = Authority::new().unwrap();
    let refuses = Script { recipient: Do::Say("550 5.1.1 no agents here"), ..TAKES };
    let forged = "250-x\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n";
    let speaks = Speaks::StartTlsWith(forged);
    let relay = Post::speaking(speaks, Some(&authority), move |_| refuses).await;
    let relayed = relay.relay("smtp://ADDR?tls=required", None);
    let (exchange, bravo) = market(relayed, json!({}), Some(&authority)).await;
    let (ping, status) = post(&exchange, "Dana", 50).await;
    assert_eq!(status, "pending");
    until("it was tried", async || !deliveries(&exchange, &ping).await.is_empty()).await;
    let told =
        "alfa not-sent: the relay agrees on no TLS: more was said in the clear than was asked for";
    assert_eq!(deliveries(&exchange, &ping).await[0], told);
    assert!(relay.heard().is_empty() && bravo.received().is_empty());
}

#[tokio::test]
async fn a_relay_that_cannot_be_trusted_gets_nothing() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let relay = Post::speaking(Speaks::FromTheStart, Some(&other), |_| TAKES).await;
    let (exchange, _) =
        market(relay.relay("smtps://ADDR", None), json!({}), Some(&authority)).await;
    let (ping, _) = post(&exchange, "Dana", 50).await;
    until("it was tried", async || !deliveries(&exchange, &ping).await.is_empty()).await;
    let told = deliveries(&exchange, &ping).await;
    assert!(told[0].starts_with("alfa not-sent: the relay cannot be reached: "), "{told:?}");
    assert!(told[0].contains("certificate"), "{told:?}");

    let plain = Post::open(|_| TAKES).await;
    let relayed = plain.relay("smtp://ADDR?tls=required", None);
    let (exchange, _) = market(relayed, json!({}), Some(&authority)).await;
    let (ping, _) = post(&exchange, "Dana", 50).await;
    until("it was tried", async || !deliveries(&exchange, &ping).await.is_empty()).await;
    let told = deliveries(&exchange, &ping).await;
    let expected =
        "alfa not-sent: the relay agrees on no TLS: STARTTLS is not supported on this server";
    assert_eq!(told[0], expected);
    assert!(relay.heard().is_empty() && plain.heard().is_empty());
}

#[tokio::test]
async fn a_buyer_gets_its_leads_one_way_and_letters_need_a_relay() {
    let exchange = Exchange::open().await;
    for (delivery, field) in
        [(json!({"email": "a@b.example"}), "/delivery/email"), (json!("a@b.example"), "/delivery")]
    {
        let refused = exchange.try_put("buyers/alfa", json!({"delivery": delivery})).await;
        assert_eq!((refused.status, refused.text("/field")), (422, field), "{refused:?}");
        assert!(refused.text("/detail").contains(r#"expected an object such as {"#), "{refused:?}");
        assert!(!refused.text("/detail").contains("Spec"), "{refused:?}");
    }
    let mail = json!({"to": "leads@buyer.example"});
    for (delivery, field, detail) in [
        (json!({}), "/delivery", "say where the leads go"),
        (json!({"url": "https://a.example/", "email": mail}), "/delivery", "keep one of"),
        (json!({"email": mail}), "/delivery/email", "start it with --smtp and --smtp-from"),
    ] {
        let refused = exchange.try_put("buyers/alfa", json!({"delivery": delivery})).await;
        assert_eq!((refused.status, refused.text("/field")), (422, field), "{refused:?}");
        assert!(refused.text("/detail").contains(detail), "{refused:?}");
    }
    let relay = Post::open(|_| TAKES).await;
    let (exchange, _) = market(relay.relay("smtp://ADDR", None), json!({}), None).await;
    let adapter = json!({"email": mail, "adapter": {"module": "px-adapter"}});
    let refused = exchange.try_put("buyers/alfa", json!({"delivery": adapter})).await;
    assert_eq!(refused.text("/field"), "/delivery/adapter", "{refused:?}");
    // Without the relay the exchange opens all the same, and what is due waits.
    let exchange = Exchange::open_in(exchange.close().await).await;
    let (ping, _) = post(&exchange, "Dana", 50).await;
    until("it was tried", async || !deliveries(&exchange, &ping).await.is_empty()).await;
    let told = deliveries(&exchange, &ping).await;
    assert!(told[0].starts_with("alfa not-sent: this exchange has no mail relay"), "{told:?}");
}
