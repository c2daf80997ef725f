//! Reading rollouts: line by line, through the files that a history is spread over, and only as much of them as is
//! asked for. What is damaged costs its own line and nothing else.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    Cut,
    error::Error,
    locate,
    meta::{HistoryBase, SessionMeta},
    record::{Line, Record, payload},
};
use crate::protocol::TurnId;

const BUFFER: usize = 256 * 1024;

/// The whole lines of a file, in order.
pub(crate) struct Lines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
    offset: u64,
}

/// A line of text and where in the file it starts.
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    pub(crate) offset: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER, file), buffer: Vec::new(), offset: 0 })
    }

    /// The next line that is text; the last one may lack its `\n`.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<Text<'_>>> {
        loop {
            self.buffer.clear();
            let offset = self.offset;
            let read = self.reader.read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.offset += read as u64;
            // Invalid UTF-8 is skipped like everything else that is no line of ours.
            if std::str::from_utf8(&self.buffer).is_ok_and(|text| !text.trim().is_empty()) {
                let text = std::str::from_utf8(&self.buffer).unwrap_or_default();
                return Ok(Some(Text { text, offset }));
            }
        }
    }

    /// How far has been read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }
}

/// The whole history of a file, and where its writer has to go on.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) meta: SessionMeta,
    /// The file's `session_meta`, then the lines of the files that it continues, then its own.
    pub(crate) records: Vec<Record>,
    /// The number for the next line; `None` when the lines of the file are not numbered.
    pub(crate) next_ordinal: Option<u64>,
}

/// Reads a rollout and everything that it continues.
pub(crate) fn read(home: &Path, path: &Path) -> Result<History, Error> {
    let meta = meta(path)?;
    let mut records = vec![Record::Meta(Box::new(meta.clone()))];
    for (path, end) in lineage(home, &meta)? {
        append(&path, end, &mut records)?;
    }
    let last = append(path, u64::MAX, &mut records)?;
    let next_ordinal = last.filter(|_| meta.is_paginated()).map(|last| last + 1);
    Ok(History { meta, records, next_ordinal })
}

/// The first line of a rollout.
pub(crate) fn meta(path: &Path) -> Result<SessionMeta, Error> {
    if path.extension().is_some_and(|extension| extension == "zst") {
        return Err(Error::Compressed(path.to_owned()));
    }
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next().map_err(Error::io(path))? {
        let Some(line) = Line::parse(line.text) else { continue };
        return first(&line)
            .ok_or_else(|| Error::invalid(path, "rollout does not start with session metadata"));
    }
    Err(Error::invalid(path, "rollout is empty"))
}

/// The `session_meta` that this line has to be.
pub(crate) fn first(line: &Line<'_>) -> Option<SessionMeta> {
    (line.kind == "session_meta").then(|| payload(line.payload)).flatten()
}

/// The files that a history continues, oldest first, each with the ordinal at which it is left.
pub(crate) fn lineage(home: &Path, meta: &SessionMeta) -> Result<Vec<(PathBuf, u64)>, Error> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    let mut next = meta.history_base.clone();
    if next.is_none() {
        return Ok(files);
    }
    let all = locate::all(home);
    while let Some(HistoryBase { thread_id, end_ordinal_exclusive: end, .. }) = next {
        let found = locate::segment(&all, &thread_id).cloned();
        let found = found.ok_or_else(|| {
            Error::invalid(&thread_id, "the file that the history continues is missing")
        })?;
        if !seen.insert(thread_id) {
            return Err(Error::invalid(found.path, "the history continues itself"));
        }
        next = self::meta(&found.path)?.history_base;
        files.push((found.path, end));
    }
    files.reverse();
    // A file may be left before it took over from its own base.
    let mut end = u64::MAX;
    for file in files.iter_mut().rev() {
        end = end.min(file.1);
        file.1 = end;
    }
    Ok(files)
}

/// Appends the records below ordinal `end`, without `session_meta`; the last ordinal.
fn append(path: &Path, end: u64, records: &mut Vec<Record>) -> Result<Option<u64>, Error> {
    let mut lines = Lines::open(path)?;
    let mut last = None;
    while let Some(text) = lines.next().map_err(Error::io(path))? {
        let Some(line) = Line::parse(text.text) else { continue };
        if line.ordinal.is_some_and(|ordinal| ordinal >= end) {
            break;
        }
        last = line.ordinal.or(last);
        // Copies of a source's first line, and later ones with another memory mode, say nothing about the history.
        if line.kind != "session_meta" {
            records.push(line.record());
        }
    }
    Ok(last)
}

/// Up to `size` bytes from the end of a file, cut to whole lines (a last one may lack its `\n`).
pub(crate) fn tail(path: &Path, size: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let start = len.saturating_sub(size);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::with_capacity(usize::try_from(len - start).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    if start > 0 {
        let first = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.drain(..first);
    }
    Ok(bytes)
}

/// Where a history is cut at a turn. The lines after a turn's last one are the next turn's.
pub(crate) fn cut(
    home: &Path,
    path: &Path,
    turn: &TurnId,
    cut: Cut,
) -> Result<Option<HistoryBase>, Error> {
    let meta = meta(path)?;
    let mut files = lineage(home, &meta)?;
    files.push((path.to_owned(), u64::MAX));
    let mut search = Search { turn, cut, seen: false, over: false };
    for (path, end) in files {
        let mut lines = Lines::open(&path)?;
        while let Some(text) = lines.next().map_err(Error::io(&path))? {
            let offset = text.offset;
            let Some(line) = Line::parse(text.text) else { continue };
            let Some(ordinal) = line.ordinal.filter(|&ordinal| ordinal < end) else { break };
            if line.kind != "session_meta" && search.is_here(&line.record()) {
                return Ok(base(&path, ordinal, offset));
            }
        }
    }
    if search.seen { end(path) } else { Ok(None) }
}

struct Search<'a> {
    turn: &'a TurnId,
    cut: Cut,
    /// A line of the turn has been there.
    seen: bool,
    /// Its end has been there.
    over: bool,
}

impl Search<'_> {
    /// Whether the cut is before this line.
    fn is_here(&mut self, record: &Record) -> bool {
        let own = record.turn_id() == Some(self.turn);
        // A turn that was cut off by a crash ends where the next one starts.
        let next = self.over || self.seen && !own && matches!(record, Record::TurnStarted(_));
        self.seen |= own;
        self.over |= own && matches!(record, Record::TurnCompleted(_) | Record::TurnAborted(_));
        match self.cut {
            Cut::Before => own,
            Cut::After => next,
        }
    }
}

/// The place after the last line of a file.
pub(crate) fn end(path: &Path) -> Result<Option<HistoryBase>, Error> {
    let mut lines = Lines::open(path)?;
    let mut next = None;
    while let Some(text) = lines.next().map_err(Error::io(path))? {
        next = Line::parse(text.text)
            .and_then(|line| line.ordinal)
            .map(|ordinal| ordinal + 1)
            .or(next);
    }
    Ok(next.and_then(|ordinal| base(path, ordinal, lines.offset())))
}

fn base(path: &Path, ordinal: u64, offset: u64) -> Option<HistoryBase> {
    let name = locate::Name::parse(path.file_name()?.to_str()?)?;
    let thread_id = name.file_id().to_owned();
    Some(HistoryBase { thread_id, end_ordinal_exclusive: ordinal, end_byte_offset: offset })
}
