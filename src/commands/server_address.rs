use std::net::Ipv6Addr;

use super::Invalid;
use super::legal_values::quotable;

/// `<server_addr>` of `AT+CMQTTCONNECT`, made of a URL.
///
/// On the wire it is always `tcp://host:port`: `AT+CMQTTACCQ` decides between TCP and TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    wire: String,
    tls: bool,
}

impl ServerAddress {
    /// Lengths of the wire form.
    pub const SHORTEST: usize = "tcp://a.b".len();
    pub const LONGEST: usize = 256;

    /// Reads `mqtt://host[:1883]` or `tcp://…`, `mqtts://host[:8883]` or `ssl://…`, or `host[:port]`.
    ///
    /// `tls` is the kind of the acquired client, if there is one. Without a scheme it decides; without both the connection is
    /// plain.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a URL that names no server, and for a scheme that contradicts `tls`.
    pub fn parse(url: &str, tls: Option<bool>) -> Result<Self, Invalid> {
        let (scheme_tls, authority) = split_scheme(url)?;
        let tls = agreed(url, scheme_tls, tls)?;
        let (host, port) = split_port(url, authority)?;
        if host.is_empty() {
            return Err(Invalid::text("url", url, "a URL with a host, 9 to 256 bytes as tcp://host:port"));
        }
        let given = match port {
            Some(port) => format!("tcp://{host}:{port}"),
            None => format!("tcp://{host}"),
        };
        let wire = match port {
            Some(_) => given.clone(),
            None => format!("{given}:{}", if tls { 8883 } else { 1883 }),
        };
        if given.len() < Self::SHORTEST || wire.len() > Self::LONGEST {
            let expected = format!("{} to {} bytes as tcp://host:port", Self::SHORTEST, Self::LONGEST);
            return Err(Invalid::text("url", url, expected));
        }
        Ok(Self { wire, tls })
    }

    /// `tcp://host:port`.
    pub fn wire(&self) -> &str {
        &self.wire
    }

    pub fn tls(&self) -> bool {
        self.tls
    }
}

fn split_scheme(url: &str) -> Result<(Option<bool>, &str), Invalid> {
    quotable("url", url)?;
    let (scheme, authority) = match url.split_once("://") {
        Some((scheme, authority)) => (Some(scheme.to_ascii_lowercase()), authority),
        None => (None, url),
    };
    if authority.contains('@') {
        // The value is not shown: it may hold a password.
        return Err(Invalid::with(
            "url",
            "user information",
            "without it: pass username and password as arguments",
        ));
    }
    let tls = match scheme.as_deref() {
        None => None,
        Some("mqtt" | "tcp") => Some(false),
        Some("mqtts" | "ssl") => Some(true),
        Some(_) => {
            let expected = "mqtt://host[:1883], tcp://…, mqtts://host[:8883], ssl://… or host[:port]";
            return Err(Invalid::text("url", url, expected));
        }
    };
    Ok((tls, authority))
}

fn agreed(url: &str, scheme: Option<bool>, client: Option<bool>) -> Result<bool, Invalid> {
    match (scheme, client) {
        (Some(true), Some(false)) => {
            Err(Invalid::text("url", url, "mqtt://… or host[:port]: this client was acquired with tls=False"))
        }
        (Some(false), Some(true)) => {
            Err(Invalid::text("url", url, "mqtts://… or host[:port]: this connection was asked for with tls"))
        }
        (scheme, client) => Ok(scheme.or(client).unwrap_or(false)),
    }
}

fn split_port<'u>(url: &str, authority: &'u str) -> Result<(&'u str, Option<u16>), Invalid> {
    if authority.contains(['/', '?', '#']) {
        return Err(Invalid::text("url", url, "without a path: MQTT servers have none"));
    }
    let (host, port) = if authority.starts_with('[') {
        split_brackets(url, authority)?
    } else {
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(Invalid::text(
                    "url",
                    url,
                    "host[:port], an IPv6 address in brackets as in [::1]:1883",
                ));
            }
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    if !host.starts_with('[') && !host.bytes().all(is_of_a_host_name) {
        return Err(Invalid::text(
            "url",
            url,
            "a host name of ASCII letters, digits, dots, hyphens and underscores",
        ));
    }
    Ok((host, port.map(|port| parse_port(url, port)).transpose()?))
}

fn split_brackets<'u>(url: &str, authority: &'u str) -> Result<(&'u str, Option<&'u str>), Invalid> {
    let wrong = || Invalid::text("url", url, "[IPv6 address][:port], as in [::1]:1883");
    let end = authority.find(']').ok_or_else(wrong)? + 1;
    let (host, rest) = authority.split_at(end);
    if host[1..end - 1].parse::<Ipv6Addr>().is_err() {
        return Err(wrong());
    }
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(wrong()),
    }
}

fn is_of_a_host_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

fn parse_port(url: &str, text: &str) -> Result<u16, Invalid> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port > 0)
        .ok_or_else(|| Invalid::text("url", url, "host:port with a port of 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        ServerAddress::parse(url, None).unwrap_err().to_string()
    }

    #[test]
    fn each_form_becomes_tcp_host_port() {
        for (url, wire, tls) in [
            ("mqtt://broker.example", "tcp://broker.example:1883", false),
            ("tcp://broker.example", "tcp://broker.example:1883", false),
            ("mqtts://broker.example", "tcp://broker.example:8883", true),
            ("ssl://broker.example:443", "tcp://broker.example:443", true),
            ("MQTTS://Broker.Example:1", "tcp://Broker.Example:1", true),
            ("broker.example", "tcp://broker.example:1883", false),
            ("198.41.30.241:1883", "tcp://198.41.30.241:1883", false),
            ("under_score-1:65535", "tcp://under_score-1:65535", false),
            ("mqtt://[::1]", "tcp://[::1]:1883", false),
            ("[2001:db8::7]:443", "tcp://[2001:db8::7]:443", false),
            ("host:001883", "tcp://host:1883", false),
        ] {
            let address = ServerAddress::parse(url, None).unwrap();
            assert_eq!((address.wire(), address.tls()), (wire, tls), "{url}");
        }
    }

    #[test]
    fn client_decides_without_a_scheme() {
        let address = ServerAddress::parse("broker.example", Some(true)).unwrap();
        assert_eq!((address.wire(), address.tls()), ("tcp://broker.example:8883", true));
        assert!(!ServerAddress::parse("broker.example", Some(false)).unwrap().tls());
    }

    #[test]
    fn scheme_must_agree_with_the_client() {
        assert!(ServerAddress::parse("mqtts://host", Some(true)).is_ok());
        assert!(ServerAddress::parse("mqtt://host", Some(false)).is_ok());
        let message = ServerAddress::parse("mqtts://host", Some(false)).unwrap_err().to_string();
        assert!(message.contains("acquired with tls=False"), "{message}");
        let message = ServerAddress::parse("tcp://host", Some(true)).unwrap_err().to_string();
        assert!(message.contains("asked for with tls"), "{message}");
    }

    #[test]
    fn lengths_are_9_to_256_bytes() {
        assert_eq!(ServerAddress::parse("tcp://a:1", None).unwrap().wire().len(), 9);
        assert_eq!(ServerAddress::parse("a.b", None).unwrap().wire(), "tcp://a.b:1883");
        for short in ["tcp://ab", "a", "mqtt://", "", ":1883"] {
            assert!(refused(short).contains("9 to 256 bytes as tcp://host:port"), "{short}");
        }
        let longest = "h".repeat(256 - "tcp://:1883".len());
        assert_eq!(ServerAddress::parse(&longest, None).unwrap().wire().len(), 256);
        assert!(refused(&format!("{longest}h")).contains("9 to 256 bytes as tcp://host:port"));
    }

    #[test]
    fn ports_are_1_to_65535() {
        for wrong in ["host:0", "host:65536", "host:", "host:x", "host:+1", "[::1]:0"] {
            assert!(refused(wrong).contains("port of 1 to 65535"), "{wrong}");
        }
    }

    #[test]
    fn url_without_a_server_is_refused_with_a_reason() {
        for (url, reason) in [
            ("http://host", "mqtt://host[:1883]"),
            ("mqtt://host/path", "without a path"),
            ("mqtt://host?x", "without a path"),
            ("::1", "in brackets"),
            ("[::1", "as in [::1]:1883"),
            ("[host]:1", "as in [::1]:1883"),
            ("[::1]1883", "as in [::1]:1883"),
            ("ho st", "a host name of ASCII letters"),
            ("bröker.example", "a host name of ASCII letters"),
            ("ho\"st", "free of quotes"),
            ("host\r\nAT", "free of quotes"),
            ("host\0", "free of quotes"),
        ] {
            assert!(refused(url).contains(reason), "{url}: {}", refused(url));
        }
    }

    #[test]
    fn a_password_in_the_url_is_not_shown() {
        for url in ["mqtt://user:hunter2@host", "user:hunter2@host", "ws://user:hunter2@host"] {
            let message = refused(url);
            assert!(message.contains("pass username and password"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
