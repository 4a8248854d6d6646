use super::list_ports::list_ports;
use super::port_info::PortInfo;

const SIMCOM: u16 = 0x1e0e;

/// A USB port of a `SIMCom` module that may answer AT commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemPort {
    /// The name to open and to keep: the by-id link if it means this port alone, else the by-path link, else the device.
    pub name: String,
    pub port: PortInfo,
}

/// Returns the USB ports of `SIMCom` modules that may answer AT commands, sorted by name. A module has several; those of one
/// module have the same `socket`.
pub fn usb_modem_ports() -> Vec<ModemPort> {
    modem_ports_among(&list_ports())
}

fn modem_ports_among(ports: &[PortInfo]) -> Vec<ModemPort> {
    let modem_ports = ports.iter().filter(|port| port.vid == Some(SIMCOM) && may_answer(port));
    modem_ports.map(|port| ModemPort { name: stable_name(port, ports), port: port.clone() }).collect()
}

/// Leaves out the ports for diagnostics, positions and audio: some of them send bytes all the time.
fn may_answer(port: &PortInfo) -> bool {
    const OTHER_PURPOSES: [&str; 5] = ["diag", "nmea", "audio", "log", "rndis"];
    if let Some(description) = &port.description {
        let interface = description.rsplit('(').next().unwrap_or_default().to_ascii_lowercase();
        if OTHER_PURPOSES.iter().any(|purpose| interface.contains(purpose)) {
            return false;
        }
    }
    match (port.pid, port.interface) {
        // Diagnostics, NMEA, AT, modem, audio.
        (Some(0x9001), Some(interface)) => matches!(interface, 2 | 3),
        // RNDIS, RNDIS, diagnostics, AT, modem.
        (Some(0x9011), Some(interface)) => interface > 2,
        _ => true,
    }
}

/// udev makes the by-id link of the vendor's names and the serial number, so modules with one serial number share one link.
fn stable_name(port: &PortInfo, ports: &[PortInfo]) -> String {
    let marks =
        |port: &PortInfo| (port.vid, port.pid, port.serial_number.clone(), port.interface, port.port_number);
    let is_alone = ports.iter().filter(|other| marks(other) == marks(port)).count() == 1;
    let by_id = port.by_id.clone().filter(|_| is_alone);
    by_id.or_else(|| port.by_path.clone()).unwrap_or_else(|| port.device.clone())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::link::sysfs::fake::{FakeMachine, UsbPort};

    const AT_PORT: UsbPort<'_> =
        UsbPort { name: "ttyUSB2", socket: "1-2", interface: "04", serial_number: Some("0123456789ABCDEF") };

    #[test]
    fn by_id_name_is_used_while_it_is_unambiguous() {
        let machine = FakeMachine::new();
        machine.plug_in(&AT_PORT);
        machine.name_by_id("usb-SIMCOM-if04-port0", "ttyUSB2");
        machine.name_by_path("pci-usb-0:2:1.4-port0", "ttyUSB2");
        let names =
            || -> Vec<_> { modem_ports_among(&machine.ports()).into_iter().map(|port| port.name).collect() };
        assert_eq!(names(), [machine.device("serial/by-id/usb-SIMCOM-if04-port0")]);
        machine.plug_in(&UsbPort { name: "ttyUSB5", socket: "1-3", ..AT_PORT });
        let by_path = machine.device("serial/by-path/pci-usb-0:2:1.4-port0");
        assert_eq!(names(), [by_path, machine.device("ttyUSB5")]);
    }

    #[test]
    fn ports_for_other_purposes_are_left_out() {
        let machine = FakeMachine::new();
        for (name, interface) in [("ttyUSB0", "02"), ("ttyUSB1", "04"), ("ttyUSB2", "05")] {
            machine.plug_in(&UsbPort { name, interface, ..AT_PORT });
        }
        machine.name_interface(&UsbPort { interface: "05", ..AT_PORT }, "Mobile NMEA Interface");
        let devices: Vec<_> =
            modem_ports_among(&machine.ports()).into_iter().map(|port| port.port.device).collect();
        assert_eq!(devices, [machine.device("ttyUSB1")]);
    }

    #[test]
    fn ports_of_other_vendors_are_left_out() {
        let adapter = PortInfo { vid: Some(0x0403), ..PortInfo::default() };
        assert!(modem_ports_among(&[adapter, PortInfo::default()]).is_empty());
    }

    #[test]
    fn modem_of_the_older_family_has_two_at_ports() {
        let port = |interface| PortInfo {
            vid: Some(SIMCOM),
            pid: Some(0x9001),
            interface: Some(interface),
            device: format!("/dev/ttyUSB{interface}"),
            ..PortInfo::default()
        };
        let ports: Vec<_> = (0..5).map(port).collect();
        let interfaces: Vec<_> =
            modem_ports_among(&ports).into_iter().filter_map(|port| port.port.interface).collect();
        assert_eq!(interfaces, [2, 3]);
    }
}
