use std::fs;
use std::path::Path;

use super::list_ports::list_ports;
use super::port_info::PortInfo;

/// The serial number that all modules of several families have.
const SHARED_SERIAL_NUMBER: &str = "0123456789ABCDEF";

/// Which device a path stands for while it is plugged in, to find it again when it is plugged in later under another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortIdentity {
    path: String,
    /// None for what is no USB device: a UART, a pseudo-terminal. Its path is all there is to know it by.
    usb_port: Option<PortInfo>,
}

impl PortIdentity {
    /// Of a port that is there now; `path` as it was given to open it, a symbolic link included.
    pub fn of(path: &str) -> Self {
        Self::among(&list_ports(), path)
    }

    /// Returns true if more than its path identifies the port.
    pub fn is_usb(&self) -> bool {
        self.usb_port.is_some()
    }

    fn among(ports: &[PortInfo], path: &str) -> Self {
        let usb_port =
            ports.iter().find(|port| port.vid.is_some() && is_same_file(&port.device, path)).cloned();
        Self { path: path.to_owned(), usb_port }
    }

    fn find_among(&self, ports: &[PortInfo]) -> Option<String> {
        let Some(known) = &self.usb_port else {
            return Path::new(&self.path).exists().then(|| self.path.clone());
        };
        let candidates: Vec<_> = ports.iter().filter(|port| is_same_device(known, port)).collect();
        let found = match candidates[..] {
            [found] => found,
            // One interface of some adapters has several ports, which only their names tell apart.
            _ => candidates.into_iter().find(|port| self.has_same_name(known, port))?,
        };
        let device = if is_same_file(&found.device, &self.path) { &self.path } else { &found.device };
        Some(device.clone())
    }

    fn has_same_name(&self, known: &PortInfo, port: &PortInfo) -> bool {
        if known.by_id.is_some() { known.by_id == port.by_id } else { is_same_file(&port.device, &self.path) }
    }
}

/// Where that device is now, if it is plugged in: at the same path, or at another. Never another device at the same path.
/// A module whose serial number is shared by others is known by its USB socket.
pub fn find_again(identity: &PortIdentity) -> Option<String> {
    identity.find_among(&list_ports())
}

fn is_same_device(known: &PortInfo, port: &PortInfo) -> bool {
    let marks = |port: &PortInfo| (port.vid, port.pid, port.serial_number.clone(), port.interface);
    marks(known) == marks(port) && (has_own_serial_number(known) || is_at_same_place(known, port))
}

fn has_own_serial_number(port: &PortInfo) -> bool {
    port.serial_number.as_ref().is_some_and(|number| number != SHARED_SERIAL_NUMBER)
}

fn is_at_same_place(known: &PortInfo, port: &PortInfo) -> bool {
    // Where the system does not tell the socket, the path is the best that there is.
    if known.socket.is_some() { known.socket == port.socket } else { known.device == port.device }
}

fn is_same_file(one: &str, other: &str) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        // The ports of Windows are no files.
        _ => cfg!(windows) && one.eq_ignore_ascii_case(other),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::link::sysfs::fake::{FakeMachine, UsbPort};

    const MODULE: UsbPort<'_> =
        UsbPort { name: "ttyUSB2", socket: "1-2", interface: "02", serial_number: Some("A1B2") };

    /// A machine with that port, and who it is.
    fn machine_with(port: &UsbPort<'_>) -> (FakeMachine, PortIdentity) {
        let machine = FakeMachine::new();
        machine.plug_in(port);
        let identity = PortIdentity::among(&machine.ports(), &machine.device(port.name));
        (machine, identity)
    }

    fn found(machine: &FakeMachine, identity: &PortIdentity) -> Option<String> {
        identity.find_among(&machine.ports())
    }

    #[test]
    fn at_its_old_path() {
        let (machine, identity) = machine_with(&MODULE);
        assert_eq!(found(&machine, &identity), Some(machine.device("ttyUSB2")));
        machine.unplug(&MODULE);
        assert_eq!(found(&machine, &identity), None);
    }

    #[test]
    fn at_another_path_and_in_another_socket_by_its_serial_number_and_interface() {
        let (machine, identity) = machine_with(&MODULE);
        machine.unplug(&MODULE);
        machine.plug_in(&UsbPort { name: "ttyUSB5", socket: "1-4", interface: "01", ..MODULE });
        assert_eq!(found(&machine, &identity), None, "another interface");
        machine.plug_in(&UsbPort { name: "ttyUSB6", socket: "1-4", ..MODULE });
        assert_eq!(found(&machine, &identity), Some(machine.device("ttyUSB6")));
    }

    #[test]
    fn not_another_module_at_its_old_path() {
        let (machine, identity) = machine_with(&MODULE);
        machine.unplug(&MODULE);
        machine.plug_in(&UsbPort { serial_number: Some("C3D4"), ..MODULE });
        assert_eq!(found(&machine, &identity), None);
    }

    #[test]
    fn modules_without_a_serial_number_of_their_own_by_their_socket() {
        for serial_number in [None, Some(SHARED_SERIAL_NUMBER)] {
            let here = UsbPort { serial_number, ..MODULE };
            let there = UsbPort { name: "ttyUSB7", socket: "1-3", ..here };
            let (machine, identity) = machine_with(&here);
            machine.plug_in(&there);
            machine.unplug(&here);
            assert_eq!(found(&machine, &identity), None, "its twin is not it");
            machine.plug_in(&UsbPort { name: "ttyUSB8", ..here });
            assert_eq!(found(&machine, &identity), Some(machine.device("ttyUSB8")));
        }
    }

    #[test]
    fn by_its_path_where_the_system_tells_no_socket() {
        let known = PortInfo { device: "COM5".to_owned(), vid: Some(0x1e0e), ..PortInfo::default() };
        assert!(is_same_device(&known, &known));
        assert!(!is_same_device(&known, &PortInfo { device: "COM6".to_owned(), ..known.clone() }));
    }

    #[test]
    fn ports_of_one_interface_by_their_names() {
        let first = UsbPort { name: "ttyUSB0", ..MODULE };
        let second = UsbPort { name: "ttyUSB1", ..MODULE };
        let machine = FakeMachine::new();
        machine.plug_in(&first);
        machine.plug_in(&second);
        let by_path = PortIdentity::among(&machine.ports(), &machine.device("ttyUSB1"));
        assert_eq!(found(&machine, &by_path), Some(machine.device("ttyUSB1")));
        machine.name_by_id("usb-port0", "ttyUSB0");
        machine.name_by_id("usb-port1", "ttyUSB1");
        let by_id = PortIdentity::among(&machine.ports(), &machine.device("ttyUSB0"));
        assert_eq!(found(&machine, &by_id), Some(machine.device("ttyUSB0")));
    }

    #[test]
    fn by_the_link_it_was_opened_by() {
        let (machine, _) = machine_with(&MODULE);
        let link = machine.device("modem");
        symlink("ttyUSB2", &link).unwrap();
        let identity = PortIdentity::among(&machine.ports(), &link);
        assert_eq!(found(&machine, &identity), Some(link));
        machine.unplug(&MODULE);
        machine.plug_in(&UsbPort { name: "ttyUSB3", ..MODULE });
        assert_eq!(found(&machine, &identity), Some(machine.device("ttyUSB3")), "the link leads nowhere");
    }

    #[test]
    fn what_is_no_usb_device_by_its_path_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem");
        let path = path.to_str().unwrap();
        let identity = PortIdentity::of(path);
        assert_eq!(find_again(&identity), None);
        std::fs::write(path, "").unwrap();
        assert_eq!(find_again(&identity).as_deref(), Some(path));
    }
}
