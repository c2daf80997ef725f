//! Stored items: what they decode to, and how they are written.

use serde_json::{Value, json};

use super::{decode, encode};
use crate::protocol::ThreadItem;
use crate::util::json::raw;

/// A stored item reads as this on the wire, and is stored as it was.
#[track_caller]
fn both_ways(stored: &Value, wire: &Value) {
    let item = decode(&raw(stored)).expect("known");
    let shown = serde_json::to_value(&item).expect("JSON");
    for (member, value) in wire.as_object().expect("object") {
        assert_eq!(&shown[member], value, "{member} of {shown}");
    }
    let again: Value = serde_json::from_str(encode(&item).expect("stored").get()).expect("JSON");
    assert_eq!(&again, stored);
    assert_eq!(decode(&raw(&again)), Some(item));
}

#[test]
fn messages() {
    both_ways(
        &json!({"type": "UserMessage", "id": "u", "client_id": "mine", "content": [
            {"type": "text", "text": "héllo", "text_elements": [{"byte_range": {"start": 0, "end": 2}, "placeholder": "@h"}]},
            {"type": "image", "image_url": "data:,x"}, {"type": "image", "file_id": "f", "detail": "high"},
            {"type": "local_image", "path": "/x.png"}, {"type": "audio", "audio_url": "data:,y"},
            {"type": "local_audio", "path": "/y.wav"}, {"type": "skill", "name": "s", "path": "/s"},
            {"type": "mention", "name": "m", "path": "app://m"}]}),
        &json!({"type": "userMessage", "clientId": "mine", "content": [
            {"type": "text", "text": "héllo", "text_elements": [{"byteRange": {"start": 0, "end": 2}, "placeholder": "@h"}]},
            {"type": "image", "url": "data:,x", "detail": null}, {"type": "image", "fileId": "f", "detail": "high"},
            {"type": "localImage", "path": "/x.png", "detail": null}, {"type": "audio", "url": "data:,y"},
            {"type": "localAudio", "path": "/y.wav"}, {"type": "skill", "name": "s", "path": "/s"},
            {"type": "mention", "name": "m", "path": "app://m"}]}),
    );
    both_ways(
        &json!({"type": "AgentMessage", "id": "a", "content": [{"type": "Text", "text": "hi"}], "phase": "final_answer"}),
        &json!({"type": "agentMessage", "text": "hi", "phase": "final_answer", "memoryCitation": null}),
    );
    both_ways(
        &json!({"type": "AgentMessage", "id": "q", "content": [{"type": "Text", "text": "Which?\n- a"}],
            "phase": "final_answer", "delivery": "async", "questions": [{"title": "Which?", "options": ["a"]}]}),
        &json!({"type": "agentMessage", "delivery": "async", "questions": [{"title": "Which?", "options": ["a"]}]}),
    );
    both_ways(
        &json!({"type": "Reasoning", "id": "r", "summary_text": ["s"], "raw_content": ["c"]}),
        &json!({"type": "reasoning", "summary": ["s"], "content": ["c"]}),
    );
    both_ways(
        &json!({"type": "Plan", "id": "t-plan", "text": "# P"}),
        &json!({"type": "plan", "text": "# P"}),
    );
    both_ways(
        &json!({"type": "ContextCompaction", "id": "c"}),
        &json!({"type": "contextCompaction", "id": "c"}),
    );
}

#[test]
fn tool_results() {
    both_ways(
        &json!({"type": "FunctionCallOutput", "id": "fco_1", "name": "build", "namespace": "ci", "output": "broken"}),
        &json!({"type": "functionCallOutput", "name": "build", "namespace": "ci", "output": "broken"}),
    );
    both_ways(
        &json!({"type": "FunctionCallOutput", "id": "fco_1", "name": "b", "output": [{"type": "input_text", "text": "t"}]}),
        &json!({"type": "functionCallOutput", "namespace": null, "output": [{"type": "input_text", "text": "t"}]}),
    );
}

#[test]
fn commands() {
    both_ways(
        &json!({"type": "CommandExecution", "id": "c", "process_id": "7", "command": ["/bin/bash", "-lc", "echo 'a b'"],
            "cwd": "file:///w/sub%20dir", "parsed_cmd": [
                {"type": "read", "cmd": "cat x", "name": "x", "path": "/w/x"}, {"type": "list_files", "cmd": "ls", "path": null},
                {"type": "search", "cmd": "grep x", "query": "x", "path": null}, {"type": "unknown", "cmd": "q"}],
            "source": "unified_exec_startup", "status": "failed", "aggregated_output": "x\n", "exit_code": 2,
            "duration": {"secs": 1, "nanos": 500_000_000}}),
        &json!({"type": "commandExecution", "command": "/bin/bash -lc \"echo 'a b'\"", "cwd": "/w/sub dir",
            "source": "unifiedExecStartup", "status": "failed", "exitCode": 2, "durationMs": 1500, "aggregatedOutput": "x\n",
            "commandActions": [{"type": "read", "command": "cat x", "name": "x", "path": "/w/x"},
                {"type": "listFiles", "command": "ls", "path": null},
                {"type": "search", "command": "grep x", "query": "x", "path": null},
                {"type": "unknown", "command": "q"}]}),
    );
}

#[test]
fn relative_paths_of_reads_are_below_the_folder_of_the_command() {
    let stored = json!({"type": "CommandExecution", "id": "c", "command": ["cat", "x"], "cwd": "file:///w", "source": "agent",
        "status": "completed", "parsed_cmd": [{"type": "read", "cmd": "cat x", "name": "x", "path": "x"}]});
    let shown = serde_json::to_value(decode(&raw(&stored))).expect("JSON");
    assert_eq!(shown["commandActions"][0]["path"], "/w/x");
    assert_eq!((&shown["aggregatedOutput"], &shown["durationMs"]), (&Value::Null, &Value::Null));
}

#[test]
fn long_output_is_cut_between_characters() {
    let stored = json!({"type": "CommandExecution", "id": "c", "command": ["x"], "cwd": "file:///", "source": "agent",
        "status": "completed", "aggregated_output": format!("a{}", "é".repeat(40_000))});
    let again = encode(&decode(&raw(&stored)).expect("known")).expect("stored");
    let again: Value = serde_json::from_str(again.get()).expect("JSON");
    assert_eq!(again["aggregated_output"].as_str().map(str::len), Some(65_535));
}

#[test]
fn patches() {
    both_ways(
        &json!({"type": "FileChange", "id": "f", "status": "completed", "stdout": "", "stderr": "", "changes": {
            "/a": {"type": "add", "content": "n\n"}, "/d": {"type": "delete", "content": "o\n"},
            "/m": {"type": "update", "unified_diff": "@@\n-a\n+b\n", "move_path": "/m2"},
            "/u": {"type": "update", "unified_diff": "@@\n-a\n+b\n", "move_path": null}}}),
        &json!({"type": "fileChange", "status": "completed", "changes": [
            {"path": "/a", "kind": {"type": "add"}, "diff": "n\n"}, {"path": "/d", "kind": {"type": "delete"}, "diff": "o\n"},
            {"path": "/m", "kind": {"type": "update", "move_path": "/m2"}, "diff": "@@\n-a\n+b\n\n\nMoved to: /m2"},
            {"path": "/u", "kind": {"type": "update", "move_path": null}, "diff": "@@\n-a\n+b\n"}]}),
    );
}

#[test]
fn tools() {
    both_ways(
        &json!({"type": "McpToolCall", "id": "m", "server": "docs", "tool": "echo", "arguments": {"a": 1}, "status": "completed",
            "result": {"content": [{"type": "text", "text": "t"}]}, "duration": {"secs": 0, "nanos": 5_000_000}}),
        &json!({"type": "mcpToolCall", "status": "completed", "durationMs": 5, "error": null,
            "result": {"content": [{"type": "text", "text": "t"}], "structuredContent": null, "_meta": null}}),
    );
    both_ways(
        &json!({"type": "McpToolCall", "id": "m", "server": "docs", "tool": "echo", "arguments": null, "status": "failed",
            "error": {"message": "boom"}}),
        &json!({"type": "mcpToolCall", "status": "failed", "result": null, "error": {"message": "boom"}}),
    );
    both_ways(
        &json!({"type": "DynamicToolCall", "id": "d", "tool": "dyn", "arguments": {}, "status": "completed", "success": true,
            "content_items": [{"type": "inputText", "text": "o"}], "duration": {"secs": 0, "nanos": 1_000_000}}),
        &json!({"type": "dynamicToolCall", "contentItems": [{"type": "inputText", "text": "o"}], "success": true}),
    );
    both_ways(
        &json!({"type": "WebSearch", "id": "w", "query": "cats", "action": {"type": "open_page", "url": "https://x"}}),
        &json!({"type": "webSearch", "query": "cats", "action": {"type": "openPage", "url": "https://x"}}),
    );
    both_ways(
        &json!({"type": "ImageView", "id": "i", "path": "file:///x%20y.png"}),
        &json!({"type": "imageView", "path": "/x y.png"}),
    );
    both_ways(
        &json!({"type": "Extension", "kind": "clock.sleep", "id": "s", "durationMs": 300}),
        &json!({"type": "sleep", "durationMs": 300}),
    );
    let agent = "01990001-0000-7000-8000-000000000001";
    both_ways(
        &json!({"type": "CollabAgentToolCall", "id": "k", "tool": "spawn_agent", "status": "completed", "sender_thread_id": "s",
            "receiver_thread_ids": [agent], "receiver_agents": [{"thread_id": agent}], "prompt": "p",
            "agents_states": {(agent): {"completed": "done"}, "b": "pending_init"}}),
        &json!({"type": "collabAgentToolCall", "tool": "spawnAgent", "receiverThreadIds": [agent],
            "agentsStates": {(agent): {"status": "completed", "message": "done"}, "b": {"status": "pendingInit", "message": null}}}),
    );
    both_ways(
        &json!({"type": "SubAgentActivity", "id": "s", "kind": "started", "model": "m", "reasoning_effort": "low",
            "agent_thread_id": agent, "agent_path": "/root/a"}),
        &json!({"type": "subAgentActivity", "kind": "started", "model": "m", "reasoningEffort": "low",
            "agentThreadId": agent, "agentPath": "/root/a"}),
    );
}

#[test]
fn reviews() {
    both_ways(
        &json!({"type": "EnteredReviewMode", "id": "e", "user_facing_hint": "this",
            "target": {"type": "custom", "instructions": "this"}}),
        &json!({"type": "enteredReviewMode", "review": "this"}),
    );
    let place = json!({"absolute_file_path": "/a.rs", "line_range": {"start": 3, "end": 5}});
    let stored = json!({"type": "ExitedReviewMode", "id": "x", "review_output": {"overall_explanation": "Fine.", "findings": [
        {"title": "Off by one", "body": "It ends\nlate.", "code_location": place}]}});
    let Some(ThreadItem::ExitedReviewMode { review, .. }) = decode(&raw(&stored)) else {
        panic!("a review")
    };
    assert_eq!(review, "Fine.\n\nReview comment:\n\n- Off by one — /a.rs:3-5\n  It ends\n  late.");
}

#[test]
fn what_is_not_known_is_no_item() {
    for stored in [
        json!({"type": "FromTheFuture", "id": "z"}),
        json!({"id": "z"}),
        json!({"type": "Plan"}),
        json!("text"),
    ] {
        assert_eq!(decode(&raw(&stored)), None, "{stored}");
    }
}
