//! Chapters 2.2.3, 2.2.4 and 2.2.5: a client acquired, released, and the SSL context it uses.

use super::information::{Lines, UnexpectedAnswer, parameters};
use super::limits::command;
use super::{ClientId, SslContextIndex};
use crate::at::{ClientIndex, Command};

/// `AT+CMQTTACCQ=<client_index>,"<clientID>"[,<server_type>]`
pub fn acquire(client: ClientIndex, id: &ClientId, tls: bool) -> Command {
    let server_type = if tls { ",1" } else { "" };
    command(format!("AT+CMQTTACCQ={client},\"{}\"{server_type}", id.as_str()))
}

/// `AT+CMQTTREL=<client_index>`: after DISC.
pub fn release(client: ClientIndex) -> Command {
    command(format!("AT+CMQTTREL={client}"))
}

/// `AT+CMQTTSSLCFG=<session_id>,<ssl_ctx_index>`: a failed CONNECT and DISC clear it.
pub fn use_ssl_context(client: ClientIndex, context: SslContextIndex) -> Command {
    command(format!("AT+CMQTTSSLCFG={client},{}", context.number()))
}

/// `AT+CMQTTACCQ?`
pub fn query_acquired() -> Command {
    command("AT+CMQTTACCQ?")
}

/// `AT+CMQTTSSLCFG?`
pub fn query_ssl_contexts() -> Command {
    command("AT+CMQTTSSLCFG?")
}

/// One line of `AT+CMQTTACCQ?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcquiredClient {
    pub client: ClientIndex,
    pub client_id: String,
    pub tls: bool,
}

/// `+CMQTTACCQ: 0,"a12mmmm",0`; a free client has an empty id, and is left out.
pub fn acquired_clients(lines: &Lines) -> Result<Vec<AcquiredClient>, UnexpectedAnswer> {
    let parsed: Vec<_> = lines
        .iter()
        .filter_map(|line| parameters(line, "CMQTTACCQ"))
        .filter_map(|parameters| Some((parameters.client(0)?, parameters)))
        .collect();
    if parsed.is_empty() {
        let expected = "+CMQTTACCQ: <client_index>,<clientID>,<server_type>";
        return Err(UnexpectedAnswer::new("AT+CMQTTACCQ?", expected, lines));
    }
    let acquired = parsed.into_iter().filter_map(|(client, parameters)| {
        let client_id = parameters.text(1)?;
        Some(AcquiredClient { client, client_id, tls: parameters.flag(2).unwrap_or(false) })
    });
    Ok(acquired.collect())
}

/// `+CMQTTSSLCFG: 0,0`: the context a client will use, None where it was not set.
pub fn ssl_contexts_in_use(lines: &Lines) -> Result<Vec<(ClientIndex, Option<u8>)>, UnexpectedAnswer> {
    let parsed: Vec<_> = lines
        .iter()
        .filter_map(|line| parameters(line, "CMQTTSSLCFG"))
        .filter_map(|parameters| Some((parameters.client(0)?, parameters.number(1))))
        .collect();
    if parsed.is_empty() {
        let expected = "+CMQTTSSLCFG: <session_id>,[<ssl_ctx_index>]";
        return Err(UnexpectedAnswer::new("AT+CMQTTSSLCFG?", expected, lines));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::lines;
    use super::*;

    #[test]
    fn bytes_as_in_the_note() {
        let id = ClientId::parse("client test0").unwrap();
        assert_eq!(acquire(ClientIndex::Zero, &id, false).line.bytes(), b"AT+CMQTTACCQ=0,\"client test0\"");
        assert_eq!(acquire(ClientIndex::One, &id, true).line.bytes(), b"AT+CMQTTACCQ=1,\"client test0\",1");
        assert_eq!(acquire(ClientIndex::One, &id, true).client(), Some(ClientIndex::One));
        assert_eq!(release(ClientIndex::Zero).line.bytes(), b"AT+CMQTTREL=0");
        let context = SslContextIndex::parse(1).unwrap();
        assert_eq!(use_ssl_context(ClientIndex::Zero, context).line.bytes(), b"AT+CMQTTSSLCFG=0,1");
        assert_eq!(query_acquired().line.bytes(), b"AT+CMQTTACCQ?");
        assert_eq!(query_ssl_contexts().line.bytes(), b"AT+CMQTTSSLCFG?");
    }

    #[test]
    fn reads_who_is_acquired() {
        let found = acquired_clients(&lines("+CMQTTACCQ: 0,\"a12mmmm\",0\n+CMQTTACCQ: 1,\"\",0")).unwrap();
        let expected =
            AcquiredClient { client: ClientIndex::Zero, client_id: "a12mmmm".to_owned(), tls: false };
        assert_eq!(found, [expected]);
        let found = acquired_clients(&lines("+CMQTTACCQ: 0,\"\",0\n+CMQTTACCQ: 1,\"a,b\",1")).unwrap();
        let expected = AcquiredClient { client: ClientIndex::One, client_id: "a,b".to_owned(), tls: true };
        assert_eq!(found, [expected]);
        assert!(acquired_clients(&lines("+CMQTTACCQ: 0,\"\",0\n+CMQTTACCQ: 1,\"\",0")).unwrap().is_empty());
        assert!(acquired_clients(&lines("+CMQTTACCQ: 7,\"x\",0")).is_err());
    }

    #[test]
    fn reads_the_ssl_contexts_in_use() {
        let found = ssl_contexts_in_use(&lines("+CMQTTSSLCFG: 0,3\n+CMQTTSSLCFG: 1,")).unwrap();
        assert_eq!(found, [(ClientIndex::Zero, Some(3)), (ClientIndex::One, None)]);
        assert!(ssl_contexts_in_use(&[]).is_err());
    }
}
