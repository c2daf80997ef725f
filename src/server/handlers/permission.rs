//! Permission profiles: what there is to choose from.

use std::path::Path;

use super::page::page;
use crate::config::profile::{BUILT_IN, Profile};
use crate::protocol::{
    PermissionProfileListParams, PermissionProfileListResponse, PermissionProfileSummary,
};
use crate::server::context::{Cx, blocking};
use crate::server::error::Result;
use crate::util::path::absolute;

pub(crate) async fn list(
    cx: Cx,
    params: PermissionProfileListParams,
) -> Result<PermissionProfileListResponse> {
    let cwd = params.cwd.unwrap_or_default();
    let config = blocking(move || {
        let shared = &cx.server.threads.shared;
        cx.server.sources.load_or_default(&absolute(&shared.cwd, Path::new(&cwd)))
    })
    .await?
    .effective;
    let built_in = BUILT_IN.iter().map(|id| summary(id, None));
    let own = config.permissions.iter().flatten().map(|(id, profile)| summary(id, Some(profile)));
    let all = built_in.chain(own).collect();
    let (data, next_cursor) =
        page(all, "permission profiles", params.cursor.as_deref(), params.limit)?;
    Ok(PermissionProfileListResponse { data, next_cursor })
}

fn summary(id: &str, profile: Option<&Profile>) -> PermissionProfileSummary {
    PermissionProfileSummary {
        id: id.to_owned(),
        description: profile.and_then(|profile| profile.description.clone()),
        allowed: true,
    }
}
