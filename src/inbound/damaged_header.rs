//! Lines that damage made of headers, and what they still tell.
//!
//! ```text
//! +CMQTTRXPAYLxAD: 0,5                     bytes altered
//! +CMQTRXPAYLOAD: 0,5    XPAYLOAD: 0,5     bytes lost from the beginning or the middle of the name
//! helloXEND: 0                             the header's beginning and the end of the line before it are lost
//! +CMQTTRXSTART: 0,3,5+CMQTTRXTOPIC: 0,3   the line end between two headers is lost
//! +CMQTTRXPAYLOAD: 0,5hello                the line end between a header and its bytes is lost
//! ```
//!
//! Without this rule, damaged headers would be lines of other features, and the block goes on unnoticed. Needed by
//! `resync_rules::header_without_the_beginning_of_its_name_is_no_urc` and
//! `damaged_blocks::gap_that_joins_two_headers`.

use memchr::{memchr, memchr_iter, memrchr};

use super::header::{HEADER_BEGINNING, Header, Part, Values, split_name};

const LONGEST_FRAGMENT: usize = b"CMQTTRXPAYLOAD: 0,10240".len();

/// A line that is a header, or was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderLine {
    Sound(Header),
    Damaged(DamagedHeader),
}

impl HeaderLine {
    #[inline]
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        match Header::parse(line) {
            Some(header) => Some(Self::Sound(header)),
            None => DamagedHeader::parse(line).map(Self::Damaged),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DamagedHeader {
    /// The header that the line ends like: the next bytes may be those it announces. Needed by
    /// `resync_rules::topic_header_joined_to_the_start_is_read_by_its_count`.
    pub(crate) last: Option<Header>,
    /// How many bytes of the line stand behind a header whose line end is lost. They belong to the block already. Needed
    /// by `resync_rules::bytes_behind_a_header_without_line_end_are_content`.
    pub(crate) trailing: usize,
}

impl DamagedHeader {
    /// Reads a line that [`Header::parse`] refused. `None` if the line is nothing of a header.
    #[inline(never)]
    fn parse(line: &[u8]) -> Option<Self> {
        let is_damaged = line.starts_with(HEADER_BEGINNING) || holds_tail(line) || is_fragment(line);
        is_damaged.then(|| Self { last: last_header(line), trailing: trailing_bytes(line) })
    }

    /// A sound header behind which not exactly CR LF stands. Digits may be lost with the CR: `0,15` is left of `0,1500`.
    /// Needed by `random_damage`: without it, a million cases invent 135 messages instead of 128.
    pub(crate) fn with_damaged_line_end(header: Header) -> Self {
        // An RXSTART with a length that is cut short would end its block too early, so it is not used. Needed by
        // `random_damage`: without it, a million cases invent 131 messages instead of 128.
        let last = Some(header).filter(|header| !matches!(header, Header::Start { .. }));
        Self { last, trailing: 0 }
    }
}

/// The last letter of a name is enough, because the number of values tells the rest: `…AD: 1,112` is a payload of 112
/// bytes, `…END: 1` an end.
fn last_header(line: &[u8]) -> Option<Header> {
    let colon = memrchr(b':', line)?;
    let values = Values::parse(&line[colon + 1..])?;
    let (client, length) = (values.client, values.first);
    match (line[..colon].last()?, values.count) {
        (b'C', 1) => Some(Header::Part { part: Part::Topic, client, length }),
        (b'D', 1) => Some(Header::Part { part: Part::Payload, client, length }),
        (b'D', 0) => Some(Header::End { client }),
        _ => None,
    }
}

fn trailing_bytes(line: &[u8]) -> usize {
    let Some((_, values)) = line.strip_prefix(HEADER_BEGINNING).and_then(split_name) else { return 0 };
    let is_of_values = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b',' | b' ');
    let (values, rest) = values.split_at(values.iter().take_while(|byte| is_of_values(byte)).count());
    Values::parse(values.trim_ascii()).map_or(0, |_| rest.len())
}

/// The tail of a header stands somewhere in the line, behind what is left of the line before it.
fn holds_tail(line: &[u8]) -> bool {
    let tails = [&b"XSTART: "[..], b"XTOPIC: ", b"XPAYLOAD: ", b"XEND: "];
    memchr_iter(b'X', line).any(|at| tails.iter().any(|tail| line[at..].starts_with(tail)))
}

/// The whole line is a header that lost bytes of its beginning or of its name: `D: 0`, `+CMSTART: 0,1,1`.
fn is_fragment(line: &[u8]) -> bool {
    if !line.last().is_some_and(u8::is_ascii_digit) || line.len() > LONGEST_FRAGMENT {
        return false;
    }
    let intact = line.iter().zip(HEADER_BEGINNING).take_while(|(found, wanted)| found == wanted).count();
    let Some(colon) = memchr(b':', line) else { return false };
    let (name, values) = line[intact..].split_at(colon - intact);
    let Some(values) = Values::parse(values[1..].trim_ascii_start()) else { return false };
    // Needed by `answer_orders`: `+CMQTTTOPIC: 0,11` is the answer to a refused TOPIC, not an RXTOPIC that lost its `RX`.
    let is_result = &line[..intact] == b"+CMQTT" && matches!(name, b"TOPIC" | b"PAYLOAD");
    let names = [(&b"RXSTART"[..], 2), (b"RXTOPIC", 1), (b"RXPAYLOAD", 1), (b"RXEND", 0)];
    let is_tail = |(whole, count): &(&[u8], usize)| whole.ends_with(name) && *count == values.count;
    !name.is_empty() && !is_result && names.iter().any(is_tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::ClientIndex;

    #[test]
    fn finds_headers_in_damaged_lines_and_only_there() {
        for line in [
            "+CMQTTRX",
            "+CMQTTRXSTART: 2,1,1",
            "+CMQTTRXSTART: 0,1",
            "+CMQTTRXTOPIC: 0,999999",
            "+CMQTTRXENDS: 0",
            "+CMQTRXPAYLOAD: 0,1",
            "QTTRXEND: 0",
            "RXTOPIC: 0,5",
            "XPAYLOAD: 0,93",
            "helloXEND: 0",
            "D: 0",
            "+XTOPIC: 1,20",
            "+CMSTART: 0,1,1",
        ] {
            assert!(DamagedHeader::parse(line.as_bytes()).is_some(), "{line}");
        }
        for line in [
            "+CMQTTPUB: 0,0",
            "+CMQTTTOPIC: 0,11",
            "+CMQTTSTART: 0",
            "+CMQTTSTOP: 0",
            "+CEND: 1,0,67,16",
            ": 0",
            "1:0",
        ] {
            assert_eq!(DamagedHeader::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn tells_the_last_header_and_the_bytes_behind_the_first() {
        let client = ClientIndex::One;
        let part = |part, length| Some(Header::Part { part, client, length });
        for (line, last, trailing) in [
            ("+CMQTTRXSTART: 1,XPAYLOAD: 1,112", part(Part::Payload, 112), 0),
            ("+CMQTTRXSTART: 1,AD: 1,112", part(Part::Payload, 112), 0),
            ("+CMQTTRXSTART: 1,3,9+CMQTTRXTOPIC: 1,3", part(Part::Topic, 3), 18),
            ("xRXEND: 1", Some(Header::End { client }), 0),
            ("+CMQTTRXPAYLOAD: 1,112\rfirst line", None, 11),
            ("+CMQTTRXPAYLOAD: 1,11two lines", None, 9),
            ("+CMQTTRXPAYL", None, 0),
            ("+CMQTTRXPAYLOAD:x 1,112x", None, 0),
            ("+CMQTTRXEND: 0+CMQTTRXSTART: 1,3,9", None, 20),
        ] {
            let expected = Some(DamagedHeader { last, trailing });
            assert_eq!(DamagedHeader::parse(line.as_bytes()), expected, "{line}");
        }
    }
}
