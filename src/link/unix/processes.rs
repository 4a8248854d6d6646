//! The processes that have a device open, read from /proc.

use std::fmt;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    id: u32,
    name: String,
}

impl Process {
    pub(super) fn of(id: u32) -> Self {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        Self { id, name: name.trim_end().to_owned() }
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }
}

impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { id, .. } if *id == std::process::id() => {
                formatter.write_str("this process, perhaps by an earlier SimcomMqtt")
            }
            Self { id, name } if name.is_empty() => write!(formatter, "process {id}"),
            Self { id, name } => write!(formatter, "{name} (process {id})"),
        }
    }
}

/// Returns the processes that have this character device open, by device number, without the `own` descriptors that the
/// caller has on it. Without root's rights the processes of other users are missing.
pub(super) fn users_of(device: u64, own: usize) -> Vec<Process> {
    let Ok(folders) = fs::read_dir("/proc") else { return Vec::new() };
    folders
        .filter_map(|folder| folder.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id| count_open(*id, device) > if *id == std::process::id() { own } else { 0 })
        .map(Process::of)
        .collect()
}

/// Returns the id of the process that took an flock(2) on this file, even if a child holds the lock now.
pub(super) fn taker_of_lock(file: &fs::Metadata) -> Option<u32> {
    taker_in(&fs::read_to_string("/proc/locks").ok()?, file.ino())
}

/// A line is `1: FLOCK  ADVISORY  WRITE 1234 00:06:567 0 EOF`, where 567 is the inode. The file system's number before it is
/// not compared: the kernel and stat(2) write it in different ways.
fn taker_in(locks: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    locks.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, id, file, ..] = words[..] else { return None };
        (file.rsplit(':').next() == Some(inode.as_str())).then(|| id.parse().ok())?
    })
}

pub(super) fn is_alive(id: u32) -> bool {
    Path::new("/proc").join(id.to_string()).exists()
}

/// Returns true if the process runs since before `time`, as far as a second's grain tells.
pub(super) fn started_before(id: u32, time: SystemTime) -> bool {
    start_of(id).is_some_and(|start| start <= time)
}

fn start_of(id: u32) -> Option<SystemTime> {
    let statistics = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may contain spaces. Field 22 is the start in 1/100 s since boot.
    let (_, fields) = statistics.rsplit_once(") ")?;
    let ticks: u64 = fields.split(' ').nth(19)?.parse().ok()?;
    let kernel = fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = kernel.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(boot) + Duration::from_millis(ticks * 10))
}

fn count_open(id: u32, device: u64) -> usize {
    let Ok(files) = fs::read_dir(format!("/proc/{id}/fd")) else { return 0 };
    files.filter_map(Result::ok).filter(|file| is_device(&file.path(), device)).count()
}

/// Asks only for files below /dev: asking for a file on a network may take long.
fn is_device(descriptor: &Path, device: u64) -> bool {
    fs::read_link(descriptor).is_ok_and(|target| target.starts_with("/dev"))
        && fs::metadata(descriptor)
            .is_ok_and(|file| file.file_type().is_char_device() && file.rdev() == device)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn process_with_the_device_open_is_found_and_named() {
        let device = fs::metadata("/dev/full").unwrap().rdev();
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::from(full)).spawn().unwrap();
        let users = users_of(device, 0);
        let found = users.iter().find(|user| user.id == child.id()).cloned();
        child.kill().unwrap();
        child.wait().unwrap();
        // Between fork and exec the child has the name of this process.
        let shown = found.expect("the child has it open").to_string();
        assert!(shown.ends_with(&format!(" (process {})", child.id())), "{shown}");
        assert!(!is_alive(child.id()));
    }

    #[test]
    fn this_process_is_named_as_such() {
        assert!(Process::of(std::process::id()).to_string().starts_with("this process"));
    }

    #[test]
    fn process_started_before_now_and_after_the_boot() {
        let id = std::process::id();
        assert!(started_before(id, SystemTime::now()));
        assert!(!started_before(id, SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn taker_of_a_lock_is_found_by_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 00:05:7 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 22 00:05:77 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 33 00:05:7 0 EOF\n";
        assert_eq!(taker_in(locks, 7), Some(33));
        assert_eq!(taker_in(locks, 8), None);
    }
}
