//! Finding a text in all threads.

use super::page::page_size;
use super::thread_list::as_loaded;
use crate::protocol::{
    SortDirection, ThreadSearchParams, ThreadSearchResponse, ThreadSearchResult,
    ThreadSearchSortKey, ThreadSortKey,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};
use crate::store::Query;
use crate::util::find::Needle;

pub(crate) async fn search(cx: Cx, params: ThreadSearchParams) -> Result<ThreadSearchResponse> {
    let refusal = "thread/search requires a non-empty searchTerm";
    let needle = Needle::new(params.search_term.trim());
    let needle = needle.ok_or_else(|| Error::invalid_request(refusal))?;
    let page = cx.server.threads.search(query(params), needle).await?;
    let (mut threads, mut snippets) = (Vec::new(), Vec::new());
    for (summary, snippet) in &page.data {
        threads.push(as_loaded(&cx, summary).await);
        snippets.push(snippet.text.clone());
    }
    cx.server.threads.adorn(&mut threads).await?;
    let found = threads.into_iter().zip(snippets);
    Ok(ThreadSearchResponse {
        data: found.map(|(thread, snippet)| ThreadSearchResult { thread, snippet }).collect(),
        next_cursor: page.next_cursor,
        backwards_cursor: page.backwards_cursor,
    })
}

fn query(params: ThreadSearchParams) -> Query {
    Query {
        archived: params.archived.unwrap_or(false),
        sort_key: match params.sort_key {
            None | Some(ThreadSearchSortKey::Creation) => ThreadSortKey::CreatedAt,
            Some(ThreadSearchSortKey::Update) => ThreadSortKey::UpdatedAt,
            Some(ThreadSearchSortKey::Recency) => ThreadSortKey::RecencyAt,
        },
        direction: params.sort_direction.unwrap_or(SortDirection::Desc),
        limit: page_size(params.limit),
        cursor: params.cursor,
        sources: params.source_kinds.unwrap_or_default(),
        with_attached: params.include_attached_threads,
        ..Query::default()
    }
}
