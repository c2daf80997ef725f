//! What the model is sent as `input`: a sequence of items that only grows, kept as the bytes that go on the wire.
//!
//! A request copies the bytes once, however many items there are. Invariant: what has been sent before is never
//! changed, so that the provider's prompt cache keeps working, over restarts too.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::util::json::raw;

#[derive(Debug, Default, Clone)]
pub(crate) struct History {
    /// The items' JSON texts, joined by commas.
    joined: Vec<u8>,
    items: Vec<Range<usize>>,
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
        self.items.truncate(1);
        self.joined.truncate(self.items.first().map_or(0, |first| first.end));
        items.iter().for_each(|item| self.push(item));
    }

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

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The inside of an `input` array that leaves out the oldest items after the first: `count` of them, and more
    /// where calls would otherwise be torn from their outputs.
    pub(crate) fn without(&self, count: usize) -> Vec<u8> {
        let mut rest = 1 + count;
        if count > 0 {
            rest += self.iter().skip(rest).take_while(|item| Call::of(item).is_some()).count();
        }
        let head = self.items.first().map_or(0, |first| first.end);
        match self.items.get(rest) {
            Some(next) if count > 0 => {
                [&self.joined[..head], b",", &self.joined[next.start..]].concat()
            }
            None if count > 0 => self.joined[..head].to_vec(),
            Some(_) | None => self.joined.clone(),
        }
    }

    /// The items' JSON texts, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        // The bytes come from `RawValue`s, which are UTF-8.
        self.items
            .iter()
            .map(|range| std::str::from_utf8(&self.joined[range.clone()]).unwrap_or_default())
    }
}

/// A tool call, or the output of one.
struct Call {
    id: String,
    /// The type and the id prefix of the output that a call wants; `None` for an output.
    answer: Option<(&'static str, &'static str)>,
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
            "function_call" => Some(("function_call_output", "fco_")),
            "custom_tool_call" => Some(("custom_tool_call_output", "ctco_")),
            "function_call_output" | "custom_tool_call_output" => None,
            _ => return None,
        };
        Some(Self { id: call_id, answer })
    }

    fn aborted(self) -> Option<Box<RawValue>> {
        let (kind, prefix) = self.answer?;
        let id = format!("{prefix}{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, self.id.as_bytes()));
        Some(raw(
            &serde_json::json!({ "type": kind, "id": id, "call_id": self.id, "output": "aborted" }),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_items_to_the_inside_of_an_array() {
        let mut history = History::default();
        assert!(history.iter().next().is_none());
        history.push(&raw(&1));
        history.push(&raw(&"ü,"));
        assert_eq!(history.joined(), "1,\"ü,\"".as_bytes());
        assert_eq!(history.iter().collect::<Vec<_>>(), ["1", "\"ü,\""]);
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
        assert_eq!(history.joined(), load().joined());
    }
}
