//! Chapters 2.2.3, 2.2.4 and 2.2.5: acquiring and releasing a client, and the SSL context that it uses.

use super::query::{Lines, Query, UnexpectedAnswer, all, command, number, text};
use super::{ClientId, SslContextIndex};
use crate::at::parameters::Value;
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

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
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
        assert_eq!(AcquiredClients.command().line.bytes(), b"AT+CMQTTACCQ?");
        assert_eq!(SslContextsInUse.command().line.bytes(), b"AT+CMQTTSSLCFG?");
    }

    #[test]
    fn reads_acquired_clients() {
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
    fn reads_the_ssl_contexts_in_use() {
        let found = SslContextsInUse.answer(&lines("+CMQTTSSLCFG: 0,3\n+CMQTTSSLCFG: 1,")).unwrap();
        assert_eq!(found, [(ClientIndex::Zero, Some(3)), (ClientIndex::One, None)]);
        assert!(SslContextsInUse.answer(&[]).is_err());
    }
}
