//! Projects. Whoever is connected is told of a change.

use super::page::{first, page_size};
use crate::protocol::{
    Project, ProjectChangeType, ProjectChangedNotification, ProjectCreateParams,
    ProjectCreateResponse, ProjectDeleteParams, ProjectDeleteResponse, ProjectImportParams,
    ProjectImportResponse, ProjectListParams, ProjectListResponse, ProjectMoveParams,
    ProjectMoveResponse, ProjectReadParams, ProjectReadResponse, ProjectSortKey,
    ProjectUpdateParams, ProjectUpdateResponse, SortDirection, ThreadId,
    ThreadProjectUpdatedNotification, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_thread_id};
use crate::server::error::{Error, Result};
use crate::store::ProjectChange;

pub(crate) async fn list(cx: Cx, params: ProjectListParams) -> Result<ProjectListResponse> {
    if params.sort_key.is_none() && params.sort_direction.is_some() {
        return Err(Error::invalid_params("sortDirection requires sortKey"));
    }
    let key = params.sort_key.unwrap_or(ProjectSortKey::Position);
    let direction = params.sort_direction.unwrap_or(match key {
        ProjectSortKey::Position => SortDirection::Asc,
        ProjectSortKey::RecencyAt => SortDirection::Desc,
    });
    let place = |project: &Project| match key {
        ProjectSortKey::Position => project.position,
        ProjectSortKey::RecencyAt => project.recency_at.unwrap_or(i64::MIN),
    };
    let mut projects = cx.server.threads.projects().await?;
    projects.sort_by(|a, b| (place(a), &a.id).cmp(&(place(b), &b.id)));
    if direction == SortDirection::Desc {
        projects.reverse();
    }
    if let Some(cursor) = &params.cursor {
        let (anchor, id) = parse(cursor)?;
        projects.retain(|project| {
            let order = (place(project), project.id.as_str()).cmp(&(anchor, id));
            match direction {
                SortDirection::Asc => order.is_gt(),
                SortDirection::Desc => order.is_lt(),
            }
        });
    }
    let (data, next_cursor) = first(projects, page_size(params.limit), |project| {
        format!("{}|{}", place(project), project.id)
    });
    Ok(ProjectListResponse { data, next_cursor })
}

fn parse(cursor: &str) -> Result<(i64, &str)> {
    let parts = cursor.split_once('|').and_then(|(place, id)| Some((place.parse().ok()?, id)));
    parts.ok_or_else(|| {
        Error::invalid_params("invalid project cursor: malformed or mismatched sort anchor")
    })
}

pub(crate) async fn read(cx: Cx, params: ProjectReadParams) -> Result<ProjectReadResponse> {
    Ok(ProjectReadResponse { project: find(&cx, &params.project_id).await? })
}

pub(crate) async fn create(
    cx: Cx,
    params: ProjectCreateParams,
) -> Result<Later<ProjectCreateResponse>> {
    let ProjectCreateParams { idempotency_key, name, roots, metadata } = params;
    let given = ProjectChange { name: Some(name), roots: Some(roots), metadata };
    let (project, is_new) = make(&cx, idempotency_key, given, Vec::new()).await?;
    let id = project.id.clone();
    let answered = cx.answer(&ProjectCreateResponse { project });
    if is_new {
        tell(&cx, id, ProjectChangeType::Created);
    }
    Ok(answered)
}

pub(crate) async fn import(
    cx: Cx,
    params: ProjectImportParams,
) -> Result<Later<ProjectImportResponse>> {
    let ProjectImportParams { idempotency_key, name, roots, metadata, threads } = params;
    let threads = threads.unwrap_or_default();
    for id in &threads {
        check_thread_id(id)?;
        if cx.server.threads.summary(id).await?.is_none() {
            return Err(Error::invalid_params(format!("thread not found: {id}")));
        }
    }
    let given = ProjectChange { name: Some(name), roots: Some(roots), metadata };
    let (project, is_new) = make(&cx, idempotency_key, given, threads.clone()).await?;
    let id = project.id.clone();
    let answered = cx.answer(&ProjectImportResponse { project });
    if is_new {
        tell(&cx, id.clone(), ProjectChangeType::Created);
        for thread_id in threads {
            let params =
                ThreadProjectUpdatedNotification { thread_id, project_id: Some(id.clone()) };
            cx.server.audience.notify::<method::ThreadProjectUpdated>(Reach::All, &params);
        }
    }
    Ok(answered)
}

/// Makes a project, unless one was made with this key before.
async fn make(
    cx: &Cx,
    key: String,
    given: ProjectChange,
    threads: Vec<ThreadId>,
) -> Result<(Project, bool)> {
    let made = cx.server.threads.state(move |state| state.create_project(&key, given, &threads));
    let (project, is_new) = made.await?;
    Ok((find(cx, &project.id).await?, is_new))
}

pub(crate) async fn update(
    cx: Cx,
    params: ProjectUpdateParams,
) -> Result<Later<ProjectUpdateResponse>> {
    let ProjectUpdateParams { project_id, name, roots, metadata } = params;
    let (id, given) = (project_id.clone(), ProjectChange { name, roots, metadata });
    cx.server.threads.state(move |state| state.update_project(&id, given)).await?;
    let project = find(&cx, &project_id).await?;
    let answered = cx.answer(&ProjectUpdateResponse { project });
    tell(&cx, project_id, ProjectChangeType::Updated);
    Ok(answered)
}

pub(crate) async fn r#move(
    cx: Cx,
    params: ProjectMoveParams,
) -> Result<Later<ProjectMoveResponse>> {
    let ProjectMoveParams { project_id, before_project_id } = params;
    let id = project_id.clone();
    let moved =
        cx.server.threads.state(move |state| state.move_project(&id, before_project_id.as_deref()));
    moved.await?;
    let answered = cx.answer(&ProjectMoveResponse {});
    tell(&cx, project_id, ProjectChangeType::Updated);
    Ok(answered)
}

pub(crate) async fn delete(
    cx: Cx,
    params: ProjectDeleteParams,
) -> Result<Later<ProjectDeleteResponse>> {
    let id = params.project_id.clone();
    cx.server.threads.state(move |state| state.delete_project(&id)).await?;
    let answered = cx.answer(&ProjectDeleteResponse {});
    tell(&cx, params.project_id, ProjectChangeType::Deleted);
    Ok(answered)
}

async fn find(cx: &Cx, id: &str) -> Result<Project> {
    let projects = cx.server.threads.projects().await?;
    let found = projects.into_iter().find(|project| project.id == id);
    found.ok_or_else(|| Error::invalid_params(format!("project not found: {id}")))
}

fn tell(cx: &Cx, project_id: String, change_type: ProjectChangeType) {
    let params = ProjectChangedNotification { project_id, change_type };
    cx.server.audience.notify::<method::ProjectChanged>(Reach::All, &params);
}
