//! Declarations: which hooks the layers of a configuration name, in a normal form that can be hashed and trusted.
//!
//! What cannot be used is a warning, and the rest of it loads.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event::{EVENTS, has_subject, snake_case};
use super::matcher::Matcher;
use super::trust;
use crate::config::{HookLayer, HookSettings, Source};
use crate::protocol::{
    HookEventName, HookHandlerMetadata, HookHandlerType, HookMetadata, HookSource, HookTrustStatus,
};
use crate::util::file::read_text;
use crate::util::json::sha256;

/// Seconds that a hook may take unless it says otherwise.
const TIMEOUT: u64 = 600;
/// The same at the end of a session, which nobody waits for long: by default and at most.
const END_TIMEOUT: u64 = 1;
const MAX_END_TIMEOUT: u64 = 3;

/// How large a `hooks.json` may be, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Everything that a configuration declares.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    pub(crate) declared: Vec<Hook>,
    /// What cannot be used, and why.
    pub(crate) warnings: Vec<String>,
}

/// One hook.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    /// Names it in the user's configuration.
    pub(crate) key: String,
    pub(crate) event: HookEventName,
    pub(crate) handler: Handler,
    /// The matcher as it is written.
    pub(super) written: Option<String>,
    pub(super) matcher: Matcher,
    pub(super) path: PathBuf,
    pub(super) source: HookSource,
    /// Its place among all hooks.
    pub(super) order: i64,
    pub(super) hash: String,
    pub(super) enabled: bool,
    pub(super) trust: HookTrustStatus,
}

/// What a hook runs, in its normal form: what is hashed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum Handler {
    Command {
        command: String,
        /// In seconds.
        timeout: u64,
        r#async: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        status_message: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        additional_context_limit: Option<usize>,
    },
    McpTool {
        server: String,
        tool: String,
        input: Map<String, Value>,
        timeout: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        status_message: Option<String>,
    },
}

/// A handler as files have it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Written {
    Command {
        command: String,
        timeout: Option<u64>,
        #[serde(default)]
        r#async: bool,
        status_message: Option<String>,
        additional_context_limit: Option<usize>,
    },
    McpTool {
        server: String,
        tool: String,
        #[serde(default)]
        input: Map<String, Value>,
        timeout: Option<u64>,
        status_message: Option<String>,
    },
    Prompt {},
    Agent {},
}

#[derive(Debug, Deserialize)]
struct Group {
    matcher: Option<String>,
    #[serde(default)]
    hooks: Vec<Value>,
}

/// The content of a `hooks.json`.
#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    hooks: Map<String, Value>,
}

/// A place that declares hooks.
struct Place<'a> {
    path: &'a Path,
    source: HookSource,
}

impl Hooks {
    /// Reads what the layers declare, with what the user has said about it.
    pub(crate) fn read(settings: &HookSettings) -> Self {
        let mut hooks = Self::default();
        for layer in &settings.layers {
            hooks.layer(layer, &settings.state);
        }
        hooks
    }

    fn layer(&mut self, layer: &HookLayer, state: &Map<String, Value>) {
        let source = match &layer.source {
            Source::System(_) => HookSource::System,
            Source::User(_) => HookSource::User,
            Source::Project(_) => HookSource::Project,
            Source::SessionFlags | Source::Request => HookSource::SessionFlags,
        };
        let table = match layer.source.file() {
            Some(path) => path.to_owned(),
            None => PathBuf::from("/<session-flags>/config.toml"),
        };
        let file = layer.file().and_then(|file| Some((self.file(&file)?, file)));
        if let (Some((_, file)), Some(_)) = (&file, &layer.table) {
            self.warnings.push(format!(
                "hooks are declared in both {} and {}; keep those of one folder in one of the two",
                file.display(),
                table.display()
            ));
        }
        if let Some((events, path)) = &file {
            self.events(events, &Place { path, source }, state);
        }
        if let Some(events) = &layer.table {
            self.events(events, &Place { path: &table, source }, state);
        }
    }

    /// The events of a `hooks.json`, if there is one.
    fn file(&mut self, path: &Path) -> Option<Map<String, Value>> {
        let text = match read_text(path, MAX_FILE) {
            Ok(text) => text,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return None;
            }
            Err(error) => {
                self.warnings.push(format!("failed to read hooks of {}: {error}", path.display()));
                return None;
            }
        };
        match serde_json::from_str::<File>(&text) {
            Ok(file) => Some(file.hooks),
            Err(error) => {
                self.warnings.push(format!("failed to parse hooks of {}: {error}", path.display()));
                None
            }
        }
    }

    /// Events that are not known are told: a hook that never runs protects from nothing.
    fn events(
        &mut self,
        events: &Map<String, Value>,
        place: &Place<'_>,
        state: &Map<String, Value>,
    ) {
        let is_known = |name: &str| EVENTS.iter().any(|(_, known)| *known == name);
        for name in events.keys().filter(|name| !is_known(name)) {
            self.warn(place, &format!("skipping hooks of the unknown event {name:?}"));
        }
        for (event, name) in EVENTS {
            let Some(groups) = events.get(name) else { continue };
            let groups = match Vec::<Group>::deserialize(groups) {
                Ok(groups) => groups,
                Err(error) => {
                    self.warn(place, &format!("skipping {name}: {error}"));
                    continue;
                }
            };
            for (number, group) in groups.iter().enumerate() {
                let key = format!("{}:{}:{number}", place.path.display(), snake_case(event));
                self.group(event, group, &key, place, state);
            }
        }
    }

    fn group(
        &mut self,
        event: HookEventName,
        group: &Group,
        key: &str,
        place: &Place<'_>,
        state: &Map<String, Value>,
    ) {
        let pattern = group.matcher.as_deref().filter(|_| has_subject(event));
        let matcher = match Matcher::new(pattern) {
            Ok(matcher) => matcher,
            Err(error) => {
                let written = group.matcher.as_deref().unwrap_or_default();
                return self.warn(place, &format!("invalid matcher {written:?}: {error}"));
            }
        };
        for (number, written) in group.hooks.iter().enumerate() {
            let Some(handler) = self.handler(event, written, place) else { continue };
            let key = format!("{key}:{number}");
            let hash = hash(event, group.matcher.as_deref(), &handler);
            let (enabled, trust) = trust::judge(state, &key, &hash);
            self.declared.push(Hook {
                key,
                event,
                handler,
                written: group.matcher.clone(),
                matcher: matcher.clone(),
                path: place.path.to_owned(),
                source: place.source,
                order: i64::try_from(self.declared.len()).unwrap_or(i64::MAX),
                hash,
                enabled,
                trust,
            });
        }
    }

    /// The normal form of a handler, if it can be used.
    fn handler(
        &mut self,
        event: HookEventName,
        written: &Value,
        place: &Place<'_>,
    ) -> Option<Handler> {
        let skipped = match Written::deserialize(written) {
            Ok(Written::Command { command, .. }) if command.trim().is_empty() => {
                "skipping a hook with an empty command".to_owned()
            }
            Ok(Written::Command {
                command,
                timeout,
                r#async,
                status_message,
                additional_context_limit,
            }) => {
                let timeout = self.timeout(event, timeout, place);
                return Some(Handler::Command {
                    command,
                    timeout,
                    r#async,
                    status_message,
                    additional_context_limit,
                });
            }
            Ok(Written::McpTool { server, tool, input, timeout, status_message }) => {
                let timeout = self.timeout(event, timeout, place);
                return Some(Handler::McpTool { server, tool, input, timeout, status_message });
            }
            Ok(Written::Prompt {}) => "skipping a prompt hook: these are not supported".to_owned(),
            Ok(Written::Agent {}) => "skipping an agent hook: these are not supported".to_owned(),
            Err(error) => format!("skipping a hook: {error}"),
        };
        self.warn(place, &skipped);
        None
    }

    fn timeout(&mut self, event: HookEventName, asked: Option<u64>, place: &Place<'_>) -> u64 {
        if event != HookEventName::SessionEnd {
            return asked.unwrap_or(TIMEOUT).max(1);
        }
        let asked = asked.unwrap_or(END_TIMEOUT).max(1);
        if asked > MAX_END_TIMEOUT {
            let text = format!("a SessionEnd hook gets {MAX_END_TIMEOUT} s instead of {asked} s");
            self.warn(place, &text);
        }
        asked.min(MAX_END_TIMEOUT)
    }

    fn warn(&mut self, place: &Place<'_>, text: &str) {
        self.warnings.push(format!("{}: {text}", place.path.display()));
    }
}

/// Two hooks with the same hash do the same at the same occasions.
fn hash(event: HookEventName, matcher: Option<&str>, handler: &Handler) -> String {
    #[derive(Serialize)]
    struct Normal<'a> {
        event_name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        matcher: Option<&'a str>,
        hooks: [&'a Handler; 1],
    }
    let normal = Normal { event_name: snake_case(event), matcher, hooks: [handler] };
    sha256(&normal)
}

impl Hook {
    /// Whether it is switched on and trusted.
    pub(crate) fn may_run(&self) -> bool {
        let trusted = matches!(self.trust, HookTrustStatus::Trusted | HookTrustStatus::Managed);
        self.enabled && trusted
    }

    pub(super) fn timeout(&self) -> Duration {
        match &self.handler {
            Handler::Command { timeout, .. } | Handler::McpTool { timeout, .. } => {
                Duration::from_secs(*timeout)
            }
        }
    }

    pub(super) fn status_message(&self) -> Option<&String> {
        match &self.handler {
            Handler::Command { status_message, .. } | Handler::McpTool { status_message, .. } => {
                status_message.as_ref()
            }
        }
    }

    pub(super) fn context_limit(&self) -> Option<usize> {
        match &self.handler {
            Handler::Command { additional_context_limit, .. } => *additional_context_limit,
            Handler::McpTool { .. } => None,
        }
    }

    pub(super) fn is_async(&self) -> bool {
        matches!(self.handler, Handler::Command { r#async: true, .. })
    }

    pub(super) fn kind(&self) -> HookHandlerType {
        match &self.handler {
            Handler::Command { .. } => HookHandlerType::Command,
            Handler::McpTool { .. } => HookHandlerType::McpTool,
        }
    }

    /// The hook as clients see it.
    pub(crate) fn metadata(&self) -> HookMetadata {
        let handler = match &self.handler {
            Handler::Command { command, r#async, .. } => {
                HookHandlerMetadata::Command { command: command.clone(), r#async: *r#async }
            }
            Handler::McpTool { server, tool, .. } => {
                HookHandlerMetadata::McpTool { server: server.clone(), tool: tool.clone() }
            }
        };
        HookMetadata {
            key: self.key.clone(),
            event_name: self.event,
            handler,
            matcher: self.written.clone(),
            timeout_sec: self.timeout().as_secs(),
            status_message: self.status_message().cloned(),
            additional_context_limit: self.context_limit(),
            source_path: self.path.as_path().into(),
            source: self.source,
            plugin_id: None,
            environment_id: None,
            display_order: self.order,
            enabled: self.enabled,
            is_managed: self.trust == HookTrustStatus::Managed,
            current_hash: self.hash.clone(),
            trust_status: self.trust,
        }
    }
}

#[cfg(test)]
mod tests;
