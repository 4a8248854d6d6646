//! The clock of the module: `AT+CCLK?`, and `AT+CNTP` to set it from a time server.

use super::Invalid;
use super::legal_values::sized;
use super::query::{Lines, Query, UnexpectedAnswer, command, each, text};
use crate::at::Command;
use crate::at::parameters::Parameters;

/// `AT+CCLK?`: the time, `None` if the clock was never set.
pub struct Clock;

/// A local time with its distance from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClockTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub microsecond: u32,
    /// East of Greenwich.
    pub quarters_of_an_hour: i8,
}

impl Query for Clock {
    type Answer = Option<ClockTime>;

    fn command(&self) -> Command {
        command("AT+CCLK?")
    }

    /// Reads `+CCLK: "25/08/04,19:02:11+08"`. A clock that was never set begins in 1970 or 1980.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let found = each(lines, "CCLK", |values| ClockTime::parse(&text(values, 0)?)).next();
        let time =
            found.ok_or_else(|| UnexpectedAnswer::new(self, "+CCLK: \"yy/MM/dd,hh:mm:ss±zz\"", lines))?;
        Ok(Some(time).filter(|time| (2000..2070).contains(&time.year)))
    }
}

impl ClockTime {
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(',')?;
        let sign = time.find(['+', '-']).unwrap_or(time.len());
        let (time, zone) = time.split_at(sign);
        let [year, month, day] = numbers(date, '/')?;
        let [hour, minute, second] = numbers(time, ':')?;
        let year = if year < 100 { 2000 + year } else { year };
        let quarters_of_an_hour = if zone.is_empty() { 0 } else { zone.parse().ok()? };
        let small = |number: u16| u8::try_from(number).ok();
        let time = Self {
            year,
            month: small(month)?,
            day: small(day)?,
            hour: small(hour)?,
            minute: small(minute)?,
            second: small(second)?,
            microsecond: 0,
            quarters_of_an_hour,
        };
        time.is_legal().then_some(time)
    }

    pub(super) fn is_legal(&self) -> bool {
        (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && (-95..=95).contains(&self.quarters_of_an_hour)
    }
}

fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    let numbers: Option<Vec<_>> = text.split(separator).map(|part| part.trim().parse().ok()).collect();
    numbers?.try_into().ok()
}

/// The days of a month in the Gregorian calendar.
fn days_in_month(year: u16, month: u8) -> u8 {
    let is_leap_year = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year => 29,
        2 => 28,
        _ => 31,
    }
}

/// A time server of `AT+CNTP`: 1 to 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeServer(String);

impl TimeServer {
    /// The result comes as `+CNTP: <err>`, behind the `OK` of [`TimeServer::synchronize`].
    pub const RESULT: &'static str = "CNTP";

    /// # Errors
    ///
    /// [`Invalid`] for a name that the module does not take.
    pub fn parse(server: &str) -> Result<Self, Invalid> {
        const LONGEST: usize = 255;
        Ok(Self(sized("server", server, LONGEST)?.to_owned()))
    }

    /// `AT+CNTP="<server>",<timezone>`: the clock will show the time of this zone, or of UTC if the command cannot set it.
    pub fn configure(&self, quarters_of_an_hour: i8) -> Command {
        let quarters_of_an_hour =
            if (-47..=48).contains(&quarters_of_an_hour) { quarters_of_an_hour } else { 0 };
        command(format!("AT+CNTP=\"{}\",{quarters_of_an_hour}", self.0))
    }

    /// `AT+CNTP`
    pub fn synchronize() -> Command {
        command("AT+CNTP")
    }

    /// `<err>` of `+CNTP: <err>`.
    pub fn result(line: &[u8]) -> Option<u16> {
        Parameters::of_information(line, Self::RESULT.as_bytes())?.get(0)?.number()
    }

    /// The meaning of a result, 0 aside.
    pub fn meaning(result: u16) -> &'static str {
        match result {
            2 => "wrong parameter",
            3 => "the server sent a wrong date or time",
            4 => "network error",
            5 => "time zone error",
            6 => "timeout",
            _ => "unknown error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    fn read(text: &str) -> Result<Option<ClockTime>, UnexpectedAnswer> {
        Clock.answer(&lines(&format!("+CCLK: \"{text}\"")))
    }

    #[test]
    fn time_is_read_with_its_zone() {
        assert_eq!(Clock.command().line.bytes(), b"AT+CCLK?");
        let expected = ClockTime {
            year: 2025,
            month: 8,
            day: 4,
            hour: 19,
            minute: 2,
            second: 11,
            microsecond: 0,
            quarters_of_an_hour: 8,
        };
        assert_eq!(read("25/08/04,19:02:11+08"), Ok(Some(expected)));
        assert_eq!(read("2025/08/04,19:02:11+08"), Ok(Some(expected)));
        let west = ClockTime { quarters_of_an_hour: -28, ..expected };
        assert_eq!(read("25/08/04,19:02:11-28"), Ok(Some(west)));
        let utc = ClockTime { quarters_of_an_hour: 0, ..expected };
        assert_eq!(read("25/08/04,19:02:11"), Ok(Some(utc)));
        assert!(read("24/02/29,00:00:00+00").unwrap().is_some());
    }

    #[test]
    fn clock_that_was_never_set_has_no_time() {
        for text in
            ["70/01/01,00:00:11+00", "80/01/06,00:00:11+00", "80/01/06,00:04:11-95", "1970/01/01,00:00:00"]
        {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn impossible_times_are_unexpected() {
        for text in [
            "",
            "25/08/04",
            "25/13/04,00:00:00+00",
            "25/02/29,00:00:00+00",
            "25/08/00,00:00:00+00",
            "25/08/04,24:00:00+00",
            "25/08/04,00:60:00+00",
            "25/08/04,00:00:60+00",
            "25/08/04,00:00:00+96",
            "25/08/04,00:00:00+x",
            "300/300/04,00:00:00+00",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(Clock.answer(&[]).is_err());
    }

    #[test]
    fn time_server_is_configured_and_asked() {
        let server = TimeServer::parse("pool.ntp.org").unwrap();
        assert_eq!(server.configure(-28).line.bytes(), b"AT+CNTP=\"pool.ntp.org\",-28");
        assert_eq!(server.configure(56).line.bytes(), b"AT+CNTP=\"pool.ntp.org\",0");
        assert_eq!(TimeServer::synchronize().line.bytes(), b"AT+CNTP");
        assert_eq!(TimeServer::result(b"+CNTP: 0"), Some(0));
        assert_eq!(TimeServer::result(b"+CCLK: 0"), None);
        assert_eq!(TimeServer::meaning(4), "network error");
        assert!(TimeServer::parse("a\"b").is_err());
        assert!(TimeServer::parse("").is_err());
    }
}
