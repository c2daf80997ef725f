//! The configuration as clients read it.

use std::collections::{BTreeMap, HashMap};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use ts_rs::TS;

use super::{ApprovalsReviewer, AskForApproval, ConfigLayerMetadata, ConfigLayerSource};
use super::{ReasoningEffort, ReasoningSummary, SandboxMode};

/// Asks for the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ConfigReadParams {
    /// Adds the layers to the answer.
    #[serde(default)]
    pub(crate) include_layers: bool,
    /// The folder whose project counts; none does without it. Relative ones start at the server's.
    pub(crate) cwd: Option<String>,
}

/// Answers with the settings in effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConfigReadResponse {
    pub(crate) config: Config,
    /// The layer that each set value comes from, by the value's dotted path.
    pub(crate) origins: BTreeMap<String, ConfigLayerMetadata>,
    /// The layers, the highest first, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layers: Option<Vec<ConfigLayer>>,
}

/// Is one layer of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConfigLayer {
    pub(crate) name: ConfigLayerSource,
    /// The hash of the content.
    pub(crate) version: String,
    /// What the layer says, and nothing more.
    pub(crate) config: Value,
    /// Why the layer does not count, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disabled_reason: Option<String>,
}

/// Lists the settings by their names in `config.toml`: null where nothing is set and nothing is the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct Config {
    pub(crate) model: Option<String>,
    pub(crate) review_model: Option<String>,
    pub(crate) model_context_window: Option<i64>,
    pub(crate) model_auto_compact_token_limit: Option<i64>,
    pub(crate) model_auto_compact_token_limit_scope: Option<AutoCompactTokenLimitScope>,
    /// Null means `openai`.
    pub(crate) model_provider: Option<String>,
    pub(crate) approval_policy: Option<AskForApproval>,
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    pub(crate) sandbox_mode: Option<SandboxMode>,
    pub(crate) sandbox_workspace_write: Option<SandboxWorkspaceWrite>,
    pub(crate) forced_chatgpt_workspace_id: Option<ForcedChatgptWorkspaceIds>,
    pub(crate) forced_login_method: Option<ForcedLoginMethod>,
    pub(crate) web_search: Option<WebSearchMode>,
    pub(crate) client_search_provider: Option<WebSearchProvider>,
    pub(crate) tools: Option<ToolsV2>,
    pub(crate) instructions: Option<String>,
    pub(crate) developer_instructions: Option<String>,
    pub(crate) compact_prompt: Option<String>,
    pub(crate) model_reasoning_effort: Option<ReasoningEffort>,
    pub(crate) model_reasoning_summary: Option<ReasoningSummary>,
    pub(crate) model_verbosity: Option<Verbosity>,
    pub(crate) service_tier: Option<String>,
    pub(crate) analytics: Option<AnalyticsConfig>,
    #[serde(default)]
    pub(crate) apps: Option<AppsConfig>,
    pub(crate) browser_use: Option<BrowserUseConfig>,
    pub(crate) computer_use: Option<ComputerUseConfig>,
    /// Is the client's own.
    pub(crate) desktop: Option<HashMap<String, Value>>,
    /// All other settings.
    #[serde(flatten)]
    pub(crate) additional: HashMap<String, Value>,
}

/// Says which tokens count towards the limit at which a thread is compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum AutoCompactTokenLimitScope {
    /// All of them.
    Total,
    /// Those after what the thread began with.
    BodyAfterPrefix,
}

/// Lists what the sandbox `workspace-write` allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SandboxWorkspaceWrite {
    #[serde(default)]
    pub(crate) writable_roots: Vec<std::path::PathBuf>,
    #[serde(default)]
    pub(crate) network_access: bool,
    #[serde(default)]
    pub(crate) exclude_tmpdir_env_var: bool,
    #[serde(default)]
    pub(crate) exclude_slash_tmp: bool,
}

/// Names the workspaces that an account has to be of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ForcedChatgptWorkspaceIds {
    Single(String),
    Multiple(Vec<String>),
}

/// Names a way of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ForcedLoginMethod {
    Chatgpt,
    Api,
}

/// Says where a search of the web looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum WebSearchMode {
    Disabled,
    /// In what the provider has, unless the thread may do everything.
    #[default]
    Cached,
    /// In what the provider has listed, and in the web.
    Indexed,
    Live,
}

/// Names who searches for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum WebSearchProvider {
    Standalone,
    SearchMcp,
}

/// Lists the settings of tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ToolsV2 {
    pub(crate) web_search: Option<WebSearchToolConfig>,
}

/// Lists the details of searches of the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct WebSearchToolConfig {
    pub(crate) context_size: Option<WebSearchContextSize>,
    pub(crate) allowed_domains: Option<Vec<String>>,
    pub(crate) location: Option<WebSearchLocation>,
}

/// Says how much of what was found a model is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum WebSearchContextSize {
    Low,
    Medium,
    High,
}

/// Says where the user roughly is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct WebSearchLocation {
    pub(crate) country: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) timezone: Option<String>,
}

/// Says how long a model's answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum Verbosity {
    Low,
    Medium,
    High,
}

/// Says whether a provider may count what is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AnalyticsConfig {
    pub(crate) enabled: Option<bool>,
    #[serde(flatten)]
    pub(crate) additional: HashMap<String, Value>,
}

/// Lists the settings of apps, by app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppsConfig {
    /// What holds for apps that say nothing else.
    #[serde(rename = "_default", default)]
    pub(crate) default: Option<AppsDefaultConfig>,
    #[serde(flatten)]
    #[cfg_attr(test, schemars(skip))]
    pub(crate) apps: Map<String, Value>,
}

/// Lists the settings of apps that have none of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppsDefaultConfig {
    #[serde(default = "on")]
    pub(crate) enabled: bool,
    pub(crate) approvals_reviewer: Option<ApprovalsReviewer>,
    #[serde(default = "on")]
    pub(crate) destructive_enabled: bool,
    #[serde(default = "on")]
    pub(crate) open_world_enabled: bool,
    pub(crate) default_tools_approval_mode: Option<AppToolApproval>,
}

fn on() -> bool {
    true
}

/// Says which calls of an app's tools the user is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AppToolApproval {
    Auto,
    Prompt,
    Writes,
    Approve,
}

/// Lists what the browser may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct BrowserUseConfig {
    pub(crate) allow_history_access: Option<bool>,
    pub(crate) default_origin_policy: Option<BrowserUseOriginPolicyConfig>,
    pub(crate) origins: Option<BTreeMap<String, BrowserUseOriginPolicyConfig>>,
}

/// Says what the browser may do on a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct BrowserUseOriginPolicyConfig {
    pub(crate) access: Option<AllowDenyRequirement>,
    pub(crate) downloads: Option<AllowDenyRequirement>,
    pub(crate) uploads: Option<AllowDenyRequirement>,
    pub(crate) full_cdp_access: Option<AllowDenyRequirement>,
}

/// Says whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AllowDenyRequirement {
    Allow,
    Deny,
}

/// Lists which programs an agent may use as a person does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ComputerUseConfig {
    pub(crate) default_app_access: Option<AllowDenyRequirement>,
    pub(crate) macos: Option<ComputerUseMacosConfig>,
    pub(crate) windows: Option<ComputerUseWindowsConfig>,
}

/// Lists programs of macOS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ComputerUseMacosConfig {
    pub(crate) bundle_ids: Option<BTreeMap<String, AllowDenyRequirement>>,
}

/// Lists programs of Windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ComputerUseWindowsConfig {
    pub(crate) aumids: Option<BTreeMap<String, AllowDenyRequirement>>,
    pub(crate) exes: Option<Vec<ComputerUseWindowsExeConfig>>,
}

/// Is a program of Windows that is known by who published it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ComputerUseWindowsExeConfig {
    pub(crate) publisher_name: String,
    pub(crate) product_name: String,
    pub(crate) binary_name: Option<String>,
    pub(crate) access: AllowDenyRequirement,
}
