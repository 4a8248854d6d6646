//! Unsolicited lines, and the results of operations.

use super::client_index::ClientIndex;
use super::command_kind::Operation;
use super::parameters::Parameters;
use super::result_code::ResultCode;

/// A line that the module sends without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urc {
    /// `+CMQTTCONNLOST: <client_index>,<cause>`
    ConnectionLost { client: ClientIndex, cause: u8 },
    /// `+CMQTTNONET`
    NoNetwork,
    /// The module has just started.
    Boot,
    /// A line of another feature. Some of these are also the answer of a command that names them, as `+CPIN: READY`.
    Other,
}

/// The boot banners of this family and its siblings. `+CPIN`, `SMS DONE` and `PB DONE` can come at any time.
const BOOT: [&[u8]; 3] = [b"RDY", b"QCRDY", b"*ATREADY: 1"];

/// Names behind `+`: network, SIM and toolkit, calls, text messages, positioning, sockets.
const NAMES: &[&[u8]] = &[
    b"CREG",
    b"CGREG",
    b"CEREG",
    b"C5GREG",
    b"CGEV",
    b"CSQ",
    b"CNSMOD",
    b"CTZV",
    b"CTZE",
    b"CTZU",
    b"CIEV",
    b"CFUN",
    b"CPIN",
    b"SIMCARD",
    b"SIM",
    b"STIN",
    b"STKPCI",
    b"MSTK",
    b"CMTE",
    b"CPMVT",
    b"CRING",
    b"CLIP",
    b"CCWA",
    b"COLP",
    b"CSSI",
    b"CSSU",
    b"CUSD",
    b"CMT",
    b"CMTI",
    b"CDS",
    b"CDSI",
    b"CBM",
    b"CBMI",
    b"CGNSSPWR",
    b"CIPEVENT",
    b"IPCLOSE",
    b"NETCLOSE",
    b"NETWORK",
    b"PDP",
];
const WORDS: &[&[u8]] = &[
    b"RING",
    b"NO CARRIER",
    b"SMS DONE",
    b"PB DONE",
    b"SMS READY",
    b"CALL READY",
    b"Call Ready",
    b"SMS Ready",
];
const BEGINNINGS: &[&[u8]] = &[b"MISSED_CALL:", b"VOICE CALL:", b"DST:"];
/// Warnings of the power supply and of the temperature; the spelling differs.
const WARNINGS: &[&[u8]] = &[b"VOLTAGE ", b"POWER DOWN", b"TEMPERATURE"];

/// A boot banner is among these bytes, or begins with the last of them.
pub(crate) fn may_hold_boot_banner(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).rev();
    let last = lines.next().unwrap_or_default();
    let is_cut_banner = !last.is_empty() && BOOT.iter().any(|banner| banner.starts_with(last));
    is_cut_banner || lines.any(|line| BOOT.contains(&line))
}

impl Urc {
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        if BOOT.contains(&line) {
            return Some(Self::Boot);
        }
        match line {
            [b'+', b'C', b'M', b'Q', b'T', b'T', rest @ ..] => Self::of_mqtt(rest),
            [b'+', rest @ ..] => has_name(rest).then_some(Self::Other),
            [b'$', rest @ ..] => is_sentence(rest).then_some(Self::Other),
            [b'*', first, ..] => first.is_ascii_uppercase().then_some(Self::Other),
            _ => is_text(line.trim_ascii_end()).then_some(Self::Other),
        }
    }

    fn of_mqtt(rest: &[u8]) -> Option<Self> {
        if let Some(values) = rest.strip_prefix(b"CONNLOST:") {
            let (client, cause) = client_and_code(Parameters::new(values))?;
            return Some(Self::ConnectionLost { client, cause: u8::try_from(cause.number()).ok()? });
        }
        if rest.trim_ascii_end() == b"NONET" {
            return Some(Self::NoNetwork);
        }
        rest.starts_with(b"PING:").then_some(Self::Other)
    }
}

/// `rest` is what stands behind `+`.
fn has_name(rest: &[u8]) -> bool {
    let end = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    matches!(rest.get(end), Some(b':' | b' ')) && NAMES.contains(&&rest[..end])
}

/// A satellite sentence, as `$GNRMC,…` or `$BDGSA,…`, or a line of the SIM toolkit. `$SYS/…` is a topic.
fn is_sentence(rest: &[u8]) -> bool {
    let letters = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    (letters >= 4 && rest.get(letters) == Some(&b','))
        || rest.starts_with(b"G")
        || rest.starts_with(b"QCSTKURC")
}

fn is_text(line: &[u8]) -> bool {
    let is_capital = line.first().is_some_and(u8::is_ascii_uppercase);
    is_capital
        && (WORDS.contains(&line)
            || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
            || WARNINGS.iter().any(|part| memchr::memmem::find(line, part).is_some()))
}

/// The result of an operation: `+CMQTTSTART: <err>`, or `+CMQTT…: <client_index>,<err>`.
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
        for line in [
            "$GNRMC,,V",
            "$BDGSA,A,1",
            "+CPIN: READY",
            "RING",
            "*ISIMAID: \"A0000000871004\"",
            "UNDER-VOLTAGE WARNNING",
            "NORMAL POWER DOWN",
            "MISSED_CALL: 10:14AM 07712345678",
            "VOICE CALL: END: 000012",
            "+CMT: \"+64\",\"\",\"25/04/10,18:45:46+48\"",
            "+CMQTTPING: 0,17",
        ] {
            assert_eq!(Urc::parse(line.as_bytes()), Some(Urc::Other), "{line}");
        }
        for line in [
            "SIM7672E",
            "SIMCOM INCORPORATED",
            "IMEI: 864643060012345",
            "$SYS/broker",
            "+CMQTTPUB: 0,0",
            "+X: 1",
            "",
        ] {
            assert_eq!(Urc::parse(line.as_bytes()), None, "{line}");
        }
    }
}
