//! JSON, byte by byte, as RFC 8259 has it.

use std::borrow::Cow;

use super::Result;
use super::fault::Fault;

/// How deep lists and objects may be nested: a module has a small stack.
pub(super) const DEPTH_MAX: u8 = 24;

/// A text of JSON, and how far it is read.
pub(super) struct Json<'t> {
    text: &'t str,
    place: usize,
    depth: u8,
}

impl<'t> Json<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, place: 0, depth: 0 }
    }

    /// Returns a fault of the text itself, here.
    #[cold]
    pub(super) fn syntax(&self, what: &'static str) -> Fault {
        Fault::at(self.place, what)
    }

    /// Returns the first byte of what comes next.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.place = self.place.wrapping_add(1);
        }
        self.byte()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_it = self.byte() == Some(byte);
        self.place = self.place.wrapping_add(usize::from(is_it));
        is_it
    }

    /// Checks that nothing comes any more.
    pub(super) fn finish(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax("there is more after the end")),
        }
    }

    /// Goes into the list or object that begins here.
    pub(super) fn open(&mut self) -> Result<()> {
        if self.depth == DEPTH_MAX {
            return Err(self.syntax("lists and objects are nested too deep"));
        }
        self.depth = self.depth.wrapping_add(1);
        self.place = self.place.wrapping_add(1);
        Ok(())
    }

    /// Leaves a list or object, if this is its end.
    pub(super) fn close(&mut self, end: u8) -> bool {
        self.depth = self.depth.wrapping_sub(1);
        self.peek() == Some(end) && self.take(end)
    }

    /// Whether one more element comes before the end, which is left alone; the comma before it is taken.
    pub(super) fn next_of(&mut self, end: u8, is_first: bool) -> Result<bool> {
        if self.peek() == Some(end) {
            return Ok(false);
        }
        if is_first || self.take(b',') {
            return Ok(true);
        }
        Err(self.syntax(if end == b']' {
            "`,` or `]` is missing"
        } else {
            "`,` or `}` is missing"
        }))
    }

    /// Takes a key and the colon behind it.
    pub(super) fn key(&mut self) -> Result<Cow<'t, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.syntax("a key in quotes is missing"));
        }
        let key = self.string()?;
        match self.peek() == Some(b':') && self.take(b':') {
            true => Ok(key),
            false => Err(self.syntax("`:` is missing")),
        }
    }

    pub(super) fn null(&mut self) -> Result<()> {
        self.word("null")
    }

    pub(super) fn boolean(&mut self) -> Result<bool> {
        let is_true = self.peek() == Some(b't');
        self.word(if is_true { "true" } else { "false" })?;
        Ok(is_true)
    }

    fn word(&mut self, word: &str) -> Result<()> {
        self.peek();
        let rest = self.text.as_bytes().get(self.place..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.syntax("a value is missing"));
        }
        self.place = self.place.wrapping_add(word.len());
        Ok(())
    }

    /// Whether a number comes next.
    pub(super) fn is_at_number(&mut self) -> bool {
        matches!(self.peek(), Some(b'-' | b'0'..=b'9'))
    }

    /// Takes a number, as it is written.
    pub(super) fn number(&mut self) -> Result<&'t str> {
        if !self.is_at_number() {
            return Err(self.syntax("a value is missing"));
        }
        let start = self.place;
        self.take(b'-');
        // No number but 0 itself begins with 0.
        let is_whole = self.take(b'0') || self.digits();
        let has_fraction = !self.take(b'.') || self.digits();
        let has_exponent = if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()
        } else {
            true
        };
        match self.text.get(start..self.place) {
            Some(number) if is_whole && has_fraction && has_exponent => Ok(number),
            _ => Err(self.syntax("a number ends too early")),
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.place;
        while let Some(b'0'..=b'9') = self.byte() {
            self.place = self.place.wrapping_add(1);
        }
        self.place > start
    }

    /// Takes the text that begins here.
    pub(super) fn string(&mut self) -> Result<Cow<'t, str>> {
        self.place = self.place.wrapping_add(1);
        let mut run = self.place;
        let mut escaped: Option<String> = None;
        loop {
            let byte = self.byte();
            match byte {
                Some(b'"' | b'\\') => {
                    let plain = self.text.get(run..self.place).unwrap_or_default();
                    self.place = self.place.wrapping_add(1);
                    if byte == Some(b'"') {
                        return Ok(match escaped {
                            None => Cow::Borrowed(plain),
                            Some(before) => Cow::Owned(before + plain),
                        });
                    }
                    let text = escaped.get_or_insert_with(String::new);
                    text.push_str(plain);
                    text.push(self.escape()?);
                    run = self.place;
                }
                Some(b' '..) => self.place = self.place.wrapping_add(1),
                Some(_) => return Err(self.syntax("a text goes on in another line; write \\n")),
                None => return Err(self.syntax("a text has no end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let byte = self.byte();
        self.place = self.place.wrapping_add(1);
        let character = match byte {
            Some(plain @ (b'"' | b'\\' | b'/')) => Some(char::from(plain)),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => self.code_point(),
            _ => None,
        };
        character.ok_or_else(|| self.syntax("JSON has no such escape"))
    }

    fn code_point(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        // Beyond 16 bits a character is written as two halves.
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = (self.take(b'\\') && self.take(b'u')).then(|| self.four_digits()).flatten();
        let second = second.filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number << 4 | char::from(self.byte()?).to_digit(16)?;
            self.place = self.place.wrapping_add(1);
        }
        Some(number)
    }

    /// Takes a value that nobody wants.
    pub(super) fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b't' | b'f') => self.boolean().map(drop),
            Some(b'n') => self.null(),
            Some(open @ (b'[' | b'{')) => {
                let end = if open == b'[' { b']' } else { b'}' };
                self.open()?;
                let mut is_first = true;
                while self.next_of(end, is_first)? {
                    is_first = false;
                    if open == b'{' {
                        self.key()?;
                    }
                    self.skip()?;
                }
                self.close(end);
                Ok(())
            }
            _ => self.number().map(drop),
        }
    }
}
