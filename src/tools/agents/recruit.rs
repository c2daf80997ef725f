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
    self, Admission, AgentMemory, AgentOrder, Command, Letter, Recruit, Reply, ThreadHandle, Wanted,
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
    let model = model.or_else(|| own("model"));
    if let Some(effort) = &effort {
        check_effort(cx, model.as_deref(), effort)?;
    }
    Ok(AgentOrder {
        model,
        effort: effort.or_else(|| {
            let level = settings.get("model_reasoning_effort")?;
            ReasoningEffort::deserialize(level).ok()
        }),
        developer_instructions: own("developer_instructions"),
        role,
        memory: AgentMemory::Nothing,
        path: None,
    })
}

/// What a model cannot do shall not be asked of it. Of models that nobody has described, nothing is known.
fn check_effort(cx: &Cx, model: Option<&str>, effort: &ReasoningEffort) -> Result<(), String> {
    let Some(agents) = &cx.scene.agents else { return Ok(()) };
    let usual = cx.scene.config.agents.default_model.as_deref();
    let model = model.or(usual).unwrap_or(&cx.scene.model);
    let known = agents.shared.catalog.model(model, &cx.scene.config);
    let levels: Vec<&str> =
        known.supported_reasoning_levels.iter().map(|level| level.effort.as_str()).collect();
    match levels.is_empty() || levels.contains(&effort.as_str()) {
        true => Ok(()),
        false => Err(format!(
            "model '{model}' has no reasoning effort '{}'; it has: {}",
            effort.as_str(),
            levels.join(", ")
        )),
    }
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
pub(super) async fn start(
    cx: &Cx,
    recruit: Recruit,
    item: TimedItem,
    task: Vec<UserInput>,
) -> Result<(), String> {
    let handle = recruit.handle.clone();
    let (reply, started) = first_reply::<TurnStartResponse>(cx, &handle);
    let task = handle.turn_request(turn(cx, &handle, task), reply).await;
    enter(cx, recruit, Some(item), Some(task)).await;
    answered(started).await.map(drop)
}

/// As [`start`], with a letter that it has been sent.
pub(in crate::tools) async fn start_on(
    cx: &Cx,
    recruit: Recruit,
    item: TimedItem,
    letter: Letter,
) -> Result<(), String> {
    let (reply, started) = first_reply(cx, &recruit.handle);
    enter(cx, recruit, Some(item), Some(Command::Mail { letter, reply })).await;
    answered(started).await
}

async fn enter(cx: &Cx, recruit: Recruit, item: Option<TimedItem>, task: Option<Command>) {
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

/// What came of a request.
pub(in crate::tools) async fn answered<T>(
    answer: oneshot::Receiver<thread::Result<T>>,
) -> Result<T, String> {
    let answer = answer.await.unwrap_or(Err(thread::Error::Gone));
    answer.map_err(|error| error.to_string())
}

pub(in crate::tools) fn reply<T: Send + 'static>()
-> (Reply<T>, oneshot::Receiver<thread::Result<T>>) {
    reply_after(|_| ())
}

/// The reply to an agent's first request. If that is refused, the agent is dismissed, whether the call still waits for
/// it or not.
fn first_reply<T: Send + 'static>(
    cx: &Cx,
    agent: &ThreadHandle,
) -> (Reply<T>, oneshot::Receiver<thread::Result<T>>) {
    let (scene, id) = (cx.scene.clone(), agent.id.clone());
    reply_after(move |result: &thread::Result<T>| {
        if let (Some(agents), Err(_)) = (&scene.agents, result) {
            agents.dismiss(&id);
        }
    })
}

/// A reply to wait for, that `first` sees.
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
