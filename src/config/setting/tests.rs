//! The table of known settings, and the check of layers against it.

use serde_json::json;

use super::*;

fn content(value: Value) -> Map<String, Value> {
    let Value::Object(content) = value else { panic!("{value}") };
    content
}

#[track_caller]
fn wrong(value: Value, at: &str, text: &str) {
    let wrong = check(&content(value)).wrong.unwrap();
    assert_eq!((wrong.path.join(".").as_str(), wrong.text.as_str()), (at, text));
}

#[test]
fn the_table_is_sorted_and_covers_what_projects_may_not_set() {
    assert!(SETTINGS.is_sorted_by_key(|(name, _)| *name));
    assert!(NOT_FOR_PROJECTS.iter().all(|name| SETTINGS.iter().any(|(known, _)| known == name)));
}

#[test]
fn wrong_types_are_named() {
    wrong(json!({"model": 3}), "model", "invalid type: integer `3`, expected a string");
    wrong(json!({"model": {"a": 1}}), "model", "invalid type: map, expected a string");
    wrong(
        json!({"allow_login_shell": 1.5}),
        "allow_login_shell",
        "invalid type: floating point `1.5`, expected a boolean",
    );
    wrong(
        json!({"project_doc_max_bytes": -1}),
        "project_doc_max_bytes",
        "invalid value: integer `-1`, expected usize",
    );
    wrong(
        json!({"project_doc_max_bytes": "x"}),
        "project_doc_max_bytes",
        "invalid type: string \"x\", expected usize",
    );
    wrong(json!({"notify": "x"}), "notify", "invalid type: string \"x\", expected a sequence");
    wrong(json!({"notify": ["x", 1]}), "notify.1", "invalid type: integer `1`, expected a string");
    wrong(
        json!({"model_providers": 3}),
        "model_providers",
        "invalid type: integer `3`, expected a map",
    );
    wrong(
        json!({"features": {"goals": "x"}}),
        "features.goals",
        "invalid type: string \"x\", expected a boolean",
    );
}

#[test]
fn variants_are_listed() {
    wrong(
        json!({"approval_policy": "bogus"}),
        "approval_policy",
        "unknown variant `bogus`, expected one of `untrusted`, `on-failure`, `on-request`, `granular`, `never`",
    );
    wrong(
        json!({"projects": {"/x": {"trust_level": "bogus"}}}),
        "projects./x.trust_level",
        "unknown variant `bogus`, expected `trusted` or `untrusted`",
    );
    let granular = json!({"approval_policy": {"granular": {"sandbox_approval": true}}});
    wrong(granular, "approval_policy.granular", "missing field `rules`");
}

#[test]
fn reserved_providers_are_refused() {
    let found = check(&content(
        json!({"model_providers": {"openai": {"name": "x"}, "mine": {"name": "x"}}}),
    ));
    let wrong = found.wrong.unwrap();
    assert!(
        wrong
            .text
            .starts_with("model_providers contains reserved built-in provider IDs: `openai`.")
    );
    assert_eq!((wrong.path, wrong.place), (vec!["model_providers".to_owned()], Place::Key));
}

#[test]
fn unknown_settings_are_collected() {
    let found = check(&content(json!({
        "weird": {"a": 1}, "features": {"nope": true, "goals": true, "multi_agent_v2": {"enabled": true}},
        "sandbox_workspace_write": {"bogus": 1}, "model_providers": {"x": {"name": "x", "bogus": 1}}, "tui": {"any": 1},
    })));
    assert_eq!(found.wrong, None);
    // The order of a map's keys is not ours to promise.
    let mut unknown: Vec<String> = found.unknown.iter().map(|path| path.join(".")).collect();
    unknown.sort_unstable();
    assert_eq!(
        unknown,
        ["features.nope", "model_providers.x.bogus", "sandbox_workspace_write.bogus", "weird"]
    );
}

#[test]
fn paths_start_at_the_layer_and_older_words_are_current_ones() {
    let mut content = content(json!({
        "model_catalog_json": "a/../m.json", "approval_policy": "on-failure", "sandbox_workspace_write": {"writable_roots": ["rel", "/abs", "~/x"]},
    }));
    normalize(&mut content, Path::new("/base"), Some(Path::new("/user")));
    assert_eq!(
        Value::Object(content),
        json!({"model_catalog_json": "/base/m.json", "approval_policy": "on-request",
               "sandbox_workspace_write": {"writable_roots": ["/base/rel", "/abs", "/user/x"]}})
    );
}

#[test]
fn what_is_not_set_is_what_the_table_says() {
    let mut some = content(json!({
        "sandbox_workspace_write": {"network_access": true}, "model_providers": {"p": {"name": "P"}},
    }));
    fill_in(&mut some);
    assert_eq!(some["project_root_markers"], json!([".git"]));
    assert_eq!(some["model_providers"]["p"]["wire_api"], "responses");
    assert_eq!(some["sandbox_workspace_write"]["exclude_slash_tmp"], false);
    assert!(!some.contains_key("model") && !some.contains_key("tools"));
}

#[test]
fn the_whole_has_every_known_setting_and_no_other() {
    let mut whole = content(json!({
        "weird": 1, "tools": {"web_search": true, "other": 1}, "analytics": {}, "model_providers": {"p": {"name": "P"}},
        "desktop": {"any": {"thing": null}},
    }));
    complete(&mut whole);
    let names: Vec<&str> = whole.keys().map(String::as_str).collect();
    let mut known: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(names.len(), known.len());
    assert_eq!(whole["tools"]["web_search"], Value::Null);
    assert_eq!(whole["tools"].get("other"), None);
    assert_eq!(whole["analytics"], json!({"enabled": null}));
    assert_eq!(whole["model_providers"]["p"]["env_key"], Value::Null);
    assert_eq!(whole["desktop"], json!({"any": {"thing": null}}));
}
