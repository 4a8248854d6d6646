use std::time::Duration;

use crate::at::{ClientIndex, Direction, TraceKind};
use crate::link::described;

/// A log record, written down on the I/O thread and handed to Python on another.
#[derive(Clone, Debug)]
pub struct LogRecord {
    pub level: Level,
    pub kind: Logger,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Warning,
}

/// `simcom_mqtt` or `simcom_mqtt.at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logger {
    Driver,
    Line,
}

impl LogRecord {
    pub(super) fn size(&self) -> usize {
        self.text.len() + 64
    }

    pub(super) fn message_lost(client: Option<ClientIndex>, why: &str) -> Self {
        Self::warning(match client {
            Some(client) => format!("a message for client {client} was lost: {why}"),
            None => format!("a message was lost: {why}"),
        })
    }

    /// Messages of a client, or other lines.
    pub(super) fn queue_full(client: Option<ClientIndex>, why: &str) -> Self {
        match client {
            Some(_) => Self::message_lost(client, why),
            None => Self::warning(why.to_owned()),
        }
    }

    pub(super) fn missing(count: u64) -> Self {
        Self::warning(format!("{count} records are missing here: the log is slower than the line"))
    }

    pub(super) fn connection_lost(client: ClientIndex, cause: u8) -> Self {
        Self::warning(format!("client {client} lost its connection: +CMQTTCONNLOST with cause {cause}"))
    }

    pub(super) fn network_lost() -> Self {
        Self::warning("the module lost the network: +CMQTTNONET".to_owned())
    }

    pub(super) fn restarted() -> Self {
        Self::warning("the module restarted: service, clients and subscriptions are gone".to_owned())
    }

    pub(super) fn mute() -> Self {
        Self::warning("the module answers nothing any more".to_owned())
    }

    pub(super) fn reconnected(client: ClientIndex) -> Self {
        Self::warning(format!("client {client} is connected again"))
    }

    pub(super) fn reconnect_failed(client: ClientIndex, error: &str, delay: Duration) -> Self {
        let delay = delay.as_secs_f64();
        Self::warning(format!("client {client} could not reconnect: {error}; trying again in {delay:.2} s"))
    }

    pub(super) fn not_subscribed_again(client: ClientIndex, topic: &[u8], error: &str) -> Self {
        let topic = shown(topic);
        Self::warning(format!("client {client} reconnected without its subscription to \"{topic}\": {error}"))
    }

    pub(super) fn gave_up_reconnecting(client: ClientIndex, error: &str) -> Self {
        Self::warning(format!(
            "client {client} does not reconnect any more, give_up_after has passed: {error}"
        ))
    }

    pub(super) fn transcript_ended(error: &std::io::Error) -> Self {
        Self::warning(format!("the transcript ends early: {}", described(error)))
    }

    pub(super) fn port_lost(reason: &str) -> Self {
        Self::warning(format!("the port is gone: {reason}"))
    }

    pub(super) fn trace(direction: Direction, kind: TraceKind, bytes: &[u8]) -> Self {
        let arrow = match direction {
            Direction::ToModule => '>',
            Direction::FromModule => '<',
        };
        let what = match kind {
            TraceKind::Line => "",
            TraceKind::Prompt => "prompt ",
            TraceKind::Data => "data ",
            TraceKind::Raw => "raw ",
        };
        // A line's end goes without saying; data is shown as it is.
        let bytes = if kind == TraceKind::Data { bytes } else { bytes.trim_ascii() };
        let text = format!("{arrow} {what}{}", shown(bytes));
        Self { level: Level::Debug, kind: Logger::Line, text }
    }

    pub(crate) fn warning(text: String) -> Self {
        Self { level: Level::Warning, kind: Logger::Driver, text }
    }
}

/// Quotes as they are, what cannot be printed escaped.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
}
