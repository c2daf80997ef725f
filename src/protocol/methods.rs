//! The table: every method that goes over the wire, one row each, in the order in which errors and schemas list them.
//!
//! Each macro hands its rows to the macro that it is given, so that a reader takes of a row what it needs: the marker
//! types in [`super::method`], the routes of the server, the generated schemas. A row's last column is only tokens
//! here; the server resolves them to a handler. Readers need the types of `protocol` in scope.
//!
//! A client request's row says: name, method, params (`or null` if it can do without them) and response, stability, the
//! order key (requests with the same
//! key are served one after the other; `inline` is served before the next line is read, `none` waits for nobody,
//! `by(thread_id)` is keyed by that member of the params, `config` is one key for all that concerns the configuration, `account` one for who is signed in,
//! `watch(watch_id)` one for each watch of a connection, `search(session_id)` one for each search), and the handler.

/// What clients ask the server.
macro_rules! client_requests {
    ($($read:tt)+) => {
        $($read)+! {
            /// Opens a connection: says who the client is and what it can do.
            Initialize = "initialize" (InitializeParams) -> InitializeResponse, Stable, inline, initialize::initialize;
            /// Tells how the server is doing.
            ServerDiagnostics = "server/diagnostics" (ServerDiagnosticsParams) -> ServerDiagnosticsResponse, Experimental, none, diagnostics::read;
            /// Tells whether users can prove to be there.
            UserVerificationStatus = "userVerification/status" (UserVerificationStatusParams) -> UserVerificationStatusResponse, Experimental, none, user_verification::status;
            /// Makes the key that users prove to be there with.
            UserVerificationEnroll = "userVerification/enroll" (UserVerificationEnrollParams) -> UserVerificationEnrollResponse, Experimental, none, user_verification::enroll;
            /// Removes that key.
            UserVerificationDelete = "userVerification/delete" (UserVerificationDeleteParams) -> UserVerificationDeleteResponse, Experimental, none, user_verification::delete;
            /// Has the user prove to be there.
            UserVerificationVerify = "userVerification/verify" (UserVerificationVerifyParams) -> UserVerificationVerifyResponse, Experimental, none, user_verification::verify;
            /// Gives up waiting for the user.
            UserVerificationCancel = "userVerification/cancel" (UserVerificationCancelParams) -> UserVerificationCancelResponse, Experimental, none, user_verification::cancel;
            /// Creates a thread and follows it.
            ThreadStart = "thread/start" (ThreadStartParams) -> ThreadStartResponse, Stable, none, thread::start;
            /// Loads a stored thread and follows it.
            ThreadResume = "thread/resume" (ThreadResumeParams) -> ThreadResumeResponse, Stable, by(thread_id), thread::resume;
            /// Makes a thread from the history of another one and follows it.
            ThreadFork = "thread/fork" (ThreadForkParams) -> ThreadForkResponse, Stable, by(thread_id), thread_fork::fork;
            /// Drops a turn of a loaded thread and all that came after it.
            ThreadRevert = "thread/revert" (ThreadRevertParams) -> ThreadRevertResponse, Stable, by(thread_id), thread_fork::revert;
            /// Moves a thread to the archive.
            ThreadArchive = "thread/archive" (ThreadArchiveParams) -> ThreadArchiveResponse, Stable, by(thread_id), thread_archive::archive;
            /// Removes a thread for good.
            ThreadDelete = "thread/delete" (ThreadDeleteParams) -> ThreadDeleteResponse, Stable, by(thread_id), thread_archive::delete;
            /// Stops following a thread.
            ThreadUnsubscribe = "thread/unsubscribe" (ThreadUnsubscribeParams) -> ThreadUnsubscribeResponse, Stable, by(thread_id), thread::unsubscribe;
            /// Names a thread.
            ThreadSetName = "thread/name/set" (ThreadSetNameParams) -> ThreadSetNameResponse, Stable, by(thread_id), thread::set_name;
            /// Makes a thread's goal, or changes it.
            ThreadGoalSet = "thread/goal/set" (ThreadGoalSetParams) -> ThreadGoalSetResponse, Stable, by(thread_id), goal::set;
            /// Reads a thread's goal.
            ThreadGoalGet = "thread/goal/get" (ThreadGoalGetParams) -> ThreadGoalGetResponse, Stable, by(thread_id), goal::get;
            /// Takes a thread's goal away.
            ThreadGoalClear = "thread/goal/clear" (ThreadGoalClearParams) -> ThreadGoalClearResponse, Stable, by(thread_id), goal::clear;
            /// Puts a message at the end of a thread's queue.
            ThreadQueueAdd = "thread/queue/add" (ThreadQueueAddParams) -> ThreadQueueAddResponse, Experimental, by(thread_id), queue::add;
            /// Lists what waits in a thread's queue.
            ThreadQueueList = "thread/queue/list" (ThreadQueueListParams) -> ThreadQueueListResponse, Experimental, by(thread_id), queue::list;
            /// Changes what a waiting message says.
            ThreadQueueUpdate = "thread/queue/update" (ThreadQueueUpdateParams) -> ThreadQueueUpdateResponse, Experimental, by(thread_id), queue::update;
            /// Takes a message out of a thread's queue.
            ThreadQueueDelete = "thread/queue/delete" (ThreadQueueDeleteParams) -> ThreadQueueDeleteResponse, Experimental, by(thread_id), queue::delete;
            /// Puts a thread's queue into another order.
            ThreadQueueReorder = "thread/queue/reorder" (ThreadQueueReorderParams) -> ThreadQueueReorderResponse, Experimental, by(thread_id), queue::reorder;
            /// Sends a waiting message now.
            ThreadQueueStart = "thread/queue/start" (ThreadQueueStartParams) -> ThreadQueueStartResponse, Experimental, by(thread_id), queue::start;
            /// Changes what is noted of a thread.
            ThreadMetadataUpdate = "thread/metadata/update" (ThreadMetadataUpdateParams) -> ThreadMetadataUpdateResponse, Stable, by(thread_id), thread_metadata::update;
            /// Hangs a value on a thread.
            ThreadAttachmentAdd = "thread/attachment/add" (ThreadAttachmentAddParams) -> ThreadAttachmentAddResponse, Stable, by(thread_id), attachment::add;
            /// Lists the values that hang on a thread.
            ThreadAttachmentList = "thread/attachment/list" (ThreadAttachmentListParams) -> ThreadAttachmentListResponse, Stable, by(thread_id), attachment::list;
            /// Lists the threads that a value hangs on.
            ThreadAttachmentOwnerList = "thread/attachmentOwner/list" (ThreadAttachmentOwnerListParams) -> ThreadAttachmentOwnerListResponse, Stable, none, attachment::owners;
            /// Takes a value off a thread.
            ThreadAttachmentRemove = "thread/attachment/remove" (ThreadAttachmentRemoveParams) -> ThreadAttachmentRemoveResponse, Stable, by(thread_id), attachment::remove;
            /// Puts a thread into a section.
            ThreadSectionMove = "thread/section/move" (ThreadSectionMoveParams) -> ThreadSectionMoveResponse, Stable, by(thread_id), section::r#move;
            /// Changes settings of a thread without a turn.
            ThreadSettingsUpdate = "thread/settings/update" (ThreadSettingsUpdateParams) -> ThreadSettingsUpdateResponse, Experimental, by(thread_id), thread_settings::update;
            /// Says whether a thread may be remembered.
            ThreadMemoryModeSet = "thread/memoryMode/set" (ThreadMemoryModeSetParams) -> ThreadMemoryModeSetResponse, Experimental, by(thread_id), thread_metadata::set_memory_mode;
            /// Marks a thread as read or unread.
            ThreadReadStateUpdate = "thread/readState/update" (ThreadReadStateUpdateParams) -> ThreadReadStateUpdateResponse, Experimental, by(thread_id), read_state::update;
            /// Tells how much has been learnt from earlier threads.
            MemoryStatus = "memory/status" (MemoryStatusParams) -> MemoryStatusResponse, Experimental, none, memory::status;
            /// Forgets what has been learnt from earlier threads.
            MemoryReset = "memory/reset" -> MemoryResetResponse, Experimental, none, memory::reset;
            /// Takes a thread out of the archive.
            ThreadUnarchive = "thread/unarchive" (ThreadUnarchiveParams) -> ThreadUnarchiveResponse, Stable, by(thread_id), thread_archive::unarchive;
            /// Lists stored threads.
            ThreadList = "thread/list" (ThreadListParams) -> ThreadListResponse, Stable, none, thread_list::list;
            /// Lists the projects.
            ProjectList = "project/list" (ProjectListParams) -> ProjectListResponse, Experimental, none, project::list;
            /// Reads a project.
            ProjectRead = "project/read" (ProjectReadParams) -> ProjectReadResponse, Experimental, none, project::read;
            /// Makes a project.
            ProjectCreate = "project/create" (ProjectCreateParams) -> ProjectCreateResponse, Experimental, none, project::create;
            /// Makes a project of threads that exist.
            ProjectImport = "project/import" (ProjectImportParams) -> ProjectImportResponse, Experimental, none, project::import;
            /// Changes a project.
            ProjectUpdate = "project/update" (ProjectUpdateParams) -> ProjectUpdateResponse, Experimental, none, project::update;
            /// Gives a project another place in the order.
            ProjectMove = "project/move" (ProjectMoveParams) -> ProjectMoveResponse, Experimental, none, project::r#move;
            /// Removes a project.
            ProjectDelete = "project/delete" (ProjectDeleteParams) -> ProjectDeleteResponse, Experimental, none, project::delete;
            /// Lists the sections.
            ThreadSectionList = "threadSection/list" (ThreadSectionListParams) -> ThreadSectionListResponse, Stable, none, section::list;
            /// Makes a section.
            ThreadSectionCreate = "threadSection/create" (ThreadSectionCreateParams) -> ThreadSectionCreateResponse, Stable, none, section::create;
            /// Changes a section.
            ThreadSectionUpdate = "threadSection/update" (ThreadSectionUpdateParams) -> ThreadSectionUpdateResponse, Stable, none, section::update;
            /// Removes a section.
            ThreadSectionDelete = "threadSection/delete" (ThreadSectionDeleteParams) -> ThreadSectionDeleteResponse, Stable, none, section::delete;
            /// Finds a text in all threads.
            ThreadSearch = "thread/search" (ThreadSearchParams) -> ThreadSearchResponse, Experimental, none, thread_search::search;
            /// Finds a text in a thread.
            ThreadSearchOccurrences = "thread/searchOccurrences" (ThreadSearchOccurrencesParams) -> ThreadSearchOccurrencesResponse, Experimental, by(thread_id), occurrences::search;
            /// Lists the threads that are loaded.
            ThreadLoadedList = "thread/loaded/list" (ThreadLoadedListParams) -> ThreadLoadedListResponse, Stable, none, thread_list::loaded;
            /// Reads a stored thread without loading it.
            ThreadRead = "thread/read" (ThreadReadParams) -> ThreadReadResponse, Stable, by(thread_id), thread::read;
            /// Lists the turns of a thread, page by page.
            ThreadTurnsList = "thread/turns/list" (ThreadTurnsListParams) -> ThreadTurnsListResponse, Stable, by(thread_id), thread_list::turns;
            /// Lists the finished items of a thread, page by page.
            ThreadItemsList = "thread/items/list" (ThreadItemsListParams) -> ThreadItemsListResponse, Stable, by(thread_id), history::items;
            /// Reads items of a turn.
            ThreadItemsRead = "thread/items/read" (ThreadItemsReadParams) -> ThreadItemsReadResponse, Experimental, by(thread_id), history::read_items;
            /// Adds to what the model of a thread has seen, without a turn.
            ThreadInjectItems = "thread/inject_items" (ThreadInjectItemsParams) -> ThreadInjectItemsResponse, Stable, by(thread_id), thread_fork::inject;
            /// Compacts what the model knows of a thread, in a turn of its own.
            ThreadCompactStart = "thread/compact/start" (ThreadCompactStartParams) -> ThreadCompactStartResponse, Stable, by(thread_id), turn::compact;
            /// Runs a command of the user's own, without a sandbox.
            ThreadShellCommand = "thread/shellCommand" (ThreadShellCommandParams) -> ThreadShellCommandResponse, Stable, by(thread_id), turn::shell_command;
            /// Lets a model do what an automatic review has refused.
            ThreadApproveGuardianDeniedAction = "thread/approveGuardianDeniedAction" (ThreadApproveGuardianDeniedActionParams) -> ThreadApproveGuardianDeniedActionResponse, Stable, by(thread_id), turn::approve_denied;
            /// Lists the commands of a thread's agent that run.
            ThreadBackgroundTerminalsList = "thread/backgroundTerminals/list" (ThreadBackgroundTerminalsListParams) -> ThreadBackgroundTerminalsListResponse, Experimental, by(thread_id), terminal::list;
            /// Kills a command of a thread's agent.
            ThreadBackgroundTerminalsTerminate = "thread/backgroundTerminals/terminate" (ThreadBackgroundTerminalsTerminateParams) -> ThreadBackgroundTerminalsTerminateResponse, Experimental, by(thread_id), terminal::terminate;
            /// Kills all commands of a thread's agent.
            ThreadBackgroundTerminalsClean = "thread/backgroundTerminals/clean" (ThreadBackgroundTerminalsCleanParams) -> ThreadBackgroundTerminalsCleanResponse, Experimental, by(thread_id), terminal::clean;
            /// Reviews a change, in a turn of its own.
            ReviewStart = "review/start" (ReviewStartParams) -> ReviewStartResponse, Stable, by(thread_id), turn::review;
            /// Lists the skills that threads have.
            SkillsList = "skills/list" (SkillsListParams) -> SkillsListResponse, Stable, none, skill::list;
            /// Replaces the folders that are searched for skills besides the usual ones.
            SkillsExtraRootsSet = "skills/extraRoots/set" (SkillsExtraRootsSetParams) -> SkillsExtraRootsSetResponse, Stable, none, skill::set_extra_roots;
            /// Reads what is known of apps.
            AppsRead = "app/read" (AppsReadParams) -> AppsReadResponse, Stable, none, app::read;
            /// Lists the apps that there are.
            AppsList = "app/list" (AppsListParams) -> AppsListResponse, Stable, none, app::list;
            /// Lists the apps that can be used.
            AppsInstalled = "app/installed" (AppsInstalledParams) -> AppsInstalledResponse, Stable, none, app::installed;
            /// Reads a file.
            FsReadFile = "fs/readFile" (FsReadFileParams) -> FsReadFileResponse, Stable, none, fs::read_file;
            /// Writes a file.
            FsWriteFile = "fs/writeFile" (FsWriteFileParams) -> FsWriteFileResponse, Stable, none, fs::write_file;
            /// Makes a folder.
            FsCreateDirectory = "fs/createDirectory" (FsCreateDirectoryParams) -> FsCreateDirectoryResponse, Stable, none, fs::create_directory;
            /// Asks what a path names.
            FsGetMetadata = "fs/getMetadata" (FsGetMetadataParams) -> FsGetMetadataResponse, Stable, none, fs::metadata;
            /// Lists a folder.
            FsReadDirectory = "fs/readDirectory" (FsReadDirectoryParams) -> FsReadDirectoryResponse, Stable, none, fs::read_directory;
            /// Removes a file, a folder or a link.
            FsRemove = "fs/remove" (FsRemoveParams) -> FsRemoveResponse, Stable, none, fs::remove;
            /// Copies a file, a link or a folder.
            FsCopy = "fs/copy" (FsCopyParams) -> FsCopyResponse, Stable, none, fs::copy;
            /// Asks to be told of changes.
            FsWatch = "fs/watch" (FsWatchParams) -> FsWatchResponse, Stable, watch(watch_id), fs::watch;
            /// Ends a watch.
            FsUnwatch = "fs/unwatch" (FsUnwatchParams) -> FsUnwatchResponse, Stable, watch(watch_id), fs::unwatch;
            /// Switches a skill on or off.
            SkillsConfigWrite = "skills/config/write" (SkillsConfigWriteParams) -> SkillsConfigWriteResponse, Stable, none, skill::write_config;
            /// Lists the hooks that hold for working directories.
            HooksList = "hooks/list" (HooksListParams) -> HooksListResponse, Stable, config, hook::list;
            /// Gives the agent something to do.
            TurnStart = "turn/start" (TurnStartParams) -> TurnStartResponse, Stable, by(thread_id), turn::start;
            /// Adds input to the running turn.
            TurnSteer = "turn/steer" (TurnSteerParams) -> TurnSteerResponse, Stable, by(thread_id), turn::steer;
            /// Changes what the running turn goes on with.
            TurnSettingsUpdate = "turn/settings/update" (TurnSettingsUpdateParams) -> TurnSettingsUpdateResponse, Experimental, by(thread_id), turn::update_settings;
            /// Stops the running turn.
            TurnInterrupt = "turn/interrupt" (TurnInterruptParams) -> TurnInterruptResponse, Stable, by(thread_id), turn::interrupt;
            /// Lists what happened in a thread, page by page.
            ThreadTimelineList = "thread/timeline/list" (ThreadTimelineListParams) -> ThreadTimelineListResponse, Experimental, by(thread_id), history::timeline;
            /// Lists the models that can be chosen.
            ModelList = "model/list" (ModelListParams) -> ModelListResponse, Stable, none, model::list;
            /// Lists the providers of models.
            ModelProviderList = "modelProvider/list" (ModelProviderListParams) -> ModelProviderListResponse, Stable, none, model::providers;
            /// Adds a provider to the configuration, or changes one there.
            ModelProviderConfigWrite = "modelProvider/config/write" (ModelProviderConfigWriteParams) -> ModelProviderConfigWriteResponse, Stable, none, model::write_provider;
            /// Asks what the current provider offers besides text.
            ModelProviderCapabilitiesRead = "modelProvider/capabilities/read" (ModelProviderCapabilitiesReadParams) -> ModelProviderCapabilitiesReadResponse, Stable, none, model::capabilities;
            /// Has the server be reached from elsewhere.
            RemoteControlEnable = "remoteControl/enable" (RemoteControlEnableParams or null) -> RemoteControlEnableResponse, Experimental, none, remote_control::enable;
            /// Has the server not be reached from elsewhere any more.
            RemoteControlDisable = "remoteControl/disable" (RemoteControlDisableParams or null) -> RemoteControlDisableResponse, Experimental, none, remote_control::disable;
            /// Tells whether the server can be reached from elsewhere.
            RemoteControlStatusRead = "remoteControl/status/read" -> RemoteControlStatusReadResponse, Experimental, none, remote_control::read_status;
            /// Begins to make another device known.
            RemoteControlPairingStart = "remoteControl/pairing/start" (RemoteControlPairingStartParams) -> RemoteControlPairingStartResponse, Experimental, none, remote_control::start_pairing;
            /// Asks whether another device has been made known.
            RemoteControlPairingStatus = "remoteControl/pairing/status" (RemoteControlPairingStatusParams) -> RemoteControlPairingStatusResponse, Experimental, none, remote_control::pairing_status;
            /// Lists the devices that are known.
            RemoteControlClientsList = "remoteControl/client/list" (RemoteControlClientsListParams) -> RemoteControlClientsListResponse, Experimental, none, remote_control::clients;
            /// Forgets a device.
            RemoteControlClientsRevoke = "remoteControl/client/revoke" (RemoteControlClientsRevokeParams) -> RemoteControlClientsRevokeResponse, Experimental, none, remote_control::revoke;
            /// Lists the ways of working with the user.
            CollaborationModeList = "collaborationMode/list" (CollaborationModeListParams) -> CollaborationModeListResponse, Experimental, none, model::modes;
            /// Lists the features that configurations may name.
            ExperimentalFeatureList = "experimentalFeature/list" (ExperimentalFeatureListParams) -> ExperimentalFeatureListResponse, Stable, none, feature::list;
            /// Switches features for the life of the process.
            ExperimentalFeatureEnablementSet = "experimentalFeature/enablement/set" (ExperimentalFeatureEnablementSetParams) -> ExperimentalFeatureEnablementSetResponse, Stable, config, feature::switch;
            /// Sends back what it is sent, for tests of clients.
            MockExperimentalMethod = "mock/experimentalMethod" (MockExperimentalMethodParams) -> MockExperimentalMethodResponse, Experimental, none, diagnostics::echo;
            /// Describes a place where commands run.
            EnvironmentInfo = "environment/info" (EnvironmentInfoParams) -> EnvironmentInfoResponse, Experimental, none, environment::info;
            /// Asks whether a place is there where commands run.
            EnvironmentStatus = "environment/status" (EnvironmentStatusParams) -> EnvironmentStatusResponse, Experimental, none, environment::status;
            /// Lists the permission profiles that can be chosen.
            PermissionProfileList = "permissionProfile/list" (PermissionProfileListParams) -> PermissionProfileListResponse, Stable, none, permission::list;
            /// Runs a command for the client.
            OneOffCommandExec = "command/exec" (CommandExecParams) -> CommandExecResponse, Stable, inline, command::exec;
            /// Gives a command of the client's input.
            CommandExecWrite = "command/exec/write" (CommandExecWriteParams) -> CommandExecWriteResponse, Stable, inline, command::write;
            /// Kills a command of the client's.
            CommandExecTerminate = "command/exec/terminate" (CommandExecTerminateParams) -> CommandExecTerminateResponse, Stable, inline, command::terminate;
            /// Gives the terminal of a command of the client's another size.
            CommandExecResize = "command/exec/resize" (CommandExecResizeParams) -> CommandExecResizeResponse, Stable, inline, command::resize;
            /// Starts a process for the client, without a sandbox.
            ProcessSpawn = "process/spawn" (ProcessSpawnParams) -> ProcessSpawnResponse, Experimental, inline, process::spawn;
            /// Gives a process of the client's input.
            ProcessWriteStdin = "process/writeStdin" (ProcessWriteStdinParams) -> ProcessWriteStdinResponse, Experimental, inline, process::write_stdin;
            /// Kills a process of the client's.
            ProcessKill = "process/kill" (ProcessKillParams) -> ProcessKillResponse, Experimental, inline, process::kill;
            /// Gives the terminal of a process of the client's another size.
            ProcessResizePty = "process/resizePty" (ProcessResizePtyParams) -> ProcessResizePtyResponse, Experimental, inline, process::resize;
            /// Reads the configuration.
            ConfigRead = "config/read" (ConfigReadParams) -> ConfigReadResponse, Stable, config, config::read;
            /// Sets one value of the user's configuration.
            ConfigValueWrite = "config/value/write" (ConfigValueWriteParams) -> ConfigWriteResponse, Stable, config, config::write;
            /// Lists the servers of the Model Context Protocol.
            McpServerStatusList = "mcpServerStatus/list" (ListMcpServerStatusParams) -> ListMcpServerStatusResponse, Stable, none, mcp_status::list;
            /// Reads a resource of a server.
            McpServerResourceRead = "mcpServer/resource/read" (McpResourceReadParams) -> McpResourceReadResponse, Stable, none, mcp_status::read;
            /// Begins a sign-in to a server of the Model Context Protocol.
            McpServerOauthLogin = "mcpServer/oauth/login" (McpServerOauthLoginParams) -> McpServerOauthLoginResponse, Stable, none, mcp_login::login;
            /// Has threads take the servers that the configuration names now.
            McpServerRefresh = "config/mcpServer/reload" -> McpServerRefreshResponse, Stable, config, mcp_status::reload;
            /// Calls a tool of a server for the user.
            McpServerToolCall = "mcpServer/tool/call" (McpServerToolCallParams) -> McpServerToolCallResponse, Stable, none, mcp::call_tool;
            /// Sets up the sandbox of Windows.
            WindowsSandboxSetupStart = "windowsSandbox/setupStart" (WindowsSandboxSetupStartParams) -> WindowsSandboxSetupStartResponse, Stable, none, windows::start_setup;
            /// Asks whether the sandbox of Windows is set up.
            WindowsSandboxReadiness = "windowsSandbox/readiness" -> WindowsSandboxReadinessResponse, Stable, none, windows::readiness;
            /// Sends the makers what went wrong.
            FeedbackUpload = "feedback/upload" (FeedbackUploadParams) -> FeedbackUploadResponse, Stable, none, feedback::upload;
            /// Makes several changes to the user's configuration.
            ConfigBatchWrite = "config/batchWrite" (ConfigBatchWriteParams) -> ConfigWriteResponse, Stable, config, config::batch_write;
            /// Reads what is stored of a thread.
            GetConversationSummary = "getConversationSummary" (GetConversationSummaryParams) -> GetConversationSummaryResponse, Unlisted, none, legacy::summary;
            /// Compares a work tree with what its remote knows.
            GitDiffToRemote = "gitDiffToRemote" (GitDiffToRemoteParams) -> GitDiffToRemoteResponse, Unlisted, none, legacy::diff_to_remote;
            /// Finds files by a few letters of their paths.
            FuzzyFileSearch = "fuzzyFileSearch" (FuzzyFileSearchParams) -> FuzzyFileSearchResponse, Stable, none, search::search;
            /// Begins a search that follows what the user types.
            FuzzyFileSearchSessionStart = "fuzzyFileSearch/sessionStart" (FuzzyFileSearchSessionStartParams) -> FuzzyFileSearchSessionStartResponse, Experimental, search(session_id), search::start;
            /// Replaces the query of such a search.
            FuzzyFileSearchSessionUpdate = "fuzzyFileSearch/sessionUpdate" (FuzzyFileSearchSessionUpdateParams) -> FuzzyFileSearchSessionUpdateResponse, Experimental, search(session_id), search::update;
            /// Ends such a search.
            FuzzyFileSearchSessionStop = "fuzzyFileSearch/sessionStop" (FuzzyFileSearchSessionStopParams) -> FuzzyFileSearchSessionStopResponse, Experimental, search(session_id), search::stop;
            /// Says who is signed in.
            GetAccount = "account/read" (GetAccountParams) -> GetAccountResponse, Stable, account, account::read;
            /// Signs in.
            LoginAccount = "account/login/start" (LoginAccountParams) -> LoginAccountResponse, Stable, account, login::start;
            /// Gives a sign-in up.
            CancelLoginAccount = "account/login/cancel" (CancelLoginAccountParams) -> CancelLoginAccountResponse, Stable, account, login::cancel;
            /// Signs out.
            LogoutAccount = "account/logout" -> LogoutAccountResponse, Stable, account, account::logout;
            /// Lists the accounts that are signed in.
            AccountSessionsList = "accountSession/list" (AccountSessionsListParams) -> AccountSessionsResponse, Experimental, none, usage::sessions;
            /// Says what the account may still use.
            GetAccountRateLimits = "account/rateLimits/read" (GetAccountRateLimitsParams or null) -> GetAccountRateLimitsResponse, Stable, none, usage::limits;
            /// Begins the window of a limit that has been reached anew.
            ConsumeAccountRateLimitResetCredit = "account/rateLimitResetCredit/consume" (ConsumeAccountRateLimitResetCreditParams) -> ConsumeAccountRateLimitResetCreditResponse, Stable, none, usage::reset;
            /// Says what the account has used.
            GetAccountTokenUsage = "account/usage/read" (GetAccountTokenUsageParams or null) -> GetAccountTokenUsageResponse, Stable, none, usage::tokens;
            /// Lists what the account's workspace tells its members.
            GetWorkspaceMessages = "account/workspaceMessages/read" -> GetWorkspaceMessagesResponse, Stable, none, usage::messages;
            /// Has the owner of the workspace be told that there is not enough.
            SendAddCreditsNudgeEmail = "account/sendAddCreditsNudgeEmail" (SendAddCreditsNudgeEmailParams) -> SendAddCreditsNudgeEmailResponse, Stable, none, usage::nudge;
            /// Says how requests are authorized, for older clients.
            GetAuthStatus = "getAuthStatus" (GetAuthStatusParams) -> GetAuthStatusResponse, Unlisted, account, account::status;
        }
    };
}
pub(crate) use client_requests;

/// What the server asks clients.
macro_rules! server_requests {
    ($($read:tt)+) => {
        $($read)+! {
            /// Asks whether a command may run.
            CommandExecutionRequestApproval = "item/commandExecution/requestApproval" (CommandExecutionRequestApprovalParams) -> CommandExecutionRequestApprovalResponse;
            /// Asks whether files may be changed.
            FileChangeRequestApproval = "item/fileChange/requestApproval" (FileChangeRequestApprovalParams) -> FileChangeRequestApprovalResponse;
            /// Asks whether commands and edits may do more than the policy allows.
            PermissionsRequestApproval = "item/permissions/requestApproval" (PermissionsRequestApprovalParams) -> PermissionsRequestApprovalResponse;
            /// Asks the user what the model wants to know.
            ToolRequestUserInput = "item/tool/requestUserInput" (ToolRequestUserInputParams) -> ToolRequestUserInputResponse;
            /// Asks the user for a server of the Model Context Protocol: about a tool, or what the server wants to know.
            McpServerElicitation = "mcpServer/elicitation/request" (McpServerElicitationRequestParams) -> McpServerElicitationRequestResponse;
            /// Has the client run one of its tools for the model.
            DynamicToolCall = "item/tool/call" (DynamicToolCallParams) -> DynamicToolCallResponse;
            /// Has the client renew the tokens that it has signed in with.
            ChatgptAuthTokensRefresh = "account/chatgptAuthTokens/refresh" (ChatgptAuthTokensRefreshParams) -> ChatgptAuthTokensRefreshResponse;
        }
    };
}
pub(crate) use server_requests;

/// What the server tells clients.
macro_rules! server_notifications {
    ($($read:tt)+) => {
        $($read)+! {
            /// Tells that a turn has met an error, and whether it goes on trying.
            Error = "error" (ErrorNotification);
            /// Tells that a thread has been created or loaded.
            ThreadStarted = "thread/started" (ThreadStartedNotification);
            /// Tells what a thread does now.
            ThreadStatusChanged = "thread/status/changed" (ThreadStatusChangedNotification);
            /// Tells that a thread has been archived.
            ThreadArchived = "thread/archived" (ThreadArchivedNotification);
            /// Tells that a thread has been removed.
            ThreadDeleted = "thread/deleted" (ThreadDeletedNotification);
            /// Tells that a thread has been taken out of the archive.
            ThreadUnarchived = "thread/unarchived" (ThreadUnarchivedNotification);
            /// Tells that the end of a thread's history has been dropped.
            ThreadReverted = "thread/reverted" (ThreadRevertedNotification);
            /// Tells that a thread has been unloaded.
            ThreadClosed = "thread/closed" (ThreadClosedNotification);
            /// Tells a thread's new name.
            ThreadNameUpdated = "thread/name/updated" (ThreadNameUpdatedNotification);
            /// Tells that there is something to read in a thread, or that it has been read.
            ThreadReadStateChanged = "thread/readState/changed" (ThreadReadStateChangedNotification);
            /// Tells that a thread has been moved to another section, or within one.
            ThreadSectionChanged = "thread/section/changed" (ThreadSectionChangedNotification);
            /// Tells that a value has been hung on a thread, or taken off it.
            ThreadAttachmentUpdated = "thread/attachment/updated" (ThreadAttachmentUpdatedNotification);
            /// Tells that a list of skills may not be right any more.
            SkillsChanged = "skills/changed" (SkillsChangedNotification);
            /// Tells how a thread's goal stands now.
            ThreadGoalUpdated = "thread/goal/updated" (ThreadGoalUpdatedNotification);
            /// Tells that a thread has no goal (any more).
            ThreadGoalCleared = "thread/goal/cleared" (ThreadGoalClearedNotification);
            /// Tells the settings that a thread's next turn has.
            ThreadSettingsUpdated = "thread/settings/updated" (ThreadSettingsUpdatedNotification);
            /// Tells that a thread's queue is not what it was.
            ThreadQueueChanged = "thread/queue/changed" (ThreadQueueChangedNotification);
            /// Tells that a project is not what it was.
            ProjectChanged = "project/changed" (ProjectChangedNotification);
            /// Tells that a thread belongs to another project.
            ThreadProjectUpdated = "thread/project/updated" (ThreadProjectUpdatedNotification);
            /// Tells what a thread has used.
            ThreadTokenUsageUpdated = "thread/tokenUsage/updated" (ThreadTokenUsageUpdatedNotification);
            /// Tells that a turn runs.
            TurnStarted = "turn/started" (TurnStartedNotification);
            /// Tells that a hook runs.
            HookStarted = "hook/started" (HookStartedNotification);
            /// Tells that a turn has ended, and how.
            TurnCompleted = "turn/completed" (TurnCompletedNotification);
            /// Tells how a hook has run.
            HookCompleted = "hook/completed" (HookCompletedNotification);
            /// Tells what the turn has changed so far.
            TurnDiffUpdated = "turn/diff/updated" (TurnDiffUpdatedNotification);
            /// Tells the steps of the agent's work.
            TurnPlanUpdated = "turn/plan/updated" (TurnPlanUpdatedNotification);
            /// Tells that an item has begun.
            ItemStarted = "item/started" (ItemStartedNotification);
            /// Tells an item's final state.
            ItemCompleted = "item/completed" (ItemCompletedNotification);
            /// Adds text to an agent message.
            AgentMessageDelta = "item/agentMessage/delta" (AgentMessageDeltaNotification);
            /// Adds text to a plan.
            PlanDelta = "item/plan/delta" (PlanDeltaNotification);
            /// Adds output to a command.
            CommandExecutionOutputDelta = "item/commandExecution/outputDelta" (CommandExecutionOutputDeltaNotification);
            /// Tells output of a command to the client that runs it.
            CommandExecOutputDelta = "command/exec/outputDelta" (CommandExecOutputDeltaNotification);
            /// Tells output of a process to the client that runs it.
            ProcessOutputDelta = "process/outputDelta" (ProcessOutputDeltaNotification);
            /// Tells the end of a process to the client that ran it.
            ProcessExited = "process/exited" (ProcessExitedNotification);
            /// Tells what was typed into a running command.
            TerminalInteraction = "item/commandExecution/terminalInteraction" (TerminalInteractionNotification);
            /// Tells what a patch does that the agent is still writing.
            FileChangePatchUpdated = "item/fileChange/patchUpdated" (FileChangePatchUpdatedNotification);
            /// Tells what a server says of a call that runs.
            McpToolCallProgress = "item/mcpToolCall/progress" (McpToolCallProgressNotification);
            /// Tells how a sign-in to a server has ended.
            McpServerOauthLoginCompleted = "mcpServer/oauthLogin/completed" (McpServerOauthLoginCompletedNotification);
            /// Tells how far the start of a server is.
            McpServerStartupStatusUpdated = "mcpServer/startupStatus/updated" (McpServerStatusUpdatedNotification);
            /// Tells that a model looks at what would be asked of the user.
            ItemAutoApprovalReviewStarted = "item/autoApprovalReview/started" (ItemGuardianApprovalReviewStartedNotification);
            /// Tells what such a review has come to.
            ItemAutoApprovalReviewCompleted = "item/autoApprovalReview/completed" (ItemGuardianApprovalReviewCompletedNotification);
            /// Tells the user how reviews by a model have gone.
            GuardianWarning = "guardianWarning" (GuardianWarningNotification);
            /// Tells that a request to the client needs no answer any more.
            ServerRequestResolved = "serverRequest/resolved" (ServerRequestResolvedNotification);
            /// Tells that another model answers than the one that was asked.
            ModelRerouted = "model/rerouted" (ModelReroutedNotification);
            /// Tells that the provider wants the account to be verified.
            ModelVerification = "model/verification" (ModelVerificationNotification);
            /// Tells that somebody else, or nobody, is signed in.
            AccountUpdated = "account/updated" (AccountUpdatedNotification);
            /// Tells that a sign-in is over.
            AccountLoginCompleted = "account/login/completed" (AccountLoginCompletedNotification);
            /// Tells what a provider said of its limits.
            AccountRateLimitsUpdated = "account/rateLimits/updated" (AccountRateLimitsUpdatedNotification);
            /// Tells whether the server is under remote control.
            RemoteControlStatusChanged = "remoteControl/status/changed" (RemoteControlStatusChangedNotification);
            /// Tells what has changed under a watch.
            FsChanged = "fs/changed" (FsChangedNotification);
            /// Adds text to a reasoning summary.
            ReasoningSummaryTextDelta = "item/reasoning/summaryTextDelta" (ReasoningSummaryTextDeltaNotification);
            /// Tells that a reasoning summary has a further part.
            ReasoningSummaryPartAdded = "item/reasoning/summaryPartAdded" (ReasoningSummaryPartAddedNotification);
            /// Adds text to the reasoning itself.
            ReasoningTextDelta = "item/reasoning/textDelta" (ReasoningTextDeltaNotification);
            /// Tells something that the user should know.
            Warning = "warning" (WarningNotification);
            /// Tells that something in use will go away.
            DeprecationNotice = "deprecationNotice" (DeprecationNoticeNotification);
            /// Tells that a part of the configuration is not used.
            ConfigWarning = "configWarning" (ConfigWarningNotification);
            /// Tells what a search has found so far.
            FuzzyFileSearchSessionUpdated = "fuzzyFileSearch/sessionUpdated" (FuzzyFileSearchSessionUpdatedNotification);
            /// Tells that a search has found all that there is.
            FuzzyFileSearchSessionCompleted = "fuzzyFileSearch/sessionCompleted" (FuzzyFileSearchSessionCompletedNotification);
            /// Tells how setting up the sandbox of Windows has ended.
            WindowsSandboxSetupCompleted = "windowsSandbox/setupCompleted" (WindowsSandboxSetupCompletedNotification);
        }
    };
}
pub(crate) use server_notifications;

/// What clients tell the server.
#[cfg(test)]
macro_rules! client_notifications {
    ($($read:tt)+) => {
        $($read)+! {
            /// Confirms the handshake; nothing waits for it.
            Initialized = "initialized";
        }
    };
}
#[cfg(test)]
pub(crate) use client_notifications;
