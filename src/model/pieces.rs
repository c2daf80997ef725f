//! Bytes in pieces that are shared instead of copied: what requests are made of.
//!
//! A thread's history is sent again with each request; as pieces it costs the same at its 10th and at its 10,000th
//! item.

use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};

/// A text in pieces. A clone shares them; as an iterator it hands them out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    pub(crate) fn push(&mut self, piece: impl Into<Bytes>) {
        let piece = piece.into();
        if !piece.is_empty() {
            self.0.push_back(piece);
        }
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy in one piece.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len());
        self.write(&mut all);
        all
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|piece| out.extend_from_slice(piece));
    }

    /// Leaves out what the text begins with; `None` when it begins with something else.
    pub(super) fn strip(&mut self, mut prefix: &[u8]) -> Option<()> {
        while !prefix.is_empty() {
            let first = self.0.front_mut()?;
            let length = first.len().min(prefix.len());
            // Mostly these are the very same bytes.
            if first.as_ptr() != prefix.as_ptr() && first[..length] != prefix[..length] {
                return None;
            }
            first.advance(length);
            prefix = &prefix[length..];
            if first.is_empty() {
                self.0.pop_front();
            }
        }
        Some(())
    }

    /// The same for a beginning in pieces.
    pub(super) fn strip_all(&mut self, prefix: &Self) -> Option<()> {
        prefix.0.iter().try_for_each(|piece| self.strip(piece))
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.0.pop_front()
    }
}

impl<T: Into<Bytes>> From<T> for Pieces {
    fn from(whole: T) -> Self {
        let mut pieces = Self::default();
        pieces.push(whole);
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&'static str]) -> Pieces {
        let mut pieces = Pieces::default();
        texts.iter().for_each(|text| pieces.push(*text));
        pieces
    }

    #[test]
    fn is_one_text_however_it_is_cut() {
        let text = pieces(&["ab", "", "cde"]);
        assert_eq!((text.len(), text.to_vec().as_slice()), (5, &b"abcde"[..]));
        for (prefix, rest) in [
            (pieces(&[]), Some("abcde")),
            (pieces(&["a"]), Some("bcde")),
            (pieces(&["a", "bc"]), Some("de")),
            (pieces(&["abcd", "e"]), Some("")),
            (pieces(&["abd"]), None),
            (pieces(&["abcdef"]), None),
        ] {
            let mut left = text.clone();
            let begins = left.strip_all(&prefix);
            assert_eq!(begins.map(|()| left.to_vec()), rest.map(|rest| rest.as_bytes().to_vec()));
        }
    }

    #[test]
    fn shared_pieces_are_stripped_in_part() {
        let long = Bytes::from_static(b"0123456789");
        let (mut text, before) = (Pieces::from(long.clone()), Pieces::from(long.slice(..4)));
        assert_eq!(text.strip_all(&before), Some(()));
        assert_eq!(text.to_vec(), b"456789");
    }
}
