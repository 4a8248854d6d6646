//! AT lines: how bytes are cut into lines and prompts, and how command lines and unsolicited lines are read.

pub(crate) mod client_index;
pub(crate) mod command;
pub(crate) mod command_kind;
pub(crate) mod command_line;
pub(crate) mod data_echo;
pub(crate) mod final_result;
pub(crate) mod foreign_text;
pub(crate) mod framer;
pub(crate) mod line_buffer;
pub mod parameters;
pub(crate) mod redaction;
pub(crate) mod result_code;
pub(crate) mod trace;
pub(crate) mod transmit_buffer;
pub(crate) mod urc;

pub use client_index::ClientIndex;
pub use command::{Command, Data};
pub use command_kind::{CommandKind, CommandName, Form, Operation};
pub use command_line::CommandLine;
pub use result_code::ResultCode;
pub use trace::{Direction, TraceKind};
