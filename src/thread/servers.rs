//! A thread's MCP servers: when they start, what clients are told of it, and how long a request waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::actor::Actor;
use super::turn::Phase;
use crate::config::McpServer;
use crate::mcp::{Report, ReportStatus, Servers, StartError};
use crate::protocol::{
    McpServerStartupFailureReason, McpServerStartupState, McpServerStatusUpdatedNotification,
    method,
};

pub(super) struct ThreadServers {
    pub(super) current: Arc<Servers>,
    /// What the next turn has instead.
    next: Option<BTreeMap<String, McpServer>>,
    /// Until when requests wait for servers that are starting; set by the first that does.
    awaited_until: Option<Instant>,
}

impl ThreadServers {
    pub(super) fn new(servers: Servers) -> Self {
        Self { current: Arc::new(servers), next: None, awaited_until: None }
    }
}

impl Actor {
    /// Starts those servers that have not been started.
    pub(super) fn start_servers(&self) {
        self.servers.current.start(&self.events);
    }

    /// Keeps what the configuration says now for the next turn.
    pub(super) fn change_servers(&mut self, servers: BTreeMap<String, McpServer>) {
        self.servers.next = Some(servers);
    }

    /// Has the servers that a turn that begins now has.
    pub(super) fn renew_servers(&mut self) {
        if let Some(next) = self.servers.next.take() {
            let servers = Servers::new(&self.shared.servers, next, &self.settings.cwd);
            self.servers = ThreadServers::new(servers);
        }
        self.start_servers();
    }

    pub(super) fn server_reported(&mut self, report: Report) {
        let (status, error, failure_reason) = match report.status {
            ReportStatus::Starting => (McpServerStartupState::Starting, None, None),
            ReportStatus::Ready => (McpServerStartupState::Ready, None, None),
            ReportStatus::Failed(error) => {
                let reason = match &error {
                    StartError::NotLoggedIn(_) => {
                        Some(McpServerStartupFailureReason::ReauthenticationRequired)
                    }
                    StartError::Failed(_)
                    | StartError::TimedOut(_)
                    | StartError::MissingVariable { .. } => None,
                };
                (McpServerStartupState::Failed, Some(error.to_string()), reason)
            }
        };
        let news = McpServerStatusUpdatedNotification {
            thread_id: Some(self.publisher.thread.clone()),
            name: report.server,
            status,
            error,
            failure_reason,
        };
        self.publisher.tell::<method::McpServerStartupStatusUpdated>(&news);
        let gathers =
            self.turn.as_ref().is_some_and(|turn| matches!(turn.phase, Phase::Gathering(_)));
        if gathers && !self.servers.current.are_starting() {
            self.ask_model();
        }
    }

    /// Until when a request that is about to be made waits for servers; `None` if it does not.
    pub(super) fn servers_awaited_until(&mut self) -> Option<Instant> {
        if self.is_compacting() || !self.servers.current.are_starting() {
            return None;
        }
        let grace = Duration::from_millis(self.config.mcp_optional_startup_grace_ms);
        let until = *self.servers.awaited_until.get_or_insert_with(|| Instant::now() + grace);
        (until > Instant::now()).then_some(until)
    }
}
