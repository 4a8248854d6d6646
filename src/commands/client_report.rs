//! The state of one client as the module reports it, from five read forms.

use super::client::{AcquiredClients, SslContextsInUse};
use super::client_configuration::Configurations;
use super::connection::{ConnectedClients, Connections};
use super::query::{Lines, Query, UnexpectedAnswer, lossy};
use crate::at::{ClientIndex, Command, redacted};

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
    let lines: Vec<_> = answers.iter().flatten().filter(about).map(|line| lossy(&redacted(line))).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

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
    fn asks_with_five_read_forms() {
        let lines: Vec<_> = ClientReport::queries().iter().map(|command| command.line.shown()).collect();
        assert_eq!(
            lines,
            ["AT+CMQTTACCQ?", "AT+CMQTTCONNECT?", "AT+CMQTTDISC?", "AT+CMQTTSSLCFG?", "AT+CMQTTCFG?"]
        );
    }

    #[test]
    fn joins_the_answers_of_a_connected_client() {
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
    fn a_free_client_has_no_id_and_no_connection() {
        let state = ClientReport::from_answers(ClientIndex::One, &answers()).unwrap();
        assert_eq!((state.client_id.as_str(), state.server_address, state.connected), ("", None, false));
        assert_eq!((state.ssl_context, state.operation_timeout), (None, 120));
    }

    #[test]
    fn a_missing_answer_is_said() {
        for missing in 0..5 {
            let mut answers = answers();
            answers[missing].clear();
            assert!(ClientReport::from_answers(ClientIndex::Zero, &answers).is_err(), "{missing}");
        }
        assert!(ClientReport::from_answers(ClientIndex::Zero, &[]).is_err());
    }

    #[test]
    fn the_password_is_not_shown_whatever_byte_is_lost_added_or_altered() {
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
}
