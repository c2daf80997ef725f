//! Watching files for clients: one watcher of the system for the process, made when it is first needed.
//!
//! The system watches what exists, and goes on watching it wherever it is moved; a [`Watch`] is of a *path*, whatever
//! is there. So it watches the nearest folder above that exists, and looks again whenever something on the way changes.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, timeout_at};

/// How long changes are gathered before they are told.
const GATHERING: Duration = Duration::from_millis(200);
/// How many events may wait for a watch; one that misses some looks again at everything.
const BACKLOG: usize = 1024;

/// How often what is needed is looked up while it goes on changing.
const ROUNDS: usize = 8;

/// What happened; `None` when events have been lost.
type Event = Option<Arc<notify::Event>>;

/// The process's watcher.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watcher(Arc<Mutex<Option<Started>>>);

#[derive(Debug)]
struct Started {
    system: RecommendedWatcher,
    events: broadcast::Sender<Event>,
    /// How many watches need each path.
    users: HashMap<PathBuf, usize>,
}

impl Started {
    fn new() -> notify::Result<Self> {
        let (events, _) = broadcast::channel(BACKLOG);
        let sender = events.clone();
        let system = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let event = event.ok().filter(|event| !event.need_rescan());
            if !event.as_ref().is_some_and(|event| matches!(event.kind, EventKind::Access(_))) {
                // Nobody may be listening any more.
                let _listeners = sender.send(event.map(Arc::new));
            }
        })?;
        Ok(Self { system, events, users: HashMap::new() })
    }

    /// Has the system watch what is at `path` now, for one more watch or again.
    fn add(&mut self, path: &Path, again: bool) -> notify::Result<()> {
        self.system.watch(path, RecursiveMode::NonRecursive)?;
        if !again {
            *self.users.entry(path.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    fn release(&mut self, path: &Path) {
        let Some(users) = self.users.get_mut(path) else { return };
        *users -= 1;
        if *users == 0 {
            self.users.remove(path);
            // The system forgets by itself what has been removed.
            let _forgotten = self.system.unwatch(path);
        }
    }
}

impl Watcher {
    /// Watches a path from now on. Blocks.
    pub(crate) fn watch(&self, path: PathBuf) -> notify::Result<Watch> {
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let events = match &mut *started {
            Some(started) => started.events.subscribe(),
            none => none.insert(Started::new()?).events.subscribe(),
        };
        drop(started);
        let armed =
            Armed { watcher: self.clone(), exists: path.exists(), path, held: BTreeSet::new() };
        let mut watch = Watch { events, armed };
        watch.armed.arm()?;
        Ok(watch)
    }
}

/// A watched path: the file there, or the folder there with its entries.
#[derive(Debug)]
pub(crate) struct Watch {
    events: broadcast::Receiver<Event>,
    armed: Armed,
}

impl Watch {
    /// Waits for changes, and a moment longer for those that come with them. `None` when there will be no more.
    pub(crate) async fn changed(&mut self) -> Option<BTreeSet<PathBuf>> {
        let mut changed = BTreeSet::new();
        let mut until = None;
        loop {
            let event = match until {
                None => self.events.recv().await,
                Some(until) => match timeout_at(until, self.events.recv()).await {
                    Ok(event) => event,
                    Err(_elapsed) => return Some(changed),
                },
            };
            let event = match event {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => return None,
            };
            self.armed.note(event.as_deref(), &mut changed);
            if until.is_none() && !changed.is_empty() {
                until = Some(Instant::now() + GATHERING);
            }
        }
    }
}

/// What the system watches for a path.
#[derive(Debug)]
struct Armed {
    watcher: Watcher,
    path: PathBuf,
    exists: bool,
    held: BTreeSet<PathBuf>,
}

impl Armed {
    /// Adds what an event changes, and looks again where it asks for that.
    fn note(&mut self, event: Option<&notify::Event>, changed: &mut BTreeSet<PathBuf>) {
        let Some(event) = event else {
            changed.insert(self.path.clone());
            self.look_again(changed);
            return;
        };
        let touches = |path: &&PathBuf| **path == self.path || path.parent() == Some(&self.path);
        changed.extend(event.paths.iter().filter(touches).cloned());
        let moves = match event.kind {
            EventKind::Create(_) | EventKind::Remove(_) => true,
            EventKind::Modify(kind) => matches!(kind, ModifyKind::Name(_)),
            EventKind::Access(_) | EventKind::Any | EventKind::Other => false,
        };
        if moves && event.paths.iter().any(|path| self.path.starts_with(path)) {
            self.look_again(changed);
        }
    }

    fn look_again(&mut self, changed: &mut BTreeSet<PathBuf>) {
        if let Err(error) = self.arm() {
            tracing::warn!(path = %self.path.display(), %error, "a path cannot be watched any more");
        }
        let exists = self.path.exists();
        if exists != self.exists {
            changed.insert(self.path.clone());
        }
        self.exists = exists;
    }

    /// Has the system watch what is needed now, and nothing else.
    fn arm(&mut self) -> notify::Result<()> {
        let watcher = self.watcher.clone();
        let mut started = watcher.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(started) = &mut *started else { return Ok(()) };
        // Folders come and go meanwhile: what is found is watched first, then looked at once more.
        for _ in 0..ROUNDS {
            let mut watched = BTreeSet::new();
            for path in self.needed() {
                match started.add(&path, self.held.contains(&path)) {
                    Ok(()) => _ = watched.insert(path),
                    Err(error) if is_gone(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            for path in self.held.difference(&watched) {
                started.release(path);
            }
            self.held = watched;
            if self.held == self.needed() {
                break;
            }
        }
        Ok(())
    }

    /// The nearest folder above the path, which tells of files; and the path itself if it is a folder or a link.
    fn needed(&self) -> BTreeSet<PathBuf> {
        let above = self.path.ancestors().skip(1).find(|above| above.is_dir());
        let link_or_folder = self.path.is_symlink() || self.path.is_dir();
        let itself = (link_or_folder && self.path.exists()).then_some(self.path.as_path());
        above.into_iter().chain(itself).map(Path::to_owned).collect()
    }
}

fn is_gone(error: &notify::Error) -> bool {
    matches!(error.kind, notify::ErrorKind::PathNotFound)
        || matches!(&error.kind, notify::ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

impl Drop for Armed {
    fn drop(&mut self) {
        let mut started = self.watcher.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(started) = &mut *started else { return };
        for path in &self.held {
            started.release(path);
        }
    }
}
