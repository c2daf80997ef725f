//! A thread's settings: what it runs on until somebody changes it.

use std::path::{Path, PathBuf};

use super::{Error, Result, prompt};
use crate::config::Effective;
use crate::config::permission::{self, Access, Asked};
use crate::policy::roots::{WritableRoot, writable_roots};
use crate::protocol::{
    AbsolutePathBuf, ActivePermissionProfile, ApprovalsReviewer, AskForApproval, CollaborationMode,
    ModeKind, MultiAgentMode, Personality, ReasoningEffort, ReasoningSummary, SandboxPolicy,
    Settings as ModeSettings, ThreadEnvironment, ThreadResumeParams, ThreadSettings,
    ThreadSettingsUpdateParams, ThreadStartParams, TurnEnvironmentParams, TurnSettingsUpdateParams,
    TurnStartParams,
};
use crate::util::path::absolute;

/// The one environment that there is: this machine.
pub(crate) const LOCAL: &str = "local";

/// Where the commands of a thread run, and its files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// On this machine.
    Local,
    /// Nowhere: its model can only talk.
    Absent,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub(crate) model: String,
    pub(crate) provider: String,
    pub(crate) effort: Option<ReasoningEffort>,
    pub(crate) summary: Option<ReasoningSummary>,
    pub(crate) personality: Option<Personality>,
    pub(crate) service_tier: Option<String>,
    pub(crate) environment: Environment,
    pub(crate) cwd: PathBuf,
    /// The workspace: cwd and whatever else the client works on.
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) approval_policy: AskForApproval,
    pub(crate) approvals_reviewer: ApprovalsReviewer,
    pub(crate) sandbox: SandboxPolicy,
    /// The named profile that the sandbox comes from.
    pub(crate) profile: Option<ActivePermissionProfile>,
    pub(crate) mode: CollaborationMode,
    pub(crate) disabled_plugins: Vec<String>,
}

/// What a request changes for good; `None` leaves things as they are.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    model: Option<String>,
    effort: Option<Option<ReasoningEffort>>,
    summary: Option<ReasoningSummary>,
    personality: Option<Personality>,
    service_tier: Option<Option<String>>,
    environment: Option<Environment>,
    cwd: Option<PathBuf>,
    roots: Option<Vec<PathBuf>>,
    approval_policy: Option<AskForApproval>,
    approvals_reviewer: Option<ApprovalsReviewer>,
    sandbox: Option<(SandboxPolicy, Option<ActivePermissionProfile>)>,
    mode: Option<CollaborationMode>,
    disabled_plugins: Option<Vec<String>>,
}

impl Overrides {
    /// Checks the settings of an update; nothing is changed by a request that is refused.
    pub(super) fn of_update(
        params: &ThreadSettingsUpdateParams,
        config: &Effective,
        server_cwd: &Path,
    ) -> Result<Self> {
        if params.sandbox_policy.is_some() && params.permissions.is_some() {
            return Err(Error::Refused(
                "`permissions` cannot be combined with `sandboxPolicy`".to_owned(),
            ));
        }
        let place = Self::of_environments(params.environments.as_deref(), server_cwd)?;
        let sandbox = match (&params.sandbox_policy, &params.permissions) {
            (Some(policy), _) => Some((policy.clone(), None)),
            (None, Some(name)) => {
                let Access { sandbox, profile, .. } =
                    permission::access(config, None, Asked::Permissions(name))?;
                Some((sandbox, profile))
            }
            (None, None) => None,
        };
        let cwd = params.cwd.as_deref().map(|cwd| absolute(server_cwd, Path::new(cwd)));
        let in_mode = params.collaboration_mode.as_ref().map(|mode| &mode.settings);
        Ok(Self {
            model: in_mode.map(|settings| settings.model.clone()).or_else(|| params.model.clone()),
            effort: in_mode
                .map(|settings| settings.reasoning_effort.clone())
                .or_else(|| params.effort.clone().map(Some)),
            summary: params.summary,
            personality: params.personality,
            service_tier: params.service_tier.clone(),
            cwd: place.cwd.or(cwd),
            approval_policy: params.approval_policy.clone(),
            approvals_reviewer: params.approvals_reviewer,
            sandbox,
            mode: params.collaboration_mode.clone(),
            disabled_plugins: params.disabled_plugin_ids.clone(),
            ..place
        })
    }

    /// Checks where a list of environments has commands run.
    fn of_environments(
        environments: Option<&[TurnEnvironmentParams]>,
        server_cwd: &Path,
    ) -> Result<Self> {
        check_environments(environments)?;
        let here = environments.and_then(<[_]>::first);
        Ok(Self {
            environment: environments.map(|_| match here {
                Some(_) => Environment::Local,
                None => Environment::Absent,
            }),
            cwd: here.map(|here| absolute(server_cwd, here.cwd.as_path())),
            roots: here.map(|here| {
                let roots = here.runtime_workspace_roots.as_deref();
                let roots = roots.unwrap_or(std::slice::from_ref(&here.cwd));
                roots.iter().map(|root| absolute(server_cwd, root.as_path())).collect()
            }),
            ..Self::default()
        })
    }

    /// As [`Self::of_update`], for the turn that runs.
    pub(super) fn of_running(params: &TurnSettingsUpdateParams, server_cwd: &Path) -> Result<Self> {
        Ok(Self {
            model: params.model.clone(),
            effort: params.effort.clone().map(Some),
            summary: params.summary,
            service_tier: params.service_tier.clone().map(Some),
            approvals_reviewer: params.approvals_reviewer,
            ..Self::of_environments(params.environments.as_deref(), server_cwd)?
        })
    }

    /// As [`Self::of_update`], for the settings that a turn starts with.
    pub(super) fn of_turn(
        params: &TurnStartParams,
        config: &Effective,
        server_cwd: &Path,
    ) -> Result<Self> {
        let settings = ThreadSettingsUpdateParams {
            thread_id: params.thread_id.clone(),
            disabled_plugin_ids: params.disabled_plugin_ids.clone(),
            cwd: params.cwd.clone(),
            environments: params.environments.clone(),
            approval_policy: params.approval_policy.clone(),
            approvals_reviewer: params.approvals_reviewer,
            sandbox_policy: params.sandbox_policy.clone(),
            permissions: params.permissions.clone(),
            model: params.model.clone(),
            service_tier: params.service_tier.clone(),
            effort: params.effort.clone(),
            summary: params.summary,
            collaboration_mode: params.collaboration_mode.clone(),
            multi_agent_mode: params.multi_agent_mode.clone(),
            personality: params.personality,
        };
        let overrides = Self::of_update(&settings, config, server_cwd)?;
        let roots = paths(params.runtime_workspace_roots.as_deref()).or(overrides.roots);
        Ok(Self { roots, ..overrides })
    }
}

fn paths(roots: Option<&[AbsolutePathBuf]>) -> Option<Vec<PathBuf>> {
    Some(roots?.iter().map(|root| root.as_path().to_owned()).collect())
}

/// Refuses environments that do not exist here.
fn check_environments(environments: Option<&[TurnEnvironmentParams]>) -> Result<()> {
    match environments.into_iter().flatten().find(|environment| environment.environment_id != LOCAL)
    {
        Some(unknown) => {
            Err(Error::Refused(format!("unknown turn environment id `{}`", unknown.environment_id)))
        }
        None => Ok(()),
    }
}

impl Settings {
    /// The settings of a new thread: the configuration, and what access it gives.
    pub(crate) fn new(model: String, config: &Effective, access: Access, cwd: PathBuf) -> Self {
        let effort = config.model_reasoning_effort.clone();
        Self {
            mode: default_mode(&model, effort.clone()),
            model,
            provider: config.model_provider.clone(),
            effort,
            summary: config.model_reasoning_summary,
            personality: config.personality,
            service_tier: config.service_tier.clone(),
            environment: Environment::Local,
            roots: vec![cwd.clone()],
            cwd,
            approval_policy: access.approval_policy,
            approvals_reviewer: reviewer(
                config.approvals_reviewer.unwrap_or(ApprovalsReviewer::User),
            ),
            sandbox: access.sandbox,
            profile: access.profile,
            disabled_plugins: Vec::new(),
        }
    }

    /// Takes over what `thread/start` says besides the configuration.
    pub(crate) fn adopt_start(
        &mut self,
        params: &ThreadStartParams,
        server_cwd: &Path,
    ) -> Result<()> {
        let place = Overrides::of_environments(params.environments.as_deref(), server_cwd)?;
        self.apply(Overrides {
            personality: params.personality,
            roots: paths(params.runtime_workspace_roots.as_deref()).or(place.roots),
            approvals_reviewer: params.approvals_reviewer,
            ..place
        });
        if let Some(tier) = &params.service_tier {
            self.service_tier.clone_from(tier);
        }
        Ok(())
    }

    /// Takes over what `thread/resume` says, after the stored settings; `true` when anything is different now.
    /// An explicit model drops the effort that was chosen for another one; `effort` is what the request's own
    /// configuration says.
    pub(crate) fn adopt_resume(
        &mut self,
        params: &ThreadResumeParams,
        access: Access,
        effort: Option<ReasoningEffort>,
        server_cwd: &Path,
    ) -> bool {
        let before = self.clone();
        let asks_for_sandbox = params.sandbox.is_some() || params.permissions.is_some();
        if params.model.is_some() {
            self.effort = None;
        }
        self.apply(Overrides {
            model: params.model.clone(),
            effort: effort.map(Some),
            personality: params.personality,
            service_tier: params.service_tier.clone(),
            cwd: params.cwd.as_ref().map(|cwd| absolute(server_cwd, Path::new(cwd))),
            roots: paths(params.runtime_workspace_roots.as_deref()),
            approval_policy: params.approval_policy.clone(),
            approvals_reviewer: params.approvals_reviewer,
            sandbox: asks_for_sandbox.then_some((access.sandbox, access.profile)),
            ..Overrides::default()
        });
        *self != before
    }

    /// Applies overrides; `true` when anything is different now.
    pub(super) fn apply(&mut self, overrides: Overrides) -> bool {
        let before = self.clone();
        set(&mut self.model, overrides.model);
        set(&mut self.effort, overrides.effort);
        set(&mut self.summary, overrides.summary.map(Some));
        set(&mut self.personality, overrides.personality.map(Some));
        set(&mut self.service_tier, overrides.service_tier.map(|tier| Some(tier_name(tier))));
        set(&mut self.approval_policy, overrides.approval_policy);
        set(&mut self.approvals_reviewer, overrides.approvals_reviewer.map(reviewer));
        set(&mut self.disabled_plugins, overrides.disabled_plugins);
        if let Some((sandbox, profile)) = overrides.sandbox {
            (self.sandbox, self.profile) = (sandbox, profile);
        }
        if overrides.cwd.is_some() || overrides.roots.is_some() {
            self.environment = Environment::Local;
        }
        set(&mut self.environment, overrides.environment);
        if let Some(cwd) = overrides.cwd {
            self.move_to(cwd);
        }
        set(&mut self.roots, overrides.roots);
        if let Some(mut mode) = overrides.mode {
            let text = &mut mode.settings.developer_instructions;
            text.get_or_insert_with(|| prompt::mode(mode.mode).to_owned());
            self.mode = mode;
        }
        self.mode.settings.model.clone_from(&self.model);
        self.mode.settings.reasoning_effort.clone_from(&self.effort);
        *self != before
    }

    /// Changes the working directory, and the root that it was.
    fn move_to(&mut self, cwd: PathBuf) {
        let before = std::mem::replace(&mut self.cwd, cwd.clone());
        match self.roots.iter_mut().find(|root| **root == before) {
            Some(root) => *root = cwd,
            None => self.roots.insert(0, cwd),
        }
    }

    pub(crate) fn wire(&self) -> ThreadSettings {
        ThreadSettings {
            disabled_plugin_ids: self.disabled_plugins.clone(),
            cwd: self.cwd.clone().into(),
            environments: Some(self.environments()),
            approval_policy: self.approval_policy.clone(),
            approvals_reviewer: self.approvals_reviewer,
            sandbox_policy: self.sandbox.clone(),
            active_permission_profile: self.profile.clone(),
            model: self.model.clone(),
            model_provider: self.provider.clone(),
            service_tier: self.service_tier.clone(),
            effort: self.effort.clone(),
            summary: self.summary,
            collaboration_mode: self.mode.clone(),
            multi_agent_mode: MultiAgentMode::default(),
            personality: self.personality,
        }
    }

    pub(crate) fn environments(&self) -> Vec<ThreadEnvironment> {
        match self.environment {
            Environment::Local => environments(&self.cwd, &self.roots),
            Environment::Absent => Vec::new(),
        }
    }

    /// The folders of the workspace, if there is one.
    pub(crate) fn workspace(&self) -> &[PathBuf] {
        match self.environment {
            Environment::Local => &self.roots,
            Environment::Absent => &[],
        }
    }

    /// The folder whose instructions hold, if the thread works in one.
    pub(super) fn project(&self) -> Option<&Path> {
        (self.environment == Environment::Local).then_some(self.cwd.as_path())
    }

    /// What the sandbox lets a command write, protected places excepted.
    pub(crate) fn writable_roots(&self) -> Vec<WritableRoot> {
        writable_roots(&self.sandbox, &self.roots)
    }
}

pub(super) fn environments(cwd: &Path, roots: &[PathBuf]) -> Vec<ThreadEnvironment> {
    vec![ThreadEnvironment {
        environment_id: LOCAL.to_owned(),
        cwd: cwd.into(),
        runtime_workspace_roots: roots.iter().map(|root| root.as_path().into()).collect(),
    }]
}

pub(crate) fn default_mode(
    model: &str,
    reasoning_effort: Option<ReasoningEffort>,
) -> CollaborationMode {
    let settings =
        ModeSettings { model: model.to_owned(), reasoning_effort, developer_instructions: None };
    CollaborationMode { mode: ModeKind::Default, settings }
}

/// What clients are told of a service tier: choosing none is a choice with a name, and one tier has two.
fn tier_name(tier: Option<String>) -> String {
    match tier {
        None => "default".to_owned(),
        Some(tier) if tier == "fast" => "priority".to_owned(),
        Some(tier) => tier,
    }
}

/// The older name of the reviewer means the newer one.
fn reviewer(reviewer: ApprovalsReviewer) -> ApprovalsReviewer {
    match reviewer {
        ApprovalsReviewer::GuardianSubagent => ApprovalsReviewer::AutoReview,
        ApprovalsReviewer::User | ApprovalsReviewer::AutoReview => reviewer,
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}
