//! The position by satellites: `AT+CGNSSPWR`, `AT+CGNSSINFO`.

use super::clock::ClockTime;
use super::query::{Lines, Query, UnexpectedAnswer, command, each, lossy};
use crate::at::Command;
use crate::at::parameters::{Parameters, Value};

/// `AT+CGNSSPWR?`: true if the receiver is on.
pub struct GnssPower;

impl GnssPower {
    pub const NAME: &'static str = "CGNSSPWR";

    /// The line `+CGNSSPWR: READY!` tells that the receiver has started.
    pub fn is_ready(line: &[u8]) -> bool {
        Parameters::of_information(line, Self::NAME.as_bytes())
            .and_then(|values| values.get(0)?.text())
            .is_some_and(|text| text.to_ascii_uppercase().starts_with("READY"))
    }
}

impl Query for GnssPower {
    type Answer = bool;

    fn command(&self) -> Command {
        command("AT+CGNSSPWR?")
    }

    fn answer(&self, lines: &Lines) -> Result<bool, UnexpectedAnswer> {
        let is_on = each(lines, Self::NAME, |values| values.get(0)?.flag()).next();
        is_on.ok_or_else(|| UnexpectedAnswer::new(self, "+CGNSSPWR: <0 or 1>", lines))
    }
}

/// `AT+CGNSSPWR=<0|1>`
pub fn switch_gnss(on: bool) -> Command {
    command(format!("AT+CGNSSPWR={}", u8::from(on)))
}

/// `AT+CGNSSINFO`: the position, `None` without a fix.
pub struct CurrentPosition;

/// A fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
    /// Metres.
    pub altitude: Option<f64>,
    /// km/h.
    pub speed: Option<f64>,
    /// Degrees.
    pub course: Option<f64>,
    /// UTC.
    pub time: ClockTime,
    pub satellites: Option<u32>,
    pub hdop: Option<f64>,
    pub raw: String,
}

const FIX: &str =
    "+CGNSSINFO: <mode>,<satellites>,…,<latitude>,<N/S>,<longitude>,<E/W>,<ddmmyy>,<hhmmss.s>,…";

impl Query for CurrentPosition {
    type Answer = Option<Position>;

    fn command(&self) -> Command {
        command("AT+CGNSSINFO")
    }

    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let read = |line: &Vec<u8>| {
            let values = Parameters::of_information(line, b"CGNSSINFO")?;
            let has_fix = values.values().any(|value| !value.is_empty());
            Some(if has_fix { Position::read(values, lossy(line)).map(Some) } else { Some(None) })
        };
        let found = lines.iter().find_map(read).flatten();
        found.ok_or_else(|| UnexpectedAnswer::new(self, FIX, lines))
    }
}

impl Position {
    /// Reads `<mode>,<satellites>,…,<latitude>,<N/S>,<longitude>,<E/W>,<ddmmyy>,<hhmmss.s>,<altitude>,<speed>,<course>,
    /// <PDOP>,<HDOP>,<VDOP>`.
    ///
    /// Firmwares count the satellites of three or four systems, so the fields are found from `<N/S>` on.
    fn read(values: Parameters<'_>, raw: String) -> Option<Self> {
        let values: Vec<_> = values.values().collect();
        let is_north_or_south = |value: &Value<'_>| matches!(value.bytes(), b"N" | b"S");
        let north = values.iter().position(is_north_or_south)?;
        let latitude = north.checked_sub(1)?;
        let at = |offset: usize| values.get(latitude + offset).copied();
        let decimal = |offset: usize| at(offset)?.number::<f64>().filter(|number| number.is_finite());
        let counts = values.get(1..latitude)?.iter().filter_map(|value| value.number::<u32>());
        let (latitude, longitude) = coordinates(at(0)?, at(2)?)?;
        let knots_in_km_per_h = 1.852;
        Some(Self {
            latitude: if at(1)?.bytes() == b"S" { -latitude } else { latitude },
            longitude: if at(3)?.bytes() == b"W" { -longitude } else { longitude },
            altitude: decimal(6),
            speed: decimal(7).map(|knots| knots * knots_in_km_per_h),
            course: decimal(8),
            time: time(at(4)?.text()?, at(5)?.text()?)?,
            satellites: counts.reduce(u32::saturating_add),
            hdop: decimal(10),
            raw,
        })
    }
}

/// Latitude and longitude in degrees. Firmwares print decimal degrees, or as NMEA does degrees and minutes: `4526.35` is
/// 45° 26.35'. Two digits of minutes make the number longer than any number of degrees.
fn coordinates(latitude: Value<'_>, longitude: Value<'_>) -> Option<(f64, f64)> {
    let degrees =
        |value: Value<'_>| value.number::<f64>().filter(|number| number.is_finite() && *number >= 0.0);
    let digits = |value: Value<'_>| value.bytes().split(|byte| *byte == b'.').next().map_or(0, <[u8]>::len);
    let (north, east) = (degrees(latitude)?, degrees(longitude)?);
    let has_minutes = digits(latitude) >= 4 || digits(longitude) >= 5 || north > 90.0 || east > 180.0;
    let converted = |value: f64| {
        let (degrees, minutes) = ((value / 100.0).floor(), value % 100.0);
        (minutes < 60.0).then_some(degrees + minutes / 60.0)
    };
    let (north, east) = if has_minutes { (converted(north)?, converted(east)?) } else { (north, east) };
    (north <= 90.0 && east <= 180.0).then_some((north, east))
}

/// Reads `ddmmyy` and `hhmmss.s`.
fn time(date: &str, clock: &str) -> Option<ClockTime> {
    let pair = |text: &str, at: usize| text.get(at..at + 2)?.parse::<u8>().ok();
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    if date.len() != 6 || clock.len() != 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time = ClockTime {
        year: 2000 + u16::from(pair(date, 4)?),
        month: pair(date, 2)?,
        day: pair(date, 0)?,
        hour: pair(clock, 0)?,
        minute: pair(clock, 2)?,
        second: pair(clock, 4)?,
        microsecond: format!("{fraction:0<6.6}").parse().ok()?,
        quarters_of_an_hour: 0,
    };
    time.is_legal().then_some(time)
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    fn read(values: &str) -> Result<Option<Position>, UnexpectedAnswer> {
        CurrentPosition.answer(&lines(&format!("+CGNSSINFO: {values}")))
    }

    fn fix(values: &str) -> Position {
        read(values).unwrap().unwrap()
    }

    fn utc([year, month, day, hour, minute, second]: [u16; 6], microsecond: u32) -> ClockTime {
        let [month, day, hour, minute, second] =
            [month, day, hour, minute, second].map(|number| u8::try_from(number).unwrap());
        ClockTime { year, month, day, hour, minute, second, microsecond, quarters_of_an_hour: 0 }
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn fix_in_decimal_degrees() {
        let line = "3,08,04,02,01,45.4390613,N,9.1735126,E,250311,072809.3,44.1,10.0,271.5,1.3,1.0,0.8";
        let position = fix(line);
        assert_close(position.latitude, 45.439_061_3);
        assert_close(position.longitude, 9.173_512_6);
        assert_close(position.speed.unwrap(), 18.52);
        assert_eq!((position.altitude, position.course, position.hdop), (Some(44.1), Some(271.5), Some(1.0)));
        assert_eq!(position.time, utc([2011, 3, 25, 7, 28, 9], 300_000));
        assert_eq!(position.satellites, Some(15));
        assert_eq!(position.raw, format!("+CGNSSINFO: {line}"));
    }

    #[test]
    fn fix_in_degrees_and_minutes_of_three_systems() {
        let position = fix("2,09,05,00,3113.343286,S,12121.234064,W,250311,072809.3,44.1,0.0,0,1.3,1.0,0.8");
        assert_close(position.latitude, -(31.0 + 13.343_286 / 60.0));
        assert_close(position.longitude, -(121.0 + 21.234_064 / 60.0));
        assert_eq!(position.satellites, Some(14));
        let near_equator = fix("2,09,,,0013.34,N,00021.23,E,250311,072809,,,,,,");
        assert_close(near_equator.latitude, 13.34 / 60.0);
        assert_close(near_equator.longitude, 21.23 / 60.0);
    }

    #[test]
    fn missing_fields_of_a_fix_are_none() {
        let position = fix("2,,,,,45.0,N,9.0,E,010125,000000,,,");
        assert_eq!((position.altitude, position.speed, position.course), (None, None, None));
        assert_eq!((position.satellites, position.hdop), (None, None));
        assert_eq!(position.time, utc([2025, 1, 1, 0, 0, 0], 0));
    }

    #[test]
    fn no_fix_is_none() {
        for values in [",,,,,,,,", ",,,,,,,,,,,,,,,", ""] {
            assert_eq!(read(values), Ok(None), "{values}");
        }
    }

    #[test]
    fn impossible_positions_are_unexpected() {
        for values in [
            "2,09,05,00",
            "N,9.0,E",
            "2,09,95.0,N,9.0,E,010125,000000",
            "2,09,45.0,N,9.0,E,320125,000000",
            "2,09,45.0,N,9.0,E,290225,000000",
            "2,09,45.0,N,9.0,E,010125,250000",
            "2,09,45.0,N,9.0,E,010125,0000",
            "2,09,nan,N,9.0,E,010125,000000",
            "2,09,-45.0,N,9.0,E,010125,000000",
            "2,09,9975.0,N,17975.0,E,010125,000000",
        ] {
            assert!(read(values).is_err(), "{values}");
        }
        assert!(CurrentPosition.answer(&[]).is_err());
    }

    #[test]
    fn receiver_is_switched_and_asked() {
        assert_eq!(CurrentPosition.command().line.bytes(), b"AT+CGNSSINFO");
        assert_eq!(switch_gnss(true).line.bytes(), b"AT+CGNSSPWR=1");
        assert_eq!(switch_gnss(false).line.bytes(), b"AT+CGNSSPWR=0");
        assert_eq!(GnssPower.command().line.bytes(), b"AT+CGNSSPWR?");
        assert_eq!(GnssPower.answer(&lines("+CGNSSPWR: 1,0,0")), Ok(true));
        assert!(GnssPower.answer(&lines("+CGNSSPWR: READY!")).is_err());
        assert!(GnssPower::is_ready(b"+CGNSSPWR: READY!"));
        assert!(!GnssPower::is_ready(b"+CGNSSPWR: 1"));
    }
}
