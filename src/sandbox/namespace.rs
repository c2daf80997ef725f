//! Confinement by namespaces of our own: a user namespace in which we may mount, a view of the files in which only
//! what may be written can be, processes of its own, and no network devices unless they are wanted.
//!
//! Three processes: one outside that waits and cleans up, the first of the new process namespace, whose end ends all
//! others in it, and the command.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_change,
    mount_remount, move_mount, open_tree,
};
use rustix::process::{
    DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::helper::{
    Error, Fork, Step as _, become_command, fork, heed_signals, ignore_signals, wait_for,
};
use super::placeholder::Placeholders;
use super::{Access, Confinement, Network, Rule};

/// The device files that commands find.
const DEVICES: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Runs a command under a confinement and returns its exit code.
pub(super) fn run(
    confinement: &Confinement,
    cwd: &Path,
    argv: &[OsString],
) -> Result<ExitCode, Error> {
    let placeholders = Placeholders::make(confinement);
    enter_user_namespace(confinement.network)?;
    match fork()? {
        Fork::Parent(first) => {
            ignore_signals();
            let code = wait_for(first);
            drop(placeholders);
            Ok(code)
        }
        Fork::Child => {
            // The placeholders are the parent's to remove.
            std::mem::forget(placeholders);
            first_process(confinement, cwd, argv)
        }
    }
}

fn enter_user_namespace(network: Network) -> Result<(), Error> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let mut spaces = UnshareFlags::NEWUSER | UnshareFlags::NEWPID | UnshareFlags::NEWIPC;
    if network == Network::Closed {
        spaces |= UnshareFlags::NEWNET;
    }
    unshare(spaces).step("namespaces cannot be made")?;
    fs::write("/proc/self/setgroups", "deny").step("groups cannot be fixed")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1", user = user.as_raw()))
        .step("the user cannot be kept")?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1", group = group.as_raw()))
        .step("the group cannot be kept")
}

fn unshare(spaces: UnshareFlags) -> rustix::io::Result<()> {
    #[expect(unsafe_code, reason = "leaving a namespace can break what relies on it")]
    // SAFETY: no flag separates descriptors or memory, and this process has one thread.
    unsafe {
        unshare_unsafe(spaces)
    }
}

/// The life of the first process of the new process namespace.
fn first_process(
    confinement: &Confinement,
    cwd: &Path,
    argv: &[OsString],
) -> Result<ExitCode, Error> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .step("our end cannot be tied to that of our parent")?;
    unshare(UnshareFlags::NEWNS).step("a view of the files cannot be made")?;
    arrange_files(confinement)?;
    std::env::set_current_dir(cwd).at(cwd)?;
    // The command must not look into this process, which keeps its powers over the namespace.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).step("our memory cannot be hidden")?;
    match fork()? {
        Fork::Parent(command) => {
            ignore_signals();
            Ok(wait_for(command))
        }
        Fork::Child => {
            heed_signals();
            become_command(confinement.network, argv)
        }
    }
}

/// Makes everything read-only, then lays over it what may be written, and over that the exceptions.
fn arrange_files(confinement: &Confinement) -> Result<(), Error> {
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
        .step("mounts cannot be kept to ourselves")?;
    let layers: Vec<(&Rule, OwnedFd)> =
        confinement.by_depth().into_iter().filter_map(|rule| Some((rule, copy(rule)?))).collect();
    let devices: Vec<(&str, OwnedFd)> = DEVICES
        .into_iter()
        .filter_map(|path| Some((path, open_tree(CWD, path, CLONE).ok()?)))
        .collect();
    let root =
        rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).at(Path::new("/"))?;
    let everywhere = if confinement.writes_everywhere() { INERT } else { READ_ONLY | INERT };
    set_attributes(&root, everywhere).step("the files cannot be made read-only")?;
    for (rule, tree) in layers {
        let attributes = match rule.access {
            Access::Write => INERT,
            Access::Read | Access::Guard | Access::Deny => READ_ONLY | INERT,
        };
        set_attributes(&tree, attributes).and_then(|()| attach(&tree, &rule.path)).at(&rule.path)?;
    }
    arrange_devices(devices)?;
    // Read-only, since the superuser could change the kernel's settings through it.
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    mount("proc", "/proc", "proc", flags, None).step("processes cannot be hidden")
}

const CLONE: OpenTreeFlags = OpenTreeFlags::OPEN_TREE_CLONE.union(OpenTreeFlags::OPEN_TREE_CLOEXEC);

/// A detached copy of what a rule is about, or of what hides it.
fn copy(rule: &Rule) -> Option<OwnedFd> {
    match rule.access {
        Access::Write | Access::Read | Access::Guard => {
            open_tree(CWD, &rule.path, CLONE | OpenTreeFlags::AT_RECURSIVE).ok()
        }
        Access::Deny => hidden(&rule.path).ok(),
    }
}

/// Something that can be laid over a path and cannot be opened.
fn hidden(path: &Path) -> io::Result<OwnedFd> {
    use rustix::mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
        fsopen,
    };
    let is_folder = fs::metadata(path)?.is_dir();
    let files = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(files.as_fd(), "mode", "0000")?;
    fsconfig_create(files.as_fd())?;
    let tree = fsmount(files.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    if is_folder {
        return Ok(tree);
    }
    drop(rustix::fs::openat(&tree, "file", OFlags::CREATE | OFlags::RDONLY, Mode::empty())?);
    Ok(open_tree(&tree, "file", CLONE)?)
}

/// A `/dev` with harmless devices, shared memory and terminals of its own.
fn arrange_devices(devices: Vec<(&str, OwnedFd)>) -> Result<(), Error> {
    const WHAT: &str = "devices cannot be arranged";
    let inert = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", "/dev", "tmpfs", inert, Some(c"mode=0755")).step(WHAT)?;
    for (path, device) in devices {
        fs::write(path, "").step(WHAT)?;
        attach(&device, Path::new(path)).step(WHAT)?;
    }
    for folder in ["/dev/shm", "/dev/pts"] {
        fs::create_dir(folder).step(WHAT)?;
    }
    mount("tmpfs", "/dev/shm", "tmpfs", inert, Some(c"mode=1777")).step(WHAT)?;
    let terminals = MountFlags::NOSUID | MountFlags::NOEXEC;
    let options = c"newinstance,ptmxmode=0666,mode=0620";
    mount("devpts", "/dev/pts", "devpts", terminals, Some(options)).step(WHAT)?;
    let links = [
        ("/dev/ptmx", "pts/ptmx"),
        ("/dev/fd", "/proc/self/fd"),
        ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
    ];
    for (link, target) in links {
        std::os::unix::fs::symlink(target, link).step(WHAT)?;
    }
    mount_remount("/dev", inert | MountFlags::BIND | MountFlags::RDONLY, c"").step(WHAT)
}

fn attach(tree: impl AsFd, path: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(tree, "", CWD, path, flags | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS)?)
}

const READ_ONLY: u64 = 0x1;
/// Neither devices nor set-user-id programs work.
const INERT: u64 = 0x2 | 0x4;

/// Sets attributes on a mount and all mounts below it.
fn set_attributes(mount: impl AsFd, attributes: u64) -> io::Result<()> {
    /// `struct mount_attr` of the kernel.
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    let attributes = Attributes { set: attributes, clear: 0, propagation: 0, user_namespace: 0 };
    #[expect(unsafe_code, reason = "a system call that rustix does not have")]
    // SAFETY: the descriptor is open, the path is a C string, and the structure has the size that is told.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
