use super::client_index::ClientIndex;
use super::command_kind::Operation;
use super::parameters::Parameters;
use super::result_code::ResultCode;

/// Lines that mean the same whenever they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urc {
    /// `+CMQTTCONNLOST: <client_index>,<cause>`
    ConnectionLost { client: ClientIndex, cause: u8 },
    /// `+CMQTTNONET`
    NoNetwork,
    /// The module has just started.
    Boot,
    /// Known to come at any time; no business of the MQTT stack.
    Other,
}

/// The boot banners of this family and its siblings. `+CPIN`, `SMS DONE` and `PB DONE` can come at any time.
const BOOT: &[&[u8]] = &[b"RDY", b"QCRDY", b"*ATREADY: 1"];
const OTHER: &[&[u8]] = &[b"SMS DONE", b"PB DONE", b"SMS READY", b"CALL READY", b"NORMAL POWER DOWN"];
/// Never the answer to a command.
const OTHER_PREFIXES: &[&[u8]] = &[b"+CGEV:", b"$G", b"$QCSTKURC", b"+CMTI:", b"+CTZV:", b"+CMQTTPING:"];

/// Whether a boot banner is among these bytes, or begins with the last of them.
pub(crate) fn may_hold_boot_banner(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).rev();
    let last = lines.next().unwrap_or_default();
    let is_cut_banner = !last.is_empty() && BOOT.iter().any(|banner| banner.starts_with(last));
    is_cut_banner || lines.any(|line| Urc::parse(line) == Some(Urc::Boot))
}

impl Urc {
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        if let Some(rest) = line.strip_prefix(b"+CMQTTCONNLOST:") {
            let (client, cause) = client_and_code(Parameters::new(rest))?;
            return Some(Self::ConnectionLost { client, cause: u8::try_from(cause.number()).ok()? });
        }
        if line.trim_ascii_end() == b"+CMQTTNONET" {
            return Some(Self::NoNetwork);
        }
        if BOOT.contains(&line) {
            return Some(Self::Boot);
        }
        let other = OTHER.contains(&line) || OTHER_PREFIXES.iter().any(|prefix| line.starts_with(prefix));
        other.then_some(Self::Other)
    }
}

/// What an operation came to: `+CMQTTSTART: <err>`, or `+CMQTT…: <client_index>,<err>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OperationResult {
    pub(crate) operation: Operation,
    pub(crate) client: Option<ClientIndex>,
    pub(crate) code: ResultCode,
}

impl OperationResult {
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"+CMQTT")?;
        let colon = memchr::memchr(b':', rest)?;
        let values = &rest[colon + 1..];
        let operation = match &rest[..colon] {
            b"START" => Operation::Start,
            b"STOP" => Operation::Stop,
            b"CONNECT" => Operation::Connect,
            b"DISC" => Operation::Disconnect,
            b"PUB" => Operation::Publish,
            b"SUB" => Operation::Subscribe,
            b"UNSUB" => Operation::Unsubscribe,
            _ => return None,
        };
        let values = Parameters::new(values);
        if matches!(operation, Operation::Start | Operation::Stop) {
            return Some(Self { operation, client: None, code: ResultCode::new(values.get(0)?.number()?) });
        }
        let (client, code) = client_and_code(values)?;
        Some(Self { operation, client: Some(client), code })
    }
}

/// `<client_index>,<err>`, and nothing else.
pub(crate) fn client_and_code(parameters: Parameters<'_>) -> Option<(ClientIndex, ResultCode)> {
    let mut values = parameters.values();
    let pair = (values.next()?.client()?, ResultCode::new(values.next()?.number()?));
    values.next().is_none().then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_results() {
        let parsed = OperationResult::parse(b"+CMQTTPUB: 1,17");
        let expected = OperationResult {
            operation: Operation::Publish,
            client: Some(ClientIndex::One),
            code: ResultCode::TIMEOUT,
        };
        assert_eq!(parsed, Some(expected));
        assert_eq!(
            OperationResult::parse(b"+CMQTTSTART: 0,1").map(|result| result.code),
            Some(ResultCode::SUCCEEDED)
        );
        for line in [
            "+CMQTTPUB: 2,0",
            "+CMQTTPUB: 0",
            "+CMQTTPUB: 0,0,0",
            "+CMQTTDISC: (0-1),(0, 60-180)",
            "+CMQTTPUB: 0,+1",
        ] {
            assert_eq!(OperationResult::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn knows_what_can_come_at_any_time() {
        assert_eq!(
            Urc::parse(b"+CMQTTCONNLOST: 0,3"),
            Some(Urc::ConnectionLost { client: ClientIndex::Zero, cause: 3 })
        );
        assert_eq!(Urc::parse(b"+CMQTTNONET"), Some(Urc::NoNetwork));
        assert_eq!(Urc::parse(b"*ATREADY: 1"), Some(Urc::Boot));
        assert_eq!(Urc::parse(b"$GNRMC,,V"), Some(Urc::Other));
        assert_eq!(Urc::parse(b"+CPIN: READY"), None, "the answer to AT+CPIN? too");
    }
}
