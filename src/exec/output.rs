//! Output as text: decoding as it comes, what is kept of it, and what a model is shown of it.
//!
//! Pure functions and buffers; nothing here waits or reads.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// What is kept of the beginning and of the end of a command's output, in bytes each.
const KEPT_EACH: usize = 512 * 1024;

/// How large a token is, by and large.
const BYTES_PER_TOKEN: usize = 4;

/// Some output of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// The text, with a line in the middle that says how much is missing, if anything is.
    pub(crate) text: String,
    /// The size of all of it, missing bytes included.
    pub(crate) bytes: usize,
    /// How many bytes are missing.
    pub(crate) omitted: usize,
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self { bytes: text.len(), text, omitted: 0 }
    }
}

/// How much of a text a model is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truncation {
    Bytes(usize),
    Tokens(usize),
}

impl Truncation {
    /// The limit in bytes.
    fn bytes(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Tokens(tokens) => tokens.saturating_mul(BYTES_PER_TOKEN),
        }
    }

    /// The lower one of this and `tokens`.
    fn at_most(self, tokens: usize) -> Self {
        if Self::Tokens(tokens).bytes() < self.bytes() { Self::Tokens(tokens) } else { self }
    }

    /// A limit lower by at least `bytes`.
    fn lower(self, bytes: usize) -> Self {
        match self {
            Self::Bytes(limit) => Self::Bytes(limit.saturating_sub(bytes)),
            Self::Tokens(limit) => Self::Tokens(limit.saturating_sub(tokens(bytes))),
        }
    }
}

/// The estimate of a text's tokens from its bytes.
pub(crate) fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// `heading` followed by as much of `output` as a model may see.
///
/// The output obeys the lower one of `policy` and `max_tokens`; heading, notices and output together stay within
/// 1.2 times the policy, for which the output gives way first and the heading last.
pub(crate) fn truncate_for_model(
    heading: &str,
    output: &Output,
    policy: Truncation,
    max_tokens: usize,
) -> String {
    let room = policy.bytes().saturating_mul(6).div_ceil(5);
    let mut limit = policy.at_most(max_tokens);
    loop {
        let text = with_heading(heading, output, limit);
        let Some(excess) = text.len().checked_sub(room).filter(|excess| *excess > 0) else {
            return text;
        };
        if limit.bytes() == 0 {
            return cut_middle(&text, Truncation::Tokens(tokens(room)));
        }
        limit = limit.lower(excess);
    }
}

fn with_heading(heading: &str, output: &Output, limit: Truncation) -> String {
    if output.text.len() <= limit.bytes() {
        return format!("{heading}{}", output.text);
    }
    let mut text = String::with_capacity(heading.len() + limit.bytes() + 160);
    text.push_str(heading);
    // Writing to a string cannot fail.
    let _infallible = writeln!(
        text,
        "Note: this output was cut (original token count: {})",
        tokens(output.bytes)
    );
    let _infallible = match output.omitted {
        0 => writeln!(text, "Total output lines: {}\n", output.text.lines().count()),
        omitted => writeln!(text, "... {omitted} bytes omitted ...\n"),
    };
    text.push_str(&cut_middle(&output.text, limit));
    text
}

/// The text without its middle, where it is too long.
pub(crate) fn cut_middle(text: &str, limit: Truncation) -> String {
    let (head, gone, tail) = without_middle(text, limit);
    [head, &gone, tail].concat()
}

/// The text in its three parts: two halves of the limit at character borders, and between them how much is gone. A
/// text that is not too long has nothing but a head.
pub(crate) fn without_middle(text: &str, limit: Truncation) -> (&str, String, &str) {
    let bytes = limit.bytes();
    if text.len() <= bytes {
        return (text, String::new(), "");
    }
    let head = &text[..text.floor_char_boundary(bytes / 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - (bytes - bytes / 2))..];
    let gone = match limit {
        Truncation::Tokens(_) => format!("…{} tokens truncated…", tokens(text.len() - bytes)),
        Truncation::Bytes(_) => {
            let gone = text[head.len()..text.len() - tail.len()].chars().count();
            format!("…{gone} chars truncated…")
        }
    };
    (head, gone, tail)
}

/// Output as it accumulates: all of it while it is small, its beginning and its end when it is not.
#[derive(Debug, Default)]
pub(super) struct HeadTail {
    head: String,
    tail: VecDeque<u8>,
    bytes: usize,
}

impl HeadTail {
    pub(super) fn push(&mut self, text: &str) {
        let mut rest = text;
        if self.bytes == self.head.len() {
            let fitting = text.floor_char_boundary(KEPT_EACH - self.head.len());
            self.head.push_str(&text[..fitting]);
            rest = &text[fitting..];
        }
        self.bytes += text.len();
        let rest = &rest.as_bytes()[rest.len().saturating_sub(KEPT_EACH)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(KEPT_EACH);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// What was kept; the buffer is empty afterwards.
    pub(super) fn take(&mut self) -> Output {
        let Self { head, mut tail, bytes } = std::mem::take(self);
        let mut tail = &*tail.make_contiguous();
        if head.len() + tail.len() < bytes {
            // The cut may have hit the middle of a character.
            while let [0x80..=0xbf, after @ ..] = tail {
                tail = after;
            }
        }
        let omitted = bytes - head.len() - tail.len();
        let mut text = head;
        if omitted > 0 {
            let _infallible = write!(text, "\n... {omitted} bytes omitted ...\n");
        }
        text.push_str(&String::from_utf8_lossy(tail));
        Output { text, bytes, omitted }
    }
}

/// Bytes into text, piece by piece: a character that is split between two pieces comes with the second one, and what
/// can never become a character is U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The beginning of a character, at most three bytes.
    split: Vec<u8>,
}

impl Decoder {
    pub(super) fn decode(&mut self, bytes: &[u8]) -> String {
        if self.split.is_empty() {
            return self.decode_whole(bytes);
        }
        let joined = [&std::mem::take(&mut self.split), bytes].concat();
        self.decode_whole(&joined)
    }

    /// What is left when no more bytes will come.
    pub(super) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.split)).into_owned()
    }

    fn decode_whole(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_split(invalid) {
                self.split = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }
}

/// Whether more bytes could make a character of these.
fn is_split(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Bytes that should be text but need not be. Where they are not Unicode and hold no character beyond ASCII that is,
/// they are taken for Latin-1; elsewhere what is wrong is replaced.
pub(super) fn guess(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let bytes = error.as_bytes();
        let cut_short = error.utf8_error().error_len().is_none();
        let unicode = bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
        if cut_short || unicode {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        bytes.iter().copied().map(char::from).collect()
    })
}

/// The text in pieces of at most `size` bytes that end at character borders.
pub(super) fn pieces(mut text: &str, size: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (piece, rest) = text.split_at(text.floor_char_boundary(size));
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests;
