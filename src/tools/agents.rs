//! Working with agents: starting them, giving them work, waiting for their results, ending them.
//!
//! What a call asks for is checked and shown here; agents themselves, and what ties them to their parent, are the
//! thread's business.

pub(super) mod definition;
pub(super) mod item;
pub(super) mod recruit;
mod task;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use self::definition::NAMESPACE;
use self::item::Shown;
use self::recruit::{order, reply};
use self::task::Task;
use super::{Cx, Outcome, Run, Scene, Tool, arguments};
use crate::protocol::{
    CollabAgentTool, MultiAgentVersion, ReasoningEffort, ThreadId, TurnInterruptResponse, UserInput,
};
use crate::thread::{AgentMemory, AgentOrder, AgentStatus, Command, ThreadHandle, Wanted};

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

fn is_offered(scene: &Scene) -> bool {
    scene
        .agents
        .as_ref()
        .is_some_and(|agents| agents.version == MultiAgentVersion::V1 && agents.may_go_deeper)
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
    let effort = arguments.reasoning_effort.clone();
    shown.effort = Some(effort.unwrap_or_else(ReasoningEffort::unsaid));
    shown.start(cx).await;
    let order = order(cx, arguments.agent_type, arguments.model, arguments.reasoning_effort).await;
    let recruited = match order {
        Ok(order) => {
            let memory = match arguments.fork_context {
                true => AgentMemory::Messages,
                false => AgentMemory::Nothing,
            };
            recruit::recruit(cx, Wanted::New(AgentOrder { memory, ..order })).await
        }
        Err(refusal) => Err(refusal),
    };
    let recruit = match recruited {
        Ok(recruit) => recruit,
        Err(reason) => {
            shown.fail(cx).await;
            return Outcome::text(format!("collab spawn failed: {reason}"));
        }
    };
    let (id, nickname) = (recruit.handle.id.clone(), recruit.nickname.clone());
    shown.model = Some(recruit.model.clone());
    shown.effort = Some(recruit.effort.clone().unwrap_or_else(ReasoningEffort::unsaid));
    shown.receivers = vec![id.clone()];
    let item = shown.ended(cx, [(id.clone(), AgentStatus::PendingInit)]);
    match recruit::start(cx, recruit, item, input).await {
        Ok(()) => Outcome::text(json!({ "agent_id": id, "nickname": nickname }).to_string()),
        Err(reason) => Outcome::text(format!("collab spawn failed: {reason}")),
    }
}

/// Starts a turn of an agent, or adds to the one that runs; returns the turn's id.
async fn give(cx: &Cx, agent: &ThreadHandle, input: Vec<UserInput>) -> Result<String, String> {
    let (reply, answer) = reply();
    agent.start_turn(recruit::turn(cx, agent, input), reply).await;
    Ok(recruit::answered(answer).await?.turn.id.to_string())
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
    let Some(agent) = loaded(cx, &target) else { return missing(cx, shown, target).await };
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
    let (Some(_), Some(agents)) = (own(cx, &target), &cx.scene.agents) else {
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
    if loaded(cx, &target).is_none() && revive(cx, &target).await.is_none() {
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
    let recruit = recruit::recruit(cx, Wanted::Stored(Box::new(stored))).await;
    let recruit = recruit.inspect_err(|reason| tracing::debug!(reason, "an agent stays closed"));
    Some(recruit::admit(cx, recruit.ok()?).await)
}

fn agent_id(text: &str) -> Result<ThreadId, Outcome> {
    match Uuid::parse_str(text) {
        Ok(_) => Ok(ThreadId::from(text)),
        Err(error) => Err(Outcome::text(format!("invalid agent id {text}: {error}"))),
    }
}

/// An agent of this thread's own.
fn own(cx: &Cx, id: &ThreadId) -> Option<ThreadHandle> {
    cx.scene.agents.as_ref()?.team.get_own(&cx.scene.thread, id)
}

/// As [`own`], if it is loaded.
fn loaded(cx: &Cx, id: &ThreadId) -> Option<ThreadHandle> {
    own(cx, id).filter(|handle| !handle.has_ended())
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
