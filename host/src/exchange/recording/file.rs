//! A recording as a file: one JSON object a line.
//!
//! - First `{"recording": {"format": 1, "module": "..", "from_ms": .., "to_ms": ..}}`.
//! - `{"settings": {"number": 1, "vertical": "..", "campaigns": [..]}}` before the first lead that has these settings.
//! - `{"lead": {"ping": "..", "settings": 1, "frame": "..", ..}}`, the newest first. A frame is the lead as filters see
//!   it, in words of 64 bits with 16 hexadecimal digits each.
//! - Last `{"end": {"leads": .., "complete": true}}`, so that a file that was cut is known for one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, BufRead, Read as _, Write};
use std::sync::Arc;

use lead_frame::Frame;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::terms::{BidLine, TermsLine};
use super::{Auction, LEADS_MAX, Recorded, Seat, Seating};
use crate::catalog::Amount;
use crate::clock::Moment;
use crate::exchange::diff::DiffError;
use crate::ids::PingId;

/// The longest line of a recording, in bytes: the settings of a module's campaigns are long.
const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The largest recording that an exchange hands out, in bytes. It ends with the last lead that fits.
pub const RECORDING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The format that this program writes and reads.
const FORMAT: u32 = 1;
/// How many leads are read at a time.
const PAGE_LEADS: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Recording(Head),
    Settings(SettingsLine),
    Lead(Box<LeadLine>),
    End(End),
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    module: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_ms: Option<i64>,
    to_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct SettingsLine {
    number: u64,
    vertical: String,
    campaigns: Vec<CampaignLine>,
}

#[derive(Serialize, Deserialize)]
struct CampaignLine {
    campaign: String,
    buyer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exclusive: Option<Amount>,
    /// Its buyer is asked for bids where nobody else names a price.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    remote: bool,
    settings: Json,
}

#[derive(Serialize, Deserialize)]
struct LeadLine {
    ping: String,
    received_ms: i64,
    settings: u64,
    terms: TermsLine,
    asked: Vec<String>,
    bids: Vec<BidLine>,
    /// What buyers answered over the network, by campaign: `bid`, or why there was none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    answers: BTreeMap<String, String>,
    /// The campaigns whose caps, budget or funds did not cover their bid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uncovered: Vec<String>,
    /// The source's deadline had passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    late: bool,
    frame: String,
}

#[derive(Serialize, Deserialize)]
struct End {
    leads: u64,
    complete: bool,
}

/// Writes a recording.
#[derive(Debug)]
pub(in crate::exchange) struct Recorder<W> {
    out: W,
    bytes: usize,
    leads: u64,
    seatings: HashMap<usize, (u64, Arc<Seating>)>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording of the leads that a module was asked about between two moments.
    pub(in crate::exchange) fn begin(
        out: W,
        module: &str,
        (from, to): (Option<Moment>, Moment),
    ) -> io::Result<Self> {
        let mut recorder = Self { out, bytes: 0, leads: 0, seatings: HashMap::new() };
        recorder.line(&Line::Recording(Head {
            format: FORMAT,
            module: module.to_owned(),
            from_ms: from.map(Moment::unix_ms),
            to_ms: to.unix_ms(),
        }))?;
        Ok(recorder)
    }

    /// Writes a lead. Returns whether there is room for another.
    pub(in crate::exchange) fn add(&mut self, recorded: &Recorded) -> io::Result<bool> {
        // A seating lives as long as the recorder holds it, so its address tells it from every other.
        let key = Arc::as_ptr(&recorded.seating).addr();
        let next = u64::try_from(self.seatings.len()).unwrap_or(u64::MAX).saturating_add(1);
        let number = match self.seatings.get(&key) {
            Some((number, _)) => *number,
            None => {
                self.seatings.insert(key, (next, Arc::clone(&recorded.seating)));
                self.line(&Line::Settings(settings(next, &recorded.seating)))?;
                next
            }
        };
        self.line(&Line::Lead(Box::new(lead(number, &recorded.auction))))?;
        self.leads = self.leads.saturating_add(1);
        Ok(self.bytes < RECORDING_BYTES_MAX && self.leads < LEADS_MAX)
    }

    /// Ends the recording; `complete` says that nothing of the window is missing. Returns what was written to.
    pub(in crate::exchange) fn end(mut self, complete: bool) -> io::Result<W> {
        let leads = self.leads;
        self.line(&Line::End(End { leads, complete }))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.bytes = self.bytes.saturating_add(text.len());
        self.out.write_all(&text)
    }
}

fn settings(number: u64, seating: &Seating) -> SettingsLine {
    let campaigns = seating.seats.iter().zip(&seating.settings).map(|((campaign, seat), text)| {
        let settings = serde_json::from_str(text).unwrap_or_default();
        let (campaign, buyer) = (campaign.clone(), seat.buyer.clone());
        let (price, exclusive) = (seat.price.map(Amount), seat.exclusive.map(Amount));
        CampaignLine { campaign, buyer, price, exclusive, remote: seat.is_remote, settings }
    });
    SettingsLine { number, vertical: seating.vertical.clone(), campaigns: campaigns.collect() }
}

fn lead(settings: u64, auction: &Auction) -> LeadLine {
    let Auction { ping, at, terms, frame, asked, bids, answers, uncovered, late } = auction;
    LeadLine {
        ping: ping.to_string(),
        received_ms: at.unix_ms(),
        settings,
        terms: TermsLine::of(terms),
        asked: asked.clone(),
        bids: bids.iter().map(BidLine::of).collect(),
        answers: answers.clone(),
        uncovered: uncovered.iter().cloned().collect(),
        late: *late,
        frame: frame.iter().map(|word| format!("{word:016x}")).collect(),
    }
}

/// The leads of a file.
pub(in crate::exchange) struct FileTape {
    lines: Box<dyn BufRead + Send>,
    bytes: u64,
    length: u64,
    line: u64,
    seatings: HashMap<u64, Arc<Seating>>,
    ended: bool,
    /// Whether nothing of its window is missing in the file.
    complete: bool,
}

impl fmt::Debug for FileTape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTape").field("line", &self.line).finish_non_exhaustive()
    }
}

impl FileTape {
    /// Reads the head of a recording of so many bytes, and checks that it is one of this module.
    pub(in crate::exchange) fn open(
        lines: Box<dyn BufRead + Send>,
        length: u64,
        module: &str,
    ) -> Result<Self, DiffError> {
        let (seatings, complete) = (HashMap::new(), true);
        let mut tape = Self { lines, bytes: 0, length, line: 0, seatings, ended: false, complete };
        match tape.next()? {
            Line::Recording(head) if head.format != FORMAT => {
                let format = head.format;
                Err(tape
                    .fault(format!("it is of format {format}, and this program reads {FORMAT}")))
            }
            Line::Recording(head) if head.module != module => {
                let other = head.module;
                Err(tape.fault(format!("it records `{other}`, not `{module}`")))
            }
            Line::Recording(_) => Ok(tape),
            _ => {
                Err(tape
                    .fault("it does not begin like a recording; `gavel module record` makes one"))
            }
        }
    }

    pub(super) fn page(&mut self) -> Result<Option<Vec<Recorded>>, DiffError> {
        let mut page = Vec::with_capacity(PAGE_LEADS);
        while !self.ended && page.len() < PAGE_LEADS {
            match self.next()? {
                Line::Recording(_) => return Err(self.fault("a recording begins only once")),
                Line::Settings(line) => self.seat(line)?,
                Line::Lead(line) => page.push(self.lead(*line)?),
                Line::End(end) => (self.ended, self.complete) = (true, end.complete),
            }
        }
        Ok(Some(page).filter(|page| !page.is_empty()))
    }

    pub(super) fn progress(&self) -> (u64, u64) {
        (self.bytes, self.length)
    }

    /// Returns whether the recording has everything of its window, as far as it was read.
    pub(in crate::exchange) fn complete(&self) -> bool {
        self.complete
    }

    fn next(&mut self) -> Result<Line, DiffError> {
        let mut text = Vec::new();
        let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        let read = self.lines.as_mut().take(most).read_until(b'\n', &mut text);
        self.line = self.line.saturating_add(1);
        let read = read.map_err(|error| self.fault(error.to_string()))?;
        self.bytes = self.bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if read == 0 {
            return Err(self.fault("it ends before its end: record it again"));
        }
        if read >= LINE_BYTES_MAX && !text.ends_with(b"\n") {
            return Err(self.fault(format!("it is longer than {LINE_BYTES_MAX} bytes")));
        }
        serde_json::from_slice(&text).map_err(|error| self.fault(error.to_string()))
    }

    fn seat(&mut self, line: SettingsLine) -> Result<(), DiffError> {
        let mut seating = Seating { vertical: line.vertical, ..Seating::default() };
        for CampaignLine { campaign, buyer, price, exclusive, remote, settings } in line.campaigns {
            let slot = u32::try_from(seating.settings.len()).unwrap_or(u32::MAX);
            let (price, exclusive) = (price.map(|it| it.0), exclusive.map(|it| it.0));
            let seat = Seat { slot, buyer, price, exclusive, is_remote: remote };
            seating.settings.push(settings.to_string().into());
            if seating.seats.insert(campaign, seat).is_some() {
                return Err(self.fault("a campaign has its settings twice"));
            }
        }
        self.seatings.insert(line.number, Arc::new(seating));
        Ok(())
    }

    fn lead(&self, line: LeadLine) -> Result<Recorded, DiffError> {
        let seating = self.seatings.get(&line.settings).ok_or_else(|| {
            self.fault(format!("the settings {} come nowhere before it", line.settings))
        })?;
        let ping = PingId::parse(&line.ping).map_err(|error| self.fault(error.to_string()))?;
        let frame = words(&line.frame).filter(|words| Frame::open(words).is_ok());
        let frame = frame.ok_or_else(|| self.fault("its frame is damaged: record it again"))?;
        let auction = Auction {
            ping,
            at: Moment::from_unix_ms(line.received_ms),
            terms: line.terms.terms(),
            frame,
            asked: line.asked,
            bids: line.bids.into_iter().map(BidLine::made).collect(),
            answers: line.answers,
            uncovered: line.uncovered.into_iter().collect(),
            late: line.late,
        };
        Ok(Recorded { auction, seating: Arc::clone(seating) })
    }

    fn fault(&self, why: impl Into<String>) -> DiffError {
        DiffError::Recording { line: self.line, why: why.into() }
    }
}

fn words(hex: &str) -> Option<Vec<u64>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(16) {
        return None;
    }
    let words = digits.chunks_exact(16).map(|word| {
        let word = std::str::from_utf8(word).ok().filter(|word| !word.starts_with('+'))?;
        u64::from_str_radix(word, 16).ok()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{
        BidMade, BuyerFee, ChangedPost, Fee, OnReturn, PriceRule, Ranking, Rule, Terms, Tier,
    };
    use crate::lead::{Kind, Value};
    use crate::money::Rounding;

    fn tree() -> Terms {
        let tier = |ranking, price, reserve| Tier { ranking, price, reserve };
        Terms {
            policy: Some("west".to_owned()),
            rule: Rule::Tiers,
            least: 1_000_000,
            tiers: vec![
                tier(Ranking::Weighted, PriceRule::Fixed(9_000_000), 8_000_000),
                tier(Ranking::Order, PriceRule::First, 2_000_000),
                tier(Ranking::Bid, PriceRule::Second, 2_000_000),
            ],
            disclosures_max: 2,
            changed_post: ChangedPost::Reauction,
            margin_rounding: Rounding::UpToCent,
            source_fee: Fee { per_lead: 250_000, percent: 20_000, ..Fee::NONE },
            buyer_fees: vec![BuyerFee {
                buyer: "acme".to_owned(),
                fee: Fee { on_return: OnReturn::Kept, per_lead: 100_000, ..Fee::NONE },
            }],
            ..Terms::second_price(2, 2_000_000, 10_000, 123_456)
        }
    }

    fn recorded(words: usize) -> Recorded {
        let mut frame = lead_frame::Writer::default();
        frame.text(lead_frame::FieldId::of("zip"), "90210");
        let mut frame = frame.finish();
        frame.resize(frame.len().max(words), 0);
        let bid = |campaign: &str, amount| BidMade {
            campaign: campaign.to_owned(),
            buyer: "acme".to_owned(),
            amount,
            ..BidMade::default()
        };
        let auction = Auction {
            ping: PingId::from_u128(7),
            at: Moment::from_unix_ms(1_767_625_200_000),
            terms: Terms::second_price(2, 2_000_000, 10_000, 123_456),
            frame,
            asked: vec!["a".to_owned(), "b".to_owned()],
            bids: vec![bid("a", 12_500_000), bid("c", 1)],
            answers: [("b".to_owned(), "no-bid".to_owned())].into(),
            uncovered: ["c".to_owned()].into(),
            late: true,
        };
        let seat = |slot, price: Option<crate::money::Micros>| {
            let (buyer, is_remote) = ("acme".to_owned(), price.is_none());
            Seat { slot, buyer, price, exclusive: None, is_remote }
        };
        let seating = Seating {
            vertical: "auto".to_owned(),
            seats: [
                ("a".to_owned(), seat(0, Some(crate::money::Micros::new(9_000_000)))),
                ("b".to_owned(), seat(1, None)),
            ]
            .into(),
            settings: vec![r#"{"zips":["90210"]}"#.into(), "null".into()],
        };
        Recorded { auction, seating: Arc::new(seating) }
    }

    fn tape(recording: Vec<u8>) -> Result<FileTape, DiffError> {
        let length = u64::try_from(recording.len()).unwrap();
        FileTape::open(Box::new(io::Cursor::new(recording)), length, "zips")
    }

    fn begun<W: Write>(out: W) -> Recorder<W> {
        Recorder::begin(out, "zips", (None, Moment::from_unix_ms(9))).unwrap()
    }

    #[test]
    fn a_recording_reads_back_as_it_was_written() {
        let (lead, mut recorder) = (recorded(0), begun(Vec::new()));
        assert!(recorder.add(&lead).unwrap() && recorder.add(&lead).unwrap());
        let mut tape = tape(recorder.end(false).unwrap()).unwrap();
        let page = tape.page().unwrap().unwrap();
        assert_eq!(page.len(), 2);
        for read in page {
            assert_eq!((read.auction, &read.seating), (lead.auction.clone(), &lead.seating));
        }
        assert!(tape.page().unwrap().is_none() && !tape.complete());
        let (done, of) = tape.progress();
        assert_eq!(done, of);
    }

    #[test]
    fn what_sets_an_auction_apart_reads_back() {
        let mut lead = recorded(0);
        lead.auction.terms = tree();
        let bid = lead.auction.bids.first_mut().unwrap();
        (bid.exclusive, bid.tier, bid.standing) = (Some(20_000_000), 1, 3);
        let mut recorder = begun(Vec::new());
        recorder.add(&lead).unwrap();
        let page = tape(recorder.end(true).unwrap()).unwrap().page().unwrap().unwrap();
        assert_eq!(page.first().map(|read| &read.auction), Some(&lead.auction));
    }

    #[test]
    fn a_recording_ends_at_the_most_bytes_and_at_the_most_leads() {
        let large = recorded(RECORDING_BYTES_MAX / 16 / 4);
        let mut recorder = begun(io::sink());
        let fit = std::iter::from_fn(|| recorder.add(&large).unwrap().then_some(())).count();
        assert_eq!(fit, 3);
        let small = recorded(0);
        let mut recorder = begun(io::sink());
        let fit = std::iter::from_fn(|| recorder.add(&small).unwrap().then_some(())).count();
        assert_eq!(u64::try_from(fit).unwrap() + 1, LEADS_MAX);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_read_to_its_end() {
        let mut recording = begun(Vec::new()).out;
        recording.resize(recording.len() + LINE_BYTES_MAX + 1, b' ');
        let error = tape(recording).unwrap().page().unwrap_err().to_string();
        assert_eq!(error, "line 2 of the recording: it is longer than 8388608 bytes");
    }

    #[test]
    fn what_a_filter_reads_is_shown_and_nothing_else() {
        let need = |name: &str| crate::sandbox::Need { name: name.to_owned(), kind: Kind::Text };
        let needs = [need("zip"), need("state")];
        let shown = crate::exchange::pair::read_fields(&recorded(0).auction.frame, needs.iter());
        let zip = Value::Text("90210".into()).to_json();
        assert_eq!(shown, serde_json::json!({ "zip": zip }));
    }
}
