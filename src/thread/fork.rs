//! Loading a new thread that begins with the history of another one.

use std::sync::Arc;

use super::context::{Told, base_message, message};
use super::fold::Fold;
use super::history::History;
use super::queue::Queue;
use super::session::{
    Loaded, NewThread, Origin, Persistence, Shared, Start, base_instructions, new_thread, run,
};
use super::team::Team;
use super::{Result, ThreadHandle, prompt, stored};
use crate::model;
use crate::protocol::{ThreadItem, Turn, TurnId};
use crate::store::history::model_history;
use crate::store::meta::SessionMeta;
use crate::store::record::TurnAborted;
use crate::store::{self, Record, preview_of};

/// What a fork takes over.
pub(crate) struct Source {
    /// As far as it is taken over.
    pub(crate) history: store::History,
    /// The source's name.
    pub(crate) name: Option<String>,
    /// The last turn, which goes on in the source: the fork has it as if it had been interrupted.
    pub(crate) running: Option<TurnId>,
    pub(crate) attached: bool,
    pub(crate) with_goal: bool,
}

/// Runs a new thread that begins with the history of another one; returns its turns, too.
pub(crate) async fn fork(
    shared: &Arc<Shared>,
    mut new: NewThread,
    start: Start,
    mut source: Source,
) -> Result<(ThreadHandle, Vec<Turn>)> {
    let from = source.history.meta.clone();
    new.dynamic_tools = stored::dynamic_tools(&from);
    let kept = from.instructions().map(|(text, _)| Arc::from(text));
    let base_instructions = match (&start.base_instructions, kept) {
        (None, Some(kept)) => kept,
        _ => base_instructions(&start, &shared.catalog.model(&start.settings.model, &start.config)),
    };
    let originator = shared.client().originator;
    let mut meta = stored::meta(&new, &start, &base_instructions, &originator);
    if start.base_instructions.is_none() && from.base_instructions.is_some() {
        meta.base_instructions.clone_from(&from.base_instructions);
    }
    if from.multi_agent_version.is_some() {
        meta.multi_agent_version.clone_from(&from.multi_agent_version);
    }
    meta.attached_to_thread_id = source.attached.then(|| from.id.clone());
    let multi_agent = stored::multi_agent(&meta, &source.history.records);
    let mut own = vec![stored::settings_applied(&new.id, &start.settings)];
    own.extend(source.running.take().into_iter().flat_map(interruption));
    let name = source.name.clone();
    let (writer, mut records) = match new.persistence {
        Persistence::InMemory => (None, source.history.records),
        Persistence::OnDisk => {
            let own = own.clone();
            let kept = shared.on_disk(move |store| keep(store, meta, source, &own)).await?;
            (Some(kept.0), kept.1)
        }
    };
    records.extend(own);
    let turns = Fold::of(new.history_mode, &records).turns(None);
    let mut thread = new_thread(&new, &start.settings, originator, writer.as_ref());
    thread.forked_from_id = Some(from.id.clone());
    thread.attached_to_thread_id =
        writer.as_ref().and_then(|writer| writer.meta().attached_to_thread_id.clone());
    thread.name = name;
    thread.preview = preview(&turns);
    let mut history = History::default();
    history.push(&base_message(thread.id.as_str(), &base_instructions));
    let items: Vec<_> = model_history(&records).into_iter().map(model::stored_item).collect();
    history.load(&items);
    // What the request says of its own is told, whatever the source has been told.
    let told = Told::from_history(&history, stored::last_model(&records));
    let told = match &start.developer_instructions {
        Some(_) => told.with_developer(false),
        None => told,
    };
    let loaded = Loaded {
        thread,
        dynamic_tools: new.dynamic_tools,
        writer,
        told,
        history,
        usage: stored::last_usage(&records),
        compactions: records.iter().filter(|record| matches!(record, Record::Compacted(_))).count(),
        origin: Origin::Disk,
        queue: Queue::default(),
        team: Arc::new(Team::of_new_session()),
        multi_agent,
        session_start: new.session_start,
    };
    Ok((run(shared, start, loaded), turns))
}

/// Puts the fork on disk, with what goes along to it; returns the records that it begins with, too.
fn keep(
    store: &store::Store,
    meta: SessionMeta,
    source: Source,
    own: &[Record],
) -> Result<(store::Writer, Vec<Record>), store::Error> {
    let (from, to) = (source.history.meta.id.clone(), meta.id.clone());
    let mut writer = store.fork(meta, &source.history)?;
    writer.append(own)?;
    if let Some(name) = &source.name {
        store.set_name(&to, name)?;
    }
    if let Some(mut goal) = store.goal(&from).filter(|_| source.with_goal) {
        goal.thread_id = to.clone();
        store.set_goal(&goal)?;
    }
    store.state(move |state| state.inherit(&from, &to))?;
    Ok((writer, source.history.records))
}

/// What ends a turn that goes on in the source, and tells the model so.
fn interruption(turn: TurnId) -> [Record; 2] {
    let aborted = TurnAborted {
        turn_id: Some(turn),
        reason: "interrupted".to_owned(),
        ..TurnAborted::default()
    };
    let marker = message("user", &[prompt::turn_aborted()]);
    [Record::History(marker), Record::TurnAborted(aborted)]
}

/// What the user said first.
fn preview(turns: &[Turn]) -> String {
    let mut items = turns.iter().flat_map(|turn| &turn.items);
    let first = items.find_map(|item| {
        let ThreadItem::UserMessage { content, .. } = &item.item else { return None };
        Some(preview_of(content))
    });
    first.unwrap_or_default()
}
