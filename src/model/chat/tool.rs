//! Tools: all kinds of the Responses API as functions with flat names, and the way back from a name to the tool.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha1::{Digest as _, Sha1};

use crate::util::hex::hex;
use crate::util::json::raw;

/// The longest name that servers take.
const MAX_NAME: usize = 64;
/// The one argument of a tool that takes text as it is.
pub(super) const TEXT: &str = "input";

/// The tools of one request.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    definitions: Option<Box<RawValue>>,
    by_name: HashMap<String, Tool>,
}

/// What a flat name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tool {
    Function {
        namespace: Option<String>,
        name: String,
    },
    /// Takes text instead of arguments.
    Custom {
        name: String,
    },
}

/// A tool as the Responses API has it.
#[derive(Deserialize)]
struct Definition<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    format: Option<Format>,
    #[serde(borrow, default)]
    tools: Vec<Definition<'a>>,
}

#[derive(Deserialize)]
struct Format {
    definition: Option<String>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Signature<'a>,
}

#[derive(Serialize)]
struct Signature<'a> {
    name: String,
    description: &'a str,
    parameters: &'a RawValue,
}

impl Tools {
    /// Takes a `tools` array. Tools that the provider would run itself are left out: this API has none.
    pub(super) fn new(tools: Option<&RawValue>) -> Self {
        let all: Vec<Definition<'_>> =
            tools.and_then(|tools| serde_json::from_str(tools.get()).ok()).unwrap_or_default();
        let mut this = Self::default();
        let mut definitions = Vec::new();
        for tool in &all {
            match tool.kind.as_str() {
                "namespace" => definitions.extend(
                    tool.tools.iter().map(|member| this.function(member, Some(&tool.name))),
                ),
                "function" => definitions.push(this.function(tool, None)),
                "custom" => definitions.push(this.custom(tool)),
                _ => {}
            }
        }
        this.definitions = (!definitions.is_empty()).then(|| raw(&definitions));
        this
    }

    pub(super) fn definitions(&self) -> Option<&RawValue> {
        self.definitions.as_deref()
    }

    /// The tool that a model means. Names that were not offered are taken as they are.
    pub(super) fn called(&self, name: &str) -> Tool {
        let unknown = || Tool::Function { namespace: None, name: name.to_owned() };
        self.by_name.get(name).cloned().unwrap_or_else(unknown)
    }

    fn function(&mut self, tool: &Definition<'_>, namespace: Option<&str>) -> Box<RawValue> {
        let flat = flat_name(namespace, &tool.name);
        let target =
            Tool::Function { namespace: namespace.map(str::to_owned), name: tool.name.clone() };
        self.by_name.insert(flat.clone(), target);
        let nothing = raw(&serde_json::json!({ "type": "object", "properties": {} }));
        define(flat, &tool.description, tool.parameters.unwrap_or(&nothing))
    }

    fn custom(&mut self, tool: &Definition<'_>) -> Box<RawValue> {
        let flat = flat_name(None, &tool.name);
        self.by_name.insert(flat.clone(), Tool::Custom { name: tool.name.clone() });
        let mut description = tool.description.clone();
        // Nobody holds the model to the grammar here, so it is told.
        if let Some(grammar) = tool.format.as_ref().and_then(|format| format.definition.as_ref()) {
            description += &format!("\n\n`{TEXT}` has to follow this Lark grammar:\n{grammar}");
        }
        let parameters = raw(&serde_json::json!({
            "type": "object",
            "properties": { TEXT: { "type": "string", "description": "The whole input, as plain text." } },
            "required": [TEXT],
        }));
        define(flat, &description, &parameters)
    }
}

fn define(name: String, description: &str, parameters: &RawValue) -> Box<RawValue> {
    raw(&Function { kind: "function", function: Signature { name, description, parameters } })
}

/// The name of a tool where names have no namespaces, and few characters. The same tool always has the same.
pub(super) fn flat_name(namespace: Option<&str>, name: &str) -> String {
    let whole = match namespace {
        // Models name it now and then; it is where tools are anyhow.
        None | Some("functions") => name.to_owned(),
        Some(namespace) => format!("{namespace}__{name}"),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if whole.len() <= MAX_NAME && whole.chars().all(is_plain) {
        return whole;
    }
    // What is lost of the name is made up for by a digest of it.
    let mut flat: String = whole.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    flat.truncate(MAX_NAME - 9);
    flat + "_" + &hex(&Sha1::digest(whole.as_bytes())[..4])
}

/// The arguments of a function that stands for a tool that takes text.
pub(super) fn text_arguments(text: &str) -> String {
    serde_json::json!({ TEXT: text }).to_string()
}

/// The text that a model meant by such arguments. Models that know the tool may send the bare text.
pub(super) fn text_of_arguments(arguments: &str) -> String {
    let Ok(given) = serde_json::from_str::<HashMap<String, String>>(arguments) else {
        return arguments.to_owned();
    };
    match given.get(TEXT) {
        Some(text) => text.clone(),
        None if given.len() == 1 => given.into_values().collect(),
        None => arguments.to_owned(),
    }
}
