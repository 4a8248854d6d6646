//! The serial ports of a Linux machine, read from the kernel's files.
use std::fs;
use std::path::{Path, PathBuf};

use super::port_info::{PortInfo, description};

/// The folders of the kernel's files and of the devices. Tests have folders of their own.
pub(super) struct Roots {
    pub(super) sys: PathBuf,
    pub(super) dev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { sys: "/sys".into(), dev: "/dev".into() }
    }
}

pub(super) fn ports(roots: &Roots) -> Vec<PortInfo> {
    let names = Links {
        by_id: entries(&roots.dev.join("serial/by-id")),
        by_path: entries(&roots.dev.join("serial/by-path")),
    };
    entries(&roots.sys.join("class/tty"))
        .iter()
        .filter_map(|terminal| port(roots, terminal, &names))
        .collect()
}

/// The symbolic links that udev makes for USB ports.
struct Links {
    by_id: Vec<PathBuf>,
    by_path: Vec<PathBuf>,
}

fn port(roots: &Roots, terminal: &Path, names: &Links) -> Option<PortInfo> {
    let name = terminal.file_name()?.to_str()?;
    // Consoles and pseudo-terminals have no device behind them.
    let hardware = fs::canonicalize(terminal.join("device")).ok()?;
    if !name.starts_with("tty") || is_absent_uart(terminal) {
        return None;
    }
    let node = roots.dev.join(name);
    let resolved = fs::canonicalize(&node).ok()?;
    let link_in = |links: &[PathBuf]| {
        let link = links.iter().find(|link| fs::canonicalize(link).is_ok_and(|target| target == resolved));
        link.and_then(|link| link.to_str()).map(str::to_owned)
    };
    let port = PortInfo {
        device: node.to_str()?.to_owned(),
        by_id: link_in(&names.by_id),
        by_path: link_in(&names.by_path),
        port_number: attribute(&terminal.join("device"), "port_number")
            .and_then(|number| number.parse().ok()),
        ..PortInfo::default()
    };
    Some(with_usb_device(port, &hardware))
}

/// Returns the name of the USB driver behind a terminal, such as `option` or `ftdi_sio`; `None` if it is no USB port.
pub(super) fn usb_driver(roots: &Roots, device: &Path) -> Option<String> {
    let terminal = roots.sys.join("class/tty").join(fs::canonicalize(device).ok()?.file_name()?);
    let hardware = fs::canonicalize(terminal.join("device")).ok()?;
    let driver = fs::read_link(usb_interface(&hardware)?.join("driver")).ok()?;
    Some(driver.file_name()?.to_str()?.to_owned())
}

/// Returns true for a USB port that leads to a modem directly. Such a port has no UART and therefore no baud rate.
pub(super) fn is_modem_port(roots: &Roots, device: &str) -> bool {
    const DRIVERS: [&str; 7] =
        ["option", "cdc_acm", "qcserial", "sierra", "qcaux", "hso", "usbserial_generic"];
    usb_driver(roots, Path::new(device)).is_some_and(|driver| DRIVERS.contains(&driver.as_str()))
}

fn usb_interface(hardware: &Path) -> Option<&Path> {
    hardware.ancestors().find(|folder| folder.join("bInterfaceNumber").exists())
}

/// Returns true for a UART that does not exist: the kernel makes ttyS0 to ttyS3 always, those without hardware with type 0.
fn is_absent_uart(terminal: &Path) -> bool {
    attribute(terminal, "type").as_deref() == Some("0")
}

fn with_usb_device(port: PortInfo, hardware: &Path) -> PortInfo {
    let Some(interface) = usb_interface(hardware) else { return port };
    let Some(device) = interface.ancestors().find(|folder| folder.join("idVendor").exists()) else {
        return port;
    };
    let number = |attribute: Option<String>| attribute.and_then(|text| u16::from_str_radix(&text, 16).ok());
    let manufacturer = attribute(device, "manufacturer");
    let product = attribute(device, "product");
    let function = attribute(interface, "interface");
    PortInfo {
        description: description(manufacturer.as_deref(), product.as_deref(), function.as_deref()),
        vid: number(attribute(device, "idVendor")),
        pid: number(attribute(device, "idProduct")),
        serial_number: attribute(device, "serial"),
        interface: number(attribute(interface, "bInterfaceNumber"))
            .and_then(|number| u8::try_from(number).ok()),
        usb_address: attribute(device, "devnum").and_then(|number| number.parse().ok()),
        socket: device.file_name().and_then(|name| name.to_str()).map(str::to_owned),
        ..port
    }
}

/// Reads a one-line file. Some texts come from the USB device, so they may contain any byte.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let bytes = fs::read(folder.join(name)).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().replace(char::is_control, "?");
    (!text.is_empty()).then_some(text)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    // A machine without USB serial ports has no by-id folder, a container may have no /sys.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

#[cfg(test)]
pub(super) mod fake {
    use std::cell::Cell;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A machine made of files, with devices to plug in and out.
    pub(in crate::link) struct FakeMachine {
        pub(in crate::link) roots: Roots,
        last_address: Cell<u32>,
        _folder: TempDir,
    }

    pub(in crate::link) struct UsbPort<'a> {
        pub(in crate::link) name: &'a str,
        pub(in crate::link) socket: &'a str,
        pub(in crate::link) interface: &'a str,
        pub(in crate::link) serial_number: Option<&'a str>,
    }

    impl FakeMachine {
        pub(in crate::link) fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let roots = Roots { sys: folder.path().join("sys"), dev: folder.path().join("dev") };
            fs::create_dir_all(roots.sys.join("class/tty")).unwrap();
            fs::create_dir_all(roots.dev.join("serial/by-id")).unwrap();
            fs::create_dir_all(roots.dev.join("serial/by-path")).unwrap();
            Self { roots, last_address: Cell::new(1), _folder: folder }
        }

        pub(in crate::link) fn ports(&self) -> Vec<PortInfo> {
            let mut ports = ports(&self.roots);
            ports.sort_by(|one, other| one.device.cmp(&other.device));
            ports
        }

        pub(in crate::link) fn device(&self, name: &str) -> String {
            self.roots.dev.join(name).to_str().unwrap().to_owned()
        }

        /// Adds a port as a USB module of this family has it.
        pub(in crate::link) fn plug_in(&self, port: &UsbPort<'_>) {
            let usb = self.roots.sys.join("devices/usb1").join(port.socket);
            let interface = usb.join(format!("{}:1.{}", port.socket, port.interface));
            self.add_terminal(port.name, &interface.join(port.name));
            // The ports of one device have one address.
            if !usb.join("devnum").exists() {
                self.last_address.set(self.last_address.get() + 1);
                fs::write(usb.join("devnum"), format!("{}\n", self.last_address.get())).unwrap();
            }
            fs::write(usb.join("idVendor"), "1e0e\n").unwrap();
            fs::write(usb.join("idProduct"), "9011\n").unwrap();
            fs::write(usb.join("manufacturer"), "SIMCOM\n").unwrap();
            fs::write(usb.join("product"), "LTE Module\n").unwrap();
            fs::write(interface.join("bInterfaceNumber"), format!("{}\n", port.interface)).unwrap();
            if let Some(serial_number) = port.serial_number {
                fs::write(usb.join("serial"), format!("{serial_number}\n")).unwrap();
            }
        }

        pub(in crate::link) fn number(&self, port: &UsbPort<'_>, number: u8) {
            let terminal = self.roots.sys.join("class/tty").join(port.name);
            fs::write(terminal.join("device/port_number"), format!("{number}\n")).unwrap();
        }

        pub(in crate::link) fn name_interface(&self, port: &UsbPort<'_>, name: &str) {
            let usb = self.roots.sys.join("devices/usb1").join(port.socket);
            let interface = usb.join(format!("{}:1.{}", port.socket, port.interface));
            fs::write(interface.join("interface"), format!("{name}\n")).unwrap();
        }

        /// Gives the port's interface a driver.
        pub(in crate::link) fn bind(&self, port: &UsbPort<'_>, driver: &str) {
            let usb = self.roots.sys.join("devices/usb1").join(port.socket);
            let interface = usb.join(format!("{}:1.{}", port.socket, port.interface));
            symlink(format!("../../bus/usb/drivers/{driver}"), interface.join("driver")).unwrap();
        }

        pub(in crate::link) fn unplug(&self, port: &UsbPort<'_>) {
            fs::remove_dir_all(self.roots.sys.join("devices/usb1").join(port.socket)).unwrap();
            fs::remove_file(self.roots.sys.join("class/tty").join(port.name)).unwrap();
            fs::remove_file(self.roots.dev.join(port.name)).unwrap();
        }

        pub(in crate::link) fn add_terminal(&self, name: &str, hardware: &Path) {
            let terminal = hardware.join("tty").join(name);
            fs::create_dir_all(&terminal).unwrap();
            symlink("../..", terminal.join("device")).unwrap();
            symlink(terminal, self.roots.sys.join("class/tty").join(name)).unwrap();
            fs::write(self.roots.dev.join(name), "").unwrap();
        }

        pub(in crate::link) fn name_by_id(&self, link: &str, name: &str) {
            self.link("serial/by-id", link, name);
        }

        pub(in crate::link) fn name_by_path(&self, link: &str, name: &str) {
            self.link("serial/by-path", link, name);
        }

        fn link(&self, folder: &str, link: &str, name: &str) {
            symlink(format!("../../{name}"), self.roots.dev.join(folder).join(link)).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::{FakeMachine, UsbPort};
    use super::*;

    const AT_PORT: UsbPort<'_> =
        UsbPort { name: "ttyUSB2", socket: "1-2.3", interface: "0a", serial_number: Some("A1B2") };

    #[test]
    fn usb_port_is_listed_with_all_attributes() {
        let machine = FakeMachine::new();
        machine.plug_in(&AT_PORT);
        machine.name_by_id("usb-other", "ttyUSB0");
        machine.name_by_id("usb-SIMCOM-if0a-port0", "ttyUSB2");
        machine.name_by_path("pci-usb-0:2.3:1.10-port0", "ttyUSB2");
        machine.number(&AT_PORT, 0);
        let interface = machine.roots.sys.join("devices/usb1/1-2.3/1-2.3:1.0a");
        fs::write(interface.join("interface"), "AT\x1b[0m interface\n").unwrap();
        let port = PortInfo {
            device: machine.device("ttyUSB2"),
            by_id: Some(machine.device("serial/by-id/usb-SIMCOM-if0a-port0")),
            by_path: Some(machine.device("serial/by-path/pci-usb-0:2.3:1.10-port0")),
            description: Some("SIMCOM LTE Module (AT?[0m interface)".to_owned()),
            vid: Some(0x1e0e),
            pid: Some(0x9011),
            serial_number: Some("A1B2".to_owned()),
            interface: Some(10),
            port_number: Some(0),
            socket: Some("1-2.3".to_owned()),
            usb_address: Some(2),
        };
        assert_eq!(machine.ports(), [port]);
    }

    #[test]
    fn uart_without_hardware_is_not_listed() {
        let machine = FakeMachine::new();
        for (name, kind) in [("ttyS0", "4"), ("ttyS1", "0")] {
            machine.add_terminal(name, &machine.roots.sys.join("devices/platform").join(name));
            fs::write(machine.roots.sys.join("class/tty").join(name).join("type"), format!("{kind}\n"))
                .unwrap();
        }
        let uart = PortInfo { device: machine.device("ttyS0"), ..PortInfo::default() };
        assert_eq!(machine.ports(), [uart]);
    }

    #[test]
    fn terminals_without_device_or_node_are_not_listed() {
        let machine = FakeMachine::new();
        fs::create_dir_all(machine.roots.sys.join("class/tty/tty1")).unwrap();
        machine.add_terminal("rfcomm0", &machine.roots.sys.join("devices/rfcomm0"));
        machine.add_terminal("ttyUSB9", &machine.roots.sys.join("devices/usb1/1-9"));
        fs::remove_file(machine.roots.dev.join("ttyUSB9")).unwrap();
        assert_eq!(machine.ports(), []);
    }

    #[test]
    fn machine_without_sysfs_has_no_ports() {
        let nowhere = tempfile::tempdir().unwrap();
        let roots = Roots { sys: nowhere.path().join("sys"), dev: nowhere.path().join("dev") };
        assert_eq!(ports(&roots), []);
    }

    #[test]
    fn port_of_a_modem_driver_has_no_baud_rate_and_an_adapter_has_one() {
        for (driver, is_modem) in [("option", true), ("cdc_acm", true), ("ftdi_sio", false), ("ch341", false)]
        {
            let machine = FakeMachine::new();
            machine.plug_in(&AT_PORT);
            machine.bind(&AT_PORT, driver);
            assert_eq!(is_modem_port(&machine.roots, &machine.device("ttyUSB2")), is_modem, "{driver}");
        }
    }

    #[test]
    fn uart_without_usb_is_no_modem_port() {
        let machine = FakeMachine::new();
        machine.add_terminal("ttyS0", &machine.roots.sys.join("devices/platform/ttyS0"));
        assert!(!is_modem_port(&machine.roots, &machine.device("ttyS0")));
    }
}
