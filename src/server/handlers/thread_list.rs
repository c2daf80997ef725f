//! Lists: stored threads, loaded threads, a thread's turns.

use std::path::Path;

use super::page::{first, page_size};
use super::read_state;
use super::turns_page::{self, Wanted};
use crate::protocol::{
    SortDirection, Thread, ThreadHistoryMode, ThreadListCwdFilter, ThreadListParams,
    ThreadListResponse, ThreadLoadedListParams, ThreadLoadedListResponse, ThreadSortKey,
    ThreadTurnsListParams, ThreadTurnsListResponse, WarningNotification, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, check_id, check_thread_id};
use crate::server::error::{Error, Result};
use crate::store::{Members, Outline, Query, Summary};
use crate::thread::{Snapshot, stored_thread};
use crate::util::path::absolute;

pub(crate) async fn list(cx: Cx, params: ThreadListParams) -> Result<ThreadListResponse> {
    let cwd = &cx.server.threads.shared.cwd;
    let provider = cx.server.sources.load_or_default(cwd).effective.model_provider;
    let groups = (params.section_id.clone(), params.project_id.clone());
    let mut query = query(params, provider, cwd)?;
    (query.section, query.project) = cx
        .server
        .threads
        .state(move |state| {
            let section = match groups.0 {
                Some(section) => state.section_members(section.as_deref())?,
                None => Members::Any,
            };
            let project = match groups.1 {
                Some(project) => state.project_members(project.as_deref())?,
                None => Members::Any,
            };
            Ok((section, project))
        })
        .await?;
    let page = cx.server.threads.list(query).await?;
    warn_of_index(&cx).await;
    let mut data = Vec::with_capacity(page.data.len());
    for summary in &page.data {
        data.push(as_loaded(&cx, summary).await);
    }
    cx.server.threads.adorn(&mut data).await?;
    let read_states = Some(read_state::of(&cx, &data).await?);
    Ok(ThreadListResponse {
        data,
        read_states,
        next_cursor: page.next_cursor,
        backwards_cursor: page.backwards_cursor,
    })
}

/// Tells everybody once that the index is only in memory.
async fn warn_of_index(cx: &Cx) {
    let Some(problem) = cx.server.threads.take_index_problem().await else { return };
    let message = format!(
        "The index of threads cannot be kept on disk, so that the first list of each run takes long: {problem}"
    );
    let warning = WarningNotification { thread_id: None, message };
    cx.server.audience.notify::<method::Warning>(Reach::All, &warning);
}

fn query(params: ThreadListParams, provider: String, server_cwd: &Path) -> Result<Query> {
    for id in params.excluded_thread_ids.iter().flatten() {
        if let Err(error) = uuid::Uuid::parse_str(id.as_str()) {
            return Err(Error::invalid_params(format!("invalid excluded thread id: {error}")));
        }
    }
    for (id, noun) in [
        (&params.parent_thread_id, "parent thread"),
        (&params.ancestor_thread_id, "ancestor thread"),
    ] {
        if let Some(id) = id
            && !(params.parent_thread_id.is_some() && params.ancestor_thread_id.is_some())
        {
            check_id(id, noun)?;
        }
    }
    let sort_key = params.sort_key.unwrap_or(ThreadSortKey::CreatedAt);
    let refusal = if params.originators.is_some_and(|originators| !originators.is_empty()) {
        return Err(Error::invalid_params(
            "originator filtering is not supported by the local app-server",
        ));
    } else if params.parent_thread_id.is_some() && params.ancestor_thread_id.is_some() {
        Some("parentThreadId and ancestorThreadId are mutually exclusive")
    } else if sort_key == ThreadSortKey::SectionPosition && params.section_id.is_none() {
        Some("section-position sorting requires a section filter")
    } else if params.include_attached_threads
        && params.search_term.as_ref().is_none_or(String::is_empty)
    {
        Some("includeAttachedThreads requires a non-empty searchTerm")
    } else {
        None
    };
    if let Some(refusal) = refusal {
        return Err(Error::invalid_request(refusal));
    }
    let cwds = params.cwd.map(|filter| match filter {
        ThreadListCwdFilter::One(cwd) => vec![cwd],
        ThreadListCwdFilter::Many(cwds) => cwds,
    });
    Ok(Query {
        archived: params.archived.unwrap_or(false),
        sort_key,
        direction: params.sort_direction.unwrap_or(match sort_key {
            ThreadSortKey::SectionPosition => SortDirection::Asc,
            ThreadSortKey::CreatedAt | ThreadSortKey::UpdatedAt | ThreadSortKey::RecencyAt => {
                SortDirection::Desc
            }
        }),
        limit: page_size(params.limit),
        cursor: params.cursor,
        providers: params.model_providers.unwrap_or_else(|| vec![provider]),
        sources: params.source_kinds.unwrap_or_default(),
        cwds: cwds
            .map(|cwds| cwds.iter().map(|cwd| absolute(server_cwd, Path::new(cwd))).collect()),
        search: params.search_term,
        excluded: params.excluded_thread_ids.unwrap_or_default(),
        parent: params.parent_thread_id,
        ancestor: params.ancestor_thread_id,
        attached_to: params.attached_to_thread_id,
        with_attached: params.include_attached_threads,
        section: Members::Any,
        project: Members::Any,
        stale: params.use_state_db_only,
    })
}

/// A stored thread with the status that it has in this process.
pub(super) async fn as_loaded(cx: &Cx, summary: &Summary) -> Thread {
    let mut thread = stored_thread(summary);
    if let Some(handle) = cx.server.threads.get(&thread.id)
        && let Ok(snapshot) = handle.snapshot().await
    {
        thread.status = snapshot.thread.status;
        thread.can_accept_direct_input = snapshot.thread.can_accept_direct_input;
    }
    thread
}

pub(crate) async fn loaded(
    cx: Cx,
    params: ThreadLoadedListParams,
) -> Result<ThreadLoadedListResponse> {
    let mut ids = cx.server.threads.ids();
    if let Some(cursor) = &params.cursor {
        if uuid::Uuid::parse_str(cursor).is_err() {
            return Err(Error::invalid_request(format!("invalid cursor: {cursor}")));
        }
        ids.retain(|id| id.as_str() > cursor.as_str());
    }
    let limit = params.limit.map_or(usize::MAX, |limit| limit.max(1) as usize);
    let (data, next_cursor) = first(ids, limit, ToString::to_string);
    Ok(ThreadLoadedListResponse { data, next_cursor })
}

pub(crate) async fn turns(
    cx: Cx,
    params: ThreadTurnsListParams,
) -> Result<ThreadTurnsListResponse> {
    let id = &params.thread_id;
    check_thread_id(id)?;
    let (mode, path, running) = match cx.server.threads.get(id) {
        Some(handle) => {
            let Snapshot { thread, running, materialized, .. } = handle.snapshot().await?;
            if thread.ephemeral {
                return Err(Error::invalid_request(
                    "ephemeral threads do not support thread/turns/list",
                ));
            }
            if !materialized {
                return Err(Error::invalid_request(format!(
                    "thread {id} is not materialized yet; thread/turns/list is unavailable before first user message"
                )));
            }
            (thread.history_mode, thread.path, running)
        }
        None => match cx.server.threads.summary(id).await? {
            Some(summary) => (summary.history_mode, Some(summary.path), None),
            None => return Err(Error::invalid_request(format!("thread not loaded: {id}"))),
        },
    };
    let page = match mode {
        ThreadHistoryMode::Paginated => {
            let work = {
                let params = params.clone();
                move |outline: &Outline| {
                    let wanted = wanted(&params);
                    turns_page::read(outline, &params.thread_id, &wanted, running.as_ref())
                }
            };
            cx.server.threads.outline(id, path, work).await?
        }
        ThreadHistoryMode::Legacy => {
            turns_page::page(cx.server.threads.turns(id, running).await?, &wanted(&params))?
        }
    };
    Ok(ThreadTurnsListResponse {
        data: page.data,
        next_cursor: page.next_cursor,
        backwards_cursor: page.backwards_cursor,
    })
}

fn wanted(params: &ThreadTurnsListParams) -> Wanted<'_> {
    Wanted {
        cursor: params.cursor.as_deref(),
        limit: params.limit,
        direction: params.sort_direction,
        view: params.items_view,
    }
}
