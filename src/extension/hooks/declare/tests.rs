//! Which hooks a configuration declares, and how they are known again.

use std::fs;

use serde_json::json;

use super::*;

/// A home with this `hooks.json` and this `[hooks]`.
fn read(file: Option<&str>, table: Option<Value>, state: Value) -> (tempfile::TempDir, Hooks) {
    let home = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        fs::write(home.path().join("hooks.json"), text).unwrap();
    }
    let object = |value: Value| value.as_object().cloned().unwrap();
    let layer = HookLayer {
        source: Source::User(home.path().join("config.toml")),
        table: table.map(object),
    };
    let hooks = Hooks::read(&HookSettings { layers: vec![layer], state: object(state) });
    (home, hooks)
}

fn command(command: &str) -> Value {
    json!({"type": "command", "command": command})
}

/// Hashes are those that the reference shows for the same hooks, so that homes keep their trust.
#[test]
fn hashes() {
    let (_home, hooks) = read(
        None,
        Some(json!({
            "PreToolUse": [{"hooks": [
                {"type": "command", "command": "y", "timeout": 0},
                {"type": "command", "command": "z", "additionalContextLimit": 5},
                {"type": "mcp_tool", "server": "a", "tool": "b"},
            ]}],
            "SessionEnd": [{"hooks": [{"type": "command", "command": "x", "timeout": 30}, command("x")]}],
        })),
        json!({}),
    );
    let hashes: Vec<&str> = hooks.declared.iter().map(|hook| &hook.hash[..13]).collect();
    assert_eq!(
        hashes,
        ["sha256:aea7bb", "sha256:c65603", "sha256:747dfa", "sha256:b1aa63", "sha256:f3041e"]
    );
    let seconds: Vec<u64> = hooks.declared.iter().map(|hook| hook.timeout().as_secs()).collect();
    assert_eq!(seconds, [1, 600, 600, 3, 1]);
}

#[test]
fn files_come_before_tables_and_events_have_an_order() {
    let file = json!({"hooks": {
        "Stop": [{"hooks": [command("a")]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [command("b")]}, {"hooks": [command("c"), command("d")]}],
        "OfAnotherVersion": 5,
    }});
    let table = json!({"Stop": [{"hooks": [command("e")]}]});
    let (home, hooks) = read(Some(&file.to_string()), Some(table), json!({}));
    let folder = home.path().display().to_string();
    let keys: Vec<String> =
        hooks.declared.iter().map(|hook| hook.key.replace(&folder, "")).collect();
    assert_eq!(
        keys,
        [
            "/hooks.json:pre_tool_use:0:0",
            "/hooks.json:pre_tool_use:1:0",
            "/hooks.json:pre_tool_use:1:1",
            "/hooks.json:stop:0:0",
            "/config.toml:stop:0:0",
        ]
    );
    let orders: Vec<i64> = hooks.declared.iter().map(|hook| hook.order).collect();
    assert_eq!(orders, [0, 1, 2, 3, 4]);
    let [both, unknown] = hooks.warnings.as_slice() else { panic!("{:?}", hooks.warnings) };
    assert!(both.contains("declared in both"), "{both}");
    assert!(unknown.contains("\"OfAnotherVersion\""), "{unknown}");
}

#[test]
fn what_cannot_be_used_is_told_and_the_rest_loads() {
    let table = json!({
        "PreToolUse": [
            {"matcher": "(", "hooks": [command("never")]},
            {"hooks": [command(" "), {"type": "prompt"}, {"type": "agent"}, {"type": "x"}, {"command": "x"}, command("good")]},
        ],
        "Stop": 5,
        "UserPromptSubmit": [{"matcher": "(", "hooks": [command("good")]}],
    });
    let (_home, hooks) = read(Some("{nope"), Some(table), json!({}));
    assert_eq!(hooks.declared.len(), 2, "a matcher without a subject is not even looked at");
    assert_eq!(hooks.warnings.len(), 8, "{:#?}", hooks.warnings);
}

#[test]
fn trust() {
    let table =
        json!({"Stop": [{"hooks": [command("a"), command("b"), command("c"), command("d")]}]});
    let (home, hooks) = read(None, Some(table.clone()), json!({}));
    let key = |number: usize| hooks.declared[number].key.clone();
    let state = json!({
        key(0): {"trusted_hash": hooks.declared[0].hash},
        key(1): {"trusted_hash": "sha256:0"},
        key(2): {"trusted_hash": hooks.declared[2].hash, "enabled": false},
    });
    let layer = HookLayer {
        source: Source::User(home.path().join("config.toml")),
        table: table.as_object().cloned(),
    };
    let settings = HookSettings { layers: vec![layer], state: state.as_object().cloned().unwrap() };
    let judged: Vec<_> = Hooks::read(&settings)
        .declared
        .iter()
        .map(|hook| (hook.enabled, hook.trust, hook.may_run()))
        .collect();
    assert_eq!(
        judged,
        [
            (true, HookTrustStatus::Trusted, true),
            (true, HookTrustStatus::Modified, false),
            (false, HookTrustStatus::Trusted, false),
            (true, HookTrustStatus::Untrusted, false),
        ]
    );
}
