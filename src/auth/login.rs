//! Sign-ins with ChatGPT that wait for the user, who agrees in a browser.
//!
//! Whoever runs one waits until the user has agreed, keeps what was granted, and lets the browser know. Up to the
//! moment of keeping, a sign-in can be dropped without a trace.

mod browser;
mod device;

pub(crate) use browser::{Browser, Ending};
pub(crate) use device::Device;

use super::claims::Claims;
use super::issuer::{self, Granted};
use super::{Auth, Error};
use crate::util::error::chain;
use crate::util::secret::Secret;

pub(crate) enum Login {
    Browser(Box<Browser>),
    Device(Device),
}

/// What a user has agreed to.
pub(crate) struct Grant {
    pub(super) tokens: Granted,
    pub(super) api_key: Option<Secret>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("Login was not completed")]
    NotCompleted,
    #[error("Login cancelled")]
    Cancelled,
    #[error("Login timed out")]
    TimedOut,
    #[error("Sign-in failed: {0}")]
    Denied(String),
    #[error("Missing authorization code. Sign-in could not be completed.")]
    NoCode,
    #[error("Token exchange failed: {}", chain(.0))]
    Exchange(#[from] issuer::Error),
    #[error("Login is restricted to workspace id(s) {}.", .0.join(", "))]
    Workspace(Vec<String>),
    #[error("The credentials could not be kept: {}", chain(.0))]
    Keep(#[from] Error),
}

/// Why a sign-in did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("no port of this machine is free for the browser to come back to")]
    Port(#[source] std::io::Error),
    /// The issuer does not know devices.
    #[error(
        "device code login is not enabled for this Codex server. Use the browser login or verify the server URL."
    )]
    NoDevices,
    #[error("failed to request device code")]
    Device(#[source] issuer::Error),
    #[error("the address of the sign-in service is not valid")]
    Issuer,
    #[error("there is no randomness")]
    Random,
}

impl Login {
    /// Waits until the user has agreed.
    pub(crate) async fn agreed(&mut self) -> Result<Grant, Failure> {
        match self {
            Self::Browser(browser) => browser.agreed().await,
            Self::Device(device) => device.agreed().await,
        }
    }

    /// Shows the user's browser how it went.
    pub(crate) async fn tell(self, outcome: &Result<(), Failure>) {
        match self {
            Self::Browser(browser) => browser.tell(outcome).await,
            Self::Device(_) => {}
        }
    }

    /// A failure as clients are told it.
    pub(crate) fn explain(&self, failure: &Failure) -> String {
        match self {
            Self::Browser(_) => format!("Login server error: {failure}"),
            Self::Device(_) => failure.to_string(),
        }
    }
}

impl Auth {
    /// Begins a sign-in in a browser on this machine.
    pub(crate) async fn browser(
        &self,
        originator: &str,
        ending: Ending,
    ) -> Result<Browser, StartError> {
        let workspaces = self.settings().await.workspaces;
        Browser::start(self.issuer(), originator, ending, workspaces).await
    }

    /// Begins a sign-in in a browser on any machine.
    pub(crate) async fn device(&self) -> Result<Device, StartError> {
        let workspaces = self.settings().await.workspaces;
        Device::start(self.issuer(), workspaces).await
    }
}

/// Refuses the accounts of other workspaces than those that may sign in; any may where there are none.
fn check_workspace(granted: &Granted, workspaces: &[String]) -> Result<(), Failure> {
    let account = Claims::of(granted.id_token.expose()).and_then(|claims| claims.account_id);
    match workspaces.is_empty() || account.is_some_and(|account| workspaces.contains(&account)) {
        true => Ok(()),
        false => Err(Failure::Workspace(workspaces.to_vec())),
    }
}
