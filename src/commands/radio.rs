//! The radio link: `AT+CPSI?` for the serving cell, `AT+CSQ` for the strength of the signal.

use super::query::{Lines, Query, UnexpectedAnswer, command, lossy, number, text};
use crate::at::Command;
use crate::at::parameters::{Parameters, Value};

/// `AT+CPSI?`: the serving cell.
pub struct ServingCell;

/// `+CPSI: <mode>,<operation mode>[,…]`; a value that a mode does not have, or the module does not know, is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// `LTE`, `GSM`, `WCDMA`, …, or `NO SERVICE`.
    pub mode: String,
    /// `Online`, `Offline`, `Low Power Mode`, …
    pub operation: String,
    /// `460-11`.
    pub mcc_mnc: Option<String>,
    /// TAC in LTE, LAC in GSM and WCDMA.
    pub tac: Option<u32>,
    pub cell_id: Option<u32>,
    /// In WCDMA the primary scrambling code.
    pub physical_cell_id: Option<u16>,
    /// `EUTRAN-BAND3`, `WCDMA IMT 2000`, `EGSM 900`.
    pub band: Option<String>,
    /// EARFCN, UARFCN or ARFCN.
    pub earfcn: Option<u32>,
    /// As the module numbers it: 0 to 5 for 1.4, 3, 5, 10, 15 and 20 MHz.
    pub downlink_bandwidth: Option<u8>,
    pub uplink_bandwidth: Option<u8>,
    /// In WCDMA Ec/Io.
    pub rsrq_db: Option<f64>,
    /// In WCDMA the received signal code power.
    pub rsrp_dbm: Option<i16>,
    pub rssi_dbm: Option<i16>,
    pub rssnr_db: Option<i16>,
    pub sinr_db: Option<f64>,
    pub raw: String,
}

impl Query for ServingCell {
    type Answer = Cell;

    fn command(&self) -> Command {
        command("AT+CPSI?")
    }

    fn answer(&self, lines: &Lines) -> Result<Cell, UnexpectedAnswer> {
        lines
            .iter()
            .find_map(|line| Cell::from_line(line))
            .ok_or_else(|| UnexpectedAnswer::new(self, "+CPSI: <system mode>,<operation mode>,…", lines))
    }
}

impl Cell {
    fn from_line(line: &[u8]) -> Option<Self> {
        let values = Parameters::of_information(line, b"CPSI")?;
        let mut cell = Self {
            mode: text(values, 0)?,
            operation: text(values, 1).unwrap_or_default(),
            mcc_mnc: text(values, 2),
            tac: values.get(3).and_then(Value::hexadecimal),
            cell_id: values.get(4).and_then(Value::hexadecimal),
            raw: lossy(line),
            ..Self::default()
        };
        match &*cell.mode.to_ascii_uppercase() {
            "LTE" => cell.read_lte(values),
            "WCDMA" => cell.read_wcdma(values),
            "GSM" => cell.read_gsm(values),
            _ => {}
        }
        Some(cell)
    }

    fn read_lte(&mut self, values: Parameters<'_>) {
        self.physical_cell_id = number(values, 5);
        self.band = text(values, 6);
        self.earfcn = number(values, 7);
        self.downlink_bandwidth = number(values, 8);
        self.uplink_bandwidth = number(values, 9);
        let levels = Levels {
            rsrq: number(values, 10),
            rsrp: number(values, 11),
            rssi: number(values, 12),
            rssnr: number(values, 13),
        };
        levels.fill(self);
    }

    /// `…,<band>,<PSC>,<UARFCN>,<SSC>,<Ec/Io>,<RSCP>,<Qual>,<RxLev>,<TxPower>`. The module leaves out the sign of levels.
    fn read_wcdma(&mut self, values: Parameters<'_>) {
        self.band = text(values, 5);
        self.physical_cell_id = number(values, 6);
        self.earfcn = number(values, 7);
        self.rsrq_db = number(values, 9).map(|level: f64| -level.abs()).filter(|level| *level > -40.0);
        self.rsrp_dbm = number(values, 10)
            .map(|level: i16| -level.saturating_abs())
            .filter(|level| (-140..0).contains(level));
    }

    /// `…,<ARFCN> <band>,<RxLev>,<track LO adjust>,<C1-C2>`, as in `27 EGSM 900,-64,2110,42-42`.
    fn read_gsm(&mut self, values: Parameters<'_>) {
        let channel = text(values, 5).unwrap_or_default();
        let (arfcn, band) = channel.split_once(' ').unwrap_or((&channel, ""));
        self.earfcn = arfcn.parse().ok();
        self.band = Some(band.trim().to_owned()).filter(|band| !band.is_empty());
        self.rssi_dbm = number(values, 6).filter(|level| (-140..0).contains(level));
    }
}

/// RSRQ, RSRP, RSSI and RSSNR as they stand on the line, in one of three styles; the value of RSRP tells which.
struct Levels {
    rsrq: Option<i16>,
    rsrp: Option<i16>,
    rssi: Option<i16>,
    rssnr: Option<i16>,
}

impl Levels {
    /// A level that is not documented for a style stays `None`; `raw` has it.
    fn fill(&self, cell: &mut Cell) {
        // 0 dBm stands for a level that was not measured.
        let measured = |level: &i16| *level != 0;
        match self.rsrp {
            // SIM767XX: whole decibels. -156 dBm is the lowest RSRP there is.
            Some(-156..0) => {
                cell.rsrq_db = self.rsrq.map(f64::from);
                cell.rsrp_dbm = self.rsrp;
                cell.rssi_dbm = self.rssi.filter(measured);
                cell.rssnr_db = self.rssnr;
                cell.sinr_db = self.rssnr.filter(|ratio| (-40..=40).contains(ratio)).map(f64::from);
            }
            // SIM7600: tenths of a decibel, since no RSRP is that low.
            Some(-1560..-156) => {
                cell.rsrq_db = self.rsrq.map(|tenths| f64::from(tenths) / 10.0);
                cell.rsrp_dbm = self.rsrp.map(whole);
                cell.rssi_dbm = self.rssi.map(whole).filter(measured);
                // The manual of the family: SINR = 2 · RSSNR − 20, from −20 to 30 dB.
                let steps = self.rssnr.filter(|steps| (0..=25).contains(steps));
                cell.sinr_db = steps.map(|steps| f64::from(2 * steps - 20));
            }
            // A76XX: the reporting levels of 3GPP TS 36.133, each given as the lower edge of its step.
            Some(level @ 0..=97) => {
                let quality = self.rsrq.filter(|level| (0..=34).contains(level));
                cell.rsrq_db = quality.map(|level| f64::from(level) / 2.0 - 20.0);
                cell.rsrp_dbm = Some(level - 141);
            }
            _ => {}
        }
    }
}

/// Rounds tenths of a decibel to decibels.
fn whole(tenths: i16) -> i16 {
    tenths.saturating_add(5).div_euclid(10)
}

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

    fn cell(line: &str) -> Cell {
        ServingCell.answer(&lines(line)).unwrap()
    }

    #[test]
    fn cell_is_asked_for_in_the_read_form() {
        assert_eq!(ServingCell.command().line.bytes(), b"AT+CPSI?");
    }

    #[test]
    fn lte_line_fills_every_field() {
        let line = "+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5";
        assert_eq!(
            cell(line),
            Cell {
                mode: "LTE".to_owned(),
                operation: "Online".to_owned(),
                mcc_mnc: Some("460-11".to_owned()),
                tac: Some(0x9A5F),
                cell_id: Some(65_141_122),
                physical_cell_id: Some(318),
                band: Some("EUTRAN-BAND3".to_owned()),
                earfcn: Some(1650),
                downlink_bandwidth: Some(5),
                uplink_bandwidth: Some(5),
                rsrq_db: Some(-13.0),
                rsrp_dbm: Some(-103),
                rssi_dbm: Some(-90),
                rssnr_db: Some(5),
                sinr_db: Some(5.0),
                raw: line.to_owned(),
            }
        );
    }

    #[test]
    fn positive_levels_are_reporting_levels() {
        // The example of chapter 3, which stands on three lines there.
        let cell = cell("+CPSI: LTE,Online,460-00,0x333C,39589680,308,EUTRAN-BAND3,1350,5,0,0,54,0,22");
        assert_eq!((cell.rsrq_db, cell.rsrp_dbm, cell.rssi_dbm), (Some(-20.0), Some(-87), None));
        assert_eq!((cell.uplink_bandwidth, cell.rssnr_db), (Some(0), None));
        assert_eq!(cell.tac, Some(0x333C));
    }

    fn levels(figures: &str) -> (Option<f64>, Option<i16>, Option<i16>, Option<i16>) {
        let cell = cell(&format!("+CPSI: LTE,Online,460-01,0x230A,1,2,EUTRAN-BAND3,1650,5,5,{figures}"));
        (cell.rsrq_db, cell.rsrp_dbm, cell.rssi_dbm, cell.rssnr_db)
    }

    #[test]
    fn style_of_levels_is_recognized_by_rsrp() {
        assert_eq!(levels("-13,-156,-90,5"), (Some(-13.0), Some(-156), Some(-90), Some(5)));
        assert_eq!(levels("0,-80,0,-3"), (Some(0.0), Some(-80), None, Some(-3)));
        assert_eq!(levels("-101,-926,-643,15"), (Some(-10.1), Some(-93), Some(-64), None));
        assert_eq!(levels("-101,-925,-1,15"), (Some(-10.1), Some(-92), None, None));
        assert_eq!(levels("21,67,255,19"), (Some(-9.5), Some(-74), None, None));
        assert_eq!(levels("34,97,0,19"), (Some(-3.0), Some(-44), None, None));
        assert_eq!(levels("255,54,255,19"), (None, Some(-87), None, None));
        for unknown in ["255,255,255,19", ",,,", "-32768,-32768,-32768,-32768", "x,y,z,w"] {
            assert_eq!(levels(unknown), (None, None, None, None), "{unknown}");
        }
    }

    #[test]
    fn line_without_service_fills_mode_and_operation_only() {
        let cell = cell("+CPSI: NO SERVICE,Online");
        assert_eq!((cell.mode.as_str(), cell.operation.as_str()), ("NO SERVICE", "Online"));
        assert_eq!((cell.mcc_mnc.as_ref(), cell.rsrp_dbm), (None, None));
        assert_eq!(self::cell("+CPSI: NO SERVICE").operation, "");
    }

    #[test]
    fn sinr_is_computed_from_the_steps_of_sim7600() {
        let sinr = |figures: &str| {
            cell(&format!("+CPSI: LTE,Online,460-01,0x230A,1,2,EUTRAN-BAND3,1650,5,5,{figures}")).sinr_db
        };
        assert_eq!(sinr("-101,-926,-643,15"), Some(10.0));
        assert_eq!(sinr("-101,-926,-643,0"), Some(-20.0));
        assert_eq!(sinr("-101,-926,-643,99"), None);
        assert_eq!(sinr("-13,-103,-90,-7"), Some(-7.0));
        assert_eq!(sinr("-13,-103,-90,32767"), None);
        assert_eq!(sinr("0,54,0,22"), None);
    }

    #[test]
    fn gsm_line_fills_channel_band_and_level() {
        let line = "+CPSI: GSM,Online,460-00,0x182d,12401,27 EGSM 900,-64,2110,42-42";
        let expected = Cell {
            mode: "GSM".to_owned(),
            operation: "Online".to_owned(),
            mcc_mnc: Some("460-00".to_owned()),
            tac: Some(0x182D),
            cell_id: Some(12401),
            band: Some("EGSM 900".to_owned()),
            earfcn: Some(27),
            rssi_dbm: Some(-64),
            raw: line.to_owned(),
            ..Cell::default()
        };
        assert_eq!(cell(line), expected);
        let odd = cell("+CPSI: GSM,Online,460-00,0x182d,12401,EGSM 900,0");
        assert_eq!((odd.earfcn, odd.rssi_dbm), (None, None));
    }

    #[test]
    fn wcdma_line_fills_band_code_channel_and_levels() {
        let line = "+CPSI: WCDMA,Online,460-01,0xA809,11122855,WCDMA IMT 2000,279,10663,0,1.5,62,33,52,500";
        let expected = Cell {
            mode: "WCDMA".to_owned(),
            operation: "Online".to_owned(),
            mcc_mnc: Some("460-01".to_owned()),
            tac: Some(0xA809),
            cell_id: Some(11_122_855),
            physical_cell_id: Some(279),
            band: Some("WCDMA IMT 2000".to_owned()),
            earfcn: Some(10663),
            rsrq_db: Some(-1.5),
            rsrp_dbm: Some(-62),
            raw: line.to_owned(),
            ..Cell::default()
        };
        assert_eq!(cell(line), expected);
        let signed = cell(&line.replace("1.5,62", "-1.5,-62"));
        assert_eq!((signed.rsrq_db, signed.rsrp_dbm), (Some(-1.5), Some(-62)));
        let unmeasured = cell(&line.replace("1.5,62", "nan,-32768"));
        assert_eq!((unmeasured.rsrq_db, unmeasured.rsrp_dbm), (None, None));
    }

    #[test]
    fn short_line_fills_the_fields_that_it_has() {
        let cell = cell("+CPSI: LTE,Online,460-11,0x9A5F");
        assert_eq!((cell.tac, cell.cell_id, cell.rssnr_db), (Some(0x9A5F), None, None));
        assert!(ServingCell.answer(&lines("+CPSI:")).is_err());
        assert!(ServingCell.answer(&lines("RDY")).is_err());
    }

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
