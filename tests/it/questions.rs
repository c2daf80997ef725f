//! Questions of the model to the user: those that it waits for, and those that it does not.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

const METHOD: &str = "item/tool/requestUserInput";

fn question() -> Value {
    json!({"id": "colour", "header": "Colour", "question": "Which?", "options": [
        {"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]})
}

fn ask(call: &str) -> Vec<Value> {
    ev::call(call, "request_user_input", &json!({"questions": [question()]}))
}

/// Starts a turn in plan mode.
fn plan(client: &Client, thread: &str) -> String {
    let mode = json!({"mode": "plan", "settings": {"model": "mock-model"}});
    client.turn_with(thread, json!({"collaborationMode": mode}))
}

#[test]
fn a_question_waits_for_its_answer() {
    let lab = Lab::new();
    lab.model.reply(ask("call-1"));
    let client = lab.start();
    let thread = client.thread();
    let turn = plan(&client, &thread);
    let asked = client.asked(METHOD);
    let mut shown = question();
    shown["isOther"] = json!(true);
    shown["isSecret"] = json!(false);
    assert_eq!(
        asked["params"],
        json!({"threadId": thread, "turnId": turn, "itemId": "call-1", "questions": [shown],
            "isBlocking": true, "autoResolutionMs": null})
    );
    let waits = json!({"type": "active", "activeFlags": ["waitingOnUserInput"]});
    client.note_where("thread/status/changed", |p| p["status"] == waits);
    let answer = json!({"answers": {"colour": {"answers": ["Blue", "user_note: deep"]}}});
    client.respond(&asked, answer.clone());
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(lab.model.last().output("call-1"), answer.to_string());
    assert!(client.items("toolCall").is_empty());
    assert_eq!(client.notes("serverRequest/resolved").len(), 1);
}

#[test]
fn a_failed_answer_is_none() {
    let lab = Lab::new();
    lab.model.reply(ask("error")).reply(ask("garbage"));
    let client = lab.start();
    let thread = client.thread();
    plan(&client, &thread);
    client.respond_badly(&client.asked(METHOD), json!({"error": {"code": -1, "message": "no"}}));
    client.respond_badly(&client.asked(METHOD), json!({"result": {"answers": 5}}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    for call in ["error", "garbage"] {
        assert_eq!(lab.model.last().output(call), r#"{"answers":{}}"#);
    }
}

#[test]
fn questions_belong_to_plan_mode() {
    let lab = Lab::new();
    lab.model.reply(ask("call-1"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let told = lab.model.last().output("call-1").to_owned();
    assert_eq!(told, "request_user_input is unavailable in Default mode");
}

#[test]
fn a_feature_brings_questions_to_the_default_mode() {
    let tables = "[features]\ndefault_mode_request_user_input = true".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let none = json!({"questions": []});
    let open = json!({"questions": [{"id": "a", "header": "A", "question": "?"}]});
    lab.model.reply(ev::items(&[
        ev::function("none", "request_user_input", &none),
        ev::function("open", "request_user_input", &open),
        ev::function("broken", "request_user_input", &json!({})),
    ]));
    lab.model.reply(ask("good"));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    let asked = client.asked(METHOD);
    assert_eq!(
        (&asked["params"]["itemId"], &asked["params"]["isBlocking"]),
        (&json!("good"), &json!(false))
    );
    client.respond(&asked, json!({"answers": {}}));
    client.finish(&thread);
    let last = lab.model.last();
    assert!(last.output("none").contains("question") && last.output("open").contains("options"));
    assert!(last.output("broken").starts_with("failed to parse function arguments: "));
}

#[test]
fn an_interrupt_withdraws_a_question() {
    let lab = Lab::new();
    lab.model.reply(ask("call-1"));
    let client = lab.start();
    let thread = client.thread();
    let turn = plan(&client, &thread);
    let asked = client.asked(METHOD);
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(client.note("serverRequest/resolved")["requestId"], asked["id"]);
}

#[test]
fn a_question_without_waiting_is_a_message() {
    let model = json!({"experimental_supported_tools": ["send_user_message_async"]});
    let lab = Lab::describing(&model, Config::default());
    let questions = json!([{"title": "Which?", "options": ["a", "b"]}, {"title": "Why?"}]);
    let name = "request_user_input_async";
    let call = |id, questions: &Value| ev::function(id, name, &json!({"questions": questions}));
    lab.model.reply(ev::items(&[
        call("good", &questions),
        call("none", &json!([])),
        call("blank", &json!([{"title": " "}])),
        call("bare", &json!([{"title": "A", "options": []}])),
    ]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let item = client.items("agentMessage").remove(0);
    assert_eq!((&item["id"], &item["text"]), (&json!("good"), &json!("Which?\n- a\n- b\n\nWhy?")));
    assert_eq!((&item["delivery"], &item["phase"]), (&json!("async"), &json!("final_answer")));
    assert_eq!(item["questions"][1], json!({"title": "Why?", "options": null}));
    let last = lab.model.last();
    assert_eq!(last.output("good"), r#"{"accepted":true}"#);
    for call in ["none", "blank", "bare"] {
        assert!(last.output(call).starts_with("request_user_input_async failed: "), "{call}");
    }
    let read = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"][0]["items"][1]["questions"], item["questions"]);
}
