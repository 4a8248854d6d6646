use super::redaction::redacted;
use crate::at::ClientIndex;

/// The four forms of an AT command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Execute,
    Write,
    Read,
    Test,
}

/// A command whose result the network owes after `OK`, as `+CMQTT…: <result>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Start,
    Stop,
    Connect,
    Disconnect,
    Publish,
    Subscribe,
    Unsubscribe,
}

/// What a command's line says about the answer to expect. Derived from the text alone, so that a command typed by
/// hand is understood as well as one built by the driver.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine {
    bytes: Vec<u8>,
    name: Vec<u8>,
    form: Form,
    operation: Option<Operation>,
    client: Option<ClientIndex>,
}

impl CommandLine {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let (name, form, parameters) = split(&bytes);
        let name = name.to_ascii_uppercase();
        let acts = matches!(form, Form::Execute | Form::Write);
        let operation = if acts { operation_named(&name) } else { None };
        let client = if form == Form::Write && name.starts_with(b"CMQTT") {
            client_in(&name, parameters)
        } else {
            None
        };
        Self { bytes, name, form, operation, client }
    }

    /// The line without its CR.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name without `AT+`, in capitals; empty for basic commands such as `ATE0`.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub fn form(&self) -> Form {
        self.form
    }

    pub fn operation(&self) -> Option<Operation> {
        self.operation
    }

    pub fn client(&self) -> Option<ClientIndex> {
        self.client
    }

    /// Commands that answer with a bare value on a line (`AT+CGSN`), or with topics (`AT+CMQTTSUB?`). Those of the MQTT
    /// stack and those known to prefix their lines never do.
    pub fn takes_bare_lines(&self) -> bool {
        let prefixes_its_lines = [&b"CMQTT"[..], b"CCERT", b"CSSL", b"CSQ", b"CPSI"];
        !prefixes_its_lines.iter().any(|start| self.name.starts_with(start))
    }

    /// `AT+CMQTTSUB?`: the topics of both clients as bare lines, which may look like anything.
    pub fn lists_topics(&self) -> bool {
        self.form == Form::Read && self.name == b"CMQTTSUB"
    }

    /// The operation whose result this read form's lines could be taken for. Those of `AT+CMQTTCONNECT?` cannot: they
    /// have a server address, or the client alone.
    pub(crate) fn resembled_operation(&self) -> Option<Operation> {
        let operation = if self.form == Form::Read { operation_named(&self.name) } else { None };
        operation.filter(|operation| *operation != Operation::Connect)
    }

    /// The length that a command asking for data announces: its second parameter.
    pub(crate) fn announced_length(&self) -> Option<usize> {
        std::str::from_utf8(self.parameters().nth(1)?).ok()?.trim().parse().ok()
    }

    /// Basic commands, as `ATE0`, `ATZ` and `AT&F`, may turn the echo on or off.
    pub(crate) fn may_change_echo(&self) -> bool {
        self.name.is_empty() && self.bytes.len() > 2
    }

    /// `<qos>` of `AT+CMQTTPUB=<client_index>,<qos>,…`.
    pub(crate) fn publish_qos(&self) -> Option<u8> {
        if self.operation != Some(Operation::Publish) {
            return None;
        }
        std::str::from_utf8(self.parameters().nth(1)?).ok()?.trim().parse().ok()
    }

    /// `AT+CMQTTPUB` with `<dup>` set: `=<client_index>,<qos>,<pub_timeout>,<retained>,1`.
    pub(crate) fn with_dup(&self) -> Self {
        let mut fields: Vec<&[u8]> = self.parameters().take(4).collect();
        fields.resize(4, b"0");
        fields.push(b"1");
        let end =
            self.bytes.iter().position(|byte| *byte == b'=').map_or(self.bytes.len(), |equals| equals + 1);
        Self::new([&self.bytes[..end], &fields.join(&b',')].concat())
    }

    fn parameters(&self) -> impl Iterator<Item = &[u8]> {
        let parameters = self.bytes.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default();
        parameters.split(|byte| *byte == b',')
    }

    /// Whether `line` begins with this command's own prefix, `+NAME:`.
    pub fn owns(&self, line: &[u8]) -> bool {
        !self.name.is_empty()
            && line
                .strip_prefix(b"+")
                .and_then(|rest| rest.get(..self.name.len()).zip(rest.get(self.name.len()..)))
                .is_some_and(|(name, rest)| {
                    name.eq_ignore_ascii_case(&self.name) && rest.first() == Some(&b':')
                })
    }

    /// For people: secrets redacted, unprintable bytes escaped.
    pub fn shown(&self) -> String {
        redacted(&self.bytes).escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
    }
}

impl std::fmt::Debug for CommandLine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "CommandLine({})", self.shown())
    }
}

impl Operation {
    /// Some firmware answers a rejected CONNECT with `ERROR` first and the result code after it.
    pub(crate) fn result_may_follow_error(self) -> bool {
        self == Self::Connect
    }

    /// Some firmware gives the result of these before `OK`.
    pub(crate) fn result_may_precede_ok(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Disconnect)
    }
}

fn split(line: &[u8]) -> (&[u8], Form, &[u8]) {
    let Some(rest) = line.get(..3).filter(|start| start.eq_ignore_ascii_case(b"AT+")).map(|_| &line[3..])
    else {
        return (b"", Form::Execute, b"");
    };
    let Some(end) = rest.iter().position(|byte| matches!(byte, b'=' | b'?')) else {
        return (rest.trim_ascii(), Form::Execute, b"");
    };
    let (name, tail) = (&rest[..end], &rest[end..]);
    match tail {
        [b'=', b'?', ..] => (name, Form::Test, b""),
        [b'?', ..] => (name, Form::Read, b""),
        _ => (name, Form::Write, &tail[1..]),
    }
}

fn operation_named(name: &[u8]) -> Option<Operation> {
    Some(match name {
        b"CMQTTSTART" => Operation::Start,
        b"CMQTTSTOP" => Operation::Stop,
        b"CMQTTCONNECT" => Operation::Connect,
        b"CMQTTDISC" => Operation::Disconnect,
        b"CMQTTPUB" => Operation::Publish,
        b"CMQTTSUB" => Operation::Subscribe,
        b"CMQTTUNSUB" => Operation::Unsubscribe,
        _ => return None,
    })
}

fn client_in(name: &[u8], parameters: &[u8]) -> Option<ClientIndex> {
    // AT+CMQTTSTART=<cid> numbers a PDP context; AT+CMQTTCFG="version",<index>,… has the client second.
    let position = match name {
        b"CMQTTSTART" | b"CMQTTSTOP" => return None,
        b"CMQTTCFG" => 1,
        _ => 0,
    };
    let field = parameters.split(|byte| *byte == b',').nth(position)?.trim_ascii();
    ClientIndex::from_number(std::str::from_utf8(field).ok()?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        CommandLine::new(text.as_bytes().to_vec())
    }

    #[test]
    fn knows_which_answers_are_bare_values() {
        assert!(line("AT+CGSN").takes_bare_lines());
        assert!(line("ATI").takes_bare_lines());
        assert!(!line("AT+CMQTTACCQ?").takes_bare_lines());
        assert!(!line("AT+CSQ").takes_bare_lines());
    }

    #[test]
    fn sets_dup_and_keeps_the_rest() {
        assert_eq!(line("AT+CMQTTPUB=0,1,60").with_dup().bytes(), b"AT+CMQTTPUB=0,1,60,0,1");
        assert_eq!(line("AT+CMQTTPUB=1,1,75,1").with_dup().bytes(), b"AT+CMQTTPUB=1,1,75,1,1");
        assert_eq!(line("AT+CMQTTPUB=1,1,75,1,1").with_dup().bytes(), b"AT+CMQTTPUB=1,1,75,1,1");
        assert_eq!(line("AT+CMQTTPUB=1,2,75").publish_qos(), Some(2));
    }

    #[test]
    fn reads_the_announced_length() {
        assert_eq!(line("AT+CMQTTTOPIC=0,12").announced_length(), Some(12));
        assert_eq!(line("AT+CCERTDOWN=\"ca.pem\",1024").announced_length(), Some(1024));
        assert_eq!(line("AT+CSQ").announced_length(), None);
    }

    #[test]
    fn tells_the_four_forms_apart() {
        assert_eq!(line("AT+CMQTTSTART").form(), Form::Execute);
        assert_eq!(line("AT+CMQTTACCQ=0,\"a=?b\"").form(), Form::Write);
        assert_eq!(line("AT+CMQTTSUB?").form(), Form::Read);
        assert_eq!(line("AT+CMQTTSUB=?").form(), Form::Test);
        assert_eq!(line("ATE0").form(), Form::Execute);
    }

    #[test]
    fn finds_the_client() {
        assert_eq!(line("AT+CMQTTPUB=1,0,60").client(), Some(ClientIndex::One));
        assert_eq!(line("AT+CMQTTCFG=\"version\",1,4").client(), Some(ClientIndex::One));
        assert_eq!(line("AT+CMQTTSTART=1").client(), None);
        assert_eq!(line("AT+CMQTTDISC?").client(), None);
    }

    #[test]
    fn only_execute_and_write_forms_are_operations() {
        assert_eq!(line("at+cmqttdisc=0,60").operation(), Some(Operation::Disconnect));
        assert_eq!(line("AT+CMQTTDISC?").operation(), None);
        assert_eq!(line("AT+CMQTTDISC=?").operation(), None);
    }

    #[test]
    fn owns_lines_with_its_prefix_alone() {
        assert!(line("AT+CSQ").owns(b"+CSQ: 23,0"));
        assert!(!line("AT+CSQ").owns(b"+CSQX: 23,0"));
        assert!(!line("AT").owns(b"+: 1"));
    }
}
