//! Tools that the client brings and runs: what it declares when a thread starts, and the calls that it is asked to
//! answer.

use std::collections::HashSet;
use std::time::Instant;

use serde_json::Value;
use serde_json::value::RawValue;

use super::approval::{Unanswered, request};
use super::spec::{namespace, with_schema};
use super::tool_search::Deferral;
use super::{Call, CallInput, Cx, Effect, Outcome, Output, Part, arguments};
use crate::protocol::{
    DynamicToolCallOutputContentItem as Content, DynamicToolCallParams, DynamicToolCallResponse,
    DynamicToolCallStatus, DynamicToolFunctionSpec, DynamicToolNamespaceSpec,
    DynamicToolNamespaceTool, DynamicToolSpec, ImageDetail, ThreadItem, method,
};
use crate::thread::item;
use crate::util::json::raw;
use crate::util::time::now_ms;

const LONGEST_NAME: usize = 128;
const LONGEST_NAMESPACE: usize = 64;
const LONGEST_DESCRIPTION: usize = 1024;

/// Namespaces that providers keep for tools of their own.
const RESERVED: &[&str] = &[
    "api_tool",
    "browser",
    "computer",
    "container",
    "file_search",
    "functions",
    "image_gen",
    "multi_tool_use",
    "python",
    "python_user_visible",
    "submodel_delegator",
    "terminal",
    "tool_search",
    "web",
];

/// The tools that the client of a thread runs; their names were checked.
#[derive(Debug, Default)]
pub(crate) struct DynamicTools(Vec<DynamicToolSpec>);

/// Why a client's tools are refused; the text is the client's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("dynamic tool {0} must not be empty")]
    Empty(Noun),
    #[error("dynamic tool {0} must not begin or end with blanks: {1:?}")]
    Blanks(Noun, String),
    #[error("dynamic tool {0} may have letters, digits, `_` and `-` only: {1}")]
    Characters(Noun, String),
    #[error("dynamic tool {0} must not be longer than {1} characters: {2}")]
    Long(Noun, usize, String),
    #[error("dynamic tool {0} is reserved: {1}")]
    Reserved(Noun, String),
    #[error("duplicate dynamic tool {0}: {1}")]
    Twice(Noun, String),
    #[error("dynamic tool name {0} can only be deferred in a namespace")]
    DeferredAlone(String),
    #[error("dynamic tool namespace has no tools: {0}")]
    NoTools(String),
    #[error(
        "dynamic tool namespace has a description of more than {LONGEST_DESCRIPTION} characters: {0}"
    )]
    LongDescription(String),
    #[error("dynamic tool name {0} has an input schema that is no object")]
    Schema(String),
}

/// What a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Noun {
    Tool,
    Namespace,
}

impl std::fmt::Display for Noun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tool => "name",
            Self::Namespace => "namespace",
        })
    }
}

impl DynamicTools {
    /// Takes what a client declares.
    pub(crate) fn new(specs: Vec<DynamicToolSpec>) -> Result<Self, Refused> {
        let mut names = HashSet::new();
        for spec in &specs {
            match spec {
                DynamicToolSpec::Function(function) => {
                    check_function(function, &mut names)?;
                    if function.defer_loading {
                        return Err(Refused::DeferredAlone(function.name.clone()));
                    }
                }
                DynamicToolSpec::Namespace(namespace) => {
                    let name = &namespace.name;
                    check_name(Noun::Namespace, name)?;
                    if RESERVED.contains(&name.as_str()) {
                        return Err(Refused::Reserved(Noun::Namespace, name.clone()));
                    }
                    if !names.insert((Noun::Namespace, name.as_str())) {
                        return Err(Refused::Twice(Noun::Namespace, name.clone()));
                    }
                    if namespace.tools.is_empty() {
                        return Err(Refused::NoTools(name.clone()));
                    }
                    if namespace.description.chars().count() > LONGEST_DESCRIPTION {
                        return Err(Refused::LongDescription(name.clone()));
                    }
                    let mut members = HashSet::new();
                    for DynamicToolNamespaceTool::Function(function) in &namespace.tools {
                        check_function(function, &mut members)?;
                    }
                }
            }
        }
        Ok(Self(specs))
    }

    /// The tools as a thread's file has them.
    pub(crate) fn read(stored: &RawValue) -> serde_json::Result<Self> {
        serde_json::from_str(stored.get()).map(Self)
    }

    /// What a thread's file keeps of the tools.
    pub(crate) fn stored(&self) -> Option<Box<RawValue>> {
        (!self.0.is_empty()).then(|| raw(&self.0))
    }

    /// Whether the client runs a tool of this name.
    pub(super) fn has(&self, namespace: &str, name: &str) -> bool {
        self.0.iter().any(|spec| match spec {
            DynamicToolSpec::Function(function) => namespace.is_empty() && function.name == name,
            DynamicToolSpec::Namespace(spec) => {
                spec.name == namespace
                    && spec
                        .tools
                        .iter()
                        .any(|DynamicToolNamespaceTool::Function(function)| function.name == name)
            }
        })
    }

    /// What the model is shown from the beginning.
    pub(super) fn shown(&self, deferral: Deferral) -> impl Iterator<Item = Value> {
        let is_shown = move |function: &DynamicToolFunctionSpec| {
            deferral == Deferral::Unsupported || !function.defer_loading
        };
        self.0.iter().filter_map(move |spec| match spec {
            DynamicToolSpec::Function(function) => Some(definition(function)),
            DynamicToolSpec::Namespace(spec) => members(spec, is_shown),
        })
    }

    /// What a model that can do so has to search for.
    pub(super) fn deferred(&self) -> impl Iterator<Item = Value> {
        self.0.iter().filter_map(|spec| match spec {
            DynamicToolSpec::Function(_) => None,
            DynamicToolSpec::Namespace(spec) => members(spec, |function| function.defer_loading),
        })
    }
}

/// A namespace with those of its tools that are wanted, if there are any.
fn members(
    spec: &DynamicToolNamespaceSpec,
    is_wanted: impl Fn(&DynamicToolFunctionSpec) -> bool,
) -> Option<Value> {
    let functions = spec.tools.iter().map(|DynamicToolNamespaceTool::Function(function)| function);
    let tools: Vec<Value> =
        functions.filter(|function| is_wanted(function)).map(definition).collect();
    (!tools.is_empty()).then(|| namespace(&spec.name, &spec.description, &tools))
}

fn check_function<'a>(
    function: &'a DynamicToolFunctionSpec,
    names: &mut HashSet<(Noun, &'a str)>,
) -> Result<(), Refused> {
    check_name(Noun::Tool, &function.name)?;
    if !names.insert((Noun::Tool, &function.name)) {
        return Err(Refused::Twice(Noun::Tool, function.name.clone()));
    }
    if !function.input_schema.is_object() {
        return Err(Refused::Schema(function.name.clone()));
    }
    Ok(())
}

fn check_name(noun: Noun, name: &str) -> Result<(), Refused> {
    let named = || name.to_owned();
    let longest = match noun {
        Noun::Tool => LONGEST_NAME,
        Noun::Namespace => LONGEST_NAMESPACE,
    };
    if name.trim().is_empty() {
        return Err(Refused::Empty(noun));
    }
    if name.trim() != name {
        return Err(Refused::Blanks(noun, named()));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Err(Refused::Characters(noun, named()));
    }
    if name.len() > longest {
        return Err(Refused::Long(noun, longest, named()));
    }
    if name == "mcp" || name.starts_with("mcp__") {
        return Err(Refused::Reserved(noun, named()));
    }
    Ok(())
}

fn definition(function: &DynamicToolFunctionSpec) -> Value {
    with_schema(&function.name, &function.description, &function.input_schema)
}

/// Has the client run a call.
pub(super) async fn run(cx: &Cx, call: Call) -> Outcome {
    let CallInput::Function(text) = &call.input else { return Outcome::text("aborted") };
    let input: Value = match arguments(text) {
        Ok(input) => input,
        Err(told) => return told,
    };
    let namespace = Some(call.namespace()).filter(|name| !name.is_empty()).map(str::to_owned);
    let begun = Instant::now();
    let started_at_ms = now_ms();
    let item = |done: Option<&DynamicToolCallResponse>| {
        let item = ThreadItem::DynamicToolCall {
            id: cx.id.clone(),
            namespace: namespace.clone(),
            tool: call.name.clone(),
            arguments: input.clone(),
            status: match done {
                None => DynamicToolCallStatus::InProgress,
                Some(done) if done.success => DynamicToolCallStatus::Completed,
                Some(_) => DynamicToolCallStatus::Failed,
            },
            content_items: done.map(|done| done.content_items.clone()),
            success: done.map(|done| done.success),
            duration_ms: done
                .map(|_| i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX)),
        };
        item::started(item, started_at_ms)
    };
    cx.begin(item(None)).await;
    let params = DynamicToolCallParams {
        thread_id: cx.scene.thread.clone(),
        turn_id: cx.turn.clone(),
        call_id: cx.id.clone(),
        namespace: namespace.clone(),
        tool: call.name.clone(),
        arguments: input.clone(),
    };
    let answer = request::<method::DynamicToolCall>(cx, &params).await;
    let response = match answer {
        Ok(response) => match objection(&response) {
            Some(reason) => failure(reason),
            None => response,
        },
        Err(Unanswered::Garbled(_)) => failure("dynamic tool response was invalid"),
        Err(Unanswered::Gone | Unanswered::Refused(_)) => failure("dynamic tool request failed"),
    };
    cx.apply(Effect::ItemCompleted(item(Some(&response)))).await;
    Outcome::Output(output(response.content_items))
}

/// What is wrong with the parts of an answer.
fn objection(response: &DynamicToolCallResponse) -> Option<&'static str> {
    response.content_items.iter().find_map(|content| match content {
        Content::InputImage { image_url } if !image_url.starts_with("data:") => {
            Some("remote image URLs are not supported; use an inline data URL instead")
        }
        Content::InputAudio { audio_url } if !audio_url.starts_with("data:") => {
            Some("audio URLs must use an inline data URL")
        }
        Content::InputText { .. } | Content::InputImage { .. } | Content::InputAudio { .. } => None,
    })
}

fn failure(reason: &str) -> DynamicToolCallResponse {
    let content_items = vec![Content::InputText { text: reason.to_owned() }];
    DynamicToolCallResponse { content_items, success: false }
}

/// What the model is given: plain text if that is all there is.
fn output(mut content: Vec<Content>) -> Output {
    if let [Content::InputText { text }] = content.as_mut_slice() {
        return std::mem::take(text).into();
    }
    Output::Parts(
        content
            .into_iter()
            .map(|content| match content {
                Content::InputText { text } => Part::InputText { text },
                Content::InputImage { image_url } => Part::InputImage {
                    image_url: Some(image_url),
                    file_id: None,
                    detail: ImageDetail::High,
                },
                Content::InputAudio { audio_url } => {
                    Part::InputAudio { audio_url: Some(audio_url), file_id: None }
                }
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests;
