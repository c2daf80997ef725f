//! Histories of both kinds folded into turns.

use serde_json::{Value, json};

use super::Fold;
use crate::protocol::{ThreadHistoryMode, TurnId, TurnStatus};
use crate::store::{Record, item::item_id, record::Line};

fn event(payload: impl Into<Value>) -> Record {
    let line = json!({"type": "event_msg", "payload": payload.into()}).to_string();
    Line::parse(&line).expect("a line").record()
}

fn start(turn: &str) -> Record {
    event(json!({"type": "task_started", "turn_id": turn, "root_turn_id": turn, "started_at": 5}))
}

fn end(turn: &str) -> Record {
    event(json!({"type": "task_complete", "turn_id": turn, "completed_at": 7, "duration_ms": 2000}))
}

fn item(turn: &str, id: &str, kind: &str) -> Record {
    let item = json!({"type": kind, "id": id, "text": id, "content": [], "summary_text": [], "raw_content": []});
    event(
        json!({"type": "item_completed", "thread_id": "x", "turn_id": turn, "item": item, "started_at_ms": 1, "completed_at_ms": 2}),
    )
}

fn user(text: &str) -> Record {
    event(json!({"type": "user_message", "message": text}))
}

fn agent(text: &str) -> Record {
    event(json!({"type": "agent_message", "message": text}))
}

/// `id status: items` of each turn.
#[track_caller]
fn check(mode: ThreadHistoryMode, records: &[Record], expected: &[&str]) {
    let turns = Fold::of(mode, records).turns(None);
    let shown: Vec<String> = turns
        .iter()
        .map(|turn| {
            let ids: Vec<&str> =
                turn.items.iter().map(|item| item_id(&item.item).as_str()).collect();
            format!("{} {:?}: {}", turn.id, turn.status, ids.join(" "))
        })
        .collect();
    assert_eq!(shown, expected);
}

#[test]
fn a_paginated_history() {
    let failed = event(
        json!({"type": "task_complete", "turn_id": "b", "error": {"message": "m", "codex_error_info": "other"}}),
    );
    let aborted = event(
        json!({"type": "turn_aborted", "turn_id": "c", "reason": "interrupted", "completed_at": 9}),
    );
    let records = [
        start("a"),
        item("a", "u1", "UserMessage"),
        user("lines of the other mode do not count"),
        item("a", "p1", "Plan"),
        end("a"),
        start("b"),
        failed,
        start("c"),
        aborted,
        start("d"),
        item("d", "u4", "UserMessage"),
        event(json!({"type": "turn_aborted", "turn_id": null, "reason": "interrupted"})),
        start("e"),
    ];
    let expected = [
        "a Completed: u1 p1",
        "b Failed: ",
        "c Interrupted: ",
        "d Interrupted: u4",
        "e Interrupted: ",
    ];
    check(ThreadHistoryMode::Paginated, &records, &expected);
    let fold = Fold::of(ThreadHistoryMode::Paginated, &records);
    let running = TurnId::from("e");
    let turns = fold.turns(Some(&running));
    assert_eq!((turns[4].status, turns[4].completed_at), (TurnStatus::InProgress, None));
    assert_eq!(
        (turns[0].started_at, turns[0].completed_at, turns[0].duration_ms),
        (Some(5), Some(7), Some(2000))
    );
    assert_eq!(turns[0].root_turn_id, Some(TurnId::from("a")));
    assert_eq!(
        (turns[0].items[0].started_at_ms, turns[0].items[0].completed_at_ms),
        (Some(1), Some(2))
    );
    assert_eq!(turns[1].error.as_ref().map(|error| error.message.as_str()), Some("m"));
}

#[test]
fn an_item_of_the_same_id_is_replaced() {
    let records =
        [start("a"), item("a", "x", "Plan"), item("a", "y", "Plan"), item("a", "x", "Reasoning")];
    check(ThreadHistoryMode::Paginated, &records, &["a Interrupted: x y"]);
}

#[test]
fn a_legacy_history_without_marks_of_turns() {
    let thought = |text: &str| event(json!({"type": "agent_reasoning", "text": text}));
    let raw = event(json!({"type": "agent_reasoning_raw_content", "text": "raw"}));
    let records = [
        Record::RolledBack { num_turns: 1 },
        user("q1"),
        thought("a"),
        thought("b"),
        raw,
        agent("a1"),
        Record::Other,
        user("q2"),
        agent("a2"),
        user("q3"),
        agent("a3"),
        Record::RolledBack { num_turns: 1 },
        user("q4"),
    ];
    let expected = [
        "rollout-1 Completed: item-1 item-2 item-3",
        "rollout-6 Completed: item-4 item-5",
        "rollout-11 Completed: item-6",
    ];
    check(ThreadHistoryMode::Legacy, &records, &expected);
    let turns = serde_json::to_value(Fold::of(ThreadHistoryMode::Legacy, &records).turns(None))
        .expect("JSON");
    assert_eq!(turns[0]["items"][1]["summary"], json!(["a", "b"]));
    assert_eq!(turns[0]["items"][1]["content"], json!(["raw"]));
}

#[test]
fn a_legacy_history_with_marks_of_turns() {
    let patch = event(
        json!({"type": "patch_apply_end", "call_id": "c2", "turn_id": "b", "success": true, "status": "completed",
        "changes": {"/n": {"type": "add", "content": "new\n"}}}),
    );
    let call = |id: &str, result: Value| {
        event(
            json!({"type": "mcp_tool_call_end", "call_id": id, "turn_id": "b", "duration": {"secs": 0, "nanos": 3_643_017},
            "invocation": {"server": "docs", "tool": "echo", "arguments": null}, "result": result}),
        )
    };
    let records = [
        start("a"),
        user("one"),
        user("steer"),
        agent("two"),
        end("a"),
        agent("stray"),
        start("b"),
        user("x"),
        patch,
        call("c3", json!({"Ok": {"content": [{"type": "text", "text": "t"}]}})),
        call("c4", json!({"Err": "boom"})),
        event(
            json!({"type": "web_search_end", "call_id": "w1", "query": "cats", "action": {"type": "search", "query": "cats"}}),
        ),
        event(json!({"type": "context_compacted"})),
        event(json!({"type": "turn_aborted", "turn_id": "b", "reason": "replaced"})),
        start("c"),
        user("open"),
    ];
    let expected = [
        "a Completed: item-1 item-2 item-3",
        "rollout-5 Completed: item-4",
        "b Interrupted: item-5 c2 c3 c4 w1 item-6",
        "c Interrupted: item-7",
    ];
    check(ThreadHistoryMode::Legacy, &records, &expected);
    let turns = serde_json::to_value(Fold::of(ThreadHistoryMode::Legacy, &records).turns(None))
        .expect("JSON");
    let items = &turns[2]["items"];
    assert_eq!((&items[2]["status"], &items[2]["durationMs"]), (&json!("completed"), &json!(3)));
    assert_eq!(
        (&items[3]["status"], &items[3]["error"]["message"]),
        (&json!("failed"), &json!("boom"))
    );
}

#[test]
fn a_roll_back_drops_what_followed_its_turns() {
    let compaction = [start("x"), item("x", "c", "ContextCompaction"), end("x")];
    let records = [
        vec![start("a"), item("a", "u1", "UserMessage"), end("a")],
        vec![start("b"), item("b", "u2", "UserMessage"), end("b")],
        compaction.to_vec(),
        vec![Record::RolledBack { num_turns: 1 }],
    ];
    check(ThreadHistoryMode::Paginated, &records.concat(), &["a Completed: u1"]);
    let all = [records.concat(), vec![Record::RolledBack { num_turns: 9 }]].concat();
    check(ThreadHistoryMode::Paginated, &all, &[]);
}
