//! The operating system's own hold on the process that runs a script, beneath every check of ours: what a library would do
//! that nobody asked us about is refused by the kernel.
//!
//! Landlock grants by folders and cannot take back what lies beneath one. So the folders above a file of logins are granted entry by
//! entry, all but the file. What is put into such a folder later, next to the file, is not readable until the next start.
//!
//! A script of others is granted what it reads, too, and where it asks no servers, no sockets.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

use crate::error::{Error, Result};
use crate::gate::belongs_to;
use crate::lua::Access;
use crate::{package, work};

/// Whether a script runs where the kernel cannot hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Confine {
    /// It does, and `perilune doctor` says what is missing
    Auto,
    /// It does not
    Require,
    /// It does, always
    Off,
}

/// How far the kernel holds this process.
#[derive(Debug, Clone)]
pub struct Level {
    /// The version of Landlock that the files are held by.
    pub files: Option<i32>,
    /// Programs, and calls that reach other processes, are refused.
    pub calls: bool,
    /// What is not held, in words for the user.
    pub missing: Vec<String>,
}

/// From this version on files can be moved between folders, which writing several files together needs.
const OLDEST: i32 = 2;
const NEWEST: ABI = ABI::V6;
/// From this version on connections are held by their ports.
const PORTS: i32 = 4;

/// Confines the process for good. Has to come before the second thread: those that run already would stay free.
///
/// # Errors
/// With `Confine::Require`, where something is missing; names it.
pub fn confine(access: &Access, wanted: Confine) -> Result<Level> {
    let mut level = Level {
        files: None,
        calls: false,
        missing: Vec::new(),
    };
    if wanted == Confine::Off {
        level.missing.push("everything, by --confine=off".into());
        return Ok(level);
    }
    if threads() != 1 {
        level.missing.push("everything: threads run already".into());
    } else {
        match hold_files(access, &mut level.missing) {
            Ok(version) => level.files = Some(version),
            Err(why) => level.missing.push(format!("files: {why}")),
        }
        if access.is_restricted()
            && let Some(ports) = &access.ports
            && !ports.is_empty()
            && version() < PORTS
        {
            level.missing.push(
                "the ports of servers (Linux 6.7 or later), which perilune's own checks alone keep".into(),
            );
        }
        match hold_calls(access) {
            Ok(()) => level.calls = true,
            Err(why) => level.missing.push(format!("programs: {why}")),
        }
    }
    if wanted == Confine::Require && !level.missing.is_empty() {
        return Err(Error::message(format!(
            "the script is not run, since --confine=require is given and the system does not hold {}",
            level.missing.join("; nor ")
        )));
    }
    Ok(level)
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

/// The version that the running kernel has; 0 for none.
fn version() -> i32 {
    // SAFETY: with the flag for the version the kernel reads neither pointer nor size.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0usize,
            1u32,
        )
    };
    i32::try_from(answer).unwrap_or(0).max(0)
}

fn hold_files(access: &Access, missing: &mut Vec<String>) -> std::result::Result<i32, String> {
    let version = version();
    if version < OLDEST {
        return Err(match version {
            0 => "this kernel has no Landlock (Linux 5.19 or later, and not switched off)".to_string(),
            _ => format!("this kernel's Landlock is too old (version {version} of {OLDEST})"),
        });
    }
    let words = |e: landlock::RulesetError| e.to_string();
    let writable = writable(access);
    let denied = access.policy().denied_reads.iter();
    let (hidden, open): (Vec<&PathBuf>, Vec<&PathBuf>) = access
        .files_of_logins()
        .chain(denied)
        .filter(|file| file.exists())
        .partition(|file| !writable.iter().any(|folder| file.starts_with(folder)));
    if !open.is_empty() {
        let mut names: Vec<String> = open.iter().map(|file| file.display().to_string()).collect();
        names.sort();
        names.dedup();
        missing.push(format!(
            "logins below a folder that scripts write in ({}), which perilune's own checks alone keep: start it in a folder without them",
            names.join(", ")
        ));
    }
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|r| match access.is_restricted() {
            // What listens at a name without a file: desktops, containers.
            true => r.scope(Scope::Signal | Scope::AbstractUnixSocket),
            false => r.scope(Scope::Signal),
        })
        .map_err(words)?;
    if access.ports.is_some() {
        ruleset = ruleset
            .handle_access(AccessNet::from_all(NEWEST))
            .map_err(words)?;
    }
    let read = AccessFs::from_read(NEWEST) & !AccessFs::Execute;
    let mut rules = Rules(ruleset.create().map_err(words)?);
    for port in access.ports.iter().flatten() {
        let rule = NetPort::new(*port, AccessNet::ConnectTcp);
        (&mut rules.0).add_rule(rule).map(drop).map_err(words)?;
    }
    match &access.policy().reads {
        None => {
            // Names may be listed everywhere: that is how the folders above are found.
            rules.grant(Path::new("/"), AccessFs::ReadDir.into())?;
            for path in readable(Path::new("/"), &hidden) {
                rules.grant(&path, read)?;
            }
            rules.grant(Path::new("/dev"), read | AccessFs::WriteFile | AccessFs::IoctlDev)?;
        }
        Some(reads) => {
            let files = reads.files.iter().flat_map(|file| with_siblings(file));
            for place in reads.folders.iter().cloned().chain(files) {
                for path in readable(&place, &hidden) {
                    rules.grant(&path, read)?;
                }
            }
            for path in OF_SYSTEM {
                rules.grant(Path::new(path), read)?;
            }
            for path in devices() {
                rules.grant(&path, read | AccessFs::WriteFile | AccessFs::IoctlDev)?;
            }
        }
    }
    for path in OF_PROCESS {
        rules.grant(Path::new(path), read)?;
    }
    for folder in &writable {
        rules.grant(folder, AccessFs::from_all(NEWEST) & !AccessFs::Execute)?;
    }
    // The process's own folder there goes at its end.
    rules.grant(&std::env::temp_dir(), AccessFs::RemoveDir.into())?;
    let status = rules.0.no_new_privs(true).restrict_self().map_err(words)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("the kernel has refused".into()),
        _ => Ok(version),
    }
}

struct Rules(RulesetCreated);

impl Rules {
    /// Grants what makes sense for `path`; one that is not there, or not reachable, is passed over.
    fn grant(&mut self, path: &Path, rights: BitFlags<AccessFs>) -> std::result::Result<(), String> {
        let Ok(opened) = PathFd::new(path) else {
            return Ok(());
        };
        let rights = match path.is_dir() {
            true => rights,
            false => rights & AccessFs::from_file(NEWEST),
        };
        if rights.is_empty() {
            return Ok(());
        }
        let rule = PathBeneath::new(opened.as_fd(), rights);
        // Granted on what is borrowed; the set keeps no descriptor.
        (&mut self.0).add_rule(rule).map(drop).map_err(|e| e.to_string())
    }
}

/// What libraries ask about the machine and themselves. The rest of /proc shows the environment and memory.
const OF_PROCESS: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/filesystems",
    "/proc/sys",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/proc/self/mounts",
    "/proc/self/status",
    "/proc/self/statm",
    "/proc/self/stat",
    "/proc/self/limits",
];

/// What libraries read of the system when scripts read little else: certificates, names of hosts and users, time zones, the machine's devices.
const OF_SYSTEM: &[&str] = &[
    "/sys",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/passwd",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/proj",
    "/etc/OpenCL",
    "/proc/driver/nvidia",
];

/// Devices that hold nothing of anybody's, and GPUs.
fn devices() -> Vec<PathBuf> {
    let usual = ["null", "zero", "full", "random", "urandom", "tty"];
    let usual = usual.iter().map(|name| Path::new("/dev").join(name));
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let gpus = entries.map(|entry| entry.path()).filter(|path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"nvidia"))
    });
    usual.chain(gpus).collect()
}

/// What the system's libraries read for themselves, which is the same for everybody, the libraries for models, and what
/// came with the program.
pub fn system_folders() -> Vec<PathBuf> {
    let named = ["GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "LD_LIBRARY_PATH"];
    let named = named
        .iter()
        .filter_map(std::env::var_os)
        .flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let usual = [
        "/usr/share",
        "/usr/lib",
        "/usr/local/share",
        "/usr/local/lib",
        "/lib",
        "/lib64",
    ];
    // The library in Lua is read from there in debug builds.
    let own = cfg!(debug_assertions).then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib"));
    let home = std::env::home_dir().and_then(|home| home.canonicalize().ok());
    usual
        .iter()
        .map(PathBuf::from)
        .chain(named)
        .chain(own)
        .chain(crate::libraries::folder().ok())
        .chain(package::own().map(|package| package.folder.clone()))
        .filter_map(|folder| folder.canonicalize().ok())
        // No variable opens the home folder.
        .filter(|folder| {
            folder.parent().is_some() && home.as_ref().is_none_or(|home| !home.starts_with(folder))
        })
        .collect()
}

/// A file and those beside it that belong to it.
fn with_siblings(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| belongs_to(file, path) && !path.is_symlink())
        .collect()
}

/// Folders and files that hold everything at and below `start` but /proc, /dev and the `hidden` files.
fn readable(start: &Path, hidden: &[&PathBuf]) -> Vec<PathBuf> {
    let inside = hidden.iter().any(|h| start.starts_with(h));
    if inside || (start != Path::new("/") && !hidden.iter().any(|h| h.starts_with(start))) {
        return match inside {
            true => Vec::new(),
            false => vec![start.to_path_buf()],
        };
    }
    let (mut open, mut above) = (Vec::new(), vec![start.to_path_buf()]);
    while let Some(folder) = above.pop() {
        let next = |path: PathBuf, open: &mut Vec<PathBuf>, above: &mut Vec<PathBuf>| {
            if path == Path::new("/proc") || path == Path::new("/dev") || hidden.iter().any(|h| **h == path) {
                return;
            }
            match hidden.iter().any(|h| h.starts_with(&path)) {
                true => above.push(path),
                false => open.push(path),
            }
        };
        match fs::read_dir(&folder) {
            Ok(entries) => {
                for entry in entries.flatten() {
                    // What a link leads to is granted where it lies.
                    if !entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                        next(entry.path(), &mut open, &mut above);
                    }
                }
            }
            // The names in it are nobody's to know; those on the way to the hidden files are.
            Err(_) => {
                let mut on_the_way: Vec<PathBuf> = hidden
                    .iter()
                    .filter_map(|h| h.strip_prefix(&folder).ok()?.iter().next())
                    .map(|name| folder.join(name))
                    .collect();
                on_the_way.sort();
                on_the_way.dedup();
                for path in on_the_way {
                    next(path, &mut open, &mut above);
                }
            }
        }
    }
    open
}

/// The folders that the script and the program itself write in, those of single files among them. Of one that is not there yet, the nearest
/// above that is; for a script of others, which must not write in more than was granted, it is made first.
fn writable(access: &Access) -> Vec<PathBuf> {
    let restricted = access.is_restricted();
    let history = super::repl::history_path().and_then(|file| file.parent().map(Path::to_path_buf));
    let own = history.filter(|folder| folder.exists() && !restricted);
    let writes = &access.policy().writes;
    let of_files = writes
        .files
        .iter()
        .filter_map(|file| file.parent().map(Path::to_path_buf));
    let mut folders: Vec<PathBuf> = writes
        .folders
        .iter()
        .cloned()
        .chain(of_files)
        .chain(own)
        .collect();
    for folder in &mut folders {
        let asked = folder.clone();
        if restricted && work::rehearsal().is_none() && access.aside().is_none() {
            // One that cannot be made is not written in.
            let _ = fs::create_dir_all(&asked);
        }
        while !restricted && !folder.exists() && folder.pop() {}
        match folder.canonicalize() {
            // All of the disk only where it was asked for.
            Ok(real) if real.parent().is_some() || asked == real => *folder = real,
            _ => folder.clear(),
        }
    }
    folders.retain(|folder| folder.has_root());
    folders.sort();
    folders.dedup();
    folders
}

/// Calls that start programs, look into other processes, or load code into the kernel.
const REFUSED: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_open_by_handle_at,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_acct,
];

fn hold_calls(access: &Access) -> std::result::Result<(), String> {
    let words = |e: seccompiler::BackendError| e.to_string();
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    // Sockets for other things than the network of this machine.
    let kinds = [libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG, libc::AF_BLUETOOTH];
    let kinds = kinds.map(|kind| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, kind as u64)
            .and_then(|is| SeccompRule::new(vec![is]))
            .map_err(words)
    });
    // None at all, where no server is asked.
    let without = access.ports.as_ref().is_some_and(Vec::is_empty);
    rules.insert(
        libc::SYS_socket,
        match without {
            true => Vec::new(),
            false => kinds.into_iter().collect::<std::result::Result<_, _>>()?,
        },
    );
    refuse(rules)
}

/// Has a process of ours that only reads files be without sockets, those it has apart: servers are the program's own.
pub fn without_sockets() {
    // One that keeps them is held as the program is.
    let _ = refuse(BTreeMap::from([(libc::SYS_socket, Vec::new())]));
}

fn refuse(rules: BTreeMap<i64, Vec<SeccompRule>>) -> std::result::Result<(), String> {
    let words = |e: seccompiler::BackendError| e.to_string();
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let machine = std::env::consts::ARCH.try_into().map_err(words)?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, machine).map_err(words)?;
    let program: BpfProgram = filter.try_into().map_err(words)?;
    seccompiler::apply_filter(&program).map_err(|e| e.to_string())
}
