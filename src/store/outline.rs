//! Where a paginated history has its turns and items. Pages are read through it: it tells which lines a page is made
//! of, and only those are decoded. It is built by one pass over the files, grows with them, and costs some bytes for
//! each item, whatever the item holds.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    fs,
    hash::{BuildHasher as _, RandomState},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;

use super::{
    compressed,
    error::Error,
    item,
    meta::SessionMeta,
    reader::{self, Lines, Placed},
    record::{Line, Record, payload},
};
use crate::protocol::{ItemId, TurnId};

/// The turns and items of one history, oldest first.
#[derive(Debug)]
pub(crate) struct Outline {
    meta: SessionMeta,
    /// The files of the history, oldest first; the last one is the thread's own and grows.
    files: Vec<Part>,
    turns: Vec<Span>,
    entries: Vec<Entry>,
    places: HashMap<TurnId, usize>,
    /// The entry of an item, by its turn and a hash of its id: an item that is stored again replaces itself.
    known: HashMap<(usize, u64), usize>,
    hasher: RandomState,
    /// The turn that an end without a turn's id is about.
    open: Option<usize>,
    /// Above the number of every line so far.
    next: u64,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    inode: u64,
    /// The number of the first line that is not part of the history.
    end: u64,
    /// How far the file has been read.
    read: u64,
}

/// A turn.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) id: TurnId,
    /// The number of its first line.
    pub(crate) ordinal: u64,
    entries: Vec<usize>,
}

/// A line that says something about a turn.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// The number of the line; of the first one, if an item was stored more than once.
    pub(crate) ordinal: u64,
    turn: usize,
    file: usize,
    offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    End,
    UserMessage,
    AgentMessage,
    /// Any other item.
    Item,
}

impl Kind {
    pub(crate) fn is_item(self) -> bool {
        matches!(self, Self::UserMessage | Self::AgentMessage | Self::Item)
    }
}

impl Outline {
    /// The outline of what the file has by now, and of all that it continues.
    fn read(home: &Path, path: &Path) -> Result<Self, Error> {
        let meta = reader::meta(path)?;
        let files = reader::files(home, path, &meta)?.into_iter();
        let files = files.map(|(path, end)| Part::new(path, end)).collect::<Result<_, _>>()?;
        let mut outline = Self {
            meta,
            files,
            turns: Vec::new(),
            entries: Vec::new(),
            places: HashMap::new(),
            known: HashMap::new(),
            hasher: RandomState::new(),
            open: None,
            next: 0,
        };
        for file in 0..outline.files.len() {
            outline.take_in(file)?;
        }
        Ok(outline)
    }

    /// Whether the files are still those that have been read.
    fn is_valid(&self) -> bool {
        self.files.iter().all(|part| {
            let is_long = |len| len >= part.read || compressed::is_compressed(&part.path);
            fs::metadata(&part.path)
                .is_ok_and(|file| file.ino() == part.inode && is_long(file.len()))
        })
    }

    /// Takes in what the thread's own file has grown by.
    fn grow(&mut self) -> Result<(), Error> {
        let last = self.files.len() - 1;
        // Nobody appends to a compressed one.
        if compressed::is_compressed(&self.files[last].path) { Ok(()) } else { self.take_in(last) }
    }

    fn take_in(&mut self, file: usize) -> Result<(), Error> {
        let Part { path, end, read, .. } = &self.files[file];
        let (path, end) = (path.clone(), *end);
        let mut lines = Lines::open(&path)?;
        lines.go_to(*read).map_err(Error::io(&path))?;
        while let Some(Placed { text, start, end: read }) =
            lines.next_placed().map_err(Error::io(&path))?
        {
            match Line::parse(text) {
                Some(line) if line.ordinal.is_some_and(|ordinal| ordinal >= end) => return Ok(()),
                Some(line) => self.push(&line, file, start),
                // Somebody is about to write the rest of it.
                None if !text.ends_with('\n') => return Ok(()),
                None => {}
            }
            self.files[file].read = read;
        }
        Ok(())
    }

    fn push(&mut self, line: &Line<'_>, file: usize, offset: u64) {
        // Lines without a number come from no server that we know; they follow the one before them.
        let ordinal = line.ordinal.unwrap_or_default().max(self.next);
        self.next = ordinal + 1;
        let Some(Mark { turn, kind, item }) = Mark::of(line) else { return };
        let turn = match (turn, self.open) {
            (Some(id), _) => self.place(id, ordinal),
            (None, Some(open)) => open,
            (None, None) => return,
        };
        match kind {
            Kind::Start => self.open = Some(turn),
            Kind::End if self.open == Some(turn) => self.open = None,
            Kind::End | Kind::UserMessage | Kind::AgentMessage | Kind::Item => {}
        }
        let at = self.entries.len();
        if let Some(item) = item {
            let first = *self.known.entry((turn, self.hasher.hash_one(&*item))).or_insert(at);
            if let Some(entry) = self.entries.get_mut(first) {
                (entry.file, entry.offset) = (file, offset);
                return;
            }
        }
        self.entries.push(Entry { kind, ordinal, turn, file, offset });
        self.turns[turn].entries.push(at);
    }

    /// Where the turn of this id is; at the end if it was not there.
    fn place(&mut self, id: TurnId, ordinal: u64) -> usize {
        if let Some(&at) = self.places.get(&id) {
            return at;
        }
        let at = self.turns.len();
        self.places.insert(id.clone(), at);
        self.turns.push(Span { id, ordinal, entries: Vec::new() });
        at
    }

    /// Whether the history can be read in pages of items.
    pub(crate) fn is_paginated(&self) -> bool {
        self.meta.is_paginated()
    }

    pub(crate) fn turns(&self) -> &[Span] {
        &self.turns
    }

    /// The turn of this id.
    pub(crate) fn turn(&self, id: &TurnId) -> Option<&Span> {
        self.places.get(id).map(|&at| &self.turns[at])
    }

    /// The turn that an entry belongs to.
    pub(crate) fn turn_of(&self, entry: &Entry) -> &Span {
        &self.turns[entry.turn]
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What belongs to a turn.
    pub(crate) fn entries_of<'a>(&'a self, turn: &'a Span) -> impl Iterator<Item = &'a Entry> {
        turn.entries.iter().map(|&at| &self.entries[at])
    }

    /// The item of this id in a turn.
    pub(crate) fn item(&self, turn: &TurnId, id: &ItemId) -> Option<&Entry> {
        let turn = *self.places.get(turn)?;
        let hash = self.hasher.hash_one(id.as_str());
        self.known.get(&(turn, hash)).map(|&at| &self.entries[at])
    }

    /// The last item of the history.
    pub(crate) fn newest_item(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.kind.is_item())
    }

    /// Reads these entries' lines, in the order in which they are asked for.
    pub(crate) fn records<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Vec<(&'a Entry, Record)>, Error> {
        let mut open: Option<(usize, Lines)> = None;
        let mut records = Vec::new();
        for entry in entries {
            let path = &self.files[entry.file].path;
            let lines = match &mut open {
                Some((file, lines)) if *file == entry.file => lines,
                _ => &mut open.insert((entry.file, Lines::open(path)?)).1,
            };
            lines.go_to(entry.offset).map_err(Error::io(path))?;
            let text = lines.next().map_err(Error::io(path))?;
            if let Some(line) = text.and_then(Line::parse) {
                records.push((entry, line.record()));
            }
        }
        Ok(records)
    }
}

impl Part {
    fn new(path: PathBuf, end: u64) -> Result<Self, Error> {
        let inode = fs::metadata(&path).map_err(Error::io(&path))?.ino();
        Ok(Self { path, inode, end, read: 0 })
    }
}

/// What the outline needs to know of a line.
struct Mark<'a> {
    turn: Option<TurnId>,
    kind: Kind,
    /// The id of the item.
    item: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Head<'a> {
    turn_id: Option<TurnId>,
    #[serde(borrow)]
    item: Option<ItemHead<'a>>,
}

#[derive(Deserialize)]
struct ItemHead<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

impl<'a> Mark<'a> {
    /// `None` for a line that says nothing about a turn.
    fn of(line: &Line<'a>) -> Option<Self> {
        let event = line.event();
        let kind = match &*event {
            "task_started" | "turn_started" => Kind::Start,
            "task_complete" | "turn_complete" | "turn_aborted" => Kind::End,
            "item_completed" => Kind::Item,
            _ => return None,
        };
        let Head { turn_id: turn, item } = payload(line.payload)?;
        if kind != Kind::Item {
            return Some(Self { turn, kind, item: None });
        }
        let ItemHead { kind, id } = item.filter(|item| item::is_known(&item.kind))?;
        let kind = match &*kind {
            "UserMessage" => Kind::UserMessage,
            "AgentMessage" => Kind::AgentMessage,
            _ => Kind::Item,
        };
        Some(Self { turn: Some(turn?), kind, item: Some(id) })
    }
}

/// The outlines of the histories that were read last.
#[derive(Debug, Default)]
pub(super) struct Outlines {
    recent: Mutex<VecDeque<(PathBuf, Slot)>>,
}

/// Empty until somebody has read the history.
type Slot = Arc<Mutex<Option<Outline>>>;

/// How many outlines are kept.
const KEPT: usize = 16;

impl Outlines {
    /// Works on the outline of the history that ends with this file, as it is now.
    pub(super) fn with<T>(
        &self,
        home: &Path,
        path: &Path,
        work: impl FnOnce(&Outline) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let slot = self.slot(path);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let outline = match slot.take().filter(Outline::is_valid) {
            Some(mut outline) => {
                outline.grow()?;
                outline
            }
            None => Outline::read(home, path)?,
        };
        work(slot.insert(outline))
    }

    fn slot(&self, path: &Path) -> Slot {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let known = recent.iter().position(|(known, _)| known == path);
        let slot = known.and_then(|at| recent.remove(at)).map(|(_, slot)| slot);
        let slot = slot.unwrap_or_default();
        recent.truncate(KEPT - 1);
        recent.push_front((path.to_owned(), slot.clone()));
        slot
    }
}
