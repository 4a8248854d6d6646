//! The lines that frame a received message, and the lengths that they may announce.

use crate::at::ClientIndex;
use crate::at::parameters::strict_numbers;

/// The limits of the application note for what is received.
pub(crate) const LONGEST_TOPIC: usize = 1024;
pub(crate) const LONGEST_PAYLOAD: usize = 10_240;
pub(crate) const LONGEST_CONTENT: usize = LONGEST_TOPIC + LONGEST_PAYLOAD;

/// The beginning of all headers.
pub(crate) const HEADER_BEGINNING: &[u8] = b"+CMQTTRX";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// `+CMQTTRXSTART: <client_index>,<topic_total_len>,<payload_total_len>`
    Start { client: ClientIndex, topic: usize, payload: usize },
    /// `+CMQTTRXTOPIC: <client_index>,<sub_topic_len>` and `+CMQTTRXPAYLOAD: <client_index>,<sub_payload_len>`
    Part { part: Part, client: ClientIndex, length: usize },
    /// `+CMQTTRXEND: <client_index>`
    End { client: ClientIndex },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Topic,
    Payload,
}

impl Part {
    pub(crate) fn longest(self) -> usize {
        match self {
            Self::Topic => LONGEST_TOPIC,
            Self::Payload => LONGEST_PAYLOAD,
        }
    }
}

impl Header {
    /// Reads a header that is exactly as the module prints it.
    #[inline]
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let (name, values) = split_name(line.strip_prefix(HEADER_BEGINNING)?)?;
        let values = Values::parse(values)?;
        let client = values.client;
        match (name, values.count) {
            (Name::Start, 2) => Some(Self::Start { client, topic: values.first, payload: values.second }),
            (Name::Part(part), 1) => Some(Self::Part { part, client, length: values.first }),
            (Name::End, 0) => Some(Self::End { client }),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Start,
    Part(Part),
    End,
}

/// Splits what stands behind [`HEADER_BEGINNING`] at the colon.
#[inline]
pub(crate) fn split_name(rest: &[u8]) -> Option<(Name, &[u8])> {
    if let Some(values) = rest.strip_prefix(b"TOPIC:") {
        return Some((Name::Part(Part::Topic), values));
    }
    if let Some(values) = rest.strip_prefix(b"PAYLOAD:") {
        return Some((Name::Part(Part::Payload), values));
    }
    if let Some(values) = rest.strip_prefix(b"START:") {
        return Some((Name::Start, values));
    }
    rest.strip_prefix(b"END:").map(|values| (Name::End, values))
}

/// The values behind the colon: the client and up to two lengths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values {
    pub(crate) client: ClientIndex,
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// How many lengths there are.
    pub(crate) count: usize,
}

impl Values {
    /// One space may stand before them.
    #[inline]
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let ([client, first, second], count) = strict_numbers(text.strip_prefix(b" ").unwrap_or(text))?;
        let client = ClientIndex::from_number(client as u64)?;
        Some(Self { client, first, second, count: count - 1 })
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
    fn refuses_a_line_that_only_begins_like_a_header() {
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
            "+CMQTTPUB: 0,0",
        ] {
            assert_eq!(Header::parse(line.as_bytes()), None, "{line}");
        }
    }
}
