//! Finding a text in all threads: in what users and agents have said. Files are read line by line, and no further than
//! to the first place where the text is.

use std::{ops::ControlFlow, path::Path};

use super::{
    Page, Query, Store, Summary,
    error::Error,
    item::said,
    legacy::LegacyEvent,
    reader,
    record::{Line, Record},
};
use crate::util::find::{Needle, Snippet};

/// How many threads are taken from the index at once.
const BATCH: usize = 100;

impl Store {
    /// A page of those threads of a list in which the text is, each with what stands around the first place.
    pub(crate) fn search(
        &self,
        query: &Query,
        needle: &Needle,
    ) -> Result<Page<(Summary, Snippet)>, Error> {
        let mut candidates = Query { limit: BATCH, ..query.clone() };
        let mut data: Vec<(Summary, Snippet)> = Vec::new();
        loop {
            let page = self.list(&candidates)?;
            for row in page.data {
                let Some(snippet) = self.find(&row, needle) else { continue };
                if data.len() == query.limit {
                    let next_cursor = data.last().map(|(row, _)| query.after(row));
                    return Ok(finish(query, data, next_cursor));
                }
                data.push((row, snippet));
            }
            if page.next_cursor.is_none() {
                return Ok(finish(query, data, None));
            }
            // The first look has found what is new on disk.
            candidates = Query { cursor: page.next_cursor, stale: true, ..candidates };
        }
    }

    /// What stands around the first place in a thread. A file that cannot be read holds nothing.
    fn find(&self, row: &Summary, needle: &Needle) -> Option<Snippet> {
        first_place(&self.inner.home, &row.path, needle).unwrap_or_else(|error| {
            tracing::warn!(thread = %row.id, %error, "the thread cannot be searched");
            None
        })
    }
}

fn finish(
    query: &Query,
    data: Vec<(Summary, Snippet)>,
    next_cursor: Option<String>,
) -> Page<(Summary, Snippet)> {
    let backwards_cursor = data.first().map(|(row, _)| query.before(row));
    Page { data, next_cursor, backwards_cursor }
}

fn first_place(home: &Path, path: &Path, needle: &Needle) -> Result<Option<Snippet>, Error> {
    let meta = reader::meta(path)?;
    let mut found = None;
    reader::walk(home, path, &meta, |line, _| {
        found = place_in(line, needle);
        match found {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    })?;
    Ok(found)
}

fn place_in(line: &Line<'_>, needle: &Needle) -> Option<Snippet> {
    if !matches!(&*line.event(), "item_completed" | "user_message" | "agent_message") {
        return None;
    }
    let around = |text: &str| needle.places(text).next().map(|place| Snippet::around(text, place));
    let record = line.record();
    if let Record::Item(item) = &record {
        around(&said(&item.item)?)
    } else if let Record::Legacy(LegacyEvent::UserMessage(message)) = &record {
        around(&message.message)
    } else if let Record::Legacy(LegacyEvent::AgentMessage { message, .. }) = &record {
        around(message)
    } else {
        None
    }
}
