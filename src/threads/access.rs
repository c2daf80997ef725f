//! What a request asks a thread to be allowed.

use crate::config::Effective;
use crate::config::permission::{self, Access};
use crate::protocol::{AskForApproval, SandboxMode, ThreadResumeParams, ThreadStartParams};
use crate::thread::{Error, Result};

pub(super) struct Asked<'a> {
    approval_policy: Option<&'a AskForApproval>,
    sandbox: permission::Asked<'a>,
}

impl<'a> Asked<'a> {
    pub(super) fn of_start(params: &'a ThreadStartParams) -> Result<Self> {
        Self::new(params.approval_policy.as_ref(), params.sandbox, params.permissions.as_deref())
    }

    pub(super) fn of_resume(params: &'a ThreadResumeParams) -> Result<Self> {
        Self::new(params.approval_policy.as_ref(), params.sandbox, params.permissions.as_deref())
    }

    fn new(
        policy: Option<&'a AskForApproval>,
        sandbox: Option<SandboxMode>,
        profile: Option<&'a str>,
    ) -> Result<Self> {
        let sandbox = match (sandbox, profile) {
            (Some(_), Some(_)) => {
                return Err(Error::Refused(
                    "`permissions` cannot be combined with `sandbox`".to_owned(),
                ));
            }
            (Some(mode), None) => permission::Asked::Sandbox(mode),
            (None, Some(profile)) => permission::Asked::Permissions(profile),
            (None, None) => permission::Asked::Nothing,
        };
        Ok(Self { approval_policy: policy, sandbox })
    }

    /// What the thread is allowed, together with its configuration.
    pub(super) fn access(&self, config: &Effective) -> Result<Access> {
        Ok(permission::access(config, self.approval_policy.cloned(), self.sandbox)?)
    }
}
