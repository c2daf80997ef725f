//! Commands, patches, tool calls, searches and images.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::protocol::{
    CommandAction, DynamicToolCallOutputContentItem, FileUpdateChange, FunctionCallOutputBody,
    ItemId, McpToolCallError, McpToolCallResult, PatchApplyStatus, PatchChangeKind, ThreadItem,
    WebSearchAction,
};
use crate::store::{case, uri};

/// Output beyond this is not stored.
const STORED_OUTPUT: usize = 65_536;

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Duration {
    #[serde(default)]
    secs: u64,
    #[serde(default)]
    nanos: u32,
}

impl Duration {
    pub(crate) fn of(ms: i64) -> Self {
        let ms = u64::try_from(ms).unwrap_or_default();
        Self { secs: ms / 1000, nanos: u32::try_from(ms % 1000).unwrap_or_default() * 1_000_000 }
    }

    pub(crate) fn ms(self) -> i64 {
        i64::try_from(self.secs.saturating_mul(1000))
            .unwrap_or(i64::MAX)
            .saturating_add(i64::from(self.nanos / 1_000_000))
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Command {
    id: ItemId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process_id: Option<String>,
    command: Vec<String>,
    cwd: String,
    #[serde(default)]
    parsed_cmd: Vec<Value>,
    #[serde(default)]
    source: String,
    status: String,
    #[serde(default)]
    aggregated_output: Option<String>,
    #[serde(default)]
    exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Duration>,
}

impl Command {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::CommandExecution {
            id,
            command,
            cwd,
            process_id,
            source,
            status,
            command_actions,
            aggregated_output,
            exit_code,
            duration_ms,
            ..
        } = item
        else {
            return None;
        };
        let output = aggregated_output.as_deref().unwrap_or_default();
        Some(Self {
            id: id.clone(),
            process_id: process_id.clone(),
            command: shlex::split(command).unwrap_or_else(|| vec![command.clone()]),
            cwd: uri::of(cwd.as_path()),
            parsed_cmd: command_actions.iter().map(stored_action).collect(),
            source: case::stored(source).unwrap_or_default(),
            status: case::stored(status)?,
            aggregated_output: Some(output[..output.floor_char_boundary(STORED_OUTPUT)].to_owned()),
            exit_code: *exit_code,
            duration: duration_ms.map(Duration::of),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let cwd = uri::path(&self.cwd);
        let actions =
            self.parsed_cmd.iter().filter_map(|action| wire_action(action, &cwd)).collect();
        let words = self.command.iter().map(String::as_str);
        Some(ThreadItem::CommandExecution {
            id: self.id,
            command: shlex::try_join(words).unwrap_or_else(|_| self.command.join(" ")),
            cwd: cwd.as_path().into(),
            process_id: self.process_id,
            source: case::wire(&self.source).unwrap_or_default(),
            status: case::wire(&self.status)?,
            command_actions: actions,
            aggregated_output: self.aggregated_output.filter(|output| !output.is_empty()),
            exit_code: self.exit_code,
            duration_ms: self.duration.map(Duration::ms),
            plugin_id: None,
            script_path: None,
        })
    }
}

fn stored_action(action: &CommandAction) -> Value {
    match action {
        CommandAction::Read { command, name, path } => {
            json!({"type": "read", "cmd": command, "name": name, "path": path})
        }
        CommandAction::ListFiles { command, path } => {
            json!({"type": "list_files", "cmd": command, "path": path})
        }
        CommandAction::Search { command, query, path } => {
            json!({"type": "search", "cmd": command, "query": query, "path": path})
        }
        CommandAction::Unknown { command } => json!({"type": "unknown", "cmd": command}),
    }
}

fn wire_action(stored: &Value, cwd: &Path) -> Option<CommandAction> {
    let text = |name: &str| stored.get(name).and_then(Value::as_str).map(str::to_owned);
    let command = text("cmd")?;
    Some(match stored.get("type")?.as_str()? {
        "read" => CommandAction::Read {
            command,
            name: text("name").unwrap_or_default(),
            path: cwd.join(text("path").unwrap_or_default()).as_path().into(),
        },
        "list_files" => CommandAction::ListFiles { command, path: text("path") },
        "search" => CommandAction::Search { command, query: text("query"), path: text("path") },
        _ => CommandAction::Unknown { command },
    })
}

#[derive(Serialize, Deserialize)]
pub(super) struct FileChange {
    id: ItemId,
    changes: BTreeMap<String, Change>,
    status: String,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Change {
    Add {
        #[serde(default)]
        content: String,
    },
    Delete {
        #[serde(default)]
        content: String,
    },
    Update {
        #[serde(default)]
        unified_diff: String,
        #[serde(default)]
        move_path: Option<String>,
    },
}

impl FileChange {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::FileChange { id, changes, status } = item else { return None };
        Some(Self {
            id: id.clone(),
            changes: changes.iter().map(stored_change).collect(),
            status: case::stored(status)?,
            stdout: String::new(),
            stderr: String::new(),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let status: PatchApplyStatus = case::wire(&self.status)?;
        Some(ThreadItem::FileChange { id: self.id, changes: file_changes(self.changes), status })
    }
}

fn moved_to(path: &str) -> String {
    format!("\n\nMoved to: {path}")
}

/// The stored change of the wire's, by its path.
pub(crate) fn stored_change(change: &FileUpdateChange) -> (String, Change) {
    let diff = change.diff.clone();
    let stored = match &change.kind {
        PatchChangeKind::Add => Change::Add { content: diff },
        PatchChangeKind::Delete => Change::Delete { content: diff },
        PatchChangeKind::Update { move_path } => {
            let note = move_path.as_deref().map(moved_to).unwrap_or_default();
            let unified_diff = diff.strip_suffix(&note).map(str::to_owned).unwrap_or(diff);
            Change::Update { unified_diff, move_path: move_path.clone() }
        }
    };
    (change.path.clone(), stored)
}

/// The wire's changes, by path.
pub(crate) fn file_changes(stored: BTreeMap<String, Change>) -> Vec<FileUpdateChange> {
    let wire = |(path, change)| match change {
        Change::Add { content } => {
            FileUpdateChange { path, kind: PatchChangeKind::Add, diff: content }
        }
        Change::Delete { content } => {
            FileUpdateChange { path, kind: PatchChangeKind::Delete, diff: content }
        }
        Change::Update { unified_diff, move_path } => {
            let note = move_path.as_deref().map(moved_to).unwrap_or_default();
            FileUpdateChange {
                path,
                kind: PatchChangeKind::Update { move_path },
                diff: unified_diff + &note,
            }
        }
    };
    stored.into_iter().map(wire).collect()
}

#[derive(Serialize, Deserialize)]
pub(super) struct Mcp {
    id: ItemId,
    server: String,
    tool: String,
    #[serde(default)]
    arguments: Value,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<McpToolCallError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Duration>,
}

impl Mcp {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::McpToolCall {
            id,
            server,
            tool,
            arguments,
            status,
            result,
            error,
            duration_ms,
            ..
        } = item
        else {
            return None;
        };
        Some(Self {
            id: id.clone(),
            server: server.clone(),
            tool: tool.clone(),
            arguments: arguments.clone(),
            status: case::stored(status)?,
            result: result
                .as_ref()
                .and_then(|result| serde_json::to_value(result).ok())
                .map(without_nulls),
            error: error.clone(),
            duration: duration_ms.map(Duration::of),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let result: Option<McpToolCallResult> =
            self.result.and_then(|result| serde_json::from_value(result).ok());
        Some(ThreadItem::McpToolCall {
            id: self.id,
            server: self.server,
            tool: self.tool,
            arguments: self.arguments,
            status: case::wire(&self.status)?,
            result,
            error: self.error,
            duration_ms: self.duration.map(Duration::ms),
            app_context: None,
            mcp_app_resource_uri: None,
            mcp_app_ui: None,
            plugin_id: None,
            read_only_hint: None,
        })
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

#[derive(Serialize, Deserialize)]
pub(super) struct Dynamic {
    id: ItemId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    tool: String,
    #[serde(default)]
    arguments: Value,
    status: String,
    #[serde(default)]
    content_items: Option<Vec<DynamicToolCallOutputContentItem>>,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Duration>,
}

impl Dynamic {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::DynamicToolCall {
            id,
            namespace,
            tool,
            arguments,
            status,
            content_items,
            success,
            duration_ms,
        } = item
        else {
            return None;
        };
        Some(Self {
            id: id.clone(),
            namespace: namespace.clone(),
            tool: tool.clone(),
            arguments: arguments.clone(),
            status: case::stored(status)?,
            content_items: content_items.clone(),
            success: *success,
            duration: duration_ms.map(Duration::of),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::DynamicToolCall {
            id: self.id,
            namespace: self.namespace,
            tool: self.tool,
            arguments: self.arguments,
            status: case::wire(&self.status)?,
            content_items: self.content_items,
            success: self.success,
            duration_ms: self.duration.map(Duration::ms),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct WebSearch {
    id: ItemId,
    #[serde(default)]
    query: String,
    #[serde(default)]
    action: Option<Value>,
}

impl WebSearch {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::WebSearch { id, query, action, .. } = item else { return None };
        Some(Self {
            id: id.clone(),
            query: query.clone(),
            action: action.as_ref().map(stored_search),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let action = self.action.and_then(wire_search);
        Some(ThreadItem::WebSearch { id: self.id, query: self.query, action, results: None })
    }
}

/// The stored action of the wire's.
pub(crate) fn stored_search(action: &WebSearchAction) -> Value {
    let mut stored = without_nulls(serde_json::to_value(action).unwrap_or_default());
    if let Some(kind) = stored.get_mut("type") {
        *kind = case::snake_value(kind.take());
    }
    stored
}

/// The wire's action of a stored one.
pub(crate) fn wire_search(mut stored: Value) -> Option<WebSearchAction> {
    if let Some(kind) = stored.get_mut("type") {
        *kind = case::camel_value(kind.take());
    }
    serde_json::from_value(stored).ok()
}

#[derive(Serialize, Deserialize)]
pub(super) struct ImageView {
    id: ItemId,
    path: String,
}

impl ImageView {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::ImageView { id, path } = item else { return None };
        Some(Self { id: id.clone(), path: uri::of(path.as_path()) })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::ImageView { id: self.id, path: uri::path(&self.path).as_path().into() })
    }
}

/// What a group of tools adds to the kinds of items; of these only the pause is known.
#[derive(Serialize, Deserialize)]
pub(super) struct Extension {
    kind: String,
    id: ItemId,
    #[serde(rename = "durationMs", default)]
    duration_ms: u64,
}

impl Extension {
    const SLEEP: &'static str = "clock.sleep";

    pub(super) fn sleep(id: &ItemId, duration_ms: u64) -> Self {
        Self { kind: Self::SLEEP.to_owned(), id: id.clone(), duration_ms }
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let Self { kind, id, duration_ms } = self;
        (kind == Self::SLEEP).then_some(ThreadItem::Sleep { id, duration_ms })
    }
}

/// The result of a tool that no model has called.
#[derive(Serialize, Deserialize)]
pub(super) struct Output {
    id: ItemId,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    output: FunctionCallOutputBody,
}

impl Output {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::FunctionCallOutput { id, name, namespace, output } = item else {
            return None;
        };
        Some(Self {
            id: id.clone(),
            name: name.clone(),
            namespace: namespace.clone(),
            output: output.clone(),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let Self { id, name, namespace, output } = self;
        Some(ThreadItem::FunctionCallOutput { id, name, namespace, output })
    }
}
