//! The form in which newer models take their tools: as the first item of the input instead of beside it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::util::json::raw;

/// The namespace of tools that have none of their own.
const DEFAULT_NAMESPACE: &str = "functions";

#[derive(Serialize)]
struct AdditionalTools<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    role: &'static str,
    tools: Vec<Tool<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Tool<'a> {
    Functions(Namespace<'a>),
    AsIs(&'a RawValue),
}

#[derive(Serialize)]
struct Namespace<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    description: &'static str,
    tools: Vec<&'a RawValue>,
}

/// The input item that offers `tools`. As long as these stay the same, it is the same for a thread, so that the
/// provider's prompt cache holds. Tools that the provider runs itself are left out: they exist beside the input only.
pub(super) fn additional_tools(tools: &RawValue, thread: &str) -> Box<RawValue> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    let all: Vec<&RawValue> = serde_json::from_str(tools.get()).unwrap_or_default();
    let mut plain = Vec::new();
    let mut others = Vec::new();
    for tool in all {
        let kind = serde_json::from_str(tool.get()).map(|Kind { kind }| kind);
        match kind.as_deref() {
            Ok("function" | "custom") => plain.push(tool),
            Ok("web_search" | "image_generation") | Err(_) => {}
            Ok(_) => others.push(Tool::AsIs(tool)),
        }
    }
    let mut tools = Vec::with_capacity(others.len() + 1);
    if !plain.is_empty() {
        let name = DEFAULT_NAMESPACE;
        tools.push(Tool::Functions(Namespace {
            kind: "namespace",
            name,
            description: "",
            tools: plain,
        }));
    }
    tools.append(&mut others);
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{thread}/tools").as_bytes());
    raw(&AdditionalTools {
        kind: "additional_tools",
        id: format!("at_{id}"),
        role: "developer",
        tools,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn gathers_plain_tools_in_a_namespace() {
        let tools = raw(&json!([
            {"type": "function", "name": "a"},
            {"type": "namespace", "name": "n", "tools": []},
            {"type": "web_search"},
            {"type": "custom", "name": "b"},
        ]));
        let item = additional_tools(&tools, "t");
        let mut told: Value = serde_json::from_str(item.get()).unwrap();
        assert!(told["id"].as_str().unwrap().starts_with("at_"));
        told.as_object_mut().unwrap().remove("id");
        let expected = json!({"type": "additional_tools", "role": "developer", "tools": [
            {"type": "namespace", "name": "functions", "description": "",
             "tools": [{"type": "function", "name": "a"}, {"type": "custom", "name": "b"}]},
            {"type": "namespace", "name": "n", "tools": []},
        ]});
        assert_eq!(told, expected);
        assert_eq!(item.get(), additional_tools(&tools, "t").get());
        assert_ne!(item.get(), additional_tools(&tools, "u").get());
    }
}
