//! How mock buyers behave.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a slow buyer thinks.
pub const SLOW: Duration = Duration::from_millis(250);
/// How much later than it was asked to a late buyer answers.
pub const LATE: Duration = Duration::from_millis(50);
/// What a late buyer takes for its deadline where its dialect names none: what a source waits that says nothing else.
pub(super) const USUAL_DEADLINE: Duration = Duration::from_millis(500);
/// A flapping buyer is well and ill in turns of so long.
pub const FLAPS_EVERY: Duration = Duration::from_secs(5);
/// Between two bytes of an answer in parts.
pub const ANSWER_IN_PARTS: Duration = Duration::from_secs(1);
/// What a buyer of garbage answers, one after the other.
pub const GARBAGE: [&str; 16] = [
    "",
    "<html><body>502 Bad Gateway</body></html>",
    "{\"status\":\"bid\",\"bid\":\"12.5",
    "{\"status\":\"bid\",\"bid\":NaN}",
    "{\"status\":\"bid\",\"bid\":1e309}",
    "{\"status\":\"bid\",\"bid\":\"1e309\"}",
    "{\"status\":\"bid\",\"bid\":\"-5\"}",
    "{\"status\":\"bid\",\"bid\":\"0\"}",
    "{\"status\":\"bid\",\"bid\":9223372036854775808}",
    "{\"status\":\"bid\",\"bid\":12.5}",
    "{\"status\":\"bid\",\"status\":\"no-bid\",\"bid\":\"7\"}",
    "{\"status\":\"bid\",\"bid\":\"7\",\"currency\":\"XXX\"}",
    "{\"status\":\"bid\",\"bid\":\"7\",\"campaign\":\"of-somebody-else\"}",
    "[\"bid\",\"7\"]",
    "{\"status\":\"maybe\",\"bid\":\"7\"}",
    "null",
];

macro_rules! characters {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $does:literal;)*) => {
        /// How a mock buyer behaves.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
        pub enum Character { $($(#[$doc])* #[serde(rename = $word)] #[value(name = $word, help = $does)] $name,)* }

        impl Character {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Says what it does in a few words.
            pub const fn in_words(self) -> &'static str {
                match self { $(Self::$name => $does,)* }
            }
        }
    };
}

characters! {
    /// Bids and buys at once.
    Prompt = "prompt", "bids and buys at once";
    /// Never bids.
    NoBid = "no-bid", "never bids";
    /// Bids after [`SLOW`].
    Slow = "slow", "bids after 250 ms";
    /// Is prompt and answers 503 in turns of [`FLAPS_EVERY`].
    Flapping = "flapping", "is prompt for 5 s, then answers 503 for 5 s";
    /// Answers one piece of [`GARBAGE`] after the other.
    Garbage = "garbage", "answers what is no bid";
    /// Reads, and never answers.
    Hanging = "hanging", "never answers";
    /// Answers 500.
    Failing = "5xx", "answers 500";
    /// Answers a byte a second.
    Slowloris = "slowloris", "answers a byte a second";
    /// Answers a small body that unpacks to a large one.
    GzipBomb = "gzip-bomb", "answers 10 KB of gzip that is 10 MB";
    /// Answers a body without an end.
    Oversize = "oversize", "answers a body that does not end";
    /// Answers a megabyte of headers.
    BigHeaders = "big-headers", "answers a megabyte of headers";
    /// Bids [`LATE`] after its deadline.
    Late = "late", "bids 50 ms after its deadline";
    /// Bids, then refuses the lead.
    Rejecting = "rejecting", "bids, then refuses the lead";
    /// Bids for another ping than it was asked for.
    WrongPing = "wrong-ping", "bids for another ping";
    /// Bids a million.
    TooHigh = "too-high", "bids a million";
    /// Says that it bids and breaks the connection.
    Reset = "reset", "breaks the connection in the middle of its answer";
    /// Redirects to where a cloud keeps its secrets.
    Redirecting = "redirecting", "redirects to a cloud's metadata";
    /// Takes the lead, and answers after the exchange has stopped listening.
    Forgetful = "forgetful", "bids, then takes the lead without a word";
}

impl Character {
    /// Returns the character of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|character| character.name() == name)
    }
}
