//! The known settings and their types, as one table, and the check of a layer's content against it: what is wrong,
//! and what is not known. The texts of wrong types are those that decoders of this family give.

use std::path::Path;

use serde_json::{Map, Value};

use super::features;
use Kind::{
    Any, Approval, Features, Flag, Integer, List, MapOf, Number, OneOf, PathText, Paths, Provider,
    Table, Text,
};

/// The type of a setting.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Flag,
    /// A number that is not negative.
    Number,
    Integer,
    /// A path; relative ones start at the layer's folder.
    PathText,
    Paths,
    /// A list of text.
    List,
    OneOf(&'static [&'static str]),
    Table(Fields),
    /// A table with free names.
    MapOf(&'static Kind),
    Approval,
    Provider,
    Features,
    /// Not looked into.
    Any,
}

type Fields = &'static [(&'static str, Kind)];

/// A setting that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    pub(super) text: String,
}

/// Which part of a setting is meant when it is pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Key,
    Value,
}

/// What a check found: the first wrong setting, and every unknown one by its dotted path.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) wrong: Option<Wrong>,
    pub(super) unknown: Vec<String>,
}

/// Settings that a project may not choose, since they say where requests and credentials go.
pub(super) const NOT_FOR_PROJECTS: &[&str] = &[
    "apps_mcp_product_sku",
    "chatgpt_base_url",
    "experimental_realtime_webrtc_call_base_url",
    "experimental_realtime_ws_base_url",
    "model_provider",
    "model_providers",
    "notify",
    "openai_base_url",
    "otel",
    "profile",
    "profiles",
    "responses_api_metadata",
];

const RESERVED_PROVIDERS: &[&str] = &["lmstudio", "ollama", "openai"];

const SETTINGS: Fields = &[
    ("agents", Any),
    ("allow_login_shell", Flag),
    ("allow_symlinked_codex_home", Flag),
    ("analytics", Table(&[("enabled", Flag)])),
    ("approval_policy", Approval),
    ("approvals_reviewer", OneOf(&["user", "auto_review", "guardian_subagent"])),
    ("apps", Any),
    ("apps_mcp_product_sku", Text),
    ("audio", Any),
    ("auto_review", Any),
    ("background_terminal_max_timeout", Number),
    ("browser_use", Any),
    ("chatgpt_base_url", Text),
    ("check_for_update_on_startup", Flag),
    ("cli_auth_credentials_store", OneOf(&["file", "keyring", "auto", "ephemeral"])),
    ("client_search_provider", Text),
    ("cloud", Any),
    ("compact_prompt", Text),
    ("computer_use", Any),
    ("daybreak", Flag),
    ("default_permissions", Text),
    ("desktop", Any),
    ("developer_instructions", Text),
    ("disable_paste_burst", Flag),
    ("experimental_compact_prompt_file", PathText),
    ("experimental_realtime_start_instructions", Text),
    ("experimental_realtime_webrtc_call_base_url", Text),
    ("experimental_realtime_ws_backend_prompt", Text),
    ("experimental_realtime_ws_base_url", Text),
    ("experimental_realtime_ws_model", Text),
    ("experimental_realtime_ws_startup_context", Text),
    ("experimental_thread_store", Any),
    ("experimental_thread_store_endpoint", Text),
    ("experimental_use_unified_exec_tool", Flag),
    ("features", Features),
    ("feedback", Table(&[("enabled", Flag)])),
    ("file_opener", OneOf(&["vscode", "vscode-insiders", "windsurf", "cursor", "none"])),
    ("forced_chatgpt_workspace_id", Any),
    ("forced_login_method", OneOf(&["chatgpt", "api"])),
    ("ghost_snapshot", Any),
    ("goals", Table(&[("max_goal_token_budget", Integer)])),
    ("hide_agent_reasoning", Flag),
    ("history", Table(&[("persistence", OneOf(&["save-all", "none"])), ("max_bytes", Number)])),
    ("hooks", Any),
    ("include_apps_instructions", Flag),
    ("include_collaboration_mode_instructions", Flag),
    ("include_environment_context", Flag),
    ("include_environment_context_time", Flag),
    ("include_permissions_instructions", Flag),
    ("instructions", Text),
    ("interrupt_ends_commands", Flag),
    ("js_repl_node_module_dirs", Paths),
    ("js_repl_node_path", PathText),
    ("log_dir", PathText),
    ("marketplaces", MapOf(&Any)),
    ("mcp_enterprise_managed_auth", Any),
    ("mcp_oauth_callback_port", Number),
    ("mcp_oauth_callback_url", Text),
    ("mcp_oauth_credentials_store", OneOf(&["auto", "file", "keyring"])),
    ("mcp_optional_startup_grace_ms", Number),
    ("mcp_servers", MapOf(&MCP_SERVER)),
    ("memories", Any),
    ("model", Text),
    ("model_auto_compact_token_limit", Integer),
    ("model_auto_compact_token_limit_scope", OneOf(&["total", "body_after_prefix"])),
    ("model_catalog_json", PathText),
    ("model_context_window", Integer),
    ("model_instructions_file", PathText),
    ("model_post_turn_compact_threshold_percent", Number),
    ("model_provider", Text),
    ("model_providers", MapOf(&Provider)),
    ("model_reasoning_effort", Text),
    ("model_reasoning_summary", OneOf(&["auto", "concise", "detailed", "none"])),
    ("model_verbosity", OneOf(&["low", "medium", "high"])),
    ("notice", Any),
    ("notify", List),
    ("openai_base_url", Text),
    ("orchestrator", Any),
    ("oss_provider", Text),
    ("otel", Any),
    ("permissions", MapOf(&Any)),
    ("personality", OneOf(&["none", "friendly", "pragmatic"])),
    ("plan_mode_reasoning_effort", Text),
    ("plugins", MapOf(&Any)),
    ("profile", Text),
    ("profiles", MapOf(&Any)),
    ("project_doc_fallback_filenames", List),
    ("project_doc_max_bytes", Number),
    ("project_root_markers", List),
    ("projects", MapOf(&Table(&[("trust_level", OneOf(&["trusted", "untrusted"]))]))),
    ("realtime", Any),
    ("responses_api_metadata", Any),
    ("review_model", Text),
    ("sandbox_mode", OneOf(&["read-only", "workspace-write", "danger-full-access"])),
    ("sandbox_workspace_write", Table(WORKSPACE_WRITE)),
    ("service_tier", Text),
    ("shell_environment_policy", Table(SHELL_ENVIRONMENT)),
    ("show_raw_agent_reasoning", Flag),
    ("skills", Any),
    ("sqlite_home", PathText),
    ("suppress_unstable_features_warning", Flag),
    ("thread_unload_delay_secs", Number),
    ("tool_output_token_limit", Number),
    ("tool_suggest", Any),
    ("tools", Table(TOOLS)),
    ("tui", Any),
    ("web_search", OneOf(&["disabled", "cached", "indexed", "live"])),
    ("windows", Any),
];

const WORKSPACE_WRITE: Fields = &[
    ("writable_roots", Paths),
    ("network_access", Flag),
    ("exclude_tmpdir_env_var", Flag),
    ("exclude_slash_tmp", Flag),
];

const TOOLS: Fields = &[
    ("experimental_request_user_input", Table(&[("enabled", Flag)])),
    ("update_plan", Table(&[("enabled", Flag)])),
    ("web_search", Any),
];

const SHELL_ENVIRONMENT: Fields = &[
    ("inherit", OneOf(&["core", "all", "none"])),
    ("ignore_default_excludes", Flag),
    ("exclude", List),
    ("set", MapOf(&Text)),
    ("include_only", List),
    ("filters", Any),
    ("experimental_use_profile", Flag),
];

static MCP_SERVER: Kind = Any;

const PROVIDER: Fields = &[
    ("name", Text),
    ("base_url", Text),
    ("model_catalog_url", Text),
    ("env_key", Text),
    ("env_key_instructions", Text),
    ("experimental_bearer_token", Text),
    ("auth", Any),
    ("gateway_oauth", Any),
    ("aws", Any),
    ("project_id", Text),
    ("location", Text),
    ("credential_file", Text),
    ("wire_api", OneOf(&["responses", "chat", "scripted"])),
    ("script", Text),
    ("capabilities", Any),
    ("query_params", MapOf(&Text)),
    ("http_headers", MapOf(&Text)),
    ("env_http_headers", MapOf(&Text)),
    ("request_max_retries", Number),
    ("stream_max_retries", Number),
    ("stream_idle_timeout_ms", Number),
    ("websocket_connect_timeout_ms", Number),
    ("requires_openai_auth", Flag),
    ("supports_websockets", Flag),
    ("supports_standalone_web_search", Flag),
];

const GRANULAR: Fields = &[
    ("sandbox_approval", Flag),
    ("rules", Flag),
    ("mcp_elicitations", Flag),
    ("skill_approval", Flag),
    ("request_permissions", Flag),
];
const GRANULAR_REQUIRED: &[&str] = &["sandbox_approval", "rules", "mcp_elicitations"];

const APPROVAL: &[&str] = &["untrusted", "on-failure", "on-request", "granular", "never"];

impl Wrong {
    /// The text with the name of the setting, for layers without a file.
    pub(super) fn named(&self) -> String {
        format!("{}\nin `{}`\n", self.text, self.path.join("."))
    }
}

/// Checks the content of a layer.
pub(super) fn check(content: &Map<String, Value>) -> Findings {
    let mut walk = Walk::default();
    walk.fields(content, SETTINGS);
    if let Some(providers) = content.get("model_providers").and_then(Value::as_object) {
        walk.reserved(providers);
    }
    walk.found
}

/// The content with relative paths made absolute: below `base`, or below `user` where they start with `~/`.
pub(super) fn resolve_paths(content: &mut Map<String, Value>, base: &Path, user: Option<&Path>) {
    resolve_fields(content, SETTINGS, &|text| {
        let resolved = match (text.strip_prefix("~/"), user) {
            (Some(rest), Some(user)) => crate::util::path::absolute(user, Path::new(rest)),
            _ => crate::util::path::absolute(base, Path::new(text)),
        };
        resolved.to_string_lossy().into_owned()
    });
}

fn resolve_fields(
    content: &mut Map<String, Value>,
    fields: Fields,
    resolve: &impl Fn(&str) -> String,
) {
    for (name, kind) in fields {
        match (kind, content.get_mut(*name)) {
            (PathText, Some(Value::String(text))) => *text = resolve(text),
            (Paths, Some(Value::Array(items))) => {
                for item in items {
                    if let Value::String(text) = item {
                        *text = resolve(text);
                    }
                }
            }
            (Table(fields), Some(Value::Object(inner))) => resolve_fields(inner, fields, resolve),
            _ => {}
        }
    }
}

/// A walk over content and table, with the path to where it is.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    found: Findings,
}

impl Walk {
    fn wrong(&mut self, place: Place, text: String) {
        if self.found.wrong.is_none() {
            self.found.wrong = Some(Wrong { path: self.path.clone(), place, text });
        }
    }

    fn below(&mut self, name: &str, visit: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        visit(self);
        self.path.pop();
    }

    fn fields(&mut self, content: &Map<String, Value>, fields: Fields) {
        for (name, value) in content {
            self.below(name, |walk| match fields.iter().find(|(known, _)| known == name) {
                Some((_, kind)) => walk.value(value, kind),
                None => walk.found.unknown.push(walk.path.join(".")),
            });
        }
    }

    fn value(&mut self, value: &Value, kind: &Kind) {
        match (kind, value) {
            (Any, _) | (Text | PathText, Value::String(_)) | (Flag, Value::Bool(_)) => {}
            (Text | PathText, _) => self.mismatch(value, "a string"),
            (Flag, _) => self.mismatch(value, "a boolean"),
            (Number, Value::Number(number)) if number.is_i64() && !number.is_u64() => {
                self.wrong(
                    Place::Value,
                    format!("invalid value: integer `{number}`, expected usize"),
                );
            }
            (Number, Value::Number(number)) if number.is_u64() => {}
            (Number, _) => self.mismatch(value, "usize"),
            (Integer, Value::Number(number)) if number.is_i64() => {}
            (Integer, _) => self.mismatch(value, "i64"),
            (List | Paths, Value::Array(items)) => self.items(items),
            (List | Paths, _) => self.mismatch(value, "a sequence"),
            (OneOf(names), Value::String(text)) => self.variant(text, names),
            (OneOf(_), _) => self.mismatch(value, "a string"),
            (Approval, _) => self.approval(value),
            (Table(fields), Value::Object(content)) => self.fields(content, fields),
            (MapOf(kind), Value::Object(content)) => {
                for (name, value) in content {
                    self.below(name, |walk| walk.value(value, kind));
                }
            }
            (Provider, Value::Object(content)) => self.provider(content),
            (Features, Value::Object(content)) => self.features(content),
            (Table(_) | MapOf(_) | Provider | Features, _) => self.mismatch(value, "a map"),
        }
    }

    fn mismatch(&mut self, value: &Value, expected: &str) {
        let found = match value {
            Value::Null => "unit value".to_owned(),
            Value::Bool(flag) => format!("boolean `{flag}`"),
            Value::Number(number) if number.is_f64() => format!("floating point `{number}`"),
            Value::Number(number) => format!("integer `{number}`"),
            Value::String(text) => format!("string {text:?}"),
            Value::Array(_) => "sequence".to_owned(),
            Value::Object(_) => "map".to_owned(),
        };
        self.wrong(Place::Value, format!("invalid type: {found}, expected {expected}"));
    }

    fn items(&mut self, items: &[Value]) {
        for (index, item) in items.iter().enumerate() {
            self.below(&index.to_string(), |walk| walk.value(item, &Text));
        }
    }

    fn variant(&mut self, text: &str, names: &[&str]) {
        if names.contains(&text) {
            return;
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let expected = match quoted.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} or {two}"),
            many => format!("one of {}", many.join(", ")),
        };
        self.wrong(Place::Value, format!("unknown variant `{text}`, expected {expected}"));
    }

    fn approval(&mut self, value: &Value) {
        if let Value::String(text) = value {
            return self.variant(text, APPROVAL);
        }
        let Value::Object(content) = value else { return self.mismatch(value, "a string") };
        match content.get("granular") {
            Some(granular) if content.len() == 1 => {
                self.below("granular", |walk| walk.granular(granular));
            }
            _ => {
                let text = "expected a table with the one key `granular`";
                self.wrong(Place::Value, text.to_owned());
            }
        }
    }

    fn granular(&mut self, value: &Value) {
        let Value::Object(content) = value else { return self.mismatch(value, "a map") };
        self.fields(content, GRANULAR);
        if let Some(name) = GRANULAR_REQUIRED.iter().find(|name| !content.contains_key(**name)) {
            self.wrong(Place::Value, format!("missing field `{name}`"));
        }
    }

    fn provider(&mut self, content: &Map<String, Value>) {
        self.fields(content, PROVIDER);
    }

    fn features(&mut self, content: &Map<String, Value>) {
        for (name, value) in content {
            self.below(name, |walk| match (value, features::default_of(name)) {
                (Value::Bool(_), Some(_)) | (Value::Object(_), Some(_)) => {}
                (Value::Bool(_), None) => walk.found.unknown.push(walk.path.join(".")),
                _ => walk.mismatch(value, "a boolean"),
            });
        }
    }

    fn reserved(&mut self, providers: &Map<String, Value>) {
        let ids: Vec<String> = providers
            .keys()
            .filter(|id| RESERVED_PROVIDERS.contains(&id.as_str()))
            .map(|id| format!("`{id}`"))
            .collect();
        if !ids.is_empty() {
            let text = format!(
                "model_providers contains reserved built-in provider IDs: {}. A built-in provider cannot be replaced; \
                 give yours another name.",
                ids.join(", ")
            );
            self.below("model_providers", |walk| walk.wrong(Place::Key, text));
        }
    }
}

#[cfg(test)]
mod tests;
