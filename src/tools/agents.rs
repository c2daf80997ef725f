//! Working with agents: starting them, giving them work, waiting for their results, ending them.
//!
//! What a call asks for is checked and shown here; agents themselves, and what ties them to their parent, are the
//! thread's business.

mod definition;
mod item;

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio::time::sleep;
use uuid::Uuid;

use self::definition::NAMESPACE;
use self::item::Shown;
use super::{Cx, Effect, Outcome, Run, Scene, Tool, arguments};
use crate::config::Role;
use crate::protocol::{
    CollabAgentTool, ImageDetail, MediaSource, ReasoningEffort, ThreadId, TurnInterruptResponse,
    TurnStartParams, UserInput,
};
use crate::thread::{self, AgentMemory, AgentOrder, AgentStatus, Command, Reply, ThreadHandle};

/// How long to wait for agents, in milliseconds: by default, and the bounds.
const WAIT: u64 = 30_000;
const SHORTEST_WAIT: u64 = 10_000;
const LONGEST_WAIT: u64 = 3_600_000;

pub(super) static SPAWN: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "spawn_agent",
    is_offered,
    definition: definition::spawn_agent,
    run: Run::InOrder(|cx, text| Box::pin(spawn(cx, text))),
};

pub(super) static SEND: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "send_input",
    is_offered,
    definition: definition::send_input,
    run: Run::InOrder(|cx, text| Box::pin(send(cx, text))),
};

pub(super) static WAIT_FOR: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "wait_agent",
    is_offered,
    definition: definition::wait_agent,
    run: Run::Function(|cx, text| Box::pin(wait(cx, text))),
};

pub(super) static CLOSE: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "close_agent",
    is_offered,
    definition: definition::close_agent,
    run: Run::InOrder(|cx, text| Box::pin(close(cx, text))),
};

pub(super) static RESUME: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "resume_agent",
    is_offered,
    definition: definition::resume_agent,
    run: Run::InOrder(|cx, text| Box::pin(resume(cx, text))),
};

/// Whether the model may have agents: not in a review, and not deeper than configured.
fn is_offered(scene: &Scene) -> bool {
    let config = &scene.config.agents;
    config.enabled
        && scene.config.features.on("multi_agent")
        && scene.model_info.may_have_agents()
        && scene.agents.as_ref().is_some_and(|agents| agents.depth < config.max_depth)
}

#[derive(Debug, Deserialize)]
struct SpawnArguments {
    #[serde(flatten)]
    task: Task,
    agent_type: Option<String>,
    model: Option<String>,
    reasoning_effort: Option<ReasoningEffort>,
    #[serde(default)]
    fork_context: bool,
}

/// What an agent is told: words, or parts.
#[derive(Debug, Deserialize)]
struct Task {
    message: Option<String>,
    items: Option<Vec<Part>>,
}

/// A part of a task.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    image_url: Option<String>,
    audio_url: Option<String>,
    name: Option<String>,
    path: Option<String>,
}

impl Task {
    /// The task as input, and as clients show it.
    fn input(self) -> Result<(Vec<UserInput>, String), Outcome> {
        match (self.message, self.items) {
            (Some(message), None) if message.trim().is_empty() => {
                Err(Outcome::text("an agent cannot be given an empty message"))
            }
            (Some(message), None) => Ok((vec![UserInput::text(&message)], message)),
            (None, Some(items)) if items.is_empty() => {
                Err(Outcome::text("an agent cannot be given an empty list of items"))
            }
            (None, Some(items)) => {
                let shown =
                    items.iter().filter_map(|part| part.text.as_deref()).collect::<Vec<_>>();
                let shown = shown.join("\n");
                let input: Result<Vec<UserInput>, String> =
                    items.into_iter().map(Part::into_input).collect();
                Ok((input.map_err(Outcome::text)?, shown))
            }
            (None, None) | (Some(_), Some(_)) => {
                Err(Outcome::text("give either message or items, and not both"))
            }
        }
    }
}

impl Part {
    fn into_input(self) -> Result<UserInput, String> {
        let missing = |member: &str| format!("an item of type {} needs a {member}", self.kind);
        match self.kind.as_str() {
            "text" => Ok(UserInput::text(&self.text.ok_or_else(|| missing("text"))?)),
            "image" => Ok(UserInput::Image {
                source: MediaSource::Url {
                    url: self.image_url.ok_or_else(|| missing("image_url"))?,
                },
                detail: None::<ImageDetail>,
            }),
            "local_image" => Ok(UserInput::LocalImage {
                path: self.path.ok_or_else(|| missing("path"))?.into(),
                detail: None,
            }),
            "audio" => Ok(UserInput::Audio {
                source: MediaSource::Url {
                    url: self.audio_url.ok_or_else(|| missing("audio_url"))?,
                },
            }),
            "local_audio" => {
                Ok(UserInput::LocalAudio { path: self.path.ok_or_else(|| missing("path"))?.into() })
            }
            "skill" => Ok(UserInput::Skill {
                name: self.name.ok_or_else(|| missing("name"))?,
                path: self.path.ok_or_else(|| missing("path"))?.into(),
            }),
            "mention" => Ok(UserInput::Mention {
                name: self.name.ok_or_else(|| missing("name"))?,
                path: self.path.ok_or_else(|| missing("path"))?.into(),
            }),
            other => Err(format!("unknown type of item: {other}")),
        }
    }
}

async fn spawn(cx: &Cx, text: String) -> Outcome {
    let arguments: SpawnArguments = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let (input, prompt) = match arguments.task.input() {
        Ok(task) => task,
        Err(told) => return told,
    };
    let mut shown = Shown::new(CollabAgentTool::SpawnAgent);
    shown.prompt = Some(prompt);
    shown.model = Some(arguments.model.clone().unwrap_or_default());
    shown.effort.clone_from(&arguments.reasoning_effort);
    shown.start(cx).await;
    let order = order(cx, arguments.agent_type, arguments.model, arguments.reasoning_effort).await;
    let order = order.map(|order| AgentOrder {
        memory: if arguments.fork_context { AgentMemory::Messages } else { AgentMemory::Nothing },
        ..order
    });
    let spawned = match order {
        Ok(order) => {
            let (reply, answer) = oneshot::channel();
            cx.apply(Effect::SpawnAgent { order: Box::new(order), reply }).await;
            match answer.await {
                Ok(spawned) => spawned.map_err(|error| error.to_string()),
                Err(_over) => Err("the turn is over".to_owned()),
            }
        }
        Err(refusal) => Err(refusal),
    };
    let spawned = match spawned {
        Ok(spawned) => spawned,
        Err(reason) => {
            shown.fail(cx).await;
            return Outcome::text(format!("collab spawn failed: {reason}"));
        }
    };
    let id = spawned.handle.id.clone();
    shown.model = Some(spawned.model);
    shown.effort = spawned.effort;
    shown.receivers = vec![id.clone()];
    shown.end(cx, [(id.clone(), AgentStatus::PendingInit)]).await;
    if let Err(reason) = give(cx, &spawned.handle, input).await {
        return Outcome::text(format!("collab spawn failed: {reason}"));
    }
    Outcome::text(json!({ "agent_id": id, "nickname": spawned.nickname }).to_string())
}

/// What the arguments ask for, checked against what there is.
async fn order(
    cx: &Cx,
    role: Option<String>,
    model: Option<String>,
    effort: Option<ReasoningEffort>,
) -> Result<AgentOrder, String> {
    let known = &cx.scene.config.agents.roles;
    let settings = match role.as_deref() {
        None | Some("default") => Map::new(),
        Some(name) => match known.get(name) {
            Some(role) => role_settings(&cx.scene.home, name, role).await?,
            None => return Err(format!("unknown agent_type '{name}'")),
        },
    };
    if let Some(model) = &model {
        let known = known_models(cx);
        if !known.is_empty() && *model != cx.scene.model && !known.contains(model) {
            return Err(format!("unknown model '{model}'; there are: {}", known.join(", ")));
        }
    }
    let own = |key: &str| settings.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(AgentOrder {
        model: model.or_else(|| own("model")),
        effort: effort.or_else(|| {
            let level = settings.get("model_reasoning_effort")?;
            ReasoningEffort::deserialize(level).ok()
        }),
        developer_instructions: own("developer_instructions"),
        role,
        memory: AgentMemory::Nothing,
    })
}

/// Some models that there are.
fn known_models(cx: &Cx) -> Vec<String> {
    let models =
        cx.scene.agents.as_ref().map(|agents| agents.shared.catalog.models(&cx.scene.config));
    let models = models.and_then(Result::ok);
    models.iter().flat_map(|models| models.listed()).map(|model| model.slug.clone()).collect()
}

/// The settings that agents of a role have.
async fn role_settings(home: &Path, name: &str, role: &Role) -> Result<Map<String, Value>, String> {
    let Some(path) = &role.config_file else { return Ok(Map::new()) };
    let path = home.join(path);
    let text = tokio::fs::read_to_string(&path).await;
    let text = text.map_err(|error| {
        format!("the settings of agent_type '{name}' cannot be read: {}: {error}", path.display())
    })?;
    crate::config::table(&text)
        .map_err(|error| format!("the settings of agent_type '{name}' are no TOML: {error}"))
}

/// Starts a turn of an agent, or adds to the one that runs; returns the turn's id.
async fn give(cx: &Cx, agent: &ThreadHandle, input: Vec<UserInput>) -> Result<String, String> {
    let params = TurnStartParams {
        root_turn_id: Some(cx.root.clone()),
        parent_turn_id: Some(cx.turn.clone()),
        thread_id: agent.id.clone(),
        input,
        ..TurnStartParams::default()
    };
    let (reply, answer) = reply();
    agent.start_turn(params, reply).await;
    match answer.await {
        Ok(Ok(started)) => Ok(started.turn.id.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_gone) => Err(thread::Error::Gone.to_string()),
    }
}

fn reply<T: Send + 'static>() -> (Reply<T>, oneshot::Receiver<thread::Result<T>>) {
    let (sender, answer) = oneshot::channel();
    let give = move |result| {
        let _unheard = sender.send(result);
    };
    (Reply::new(give), answer)
}

#[derive(Debug, Deserialize)]
struct SendArguments {
    target: String,
    #[serde(flatten)]
    task: Task,
    #[serde(default)]
    interrupt: bool,
}

async fn send(cx: &Cx, text: String) -> Outcome {
    let arguments: SendArguments = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let (target, (input, prompt)) = match (agent_id(&arguments.target), arguments.task.input()) {
        (Ok(target), Ok(task)) => (target, task),
        (Err(told), _) | (_, Err(told)) => return told,
    };
    let mut shown = Shown::new(CollabAgentTool::SendInput);
    shown.prompt = Some(prompt);
    shown.receivers = vec![target.clone()];
    shown.start(cx).await;
    let Some(agent) = member(cx, &target) else { return missing(cx, shown, target).await };
    if arguments.interrupt {
        let (reply, interrupted) = reply::<TurnInterruptResponse>();
        agent.send(Command::Interrupt { turn: String::new().into(), reply }).await;
        drop(interrupted.await);
    }
    let given = give(cx, &agent, input).await;
    let status = status(cx, &target);
    match given {
        Ok(submission) => {
            shown.end(cx, [(target, status)]).await;
            Outcome::text(json!({ "submission_id": submission }).to_string())
        }
        Err(reason) => {
            shown.fail_with(cx, [(target, status)]).await;
            Outcome::text(format!("collab tool failed: {reason}"))
        }
    }
}

#[derive(Debug, Deserialize)]
struct WaitArguments {
    targets: Vec<String>,
    timeout_ms: Option<u64>,
}

async fn wait(cx: &Cx, text: String) -> Outcome {
    let arguments: WaitArguments = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    if arguments.targets.is_empty() {
        return Outcome::text("agent ids must be non-empty");
    }
    let ids: Result<Vec<ThreadId>, Outcome> =
        arguments.targets.iter().map(|target| agent_id(target)).collect();
    let ids = match ids {
        Ok(ids) => ids,
        Err(told) => return told,
    };
    let mut shown = Shown::new(CollabAgentTool::Wait);
    shown.receivers.clone_from(&ids);
    shown.start(cx).await;
    let limit = arguments.timeout_ms.unwrap_or(WAIT).clamp(SHORTEST_WAIT, LONGEST_WAIT);
    let Some(agents) = &cx.scene.agents else { return Outcome::text("there are no agents") };
    let waiting = agents.team.wait_for(&ids);
    let mut arrived = cx.arrived.clone();
    let timed_out = tokio::select! {
        biased;
        () = agents.team.any_final(&ids) => false,
        // What the user says now may be about the waiting.
        _ = arrived.changed() => false,
        () = sleep(Duration::from_millis(limit)) => true,
    };
    let finals = waiting.finals();
    drop(waiting);
    let status: Map<String, Value> =
        finals.iter().map(|(id, status)| (id.to_string(), json!(status))).collect();
    match finals.iter().any(|(_, status)| *status == AgentStatus::NotFound) {
        true => shown.fail_with(cx, finals).await,
        false => shown.end(cx, finals).await,
    }
    Outcome::text(json!({ "status": status, "timed_out": timed_out }).to_string())
}

#[derive(Debug, Deserialize)]
struct CloseArguments {
    target: String,
}

async fn close(cx: &Cx, text: String) -> Outcome {
    let target = arguments(&text).and_then(|CloseArguments { target }| agent_id(&target));
    let target = match target {
        Ok(target) => target,
        Err(told) => return told,
    };
    let mut shown = Shown::new(CollabAgentTool::CloseAgent);
    shown.receivers = vec![target.clone()];
    shown.start(cx).await;
    let (Some(_), Some(agents)) = (member(cx, &target), &cx.scene.agents) else {
        return missing(cx, shown, target).await;
    };
    let before = agents.team.status(&target);
    agents.close(&target).await;
    shown.end(cx, [(target, before.clone())]).await;
    Outcome::text(json!({ "previous_status": before }).to_string())
}

#[derive(Debug, Deserialize)]
struct ResumeArguments {
    id: String,
}

async fn resume(cx: &Cx, text: String) -> Outcome {
    let target = arguments(&text).and_then(|ResumeArguments { id }| agent_id(&id));
    let target = match target {
        Ok(target) => target,
        Err(told) => return told,
    };
    let mut shown = Shown::new(CollabAgentTool::ResumeAgent);
    shown.receivers = vec![target.clone()];
    shown.start(cx).await;
    if member(cx, &target).is_none() && revive(cx, &target).await.is_none() {
        return missing(cx, shown, target).await;
    }
    let status = status(cx, &target);
    shown.end(cx, [(target, status.clone())]).await;
    Outcome::text(json!({ "status": status }).to_string())
}

/// Loads an agent again. `None` when there is none, or none of this thread's.
async fn revive(cx: &Cx, target: &ThreadId) -> Option<ThreadHandle> {
    let stored = cx.scene.agents.as_ref()?.stored(target).await;
    let stored = stored
        .inspect_err(|error| tracing::debug!(%error, "an agent cannot be loaded again"))
        .ok()?;
    if stored.summary.parent_thread_id.as_ref() != Some(&cx.scene.thread) {
        return None;
    }
    let (reply, answer) = oneshot::channel();
    cx.apply(Effect::ReviveAgent { stored: Box::new(stored), reply }).await;
    answer.await.ok()?.ok()
}

fn agent_id(text: &str) -> Result<ThreadId, Outcome> {
    match Uuid::parse_str(text) {
        Ok(_) => Ok(ThreadId::from(text)),
        Err(error) => Err(Outcome::text(format!("invalid agent id {text}: {error}"))),
    }
}

fn member(cx: &Cx, id: &ThreadId) -> Option<ThreadHandle> {
    cx.scene.agents.as_ref()?.team.get(id).filter(|handle| !handle.has_ended())
}

fn status(cx: &Cx, id: &ThreadId) -> AgentStatus {
    let agents = cx.scene.agents.as_ref();
    agents.map_or(AgentStatus::NotFound, |agents| agents.team.status(id))
}

async fn missing(cx: &Cx, shown: Shown, id: ThreadId) -> Outcome {
    let told = Outcome::text(format!("agent with id {id} not found"));
    shown.fail_with(cx, [(id, AgentStatus::NotFound)]).await;
    told
}
