//! The table of known settings: the type of each, and what it is when nobody sets it.

use serde_json::{Map, Value};

use Kind::{
    Any, Approval, Details, Features, Flag, Integer, List, MapOf, Number, OneOf, Or, PathText,
    Paths, Table, Text,
};
use Unset::{Count, Empty, Off, On, Word, Words};

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
    Features,
    /// A table, or a mere switch, which says nothing any more.
    Details(Fields),
    /// Something that is not nothing when it is not set.
    Or(&'static Kind, Unset),
    /// Not looked into.
    Any,
}

/// What a setting is when nobody sets it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unset {
    On,
    Off,
    Count(u64),
    Word(&'static str),
    Words(&'static [&'static str]),
    Empty,
}

pub(super) type Fields = &'static [(&'static str, Kind)];

/// Settings that a project may not choose, since they say where requests and credentials go.
pub(in crate::config) const NOT_FOR_PROJECTS: &[&str] = &[
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

/// Older words for what a setting can be: setting, old word, current word.
pub(super) const RENAMED: &[(&str, &str, &str)] = &[
    ("approval_policy", "on-failure", "on-request"),
    ("approvals_reviewer", "guardian_subagent", "auto_review"),
];

pub(super) const RESERVED_PROVIDERS: &[&str] = &["lmstudio", "ollama", "openai"];

pub(super) const SETTINGS: Fields = &[
    ("agents", Any),
    ("allow_login_shell", Or(&Flag, On)),
    ("allow_symlinked_codex_home", Flag),
    ("analytics", Table(&[("enabled", Flag)])),
    ("approval_policy", Approval),
    ("approvals_reviewer", OneOf(&["user", "auto_review", "guardian_subagent"])),
    ("apps", Any),
    ("apps_mcp_product_sku", Text),
    ("audio", Any),
    ("auto_review", Any),
    ("background_terminal_max_timeout", Or(&Number, Count(300_000))),
    ("browser_use", Table(BROWSER_USE)),
    ("chatgpt_base_url", Or(&Text, Word("https://chatgpt.com/backend-api/"))),
    ("check_for_update_on_startup", Flag),
    ("cli_auth_credentials_store", Or(&CREDENTIALS_STORE, Word("file"))),
    ("client_search_provider", OneOf(&["standalone", "search_mcp"])),
    ("cloud", Any),
    ("compact_prompt", Text),
    ("computer_use", Table(COMPUTER_USE)),
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
    ("file_opener", Or(&FILE_OPENER, Word("vscode"))),
    ("forced_chatgpt_workspace_id", Any),
    ("forced_login_method", OneOf(&["chatgpt", "api"])),
    ("ghost_snapshot", Any),
    ("goals", Table(&[("max_goal_token_budget", Integer)])),
    ("hide_agent_reasoning", Or(&Flag, Off)),
    ("history", Or(&Table(HISTORY), Empty)),
    ("hooks", Any),
    ("include_apps_instructions", Or(&Flag, On)),
    ("include_collaboration_mode_instructions", Or(&Flag, On)),
    ("include_environment_context", Or(&Flag, On)),
    ("include_environment_context_time", Or(&Flag, On)),
    ("include_permissions_instructions", Or(&Flag, On)),
    ("instructions", Text),
    ("interrupt_ends_commands", Flag),
    ("js_repl_node_module_dirs", Paths),
    ("js_repl_node_path", PathText),
    ("log_dir", PathText),
    ("marketplaces", Or(&MapOf(&Any), Empty)),
    ("mcp_enterprise_managed_auth", Any),
    ("mcp_oauth_callback_port", Number),
    ("mcp_oauth_callback_url", Text),
    ("mcp_oauth_credentials_store", Or(&OneOf(&["auto", "file", "keyring"]), Word("auto"))),
    ("mcp_optional_startup_grace_ms", Number),
    ("mcp_servers", Or(&MapOf(&Any), Empty)),
    ("memories", Any),
    ("model", Text),
    ("model_auto_compact_token_limit", Integer),
    ("model_auto_compact_token_limit_scope", OneOf(&["total", "body_after_prefix"])),
    ("model_catalog_json", PathText),
    ("model_context_window", Integer),
    ("model_instructions_file", PathText),
    ("model_post_turn_compact_threshold_percent", Number),
    ("model_provider", Text),
    ("model_providers", Or(&MapOf(&Table(PROVIDER)), Empty)),
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
    ("plugins", Or(&MapOf(&Any), Empty)),
    ("profile", Text),
    ("profiles", Or(&MapOf(&Any), Empty)),
    ("project_doc_fallback_filenames", Or(&List, Words(&[]))),
    ("project_doc_max_bytes", Or(&Number, Count(32_768))),
    ("project_root_markers", Or(&List, Words(&[".git"]))),
    ("projects", MapOf(&Table(&[("trust_level", OneOf(&["trusted", "untrusted"]))]))),
    ("realtime", Any),
    ("responses_api_metadata", Any),
    ("review_model", Text),
    ("sandbox_mode", OneOf(&["read-only", "workspace-write", "danger-full-access"])),
    ("sandbox_workspace_write", Table(WORKSPACE_WRITE)),
    ("service_tier", Text),
    ("shell_environment_policy", Or(&Table(SHELL_ENVIRONMENT), Empty)),
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

const CREDENTIALS_STORE: Kind = OneOf(&["file", "keyring", "auto", "ephemeral"]);

const FILE_OPENER: Kind = OneOf(&["vscode", "vscode-insiders", "windsurf", "cursor", "none"]);

const HISTORY: Fields =
    &[("persistence", Or(&OneOf(&["save-all", "none"]), Word("save-all"))), ("max_bytes", Number)];

const ACCESS: Kind = OneOf(&["allow", "deny"]);

const BROWSER_USE: Fields = &[
    ("allow_history_access", Flag),
    ("default_origin_policy", Table(ORIGIN_POLICY)),
    ("origins", MapOf(&Table(ORIGIN_POLICY))),
];

const ORIGIN_POLICY: Fields =
    &[("access", ACCESS), ("downloads", ACCESS), ("full_cdp_access", ACCESS), ("uploads", ACCESS)];

const COMPUTER_USE: Fields = &[
    ("default_app_access", ACCESS),
    ("macos", Table(&[("bundle_ids", MapOf(&ACCESS))])),
    ("windows", Table(&[("aumids", MapOf(&ACCESS)), ("exes", Any)])),
];

const WORKSPACE_WRITE: Fields = &[
    ("writable_roots", Or(&Paths, Words(&[]))),
    ("network_access", Or(&Flag, Off)),
    ("exclude_tmpdir_env_var", Or(&Flag, Off)),
    ("exclude_slash_tmp", Or(&Flag, Off)),
];

const TOOLS: Fields = &[
    ("experimental_request_user_input", Table(&[("enabled", Flag)])),
    ("update_plan", Table(&[("enabled", Flag)])),
    ("web_search", Details(WEB_SEARCH)),
];

const WEB_SEARCH: Fields = &[
    ("context_size", OneOf(&["low", "medium", "high"])),
    ("allowed_domains", List),
    ("location", Table(&[("country", Text), ("region", Text), ("city", Text), ("timezone", Text)])),
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
    ("wire_api", Or(&OneOf(&["responses", "chat", "scripted"]), Word("responses"))),
    ("script", Text),
    ("capabilities", Any),
    ("query_params", MapOf(&Text)),
    ("http_headers", MapOf(&Text)),
    ("env_http_headers", MapOf(&Text)),
    ("request_max_retries", Number),
    ("stream_max_retries", Number),
    ("stream_idle_timeout_ms", Number),
    ("websocket_connect_timeout_ms", Number),
    ("requires_openai_auth", Or(&Flag, Off)),
    ("supports_websockets", Or(&Flag, Off)),
    ("supports_standalone_web_search", Or(&Flag, Off)),
];

pub(super) const GRANULAR: Fields = &[
    ("sandbox_approval", Flag),
    ("rules", Flag),
    ("mcp_elicitations", Flag),
    ("skill_approval", Flag),
    ("request_permissions", Flag),
];
pub(super) const GRANULAR_REQUIRED: &[&str] = &["sandbox_approval", "rules", "mcp_elicitations"];

pub(super) const APPROVAL: &[&str] =
    &["untrusted", "on-failure", "on-request", "granular", "never"];

impl Unset {
    pub(super) fn value(self) -> Value {
        match self {
            On => Value::Bool(true),
            Off => Value::Bool(false),
            Count(number) => Value::from(number),
            Word(word) => Value::from(word),
            Words(words) => Value::from(words),
            Empty => Value::Object(Map::new()),
        }
    }
}
