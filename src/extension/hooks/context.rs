//! Context that hooks add, cut to what a model may be told of it. The whole of what is cut is kept in a file.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::exec::{Truncation, cut_middle, tokens};
use crate::protocol::ThreadId;

/// The most tokens of one hook's context, unless the hook says otherwise.
const LIMIT: usize = 2500;

/// The text as the model is told it.
pub(super) async fn limited(text: String, limit: Option<usize>, thread: &ThreadId) -> String {
    let limit = limit.unwrap_or(LIMIT);
    if tokens(text.len()) <= limit {
        return text;
    }
    let cut = cut_middle(&text, Truncation::Tokens(limit));
    match keep(&text, thread).await {
        Ok(path) => format!(
            "{cut}\n\n[The hook said more than fits here; all of it is in {}]",
            path.display()
        ),
        Err(error) => {
            tracing::warn!(%error, "the whole output of a hook cannot be kept");
            format!("{cut}\n\n[The hook said more than fits here.]")
        }
    }
}

async fn keep(text: &str, thread: &ThreadId) -> std::io::Result<PathBuf> {
    let folder = std::env::temp_dir().join("hook_outputs").join(Path::new(thread.as_str()));
    tokio::fs::create_dir_all(&folder).await?;
    let path = folder.join(format!("{}.txt", Uuid::new_v4()));
    tokio::fs::write(&path, text).await?;
    Ok(path)
}
