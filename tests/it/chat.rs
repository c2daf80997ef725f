//! Providers that have the Chat Completions API, as servers of local models do.

use serde_json::{Value, json};

use crate::harness::model::Request;
use crate::harness::{Client, Config, Lab, Step, http};

fn lab(more: &str) -> Lab {
    let provider = format!("stream_idle_timeout_ms = 60000\n{more}");
    let lab = Lab::with(&Config { provider, ..Config::default() });
    let config = lab.home.home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, text.replace("wire_api = \"responses\"", "wire_api = \"chat\""))
        .unwrap();
    lab
}

/// An answer of these deltas that ends for this reason, as llama.cpp's server streams it.
fn answer(deltas: &[Value], finish: &str) -> Step {
    let mut body = String::new();
    let mut say = |chunk: Value| body.push_str(&format!("data: {chunk}\n\n"));
    let chunk = |delta: &Value, finish: Value| {
        json!({"choices": [{"finish_reason": finish, "index": 0, "delta": delta}], "created": 1, "id": "chatcmpl-1",
            "model": "m", "system_fingerprint": "b1", "object": "chat.completion.chunk"})
    };
    say(chunk(&json!({"role": "assistant", "content": null}), Value::Null));
    deltas.iter().for_each(|delta| say(chunk(delta, Value::Null)));
    say(chunk(&json!({}), json!(finish)));
    say(json!({"choices": [], "object": "chat.completion.chunk", "usage":
        {"completion_tokens": 5, "prompt_tokens": 10, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 4}}}));
    body.push_str("data: [DONE]\n\n");
    Step::Http {
        status: 200,
        body,
        headers: vec![("content-type", "text/event-stream".to_owned())],
    }
}

fn text(text: &str) -> Step {
    answer(
        &text.split_inclusive(' ').map(|word| json!({"content": word})).collect::<Vec<_>>(),
        "stop",
    )
}

fn fragment(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    let mut call = json!({"index": index, "function": {"arguments": arguments}});
    if !id.is_empty() {
        call["id"] = json!(id);
        call["type"] = json!("function");
        call["function"]["name"] = json!(name);
    }
    json!({"tool_calls": [call]})
}

fn messages(request: &Request) -> &Vec<Value> {
    request.body["messages"].as_array().unwrap()
}

fn roles(request: &Request) -> Vec<&str> {
    messages(request).iter().map(|message| message["role"].as_str().unwrap()).collect()
}

fn start(lab: &Lab) -> (Client, String) {
    let client = lab.start();
    let thread = client.thread();
    (client, thread)
}

#[test]
fn a_turn_in_order() {
    let lab = lab("");
    lab.model.reply(answer(
        &[json!({"reasoning_content": "Hm"}), json!({"content": "Hel"}), json!({"content": "lo"})],
        "stop",
    ));
    let (client, thread) = start(&lab);
    let mark = client.mark();
    client.complete(&thread, "hi");
    let trace = client.since(mark);
    let kinds: Vec<&str> = trace
        .lines()
        .filter_map(|line| line.strip_prefix("<- item/"))
        .map(|line| line.split(" [").next().unwrap())
        .collect();
    let expected = [
        "started userMessage",
        "completed userMessage",
        "started reasoning",
        "reasoning/textDelta \"Hm\"",
        "completed reasoning",
        "started agentMessage",
        "agentMessage/delta \"Hel\"",
        "agentMessage/delta \"lo\"",
        "completed agentMessage",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(client.items("agentMessage")[0]["text"], "Hello");
    assert_eq!(client.items("reasoning")[0]["content"], json!(["Hm"]));
    let usage = &client.note("thread/tokenUsage/updated")["tokenUsage"]["last"];
    assert_eq!((&usage["totalTokens"], &usage["cachedInputTokens"]), (&json!(15), &json!(4)));
}

#[test]
fn requests_are_of_the_other_api() {
    let lab = lab("");
    lab.model.reply(text("one")).reply(text("two"));
    let (client, thread) = start(&lab);
    client.complete(&thread, "first");
    let params = json!({
        "threadId": thread, "input": [{"type": "text", "text": "second"}], "effort": "high",
        "outputSchema": {"type": "object", "properties": {}, "additionalProperties": false},
    });
    client.request("turn/start", params);
    client.finish(&thread);
    let requests = lab.model.requests();
    let body = &requests[0].body;
    assert_eq!((&body["model"], &body["stream"]), (&json!("mock-model"), &json!(true)));
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert!(body.get("input").is_none() && body.get("store").is_none());
    let tools = body["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["function"]["name"] == "exec_command"));
    assert!(tools.iter().all(|tool| tool["type"] == "function"));
    assert_eq!(roles(&requests[0]), ["system", "user"]);
    assert_eq!(roles(&requests[1]), ["system", "user", "assistant", "user"]);
    assert_eq!(messages(&requests[1])[..2], messages(&requests[0])[..], "the cache holds");
    assert_eq!(requests[1].body["reasoning_effort"], "high");
    assert_eq!(requests[1].body["response_format"]["type"], "json_schema");
}

#[test]
fn calls_run_and_are_answered() {
    let lab = lab("");
    let calls = [
        json!({"reasoning_content": "look"}),
        fragment(0, "a", "exec_command", "{\"cmd\":\"ec"),
        fragment(0, "", "", "ho one\"}"),
        fragment(1, "b", "exec_command", "{\"cmd\":\"echo two\"}"),
    ];
    lab.model.reply(answer(&calls, "tool_calls")).reply(text("done"));
    let (client, thread) = start(&lab);
    client.complete(&thread, "go");
    assert_eq!(client.items("commandExecution").len(), 2);
    let last = lab.model.last();
    assert_eq!(roles(&last), ["system", "user", "assistant", "tool", "tool"]);
    let message = &messages(&last)[2];
    assert_eq!(message["reasoning_content"], "look");
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], "{\"cmd\":\"echo one\"}");
    for (at, id, output) in [(3, "a", "one"), (4, "b", "two")] {
        let result = &messages(&last)[at];
        assert_eq!(result["tool_call_id"], id);
        assert!(result["content"].as_str().unwrap().contains(output), "{result}");
    }
}

#[test]
fn a_thread_goes_on_after_a_restart() {
    let lab = lab("");
    let call = fragment(0, "a", "exec_command", "{\"cmd\":\"echo one\"}");
    lab.model.reply(answer(&[call], "tool_calls")).reply(text("done")).reply(text("more"));
    let (client, thread) = start(&lab);
    client.complete(&thread, "go");
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "on");
    let requests = lab.model.requests();
    let (before, after) = (messages(&requests[1]), messages(&requests[2]));
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(roles(&requests[2])[before.len()..], ["assistant", "user"]);
}

#[test]
fn patches_are_made_by_a_function() {
    let lab = lab("");
    let path = lab.home.home().join("config.toml");
    let text_of = std::fs::read_to_string(&path).unwrap().replace("mock-model", "gpt-5.5");
    std::fs::write(path, text_of).unwrap();
    let patch = "*** Begin Patch\n*** Add File: a.txt\n+hi\n*** End Patch\n";
    let arguments = json!({"input": patch}).to_string();
    lab.model.reply(answer(&[fragment(0, "a", "apply_patch", &arguments)], "tool_calls"));
    lab.model.reply(text("done"));
    let (client, thread) = start(&lab);
    client.complete(&thread, "go");
    assert_eq!(lab.home.read("a.txt"), "hi\n");
    let last = lab.model.last();
    let sent = &messages(&last)[2]["tool_calls"][0]["function"];
    assert_eq!((&sent["name"], &sent["arguments"]), (&json!("apply_patch"), &json!(arguments)));
    assert!(messages(&last)[3]["content"].as_str().unwrap().contains("A a.txt"));
}

#[test]
fn failures_are_told() {
    let lab = lab("");
    let too_long = json!({"error": {"code": 400, "type": "exceed_context_size_error",
        "message": "the request exceeds the available context size"}});
    lab.model
        .reply(answer(&[json!({"content": "cut"})], "length"))
        .reply(http(503, json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})))
        .reply(http(400, too_long));
    let (client, thread) = start(&lab);
    let done = client.run(&thread, "one");
    let message = done["error"]["message"].as_str().unwrap();
    assert!(message.contains("max_output_tokens"), "{message}");
    assert_eq!(client.items("agentMessage")[0]["text"], "cut");
    let done = client.run(&thread, "two");
    assert!(done["error"]["message"].as_str().unwrap().contains("Loading model"), "{done}");
    let done = client.run(&thread, "three");
    assert_eq!(done["error"]["codexErrorInfo"], "contextWindowExceeded");
}
