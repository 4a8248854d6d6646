//! The text of a command, and what was known about it when it was built.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::client_index::ClientIndex;
use super::command_kind::{CommandKind, CommandName, Form};
use super::parameters::Parameters;
use super::redaction::{is_answered_with_secret, is_sound_answer, not_shown, redacted, secret_spans};

/// The line of a command, without its CR. It is taken apart once, when it is made: the [`CommandKind`] travels with it.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine {
    bytes: Vec<u8>,
    kind: CommandKind,
    /// Where the name behind `AT+` ends. Without a name: 0.
    name_end: usize,
    secrets: Vec<Range<usize>>,
}

impl CommandLine {
    /// Reads a line as a person types it.
    pub(crate) fn parse(bytes: Vec<u8>) -> Self {
        let secrets = secret_spans(&bytes);
        let Some(rest) = bytes.get(..NAME_START).filter(|start| start.eq_ignore_ascii_case(b"AT+")) else {
            let kind = CommandKind { name: CommandName::Basic, form: Form::Execute, client: None };
            return Self { bytes, kind, name_end: 0, secrets };
        };
        let rest = &bytes[rest.len()..];
        let sign = memchr::memchr2(b'=', b'?', rest).unwrap_or(rest.len());
        let name_end = NAME_START + rest[..sign].trim_ascii_end().len();
        let name = CommandName::parse(rest[..sign].trim_ascii());
        let form = match &rest[sign..] {
            [] => Form::Execute,
            [b'=', b'?', ..] => Form::Test,
            [b'=', ..] => Form::Write,
            _ => Form::Read,
        };
        let client = if form == Form::Write { client_of(name, &rest[sign + 1..]) } else { None };
        Self { kind: CommandKind { name, form, client }, name_end, bytes, secrets }
    }

    /// The line without its CR.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn kind(&self) -> CommandKind {
        self.kind
    }

    /// The name behind `AT+`, as it was typed; empty for basic commands such as `ATE0`.
    pub fn name(&self) -> &[u8] {
        self.bytes.get(NAME_START..self.name_end).unwrap_or_default().trim_ascii_start()
    }

    pub fn form(&self) -> Form {
        self.kind.form
    }

    pub fn client(&self) -> Option<ClientIndex> {
        self.kind.client
    }

    /// The values behind the `=` of a write form; a single empty value for the other forms.
    pub fn parameters(&self) -> Parameters<'_> {
        let behind_sign = memchr::memchr(b'=', &self.bytes).filter(|_| self.kind.form == Form::Write);
        Parameters::new(behind_sign.map_or(&[], |sign| &self.bytes[sign + 1..]))
    }

    /// The command may answer with a bare value on a line, as `AT+CGSN` does, or with topics, as `AT+CMQTTSUB?` does. The
    /// other commands of the MQTT stack, and those known to prefix their lines, never do.
    pub(crate) fn takes_bare_lines(&self) -> bool {
        let prefixes_its_lines = [&b"CCERT"[..], b"CSSL", b"CSQ", b"CPSI"];
        let name = self.name();
        let has_prefix = |start: &&[u8]| {
            name.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
        };
        !self.kind.name.is_mqtt() && !prefixes_its_lines.iter().any(has_prefix)
    }

    /// `AT+CMGR` and `AT+CMGL` answer with text messages, whose lines may look like anything.
    pub(crate) fn lists_text(&self) -> bool {
        self.name().eq_ignore_ascii_case(b"CMGR") || self.name().eq_ignore_ascii_case(b"CMGL")
    }

    /// A line of the answer may have any prefix. `AT`, `ATE0` and the like answer with a final result code alone.
    pub(crate) fn may_answer_with_other_prefix(&self) -> bool {
        let is_basic = self.kind.name == CommandName::Basic;
        !is_basic
            || self.bytes.get(2).is_some_and(|letter| !matches!(letter.to_ascii_uppercase(), b'E' | b'Z'))
    }

    /// The name of `line` stands somewhere in the command.
    pub(crate) fn names(&self, line: &[u8]) -> bool {
        let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'*' | b'$');
        let name = &line[..line.iter().take_while(|byte| is_of_name(byte)).count()];
        name.len() > 1 && self.bytes.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name))
    }

    /// The length of the data that the command announces: its second parameter.
    pub(crate) fn announced_length(&self) -> Option<usize> {
        self.parameters().get(1)?.number()
    }

    /// `ATE0`, `ATZ` and `AT&F` may turn the echo on or off.
    pub(crate) fn may_change_echo(&self) -> bool {
        self.kind.name == CommandName::Basic && self.bytes.len() > 2
    }

    /// `<qos>` of `AT+CMQTTPUB=<client_index>,<qos>,…`.
    pub(crate) fn publish_qos(&self) -> Option<u8> {
        if self.kind.name != CommandName::Publish {
            return None;
        }
        self.parameters().get(1)?.number()
    }

    /// `AT+CMQTTPUB` with `<dup>` set: `=<client_index>,<qos>,<pub_timeout>,<retained>,1`.
    pub(crate) fn with_dup(&self) -> Self {
        let mut fields: Vec<&[u8]> =
            self.parameters().values().take(4).map(super::parameters::Value::bytes).collect();
        fields.resize(4, b"0");
        fields.push(b"1");
        let bytes = [&self.bytes[..self.name_end], b"=", &fields.join(&b',')].concat();
        Self { bytes, ..self.clone() }
    }

    /// `line` begins with the command's own prefix, `+NAME:`.
    pub fn owns(&self, line: &[u8]) -> bool {
        let name = self.name();
        let Some(rest) = line.strip_prefix(b"+").filter(|_| !name.is_empty()) else { return false };
        let Some((found, rest)) = rest.split_at_checked(name.len()) else { return false };
        found.eq_ignore_ascii_case(name) && rest.first() == Some(&b':')
    }

    /// Where the secrets of the line stand.
    pub(crate) fn secrets(&self) -> &[Range<usize>] {
        &self.secrets
    }

    /// The command asks for something that has a secret in it, as `AT+CMQTTCONNECT?` asks for a password.
    pub(crate) fn is_answered_with_secret(&self) -> bool {
        self.kind.form == Form::Read && is_answered_with_secret(self.name())
    }

    /// A line of the answer, for people: secrets redacted. Of a line that may be damaged and hold one, only its length.
    pub(crate) fn redact_answer<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        if self.is_sound_answer(line) { redacted(line) } else { Cow::Owned(not_shown(line)) }
    }

    /// It is known where in the line of the answer a secret may stand.
    pub(crate) fn is_sound_answer(&self, line: &[u8]) -> bool {
        !self.is_answered_with_secret() || is_sound_answer(line, self.name())
    }

    /// The line for people: secrets redacted, unprintable bytes escaped.
    pub fn shown(&self) -> String {
        let mut shown = self.bytes.clone();
        for span in &self.secrets {
            shown[span.clone()].fill(b'*');
        }
        shown.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
    }
}

/// Behind `AT+`.
const NAME_START: usize = 3;

impl fmt::Debug for CommandLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CommandLine({})", self.shown())
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

/// `AT+CMQTTSTART=<cid>` numbers a PDP context, and `AT+CMQTTCFG="version",<index>,…` has the client second.
fn client_of(name: CommandName, parameters: &[u8]) -> Option<ClientIndex> {
    let position = match name {
        CommandName::Start | CommandName::Stop => return None,
        CommandName::Configure => 1,
        name if name.is_mqtt() => 0,
        _ => return None,
    };
    Parameters::new(parameters).get(position)?.client()
}

#[cfg(test)]
mod tests {
    use super::super::command_kind::Operation;
    use super::*;

    fn line(text: &str) -> CommandLine {
        CommandLine::parse(text.as_bytes().to_vec())
    }

    fn operation(text: &str) -> Option<Operation> {
        line(text).kind().operation()
    }

    #[test]
    fn bare_values_are_expected_of_commands_that_do_not_prefix_them() {
        assert!(line("AT+CGSN").takes_bare_lines());
        assert!(line("ATI").takes_bare_lines());
        assert!(!line("AT+CMQTTACCQ?").takes_bare_lines());
        assert!(!line("at+csq").takes_bare_lines());
    }

    #[test]
    fn dup_is_set_and_the_rest_is_kept() {
        assert_eq!(line("AT+CMQTTPUB=0,1,60").with_dup().bytes(), b"AT+CMQTTPUB=0,1,60,0,1");
        assert_eq!(line("AT+CMQTTPUB=1,1,75,1").with_dup().bytes(), b"AT+CMQTTPUB=1,1,75,1,1");
        assert_eq!(line("AT+CMQTTPUB=1,1,75,1,1").with_dup().bytes(), b"AT+CMQTTPUB=1,1,75,1,1");
        assert_eq!(line("AT+CMQTTPUB=1,2,75").publish_qos(), Some(2));
        assert_eq!(line("AT+CMQTTSUB=1,2,0").publish_qos(), None);
    }

    #[test]
    fn announced_length_is_the_second_parameter() {
        assert_eq!(line("AT+CMQTTTOPIC=0,12").announced_length(), Some(12));
        assert_eq!(line("AT+CCERTDOWN=\"ca.pem\",1024").announced_length(), Some(1024));
        assert_eq!(line("AT+CSQ").announced_length(), None);
    }

    #[test]
    fn four_forms_are_told_apart() {
        assert_eq!(line("AT+CMQTTSTART").form(), Form::Execute);
        assert_eq!(line("AT+CMQTTACCQ=0,\"a=?b\"").form(), Form::Write);
        assert_eq!(line("AT+CMQTTSUB?").form(), Form::Read);
        assert_eq!(line("AT+CMQTTSUB=?").form(), Form::Test);
        assert_eq!(line("ATE0").form(), Form::Execute);
    }

    #[test]
    fn client_is_found_where_the_command_has_it() {
        assert_eq!(line("AT+CMQTTPUB=1,0,60").client(), Some(ClientIndex::One));
        assert_eq!(line("AT+CMQTTCFG=\"version\",1,4").client(), Some(ClientIndex::One));
        assert_eq!(line("AT+CMQTTSTART=1").client(), None);
        assert_eq!(line("AT+CMQTTDISC?").client(), None);
        assert_eq!(line("AT+CSSLCFG=1").client(), None);
    }

    #[test]
    fn only_execute_and_write_forms_are_operations() {
        assert_eq!(operation("at+cmqttdisc=0,60"), Some(Operation::Disconnect));
        assert_eq!(operation("AT+CMQTTDISC?"), None);
        assert_eq!(operation("AT+CMQTTDISC=?"), None);
        assert_eq!(operation("AT+CMQTTSTART"), Some(Operation::Start));
    }

    #[test]
    fn lines_are_owned_by_their_prefix_alone() {
        assert!(line("AT+CSQ").owns(b"+CSQ: 23,0"));
        assert!(line("at+csq").owns(b"+CSQ: 23,0"));
        assert!(!line("AT+CSQ").owns(b"+CSQX: 23,0"));
        assert!(!line("AT").owns(b"+: 1"));
    }

    #[test]
    fn name_has_no_spaces_around_it() {
        assert_eq!(line("AT+CSQ = 1").name(), b"CSQ");
        assert_eq!(line("AT+ CSQ").name(), b"CSQ");
        assert_eq!(line("AT+CMQTTREL ?").kind().name, CommandName::Release);
        assert_eq!(line("ATE0").name(), b"");
    }
}
