//! Configuration: writing the user's file.

use std::path::PathBuf;

use crate::config::{Edit, Merge, Overridden, Source, Target, Written};
use crate::protocol::{
    ConfigBatchWriteParams, ConfigEdit, ConfigLayerMetadata, ConfigLayerSource,
    ConfigValueWriteParams, ConfigWriteResponse, MergeStrategy, OverriddenMetadata, WriteStatus,
};
use crate::server::context::{Cx, blocking};
use crate::server::error::Result;

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
    let status = match written.overridden {
        Some(_) => WriteStatus::OkOverridden,
        None => WriteStatus::Ok,
    };
    ConfigWriteResponse {
        status,
        version: written.version,
        file_path: written.file.into(),
        overridden_metadata: written.overridden.map(overridden),
    }
}

fn overridden(by: Overridden) -> OverriddenMetadata {
    let (message, name) = match by.by {
        Source::SessionFlags | Source::Request => {
            ("Overridden by session flags".to_owned(), ConfigLayerSource::SessionFlags)
        }
        Source::System(file) => (
            format!("Overridden by managed config (system): {}", file.display()),
            ConfigLayerSource::System { file: file.into() },
        ),
        Source::User(file) => (
            format!("Overridden by user config: {}", file.display()),
            ConfigLayerSource::User { file: file.into(), profile: None },
        ),
        Source::Project(file) => (
            format!("Overridden by project config: {}", file.display()),
            ConfigLayerSource::Project { dot_codex_folder: file.parent().unwrap_or(&file).into() },
        ),
    };
    OverriddenMetadata {
        message,
        overriding_layer: ConfigLayerMetadata { name, version: by.version },
        effective_value: by.effective,
    }
}
