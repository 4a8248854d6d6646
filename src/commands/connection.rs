//! Chapters 2.2.6 to 2.2.9: the will, and the connection to the broker.

use super::legal_values::sized;
use super::query::{Lines, Query, UnexpectedAnswer, all, command, number, text};
use super::{DisconnectTimeout, Invalid, KeepAlive, QoS, ServerAddress, Topic, WillMessage};
use crate::at::parameters::Value;
use crate::at::{ClientIndex, Command};

/// `AT+CMQTTCONNECT=<client_index>,"<server_addr>",<keepalive_time>,<clean_session>[,"<user_name>"[,"<pass_word>"]]`
pub fn connect(
    client: ClientIndex,
    server: &ServerAddress,
    keep_alive: KeepAlive,
    clean_session: bool,
    credentials: Option<&Credentials>,
) -> Command {
    let (address, keep_alive, clean) = (server.wire(), keep_alive.number(), u8::from(clean_session));
    let mut line = format!("AT+CMQTTCONNECT={client},\"{address}\",{keep_alive},{clean}");
    if let Some(credentials) = credentials {
        line = format!("{line},\"{}\"", credentials.username());
        if let Some(password) = credentials.password() {
            line = format!("{line},\"{password}\"");
        }
    }
    command(line)
}

/// `AT+CMQTTDISC=<client_index>[,<timeout>]`
pub fn disconnect(client: ClientIndex, timeout: Option<DisconnectTimeout>) -> Command {
    match timeout {
        None => command(format!("AT+CMQTTDISC={client}")),
        Some(timeout) => command(format!("AT+CMQTTDISC={client},{}", timeout.number())),
    }
}

/// `AT+CMQTTCONNECT?`: the connections of both clients.
pub struct Connections;

/// One line of `AT+CMQTTCONNECT?`, without the password, which the module reports too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub client: ClientIndex,
    /// `tcp://host:port`.
    pub server_address: String,
    pub keep_alive: Option<u16>,
    pub clean_session: Option<bool>,
    pub username: Option<String>,
}

impl Query for Connections {
    type Answer = Vec<Connection>;

    fn command(&self) -> Command {
        command("AT+CMQTTCONNECT?")
    }

    /// Reads `+CMQTTCONNECT: 0,"tcp://…",20,1`; a client without a connection has no parameters.
    ///
    /// The position of the password is unknown in a line that lost bytes: such a line makes the answer unexpected.
    fn answer(&self, lines: &Lines) -> Result<Vec<Connection>, UnexpectedAnswer> {
        let expected = "+CMQTTCONNECT: <client_index>[,<server_addr>,<keepalive_time>,<clean_session>]";
        let found = all(self, expected, lines, "CMQTTCONNECT", |values| {
            let connection = |client, server_address| Connection {
                client,
                server_address,
                keep_alive: number(values, 2),
                clean_session: values.get(3).and_then(Value::flag),
                username: text(values, 4),
            };
            let client = values.get(0)?.client()?;
            Some(text(values, 1).map(|server_address| connection(client, server_address)))
        })?;
        let connections: Vec<_> = found.into_iter().flatten().collect();
        let query = self.command();
        if !lines.iter().all(|line| query.line().is_sound_answer(line)) {
            return Err(UnexpectedAnswer::new(self, expected, lines));
        }
        Ok(connections)
    }
}

/// `AT+CMQTTDISC?`: each client, and if it is connected.
pub struct ConnectedClients;

impl Query for ConnectedClients {
    type Answer = Vec<(ClientIndex, bool)>;

    fn command(&self) -> Command {
        command("AT+CMQTTDISC?")
    }

    /// Reads `+CMQTTDISC: 0,<disc_state>`: 0 is connected, 1 is not.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        all(self, "+CMQTTDISC: <client_index>,<disc_state>", lines, "CMQTTDISC", |values| {
            Some((values.get(0)?.client()?, !values.get(1)?.flag()?))
        })
    }
}

/// The message that the broker publishes if the connection breaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Will {
    pub topic: Topic,
    pub message: WillMessage,
    pub qos: QoS,
}

impl Will {
    /// WILLTOPIC and WILLMSG; no other command of the client may run between them.
    pub fn enter(&self, client: ClientIndex) -> Vec<Command> {
        vec![will_topic(client, &self.topic), will_message(client, &self.message, self.qos)]
    }
}

/// `AT+CMQTTWILLTOPIC=<client_index>,<req_length>` and the topic.
pub fn will_topic(client: ClientIndex, topic: &Topic) -> Command {
    command(format!("AT+CMQTTWILLTOPIC={client},{}", topic.bytes().len())).with_data(topic.bytes())
}

/// `AT+CMQTTWILLMSG=<client_index>,<req_length>,<qos>` and the message.
pub fn will_message(client: ClientIndex, message: &WillMessage, qos: QoS) -> Command {
    let length = message.bytes().len();
    command(format!("AT+CMQTTWILLMSG={client},{length},{}", qos.number())).with_data(message.bytes())
}

/// `<user_name>` and `<pass_word>` of `AT+CMQTTCONNECT`: 1 to 256 bytes each; the password may be empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    password: Option<String>,
}

impl Credentials {
    pub const LONGEST: usize = 256;

    /// Returns `None` without a user name; a password cannot stand alone on the line.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a text that the command line cannot carry, and for a password without a user name.
    pub fn parse(username: Option<&str>, password: Option<&str>) -> Result<Option<Self>, Invalid> {
        let legal_password = |text: &str| {
            // Some firmware refuses a user name without a password, but takes an empty one.
            let text = if text.is_empty() { Ok(text) } else { sized("password", text, Self::LONGEST) };
            text.map(str::to_owned)
        };
        let password = password.map(legal_password).transpose()?;
        match (username, password) {
            (Some(username), password) => {
                let username = sized("username", username, Self::LONGEST)?.to_owned();
                Ok(Some(Self { username, password }))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Invalid::value(
                "username",
                "None",
                "given with a password: the module takes no password alone",
            )),
        }
    }

    pub fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "********"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::query::tests::lines;
    use super::*;
    use crate::commands::ClientId;

    #[test]
    fn connect_has_each_optional_argument() {
        let server = ServerAddress::parse("mqtt://test.mosquitto.org:1883", None).unwrap();
        let keep_alive = KeepAlive::parse(60).unwrap();
        let bytes = |credentials: Option<&Credentials>, clean| {
            String::from_utf8(
                connect(ClientIndex::Zero, &server, keep_alive, clean, credentials).line.bytes().to_vec(),
            )
            .unwrap()
        };
        assert_eq!(bytes(None, true), "AT+CMQTTCONNECT=0,\"tcp://test.mosquitto.org:1883\",60,1");
        let user = Credentials::parse(Some("user"), None).unwrap();
        assert_eq!(
            bytes(user.as_ref(), false),
            "AT+CMQTTCONNECT=0,\"tcp://test.mosquitto.org:1883\",60,0,\"user\""
        );
        let both = Credentials::parse(Some("user"), Some("pa,ss")).unwrap();
        assert_eq!(
            bytes(both.as_ref(), true),
            "AT+CMQTTCONNECT=0,\"tcp://test.mosquitto.org:1883\",60,1,\"user\",\"pa,ss\""
        );
        let token = Credentials::parse(Some("token"), Some("")).unwrap();
        assert!(bytes(token.as_ref(), true).ends_with(",60,1,\"token\",\"\""));
        let shown = connect(ClientIndex::Zero, &server, keep_alive, true, both.as_ref()).line.shown();
        assert!(!shown.contains("pa,ss"), "{shown}");
    }

    #[test]
    fn disconnect_has_an_optional_timeout() {
        assert_eq!(disconnect(ClientIndex::One, None).line.bytes(), b"AT+CMQTTDISC=1");
        let timeout = DisconnectTimeout::covering(Duration::from_secs(120));
        assert_eq!(disconnect(ClientIndex::Zero, Some(timeout)).line.bytes(), b"AT+CMQTTDISC=0,120");
    }

    #[test]
    fn connections_are_asked_for_in_the_read_form() {
        assert_eq!(Connections.command().line.bytes(), b"AT+CMQTTCONNECT?");
        assert_eq!(ConnectedClients.command().line.bytes(), b"AT+CMQTTDISC?");
    }

    #[test]
    fn connections_are_read_without_those_of_free_clients() {
        let found = Connections
            .answer(&lines("+CMQTTCONNECT: 0,\"tcp://120.27.2.154:1883\",20,1\n+CMQTTCONNECT: 1"))
            .unwrap();
        let expected = Connection {
            client: ClientIndex::Zero,
            server_address: "tcp://120.27.2.154:1883".to_owned(),
            keep_alive: Some(20),
            clean_session: Some(true),
            username: None,
        };
        assert_eq!(found, [expected]);
        assert!(Connections.answer(&lines("+CMQTTCONNECT: 0\n+CMQTTCONNECT: 1")).unwrap().is_empty());
        assert!(Connections.answer(&lines("+CMQTTCONNECT:")).is_err());
    }

    #[test]
    fn password_of_a_connection_is_not_kept() {
        let found = Connections
            .answer(&lines("+CMQTTCONNECT: 1,\"tcp://h:1883\",60,0,\"user\",\"hunter2\""))
            .unwrap();
        assert_eq!(found[0].username.as_deref(), Some("user"));
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn connected_clients_have_state_0() {
        let found = ConnectedClients.answer(&lines("+CMQTTDISC: 0,0\n+CMQTTDISC: 1,1")).unwrap();
        assert_eq!(found, [(ClientIndex::Zero, true), (ClientIndex::One, false)]);
        assert!(ConnectedClients.answer(&lines("+CMQTTDISC: 0")).is_err());
    }

    #[test]
    fn will_as_in_the_note() {
        let topic = Topic::parse("dut/status").unwrap();
        let command = will_topic(ClientIndex::Zero, &topic);
        assert_eq!(command.line.bytes(), b"AT+CMQTTWILLTOPIC=0,10");
        assert_eq!(command.data.unwrap().bytes, b"dut/status");

        let message = WillMessage::parse("éteint").unwrap();
        let will = Will { topic, message: message.clone(), qos: QoS::AtMostOnce };
        let lines: Vec<_> = will.enter(ClientIndex::One).iter().map(|command| command.line.shown()).collect();
        assert_eq!(lines, ["AT+CMQTTWILLTOPIC=1,10", "AT+CMQTTWILLMSG=1,7,0"]);

        let command = will_message(ClientIndex::One, &message, QoS::AtLeastOnce);
        assert_eq!(command.line.bytes(), b"AT+CMQTTWILLMSG=1,7,1");
        assert_eq!(command.data.unwrap().bytes, "éteint".as_bytes());
    }

    #[test]
    fn texts_cannot_leave_the_quotes() {
        for (text, what) in [
            ("a\"b", "a quote"),
            ("a\rb", "a carriage return"),
            ("a\nb", "a line feed"),
            ("a\0b", "a NUL"),
            ("a\u{8}b", "a backspace"),
        ] {
            let message = ClientId::parse(text).unwrap_err().to_string();
            assert!(message.starts_with(&format!("client_id with {what}: must be free of")), "{message}");
            assert!(Credentials::parse(Some(text), None).is_err());
            assert!(Credentials::parse(Some("user"), Some(text)).is_err());
        }
        assert!(ClientId::parse("a,b;c'\\ é").is_ok());
    }

    #[test]
    fn credentials_have_at_most_256_bytes_each() {
        let longest = "x".repeat(256);
        assert!(Credentials::parse(Some(&longest), Some(&longest)).unwrap().is_some());
        let too_long = "x".repeat(257);
        assert_eq!(
            Credentials::parse(Some(&too_long), None).unwrap_err().to_string(),
            "username of 257 bytes: must be 1 to 256 bytes"
        );
        assert_eq!(
            Credentials::parse(Some("u"), Some(&too_long)).unwrap_err().to_string(),
            "password of 257 bytes: must be 1 to 256 bytes"
        );
        assert_eq!(Credentials::parse(Some("u"), Some("")).unwrap().unwrap().password(), Some(""));
        assert!(Credentials::parse(Some(""), None).is_err());
        assert_eq!(Credentials::parse(None, None), Ok(None));
    }

    #[test]
    fn password_needs_a_user_name() {
        let message = Credentials::parse(None, Some("secret")).unwrap_err().to_string();
        assert!(message.starts_with("username = None: must be given with a password"), "{message}");
    }

    #[test]
    fn passwords_are_not_shown() {
        let credentials = Credentials::parse(Some("user"), Some("hunter2")).unwrap().unwrap();
        assert!(!format!("{credentials:?}").contains("hunter2"));
        let refused = Credentials::parse(Some("user"), Some("hunter2\"")).unwrap_err();
        assert!(!refused.to_string().contains("hunter2"));
    }
}
