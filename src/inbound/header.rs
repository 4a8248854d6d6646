use memchr::{memchr, memchr_iter, memrchr};

use crate::at::ClientIndex;
use crate::at::parameters::strict_numbers;

/// The lines that frame a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// `+CMQTTRXSTART: <client_index>,<topic_total_len>,<payload_total_len>`
    Start { client: ClientIndex, topic: usize, payload: usize },
    /// `+CMQTTRXTOPIC: <client_index>,<sub_topic_len>` and `+CMQTTRXPAYLOAD: <client_index>,<sub_payload_len>`
    Part { part: Part, client: ClientIndex, length: usize },
    /// `+CMQTTRXEND: <client_index>`
    End { client: ClientIndex },
    /// Begins like one of them, and is none.
    Garbled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Topic,
    Payload,
}

impl Header {
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        if let Some(rest) = line.strip_prefix(BEGINNING) {
            return Some(Self::parse_rest(rest).unwrap_or(Self::Garbled));
        }
        holds_remains(line).then_some(Self::Garbled)
    }

    fn parse_rest(rest: &[u8]) -> Option<Self> {
        let (kind, values) = split(rest)?;
        let (client, [first, second], count) = numbers(values.strip_prefix(b" ").unwrap_or(values))?;
        match (kind, count) {
            (Kind::Start, 2) => Some(Self::Start { client, topic: first, payload: second }),
            (Kind::Part(part), 1) => Some(Self::Part { part, client, length: first }),
            (Kind::End, 0) => Some(Self::End { client }),
            _ => None,
        }
    }
}

/// What a garbled header still tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remains {
    /// The header that the line ends like.
    pub(crate) last: Option<Header>,
    /// How many bytes stand behind a header without its line end.
    pub(crate) run_on: usize,
}

impl Remains {
    pub(crate) fn of(line: &[u8]) -> Self {
        Self { last: last_header(line), run_on: run_on(line) }
    }

    pub(crate) fn without_line_end(header: Header) -> Self {
        let last = Some(header).filter(|header| !matches!(header, Header::Start { .. }));
        Self { last, run_on: 0 }
    }
}

/// Of the name its last letter is enough, since the numbers behind it tell the rest.
fn last_header(line: &[u8]) -> Option<Header> {
    let colon = memrchr(b':', line)?;
    let values = &line[colon + 1..];
    let (client, [length, _], count) = numbers(values.strip_prefix(b" ").unwrap_or(values))?;
    match (line[..colon].last()?, count) {
        (b'C', 1) => Some(Header::Part { part: Part::Topic, client, length }),
        (b'D', 1) => Some(Header::Part { part: Part::Payload, client, length }),
        (b'D', 0) => Some(Header::End { client }),
        _ => None,
    }
}

fn run_on(line: &[u8]) -> usize {
    let Some((_, values)) = line.strip_prefix(BEGINNING).and_then(split) else { return 0 };
    let is_value = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b',' | b' ');
    let (values, rest) = values.split_at(values.iter().take_while(|byte| is_value(byte)).count());
    numbers(values.trim_ascii()).map_or(0, |_| rest.len())
}

const BEGINNING: &[u8] = b"+CMQTTRX";
const RESULT_BEGINNING: &[u8] = b"+CMQTT";

#[derive(Clone, Copy)]
enum Kind {
    Start,
    Part(Part),
    End,
}

/// At the colon.
fn split(rest: &[u8]) -> Option<(Kind, &[u8])> {
    if let Some(values) = rest.strip_prefix(b"TOPIC:") {
        return Some((Kind::Part(Part::Topic), values));
    }
    if let Some(values) = rest.strip_prefix(b"PAYLOAD:") {
        return Some((Kind::Part(Part::Payload), values));
    }
    if let Some(values) = rest.strip_prefix(b"START:") {
        return Some((Kind::Start, values));
    }
    rest.strip_prefix(b"END:").map(|values| (Kind::End, values))
}

/// The client and up to two lengths, and how many lengths there are.
fn numbers(values: &[u8]) -> Option<(ClientIndex, [usize; 2], usize)> {
    let ([client, first, second], count) = strict_numbers(values)?;
    Some((ClientIndex::from_number(client as u64)?, [first, second], count - 1))
}

/// What is left of a header whose beginning was lost, behind what is left of the line before.
fn holds_remains(line: &[u8]) -> bool {
    let remains = [&b"XSTART: "[..], b"XTOPIC: ", b"XPAYLOAD: ", b"XEND: "];
    memchr_iter(b'X', line).any(|at| remains.iter().any(|remains| line[at..].starts_with(remains)))
        || is_remains(line)
}

/// A header with a hole in its name.
fn is_remains(line: &[u8]) -> bool {
    if !line.last().is_some_and(u8::is_ascii_digit) || line.len() > LONGEST_REMAINS {
        return false;
    }
    let intact = line.iter().zip(BEGINNING).take_while(|(found, wanted)| found == wanted).count();
    let Some((name, values)) = memchr(b':', line).map(|colon| line[intact..].split_at(colon - intact)) else {
        return false;
    };
    let Some((_, _, count)) = numbers(values[1..].trim_ascii_start()) else { return false };
    // What a refused TOPIC or PAYLOAD is answered with.
    let is_result = &line[..intact] == RESULT_BEGINNING && matches!(name, b"TOPIC" | b"PAYLOAD");
    let names = [(&b"RXSTART"[..], 2), (b"RXTOPIC", 1), (b"RXPAYLOAD", 1), (b"RXEND", 0)];
    let is_tail = |(whole, values): &(&[u8], usize)| whole.ends_with(name) && *values == count;
    !name.is_empty() && !is_result && names.iter().any(is_tail)
}

const LONGEST_REMAINS: usize = b"CMQTTRXPAYLOAD: 0,10240".len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_header() {
        let client = ClientIndex::One;
        for (line, expected) in [
            ("+CMQTTRXSTART: 1,38,15", Header::Start { client, topic: 38, payload: 15 }),
            ("+CMQTTRXTOPIC: 1,38", Header::Part { part: Part::Topic, client, length: 38 }),
            ("+CMQTTRXPAYLOAD: 1,10240", Header::Part { part: Part::Payload, client, length: 10240 }),
            ("+CMQTTRXEND: 1", Header::End { client }),
        ] {
            assert_eq!(Header::parse(line.as_bytes()), Some(expected), "{line}");
        }
    }

    #[test]
    fn anything_else_that_begins_like_one_is_garbled() {
        for line in [
            "+CMQTTRX",
            "+CMQTTRXSTART: 2,1,1",
            "+CMQTTRXSTART: 0,1",
            "+CMQTTRXSTART: 0,1,1,",
            "+CMQTTRXSTART: 0,1,1,1",
            "+CMQTTRXTOPIC: 0,999999",
            "+CMQTTRXTOPIC: 0,-1",
            "+CMQTTRXEND: 0x",
            "+CMQTTRXEND 0",
            "+CMQTTRXENDS: 0",
            "+CMQTRXPAYLOAD: 0,1",
            "QTTRXEND: 0",
            "RXTOPIC: 0,5",
            "XPAYLOAD: 0,93",
            "D: 0",
            "+XTOPIC: 1,20",
            "+CMSTART: 0,1,1",
        ] {
            assert_eq!(Header::parse(line.as_bytes()), Some(Header::Garbled), "{line}");
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
            assert_eq!(Header::parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn what_a_garbled_header_still_tells() {
        let client = ClientIndex::One;
        let part = |part, length| Some(Header::Part { part, client, length });
        for (line, last, run_on) in [
            ("+CMQTTRXSTART: 1,XPAYLOAD: 1,112", part(Part::Payload, 112), 0),
            ("+CMQTTRXSTART: 1,AD: 1,112", part(Part::Payload, 112), 0),
            ("+CMQTTRXSTART: 1,3,9+CMQTTRXTOPIC: 1,3", part(Part::Topic, 3), 18),
            ("x+CMQTTRXEND: 1", Some(Header::End { client }), 0),
            ("+CMQTTRXPAYLOAD: 1,112\rfirst line", None, 11),
            ("+CMQTTRXPAYLOAD: 1,11two lines", None, 9),
            ("+CMQTTRXPAYL", None, 0),
            ("+CMQTTRXPAYLOAD:x 1,112x", None, 0),
            ("+CMQTTRXEND: 0+CMQTTRXSTART: 1,3,9", None, 20),
        ] {
            assert_eq!(Remains::of(line.as_bytes()), Remains { last, run_on }, "{line}");
        }
    }
}
