//! What a call may know of its thread: settings and shared means, as they were when the turn began.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Deferral, DynamicTools};
use crate::config::Effective;
use crate::config::profile::FileRule;
use crate::exec::{
    EnvironmentPolicy, Identity, Shell, Startup, Terminals, Truncation, base_set, shell_environment,
};
use crate::extension::hooks::TurnHooks;
use crate::mcp::Servers;
use crate::model::catalog::ModelInfo;
use crate::policy::grant::Grants;
use crate::policy::rules::Rules;
use crate::protocol::{
    ApprovalsReviewer, AskForApproval, ItemId, ModeKind, NetworkAccess, SandboxPolicy, ThreadId,
};
use crate::thread::{Agents, Environment};

pub(crate) struct Scene {
    pub(crate) thread: ThreadId,
    pub(crate) home: PathBuf,
    pub(crate) config: Arc<Effective>,
    pub(crate) model: String,
    pub(crate) model_info: Arc<ModelInfo>,
    pub(crate) mode: ModeKind,
    pub(crate) role: Role,
    /// How to work with agents; `None` where there can be none.
    pub(crate) agents: Option<Agents>,
    pub(crate) runs_on: Environment,
    pub(crate) cwd: PathBuf,
    pub(crate) approval_policy: AskForApproval,
    /// Who answers what would be asked of the user.
    pub(crate) reviewer: ApprovalsReviewer,
    pub(crate) sandbox: SandboxPolicy,
    /// The named permission profile that the sandbox comes from.
    pub(crate) profile: Option<String>,
    /// What that profile says of single paths.
    pub(crate) files: Vec<FileRule>,
    /// The folders of the workspace.
    pub(crate) workspace: Vec<PathBuf>,
    /// Folders that patches may write without a question.
    pub(crate) writable_roots: Vec<PathBuf>,
    /// The MCP servers of the thread.
    pub(crate) servers: Arc<Servers>,
    /// The tools that the client runs.
    pub(crate) dynamic_tools: Arc<DynamicTools>,
    /// Whether tools are searched for.
    pub(crate) deferral: Deferral,
    pub(crate) shell: Shell,
    pub(crate) allow_login_shell: AllowLogin,
    pub(crate) environment: EnvironmentPolicy,
    /// How much output the model is shown.
    pub(crate) truncation: Truncation,
    /// The longest wait for output of a command that is only looked at, in milliseconds.
    pub(crate) max_poll_ms: u64,
    pub(crate) rules: Arc<Mutex<Rules>>,
    pub(crate) terminals: Arc<Terminals>,
    /// What the user has allowed for as long as the thread is loaded.
    pub(crate) grants: Arc<Mutex<Grants>>,
    /// What runs around calls; `None` where no hook may run.
    pub(crate) hooks: Option<TurnHooks>,
}

/// What the model of a scene is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Worker,
    Reviewer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllowLogin {
    Yes,
    No,
}

impl Scene {
    pub(super) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How shells start when nobody says it.
    pub(crate) fn startup(&self) -> Startup {
        match self.allow_login_shell {
            AllowLogin::Yes => Startup::Login,
            AllowLogin::No => Startup::Plain,
        }
    }

    /// The environment of the command that belongs to an item, `extra` included.
    pub(crate) fn command_environment(
        &self,
        item: &ItemId,
        extra: Vec<(OsString, OsString)>,
    ) -> Vec<(OsString, OsString)> {
        let thread = self.thread.as_str();
        let identity = Identity {
            thread,
            session: thread,
            call: item.as_str(),
            version: crate::COMPATIBLE_VERSION,
        };
        let base = base_set(identity).into_iter().chain(extra);
        shell_environment(&self.environment, std::env::vars_os(), base)
    }

    pub(super) fn network_is_restricted(&self) -> bool {
        match &self.sandbox {
            SandboxPolicy::DangerFullAccess => false,
            SandboxPolicy::ExternalSandbox { network_access } => {
                *network_access == NetworkAccess::Restricted
            }
            SandboxPolicy::ReadOnly { network_access }
            | SandboxPolicy::WorkspaceWrite { network_access, .. } => !network_access,
        }
    }
}

#[cfg(test)]
impl Scene {
    /// A scene in which a model of this name works with the defaults.
    pub(super) fn of_model(model: &str) -> Self {
        use std::collections::BTreeMap;
        use std::path::Path;

        use crate::mcp::Pool;

        Self {
            thread: ThreadId::from(String::new()),
            home: PathBuf::new(),
            config: Arc::default(),
            model: model.to_owned(),
            model_info: Arc::new(ModelInfo::unknown(model)),
            mode: ModeKind::Default,
            role: Role::Worker,
            hooks: None,
            agents: None,
            runs_on: Environment::Local,
            cwd: PathBuf::from("/"),
            approval_policy: AskForApproval::OnRequest,
            reviewer: ApprovalsReviewer::User,
            sandbox: SandboxPolicy::DangerFullAccess,
            profile: None,
            files: Vec::new(),
            workspace: Vec::new(),
            writable_roots: Vec::new(),
            servers: Arc::new(Servers::new(
                &Pool::new("/".into()),
                BTreeMap::new(),
                Path::new("/"),
            )),
            dynamic_tools: Arc::default(),
            deferral: Deferral::Unsupported,
            shell: Shell::of_user(),
            allow_login_shell: AllowLogin::Yes,
            environment: EnvironmentPolicy::default(),
            truncation: Truncation::Bytes(10_000),
            max_poll_ms: 0,
            rules: Arc::default(),
            terminals: Arc::default(),
            grants: Arc::default(),
        }
    }
}
