use super::port_info::PortInfo;

/// Returns the serial ports that this machine has now, sorted by name. Ports that other programs have open are included.
pub fn list_ports() -> Vec<PortInfo> {
    #[cfg(target_os = "linux")]
    let mut ports = super::sysfs::ports(&super::sysfs::Roots::default());
    #[cfg(not(target_os = "linux"))]
    let mut ports = elsewhere::ports();
    ports.sort_by(|one, other| natural_order(&one.device).cmp(&natural_order(&other.device)));
    ports
}

/// Sorts ttyUSB2 before ttyUSB10.
fn natural_order(device: &str) -> (&str, Option<u64>) {
    let name = device.trim_end_matches(|c: char| c.is_ascii_digit());
    (name, device[name.len()..].parse().ok())
}

/// Ports on Windows and macOS. Checked by the compiler only, never run there.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use serialport::{SerialPortInfo, SerialPortType};

    use crate::link::port_info::{PortInfo, description};

    pub(super) fn ports() -> Vec<PortInfo> {
        let ports = serialport::available_ports().unwrap_or_default().into_iter().map(port_info);
        ports.filter(|port| super::is_listed(&port.device)).collect()
    }

    fn port_info(port: SerialPortInfo) -> PortInfo {
        let device = port.port_name;
        let SerialPortType::UsbPort(usb) = port.port_type else {
            return PortInfo { device, ..PortInfo::default() };
        };
        PortInfo {
            device,
            description: description(usb.manufacturer.as_deref(), usb.product.as_deref(), None),
            vid: Some(usb.vid),
            pid: Some(usb.pid),
            serial_number: usb.serial_number,
            interface: usb.interface,
            ..PortInfo::default()
        }
    }
}

/// macOS has two names for each port. `/dev/tty.x` is for incoming calls and waits for a carrier, `/dev/cu.x` is the one to
/// open.
#[cfg(any(not(target_os = "linux"), test))]
fn is_listed(device: &str) -> bool {
    !device.starts_with("/dev/tty.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_sorted_by_number() {
        let mut devices = ["/dev/ttyUSB10", "/dev/ttyS0", "/dev/ttyUSB2", "/dev/ttyACM0"];
        devices.sort_by(|one, other| natural_order(one).cmp(&natural_order(other)));
        assert_eq!(devices, ["/dev/ttyACM0", "/dev/ttyS0", "/dev/ttyUSB2", "/dev/ttyUSB10"]);
    }

    #[test]
    fn port_with_two_names_on_macos_is_listed_once() {
        let devices = ["/dev/cu.usbserial-10", "/dev/tty.usbserial-10", "COM3"];
        let listed: Vec<_> = devices.into_iter().filter(|device| is_listed(device)).collect();
        assert_eq!(listed, ["/dev/cu.usbserial-10", "COM3"]);
    }

    #[test]
    fn listed_ports_exist() {
        for port in list_ports() {
            assert!(std::path::Path::new(&port.device).exists() || cfg!(windows), "{port:?}");
        }
    }
}
