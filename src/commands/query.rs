//! Questions to the module, each with the type of its answer.

use std::str::FromStr;
use std::time::Duration;

use crate::at::Command;
use crate::at::parameters::Parameters;

/// The information lines of one command, without CR and LF: odd spacing, missing fields and any byte are expected.
pub type Lines = [Vec<u8>];

/// A command that is run for its answer.
pub trait Query {
    type Answer;

    fn command(&self) -> Command;

    /// Reads the information lines of the answer.
    ///
    /// # Errors
    ///
    /// [`UnexpectedAnswer`] if the lines do not contain the answer.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer>;
}

/// The module answered `OK`, but its lines do not contain the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{command} was answered with {}, where {expected} was expected; if this firmware answers differently, \
     read the lines with command('{command}')",
    shown(lines)
)]
pub struct UnexpectedAnswer {
    command: String,
    expected: &'static str,
    lines: Vec<String>,
}

impl UnexpectedAnswer {
    pub(super) fn new(query: &impl Query, expected: &'static str, lines: &Lines) -> Self {
        const MOST_LINES: usize = 10;
        let command = query.command();
        let shown = |line: &Vec<u8>| command.line().redact_answer(line).escape_ascii().to_string();
        let lines = lines.iter().take(MOST_LINES).map(shown).collect();
        Self { command: command.line().shown(), expected, lines }
    }

    pub fn command(&self) -> &str {
        &self.command
    }

    /// The lines of the module, secrets redacted.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn shown(lines: &[String]) -> String {
    if lines.is_empty() { "nothing".to_owned() } else { format!("\"{}\"", lines.join("\", \"")) }
}

/// A command with its documented maximum response time, where there is one.
pub(super) fn command(line: impl Into<Vec<u8>>) -> Command {
    /// 12 s are documented; 2 s are for the line.
    const SERVICE: Duration = Duration::from_secs(14);
    const TLS: Duration = Duration::from_secs(120);
    let command = Command::new(line);
    match &*command.line().name().to_ascii_uppercase() {
        b"CMQTTSTART" | b"CMQTTSTOP" => command.with_limit(SERVICE),
        b"CSSLCFG" | b"CCERTDOWN" | b"CCERTLIST" | b"CCERTDELE" => command.with_limit(TLS),
        _ => command,
    }
}

/// The results of `read` for each line `+<name>: …`, without the lines that `read` does not understand.
pub(super) fn each<'l, T>(
    lines: &'l Lines,
    name: &'static str,
    read: impl FnMut(Parameters<'l>) -> Option<T>,
) -> impl Iterator<Item = T> {
    lines.iter().filter_map(|line| Parameters::of_information(line, name.as_bytes())).filter_map(read)
}

/// The results of `read` as [`each`], at least one.
pub(super) fn all<'l, T>(
    query: &impl Query,
    expected: &'static str,
    lines: &'l Lines,
    name: &'static str,
    read: impl FnMut(Parameters<'l>) -> Option<T>,
) -> Result<Vec<T>, UnexpectedAnswer> {
    let found: Vec<_> = each(lines, name, read).collect();
    if found.is_empty() { Err(UnexpectedAnswer::new(query, expected, lines)) } else { Ok(found) }
}

/// The value at `position` as text, with U+FFFD for bytes that are not UTF-8. `None` if it is missing or empty.
pub(super) fn text(parameters: Parameters<'_>, position: usize) -> Option<String> {
    parameters.get(position).filter(|value| !value.is_empty()).map(|value| lossy(value.bytes()))
}

pub(super) fn number<N: FromStr>(parameters: Parameters<'_>, position: usize) -> Option<N> {
    parameters.get(position)?.number()
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::at::ClientIndex;
    use crate::commands::client::{AcquiredClients, ClientReport, Configurations, SslContextsInUse};
    use crate::commands::connection::{ConnectedClients, Connections};
    use crate::commands::{
        Clock, CurrentPosition, Domain, GnssPower, Iccid, Identity, Imsi, LongestPayload, PdpAddresses,
        PdpContextDefinitions, PdpContextStates, ReceivedSignal, RegistrationIn, SelectedOperator,
        ServingCell, SimStateQuery, SslContextIndex, messages, service, ssl_context,
    };

    /// Information lines from text, a line each.
    pub(in crate::commands) fn lines(text: &str) -> Vec<Vec<u8>> {
        text.lines().map(|line| line.as_bytes().to_vec()).collect()
    }

    struct Echo(&'static str);

    impl Query for Echo {
        type Answer = Vec<u8>;

        fn command(&self) -> Command {
            command(self.0)
        }

        fn answer(&self, lines: &Lines) -> Result<Vec<u8>, UnexpectedAnswer> {
            all(self, "+X: <number>", lines, "X", |values| number(values, 0))
        }
    }

    #[test]
    fn lines_without_answer_are_skipped() {
        assert_eq!(Echo("AT+X?").answer(&lines("+X: 1\nRDY\n+X: a\n+XY: 3\n+x:2")), Ok(vec![1, 2]));
        assert!(Echo("AT+X?").answer(&lines("+X: a")).is_err());
    }

    #[test]
    fn missing_or_empty_text_is_none() {
        let values = Parameters::new(b" ,\"\",\"open,\xff");
        assert_eq!((text(values, 0), text(values, 1), text(values, 3)), (None, None, None));
        assert_eq!(text(values, 2).as_deref(), Some("open,\u{fffd}"));
    }

    #[test]
    fn unexpected_answer_shows_lines_without_secrets() {
        let connections = lines("+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"hunter2\"");
        let message = Echo("AT+CMQTTCONNECT?").answer(&connections).unwrap_err().to_string();
        assert!(message.contains("tcp://h:1883"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
        let nothing = Echo("AT+X?").answer(&[]).unwrap_err().to_string();
        assert!(nothing.starts_with("AT+X? was answered with nothing, where +X: <number>"), "{nothing}");
    }

    #[test]
    fn documented_response_times_are_kept() {
        for (line, limit) in [
            ("AT+CMQTTSTART", Some(14)),
            ("AT+CMQTTSTOP", Some(14)),
            ("at+csslcfg=0", Some(120)),
            ("AT+CCERTDOWN=\"a.pem\",5", Some(120)),
            ("AT+CCERTLIST", Some(120)),
            ("AT+CCERTDELE=\"a.pem\"", Some(120)),
            ("AT+CMQTTCONNECT=0,\"tcp://host\",60,1", None),
            ("AT+CSQ", None),
        ] {
            assert_eq!(command(line).limit, limit.map(Duration::from_secs), "{line}");
        }
    }

    fn parse_with_everything(lines: &Lines) {
        let _ = AcquiredClients.answer(lines);
        let _ = SslContextsInUse.answer(lines);
        let _ = Connections.answer(lines);
        let _ = ConnectedClients.answer(lines);
        let _ = Configurations.answer(lines);
        let _ = ssl_context::ContextSettings(SslContextIndex::parse(0).unwrap()).answer(lines);
        let _ = LongestPayload.answer(lines);
        let _ = ServingCell.answer(lines);
        let _ = ReceivedSignal.answer(lines);
        let _ = Domain::ALL.map(|domain| RegistrationIn(domain).answer(lines));
        let _ = SelectedOperator.answer(lines);
        let _ = SimStateQuery.answer(lines);
        let _ = (Iccid.answer(lines), Imsi.answer(lines), Clock.answer(lines));
        let _ = (GnssPower.answer(lines), CurrentPosition.answer(lines));
        let _ = (PdpContextDefinitions.answer(lines), PdpAddresses::OfAll.answer(lines));
        let _ = service::Limits::ALL.map(|limits| limits.answer(lines));
        let _ = [Identity::Model, Identity::Revision, Identity::Imei].map(|identity| identity.answer(lines));
        let _ = ClientReport::from_answers(ClientIndex::Zero, &vec![lines.to_vec(); 5]);
        assert!(ssl_context::StoredFiles.answer(lines).unwrap().len() <= lines.len());
        assert!(PdpContextStates.answer(lines).unwrap().len() <= lines.len());
        assert!(messages::SubscribedTopics.answer(lines).unwrap().len() <= lines.len());
    }

    /// Lines that begin well, so that the parsers look at what follows.
    fn plausible_line() -> impl Strategy<Value = Vec<u8>> {
        let name = prop::sample::select(vec![
            "CMQTTACCQ",
            "CMQTTSSLCFG",
            "CMQTTCONNECT",
            "CMQTTDISC",
            "CMQTTCFG",
            "CMQTTSUB",
            "CMQTTPAYLOAD",
            "CSSLCFG",
            "CCERTLIST",
            "CSQ",
            "CPSI",
            "CGACT",
            "CEREG",
            "CGREG",
            "CPIN",
            "CGMR",
            "CREG",
            "COPS",
            "CGDCONT",
            "CGPADDR",
            "CCLK",
            "CGNSSINFO",
            "CGNSSPWR",
        ]);
        let parameter = prop::sample::select(vec![
            "",
            "0",
            "1",
            "99",
            "-1",
            "-2147483648",
            "99999999999999999999",
            "\"",
            "\"\"",
            "\"a,b\"",
            "(0-1)",
            "(1-4096)",
            "(-)",
            "LTE",
            "NO SERVICE",
            "0x",
            "0xFFFFFFFFFF",
            " ",
            "é",
            "-103",
            "\"25/08/04,19:02:11+08\"",
            "N",
            "4526.35",
            "010125",
            "072809.3",
            "1.5",
        ]);
        (name, vec(parameter, 0..20))
            .prop_map(|(name, parameters)| format!("+{name}: {}", parameters.join(",")).into_bytes())
    }

    proptest! {
        #[test]
        fn any_bytes(lines in vec(vec(any::<u8>(), 0..200), 0..10)) {
            parse_with_everything(&lines);
        }

        #[test]
        fn plausible_lines(lines in vec(plausible_line(), 0..10)) {
            parse_with_everything(&lines);
        }

        #[test]
        fn cut_short_anywhere(line in plausible_line(), at in any::<prop::sample::Index>()) {
            let cut = line[..at.index(line.len() + 1)].to_vec();
            parse_with_everything(&[cut]);
        }

        #[test]
        fn acquired_client_id_is_read_back(id in "[^\"\\r\\n\0\u{8}]{1,30}", tls: bool) {
            prop_assume!(!id.trim_ascii().is_empty());
            let found = AcquiredClients.answer(&lines(&format!("+CMQTTACCQ: 0,\"{id}\",{}", u8::from(tls)))).unwrap();
            prop_assert_eq!(&found[0].client_id, &id);
            prop_assert_eq!(found[0].tls, tls);
        }
    }
}
