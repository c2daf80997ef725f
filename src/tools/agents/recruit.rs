//! Getting an agent: what the model orders is checked, the agent is made, and it is admitted with its first task.
//!
//! Whatever ends before the admission leaves nothing behind: an agent that is not admitted ends by itself.

use std::path::Path;

use serde::Deserialize as _;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::config::Role;
use crate::protocol::{ReasoningEffort, TimedItem, TurnStartParams, TurnStartResponse, UserInput};
use crate::thread::{
    self, Admission, AgentMemory, AgentOrder, Recruit, Reply, ThreadHandle, Wanted,
};
use crate::tools::{Cx, Effect};

/// What the arguments ask for, checked against what there is.
pub(in crate::tools) async fn order(
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

/// Makes an agent; nobody knows of it until it is admitted.
pub(in crate::tools) async fn recruit(cx: &Cx, wanted: Wanted) -> Result<Recruit, String> {
    let Some(agents) = &cx.scene.agents else { return Err("there are no agents".to_owned()) };
    let (reply, draft) = oneshot::channel();
    cx.apply(Effect::DraftAgent { wanted, reply }).await;
    let draft = draft.await.map_err(|_over| "the turn is over".to_owned())?;
    let recruited = match draft {
        Ok(draft) => draft.load(&agents.shared).await,
        Err(refusal) => Err(refusal),
    };
    recruited.map_err(|error| error.to_string())
}

/// Makes an agent known that has no task yet.
pub(in crate::tools) async fn admit(cx: &Cx, recruit: Recruit) -> ThreadHandle {
    let handle = recruit.handle.clone();
    enter(cx, recruit, None, None).await;
    handle
}

/// Makes an agent known, shows it, and starts it on its task. One that does not take its task is dismissed.
pub(in crate::tools) async fn start(
    cx: &Cx,
    recruit: Recruit,
    item: TimedItem,
    task: Vec<UserInput>,
) -> Result<(), String> {
    let handle = recruit.handle.clone();
    let (scene, id) = (cx.scene.clone(), handle.id.clone());
    let (reply, started) = reply_after(move |result: &thread::Result<TurnStartResponse>| {
        if let (Some(agents), Err(_)) = (&scene.agents, result) {
            agents.dismiss(&id);
        }
    });
    let task = handle.turn_request(turn(cx, &handle, task), reply).await;
    enter(cx, recruit, Some(item), Some(task)).await;
    match started.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_gone) => Err(thread::Error::Gone.to_string()),
    }
}

async fn enter(cx: &Cx, recruit: Recruit, item: Option<TimedItem>, task: Option<thread::Command>) {
    let (admitted, is_admitted) = oneshot::channel();
    let admission = Admission { recruit, item, task, admitted };
    cx.apply(Effect::AdmitAgent(Box::new(admission))).await;
    // If the turn is over, so is this call.
    let _over = is_admitted.await;
}

/// A turn of an agent's, on what the calling turn gives it.
pub(super) fn turn(cx: &Cx, agent: &ThreadHandle, input: Vec<UserInput>) -> TurnStartParams {
    TurnStartParams {
        root_turn_id: Some(cx.root.clone()),
        parent_turn_id: Some(cx.turn.clone()),
        thread_id: agent.id.clone(),
        input,
        ..TurnStartParams::default()
    }
}

pub(super) fn reply<T: Send + 'static>() -> (Reply<T>, oneshot::Receiver<thread::Result<T>>) {
    reply_after(|_| ())
}

/// A reply to wait for. Whether anybody still does or not, `first` sees it.
fn reply_after<T: Send + 'static>(
    first: impl FnOnce(&thread::Result<T>) + Send + 'static,
) -> (Reply<T>, oneshot::Receiver<thread::Result<T>>) {
    let (sender, answer) = oneshot::channel();
    let give = move |result| {
        first(&result);
        let _unheard = sender.send(result);
    };
    (Reply::new(give), answer)
}
