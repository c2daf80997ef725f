//! Skills: which there are, and which are used.

use std::path::Path;

use crate::config::{SkillKey, write_skill};
use crate::protocol::{
    SkillMetadata, SkillsChangedNotification, SkillsConfigWriteParams, SkillsConfigWriteResponse,
    SkillsExtraRootsSetParams, SkillsExtraRootsSetResponse, SkillsListEntry, SkillsListParams,
    SkillsListResponse, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, blocking};
use crate::server::error::{Error, Result};
use crate::util::path::absolute;

pub(crate) async fn list(cx: Cx, params: SkillsListParams) -> Result<SkillsListResponse> {
    let server = cx.server;
    let searched = blocking(move || {
        let own = server.threads.shared.cwd.display().to_string();
        let cwds = if params.cwds.is_empty() { vec![own] } else { params.cwds };
        let search = if params.force_reload { Search::Again } else { Search::Known };
        let mut rows = cwds.into_iter();
        let first = rows.next().map(|cwd| row(&server, cwd, search));
        first.into_iter().chain(rows.map(|cwd| row(&server, cwd, Search::Known))).collect()
    });
    Ok(SkillsListResponse { data: searched.await? })
}

/// Whether what has been found before will do.
#[derive(Clone, Copy)]
enum Search {
    Known,
    Again,
}

fn row(server: &Server, cwd: String, search: Search) -> SkillsListEntry {
    let folder = absolute(&server.threads.shared.cwd, Path::new(&cwd));
    let config = server.sources.load_or_default(&folder).effective;
    let skills = &server.threads.shared.skills;
    let found = match search {
        Search::Again => skills.search_again(&folder, &config),
        Search::Known => skills.at(&folder, &config),
    };
    let shown = found.skills.iter().map(|skill| SkillMetadata {
        enabled: config.skills.enabled(skill.name(), skill.path()),
        ..skill.metadata.clone()
    });
    SkillsListEntry { cwd, skills: shown.collect(), errors: found.problems.clone() }
}

pub(crate) async fn write_config(
    cx: Cx,
    params: SkillsConfigWriteParams,
) -> Result<SkillsConfigWriteResponse> {
    let server = cx.server;
    blocking(move || switch(&server, &params)).await?
}

fn switch(server: &Server, params: &SkillsConfigWriteParams) -> Result<SkillsConfigWriteResponse> {
    let name = params.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let key = match (&params.path, &params.name, name) {
        (Some(path), None, _) => SkillKey::Path(path.as_path()),
        (None, Some(_), Some(name)) => SkillKey::Name(name),
        (Some(_) | None, _, _) => {
            let refusal = "skills/config/write requires exactly one of path or name";
            return Err(Error::invalid_params(refusal));
        }
    };
    write_skill(server.home(), key, params.enabled).map_err(|error| {
        Error::internal(format!("failed to save the user's configuration: {error}"))
    })?;
    // Another layer of the configuration may say something else.
    let config = server.sources.load_or_default(&server.threads.shared.cwd).effective;
    Ok(SkillsConfigWriteResponse { effective_enabled: config.skills.switched(key) })
}

pub(crate) async fn set_extra_roots(
    cx: Cx,
    params: SkillsExtraRootsSetParams,
) -> Result<Later<SkillsExtraRootsSetResponse>> {
    let roots = params.extra_roots.iter().map(|root| root.as_path().to_owned()).collect();
    cx.server.threads.shared.skills.set_extra_roots(roots);
    let answered = cx.answer(&SkillsExtraRootsSetResponse {});
    cx.server.audience.notify::<method::SkillsChanged>(Reach::All, &SkillsChangedNotification {});
    Ok(answered)
}
