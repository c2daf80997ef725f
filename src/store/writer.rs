//! Writing a thread's rollout: whole lines, one `write` per batch, numbered where the history is paginated. The file
//! appears with the first batch. Nothing is synced: what has been written survives the death of this process.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::{
    error::Error,
    legacy::LegacyEvent,
    locate,
    lock::Lock,
    meta::{HistoryBase, SessionMeta},
    record::Record,
};
use crate::util;

/// The one writer of a thread. The thread is locked for as long as it lives.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    /// `None` until something is worth keeping.
    file: Option<File>,
    meta: SessionMeta,
    /// The number of the next line; `None` for legacy histories.
    ordinal: Option<u64>,
    /// The last line of the file lacks its `\n`.
    torn: bool,
    buffer: Vec<u8>,
    _lock: Lock,
}

impl Writer {
    /// For a thread without a file.
    pub(super) fn create(home: &Path, meta: SessionMeta, lock: Lock) -> Self {
        let path = home.join(locate::new_path(&meta.id, util::time::now_ms()));
        let ordinal = first_ordinal(&meta);
        Self { path, file: None, meta, ordinal, torn: false, buffer: Vec::new(), _lock: lock }
    }

    /// For going on with a file.
    pub(super) fn open(
        path: PathBuf,
        meta: SessionMeta,
        ordinal: Option<u64>,
        lock: Lock,
    ) -> Result<Self, Error> {
        let mut file =
            File::options().read(true).append(true).open(&path).map_err(Error::io(&path))?;
        let torn = is_torn(&mut file).map_err(Error::io(&path))?;
        Ok(Self { path, file: Some(file), meta, ordinal, torn, buffer: Vec::new(), _lock: lock })
    }

    /// Goes on in a further file, from an earlier place of the history or from its start. The files before stay as
    /// they are.
    pub(super) fn go_back(&mut self, home: &Path, to: Option<HistoryBase>) {
        let now = util::time::now_ms();
        self.path = home.join(locate::further_path(&self.meta.id, &self.path, now));
        self.meta.history_base = to;
        self.ordinal = first_ordinal(&self.meta);
        self.file = None;
        self.torn = false;
    }

    /// The thread's current file, also while it does not exist yet.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn meta(&self) -> &SessionMeta {
        &self.meta
    }

    pub(crate) fn is_materialized(&self) -> bool {
        self.file.is_some()
    }

    /// Makes the file when it does not exist.
    pub(crate) fn materialize(&mut self) -> Result<(), Error> {
        self.append(&[])
    }

    /// Appends the records; they are in the file when this returns.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        let timestamp = util::time::rfc3339_millis(util::time::now_ms());
        let mut ordinal = self.ordinal;
        self.buffer.clear();
        if self.torn {
            self.buffer.push(b'\n');
        }
        let meta = self.file.is_none().then(|| Record::Meta(Box::new(self.meta.clone())));
        let mut encode = |record: &Record| {
            if record.encode(&timestamp, ordinal, &mut self.buffer) {
                ordinal = ordinal.map(|ordinal| ordinal + 1);
            }
        };
        for record in meta.iter().chain(records) {
            let events = if self.meta.is_paginated() { None } else { older(record) };
            match events {
                Some(events) => {
                    for event in events {
                        encode(&Record::Legacy(event));
                    }
                }
                None => encode(record),
            }
        }
        if !self.buffer.is_empty() {
            self.write().map_err(Error::io(&self.path))?;
        }
        self.ordinal = ordinal;
        self.torn = false;
        Ok(())
    }

    fn write(&mut self) -> std::io::Result<()> {
        let Some(file) = &mut self.file else {
            self.file = Some(create(&self.path, &self.buffer)?);
            return Ok(());
        };
        let len = file.metadata()?.len();
        let written = file.write_all(&self.buffer);
        // Half a batch would be read as if it had been whole.
        let cut_back = written.is_ok() || file.set_len(len).is_ok();
        self.torn |= !cut_back;
        written
    }
}

/// What a legacy history says in the place of this record.
fn older(record: &Record) -> Option<Vec<LegacyEvent>> {
    if let Record::Item(item) = record { LegacyEvent::of(item) } else { None }
}

fn first_ordinal(meta: &SessionMeta) -> Option<u64> {
    let base = meta.history_base.as_ref().map(|base| base.end_ordinal_exclusive);
    meta.is_paginated().then_some(base.unwrap_or(0))
}

/// Makes a file that begins with `bytes`. It appears whole: a newest file without a first line would hide the thread.
fn create(path: &Path, bytes: &[u8]) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let begun = path.with_extension("jsonl.new");
    let mut file = File::options().create(true).append(true).open(&begun)?;
    let made = file.set_len(0).and_then(|()| file.write_all(bytes));
    match made.and_then(|()| fs::rename(&begun, path)) {
        Ok(()) => Ok(file),
        Err(error) => {
            // Nobody takes it for a rollout.
            let _left_behind = fs::remove_file(&begun);
            Err(error)
        }
    }
}

fn is_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
