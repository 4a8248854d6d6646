//! Lock files of serial ports: `/run/lock/LCK..ttyUSB2` holds the id of the process that uses the port.
//!
//! minicom, picocom, cu and pppd write and read such files. The driver writes one so that other users' programs can name the
//! process that has the port, and so that a claim that outlives a killed process is recognized.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::processes;

const FOLDER: &str = "/run/lock";

/// The lock file of a port that this process uses. Dropping it removes the file.
pub(super) struct LockFile(PathBuf);

/// The contents of a lock file: a process, and the time when it took the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) process: u32,
    pub(super) time: SystemTime,
}

impl LockFile {
    /// Writes the lock file, and replaces the file of a process that has ended. `device` is the port without symbolic links.
    ///
    /// # Errors
    ///
    /// The system's error if this user may not write there; the port can be used all the same.
    pub(super) fn write(device: &Path) -> io::Result<Self> {
        // A small system may not have made the folder.
        let _ = fs::create_dir(FOLDER);
        Self::write_to(path_of(Path::new(FOLDER), device)?)
    }

    fn write_to(path: PathBuf) -> io::Result<Self> {
        if mark_in(&path).is_some_and(|mark| !processes::is_alive(mark.process)) {
            fs::remove_file(&path)?;
        }
        // A new file only: the folder may belong to all users, and a link in it may lead anywhere.
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let lock = Self(path);
        write_mark(&mut file)?;
        Ok(lock)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let is_own = mark_in(&self.0).is_some_and(|mark| mark.process == std::process::id());
        if is_own {
            // Another program may have removed it.
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// Returns the mark on a port, if there is a lock file.
pub(super) fn mark_on(device: &Path) -> Option<Mark> {
    mark_in(&path_of(Path::new(FOLDER), device).ok()?)
}

fn path_of(folder: &Path, device: &Path) -> io::Result<PathBuf> {
    let name = device.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidFilename)?;
    Ok(folder.join(format!("LCK..{name}")))
}

fn write_mark(file: &mut File) -> io::Result<()> {
    writeln!(file, "{:>10}", std::process::id())
}

fn mark_in(path: &Path) -> Option<Mark> {
    let process = fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()?;
    Some(Mark { process, time: fs::symlink_metadata(path).ok()?.modified().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Above the greatest process id of Linux.
    const ENDED: u32 = 5_000_000;

    #[test]
    fn lock_file_names_this_process_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_of(folder.path(), Path::new("/dev/ttyUSB2")).unwrap();
        let lock = LockFile::write_to(path.clone()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("LCK..ttyUSB2")).unwrap().len(), 11);
        assert_eq!(mark_in(&path).unwrap().process, std::process::id());
        drop(lock);
        assert!(!path.exists());
    }

    #[test]
    fn lock_file_of_an_ended_process_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LCK..ttyUSB2");
        fs::write(&path, format!("{ENDED:>10} minicom root\n")).unwrap();
        assert_eq!(mark_in(&path).unwrap().process, ENDED);
        let _lock = LockFile::write_to(path.clone()).unwrap();
        assert_eq!(mark_in(&path).unwrap().process, std::process::id());
    }

    #[test]
    fn lock_file_of_a_running_process_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("LCK..ttyUSB2");
        fs::write(&path, "         1\n").unwrap();
        assert!(LockFile::write_to(path.clone()).is_err());
        assert_eq!(mark_in(&path).unwrap().process, 1);
    }
}
