use super::ClientIndex;

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
        if let Some(rest) = line.strip_prefix(b"+CMQTTRX") {
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

/// More than any length has is damage.
const MOST_DIGITS: usize = 5;

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

/// The client and up to two lengths, decimal numbers of at most [`MOST_DIGITS`] separated by commas, and how many lengths
/// there are.
fn numbers(values: &[u8]) -> Option<(ClientIndex, [usize; 2], usize)> {
    let mut numbers = [0; 3];
    let mut at = 0;
    let mut digits = 0;
    for &byte in values {
        match byte {
            b'0'..=b'9' if digits < MOST_DIGITS => {
                numbers[at] = numbers[at] * 10 + usize::from(byte - b'0');
                digits += 1;
            }
            b',' if digits > 0 && at < 2 => {
                at += 1;
                digits = 0;
            }
            _ => return None,
        }
    }
    let [client, first, second] = numbers;
    let client = ClientIndex::from_number(client as u64).filter(|_| digits > 0)?;
    Some((client, [first, second], at))
}

/// What is left of a header whose beginning was lost.
fn holds_remains(line: &[u8]) -> bool {
    let remains = [&b"XSTART: "[..], b"XTOPIC: ", b"XPAYLOAD: ", b"XEND: "];
    memchr::memchr_iter(b'X', line)
        .any(|at| line[..at].ends_with(b"R") && remains.iter().any(|remains| line[at..].starts_with(remains)))
}

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
        ] {
            assert_eq!(Header::parse(line.as_bytes()), Some(Header::Garbled), "{line}");
        }
        assert_eq!(Header::parse(b"+CMQTTPUB: 0,0"), None);
    }
}
