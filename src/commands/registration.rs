//! Registration in the network: `AT+CREG?`, `AT+CGREG?`, `AT+CEREG?`, `AT+COPS?`.

use super::query::{Lines, Query, UnexpectedAnswer, command, each, lossy, number, text};
use crate::at::Command;
use crate::at::parameters::Value;

/// The part of the network that a registration is valid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Calls and texts in GSM and WCDMA.
    Circuit,
    /// Data in GSM and WCDMA.
    Packet,
    /// LTE.
    Lte,
}

impl Domain {
    pub const ALL: [Self; 3] = [Self::Lte, Self::Packet, Self::Circuit];

    fn name(self) -> &'static str {
        match self {
            Self::Circuit => "CREG",
            Self::Packet => "CGREG",
            Self::Lte => "CEREG",
        }
    }
}

/// `<stat>`, the least desirable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RegistrationState {
    NotSearching,
    Unknown,
    Denied,
    Searching,
    EmergencyOnly,
    SmsOnly,
    Roaming,
    Home,
}

impl RegistrationState {
    fn from_number(stat: u8) -> Self {
        match stat {
            0 => Self::NotSearching,
            // 9 and 10 do not prefer circuit-switched fallback.
            1 | 9 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            5 | 10 => Self::Roaming,
            6 | 7 => Self::SmsOnly,
            8 => Self::EmergencyOnly,
            _ => Self::Unknown,
        }
    }

    /// The word of `Registration.state` in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSearching => "not searching",
            Self::Unknown => "unknown",
            Self::Denied => "denied",
            Self::Searching => "searching",
            Self::EmergencyOnly => "emergency only",
            Self::SmsOnly => "sms only",
            Self::Roaming => "roaming",
            Self::Home => "home",
        }
    }

    pub fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

impl std::fmt::Display for RegistrationState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::NotSearching => "not registered and not searching",
            Self::Unknown => "unknown, out of coverage",
            Self::Denied => "registration denied",
            Self::Searching => "not registered, searching",
            Self::EmergencyOnly => "registered for emergency calls only",
            Self::SmsOnly => "registered for SMS only",
            Self::Roaming => "registered, roaming",
            Self::Home => "registered, home network",
        })
    }
}

/// `AT+CREG?`, `AT+CGREG?` or `AT+CEREG?`.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationIn(pub Domain);

/// The answer of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRegistration {
    pub state: RegistrationState,
    pub raw: String,
}

impl Query for RegistrationIn {
    type Answer = DomainRegistration;

    fn command(&self) -> Command {
        command(format!("AT+{}?", self.0.name()))
    }

    fn answer(&self, lines: &Lines) -> Result<DomainRegistration, UnexpectedAnswer> {
        let state = each(lines, self.0.name(), |values| {
            // The unsolicited form has no <n>: +CEREG: <stat>[,"<tac>","<ci>",<AcT>].
            let is_unsolicited = values.get(1).is_none_or(Value::is_quoted);
            number(values, usize::from(!is_unsolicited)).map(RegistrationState::from_number)
        })
        .next();
        let Some(state) = state else {
            return Err(UnexpectedAnswer::new(self, "+<name>: <n>,<stat>", lines));
        };
        Ok(DomainRegistration { state, raw: joined(lines) })
    }
}

/// `AT+COPS?`: the operator that the module is registered with.
pub struct SelectedOperator;

/// `<oper>` and `<AcT>` of `+COPS: 0,2,"22201",7`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    pub name: Option<String>,
    pub technology: Option<&'static str>,
    pub raw: String,
}

impl Query for SelectedOperator {
    type Answer = Operator;

    fn command(&self) -> Command {
        command("AT+COPS?")
    }

    fn answer(&self, lines: &Lines) -> Result<Operator, UnexpectedAnswer> {
        let operator = each(lines, "COPS", |values| {
            let technology = number(values, 3).and_then(technology);
            Some(Operator { name: text(values, 2), technology, raw: joined(lines) })
        })
        .next();
        operator.ok_or_else(|| UnexpectedAnswer::new(self, "+COPS: <mode>[,<format>,<oper>[,<AcT>]]", lines))
    }
}

/// `<AcT>` of 3GPP TS 27.007.
fn technology(number: u8) -> Option<&'static str> {
    match number {
        0 | 1 | 3 | 8 => Some("GSM"),
        2 | 4..=6 => Some("WCDMA"),
        7 | 9 => Some("LTE"),
        _ => None,
    }
}

/// The registration of the module: the best of its domains.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registration {
    pub state: RegistrationState,
    pub technology: Option<&'static str>,
    pub operator: Option<String>,
    /// Home or roaming in a domain that carries data.
    pub is_registered: bool,
    pub raw: String,
}

impl Registration {
    /// Joins the answers of the domains and of `AT+COPS?`. A command that the module refused is missing.
    ///
    /// The circuit domain carries no data. It counts only if the module knows none of the others.
    pub fn join(domains: &[(Domain, DomainRegistration)], operator: Option<Operator>) -> Self {
        let states = domains.iter().map(|(_, found)| found.state);
        let carries_data = |domain: Domain| domain != Domain::Circuit;
        let knows_data = domains.iter().any(|(domain, _)| carries_data(*domain));
        let is_registered = domains
            .iter()
            .any(|(domain, found)| found.state.is_registered() && (carries_data(*domain) || !knows_data));
        let is_lte =
            domains.iter().any(|(domain, found)| *domain == Domain::Lte && found.state.is_registered());
        let Operator { name, technology, raw } = operator.unwrap_or_default();
        let mut raws: Vec<_> = domains.iter().map(|(_, found)| found.raw.clone()).collect();
        raws.push(raw);
        raws.retain(|raw| !raw.is_empty());
        Self {
            state: states.max().unwrap_or(RegistrationState::Unknown),
            technology: technology.or(is_lte.then_some("LTE")),
            operator: name,
            is_registered,
            raw: raws.join("\n"),
        }
    }
}

fn joined(lines: &Lines) -> String {
    let lines: Vec<_> = lines.iter().map(|line| lossy(line)).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    fn of(domain: Domain, line: &str) -> (Domain, DomainRegistration) {
        (domain, RegistrationIn(domain).answer(&lines(line)).unwrap())
    }

    #[test]
    fn asks_each_domain_in_the_read_form() {
        let commands = Domain::ALL.map(|domain| RegistrationIn(domain).command().line.shown());
        assert_eq!(commands, ["AT+CEREG?", "AT+CGREG?", "AT+CREG?"]);
        assert_eq!(SelectedOperator.command().line.bytes(), b"AT+COPS?");
    }

    #[test]
    fn state_is_read_in_both_forms() {
        for (line, expected) in [
            ("+CEREG: 0,1", "home"),
            ("+CEREG: 2,5,\"9A5F\",\"3E1A2B\",7", "roaming"),
            ("+CEREG: 0,2", "searching"),
            ("+CEREG: 3", "denied"),
            ("+CEREG: 1,\"9A5F\",\"3E1A2B\",7", "home"),
            ("+CEREG: 0,0", "not searching"),
            ("+CEREG: 0,4", "unknown"),
            ("+CEREG: 0,11", "unknown"),
            ("+CEREG: 0,6", "sms only"),
            ("+CEREG: 0,8", "emergency only"),
            ("+CEREG: 0,10", "roaming"),
        ] {
            assert_eq!(of(Domain::Lte, line).1.state.name(), expected, "{line}");
        }
        assert!(RegistrationIn(Domain::Packet).answer(&lines("+CEREG: 0,1")).is_err());
        assert!(RegistrationIn(Domain::Lte).answer(&lines("+CEREG:")).is_err());
    }

    #[test]
    fn operator_has_name_and_technology() {
        for (line, name, technology) in [
            ("+COPS: 0,2,\"22201\",7", Some("22201"), Some("LTE")),
            ("+COPS: 0,0,\"I TIM\",2", Some("I TIM"), Some("WCDMA")),
            ("+COPS: 1,1,\"TIM\",3", Some("TIM"), Some("GSM")),
            ("+COPS: 0,0,\"TIM\"", Some("TIM"), None),
            ("+COPS: 0", None, None),
        ] {
            let found = SelectedOperator.answer(&lines(line)).unwrap();
            assert_eq!((found.name.as_deref(), found.technology, &*found.raw), (name, technology, line));
        }
        assert!(SelectedOperator.answer(&lines("RDY")).is_err());
    }

    #[test]
    fn registration_is_the_best_of_the_domains() {
        let gsm = [
            of(Domain::Lte, "+CEREG: 0,4"),
            of(Domain::Packet, "+CGREG: 0,1"),
            of(Domain::Circuit, "+CREG: 0,1"),
        ];
        let operator = SelectedOperator.answer(&lines("+COPS: 0,2,\"22201\",3")).unwrap();
        assert_eq!(
            Registration::join(&gsm, Some(operator)),
            Registration {
                state: RegistrationState::Home,
                technology: Some("GSM"),
                operator: Some("22201".to_owned()),
                is_registered: true,
                raw: "+CEREG: 0,4\n+CGREG: 0,1\n+CREG: 0,1\n+COPS: 0,2,\"22201\",3".to_owned(),
            }
        );
        let lte = Registration::join(&[of(Domain::Lte, "+CEREG: 0,5")], None);
        assert_eq!((lte.state.name(), lte.technology, lte.is_registered), ("roaming", Some("LTE"), true));
    }

    #[test]
    fn registration_without_packet_service_is_none_unless_the_module_knows_only_the_circuit_domain() {
        let circuit = of(Domain::Circuit, "+CREG: 0,1");
        let calls = [of(Domain::Packet, "+CGREG: 0,3"), circuit.clone()];
        let calls_only = Registration::join(&calls, None);
        assert_eq!((calls_only.state.name(), calls_only.is_registered), ("home", false));
        assert!(Registration::join(&[circuit], None).is_registered);
    }
}
