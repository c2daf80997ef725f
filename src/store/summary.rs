//! What is known of a thread without reading its history: from the first lines of its file up to the first message,
//! and from the last ones.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};

use super::{
    error::Error,
    legacy::LegacyEvent,
    meta::SessionMeta,
    reader::{self, Lines},
    record::{Line, Record, payload},
};
use crate::protocol::{
    GitInfo, ReasoningEffort, SessionSource, SubAgentSource, ThreadHistoryMode, ThreadId,
    ThreadItem, ThreadSource, UserInput,
};
use crate::util;

/// A stored thread, as lists show it. What the index has in columns of its own is not serialized.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) id: ThreadId,
    pub(crate) session_id: String,
    pub(crate) forked_from_id: Option<ThreadId>,
    pub(crate) attached_to_thread_id: Option<ThreadId>,
    /// The file whose history this one continues.
    #[serde(skip)]
    pub(crate) continues: Option<String>,
    pub(crate) parent_thread_id: Option<ThreadId>,
    #[serde(skip)]
    pub(crate) preview: String,
    /// What the user said first in this file, where the history began in another one.
    #[serde(skip)]
    pub(crate) opening: Option<String>,
    #[serde(skip)]
    pub(crate) name: Option<String>,
    pub(crate) history_mode: ThreadHistoryMode,
    pub(crate) model_provider: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) reasoning_effort: Option<ReasoningEffort>,
    pub(crate) created_at_ms: i64,
    pub(crate) updated_at_ms: i64,
    pub(crate) recency_at_ms: i64,
    /// The thread's current file.
    #[serde(skip)]
    pub(crate) path: PathBuf,
    pub(crate) cwd: PathBuf,
    pub(crate) runtime_workspace_roots: Vec<PathBuf>,
    pub(crate) cli_version: String,
    pub(crate) originator: String,
    pub(crate) source: SessionSource,
    pub(crate) thread_source: Option<ThreadSource>,
    pub(crate) agent_nickname: Option<String>,
    pub(crate) agent_role: Option<String>,
    pub(crate) git_info: Option<GitInfo>,
}

impl Summary {
    pub(crate) fn created_at(&self) -> i64 {
        self.created_at_ms.div_euclid(1000)
    }

    pub(crate) fn updated_at(&self) -> i64 {
        self.updated_at_ms.div_euclid(1000)
    }

    pub(crate) fn recency_at(&self) -> i64 {
        self.recency_at_ms.div_euclid(1000)
    }
}

/// By what it is seen that a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    pub(crate) modified_ms: i64,
}

impl Stamp {
    /// Of a file as it is now; `None` when there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        let modified = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { len: file.len(), modified_ms: i64::try_from(modified.as_millis()).ok()? })
    }
}

/// The start of a file.
#[derive(Debug)]
struct Head {
    meta: SessionMeta,
    /// When the file was begun.
    began_ms: Option<i64>,
    preview: Option<String>,
    /// The line that the preview is from.
    preview_ordinal: Option<u64>,
}

/// The end of a file.
#[derive(Debug, Default)]
struct Tail {
    model: Option<String>,
    effort: Option<ReasoningEffort>,
    cwd: Option<PathBuf>,
    roots: Vec<PathBuf>,
    recency_ms: Option<i64>,
}

/// The summary of the thread whose current file this is, but for its name. `stamp` was taken before.
pub(crate) fn read(home: &Path, path: &Path, stamp: Stamp) -> Result<Summary, Error> {
    let end = reader::tail(path, TAIL).map_err(Error::io(path))?;
    let head = read_head(path, end.is_whole.then_some(&*end.bytes))?;
    let tail = read_tail(&end.bytes);
    let Origin { preview, created_ms } = origin(home, &head)?;
    let created_at_ms = created_ms.unwrap_or(stamp.modified_ms);
    // A file without a turn is one that a thread has just been forked or reverted to.
    let recency_at_ms = tail.recency_ms.or(head.began_ms).unwrap_or(created_at_ms);
    let (preview, opening) = match preview {
        Some(inherited) => (inherited, head.preview),
        None => (head.preview.unwrap_or_default(), None),
    };
    let meta = head.meta;
    Ok(Summary {
        session_id: meta.session_id.as_ref().unwrap_or(&meta.id).as_str().to_owned(),
        parent_thread_id: parent(&meta),
        id: meta.id,
        forked_from_id: meta.forked_from_id,
        attached_to_thread_id: meta.attached_to_thread_id,
        continues: meta.history_base.map(|base| base.thread_id),
        preview,
        opening,
        name: None,
        history_mode: meta.history_mode,
        model_provider: meta.model_provider,
        model: tail.model,
        reasoning_effort: tail.effort,
        created_at_ms,
        updated_at_ms: stamp.modified_ms,
        recency_at_ms: recency_at_ms.max(created_at_ms),
        path: path.to_owned(),
        cwd: tail.cwd.unwrap_or(meta.cwd),
        runtime_workspace_roots: tail.roots,
        cli_version: meta.cli_version,
        originator: meta.originator,
        source: meta.source,
        thread_source: meta.thread_source.map(ThreadSource::from),
        agent_nickname: meta.agent_nickname,
        agent_role: meta.agent_role,
        git_info: meta.git.as_ref().map(GitInfo::from),
    })
}

/// What the files tell of a history that its last one continues.
struct Origin {
    preview: Option<String>,
    /// When the thread began; from the last file, if it is the only one.
    created_ms: Option<i64>,
}

fn origin(home: &Path, head: &Head) -> Result<Origin, Error> {
    let meta = &head.meta;
    let mut created_ms = util::time::parse_rfc3339_millis(&meta.timestamp);
    let mut preview = None;
    if meta.history_base.is_some() {
        for (path, end) in reader::lineage(home, meta)? {
            let base = read_head(&path, None)?;
            if base.meta.id == meta.id {
                let before = util::time::parse_rfc3339_millis(&base.meta.timestamp);
                created_ms = created_ms.min(before).or(created_ms);
            }
            let inherited = base.preview_ordinal.is_some_and(|ordinal| ordinal < end);
            preview = preview.or_else(|| base.preview.filter(|_| inherited));
        }
    }
    Ok(Origin { preview, created_ms })
}

/// How much of a file's end is looked at.
const TAIL: u64 = 64 * 1024;

/// How far into a file a first message is looked for. A line that begins before is read whole.
const HEAD: u64 = 4 * 1024 * 1024;

/// Previews are titles; what is longer is of no use to anybody and costs every list.
const PREVIEW: usize = 16 * 1024;

fn parent(meta: &SessionMeta) -> Option<ThreadId> {
    let spawned = match &meta.source {
        SessionSource::SubAgent(SubAgentSource::ThreadSpawn { parent_thread_id, .. }) => {
            Some(parent_thread_id)
        }
        SessionSource::SubAgent(_)
        | SessionSource::Cli
        | SessionSource::Vscode
        | SessionSource::Exec
        | SessionSource::AppServer
        | SessionSource::Custom(_)
        | SessionSource::Unknown => None,
    };
    meta.parent_thread_id.as_ref().or(spawned).cloned()
}

/// Reads up to the first message; `whole` is the file's contents where they are at hand.
fn read_head(path: &Path, whole: Option<&[u8]>) -> Result<Head, Error> {
    let mut head = None;
    if let Some(bytes) = whole {
        for line in bytes.split(|&byte| byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            if look(path, &mut head, line)? {
                break;
            }
        }
    } else {
        let mut lines = Lines::open(path)?;
        while lines.offset() < HEAD {
            let Some(line) = lines.next().map_err(Error::io(path))? else { break };
            if look(path, &mut head, line)? {
                break;
            }
        }
    }
    head.ok_or_else(|| Error::invalid(path, "rollout does not start with session metadata"))
}

/// Takes a line in; true when there is nothing more to look for.
fn look(path: &Path, head: &mut Option<Head>, text: &str) -> Result<bool, Error> {
    let Some(line) = Line::parse(text) else { return Ok(false) };
    match head {
        None => {
            let meta = reader::first(&line);
            let meta = meta.ok_or_else(|| {
                Error::invalid(path, "rollout does not start with session metadata")
            })?;
            let began_ms = line.time_ms();
            *head = Some(Head { meta, began_ms, preview: None, preview_ordinal: None });
            Ok(false)
        }
        Some(head) => {
            head.preview = preview(&line);
            head.preview_ordinal = line.ordinal;
            Ok(head.preview.is_some())
        }
    }
}

/// What a line contributes to the preview: the first message of a user, or a goal.
fn preview(line: &Line<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Goal {
        goal: Objective,
    }
    #[derive(Deserialize)]
    struct Objective {
        objective: String,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow)]
        item: Kind<'a>,
    }
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    let content = match &*line.event() {
        "thread_goal_updated" => {
            let goal: Goal = payload(line.payload)?;
            return Some(goal.goal.objective).filter(|objective| !objective.trim().is_empty());
        }
        "item_completed" if payload::<Item<'_>>(line.payload)?.item.kind == "UserMessage" => {
            let Record::Item(item) = line.record() else { return None };
            let ThreadItem::UserMessage { content, .. } = item.item else { return None };
            content
        }
        "user_message" => {
            let Record::Legacy(LegacyEvent::UserMessage(message)) = line.record() else {
                return None;
            };
            message.content()
        }
        _ => return None,
    };
    Some(preview_of(&content)).filter(|preview| !preview.is_empty())
}

/// The preview that a first message gives.
pub(crate) fn preview_of(content: &[UserInput]) -> String {
    const REQUEST: &str = "## My request for Codex:";
    let mut text = String::new();
    let mut image = false;
    for part in content {
        match part {
            UserInput::Text { text: part, .. } => text.push_str(part),
            UserInput::Image { .. } | UserInput::LocalImage { .. } => image = true,
            UserInput::Audio { .. }
            | UserInput::LocalAudio { .. }
            | UserInput::Skill { .. }
            | UserInput::Mention { .. } => {}
        }
    }
    let request = text.split_once(REQUEST).map_or(&*text, |(_, request)| request).trim();
    match request {
        "" if image => "[Image]".to_owned(),
        _ => request[..request.floor_char_boundary(PREVIEW)].to_owned(),
    }
}

fn read_tail(bytes: &[u8]) -> Tail {
    let mut tail = Tail::default();
    let mut started = None;
    for line in bytes.split(|&byte| byte == b'\n').rev() {
        let Some(line) = std::str::from_utf8(line).ok().and_then(Line::parse) else { continue };
        match &*line.kind {
            "turn_context" => tail.context(&line),
            "event_msg" => tail.event(&line, &mut started),
            _ => {}
        }
        if tail.recency_ms.is_some() && tail.model.is_some() {
            break;
        }
    }
    tail.recency_ms = tail.recency_ms.or(started);
    tail
}

impl Tail {
    fn context(&mut self, line: &Line<'_>) {
        if let Record::TurnContext(context) = line.record()
            && self.model.is_none()
        {
            self.model = Some(context.model);
            self.effort = context.effort.and_then(|effort| effort.try_into().ok());
            self.cwd = Some(context.cwd).filter(|cwd| cwd.is_absolute());
        }
    }

    fn event(&mut self, line: &Line<'_>, started: &mut Option<i64>) {
        #[derive(Deserialize)]
        struct Turn {
            turn_id: Option<String>,
            started_at: Option<i64>,
        }
        let start = || {
            let turn: Turn = payload(line.payload)?;
            start_ms(turn.started_at, turn.turn_id.as_deref())
        };
        match &*line.event() {
            "thread_settings_applied" if self.model.is_none() => self.settings(line),
            "task_started" | "turn_started" if self.recency_ms.is_none() => {
                self.recency_ms = start().or(line.time_ms());
            }
            // The start itself may be out of sight.
            "task_complete" | "turn_complete" | "turn_aborted" | "item_completed"
                if started.is_none() =>
            {
                *started = start();
            }
            "user_message" if started.is_none() => *started = line.time_ms(),
            _ => {}
        }
    }

    fn settings(&mut self, line: &Line<'_>) {
        let Record::Settings(applied) = line.record() else { return };
        let settings = applied.thread_settings;
        self.model = Some(settings.model);
        self.effort = settings.reasoning_effort.and_then(|effort| effort.try_into().ok());
        self.cwd = Some(settings.cwd).filter(|cwd| cwd.is_absolute());
        self.roots = settings.runtime_workspace_roots;
    }
}

/// When a turn started. Its id is finer than the stored second, when it is of that kind.
fn start_ms(started_at: Option<i64>, turn_id: Option<&str>) -> Option<i64> {
    let id = turn_id.and_then(|id| uuid::Uuid::try_parse(id).ok());
    let (seconds, nanos) = id?.get_timestamp()?.to_unix();
    let id_ms = i64::try_from(seconds).ok()? * 1000 + i64::from(nanos / 1_000_000);
    match started_at {
        Some(start) if (id_ms.div_euclid(1000) - start).abs() > 1 => Some(start * 1000),
        Some(_) | None => Some(id_ms),
    }
}
