//! What commands leave behind: processes that have left their group, by `setsid` or by forking twice.
//!
//! The kernel hands such orphans to this process, which asks for that once. So they can be found for as long as it
//! lives, and end with it. The price is that it has to wait for their ends, too.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use tokio::signal::unix::{SignalKind, signal};

/// Whoever has started a process has this long to hear of its end before it is taken for an orphan.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often what runs is killed: a process may start another one just before it dies.
const ROUNDS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);

/// Processes that somebody here waits for.
static AWAITED: Mutex<Option<HashSet<i32>>> = Mutex::new(None);

/// A process as the system lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    session: i32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Alive,
    /// Has ended, and nobody has waited for it.
    Zombie,
}

/// Takes orphans in, and waits for their ends for as long as this is polled.
pub(crate) async fn adopt() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(getpid())) {
        tracing::warn!(%error, "orphans of commands cannot be found");
        return;
    }
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    let mut before = HashSet::new();
    while ended.recv().await.is_some() {
        loop {
            tokio::time::sleep(PATIENCE).await;
            let earlier = std::mem::take(&mut before);
            let Ok(found) = tokio::task::spawn_blocking(move || reap(&earlier)).await else {
                return;
            };
            before = found;
            // Those that are new may be somebody's; they are looked at once more.
            if before.is_empty() {
                break;
            }
        }
    }
}

/// Notes that somebody waits for a process.
pub(super) fn awaited(process: Pid) {
    registry().get_or_insert_default().insert(process.as_raw_nonzero().get());
}

/// Kills everything that descends from this process. Blocks.
pub(crate) fn end_all() {
    let mut quiet = 0;
    for _ in 0..ROUNDS {
        let living: Vec<_> = descendants(&processes(), own()).collect();
        // One look is not enough: a list that is read while a parent dies may show its child without it.
        quiet = if living.is_empty() { quiet + 1 } else { 0 };
        if quiet == 2 {
            return;
        }
        for process in living {
            if let Some(process) = Pid::from_raw(process.id) {
                let _gone = kill_process(process, Signal::KILL);
            }
        }
        thread::sleep(PAUSE);
    }
}

/// Waits for the orphans that had ended `before`; returns those that have ended since.
fn reap(before: &HashSet<i32>) -> HashSet<i32> {
    let mut registry = registry();
    let all = processes();
    let session = all.iter().find(|process| process.id == own()).map(|own| own.session);
    let children: Vec<_> = all.iter().filter(|process| process.parent == own()).collect();
    let awaited = registry.get_or_insert_default();
    awaited.retain(|id| children.iter().any(|child| child.id == *id));
    let orphans = children.into_iter().filter(|child| {
        // What shares the session has been started by the standard library's means, which wait by themselves.
        child.state == State::Zombie
            && Some(child.session) != session
            && !awaited.contains(&child.id)
    });
    let (old, new): (Vec<i32>, Vec<i32>) =
        orphans.map(|orphan| orphan.id).partition(|id| before.contains(id));
    for orphan in old.into_iter().filter_map(Pid::from_raw) {
        let _gone = waitpid(Some(orphan), WaitOptions::NOHANG);
    }
    new.into_iter().collect()
}

fn registry() -> MutexGuard<'static, Option<HashSet<i32>>> {
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn own() -> i32 {
    getpid().as_raw_nonzero().get()
}

/// The living ones among those whose parents lead to `root`.
fn descendants(all: &[Process], root: i32) -> impl Iterator<Item = Process> {
    let parents: HashMap<i32, i32> =
        all.iter().map(|process| (process.id, process.parent)).collect();
    all.iter().copied().filter(move |process| {
        let line = std::iter::successors(parents.get(&process.id), |id| parents.get(id));
        // A list that is not of one moment might hold a circle.
        process.state == State::Alive && line.take(parents.len()).any(|ancestor| *ancestor == root)
    })
}

/// All processes; none where the system does not list them as Linux does.
fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    ids.filter_map(|id| parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect()
}

/// Reads a line such as `17 (a name) S 1 17 17 …`: the name may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let (id, _) = stat.split_once(' ')?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = match fields.next()? {
        "Z" | "X" => State::Zombie,
        _ => State::Alive,
    };
    let mut number = || fields.next()?.parse().ok();
    let (parent, _group, session) = (number()?, number()?, number()?);
    Some(Process { id: id.parse().ok()?, parent, session, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: i32, parent: i32) -> Process {
        Process { id, parent, session: 1, state: State::Alive }
    }

    #[test]
    fn lines_of_the_system() {
        let line = "17 (a) b) Z 3 17 16 0 -1 4194304";
        let wanted = Process { id: 17, parent: 3, session: 16, state: State::Zombie };
        assert_eq!(parse(line), Some(wanted));
        assert_eq!((parse(""), parse("17 (a) S x")), (None, None));
    }

    #[test]
    fn who_descends_from_whom() {
        let zombie = Process { state: State::Zombie, ..process(6, 2) };
        let all = [
            process(2, 1),
            process(3, 2),
            process(4, 3),
            process(5, 1),
            zombie,
            process(8, 7),
            process(7, 8),
        ];
        let ids: Vec<i32> = descendants(&all, 2).map(|process| process.id).collect();
        assert_eq!(ids, [3, 4]);
    }
}
