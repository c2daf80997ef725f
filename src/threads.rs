//! The registry of loaded threads: starting, resuming, finding and unloading them.
//!
//! Knows threads and what is on disk; knows no connection. Whether anybody still follows a thread is told by whoever
//! does know.

mod access;
mod fork;
mod provider;

pub(crate) use fork::no_turn;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::task::block_in_place;
use uuid::Uuid;

use self::access::Asked;
use crate::config::{self, Effective, LoadError, Sources};
use crate::extension::hooks::{Hooks, SessionOrigin};
use crate::mcp::Servers;
use crate::model::Provider;
use crate::protocol::{
    Project, QueuedSubmission, ResponseItem, Thread, ThreadGoal, ThreadGoalSetParams,
    ThreadHistoryMode, ThreadId, ThreadResumeParams, ThreadStartParams, ThreadStartSource, Turn,
    TurnId,
};
use crate::store::{self, Outline, Page, Query, Record, Store, Summary};
use crate::thread::fold::Fold;
use crate::thread::{
    self, AgentStatus, Closed, Command, Error, NewThread, Outlet, Persistence, Result, Settings,
    Shared, Since, Start, Stored, ThreadHandle, restore,
};
use crate::tools::DynamicTools;
use crate::util::find::{Needle, Snippet};
use crate::util::json::raw;
use crate::util::path::absolute;
use crate::util::time::now_secs;

pub(crate) struct Threads {
    pub(crate) shared: Arc<Shared>,
}

impl Threads {
    pub(crate) fn new(sources: Arc<Sources>, outlet: Arc<dyn Outlet>) -> Self {
        Self { shared: Arc::new(Shared::new(sources, outlet)) }
    }

    pub(crate) fn get(&self, id: &ThreadId) -> Option<ThreadHandle> {
        self.shared.loaded.get(id)
    }

    /// Ids of all loaded threads, sorted.
    pub(crate) fn ids(&self) -> Vec<ThreadId> {
        self.shared.loaded.ids()
    }

    /// Starts a new thread.
    pub(crate) async fn start(&self, params: &ThreadStartParams) -> Result<ThreadHandle> {
        self.begin(params, Vec::new()).await
    }

    /// Starts a new thread whose model knows what a client says that it has seen.
    pub(crate) async fn start_from(
        &self,
        params: &ThreadResumeParams,
        history: &[ResponseItem],
    ) -> Result<ThreadHandle> {
        let start = ThreadStartParams {
            model: params.model.clone(),
            model_provider: params.model_provider.clone(),
            service_tier: params.service_tier.clone(),
            cwd: params.cwd.clone(),
            runtime_workspace_roots: params.runtime_workspace_roots.clone(),
            approval_policy: params.approval_policy.clone(),
            approvals_reviewer: params.approvals_reviewer,
            sandbox: params.sandbox,
            permissions: params.permissions.clone(),
            config: params.config.clone(),
            base_instructions: params.base_instructions.clone(),
            developer_instructions: params.developer_instructions.clone(),
            personality: params.personality,
            ..ThreadStartParams::default()
        };
        self.begin(&start, history.iter().map(raw).collect()).await
    }

    async fn begin(
        &self,
        params: &ThreadStartParams,
        history: Vec<Box<RawValue>>,
    ) -> Result<ThreadHandle> {
        let dynamic_tools = DynamicTools::new(params.dynamic_tools.clone().unwrap_or_default())
            .map_err(|error| Error::Refused(error.to_string()))?;
        let cwd = self.absolute(params.cwd.as_deref().unwrap_or_default());
        let asked = Asked::of_start(params)?;
        let mut config =
            self.configure(&cwd, params.config.as_ref(), params.model_provider.as_deref())?;
        let mut access = asked.access(&config)?;
        if params.cwd.is_some()
            && let Some(root) = config::permission::trust_earned(&config, &access)
        {
            block_in_place(|| config::write_trust(&self.shared.sources.home, root)).map_err(
                |error| Error::Failed(format!("failed to save the project's trust: {error}")),
            )?;
            config =
                self.configure(&cwd, params.config.as_ref(), params.model_provider.as_deref())?;
            access = asked.access(&config)?;
        }
        let unload_delay_secs = config.thread_unload_delay_secs;
        let model = self.model(params.model.as_deref(), &config)?;
        let provider = self.provider(&config)?;
        let mut settings = Settings::new(model, &config, access, cwd);
        settings.adopt_start(params, &self.shared.cwd)?;
        let servers = Servers::new(&self.shared.servers, config.mcp_servers.clone(), &settings.cwd);
        // Held until the thread has taken over the connections.
        servers.require().await.map_err(|(server, error)| {
            Error::Failed(format!("required MCP server `{server}` did not start: {error}"))
        })?;
        let start = Start {
            config,
            settings,
            provider,
            base_instructions: params.base_instructions.clone(),
            developer_instructions: params.developer_instructions.clone(),
        };
        let new = NewThread {
            id: ThreadId::from(Uuid::now_v7().to_string()),
            persistence: if params.ephemeral == Some(true) {
                Persistence::InMemory
            } else {
                Persistence::OnDisk
            },
            history_mode: params.history_mode.unwrap_or(ThreadHistoryMode::Paginated),
            thread_source: params.thread_source.clone(),
            dynamic_tools,
            history,
            lineage: None,
            session_start: match params.session_start_source {
                Some(ThreadStartSource::Clear) => SessionOrigin::Clear,
                Some(ThreadStartSource::Startup) | None => SessionOrigin::Startup,
            },
        };
        let handle = block_in_place(|| thread::create(&self.shared, new, start))?;
        drop(servers);
        self.shared.loaded.insert(handle.clone(), unload_delay_secs);
        Ok(handle)
    }

    /// Loads a stored thread; returns its turns, too, since its history has been read anyway.
    pub(crate) async fn resume(
        &self,
        params: &ThreadResumeParams,
    ) -> Result<(ThreadHandle, Vec<Turn>)> {
        let (id, path) = (
            params.thread_id.clone(),
            params.path.as_ref().map(|path| absolute(&self.shared.cwd, path)),
        );
        let opened = self.shared.on_disk(move |store| {
            let (writer, records) = match path {
                Some(path) => store.open_path(&path)?,
                None => store.open(&id)?,
            };
            let id = writer.meta().id.clone();
            let summary = store.summary(&id)?;
            let read_state = store.state(move |state| state.read_states(&[id]))?;
            Ok((writer, records, summary, read_state))
        });
        let (writer, records, summary, mut read_state) = opened.await?;
        let unread = read_state.remove(&summary.id).and_then(|state| state.first_unread);
        let (start, changed) = self.go_on(params, &summary, &records)?;
        let unload_delay_secs = start.config.thread_unload_delay_secs;
        // Pages of a paginated history are read from its outline.
        let is_paged = params.exclude_turns && summary.history_mode == ThreadHistoryMode::Paginated;
        let turns = match is_paged {
            true => Vec::new(),
            false => block_in_place(|| Fold::of(summary.history_mode, &records).turns(None)),
        };
        let since = if changed { Since::OtherSettings } else { Since::Nothing };
        let stored = Stored { writer, records, summary, since };
        let handle = block_in_place(|| thread::resume(&self.shared, stored, start, Arc::default()));
        self.shared.loaded.insert(handle.clone(), unload_delay_secs);
        handle.send(Command::Read { first_unread: unread }).await;
        Ok((handle, turns))
    }

    /// What a thread goes on with: what it had last, under what the request says. Tells whether that changes anything.
    fn go_on(
        &self,
        params: &ThreadResumeParams,
        summary: &Summary,
        records: &[Record],
    ) -> Result<(Start, bool)> {
        let stored_cwd = summary.cwd.clone();
        let cwd = params.cwd.as_deref().map_or(stored_cwd, |cwd| self.absolute(cwd));
        let stored_provider = summary.model_provider.clone();
        let config = self.configure(&cwd, params.config.as_ref(), None)?;
        let config = match stored_provider {
            Some(id) if !provider::exists(&id, &config) => return Err(Error::ProviderGone(id)),
            stored => {
                let id = params.model_provider.as_deref().or(stored.as_deref());
                self.configure(&cwd, params.config.as_ref(), id)?
            }
        };
        let asked = Asked::of_resume(params)?;
        let access = asked.access(&config)?;
        let provider = self.provider(&config)?;
        let model = self.model(summary.model.as_deref(), &config)?;
        let mut settings = Settings::new(model, &config, access.clone(), cwd);
        let asks_for_effort = params
            .config
            .as_ref()
            .is_some_and(|config| config.contains_key("model_reasoning_effort"));
        let effort = settings.effort.clone().filter(|_| asks_for_effort);
        restore(&mut settings, records);
        let changed = settings.adopt_resume(params, access, effort, &self.shared.cwd);
        let start = Start {
            config,
            settings,
            provider,
            base_instructions: params.base_instructions.clone(),
            developer_instructions: params.developer_instructions.clone(),
        };
        Ok((start, changed))
    }

    /// The turns of a thread, oldest first, with all their items. `running` is the turn that is not over yet.
    pub(crate) async fn turns(&self, id: &ThreadId, running: Option<TurnId>) -> Result<Vec<Turn>> {
        let id = id.clone();
        self.shared
            .on_disk(move |store| {
                let (summary, records) = store.read(&id)?;
                Ok(Fold::of(summary.history_mode, &records).turns(running.as_ref()))
            })
            .await
    }

    /// Works on the outline of a thread's history, as it is now. `path` is the thread's file, where it is known.
    pub(crate) async fn outline<T: Send + 'static>(
        &self,
        id: &ThreadId,
        path: Option<PathBuf>,
        work: impl FnOnce(&Outline) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.outline(&id, path, work)).await
    }

    /// What is stored of a thread; `None` when there is nothing.
    pub(crate) async fn summary(&self, id: &ThreadId) -> Result<Option<Summary>> {
        let id = id.clone();
        match self.shared.on_disk(move |store| store.summary(&id)).await {
            Ok(summary) => Ok(Some(summary)),
            Err(Error::Store(store::Error::NotFound(_))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is stored of the thread in a file.
    pub(crate) async fn summary_at(&self, path: PathBuf) -> Result<Summary> {
        self.shared.on_disk(move |store| store.summary_at(&path)).await
    }

    pub(crate) async fn list(&self, query: Query) -> Result<Page<Summary>> {
        self.shared.on_disk(move |store| store.list(&query)).await
    }

    /// A page of the threads of a list in which a text is.
    pub(crate) async fn search(
        &self,
        query: Query,
        needle: Needle,
    ) -> Result<Page<(Summary, Snippet)>> {
        self.shared.on_disk(move |store| store.search(&query, &needle)).await
    }

    /// Works on what is noted of threads.
    pub(crate) async fn state<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut store::State) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T> {
        self.shared.on_disk(move |store| store.state(work)).await
    }

    /// Completes threads with what is noted of them.
    pub(crate) async fn adorn(&self, threads: &mut [Thread]) -> Result<()> {
        let ids: Vec<ThreadId> = threads.iter().map(|thread| thread.id.clone()).collect();
        let mut notes = self.state(move |state| state.notes(&ids)).await?;
        for thread in threads {
            if let Some(notes) = notes.remove(&thread.id) {
                notes.adorn(thread);
            }
        }
        Ok(())
    }

    /// All projects in their order.
    pub(crate) async fn projects(&self) -> Result<Vec<Project>> {
        self.shared.on_disk(Store::projects).await
    }

    /// The sub-agents of a thread at any depth, parents first.
    pub(crate) async fn descendants(&self, id: &ThreadId) -> Result<Vec<ThreadId>> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.descendants(&id)).await
    }

    /// Which of these threads are archived; those that are not stored are left out.
    pub(crate) async fn archived(&self, ids: Vec<ThreadId>) -> Result<HashMap<ThreadId, bool>> {
        self.shared.on_disk(move |store| store.archived(ids)).await
    }

    /// Refuses to delete these threads while others need them.
    pub(crate) async fn check_delete(&self, ids: Vec<ThreadId>) -> Result<()> {
        self.shared.on_disk(move |store| store.check_delete(&ids)).await
    }

    /// Removes a thread that is not loaded.
    pub(crate) async fn delete(&self, id: &ThreadId) -> Result<()> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.delete(&id)).await
    }

    /// Forgets what is kept of a thread that has no file.
    pub(crate) async fn forget(&self, id: &ThreadId) -> Result<()> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.forget(&id)).await
    }

    /// Why the index of threads is only in memory; once.
    pub(crate) async fn take_index_problem(&self) -> Option<String> {
        self.shared.on_disk(|store| Ok(store.take_problem())).await.ok().flatten()
    }

    /// Names a thread that is not loaded.
    pub(crate) async fn rename_stored(&self, id: &ThreadId, name: &str) -> Result<()> {
        let (id, name) = (id.clone(), name.to_owned());
        self.shared.on_disk(move |store| store.set_name(&id, &name)).await
    }

    /// The goal of a thread that is not loaded.
    pub(crate) async fn stored_goal(&self, id: &ThreadId) -> Result<Option<ThreadGoal>> {
        let id = id.clone();
        self.shared.on_disk(move |store| Ok(store.goal(&id))).await
    }

    /// Makes or changes the goal of a thread that is not loaded.
    pub(crate) async fn set_stored_goal(&self, params: ThreadGoalSetParams) -> Result<ThreadGoal> {
        let before = self.stored_goal(&params.thread_id).await?;
        let goal = thread::changed_goal(before.as_ref(), &params, now_secs())?;
        self.shared.on_disk(move |store| store.set_goal(&goal).map(|()| goal)).await
    }

    /// Takes away the goal of a thread that is not loaded; `false` if there was none.
    pub(crate) async fn clear_stored_goal(&self, id: &ThreadId) -> Result<bool> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.clear_goal(&id)).await
    }

    /// Refuses a thread that has no file, or is archived.
    pub(crate) async fn check_active(&self, id: &ThreadId) -> Result<()> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.check_active(&id)).await
    }

    /// What waits to be said to a thread.
    pub(crate) async fn queued(&self, id: &ThreadId) -> Result<Vec<QueuedSubmission>> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.queued(&id)).await
    }

    /// Changes a thread's queue, whether the thread is loaded or not.
    pub(crate) async fn change_queue<T: Send + 'static>(
        &self,
        id: &ThreadId,
        change: impl FnOnce(&mut Vec<QueuedSubmission>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let id = id.clone();
        let changed = self.shared.on_disk(move |store| {
            let mut queue = store.queue(&id)?;
            let changed = change(&mut queue.submissions);
            if changed.is_ok() {
                queue.save()?;
            }
            Ok(changed)
        });
        changed.await?
    }

    pub(crate) async fn archive(&self, id: &ThreadId) -> Result<()> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.archive(&id)).await
    }

    pub(crate) async fn unarchive(&self, id: &ThreadId) -> Result<Summary> {
        let id = id.clone();
        self.shared.on_disk(move |store| store.unarchive(&id)).await
    }

    /// Unloads a thread: its turn is interrupted, its commands are killed, its lock is freed.
    pub(crate) async fn close(&self, id: &ThreadId) -> bool {
        let Some(handle) = self.shared.loaded.remove(id) else { return false };
        if handle.close().await.is_err() {
            tracing::debug!(thread = %id, "the thread had ended by itself");
        }
        true
    }

    /// Unloads a thread that is to be loaded again: what it ran on is left, and its lock.
    pub(crate) async fn end(&self, id: &ThreadId) -> Result<Closed> {
        self.shared.loaded.remove(id).ok_or(Error::Gone)?.close().await
    }

    /// Waits until no turn is running.
    pub(crate) async fn rest(&self) {
        let running = |progress: &AgentStatus| *progress == AgentStatus::Running;
        let busy = || {
            let loaded = self.ids().into_iter().filter_map(|id| self.get(&id));
            loaded.map(|thread| thread.progress).find(|progress| running(&progress.borrow()))
        };
        while let Some(mut progress) = busy() {
            // A thread that has ended runs no turn.
            let _ended = progress.wait_for(|progress| !running(progress)).await;
            tokio::task::yield_now().await;
        }
    }

    /// Ends every thread.
    pub(crate) async fn shutdown(&self) {
        let all = self.shared.loaded.drain();
        futures_util::future::join_all(all.iter().map(ThreadHandle::close)).await;
    }

    /// Notes that a thread has been left; returns for how long it stays loaded, in seconds, and which leave this is.
    pub(crate) fn leave(&self, id: &ThreadId) -> Option<(u64, u64)> {
        self.shared.loaded.leave(id)
    }

    /// Whether a thread has not been left again since then.
    pub(crate) fn is_last_leave(&self, id: &ThreadId, leave: u64) -> bool {
        self.shared.loaded.is_last_leave(id, leave)
    }

    /// The MCP servers that the configuration names, apart from any thread.
    pub(crate) fn configured_servers(&self) -> Result<Servers> {
        let config = self.configure(&self.shared.cwd, None, None)?;
        Ok(Servers::new(&self.shared.servers, config.mcp_servers, &self.shared.cwd))
    }

    /// Has every loaded thread start an MCP server that wanted a sign-in.
    pub(crate) async fn start_refused_server(&self, server: &str) {
        for id in self.ids() {
            let Some(handle) = self.get(&id) else { continue };
            let Ok(servers) = handle.servers().await else { continue };
            servers.forget_refusal(server);
            handle.send(Command::StartServers).await;
        }
    }

    /// Has every loaded thread take the MCP servers that the configuration names for its directory now; if that is
    /// broken anywhere, none.
    pub(crate) async fn reload_servers(&self) -> Result<()> {
        self.configure(&self.shared.cwd, None, None)?;
        let mut changes = Vec::new();
        for id in self.ids() {
            let Some(handle) = self.get(&id) else { continue };
            let Ok(snapshot) = handle.snapshot().await else { continue };
            let cwd = snapshot.thread.cwd.as_path().to_owned();
            changes.push((handle, self.configure(&cwd, None, None)?.mcp_servers));
        }
        for (handle, servers) in changes {
            handle.send(Command::ChangeServers(servers)).await;
        }
        Ok(())
    }

    /// Has every loaded thread take the hooks that the configuration names for its directory now. Where that is broken
    /// the thread keeps those that it has.
    pub(crate) async fn reload_hooks(&self) {
        for id in self.ids() {
            let Some(handle) = self.get(&id) else { continue };
            let Ok(snapshot) = handle.snapshot().await else { continue };
            let cwd = snapshot.thread.cwd.as_path().to_owned();
            let sources = self.shared.sources.clone();
            let read = move || {
                sources.load(Some(&cwd), None).map(|loaded| Hooks::read(&loaded.effective.hooks))
            };
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok(hooks)) => handle.send(Command::ChangeHooks(hooks)).await,
                Ok(Err(error)) => tracing::warn!(%error, thread = %id, "hooks are not read again"),
                Err(error) => tracing::error!(%error, thread = %id, "reading hooks has failed"),
            }
        }
    }

    /// Whether the provider of models wants somebody to be signed in.
    pub(crate) fn wants_sign_in(&self) -> Result<bool> {
        let config = self.configure(&self.shared.cwd, None, None)?;
        let provider = provider::configured(&config, &self.shared.sources.home)?;
        Ok(provider.requires_openai_auth)
    }

    fn absolute(&self, cwd: &str) -> PathBuf {
        absolute(&self.shared.cwd, Path::new(cwd))
    }

    /// The configuration for one thread. A provider that the request names is the highest layer of it.
    fn configure(
        &self,
        cwd: &Path,
        request: Option<&serde_json::Map<String, serde_json::Value>>,
        provider: Option<&str>,
    ) -> Result<Effective> {
        let mut request = request.cloned().unwrap_or_default();
        if let Some(provider) = provider {
            request.insert("model_provider".to_owned(), provider.into());
        }
        // Files may take a while: other threads go on meanwhile. So it is with everything that is read below.
        Ok(block_in_place(|| self.shared.sources.load(Some(cwd), Some(&request)))?.effective)
    }

    fn model(&self, asked: Option<&str>, config: &Effective) -> Result<String> {
        let model = asked.or(config.model.as_deref()).map(str::to_owned);
        let model = match model {
            Some(model) => model,
            None => self
                .shared
                .catalog
                .models(config)
                .map_err(|error| load_error(&error))?
                .default_model()
                .map_or_else(String::new, |model| model.slug.clone()),
        };
        if model.is_empty() {
            let refusal = "No models are available. Set `model` explicitly or check your model catalog configuration.";
            return Err(Error::Refused(refusal.to_owned()));
        }
        Ok(model)
    }

    fn provider(&self, config: &Effective) -> Result<Provider> {
        // A broken catalogue refuses the thread rather than running it on guesses.
        self.shared.catalog.models(config).map_err(|error| load_error(&error))?;
        provider::configured(config, &self.shared.sources.home)
    }
}

/// Refuses access that contradicts itself, also where a thread is loaded already and the request cannot change it.
pub(crate) fn check_access(params: &ThreadResumeParams) -> Result<()> {
    Asked::of_resume(params).map(drop)
}

fn load_error(error: &dyn ToString) -> Error {
    Error::Config(LoadError::new(error.to_string()))
}
