//! Files of the host, and watches of them.

use std::fs;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::protocol::{
    FsChangedNotification, FsCopyParams, FsCopyResponse, FsCreateDirectoryParams,
    FsCreateDirectoryResponse, FsGetMetadataParams, FsGetMetadataResponse, FsReadDirectoryEntry,
    FsReadDirectoryParams, FsReadDirectoryResponse, FsReadFileParams, FsReadFileResponse,
    FsRemoveParams, FsRemoveResponse, FsUnwatchParams, FsUnwatchResponse, FsWatchParams,
    FsWatchResponse, FsWriteFileParams, FsWriteFileResponse, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, blocking};
use crate::server::error::{Error, Result};
use crate::util::task::AbortOnDrop;
use crate::workspace::files::{self, Depth};

pub(crate) async fn read_file(_: Cx, params: FsReadFileParams) -> Result<FsReadFileResponse> {
    let read = move || {
        let data = files::read(params.path.as_path())?;
        Ok(FsReadFileResponse { data_base64: STANDARD.encode(data) })
    };
    blocking(read).await?
}

pub(crate) async fn write_file(_: Cx, params: FsWriteFileParams) -> Result<FsWriteFileResponse> {
    let write = move || {
        let data = STANDARD.decode(params.data_base64).map_err(|error| {
            let refusal = format!("fs/writeFile requires valid base64 dataBase64: {error}");
            Error::invalid_request(refusal)
        })?;
        files::write(params.path.as_path(), &data)?;
        Ok(FsWriteFileResponse {})
    };
    blocking(write).await?
}

pub(crate) async fn create_directory(
    _: Cx,
    params: FsCreateDirectoryParams,
) -> Result<FsCreateDirectoryResponse> {
    let create = move || match depth(params.recursive) {
        Depth::Deep => fs::create_dir_all(params.path),
        Depth::Shallow => fs::create_dir(params.path),
    };
    blocking(create).await??;
    Ok(FsCreateDirectoryResponse {})
}

pub(crate) async fn metadata(_: Cx, params: FsGetMetadataParams) -> Result<FsGetMetadataResponse> {
    let look = move || {
        let link = fs::symlink_metadata(&params.path)?;
        let found = fs::metadata(&params.path)?;
        Ok(FsGetMetadataResponse {
            is_directory: found.is_dir(),
            is_file: found.is_file(),
            is_symlink: link.is_symlink(),
            created_at_ms: unix_ms(found.created()),
            modified_at_ms: unix_ms(found.modified()),
        })
    };
    blocking(look).await?
}

fn unix_ms(time: io::Result<SystemTime>) -> i64 {
    let since = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

pub(crate) async fn read_directory(
    _: Cx,
    params: FsReadDirectoryParams,
) -> Result<FsReadDirectoryResponse> {
    let list = move || {
        let mut entries = Vec::new();
        for entry in fs::read_dir(params.path)? {
            let entry = entry?;
            // What a link leads to counts; one that leads nowhere is no entry.
            let Ok(found) = fs::metadata(entry.path()) else { continue };
            entries.push(FsReadDirectoryEntry {
                file_name: entry.file_name().to_string_lossy().into_owned(),
                is_directory: found.is_dir(),
                is_file: found.is_file(),
            });
        }
        Ok(FsReadDirectoryResponse { entries })
    };
    blocking(list).await?
}

pub(crate) async fn remove(_: Cx, params: FsRemoveParams) -> Result<FsRemoveResponse> {
    let depth = depth(params.recursive);
    match blocking(move || files::remove(params.path.as_path(), depth)).await? {
        Err(error) if error.kind() == ErrorKind::NotFound && params.force.unwrap_or(true) => {}
        removed => removed?,
    }
    Ok(FsRemoveResponse {})
}

pub(crate) async fn copy(_: Cx, params: FsCopyParams) -> Result<FsCopyResponse> {
    let depth = depth(Some(params.recursive));
    let copy =
        move || files::copy(params.source_path.as_path(), params.destination_path.as_path(), depth);
    blocking(copy).await??;
    Ok(FsCopyResponse {})
}

fn depth(recursive: Option<bool>) -> Depth {
    if recursive.unwrap_or(true) { Depth::Deep } else { Depth::Shallow }
}

pub(crate) async fn watch(cx: Cx, params: FsWatchParams) -> Result<FsWatchResponse> {
    let FsWatchParams { watch_id, path } = params;
    if cx.connection.is_watching(&watch_id) {
        return Err(Error::invalid_request(format!("watchId already exists: {watch_id}")));
    }
    let (watcher, target) = (cx.server.watcher.clone(), path.as_path().to_owned());
    let watch = blocking(move || watcher.watch(target)).await?;
    let mut watch = watch.map_err(|error| Error::internal(error.to_string()))?;
    let (audience, connection) = (Arc::clone(&cx.server.audience), cx.connection.id);
    let id = watch_id.clone();
    let tell = async move {
        while let Some(changed) = watch.changed().await {
            let changed_paths = changed.into_iter().map(Into::into).collect();
            let params = FsChangedNotification { watch_id: id.clone(), changed_paths };
            // A client that does not read hears of many changes at once later.
            audience.room(Reach::Only(connection)).await;
            audience.notify::<method::FsChanged>(Reach::Only(connection), &params);
        }
    };
    cx.connection.keep_watch(watch_id, AbortOnDrop::spawn(tell));
    Ok(FsWatchResponse { path })
}

pub(crate) async fn unwatch(cx: Cx, params: FsUnwatchParams) -> Result<FsUnwatchResponse> {
    cx.connection.end_watch(&params.watch_id);
    Ok(FsUnwatchResponse {})
}
