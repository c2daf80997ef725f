//! Working with agents that know each other: by their places in a tree, which are paths, each can write to any other.
//!
//! What a call asks for is checked and shown here; how letters reach a model is the threads' business.

mod definition;

use std::future::ready;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

use self::definition::NAMESPACE;
use super::agents::item::Shown;
use super::agents::recruit;
use super::{Cx, Effect, Outcome, Run, Scene, Tool, arguments};
use crate::protocol::{
    AgentPath, CollabAgentTool, MultiAgentVersion, ReasoningEffort, SubAgentActivityKind, ThreadId,
    ThreadItem, TimedItem, TurnInterruptResponse,
};
use crate::thread::{
    AgentMemory, AgentOrder, Agents, Command, FoundAgent, Giver, Letter, LetterContent, Wanted,
    agent_path as path, item,
};
use crate::util::time::now_ms;

pub(super) static SPAWN: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "spawn_agent",
    is_offered,
    definition: definition::spawn_agent,
    run: Run::InOrder(|cx, text| Box::pin(told(spawn(cx, text)))),
};

pub(super) static SEND: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "send_message",
    is_offered,
    definition: definition::send_message,
    run: Run::InOrder(|cx, text| Box::pin(told(send(cx, text)))),
};

pub(super) static FOLLOW_UP: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "followup_task",
    is_offered,
    definition: definition::followup_task,
    run: Run::InOrder(|cx, text| Box::pin(told(follow_up(cx, text)))),
};

pub(super) static WAIT_FOR: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "wait_agent",
    is_offered,
    definition: definition::wait_agent,
    run: Run::Function(|cx, text| Box::pin(told(wait(cx, text)))),
};

pub(super) static INTERRUPT: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "interrupt_agent",
    is_offered,
    definition: definition::interrupt_agent,
    run: Run::InOrder(|cx, text| Box::pin(told(interrupt(cx, text)))),
};

pub(super) static LIST: Tool = Tool {
    namespace: Some(&NAMESPACE),
    name: "list_agents",
    is_offered,
    definition: definition::list_agents,
    run: Run::InOrder(|cx, text| Box::pin(told(list(cx, text)))),
};

fn is_offered(scene: &Scene) -> bool {
    scene.agents.as_ref().is_some_and(|agents| agents.version == MultiAgentVersion::V2)
}

/// What a call gives: the error is for the model, too.
type Told<T = Outcome> = Result<T, Outcome>;

async fn told(call: impl Future<Output = Told>) -> Outcome {
    call.await.unwrap_or_else(|refusal| refusal)
}

fn refuse(reason: &impl ToString) -> Outcome {
    Outcome::text(reason.to_string())
}

#[derive(Debug, Deserialize)]
struct SpawnArguments {
    task_name: String,
    message: String,
    fork_turns: Option<String>,
    fork_context: Option<bool>,
    agent_type: Option<String>,
    model: Option<String>,
    reasoning_effort: Option<ReasoningEffort>,
}

impl SpawnArguments {
    /// What the agent is to know of this conversation.
    fn memory(&self) -> Told<AgentMemory> {
        if self.fork_context.is_some() {
            return Err(Outcome::text("there is no fork_context; say fork_turns instead"));
        }
        match self.fork_turns.as_deref() {
            Some("none") => Ok(AgentMemory::Nothing),
            None | Some("all") => Ok(AgentMemory::Everything),
            // It knows at least as many turns as it was to know.
            Some(number) if number.parse::<u32>().is_ok_and(|turns| turns > 0) => {
                Ok(AgentMemory::Everything)
            }
            Some(_) => Err(Outcome::text("fork_turns must be `none` or `all`")),
        }
    }
}

async fn spawn(cx: &Cx, text: String) -> Told {
    let arguments: SpawnArguments = arguments(&text)?;
    let (agents, memory) = (agents(cx)?, arguments.memory()?);
    let path = path::child(&agents.path, &arguments.task_name).map_err(|error| refuse(&error))?;
    let task = task(cx, &path, filled(arguments.message)?)?;
    if agents.at(&path).await.map_err(|error| refuse(&error))?.is_some() {
        return Err(Outcome::text(format!("an agent `{}` is there already", path.as_str())));
    }
    let (model, effort) = (arguments.model, arguments.reasoning_effort);
    let order = recruit::order(cx, arguments.agent_type, model, effort)
        .await
        .map_err(|error| refuse(&error))?;
    let failed = |reason: String| Outcome::text(format!("collab spawn failed: {reason}"));
    let order = AgentOrder { memory, path: Some(path.clone()), ..order };
    make_room(cx).await;
    let recruit = recruit::recruit(cx, Wanted::New(order)).await.map_err(failed)?;
    let mut item = activity(cx, SubAgentActivityKind::Started, &recruit.handle.id, &path);
    if let ThreadItem::SubAgentActivity { model, reasoning_effort, .. } = &mut item.item {
        *model = Some(recruit.model.clone());
        let effort = recruit.effort.clone();
        *reasoning_effort = Some(effort.unwrap_or_else(ReasoningEffort::unsaid));
    }
    cx.begin(item.clone()).await;
    recruit::start_on(cx, recruit, item, task).await.map_err(failed)?;
    Ok(Outcome::text(json!({ "task_name": path }).to_string()))
}

#[derive(Debug, Deserialize)]
struct WriteArguments {
    target: String,
    message: String,
}

async fn send(cx: &Cx, text: String) -> Told {
    let WriteArguments { target, message } = arguments(&text)?;
    let (agents, message) = (agents(cx)?, filled(message)?);
    let reader = meant(agents, &target)?;
    let letter = letter(agents, &reader, LetterContent::Message(message));
    deliver(cx, find(cx, &reader).await?, letter).await
}

async fn follow_up(cx: &Cx, text: String) -> Told {
    let WriteArguments { target, message } = arguments(&text)?;
    let (agents, message) = (agents(cx)?, filled(message)?);
    let reader = meant(agents, &target)?;
    if reader == path::root() {
        return Err(Outcome::text("the root agent takes tasks from the user alone"));
    }
    let task = task(cx, &reader, message)?;
    let agent = find(cx, &reader).await?;
    agents.team.give(&cx.scene.thread, &agent.id, &cx.turn);
    deliver(cx, agent, task).await
}

fn task(cx: &Cx, reader: &AgentPath, text: String) -> Told<Letter> {
    let giver = Giver { turn: cx.turn.clone(), root: cx.root.clone() };
    Ok(letter(agents(cx)?, reader, LetterContent::Task { text, giver }))
}

fn letter(agents: &Agents, reader: &AgentPath, content: LetterContent) -> Letter {
    Letter { author: agents.path.clone(), reader: reader.clone(), content }
}

fn filled(message: String) -> Told<String> {
    match message.trim().is_empty() {
        true => Err(Outcome::text("an agent cannot be sent an empty message")),
        false => Ok(message),
    }
}

/// Gives an agent a letter. One that has been unloaded is loaded again for it.
async fn deliver(cx: &Cx, agent: FoundAgent, letter: Letter) -> Told {
    let reader = letter.reader.clone();
    let item = activity(cx, SubAgentActivityKind::Interacted, &agent.id, &reader);
    let failed = |reason: String| {
        Outcome::text(format!("`{}` cannot be reached: {reason}", reader.as_str()))
    };
    if let Some(handle) = agent.handle {
        show(cx, item).await;
        let (reply, answer) = recruit::reply();
        handle.send(Command::Mail { letter, reply }).await;
        recruit::answered(answer).await.map_err(failed)?;
    } else {
        make_room(cx).await;
        let stored = agents(cx)?.reclaim(&agent.id).await;
        let stored = Box::new(stored.map_err(|error| failed(error.to_string()))?);
        let recruit = recruit::recruit(cx, Wanted::Stored(stored)).await.map_err(failed)?;
        cx.begin(item.clone()).await;
        recruit::start_on(cx, recruit, item, letter).await.map_err(failed)?;
    }
    Ok(Outcome::text(""))
}

#[derive(Debug, Deserialize)]
struct WaitArguments {
    timeout_ms: Option<u64>,
}

async fn wait(cx: &Cx, text: String) -> Told {
    let WaitArguments { timeout_ms } = arguments(&text)?;
    let config = &cx.scene.config.agents.collaboration;
    let (shortest, longest) = (config.min_wait_timeout_ms, config.max_wait_timeout_ms);
    let requested = timeout_ms.unwrap_or(config.default_wait_timeout_ms);
    if requested > longest {
        return Err(Outcome::text(format!("timeout_ms must be at most {longest}")));
    }
    let agents = agents(cx)?;
    let mut unread = agents.unread.clone();
    let mut arrived = cx.arrived.clone();
    let shown = Shown::new(CollabAgentTool::Wait);
    shown.start(cx).await;
    let is_vain = !agents.may_hear(&cx.scene.thread);
    let (message, timed_out) = tokio::select! {
        biased;
        _ = unread.wait_for(|letters| *letters > 0) => ("Wait completed.", false),
        () = ready(()), if is_vain => ("There is nothing to wait for: no other agent is at work.", false),
        _ = arrived.changed() => ("Wait interrupted by new input.", false),
        () = sleep(Duration::from_millis(requested.max(shortest))) => ("Wait timed out.", true),
    };
    shown.end(cx, []).await;
    let clamped = match requested < shortest {
        true => format!("\n\n{requested} ms is too short a wait; it was {shortest} ms at most."),
        false => String::new(),
    };
    let message = format!("{message}{clamped}");
    Ok(Outcome::text(json!({ "message": message, "timed_out": timed_out }).to_string()))
}

#[derive(Debug, Deserialize)]
struct InterruptArguments {
    target: String,
}

async fn interrupt(cx: &Cx, text: String) -> Told {
    let InterruptArguments { target } = arguments(&text)?;
    let path = meant(agents(cx)?, &target)?;
    if path == path::root() {
        return Err(Outcome::text("the root agent is interrupted by the user alone"));
    }
    let agent = find(cx, &path).await?;
    let before = agents(cx)?.team.status(&agent.id);
    show(cx, activity(cx, SubAgentActivityKind::Interrupted, &agent.id, &path)).await;
    if let Some(handle) = agent.handle {
        let (reply, interrupted) = recruit::reply::<TurnInterruptResponse>();
        handle.send(Command::Interrupt { turn: String::new().into(), reply }).await;
        // One that does nothing is as it is to be.
        drop(interrupted.await);
    }
    Ok(Outcome::text(json!({ "previous_status": before }).to_string()))
}

#[derive(Debug, Deserialize)]
struct ListArguments {
    path_prefix: Option<String>,
}

async fn list(cx: &Cx, text: String) -> Told {
    let ListArguments { path_prefix } = arguments(&text)?;
    let agents = agents(cx)?;
    let top = match path_prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => meant(agents, prefix)?,
        None => path::root(),
    };
    let root = agents
        .at(&path::root())
        .await
        .map_err(|error| refuse(&error))?
        .and_then(|root| root.handle);
    let root = root.map(|root| (path::root(), root.progress.borrow().clone()));
    let mut listed = agents.team.loaded();
    listed.extend(root);
    listed.retain(|(path, _)| path::is_within(path, &top));
    listed.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    let listed: Vec<_> = listed
        .into_iter()
        .map(|(path, status)| json!({ "agent_name": path, "agent_status": status }))
        .collect();
    Ok(Outcome::text(json!({ "agents": listed }).to_string()))
}

fn agents(cx: &Cx) -> Told<&Agents> {
    cx.scene.agents.as_ref().ok_or_else(|| Outcome::text("there are no agents"))
}

/// The path that the agent means.
fn meant(agents: &Agents, target: &str) -> Told<AgentPath> {
    path::resolve(&agents.path, target).map_err(|error| refuse(&error))
}

async fn find(cx: &Cx, path: &AgentPath) -> Told<FoundAgent> {
    let found = agents(cx)?.at(path).await.map_err(|error| refuse(&error))?;
    found.ok_or_else(|| Outcome::text(format!("there is no agent `{}`", path.as_str())))
}

async fn make_room(cx: &Cx) {
    if let Some(agents) = &cx.scene.agents {
        agents.make_room(cx.scene.config.agents.most(agents.version)).await;
    }
}

/// What clients are shown of what is done to an agent.
fn activity(cx: &Cx, kind: SubAgentActivityKind, agent: &ThreadId, path: &AgentPath) -> TimedItem {
    item::started(item::agent_activity(cx.id.clone(), kind, agent, path), now_ms())
}

async fn show(cx: &Cx, item: TimedItem) {
    cx.begin(item.clone()).await;
    cx.apply(Effect::ItemCompleted(item)).await;
}
