//! `.credentials.json`: what servers have granted to users who signed in, in the form that other programs on the same
//! home read and write.
//!
//! The file is replaced at once, under a lock, with mode 0600. Another lock is held while a grant is renewed, since the
//! service may take a refresh token only once.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rmcp::transport::auth::{
    AuthError, CredentialRefreshGuard, CredentialStore, OAuthTokenResponse, StoredCredentials,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::util::hex::hex;
use crate::util::private::{self, PRIVATE};
use crate::util::secret::Secret;
use crate::util::task::on_disk;
use crate::util::time::now_ms;

/// No such file is larger, in bytes.
const LARGEST: u64 = 8 << 20;
/// How long others may take to change the file, and to renew a grant.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// What one server has granted.
#[derive(Debug, Clone)]
pub(super) struct Grants {
    home: PathBuf,
    server: String,
    url: String,
}

/// A grant as the file has it.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    server_name: String,
    server_url: String,
    #[serde(default)]
    issuer: Option<String>,
    client_id: String,
    #[serde(serialize_with = "Secret::reveal")]
    access_token: Secret,
    /// Unix milliseconds.
    #[serde(default)]
    expires_at: Option<i64>,
    #[serde(default, serialize_with = "Secret::reveal_option")]
    refresh_token: Option<Secret>,
    #[serde(default)]
    scopes: Vec<String>,
}

/// The members of a service's answer that are kept.
#[derive(Deserialize)]
struct Tokens {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: Option<i64>,
}

impl Grants {
    pub(super) fn of(home: PathBuf, server: &str, url: &str) -> Self {
        Self { home, server: server.to_owned(), url: url.to_owned() }
    }

    /// Whether there is a grant.
    pub(super) async fn any(&self) -> bool {
        self.entry().await.is_ok_and(|entry| entry.is_some())
    }

    async fn entry(&self) -> io::Result<Option<Entry>> {
        let all = self.read().await?;
        Ok(all.values().find_map(|value| self.ours(value)))
    }

    /// The entry, if it is this server's.
    fn ours(&self, value: &Value) -> Option<Entry> {
        let entry = Entry::deserialize(value).ok()?;
        (entry.server_name == self.server && entry.server_url == self.url).then_some(entry)
    }

    /// Replaces the grant; takes it away without another.
    async fn replace(&self, entry: Option<Entry>) -> io::Result<()> {
        let _lock = private::lock(&self.home.join(".credentials.lock"), LOCK_PATIENCE).await?;
        let mut all = self.read().await?;
        let known = all.iter().find(|(_, value)| self.ours(value).is_some());
        let key = known.map_or_else(|| self.key(), |(key, _)| key.clone());
        match entry {
            Some(entry) => drop(all.insert(key, serde_json::to_value(entry)?)),
            None => drop(all.remove(&key)),
        }
        let (path, bytes) = (self.path(), serde_json::to_vec_pretty(&all)?);
        on_disk(move || private::replace(&path, &bytes, PRIVATE)).await
    }

    /// Everything that the file holds. One that is not understood is as good as none.
    async fn read(&self) -> io::Result<Map<String, Value>> {
        let path = self.path();
        let bytes = on_disk(move || private::read(&path, LARGEST)).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    fn path(&self) -> PathBuf {
        self.home.join(".credentials.json")
    }

    /// The name of a new entry.
    fn key(&self) -> String {
        let hash = hex(&Sha256::digest(&self.url));
        format!("{}|{}", self.server, &hash[..16])
    }
}

impl Entry {
    fn credentials(self) -> Result<StoredCredentials, AuthError> {
        let now = now_ms();
        let left = self.expires_at.map(|end| (end - now).max(0) / 1000);
        let mut answer =
            json!({"access_token": self.access_token.expose(), "token_type": "bearer"});
        if let Some(left) = left {
            answer["expires_in"] = left.into();
        }
        if let Some(token) = &self.refresh_token {
            answer["refresh_token"] = token.expose().into();
        }
        let tokens: OAuthTokenResponse =
            serde_json::from_value(answer).map_err(|_| failed("the grant is not understood"))?;
        let received_at = u64::try_from(now / 1000).ok();
        let credentials =
            StoredCredentials::new(self.client_id, Some(tokens), self.scopes, received_at);
        Ok(credentials.with_issuer(self.issuer))
    }
}

impl CredentialStore for Grants {
    fn load<'a, 't>(&'a self) -> BoxFuture<'t, Result<Option<StoredCredentials>, AuthError>>
    where
        'a: 't,
        Self: 't,
    {
        async {
            let entry = self.entry().await.map_err(|error| failed(&error.to_string()))?;
            entry.map(Entry::credentials).transpose()
        }
        .boxed()
    }

    fn save<'a, 't>(
        &'a self,
        credentials: StoredCredentials,
    ) -> BoxFuture<'t, Result<(), AuthError>>
    where
        'a: 't,
        Self: 't,
    {
        async move {
            let tokens = serde_json::to_value(&credentials.token_response).ok();
            let tokens = tokens.and_then(|tokens| Tokens::deserialize(tokens).ok());
            let entry = tokens.map(|tokens| Entry {
                server_name: self.server.clone(),
                server_url: self.url.clone(),
                issuer: credentials.issuer,
                client_id: credentials.client_id,
                access_token: tokens.access_token,
                expires_at: tokens.expires_in.map(|left| now_ms() + left.saturating_mul(1000)),
                refresh_token: tokens.refresh_token,
                scopes: credentials.granted_scopes,
            });
            self.replace(entry).await.map_err(|error| failed(&error.to_string()))
        }
        .boxed()
    }

    fn clear<'a, 't>(&'a self) -> BoxFuture<'t, Result<(), AuthError>>
    where
        'a: 't,
        Self: 't,
    {
        async { self.replace(None).await.map_err(|error| failed(&error.to_string())) }.boxed()
    }

    fn acquire_refresh_guard<'a, 't>(
        &'a self,
    ) -> BoxFuture<'t, Result<Option<CredentialRefreshGuard>, AuthError>>
    where
        'a: 't,
        Self: 't,
    {
        async {
            let path = self.home.join(".credentials.renewal.lock");
            let lock = private::lock(&path, LOCK_PATIENCE).await;
            let lock = lock.map_err(|error| failed(&error.to_string()))?;
            Ok(Some(CredentialRefreshGuard::new(lock)))
        }
        .boxed()
    }
}

fn failed(why: &str) -> AuthError {
    AuthError::CredentialStoreError(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn grants_stay_apart_and_others_stay() {
        let home = tempfile::tempdir().unwrap();
        let of = |server: &str| Grants::of(home.path().to_owned(), server, "http://x/mcp");
        let kept = json!({"server_name": "old", "server_url": "http://x/mcp", "client_id": "c",
            "access_token": "a", "expires_at": 0, "refresh_token": "r", "scopes": ["read"]});
        let file = home.path().join(".credentials.json");
        std::fs::write(&file, json!({"old|1": kept, "odd": [1]}).to_string()).unwrap();
        let loaded = of("old").load().await.unwrap().unwrap();
        assert_eq!(
            (loaded.client_id.as_str(), &*loaded.granted_scopes),
            ("c", &["read".to_owned()][..])
        );
        assert!(!of("new").any().await);

        of("new").save(loaded).await.unwrap();
        assert!(of("new").any().await);
        of("old").clear().await.unwrap();
        let left: Map<String, Value> =
            serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(left["odd"], json!([1]));
        assert!(left.len() == 2 && !left.contains_key("old|1"), "{:?}", left.keys());
    }
}
