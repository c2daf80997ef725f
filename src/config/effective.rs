//! The settings of one thread, or of the server, after all layers are merged: typed, with defaults filled in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::account::AccountSettings;
use super::agents::Agents;
use super::hook::HookSettings;
use super::problem::LoadError;
use super::profile::{Profile, profiles};
use super::skills::Skills;
use super::trust::Project;
use super::{Features, McpServer, Tools, Trust, mcp, setting};
use crate::protocol::{
    ApprovalsReviewer, AskForApproval, Personality, ReasoningEffort, ReasoningSummary, SandboxMode,
    Verbosity,
};

/// What a thread or the server runs on.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are independent settings, named as users know them"
)]
pub(crate) struct Effective {
    pub(crate) model: Option<String>,
    pub(crate) model_provider: String,
    /// The providers that are configured, as they stand there; built-in ones are not among them.
    pub(crate) model_providers: BTreeMap<String, Value>,
    pub(crate) openai_base_url: Option<String>,
    pub(crate) model_catalog_json: Option<PathBuf>,
    pub(crate) model_context_window: Option<i64>,
    /// The model of reviewers, where it is not the thread's.
    pub(crate) review_model: Option<String>,
    pub(crate) model_auto_compact_token_limit: Option<i64>,
    pub(crate) model_reasoning_effort: Option<ReasoningEffort>,
    pub(crate) model_reasoning_summary: Option<ReasoningSummary>,
    pub(crate) model_verbosity: Option<Verbosity>,
    pub(crate) service_tier: Option<String>,
    pub(crate) personality: Option<Personality>,

    pub(crate) approval_policy: Option<AskForApproval>,
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    pub(crate) sandbox_mode: Option<SandboxMode>,
    /// Set when the table is there at all.
    pub(crate) sandbox_workspace_write: Option<WorkspaceWrite>,
    /// Beats `sandbox_mode` when set.
    pub(crate) default_permissions: Option<String>,
    /// The profiles of `[permissions]`; none without that table.
    pub(crate) permissions: Option<BTreeMap<String, Profile>>,
    pub(crate) trust: Trust,
    /// The folder that trust would be written for; none for a plain folder.
    pub(crate) project_root: Option<PathBuf>,

    /// The base instructions that replace the model's: `instructions`, else the text of `model_instructions_file`.
    pub(crate) instructions: Option<String>,
    pub(crate) developer_instructions: Option<String>,
    /// `compact_prompt`, else the text of `experimental_compact_prompt_file`.
    pub(crate) compact_prompt: Option<String>,
    pub(crate) include_environment_context: bool,
    pub(crate) include_environment_context_time: bool,
    pub(crate) include_permissions_instructions: bool,
    pub(crate) project_doc_max_bytes: usize,
    pub(crate) project_doc_fallback_filenames: Vec<String>,
    pub(crate) project_root_markers: Vec<String>,

    pub(crate) account: AccountSettings,
    pub(crate) agents: Agents,
    pub(crate) features: Features,
    pub(crate) tools: Tools,
    pub(crate) skills: Skills,
    /// Whether `[analytics]` lets a provider count what is used.
    pub(crate) analytics: bool,
    /// Nothing while the feature is off.
    pub(crate) hooks: HookSettings,
    /// By name.
    pub(crate) mcp_servers: BTreeMap<String, McpServer>,
    /// How long a thread's first request waits for servers that are still starting, in milliseconds.
    pub(crate) mcp_optional_startup_grace_ms: u64,
    pub(crate) tool_output_token_limit: Option<usize>,
    pub(crate) shell_environment_policy: Map<String, Value>,
    pub(crate) allow_login_shell: bool,
    /// Whether an interrupt kills the commands that its turn has started.
    pub(crate) interrupt_ends_commands: bool,
    pub(crate) background_terminal_max_timeout: u64,
    pub(crate) thread_unload_delay_secs: u64,
}

/// `[sandbox_workspace_write]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WorkspaceWrite {
    pub(crate) writable_roots: Vec<PathBuf>,
    pub(crate) network_access: bool,
    pub(crate) exclude_tmpdir_env_var: bool,
    pub(crate) exclude_slash_tmp: bool,
}

impl Effective {
    /// The typed form of merged settings whose layers were checked. What it refuses is what only shows in the whole.
    pub(super) fn new(merged: &Map<String, Value>, project: Project) -> Result<Self, LoadError> {
        refuse(merged)?;
        let view = View(merged);
        let mut effective = Self::typed(merged, project);
        if effective.instructions.is_none() {
            effective.instructions =
                view.file("model_instructions_file", "model instructions file")?;
        }
        if effective.compact_prompt.is_none() {
            effective.compact_prompt =
                view.file("experimental_compact_prompt_file", "experimental compact prompt file")?;
        }
        effective.mcp_servers = mcp::servers(merged)?;
        Ok(effective)
    }

    /// The settings without the texts that stand in other files. What nobody sets is filled in.
    fn typed(merged: &Map<String, Value>, project: Project) -> Self {
        let view = View(merged);
        Self {
            model: view.text("model"),
            model_provider: view.text("model_provider").unwrap_or_else(|| "openai".to_owned()),
            model_providers: view.table("model_providers").into_iter().collect(),
            openai_base_url: view.text("openai_base_url"),
            model_catalog_json: view.text("model_catalog_json").map(PathBuf::from),
            model_context_window: view.decode("model_context_window"),
            review_model: view.text("review_model"),
            model_auto_compact_token_limit: view.decode("model_auto_compact_token_limit"),
            model_reasoning_effort: view.decode("model_reasoning_effort"),
            model_reasoning_summary: view.decode("model_reasoning_summary"),
            model_verbosity: view.decode("model_verbosity"),
            service_tier: view.text("service_tier"),
            personality: view.decode("personality"),
            approval_policy: view.decode("approval_policy"),
            approvals_reviewer: view.decode("approvals_reviewer"),
            sandbox_mode: view.decode("sandbox_mode"),
            sandbox_workspace_write: merged
                .get("sandbox_workspace_write")
                .and_then(workspace_write),
            default_permissions: view.text("default_permissions"),
            permissions: profiles(merged),
            trust: project.trust,
            project_root: project.root,
            instructions: view.text("instructions"),
            developer_instructions: view.text("developer_instructions"),
            compact_prompt: view.text("compact_prompt"),
            include_environment_context: view.flag("include_environment_context"),
            include_environment_context_time: view.flag("include_environment_context_time"),
            include_permissions_instructions: view.flag("include_permissions_instructions"),
            project_doc_max_bytes: view.decode("project_doc_max_bytes").unwrap_or_default(),
            project_doc_fallback_filenames: view
                .decode("project_doc_fallback_filenames")
                .unwrap_or_default(),
            project_root_markers: root_markers(merged),
            account: AccountSettings::new(merged),
            agents: Agents::new(
                &view.table("agents"),
                view.table("features").get("multi_agent_v2"),
            ),
            features: Features::new(merged.get("features").and_then(Value::as_object)),
            tools: Tools::new(merged),
            skills: Skills::new(merged),
            analytics: merged.get("analytics").and_then(|table| table.get("enabled")?.as_bool())
                != Some(false),
            hooks: HookSettings::default(),
            mcp_servers: BTreeMap::new(),
            mcp_optional_startup_grace_ms: view
                .decode("mcp_optional_startup_grace_ms")
                .unwrap_or(1000),
            tool_output_token_limit: view.decode("tool_output_token_limit"),
            shell_environment_policy: view.table("shell_environment_policy"),
            allow_login_shell: view.flag("allow_login_shell"),
            interrupt_ends_commands: view.flag("interrupt_ends_commands"),
            background_terminal_max_timeout: view
                .decode("background_terminal_max_timeout")
                .unwrap_or_default(),
            thread_unload_delay_secs: view.decode("thread_unload_delay_secs").unwrap_or(60),
        }
    }
}

impl Default for Effective {
    /// What nothing at all configures.
    fn default() -> Self {
        let mut nothing = Map::new();
        setting::fill_in(&mut nothing);
        Self::typed(&nothing, Project::default())
    }
}

/// The names that mark a project's root.
pub(super) fn root_markers(merged: &Map<String, Value>) -> Vec<String> {
    View(merged).decode("project_root_markers").unwrap_or_default()
}

/// Whether a provider of this id exists, configured or built in.
pub(super) fn known_provider(id: &str, merged: &Map<String, Value>) -> bool {
    const BUILT_IN: &[&str] = &["openai", "ollama", "lmstudio", "amazon-bedrock", "scripted"];
    BUILT_IN.contains(&id)
        || merged.get("model_providers").is_some_and(|providers| providers.get(id).is_some())
}

fn refuse(merged: &Map<String, Value>) -> Result<(), LoadError> {
    let text = |name: &str| merged.get(name).and_then(Value::as_str);
    if text("approval_policy") == Some("untrusted") {
        return Err(LoadError::new(
            "approval_policy = \"untrusted\" is no longer supported; remove this setting",
        ));
    }
    if let Some(name) = text("profile") {
        return Err(LoadError::new(format!(
            "legacy `profile = \"{name}\"` config is no longer supported; use `--profile {name}` with \
             `{name}.config.toml` instead"
        )));
    }
    let providers = merged.get("model_providers").and_then(Value::as_object);
    for (id, provider) in providers.into_iter().flatten() {
        if id != "amazon-bedrock"
            && provider.get("name").and_then(Value::as_str).unwrap_or_default().trim().is_empty()
        {
            return Err(LoadError::new(format!(
                "model_providers.{id}: provider name must not be empty"
            )));
        }
    }
    match text("model_provider") {
        Some(id) if !known_provider(id, merged) => {
            Err(LoadError::new(format!("Model provider `{id}` not found")))
        }
        _ => Ok(()),
    }
}

fn workspace_write(value: &Value) -> Option<WorkspaceWrite> {
    let view = View(value.as_object()?);
    Some(WorkspaceWrite {
        writable_roots: view.decode("writable_roots").unwrap_or_default(),
        network_access: view.flag("network_access"),
        exclude_tmpdir_env_var: view.flag("exclude_tmpdir_env_var"),
        exclude_slash_tmp: view.flag("exclude_slash_tmp"),
    })
}

/// Typed looks at checked settings.
pub(super) struct View<'a>(pub(super) &'a Map<String, Value>);

impl View<'_> {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn table(&self, name: &str) -> Map<String, Value> {
        self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.0.get(name).and_then(|value| T::deserialize(value).ok())
    }

    /// The trimmed text of the file that a setting names.
    fn file(&self, name: &str, what: &str) -> Result<Option<String>, LoadError> {
        let Some(path) = self.0.get(name).and_then(Value::as_str) else { return Ok(None) };
        match fs::read_to_string(Path::new(path)) {
            Ok(text) if text.trim().is_empty() => {
                Err(LoadError::new(format!("{what} is empty: {path}")))
            }
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) => Err(LoadError::new(format!("failed to read {what} {path}: {error}"))),
        }
    }
}
