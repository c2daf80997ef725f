//! Finding files: once, or in a session that follows what the user types.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::protocol::{
    FuzzyFileSearchMatchType, FuzzyFileSearchParams, FuzzyFileSearchResponse,
    FuzzyFileSearchResult, FuzzyFileSearchSessionCompletedNotification,
    FuzzyFileSearchSessionStartParams, FuzzyFileSearchSessionStartResponse,
    FuzzyFileSearchSessionStopParams, FuzzyFileSearchSessionStopResponse,
    FuzzyFileSearchSessionUpdateParams, FuzzyFileSearchSessionUpdateResponse,
    FuzzyFileSearchSessionUpdatedNotification, method,
};
use crate::server::audience::{Audience, Reach};
use crate::server::connection::ConnectionId;
use crate::server::context::{Cx, blocking};
use crate::server::error::{Error, Result};
use crate::util::task::AbortOnDrop;
use crate::workspace::search::{self, Hit, Tree};

/// How often a session looks at what has been read since.
const GLANCE: Duration = Duration::from_millis(100);

/// The searches that go on.
#[derive(Debug, Default)]
pub(crate) struct Searches(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<String, Session>,
    /// What stops the latest search of each token.
    stops: HashMap<String, Arc<AtomicBool>>,
}

#[derive(Debug)]
struct Session {
    owner: ConnectionId,
    query: watch::Sender<String>,
    tree: Arc<Tree>,
    _tells: AbortOnDrop,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tree.abandon();
    }
}

impl Searches {
    /// Ends the sessions of a connection that is gone.
    pub(crate) fn forget(&self, owner: ConnectionId) {
        self.lock().sessions.retain(|_, session| session.owner != owner);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) async fn search(
    cx: Cx,
    params: FuzzyFileSearchParams,
) -> Result<FuzzyFileSearchResponse> {
    let FuzzyFileSearchParams { query, roots, cancellation_token: token } = params;
    let (searches, stop) = (&cx.server.searches, Arc::new(AtomicBool::new(false)));
    if let Some(token) = &token
        && let Some(earlier) = searches.lock().stops.insert(token.clone(), Arc::clone(&stop))
    {
        earlier.store(true, Ordering::Relaxed);
    }
    let stopped = Arc::clone(&stop);
    let hits = blocking(move || search::search(&roots, &query, &stopped)).await;
    if let Some(token) = token {
        searches
            .lock()
            .stops
            .retain(|other, latest| *other != token || !Arc::ptr_eq(latest, &stop));
    }
    Ok(FuzzyFileSearchResponse { files: hits?.into_iter().map(result).collect() })
}

pub(crate) async fn start(
    cx: Cx,
    params: FuzzyFileSearchSessionStartParams,
) -> Result<FuzzyFileSearchSessionStartResponse> {
    let FuzzyFileSearchSessionStartParams { session_id, roots } = params;
    if session_id.is_empty() {
        return Err(Error::invalid_request("sessionId must not be empty"));
    }
    if roots.is_empty() {
        return Err(Error::internal(
            "failed to start fuzzy file search session: at least one search directory is required",
        ));
    }
    let tree = Arc::new(Tree::default());
    let (query, queries) = watch::channel(String::new());
    let filled = Arc::clone(&tree);
    let reading = tokio::task::spawn_blocking(move || filled.fill(&roots));
    let audience = Arc::clone(&cx.server.audience);
    let teller = Teller { session_id: session_id.clone(), audience, tree: Arc::clone(&tree) };
    let tells = AbortOnDrop::spawn(async move {
        let _ended = teller.tell(queries).await;
        // It ends by itself, when the tree is read or abandoned.
        drop(reading);
    });
    let session = Session { owner: cx.connection.id, query, tree, _tells: tells };
    cx.server.searches.lock().sessions.insert(session_id, session);
    Ok(FuzzyFileSearchSessionStartResponse {})
}

pub(crate) async fn update(
    cx: Cx,
    params: FuzzyFileSearchSessionUpdateParams,
) -> Result<FuzzyFileSearchSessionUpdateResponse> {
    let FuzzyFileSearchSessionUpdateParams { session_id, query } = params;
    let searches = cx.server.searches.lock();
    let Some(session) = searches.sessions.get(&session_id) else {
        let refusal = format!("fuzzy file search session not found: {session_id}");
        return Err(Error::invalid_request(refusal));
    };
    session.query.send_replace(query);
    Ok(FuzzyFileSearchSessionUpdateResponse {})
}

pub(crate) async fn stop(
    cx: Cx,
    params: FuzzyFileSearchSessionStopParams,
) -> Result<FuzzyFileSearchSessionStopResponse> {
    cx.server.searches.lock().sessions.remove(&params.session_id);
    Ok(FuzzyFileSearchSessionStopResponse {})
}

/// Tells clients what a session finds.
struct Teller {
    session_id: String,
    audience: Arc<Audience>,
    tree: Arc<Tree>,
}

impl Teller {
    async fn tell(
        &self,
        mut queries: watch::Receiver<String>,
    ) -> Result<(), watch::error::RecvError> {
        queries.changed().await?;
        let mut told: Option<(String, Vec<Hit>)> = None;
        loop {
            let query = queries.borrow_and_update().clone();
            // What is read while it is ranked has to be ranked once more.
            let complete = self.tree.is_complete();
            let (tree, asked, later) = (Arc::clone(&self.tree), query.clone(), queries.clone());
            let superseded = move || later.has_changed().unwrap_or(true);
            let ranked = blocking(move || tree.rank(&asked, superseded)).await;
            let Ok(Some(hits)) = ranked else {
                queries.changed().await?;
                continue;
            };
            let news = (query, hits);
            if told.as_ref() != Some(&news) {
                self.updated(&news.0, &news.1).await;
                told = Some(news);
            }
            if complete {
                self.completed();
                queries.changed().await?;
            } else {
                tokio::select! {
                    changed = queries.changed() => changed?,
                    () = tokio::time::sleep(GLANCE) => continue,
                }
            }
            told = None;
        }
    }

    async fn updated(&self, query: &str, hits: &[Hit]) {
        let params = FuzzyFileSearchSessionUpdatedNotification {
            session_id: self.session_id.clone(),
            query: query.to_owned(),
            files: hits.iter().cloned().map(result).collect(),
        };
        // Clients that do not read hear of the latest query only.
        self.audience.room(Reach::All).await;
        self.audience.notify::<method::FuzzyFileSearchSessionUpdated>(Reach::All, &params);
    }

    fn completed(&self) {
        let session_id = self.session_id.clone();
        let params = FuzzyFileSearchSessionCompletedNotification { session_id };
        self.audience.notify::<method::FuzzyFileSearchSessionCompleted>(Reach::All, &params);
    }
}

fn result(hit: Hit) -> FuzzyFileSearchResult {
    let kind = if hit.entry.is_directory {
        FuzzyFileSearchMatchType::Directory
    } else {
        FuzzyFileSearchMatchType::File
    };
    FuzzyFileSearchResult {
        root: (*hit.entry.root).to_owned(),
        file_name: hit.entry.file_name().to_owned(),
        path: hit.entry.path,
        match_type: kind,
        score: hit.score,
        indices: Some(hit.indices),
    }
}
