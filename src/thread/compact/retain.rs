//! What of a history survives its compaction word for word: what the user has said, or another agent has
//! given as a task, as far as it fits.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::exec::{Truncation, tokens, without_middle};
use crate::store::history::is_request;
use crate::thread::context::item_id;
use crate::thread::mail::is_task;
use crate::thread::prompt;
use crate::util::json::raw;

/// How much of the user's words is kept, in tokens.
const ROOM: usize = 20_000;

/// The user's messages, oldest first. The newest are kept as they are, the one that reaches the limit is cut in its
/// middle, older ones go. Pictures are kept in the newest message only: the others would be stored again and again.
pub(super) fn requests<'a>(
    history: impl DoubleEndedIterator<Item = &'a str>,
) -> Vec<Box<RawValue>> {
    let mut kept = Vec::new();
    let mut room = ROOM;
    for text in history.rev().filter(|item| is_request(item, prompt::SUMMARY) || is_task(item)) {
        let Ok(mut item) = serde_json::from_str::<Value>(text) else { continue };
        if !kept.is_empty() {
            drop_images(&mut item);
        }
        let size = tokens(words(&item).map(str::len).sum());
        if size > room {
            let all: String = words(&item).collect();
            kept.extend((room > 0).then(|| raw(&cut(&all, room))));
            break;
        }
        room -= size;
        kept.push(raw(&item));
    }
    kept.reverse();
    kept
}

fn parts(item: &Value) -> impl Iterator<Item = &Value> {
    item["content"].as_array().into_iter().flatten()
}

fn words(item: &Value) -> impl Iterator<Item = &str> {
    parts(item).filter_map(|part| part["text"].as_str().or(part["encrypted_content"].as_str()))
}

fn drop_images(item: &mut Value) {
    let Some(parts) = item["content"].as_array_mut() else { return };
    for part in parts.iter_mut().filter(|part| part["type"] == "input_image") {
        *part = input_text("[a picture that was shown here]");
    }
}

/// A message of the beginning and the end of a text, which leave out what is between them.
fn cut(text: &str, room: usize) -> Value {
    let (head, marker, tail) = without_middle(text, Truncation::Tokens(room));
    json!({
        "type": "message",
        "id": item_id("msg"),
        "role": "user",
        "content": [input_text(head), input_text(&marker), input_text(tail)],
    })
}

fn input_text(text: &str) -> Value {
    json!({ "type": "input_text", "text": text })
}
