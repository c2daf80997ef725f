//! Holds a trace against the JSON Schema files of this repository: every message of the server, and what the client
//! sent and the server accepted.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::Value;

use super::trace::Entry;

/// Whether the schema has a request of this method.
pub(crate) fn has(method: &str) -> bool {
    SCHEMAS.variant("ClientRequest", method).is_some()
}

/// What in the trace the schema does not allow.
pub(crate) fn violations(trace: &[Entry]) -> Vec<String> {
    let mut broken = Vec::new();
    for (index, entry) in trace.iter().enumerate().filter(|(_, entry)| !entry.loose) {
        let problem = match (entry.message["method"].as_str(), entry.message.get("id"), entry.sent)
        {
            (Some(method), Some(_), true) => {
                accepted(trace, index).then(|| request("ClientRequest", method, entry))
            }
            (Some(method), Some(_), false) => Some(known("ServerRequest", method, entry)),
            (Some(method), None, false) => Some(known("ServerNotification", method, entry)),
            (Some(_), None, true) => None,
            (None, _, sent) => origin(trace, index).map(|method| answer(sent, method, entry)),
        };
        broken.extend(problem.flatten().map(|text| format!("message {index}: {text}")));
    }
    broken
}

/// The method that an answer belongs to.
fn origin(trace: &[Entry], index: usize) -> Option<&str> {
    let answer = &trace[index];
    let asked = |e: &&Entry| {
        e.sent != answer.sent
            && e.message["id"] == answer.message["id"]
            && e.message.get("method").is_some()
    };
    trace[..index].iter().rev().find(asked).and_then(|e| e.message["method"].as_str())
}

/// Whether the server answered the request with a result: a refused one may be wrong on purpose.
fn accepted(trace: &[Entry], index: usize) -> bool {
    let answers = |e: &&Entry| !e.sent && e.message["id"] == trace[index].message["id"];
    let answer = trace[index..].iter().find(|e| answers(e) && e.message.get("method").is_none());
    answer.is_some_and(|e| e.message.get("result").is_some())
}

fn request(union: &str, method: &str, entry: &Entry) -> Option<String> {
    SCHEMAS.member(union, method).and_then(|validator| problem(&validator, method, &entry.message))
}

fn known(union: &str, method: &str, entry: &Entry) -> Option<String> {
    match SCHEMAS.member(union, method) {
        Some(validator) => problem(&validator, method, &entry.message),
        None => Some(format!("{method} is not in {union}")),
    }
}

fn answer(sent: bool, method: &str, entry: &Entry) -> Option<String> {
    let result = entry.message.get("result")?;
    let validator =
        SCHEMAS.response(if sent { "ServerRequest" } else { "ClientRequest" }, method)?;
    problem(&validator, &format!("answer to {method}"), result)
}

fn problem(validator: &Validator, what: &str, value: &Value) -> Option<String> {
    let error = validator.iter_errors(value).next()?;
    let mut text = error.to_string();
    text.truncate(text.char_indices().nth(300).map_or(text.len(), |(at, _)| at));
    Some(format!("{what} at {}: {text}", error.instance_path()))
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::load);

/// The files by name, and the validators that were needed so far.
struct Schemas {
    files: HashMap<String, PathBuf>,
    unions: HashMap<&'static str, Value>,
    ready: Mutex<HashMap<String, Option<Arc<Validator>>>>,
}

impl Schemas {
    fn load() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/json");
        let mut files = HashMap::new();
        // The experimental files are those that differ from the stable ones.
        collect(&folder.join("stable"), &mut files);
        collect(&folder.join("experimental"), &mut files);
        let mut unions = HashMap::new();
        for name in ["ClientRequest", "ServerRequest", "ServerNotification"] {
            let path = files
                .get(name)
                .unwrap_or_else(|| panic!("no {name}.json below {}", folder.display()));
            unions.insert(name, parse(path));
        }
        Self { files, unions, ready: Mutex::default() }
    }

    /// The variant of a method in a union, with the union's definitions.
    fn variant(&self, union: &str, method: &str) -> Option<Value> {
        let whole = &self.unions[union];
        let named = |v: &&Value| {
            let tag = &v["properties"]["method"];
            tag["const"] == method || tag["enum"][0] == method
        };
        let mut variant = whole["oneOf"].as_array()?.iter().find(named)?.clone();
        for shared in ["$schema", "$defs", "definitions"] {
            if let Some(value) = whole.get(shared) {
                variant[shared] = value.clone();
            }
        }
        Some(variant)
    }

    fn member(&self, union: &str, method: &str) -> Option<Arc<Validator>> {
        self.validator(&format!("{union} {method}"), || self.variant(union, method))
    }

    fn response(&self, union: &str, method: &str) -> Option<Arc<Validator>> {
        self.validator(&format!("answer {union} {method}"), || {
            let variant = self.variant(union, method)?;
            let reference = variant["properties"]["params"]["$ref"].as_str()?.to_owned();
            let name = match method {
                // Both ways of writing are answered alike.
                "config/value/write" | "config/batchWrite" => "ConfigWriteResponse".to_owned(),
                "accountSession/list" => "AccountSessionsResponse".to_owned(),
                _ => reference.rsplit('/').next()?.replace("Params", "Response"),
            };
            let path = self
                .files
                .get(&name)
                .unwrap_or_else(|| panic!("no schema of {name}, the answer to {method}"));
            Some(parse(path))
        })
    }

    fn validator(
        &self,
        key: &str,
        schema: impl FnOnce() -> Option<Value>,
    ) -> Option<Arc<Validator>> {
        let mut ready = self.ready.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(validator) = ready.get(key) {
            return validator.clone();
        }
        let built = schema().map(|schema| {
            Arc::new(
                jsonschema::validator_for(&schema)
                    .unwrap_or_else(|error| panic!("schema of {key}: {error}")),
            )
        });
        ready.insert(key.to_owned(), built.clone());
        built
    }
}

fn collect(folder: &Path, files: &mut HashMap<String, PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if let Some(name) = path.file_stem().and_then(|n| n.to_str()) {
            files.insert(name.to_owned(), path);
        }
    }
}

fn parse(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
