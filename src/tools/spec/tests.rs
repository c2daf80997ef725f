//! The definitions against the table of what trained models emit.

use std::sync::Arc;

use super::*;
use crate::protocol::{SandboxPolicy, WebSearchMode};

/// Checks a function's parameters, written `name: type` in the order of names, and which of them are required.
#[track_caller]
fn check(definition: &Value, name: &str, parameters: &[&str], required: &[&str]) {
    assert_eq!(definition["name"], name);
    assert_eq!((&definition["type"], &definition["strict"]), (&json!("function"), &json!(false)));
    let schema = &definition["parameters"];
    assert_eq!(
        (&schema["type"], &schema["additionalProperties"]),
        (&json!("object"), &json!(false))
    );
    assert_eq!(schema["required"], json!(required));
    let properties = schema["properties"].as_object().expect("an object");
    let mut found: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{name}: {}", value["type"].as_str().expect("a type")))
        .collect();
    found.sort();
    assert_eq!(found, parameters);
    for described in properties.values().chain([definition]) {
        let text = described["description"].as_str().expect("a description");
        assert!(text.ends_with('.') && !text.contains("  "), "{text}");
    }
}

fn definition(tool: &Tool) -> Value {
    (tool.definition)(&Scene::of_model("none"))
}

#[test]
fn shell_tools_have_the_parameters_that_models_know() {
    let command = definition(&exec_command::TOOL);
    check(
        &command,
        "exec_command",
        &[
            "cmd: string",
            "justification: string",
            "login: boolean",
            "max_output_tokens: number",
            "prefix_rule: array",
            "sandbox_permissions: string",
            "shell: string",
            "tty: boolean",
            "workdir: string",
            "yield_time_ms: number",
        ],
        &["cmd"],
    );
    let properties = &command["parameters"]["properties"];
    assert_eq!(
        properties["sandbox_permissions"]["enum"],
        json!(["use_default", "require_escalated"])
    );
    assert_eq!(properties["prefix_rule"]["items"], json!({ "type": "string" }));
    check(
        &definition(&write_stdin::TOOL),
        "write_stdin",
        &[
            "chars: string",
            "max_output_tokens: number",
            "session_id: number",
            "yield_time_ms: number",
        ],
        &["session_id"],
    );
}

#[test]
fn other_tools_have_the_parameters_that_models_know() {
    let plan = definition(&update_plan::TOOL);
    check(&plan, "update_plan", &["explanation: string", "plan: array"], &["plan"]);
    let step = &plan["parameters"]["properties"]["plan"]["items"];
    assert_eq!(step["required"], json!(["step", "status"]));
    let statuses = json!(["pending", "in_progress", "completed"]);
    assert_eq!(step["properties"]["status"]["enum"], statuses);
    check(&definition(&view_image::TOOL), "view_image", &["path: string"], &["path"]);
    let ask = definition(&user_input::TOOL);
    check(&ask, "request_user_input", &["questions: array"], &["questions"]);
    let question = &ask["parameters"]["properties"]["questions"]["items"];
    assert_eq!(question["required"], json!(["id", "header", "question", "options"]));
    let option = &question["properties"]["options"]["items"];
    assert_eq!(option["required"], json!(["label", "description"]));
    let ask = definition(&user_input_async::TOOL);
    check(&ask, "request_user_input_async", &["questions: array"], &["questions"]);
    let question = &ask["parameters"]["properties"]["questions"]["items"];
    assert_eq!(question["required"], json!(["title"]));
    check(&definition(&clock::CURR_TIME), "curr_time", &[], &[]);
    check(&definition(&clock::SLEEP), "sleep", &["duration_ms: number"], &["duration_ms"]);
}

#[test]
fn what_is_offered_depends_on_the_model_and_the_configuration() {
    let names = |scene: &Scene| -> Vec<String> {
        let name =
            |tool: &Value| tool.get("name").unwrap_or(&tool["type"]).as_str().map(str::to_owned);
        definitions(TOOLS.iter().copied(), scene).iter().filter_map(name).collect()
    };
    let mut scene = Scene::of_model("none");
    let usual = ["exec_command", "write_stdin", "request_user_input", "view_image"];
    let goals = ["get_goal", "create_goal", "update_goal"];
    assert_eq!(names(&scene), [&usual[..], &goals, &["web_search"]].concat());
    let config = Arc::get_mut(&mut scene.config).expect("not shared");
    config.tools.update_plan = true;
    config.tools.request_user_input = false;
    config.tools.web_search.mode = WebSearchMode::Disabled;
    let changed = ["exec_command", "write_stdin", "update_plan", "view_image"];
    assert_eq!(names(&scene), [&changed[..], &goals].concat());
    let described = json!({
        "slug": "m", "display_name": "M", "supported_reasoning_levels": [], "shell_type": "default",
        "visibility": "list", "supported_in_api": true, "priority": 1, "support_verbosity": false,
        "truncation_policy": { "mode": "bytes", "limit": 1 }, "apply_patch_tool_type": "freeform",
        "experimental_supported_tools": ["clock", "send_user_message_async"],
    });
    let mut scene = Scene::of_model("m");
    scene.model_info = Arc::new(serde_json::from_value(described).expect("a model"));
    let all = [
        "exec_command",
        "write_stdin",
        "request_user_input",
        "request_user_input_async",
        "clock",
        "apply_patch",
        "view_image",
        "get_goal",
        "create_goal",
        "update_goal",
        "web_search",
    ];
    assert_eq!(names(&scene), all);
}

#[test]
fn the_search_says_how_far_it_may_go() {
    let defined = |mode, sandbox| {
        let mut scene = Scene { sandbox, ..Scene::of_model("none") };
        let config = Arc::get_mut(&mut scene.config).expect("not shared");
        config.tools.web_search.mode = mode;
        definitions([&web_search::TOOL].into_iter(), &scene)
    };
    let plain = |live: bool| vec![json!({ "type": "web_search", "external_web_access": live })];
    let read_only = || SandboxPolicy::ReadOnly { network_access: false };
    assert_eq!(defined(WebSearchMode::Cached, SandboxPolicy::DangerFullAccess), plain(true));
    assert_eq!(defined(WebSearchMode::Cached, read_only()), plain(false));
    assert_eq!(defined(WebSearchMode::Live, read_only()), plain(true));
    assert_eq!(defined(WebSearchMode::Disabled, read_only()), Vec::<Value>::new());
    let indexed =
        json!({ "type": "web_search", "external_web_access": true, "indexed_web_access": true });
    assert_eq!(defined(WebSearchMode::Indexed, read_only()), [indexed]);
}

#[test]
fn the_patch_tool_brings_its_grammar() {
    let patch = definition(&apply_patch::TOOL);
    assert_eq!((&patch["type"], &patch["name"]), (&json!("custom"), &json!("apply_patch")));
    assert_eq!(
        (&patch["format"]["type"], &patch["format"]["syntax"]),
        (&json!("grammar"), &json!("lark"))
    );
    let grammar = patch["format"]["definition"].as_str().expect("a grammar");
    let markers = [
        "Begin Patch",
        "End Patch",
        "Add File: ",
        "Delete File: ",
        "Update File: ",
        "Move to: ",
        "End of File",
    ];
    for marker in markers {
        assert!(grammar.contains(marker), "{marker}");
    }
}

#[test]
fn every_name_in_the_grammar_is_defined() {
    let grammar = include_str!("../apply_patch.lark");
    let rules = || {
        grammar
            .lines()
            .filter(|line| !line.starts_with("//"))
            .filter_map(|line| line.split_once(": "))
    };
    let defined: Vec<&str> = rules().map(|(name, _)| name).collect();
    assert_eq!(defined.first(), Some(&"start"));
    let is_terminal = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
    for (name, body) in rules().filter(|(name, _)| !is_terminal(name)) {
        for used in body.split(|c: char| !c.is_ascii_alphabetic()).filter(|used| !used.is_empty()) {
            assert!(defined.contains(&used), "{used} in {name}");
        }
    }
}

#[test]
fn members_of_a_namespace_stand_together() {
    static NAMESPACE: Namespace =
        Namespace { name: "n", description: "Members.", shown: Shown::Always };
    const fn tool(
        namespace: Option<&'static Namespace>,
        name: &'static str,
        definition: fn(&Scene) -> Value,
    ) -> Tool {
        let is_offered = |_: &Scene| true;
        let run = Run::Custom(|_, text| Box::pin(async { Outcome::text(text) }));
        Tool { namespace, name, is_offered, definition, run }
    }
    static B: Tool = tool(Some(&NAMESPACE), "b", |_| json!("b"));
    static PLAIN: Tool = tool(None, "plain", |_| json!("plain"));
    static A: Tool = tool(Some(&NAMESPACE), "a", |_| json!("a"));
    static HIDDEN: Tool =
        Tool { is_offered: |_| false, ..tool(None, "hidden", |_| json!("hidden")) };
    let defined = definitions([&B, &PLAIN, &HIDDEN, &A].into_iter(), &Scene::of_model("none"));
    let namespace =
        json!({ "type": "namespace", "name": "n", "description": "Members.", "tools": ["a", "b"] });
    assert_eq!(defined, [namespace, json!("plain")]);
}
