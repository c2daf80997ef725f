//! Threads on disk: rollout files below a home, in the form that other servers of the home read and write, too. The
//! files are what counts; a database is only their index. All I/O is blocking. Knows nothing of running threads: who writes a
//! thread holds its [`Writer`], and with it the thread's lock.

pub(crate) mod case;
mod compressed;
mod database;
mod error;
mod file;
mod fork;
mod goals;
pub(crate) mod history;
mod index;
pub(crate) mod item;
pub(crate) mod legacy;
mod list;
mod locate;
mod lock;
pub(crate) mod meta;
mod names;
pub(crate) mod outline;
mod queue;
mod reader;
pub(crate) mod record;
mod search;
pub(crate) mod settings;
mod sql;
mod state;
mod summary;
#[cfg(test)]
mod tests;
pub(crate) mod uri;
mod writer;

use std::{
    collections::HashMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

pub(crate) use self::{
    error::Error,
    item::ItemCompleted,
    list::{Members, Page, Query},
    meta::{Provenance, SessionMeta},
    outline::Outline,
    queue::Queue,
    reader::History,
    record::{Compacted, Record},
    state::{Metadata, ProjectChange, State},
    summary::{Summary, preview_of},
    writer::Writer,
};

use self::{
    database::Database, goals::Goals, locate::Found, lock::Lock, names::Names, outline::Outlines,
    summary::Stamp,
};
use crate::protocol::{Project, QueuedSubmission, ThreadGoal, ThreadId, ThreadUnreadPosition};

/// The threads of one home. Clones share what they know.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    home: PathBuf,
    names: Names,
    goals: Goals,
    database: Database,
    outlines: Outlines,
}

impl Store {
    /// The threads below `home`. Does no I/O.
    pub(crate) fn new(home: PathBuf) -> Self {
        let (names, goals) = (Names::new(&home), Goals::new(&home));
        let (database, outlines) = (Database::new(home.clone()), Outlines::default());
        Self { inner: Arc::new(Inner { home, names, goals, database, outlines }) }
    }

    /// A new thread. It is locked at once; its file appears with the first append.
    pub(crate) fn create(&self, meta: SessionMeta) -> Result<Writer, Error> {
        let lock = Lock::take(&self.inner.home, &meta.id)?;
        Ok(Writer::create(&self.inner.home, meta, lock))
    }

    /// Locks a thread and reads its whole history, to go on with it.
    pub(crate) fn open(&self, id: &ThreadId) -> Result<(Writer, Vec<Record>), Error> {
        let (writer, history) = self.open_file(&self.active(id)?)?;
        Ok((writer, history.records))
    }

    /// As [`Store::open`], for the thread in this file. `path` is absolute.
    pub(crate) fn open_path(&self, path: &Path) -> Result<(Writer, Vec<Record>), Error> {
        self.check_active_path(path)?;
        let (writer, history) = self.open_file(path)?;
        Ok((writer, history.records))
    }

    /// A thread and its whole history, archived or not, whoever writes it.
    pub(crate) fn read(&self, id: &ThreadId) -> Result<(Summary, Vec<Record>), Error> {
        self.read_path(&self.current(id)?.path)
    }

    /// As [`Store::read`], for the thread in this file. `path` is absolute.
    pub(crate) fn read_path(&self, path: &Path) -> Result<(Summary, Vec<Record>), Error> {
        if !path.is_file() {
            return Err(Error::NoSuchPath(path.to_owned()));
        }
        let history = reader::read(&self.inner.home, path)?;
        Ok((self.summarize(path)?, history.records))
    }

    /// Works on the outline of a thread's history, archived or not, whoever writes it. `path` is the thread's current
    /// file, where it is known.
    pub(crate) fn outline<T>(
        &self,
        id: &ThreadId,
        path: Option<PathBuf>,
        work: impl FnOnce(&Outline) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = path.map_or_else(|| self.current(id).map(|file| file.path), Ok)?;
        self.inner.outlines.with(&self.inner.home, &path, work)
    }

    /// A thread without its history, archived or not.
    pub(crate) fn summary(&self, id: &ThreadId) -> Result<Summary, Error> {
        self.summarize(&self.current(id)?.path)
    }

    /// As [`Store::summary`], for the thread in this file. `path` is absolute.
    pub(crate) fn summary_at(&self, path: &Path) -> Result<Summary, Error> {
        if !path.is_file() {
            return Err(Error::NoSuchPath(path.to_owned()));
        }
        self.summarize(path)
    }

    /// A page of threads.
    pub(crate) fn list(&self, query: &Query) -> Result<Page<Summary>, Error> {
        let query = query.clone();
        self.inner.database.run(move |tables| tables.index.list(&query))?
    }

    /// Why lists take long: the index cannot be kept. Said once.
    pub(crate) fn take_problem(&self) -> Option<String> {
        self.inner.database.run(|tables| tables.index.take_problem()).ok().flatten()
    }

    /// Works on what is noted of threads.
    pub(crate) fn state<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.database.run(|tables| work(&mut tables.state))?
    }

    /// Notes that there is more to read in a thread. Whoever asks from now on is told so, but nobody has to wait for it.
    pub(crate) fn note_unread(&self, id: &ThreadId, here: ThreadUnreadPosition, revision: String) {
        let id = id.clone();
        self.inner.database.post(move |tables| {
            if let Err(error) = tables.state.note_unread(&id, &here, &revision) {
                tracing::warn!(thread = %id, %error, "it is not noted that there is more to read");
            }
        });
    }

    /// All projects in their order.
    pub(crate) fn projects(&self) -> Result<Vec<Project>, Error> {
        self.inner.database.run(|tables| {
            let mut projects = tables.state.projects()?;
            let mut groups = Vec::with_capacity(projects.len());
            for project in &projects {
                match tables.state.project_members(Some(&project.id))? {
                    Members::Only(members) => {
                        groups.push(members.into_iter().map(|(_, id)| id).collect());
                    }
                    Members::Any | Members::Except(_) => groups.push(Vec::new()),
                }
            }
            if groups.iter().all(Vec::is_empty) {
                return Ok(projects);
            }
            let recencies = tables.index.recencies_ms(&groups)?;
            for (project, recency) in projects.iter_mut().zip(recencies) {
                project.recency_at = recency.map(|ms| ms.div_euclid(1000));
            }
            Ok(projects)
        })?
    }

    /// The sub-agents of a thread at any depth, parents first.
    pub(crate) fn descendants(&self, id: &ThreadId) -> Result<Vec<ThreadId>, Error> {
        let id = id.clone();
        self.inner.database.run(move |tables| tables.index.descendants(&id))?
    }

    /// Which of these threads are archived; those that are not stored are left out.
    pub(crate) fn archived(&self, ids: Vec<ThreadId>) -> Result<HashMap<ThreadId, bool>, Error> {
        self.inner.database.run(move |tables| tables.index.archived(&ids))?
    }

    /// Refuses to delete these threads while others need their files.
    pub(crate) fn check_delete(&self, ids: &[ThreadId]) -> Result<(), Error> {
        for id in ids {
            let names: Vec<String> =
                self.files(id).iter().map(|file| file.name.file_id().to_owned()).collect();
            let (id, ids) = (id.clone(), ids.to_vec());
            self.inner.database.run(move |tables| {
                if let Some(attached) = tables.index.attached(&id)? {
                    return Err(Error::refused(format!(
                        "cannot delete thread {id} while attached thread {attached} exists; delete the attached thread first"
                    )));
                }
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                match tables.index.continuation(&names, &ids)? {
                    Some(_) => Err(Error::Referenced(id)),
                    None => Ok(()),
                }
            })??;
        }
        Ok(())
    }

    /// Removes a thread's files and all that is kept of it elsewhere; nobody may be writing it.
    pub(crate) fn delete(&self, id: &ThreadId) -> Result<(), Error> {
        let _lock = Lock::take(&self.inner.home, id)?;
        let files = self.files(id);
        if files.is_empty() {
            return Err(Error::NotFound(id.clone()));
        }
        for file in files {
            let removed = compressed::remove_twin(&file.path);
            removed.and_then(|()| fs::remove_file(&file.path)).map_err(Error::io(&file.path))?;
        }
        self.forget(id)
    }

    /// Forgets what is kept of a thread beside its files.
    pub(crate) fn forget(&self, id: &ThreadId) -> Result<(), Error> {
        self.inner.names.forget(id)?;
        self.clear_goal(id)?;
        if !self.is_queue_empty(id) {
            let mut queue = self.queue(id)?;
            queue.submissions.clear();
            queue.save()?;
        }
        let id = id.clone();
        self.state(move |state| state.forget(&id))
    }

    /// Names a thread that is not archived and has a file.
    pub(crate) fn set_name(&self, id: &ThreadId, name: &str) -> Result<(), Error> {
        if self.current(id)?.archived {
            return Err(Error::NotFound(id.clone()));
        }
        self.inner.names.set(id, name)
    }

    /// The name of a thread.
    pub(crate) fn name(&self, id: &ThreadId) -> Option<String> {
        self.inner.names.get(id)
    }

    /// The goal of a thread.
    pub(crate) fn goal(&self, id: &ThreadId) -> Option<ThreadGoal> {
        self.inner.goals.get(id)
    }

    /// Keeps the goal of a thread.
    pub(crate) fn set_goal(&self, goal: &ThreadGoal) -> Result<(), Error> {
        self.inner.goals.set(goal)
    }

    /// Forgets the goal of a thread; `false` if there was none.
    pub(crate) fn clear_goal(&self, id: &ThreadId) -> Result<bool, Error> {
        self.inner.goals.clear(id)
    }

    /// Refuses a thread that has no file, or is archived.
    pub(crate) fn check_active(&self, id: &ThreadId) -> Result<(), Error> {
        self.active(id).map(drop)
    }

    /// What waits to be said to a thread.
    pub(crate) fn queued(&self, id: &ThreadId) -> Result<Vec<QueuedSubmission>, Error> {
        queue::list(&self.inner.home, id)
    }

    /// Whether nothing waits to be said to a thread.
    pub(crate) fn is_queue_empty(&self, id: &ThreadId) -> bool {
        queue::is_empty(&self.inner.home, id)
    }

    /// The queue of a thread, to change it.
    pub(crate) fn queue(&self, id: &ThreadId) -> Result<Queue, Error> {
        Queue::open(&self.inner.home, id)
    }

    /// Moves a thread's files to the archive; nobody may be writing it.
    pub(crate) fn archive(&self, id: &ThreadId) -> Result<(), Error> {
        if self.current(id)?.archived {
            return Err(Error::NotFound(id.clone()));
        }
        let _lock = Lock::take(&self.inner.home, id)?;
        let folder = self.inner.home.join(locate::ARCHIVE);
        for file in self.files(id).into_iter().filter(|file| !file.archived) {
            let target = file.path.file_name().map(|name| folder.join(name)).unwrap_or_default();
            compressed::remove_twin(&file.path).map_err(Error::io(&file.path))?;
            rename(&file.path, &target)?;
        }
        Ok(())
    }

    /// Moves a thread's files back to the folders of their days.
    pub(crate) fn unarchive(&self, id: &ThreadId) -> Result<Summary, Error> {
        // Somebody who has the thread loaded is told that, not that it is not archived.
        let _lock = Lock::take(&self.inner.home, id)?;
        let files: Vec<Found> = self.files(id).into_iter().filter(|file| file.archived).collect();
        for file in &files {
            let target = locate::session_path(&file.path)
                .map(|path| self.inner.home.join(path))
                .unwrap_or_default();
            rename(&file.path, &target)?;
            touch(&target)?;
        }
        if files.is_empty() { Err(Error::NotArchived(id.clone())) } else { self.summary(id) }
    }

    fn summarize(&self, path: &Path) -> Result<Summary, Error> {
        let stamp = Stamp::of(path).ok_or_else(|| Error::NoSuchPath(path.to_owned()))?;
        let mut summary = summary::read(&self.inner.home, path, stamp)?;
        summary.name = self.inner.names.get(&summary.id);
        Ok(summary)
    }

    fn open_file(&self, path: &Path) -> Result<(Writer, History), Error> {
        let meta = reader::meta(path)?;
        let lock = Lock::take(&self.inner.home, &meta.id)?;
        let plain = match compressed::is_compressed(path) {
            true => compressed::write_out(path),
            false => compressed::remove_twin(path).map(|()| path.to_owned()),
        };
        let path = &plain.map_err(Error::io(path))?;
        let history = reader::read(&self.inner.home, path)?;
        let ordinal = history.end.ordinal.filter(|_| meta.is_paginated());
        if meta.is_paginated() && ordinal.is_none() {
            return Err(Error::invalid(path, "lines of a paginated rollout lack their ordinal"));
        }
        let writer = Writer::open(path.to_owned(), meta, ordinal, lock)?;
        Ok((writer, history))
    }

    /// The newest file of a thread that is not archived.
    fn active(&self, id: &ThreadId) -> Result<PathBuf, Error> {
        let file = self.current(id)?;
        if file.archived { Err(Error::Archived(id.clone())) } else { Ok(file.path) }
    }

    /// Refuses a file that is not there, or is archived.
    fn check_active_path(&self, path: &Path) -> Result<(), Error> {
        if !path.is_file() {
            return Err(Error::NoSuchPath(path.to_owned()));
        }
        if path.starts_with(self.inner.home.join(locate::ARCHIVE)) {
            return Err(Error::Archived(reader::meta(path)?.id));
        }
        Ok(())
    }

    fn files(&self, id: &ThreadId) -> Vec<Found> {
        locate::of_thread(locate::all(&self.inner.home), id)
    }

    /// The newest file of a thread; one that is not archived goes first.
    fn current(&self, id: &ThreadId) -> Result<Found, Error> {
        let files = self.files(id);
        let newest = files.iter().rfind(|file| !file.archived).or(files.last());
        newest.cloned().ok_or_else(|| Error::NotFound(id.clone()))
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    fs::rename(from, to).map_err(Error::io(from))
}

/// A thread that comes back has been updated now.
fn touch(path: &Path) -> Result<(), Error> {
    let file = File::options().append(true).open(path).map_err(Error::io(path))?;
    file.set_modified(SystemTime::now()).map_err(Error::io(path))
}
