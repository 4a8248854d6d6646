//! Pseudo-terminals and ports, raw: no echo, no line editing, nothing translated.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::io::{Errno, Result};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// The module's end of a pseudo-terminal. The host's is kept open too, so that nothing is lost before a host comes.
#[derive(Debug)]
pub struct PseudoTerminal {
    pub module_end: OwnedFd,
    pub host_path: String,
    _host_end: OwnedFd,
}

impl PseudoTerminal {
    pub fn open() -> Result<Self> {
        let module_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&module_end)?;
        unlockpt(&module_end)?;
        let name = ptsname(&module_end, Vec::new())?;
        let host_end = open_raw_c(&name)?;
        fcntl_setfl(&module_end, OFlags::NONBLOCK)?;
        let host_path = name.to_str().map_err(|_| Errno::ILSEQ)?.to_owned();
        Ok(Self { module_end, host_path, _host_end: host_end })
    }
}

/// A port as a host opens it; reads block.
pub fn open_raw(path: &Path) -> Result<OwnedFd> {
    let port = open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    make_raw(&port)?;
    Ok(port)
}

fn open_raw_c(path: &CStr) -> Result<OwnedFd> {
    let port = open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    make_raw(&port)?;
    Ok(port)
}

fn make_raw(port: impl AsFd) -> Result<()> {
    let mut attributes = tcgetattr(&port)?;
    attributes.make_raw();
    tcsetattr(&port, OptionalActions::Now, &attributes)
}
