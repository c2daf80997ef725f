//! What of a thread the user has not read: turns that show a result add to it. The notes on it are the store's; the
//! thread remembers only where the unread content begins, since clients are told before the store has written it down.

use uuid::Uuid;

use super::actor::Actor;
use crate::protocol::{
    SessionSource, Thread, ThreadGoalStatus, ThreadReadState, ThreadReadStateChangedNotification,
    ThreadUnreadPosition, TurnId, method,
};

/// Whether anybody is expected to read the thread: not what agents and automations do by themselves.
pub(crate) fn is_for_readers(thread: &Thread) -> bool {
    let of_user = thread.thread_source.as_ref().is_none_or(|source| source.as_str() == "user");
    of_user && !thread.ephemeral && !matches!(thread.source, SessionSource::SubAgent(_))
}

impl Actor {
    /// Tells that a turn has something to show. A goal that goes on has not come to its result.
    pub(super) fn tell_unread(&mut self, turn: &TurnId) {
        let goal = self.goal.current.as_ref();
        let goes_on = goal.is_some_and(|goal| goal.status == ThreadGoalStatus::Active);
        if goes_on || !is_for_readers(&self.thread) {
            return;
        }
        let here = ThreadUnreadPosition::Turn { turn_id: turn.clone() };
        let revision = Uuid::now_v7().to_string();
        self.shared.store.note_unread(&self.thread.id, here.clone(), revision.clone());
        let first_unread = Some(self.first_unread.get_or_insert(here).clone());
        let read_state = ThreadReadState { first_unread, revision };
        let thread_id = self.thread.id.clone();
        self.publisher.tell::<method::ThreadReadStateChanged>(
            &ThreadReadStateChangedNotification { thread_id, read_state },
        );
    }
}
