/// A serial port of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortInfo {
    /// The name to open: `/dev/ttyUSB2`, `COM5`.
    pub device: String,
    /// A name made of the USB device's serial number and interface, on Linux: `/dev/serial/by-id/…`.
    pub by_id: Option<String>,
    /// A name made of the USB socket and interface, on Linux: `/dev/serial/by-path/…`.
    pub by_path: Option<String>,
    /// Manufacturer, product and interface as the USB device names them.
    pub description: Option<String>,
    /// USB vendor number.
    pub vid: Option<u16>,
    /// USB product number.
    pub pid: Option<u16>,
    /// The USB device's serial number. Many modules have the same.
    pub serial_number: Option<String>,
    /// Number of the USB interface. It tells the ports of one module apart.
    pub interface: Option<u8>,
    /// Number of the port among those of its interface, on Linux.
    pub port_number: Option<u8>,
    /// The USB socket, on Linux: `1-2.3` is socket 3 of the hub in socket 2 of bus 1.
    pub socket: Option<String>,
    /// The address that the USB device got when it was plugged in, on Linux. It is another one each time.
    pub usb_address: Option<u32>,
}

/// Joins the three names and leaves out a manufacturer that the product repeats.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_names_nothing_twice() {
        assert_eq!(description(Some("FTDI"), Some("FT232R USB UART"), None).unwrap(), "FTDI FT232R USB UART");
        let name = Some("SimTech, Incorporated");
        assert_eq!(description(name, name, Some("AT")).unwrap(), "SimTech, Incorporated (AT)");
    }

    #[test]
    fn description_uses_what_is_known() {
        assert_eq!(description(Some("FTDI"), None, None).unwrap(), "FTDI");
        assert_eq!(description(None, None, Some("AT")).unwrap(), "AT");
        assert_eq!(description(None, None, None), None);
    }
}
