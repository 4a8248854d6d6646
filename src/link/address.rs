use std::fmt;

/// The place of a module: a serial port of this machine, or a server that passes a serial port through as raw TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `/dev/ttyUSB2`, `COM5`.
    Serial { path: String },
    /// `socket://host:port`. The host of an IPv6 address has no brackets here.
    Socket { host: String, port: u16 },
    /// `rfc2217://host:port`: a server that takes commands for the port, too.
    Rfc2217 { host: String, port: u16 },
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a port: {problem}; write a device such as \"/dev/ttyUSB2\" or \"COM5\", \"socket://host:port\" or \"rfc2217://host:port\""
)]
pub struct AddressError {
    text: String,
    problem: &'static str,
}

impl Address {
    /// Parses the name of a serial port, `socket://host:port` or `rfc2217://host:port`.
    ///
    /// # Errors
    ///
    /// An [`AddressError`] for an empty text, another scheme, or an impossible host or port.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let error = |problem| AddressError { text: text.to_owned(), problem };
        if text.is_empty() {
            return Err(error("it is empty"));
        }
        if text.contains('\0') {
            return Err(error("it contains a NUL"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Serial { path: text.to_owned() });
        };
        let is_raw = scheme.eq_ignore_ascii_case("socket");
        if !is_raw && !scheme.eq_ignore_ascii_case("rfc2217") {
            return Err(error("its scheme is unknown"));
        }
        let (host, port) = split_host(rest).map_err(error)?;
        let port = port.parse().ok().filter(|port| *port != 0);
        let port = port.ok_or_else(|| error("its TCP port is not a number from 1 to 65535"))?;
        let host = host.to_owned();
        Ok(if is_raw { Self::Socket { host, port } } else { Self::Rfc2217 { host, port } })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Self::Serial { path } => return formatter.write_str(path),
            Self::Socket { host, port } => ("socket", host, port),
            Self::Rfc2217 { host, port } => ("rfc2217", host, port),
        };
        if host.contains(':') {
            return write!(formatter, "{scheme}://[{host}]:{port}");
        }
        write!(formatter, "{scheme}://{host}:{port}")
    }
}

fn split_host(rest: &str) -> Result<(&str, &str), &'static str> {
    const NO_PORT: &str = "it names no TCP port";
    if let Some(bracketed) = rest.strip_prefix('[') {
        let (host, tail) = bracketed.split_once(']').ok_or("its IPv6 address has no closing bracket")?;
        // A zone may follow the address: fe80::1%eth0.
        let address = host.split_once('%').map_or(host, |(address, _)| address);
        address
            .parse::<std::net::Ipv6Addr>()
            .map_err(|_| "the text between its brackets is not an IPv6 address")?;
        return Ok((host, tail.strip_prefix(':').ok_or(NO_PORT)?));
    }
    let (host, port) = rest.rsplit_once(':').ok_or(NO_PORT)?;
    match host {
        "" => Err("it names no host"),
        _ if host.contains(':') => Err("an IPv6 address goes between brackets"),
        _ if host.contains(|c: char| c.is_whitespace() || "/@?#[]".contains(c)) => {
            Err("its host has characters that a host name cannot have")
        }
        _ => Ok((host, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(host: &str, port: u16) -> Address {
        Address::Socket { host: host.to_owned(), port }
    }

    #[test]
    fn device_path_is_a_serial_port() {
        for path in ["/dev/ttyUSB2", "COM5", r"\\.\COM12", "/dev/serial/by-id/usb-SimTech_x-if02-port0"] {
            assert_eq!(Address::parse(path), Ok(Address::Serial { path: path.to_owned() }));
        }
    }

    #[test]
    fn socket_address_is_parsed_and_shown_unchanged() {
        for (text, address) in [
            ("socket://localhost:3001", socket("localhost", 3001)),
            ("socket://192.168.1.4:65535", socket("192.168.1.4", 65535)),
            ("socket://[::1]:3001", socket("::1", 3001)),
            ("socket://[fe80::1%eth0]:3001", socket("fe80::1%eth0", 3001)),
        ] {
            assert_eq!(Address::parse(text), Ok(address.clone()));
            assert_eq!(address.to_string(), text);
        }
        assert_eq!(Address::parse("SOCKET://h:1"), Ok(socket("h", 1)));
        let remote = Address::Rfc2217 { host: "::1".to_owned(), port: 2217 };
        assert_eq!(Address::parse("rfc2217://[::1]:2217"), Ok(remote.clone()));
        assert_eq!(remote.to_string(), "rfc2217://[::1]:2217");
    }

    #[test]
    fn error_names_the_problem() {
        for (text, problem) in [
            ("", "is empty"),
            ("/dev/tty\0USB2", "NUL"),
            ("telnet://host:1", "scheme"),
            ("rfc2217://host", "no TCP port"),
            ("socket://host", "no TCP port"),
            ("socket://host:", "1 to 65535"),
            ("socket://host:0", "1 to 65535"),
            ("socket://host:65536", "1 to 65535"),
            ("socket://:1", "no host"),
            ("socket://::1:1", "brackets"),
            ("socket://[::1:1", "closing bracket"),
            ("socket://[::1]", "no TCP port"),
            ("socket://[host]:1", "not an IPv6 address"),
            ("socket://user@host:1", "cannot have"),
            ("socket://host/path:1", "cannot have"),
        ] {
            let error = Address::parse(text).expect_err(text).to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
