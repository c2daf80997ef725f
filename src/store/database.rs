//! The one thread of the process that speaks SQL. It starts with the first question and ends with the store; whoever
//! asks waits in line, behind a bounded number of others. Knows of no table: see [`super::index`]
//! and [`super::state`].

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, SyncSender, TrySendError},
    },
    thread,
};

use super::{error::Error, index::Index, state::State};

/// How many questions may wait.
const INBOX: usize = 64;

type Job = Box<dyn FnOnce(&mut Tables) + Send>;

/// What the thread owns. Nothing of it is opened before it is asked for.
pub(super) struct Tables {
    pub(super) index: Index,
    pub(super) state: State,
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Database {
    home: PathBuf,
    inbox: Mutex<Option<SyncSender<Job>>>,
}

impl Database {
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home, inbox: Mutex::default() }
    }

    /// Runs `work` on the thread and waits for what it says.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, result) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |tables| drop(answer.send(work(tables))));
        let inbox = self.inbox().map_err(Error::io(&self.home))?;
        if inbox.send(job).is_err() {
            self.forget();
        }
        result.recv().map_err(|_gone| {
            self.forget();
            Error::Database("the work on it was given up".to_owned())
        })
    }

    /// Puts `work` into the thread's line, and goes on.
    pub(super) fn post(&self, work: impl FnOnce(&mut Tables) + Send + 'static) {
        let inbox = match self.inbox() {
            Ok(inbox) => inbox,
            Err(error) => return tracing::error!(%error, "the database cannot be written"),
        };
        match inbox.try_send(Box::new(work)) {
            Ok(()) => {}
            // Somebody has to wait for a place in the line, but not whoever posts.
            Err(TrySendError::Full(job)) => {
                drop(thread::spawn(move || drop(inbox.send(job))));
            }
            Err(TrySendError::Disconnected(_)) => self.forget(),
        }
    }

    fn inbox(&self) -> std::io::Result<SyncSender<Job>> {
        let mut known = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(inbox) = &*known {
            return Ok(inbox.clone());
        }
        let (inbox, jobs) = mpsc::sync_channel::<Job>(INBOX);
        let mut tables =
            Tables { index: Index::new(self.home.clone()), state: State::new(self.home.clone()) };
        thread::Builder::new().name("database".to_owned()).spawn(move || {
            for job in jobs {
                job(&mut tables);
            }
        })?;
        *known = Some(inbox.clone());
        Ok(inbox)
    }

    /// A thread that has panicked is replaced for the next question.
    fn forget(&self) {
        *self.inbox.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
