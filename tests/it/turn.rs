//! Turns: their order on the wire, what they stream, what they report.

use serde_json::{Value, json};

use crate::harness::model::Request;
use crate::harness::{Client, Config, Gate, Lab, ev, held, http};

#[test]
fn the_order_of_a_plain_turn() {
    let lab = Lab::new();
    lab.model.reply(ev::streamed("msg-1", &["Hel", "lo"]));
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    client.complete(&thread, "hi");
    insta::assert_snapshot!(client.since(mark), @r#"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started agentMessage [msg-1]
    <- item/agentMessage/delta "Hel"
    <- item/agentMessage/delta "lo"
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    "#);
}

#[test]
fn the_turn_object_at_its_three_stages() {
    let lab = Lab::new();
    lab.model.reply(ev::text("Hello"));
    let client = lab.start();
    let thread = client.thread();
    let params = json!({"threadId": thread, "input": [{"type": "text", "text": "hi"}]});
    let turn = client.request("turn/start", params)["turn"].clone();
    let id = &turn["id"];
    assert_eq!(
        turn,
        json!({"id": id, "rootTurnId": id, "items": [], "itemsView": "notLoaded", "status": "inProgress", "error": null,
            "startedAt": null, "completedAt": null, "durationMs": null})
    );
    let started = client.note("turn/started")["turn"].clone();
    assert!(started["startedAt"].is_i64());
    let mut wanted = turn.clone();
    wanted["startedAt"] = started["startedAt"].clone();
    assert_eq!(started, wanted);
    let done = client.finish(&thread);
    assert_eq!(
        (&done["id"], &done["status"], &done["error"]),
        (id, &json!("completed"), &Value::Null)
    );
    assert_eq!(
        (&done["itemsView"], &done["items"][0]["text"]),
        (&json!("summary"), &json!("Hello"))
    );
    assert!(
        done["completedAt"].as_i64() >= done["startedAt"].as_i64() && done["durationMs"].is_i64(),
        "{done:#}"
    );
}

#[test]
fn the_user_message_keeps_what_was_given() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let elements = json!([{"byteRange": {"start": 0, "end": 3}, "placeholder": "<one>"}]);
    let input = json!([{"type": "text", "text": "one", "text_elements": elements}, {"type": "text", "text": "two"}]);
    client.turn_with(&thread, json!({"input": input, "clientUserMessageId": "client-7"}));
    client.finish(&thread);
    let item = &client.items("userMessage")[0];
    assert_eq!(item["clientId"], "client-7");
    let wanted = json!([{"type": "text", "text": "one", "text_elements": elements},
        {"type": "text", "text": "two", "text_elements": []}]);
    assert_eq!(item["content"], wanted);
    assert_eq!(lab.model.last().asked(), ["one", "two"]);
}

#[test]
fn the_completed_text_is_the_truth() {
    let lab = Lab::new();
    let first = ev::message("msg-1", "abcd");
    let events = [
        ev::created(),
        ev::added(&ev::message("msg-1", "")),
        ev::delta("msg-1", "ab"),
        ev::delta("msg-1", "c"),
    ];
    let rest = [ev::done(&first), ev::done(&ev::message("msg-2", "second")), ev::completed()];
    lab.model.reply([&events[..], &rest[..]].concat());
    let client = lab.start();
    let thread = client.thread();
    let done = client.run(&thread, "hi");
    let texts: Vec<Value> =
        client.items("agentMessage").iter().map(|item| item["text"].clone()).collect();
    assert_eq!(texts, ["abcd", "second"]);
    assert_eq!(done["items"].as_array().unwrap().len(), 1);
    assert_eq!(done["items"][0]["text"], "second", "the summary is the last message");
    let started: Vec<Value> =
        client.notes("item/started").iter().map(|p| p["item"]["text"].clone()).collect();
    assert_eq!(
        started,
        [Value::Null, json!(""), json!("second")],
        "unstreamed messages start with their text"
    );
}

#[test]
fn reasoning_is_streamed_and_kept() {
    let lab = Lab::new();
    let whole = ev::reasoning("rs-1", &["**One**", "Two"], &["raw"]);
    let part = |n: u32| json!({"type": "response.reasoning_summary_part.added", "item_id": "rs-1", "summary_index": n});
    let summary = |n: u32, text: &str| json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs-1", "summary_index": n, "delta": text});
    let raw = json!({"type": "response.reasoning_text.delta", "item_id": "rs-1", "content_index": 0, "delta": "raw"});
    lab.model.reply(vec![
        ev::created(),
        ev::added(&ev::reasoning("rs-1", &[], &[])),
        part(0),
        summary(0, "**O"),
        summary(0, "ne**"),
        part(1),
        summary(1, "Two"),
        raw,
        ev::done(&whole),
        ev::done(&ev::message("msg-1", "x")),
        ev::completed(),
    ]);
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    client.complete(&thread, "hi");
    insta::assert_snapshot!(client.since(mark), @r#"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started reasoning [rs-1]
    <- item/reasoning/summaryPartAdded
    <- item/reasoning/summaryTextDelta "**O"
    <- item/reasoning/summaryTextDelta "ne**"
    <- item/reasoning/summaryPartAdded
    <- item/reasoning/summaryTextDelta "Two"
    <- item/reasoning/textDelta "raw"
    <- item/completed reasoning [rs-1]
    <- item/started agentMessage [msg-1]
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    "#);
    let item = &client.items("reasoning")[0];
    assert_eq!((&item["summary"], &item["content"]), (&json!(["**One**", "Two"]), &json!(["raw"])));
    client.complete(&thread, "again");
    let kept = lab.model.last().input().iter().find(|i| i["type"] == "reasoning").unwrap().clone();
    assert_eq!(kept["encrypted_content"], "opaque", "the model is sent its reasoning again");
}

#[test]
fn items_that_overlap_are_told_apart() {
    let lab = Lab::new();
    let (one, two) = (ev::message("m1", "one"), ev::message("m2", "two"));
    let thought = ev::reasoning("rs1", &["why"], &[]);
    let begun = || {
        let empty = |id| ev::added(&ev::message(id, ""));
        let thinks = ev::added(&ev::reasoning("rs1", &[], &[]));
        vec![
            ev::created(),
            thinks,
            empty("m1"),
            empty("m2"),
            ev::delta("m1", "o"),
            ev::delta("m2", "t"),
        ]
    };
    let mut whole = begun();
    whole.extend([ev::done(&thought), ev::done(&one), ev::done(&two), ev::completed()]);
    let gate = Gate::default();
    lab.model.reply(whole).reply(held(&gate, begun(), vec![]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let started = client.notes("item/started");
    let ids: Vec<&Value> = started.iter().map(|note| &note["item"]["id"]).skip(1).collect();
    assert_eq!(ids, ["rs1", "m1", "m2"]);
    let ends = |client: &Client| -> Vec<(Value, Value)> {
        let messages = client.items("agentMessage").into_iter();
        messages.map(|item| (item["id"].clone(), item["text"].clone())).collect()
    };
    let pair = |id: &str, text: &str| (json!(id), json!(text));
    assert_eq!(ends(&client), [pair("m1", "one"), pair("m2", "two")]);
    let deltas = client.notes("item/agentMessage/delta");
    assert_eq!((&deltas[0]["itemId"], &deltas[1]["itemId"]), (&json!("m1"), &json!("m2")));
    let turn = client.turn(&thread, "again");
    client.note_where("item/agentMessage/delta", |note| {
        note["turnId"] == *turn && note["itemId"] == "m2"
    });
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    client.finish(&thread);
    assert_eq!(ends(&client)[2..], [pair("m1", "o"), pair("m2", "t")], "as far as they came");
}

#[test]
fn phases_of_messages() {
    let lab = Lab::new();
    let phase = |id: &str, text: &str, phase: &str| {
        let mut item = ev::message(id, text);
        item["phase"] = json!(phase);
        item
    };
    lab.model.reply(ev::items(&[
        phase("m1", "aloud", "commentary"),
        phase("m2", "answer", "final_answer"),
    ]));
    lab.model.reply(ev::items(&[phase("m3", "only this", "commentary")]));
    let client = lab.start();
    let thread = client.thread();
    assert_eq!(client.run(&thread, "hi")["items"][0]["text"], "answer");
    let done = client.run(&thread, "more");
    assert_eq!((&done["items"], &done["itemsView"]), (&json!([]), &json!("notLoaded")));
}

#[test]
fn usage_is_counted_up() {
    let lab =
        Lab::with(&Config { top: "model_context_window = 50000".to_owned(), ..Config::default() });
    lab.model.reply(vec![ev::created(), ev::done(&ev::message("m1", "a")), ev::used(100, 20)]);
    lab.model.reply(vec![ev::created(), ev::done(&ev::message("m2", "b")), ev::used(200, 30)]);
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "a");
    client.complete(&thread, "b");
    let usage = client.notes("thread/tokenUsage/updated");
    let breakdown = |input: u64, output: u64| {
        json!({"totalTokens": input + output, "inputTokens": input, "cachedInputTokens": 0,
            "cacheWriteInputTokens": 0, "outputTokens": output, "reasoningOutputTokens": 0})
    };
    assert_eq!(
        usage[1]["tokenUsage"],
        json!({"total": breakdown(300, 50), "last": breakdown(200, 30), "modelContextWindow": 47500})
    );
}

#[test]
fn unknown_stream_content_is_skipped() {
    let lab = Lab::new();
    let odd = json!({"type": "bogus_item", "id": "b-1"});
    lab.model.reply(vec![
        ev::created(),
        json!({"type": "response.in_progress", "response": {"id": "r"}}),
        json!({"type": "response.bogus", "x": 1}),
        ev::added(&odd),
        ev::done(&odd),
        json!({"type": "response.content_part.added", "part": {}}),
        ev::done(&ev::message("m1", "fine")),
        json!({"type": "response.completed", "response": {"id": "r"}}),
    ]);
    let client = lab.start();
    let thread = client.thread();
    assert_eq!(client.run(&thread, "hi")["items"][0]["text"], "fine");
    assert!(client.notes("thread/tokenUsage/updated").is_empty(), "no usage, no notification");
}

#[test]
fn a_response_may_ask_to_go_on() {
    let lab = Lab::new();
    let more = json!({"type": "response.completed", "response": {"id": "r", "end_turn": false}});
    lab.model
        .reply(vec![ev::created(), ev::done(&ev::message("m1", "a")), more])
        .reply(ev::text("b"));
    let client = lab.start();
    let thread = client.thread();
    assert_eq!(client.run(&thread, "hi")["items"][0]["text"], "b");
    assert_eq!(lab.model.last().texts("assistant"), ["a"]);
}

#[test]
fn without_input_the_model_is_asked_with_the_history_as_it_is() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    client.turn_with(&thread, json!({"input": []}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!((client.items("userMessage").len(), lab.model.requests().len()), (1, 2));
}

#[test]
fn refused_starts_start_nothing() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let nobody = "01900000-0000-7000-8000-000000000000";
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    client.refused(
        "turn/start",
        json!({"threadId": nobody, "input": text("x")}),
        &format!("thread not found: {nobody}"),
    );
    let bad = client.refuse("turn/start", json!({"threadId": "nope", "input": text("x")}));
    assert!(bad.message.starts_with("invalid thread id: "), "{bad:?}");
    let refuse = |more: Value| {
        let mut params = json!({"threadId": thread, "input": text("x")});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.refuse("turn/start", params)
    };
    let odd = refuse(json!({"input": [{"type": "bogus"}]}));
    assert!(odd.message.starts_with("Invalid request: unknown variant `bogus`"), "{odd:?}");
    let remote = refuse(json!({"input": [{"type": "image", "url": "https://example.com/x.png"}]}));
    assert_eq!(
        remote.message,
        "remote image URLs are not supported; use an inline data URL instead"
    );
    assert_eq!(
        refuse(json!({"effort": ""})).message,
        "Invalid request: reasoning_effort must not be empty"
    );
    let both = refuse(json!({"sandboxPolicy": {"type": "readOnly"}, "permissions": ":workspace"}));
    assert_eq!(both.message, "`permissions` cannot be combined with `sandboxPolicy`");
    let large = refuse(json!({"input": text(&"x".repeat((1 << 20) + 1))}));
    assert_eq!(
        (large.code, large.message.as_str()),
        (-32602, "Input exceeds the maximum length of 1048576 characters.")
    );
    let numbers = json!({"input_error_code": "input_too_large", "max_chars": 1 << 20, "actual_chars": (1 << 20) + 1});
    assert_eq!(large.data, numbers);
    assert!(client.notes("turn/started").is_empty() && lab.model.requests().is_empty());
    client.complete(&thread, "still works");
}

#[test]
fn a_start_while_a_turn_runs_joins_it() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created()], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let first = client.turn(&thread, "first");
    gate.reached();
    client.note("turn/started");
    let params = json!({"input": [{"type": "text", "text": "second"}], "model": "later", "clientUserMessageId": "c2"});
    assert_eq!(client.turn_with(&thread, params), first);
    let done = client.finish(&thread);
    assert_eq!((done["id"].as_str(), &done["status"]), (Some(first.as_str()), &json!("completed")));
    assert_eq!(client.items("userMessage")[1]["clientId"], "c2");
    let last = lab.model.last();
    assert_eq!(
        (last.asked(), &last.body["model"]),
        (vec!["first", "second"], &json!("mock-model"))
    );
    assert_eq!(client.notes("turn/started").len(), 1);
    client.complete(&thread, "third");
    assert_eq!(lab.model.last().body["model"], "later", "overrides wait for the next turn");
}

#[test]
fn settings_of_a_turn_stick() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "1");
    for more in [
        json!({"model": "model-b", "effort": "high", "summary": "detailed"}),
        json!({}),
        json!({"effort": "high"}),
    ] {
        client.turn_with(&thread, more);
        client.finish(&thread);
    }
    let seen: Vec<Value> = lab
        .model
        .requests()
        .iter()
        .map(|r| json!([r.body["model"], r.body["reasoning"]["effort"]]))
        .collect();
    let changed = json!(["model-b", "high"]);
    assert_eq!(seen, [json!(["mock-model", null]), changed.clone(), changed.clone(), changed]);
    let told = client.notes("thread/settings/updated");
    assert_eq!(told.len(), 1, "only a change is announced");
    assert_eq!(told[0]["threadSettings"]["model"], "model-b");
}

#[test]
fn an_input_that_comes_again_runs_once() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let send = |text: &str| {
        let input = json!([{"type": "text", "text": text}]);
        let params = json!({"threadId": thread, "input": input, "clientUserMessageId": "mine"});
        client.request("turn/start", params)["turn"].clone()
    };
    let first = send("go");
    let running = send("go");
    client.finish(&thread);
    let done = send("go");
    assert_eq!((&running["id"], &done["id"]), (&first["id"], &first["id"]));
    assert_eq!((&done["status"], &done["items"]), (&json!("completed"), &json!([])));
    assert_eq!(lab.model.requests().len(), 1);
    lab.model.reply(http(400, "no"));
    assert_ne!(send("something else")["id"], first["id"]);
    assert_eq!(client.finish(&thread)["status"], "failed");
    send("something else");
    assert_eq!(client.finish(&thread)["status"], "completed", "what has failed may be tried again");
    assert_eq!(client.items("userMessage").len(), 3);
}

#[test]
fn an_output_schema_is_for_one_turn() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    client.turn_with(&thread, json!({"outputSchema": schema}));
    client.finish(&thread);
    client.complete(&thread, "2");
    let requests = lab.model.requests();
    let format = &requests[0].body["text"]["format"];
    assert_eq!((&format["type"], &format["schema"]), (&json!("json_schema"), &schema));
    assert_eq!(requests[1].body["text"]["format"], Value::Null);
}

#[test]
fn what_was_sent_once_is_sent_again_byte_for_byte() {
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "echo hi")).reply(ev::text("one")).reply(ev::text("two"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "first");
    client.complete(&thread, "second");
    let inputs: Vec<Vec<String>> = lab.model.requests().iter().map(Request::raw_input).collect();
    for pair in inputs.windows(2) {
        assert!(pair[1].starts_with(&pair[0]) && pair[1].len() > pair[0].len());
    }
}

#[test]
fn two_threads_run_side_by_side() {
    let lab = Lab::new();
    let (one, two) = (Gate::default(), Gate::default());
    let rest = || vec![ev::done(&ev::message("m", "x")), ev::completed()];
    lab.model.reply(held(&one, vec![ev::created()], rest())).reply(held(
        &two,
        vec![ev::created()],
        rest(),
    ));
    let client = lab.start();
    let (first, second) = (client.thread(), client.thread());
    client.turn(&first, "a");
    one.reached();
    client.turn(&second, "b");
    two.reached();
    two.open();
    assert_eq!(client.finish(&second)["status"], "completed");
    one.open();
    assert_eq!(client.finish(&first)["status"], "completed");
}

#[test]
fn an_unknown_model_is_warned_of_once() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    client.complete(&thread, "two");
    assert_eq!(client.notes("warning").len(), 1);
    client.turn_with(&thread, json!({"model": "another"}));
    client.finish(&thread);
    let warnings = client.notes("warning");
    assert_eq!(warnings.len(), 2);
    assert!(warnings[1]["message"].as_str().unwrap().contains("`another`"));
}
