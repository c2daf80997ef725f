//! A patch that is still being written: what it does as far as it goes. Nothing is checked, not even the text.

#[cfg(test)]
mod tests;

use super::parse::{ADD, DELETE, END_OF_FILE, MOVE, UPDATE};
use crate::protocol::{FileUpdateChange, PatchChangeKind};

/// The changes of a growing patch. Lines count once they are whole.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    line: String,
    files: Vec<FileUpdateChange>,
}

impl Progress {
    /// Takes more of the text; whether that adds to the changes.
    pub(crate) fn push(&mut self, text: &str) -> bool {
        let mut grew = false;
        for part in text.split_inclusive('\n') {
            self.line.push_str(part);
            if part.ends_with('\n') {
                let line = std::mem::take(&mut self.line);
                grew |= self.take(line.trim_end_matches(['\n', '\r']));
            }
        }
        grew
    }

    /// The changes so far, with paths as they are written, in the order of finished ones.
    pub(crate) fn changes(&self) -> Vec<FileUpdateChange> {
        let mut changes = self.files.clone();
        for change in &mut changes {
            if let PatchChangeKind::Update { move_path: Some(path) } = &change.kind {
                change.diff += &format!("\n\nMoved to: {path}");
            }
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    fn take(&mut self, line: &str) -> bool {
        let headers = [
            (ADD, PatchChangeKind::Add),
            (DELETE, PatchChangeKind::Delete),
            (UPDATE, PatchChangeKind::Update { move_path: None }),
        ];
        for (header, kind) in headers {
            if let Some(path) = line.strip_prefix(header) {
                let path = path.trim().to_owned();
                self.files.push(FileUpdateChange { path, kind, diff: String::new() });
                return true;
            }
        }
        let Some(file) = self.files.last_mut() else { return false };
        let written = match &mut file.kind {
            PatchChangeKind::Add => line.strip_prefix('+'),
            PatchChangeKind::Delete => None,
            PatchChangeKind::Update { move_path } => match line.strip_prefix(MOVE) {
                Some(path) => {
                    *move_path = Some(path.trim().to_owned());
                    return true;
                }
                None if line.trim_end() == END_OF_FILE => None,
                None => (line.starts_with(['@', ' ', '+', '-']) || line.is_empty()).then_some(line),
            },
        };
        if let Some(text) = written {
            file.diff += text;
            file.diff.push('\n');
        }
        written.is_some()
    }
}
