use std::time::Duration;

use super::hint::hint;
use super::module_state::ModuleState;
use super::settings::Settings;
use crate::at::{ClientIndex, CommandName, ResultCode};
use crate::channel::{Awaited, FailedCommand, Failure, LostBy, UnknownReason};
use crate::commands::{Invalid, UnexpectedAnswer};

/// A failure of a procedure, in words for the person at the rig.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(
        "port {port} is gone ({reason}): is the cable in, and the module powered? Once it is back, open it with a new SimcomMqtt; \
         a Reconnect does that by itself"
    )]
    PortLost { port: String, reason: String },
    #[error("{0}")]
    PortUnavailable(String),
    #[error("{}", refusal(command, response, *code, None))]
    Refused { command: String, response: String, code: Option<ResultCode>, client: Option<ClientIndex> },
    #[error(transparent)]
    UnexpectedAnswer(#[from] UnexpectedAnswer),
    #[error("{command} had {} within {seconds:.1} s: {}", awaited_in_words(*awaited), advice(*awaited))]
    NoAnswer { command: String, awaited: Awaited, seconds: f64 },
    #[error(
        "nothing answers AT on port {port} at {baudrate} baud: is the module powered and booted (it takes up to 15 s), is \
         this its AT port (often interface 2, not the diagnostic or NMEA one), and is the baud rate right?"
    )]
    Mute { port: String, baudrate: u32 },
    #[error(
        "{command} was written and {}: the message may have been delivered or not",
        unknown_in_words(reason)
    )]
    OutcomeUnknown { command: String, reason: UnknownReason },
    #[error(
        "{command} was not sent: the connection was lost before ({}), and is not back",
        cause_in_words(cause)
    )]
    ConnectionLost { command: String, cause: LostBy },
    #[error(
        "client {client} is not connected, so nothing was sent ({command} was answered with {response}): connect first"
    )]
    NotConnected { command: String, response: String, code: ResultCode, client: ClientIndex },
    #[error(
        "no network within {seconds:.1} s, {missing}: check SIM, antenna and operator; cell() and signal_quality() tell more"
    )]
    NoNetwork { missing: String, seconds: f64 },
    #[error(
        "{command} was not sent: an earlier publish, of this program or of one before it, may have left its payload on the \
         module, which would send that instead of an empty one; publish something that is not empty first, or release the client"
    )]
    PayloadHeld { command: String },
    #[error(
        "client {0} was not connected: entering its will broke off, and the module may hold a part of it; call set_will() \
         again, or release the client"
    )]
    WillHalfEntered(ClientIndex),
    #[error("both clients of the module are in use ({}): release one", holders_in_words(holders))]
    NoClientFree { holders: Vec<(ClientIndex, String)> },
    #[error(
        "the SIM card is locked (AT+CPIN? was answered with {response}): enter its PUK and a new PIN with \
         command('AT+CPIN=\"<PUK>\",\"<new PIN>\"')"
    )]
    SimLocked { response: String },
    #[error(
        "the SIM card refused this PIN before ({response}), so it was not sent again: three wrong ones lock the card until its \
         PUK is entered"
    )]
    PinRefused { response: String },
    #[error(
        "AT+CNTP was answered with {response} ({meaning}): check registration() and data_contexts(), or try another server"
    )]
    ClockNotSet { response: String, meaning: &'static str },
    #[error("no message comes any more: {}; connect and subscribe again", cause_in_words(.0))]
    NoMoreMessages(LostBy),
    #[error("the port was closed: open it again with a new SimcomMqtt")]
    Closed,
    #[error("cancelled before its first byte was written")]
    Cancelled,
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// `waited`: the time since the command was submitted.
    pub(super) fn from_failure(
        failure: Failure,
        state: &ModuleState,
        settings: &Settings,
        waited: Duration,
    ) -> Self {
        let seconds = waited.as_secs_f64();
        let client = failure.command().and_then(FailedCommand::client);
        match failure {
            Failure::Refused { command, .. }
                if client.is_some_and(|client| state.is_gone_with_restart(client)) =>
            {
                Self::ConnectionLost { command: command.into_text(), cause: LostBy::Restart }
            }
            Failure::Refused { command, code: None, .. }
                if needs_connection(&command)
                    && client.is_some_and(|client| state.is_gone_with_network(client)) =>
            {
                Self::ConnectionLost { command: command.into_text(), cause: LostBy::Network }
            }
            Failure::Refused { command, refusal, code } => {
                let response = refusal.text(command.kind());
                let needs_connection = needs_connection(&command);
                let command = command.into_text();
                match (code, client) {
                    (Some(ResultCode::NO_CONNECTION), Some(client)) if needs_connection => {
                        Self::NotConnected { command, response, code: ResultCode::NO_CONNECTION, client }
                    }
                    _ => Self::Refused { command, response, code, client },
                }
            }
            Failure::NoAnswer { command, awaited } => {
                Self::NoAnswer { command: command.into_text(), awaited, seconds }
            }
            Failure::ResultUnknown { command, reason } => {
                Self::OutcomeUnknown { command: command.into_text(), reason }
            }
            Failure::ConnectionLost { cause: LostBy::Port(reason), .. } => {
                Self::PortLost { port: settings.port.clone(), reason }
            }
            Failure::ConnectionLost { command, cause } => {
                Self::ConnectionLost { command: command.into_text(), cause }
            }
            Failure::Mute { command } => {
                Self::NoAnswer { command: command.into_text(), awaited: Awaited::Channel, seconds }
            }
            Failure::PayloadHeld { command } => Self::PayloadHeld { command: command.into_text() },
            Failure::Closed => Self::Closed,
            Failure::Cancelled => Self::Cancelled,
        }
    }

    /// The deferred result of a publish is a failure: the module's own words, or that none can come.
    pub(super) fn from_deferred(failure: Failure) -> Self {
        let unknown =
            |command: FailedCommand, reason| Self::OutcomeUnknown { command: command.into_text(), reason };
        match failure {
            Failure::Refused { command, refusal, code } => Self::Refused {
                response: refusal.text(command.kind()),
                code,
                client: command.client(),
                command: command.into_text(),
            },
            Failure::ResultUnknown { command, reason } => unknown(command, reason),
            Failure::NoAnswer { command, .. } | Failure::Mute { command, .. } => {
                unknown(command, UnknownReason::Timeout)
            }
            Failure::ConnectionLost { command, cause } => unknown(command, UnknownReason::Lost(cause)),
            Failure::Closed | Failure::Cancelled | Failure::PayloadHeld { .. } => Self::Closed,
        }
    }

    /// A topic or payload has bytes that software flow control takes for itself.
    pub(super) fn reserved_bytes() -> Self {
        let expected = "sent with flow_control=\"hardware\" or \"none\": software flow control takes these two bytes for itself";
        Invalid::with("topic or data", "XON or XOFF (0x11, 0x13)", expected).into()
    }

    /// The result code of chapter 4.1 that the module gave.
    pub fn code(&self) -> Option<ResultCode> {
        match self {
            Self::Refused { code, .. } => *code,
            Self::NotConnected { code, .. } => Some(*code),
            Self::NoClientFree { .. } => Some(ResultCode::CLIENT_IS_USED),
            _ => None,
        }
    }

    /// As displayed, with what the result code means in words.
    pub fn explained(&self, meaning: &str) -> String {
        match self {
            Self::Refused { command, response, code, .. } => refusal(command, response, *code, Some(meaning)),
            error => error.to_string(),
        }
    }

    /// The module said no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NotConnected { .. })
    }

    /// A bare `ERROR` to an MQTT command.
    pub fn is_bare_refusal(&self) -> bool {
        matches!(self, Self::Refused { code: None, .. })
    }
}

fn holders_in_words(holders: &[(ClientIndex, String)]) -> String {
    let holders: Vec<_> =
        holders.iter().map(|(client, client_id)| format!("client {client} is {client_id:?}")).collect();
    holders.join(", ")
}

/// The command is one that a client without a connection is refused.
fn needs_connection(command: &FailedCommand) -> bool {
    use CommandName::{Payload, Publish, Subscribe, Topic, Unsubscribe};
    matches!(command.kind().name, Topic | Payload | Publish | Subscribe | Unsubscribe)
}

fn awaited_in_words(awaited: Awaited) -> &'static str {
    match awaited {
        Awaited::Channel => "no turn on the line",
        Awaited::Prompt => "no > prompt",
        Awaited::FinalResult => "no answer",
        Awaited::Result => "no result",
    }
}

fn advice(awaited: Awaited) -> &'static str {
    match awaited {
        Awaited::Channel => {
            "nothing of it was written; the commands before it took too long, or the module is mute"
        }
        Awaited::Prompt | Awaited::FinalResult => {
            "is the module still powered, and is this its AT port? The line is usable again"
        }
        Awaited::Result => {
            "the network or the broker is slow; a longer timeout, or signal_quality(), may tell"
        }
    }
}

fn unknown_in_words(reason: &UnknownReason) -> String {
    match reason {
        UnknownReason::Timeout => "no result came in time".to_owned(),
        UnknownReason::Closed => "the port was closed before its result".to_owned(),
        UnknownReason::Lost(cause) => {
            format!("its result cannot be read any more ({})", cause_in_words(cause))
        }
    }
}

pub fn cause_in_words(cause: &LostBy) -> String {
    match cause {
        LostBy::Connection(cause) => format!("the module said +CMQTTCONNLOST with cause {cause}"),
        LostBy::Network => "the module said +CMQTTNONET".to_owned(),
        LostBy::Restart => "the module restarted".to_owned(),
        LostBy::Port(reason) => format!("the port is gone: {reason}"),
    }
}

fn refusal(command: &str, response: &str, code: Option<ResultCode>, meaning: Option<&str>) -> String {
    let meaning = match (code, meaning) {
        (Some(code), Some(meaning)) => format!(" ({}, {meaning})", code.number()),
        _ => String::new(),
    };
    format!("{command} was answered with {response}{meaning}{}", hint(command, code.map(ResultCode::number)))
}
