//! The output of the reassembly for the engine, in order.

use std::collections::VecDeque;

use super::message::ReceivedMessage;
use crate::at::ClientIndex;

#[derive(Debug)]
pub(crate) enum Output {
    Message(ReceivedMessage),
    Lost {
        client: Option<ClientIndex>,
        why: String,
    },
    /// A boot banner may be among the bytes of a damaged message.
    RestartSuspected,
    /// `+CMQTTCONNLOST` or `+CMQTTNONET` is among the bytes that a damaged message ran over.
    LossSuspected,
    /// A line that was held, and is no part of a message.
    Line(Vec<u8>),
    /// A prompt that was held, and is no part of a message.
    Prompt,
    /// A line that was held turned out to be part of a damaged message, and is dropped.
    LineDropped,
}

#[derive(Debug, Default)]
pub(crate) struct Outputs {
    queue: VecDeque<Output>,
    /// Clients whose latest block is reported lost. Then its late RXEND is no second loss. Needed by
    /// `resync_rules::end_without_anything_before_it_is_reported_once`.
    is_reported: [bool; 2],
}

impl Outputs {
    pub(crate) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Reports a lost message. Where the client is unknown, it may be either.
    pub(crate) fn report_lost(&mut self, client: Option<ClientIndex>, why: String) {
        match client {
            Some(client) => self.is_reported[client.slot()] = true,
            None => self.is_reported = [true; 2],
        }
        self.push(Output::Lost { client, why });
    }

    pub(crate) fn block_begins(&mut self, client: ClientIndex) {
        // Needed by `resync_rules::end_without_anything_before_it_is_reported_once`.
        self.is_reported[client.slot()] = false;
    }

    pub(crate) fn is_reported(&self, client: ClientIndex) -> bool {
        self.is_reported[client.slot()]
    }
}
