//! Bytes that the module may hold and no caller wants: a payload that was not published, and the padding of a data entry.

use super::queued_transaction::QueuedTransaction;
use crate::at::command::Command;
use crate::at::command_kind::CommandName;
use crate::at::command_line::CommandLine;

/// A byte that is no UTF-8 and no AT command. The module itself refuses a topic made of it.
pub(super) const REFUSED: u8 = 0xFF;

/// The clients that may hold a payload: entered, and not published yet. The module has no command that clears it.
#[derive(Debug)]
pub(super) struct StagedPayloads {
    may_hold: [bool; 2],
}

impl Default for StagedPayloads {
    /// The program that used the module before may have left a payload behind.
    fn default() -> Self {
        Self { may_hold: [true; 2] }
    }
}

impl StagedPayloads {
    pub(super) fn handle_data_entry(&mut self, line: &CommandLine) {
        if let (CommandName::Payload, Some(client)) = (line.kind().name, line.client()) {
            self.may_hold[client.slot()] = true;
        }
    }

    /// PUB clears topic and payload; so does what begins or ends the client.
    pub(super) fn handle_accepted(&mut self, line: &CommandLine) {
        match (line.kind().name, line.client()) {
            (CommandName::Publish | CommandName::Acquire | CommandName::Release, Some(client)) => {
                self.may_hold[client.slot()] = false;
            }
            (CommandName::Stop, _) => self.may_hold = [false; 2],
            _ => {}
        }
    }

    pub(super) fn handle_restart(&mut self) {
        self.may_hold = [false; 2];
    }

    /// The transaction is an empty publish, a PUB without PAYLOAD, and would send what the module still holds.
    pub(super) fn would_be_sent_by(&self, transaction: &QueuedTransaction) -> bool {
        let commands = transaction.commands();
        let Some(client) = commands.iter().find_map(Command::client) else { return false };
        let has = |name| commands.iter().any(|command| command.kind().name == name);
        let is_empty_publish =
            has(CommandName::Topic) && has(CommandName::Publish) && !has(CommandName::Payload);
        self.may_hold[client.slot()] && is_empty_publish
    }
}

/// The bytes that complete a data entry which timed out: empty lines, which are harmless in command mode.
///
/// For a topic filter they would not be harmless: a broker closes the connection of a client that names such a topic, and
/// after lost bytes it is unknown what to unsubscribe. The module itself refuses a filter that is not UTF-8, unless the
/// client checks no topics.
pub(super) fn padding_for(line: &CommandLine, length: usize) -> Vec<u8> {
    if length == 0 || !matches!(line.kind().name, CommandName::Subscribe | CommandName::Unsubscribe) {
        return vec![b'\r'; length];
    }
    let mut padding = vec![REFUSED; length];
    padding.push(b'\r');
    padding
}
