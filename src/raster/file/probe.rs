//! Files of HDF5, netCDF and HDF4 are opened in a process of their own first: their libraries crash, or never come back, on some that
//! are damaged, which must cost the file and not the program.
//!
//! That process is forked at the start, while there is one thread: a fork later would copy locks that other threads hold. It holds nothing
//! and waits; a fork of it, the worker, tries the files until one ends it. An answer is kept for as long as the file stays the same.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

use super::{arrays, initialise, quieten_hdf5};
use crate::error::{Error, Result};
use crate::{gate, interrupt, work};

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
/// Files that one process tries: what they leave behind in it adds up.
const MOST_TRIED: usize = 500;

struct Prober {
    channel: OwnedFd,
    asked: u64,
}

static PROBER: OnceLock<Mutex<Prober>> = OnceLock::new();

/// Starts the process that tries files, which calls `hold` first. Does nothing where threads run already; files are opened untried then.
///
/// # Errors
/// When the system has no more processes or descriptors.
pub fn start(hold: impl FnOnce()) -> io::Result<()> {
    if fs::read_dir("/proc/self/task").map_or(1, Iterator::count) != 1 || PROBER.get().is_some() {
        return Ok(());
    }
    let (here, there) = pair()?;
    // SAFETY: one thread runs, so the child finds no lock held.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {
            hold();
            serve(&there)
        }
        _ => {}
    }
    let _ = PROBER.set(Mutex::new(Prober {
        channel: here,
        asked: 0,
    }));
    Ok(())
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
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
        _ => families_of(file, path)
            .iter()
            .try_for_each(|name| try_out(name, Use::Image)),
    }
}

/// What a virtual raster names that GDAL would have HDF5 open past our file system.
///
/// Where a path holds a single `0`, or ends in `0.h5` or `0.hdf5`, GDAL takes it for the first of a family of files, and opens it by a
/// driver of HDF5's own before it tries ours (`GDAL_HDF5Open`).
fn families_of(file: &File, path: &Path) -> Vec<String> {
    const LONGEST_TEXT: usize = 8 << 20;
    let start = |bytes: usize| {
        let mut text = vec![0; bytes];
        let filled = file.read_at(&mut text, 0).unwrap_or(0);
        String::from_utf8_lossy(&text[..filled]).into_owned()
    };
    if !start(64).trim_start().starts_with("<VRTDataset") {
        return Vec::new();
    }
    let text = start(LONGEST_TEXT);
    let names = text.split("<SourceFilename").skip(1).filter_map(|part| {
        let name = part.split_once('>')?.1.split('<').next()?.trim();
        Some(name.replace("&quot;", "\"").replace("&amp;", "&"))
    });
    names
        .filter_map(|name| {
            let container = super::truncated::container_of(&name);
            let first = container.matches('0').count() == 1
                || container.ends_with("0.h5")
                || container.ends_with("0.hdf5");
            let from_here = path.parent().unwrap_or(Path::new("")).join(container);
            (first && container != name).then(|| name.replace(container, &from_here.to_string_lossy()))
        })
        .collect()
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
        libc::SIGPROF | libc::SIGKILL => {
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
    let mut worker = None;
    let mut message = vec![0; LONGEST];
    while let Ok((length @ 9.., _)) = recv(channel, &mut message[..], RecvFlags::empty()) {
        let (asked, question) = message[..length].split_at(8);
        initialise();
        quieten_hdf5();
        let status = status_of(&mut worker, question, channel);
        let answer = [asked, &status.to_le_bytes()].concat();
        if send(channel, &answer, SendFlags::NOSIGNAL).is_err() {
            break;
        }
    }
    // SAFETY: ends the process without what the program does at its own end.
    unsafe { libc::_exit(0) }
}

/// How a process ended that tried a file; 0 where it goes on, and where nobody waits for the answer any more.
fn status_of(worker: &mut Option<Worker>, question: &[u8], program: &OwnedFd) -> i32 {
    loop {
        let is_new = worker.is_none();
        // Without processes files are opened untried.
        let Some(mut used) = worker.take().or_else(|| Worker::start().ok()) else {
            return 0;
        };
        match used.tries(question, program) {
            Trial::Over => {
                used.tried += 1;
                match used.tried < MOST_TRIED {
                    true => *worker = Some(used),
                    false => _ = used.ended(true),
                }
                return 0;
            }
            Trial::GivenUp => {
                used.ended(true);
                return 0;
            }
            // What an earlier file has done to a worker proves nothing against this one.
            Trial::Ended => {
                let status = used.ended(false);
                if is_new {
                    return status;
                }
            }
        }
    }
}

/// A process that tries files one after the other.
struct Worker {
    process: libc::pid_t,
    channel: OwnedFd,
    tried: usize,
}

enum Trial {
    Over,
    Ended,
    GivenUp,
}

impl Worker {
    fn start() -> io::Result<Worker> {
        let (here, there) = pair()?;
        // SAFETY: one thread runs in this process: GDAL starts none by being set up.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(here);
                work(&there)
            }
            process => Ok(Worker {
                process,
                channel: here,
                tried: 0,
            }),
        }
    }

    fn tries(&mut self, question: &[u8], program: &OwnedFd) -> Trial {
        if send(&self.channel, question, SendFlags::NOSIGNAL).is_err() {
            return Trial::Ended;
        }
        loop {
            let Ok(ready) = ready(&[&self.channel, program], -1) else {
                return Trial::GivenUp;
            };
            if ready[0] {
                return match recv(&self.channel, &mut [0; 1], RecvFlags::empty()) {
                    Ok((1, _)) => Trial::Over,
                    _ => Trial::Ended,
                };
            }
            // Another question, or the end of the program.
            if ready[1] {
                return Trial::GivenUp;
            }
        }
    }

    /// How it ended, or was ended.
    fn ended(self, kill: bool) -> i32 {
        let mut status = 0;
        // SAFETY: a process of our own that has not been waited for; `status` outlives the calls.
        unsafe {
            if kill {
                libc::kill(self.process, libc::SIGKILL);
            }
            while libc::waitpid(self.process, &mut status, 0) < 0
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
        }
        status
    }
}

fn work(channel: &OwnedFd) -> ! {
    become_a_helper();
    limit();
    let mut question = vec![0; LONGEST];
    while let Ok((length @ 1.., _)) = recv(channel, &mut question[..], RecvFlags::empty()) {
        let wanted = match question[0] {
            1 => Use::Arrays,
            2 => Use::Features,
            _ => Use::Image,
        };
        let Ok(name) = std::str::from_utf8(&question[1..length]) else {
            break;
        };
        ring_after(SECONDS);
        describe(name, wanted);
        ring_after(0);
        if send(channel, &[1], SendFlags::NOSIGNAL).is_err() {
            break;
        }
    }
    // SAFETY: as above.
    unsafe { libc::_exit(0) }
}

/// Ends this process after that many seconds of computing; 0 takes it back.
fn ring_after(seconds: u64) {
    let none = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let timer = libc::itimerval {
        it_interval: none,
        it_value: libc::timeval {
            tv_sec: seconds as libc::time_t,
            tv_usec: 0,
        },
    };
    // SAFETY: `timer` outlives the call, which writes no answer.
    unsafe { libc::setitimer(libc::ITIMER_PROF, &timer, std::ptr::null_mut()) };
}

/// Ends with the process that started this one, whatever ends that.
fn become_a_helper() {
    // SAFETY: takes plain numbers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Bounds what damaged files can take: memory, and no picture of it on the disk.
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
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let taken = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    if let Some(pages) = taken {
        set(
            libc::RLIMIT_AS,
            (pages << 12).saturating_add(work::memory() as u64),
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
            libc::SIGPROF,
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
                let _ = arrays::list_group(name, &root, "", 0, &mut Vec::new());
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
