//! Server-sent events: bytes in chunks of any size to the `data` of complete events.
//!
//! Time is linear in the bytes, whatever the chunks, and memory is bounded per event. Only `data` is kept; `event`,
//! `id` and `retry` carry nothing that the data does not say. Knows nothing of what the data means.

/// What one event may take before the stream is given up.
pub(crate) const MAX_EVENT: usize = 16 << 20;

/// An event outgrew the limit; the stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event exceeds {limit} bytes")]
pub(crate) struct TooLarge {
    limit: usize,
}

#[derive(Debug)]
pub(crate) struct Parser {
    limit: usize,
    /// A line whose end has not come yet.
    line: Vec<u8>,
    /// The data lines of the event so far, joined by line feeds.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a carriage return, so a line feed that follows ends no line of its own.
    after_cr: bool,
    /// No line has ended yet, so there may be a byte order mark.
    at_start: bool,
}

impl Parser {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
        }
    }

    /// Takes the next bytes and hands the data of each event that they complete to `event`.
    pub(crate) fn feed(
        &mut self,
        mut chunk: &[u8],
        mut event: impl FnMut(&[u8]),
    ) -> Result<(), TooLarge> {
        while let Some(first) = chunk.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let Some(end) = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.line.extend_from_slice(chunk);
                return self.check();
            };
            self.after_cr = chunk[end] == b'\r';
            if self.line.is_empty() {
                self.end_line(&chunk[..end], &mut event);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&chunk[..end]);
                self.end_line(&line, &mut event);
                line.clear();
                self.line = line;
            }
            self.check()?;
            chunk = &chunk[end + 1..];
        }
        Ok(())
    }

    /// Hands out an event that the end of the stream has completed instead of a blank line.
    pub(crate) fn finish(&mut self, mut event: impl FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.end_line(&line, &mut event);
        }
        self.end_line(&[], &mut event);
    }

    fn end_line(&mut self, line: &[u8], event: &mut impl FnMut(&[u8])) {
        let line = if std::mem::take(&mut self.at_start) {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        } else {
            line
        };
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                event(&self.data);
                self.data.clear();
            }
            return;
        }
        let Some(rest) = line.strip_prefix(b"data") else { return };
        let value = match rest.split_first() {
            None => rest,
            Some((b':', value)) => value.strip_prefix(b" ").unwrap_or(value),
            // Some longer field name.
            Some(_) => return,
        };
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
    }

    fn check(&self) -> Result<(), TooLarge> {
        if self.line.len() + self.data.len() > self.limit {
            return Err(TooLarge { limit: self.limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
