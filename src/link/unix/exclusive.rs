//! Exclusive use of a port.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt;

#[cfg(target_os = "linux")]
use super::linux;
#[cfg(target_os = "linux")]
use super::lock_file::{self, LockFile};
#[cfg(target_os = "linux")]
use super::processes::{self, Process};
use super::system_calls;

/// An open port that no other process can open or lock.
///
/// TIOCEXCL keeps out every process but root's. flock(2) keeps out those that ask for the lock, as pyserial and this driver
/// do. Together they keep most others out.
pub(super) struct Claim {
    file: File,
    is_pseudo_terminal: bool,
    #[cfg(target_os = "linux")]
    _lock_file: Option<LockFile>,
}

impl Claim {
    /// Claims an open port.
    ///
    /// # Errors
    ///
    /// EBUSY if another process uses the port, with the file, whose settings were not changed. Other errors of the system.
    pub(super) fn take(file: File, path: &str) -> Result<Self, (File, io::Error)> {
        let is_pseudo_terminal = is_pseudo_terminal(&file, path);
        match claim(&file, path, is_pseudo_terminal) {
            Ok(()) => Ok(Self {
                file,
                is_pseudo_terminal,
                // Without the right to write one, the port is not marked for other users' programs.
                #[cfg(target_os = "linux")]
                _lock_file: if is_pseudo_terminal {
                    None
                } else {
                    fs::canonicalize(path).and_then(|device| LockFile::write(&device)).ok()
                },
            }),
            Err(error) => Err((file, error)),
        }
    }

    pub(super) fn is_pseudo_terminal(&self) -> bool {
        self.is_pseudo_terminal
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_pseudo_terminal {
            // A claim outlives the close if another program has the port open too.
            let _ = system_calls::unclaim(self.descriptor());
        }
        // Closing is not enough: a forked child has a copy of the descriptor, and with it of the lock.
        let _ = system_calls::unlock(self.descriptor());
    }
}

fn claim(file: &File, path: &str, is_pseudo_terminal: bool) -> io::Result<()> {
    let is_locked = match system_calls::lock(file.as_fd()) {
        Ok(()) => false,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
        Err(error) => return Err(error),
    };
    let is_used = is_locked || (!is_pseudo_terminal && is_claimed(file));
    if is_used && !is_of_dead_process(file, path, is_locked) {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    // A claim on a pseudo-terminal outlives a killed process and locks out all users but root.
    if is_pseudo_terminal { Ok(()) } else { system_calls::claim(file.as_fd()) }
}

/// Only root gets this far on a claimed port: for others opening fails. An old kernel cannot say if a port is claimed.
#[cfg(target_os = "linux")]
fn is_claimed(file: &File) -> bool {
    linux::is_claimed(file.as_fd()).unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn is_claimed(_file: &File) -> bool {
    false
}

/// Returns true if lock and claim were made by a process that has ended, though another one keeps the port open: a forked
/// child keeps the lock too, a program that had opened the port before keeps the claim alone.
///
/// The kernel does not say which process made a claim, but the lock file does.
#[cfg(target_os = "linux")]
fn is_of_dead_process(file: &File, path: &str, is_locked: bool) -> bool {
    let (Ok(attributes), Ok(device)) = (file.metadata(), fs::canonicalize(path)) else { return false };
    let Some(mark) = lock_file::mark_on(&device).filter(|mark| !processes::is_alive(mark.process)) else {
        return false;
    };
    if is_locked {
        return processes::taker_of_lock(&attributes) == Some(mark.process);
    }
    // A program that came later may have made a claim of its own.
    let mut users = processes::users_of(attributes.rdev(), 1).into_iter();
    users.all(|user| processes::started_before(user.id(), mark.time))
}

#[cfg(not(target_os = "linux"))]
fn is_of_dead_process(_file: &File, _path: &str, _is_locked: bool) -> bool {
    false
}

/// Returns true for the slave side of a pseudo-terminal.
#[cfg(target_os = "linux")]
fn is_pseudo_terminal(file: &File, _path: &str) -> bool {
    const FIRST_MAJOR: u32 = 136;
    const LAST_MAJOR: u32 = 143;
    let major = |file: fs::Metadata| libc::major(file.rdev());
    file.metadata().is_ok_and(|file| (FIRST_MAJOR..=LAST_MAJOR).contains(&major(file)))
}

/// Pseudo-terminals are `/dev/ttys000` and so on, on macOS; serial ports have names with a dot.
#[cfg(not(target_os = "linux"))]
fn is_pseudo_terminal(_file: &File, path: &str) -> bool {
    let Ok(path) = fs::canonicalize(path) else { return false };
    let name = path.to_string_lossy();
    ["/dev/ttys", "/dev/ttyp", "/dev/pts/"].iter().any(|prefix| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// Returns the process that has the port open, if this user can see it. `own` is the number of descriptors that the caller
/// itself has on it.
#[cfg(target_os = "linux")]
pub(super) fn user_of(path: &str, own: usize) -> Option<String> {
    let device = fs::canonicalize(path).ok()?;
    let attributes = fs::metadata(&device).ok()?;
    // The lock file and the kernel's list of locks name processes of other users too.
    let marked = lock_file::mark_on(&device).map(|mark| mark.process);
    let locker = || processes::taker_of_lock(&attributes);
    let named = marked.filter(|id| processes::is_alive(*id)).or_else(locker);
    let user = match named.filter(|id| processes::is_alive(*id)) {
        Some(id) => Process::of(id),
        None => processes::users_of(attributes.rdev(), own).into_iter().next()?,
    };
    Some(user.to_string())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn user_of(_path: &str, _own: usize) -> Option<String> {
    None
}
