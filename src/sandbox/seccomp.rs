//! The system calls that a confined command may not make, whatever else confines it.
//!
//! Mounts, namespaces, other processes' memory, and `io_uring`, which would let calls pass by this filter. Without
//! network also sockets that lead anywhere but to the other end of a pair: a Unix socket in the file system may belong
//! to a service that does for the command what the command may not do.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use super::Network;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("this processor is not known")]
    Processor,
    #[error("the filter cannot be built")]
    Build(#[from] seccompiler::BackendError),
    #[error("the kernel refuses the filter")]
    Install(#[from] seccompiler::Error),
}

const ALWAYS: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_fsconfig,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
];

const WITHOUT_NETWORK: &[libc::c_long] =
    &[libc::SYS_connect, libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4];

/// What changes a file without writing to it, which Landlock lets pass everywhere.
const ATTRIBUTES: &[libc::c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// The same under the names that only old processors have.
#[cfg(target_arch = "x86_64")]
const OLD_ATTRIBUTES: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_ATTRIBUTES: &[libc::c_long] = &[];

/// Flags of `clone` that make a namespace.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Puts this process, and all that it starts, under the filter for good.
pub(super) fn install(network: Network) -> Result<(), Error> {
    let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    let clone = NAMESPACES.iter().map(|flag| {
        let flag = u64::from(flag.cast_unsigned());
        rule([condition(0, Op::MaskedEq(flag), flag)?])
    });
    rules.insert(libc::SYS_clone, clone.collect::<Result<_, _>>()?);
    if network == Network::Closed {
        rules.extend(WITHOUT_NETWORK.iter().map(|call| (*call, Vec::new())));
        rules.insert(libc::SYS_socket, only_connected_unix_sockets()?);
        rules.insert(libc::SYS_socketpair, only_connected_unix_sockets()?);
    }
    apply(rules, libc::EPERM)?;
    // Its flags lie in memory, where a filter cannot see them; told that there is no such call, libraries use `clone`.
    apply(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

/// Keeps what a file is like from being changed, wherever it is.
pub(super) fn freeze_attributes() -> Result<(), Error> {
    let calls = ATTRIBUTES.iter().chain(OLD_ATTRIBUTES);
    apply(calls.map(|call| (*call, Vec::new())).collect(), libc::EPERM)
}

/// Matches every socket but those of Unix that know one other end: the others can send to any path.
fn only_connected_unix_sockets() -> Result<Vec<SeccompRule>, Error> {
    const TYPE: u64 = 0xf;
    let unix = u64::from(libc::AF_UNIX.cast_unsigned());
    let datagram = u64::from(libc::SOCK_DGRAM.cast_unsigned());
    let raw = u64::from(libc::SOCK_RAW.cast_unsigned());
    Ok(vec![
        rule([condition(0, Op::Ne, unix)?])?,
        rule([condition(1, Op::MaskedEq(TYPE), datagram)?])?,
        rule([condition(1, Op::MaskedEq(TYPE), raw)?])?,
    ])
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(conditions.into())?)
}

fn condition(argument: u8, op: Op, value: u64) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, Length::Dword, op, value)?)
}

/// Has the calls that match answered with an error.
fn apply(mut rules: Rules, error: libc::c_int) -> Result<(), Error> {
    let arch = TargetArch::try_from(ARCH).map_err(|_| Error::Processor)?;
    if arch == TargetArch::x86_64 {
        // The same calls under their second numbers, for programs with short pointers.
        const X32: i64 = 0x4000_0000;
        let twins: Rules = rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
        rules.extend(twins);
    }
    let error = SeccompAction::Errno(error.cast_unsigned());
    let program: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, error, arch)?.try_into()?;
    Ok(apply_filter(&program)?)
}
