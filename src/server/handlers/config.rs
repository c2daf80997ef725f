//! Configuration: reading it whole, and writing the user's file.

use std::path::{Path, PathBuf};

use crate::config::{Edit, Merge, Target, Written};
use crate::protocol::{
    ConfigBatchWriteParams, ConfigEdit, ConfigReadParams, ConfigReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse, MergeStrategy, WriteStatus,
};
use crate::server::context::{Cx, blocking};
use crate::server::error::Result;
use crate::util::path::absolute;

pub(crate) async fn read(cx: Cx, params: ConfigReadParams) -> Result<ConfigReadResponse> {
    let sources = cx.server.sources.clone();
    let here = &cx.server.threads.shared.cwd;
    let cwd = params.cwd.map(|cwd| absolute(here, Path::new(&cwd)));
    let mut reading = blocking(move || sources.read(cwd.as_deref())).await??;
    if !params.include_layers {
        reading.layers = None;
    }
    Ok(reading)
}

pub(crate) async fn write(cx: Cx, params: ConfigValueWriteParams) -> Result<ConfigWriteResponse> {
    let ConfigValueWriteParams { key_path, value, merge_strategy, file_path, expected_version } =
        params;
    let edits = vec![ConfigEdit { key_path, value, merge_strategy }];
    write_all(&cx, edits, file_path, expected_version).await
}

pub(crate) async fn batch_write(
    cx: Cx,
    params: ConfigBatchWriteParams,
) -> Result<ConfigWriteResponse> {
    let written = write_all(&cx, params.edits, params.file_path, params.expected_version).await?;
    if params.reload_user_config {
        cx.server.threads.reload_hooks().await;
    }
    Ok(written)
}

async fn write_all(
    cx: &Cx,
    edits: Vec<ConfigEdit>,
    file_path: Option<String>,
    expected_version: Option<String>,
) -> Result<ConfigWriteResponse> {
    let edits: Vec<Edit> = edits.into_iter().map(edit).collect();
    let target = Target { file: file_path.map(PathBuf::from), expected_version };
    let sources = cx.server.sources.clone();
    let written = blocking(move || sources.write(&edits, &target)).await?;
    Ok(response(written?))
}

fn edit(edit: ConfigEdit) -> Edit {
    let merge = match edit.merge_strategy {
        MergeStrategy::Replace => Merge::Replace,
        MergeStrategy::Upsert => Merge::Upsert,
    };
    Edit { key_path: edit.key_path, value: edit.value, merge }
}

fn response(written: Written) -> ConfigWriteResponse {
    let Written { file, version, overridden: overridden_metadata } = written;
    let status = match overridden_metadata {
        Some(_) => WriteStatus::OkOverridden,
        None => WriteStatus::Ok,
    };
    ConfigWriteResponse { status, version, file_path: file.into(), overridden_metadata }
}
