//! `AT+CSQ`: the strength of the received signal.

use super::query::{Lines, Query, UnexpectedAnswer, command, lossy, number};
use crate::at::Command;
use crate::at::parameters::Parameters;

/// `AT+CSQ`
pub struct ReceivedSignal;

/// `+CSQ: <rssi>,<ber>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignalQuality {
    /// −113 to −51 dBm in steps of 2; `None` where the module does not know (99).
    pub rssi_dbm: Option<i16>,
    /// Channel bit error rate as 0 to 7 (RXQUAL); `None` where the module does not know (99).
    pub ber: Option<u8>,
    pub raw: String,
}

impl Query for ReceivedSignal {
    type Answer = SignalQuality;

    fn command(&self) -> Command {
        command("AT+CSQ")
    }

    fn answer(&self, lines: &Lines) -> Result<SignalQuality, UnexpectedAnswer> {
        let read = |line: &Vec<u8>| {
            let values = Parameters::of_information(line, b"CSQ")?;
            let rssi: i16 = number(values, 0)?;
            Some(SignalQuality {
                rssi_dbm: (0..=31).contains(&rssi).then(|| -113 + 2 * rssi),
                ber: number(values, 1).filter(|ber| *ber <= 7),
                raw: lossy(line),
            })
        };
        let found = lines.iter().find_map(read);
        found.ok_or_else(|| UnexpectedAnswer::new(self, "+CSQ: <rssi>,<ber>", lines))
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    #[test]
    fn signal_quality_is_read_in_dbm() {
        assert_eq!(ReceivedSignal.command().line.bytes(), b"AT+CSQ");
        for (line, rssi_dbm, ber) in [
            ("+CSQ: 23,0", Some(-67), Some(0)),
            ("+CSQ: 0,7", Some(-113), Some(7)),
            ("+CSQ: 31,99", Some(-51), None),
            ("+CSQ: 99,99", None, None),
            ("+CSQ: 199,8", None, None),
            ("+CSQ:5", Some(-103), None),
        ] {
            let found = ReceivedSignal.answer(&lines(line)).unwrap();
            assert_eq!((found.rssi_dbm, found.ber, found.raw.as_str()), (rssi_dbm, ber, line));
        }
        assert!(ReceivedSignal.answer(&lines("+CSQ: x,0")).is_err());
        assert!(ReceivedSignal.answer(&[]).is_err());
    }
}
