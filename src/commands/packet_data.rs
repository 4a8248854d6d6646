//! PDP contexts, over which the module reaches the internet: `AT+CGDCONT`, `AT+CGACT`, `AT+CGPADDR`, `AT+CGAUTH`.

use super::Invalid;
use super::legal_values::ranged;
use super::legal_values::{quotable, sized};
use super::query::{Lines, Query, UnexpectedAnswer, command, each, text};
use crate::at::Command;
use crate::at::parameters::Value;

ranged! {
    /// `<cid>` of a PDP context.
    ContextNumber(u8), "context", 1..=24, ""
}

/// `AT+CGACT?`: each PDP context, and if it is active.
pub struct PdpContextStates;

impl Query for PdpContextStates {
    type Answer = Vec<(u8, bool)>;

    fn command(&self) -> Command {
        command("AT+CGACT?")
    }

    /// Reads `+CGACT: <cid>,<state>`; without a context there is no line.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        Ok(each(lines, "CGACT", |values| Some((values.get(0)?.number()?, values.get(1)?.flag()?))).collect())
    }
}

/// `AT+CGDCONT?`: the definition of each PDP context.
pub struct PdpContextDefinitions;

/// `<cid>,<type>,<apn>` of `+CGDCONT: 1,"IP","internet","0.0.0.0",0,0,0,0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PdpContextDefinition {
    pub number: u8,
    pub kind: String,
    pub apn: String,
}

impl Query for PdpContextDefinitions {
    type Answer = Vec<PdpContextDefinition>;

    fn command(&self) -> Command {
        command("AT+CGDCONT?")
    }

    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let definitions = each(lines, "CGDCONT", |values| {
            Some(PdpContextDefinition {
                number: values.get(0)?.number()?,
                kind: text(values, 1).unwrap_or_default(),
                apn: text(values, 2).unwrap_or_default(),
            })
        });
        Ok(definitions.collect())
    }
}

/// `AT+CGPADDR`, or `AT+CGPADDR=<cid>`: the addresses of the active contexts.
pub enum PdpAddresses {
    OfAll,
    Of(u8),
}

impl Query for PdpAddresses {
    type Answer = Vec<(u8, String)>;

    fn command(&self) -> Command {
        match self {
            Self::OfAll => command("AT+CGPADDR"),
            Self::Of(context) => command(format!("AT+CGPADDR={context}")),
        }
    }

    /// Reads `+CGPADDR: 1,100.111.74.74`. `0.0.0.0` is no address. A second address, for IPv6, is left out.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let is_address = |address: &String| address.bytes().any(|byte| !matches!(byte, b'0' | b'.' | b':'));
        let addresses = each(lines, "CGPADDR", |values| {
            let mut addresses = values.values().skip(1).filter_map(Value::text).map(str::to_owned);
            Some((values.get(0)?.number()?, addresses.find(is_address)?))
        });
        Ok(addresses.collect())
    }
}

/// A PDP context that carries data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PdpContext {
    pub number: u8,
    pub kind: String,
    pub apn: String,
    pub is_active: bool,
    pub address: Option<String>,
}

impl PdpContext {
    /// Joins three answers. Contexts that the network uses for itself (IMS, emergency calls) are left out.
    pub fn join(
        definitions: Vec<PdpContextDefinition>,
        states: &[(u8, bool)],
        addresses: &[(u8, String)],
    ) -> Vec<Self> {
        let carries_data = |definition: &PdpContextDefinition| !is_reserved_apn(&definition.apn);
        let context = |PdpContextDefinition { number, kind, apn }| Self {
            number,
            kind,
            apn,
            is_active: states.contains(&(number, true)),
            address: addresses.iter().find(|(found, _)| *found == number).map(|(_, address)| address.clone()),
        };
        definitions.into_iter().filter(carries_data).map(context).collect()
    }
}

/// Tells if one of the active contexts carries data. IMS alone, usually context 8, does not.
pub fn is_data_context_active(states: &[(u8, bool)], definitions: &[PdpContextDefinition]) -> bool {
    const USUAL_IMS_CONTEXT: u8 = 8;
    states.iter().filter(|(_, is_active)| *is_active).any(|(number, _)| {
        let definition = definitions.iter().find(|definition| definition.number == *number);
        definition.map_or(*number != USUAL_IMS_CONTEXT, |definition| !is_reserved_apn(&definition.apn))
    })
}

/// The access points of IMS (voice and texts over LTE) and of emergency calls, also as `ims.mnc001.mcc222.gprs`.
fn is_reserved_apn(apn: &str) -> bool {
    let first = apn.split('.').next().unwrap_or_default();
    ["ims", "sos", "xcap"].iter().any(|reserved| first.eq_ignore_ascii_case(reserved))
}

/// An access point as `SimcomMqtt.set_apn` takes it, found legal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPoint {
    context: ContextNumber,
    kind: &'static str,
    apn: String,
    login: Option<Login>,
}

/// `<auth_type>`, user and password of `AT+CGAUTH`.
#[derive(Clone, PartialEq, Eq)]
enum Login {
    None,
    User { method: u8, user: String, password: String },
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if matches!(self, Self::None) { "None" } else { "User { ******** }" })
    }
}

/// The arguments of `SimcomMqtt.set_apn`.
#[derive(Clone, Copy)]
pub struct AccessPointOptions<'a> {
    pub apn: &'a str,
    pub context: i64,
    pub kind: &'a str,
    pub user: Option<&'a str>,
    pub password: Option<&'a str>,
    pub auth: Option<&'a str>,
}

impl AccessPoint {
    const LONGEST_APN: usize = 100;
    const LONGEST_LOGIN: usize = 127;

    /// # Errors
    ///
    /// [`Invalid`] for a value that the module does not take, or for arguments that contradict each other.
    pub fn parse(options: AccessPointOptions<'_>) -> Result<Self, Invalid> {
        let AccessPointOptions { apn, context, kind, user, password, auth } = options;
        let kinds = ["IP", "IPV6", "IPV4V6"];
        let kind = kinds
            .into_iter()
            .find(|known| *known == kind)
            .ok_or_else(|| Invalid::text("type", kind, "\"IP\", \"IPV6\" or \"IPV4V6\""))?;
        if apn.len() > Self::LONGEST_APN {
            return Err(Invalid::length("apn", apn.len(), format!("at most {} bytes", Self::LONGEST_APN)));
        }
        Ok(Self {
            context: ContextNumber::parse(context)?,
            kind,
            apn: quotable("apn", apn)?.to_owned(),
            login: Self::login(user, password, auth)?,
        })
    }

    fn login(
        user: Option<&str>,
        password: Option<&str>,
        auth: Option<&str>,
    ) -> Result<Option<Login>, Invalid> {
        let method = match auth {
            None if user.is_none() && password.is_none() => return Ok(None),
            Some("none") if user.is_none() && password.is_none() => return Ok(Some(Login::None)),
            Some("none") => {
                return Err(Invalid::text("auth", "none", "\"pap\" or \"chap\" with user and password"));
            }
            Some("pap") => 1,
            Some("chap") => 2,
            // The network chooses.
            None => 3,
            Some(auth) => return Err(Invalid::text("auth", auth, "\"none\", \"pap\" or \"chap\"")),
        };
        let required = |argument, value: Option<&str>| {
            let value = value.ok_or_else(|| {
                Invalid::value(argument, "None", "given: authentication takes user and password")
            })?;
            sized(argument, value, Self::LONGEST_LOGIN).map(str::to_owned)
        };
        let (user, password) = (required("user", user)?, required("password", password)?);
        Ok(Some(Login::User { method, user, password }))
    }

    /// `AT+CGDCONT=<cid>,"<type>","<apn>"`, and `AT+CGAUTH` if the caller chose an authentication.
    pub fn configure(&self) -> Vec<Command> {
        let Self { kind, apn, .. } = self;
        let context = self.context.number();
        let define = command(format!("AT+CGDCONT={context},\"{kind}\",\"{apn}\""));
        let authenticate = self.login.as_ref().map(|login| match login {
            Login::None => command(format!("AT+CGAUTH={context},0")),
            Login::User { method, user, password } => {
                command(format!("AT+CGAUTH={context},{method},\"{user}\",\"{password}\""))
            }
        });
        std::iter::once(define).chain(authenticate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    const PLAIN: AccessPointOptions<'_> = AccessPointOptions {
        apn: "internet",
        context: 1,
        kind: "IPV4V6",
        user: None,
        password: None,
        auth: None,
    };

    fn bytes(options: AccessPointOptions<'_>) -> Vec<String> {
        let commands = AccessPoint::parse(options).unwrap().configure();
        commands.iter().map(|command| String::from_utf8_lossy(command.line.bytes()).into_owned()).collect()
    }

    fn refused(options: AccessPointOptions<'_>) -> String {
        AccessPoint::parse(options).unwrap_err().to_string()
    }

    #[test]
    fn reads_states() {
        assert_eq!(PdpContextStates.command().line.bytes(), b"AT+CGACT?");
        assert_eq!(PdpContextStates.answer(&lines("+CGACT: 1,1")).unwrap(), [(1, true)]);
        let found = PdpContextStates.answer(&lines("+CGACT: 1,1\n+CGACT: 8,0\n+CGACT: x"));
        assert_eq!(found.unwrap(), [(1, true), (8, false)]);
        assert!(PdpContextStates.answer(&[]).unwrap().is_empty());
    }

    #[test]
    fn joins_definitions_states_and_addresses_of_data_contexts() {
        assert_eq!(PdpContextDefinitions.command().line.bytes(), b"AT+CGDCONT?");
        assert_eq!(PdpAddresses::OfAll.command().line.bytes(), b"AT+CGPADDR");
        assert_eq!(PdpAddresses::Of(8).command().line.bytes(), b"AT+CGPADDR=8");
        let definitions = PdpContextDefinitions
            .answer(&lines(
                "+CGDCONT: 1,\"IP\",\"jionet\",\"0.0.0.0\",0,0,0,0\n+CGDCONT: 2,\"IPV4V6\",\"ims\",\"\",0\n\
                 +CGDCONT: 3,\"IPV4V6\",\"SOS\",\"\",0,0,0,1\n+CGDCONT: 4,\"IPV4V6\",\"\"",
            ))
            .unwrap();
        let states = [(1, true), (2, true), (4, false)];
        let addresses =
            PdpAddresses::OfAll.answer(&lines("+CGPADDR: 1,100.111.74.74\n+CGPADDR: 4,\"0.0.0.0\"")).unwrap();
        let context = |number, kind: &str, apn: &str, is_active, address: Option<&str>| PdpContext {
            number,
            kind: kind.to_owned(),
            apn: apn.to_owned(),
            is_active,
            address: address.map(str::to_owned),
        };
        assert_eq!(
            PdpContext::join(definitions, &states, &addresses),
            [context(1, "IP", "jionet", true, Some("100.111.74.74")), context(4, "IPV4V6", "", false, None),]
        );
    }

    #[test]
    fn ims_context_alone_is_no_data_context() {
        let ims = |number| PdpContextDefinition { number, kind: "IP".to_owned(), apn: "IMS".to_owned() };
        let data = |number| PdpContextDefinition { apn: "internet".to_owned(), ..ims(number) };
        let is_active = is_data_context_active;
        assert!(!is_active(&[(1, false), (8, true)], &[]));
        assert!(is_active(&[(1, true), (8, true)], &[]));
        assert!(!is_active(&[(1, false), (2, true)], &[data(1), ims(2)]));
        assert!(is_active(&[(8, true)], &[data(8)]));
        assert!(!is_active(&[], &[data(1)]));
    }

    #[test]
    fn access_point_is_context_and_authentication() {
        assert_eq!(bytes(PLAIN), ["AT+CGDCONT=1,\"IPV4V6\",\"internet\""]);
        let other = AccessPointOptions { context: 24, kind: "IP", apn: "", auth: Some("none"), ..PLAIN };
        assert_eq!(bytes(other), ["AT+CGDCONT=24,\"IP\",\"\"", "AT+CGAUTH=24,0"]);
        let login = AccessPointOptions { user: Some("me"), password: Some("swordfish"), ..PLAIN };
        for (auth, method) in [(None, 3), (Some("pap"), 1), (Some("chap"), 2)] {
            let lines = bytes(AccessPointOptions { auth, ..login });
            assert_eq!(lines[1], format!("AT+CGAUTH=1,{method},\"me\",\"swordfish\""));
        }
        let access_point = AccessPoint::parse(login).unwrap();
        let shown = format!("{access_point:?} {}", access_point.configure()[1].line.shown());
        assert!(!shown.contains("swordfish"), "{shown}");
    }

    #[test]
    fn illegal_access_points_are_refused() {
        assert_eq!(refused(AccessPointOptions { context: 0, ..PLAIN }), "context = 0: must be 1 to 24");
        assert_eq!(refused(AccessPointOptions { context: 25, ..PLAIN }), "context = 25: must be 1 to 24");
        assert!(refused(AccessPointOptions { kind: "ip", ..PLAIN }).starts_with("type = \"ip\""));
        assert!(refused(AccessPointOptions { apn: "a\"b", ..PLAIN }).starts_with("apn with a quote"));
        assert!(
            refused(AccessPointOptions { apn: &"a".repeat(101), ..PLAIN }).starts_with("apn of 101 bytes")
        );
        assert!(refused(AccessPointOptions { auth: Some("PAP"), ..PLAIN }).starts_with("auth = \"PAP\""));
        assert!(refused(AccessPointOptions { auth: Some("pap"), ..PLAIN }).starts_with("user = None"));
        assert!(refused(AccessPointOptions { user: Some("me"), ..PLAIN }).starts_with("password = None"));
        let login = AccessPointOptions { user: Some("me"), password: Some("hunter\r2"), ..PLAIN };
        let message = refused(login);
        assert!(message.starts_with("password with a carriage return"), "{message}");
        assert!(!message.contains("hunter"));
        let contradiction = AccessPointOptions { auth: Some("none"), password: Some("x"), ..login };
        assert!(refused(contradiction).starts_with("auth = \"none\""));
    }
}
