//! Histories that go on from the middle of others. A fork does not copy its source: its file begins where the source
//! was cut, and points there. Only what has no numbered lines, or is not below the home, is copied.

use std::path::Path;

use super::{
    Store, Summary, Writer,
    error::Error,
    locate,
    meta::SessionMeta,
    reader::{self, History, Seam},
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
        let base = source.last().filter(|seam| meta.is_paginated() && self.is_known(source, seam));
        if let Some(base) = base.and_then(Seam::base) {
            meta.forked_from_ordinal_exclusive = Some(base.end_ordinal_exclusive);
            meta.history_base = Some(base);
            let mut writer = self.create(meta)?;
            writer.materialize()?;
            return Ok(writer);
        }
        let mut writer = self.create(meta)?;
        writer.append(source.records.get(1..).unwrap_or_default())?;
        Ok(writer)
    }

    /// Whether others find the file of this seam by its id. One that was named by its path may be anywhere.
    fn is_known(&self, source: &History, seam: &Seam) -> bool {
        source.path.starts_with(self.inner.home.join(locate::SESSIONS))
            && locate::segment(&locate::all(&self.inner.home), &seam.file).is_some()
    }
}

impl History {
    /// Keeps the first `kept` records; the thread's own first line is one of them.
    pub(crate) fn truncate(&mut self, kept: usize) {
        self.records.truncate(kept);
        self.seams.truncate(kept);
        self.end = self.seams.last().cloned().unwrap_or_else(|| self.end.clone());
    }

    /// Where the last record ends; `None` if there is none but the first line.
    fn last(&self) -> Option<&Seam> {
        self.seams.get(1..)?.last()
    }
}
