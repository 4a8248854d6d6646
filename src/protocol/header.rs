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
        // What is left of a header whose beginning was lost.
        let remains = [&b"RXSTART: "[..], b"RXTOPIC: ", b"RXPAYLOAD: ", b"RXEND: "];
        remains.iter().any(|remains| memchr::memmem::find(line, remains).is_some()).then_some(Self::Garbled)
    }

    fn parse_rest(rest: &[u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', rest)?;
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

/// Decimal numbers of at most five digits, separated by commas.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<usize> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=5).contains(&digits) {
            return None;
        }
        let number = self.0[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        self.0 = &self.0[digits..];
        match self.0 {
            [] => {}
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
