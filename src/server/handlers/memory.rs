//! What has been learnt from earlier threads. This server learns nothing by itself; it forgets what others have learnt.

use std::path::Path;
use std::{fs, io};

use crate::protocol::{MemoryResetResponse, MemoryStatusParams, MemoryStatusResponse, NoParams};
use crate::server::context::{Cx, blocking};
use crate::server::error::{Error, Result};

pub(crate) async fn status(_cx: Cx, params: MemoryStatusParams) -> Result<MemoryStatusResponse> {
    let is_enough = params.min_consolidated_threads == Some(0);
    Ok(MemoryStatusResponse { v2_consolidated_threads: 0, v2_ready: is_enough })
}

pub(crate) async fn reset(cx: Cx, _params: NoParams) -> Result<MemoryResetResponse> {
    let folder = cx.server.home().join("memories");
    blocking(move || empty(&folder)).await?.map_err(|error| {
        Error::internal(format!("failed to forget what has been learnt: {error}"))
    })?;
    Ok(MemoryResetResponse {})
}

/// Removes what is in a folder. A link to one is not followed: what is elsewhere is not ours.
fn empty(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(io::Error::other(format!("{} is no folder", folder.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
