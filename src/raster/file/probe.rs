//! Files of HDF5, netCDF and HDF4 are opened in a process of their own first: their libraries crash, or never come back, on some that
//! are damaged, which must cost the file and not the program.
//!
//! That process is forked at the start, while there is one thread: a fork later would copy locks that other threads hold. It holds nothing
//! and waits; each file is tried in a fork of it. An answer is kept for as long as the file stays the same.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

use super::{arrays, initialise, quieten_hdf5};
use crate::error::{Error, Result};
use crate::{gate, interrupt, settings};

/// How a file is going to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    Image = 0,
    Arrays = 1,
    Features = 2,
}

/// Seconds of computing that listing what a file holds may take.
const SECONDS: u64 = 20;
/// Names are not longer than this.
const LONGEST: usize = 64 << 10;

struct Prober {
    channel: OwnedFd,
    asked: u64,
}

static PROBER: OnceLock<Mutex<Prober>> = OnceLock::new();

/// Starts the process that tries files. Does nothing where threads run already; files are opened untried then.
///
/// # Errors
/// When the system has no more processes or descriptors.
pub fn start() -> io::Result<()> {
    if fs::read_dir("/proc/self/task").map_or(1, Iterator::count) != 1 || PROBER.get().is_some() {
        return Ok(());
    }
    let (here, there) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // SAFETY: one thread runs, so the child finds no lock held.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => serve(&there),
        _ => {}
    }
    let _ = PROBER.set(Mutex::new(Prober {
        channel: here,
        asked: 0,
    }));
    Ok(())
}

/// Tries `name`, a file or a name of GDAL's with a file in it, unless it was tried before.
///
/// # Errors
/// When its library crashes on it or does not come back.
pub fn try_out(name: &str, wanted: Use) -> Result<()> {
    if PROBER.get().is_none() {
        return Ok(());
    }
    let path = super::truncated::container_of(name);
    // What cannot be opened is said better by whoever opens it next.
    match gate::open(Path::new(path))
        .ok()
        .and_then(|file| Identity::of(&file))
    {
        Some(identity) => outcome(identity, Some(wanted), name),
        None => Ok(()),
    }
}

/// The same for a file that GDAL opens by itself, as the source of a virtual one, where nobody has tried it by another name.
///
/// # Errors
/// As `try_out`.
pub fn try_out_nested(file: &File, path: &Path) -> Result<()> {
    if PROBER.get().is_none() {
        return Ok(());
    }
    match (Identity::of(file), path.to_str()) {
        (Some(identity), Some(name)) => outcome(identity, None, name),
        _ => Ok(()),
    }
}

/// A file as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    number: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Identity {
    /// None for other formats, whose readers are tested against damage.
    fn of(file: &File) -> Option<Identity> {
        let mut head = [0; 15];
        let filled = file.read_at(&mut head, 0).ok()?;
        let head = &head[..filled];
        const SIGNATURES: [&[u8]; 4] = [
            b"\x89HDF\r\n\x1a\n",
            b"CDF",
            b"\x0e\x03\x13\x01",
            b"<HDF_UserBlock>",
        ];
        if !SIGNATURES.iter().any(|signature| head.starts_with(signature)) {
            return None;
        }
        let data = file.metadata().ok()?;
        Some(Identity {
            device: data.dev(),
            number: data.ino(),
            bytes: data.len(),
            changed: (data.mtime(), data.mtime_nsec()),
        })
    }
}

/// What was found of the names in each file.
type Known = HashMap<Identity, HashMap<(Use, String), std::result::Result<(), String>>>;
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Without a use, any earlier answer will do.
fn outcome(identity: Identity, wanted: Option<Use>, name: &str) -> Result<()> {
    let file = super::truncated::container_of(name);
    let key = (wanted.unwrap_or(Use::Image), name.to_string());
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let tried = known.as_ref().and_then(|known| known.get(&identity));
    let earlier = tried.and_then(|names| match wanted {
        Some(_) => names.get(&key),
        None => names.values().min_by_key(|answer| answer.is_err()),
    });
    let earlier = earlier.cloned();
    drop(known);
    let answer = match earlier {
        Some(answer) => answer,
        None => {
            let answer = ask(&key)?;
            let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            let names = known.get_or_insert_default().entry(identity).or_default();
            names.insert(key, answer.clone());
            answer
        }
    };
    answer.map_err(|why| {
        Error::file(
            file,
            format!(
                "is damaged: the library that reads it {why}. It was tried in a process of its own, and nothing else is lost; get the \
                 file again, or look at it with h5dump or ncdump"
            ),
        )
    })
}

/// Has it tried. The inner error says what became of that process.
fn ask((wanted, name): &(Use, String)) -> Result<std::result::Result<(), String>> {
    let Some(prober) = PROBER.get() else {
        return Ok(Ok(()));
    };
    let mut prober = prober.lock().unwrap_or_else(PoisonError::into_inner);
    prober.asked += 1;
    let asked = prober.asked.to_le_bytes();
    let message = [&asked[..], &[*wanted as u8], name.as_bytes()].concat();
    if message.len() > LONGEST || send(&prober.channel, &message, SendFlags::NOSIGNAL).is_err() {
        // The system has ended it, or the name is none: opened untried.
        return Ok(Ok(()));
    }
    let mut answer = [0; 12];
    loop {
        interrupt::check()?;
        if !ready(&[&prober.channel], 50).is_ok_and(|ready| ready[0]) {
            continue;
        }
        match recv(&prober.channel, &mut answer, RecvFlags::empty()) {
            Ok((12, _)) if answer[..8] == asked => {
                let status = i32::from_le_bytes([answer[8], answer[9], answer[10], answer[11]]);
                return Ok(meaning(status));
            }
            // Of a question that was given up.
            Ok((12, _)) => {}
            Ok(_) => return Ok(Ok(())),
            Err(e) if e == rustix::io::Errno::INTR => {}
            Err(_) => return Ok(Ok(())),
        }
    }
}

fn meaning(status: i32) -> std::result::Result<(), String> {
    if !libc::WIFSIGNALED(status) {
        return Ok(());
    }
    Err(match libc::WTERMSIG(status) {
        libc::SIGXCPU | libc::SIGKILL => {
            format!("does not come back from it within {SECONDS} s of computing")
        }
        libc::SIGABRT => "gives up on it (SIGABRT), as when its memory is corrupted".to_string(),
        libc::SIGSEGV => "crashes on it (SIGSEGV)".to_string(),
        libc::SIGBUS => "crashes on it (SIGBUS)".to_string(),
        libc::SIGFPE => "crashes on it (SIGFPE)".to_string(),
        other => format!("crashes on it (signal {other})"),
    })
}

/// Which of the descriptors have something to read, after at most that many milliseconds.
fn ready(descriptors: &[&OwnedFd], milliseconds: i64) -> io::Result<Vec<bool>> {
    let mut polled: Vec<PollFd<'_>> = descriptors
        .iter()
        .map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN))
        .collect();
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: milliseconds * 1_000_000,
    };
    match poll(&mut polled, (milliseconds >= 0).then_some(&wait)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect())
}

/// The process that waits. Ends with the program.
fn serve(channel: &OwnedFd) -> ! {
    become_a_helper();
    // The program's descriptors are not kept open here: who reads its output waits for the last of them.
    // SAFETY: /dev/null takes the place of the three standard ones, and nothing here holds one of the others but `channel`.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in 0..=2 {
            libc::dup2(null, standard);
        }
        let own = channel.as_raw_fd() as u32;
        libc::syscall(libc::SYS_close_range, 3u32, own - 1, 0u32);
        libc::syscall(libc::SYS_close_range, own + 1, u32::MAX, 0u32);
        // Ctrl-C goes to all processes of the terminal; the program decides.
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        libc::signal(libc::SIGQUIT, libc::SIG_IGN);
    }
    let mut message = vec![0; LONGEST];
    while let Ok((length @ 9.., _)) = recv(channel, &mut message[..], RecvFlags::empty()) {
        let (asked, what) = message[..length].split_at(8);
        let wanted = match what[0] {
            1 => Use::Arrays,
            2 => Use::Features,
            _ => Use::Image,
        };
        let Ok(name) = std::str::from_utf8(&what[1..]) else {
            break;
        };
        initialise();
        quieten_hdf5();
        // SAFETY: one thread runs in this process too: GDAL starts none by being set up.
        let child = unsafe { libc::fork() };
        if child == 0 {
            become_a_helper();
            limit();
            describe(name, wanted);
            // SAFETY: ends the process without what the program does at its own end.
            unsafe { libc::_exit(0) };
        }
        let status = match child {
            -1 => 0,
            child => wait_for(child, channel),
        };
        let answer = [asked, &status.to_le_bytes()].concat();
        if send(channel, &answer, SendFlags::NOSIGNAL).is_err() {
            break;
        }
    }
    // SAFETY: as above.
    unsafe { libc::_exit(0) }
}

/// Ends with the process that started this one, whatever ends that.
fn become_a_helper() {
    // SAFETY: takes plain numbers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// How the process ended. One whose answer nobody waits for any more is ended.
fn wait_for(child: libc::pid_t, channel: &OwnedFd) -> i32 {
    // SAFETY: a process of our own that has not been waited for; the descriptor is new and owned from here on.
    let handle = unsafe {
        let opened = libc::syscall(libc::SYS_pidfd_open, child, 0u32);
        (opened >= 0).then(|| OwnedFd::from_raw_fd(opened as i32))
    };
    if let Some(handle) = &handle
        && let Ok(ready) = ready(&[handle, channel], -1)
        && !ready[0]
    {
        // SAFETY: as above.
        unsafe { libc::kill(child, libc::SIGKILL) };
    }
    let mut status = 0;
    // SAFETY: as above; `status` outlives the call.
    while unsafe { libc::waitpid(child, &mut status, 0) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    status
}

/// Bounds what a damaged file can take: time, memory, and no picture of the memory on the disk.
fn limit() {
    let set = |resource, most: u64| {
        let limits = libc::rlimit {
            rlim_cur: most,
            rlim_max: most + 1,
        };
        // SAFETY: `limits` outlives the call.
        unsafe { libc::setrlimit(resource, &limits) };
    };
    set(libc::RLIMIT_CORE, 0);
    set(libc::RLIMIT_CPU, SECONDS);
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let taken = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    if let Some(pages) = taken {
        set(
            libc::RLIMIT_AS,
            (pages << 12).saturating_add(settings::memory() as u64),
        );
    }
    // SAFETY: the dispositions of a process without handlers: those of the program ask it to stop.
    unsafe {
        for signal in [
            libc::SIGINT,
            libc::SIGTERM,
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGABRT,
        ] {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

/// Asks GDAL for what the program is going to ask.
fn describe(name: &str, wanted: Use) {
    let kind = match wanted {
        Use::Image => GdalOpenFlags::GDAL_OF_RASTER,
        Use::Arrays => GdalOpenFlags::GDAL_OF_MULTIDIM_RASTER,
        Use::Features => GdalOpenFlags::GDAL_OF_VECTOR,
    };
    let options = DatasetOptions {
        open_flags: kind | GdalOpenFlags::GDAL_OF_READONLY,
        ..Default::default()
    };
    let Ok(dataset) = Dataset::open_ex(name, options) else {
        return;
    };
    match wanted {
        Use::Image => describe_image(&dataset),
        Use::Arrays => {
            if let Ok(root) = dataset.root_group() {
                arrays::list_group(&root, "", &mut Vec::new());
            }
        }
        // Their fields were read with the opening.
        Use::Features => {}
    }
}

fn describe_image(dataset: &Dataset) {
    let (_, _) = (dataset.geo_transform(), dataset.projection());
    for domain in dataset.metadata_domains() {
        let _ = dataset.metadata_domain(&domain);
    }
    for index in 1..=dataset.raster_count() {
        let Ok(band) = dataset.rasterband(index) else {
            return;
        };
        let (_, _) = (band.metadata_domain(""), band.description());
        let (_, _, _) = (band.no_data_value(), band.scale(), band.offset());
    }
}
