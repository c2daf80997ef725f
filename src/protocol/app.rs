//! Apps: services of the hosted offer that agents can use for users who have signed in to them.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Reads what is known of apps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct AppsReadParams {
    pub(crate) app_ids: Vec<String>,
    /// The thread whose configuration counts.
    pub(crate) thread_id: Option<String>,
    /// Lists the tools, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) include_tools: bool,
}

/// Describes the apps that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppsReadResponse {
    pub(crate) apps: Vec<ConnectorMetadata>,
    /// Those that are not.
    pub(crate) missing_app_ids: Vec<String>,
}

/// Describes an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConnectorMetadata {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) icon_url: Option<String>,
    /// For dark surroundings.
    pub(crate) icon_url_dark: Option<String>,
    pub(crate) distribution_channel: Option<String>,
    /// Where users connect it.
    pub(crate) install_url: Option<String>,
    /// The plugins that make use of it.
    #[serde(default)]
    pub(crate) plugin_display_names: Vec<String>,
    pub(crate) tool_summaries: Option<Vec<AppToolSummary>>,
}

/// Describes a tool of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppToolSummary {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    #[serde(default = "enabled")]
    pub(crate) is_enabled: bool,
    pub(crate) disabled_reason: Option<String>,
    #[serde(default)]
    pub(crate) is_read_only: bool,
}

/// Lists the apps that there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct AppsListParams {
    /// `nextCursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// How many a page may have.
    pub(crate) limit: Option<u32>,
    /// The thread whose configuration counts.
    pub(crate) thread_id: Option<String>,
    /// Asks the service rather than trusting what is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) force_refetch: bool,
}

/// Holds a page of apps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppsListResponse {
    pub(crate) data: Vec<AppInfo>,
    /// Continues the list, if it goes on.
    pub(crate) next_cursor: Option<String>,
}

/// Describes an app and whether it can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppInfo {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) logo_url: Option<String>,
    /// For dark surroundings.
    pub(crate) logo_url_dark: Option<String>,
    pub(crate) icon_assets: Option<BTreeMap<String, String>>,
    pub(crate) icon_dark_assets: Option<BTreeMap<String, String>>,
    pub(crate) distribution_channel: Option<String>,
    pub(crate) branding: Option<AppBranding>,
    pub(crate) app_metadata: Option<AppMetadata>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    /// Where users connect it.
    pub(crate) install_url: Option<String>,
    /// Whether the user has connected it.
    #[serde(default)]
    pub(crate) is_accessible: bool,
    /// Whether the configuration lets agents use it.
    #[serde(default = "enabled")]
    pub(crate) is_enabled: bool,
    /// The plugins that make use of it.
    #[serde(default)]
    pub(crate) plugin_display_names: Vec<String>,
}

fn enabled() -> bool {
    true
}

/// Tells who offers an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppBranding {
    pub(crate) category: Option<String>,
    pub(crate) developer: Option<String>,
    pub(crate) website: Option<String>,
    pub(crate) privacy_policy: Option<String>,
    pub(crate) terms_of_service: Option<String>,
    pub(crate) is_discoverable_app: bool,
}

/// Tells how an app is presented.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppMetadata {
    pub(crate) review: Option<AppReview>,
    pub(crate) categories: Option<Vec<String>>,
    pub(crate) sub_categories: Option<Vec<String>>,
    pub(crate) seo_description: Option<String>,
    pub(crate) screenshots: Option<Vec<AppScreenshot>>,
    pub(crate) developer: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) version_id: Option<String>,
    pub(crate) version_notes: Option<String>,
    pub(crate) first_party_requires_install: Option<bool>,
    pub(crate) show_in_composer_when_unlinked: Option<bool>,
}

/// Tells how the review of an app has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppReview {
    pub(crate) status: String,
}

/// Shows an app at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppScreenshot {
    pub(crate) url: Option<String>,
    pub(crate) file_id: Option<String>,
    /// What the user asked for.
    pub(crate) user_prompt: String,
}

/// Lists the apps that can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct AppsInstalledParams {
    /// The thread whose configuration counts.
    pub(crate) thread_id: Option<String>,
    /// Asks the service rather than trusting what is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) force_refresh: bool,
}

/// Holds the apps that can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AppsInstalledResponse {
    pub(crate) apps: Vec<InstalledApp>,
}

/// Tells whether an app can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct InstalledApp {
    pub(crate) id: String,
    /// The name of the server that has its tools.
    pub(crate) runtime_name: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) callable: bool,
}
