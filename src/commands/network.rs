//! The network the module is in: signal, registration, PDP contexts, SIM.

use super::information::{Lines, UnexpectedAnswer, parameters, text};
use super::limits::command;
use crate::at::Command;

/// `AT+CSQ`
pub fn query_signal_quality() -> Command {
    command("AT+CSQ")
}

/// `AT+CGACT?`
pub fn query_pdp_contexts() -> Command {
    command("AT+CGACT?")
}

/// `AT+CEREG?`: registration in LTE.
pub fn query_eps_registration() -> Command {
    command("AT+CEREG?")
}

/// `AT+CGREG?`: registration in GPRS.
pub fn query_gprs_registration() -> Command {
    command("AT+CGREG?")
}

/// `AT+CPIN?`
pub fn query_sim() -> Command {
    command("AT+CPIN?")
}

/// `+CSQ: <rssi>,<ber>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignalQuality {
    /// −113 to −51 dBm in steps of 2; None where the module does not know (99).
    pub rssi_dbm: Option<i16>,
    /// Channel bit error rate as 0 to 7 (RXQUAL); None where the module does not know (99).
    pub ber: Option<u8>,
    pub raw: String,
}

impl SignalQuality {
    pub fn from_answer(lines: &Lines) -> Result<Self, UnexpectedAnswer> {
        let read = |line: &Vec<u8>| {
            let parameters = parameters(line, "CSQ")?;
            let rssi: i16 = parameters.number(0)?;
            let ber: Option<u8> = parameters.number(1);
            Some(Self {
                rssi_dbm: (0..=31).contains(&rssi).then(|| -113 + 2 * rssi),
                ber: ber.filter(|ber| *ber <= 7),
                raw: text(line),
            })
        };
        lines
            .iter()
            .find_map(read)
            .ok_or_else(|| UnexpectedAnswer::new("AT+CSQ", "+CSQ: <rssi>,<ber>", lines))
    }
}

/// `+CGACT: <cid>,<state>`: each PDP context, and whether it is active. No line is no context.
pub fn pdp_contexts(lines: &Lines) -> Vec<(u8, bool)> {
    let contexts = lines.iter().filter_map(|line| {
        let parameters = parameters(line, "CGACT")?;
        Some((parameters.number(0)?, parameters.flag(1)?))
    });
    contexts.collect()
}

/// `<stat>` of `+CEREG: <n>,<stat>` and `+CGREG: <n>,<stat>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Registration {
    NotRegistered,
    Home,
    Searching,
    Denied,
    Unknown,
    Roaming,
    Other(u8),
}

impl Registration {
    pub fn from_eps_answer(lines: &Lines) -> Result<Self, UnexpectedAnswer> {
        Self::from_answer("CEREG", lines)
            .ok_or_else(|| UnexpectedAnswer::new("AT+CEREG?", "+CEREG: <n>,<stat>", lines))
    }

    pub fn from_gprs_answer(lines: &Lines) -> Result<Self, UnexpectedAnswer> {
        Self::from_answer("CGREG", lines)
            .ok_or_else(|| UnexpectedAnswer::new("AT+CGREG?", "+CGREG: <n>,<stat>", lines))
    }

    fn from_answer(name: &str, lines: &Lines) -> Option<Self> {
        lines.iter().filter_map(|line| parameters(line, name)).find_map(|parameters| {
            // The unsolicited form has no <n>: +CEREG: <stat>[,"<tac>","<ci>",<AcT>].
            let unsolicited = parameters.len() == 1 || parameters.is_quoted(1);
            parameters.number(usize::from(!unsolicited)).map(Self::from_stat)
        })
    }

    fn from_stat(stat: u8) -> Self {
        match stat {
            0 => Self::NotRegistered,
            1 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            4 => Self::Unknown,
            5 => Self::Roaming,
            other => Self::Other(other),
        }
    }

    pub fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

impl std::fmt::Display for Registration {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::NotRegistered => "not registered and not searching",
            Self::Home => "registered, home network",
            Self::Searching => "not registered, searching",
            Self::Denied => "registration denied",
            Self::Unknown => "unknown, out of coverage",
            Self::Roaming => "registered, roaming",
            Self::Other(stat) => return write!(formatter, "registration state {stat}"),
        })
    }
}

/// The `<code>` of `+CPIN: READY`.
pub fn sim_state(lines: &Lines) -> Result<String, UnexpectedAnswer> {
    lines
        .iter()
        .find_map(|line| parameters(line, "CPIN")?.text(0))
        .ok_or_else(|| UnexpectedAnswer::new("AT+CPIN?", "+CPIN: READY", lines))
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::lines;
    use super::*;

    #[test]
    fn bytes_as_in_the_note() {
        for (command, expected) in [
            (query_signal_quality(), "AT+CSQ"),
            (query_pdp_contexts(), "AT+CGACT?"),
            (query_eps_registration(), "AT+CEREG?"),
            (query_gprs_registration(), "AT+CGREG?"),
            (query_sim(), "AT+CPIN?"),
        ] {
            assert_eq!(command.line.bytes(), expected.as_bytes());
        }
    }

    #[test]
    fn reads_signal_quality() {
        for (line, rssi_dbm, ber) in [
            ("+CSQ: 23,0", Some(-67), Some(0)),
            ("+CSQ: 0,7", Some(-113), Some(7)),
            ("+CSQ: 31,99", Some(-51), None),
            ("+CSQ: 99,99", None, None),
            ("+CSQ: 199,8", None, None),
            ("+CSQ:5", Some(-103), None),
        ] {
            let found = SignalQuality::from_answer(&lines(line)).unwrap();
            assert_eq!((found.rssi_dbm, found.ber, found.raw.as_str()), (rssi_dbm, ber, line));
        }
        assert!(SignalQuality::from_answer(&lines("+CSQ: x,0")).is_err());
        assert!(SignalQuality::from_answer(&[]).is_err());
    }

    #[test]
    fn reads_pdp_contexts() {
        assert_eq!(pdp_contexts(&lines("+CGACT: 1,1")), [(1, true)]);
        assert_eq!(pdp_contexts(&lines("+CGACT: 1,1\n+CGACT: 8,0\n+CGACT: x")), [(1, true), (8, false)]);
        assert!(pdp_contexts(&[]).is_empty());
    }

    #[test]
    fn reads_registration_in_both_forms() {
        for (line, expected, registered) in [
            ("+CEREG: 0,1", Registration::Home, true),
            ("+CEREG: 2,5,\"9A5F\",\"3E1A2B\",7", Registration::Roaming, true),
            ("+CEREG: 0,2", Registration::Searching, false),
            ("+CEREG: 3", Registration::Denied, false),
            ("+CEREG: 1,\"9A5F\",\"3E1A2B\",7", Registration::Home, true),
            ("+CEREG: 0,11", Registration::Other(11), false),
        ] {
            let found = Registration::from_eps_answer(&lines(line)).unwrap();
            assert_eq!((found, found.is_registered()), (expected, registered), "{line}");
        }
        assert_eq!(Registration::from_gprs_answer(&lines("+CGREG: 0,0")), Ok(Registration::NotRegistered));
        assert!(Registration::from_gprs_answer(&lines("+CEREG: 0,1")).is_err());
    }

    #[test]
    fn reads_the_state_of_the_sim() {
        assert_eq!(sim_state(&lines("+CPIN: READY")).unwrap(), "READY");
        assert_eq!(sim_state(&lines("+CPIN: SIM PIN")).unwrap(), "SIM PIN");
        assert!(sim_state(&lines("+CPIN:")).is_err());
    }
}
