//! What is wrong with a configuration, and where: as a refusal (`LoadError`) and as something to be told while the
//! server goes on (`Problem`, the content of a `configWarning`).

use std::ops;
use std::path::PathBuf;

use crate::protocol::{TextPosition, TextRange};

/// Something to be told about a configuration that is used nevertheless.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) summary: String,
    pub(crate) details: Option<String>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) range: Option<TextRange>,
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct LoadError {
    /// What follows `failed to load configuration: `.
    pub(crate) message: String,
    /// The message without the place.
    pub(crate) detail: String,
    pub(crate) path: Option<PathBuf>,
    pub(crate) range: Option<TextRange>,
}

impl Problem {
    /// A problem that is a sentence and nothing else.
    pub(super) fn note(summary: String) -> Self {
        Self { summary, details: None, path: None, range: None }
    }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        let summary = "Invalid configuration; using defaults.".to_owned();
        Self { summary, details: Some(error.message), path: error.path, range: error.range }
    }
}

impl LoadError {
    /// An error of no particular place.
    pub(crate) fn new(detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { message: detail.clone(), detail, path: None, range: None }
    }

    /// An error at a place of a file; without a range the path alone is told.
    pub(super) fn at(path: PathBuf, range: Option<TextRange>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let shown = path.display();
        let message = match &range {
            Some(TextRange { start, .. }) => {
                format!("{shown}:{}:{}: {detail}", start.line, start.column)
            }
            None => format!("{shown}: {detail}"),
        };
        Self { message, detail, path: Some(path), range }
    }
}

/// The lines and columns, counted from 1, of a span of bytes. The end is the last character that belongs to it.
pub(super) fn text_range(text: &str, span: ops::Range<usize>) -> TextRange {
    let start = text.floor_char_boundary(span.start);
    let last = text.floor_char_boundary(span.end.saturating_sub(1)).max(start);
    TextRange { start: position(text, start), end: position(text, last) }
}

fn position(text: &str, at: usize) -> TextPosition {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    TextPosition { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}
