//! Finding files by a few letters of their paths.
//!
//! A search reads folders and ranks what it meets, without keeping it; a [`Tree`] keeps it, for one query after the
//! other. All of it blocks, and stops early when nobody wants the answer any more.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkBuilder;
use nucleo::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32Str};

/// The most results of a query.
const MOST: usize = 50;
/// The most entries that a tree keeps.
const LARGEST: usize = 1_000_000;
/// How many entries are handed over at once.
const BATCH: usize = 1024;
/// What a match wholly within the file name is worth, before all other matches.
const IN_NAME: u32 = 1 << 16;
/// What a match of the whole file name is worth.
const WHOLE_NAME: u32 = 3 << 16;

/// A file or folder below one of the roots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) root: Arc<str>,
    /// Relative to the root.
    pub(crate) path: String,
    pub(crate) is_directory: bool,
}

impl Entry {
    pub(crate) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// An entry that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) entry: Entry,
    pub(crate) score: u32,
    /// Which characters of the path match.
    pub(crate) indices: Vec<u32>,
}

/// Searches folders once. What `stop` cuts short finds nothing.
pub(crate) fn search(roots: &[String], query: &str, stop: &AtomicBool) -> Vec<Hit> {
    let mut ranking = Ranking::new(query);
    if !ranking.pattern.atoms.is_empty() {
        walk(roots, stop, |entry| ranking.consider(&entry));
    }
    if stop.load(Ordering::Relaxed) { Vec::new() } else { ranking.finish() }
}

/// What is in some folders, as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    batches: Mutex<Vec<Arc<[Entry]>>>,
    complete: AtomicBool,
    unwanted: AtomicBool,
}

impl Tree {
    /// Reads the folders.
    pub(crate) fn fill(&self, roots: &[String]) {
        let (mut batch, mut room) = (Vec::with_capacity(BATCH), LARGEST);
        walk(roots, &self.unwanted, |entry| {
            if room > 0 {
                batch.push(entry);
                room -= 1;
            }
            if batch.len() == BATCH {
                self.keep(std::mem::take(&mut batch));
            }
        });
        self.keep(batch);
        self.complete.store(true, Ordering::Release);
    }

    fn keep(&self, batch: Vec<Entry>) {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).push(batch.into());
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    /// Has [`Self::fill`] stop.
    pub(crate) fn abandon(&self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }

    /// The best of what has been read; `None` when `superseded` cut it short.
    pub(crate) fn rank(&self, query: &str, superseded: impl Fn() -> bool) -> Option<Vec<Hit>> {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut ranking = Ranking::new(query);
        if ranking.pattern.atoms.is_empty() {
            return Some(Vec::new());
        }
        for batch in batches {
            if superseded() {
                return None;
            }
            batch.iter().for_each(|entry| ranking.consider(entry));
        }
        Some(ranking.finish())
    }
}

/// Meets everything below the roots that is not ignored, hidden files included; does not follow links.
fn walk(roots: &[String], stop: &AtomicBool, mut meet: impl FnMut(Entry)) {
    for root in roots.iter().filter(|root| Path::new(root).is_absolute()) {
        let shared: Arc<str> = root.as_str().into();
        // Folders that cannot be read are as good as empty.
        let found = WalkBuilder::new(root).hidden(false).require_git(false).build().flatten();
        for entry in found {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let Ok(path) = entry.path().strip_prefix(root) else { continue };
            if path.as_os_str().is_empty() {
                continue;
            }
            meet(Entry {
                root: Arc::clone(&shared),
                path: path.to_string_lossy().into_owned(),
                is_directory: entry.file_type().is_some_and(|kind| kind.is_dir()),
            });
        }
    }
}

/// The best matches so far.
struct Ranking {
    query: String,
    pattern: Pattern,
    matcher: Matcher,
    letters: Vec<char>,
    best: Vec<(u32, Entry)>,
}

impl Ranking {
    fn new(query: &str) -> Self {
        let pattern =
            Pattern::new(query, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let matcher = Matcher::new(Config::DEFAULT.match_paths());
        let query = query.to_lowercase();
        Self { query, pattern, matcher, letters: Vec::new(), best: Vec::new() }
    }

    fn score(&mut self, text: &str) -> Option<u32> {
        let haystack = haystack(text, &mut self.letters);
        self.pattern.score(haystack, &mut self.matcher)
    }

    fn consider(&mut self, entry: &Entry) {
        let Some(mut score) = self.score(&entry.path) else { return };
        let name = entry.file_name();
        if let Some(within) = self.score(name) {
            let whole = name.to_lowercase() == self.query;
            score = within.saturating_add(if whole { WHOLE_NAME } else { IN_NAME });
        }
        self.best.push((score, entry.clone()));
        if self.best.len() >= 4 * MOST {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let order = |(score, entry): &(u32, Entry), (other_score, other): &(u32, Entry)| {
            other_score.cmp(score).then_with(|| entry.path.cmp(&other.path))
        };
        self.best.sort_by(order);
        self.best.truncate(MOST);
    }

    fn finish(mut self) -> Vec<Hit> {
        self.cut();
        let best = std::mem::take(&mut self.best);
        best.into_iter()
            .map(|(score, entry)| Hit { score, indices: self.indices(&entry, score), entry })
            .collect()
    }

    /// Which characters of a path match; those of the file name where that alone does.
    fn indices(&mut self, entry: &Entry, score: u32) -> Vec<u32> {
        let text = if score >= IN_NAME { entry.file_name() } else { &entry.path };
        let before = entry.path.chars().count() - text.chars().count();
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let mut indices = Vec::new();
        let haystack = haystack(text, &mut self.letters);
        let _score = self.pattern.indices(haystack, &mut self.matcher, &mut indices);
        indices.sort_unstable();
        indices.dedup();
        indices.into_iter().map(|index| index.saturating_add(before)).collect()
    }
}

/// A text for the matcher, letter by letter: clients count characters, where its own conversion counts graphemes.
fn haystack<'a>(text: &'a str, letters: &'a mut Vec<char>) -> Utf32Str<'a> {
    if text.is_ascii() {
        return Utf32Str::Ascii(text.as_bytes());
    }
    letters.clear();
    letters.extend(text.chars());
    Utf32Str::Unicode(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(query: &str, paths: &[&str]) -> Vec<Hit> {
        let mut ranking = Ranking::new(query);
        for path in paths {
            let path = (*path).to_owned();
            ranking.consider(&Entry { root: "/".into(), path, is_directory: false });
        }
        ranking.finish()
    }

    #[test]
    fn a_whole_name_comes_before_a_part_of_one_and_that_before_a_path() {
        let hits = ranked("main", &["m/a/i/n.txt", "src/model_main.rs", "x/Main", "other"]);
        let paths: Vec<&str> = hits.iter().map(|hit| hit.entry.path.as_str()).collect();
        assert_eq!(paths, ["x/Main", "src/model_main.rs", "m/a/i/n.txt"]);
    }

    #[test]
    fn indices_count_characters() {
        let hits = ranked("b", &["ä/e\u{301}b"]);
        assert_eq!(hits[0].indices, [4]);
    }
}
