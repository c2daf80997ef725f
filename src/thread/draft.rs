//! A patch that the model is still writing, shown as it grows (feature `apply_patch_streaming_events`).

use tokio::time::{Duration, Instant};

use super::actor::Actor;
use crate::config::Feature;
use crate::patch::Progress;
use crate::protocol::{FileChangePatchUpdatedNotification, ItemId, method};

/// Clients need not be told of each line; the end is told in any case.
const PAUSE: Duration = Duration::from_millis(500);

/// The patch as far as it has come.
#[derive(Debug)]
pub(super) struct Draft {
    call: ItemId,
    progress: Progress,
    /// Whether something has come since it was shown last.
    grew: bool,
    shown: Option<Instant>,
}

impl Draft {
    fn new(call: String) -> Self {
        Self { call: call.into(), progress: Progress::default(), grew: false, shown: None }
    }
}

impl Actor {
    /// The model begins to call a custom tool.
    pub(super) fn draft_begun(&mut self, call: String, tool: &str) {
        let is_shown = self.config.features.on(Feature::ApplyPatchStreamingEvents);
        if let Some(turn) = self.turn.as_mut().filter(|_| is_shown && tool == "apply_patch") {
            turn.streamed.draft = Some(Draft::new(call));
        }
    }

    /// The model goes on writing the input of a custom tool.
    pub(super) fn draft_grew(&mut self, delta: &str) {
        let draft = self.turn.as_mut().and_then(|turn| turn.streamed.draft.as_mut());
        let Some(draft) = draft else { return };
        draft.grew |= draft.progress.push(delta);
        if draft.shown.is_none_or(|shown| shown.elapsed() >= PAUSE) {
            self.show_draft();
        }
    }

    /// The call is there as a whole.
    pub(super) fn draft_done(&mut self) {
        self.show_draft();
        if let Some(turn) = &mut self.turn {
            turn.streamed.draft = None;
        }
    }

    fn show_draft(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let Some(draft) = turn.streamed.draft.as_mut().filter(|draft| draft.grew) else { return };
        draft.grew = false;
        draft.shown = Some(Instant::now());
        let params = FileChangePatchUpdatedNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: turn.id.clone(),
            item_id: draft.call.clone(),
            changes: draft.progress.changes(),
        };
        self.publisher.tell::<method::FileChangePatchUpdated>(&params);
    }
}
