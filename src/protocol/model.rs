//! Models and their providers: what there is to choose from, and what happens to the choice.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::double_option;
use crate::protocol::{CyberAccessProgram, ModeKind, ReasoningEffort, ThreadId, TurnId};

/// Lists the models that can be chosen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ModelListParams {
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most models to answer with; all by default.
    pub(crate) limit: Option<u32>,
    /// Lists models, too, that are not meant to be offered to users.
    pub(crate) include_hidden: Option<bool>,
    /// The provider that the models are for; it has to be configured.
    pub(crate) model_provider: Option<String>,
}

/// Answers with models, the preferred ones first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelListResponse {
    pub(crate) data: Vec<Model>,
    /// Asks for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Describes a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct Model {
    pub(crate) id: String,
    /// The name by which the model is asked for.
    pub(crate) model: String,
    /// The model that users are advised to go on to.
    pub(crate) upgrade: Option<String>,
    pub(crate) upgrade_info: Option<ModelUpgradeInfo>,
    pub(crate) availability_nux: Option<ModelAvailabilityNux>,
    pub(crate) display_name: String,
    pub(crate) description: String,
    /// What the model is made for, when it is not for everything.
    #[serde(default)]
    pub(crate) model_specialty: Option<String>,
    /// Whether the model is not meant to be offered to users.
    pub(crate) hidden: bool,
    /// From the least to the most.
    pub(crate) supported_reasoning_efforts: Vec<ReasoningEffortOption>,
    pub(crate) default_reasoning_effort: ReasoningEffort,
    #[serde(default = "text_and_images")]
    pub(crate) input_modalities: Vec<InputModality>,
    #[serde(default)]
    pub(crate) supports_personality: bool,
    /// Which tools for agents the model is given; null means the usual ones.
    pub(crate) multi_agent_version: Option<MultiAgentVersion>,
    /// Names of service tiers, for older clients.
    #[serde(default)]
    pub(crate) additional_speed_tiers: Vec<String>,
    #[serde(default)]
    pub(crate) service_tiers: Vec<ModelServiceTier>,
    #[serde(default)]
    pub(crate) default_service_tier: Option<String>,
    #[serde(default)]
    pub(crate) available_access_programs: Option<ModelAccessPrograms>,
    /// Whether the model is used when none is chosen.
    pub(crate) is_default: bool,
}

fn text_and_images() -> Vec<InputModality> {
    vec![InputModality::Text, InputModality::Image]
}

/// Tells of the model that replaces another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelUpgradeInfo {
    pub(crate) model: String,
    pub(crate) upgrade_copy: Option<String>,
    pub(crate) model_link: Option<String>,
    /// What to tell users, in Markdown.
    pub(crate) migration_markdown: Option<String>,
    /// When the older model goes, in Unix seconds.
    pub(crate) retirement_at: Option<i64>,
}

/// Announces a model to users who have not seen it yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelAvailabilityNux {
    pub(crate) message: String,
}

/// Lists the hosted programmes that a model can be used in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelAccessPrograms {
    pub(crate) cyber: Vec<CyberAccessProgram>,
}

/// Describes one amount of thought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ReasoningEffortOption {
    pub(crate) reasoning_effort: ReasoningEffort,
    pub(crate) description: String,
}

/// Describes a service tier of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelServiceTier {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// Names a kind of input that a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum InputModality {
    Text,
    Image,
    Audio,
}

/// Names a family of tools for agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum MultiAgentVersion {
    Disabled,
    V1,
    V2,
}

/// Lists the ways of working with the user.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CollaborationModeListParams {}

/// Answers with the ways of working with the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CollaborationModeListResponse {
    pub(crate) data: Vec<CollaborationModeMask>,
}

/// Says what choosing a way of working changes; null leaves a setting as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CollaborationModeMask {
    /// As users are shown it.
    pub(crate) name: String,
    pub(crate) mode: Option<ModeKind>,
    pub(crate) model: Option<String>,
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
}

/// Lists the providers of models.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderListParams {}

/// Answers with the providers of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderListResponse {
    pub(crate) data: Vec<ModelProviderSummary>,
    /// The provider of new threads.
    pub(crate) default_provider_id: String,
    pub(crate) can_change_default: bool,
}

/// Describes a provider, without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderSummary {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether `modelProvider/config/write` can change it.
    pub(crate) can_edit: bool,
    /// As it is configured; null means the provider's usual address.
    pub(crate) base_url: Option<String>,
    pub(crate) settings: ProviderSettings,
}

/// Says what kind of provider it is, and what is particular to the kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ProviderSettings {
    #[serde(rename = "openai")]
    OpenAi,
    CustomGateway {
        auth: GatewayAuth,
    },
    Bedrock {
        profile: Option<String>,
        region: Option<String>,
    },
    Gcp {
        project_id: Option<String>,
        location: Option<String>,
        credential_file: Option<String>,
    },
}

/// Says where the credentials for a gateway come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GatewayAuth {
    None,
    /// From a variable of the server's environment.
    EnvironmentVariable {
        env_key: String,
    },
    /// From settings that this interface does not show.
    ExternallyConfigured {
        env_key: Option<String>,
    },
}

/// Asks what providers offer besides text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderCapabilitiesReadParams {}

/// Answers with what the current provider offers besides text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderCapabilitiesReadResponse {
    pub(crate) image_generation: bool,
    pub(crate) web_search: bool,
}

/// Adds a provider to the user's configuration, or changes one there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderConfigWriteParams {
    pub(crate) settings: ProviderSettingsPatch,
}

/// Says what a provider is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ProviderSettingsPatch {
    CustomGateway {
        /// The provider to change; a new one is added without it.
        provider_id: Option<String>,
        /// Needed for a new provider, whose id is made from it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, schemars(with = "String"), ts(optional, as = "Option<String>"))]
        name: Option<String>,
        /// Needed for a new provider; null removes it, absence leaves it as it is.
        #[serde(
            default,
            deserialize_with = "double_option",
            skip_serializing_if = "Option::is_none"
        )]
        #[cfg_attr(test, ts(optional, type = "string | null"))]
        base_url: Option<Option<String>>,
        /// The environment variable with the key; null removes it, absence leaves it as it is.
        #[serde(
            default,
            deserialize_with = "double_option",
            skip_serializing_if = "Option::is_none"
        )]
        #[cfg_attr(test, ts(optional, type = "string | null"))]
        env_key: Option<Option<String>>,
    },
    Bedrock {
        provider_id: BedrockProviderId,
        profile: Option<String>,
        region: Option<String>,
    },
    Gcp {
        provider_id: GcpProviderId,
        project_id: Option<String>,
        location: Option<String>,
        credential_file: Option<String>,
    },
}

/// Names a provider that is run by Amazon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum BedrockProviderId {
    AmazonBedrock,
    AmazonBedrockRuntime,
}

/// Names a provider that is run by Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum GcpProviderId {
    Gcp,
}

/// Answers with the provider as it is configured now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelProviderConfigWriteResponse {
    pub(crate) provider: ModelProviderSummary,
}

/// Tells that another model answers than the one that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelReroutedNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) from_model: String,
    pub(crate) to_model: String,
    pub(crate) reason: ModelRerouteReason,
}

/// Says why another model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ModelRerouteReason {
    HighRiskCyberActivity,
}

/// Tells that the provider wants the account to be verified before it serves such requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ModelVerificationNotification {
    pub(crate) thread_id: ThreadId,
    pub(crate) turn_id: TurnId,
    pub(crate) verifications: Vec<ModelVerification>,
}

/// Names a way of verifying an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ModelVerification {
    TrustedAccessForCyber,
}
