use std::time::SystemTime;

use crate::at::ClientIndex;

/// One received message: topic and payload side by side in one allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    client: ClientIndex,
    topic_length: usize,
    bytes: Vec<u8>,
    received_at: Option<SystemTime>,
}

impl ReceivedMessage {
    pub(crate) fn new(client: ClientIndex, topic_length: usize, bytes: Vec<u8>) -> Self {
        debug_assert!(topic_length <= bytes.len());
        Self { client, topic_length, bytes, received_at: None }
    }

    /// Stamped by the I/O thread: the protocol knows no clock.
    pub(crate) fn stamp(&mut self, received_at: SystemTime) {
        self.received_at = Some(received_at);
    }

    pub fn client(&self) -> ClientIndex {
        self.client
    }

    pub fn topic(&self) -> &[u8] {
        &self.bytes[..self.topic_length]
    }

    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.topic_length..]
    }

    pub fn received_at(&self) -> Option<SystemTime> {
        self.received_at
    }

    /// The bytes that the message counts in a queue.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl std::fmt::Debug for ReceivedMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReceivedMessage")
            .field("client", &self.client)
            .field("topic", &self.topic().escape_ascii().to_string())
            .field("payload", &self.payload().escape_ascii().to_string())
            .finish_non_exhaustive()
    }
}
