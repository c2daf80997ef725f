//! The JSONL codec: bytes in, lines out.
//!
//! Knows nothing of JSON. Lines end in `\n` (a `\r` before it is white space to the parser), a byte-order mark at
//! the very start is dropped, the last line needs no line end, and a line beyond the bound is discarded whole.

use std::io::{self, ErrorKind, Read};

use bytes::{Bytes, BytesMut};

/// The longest line that is taken, in bytes. Longer ones are dropped, so that a runaway peer cannot take all memory.
pub(crate) const MAX_LINE: usize = 512 * 1024 * 1024;

const CHUNK: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Splits a byte stream into lines.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    source: R,
    buffer: BytesMut,
    /// How much of `buffer` is known to hold no line end.
    scanned: usize,
    max_line: usize,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Start,
    Lines,
    /// Inside a line that is too long: drop everything up to its end.
    Discarding,
    Ended,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(source: R) -> Self {
        Self::with_max_line(source, MAX_LINE)
    }

    fn with_max_line(source: R, max_line: usize) -> Self {
        Self { source, buffer: BytesMut::new(), scanned: 0, max_line, state: State::Start }
    }

    /// The next line that holds more than white space; `None` at the end of the stream. Blocks.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(line) = self.buffered_line() {
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.state == State::Ended {
                return Ok(None);
            }
            self.read_more()?;
        }
    }

    /// A whole line out of the buffer, or what is left of it once the stream has ended.
    fn buffered_line(&mut self) -> Option<Bytes> {
        let Some(offset) = self.buffer[self.scanned..].iter().position(|&byte| byte == b'\n')
        else {
            if self.state == State::Ended && !self.buffer.is_empty() {
                self.scanned = 0;
                return Some(self.buffer.split().freeze());
            }
            self.scanned = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.scanned + offset + 1);
        self.scanned = 0;
        if self.state == State::Discarding {
            self.state = State::Lines;
            line.clear();
            return Some(line.freeze());
        }
        line.truncate(line.len() - 1);
        Some(line.freeze())
    }

    fn read_more(&mut self) -> io::Result<()> {
        if self.state == State::Discarding || self.buffer.len() > self.max_line {
            if self.state != State::Discarding {
                tracing::warn!(
                    limit = self.max_line,
                    "dropping a line that is longer than the limit"
                );
            }
            self.state = State::Discarding;
            self.buffer.clear();
            self.scanned = 0;
        }
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        match read? {
            0 if self.state == State::Discarding => {
                self.buffer.clear();
                self.state = State::Ended;
            }
            0 => self.state = State::Ended,
            _ => self.drop_byte_order_mark(),
        }
        Ok(())
    }

    fn drop_byte_order_mark(&mut self) {
        if self.state != State::Start || self.buffer.len() < BYTE_ORDER_MARK.len() {
            return;
        }
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            let _mark = self.buffer.split_to(BYTE_ORDER_MARK.len());
        }
        self.state = State::Lines;
    }
}

#[cfg(test)]
mod tests;
