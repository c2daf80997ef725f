//! Keeps `schema/` up to date, and holds it against the reference's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::canonical::{canonical, difference};
use super::{json, typescript};

type Files = BTreeMap<String, String>;

#[test]
fn fresh() {
    check("json", json::files);
    check("typescript", typescript::files);
}

#[track_caller]
fn check(format: &str, generate: fn(bool) -> Files) {
    let stable = generate(false);
    let mut experimental = generate(true);
    assert!(
        stable.keys().all(|path| experimental.contains_key(path)),
        "a stable file is missing in experimental"
    );
    experimental.retain(|path, text| stable.get(path) != Some(text));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(format);
    for (layer, files) in [("stable", stable), ("experimental", experimental)] {
        let dir = root.join(layer);
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            write(&dir, &files);
        }
        let mut stored = Files::new();
        read(&dir, "", &mut stored);
        let stale: Vec<&String> = files
            .iter()
            .filter(|(path, text)| stored.get(*path) != Some(text))
            .map(|(path, _)| path)
            .collect();
        let surplus: Vec<&String> =
            stored.keys().filter(|path| !files.contains_key(*path)).collect();
        assert!(
            stale.is_empty() && surplus.is_empty(),
            "schema/{format}/{layer} is out of date (UPDATE_SCHEMA=1 cargo test schema): {stale:?}, surplus {surplus:?}"
        );
    }
}

fn write(dir: &Path, files: &Files) {
    if dir.exists() {
        fs::remove_dir_all(dir).unwrap();
    }
    for (path, text) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn read(dir: &Path, prefix: &str, files: &mut Files) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// What we accept and refuse, the reference accepts and refuses. Its schemas are not part of the repository.
#[test]
fn like_the_reference() {
    for (set, experimental) in [("stable", false), ("experimental", true)] {
        let path = format!("{}/../shared/reference/schema.{set}.json", env!("CARGO_MANIFEST_DIR"));
        let Ok(text) = fs::read_to_string(&path) else {
            println!("skipped: there is no {path}");
            return;
        };
        let mut theirs: Value = serde_json::from_str(&text).unwrap();
        spell_timeline(&mut theirs["definitions"]["v2"]["ThreadTimelineEntry"]);
        let ours = json!({ "definitions": json::definitions(experimental) });
        let differences: Vec<String> = json::names(experimental)
            .iter()
            .filter_map(|name| compare(name, &ours, &theirs))
            .collect();
        assert!(differences.is_empty(), "{set}:\n{}", differences.join("\n"));
    }
}

/// The timeline's members are sent in another spelling than published, and there is no voice in ours.
fn spell_timeline(entry: &mut Value) {
    let Some(kinds) = entry["oneOf"].as_array_mut() else { return };
    kinds.retain(|kind| kind["properties"]["type"]["enum"] != json!(["realtime"]));
    let mut text = entry.to_string();
    for member in ["turn", "started", "completed", "duration"] {
        for (old, new) in [("_id", "Id"), ("_at", "At"), ("_ms", "Ms")] {
            text = text.replace(&format!("\"{member}{old}\""), &format!("\"{member}{new}\""));
        }
    }
    *entry = serde_json::from_str(&text).unwrap();
}

fn compare(name: &str, ours: &Value, theirs: &Value) -> Option<String> {
    let their_schema = &theirs["definitions"]["v2"].get(name).or(theirs["definitions"].get(name));
    let their_schema = their_schema.unwrap_or_else(|| panic!("the reference has no {name}"));
    let ours = canonical(&ours["definitions"][name], ours);
    difference(&ours, &canonical(their_schema, theirs), name)
}

#[track_caller]
fn same(left: &Value, right: &Value) {
    assert_eq!(canonical(left, left), canonical(right, right));
}

#[test]
fn spellings() {
    same(
        &json!({ "type": ["string", "null"] }),
        &json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }),
    );
    same(
        &json!({ "enum": ["a", "b"] }),
        &json!({ "oneOf": [{ "const": "b" }, { "enum": ["a"], "title": "A" }] }),
    );
    same(
        &json!({ "type": "integer", "minimum": 0.0, "format": "uint" }),
        &json!({ "type": "integer" }),
    );
    same(
        &json!({ "allOf": [{ "$ref": "#/definitions/a" }], "definitions": { "a": { "type": "null" } } }),
        &json!({ "type": "null" }),
    );
    same(
        &json!({ "type": "object", "properties": { "a": true }, "anyOf": [
            { "type": "object", "properties": { "b": true }, "required": ["b"] },
            { "type": "object", "properties": { "c": true } },
        ] }),
        &json!({ "oneOf": [
            { "type": "object", "properties": { "a": true, "c": {} } },
            { "type": "object", "properties": { "a": true, "b": true }, "required": ["b"], "additionalProperties": true },
        ] }),
    );
    let closed = json!({ "type": "object", "additionalProperties": false });
    assert_ne!(canonical(&closed, &closed), canonical(&json!({ "type": "object" }), &closed));
}

#[test]
fn written_files() {
    // What was embedded is then older than what is generated.
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    super::write_json(&dir.path().join("a/b"), true).unwrap();
    let mut files = Files::new();
    read(&dir.path().join("a/b"), "", &mut files);
    assert_eq!(files, json::files(true));

    super::write_typescript(dir.path(), false, None).unwrap();
    let index = fs::read_to_string(dir.path().join("index.ts")).unwrap();
    assert_eq!(index, typescript::files(false)["index.ts"]);

    let missing = dir.path().join("no-such-program");
    let error = super::write_typescript(dir.path(), false, Some(&missing)).unwrap_err();
    assert_eq!(error.to_string(), format!("failed to run {}", missing.display()));
    let error = super::write_json(&dir.path().join("index.ts"), false).unwrap_err();
    assert!(matches!(error, super::Error::Folder { .. }), "{error}");
}
