//! Reading rollouts: line by line, through the files that a history is spread over, and only as much of them as is
//! asked for. What is damaged costs its own line and nothing else.

use std::{
    collections::HashSet,
    io::BufRead as _,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    compressed::{self, Bytes, End},
    error::Error,
    locate::{self, Name},
    meta::{HistoryBase, SessionMeta},
    record::{Line, Record, payload},
};

/// The whole lines of a file, in order.
pub(crate) struct Lines {
    reader: Bytes,
    buffer: Vec<u8>,
    offset: u64,
}

/// A line and where it stands in its file.
pub(crate) struct Placed<'a> {
    pub(crate) text: &'a str,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let reader = Bytes::open(path).map_err(Error::io(path))?;
        Ok(Self { reader, buffer: Vec::new(), offset: 0 })
    }

    /// The next line that is text; the last one may lack its `\n`.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<&str>> {
        Ok(self.next_placed()?.map(|line| line.text))
    }

    /// The next line that is text, and where it stands.
    pub(crate) fn next_placed(&mut self) -> std::io::Result<Option<Placed<'_>>> {
        loop {
            self.buffer.clear();
            let start = self.offset;
            let read = self.reader.read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.offset += read as u64;
            // Invalid UTF-8 is skipped like everything else that is no line of ours.
            if std::str::from_utf8(&self.buffer).is_ok_and(|text| !text.trim().is_empty()) {
                let text = std::str::from_utf8(&self.buffer).unwrap_or_default();
                return Ok(Some(Placed { text, start, end: self.offset }));
            }
        }
    }

    /// How far has been read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes on with the line that begins at `offset`.
    pub(crate) fn go_to(&mut self, offset: u64) -> std::io::Result<()> {
        self.reader.go(self.offset, offset)?;
        self.offset = offset;
        Ok(())
    }
}

/// A place between two lines of a history, where another one can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seam {
    /// The file, by the id that others call it by.
    pub(crate) file: Arc<str>,
    /// The number of the next line, if lines have numbers.
    pub(crate) ordinal: Option<u64>,
    /// In bytes from the start of the file.
    pub(crate) offset: u64,
}

impl Seam {
    fn start_of(path: &Path, meta: &SessionMeta) -> Self {
        let name = path.file_name().and_then(|name| Name::parse(name.to_str()?));
        let file = name.map_or_else(|| meta.id.as_str().into(), |name| name.file_id().into());
        Self { file, ordinal: None, offset: 0 }
    }

    /// What a file says that continues the history from here.
    pub(crate) fn base(&self) -> Option<HistoryBase> {
        Some(HistoryBase {
            thread_id: self.file.to_string(),
            end_ordinal_exclusive: self.ordinal?,
            end_byte_offset: self.offset,
        })
    }
}

/// The whole history of a file, and where its writer has to go on.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) path: PathBuf,
    pub(crate) meta: SessionMeta,
    /// The file's `session_meta`, then the lines of the files that it continues, then its own.
    pub(crate) records: Vec<Record>,
    /// Where each of them ends; the first one is taken to stand before everything else.
    pub(crate) seams: Vec<Seam>,
    /// Where the next line belongs.
    pub(crate) end: Seam,
}

/// Reads a rollout and everything that it continues.
pub(crate) fn read(home: &Path, path: &Path) -> Result<History, Error> {
    let meta = meta(path)?;
    let mut records = vec![Record::Meta(Box::new(meta.clone()))];
    let mut seams = vec![Seam::start_of(path, &meta)];
    let end = walk(home, path, &meta, |line, seam| {
        records.push(line.record());
        seams.push(seam.clone());
        ControlFlow::Continue(())
    })?;
    Ok(History { path: path.to_owned(), meta, records, seams, end })
}

/// The first line of a rollout.
pub(crate) fn meta(path: &Path) -> Result<SessionMeta, Error> {
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next().map_err(Error::io(path))? {
        let Some(line) = Line::parse(line) else { continue };
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

/// All files of a history, oldest first, each with the ordinal at which it is left; the last one is the file at `path`.
/// `meta` is its first line.
pub(crate) fn files(
    home: &Path,
    path: &Path,
    meta: &SessionMeta,
) -> Result<Vec<(PathBuf, u64)>, Error> {
    let mut files = lineage(home, meta)?;
    files.push((path.to_owned(), u64::MAX));
    Ok(files)
}

/// Shows `take` the lines of a history in order, through all its files, each with the place behind it, until it has
/// enough; the place behind the last one. Each file's `session_meta` is left out: copies of a source's first line, and
/// later ones with another memory mode, say nothing about the history.
pub(crate) fn walk(
    home: &Path,
    path: &Path,
    meta: &SessionMeta,
    mut take: impl FnMut(&Line<'_>, &Seam) -> ControlFlow<()>,
) -> Result<Seam, Error> {
    let mut seam = Seam::start_of(path, meta);
    for (path, end) in files(home, path, meta)? {
        seam = Seam::start_of(&path, meta);
        let mut lines = Lines::open(&path)?;
        while let Some(Placed { text, end: offset, .. }) =
            lines.next_placed().map_err(Error::io(&path))?
        {
            let Some(line) = Line::parse(text) else { continue };
            if line.ordinal.is_some_and(|ordinal| ordinal >= end) {
                break;
            }
            seam.ordinal = line.ordinal.map(|ordinal| ordinal + 1).or(seam.ordinal);
            seam.offset = offset;
            if line.kind != "session_meta" && take(&line, &seam).is_break() {
                return Ok(seam);
            }
        }
    }
    Ok(seam)
}

/// Up to `size` bytes from the end of a file, cut to whole lines (a last one may lack its `\n`).
pub(super) fn tail(path: &Path, size: u64) -> std::io::Result<End> {
    let mut end = compressed::end(path, size)?;
    if !end.is_whole {
        let newline = end.bytes.iter().position(|&byte| byte == b'\n');
        end.bytes.drain(..newline.map_or(end.bytes.len(), |at| at + 1));
    }
    Ok(end)
}
