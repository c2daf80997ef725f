//! Whom the team has news of, and whom it can do without.

use tokio::sync::mpsc;

use super::*;

/// An agent; its task ends with `_inbox`.
struct Agent {
    progress: watch::Sender<AgentStatus>,
    _inbox: mpsc::Receiver<crate::thread::Command>,
}

fn join(team: &Arc<Team>, id: &str, path: Option<&str>, starts: bool) -> Agent {
    let (progress, watched) = watch::channel(AgentStatus::PendingInit);
    let (commands, inbox) = mpsc::channel(1);
    let handle = ThreadHandle { id: id.into(), progress: watched, commands };
    let reporter = AbortOnDrop::spawn(async {});
    let place = team.reserve(usize::MAX).unwrap();
    let path = path.map(AgentPath::from);
    team.join(place, Member::new(handle, "parent".into(), path, starts, reporter));
    Agent { progress, _inbox: inbox }
}

fn said(team: &Team) -> Vec<(String, AgentStatus)> {
    let news = team.take_news(&"parent".into()).into_iter();
    news.map(|news| (news.turn.to_string(), news.status)).collect()
}

fn answer(text: &str) -> AgentStatus {
    AgentStatus::Completed(Some(text.to_owned()))
}

#[tokio::test]
async fn every_task_is_answered_in_order() {
    let team = Arc::new(Team::of_new_session());
    let _a = join(&team, "a", Some("/root/a"), true);
    let _b = join(&team, "b", Some("/root/b"), true);
    team.ended(&"a".into(), "1".into(), answer("one"));
    team.ended(&"b".into(), "2".into(), answer("two"));
    team.ended(&"a".into(), "3".into(), answer("three"));
    assert!(team.take_news(&"somebody".into()).is_empty());
    let expected = [("1", "one"), ("2", "two"), ("3", "three")]
        .map(|(turn, text)| (turn.to_owned(), answer(text)));
    assert_eq!(said(&team), expected);
    assert_eq!(said(&team), []);
}

#[tokio::test]
async fn of_an_agent_without_a_path_the_last_turn_counts() {
    let team = Arc::new(Team::of_new_session());
    let agent = join(&team, "a", None, true);
    team.ended(&"a".into(), "1".into(), answer("one"));
    team.ended(&"a".into(), "2".into(), answer("two"));
    agent.progress.send_replace(answer("two"));
    let ids = ["a".into()];
    let waiting = team.wait_for(&ids);
    assert_eq!(said(&team), [], "the call that waits tells it");
    assert_eq!(waiting.finals(), [("a".into(), answer("two"))]);
    drop(waiting);
    assert_eq!(said(&team), [], "it has told it");
    team.ended(&"a".into(), "3".into(), answer("three"));
    assert_eq!(said(&team), [("3".to_owned(), answer("three"))]);
}

#[tokio::test]
async fn who_rests_makes_room() {
    let team = Arc::new(Team::of_new_session());
    let first = join(&team, "a", Some("/root/a"), true);
    let dispensable = |most| team.dispensable(most).map(|handle| handle.id.to_string());
    assert_eq!(dispensable(1), None, "it is about to start");
    first.progress.send_replace(AgentStatus::Running);
    assert_eq!(dispensable(1), None, "it works");
    team.ended(&"a".into(), "1".into(), answer("one"));
    first.progress.send_replace(answer("one"));
    assert_eq!(dispensable(1), None, "nobody knows of its answer yet");
    said(&team);
    assert_eq!(dispensable(2), None, "there is room");
    assert_eq!(dispensable(1), Some("a".to_owned()));
    let _loaded_for_a_message = join(&team, "b", Some("/root/b"), false);
    assert_eq!(dispensable(2), Some("a".to_owned()), "the one that has been there longest");
    team.leave(&"a".into());
    assert_eq!(dispensable(1), Some("b".to_owned()), "it has nothing to do");
}
