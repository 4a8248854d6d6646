/// A serial port of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortInfo {
    /// What to open: `/dev/ttyUSB2`, `COM5`.
    pub device: String,
    /// A name that stays with the USB device's serial number and interface, on Linux: `/dev/serial/by-id/…`.
    pub by_id: Option<String>,
    /// Manufacturer, product and interface, as the USB device names them.
    pub description: Option<String>,
    /// USB vendor.
    pub vid: Option<u16>,
    /// USB product.
    pub pid: Option<u16>,
    /// As the USB device tells it. Many modules all tell the same.
    pub serial_number: Option<String>,
    /// Number of the USB interface: which of a module's ports this is.
    pub interface: Option<u8>,
    /// The USB socket, on Linux: `1-2.3` is socket 3 of the hub in socket 2 of bus 1.
    pub socket: Option<String>,
}

/// The serial ports that this machine has now, those that other programs have open included.
pub fn list_ports() -> Vec<PortInfo> {
    #[cfg(target_os = "linux")]
    let mut ports = super::sysfs::ports(&super::sysfs::Roots::default());
    #[cfg(not(target_os = "linux"))]
    let mut ports = elsewhere::ports();
    ports.sort_by(|one, other| natural_order(&one.device).cmp(&natural_order(&other.device)));
    ports
}

/// ttyUSB2 before ttyUSB10.
fn natural_order(device: &str) -> (&str, Option<u64>) {
    let name = device.trim_end_matches(|c: char| c.is_ascii_digit());
    (name, device[name.len()..].parse().ok())
}

pub(super) fn description(
    manufacturer: Option<&str>,
    product: Option<&str>,
    interface: Option<&str>,
) -> Option<String> {
    let name = match (manufacturer, product) {
        (Some(manufacturer), Some(product)) if !product.starts_with(manufacturer) => {
            format!("{manufacturer} {product}")
        }
        (_, Some(name)) | (Some(name), None) => name.to_owned(),
        (None, None) => return interface.map(str::to_owned),
    };
    Some(interface.map_or_else(|| name.clone(), |interface| format!("{name} ({interface})")))
}

/// Type-checked for Windows, but never run there or on macOS.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use serialport::{SerialPortInfo, SerialPortType};

    use super::PortInfo;

    pub(super) fn ports() -> Vec<PortInfo> {
        serialport::available_ports().unwrap_or_default().into_iter().map(port_info).collect()
    }

    fn port_info(port: SerialPortInfo) -> PortInfo {
        let device = port.port_name;
        let SerialPortType::UsbPort(usb) = port.port_type else {
            return PortInfo { device, ..PortInfo::default() };
        };
        PortInfo {
            device,
            description: super::description(usb.manufacturer.as_deref(), usb.product.as_deref(), None),
            vid: Some(usb.vid),
            pid: Some(usb.pid),
            serial_number: usb.serial_number,
            interface: usb.interface,
            ..PortInfo::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_ports_by_number() {
        let mut devices = ["/dev/ttyUSB10", "/dev/ttyS0", "/dev/ttyUSB2", "/dev/ttyACM0"];
        devices.sort_by(|one, other| natural_order(one).cmp(&natural_order(other)));
        assert_eq!(devices, ["/dev/ttyACM0", "/dev/ttyS0", "/dev/ttyUSB2", "/dev/ttyUSB10"]);
    }

    #[test]
    fn describes_a_device_without_saying_things_twice() {
        let described = |manufacturer, product, interface| description(manufacturer, product, interface);
        assert_eq!(described(Some("FTDI"), Some("FT232R USB UART"), None).unwrap(), "FTDI FT232R USB UART");
        let name = Some("SimTech, Incorporated");
        assert_eq!(described(name, name, Some("AT")).unwrap(), "SimTech, Incorporated (AT)");
        assert_eq!(described(None, None, Some("AT")).unwrap(), "AT");
        assert_eq!(described(None, None, None), None);
    }

    #[test]
    fn lists_only_what_can_be_opened() {
        for port in list_ports() {
            assert!(std::path::Path::new(&port.device).exists() || cfg!(windows), "{port:?}");
        }
    }
}
