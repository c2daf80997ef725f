//! Histories that go on from the middle of others. A fork does not copy its source: its file begins where the source
//! was cut, and points there, and so does the further file of a thread that is reverted. Only what has no numbered
//! lines, or is not below the home, is copied.

use std::path::Path;

use super::{
    Store, Summary, Writer,
    error::Error,
    locate,
    meta::{HistoryBase, SessionMeta},
    reader::{self, History},
};
use crate::protocol::ThreadId;

impl Store {
    /// What a fork of a thread starts from.
    pub(crate) fn source(&self, id: &ThreadId) -> Result<(Summary, History), Error> {
        let path = self.active(id)?;
        Ok((self.summarize(&path)?, reader::read(&self.inner.home, &path)?))
    }

    /// As [`Store::source`], for the thread in this file. `path` is absolute.
    pub(crate) fn source_path(&self, path: &Path) -> Result<(Summary, History), Error> {
        self.check_active_path(path)?;
        Ok((self.summarize(path)?, reader::read(&self.inner.home, path)?))
    }

    /// A new thread that goes on from the end of `source`. `meta` is its first line, but for where it comes from.
    pub(crate) fn fork(&self, mut meta: SessionMeta, source: &History) -> Result<Writer, Error> {
        meta.forked_from_id = Some(source.meta.id.clone());
        meta.history_base = self.base(source);
        let base = meta.history_base.as_ref();
        meta.forked_from_ordinal_exclusive = base.map(|base| base.end_ordinal_exclusive);
        let mut writer = self.create(meta)?;
        writer.begin_after(source)?;
        Ok(writer)
    }

    /// Drops the end of a thread's history: `cut` says how many of the records stay. The thread has gone on in a further
    /// file when this returns, and none of it has if this fails.
    pub(crate) fn revert(
        &self,
        mut writer: Writer,
        cut: impl FnOnce(&History) -> Result<usize, Error>,
    ) -> Result<(Writer, History), Error> {
        let mut history = reader::read(&self.inner.home, writer.path())?;
        history.truncate(cut(&history)?);
        writer.go_back(&self.inner.home, self.base(&history));
        writer.begin_after(&history)?;
        Ok((writer, history))
    }

    /// How a file refers to the end of a history; `None` if others would not find it by that, or if there is nothing.
    fn base(&self, history: &History) -> Option<HistoryBase> {
        let last = history.seams.get(1..)?.last().filter(|_| history.meta.is_paginated())?;
        // A file that was named by its path may be anywhere.
        let is_known = history.path.starts_with(self.inner.home.join(locate::SESSIONS))
            && locate::segment(&locate::all(&self.inner.home), &last.file).is_some();
        if is_known { last.base() } else { None }
    }
}

impl Writer {
    /// Makes the file, with what it does not refer to.
    fn begin_after(&mut self, history: &History) -> Result<(), Error> {
        match self.meta().history_base {
            Some(_) => self.materialize(),
            None => self.append(history.records.get(1..).unwrap_or_default()),
        }
    }
}

impl History {
    /// Keeps the first `kept` records; the thread's own first line is one of them.
    pub(crate) fn truncate(&mut self, kept: usize) {
        self.records.truncate(kept);
        self.seams.truncate(kept);
        self.end = self.seams.last().cloned().unwrap_or_else(|| self.end.clone());
    }
}
