//! Writing settings: what changes in a file, and what is refused.

use std::fs;

use serde_json::json;

use super::*;
use crate::config::Overrides;

/// Edits `before` and compares the file, or the reason why it was not written.
#[track_caller]
fn check(before: &str, edits: &[(&str, Value, Merge)], expected: &str) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    fs::write(&file, before).unwrap();
    let edits: Vec<Edit> = edits
        .iter()
        .map(|(path, value, merge)| Edit {
            key_path: (*path).to_owned(),
            value: value.clone(),
            merge: *merge,
        })
        .collect();
    let sources = Sources::new(home.path().to_owned(), Overrides::default());
    let after = match sources.write(&edits, &Target::default()) {
        Ok(_) => fs::read_to_string(&file).unwrap(),
        Err(error) => {
            assert_eq!(
                fs::read_to_string(&file).unwrap(),
                before,
                "a refused write leaves the file alone"
            );
            error.to_string()
        }
    };
    assert_eq!(after, expected);
}

use Merge::{Replace, Upsert};

#[test]
fn what_is_not_edited_keeps_its_text() {
    check(
        "# top\nmodel = \"a\" # why\n\n# about tools\n[tools]\nweb_search = true\n",
        &[("model", json!("b"), Replace)],
        "# top\nmodel = \"b\" # why\n\n# about tools\n[tools]\nweb_search = true\n",
    );
    check(
        "model = \"a\"\n# of review\nreview_model = \"b\"\n",
        &[("review_model", Value::Null, Replace)],
        "model = \"a\"\n",
    );
    check(
        "desktop = { a = 1 }\n",
        &[("desktop.b", json!({"c": [{"d": 1}]}), Replace)],
        "desktop = { a = 1 , b = { c = [{ d = 1 }] } }\n",
    );
}

#[test]
fn tables_are_made_on_the_way() {
    check("", &[("model", json!("x"), Replace)], "model = \"x\"\n");
    check(
        "model = \"x\"\n",
        &[("projects.\"/a.b\\\"c\".trust_level", json!("trusted"), Replace)],
        "model = \"x\"\n\n[projects.'/a.b\"c']\ntrust_level = \"trusted\"\n",
    );
    check("", &[("desktop.never.was", Value::Null, Replace)], "");
}

#[test]
fn tables_merge_or_take_each_others_place() {
    let old = "[desktop]\na = 1\n\n[desktop.t]\nb = 2\n";
    check(
        old,
        &[("desktop", json!({"t": {"c": 3}}), Upsert)],
        "[desktop]\na = 1\n\n[desktop.t]\nb = 2\nc = 3\n",
    );
    check(old, &[("desktop", json!({"c": 3}), Replace)], "[desktop]\nc = 3\n");
    check(old, &[("desktop.a", json!([1]), Upsert)], "[desktop]\na = [1]\n\n[desktop.t]\nb = 2\n");
}

#[test]
fn what_is_refused() {
    check("", &[("", json!(1), Replace)], "keyPath must not be empty");
    check("", &[("a..b", json!(1), Replace)], "keyPath segments must not be empty");
    check("", &[("a.\"b", json!(1), Replace)], "unterminated quoted keyPath segment");
    check(
        "model = \"x\"\n",
        &[("model.a", json!(1), Replace)],
        "cannot set value on non-table parent",
    );
    check("", &[("desktop.a", json!([null]), Replace)], "invalid value: TOML has no null");
    check(
        "",
        &[("desktop.a", json!(u64::MAX), Replace)],
        "invalid value: the integer is out of range",
    );
    check(
        "",
        &[("desktop.a", json!(1), Replace), ("model", json!(5), Replace)],
        "Invalid configuration: invalid type: integer `5`, expected a string\nin `model`\n",
    );
    check(
        "",
        &[("model_provider", json!("nope"), Replace)],
        "Invalid configuration: Model provider `nope` not found",
    );
}

#[test]
fn versions_and_what_hides_a_value() {
    let home = tempfile::tempdir().unwrap();
    let overrides = Overrides::parse(&["model=x".to_owned()]).unwrap();
    let sources = Sources::new(home.path().to_owned(), overrides);
    let edit = |value: Value| [Edit { key_path: "model".to_owned(), value, merge: Replace }];
    let hidden = sources.write(&edit(json!("a")), &Target::default()).unwrap();
    let overridden = hidden.overridden.unwrap();
    assert_eq!(overridden.effective_value, json!("x"));
    assert_eq!(json!(overridden.overriding_layer)["name"], json!({"type": "sessionFlags"}));
    let expecting =
        |version: &str| Target { file: None, expected_version: Some(version.to_owned()) };
    let equal = sources.write(&edit(json!("x")), &expecting(&hidden.version)).unwrap();
    assert_eq!(equal.overridden, None, "the same value is not hidden");
    assert!(matches!(
        sources.write(&edit(json!("b")), &expecting(&hidden.version)),
        Err(WriteError::Conflict)
    ));
    let elsewhere = Target { file: Some("/etc/codex/config.toml".into()), expected_version: None };
    assert!(matches!(sources.write(&[], &elsewhere), Err(WriteError::Readonly)));
    let cleared = sources.write(&edit(Value::Null), &Target::default()).unwrap();
    assert_eq!(
        cleared.version,
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
}
