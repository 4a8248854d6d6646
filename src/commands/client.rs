//! A client of the module: acquiring, releasing and configuring it, and the state that the module reports.

use super::connection::{ConnectedClients, Connections};
use super::legal_values::sized;
use super::query::{Lines, Query, UnexpectedAnswer, all, command, lossy, number, text};
use super::{Invalid, OperationTimeout, ProtocolVersion, SslContextIndex};
use crate::at::parameters::Value;
use crate::at::{ClientIndex, Command};

/// `AT+CMQTTACCQ=<client_index>,"<clientID>"[,<server_type>]`
pub fn acquire(client: ClientIndex, id: &ClientId, tls: bool) -> Command {
    let server_type = if tls { ",1" } else { "" };
    command(format!("AT+CMQTTACCQ={client},\"{}\"{server_type}", id.as_str()))
}

/// `AT+CMQTTACCQ=<client_index>,"<clientID>",<server_type>,<mqtt version>`: only siblings (SIM7600) take the fourth value.
pub fn acquire_with_version(
    client: ClientIndex,
    id: &ClientId,
    tls: bool,
    version: ProtocolVersion,
) -> Command {
    let (id, server_type, version) = (id.as_str(), u8::from(tls), version.number());
    command(format!("AT+CMQTTACCQ={client},\"{id}\",{server_type},{version}"))
}

/// `AT+CMQTTREL=<client_index>`: after DISC.
pub fn release(client: ClientIndex) -> Command {
    command(format!("AT+CMQTTREL={client}"))
}

/// `AT+CMQTTSSLCFG=<session_id>,<ssl_ctx_index>`: a failed CONNECT and DISC clear it.
pub fn use_ssl_context(client: ClientIndex, context: SslContextIndex) -> Command {
    command(format!("AT+CMQTTSSLCFG={client},{}", context.number()))
}

/// `AT+CMQTTACCQ?`: the acquired clients.
pub struct AcquiredClients;

/// One line of `AT+CMQTTACCQ?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcquiredClient {
    pub client: ClientIndex,
    pub client_id: String,
    pub tls: bool,
}

impl Query for AcquiredClients {
    type Answer = Vec<AcquiredClient>;

    fn command(&self) -> Command {
        command("AT+CMQTTACCQ?")
    }

    /// Reads `+CMQTTACCQ: 0,"a12mmmm",0`; a free client has an empty id.
    fn answer(&self, lines: &Lines) -> Result<Vec<AcquiredClient>, UnexpectedAnswer> {
        let expected = "+CMQTTACCQ: <client_index>,<clientID>,<server_type>";
        let clients = all(self, expected, lines, "CMQTTACCQ", |values| {
            let (client, tls) = (values.get(0)?.client()?, values.get(2).and_then(Value::flag));
            let acquired = |client_id| AcquiredClient { client, client_id, tls: tls.unwrap_or(false) };
            Some(text(values, 1).map(acquired))
        })?;
        Ok(clients.into_iter().flatten().collect())
    }
}

/// `AT+CMQTTSSLCFG?`: the SSL context of each client, `None` where it was not set.
pub struct SslContextsInUse;

impl Query for SslContextsInUse {
    type Answer = Vec<(ClientIndex, Option<u8>)>;

    fn command(&self) -> Command {
        command("AT+CMQTTSSLCFG?")
    }

    /// Reads `+CMQTTSSLCFG: 0,0`.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        all(self, "+CMQTTSSLCFG: <session_id>,[<ssl_ctx_index>]", lines, "CMQTTSSLCFG", |values| {
            Some((values.get(0)?.client()?, number(values, 1)))
        })
    }
}

/// `AT+CMQTTCFG="checkUTF8",<index>,<checkUTF8_flag>`
pub fn configure_utf8_check(client: ClientIndex, check: bool) -> Command {
    command(format!("AT+CMQTTCFG=\"checkUTF8\",{client},{}", u8::from(check)))
}

/// `AT+CMQTTCFG="optimeout",<index>,<optimeout_val>`
pub fn configure_operation_timeout(client: ClientIndex, timeout: OperationTimeout) -> Command {
    command(format!("AT+CMQTTCFG=\"optimeout\",{client},{}", timeout.number()))
}

/// `AT+CMQTTCFG="version",<index>,<version>`
pub fn configure_version(client: ClientIndex, version: ProtocolVersion) -> Command {
    command(format!("AT+CMQTTCFG=\"version\",{client},{}", version.number()))
}

/// `AT+CMQTTCFG?`: the configuration of both clients.
pub struct Configurations;

/// One line of `AT+CMQTTCFG?`; the module does not show the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfiguration {
    pub client: ClientIndex,
    pub check_utf8: bool,
    pub operation_timeout: u16,
}

impl Query for Configurations {
    type Answer = Vec<ClientConfiguration>;

    fn command(&self) -> Command {
        command("AT+CMQTTCFG?")
    }

    /// Reads `+CMQTTCFG: 0,1,120`.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let expected = "+CMQTTCFG: <index>,<checkUTF8_flag>,<optimeout_val> for each client";
        all(self, expected, lines, "CMQTTCFG", |values| {
            Some(ClientConfiguration {
                client: values.get(0)?.client()?,
                check_utf8: values.get(1)?.flag()?,
                operation_timeout: values.get(2)?.number()?,
            })
        })
    }
}

/// The answers to `AT+CMQTTACCQ?`, `CONNECT?`, `DISC?`, `SSLCFG?` and `CFG?` about one client, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientReport {
    /// Empty while it is not acquired.
    pub client_id: String,
    /// 0: TCP, 1: TLS.
    pub server_type: u8,
    /// `tcp://host:port`; None without a connection.
    pub server_address: Option<String>,
    pub keepalive: Option<u16>,
    pub clean_session: Option<bool>,
    pub connected: bool,
    /// None: not set; the module uses the context with the number of the client.
    pub ssl_context: Option<u8>,
    pub check_utf8: bool,
    pub operation_timeout: u16,
    /// The module's own lines about this client, secrets redacted.
    pub raw: String,
}

impl ClientReport {
    pub fn queries() -> [Command; 5] {
        [
            AcquiredClients.command(),
            Connections.command(),
            ConnectedClients.command(),
            SslContextsInUse.command(),
            Configurations.command(),
        ]
    }

    /// Reads the answers to `queries`, in their order.
    ///
    /// # Errors
    ///
    /// [`UnexpectedAnswer`] for the first answer that does not contain what was asked.
    pub fn from_answers(index: ClientIndex, answers: &[Vec<Vec<u8>>]) -> Result<Self, UnexpectedAnswer> {
        let lines = |position: usize| -> &Lines { answers.get(position).map_or(&[], Vec::as_slice) };
        let acquired = AcquiredClients.answer(lines(0))?.into_iter().find(|found| found.client == index);
        let connection = Connections.answer(lines(1))?.into_iter().find(|found| found.client == index);
        let connected = ConnectedClients.answer(lines(2))?;
        let contexts = SslContextsInUse.answer(lines(3))?;
        let configurations = Configurations.answer(lines(4))?;
        let Some(configuration) = configurations.into_iter().find(|found| found.client == index) else {
            let expected = "+CMQTTCFG: <index>,… for each client";
            return Err(UnexpectedAnswer::new(&Configurations, expected, lines(4)));
        };
        let (client_id, tls) = acquired.map(|found| (found.client_id, found.tls)).unwrap_or_default();
        Ok(Self {
            client_id,
            server_type: u8::from(tls),
            keepalive: connection.as_ref().and_then(|found| found.keep_alive),
            clean_session: connection.as_ref().and_then(|found| found.clean_session),
            server_address: connection.map(|found| found.server_address),
            connected: connected.contains(&(index, true)),
            ssl_context: contexts
                .iter()
                .find(|(client, _)| *client == index)
                .and_then(|(_, context)| *context),
            check_utf8: configuration.check_utf8,
            operation_timeout: configuration.operation_timeout,
            raw: lines_about(index, answers),
        })
    }
}

fn lines_about(index: ClientIndex, answers: &[Vec<Vec<u8>>]) -> String {
    let marker = format!(": {index}");
    let about = |line: &&Vec<u8>| lossy(line).contains(&marker);
    let queries = ClientReport::queries();
    let shown = queries.iter().zip(answers).flat_map(|(query, lines)| {
        lines.iter().filter(about).map(|line| lossy(&query.line().redact_answer(line)))
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// `<clientID>` of `AT+CMQTTACCQ`: 1 to 128 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    pub const LONGEST: usize = 128;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(Self(sized("client_id", text, Self::LONGEST)?.to_owned()))
    }

    /// The client id of a caller that names none: unique by the module's IMEI.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if the IMEI is none.
    pub fn of_module(imei: &str, index: ClientIndex) -> Result<Self, Invalid> {
        Self::parse(&format!("{imei}-{index}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    #[test]
    fn acquire_and_release_as_in_the_note() {
        let id = ClientId::parse("client test0").unwrap();
        assert_eq!(acquire(ClientIndex::Zero, &id, false).line.bytes(), b"AT+CMQTTACCQ=0,\"client test0\"");
        assert_eq!(acquire(ClientIndex::One, &id, true).line.bytes(), b"AT+CMQTTACCQ=1,\"client test0\",1");
        assert_eq!(acquire(ClientIndex::One, &id, true).client(), Some(ClientIndex::One));
        let with_version = acquire_with_version(ClientIndex::Zero, &id, false, ProtocolVersion::V3_1_1);
        assert_eq!(with_version.line.bytes(), b"AT+CMQTTACCQ=0,\"client test0\",0,4");
        assert_eq!(release(ClientIndex::Zero).line.bytes(), b"AT+CMQTTREL=0");
        let context = SslContextIndex::parse(1).unwrap();
        assert_eq!(use_ssl_context(ClientIndex::Zero, context).line.bytes(), b"AT+CMQTTSSLCFG=0,1");
        assert_eq!(AcquiredClients.command().line.bytes(), b"AT+CMQTTACCQ?");
        assert_eq!(SslContextsInUse.command().line.bytes(), b"AT+CMQTTSSLCFG?");
    }

    #[test]
    fn free_clients_are_left_out() {
        let found =
            AcquiredClients.answer(&lines("+CMQTTACCQ: 0,\"a12mmmm\",0\n+CMQTTACCQ: 1,\"\",0")).unwrap();
        let expected =
            AcquiredClient { client: ClientIndex::Zero, client_id: "a12mmmm".to_owned(), tls: false };
        assert_eq!(found, [expected]);
        let found = AcquiredClients.answer(&lines("+CMQTTACCQ: 0,\"\",0\n+CMQTTACCQ: 1,\"a,b\",1")).unwrap();
        let expected = AcquiredClient { client: ClientIndex::One, client_id: "a,b".to_owned(), tls: true };
        assert_eq!(found, [expected]);
        assert!(
            AcquiredClients.answer(&lines("+CMQTTACCQ: 0,\"\",0\n+CMQTTACCQ: 1,\"\",0")).unwrap().is_empty()
        );
        assert!(AcquiredClients.answer(&lines("+CMQTTACCQ: 7,\"x\",0")).is_err());
    }

    #[test]
    fn ssl_context_that_was_not_set_is_none() {
        let found = SslContextsInUse.answer(&lines("+CMQTTSSLCFG: 0,3\n+CMQTTSSLCFG: 1,")).unwrap();
        assert_eq!(found, [(ClientIndex::Zero, Some(3)), (ClientIndex::One, None)]);
        assert!(SslContextsInUse.answer(&[]).is_err());
    }

    #[test]
    fn configuration_as_in_the_note() {
        let timeout = OperationTimeout::parse(24).unwrap();
        for (command, expected) in [
            (configure_operation_timeout(ClientIndex::Zero, timeout), "AT+CMQTTCFG=\"optimeout\",0,24"),
            (configure_utf8_check(ClientIndex::Zero, false), "AT+CMQTTCFG=\"checkUTF8\",0,0"),
            (configure_utf8_check(ClientIndex::One, true), "AT+CMQTTCFG=\"checkUTF8\",1,1"),
            (configure_version(ClientIndex::One, ProtocolVersion::V3_1_1), "AT+CMQTTCFG=\"version\",1,4"),
            (configure_version(ClientIndex::One, ProtocolVersion::V3_1), "AT+CMQTTCFG=\"version\",1,3"),
            (Configurations.command(), "AT+CMQTTCFG?"),
        ] {
            assert_eq!(command.line.bytes(), expected.as_bytes());
        }
        assert_eq!(configure_utf8_check(ClientIndex::One, true).client(), Some(ClientIndex::One));
    }

    #[test]
    fn configuration_of_both_clients_is_read() {
        let found = Configurations.answer(&lines("+CMQTTCFG: 0,0,24\n+CMQTTCFG: 1,1,120")).unwrap();
        let expected = |client, check_utf8, operation_timeout| ClientConfiguration {
            client,
            check_utf8,
            operation_timeout,
        };
        assert_eq!(found, [expected(ClientIndex::Zero, false, 24), expected(ClientIndex::One, true, 120)]);
        assert!(Configurations.answer(&lines("+CMQTTCFG: 0,0")).is_err());
    }

    fn answers() -> Vec<Vec<Vec<u8>>> {
        vec![
            lines("+CMQTTACCQ: 0,\"a12mmmm\",0\n+CMQTTACCQ: 1,\"\",0"),
            lines("+CMQTTCONNECT: 0,\"tcp://120.27.2.154:1883\",20,1,\"user\",\"hunter2\"\n+CMQTTCONNECT: 1"),
            lines("+CMQTTDISC: 0,0\n+CMQTTDISC: 1,1"),
            lines("+CMQTTSSLCFG: 0,3\n+CMQTTSSLCFG: 1,"),
            lines("+CMQTTCFG: 0,0,24\n+CMQTTCFG: 1,1,120"),
        ]
    }

    #[test]
    fn report_needs_five_read_forms() {
        let lines: Vec<_> = ClientReport::queries().iter().map(|command| command.line.shown()).collect();
        assert_eq!(
            lines,
            ["AT+CMQTTACCQ?", "AT+CMQTTCONNECT?", "AT+CMQTTDISC?", "AT+CMQTTSSLCFG?", "AT+CMQTTCFG?"]
        );
    }

    #[test]
    fn report_joins_the_answers_of_a_connected_client() {
        let state = ClientReport::from_answers(ClientIndex::Zero, &answers()).unwrap();
        assert_eq!(
            state,
            ClientReport {
                client_id: "a12mmmm".to_owned(),
                server_type: 0,
                server_address: Some("tcp://120.27.2.154:1883".to_owned()),
                keepalive: Some(20),
                clean_session: Some(true),
                connected: true,
                ssl_context: Some(3),
                check_utf8: false,
                operation_timeout: 24,
                raw: "+CMQTTACCQ: 0,\"a12mmmm\",0\n\
                      +CMQTTCONNECT: 0,\"tcp://120.27.2.154:1883\",20,1,\"user\",\"*******\"\n\
                      +CMQTTDISC: 0,0\n+CMQTTSSLCFG: 0,3\n+CMQTTCFG: 0,0,24"
                    .to_owned(),
            }
        );
    }

    #[test]
    fn report_of_a_free_client_has_no_id_and_no_connection() {
        let state = ClientReport::from_answers(ClientIndex::One, &answers()).unwrap();
        assert_eq!((state.client_id.as_str(), state.server_address, state.connected), ("", None, false));
        assert_eq!((state.ssl_context, state.operation_timeout), (None, 120));
    }

    #[test]
    fn missing_answer_is_an_error() {
        for missing in 0..5 {
            let mut answers = answers();
            answers[missing].clear();
            assert!(ClientReport::from_answers(ClientIndex::Zero, &answers).is_err(), "{missing}");
        }
        assert!(ClientReport::from_answers(ClientIndex::Zero, &[]).is_err());
    }

    #[test]
    fn password_is_not_shown_if_a_byte_is_lost_added_or_altered() {
        let line = answers()[1][0].clone();
        let password = line.len() - "hunter2\"".len();
        for at in 0..password {
            let mut damaged = vec![[&line[..at], &line[at + 1..]].concat()];
            for byte in *b"x0\",: " {
                damaged.push([&line[..at], &[byte], &line[at..]].concat());
                damaged.push([&line[..at], &[byte], &line[at + 1..]].concat());
            }
            for line in damaged {
                let mut answers = answers();
                answers[1][0].clone_from(&line);
                let shown = match ClientReport::from_answers(ClientIndex::Zero, &answers) {
                    Ok(state) => format!("{state:?}"),
                    Err(error) => format!("{error} {error:?}"),
                };
                assert!(!shown.contains("hunter2"), "{shown} from {}", line.escape_ascii());
            }
        }
    }

    #[test]
    fn client_ids_are_1_to_128_bytes() {
        assert_eq!(ClientId::parse("a").unwrap().as_str(), "a");
        assert!(ClientId::parse(&"a".repeat(128)).is_ok());
        assert_eq!(
            ClientId::parse("").unwrap_err().to_string(),
            "client_id of 0 bytes: must be 1 to 128 bytes"
        );
        assert_eq!(
            ClientId::parse(&"é".repeat(65)).unwrap_err().to_string(),
            "client_id of 130 bytes: must be 1 to 128 bytes"
        );
    }

    #[test]
    fn default_client_id_is_imei_and_index() {
        let id = ClientId::of_module("864643060012345", ClientIndex::One).unwrap();
        assert_eq!(id.as_str(), "864643060012345-1");
    }
}
