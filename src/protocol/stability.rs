//! What is experimental, and whether a request makes use of it.
//!
//! Members are named here once: the gate refuses them to clients that have not opted in, and the generated stable
//! schemas leave them out.

use super::*;

/// Whether clients may rely on a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stability {
    Stable,
    Experimental,
    /// Of an older generation: served, and not described in JSON Schemas.
    Unlisted,
}

/// Params that may make use of something experimental.
pub(crate) trait Gated {
    /// The first experimental thing that these params of `method` make use of, as errors name it.
    fn experimental_member(&self, _method: &str) -> Option<String> {
        None
    }
}

impl<T: Gated> Gated for Option<T> {
    fn experimental_member(&self, method: &str) -> Option<String> {
        self.as_ref().and_then(|params| params.experimental_member(method))
    }
}

/// A member that can be left out.
trait Member {
    /// `true` unless the member is absent, `null`, or a flag that is off.
    fn is_set(&self) -> bool;
}

impl Member for bool {
    fn is_set(&self) -> bool {
        *self
    }
}

impl<T> Member for Option<T> {
    fn is_set(&self) -> bool {
        self.is_some()
    }
}

impl AskForApproval {
    fn experimental_variant(&self) -> Option<String> {
        match self {
            Self::Granular { .. } => Some("askForApproval.granular".to_owned()),
            Self::Untrusted | Self::OnRequest | Self::Never => None,
        }
    }
}

impl Gated for LoginAccountParams {
    fn experimental_member(&self, method: &str) -> Option<String> {
        match self {
            Self::ChatgptAuthTokens { .. } => Some(format!("{method}.chatgptAuthTokens")),
            Self::AmazonBedrockAccessKeys { .. } => {
                Some(format!("{method}.amazonBedrockAccessKeys"))
            }
            Self::ApiKey { .. }
            | Self::Chatgpt { .. }
            | Self::ChatgptDeviceCode {}
            | Self::AmazonBedrock { .. } => None,
        }
    }
}

/// Refuses one member: an experimental one if it is set, a `[stable]` one if its value is experimental.
macro_rules! gate {
    ($self:ident, $method:ident, [$field:ident]) => {
        if let Some(variant) = $self.$field.as_ref().and_then(AskForApproval::experimental_variant)
        {
            return Some(variant);
        }
    };
    ($self:ident, $method:ident, $field:ident) => {
        if $self.$field.is_set() {
            return Some(format!("{}.{}", $method, camel_case(stringify!($field))));
        }
    };
}

#[cfg(test)]
macro_rules! experimental_name {
    ([$field:ident]) => {
        None
    };
    ($field:ident) => {
        Some(stringify!($field))
    };
}

/// Lists the experimental members of params, and in brackets the stable ones whose values may be experimental, in the
/// order in which they are declared.
macro_rules! gated {
    ($($params:ident { $($member:tt)* })*) => {
        $(impl Gated for $params {
            fn experimental_member(&self, method: &str) -> Option<String> {
                $(gate!(self, method, $member);)*
                None
            }
        })*

        /// The experimental members of each params type, in Rust's spelling.
        #[cfg(test)]
        const EXPERIMENTAL_PARAMS: &[(&str, &[Option<&str>])] =
            &[$((stringify!($params), &[$(experimental_name!($member)),*])),*];
    };
}

gated! {
    ThreadStartParams {
        allow_provider_model_fallback runtime_workspace_roots [approval_policy] permissions multi_agent_mode
        history_mode project_id daybreak_enabled environments dynamic_tools selected_capability_roots
        mock_experimental_field experimental_raw_events
    }
    ThreadResumeParams { history path runtime_workspace_roots [approval_policy] permissions initial_turns_page }
    ThreadForkParams {
        before_turn_id path runtime_workspace_roots [approval_policy] permissions attach_to_source
        defer_goal_continuation experimental_disable_prediction_mcp experimental_prediction_mode
    }
    ThreadListParams {
        include_attached_threads project_id parent_thread_id ancestor_thread_id attached_to_thread_id
    }
    ThreadMetadataUpdateParams { project_id daybreak_enabled }
    TurnStartParams {
        responsesapi_client_metadata responsesapi_client_metadata_patch additional_context environments
        runtime_workspace_roots [approval_policy] permissions collaboration_mode multi_agent_mode cyber_access_program
    }
    CommandExecParams { permission_profile }
    TurnSteerParams { responsesapi_client_metadata responsesapi_client_metadata_patch additional_context }
}

/// Forms of unions that are experimental: the union, its tag, and the tag's value.
#[cfg(test)]
pub(crate) const EXPERIMENTAL_VARIANTS: &[(&str, &str, &str)] =
    &[("McpServerElicitationRequestParams", "mode", "openai/userVerification")];

/// Nothing in these is experimental.
macro_rules! not_gated {
    ($($params:ident)*) => {$(impl Gated for $params {})*};
}

not_gated! {
    McpServerOauthLoginParams McpServerToolCallParams ListMcpServerStatusParams McpResourceReadParams NoParams
    InitializeParams ReviewStartParams ThreadApproveGuardianDeniedActionParams ThreadShellCommandParams
    ThreadBackgroundTerminalsListParams ThreadBackgroundTerminalsTerminateParams ThreadBackgroundTerminalsCleanParams
    ThreadArchiveParams ThreadCompactStartParams ThreadInjectItemsParams ThreadRevertParams ThreadUnsubscribeParams ThreadSetNameParams ThreadUnarchiveParams
    ThreadLoadedListParams ThreadReadParams ThreadTurnsListParams TurnInterruptParams TurnSettingsUpdateParams
    ThreadItemsListParams ThreadItemsReadParams ThreadTimelineListParams ThreadSearchOccurrencesParams ThreadSearchParams
    ExperimentalFeatureListParams ExperimentalFeatureEnablementSetParams
    ModelListParams PermissionProfileListParams ModelProviderListParams ModelProviderConfigWriteParams ModelProviderCapabilitiesReadParams
    CollaborationModeListParams ThreadSettingsUpdateParams
    ThreadGoalSetParams ThreadGoalGetParams ThreadGoalClearParams
    ThreadQueueAddParams ThreadQueueListParams ThreadQueueUpdateParams ThreadQueueDeleteParams ThreadQueueReorderParams
    ThreadQueueStartParams
    ThreadDeleteParams ThreadReadStateUpdateParams ThreadMemoryModeSetParams
    ThreadAttachmentAddParams ThreadAttachmentListParams ThreadAttachmentOwnerListParams ThreadAttachmentRemoveParams
    ThreadSectionListParams ThreadSectionCreateParams ThreadSectionUpdateParams ThreadSectionDeleteParams
    ThreadSectionMoveParams
    ProjectListParams ProjectReadParams ProjectCreateParams ProjectImportParams ProjectUpdateParams ProjectMoveParams
    ProjectDeleteParams
    CommandExecWriteParams CommandExecTerminateParams CommandExecResizeParams
    ProcessSpawnParams ProcessWriteStdinParams ProcessKillParams ProcessResizePtyParams
    SkillsConfigWriteParams SkillsExtraRootsSetParams SkillsListParams
    ConfigReadParams ConfigBatchWriteParams ConfigValueWriteParams HooksListParams
    FsReadFileParams FsWriteFileParams FsCreateDirectoryParams FsGetMetadataParams FsReadDirectoryParams
    FuzzyFileSearchParams FuzzyFileSearchSessionStartParams FuzzyFileSearchSessionUpdateParams
    FuzzyFileSearchSessionStopParams
    FsRemoveParams FsCopyParams FsWatchParams FsUnwatchParams
    ServerDiagnosticsParams MockExperimentalMethodParams MemoryStatusParams
    EnvironmentInfoParams EnvironmentStatusParams WindowsSandboxSetupStartParams
    RemoteControlEnableParams RemoteControlDisableParams RemoteControlPairingStartParams RemoteControlPairingStatusParams
    RemoteControlClientsListParams RemoteControlClientsRevokeParams
    UserVerificationStatusParams UserVerificationEnrollParams UserVerificationDeleteParams UserVerificationVerifyParams
    UserVerificationCancelParams
    AppsListParams AppsReadParams AppsInstalledParams
    FeedbackUploadParams GetConversationSummaryParams GitDiffToRemoteParams
    AccountSessionsListParams GetAccountRateLimitsParams ConsumeAccountRateLimitResetCreditParams
    GetAccountTokenUsageParams SendAddCreditsNudgeEmailParams GetAccountParams CancelLoginAccountParams GetAuthStatusParams
}

/// The experimental members of what the server sends. They are sent to everybody; only the stable schemas lack them.
#[cfg(test)]
const EXPERIMENTAL_RESULTS: &[(&str, &[&str])] = &[
    ("Config", &["apps"]),
    ("GetAccountResponse", &["workspace_routing"]),
    (
        "Thread",
        &[
            "environments",
            "extra",
            "attached_to_thread_id",
            "can_accept_direct_input",
            "daybreak_enabled",
        ],
    ),
    (
        "ThreadStartResponse",
        &["runtime_workspace_roots", "active_permission_profile", "multi_agent_mode"],
    ),
    (
        "ThreadResumeResponse",
        &[
            "runtime_workspace_roots",
            "active_permission_profile",
            "multi_agent_mode",
            "initial_turns_page",
        ],
    ),
    (
        "ThreadForkResponse",
        &["runtime_workspace_roots", "active_permission_profile", "multi_agent_mode"],
    ),
    ("ThreadReadResponse", &["read_state"]),
    ("ThreadListResponse", &["read_states"]),
    ("ThreadItemOutputDeferral", &["command_execution", "mcp_tool_call"]),
    ("ThreadItemEntry", &["output_deferred"]),
    ("ThreadSettings", &["environments", "multi_agent_mode"]),
    ("CommandExecutionRequestApprovalParams", &["additional_permissions", "available_decisions"]),
];

/// The experimental members of each type, in Rust's spelling.
#[cfg(test)]
pub(crate) fn experimental_members() -> Vec<(&'static str, Vec<&'static str>)> {
    let params = EXPERIMENTAL_PARAMS
        .iter()
        .map(|(name, members)| (*name, members.iter().copied().flatten().collect()));
    params
        .chain(EXPERIMENTAL_RESULTS.iter().map(|(name, members)| (*name, members.to_vec())))
        .collect()
}

/// A member's name on the wire.
pub(crate) fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests;
