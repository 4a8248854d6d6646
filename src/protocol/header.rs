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
        let colon = rest.iter().position(|byte| *byte == b':')?;
        let mut numbers = Numbers(rest[colon + 1..].strip_prefix(b" ").unwrap_or(&rest[colon + 1..]));
        let client = ClientIndex::from_number(numbers.next()? as u64)?;
        let header = match &rest[..colon] {
            b"START" => Self::Start { client, topic: numbers.next()?, payload: numbers.next()? },
            b"TOPIC" => Self::Part { part: Part::Topic, client, length: numbers.next()? },
            b"PAYLOAD" => Self::Part { part: Part::Payload, client, length: numbers.next()? },
            b"END" => Self::End { client },
            _ => return None,
        };
        numbers.0.is_empty().then_some(header)
    }
}

/// What is left of a header whose beginning was lost.
fn holds_remains(line: &[u8]) -> bool {
    let remains = [&b"XSTART: "[..], b"XTOPIC: ", b"XPAYLOAD: ", b"XEND: "];
    memchr::memchr_iter(b'X', line)
        .any(|at| line[..at].ends_with(b"R") && remains.iter().any(|remains| line[at..].starts_with(remains)))
}

const MOST_DIGITS: usize = 5;

/// Decimal numbers of at most [`MOST_DIGITS`], separated by commas.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<usize> {
        let mut number = 0;
        let mut digits = 0;
        while let Some(digit) = self.0.get(digits).filter(|byte| byte.is_ascii_digit()) {
            if digits == MOST_DIGITS {
                return None;
            }
            number = number * 10 + usize::from(digit - b'0');
            digits += 1;
        }
        if digits == 0 {
            return None;
        }
        match &self.0[digits..] {
            [] => self.0 = &[],
            [b',', rest @ ..] if !rest.is_empty() => self.0 = rest,
            _ => return None,
        }
        Some(number)
    }
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
