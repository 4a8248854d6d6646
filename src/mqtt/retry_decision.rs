use std::time::Instant;

use crate::at::{CommandName, ResultCode};
use crate::channel::{Awaited, Failure, UnknownReason};

/// Result codes that say that there is no connection, client or service: `no connection`, `client not acquired`.
const NOTHING_THERE: [ResultCode; 2] = [ResultCode::NO_CONNECTION, ResultCode::CLIENT_NOT_ACQUIRED];
/// Result codes that say that the connection broke: `message receive fail`, `network not opened`, `sock sending fail`,
/// `socket closed by server`.
const BROKEN: [ResultCode; 4] = [
    ResultCode::MESSAGE_RECEIVE_FAIL,
    ResultCode::NETWORK_NOT_OPENED,
    ResultCode::SOCK_SENDING_FAIL,
    ResultCode::SOCKET_CLOSED_BY_SERVER,
];

/// The consequence of a failure for a request of a client that reconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// The caller gets the failure.
    Fail,
    /// The connection is lost and the request was certainly not carried out: it goes out when the connection is back.
    Retry,
    /// PUB was written and its result is lost with the connection: it may go out again, if its `QoS` allows that.
    Resend,
    /// The module refused or did not answer, which may mean a loss that it did not report: ask, then retry.
    RetryIfLost,
    /// As [`RetryDecision::RetryIfLost`], but the message may have been handed to the broker.
    ResendIfLost,
}

impl RetryDecision {
    pub(super) fn after(failure: &Failure, deadline: Instant, now: Instant) -> Self {
        match failure {
            Failure::ConnectionLost { .. } | Failure::Mute { .. } => Self::Retry,
            Failure::ResultUnknown { reason: UnknownReason::Lost(_), .. } => Self::Resend,
            Failure::Refused { code: None, .. } => Self::RetryIfLost,
            Failure::Refused { code: Some(code), .. } if NOTHING_THERE.contains(code) => Self::RetryIfLost,
            Failure::Refused { code: Some(code), command, .. } if BROKEN.contains(code) => {
                // SUB and the entry of a topic can be repeated: nothing of a message was handed over.
                let is_handed_over = command.kind().name == CommandName::Publish;
                if is_handed_over { Self::ResendIfLost } else { Self::RetryIfLost }
            }
            Failure::NoAnswer { awaited: Awaited::Prompt | Awaited::FinalResult, .. } if now < deadline => {
                Self::RetryIfLost
            }
            _ => Self::Fail,
        }
    }
}
