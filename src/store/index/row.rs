//! A rollout as a row of the index, and back.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, params};

use crate::protocol::{SessionSource, SubAgentSource, ThreadId, ThreadSourceKind};
use crate::store::locate::Found;
use crate::store::summary::{Stamp, Summary};
use crate::util;

/// What is stored of one file.
pub(super) struct Entry {
    pub(super) found: Found,
    pub(super) stamp: Stamp,
    /// `None` when nothing can be made of the file.
    pub(super) summary: Option<Summary>,
}

/// The columns that [`summary`] reads.
pub(super) const COLUMNS: &str = "file.path, file.preview, file.summary, name.name";

/// A row of `file` joined with `name`; `None` when it cannot be understood.
pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<Option<Summary>> {
    let json: String = row.get(2)?;
    let Ok(mut summary) = serde_json::from_str::<Summary>(&json) else { return Ok(None) };
    summary.path = PathBuf::from(row.get::<_, String>(0)?);
    summary.preview = row.get(1)?;
    summary.name = row.get(3)?;
    Ok(Some(summary))
}

/// Stores what a file says now.
pub(super) fn store(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let Found { path, name, archived, .. } = &entry.found;
    let (Some(text), Some(folder)) = (path.to_str(), path.parent().and_then(Path::to_str)) else {
        return Ok(());
    };
    let order = format!("{}_{}", name.time, name.segment.as_deref().unwrap_or_default());
    let summary = entry.summary.as_ref();
    let insert = "INSERT OR REPLACE INTO file (path, folder, name, archived, modified_ms, len, thread_id, created_ms, \
         updated_ms, recency_ms, kind, provider, cwd, parent, attached_to, base, preview, opening, summary) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    connection.prepare_cached(insert)?.execute(params![
        text,
        folder,
        order,
        archived,
        entry.stamp.modified_ms,
        i64::try_from(entry.stamp.len).unwrap_or(i64::MAX),
        summary.map(|summary| summary.id.as_str()),
        summary.map(|summary| summary.created_at_ms),
        summary.map(|summary| summary.updated_at_ms),
        summary.map(|summary| summary.recency_at_ms),
        summary.map(|summary| kind_name(kind_of(&summary.source))),
        summary.map(|summary| summary.model_provider.as_deref().unwrap_or_default()),
        summary.map(|summary| util::path::normalize(&summary.cwd).to_string_lossy().into_owned()),
        summary.and_then(|summary| summary.parent_thread_id.as_ref()).map(ThreadId::as_str),
        summary.and_then(|summary| summary.attached_to_thread_id.as_ref()).map(ThreadId::as_str),
        summary.and_then(|summary| summary.continues.as_deref()),
        summary.map(|summary| summary.preview.as_str()),
        summary.and_then(|summary| summary.opening.as_deref()),
        summary.map(|summary| serde_json::to_string(summary).unwrap_or_default()),
    ])?;
    Ok(())
}

/// Marks the newest file of a thread, among the archived ones and among the others.
pub(super) fn mark_current(connection: &Connection, thread: &str) -> rusqlite::Result<()> {
    let mark = "UPDATE file SET current = (path = (SELECT path FROM file AS other \
         WHERE other.thread_id = file.thread_id AND other.archived = file.archived \
         ORDER BY name DESC, path LIMIT 1)) WHERE thread_id = ?";
    connection.prepare_cached(mark)?.execute([thread])?;
    Ok(())
}

/// The kind under which filters know a source.
fn kind_of(source: &SessionSource) -> ThreadSourceKind {
    match source {
        SessionSource::Cli => ThreadSourceKind::Cli,
        SessionSource::Vscode => ThreadSourceKind::Vscode,
        SessionSource::Exec => ThreadSourceKind::Exec,
        SessionSource::AppServer => ThreadSourceKind::AppServer,
        SessionSource::Unknown | SessionSource::Custom(_) => ThreadSourceKind::Unknown,
        SessionSource::SubAgent(agent) => match agent {
            SubAgentSource::Review => ThreadSourceKind::SubAgentReview,
            SubAgentSource::Compact => ThreadSourceKind::SubAgentCompact,
            SubAgentSource::ThreadSpawn { .. } => ThreadSourceKind::SubAgentThreadSpawn,
            SubAgentSource::MemoryConsolidation | SubAgentSource::Other(_) => {
                ThreadSourceKind::SubAgentOther
            }
        },
    }
}

/// The names of the kinds that a filter accepts; the interactive ones when it names none.
pub(super) fn accepted(kinds: &[ThreadSourceKind]) -> Vec<&'static str> {
    use ThreadSourceKind as Kind;
    const AGENTS: [Kind; 4] = [
        Kind::SubAgentReview,
        Kind::SubAgentCompact,
        Kind::SubAgentThreadSpawn,
        Kind::SubAgentOther,
    ];
    let kinds = if kinds.is_empty() { &[Kind::Cli, Kind::Vscode] } else { kinds };
    let mut names = Vec::new();
    for kind in kinds {
        if *kind == Kind::SubAgent {
            names.extend(AGENTS.map(kind_name));
        } else {
            names.push(kind_name(*kind));
        }
    }
    names
}

fn kind_name(kind: ThreadSourceKind) -> &'static str {
    match kind {
        ThreadSourceKind::Cli => "cli",
        ThreadSourceKind::Vscode => "vscode",
        ThreadSourceKind::Exec => "exec",
        ThreadSourceKind::AppServer => "app_server",
        ThreadSourceKind::SubAgent => "sub_agent",
        ThreadSourceKind::SubAgentReview => "sub_agent_review",
        ThreadSourceKind::SubAgentCompact => "sub_agent_compact",
        ThreadSourceKind::SubAgentThreadSpawn => "sub_agent_thread_spawn",
        ThreadSourceKind::SubAgentOther => "sub_agent_other",
        ThreadSourceKind::Unknown => "unknown",
    }
}
