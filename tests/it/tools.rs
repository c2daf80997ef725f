//! Tools that are neither commands nor patches nor questions: the plan, pictures, the clock, the search.

use serde_json::json;

use crate::harness::{Config, Lab, ev};
use crate::images::{pixel, pixel_url};

#[test]
fn the_steps_of_the_work_are_shown() {
    let tables = "[tools.update_plan]\nenabled = true".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let plan = json!([{"step": "look", "status": "completed"}, {"step": "edit", "status": "in_progress"},
        {"step": "test", "status": "pending"}]);
    lab.model.reply(ev::items(&[
        ev::function("good", "update_plan", &json!({"explanation": "why", "plan": plan})),
        ev::function("bad", "update_plan", &json!({"plan": [{"step": "x", "status": "odd"}]})),
    ]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "go");
    client.finish(&thread);
    assert_eq!(
        client.notes("turn/plan/updated"),
        [json!({"threadId": thread, "turnId": turn, "explanation": "why", "plan": [
            {"step": "look", "status": "completed"}, {"step": "edit", "status": "inProgress"},
            {"step": "test", "status": "pending"}]})]
    );
    let last = lab.model.last();
    assert_eq!(last.output("good"), "Plan updated");
    assert!(last.output("bad").starts_with("failed to parse function arguments: "));
    lab.model.reply(ev::call("planning", "update_plan", &json!({"plan": plan})));
    let mode = json!({"mode": "plan", "settings": {"model": "mock-model"}});
    client.turn_with(&thread, json!({"collaborationMode": mode}));
    client.finish(&thread);
    assert!(lab.model.last().output("planning").contains("Plan mode"));
    assert_eq!(client.notes("turn/plan/updated").len(), 1);
}

#[test]
fn a_picture_in_a_file_is_shown_to_the_model() {
    let lab = Lab::new();
    lab.home.write("a.png", pixel());
    lab.home.write("a.txt", "hello");
    let view = |call, arguments| ev::function(call, "view_image", &arguments);
    lab.model.reply(ev::items(&[
        view("good", json!({"path": "a.png"})),
        view("original", json!({"path": lab.home.path("a.png"), "detail": "original"})),
        view("low", json!({"path": "a.png", "detail": "low"})),
        view("missing", json!({"path": "none.png"})),
        view("text", json!({"path": "a.txt"})),
        view("folder", json!({"path": "."})),
    ]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let last = lab.model.last();
    let picture = json!([{"type": "input_image", "image_url": pixel_url(), "detail": "high"}]);
    for call in ["good", "original"] {
        assert_eq!(json!(last.output_parts(call)), picture);
    }
    for call in ["low", "missing", "text", "folder"] {
        assert!(last.output(call).starts_with("view_image failed: "), "{call}");
    }
    assert!(last.output("missing").contains(&lab.home.path("none.png")));
    let mut items: Vec<_> = client
        .items("imageView")
        .iter()
        .map(|item| (item["id"].to_string(), item["path"].clone()))
        .collect();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let path = json!(lab.home.path("a.png"));
    assert_eq!(items, [("\"good\"".to_owned(), path.clone()), ("\"original\"".to_owned(), path)]);
}

#[test]
fn a_model_without_sight_is_shown_nothing() {
    let lab = Lab::describing(&json!({"input_modalities": ["text"]}), Config::default());
    lab.home.write("a.png", pixel());
    lab.model.reply(ev::call("call-1", "view_image", &json!({"path": "a.png"})));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    assert_eq!(lab.model.last().output("call-1"), "view_image failed: this model takes no images");
    assert!(client.items("imageView").is_empty());
}

fn with_clock() -> Lab {
    Lab::describing(&json!({"experimental_supported_tools": ["clock"]}), Config::default())
}

#[test]
fn the_clock_tells_the_time_and_lets_it_pass() {
    let lab = with_clock();
    let sleep = |call, ms| ev::member(call, "clock", "sleep", &json!({"duration_ms": ms}));
    lab.model.reply(ev::items(&[
        ev::member("time", "clock", "curr_time", &json!({})),
        sleep("good", json!(20)),
        sleep("none", json!(0)),
        sleep("long", json!(43_200_001)),
        sleep("part", json!(1.5)),
        ev::function("plain", "sleep", &json!({"duration_ms": 1})),
    ]));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let last = lab.model.last();
    let time = last.output("time");
    assert!(time.starts_with("It is 20") && time.ends_with(" UTC."), "{time}");
    let slept = last.output("good");
    assert!(
        slept.starts_with("Wall time: 0.") && slept.ends_with(" seconds\nSleep completed."),
        "{slept}"
    );
    assert!(
        last.output("none").contains("duration_ms") && last.output("long").contains("duration_ms")
    );
    assert!(last.output("part").starts_with("failed to parse function arguments: "));
    assert_eq!(last.output("plain"), "unsupported call: sleep");
    let items = client.items("sleep");
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["id"], &items[0]["durationMs"]), (&json!("good"), &json!(20)));
    let read = client.request("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"][0]["items"][1]["type"], "sleep");
}

#[test]
fn an_interrupt_ends_a_pause() {
    let lab = with_clock();
    let long = ev::member("call-1", "clock", "sleep", &json!({"duration_ms": 600_000}));
    lab.model.reply(ev::items(&[long]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_started("sleep");
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(client.items("sleep").len(), 1);
}

#[test]
fn input_ends_a_pause() {
    let lab = with_clock();
    let long = ev::member("call-1", "clock", "sleep", &json!({"duration_ms": 600_000}));
    lab.model.reply(ev::items(&[long]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "first");
    client.item_started("sleep");
    let input = json!([{"type": "text", "text": "wake up"}]);
    client
        .request("turn/steer", json!({"threadId": thread, "expectedTurnId": turn, "input": input}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    let last = lab.model.last();
    assert!(last.output("call-1").ends_with(" seconds\nSleep interrupted by new input."));
    assert_eq!(last.asked(), ["first", "wake up"]);
    assert_eq!(client.items("sleep").len(), 1);
}

#[test]
fn tools_are_offered_in_their_order() {
    let lab = Lab::new();
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let tools = lab.model.last().tools();
    let known = ["exec_command", "write_stdin", "request_user_input", "view_image", "web_search"];
    let found: Vec<&String> = tools.iter().filter(|tool| known.contains(&tool.as_str())).collect();
    assert_eq!(found, known.iter().collect::<Vec<_>>());
}

#[test]
fn configuration_takes_tools_away() {
    let lab = Lab::with(&Config {
        top: "web_search = \"disabled\"".to_owned(),
        tables: "[features]\nview_image = false\nshell_tool = false\n\
                 [tools.experimental_request_user_input]\nenabled = false"
            .to_owned(),
        ..Config::default()
    });
    lab.model.reply(ev::call("call-1", "view_image", &json!({"path": "x"})));
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let last = lab.model.last();
    for gone in ["exec_command", "request_user_input", "view_image", "web_search"] {
        assert!(!last.tools().iter().any(|tool| tool == gone), "{gone}");
    }
    assert_eq!(last.output("call-1"), "unsupported call: view_image");
}

#[test]
fn models_may_have_no_commands() {
    let lab = Lab::describing(&json!({"shell_type": "disabled"}), Config::default());
    lab.model.reply(ev::shell("call-1", "echo ran"));
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let last = lab.model.last();
    assert!(!last.tools().iter().any(|tool| tool == "exec_command" || tool == "write_stdin"));
    assert_eq!(last.output("call-1"), "unsupported call: exec_command");
}

#[test]
fn the_search_is_described_by_configuration() {
    let lab = Lab::with(&Config {
        top: "web_search = \"live\"".to_owned(),
        tables: "[tools.web_search]\ncontext_size = \"high\"\nallowed_domains = [\"a.com\"]\n\
                 location = { country = \"DE\", city = \"Ulm\" }"
            .to_owned(),
        ..Config::default()
    });
    let client = lab.start();
    client.complete(&client.thread(), "go");
    let body = lab.model.last().body;
    let search = body["tools"].as_array().unwrap().iter().find(|tool| tool["type"] == "web_search");
    assert_eq!(
        search.unwrap(),
        &json!({"type": "web_search", "external_web_access": true, "filters": {"allowed_domains": ["a.com"]},
            "user_location": {"type": "approximate", "country": "DE", "city": "Ulm"}, "search_context_size": "high"})
    );
}

#[test]
fn a_feature_tells_the_time_unasked() {
    let tables = "[features]\ncurrent_time_reminder = true".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    let first = lab.model.last();
    assert!(first.tools().contains(&"clock.curr_time".to_owned()));
    assert!(!first.tools().contains(&"clock.sleep".to_owned()));
    let last = first.input().last().unwrap();
    let text = last["content"][0]["text"].as_str().unwrap();
    assert_eq!(last["role"], "developer");
    assert!(
        text.starts_with("<current_time_reminder>It is 20")
            && text.ends_with(" UTC.</current_time_reminder>")
    );
    client.complete(&thread, "two");
    let second = lab.model.last();
    let mut told = second.texts("developer");
    told.retain(|text| text.starts_with("<current_time_reminder>"));
    assert_eq!(told[0], text);
    assert!(told.len() == 1 || told[1] > text, "only what has changed is told: {told:?}");
}
