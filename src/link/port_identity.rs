//! Finds the port of a module again after its cable was pulled, without ever taking another module's port.
//!
//! Many modules have the same serial number, so it does not tell two of them apart. What does:
//!
//! - A port that was there all the time is another module's. Only ports that **appeared since the loss** are candidates. A
//!   USB device gets a new address each time it is plugged in, so a port that went and came back is a new appearance.
//! - A port in the **same socket** is always a candidate, and the first: nothing else could get there meanwhile.
//! - A `by-path` link means that socket, whatever is plugged in there.
//!
//! The last word has the IMEI: the caller opens the first candidate and asks the module for its IMEI before anything else.
//! Then it calls [`PortIdentity::note_attached`] if the module is the one that was lost, or [`PortIdentity::reject`] if it is
//! another one, closes the port and tries the next candidate.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::list_ports::list_ports;
use super::port_info::PortInfo;

/// The device that a path leads to, and the ports that belong to other devices.
#[derive(Debug)]
pub struct PortIdentity {
    /// The path as it was given, a symbolic link included.
    path: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` for what is no USB device: a UART, a pseudo-terminal. Only its path identifies such a port.
    usb_port: Option<PortInfo>,
    /// The ports that were there at the loss, before it at the opening.
    others: Vec<Appearance>,
    /// Ports that turned out to belong to other modules.
    rejected: Vec<Appearance>,
}

/// One time that a USB device was plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Appearance {
    place: String,
    address: Option<u32>,
}

impl PortIdentity {
    /// Identifies a port that is there now.
    pub fn of(path: &str) -> Self {
        Self::among(&list_ports(), path)
    }

    /// Returns true if more than its path identifies the port.
    pub fn is_usb(&self) -> bool {
        self.state().usb_port.is_some()
    }

    /// Returns true if the path means a USB socket, not a device.
    pub fn means_socket(&self) -> bool {
        self.path.contains("/serial/by-path/")
    }

    /// Remembers which ports are there at the loss of this one: they belong to other modules. Call this at once.
    pub fn note_loss(&self) {
        self.note_loss_among(&list_ports());
    }

    /// Identifies the port anew after it was found and opened at `device`: it may be in another socket now.
    pub fn note_attached(&self, device: &str) {
        *self.state() = State::of(&list_ports(), device);
    }

    /// Excludes a candidate that turned out to be another module's, until that module is plugged in again.
    pub fn reject(&self, device: &str) {
        self.reject_among(&list_ports(), device);
    }

    /// Returns the ports that may be this one now, the most likely first. Empty while it is away.
    pub fn candidates(&self) -> Vec<String> {
        self.candidates_among(&list_ports())
    }

    fn among(ports: &[PortInfo], path: &str) -> Self {
        Self { path: path.to_owned(), state: Mutex::new(State::of(ports, path)) }
    }

    fn note_loss_among(&self, ports: &[PortInfo]) {
        self.state().others = ports.iter().map(Appearance::of).collect();
    }

    fn reject_among(&self, ports: &[PortInfo], device: &str) {
        let rejected = ports.iter().filter(|port| is_same_file(&port.device, device)).map(Appearance::of);
        self.state().rejected.extend(rejected);
    }

    fn candidates_among(&self, ports: &[PortInfo]) -> Vec<String> {
        let state = self.state();
        let Some(known) = state.usb_port.as_ref().filter(|_| !self.means_socket()) else {
            return if exists(&self.path) { vec![self.path.clone()] } else { Vec::new() };
        };
        let is_candidate = |port: &&PortInfo| {
            is_same_kind(known, port)
                && !state.rejected.contains(&Appearance::of(port))
                && (place(known) == place(port) || !state.others.contains(&Appearance::of(port)))
        };
        let mut candidates: Vec<_> = ports.iter().filter(is_candidate).collect();
        candidates.sort_by_key(|port| place(known) != place(port));
        candidates.into_iter().map(|port| self.name_of(port)).collect()
    }

    /// Prefers the path that the caller gave.
    fn name_of(&self, port: &PortInfo) -> String {
        if is_same_file(&port.device, &self.path) { self.path.clone() } else { port.device.clone() }
    }

    /// No code panics while it holds this lock, so a poisoned state is still consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(ports: &[PortInfo], path: &str) -> Self {
        let usb_port =
            ports.iter().find(|port| port.vid.is_some() && is_same_file(&port.device, path)).cloned();
        Self { usb_port, others: ports.iter().map(Appearance::of).collect(), rejected: Vec::new() }
    }
}

impl Appearance {
    fn of(port: &PortInfo) -> Self {
        Self { place: place(port).to_owned(), address: port.usb_address }
    }
}

/// The socket, or the name where the system does not tell the socket.
fn place(port: &PortInfo) -> &str {
    port.socket.as_deref().unwrap_or(&port.device)
}

fn is_same_kind(known: &PortInfo, port: &PortInfo) -> bool {
    let marks =
        |port: &PortInfo| (port.vid, port.pid, port.serial_number.clone(), port.interface, port.port_number);
    marks(known) == marks(port)
}

/// The ports of Windows are no files, and asking for one would open the device: opening it tells.
fn exists(path: &str) -> bool {
    cfg!(windows) || Path::new(path).exists()
}

fn is_same_file(one: &str, other: &str) -> bool {
    if cfg!(windows) {
        // COM5 and \\.\COM5 are the same.
        let name = |path: &str| path.strip_prefix(r"\\.\").unwrap_or(path).to_ascii_uppercase();
        return name(one) == name(other);
    }
    fs::canonicalize(one).is_ok_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::link::sysfs::fake::{FakeMachine, UsbPort};

    /// The serial number that many modules have.
    const SHARED: Option<&str> = Some("0123456789ABCDEF");
    const MODULE: UsbPort<'_> =
        UsbPort { name: "ttyUSB2", socket: "1-2", interface: "02", serial_number: SHARED };
    const TWIN: UsbPort<'_> = UsbPort { name: "ttyUSB7", socket: "1-3", ..MODULE };

    struct Bench {
        machine: FakeMachine,
        identity: PortIdentity,
    }

    impl Bench {
        /// A machine with these ports, the first of which is open.
        fn with(ports: &[&UsbPort<'_>]) -> Self {
            let machine = FakeMachine::new();
            for port in ports {
                machine.plug_in(port);
            }
            let identity = PortIdentity::among(&machine.ports(), &machine.device(ports[0].name));
            Self { machine, identity }
        }

        fn lose(&self, port: &UsbPort<'_>) {
            self.machine.unplug(port);
            self.identity.note_loss_among(&self.machine.ports());
        }

        fn candidates(&self) -> Vec<String> {
            let candidates = self.identity.candidates_among(&self.machine.ports());
            let folder = self.machine.device("");
            candidates.into_iter().map(|path| path.strip_prefix(&folder).unwrap().to_owned()).collect()
        }
    }

    #[test]
    fn lost_port_has_no_candidate_until_it_is_back() {
        let bench = Bench::with(&[&MODULE]);
        bench.lose(&MODULE);
        assert!(bench.candidates().is_empty());
        bench.machine.plug_in(&MODULE);
        assert_eq!(bench.candidates(), ["ttyUSB2"]);
    }

    #[test]
    fn port_that_was_there_all_the_time_is_no_candidate() {
        let bench = Bench::with(&[&MODULE, &TWIN]);
        bench.lose(&MODULE);
        assert!(bench.candidates().is_empty());
        bench.machine.plug_in(&UsbPort { name: "ttyUSB8", ..MODULE });
        assert_eq!(bench.candidates(), ["ttyUSB8"]);
    }

    #[test]
    fn port_plugged_in_before_the_loss_is_no_candidate() {
        let bench = Bench::with(&[&MODULE]);
        bench.machine.plug_in(&TWIN);
        bench.lose(&MODULE);
        assert!(bench.candidates().is_empty());
    }

    #[test]
    fn module_that_moved_to_another_socket_is_a_candidate() {
        let bench = Bench::with(&[&MODULE, &TWIN]);
        bench.lose(&MODULE);
        bench.machine.plug_in(&UsbPort { name: "ttyUSB2", socket: "1-4", ..MODULE });
        assert_eq!(bench.candidates(), ["ttyUSB2"]);
    }

    /// The other module was plugged out and in: it may be the one that was lost.
    #[test]
    fn port_in_the_same_socket_comes_before_others_that_appeared() {
        let bench = Bench::with(&[&MODULE, &TWIN]);
        bench.lose(&MODULE);
        bench.machine.unplug(&TWIN);
        bench.machine.plug_in(&TWIN);
        bench.machine.plug_in(&UsbPort { name: "ttyUSB9", ..MODULE });
        assert_eq!(bench.candidates(), ["ttyUSB9", "ttyUSB7"]);
    }

    #[test]
    fn rejected_candidate_is_excluded_until_it_is_plugged_in_again() {
        let bench = Bench::with(&[&MODULE]);
        bench.lose(&MODULE);
        bench.machine.plug_in(&MODULE);
        bench.machine.plug_in(&TWIN);
        bench.identity.reject_among(&bench.machine.ports(), &bench.machine.device("ttyUSB2"));
        assert_eq!(bench.candidates(), ["ttyUSB7"]);
        bench.machine.unplug(&MODULE);
        bench.machine.plug_in(&MODULE);
        assert_eq!(bench.candidates(), ["ttyUSB2", "ttyUSB7"]);
    }

    #[test]
    fn port_that_moved_is_known_by_its_new_socket_afterwards() {
        let moved = UsbPort { name: "ttyUSB4", socket: "1-4", ..MODULE };
        let bench = Bench::with(&[&MODULE]);
        bench.lose(&MODULE);
        bench.machine.plug_in(&moved);
        let ports = bench.machine.ports();
        *bench.identity.state() = State::of(&ports, &bench.machine.device("ttyUSB4"));
        bench.lose(&moved);
        bench.machine.plug_in(&MODULE);
        bench.machine.plug_in(&moved);
        assert_eq!(bench.candidates(), ["ttyUSB4", "ttyUSB2"]);
    }

    #[test]
    fn other_interface_product_or_serial_number_is_no_candidate() {
        let bench = Bench::with(&[&MODULE]);
        bench.lose(&MODULE);
        bench.machine.plug_in(&UsbPort { interface: "01", ..MODULE });
        assert!(bench.candidates().is_empty());
        bench.machine.plug_in(&UsbPort {
            socket: "1-5",
            name: "ttyUSB5",
            serial_number: Some("C3D4"),
            ..MODULE
        });
        assert!(bench.candidates().is_empty());
    }

    #[test]
    fn port_whose_device_stayed_is_its_own_candidate() {
        let bench = Bench::with(&[&MODULE]);
        bench.identity.note_loss_among(&bench.machine.ports());
        assert_eq!(bench.candidates(), ["ttyUSB2"]);
    }

    #[test]
    fn ports_of_one_interface_are_told_apart_by_their_numbers() {
        let first = UsbPort { name: "ttyUSB0", ..MODULE };
        let second = UsbPort { name: "ttyUSB1", ..MODULE };
        let machine = FakeMachine::new();
        machine.plug_in(&first);
        machine.plug_in(&second);
        machine.number(&first, 0);
        machine.number(&second, 1);
        let identity = PortIdentity::among(&machine.ports(), &machine.device("ttyUSB1"));
        assert_eq!(identity.candidates_among(&machine.ports()), [machine.device("ttyUSB1")]);
    }

    #[test]
    fn by_path_link_means_its_socket() {
        let machine = FakeMachine::new();
        machine.plug_in(&MODULE);
        machine.name_by_path("pci-usb-0:2:1.2-port0", "ttyUSB2");
        let link = machine.device("serial/by-path/pci-usb-0:2:1.2-port0");
        let identity = PortIdentity::among(&machine.ports(), &link);
        assert!(identity.means_socket());
        machine.unplug(&MODULE);
        identity.note_loss_among(&machine.ports());
        machine.plug_in(&UsbPort { name: "ttyUSB9", socket: "1-9", ..MODULE });
        assert!(identity.candidates_among(&machine.ports()).is_empty(), "another socket");
        machine.plug_in(&UsbPort { serial_number: Some("C3D4"), ..MODULE });
        assert_eq!(identity.candidates_among(&machine.ports()), [link], "another module in this socket");
    }

    #[test]
    fn port_opened_by_a_link_keeps_that_name_while_the_link_leads_there() {
        let machine = FakeMachine::new();
        machine.plug_in(&MODULE);
        let link = machine.device("modem");
        symlink("ttyUSB2", &link).unwrap();
        let identity = PortIdentity::among(&machine.ports(), &link);
        assert_eq!(identity.candidates_among(&machine.ports()), [link]);
        machine.unplug(&MODULE);
        identity.note_loss_among(&machine.ports());
        machine.plug_in(&UsbPort { name: "ttyUSB3", ..MODULE });
        assert_eq!(identity.candidates_among(&machine.ports()), [machine.device("ttyUSB3")]);
    }

    #[test]
    fn port_without_usb_device_is_known_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("modem");
        let path = path.to_str().unwrap();
        let identity = PortIdentity::of(path);
        assert!(!identity.is_usb());
        assert!(identity.candidates().is_empty());
        fs::write(path, "").unwrap();
        assert_eq!(identity.candidates(), [path]);
    }
}
