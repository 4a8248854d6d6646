//! Each AT command as a value: its bytes, its limits, what its answer means.
//!
//! A value that exists is legal: what the module would not take is an [`Invalid`] before a byte is written. What it
//! answers is not trusted: lines that do not say what was asked are an [`UnexpectedAnswer`].

pub mod client;
pub mod client_configuration;
pub mod connection;
mod data_entry;
mod information;
mod invalid;
pub mod limits;
mod numbers;
pub mod publishing;
mod server_address;
pub mod service;
pub mod subscribing;
mod text;
pub mod will;

pub use data_entry::{Payload, PayloadLimit, Topic, WillMessage};
pub use information::{Lines, UnexpectedAnswer};
pub use invalid::Invalid;
pub use numbers::{
    DisconnectTimeout, KeepAlive, OperationTimeout, ProtocolVersion, PublishTimeout, QoS, SslContextIndex,
    client_index, seconds,
};
pub use server_address::ServerAddress;
pub use text::{ClientId, Credentials};
