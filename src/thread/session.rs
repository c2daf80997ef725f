//! Loading a thread: from nothing, or from what is on disk, to a running task.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::actor::Actor;
use super::compact::Effort;
use super::context::{Told, base_message, user_text};
use super::goal::Goal;
use super::history::History;
use super::mail::Mailbox;
use super::outlet::Publisher;
use super::queue::Queue;
use super::registry::Registry;
use super::repeat::Accepted;
use super::servers::ThreadServers;
use super::settings::Settings;
use super::team::{AgentStatus, Team};
use super::usage::Totals;
use super::{Error, INBOX, Outlet, Result, ThreadHandle, instructions, prompt, skills, stored};
use crate::auth::Auth;
use crate::config::{Effective, Feature, Sources};
use crate::exec::Shell;
use crate::extension::hooks::{Hooks, SessionOrigin, ThreadHooks};
use crate::extension::skills::Skills;
use crate::mcp::{Pool, Servers};
use crate::model::catalog::{Catalog, ModelInfo};
use crate::model::{self, Provider};
use crate::policy::rules::{self, Rules};
use crate::protocol::{
    AgentPath, GitInfo, MultiAgentVersion, SessionSource, SubAgentSource, Thread,
    ThreadHistoryMode, ThreadId, ThreadSource, ThreadStatus, ThreadTokenUsage, TurnId,
};
use crate::store::history::model_history;
use crate::store::{self, Record, Store, Summary, Writer};
use crate::tools::DynamicTools;
use crate::util::time::now_secs;

/// Events of running calls and commands that may wait for the thread before they are held up.
const EVENTS: usize = 64;

/// What all threads of a process share.
pub(crate) struct Shared {
    pub(crate) sources: Arc<Sources>,
    pub(crate) store: Store,
    pub(crate) skills: Skills,
    pub(crate) auth: Arc<Auth>,
    pub(crate) model: model::Client,
    pub(crate) catalog: Catalog,
    pub(crate) outlet: Arc<dyn Outlet>,
    /// The connections to MCP servers.
    pub(crate) servers: Pool,
    pub(crate) loaded: Registry,
    /// The directory that relative paths of requests are relative to.
    pub(crate) cwd: PathBuf,
    client: Mutex<ClientIdentity>,
    shell: OnceLock<Shell>,
    installation: OnceLock<String>,
    rules: OnceLock<(Arc<Mutex<Rules>>, Option<rules::Problem>)>,
}

/// How the process presents itself to providers: by the clients that it serves.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientIdentity {
    pub(crate) originator: String,
    pub(crate) user_agent: String,
}

impl Shared {
    pub(crate) fn new(sources: Arc<Sources>, outlet: Arc<dyn Outlet>) -> Self {
        let auth = Arc::new(Auth::new(Arc::clone(&sources)));
        Self {
            store: Store::new(sources.home.clone()),
            skills: Skills::new(sources.home.clone()),
            servers: Pool::new(sources.home.clone()),
            sources,
            model: model::Client::new(Arc::clone(&auth)),
            auth,
            catalog: Catalog::default(),
            outlet,
            loaded: Registry::default(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            client: Mutex::default(),
            shell: OnceLock::new(),
            installation: OnceLock::new(),
            rules: OnceLock::new(),
        }
    }

    /// Runs blocking work on the store beside the event loop.
    pub(crate) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(done) => Ok(done?),
            Err(_panicked) => Err(Error::Failed("internal error".to_owned())),
        }
    }

    pub(crate) fn client(&self) -> ClientIdentity {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_client(&self, client: ClientIdentity) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client;
    }

    pub(crate) fn shell(&self) -> &Shell {
        self.shell.get_or_init(Shell::of_user)
    }

    /// The rules of the home. What is added to them holds for all threads at once.
    pub(super) fn rules(&self) -> &Arc<Mutex<Rules>> {
        &self.loaded_rules().0
    }

    /// Why the rules of the home are not applied, if they cannot be read.
    pub(crate) fn rules_problem(&self) -> Option<&rules::Problem> {
        self.loaded_rules().1.as_ref()
    }

    fn loaded_rules(&self) -> &(Arc<Mutex<Rules>>, Option<rules::Problem>) {
        self.rules.get_or_init(|| {
            let (rules, problem) = Rules::load(&[self.sources.home.join("rules")]);
            (Arc::new(Mutex::new(rules)), problem)
        })
    }

    /// Names this installation; made when it is first asked for, and kept in the home.
    pub(crate) fn installation(&self) -> &str {
        self.installation.get_or_init(|| {
            let path = self.sources.home.join("installation_id");
            let kept = std::fs::read_to_string(&path).ok().map(|id| id.trim().to_owned());
            kept.filter(|id| Uuid::parse_str(id).is_ok()).unwrap_or_else(|| {
                let id = Uuid::new_v4().to_string();
                if let Err(error) = std::fs::write(&path, &id) {
                    tracing::warn!(%error, "the installation id cannot be kept");
                }
                id
            })
        })
    }
}

/// Everything that a thread runs on.
pub(crate) struct Start {
    pub(crate) config: Effective,
    pub(crate) settings: Settings,
    pub(crate) provider: Provider,
    /// Instead of the model's own.
    pub(crate) base_instructions: Option<String>,
    pub(crate) developer_instructions: Option<String>,
}

/// What only a new thread is told.
pub(crate) struct NewThread {
    pub(crate) id: ThreadId,
    pub(crate) persistence: Persistence,
    pub(crate) history_mode: ThreadHistoryMode,
    pub(crate) thread_source: Option<ThreadSource>,
    /// The tools that its client runs.
    pub(crate) dynamic_tools: DynamicTools,
    /// What its model has seen already.
    pub(crate) history: Vec<Box<RawValue>>,
    /// Whose agent it is.
    pub(crate) lineage: Option<Lineage>,
    /// What hooks are told of where it comes from.
    pub(crate) session_start: SessionOrigin,
}

/// Where an agent belongs.
pub(crate) struct Lineage {
    /// The session: the id of its first thread.
    pub(crate) session: String,
    pub(crate) parent: ThreadId,
    /// How many agents are between it and the session's first thread, itself included.
    pub(crate) depth: u32,
    pub(crate) nickname: String,
    pub(crate) role: Option<String>,
    /// Its place in the tree of agents, if it knows of the others.
    pub(crate) path: Option<AgentPath>,
    /// What it has been told with its history.
    pub(super) told: Told,
    pub(crate) team: Arc<Team>,
}

impl Lineage {
    /// The agent's origin, as files and clients have it.
    pub(super) fn source(&self) -> SessionSource {
        SessionSource::SubAgent(SubAgentSource::ThreadSpawn {
            parent_thread_id: self.parent.clone(),
            depth: i32::try_from(self.depth).unwrap_or(i32::MAX),
            agent_path: self.path.clone(),
            agent_nickname: Some(self.nickname.clone()),
            agent_role: self.role.clone(),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    OnDisk,
    InMemory,
}

/// What has come of a stored thread since its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    Nothing,
    OtherSettings,
    /// The end of its history has been dropped.
    Reverted,
}

/// What a stored thread brings along.
pub(crate) struct Stored {
    pub(crate) writer: Writer,
    pub(crate) records: Vec<Record>,
    pub(crate) summary: Summary,
    /// Unless it is nothing, the settings are kept at once.
    pub(crate) since: Since,
}

/// The state of a thread that is about to run.
pub(super) struct Loaded {
    pub(super) thread: Thread,
    pub(super) dynamic_tools: DynamicTools,
    pub(super) writer: Option<Writer>,
    pub(super) history: History,
    pub(super) told: Told,
    pub(super) usage: Option<(TurnId, ThreadTokenUsage)>,
    pub(super) compactions: usize,
    pub(super) origin: Origin,
    pub(super) queue: Queue,
    pub(super) team: Arc<Team>,
    pub(super) multi_agent: Option<MultiAgentVersion>,
    pub(super) session_start: SessionOrigin,
}

/// Where a thread's history comes from, as providers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    New,
    Disk,
}

/// Runs a new thread. Nothing of it is on disk yet but its lock.
pub(crate) fn create(shared: &Arc<Shared>, new: NewThread, start: Start) -> Result<ThreadHandle> {
    let settings = &start.settings;
    let base_instructions =
        base_instructions(&start, &shared.catalog.model(&settings.model, &start.config));
    let originator = shared.client().originator;
    let mut writer = match new.persistence {
        Persistence::InMemory => None,
        Persistence::OnDisk => Some(shared.store.create(stored::meta(
            &new,
            &start,
            &base_instructions,
            &originator,
        ))?),
    };
    let team = new.lineage.as_ref().map(|lineage| Arc::clone(&lineage.team));
    let team = team.unwrap_or_else(|| Arc::new(Team::of_new_session()));
    let mut thread = new_thread(&new, settings, originator, writer.as_ref());
    let mut history = History::default();
    history.push(&base_message(thread.id.as_str(), &base_instructions));
    history.load(&new.history);
    // What a thread knows that others can reach is not what it is about.
    if thread.can_accept_direct_input == Some(true) {
        let first = new.history.iter().find_map(|item| user_text(item.get()));
        thread.preview = first.unwrap_or_default();
    }
    if let Some(writer) = writer.as_mut().filter(|_| !new.history.is_empty()) {
        let records: Vec<Record> = new.history.into_iter().map(Record::History).collect();
        writer.append(&records)?;
    }
    let told = new.lineage.map(|lineage| lineage.told).unwrap_or_default();
    let (usage, compactions, origin, queue) = (None, 0, Origin::New, Queue::default());
    let session_start = new.session_start;
    let loaded = Loaded {
        thread,
        dynamic_tools: new.dynamic_tools,
        writer,
        history,
        told,
        usage,
        compactions,
        origin,
        queue,
        team,
        multi_agent: None,
        session_start,
    };
    Ok(run(shared, start, loaded))
}

/// Runs a stored thread from where it stopped. An agent goes back to its team, or leads one of its own.
pub(crate) fn resume(
    shared: &Arc<Shared>,
    from: Stored,
    start: Start,
    team: Arc<Team>,
) -> ThreadHandle {
    let Stored { mut writer, records, summary, since } = from;
    let model = shared.catalog.model(&start.settings.model, &start.config);
    let kept = writer.meta().instructions().map(|(text, _)| Arc::from(text));
    let base_instructions = match &start.base_instructions {
        Some(text) => Arc::from(text.as_str()),
        None => kept.unwrap_or_else(|| base_instructions(&start, &model)),
    };
    if since != Since::Nothing
        && let Err(error) = writer.append(&[stored::settings_applied(&summary.id, &start.settings)])
    {
        tracing::error!(%error, "the settings of a resumed thread cannot be saved");
    }
    let mut thread = stored::stored_thread(&summary);
    thread.status = ThreadStatus::Idle;
    thread.can_accept_direct_input = Some(thread.source.agent_path().is_none());
    let mut history = History::default();
    history.push(&base_message(thread.id.as_str(), &base_instructions));
    let items: Vec<_> = model_history(&records).into_iter().map(model::stored_item).collect();
    history.load(&items);
    let told = Told::from_history(&history, stored::last_model(&records));
    let usage = stored::last_usage(&records);
    let compactions =
        records.iter().filter(|record| matches!(record, Record::Compacted(_))).count();
    let mut queue = Queue::loaded(&shared.store, &thread.id, &records);
    if since == Since::Reverted {
        queue.hold();
    }
    let dynamic_tools = stored::dynamic_tools(writer.meta());
    let multi_agent = stored::multi_agent(writer.meta(), &records);
    let (writer, origin) = (Some(writer), Origin::Disk);
    let session_start = SessionOrigin::Resume;
    let loaded = Loaded {
        thread,
        dynamic_tools,
        writer,
        history,
        told,
        usage,
        compactions,
        origin,
        queue,
        team,
        multi_agent,
        session_start,
    };
    run(shared, start, loaded)
}

/// A new thread as clients see it.
pub(super) fn new_thread(
    new: &NewThread,
    settings: &Settings,
    originator: String,
    writer: Option<&Writer>,
) -> Thread {
    let now = now_secs();
    let lineage = new.lineage.as_ref();
    Thread {
        id: new.id.clone(),
        environments: Some(settings.environments()),
        extra: None,
        session_id: lineage.map_or_else(|| new.id.to_string(), |lineage| lineage.session.clone()),
        forked_from_id: None,
        attached_to_thread_id: None,
        parent_thread_id: lineage.map(|lineage| lineage.parent.clone()),
        preview: String::new(),
        ephemeral: new.persistence == Persistence::InMemory,
        section: None,
        section_entered_at: None,
        project_id: None,
        history_mode: new.history_mode,
        model_provider: settings.provider.clone(),
        model: Some(settings.model.clone()),
        reasoning_effort: settings.effort.clone(),
        created_at: now,
        updated_at: now,
        recency_at: Some(now),
        status: ThreadStatus::Idle,
        path: writer.map(|writer| writer.path().to_owned()),
        cwd: settings.cwd.clone().into(),
        cli_version: crate::COMPATIBLE_VERSION.to_owned(),
        originator: Some(originator),
        source: lineage.map_or(SessionSource::Vscode, Lineage::source),
        can_accept_direct_input: Some(lineage.is_none_or(|lineage| lineage.path.is_none())),
        thread_source: new.thread_source.clone(),
        agent_nickname: lineage.map(|lineage| lineage.nickname.clone()),
        agent_role: lineage.and_then(|lineage| lineage.role.clone()),
        git_info: writer.and_then(|writer| writer.meta().git.as_ref()).map(GitInfo::from),
        name: None,
        daybreak_enabled: None,
        turns: Vec::new(),
    }
}

/// The instructions that the thread's first message carries.
pub(super) fn base_instructions(start: &Start, model: &ModelInfo) -> Arc<str> {
    let own = start.base_instructions.as_deref().or(start.config.instructions.as_deref());
    Arc::from(own.or(model.base_instructions.as_deref()).unwrap_or(prompt::BASE))
}

/// How many agents are between a thread of this origin and the first one of its session, itself included.
fn depth(source: &SessionSource) -> u32 {
    let SessionSource::SubAgent(SubAgentSource::ThreadSpawn { depth, .. }) = source else {
        return 0;
    };
    u32::try_from(*depth).unwrap_or_default()
}

pub(super) fn run(shared: &Arc<Shared>, start: Start, loaded: Loaded) -> ThreadHandle {
    let Start { config, settings, provider, developer_instructions, .. } = start;
    let (commands, inbox) = mpsc::channel(INBOX);
    let depth = depth(&loaded.thread.source);
    let (progress, watched) = watch::channel(AgentStatus::default());
    let (events, happened) = mpsc::channel(EVENTS);
    let id = loaded.thread.id.clone();
    let mut instructions =
        instructions::discover(&shared.sources.home, settings.project(), &config);
    let mut declared = Hooks::read(&config.hooks);
    instructions.warnings.append(&mut declared.warnings);
    let hooks = ThreadHooks::new(declared, || shared.shell().clone());
    let (last_usage, totals) = match loaded.usage {
        Some((turn, usage)) => (Some(turn), Totals::resumed(&usage)),
        None => (None, Totals::default()),
    };
    let window = loaded.writer.as_ref().and_then(|writer| writer.meta().window_id());
    // A new thread's id is nobody else's, and a goal of before the feature was switched off rests.
    let goal = shared.store.goal(&id).filter(|_| config.features.on(Feature::Goals));
    let goal = Goal::loaded(goal, loaded.history.iter());
    let servers = ThreadServers::new(Servers::new(
        &shared.servers,
        config.mcp_servers.clone(),
        &settings.cwd,
    ));
    let mut actor = Actor {
        publisher: Publisher::new(id.clone(), Arc::clone(&shared.outlet)),
        shared: Arc::clone(shared),
        thread: loaded.thread,
        developer_instructions: developer_instructions
            .or_else(|| config.developer_instructions.clone()),
        settings,
        config: Arc::new(config),
        provider: Arc::new(provider),
        instructions,
        skills: skills::Known::default(),
        goal,
        queue: loaded.queue,
        history: loaded.history,
        told: loaded.told,
        additional_context: BTreeMap::new(),
        accepted: Accepted::default(),
        writer: loaded.writer,
        origin: loaded.origin,
        context_window: window.unwrap_or_else(|| Uuid::now_v7().to_string()),
        totals,
        compactions: loaded.compactions,
        conversation: model::Conversation::default(),
        effort: Effort::default(),
        last_usage,
        terminals: Arc::default(),
        grants: Arc::default(),
        dynamic_tools: Arc::new(loaded.dynamic_tools),
        servers,
        team: loaded.team,
        mailbox: Mailbox::default(),
        multi_agent: loaded.multi_agent,
        depth,
        progress,
        commands: HashMap::new(),
        user_commands: 0,
        status: ThreadStatus::Idle,
        first_unread: None,
        told_time: None,
        warned_of: None,
        waiting: Vec::new(),
        turn: None,
        hooks,
        next_hooks: None,
        session_start: None,
        open_runs: Vec::new(),
        late_contexts: Vec::new(),
        inbox,
        events,
        happened,
    };
    actor.session_begins(loaded.session_start);
    // The task ends when the registry drops the last handle, or by `Command::Close`.
    drop(tokio::spawn(actor.run()));
    ThreadHandle { id, progress: watched, commands }
}
