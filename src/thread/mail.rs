//! What agents that know each other write to one another: tasks, messages, and the answers in which tasks end.
//!
//! A letter becomes an item of its reader's history: at once while nothing runs, else after the calls of the response
//! that is being made. A task makes its reader work.

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::actor::Actor;
use super::context::item_id;
use super::said::UserSaid;
use super::turn::TurnOptions;
use super::{Error, Reply, Result};
use crate::protocol::{AgentPath, Thread, TurnId, TurnStartResponse};
use crate::util::json::raw;

/// Something that one agent tells another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) author: AgentPath,
    pub(crate) reader: AgentPath,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Something to do, and in which turn it was given.
    Task {
        text: String,
        giver: Giver,
    },
    Message(String),
    /// What a task has come to.
    Answer(String),
}

/// The turn in which an agent gives another one a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Giver {
    pub(crate) turn: TurnId,
    pub(crate) root: TurnId,
}

/// Letters that the model has not been given yet.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    letters: Vec<Letter>,
    /// Who has given the last task among them.
    giver: Option<Giver>,
    /// How many there are, for calls that wait for one.
    pub(super) unread: watch::Sender<usize>,
}

/// So much can wait to be read.
const MOST: usize = 1000;

impl Mailbox {
    pub(super) fn put(&mut self, letter: Letter) {
        if let Content::Task { giver, .. } = &letter.content {
            self.giver = Some(giver.clone());
        }
        self.letters.push(letter);
        self.unread.send_replace(self.letters.len());
    }

    fn empty(&mut self) -> Vec<Letter> {
        self.unread.send_replace(0);
        self.giver = None;
        std::mem::take(&mut self.letters)
    }

    /// Whether there is something to do.
    pub(super) fn has_task(&self) -> bool {
        self.giver.is_some()
    }
}

impl Letter {
    pub(super) fn is_task(&self) -> bool {
        matches!(self.content, Content::Task { .. })
    }

    /// The letter as an input item. Its form is the one that models are trained on.
    fn item(&self) -> Box<RawValue> {
        let (kind, text) = match &self.content {
            Content::Task { text, .. } => (TASK, text),
            Content::Message(text) => ("MESSAGE", text),
            Content::Answer(text) => ("FINAL_ANSWER", text),
        };
        let (author, recipient) = (self.author.as_str(), self.reader.as_str());
        let head = format!("{HEAD}{kind}\nTask name: {recipient}\nSender: {author}\nPayload:\n");
        let content = match self.content {
            Content::Answer(_) => vec![Part::InputText { text: head + text }],
            Content::Task { .. } | Content::Message(_) => {
                let encrypted_content = text.clone();
                vec![Part::InputText { text: head }, Part::EncryptedContent { encrypted_content }]
            }
        };
        raw(&Item { kind: "agent_message", id: item_id("amsg"), author, recipient, content })
    }
}

const HEAD: &str = "Message Type: ";
const TASK: &str = "NEW_TASK";

/// Whether an input item is a letter that brings a task.
pub(super) fn is_task(item: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Item {
        #[serde(rename = "type")]
        kind: String,
        content: Vec<serde_json::Value>,
    }
    // Most items are no letters: look before decoding.
    item.contains("\"agent_message\"")
        && serde_json::from_str::<Item>(item).is_ok_and(|item| {
            let head = item.content.first().and_then(|part| part["text"].as_str());
            let kind = head.and_then(|head| head.strip_prefix(HEAD));
            item.kind == "agent_message" && kind.is_some_and(|kind| kind.starts_with(TASK))
        })
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    author: &'a str,
    recipient: &'a str,
    content: Vec<Part>,
}

/// What an agent has made up for another one is marked as the one thing that providers may have encrypted.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    InputText { text: String },
    EncryptedContent { encrypted_content: String },
}

impl Actor {
    /// Takes a letter. A task begins a turn, or is what the running one goes on with.
    pub(super) fn receive(&mut self, letter: Letter, reply: Reply<()>) {
        if self.mailbox.letters.len() >= MOST {
            return reply.give(Err(Error::Refused("it has too much to read already".to_owned())));
        }
        self.mailbox.put(letter);
        match (&self.turn, self.mailbox.has_task()) {
            (None, true) => return self.take_up_task(reply),
            (None, false) => self.read_mail(),
            (Some(_), _) => {}
        }
        reply.give(Ok(()));
    }

    /// Puts the letters into the history that have come since.
    pub(super) fn read_mail(&mut self) {
        for letter in self.mailbox.empty() {
            self.remember_past_review(letter.item());
        }
    }

    /// Begins a turn with a task that has come while the last one ended.
    pub(super) fn continue_mail(&mut self) {
        if self.turn.is_none() {
            self.take_up_task(Reply::new(|_| {}));
        }
    }

    fn take_up_task(&mut self, reply: Reply<()>) {
        let Some(giver) = self.mailbox.giver.take() else { return };
        let reply = Reply::new(move |begun: Result<TurnStartResponse>| reply.give(begun.map(drop)));
        let options = TurnOptions { parent: Some(giver.turn), ..TurnOptions::default() };
        let harness = self.mailbox.empty().iter().map(Letter::item).collect();
        let said = UserSaid { harness, ..UserSaid::default() };
        self.begin_turn(options, Some(giver.root), said, reply);
    }

    /// Agents that know each other hear from one another alone.
    pub(super) fn check_direct_input(&self) -> Result<()> {
        check_direct_input(&self.thread)
    }
}

/// Whether a client may tell a thread what to do.
pub(crate) fn check_direct_input(thread: &Thread) -> Result<()> {
    match thread.can_accept_direct_input {
        Some(false) => Err(Error::Refused(
            "direct app-server input is not allowed for multi-agent v2 sub-agents".to_owned(),
        )),
        Some(true) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Content {
        let giver = Giver { turn: "t".into(), root: "t".into() };
        Content::Task { text: "look".to_owned(), giver }
    }

    fn letter(content: Content) -> Letter {
        Letter { author: "/root".into(), reader: "/root/a".into(), content }
    }

    #[test]
    fn tasks_are_known_again() {
        let task = letter(task()).item();
        assert!(is_task(task.get()));
        assert!(!is_task(letter(Content::Message("look".to_owned())).item().get()));
        assert!(!is_task(&task.get().replace("\"agent_message\"", "\"message\"")));
    }

    #[test]
    fn the_mailbox_counts() {
        let mut mailbox = Mailbox::default();
        let unread = mailbox.unread.subscribe();
        mailbox.put(letter(Content::Message("a".to_owned())));
        mailbox.put(letter(Content::Message("b".to_owned())));
        assert_eq!(*unread.borrow(), 2);
        assert_eq!(mailbox.empty().len(), 2);
        assert_eq!(*unread.borrow(), 0);
        mailbox.put(letter(task()));
        assert!(mailbox.has_task());
        mailbox.empty();
        assert!(!mailbox.has_task());
    }
}
