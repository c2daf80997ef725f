//! What the model is sent as `input`: a sequence of items that only grows, kept as the bytes that go on the wire.
//!
//! Requests share the bytes, so that they cost the same however many items there are. Invariant: what has been sent before is never
//! changed, so that the provider's prompt cache keeps working, over restarts too.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::Answer;
use crate::model::Pieces;

/// The least size of a finished part, in bytes.
const PART: usize = 64 << 10;

#[derive(Debug, Default, Clone)]
pub(crate) struct History {
    /// What is not added to any more, so that requests can share it.
    finished: Vec<Part<Bytes>>,
    growing: Part<Vec<u8>>,
}

/// The JSON texts of items. Before each but the history's first stands a comma.
#[derive(Debug, Default, Clone)]
struct Part<T> {
    text: T,
    items: Vec<Range<usize>>,
}

impl<T: AsRef<[u8]>> Part<T> {
    fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        // The bytes come from `RawValue`s, which are UTF-8.
        let text = |range: &Range<usize>| self.text.as_ref().get(range.clone());
        self.items
            .iter()
            .map(move |item| text(item).and_then(|it| str::from_utf8(it).ok()).unwrap_or_default())
    }
}

impl History {
    /// Takes over what is stored. A call that was never answered, because its server died, is answered here: as
    /// aborted, in the same place and with the same bytes at each load.
    pub(crate) fn load(&mut self, items: &[Box<RawValue>]) {
        let calls: Vec<Option<Call>> = items.iter().map(|item| Call::of(item.get())).collect();
        let answered: HashSet<String> = calls
            .iter()
            .flatten()
            .filter(|call| call.answer.is_none())
            .map(|call| call.id.clone())
            .collect();
        let mut orphans = Vec::new();
        for (item, call) in items.iter().zip(calls) {
            let call = call.filter(|call| call.answer.is_some());
            if call.is_none() {
                orphans.drain(..).for_each(|orphan: Box<RawValue>| self.push(&orphan));
            }
            self.push(item);
            orphans
                .extend(call.filter(|call| !answered.contains(&call.id)).and_then(Call::aborted));
        }
        orphans.iter().for_each(|orphan| self.push(orphan));
    }

    /// Replaces everything but the first item.
    pub(crate) fn replace(&mut self, items: &[Box<RawValue>]) {
        let mut new = Self::default();
        self.iter().take(1).for_each(|first| new.push_text(first));
        items.iter().for_each(|item| new.push(item));
        *self = new;
    }

    pub(crate) fn push(&mut self, item: &RawValue) {
        self.push_text(item.get());
    }

    fn push_text(&mut self, item: &str) {
        let is_first = self.finished.is_empty() && self.growing.items.is_empty();
        let Part { text, items } = &mut self.growing;
        if !is_first {
            text.push(b',');
        }
        let start = text.len();
        text.extend_from_slice(item.as_bytes());
        items.push(start..text.len());
        if text.len() >= PART {
            let Part { text, items } = std::mem::take(&mut self.growing);
            self.finished.push(Part { text: text.into(), items });
        }
    }

    /// The inside of the `input` array. What it copies does not grow with the history.
    pub(crate) fn shared(&self) -> Pieces {
        let mut input = Pieces::default();
        self.finished.iter().for_each(|part| input.push(part.text.clone()));
        input.push(self.growing.text.clone());
        input
    }

    /// In bytes.
    pub(crate) fn size(&self) -> usize {
        self.shared().len()
    }

    pub(crate) fn len(&self) -> usize {
        let finished: usize = self.finished.iter().map(|part| part.items.len()).sum();
        finished + self.growing.items.len()
    }

    /// This history without the oldest items after the first: `count` of them, and more where calls would otherwise
    /// be torn from their outputs.
    pub(crate) fn without(&self, count: usize) -> Cow<'_, Self> {
        if count == 0 {
            return Cow::Borrowed(self);
        }
        let mut rest = Self::default();
        self.iter().take(1).for_each(|first| rest.push_text(first));
        let kept = self.iter().skip(1 + count).skip_while(|item| Call::of(item).is_some());
        kept.for_each(|item| rest.push_text(item));
        Cow::Owned(rest)
    }

    /// The items' JSON texts, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.finished.iter().flat_map(Part::iter).chain(self.growing.iter())
    }
}

/// A tool call, or the output of one.
struct Call {
    id: String,
    /// What the output of a call is like; `None` for an output.
    answer: Option<Answer>,
}

impl Call {
    fn of(item: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Item {
            #[serde(rename = "type")]
            kind: String,
            call_id: String,
        }
        // Most items are no calls: look before decoding.
        if !item.contains("\"call_id\"") {
            return None;
        }
        let Item { kind, call_id } = serde_json::from_str(item).ok()?;
        let answer = match kind.as_str() {
            "function_call" => Some(Answer::Function),
            "custom_tool_call" => Some(Answer::Custom),
            "tool_search_call" => Some(Answer::Search),
            "function_call_output" | "custom_tool_call_output" | "tool_search_output" => None,
            _ => return None,
        };
        Some(Self { id: call_id, answer })
    }

    fn aborted(self) -> Option<Box<RawValue>> {
        let key = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.id.as_bytes());
        Some(self.answer?.item(key, &self.id, &"aborted".to_owned().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::json::raw;

    #[test]
    fn joins_items_to_the_inside_of_an_array() {
        let mut history = History::default();
        assert!(history.iter().next().is_none());
        history.push(&raw(&1));
        history.push(&raw(&"ü,"));
        assert_eq!(history.shared().to_vec(), "1,\"ü,\"".as_bytes());
        assert_eq!(history.iter().collect::<Vec<_>>(), ["1", "\"ü,\""]);
    }

    #[test]
    fn finished_parts_are_shared() {
        let mut history = History::default();
        let items: Vec<_> = (0..5).map(|i| raw(&format!("{i}{}", "x".repeat(PART / 2)))).collect();
        items.iter().for_each(|item| history.push(item));
        let expected: Vec<&str> = items.iter().map(|item| item.get()).collect();
        assert_eq!(history.iter().collect::<Vec<_>>(), expected);
        assert_eq!(history.shared().to_vec(), expected.join(",").as_bytes());
        assert_eq!(history.iter().next_back(), Some(expected[4]));
        let [first, second] = [history.shared(), history.shared()];
        let places = |pieces: Pieces| pieces.map(|piece| piece.as_ptr()).collect::<Vec<_>>();
        let (first, second) = (places(first), places(second));
        assert_eq!((&first[..2], first.len()), (&second[..2], 3));
        history.replace(&items[3..]);
        assert_eq!(history.iter().collect::<Vec<_>>(), [expected[0], expected[3], expected[4]]);
        assert_eq!((history.len(), history.size()), (3, history.shared().to_vec().len()));
        let shorter = history.without(1).into_owned();
        assert_eq!(shorter.iter().collect::<Vec<_>>(), [expected[0], expected[4]]);
    }

    #[test]
    fn answers_calls_that_were_left_alone() {
        let call = |id: &str| raw(&serde_json::json!({ "type": "function_call", "call_id": id }));
        let output =
            |id: &str| raw(&serde_json::json!({ "type": "function_call_output", "call_id": id }));
        let load = || {
            let mut history = History::default();
            history.load(&[call("a"), call("b"), output("a"), raw(&"later")]);
            history
        };
        let history = load();
        let kinds: Vec<&str> = history
            .iter()
            .map(|item| match item {
                _ if item.contains("aborted") => "aborted",
                _ if item.contains("output") => "output",
                _ if item.contains("call") => "call",
                _ => "later",
            })
            .collect();
        assert_eq!(kinds, ["call", "call", "aborted", "output", "later"]);
        assert!(history.iter().nth(2).unwrap().contains(r#""call_id":"b""#));
        assert_eq!(history.shared().to_vec(), load().shared().to_vec());
    }
}
