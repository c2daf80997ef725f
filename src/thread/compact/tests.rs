//! What survives a compaction.

use serde_json::json;

use super::retain::requests;
use crate::thread::prompt;

fn said(text: &str) -> String {
    json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] })
        .to_string()
}

#[track_caller]
fn check(history: &[String], expected: &[&[&str]]) {
    let kept = requests(history.iter().map(String::as_str));
    let texts: Vec<Vec<String>> = kept
        .iter()
        .map(|item| {
            let item: serde_json::Value = serde_json::from_str(item.get()).unwrap();
            let parts = item["content"].as_array().unwrap().clone();
            parts.iter().map(|part| part["text"].as_str().unwrap_or("picture").to_owned()).collect()
        })
        .collect();
    assert_eq!(texts, expected);
}

#[test]
fn only_what_the_user_has_said() {
    let answer = json!({ "type": "message", "role": "assistant", "content": [] }).to_string();
    let context = said("<environment_context>\n</environment_context>");
    let summary = said(&format!("{}\n\nbefore", prompt::SUMMARY));
    let call = json!({ "type": "function_call", "call_id": "c" }).to_string();
    check(&[context, said("one"), answer, summary, call, said("two")], &[&["one"], &["two"]]);
}

#[test]
fn the_message_at_the_limit_loses_its_middle() {
    let long = format!("{}{}", "a".repeat(50_000), "z".repeat(50_000));
    let newest = "n".repeat(79_000);
    let (head, tail) = ("a".repeat(500), "z".repeat(500));
    let marker = "…24750 tokens truncated…";
    check(&[said("too old"), said(&long), said(&newest)], &[&[&head, marker, &tail], &[&newest]]);
}

#[test]
fn pictures_stay_in_the_newest_message() {
    let shown = |text: &str| {
        json!({ "type": "message", "role": "user", "content": [
            { "type": "input_text", "text": text }, { "type": "input_image", "image_url": "data:" },
        ] })
        .to_string()
    };
    let placeholder = "[a picture that was shown here]";
    check(&[shown("old"), shown("new")], &[&["old", placeholder], &["new", "picture"]]);
}
