//! What the model is sent as `input`: a sequence of items that only grows, kept as the bytes that go on the wire.
//!
//! A request copies the bytes once, however many items there are. Invariant: what has been sent before is never
//! changed, so that the provider's prompt cache keeps working, over restarts too.

use std::ops::Range;

use serde_json::value::RawValue;

#[derive(Debug, Default, Clone)]
pub(crate) struct History {
    /// The items' JSON texts, joined by commas.
    joined: Vec<u8>,
    items: Vec<Range<usize>>,
}

impl History {
    pub(crate) fn push(&mut self, item: &RawValue) {
        if !self.joined.is_empty() {
            self.joined.push(b',');
        }
        let start = self.joined.len();
        self.joined.extend_from_slice(item.get().as_bytes());
        self.items.push(start..self.joined.len());
    }

    /// The inside of the `input` array.
    pub(crate) fn joined(&self) -> &[u8] {
        &self.joined
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items' JSON texts, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        // The bytes come from `RawValue`s, which are UTF-8.
        self.items
            .iter()
            .map(|range| std::str::from_utf8(&self.joined[range.clone()]).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::json::raw;

    #[test]
    fn joins_items_to_the_inside_of_an_array() {
        let mut history = History::default();
        assert!(history.is_empty());
        history.push(&raw(&1));
        history.push(&raw(&"ü,"));
        assert_eq!(history.joined(), "1,\"ü,\"".as_bytes());
        assert_eq!(history.iter().collect::<Vec<_>>(), ["1", "\"ü,\""]);
    }
}
