//! A sign-in in a browser on any machine: the user types a code there, and we ask until that has happened.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::{sleep, timeout};

use super::{Failure, Grant, StartError, check_workspace};
use crate::auth::issuer::{Code, DeviceCode, DeviceGrant, Issuer};

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// Nobody is asked more often.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Device {
    issuer: Arc<Issuer>,
    code: DeviceCode,
    workspaces: Vec<String>,
}

impl Device {
    pub(super) async fn start(
        issuer: Arc<Issuer>,
        workspaces: Vec<String>,
    ) -> Result<Self, StartError> {
        match issuer.device_code().await {
            Ok(code) => Ok(Self { issuer, code, workspaces }),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                Err(StartError::NoDevices)
            }
            Err(error) => Err(StartError::Device(error)),
        }
    }

    /// What the user has to open.
    pub(crate) fn verification_url(&self) -> String {
        self.issuer.url("/codex/device")
    }

    /// What the user has to type there.
    pub(crate) fn user_code(&self) -> &str {
        &self.code.user_code
    }

    pub(super) async fn agreed(&self) -> Result<Grant, Failure> {
        let granted = timeout(PATIENCE, self.granted()).await.map_err(|_| Failure::TimedOut)??;
        let redirect_uri = self.issuer.url("/deviceauth/callback");
        let code = Code {
            code: &granted.authorization_code,
            verifier: &granted.code_verifier,
            redirect_uri: &redirect_uri,
        };
        let tokens = self.issuer.exchange(&code).await?;
        check_workspace(&tokens, &self.workspaces)?;
        Ok(Grant { tokens, api_key: None })
    }

    async fn granted(&self) -> Result<DeviceGrant, Failure> {
        let pause = Duration::from_secs(self.code.interval).max(SHORTEST_PAUSE);
        loop {
            match self.issuer.device_grant(&self.code).await {
                Ok(Some(granted)) => return Ok(granted),
                Ok(None) => {}
                // A machine that sleeps meanwhile has no network for a while.
                Err(error) if error.is_passing() && error.status().is_none() => {}
                Err(error) => return Err(error.into()),
            }
            sleep(pause).await;
        }
    }
}
