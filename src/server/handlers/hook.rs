//! Hooks: which there are.

use std::path::{Path, PathBuf};

use crate::config;
use crate::extension::hooks::{Hook, Hooks};
use crate::protocol::{HookErrorInfo, HooksListEntry, HooksListParams, HooksListResponse};
use crate::server::context::{Cx, blocking};
use crate::server::error::Result;
use crate::util::path::absolute;

pub(crate) async fn list(cx: Cx, params: HooksListParams) -> Result<HooksListResponse> {
    let base = cx.server.threads.shared.cwd.clone();
    let cwds = match (params.cwds.is_empty(), params.thread_id) {
        (false, _) => params.cwds,
        (true, Some(id)) => {
            let thread = cx.thread(&id)?.snapshot().await?.thread;
            vec![thread.cwd.as_path().to_string_lossy().into_owned()]
        }
        (true, None) => vec![base.to_string_lossy().into_owned()],
    };
    let sources = cx.server.sources.clone();
    let found = blocking(move || cwds.into_iter().map(|cwd| entry(&sources, &base, cwd)).collect());
    Ok(HooksListResponse { data: found.await? })
}

fn entry(sources: &config::Sources, base: &Path, cwd: String) -> HooksListEntry {
    let path: PathBuf = absolute(base, Path::new(&cwd));
    let (hooks, errors) = match sources.load(Some(&path), None) {
        Ok(loaded) => (Hooks::read(&loaded.effective.hooks), Vec::new()),
        Err(error) => {
            let path = error.path.unwrap_or(path).to_string_lossy().into_owned();
            (Hooks::default(), vec![HookErrorInfo { path, message: error.message }])
        }
    };
    let Hooks { declared, warnings } = hooks;
    HooksListEntry { cwd, hooks: declared.iter().map(Hook::metadata).collect(), warnings, errors }
}
