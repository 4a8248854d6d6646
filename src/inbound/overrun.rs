//! The bytes that a damaged part took from messages behind it.
//!
//! ```text
//!   +CMQTTRXPAYLOAD: 0,1000␍␊ 700 bytes, 300 are lost ␍␊+CMQTTRXEND: 0␍␊␍␊+CMQTTRXSTART: 1,3,5␍␊ … ␍␊+CMQTTCONNLOST: 1,1␍␊
//!                           |<------------------------------ 1000 bytes counted ------------------------------------>|
//!                                                                    |<-- overrun: lines behind the block's end -->|
//! ```
//!
//! Needed by `resync_rules::messages_and_losses_that_a_part_ran_over_are_reported`.

use super::byte_span::ByteSpan;
use super::header::{Header, LONGEST_PAYLOAD, LONGEST_TOPIC};
use crate::at::ClientIndex;
use crate::at::urc::Urc;

/// The headers and line ends behind the RXSTART of the shortest message.
const SHORTEST_FRAMING: usize =
    b"+CMQTTRXTOPIC: 0,1\r\n\r\n+CMQTTRXPAYLOAD: 0,1\r\n\r\n+CMQTTRXEND: 0\r\n".len();

pub(crate) enum Overrun {
    /// A message of this client began. `rest` is given if the message goes on behind the counted bytes, where its payload
    /// is read as lines. Needed by `resync_rules::rest_of_a_message_that_a_part_ran_over_is_its_payload`.
    Message { client: ClientIndex, rest: Option<Rest> },
    /// `+CMQTTCONNLOST` or `+CMQTTNONET`.
    Loss,
}

pub(crate) struct Rest {
    pub(crate) span: ByteSpan,
    pub(crate) content: usize,
}

/// Looks through `lines`, which begin at `position` in the stream.
pub(crate) fn look_through(lines: &[u8], position: u64) -> impl Iterator<Item = Overrun> {
    let length = lines.len();
    let mut offset = 0;
    lines.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
        offset += line.len();
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        match (Header::parse(line), Urc::parse(line)) {
            (Some(Header::Start { client, topic, payload }), _)
                if topic <= LONGEST_TOPIC && payload <= LONGEST_PAYLOAD =>
            {
                let content = topic + payload;
                let goes_on = offset + content + SHORTEST_FRAMING > length;
                let span = ByteSpan::announced(position + offset as u64, content);
                Some(Overrun::Message { client, rest: goes_on.then_some(Rest { span, content }) })
            }
            (_, Some(Urc::ConnectionLost { .. } | Urc::NoNetwork)) => Some(Overrun::Loss),
            _ => None,
        }
    })
}
