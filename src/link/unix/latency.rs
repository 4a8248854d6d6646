//! The latency timer of FTDI adapters.
//!
//! An adapter of FTDI collects input for 16 ms before it sends it to the host, unless the timer is shorter. A publish has
//! several round trips, so 16 ms make it about five times as slow.

use std::fs;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use super::linux::DriverSettings;
use crate::link::sysfs::{self, Roots};

const SHORTEST: &str = "1";

/// Sets the latency timer of an FTDI adapter to 1 ms. Returns a warning if this user has no right to do so.
pub(super) fn shorten(terminal: BorrowedFd<'_>, path: &str, roots: &Roots) -> Option<String> {
    let timer = timer_of(path, roots).filter(|timer| !is_shortest(timer))?;
    if let Ok(mut settings) = DriverSettings::of(terminal) {
        settings.ask_for_low_latency();
        // Newer kernels let every user set this flag; the file says if it had an effect.
        let _ = settings.apply(terminal);
    }
    if is_shortest(&timer) || fs::write(&timer, SHORTEST).is_ok() {
        return None;
    }
    Some(format!(
        "{path} is an FTDI adapter with a latency timer of {} ms, which makes each command slower; this user may not \
         change it: as root, write 1 to {}",
        fs::read_to_string(&timer).unwrap_or_default().trim(),
        timer.display()
    ))
}

fn timer_of(path: &str, roots: &Roots) -> Option<PathBuf> {
    let device = fs::canonicalize(path).ok()?;
    let name = device.file_name()?.to_str()?.to_owned();
    let is_ftdi = sysfs::usb_driver(roots, &device).as_deref() == Some("ftdi_sio");
    Some(roots.sys.join("class/tty").join(name).join("device/latency_timer"))
        .filter(|timer| is_ftdi && timer.exists())
}

fn is_shortest(timer: &Path) -> bool {
    fs::read_to_string(timer).is_ok_and(|text| text.trim() == SHORTEST)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use super::*;
    use crate::link::sysfs::fake::{FakeMachine, UsbPort};

    const ADAPTER: UsbPort<'_> =
        UsbPort { name: "ttyUSB0", socket: "1-1", interface: "00", serial_number: Some("A50285BI") };

    fn machine(driver: &str, milliseconds: &str) -> (FakeMachine, PathBuf) {
        let machine = FakeMachine::new();
        machine.plug_in(&ADAPTER);
        machine.bind(&ADAPTER, driver);
        let timer = machine.roots.sys.join("class/tty/ttyUSB0/device/latency_timer");
        fs::write(&timer, format!("{milliseconds}\n")).unwrap();
        (machine, timer)
    }

    fn shorten_on(machine: &FakeMachine) -> Option<String> {
        let other = File::open("/dev/null").unwrap();
        shorten(other.as_fd(), &machine.device("ttyUSB0"), &machine.roots)
    }

    #[test]
    fn timer_of_an_ftdi_adapter_becomes_one_millisecond() {
        let (machine, timer) = machine("ftdi_sio", "16");
        assert_eq!(shorten_on(&machine), None);
        assert!(is_shortest(&timer));
    }

    #[test]
    fn timer_of_another_driver_is_left_alone() {
        let (machine, timer) = machine("xr_serial", "16");
        assert_eq!(shorten_on(&machine), None);
        assert!(!is_shortest(&timer));
    }

    #[test]
    fn timer_that_cannot_be_changed_is_a_warning_with_a_remedy() {
        let (machine, timer) = machine("ftdi_sio", "16");
        // A folder cannot be written, by root neither.
        fs::remove_file(&timer).unwrap();
        fs::create_dir(&timer).unwrap();
        let warning = shorten_on(&machine).unwrap();
        assert!(warning.contains("latency timer") && warning.contains(timer.to_str().unwrap()), "{warning}");
    }
}
