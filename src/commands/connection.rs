//! Chapters 2.2.8 and 2.2.9: the connection to the broker.

use super::information::{Lines, Parameters, UnexpectedAnswer, parameters};
use super::limits::command;
use super::{Credentials, DisconnectTimeout, KeepAlive, ServerAddress};
use crate::at::{ClientIndex, Command, redacted};

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

/// `AT+CMQTTCONNECT?`
pub fn query_connections() -> Command {
    command("AT+CMQTTCONNECT?")
}

/// `AT+CMQTTDISC?`
pub fn query_connected() -> Command {
    command("AT+CMQTTDISC?")
}

/// One line of `AT+CMQTTCONNECT?`. The module gives the password back too; it is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionParameters {
    pub client: ClientIndex,
    /// `tcp://host:port`.
    pub server_address: String,
    pub keep_alive: Option<u16>,
    pub clean_session: Option<bool>,
    pub username: Option<String>,
}

/// `+CMQTTCONNECT: 0,"tcp://…",20,1`; a client without a connection has no parameters, and is left out.
///
/// Of a line that lost bytes on its way nobody knows where the password is: what is redacted in it is no parameter.
pub fn connections(lines: &Lines) -> Result<Vec<ConnectionParameters>, UnexpectedAnswer> {
    let shown: Vec<_> = lines.iter().map(|line| redacted(line)).collect();
    let parsed: Vec<_> = shown
        .iter()
        .filter_map(|line| parameters(line, "CMQTTCONNECT"))
        .filter_map(|parameters| Some((parameters.client(0)?, parameters)))
        .collect();
    let is_damaged =
        |parameters: &Parameters<'_>| parameters.bytes(1).is_some_and(|address| address.starts_with(b"*"));
    if parsed.is_empty() || parsed.iter().any(|(_, parameters)| is_damaged(parameters)) {
        let expected = "+CMQTTCONNECT: <client_index>[,<server_addr>,<keepalive_time>,<clean_session>]";
        return Err(UnexpectedAnswer::new("AT+CMQTTCONNECT?", expected, lines));
    }
    let connections = parsed.into_iter().filter_map(|(client, parameters)| {
        Some(ConnectionParameters {
            client,
            server_address: parameters.text(1)?,
            keep_alive: parameters.number(2),
            clean_session: parameters.flag(3),
            username: parameters.text(4),
        })
    });
    Ok(connections.collect())
}

/// `+CMQTTDISC: 0,<disc_state>`: 0 is connected, 1 is not.
pub fn connected(lines: &Lines) -> Result<Vec<(ClientIndex, bool)>, UnexpectedAnswer> {
    let states: Vec<_> = lines
        .iter()
        .filter_map(|line| parameters(line, "CMQTTDISC"))
        .filter_map(|parameters| Some((parameters.client(0)?, !parameters.flag(1)?)))
        .collect();
    if states.is_empty() {
        let expected = "+CMQTTDISC: <client_index>,<disc_state>";
        return Err(UnexpectedAnswer::new("AT+CMQTTDISC?", expected, lines));
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::lines;
    use super::*;

    #[test]
    fn connects_with_each_optional_argument() {
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
        let shown = connect(ClientIndex::Zero, &server, keep_alive, true, both.as_ref()).line.shown();
        assert!(!shown.contains("pa,ss"), "{shown}");
    }

    #[test]
    fn disconnects_with_or_without_a_timeout() {
        assert_eq!(disconnect(ClientIndex::One, None).line.bytes(), b"AT+CMQTTDISC=1");
        let timeout = DisconnectTimeout::parse(120).ok();
        assert_eq!(disconnect(ClientIndex::Zero, timeout).line.bytes(), b"AT+CMQTTDISC=0,120");
        let at_once = DisconnectTimeout::parse(0).ok();
        assert_eq!(disconnect(ClientIndex::Zero, at_once).line.bytes(), b"AT+CMQTTDISC=0,0");
    }

    #[test]
    fn asks_in_the_read_form() {
        assert_eq!(query_connections().line.bytes(), b"AT+CMQTTCONNECT?");
        assert_eq!(query_connected().line.bytes(), b"AT+CMQTTDISC?");
    }

    #[test]
    fn reads_connections() {
        let found =
            connections(&lines("+CMQTTCONNECT: 0,\"tcp://120.27.2.154:1883\",20,1\n+CMQTTCONNECT: 1"))
                .unwrap();
        let expected = ConnectionParameters {
            client: ClientIndex::Zero,
            server_address: "tcp://120.27.2.154:1883".to_owned(),
            keep_alive: Some(20),
            clean_session: Some(true),
            username: None,
        };
        assert_eq!(found, [expected]);
        assert!(connections(&lines("+CMQTTCONNECT: 0\n+CMQTTCONNECT: 1")).unwrap().is_empty());
        assert!(connections(&lines("+CMQTTCONNECT:")).is_err());
    }

    #[test]
    fn the_password_is_not_kept() {
        let found =
            connections(&lines("+CMQTTCONNECT: 1,\"tcp://h:1883\",60,0,\"user\",\"hunter2\"")).unwrap();
        assert_eq!(found[0].username.as_deref(), Some("user"));
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn reads_who_is_connected() {
        let found = connected(&lines("+CMQTTDISC: 0,0\n+CMQTTDISC: 1,1")).unwrap();
        assert_eq!(found, [(ClientIndex::Zero, true), (ClientIndex::One, false)]);
        assert!(connected(&lines("+CMQTTDISC: 0")).is_err());
    }
}
