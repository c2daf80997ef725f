//! Features that can be switched: what there is, what is on, and switching some for the life of the process.

use super::page::page;
use crate::config::Features;
use crate::config::known_features::{self as known, Known};
use crate::protocol::{
    ExperimentalFeature, ExperimentalFeatureEnablementSetParams,
    ExperimentalFeatureEnablementSetResponse, ExperimentalFeatureListParams,
    ExperimentalFeatureListResponse,
};
use crate::server::context::{Cx, blocking};
use crate::server::error::Result;

pub(crate) async fn list(
    cx: Cx,
    params: ExperimentalFeatureListParams,
) -> Result<ExperimentalFeatureListResponse> {
    let cwd = match &params.thread_id {
        Some(id) => cx.thread(id)?.snapshot().await?.thread.cwd.as_path().to_owned(),
        None => cx.server.threads.shared.cwd.clone(),
    };
    let sources = cx.server.sources.clone();
    let features = blocking(move || sources.load_or_default(&cwd).effective.features).await?;
    let all = known::all().map(|known| described(&known, &features)).collect();
    let (data, next_cursor) = page(all, "feature flags", params.cursor.as_deref(), params.limit)?;
    Ok(ExperimentalFeatureListResponse { data, next_cursor })
}

fn described(known: &Known, features: &Features) -> ExperimentalFeature {
    let (title, description) = known.words.unzip();
    ExperimentalFeature {
        name: known.name.to_owned(),
        stage: known.stage,
        display_name: title.map(str::to_owned),
        description: description.map(str::to_owned),
        announcement: known.words.map(|_| String::new()),
        enabled: features.has(known),
        default_enabled: known.is_on_by_default,
    }
}

pub(crate) async fn switch(
    cx: Cx,
    params: ExperimentalFeatureEnablementSetParams,
) -> Result<ExperimentalFeatureEnablementSetResponse> {
    let enablement = cx.server.sources.switch(params.enablement);
    Ok(ExperimentalFeatureEnablementSetResponse { enablement })
}
